//! Readers of what others can write, which are private otherwise: the fuzz targets (tests/fuzz) call them here.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use pfcluster_core::galera::WsrepStatus;

use super::mariadb::{self, Account, Answer};
use super::webservices::Pins;
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
    let ask = |statements: &[&str]| worker::answer_here(connection, account, statements, limit);
    let pairs = |rows: Vec<(String, String)>| rows.into_iter().flat_map(|(name, value)| [name, value]).collect();
    Ok(match question % 3 {
        0 => match mariadb::answer(ask(&mariadb::STATUS)?) {
            Answer::Status(said) => {
                let _ = (said.connections(), WsrepStatus::from_rows(said.rows()));
                said.rows().flat_map(|(name, value)| [name, value]).map(str::to_owned).collect()
            }
            Answer::Silence(why) | Answer::Refused(why) => vec![why],
            Answer::Another(_) | Answer::Nobody | Answer::Full => Vec::new(),
        },
        1 => {
            let statement = mariadb::of_variables(&["wsrep_on", "datadir"]);
            mariadb::pairs(ask(&[&statement])?).map_or_else(|why| vec![why], pairs)
        }
        _ => mariadb::clock(ask(&[mariadb::CLOCK])?).err().into_iter().collect(),
    })
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
