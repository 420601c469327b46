//! Writing generated files: whole or not at all, secrets never readable on the way, and what is replaced is kept.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pfcluster_core::generate::{Access, GeneratedFile};

use super::{HostError, files};

/// How many earlier states are kept.
const BACKUPS_KEPT: usize = 10;

/// How a file on disk compares with a generated one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Missing,
    /// It has the same bytes, or is one that any will do for.
    Same,
    /// It has other bytes: these.
    Differs(Vec<u8>),
}

/// Compares `file` with what is on disk below `directory`.
///
/// # Errors
/// [`HostError::Read`] if the file on disk can't be read.
pub fn compare(directory: &Path, file: &GeneratedFile) -> Result<State, HostError> {
    Ok(match files::read_if_there(&directory.join(file.path))? {
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
    let mut changed = Vec::new();
    for file in files {
        match compare(directory, file)? {
            State::Same => {}
            state => changed.push((file, state)),
        }
    }
    let backups = directory.join("var/pfcluster/backup");
    let mut backup = None;
    for (file, state) in &changed {
        if let State::Differs(old) = state {
            let target = match &backup {
                Some(target) => target,
                None => backup.insert(new_backup(&backups)?),
            };
            keep(target, file.path, old)?;
        }
    }
    for (file, _) in &changed {
        write(&directory.join(file.path), file)?;
    }
    if backup.is_some() {
        forget_old(&backups)?;
    }
    Ok((changed.iter().map(|(file, _)| directory.join(file.path)).collect(), backup))
}

/// What to do about a file that can't be written.
pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> HostError {
    let path = path.to_owned();
    move |error| HostError::Write {
        path: path.clone(),
        reason: files::plain(&error),
        help: match error.kind() {
            io::ErrorKind::PermissionDenied => "run it as root".to_owned(),
            io::ErrorKind::StorageFull => "make room on the file system; the file is as it was".to_owned(),
            _ => "see that the file system is mounted and in order; the file is as it was".to_owned(),
        },
    }
}

/// A directory, with those above it.
pub(super) fn create_directory(path: &Path, mode: u32) -> Result<(), HostError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(failed(path))
}

/// A directory named by the time. Runs within a second are numbered on from the newest, so that names sort by age.
fn new_backup(backups: &Path) -> Result<PathBuf, HostError> {
    create_directory(backups, 0o700)?;
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    loop {
        let same_second = existing(backups)?.into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix(&time)?.to_owned();
            Some(name.trim_start_matches('-').parse().unwrap_or(0_u32))
        });
        let path = match same_second.max() {
            None => backups.join(&time),
            Some(number) => backups.join(format!("{time}-{:04}", number + 1)),
        };
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|()| path.clone()).map_err(failed(&path)),
        }
    }
}

fn keep(backup: &Path, name: &str, old: &[u8]) -> Result<(), HostError> {
    let path = backup.join(name);
    let parent = path.parent().unwrap_or(backup);
    create_directory(parent, 0o700)?;
    place(&path, old, Permissions::from_mode(0o600), None)
}

/// Removes all but the newest backups.
fn forget_old(backups: &Path) -> Result<(), HostError> {
    let all = existing(backups)?;
    let old = all.len().saturating_sub(BACKUPS_KEPT);
    all[..old].iter().try_for_each(|path| fs::remove_dir_all(path).map_err(failed(path)))
}

/// The backups, oldest first.
fn existing(backups: &Path) -> Result<Vec<PathBuf>, HostError> {
    let entries = fs::read_dir(backups).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed(backups))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).filter(|path| is_backup(path)).collect();
    paths.sort();
    Ok(paths)
}

/// Only what this module made is ever removed.
fn is_backup(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.len() >= 16 && name.as_bytes()[8] == b'T' && name.as_bytes()[15] == b'Z' && path.is_dir()
}

fn write(path: &Path, file: &GeneratedFile) -> Result<(), HostError> {
    let (permissions, owner) = match fs::symlink_metadata(path) {
        Ok(old) if old.file_type().is_file() => (old.permissions(), Some((old.uid(), old.gid()))),
        Ok(_) => {
            return Err(HostError::Write {
                path: path.to_owned(),
                reason: "it is no plain file".to_owned(),
                help: "remove what is there; links are not followed".to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_directory(path.parent().unwrap_or(path), 0o755)?;
            fresh(file.access)
        }
        Err(error) => return Err(failed(path)(error)),
    };
    place(path, file.text.as_bytes(), permissions, owner)
}

/// Mode and owner of a new file. Only root can give it to the database's group; anybody else keeps it to himself.
fn fresh(access: Access) -> (Permissions, Option<(u32, u32)>) {
    let mysql = || super::machine::group_id("mysql").filter(|_| rustix::process::geteuid().is_root());
    let (mode, owner) = match (access, mysql()) {
        (Access::Public | Access::Placeholder, _) => (0o644, None),
        (Access::Database, Some(group)) => (0o640, Some((0, group))),
        (Access::DatabaseScript, Some(group)) => (0o750, Some((0, group))),
        (Access::DatabaseScript, None) => (0o700, None),
        _ => (0o600, None),
    };
    (Permissions::from_mode(mode), owner)
}

/// Temporary file beside the target, 0600 from the start; owner, mode, fsync, rename, fsync of the directory.
pub(super) fn place(
    path: &Path,
    bytes: &[u8],
    permissions: Permissions,
    owner: Option<(u32, u32)>,
) -> Result<(), HostError> {
    let fail = failed(path);
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".pfcluster-").tempfile_in(parent).map_err(&fail)?;
    temporary.write_all(bytes).map_err(&fail)?;
    if let Some((user, group)) = owner {
        let is_own = |meta: fs::Metadata| (meta.uid(), meta.gid()) == (user, group);
        if !temporary.as_file().metadata().is_ok_and(is_own) {
            std::os::unix::fs::fchown(temporary.as_file(), Some(user), Some(group)).map_err(&fail)?;
        }
    }
    temporary.as_file().set_permissions(permissions).map_err(&fail)?;
    temporary.as_file().sync_all().map_err(&fail)?;
    temporary.persist(path).map_err(|error| fail(error.error))?;
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(&fail)
}
