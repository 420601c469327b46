//! A hostile server on a database's port: it says what a program must survive, and remembers what it was told.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Asks for the password itself, encrypted with a key of its own (`caching_sha2_password`, full authentication).
    Sha2,
    /// The same, with something in the place of the key that is not one.
    NotAKey,
    /// Asks for the password in clear text (`mysql_clear_password`).
    Clear,
    /// Asks for the password as an answer to a question (`dialog`).
    Dialog,
    /// Announces 2^36 columns.
    Columns,
    /// Sends rows of a megabyte without end.
    Rows,
    /// Asks for a file of the client (`LOAD DATA LOCAL INFILE`).
    Infile,
    /// A status whose text acts on a terminal and forges lines of a log.
    Escapes,
    /// Refuses the login with such a text.
    EscapesInError,
    /// The status of a synced member of a primary component.
    Primary,
    /// The same, but only to every second client, from the first; the others find nobody.
    Flickering,
    /// Offers TLS, and goes on in plain text: as one would who stands in the way.
    FakeTls,
    /// Sends one byte of its greeting each half a second.
    Slow,
    /// The status of a primary member with this data directory, in one session. All later clients hear that it takes no more
    /// connections.
    Once(PathBuf),
    /// Takes no more connections (ERROR 1040).
    Full,
}

/// A server. It ends with the process, or when it is told.
#[derive(Debug)]
pub struct Rogue {
    heard: Arc<Mutex<Vec<Heard>>>,
    address: Option<Ipv4Addr>,
    has_ended: Arc<AtomicBool>,
}

/// What a client has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It logged in as this user.
    Login(String),
    /// It asked for the key with which it would encrypt its password.
    WantsKey,
    /// It sent this where the password was asked for.
    Password(Vec<u8>),
    /// It asked this.
    Query(String),
    /// It sent this of a file.
    File(Vec<u8>),
}

/// What a terminal would obey: a title, a colour, a line of its own.
pub const ESCAPES: &str = "\x1b]0;owned\x07\x1b[31mred\nOct 01 00:00:00 forged line\u{202e}";

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const END: &[u8] = b"\xfe\0\0\x02\0";
/// Asks for full authentication.
const FULL: &[u8] = b"\x01\x04";
const CHALLENGE: &[u8; 20] = b"AAAAAAAAAAAAAAAAAAAA";
const UUID: &str = "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4";

/// Its other half is thrown away: that a client sends what it encrypts is enough.
const KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjdf7cgmGkeewFx7x6IRh\n\
VWkHx1sisBxuVEj6Zvb5BofWMxFYlfBbhwzV2az0XwvoiYbAEeDpRcdc6zHGXyuW\n\
7oy7b4W7M9saBNpwnje6N0UB3Fo6gcslYUWWmtkpVJVqCGRZLVezpC0n+0x8Fhrc\n\
l6xeMBixSH2F9c8M4W7y7+emv3y/USgzyAT+IjaEiNpgTZebpg2SQ0QTgOwjZ8qO\n\
+MuHghCfKEHyINAsGjFnTOYR94vu44ry6afgSS4Ac0xEpFNGxLvyfOOKrfSGiEF5\n\
RyaZvAo9Ne1YBgcR8dbwuR7D6bjQ1cHtLDnVu3UmF7XgxphjnhXr/Z8fRG3SlF9n\n\
ewIDAQAB\n\
-----END PUBLIC KEY-----\n\
";

impl Rogue {
    /// Listens at this address, on port 3306.
    ///
    /// # Panics
    /// If somebody else does.
    pub fn new(address: Ipv4Addr, mode: Mode) -> Rogue {
        let listener = TcpListener::bind((address, 3306)).expect("an address of this machine, and nothing on its port");
        Rogue::serve(mode, Some(address), move || listener.accept().map(|(client, _)| client))
    }

    /// Listens on this socket of a file system, to which every user may connect.
    ///
    /// # Panics
    /// If there is something already.
    pub fn on_socket(path: &Path, mode: Mode) -> Rogue {
        use std::os::unix::fs::PermissionsExt as _;

        let listener = UnixListener::bind(path).expect("a free name in a folder of ours");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).expect("our own socket");
        Rogue::serve(mode, None, move || listener.accept().map(|(client, _)| client))
    }

    fn serve<Client: io::Read + io::Write + Send + 'static>(
        mode: Mode,
        address: Option<Ipv4Addr>,
        accept: impl Fn() -> io::Result<Client> + Send + 'static,
    ) -> Rogue {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let has_ended = Arc::new(AtomicBool::new(false));
        let rogue = Rogue { heard: Arc::clone(&heard), address, has_ended: Arc::clone(&has_ended) };
        thread::spawn(move || {
            for (number, client) in std::iter::from_fn(|| Some(accept())).flatten().enumerate() {
                if mode == Mode::Flickering && number % 2 == 1 {
                    continue;
                }
                let mode = match &mode {
                    Mode::Once(_) if number > 0 => Mode::Full,
                    mode => mode.clone(),
                };
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let heard = Arc::clone(&heard);
                // A client may end when it likes.
                thread::spawn(move || drop(Session { client, heard, number: 0 }.serve(&mode)));
            }
        });
        rogue
    }

    /// Listens at its address no more.
    pub fn end(self) {
        self.has_ended.store(true, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let _ = TcpStream::connect((address, 3306));
        while TcpListener::bind((address, 3306)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that was heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True as soon as something like this was heard; false if it is not within ten seconds.
    pub fn hears(&self, is_meant: impl Fn(&Heard) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if self.heard().iter().any(&is_meant) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

struct Session<Client> {
    client: Client,
    heard: Arc<Mutex<Vec<Heard>>>,
    number: u8,
}

impl<Client: io::Read + io::Write> Session<Client> {
    fn remember(&self, heard: Heard) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }

    fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?.to_le_bytes();
        let packet = [&length[..3], &[self.number], body].concat();
        self.number = self.number.wrapping_add(1);
        self.client.write_all(&packet)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.client.read_exact(&mut head)?;
        let mut body = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
        self.client.read_exact(&mut body)?;
        self.number = head[3].wrapping_add(1);
        Ok(body)
    }

    fn serve(mut self, mode: &Mode) -> io::Result<()> {
        if *mode == Mode::Slow {
            for byte in [&b"\x5f\0\0\0"[..], &greeting()].concat() {
                thread::sleep(Duration::from_millis(500));
                self.client.write_all(&[byte])?;
            }
            return Ok(());
        }
        if *mode == Mode::Full {
            return self.send(b"\xff\x10\x04Too many connections");
        }
        if *mode == Mode::FakeTls {
            let mut greeting = greeting();
            // CLIENT_SSL, in the second byte of the flags, which follow version, number and challenge.
            let flags = greeting.iter().position(|byte| *byte == 0).map_or(0, |end| end + 1 + 4 + 8 + 1);
            greeting[flags + 1] |= 0x08;
            self.send(&greeting)?;
            self.receive()?;
            self.send(OK)?;
            return self.answer(mode);
        }
        self.send(&greeting())?;
        let login = self.receive()?;
        let user = login.get(32..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        self.remember(Heard::Login(String::from_utf8_lossy(user).into_owned()));
        match mode {
            Mode::Sha2 | Mode::NotAKey => {
                self.send(&[b"\xfecaching_sha2_password\0", &CHALLENGE[..], b"\0"].concat())?;
                self.receive()?;
                self.send(FULL)?;
                if self.hear_password()? {
                    let key = if *mode == Mode::Sha2 { KEY } else { "no key" };
                    self.send(&[b"\x01", key.as_bytes()].concat())?;
                    self.hear_password()?;
                }
                Ok(())
            }
            Mode::Clear => {
                self.send(b"\xfemysql_clear_password\0")?;
                self.hear_password().map(drop)
            }
            Mode::Dialog => {
                self.send(b"\xfedialog\0\x04Password: ")?;
                self.hear_password().map(drop)
            }
            Mode::EscapesInError => self.send(&[&b"\xff\x15\x04#28000"[..], ESCAPES.as_bytes()].concat()),
            _ => self.answer(mode),
        }
    }

    /// Remembers what is said where the password was asked for. True if a key is wanted first.
    fn hear_password(&mut self) -> io::Result<bool> {
        let said = self.receive()?;
        match &said[..] {
            // Nothing; or COM_QUIT: it goes.
            [] | [1] => {}
            [2] => self.remember(Heard::WantsKey),
            _ => self.remember(Heard::Password(said.clone())),
        }
        Ok(said == [2])
    }

    fn answer(&mut self, mode: &Mode) -> io::Result<()> {
        self.send(OK)?;
        loop {
            let query = self.receive()?;
            let query = String::from_utf8_lossy(query.get(1..).unwrap_or_default()).into_owned();
            self.remember(Heard::Query(query.clone()));
            match mode {
                Mode::Columns => {
                    self.send(&[&b"\xfe"[..], &(1_u64 << 36).to_le_bytes()].concat())?;
                    thread::sleep(Duration::from_secs(2));
                    return Ok(());
                }
                Mode::Infile => {
                    self.send(b"\xfb/etc/hostname")?;
                    loop {
                        let part = self.receive()?;
                        if part.is_empty() {
                            break;
                        }
                        self.remember(Heard::File(part));
                    }
                    self.send(OK)?;
                }
                _ if query.contains("@@datadir") => {
                    let datadir = match mode {
                        Mode::Once(path) => path.to_str().unwrap_or_default(),
                        _ => "/var/lib/mysql/",
                    };
                    self.rows(&["@@datadir", "@@max_connections"], &[[datadir, "1000"]])?;
                }
                Mode::Rows => {
                    self.columns(&["Variable_name", "Value"])?;
                    let value = vec![b'x'; 1_000_000];
                    let row = [&text("wsrep_x")[..], b"\xfd", &1_000_000_u32.to_le_bytes()[..3], &value].concat();
                    loop {
                        self.send(&row)?;
                    }
                }
                _ if query.contains("GLOBAL STATUS") => {
                    let others = if *mode == Mode::Escapes { ESCAPES } else { "192.168.1.6:3306,192.168.1.7:3306" };
                    self.rows(&["Variable_name", "Value"], &status(others))?;
                }
                _ => self.send(OK)?,
            }
        }
    }

    fn columns(&mut self, names: &[&str]) -> io::Result<()> {
        self.send(&[u8::try_from(names.len()).map_err(io::Error::other)?])?;
        for name in names {
            let nothing = text("");
            let parts = [&text("def")[..], &nothing, &nothing, &nothing, &text(name), &text(name)].concat();
            self.send(&[&parts[..], b"\x0c\x21\0\xff\0\0\0\xfd\0\0\0\0\0"].concat())?;
        }
        self.send(END)
    }

    fn rows(&mut self, names: &[&str], rows: &[[&str; 2]]) -> io::Result<()> {
        self.columns(names)?;
        for row in rows {
            self.send(&row.map(text).concat())?;
        }
        self.send(END)
    }
}

fn status(others: &str) -> [[&str; 2]; 14] {
    [
        ["wsrep_cluster_state_uuid", UUID],
        ["wsrep_local_state_uuid", UUID],
        ["wsrep_cluster_status", "Primary"],
        ["wsrep_local_state", "4"],
        ["wsrep_local_state_comment", "Synced"],
        ["wsrep_cluster_size", "2"],
        ["wsrep_last_committed", "999999"],
        ["wsrep_incoming_addresses", others],
        ["wsrep_cluster_conf_id", "5"],
        ["wsrep_ready", "ON"],
        ["wsrep_connected", "ON"],
        ["wsrep_local_recv_queue", "0"],
        ["wsrep_flow_control_paused", "0"],
        ["Threads_connected", "3"],
    ]
}

/// A text with its length before it.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[length], text.as_bytes()].concat()
}

fn greeting() -> Vec<u8> {
    // Without TLS, with authentication plugins.
    let capabilities: u32 = (0x0000_f7ff | 0x000b_0000) & !0x0800;
    let [low, high] = [capabilities.to_le_bytes(), (capabilities >> 16).to_le_bytes()];
    [
        b"\x0a5.5.5-10.11.6-MariaDB\0\x07\0\0\0",
        &CHALLENGE[..8],
        b"\0",
        &low[..2],
        b"\x21\x02\0",
        &high[..2],
        b"\x15\0\0\0\0\0\0\0\0\0\0",
        &CHALLENGE[8..],
        b"\0mysql_native_password\0",
    ]
    .concat()
}
