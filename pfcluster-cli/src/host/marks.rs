//! Marks: files that say something by being there, as PacketFence has them for members that are disabled and for
//! maintenance. The directories belong to the user pf, so links are not followed.

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::fchown;
use std::path::Path;
use std::time::SystemTime;

use pfcluster_core::cluster::Hostname;
use rustix::fs::{Mode, OFlags};

use super::install::failed;
use super::{HostError, machine};

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

/// Sets the mark, with the time of now, for the user pf. One that is there stays whose it is.
///
/// # Errors
/// [`HostError::Write`].
pub fn set(path: &Path) -> Result<(), HostError> {
    let fail = failed(path);
    is_ours(path)?;
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => {
            let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
            let created = rustix::fs::open(path, flags | OFlags::CREATE | OFlags::EXCL, mode);
            let file = File::from(created.map_err(|error| fail(error.into()))?);
            if rustix::process::geteuid().is_root()
                && let Some((user, group)) = machine::user_ids("pf")
            {
                fchown(&file, Some(user), Some(group)).map_err(&fail)?;
            }
            file
        }
        Err(error) => return Err(fail(error.into())),
    };
    let now = SystemTime::now();
    file.set_times(FileTimes::new().set_accessed(now).set_modified(now)).map_err(&fail)?;
    file.sync_all().map_err(&fail)?;
    remember(path)
}

/// Takes the mark away, if it is there.
///
/// # Errors
/// [`HostError::Write`].
pub fn clear(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Ok(()) => remember(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            is_ours(path)?;
            Err(failed(path)(error))
        }
    }
}

/// What is there must be a plain file.
fn is_ours(path: &Path) -> Result<(), HostError> {
    match path.symlink_metadata() {
        Ok(data) if !data.is_file() => Err(HostError::Write {
            path: path.to_owned(),
            reason: "it is no plain file".to_owned(),
            help: "remove what is there; links are not followed".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A mark outlives a power cut.
fn remember(path: &Path) -> Result<(), HostError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(path))
}
