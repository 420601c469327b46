//! The recovered position: what `mariadbd --wsrep-recover` finds in the data and writes into its log.
//!
//! ```text
//! 2026-11-23 18:05:11 0 [Note] WSREP: Recovered position: ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:1204
//! WSREP: Recovered position ec9a1a36-e6ed-11f1-823f-231ddacb0bd4:1204,0-1-88
//! ```
//!
//! Servers and their wrappers write it in several ways, with a GTID behind the number or before it. The last word counts:
//! a log that goes on after a position with a failure has none, since the data may have moved in between. A line without an
//! end has none either: `U:12` could be the start of `U:123`.
//!
//! The position can be behind what was acknowledged, where `innodb_flush_log_at_trx_commit` is not 1; that is not the
//! reader's to know.

use super::{Position, Recovered, Uuid};
use crate::printable::quoted;

/// Why a log has no recovered position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// Nothing in it is about a position.
    #[error("the log has no recovered position")]
    NotThere,
    /// The log ends within the line.
    #[error("the log ends within the recovered position")]
    Torn,
    /// What stands there is no position; what it is.
    #[error("the recovered position can't be understood: `{0}`")]
    Nonsense(Box<str>),
    /// The server was told where to start (`--wsrep-start-position`), and did not look.
    #[error("the server skipped the recovery of the position")]
    Skipped,
    /// Something else uses the port for clients. The server gave up before it looked.
    #[error("the recovery failed: another program uses the database's port")]
    PortTaken,
    /// The server gave up; its first complaint.
    #[error("the recovery failed: {0}")]
    Aborted(Box<str>),
}

impl From<Result<Option<Position>, RecoveryError>> for Recovered {
    fn from(read: Result<Option<Position>, RecoveryError>) -> Recovered {
        match read {
            Ok(Some(position)) => Recovered::At(position),
            Ok(None) => Recovered::NoHistory,
            Err(error) => Recovered::Failed(error.to_string().into()),
        }
    }
}

/// The position in the log of a recovery; `None` if the data belong to no history (the zero UUID).
///
/// # Errors
/// [`RecoveryError`] if the log has no position that can be trusted.
pub fn recovered_position(log: &[u8]) -> Result<Option<Position>, RecoveryError> {
    let mut last = Err(RecoveryError::NotThere);
    let mut complaint = None;
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        if let Some(text) = position_text(line) {
            last = if line.ends_with(b"\n") { read_position(text) } else { Err(RecoveryError::Torn) };
        } else if holds(line, b"WSREP") && holds(line, b"skipping position recovery") {
            last = Err(RecoveryError::Skipped);
        } else if let Some(at) = find(line, b"[ERROR] ") {
            let words = &line[at + b"[ERROR] ".len()..];
            if holds(words, b"Bind on TCP/IP port") {
                last = Err(RecoveryError::PortTaken);
            } else if words.trim_ascii() == b"Aborting" && last != Err(RecoveryError::PortTaken) {
                last = Err(RecoveryError::Aborted(complaint.take().unwrap_or_else(|| "the server gave up".into())));
            } else {
                complaint.get_or_insert_with(|| quoted(words.trim_ascii()).into());
            }
        }
    }
    last
}

/// What stands where a line has a position.
fn position_text(line: &[u8]) -> Option<&[u8]> {
    const SPOKEN: &[u8] = b"Recovered position";
    // mysqld_safe of old versions, where grastate.dat has a sequence number and needs no recovery.
    const SKIPPING: &[u8] = b"Skipping wsrep-recover for ";
    if let Some(at) = find(line, SPOKEN).filter(|at| holds(&line[..*at], b"WSREP")) {
        let text = &line[at + SPOKEN.len()..];
        return Some(text.strip_prefix(b":").unwrap_or(text).trim_ascii());
    }
    let text = line[find(line, SKIPPING)? + SKIPPING.len()..].trim_ascii();
    Some(text.strip_suffix(b" pair").unwrap_or(text))
}

/// `U:N`, `U:N,D-S-G` or `U:D-S-G,N`.
fn read_position(text: &[u8]) -> Result<Option<Position>, RecoveryError> {
    let nonsense = || RecoveryError::Nonsense(quoted(text).into());
    let (uuid, numbers) = str::from_utf8(text).ok().and_then(|text| text.split_once(':')).ok_or_else(nonsense)?;
    let uuid: Uuid = uuid.parse().map_err(|_| nonsense())?;
    let seqno = match numbers.split_once(',') {
        None => seqno(numbers),
        Some((number, gtid)) if is_gtid(gtid) => seqno(number),
        Some((gtid, number)) if is_gtid(gtid) => seqno(number),
        Some(_) => None,
    };
    match seqno {
        // Data that were written with the zero UUID belong to no history, whatever their number.
        Some(_) if uuid.is_zero() => Ok(None),
        Some(seqno) => Position::new(uuid, seqno).map(Some).ok_or_else(nonsense),
        None => Err(nonsense()),
    }
}

/// -1 or digits.
fn seqno(text: &str) -> Option<i64> {
    let is_written_so = text == "-1" || text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_written_so)
}

/// Domain, server and number of MariaDB's replication.
fn is_gtid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

fn holds(line: &[u8], words: &[u8]) -> bool {
    find(line, words).is_some()
}

fn find(line: &[u8], words: &[u8]) -> Option<usize> {
    memchr::memmem::find(line, words)
}
