//! What the supervisor persists, outside the data directory: `ROOT/var/pfcluster/records.json`.

use std::path::PathBuf;

use pfcluster_core::galera::Records;

use super::directory::Fresh;
use super::{HostError, Root};
use crate::documents::evidence::{read_records, records_text};

/// Their place below the install directory.
const NAME: &str = "var/pfcluster/records.json";

/// Where the records are.
pub fn path(root: &Root) -> PathBuf {
    root.file(NAME)
}

/// What was written down; nothing if there is no file.
///
/// # Errors
/// [`HostError`] if the file can't be read or understood. To take that for nothing would be to forget.
pub fn read(root: &Root) -> Result<Records, HostError> {
    let Some(text) = root.read(NAME)? else { return Ok(Records::default()) };
    read_records(&text).map_err(|error| HostError::Content {
        path: path(root),
        reason: error.to_string(),
        help: "keep a copy, then remove it: without it, after an outage all members are needed to decide".to_owned(),
    })
}

/// Writes it down, durably.
///
/// # Errors
/// [`HostError::Write`]; what was written before is still there then.
pub fn write(root: &Root, records: &Records) -> Result<(), HostError> {
    let fresh = |mode| Fresh { mode, owner: None };
    root.open()?.replace(NAME, records_text(records).as_bytes(), fresh(0o600), Some(fresh(0o755)))
}
