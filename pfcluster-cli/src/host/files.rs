//! Reading files, with errors that say what to do.

use std::fs::File;
use std::fs::Permissions;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::HostError;
use super::install::place;

/// More than any file that is read as a whole may have, in bytes.
pub(super) const LONGEST: u64 = 64 << 20;
/// More than a file with a password or a key has.
pub const LONGEST_SECRET: u64 = 64 << 10;

/// The whole file. Links are followed: the path is the caller's word.
///
/// # Errors
/// [`HostError::Read`] if it is missing, not a regular file, not readable, or too long.
pub fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    read_at_most(path, LONGEST)
}

/// The whole file, if it has no more bytes than this.
///
/// # Errors
/// As [`read`].
pub fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, HostError> {
    let fail = |reason: String, help: &str| HostError::Read { path: path.to_owned(), reason, help: help.to_owned() };
    let from_io = |error: &io::Error| {
        let help = match error.kind() {
            io::ErrorKind::NotFound => "check the name, or name the file (`--root DIR` for another install directory)",
            io::ErrorKind::PermissionDenied => "run it as root or as the user pf",
            _ => "see that the file system is mounted and in order",
        };
        fail(plain(error), help)
    };
    // Opening a pipe would wait for a writer, and opening a device can do anything.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NXIO) => return Err(not_plain(path)),
        opened => File::from(opened.map_err(|error| from_io(&error.into()))?),
    };
    if file.metadata().map_err(|error| from_io(&error))?.is_dir() {
        return Err(fail("is a directory".to_owned(), "name the file in it"));
    }
    read_open(file, path, limit)
}

/// All of a file that was opened, which is at `path`.
///
/// # Errors
/// As [`read`].
pub(super) fn read_open(mut file: File, path: &Path, limit: u64) -> Result<Vec<u8>, HostError> {
    let fail = |reason: String, help: &str| HostError::Read { path: path.to_owned(), reason, help: help.to_owned() };
    let from_io = |error: io::Error| fail(plain(&error), "see that the file system is mounted and in order");
    let data = file.metadata().map_err(from_io)?;
    if !data.is_file() {
        return Err(not_plain(path));
    }
    let too_long =
        |length: u64| fail(format!("it has {length} bytes, more than {limit}"), "put the real file in its place");
    if data.len() > limit {
        return Err(too_long(data.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or_default() + 1);
    // It may grow meanwhile.
    file.by_ref().take(limit + 1).read_to_end(&mut bytes).map_err(from_io)?;
    if bytes.len() as u64 > limit { Err(too_long(bytes.len() as u64)) } else { Ok(bytes) }
}

/// Of something that can't be read as a file.
pub(super) fn not_plain(path: &Path) -> HostError {
    let (reason, help) = what_is_no_file(path);
    HostError::Read { path: path.to_owned(), reason: reason.to_owned(), help: help.to_owned() }
}

/// What is the matter with something that is there and not a regular file, and what to do.
pub(super) fn what_is_no_file(path: &Path) -> (&'static str, &'static str) {
    match path.symlink_metadata() {
        Ok(data) if data.is_dir() => ("it is a directory", "name a file"),
        _ => (
            "it is no plain file",
            "put a regular file in its place; below the install directory links are not followed",
        ),
    }
}

/// The whole file, or `None` if there is none.
///
/// # Errors
/// As [`read`], but for a missing file.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, HostError> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read(path).map(Some),
    }
}

/// Writes the file whole or not at all, for everybody to read.
///
/// # Errors
/// [`HostError::Write`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    place(path, bytes, Permissions::from_mode(0o644), None)
}

/// An error's text without the operating system's number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_lowercase()
}
