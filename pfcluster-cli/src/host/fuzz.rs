//! Readers of what others can write, which are private otherwise: the fuzz targets (tests/fuzz) call them here.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::mariadb::Account;
use super::webservices::Pins;
use super::worker::{Question, Request};
use super::{doctor, machine, option_file, processes};

/// Asks the database at this port of this machine, as the process does that asks another member's, and gives its answer as that
/// hands it on. `question` chooses among the questions.
pub fn ask_database(port: u16, account: &Account, question: u8, limit: Duration) -> String {
    let question = match question % 3 {
        0 => Question::Status,
        1 => Question::Variables(vec!["wsrep_on".to_owned(), "datadir".to_owned()]),
        _ => Question::Clock,
    };
    let Account { user, password } = account.clone();
    let server = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let reply = Request { server, user, password, limit, question }.carry_out();
    serde_json::to_string(&reply).unwrap_or_default()
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
