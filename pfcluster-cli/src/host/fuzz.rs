//! Readers of what others can write, which are private otherwise: the fuzz targets (tests/fuzz) call them here.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use pfcluster_core::galera::WsrepStatus;

use super::mariadb::{self, Account, Answer};
use super::webservices::{CallError, Pins, Response};
use super::worker::Reply;
use super::{doctor, machine, option_file, processes, worker};

/// Asks the database at the other end of the connection as a worker does, and gives each text that comes of its answer, but for the
/// data directory, which is compared as it is. `question` chooses among the questions.
///
/// # Errors
/// If what the worker hands on can't be read.
pub fn ask_database(
    connection: UnixStream,
    account: &Account,
    question: u8,
    limit: Duration,
) -> serde_json::Result<Vec<String>> {
    let login = (&*account.user, account.password.as_deref());
    let ask = |statements: &[&str]| worker::answer_here(connection, login, statements, limit);
    Ok(match question % 3 {
        0 => of_status(ask(&mariadb::STATUS)?),
        1 => of_variables(ask(&[&mariadb::of_variables(&["wsrep_on", "datadir"])])?),
        _ => of_clock(ask(&[mariadb::CLOCK])?),
    })
}

/// The same of an answer as a worker hands it on: each question's.
///
/// # Errors
/// If it can't be read.
pub fn database_answer(line: &[u8]) -> serde_json::Result<Vec<String>> {
    let reply: Reply = serde_json::from_slice(line)?;
    Ok([of_status(reply.clone()), of_variables(reply.clone()), of_clock(reply)].concat())
}

fn of_status(reply: Reply) -> Vec<String> {
    match mariadb::answer(reply) {
        Answer::Status(said) => {
            let _ = (said.connections(), WsrepStatus::from_rows(said.rows()));
            said.rows().flat_map(|(name, value)| [name, value]).map(str::to_owned).collect()
        }
        Answer::Silence(why) | Answer::Refused(why) => vec![why],
        Answer::Another(_) | Answer::NoServer | Answer::Full => Vec::new(),
    }
}

fn of_variables(reply: Reply) -> Vec<String> {
    let texts = |rows: Vec<(String, String)>| rows.into_iter().flat_map(|(name, value)| [name, value]).collect();
    mariadb::pairs(reply).map_or_else(|why| vec![why], texts)
}

fn of_clock(reply: Reply) -> Vec<String> {
    mariadb::clock(reply).err().into_iter().collect()
}

/// What a worker hands on of a call of web services.
///
/// # Errors
/// If it can't be read.
pub fn call_answer(line: &[u8]) -> serde_json::Result<Result<pfcluster_core::sync::Answer, CallError>> {
    Ok(serde_json::from_slice::<Response>(line)?.into_answer())
}

/// The value of an option of one of these groups in an option file.
pub fn option(text: &[u8], groups: &[&str], option: &str) -> Option<String> {
    option_file::value(text, groups, option)
}

/// The file of pins as it would be written again; the number of a line that makes no sense.
///
/// # Errors
/// That number.
pub fn pins(text: &[u8]) -> Result<String, usize> {
    Pins::parse(text).map(|pins| pins.to_text())
}

/// Everything that is read from the kernel about processes, ports and addresses. Any process can choose its own command line.
pub fn kernel(bytes: &[u8]) {
    let server = processes::Server::new(1, bytes);
    let _ = (server.start_position(), server.begins());
    let text = String::from_utf8_lossy(bytes);
    let _ = machine::local_addresses(&text);
    doctor::read_kernel_text(&text);
}
