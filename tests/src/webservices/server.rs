//! HTTPS, one request for each connection, and the ways in which it goes wrong.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use super::Certificate;
use super::answer::{self, Response};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Request {
    /// The JSON-RPC method.
    pub fn method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }

    /// The named argument.
    pub fn argument(&self, name: &str) -> Option<String> {
        let params = self.json()["params"].as_array().cloned().unwrap_or_default();
        let pair = params.chunks(2).find(|pair| pair[0] == name)?;
        pair.get(1)?.as_str().map(str::to_owned)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's value, exactly.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It takes the request and never answers.
    Hang,
    /// It answers, a byte at a time.
    Slow,
    /// It answers with something else than JSON.
    Garbage,
    /// It answers with JSON that is no JSON-RPC.
    WrongJson,
    /// It answers with a status and a page.
    Status(u16),
    /// The method dies with these words.
    Dies(&'static str),
    /// It answers with an empty list and no error, as where an argument is missing.
    Nothing,
    /// It ends the connection in the middle of its answer.
    Truncated,
    /// Its answer never ends.
    Oversized,
    /// It points elsewhere.
    Redirect,
    /// It ends the connection without a word.
    Closed,
    /// Before it answers, its version changes to this.
    Changes(&'static str),
}

/// A fault of some calls: those of the method (all, if it is empty) about a file whose path ends so.
struct Armed {
    method: String,
    path: String,
    fault: Fault,
    /// How many of them go well before.
    spared: usize,
}

/// A member's web services.
pub struct StandIn {
    /// The member's name.
    pub host: String,
    /// Its management address.
    pub address: Ipv4Addr,
    /// What stands for its /usr/local/pf.
    pub root: PathBuf,
    certificate: Mutex<&'static Certificate>,
    requests: Mutex<Vec<Request>>,
    armed: Mutex<Vec<Armed>>,
    pub(super) others: Mutex<(Vec<(String, Ipv4Addr)>, u16)>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StandIn {
    /// Serves on the listener until the test ends.
    pub(super) fn start(
        host: String,
        root: PathBuf,
        listener: TcpListener,
        certificate: &'static Certificate,
    ) -> Arc<StandIn> {
        let std::net::SocketAddr::V4(address) = listener.local_addr().expect("a bound socket") else {
            panic!("an IPv4 address was bound")
        };
        let member = Arc::new(StandIn {
            host,
            address: *address.ip(),
            root,
            certificate: Mutex::new(certificate),
            requests: Mutex::default(),
            armed: Mutex::default(),
            others: Mutex::default(),
        });
        let served = Arc::clone(&member);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let served = Arc::clone(&served);
                // A client that leaves is no fault of the server.
                thread::spawn(move || connection.and_then(|connection| served.serve(connection)));
            }
        });
        member
    }

    pub(super) fn know(&self, others: Vec<(String, Ipv4Addr)>, port: u16) {
        *held(&self.others) = (others, port);
    }

    /// Shows another certificate from now on.
    pub fn show(&self, certificate: &'static Certificate) {
        *held(&self.certificate) = certificate;
    }

    /// What was asked since the last time, in order.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *held(&self.requests))
    }

    /// How many requests with this method there were.
    pub fn count(&self, method: &str) -> usize {
        held(&self.requests).iter().filter(|request| request.method() == method).count()
    }

    /// Lets the calls of a method fail: all if it is empty.
    pub fn fail(&self, method: &str, fault: Fault) {
        self.fail_later(method, "", fault, 0);
    }

    /// The same for calls about files whose path ends so, after the first `spared` of them.
    pub fn fail_later(&self, method: &str, path: &str, fault: Fault, spared: usize) {
        held(&self.armed).push(Armed { method: method.to_owned(), path: path.to_owned(), fault, spared });
    }

    /// All goes well from now on.
    pub fn mend(&self) {
        held(&self.armed).clear();
    }

    /// Where a path of the wire is here.
    pub(super) fn local(&self, path: &str) -> PathBuf {
        let beside = self.root.parent().unwrap_or(&self.root);
        match path.strip_prefix("/usr/local/") {
            Some(rest) => beside.join(rest),
            None => beside.join("elsewhere").join(path.trim_start_matches('/')),
        }
    }

    /// A file below its install directory.
    ///
    /// # Panics
    /// If it is not there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.root.join(name)).unwrap_or_else(|error| panic!("{}: {name}: {error}", self.host))
    }

    /// Writes one.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a writable directory");
        std::fs::write(path, bytes).expect("a writable directory");
    }

    fn serve(&self, connection: TcpStream) -> io::Result<()> {
        let config = held(&self.certificate).server();
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(tls, connection));
        let request = read_request(&mut stream)?;
        held(&self.requests).push(request.clone());
        let fault = self.fault_for(&request);
        let stream = stream.get_mut();
        if let Some(Fault::Changes(version)) = &fault {
            self.write(super::VERSION_FILE, version.as_bytes());
        }
        let response = match fault {
            None | Some(Fault::Changes(_)) => answer::answer(self, &request),
            Some(fault) => return misbehave(stream, &fault),
        };
        send(stream, &response)?;
        finish(stream)
    }

    fn fault_for(&self, request: &Request) -> Option<Fault> {
        let path = request.argument("conf_file").unwrap_or_default();
        let mut armed = held(&self.armed);
        let armed = armed.iter_mut().find(|armed| {
            (armed.method.is_empty() || armed.method == request.method()) && path.ends_with(&armed.path)
        })?;
        match armed.spared.checked_sub(1) {
            Some(left) => {
                armed.spared = left;
                None
            }
            None => Some(armed.fault.clone()),
        }
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn read_request(stream: &mut BufReader<Tls>) -> io::Result<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut request = Request { head, body: String::new() };
    let length = request.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Ok(request)
}

fn head(response: &Response, length: usize) -> String {
    let kind = if response.is_json { "application/json-rpc" } else { "text/html; charset=iso-8859-1" };
    let mut head = format!("HTTP/1.1 {} Reason\r\nServer: Apache\r\nContent-Type: {kind}\r\n", response.status);
    if (300..400).contains(&response.status) {
        head += "Location: https://127.0.0.1:1/\r\n";
    }
    head + &format!("Content-Length: {length}\r\nConnection: close\r\n\r\n")
}

fn send(stream: &mut Tls, response: &Response) -> io::Result<()> {
    stream.write_all(head(response, response.body.len()).as_bytes())?;
    stream.write_all(response.body.as_bytes())?;
    stream.flush()
}

fn finish(stream: &mut Tls) -> io::Result<()> {
    stream.conn.send_close_notify();
    stream.flush()
}

fn misbehave(stream: &mut Tls, fault: &Fault) -> io::Result<()> {
    const FINE: &str = r#"{"jsonrpc":"2.0","id":0,"result":[1]}"#;

    let page = |status| Response { status, is_json: false, body: "<html><h1>Apache</h1></html>".to_owned() };
    let json = |status, body: String| Response { status, is_json: true, body };
    match fault {
        // Until the client has had enough.
        Fault::Hang => stream.read_to_end(&mut Vec::new()).map(drop),
        Fault::Slow => {
            stream.write_all(head(&json(200, String::new()), 1 << 20).as_bytes())?;
            for _ in 0..1 << 20 {
                stream.write_all(b" ")?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Fault::Garbage => send(stream, &json(200, "\u{0}\u{1}<not json>".to_owned())),
        Fault::WrongJson => send(stream, &json(200, r#"{"jsonrpc":"2.0","id":0}"#.to_owned())),
        Fault::Status(status) => send(stream, &page(*status)),
        Fault::Redirect => send(stream, &page(302)),
        Fault::Dies(words) => send(stream, &answer::died(words)),
        Fault::Nothing => send(stream, &json(200, r#"{"jsonrpc":"2.0","id":0,"result":[]}"#.to_owned())),
        Fault::Truncated => {
            stream.write_all(head(&json(200, String::new()), FINE.len()).as_bytes())?;
            stream.write_all(&FINE.as_bytes()[..FINE.len() / 2])?;
            stream.flush()
        }
        Fault::Oversized => {
            stream.write_all(head(&json(200, String::new()), usize::MAX).as_bytes())?;
            let junk = vec![b' '; 1 << 16];
            loop {
                stream.write_all(&junk)?;
            }
        }
        Fault::Closed | Fault::Changes(_) => Ok(()),
    }
}
