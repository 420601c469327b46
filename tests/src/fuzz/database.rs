//! A hostile server in the place of a member's database: what a worker makes of its bytes, and what is made of the worker's answer.
//!
//! An input is a byte that chooses the question, then the server's packets: a byte with the length of each, and what is in it.
//! In the place of a length, `AFTER_A_PACKET` and `AFTER_A_COMMAND` say what the client sends in between: from there the
//! numbers of packets go on, or start anew. All is sent at once.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Once;
use std::time::Duration;

use pfcluster_cli::host::fuzz::ask_database;
use pfcluster_cli::host::mariadb::Account;

const AFTER_A_PACKET: u8 = 255;
const AFTER_A_COMMAND: u8 = 254;

const PASSWORD: &str = "aMuchMoreSecurePassword";

/// Nothing in it takes so long: the server never waits.
const LIMIT: Duration = Duration::from_secs(10);

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    static PREPARED: Once = Once::new();

    let Some((question, script)) = bytes.split_first() else { return };
    PREPARED.call_once(panics_of_the_library_are_expected);
    let (mut server, client) = UnixStream::pair().expect("two sockets");
    // What does not fit is not sent.
    server.set_nonblocking(true).expect("our own socket");
    let _ = server.write_all(&packets(script));
    server.shutdown(Shutdown::Write).expect("our own socket");
    let account = Account { user: "pfcluster".to_owned(), password: Some(PASSWORD.to_owned()), ca: None };
    let texts = ask_database(client, &account, *question, LIMIT).expect("an answer that can be handed on");
    let mut told = Vec::new();
    // If it has left something unread, the end of what it sent is an error.
    let _ = server.read_to_end(&mut told);
    assert!(!contains(&told, PASSWORD.as_bytes()), "it has the password: {told:?}");
    texts.iter().for_each(|text| super::assert_one_line(text));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn packets(mut script: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut number = 0_u8;
    while let Some((&length, rest)) = script.split_first() {
        script = rest;
        match length {
            AFTER_A_PACKET => number = number.wrapping_add(1),
            AFTER_A_COMMAND => number = 1,
            _ => {
                let (body, rest) = script.split_at(usize::from(length).min(script.len()));
                script = rest;
                // Of the last one something may be missing.
                out.extend_from_slice(&[length, 0, 0, number]);
                out.extend_from_slice(body);
                number = number.wrapping_add(1);
            }
        }
    }
    out
}

/// Those of `mysql_common` are caught where it is called; the fuzzer would end at the first.
fn panics_of_the_library_are_expected() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/registry/src/")) {
            others(panic);
        }
    }));
}
