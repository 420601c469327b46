//! One pfcluster at a time changes the configuration from this host.

use std::fs::File;
use std::io;

use rustix::fs::{FlockOperation, flock};

use super::directory::{Directory, failed};
use super::{HostError, Root};

/// Held from before the versions are compared until the last file has arrived.
const LOCK: &str = "var/pfcluster/lock";

/// The lock, until it is dropped. The system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "what holds the lock is that the file is open")] File);

impl Lock {
    /// Takes the lock; `None` if another process has it.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be made.
    pub fn take(root: &Root) -> Result<Option<Lock>, HostError> {
        let file = Directory::open(root.directory())?.lock_file(LOCK)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(&root.file(LOCK))(io::Error::from(error))),
        }
    }
}
