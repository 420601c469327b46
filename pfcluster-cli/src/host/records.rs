//! What the supervisor wrote down, outside the data directory: `ROOT/var/pfcluster/records.json`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use pfcluster_core::galera::Records;

use super::install::{create_directory, place};
use super::{HostError, Root, files};
use crate::report::evidence::{read_records, records_text};

/// Where the records are.
pub fn path(root: &Root) -> PathBuf {
    root.file("var/pfcluster/records.json")
}

/// What was written down; nothing if there is no file.
///
/// # Errors
/// [`HostError`] if the file can't be read or understood. To take that for nothing would be to forget.
pub fn read(root: &Root) -> Result<Records, HostError> {
    let path = path(root);
    let Some(text) = files::read_if_there(&path)? else { return Ok(Records::default()) };
    read_records(&text).map_err(|error| HostError::Content {
        path,
        reason: error.to_string(),
        help: "keep a copy, then remove it: without it, after an outage all members are needed to decide".to_owned(),
    })
}

/// Writes it down, durably.
///
/// # Errors
/// [`HostError::Write`]; what was written before is still there then.
pub fn write(root: &Root, records: &Records) -> Result<(), HostError> {
    let path = path(root);
    create_directory(&root.file("var/pfcluster"), 0o755)?;
    place(&path, records_text(records).as_bytes(), Permissions::from_mode(0o600), None)
}
