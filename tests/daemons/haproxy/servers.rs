//! What stands behind HAProxy in these tests, and the clients before it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread that accepts connections until it is dropped.
pub(crate) struct Server {
    is_over: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(address: &str, mut serve: impl FnMut(TcpStream, bool) + Send + 'static) -> Server {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        listener.set_nonblocking(true).expect("a socket");
        let (is_over, hangs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (over, hanging) = (is_over.clone(), hangs.clone());
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((client, _)) => {
                        client.set_nonblocking(false).expect("a socket");
                        serve(client, hanging.load(Ordering::SeqCst));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Server { is_over, hangs, thread: Some(thread) }
    }

    /// Takes connections, but says nothing.
    pub(crate) fn hang(&self) {
        self.hangs.store(true, Ordering::SeqCst);
    }

    pub(crate) fn recover(&self) {
        self.hangs.store(false, Ordering::SeqCst);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A database as far as HAProxy looks: it greets. Its version is its name.
pub(crate) fn start_database(address: &str, name: &str) -> Server {
    let body = [b"\x0a", name.as_bytes(), b"\0\x01\0\0\0saltsalt\0\xfe\xf7mysql_native_password\0"].concat();
    let length = u8::try_from(body.len()).expect("a short greeting");
    let greeting = [&[length, 0, 0, 0], body.as_slice()].concat();
    let mut clients = Vec::new();
    Server::start(address, move |mut client, hangs| {
        if !hangs {
            let _ = client.write_all(&greeting);
        }
        clients.push(client);
    })
}

/// A client that was greeted and stays.
pub(crate) fn connected(address: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).expect("HAProxy listens");
    client.set_read_timeout(Some(Duration::from_secs(1))).expect("a socket");
    assert!(client.read(&mut [0; 256]).expect("a greeting") > 5);
    client
}

pub(crate) fn is_closed(mut client: TcpStream, within: Duration) -> bool {
    client.set_read_timeout(Some(within)).expect("a socket");
    match client.read(&mut [0; 256]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// The name of the database that answers.
pub(crate) fn greeting_of(address: &str) -> Option<String> {
    let mut client = TcpStream::connect(address).ok()?;
    client.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    let mut greeting = [0; 256];
    let length = client.read(&mut greeting).ok()?;
    let name = greeting.get(5..length)?.split(|&byte| byte == 0).next()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// A request that a web server got.
pub(crate) struct Asked {
    pub(crate) line: String,
    headers: Vec<String>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> String {
        let value = |line: &String| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        self.headers.iter().filter_map(value).collect::<Vec<_>>().join(",")
    }
}

pub(crate) struct Reply {
    status: u16,
    text: String,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Reply {
        Reply { status, text: String::new() }
    }

    pub(crate) fn text(text: String) -> Reply {
        Reply { status: 200, text }
    }
}

pub(crate) fn start_web(address: &str, reply: impl Fn(&Asked) -> Reply + Send + 'static) -> Server {
    Server::start(address, move |mut client, _| {
        let _ = client.set_read_timeout(Some(Duration::from_secs(2)));
        let head = read_while(&mut client, |text| !text.contains("\r\n\r\n"));
        let mut lines = head.split("\r\n").map(str::to_owned);
        let asked = Asked { line: lines.next().unwrap_or_default(), headers: lines.collect() };
        let Reply { status, text } = reply(&asked);
        let length = text.len();
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}");
        let _ = client.write_all(answer.as_bytes());
    })
}

fn read_while(client: &mut TcpStream, goes_on: impl Fn(&str) -> bool) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        match client.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
        }
        if !goes_on(&String::from_utf8_lossy(&bytes)) {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer; status 0 if there is none.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

fn request(host: &str, path: &str, header: &str) -> String {
    if host.is_empty() {
        return format!("GET {path} HTTP/1.0\r\n{header}\r\n");
    }
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}Connection: close\r\n\r\n")
}

/// Asks over HTTP; without a host as clients of the last century did.
pub(crate) fn get(address: &str, host: &str, path: &str, header: &str) -> Answer {
    let Ok(mut client) = TcpStream::connect(address) else { return Answer::default() };
    let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = client.write_all(request(host, path, header).as_bytes());
    let text = read_while(&mut client, |_| true);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, body: body.to_owned() }
}

/// The header with a user's name and password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits =
            [0, 1, 2].iter().fold(0_usize, |bits, &at| bits << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * at) & 63]);
            out.push(if at > three.len() { '=' } else { digit });
        }
    }
    format!("Authorization: Basic {out}\r\n")
}

/// The whole answer to a request over TLS.
pub(crate) fn tls_ask(address: &str, host: &str, path: &str, header: &str) -> String {
    let mut client = Command::new("timeout")
        .args(["10", "openssl", "s_client", "-quiet", "-ign_eof", "-connect", address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("`openssl` must be installed");
    let mut stdin = client.stdin.take().expect("a pipe");
    let _ = stdin.write_all(request(host, path, header).as_bytes());
    let output = client.wait_with_output().expect("our own child");
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn tls_get(address: &str, host: &str, path: &str) -> String {
    tls_ask(address, host, path, "")
}

/// A server that speaks TLS and answers `/api/v1/who` with its name.
pub(crate) struct TlsServer {
    child: Child,
    _directory: tempfile::TempDir,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn start_tls(address: &str, certificate: &Path, name: &str) -> TlsServer {
    let directory = tempfile::tempdir().expect("a scratch directory");
    std::fs::create_dir_all(directory.path().join("api/v1")).expect("a writable directory");
    std::fs::write(directory.path().join("api/v1/who"), name).expect("a writable directory");
    let child = Command::new("openssl")
        .args(["s_server", "-quiet", "-WWW", "-accept", address, "-cert"])
        .arg(certificate)
        .arg("-key")
        .arg(certificate)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("`openssl` must be installed");
    let end = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(address).is_err() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    TlsServer { child, _directory: directory }
}
