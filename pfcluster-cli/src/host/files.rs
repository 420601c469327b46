//! Reading files, with errors that say what to do.

use std::fs::File;
use std::fs::Permissions;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pfcluster_core::span::Span;

use super::HostError;
use super::install::place;

/// The whole file.
///
/// # Errors
/// [`HostError::Read`] if it is missing, no file, not readable, or longer than the core can address.
pub fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    let fail = |reason: String, help: &str| HostError::Read { path: path.to_owned(), reason, help: help.to_owned() };
    let from_io = |error: &io::Error| {
        let help = match error.kind() {
            io::ErrorKind::NotFound => "check the name, or name the file (`--root DIR` for another install directory)",
            io::ErrorKind::PermissionDenied => "run it as root or as the user pf",
            io::ErrorKind::IsADirectory => "name the file in it",
            _ => "see that the file system is mounted and in order",
        };
        fail(plain(error), help)
    };
    let mut file = File::open(path).map_err(|error| from_io(&error))?;
    let length = file.metadata().map_err(|error| from_io(&error))?.len();
    let limit = Span::MAX as u64;
    if length > limit {
        return Err(fail(format!("it has {length} bytes, more than {limit}"), "put the real file in its place"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(|error| from_io(&error))?;
    Ok(bytes)
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
