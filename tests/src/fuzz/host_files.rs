//! Small files and texts of a host: option files, records, pins, the key, control requests, what the kernel shows. The same bytes
//! are given to each reader.

use pfcluster_cli::documents::evidence::{read_records, records_text};
use pfcluster_cli::host::fuzz;
use pfcluster_cli::host::supervise::control::Request;
use pfcluster_cli::host::webservices::Fingerprint;
use pfcluster_core::supervisor::Key;

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    for option in ["datadir", "socket", "password", "wsrep-on"] {
        let _ = fuzz::option(bytes, &["mysqld", "client"], option);
    }
    match read_records(bytes) {
        // What is read is what would be written.
        Ok(records) => assert_eq!(read_records(records_text(&records).as_bytes()).ok(), Some(records)),
        Err(error) => super::assert_one_line(&error.to_string()),
    }
    if let Ok(pins) = fuzz::pins(bytes) {
        assert_eq!(fuzz::pins(pins.as_bytes()), Ok(pins));
    }
    fuzz::kernel(bytes);
    texts(&String::from_utf8_lossy(bytes));
}

fn texts(text: &str) {
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    }
    if let Ok(key) = text.parse::<Key>() {
        assert_eq!(key.to_text().parse(), Ok(key));
    }
    if let Ok(request) = serde_json::from_str::<Request>(text) {
        let again = serde_json::to_string(&request).expect("a request can be sent");
        assert_eq!(serde_json::from_str::<Request>(&again).ok(), Some(request));
    }
}
