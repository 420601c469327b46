//! This machine's backups of the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pfcluster_core::supervisor::{Backup, LastBackup};

use super::files::plain;

/// Where PacketFence puts its backups.
pub const DIRECTORY: &str = "/root/backup";

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

/// How often a [`Watch`] reads the directory, and for how long what it has read counts.
const EVERY: Duration = Duration::from_secs(30);
const COUNTS: Duration = Duration::from_secs(120);

/// The newest backup, read again and again in a thread of its own: the directory may be on a network that keeps whoever reads it
/// waiting.
#[derive(Clone, Debug)]
pub struct Watch {
    read: Arc<Mutex<Option<(Instant, LastBackup)>>>,
}

impl Watch {
    /// Begins. It ends after all copies of this are gone.
    pub fn begin(directory: PathBuf) -> Watch {
        let read = Arc::new(Mutex::new(None));
        let watched = Arc::downgrade(&read);
        // Without it no backup is known.
        let _ = thread::Builder::new().spawn(move || {
            loop {
                let last = last(&directory).ok().map(|last| (Instant::now(), last.into()));
                let Some(read) = watched.upgrade() else { return };
                *read.lock().unwrap_or_else(PoisonError::into_inner) = last;
                drop(read);
                thread::sleep(EVERY);
            }
        });
        Watch { read }
    }

    /// The newest backup, as far as that is known still.
    pub fn last(&self) -> LastBackup {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = read.as_ref().filter(|(when, _)| when.elapsed() <= COUNTS);
        counts.map(|(_, last)| last.clone()).unwrap_or_default()
    }
}

/// The names that PacketFence's scripts give: the first up to version 13, the second since.
fn holds_database(name: &str) -> bool {
    ["packetfence-db-dump-", "packetfence-exportable-backup-"].iter().any(|start| name.starts_with(start))
}
