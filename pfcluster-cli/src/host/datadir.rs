//! The data directory: whether it is there, mounted, and holds data.

#![expect(clippy::disallowed_methods, reason = "root's /etc/fstab, and the kernel's files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{HostError, files};

/// Sees that there is a data directory.
///
/// # Errors
/// [`HostError::Read`] if there is none. One that may only not be looked into is no error here.
pub(super) fn exists(datadir: &Path) -> Result<(), HostError> {
    const NAME_IT: &str = "name the database's data directory with `--datadir DIR`";

    let fail =
        |reason: String, help: &str| Err(HostError::Read { path: datadir.to_owned(), reason, help: help.to_owned() });
    match datadir.metadata() {
        Ok(data) if data.is_dir() => Ok(()),
        Ok(_) => fail("it is no directory".to_owned(), NAME_IT),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => fail(files::plain(&error), "run it as root"),
        Err(error) => fail(files::plain(&error), NAME_IT),
    }
}

/// True if it holds nothing, or no more than `mariadb-install-db` makes. Tables of users are in directories of their own,
/// so any other directory is data.
///
/// # Errors
/// If it can't be read.
pub(super) fn is_empty(datadir: &Path) -> io::Result<bool> {
    const SYSTEM: [&str; 4] = ["mysql", "performance_schema", "sys", "lost+found"];
    for entry in fs::read_dir(datadir)? {
        let entry = entry?;
        let name = entry.file_name();
        // A link can stand for a database as well.
        if entry.path().is_dir() && !SYSTEM.iter().any(|system| name == *system) && !is_test(&entry.path(), &name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The database `test`, as long as there is nothing in it.
fn is_test(path: &Path, name: &std::ffi::OsStr) -> io::Result<bool> {
    if name != "test" {
        return Ok(false);
    }
    for entry in fs::read_dir(path)? {
        if entry?.file_name() != "db.opt" {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The directory that /etc/fstab has for it, or for one above it, if nothing is mounted there: an empty directory then
/// says nothing.
pub(super) fn unmounted(datadir: &Path) -> Option<PathBuf> {
    let datadir = datadir.canonicalize().ok()?;
    let table = fs::read_to_string("/etc/fstab").ok()?;
    let mounted = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let planned = table.lines().filter(|line| !line.trim_start().starts_with('#'));
    let planned = planned.filter_map(|line| line.split_whitespace().nth(1)).map(plain);
    let above = planned.filter(|place| place.is_absolute() && place != Path::new("/") && datadir.starts_with(place));
    let is_mounted = |place: &PathBuf| {
        mounted.lines().filter_map(|line| line.split_whitespace().nth(4)).any(|other| plain(other) == *place)
    };
    above.into_iter().find(|place| !is_mounted(place))
}

/// Both tables write a blank as `\040`.
fn plain(place: &str) -> PathBuf {
    let place = place.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    let trimmed = place.trim_end_matches('/');
    PathBuf::from(if trimmed.is_empty() { "/" } else { trimmed })
}
