//! The synchronised files of this host.

use std::path::PathBuf;

use pfcluster_core::conflict::{ConfigVersion, Reply};
use pfcluster_core::sync::{LIST, Place, SyncPath, listed_files, version_file};
use pfcluster_core::version::PfVersion;

use crate::host::directory::{Directory, Fresh};
use crate::host::install::Backup;
use crate::host::{HostError, Root, key, machine};

/// The synchronised files of this host, held open by their directories.
#[derive(Debug)]
pub struct Local {
    install: Directory,
    /// Beside the install directory, if it is there.
    fingerbank: Option<Directory>,
    version_file: &'static str,
}

impl Local {
    /// Those of the installation at `root`.
    ///
    /// # Errors
    /// [`HostError`] if there is none.
    pub fn open(root: &Root, version: PfVersion) -> Result<Local, HostError> {
        let install = Directory::open(root.directory())?;
        let fingerbank = root.directory().with_file_name("fingerbank");
        let fingerbank = fingerbank.is_dir().then(|| Directory::open(&fingerbank)).transpose()?;
        Ok(Local { install, fingerbank, version_file: version_file(version) })
    }

    /// What conf/cluster-files.txt lists; nothing if there is no such file.
    ///
    /// # Errors
    /// [`HostError`] if it can't be read, or a line of it names no file that could be synchronised.
    pub fn listed_files(&self) -> Result<Vec<SyncPath>, HostError> {
        let text = self.install.read(LIST)?.unwrap_or_default();
        listed_files(&text).map_err(|error| HostError::Content {
            path: self.install.path().join(LIST),
            reason: error.to_string(),
            help: "write one path below /usr/local/pf or /usr/local/fingerbank on each line".to_owned(),
        })
    }

    /// The content of a file; `None` if it is not there.
    ///
    /// # Errors
    /// [`HostError`] if it can't be read, or is no plain file.
    pub fn read(&self, path: &SyncPath) -> Result<Option<Vec<u8>>, HostError> {
        self.place(path.place()).map_or(Ok(None), |place| place.read(path.relative()))
    }

    /// What the version file of this host says.
    ///
    /// # Errors
    /// [`HostError`] if it can't be read. A missing one is unreadable, as PacketFence's 0 would be.
    pub fn version(&self) -> Result<Option<String>, HostError> {
        let text = self.install.read(self.version_file)?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }

    /// What this host would answer if it were asked for its version.
    ///
    /// # Errors
    /// As [`version`](Local::version).
    pub fn reply(&self) -> Result<Reply, HostError> {
        Ok(Reply::of_text(self.version()?.as_deref().unwrap_or_default()))
    }

    /// Gives this host's configuration a version.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be written.
    pub fn set_version(&self, version: &ConfigVersion) -> Result<(), HostError> {
        let owner = owner(Place::Install);
        let (fresh, directories) = (Fresh { mode: 0o664, owner }, Fresh { mode: 0o2775, owner });
        self.install.write(self.version_file, version.as_str().as_bytes(), fresh, directories)
    }

    /// Where what is replaced is kept.
    pub(super) fn backup(&self) -> Backup<'_> {
        Backup::of(&self.install)
    }

    /// Replaces a file, after its old content went to the backup.
    pub(super) fn replace(
        &self,
        path: &SyncPath,
        old: Option<&[u8]>,
        new: &[u8],
        backup: &mut Backup<'_>,
    ) -> Result<(), HostError> {
        let Some(place) = self.place(path.place()) else {
            return Err(HostError::Write {
                path: PathBuf::from(path.as_str()),
                reason: "its directory is not there".to_owned(),
                help: "install fingerbank beside PacketFence".to_owned(),
            });
        };
        if let Some(old) = old {
            let kept = match path.place() {
                Place::Install => path.relative().to_owned(),
                Place::Fingerbank => format!("fingerbank/{}", path.relative()),
            };
            backup.keep(&kept, old)?;
        }
        let owner = owner(path.place());
        if path.place() == Place::Install && path.relative() == key::NAME {
            // The database's user may be in the group.
            return place.replace(key::NAME, new, Fresh { mode: 0o600, owner }, Some(Fresh { mode: 0o2775, owner }));
        }
        place.write(path.relative(), new, Fresh { mode: 0o660, owner }, Fresh { mode: 0o2775, owner })
    }

    fn place(&self, place: Place) -> Option<&Directory> {
        match place {
            Place::Install => Some(&self.install),
            Place::Fingerbank => self.fingerbank.as_ref(),
        }
    }
}

/// The owner of new files; only root can give them away.
fn owner(place: Place) -> Option<(u32, u32)> {
    machine::user_ids(place.owner()).filter(|_| rustix::process::geteuid().is_root())
}
