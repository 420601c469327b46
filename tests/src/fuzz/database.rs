//! A hostile server in the place of a member's database: what the process that asks it makes of its bytes.
//!
//! An input is a byte that chooses the question, then the server's packets: a byte with the length of each, and what is in it.
//! In the place of a length, [`AFTER_A_PACKET`] and [`AFTER_A_COMMAND`] say what the client sends in between: from there the
//! numbers of packets go on, or start anew. All is sent at once.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use pfcluster_cli::host::fuzz::ask_database;
use pfcluster_cli::host::mariadb::Account;
use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;

const AFTER_A_PACKET: u8 = 255;
const AFTER_A_COMMAND: u8 = 254;

const PASSWORD: &str = "aMuchMoreSecurePassword";

/// Nothing in it takes so long: the server never waits.
const LIMIT: Duration = Duration::from_secs(10);

/// More columns than this are announced to no client here. The client reserves their memory; where that is more than there is, the
/// process that asks ends, and nothing else (`tests/attacks/databases.rs`). That is known, and would end the fuzzer.
const MOST_COLUMNS: u64 = 1 << 16;

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();

    let Some((question, script)) = bytes.split_first() else { return };
    let server = SERVER.get_or_init(|| Mutex::new(Server::start())).lock().unwrap_or_else(PoisonError::into_inner);
    server.script.send(packets(script)).expect("the server lives");
    let account = Account { user: "pfcluster".to_owned(), password: Some(PASSWORD.to_owned()) };
    let reply = ask_database(server.port, &account, *question, LIMIT);
    let told = server.told.recv_timeout(LIMIT).expect("the client connects");
    drop(server);
    assert!(!contains(&told, PASSWORD.as_bytes()), "it has the password: {told:?}");
    is_safe(&serde_json::from_str(&reply).expect("an answer that can be handed on"));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Every text is printable but the data directory, which is compared as it is.
fn is_safe(reply: &Value) {
    match reply {
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| *name != "datadir").for_each(|(_, value)| is_safe(value));
        }
        Value::Array(values) => values.iter().for_each(is_safe),
        Value::String(text) => super::assert_one_line(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// To a command an empty packet is the only answer, or there is none. At one behind another packet the client library panics, and
/// once more while it unwinds: that ends the process that asks, and with it the fuzzer.
fn packets(mut script: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_first = true;
    // A number that goes round could answer a command in a place where no columns are expected.
    let (mut number, mut is_command) = (0_u8, false);
    while let Some((&length, rest)) = script.split_first() {
        script = rest;
        match length {
            AFTER_A_PACKET => number = number.saturating_add(1),
            AFTER_A_COMMAND => (number, is_command, is_first) = (1, true, true),
            0 if is_command && !is_first => {}
            _ => {
                let (body, rest) = script.split_at(usize::from(length).min(script.len()));
                script = rest;
                let mut body = body.to_vec();
                if is_command {
                    announce_few_columns(&mut body);
                }
                // Of the last one something may be missing.
                out.extend_from_slice(&[length, 0, 0, number]);
                out.extend_from_slice(&body);
                number = number.saturating_add(1);
                is_first = false;
            }
        }
    }
    out
}

/// A packet that would announce too many columns announces few.
fn announce_few_columns(body: &mut [u8]) {
    let size = match body.first() {
        Some(0xfd) => 3,
        Some(0xfe) => 8,
        _ => return,
    };
    if let Some(count) = body.get_mut(1..=size) {
        let announced = count.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if announced > MOST_COLUMNS {
            count[2..].fill(0);
        }
    }
}

/// It serves one client after the other.
struct Server {
    port: u16,
    /// What the next client gets.
    script: Sender<Vec<u8>>,
    /// What a client has sent.
    told: Receiver<Vec<u8>>,
}

impl Server {
    fn start() -> Server {
        panics_of_the_client_are_expected();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let (script, scripts) = mpsc::channel::<Vec<u8>>();
        let (sender, told) = mpsc::channel();
        thread::spawn(move || {
            for bytes in scripts {
                let (mut client, _) = listener.accept().expect("a client");
                // No port is kept waiting: there are millions of clients.
                let _ = set_socket_linger(&client, Some(Duration::ZERO));
                // A client may be gone by then.
                let _ = client.write_all(&bytes).and_then(|()| client.shutdown(Shutdown::Write));
                let mut heard = Vec::new();
                let _ = client.read_to_end(&mut heard);
                if sender.send(heard).is_err() {
                    return;
                }
            }
        });
        Server { port, script, told }
    }
}

/// Those of the client library are caught where it is called.
fn panics_of_the_client_are_expected() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/registry/src/")) {
            others(panic);
        }
    }));
}
