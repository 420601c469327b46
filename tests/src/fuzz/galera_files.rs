//! grastate.dat, gvwstate.dat, the log of a recovery, a server's status: the same bytes are given to each reader. What can't be
//! understood is said in one printable line, and what is cut never says something else.

use pfcluster_core::galera::{Grastate, Gvwstate, WsrepStatus, recovered_position};
use pfcluster_testing::clusters::host;

/// Each cut of a file is read as well: longer ones would take too long.
const LONGEST_CUT: usize = 300;

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    grastate(bytes);
    if let Err(error) = Gvwstate::parse(bytes) {
        super::assert_one_line(&error.to_string());
    }
    if let Err(error) = recovered_position(bytes) {
        super::assert_one_line(&error.to_string());
    }
    status(&String::from_utf8_lossy(bytes));
}

fn grastate(bytes: &[u8]) {
    let whole = match Grastate::parse(bytes) {
        Ok(whole) => whole,
        Err(error) => {
            super::assert_one_line(&error.to_string());
            return;
        }
    };
    for end in 0..bytes.len().min(LONGEST_CUT) {
        // A contradiction that was cut off can't be seen: that is why only files that are whole count here.
        if let Ok(cut) = Grastate::parse(&bytes[..end]) {
            assert_eq!((cut.uuid, cut.seqno), (whole.uuid, whole.seqno), "cut at {end}");
            assert!(cut.safe_to_bootstrap.is_none_or(|flag| whole.safe_to_bootstrap == Some(flag)), "cut at {end}");
        }
    }
}

/// A name and a value on each line. A server's texts are printable where they enter.
fn status(text: &str) {
    let rows = text.lines().filter_map(|line| line.split_once(['\t', ' ']));
    match WsrepStatus::from_rows(rows) {
        Ok(status) => {
            let running = status.running(|address| address.strip_prefix("192.168.1.").map(|_| host(0)));
            assert!(running.last_committed >= -1);
            assert!(running.sees.len() + running.sees_others.len() <= text.len());
        }
        Err(error) => super::assert_one_line(&error.to_string()),
    }
}
