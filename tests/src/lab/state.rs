//! Galera's state files of a host: read, torn, replaced.

use std::fs;
use std::path::PathBuf;

use super::error::Result;
use super::host::Host;

/// What grastate.dat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grastate {
    /// The cluster; zeros after what Galera takes for inconsistent.
    pub uuid: String,
    /// The position, or -1.
    pub seqno: i64,
    /// `safe_to_bootstrap`.
    pub safe: bool,
}

impl std::fmt::Display for Grastate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let uuid = if self.is_zero() { "zero" } else { &self.uuid };
        write!(f, "uuid {uuid}, seqno {}, safe_to_bootstrap {}", self.seqno, u8::from(self.safe))
    }
}

impl Grastate {
    /// True if it names no cluster.
    pub fn is_zero(&self) -> bool {
        self.uuid.bytes().all(|byte| matches!(byte, b'0' | b'-'))
    }
}

impl Host {
    /// A file of the database's folder.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.datadir().join(name)
    }

    /// grastate.dat; `None` without it or without one of its lines.
    pub fn grastate(&self) -> Option<Grastate> {
        let text = fs::read_to_string(self.state_file("grastate.dat")).ok()?;
        let value = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()));
        let safe = value("safe_to_bootstrap:")? == "1";
        Some(Grastate { uuid: value("uuid:")?, seqno: value("seqno:")?.parse().ok()?, safe })
    }

    /// How many members gvwstate.dat names; `None` without the file.
    pub fn view_members(&self) -> Option<usize> {
        let text = fs::read_to_string(self.state_file("gvwstate.dat")).ok()?;
        Some(text.lines().filter(|line| line.starts_with("member:")).count())
    }

    /// The files of the database's folder that tell of an unfinished state transfer or another accident, by name.
    pub fn marker_files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.datadir()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let known =
            ["sst", "xtrabackup", "mariadb_backup", "backup-my", "donor_galera", "rsync", "wsrep", ".sst", "joiner"];
        let mut names: Vec<String> = names.filter(|name| known.iter().any(|word| name.contains(word))).collect();
        names.sort();
        names
    }

    /// Leaves only the first bytes of a state file, as a power cut in the middle of writing it.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn tear(&self, name: &str, bytes: u64) -> Result {
        Ok(fs::File::options().write(true).open(self.state_file(name))?.set_len(bytes)?)
    }

    /// Replaces the contents of a state file; its owner and mode stay.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn overwrite(&self, name: &str, text: &str) -> Result {
        let path = self.state_file(name);
        fs::metadata(&path)?;
        Ok(fs::write(path, text)?)
    }
}
