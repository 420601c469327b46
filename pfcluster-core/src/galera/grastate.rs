//! grastate.dat: where a database stopped.

use super::Uuid;

/// What grastate.dat says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grastate {
    /// The history; zero after first installation, a crash in a DDL statement, an inconsistency, or a state transfer that
    /// runs or failed.
    pub uuid: Uuid,
    /// -1 while the server runs and after a crash; the last sequence number after a clean stop.
    pub seqno: i64,
    /// True if the member was alone in its last primary view; `None` if the line is missing (old versions).
    pub safe_to_bootstrap: Option<bool>,
}
