//! This machine's backups of the database.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::files::plain;

/// Where PacketFence puts its backups.
pub const DIRECTORY: &str = "/root/backup";

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file's name.
    pub file: String,
    /// When it was written, in seconds since 1970 (UTC).
    pub time: u64,
}

/// The newest backup that holds the database; `None` if there is none. In a cluster only one of the members makes them.
///
/// # Errors
/// Why it is not known, in a few words.
pub fn last(directory: &Path) -> Result<Option<Backup>, String> {
    let fail = |error: &std::io::Error| format!("cannot read {}: {}", directory.display(), plain(error));
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(|error| fail(&error))?,
    };
    let mut newest: Option<Backup> = None;
    for entry in entries {
        let entry = entry.map_err(|error| fail(&error))?;
        let Some(file) = entry.file_name().to_str().filter(|name| holds_database(name)).map(str::to_owned) else {
            continue;
        };
        // What has just been removed, or is no file, is no backup.
        let Ok(data) = entry.metadata() else { continue };
        let since_1970 = data.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let Some(time) = since_1970.filter(|_| data.is_file() && data.len() > 0).map(|time| time.as_secs()) else {
            continue;
        };
        if newest.as_ref().is_none_or(|newest| (newest.time, &newest.file) < (time, &file)) {
            newest = Some(Backup { file, time });
        }
    }
    Ok(newest)
}

/// The names that PacketFence's scripts give: the first up to version 13, the second since.
fn holds_database(name: &str) -> bool {
    ["packetfence-db-dump-", "packetfence-exportable-backup-"].iter().any(|start| name.starts_with(start))
}
