//! conf/cluster-files.txt: files that are synchronised beside PacketFence's own (guide 7.3).

use super::{SyncPath, SyncPathError};

/// Where the list is, below the install directory.
pub const LIST: &str = "conf/cluster-files.txt";

/// A line of the list that names no file that could be synchronised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct ListError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: SyncPathError,
}

/// The files that the list names, in order, each once: one absolute path on each line.
///
/// Blanks and line ends around a path do not count, nor do empty lines and lines that begin with `#`. (PacketFence takes
/// all of them for names: a list from Windows names no file that exists.)
///
/// # Errors
/// [`ListError`] at the first line that is no path or not below /usr/local/pf or /usr/local/fingerbank.
pub fn listed_files(text: &[u8]) -> Result<Vec<SyncPath>, ListError> {
    let mut files: Vec<SyncPath> = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let text = std::str::from_utf8(line).map_err(|_| SyncPathError::Character);
        let path = text.and_then(str::parse).map_err(|error| ListError { line: number + 1, error })?;
        if !files.contains(&path) {
            files.push(path);
        }
    }
    Ok(files)
}
