//! PacketFence's install directory: where its files are, and what they say.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

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

    /// The version that conf/pf-release names; `None` if there is no such file.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be read, or names no version that pfcluster knows.
    pub fn pf_version(&self) -> Result<Option<PfVersion>, HostError> {
        let path = self.directory.join("conf/pf-release");
        let Some(bytes) = files::read_if_there(&path)? else { return Ok(None) };
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
