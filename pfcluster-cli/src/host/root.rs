//! PacketFence's install directory: where its files are, and what they say.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

use super::directory::Directory;
use super::{HostError, files};

/// The install directory, mostly `/usr/local/pf`.
#[derive(Clone, Debug)]
pub struct Root {
    directory: PathBuf,
}

impl Root {
    /// The install directory at `directory`.
    pub fn new(directory: &Path) -> Root {
        Root { directory: directory.to_owned() }
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a file of the configuration is.
    pub fn path(&self, source: Source) -> PathBuf {
        self.directory.join(source.path())
    }

    /// Where another file of the installation is; `name` is relative to the install directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Held open, for what is read, made and removed below it.
    ///
    /// # Errors
    /// [`HostError`] if there is none.
    pub(super) fn open(&self) -> Result<Directory, HostError> {
        Directory::open(&self.directory)
    }

    /// A file of the installation; `name` is relative to the install directory. `None` if it is not there. No link below the
    /// install directory is followed.
    ///
    /// # Errors
    /// [`HostError::Read`] if it can't be read, or is not a regular file.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, HostError> {
        match Directory::at(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(self.open().map_or_else(|error| error, |_| files::not_plain(&self.directory))),
            Ok(directory) => directory.read(name),
        }
    }

    /// A file of the configuration; `None` if it is not there.
    ///
    /// # Errors
    /// As [`read`](Root::read).
    pub fn read_source(&self, source: Source) -> Result<Option<Vec<u8>>, HostError> {
        self.read(source.path())
    }

    /// A file of the configuration that must be there.
    ///
    /// # Errors
    /// As [`read`](Root::read), and if it is not there.
    pub fn read_required(&self, source: Source) -> Result<Vec<u8>, HostError> {
        self.read_source(source)?.ok_or_else(|| HostError::Read {
            path: self.path(source),
            reason: "no such file or directory".to_owned(),
            help: "check the name, or name the file (`--root DIR` for another install directory)".to_owned(),
        })
    }

    /// The version that conf/pf-release names; `None` if there is no such file.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be read, or names no version that pfcluster knows.
    pub fn pf_version(&self) -> Result<Option<PfVersion>, HostError> {
        const NAME: &str = "conf/pf-release";

        let Some(bytes) = self.read(NAME)? else { return Ok(None) };
        let path = self.file(NAME);
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().next().unwrap_or_default();
        line.parse().map(Some).map_err(|error| HostError::Content {
            path,
            reason: format!("`{}`: {error}", line.escape_debug()),
            help: "give the version with `--pf-version`".to_owned(),
        })
    }

    /// The members that this server counts out: those with a file `var/run/HOST-cluster-disabled`.
    ///
    /// # Errors
    /// [`HostError`] if the directory can't be read. One that is missing holds no such file.
    pub fn disabled_members(&self) -> Result<BTreeSet<Hostname>, HostError> {
        let directory = self.directory.join("var/run");
        let fail = |error: &io::Error| HostError::Read {
            path: directory.clone(),
            reason: files::plain(error),
            help: "run it as root or as the user pf".to_owned(),
        };
        let entries = match std::fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries.map_err(|error| fail(&error))?,
        };
        let mut disabled = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(|error| fail(&error))?;
            let host = entry.file_name().to_str().and_then(|name| name.strip_suffix("-cluster-disabled")?.parse().ok());
            // PacketFence counts plain files, also behind a link.
            if let Some(host) = host.filter(|_| entry.path().is_file()) {
                disabled.insert(host);
            }
        }
        Ok(disabled)
    }
}
