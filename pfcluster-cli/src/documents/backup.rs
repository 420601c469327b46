//! A member's last backup in the documents of `status` and `mariadb status`.

use pfcluster_core::supervisor::{Backup, LastBackup};
use serde::{Deserialize, Serialize};

/// Its form. Without a file there is no backup.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupDocument {
    file: Option<String>,
    time: Option<String>,
}

impl BackupDocument {
    /// Of what is known; `None` if that is nothing.
    pub fn new(last: &LastBackup) -> Option<BackupDocument> {
        match last {
            LastBackup::Unknown => None,
            LastBackup::Never => Some(BackupDocument::default()),
            LastBackup::Made(Backup { file, time }) => {
                Some(BackupDocument { file: Some(file.clone()), time: Some(time.to_string()) })
            }
        }
    }

    /// The backup, if there is one.
    ///
    /// # Errors
    /// Why this is no such document, in a few words.
    pub fn read(self) -> Result<Option<Backup>, &'static str> {
        match (self.file, self.time) {
            (None, None) => Ok(None),
            (Some(file), Some(time)) => {
                let time =
                    time.parse().map_err(|_| "the time of a backup is in whole seconds since 1970, as a text")?;
                Ok(Some(Backup { file, time }))
            }
            _ => Err("a backup has a file and a time, or neither"),
        }
    }
}
