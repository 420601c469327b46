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
            _ => "check that the file system is mounted and in order",
        };
        fail(plain(error), help)
    };
    let file = match open(path) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            return Err(not_plain(path));
        }
        opened => opened.map_err(|error| from_io(&error))?,
    };
    if file.metadata().map_err(|error| from_io(&error))?.is_dir() {
        return Err(fail("is a directory".to_owned(), "name the file in it"));
    }
    read_open(file, path, limit)
}

/// Opens what is at `path` for reading, and waits for nobody: opening a pipe would wait for a writer.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// What a regular file has, and no more than `limit` of it; of anything else nothing.
pub(super) fn first_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    if file.metadata()?.is_file() {
        file.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// All of a file that was opened, which is at `path`.
///
/// # Errors
/// As [`read`].
pub(super) fn read_open(mut file: File, path: &Path, limit: u64) -> Result<Vec<u8>, HostError> {
    let fail = |reason: String, help: &str| HostError::Read { path: path.to_owned(), reason, help: help.to_owned() };
    let from_io = |error: io::Error| fail(plain(&error), "check that the file system is mounted and in order");
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
    let help = match what_it_is(path) {
        "it is a directory" => "name a file",
        "it is no directory" => "put a directory in its place",
        _ => "put a regular file in its place; links are not followed below the install directory",
    };
    HostError::Read { path: path.to_owned(), reason: what_it_is(path).to_owned(), help: help.to_owned() }
}

/// What is in a regular file's place.
pub(super) fn what_it_is(path: &Path) -> &'static str {
    match path.symlink_metadata() {
        Ok(data) if data.is_dir() => "it is a directory",
        // On the way to another file.
        Ok(data) if data.is_file() => "it is no directory",
        _ => "it is no plain file",
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
