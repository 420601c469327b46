//! Writing generated files: whole or not at all, secrets never readable on the way, and what is replaced is kept.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pfcluster_core::generate::{Access, GeneratedFile};
use serde::Serialize;

use super::directory::{Directory, Fresh};
use super::{HostError, Root};

pub(super) use super::directory::{create_directory, failed, place};

/// Where earlier states are kept, below the directory that is written to.
const BACKUPS: &str = "var/pfcluster/backup";

/// How many earlier states are kept.
const BACKUPS_KEPT: usize = 10;

/// What only the user that runs this may read.
const PRIVATE: Fresh = Fresh { mode: 0o600, owner: None };
const PRIVATE_DIRECTORY: Fresh = Fresh { mode: 0o700, owner: None };

/// How a file on disk compares with a generated one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none.
    Missing,
    /// It has the same bytes, or is one that any will do for.
    Same,
    /// It has other bytes: these.
    // There are secrets in them.
    Differs(#[serde(skip)] Vec<u8>),
}

/// Compares `file` with what is on disk below `directory`.
///
/// # Errors
/// [`HostError::Read`] if the file on disk can't be read.
pub fn compare(directory: &Path, file: &GeneratedFile) -> Result<State, HostError> {
    Ok(match Root::new(directory).read(file.path)? {
        None => State::Missing,
        Some(_) if file.access == Access::Placeholder => State::Same,
        Some(bytes) if bytes == file.text.as_bytes() => State::Same,
        Some(bytes) => State::Differs(bytes),
    })
}

/// Writes those of `files` that differ below `directory`, each atomically. What is replaced goes to
/// `var/pfcluster/backup/TIME/` first. Returns the paths that were written, and the backup, if there was one.
///
/// # Errors
/// [`HostError`] at the first file that can't be written; the ones before it stay written, and backed up.
pub fn install(directory: &Path, files: &[GeneratedFile]) -> Result<(Vec<PathBuf>, Option<PathBuf>), HostError> {
    let (mut changed, mut same) = (Vec::new(), Vec::new());
    for file in files {
        match compare(directory, file)? {
            State::Same => same.push(file),
            state => changed.push((file, state)),
        }
    }
    // PacketFence's own may have been there for everybody to read, and have left that.
    for file in same.into_iter().filter(|file| is_secret(file.access)) {
        Directory::open(directory)?.narrow(file.path, MOST_OF_A_SECRET)?;
    }
    if changed.is_empty() {
        return Ok((Vec::new(), None));
    }
    create_directory(directory, 0o755)?;
    let base = Directory::open(directory)?;
    let mut backup = Backup::of(&base);
    for (file, state) in &changed {
        if let State::Differs(old) = state {
            backup.keep(file.path, old)?;
        }
    }
    for (file, _) in &changed {
        let (fresh, directories) = (fresh(file.access), Fresh { mode: 0o755, owner: None });
        if is_secret(file.access) {
            // Whatever was there before: only who needs it reads it.
            base.replace(
                file.path,
                file.text.as_bytes(),
                base.as_secret(file.path, fresh, MOST_OF_A_SECRET)?,
                Some(directories),
            )?;
        } else {
            base.write(file.path, file.text.as_bytes(), fresh, directories)?;
        }
    }
    Ok((changed.iter().map(|(file, _)| directory.join(file.path)).collect(), backup.finish()?))
}

/// What a file with secrets may keep of the mode of what it replaces: a group that somebody has chosen still reads it.
const MOST_OF_A_SECRET: u32 = 0o750;

/// True if the file is not for everybody.
fn is_secret(access: Access) -> bool {
    !matches!(access, Access::Public | Access::Placeholder)
}

/// What one run replaces.
#[derive(Debug)]
pub(super) struct Backup<'d> {
    base: &'d Directory,
    target: Option<Directory>,
}

impl<'d> Backup<'d> {
    /// One below `base`; nothing is made before there is something to keep.
    pub(super) fn of(base: &'d Directory) -> Backup<'d> {
        Backup { base, target: None }
    }

    /// Keeps the old content of a file.
    pub(super) fn keep(&mut self, relative: &str, old: &[u8]) -> Result<(), HostError> {
        let target = match &self.target {
            Some(target) => target,
            None => self.target.insert(new_backup(self.base)?),
        };
        target.write(relative, old, PRIVATE, PRIVATE_DIRECTORY)
    }

    /// Removes all but the newest backups. Returns this one, if there is any.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, HostError> {
        let Some(target) = self.target else { return Ok(None) };
        let all = existing(self.base)?;
        let old = all.len().saturating_sub(BACKUPS_KEPT);
        all[..old].iter().try_for_each(|name| self.base.remove(&format!("{BACKUPS}/{name}")))?;
        Ok(Some(target.path().to_owned()))
    }
}

/// A directory named by the time. Runs within a second are numbered on from the newest, so that names sort by age.
fn new_backup(base: &Directory) -> Result<Directory, HostError> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    loop {
        let existing = existing(base)?;
        let same_second = existing
            .iter()
            .filter_map(|name| Some(name.strip_prefix(&time)?.trim_start_matches('-').parse().unwrap_or(0_u32)));
        let name = match same_second.max() {
            None => time.clone(),
            Some(number) => format!("{time}-{:04}", number + 1),
        };
        // Otherwise somebody else was faster.
        if let Some(made) = base.make(&format!("{BACKUPS}/{name}"), PRIVATE_DIRECTORY)? {
            return Ok(made);
        }
    }
}

/// The names of the backups, oldest first. Only what this module made is ever removed.
fn existing(base: &Directory) -> Result<Vec<String>, HostError> {
    let mut names = base.directories(BACKUPS)?;
    names.retain(|name| name.len() >= 16 && name.as_bytes()[8] == b'T' && name.as_bytes()[15] == b'Z');
    Ok(names)
}

/// Mode and owner of a new file. Only root can give it to the database's group; anybody else keeps it to himself.
fn fresh(access: Access) -> Fresh {
    let mysql = || super::machine::group_id("mysql").filter(|_| rustix::process::geteuid().is_root());
    let (mode, owner) = match (access, mysql()) {
        (Access::Public | Access::Placeholder, _) => (0o644, None),
        (Access::Database, Some(group)) => (0o640, Some((0, group))),
        (Access::DatabaseScript, Some(group)) => (0o750, Some((0, group))),
        (Access::DatabaseScript, None) => (0o700, None),
        _ => (0o600, None),
    };
    Fresh { mode, owner }
}
