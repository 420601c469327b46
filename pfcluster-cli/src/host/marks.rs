//! Marks: files that say something by being there, as PacketFence has them for members that are disabled and for
//! maintenance. The directories belong to the user pf, so links are not followed when marks are set and cleared.

use std::io;
use std::path::Path;

use pfcluster_core::cluster::Hostname;

use super::directory::Fresh;
use super::{HostError, Root, machine};

/// The mark of a member that a server counts out, relative to the install directory.
pub fn disabled(host: &Hostname) -> String {
    format!("var/run/{host}-cluster-disabled")
}

/// True if the mark is there. Only a plain file is one, also behind a link, as PacketFence has it.
///
/// # Errors
/// If that can't be seen.
pub fn is_set(path: &Path) -> io::Result<bool> {
    match path.metadata() {
        Ok(data) => Ok(data.is_file()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets the mark of this name below the install directory, with the time of now, for the user pf. One that is there stays
/// whose it is.
///
/// # Errors
/// [`HostError`] if it can't be made, or something else is there.
pub fn set(root: &Root, name: &str) -> Result<(), HostError> {
    let owner = machine::user_ids("pf").filter(|_| rustix::process::geteuid().is_root());
    root.open()?.touch(name, Fresh { mode: 0o644, owner }, None)
}

/// The same in a directory that is made if it is not there, for a mark of pfcluster's own.
///
/// # Errors
/// As [`set`].
pub(super) fn set_own(root: &Root, name: &str) -> Result<(), HostError> {
    let private = Fresh { mode: 0o644, owner: None };
    root.open()?.touch(name, private, Some(Fresh { mode: 0o755, owner: None }))
}

/// Takes the mark away, if it is there.
///
/// # Errors
/// [`HostError`] if it can't be removed.
pub fn clear(root: &Root, name: &str) -> Result<(), HostError> {
    root.open()?.remove_file(name)
}
