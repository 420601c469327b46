//! Another member's configuration to this one.

use std::path::PathBuf;

use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::sync::SyncPath;

use super::{FileState, Local, MemberReport, Peer, SyncError, VersionState};
use crate::host::webservices::{CallError, Patience};

/// What a pull came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pulled {
    /// Each file; the member is the one that they came from.
    pub report: MemberReport,
    /// The version of what was pulled, if it makes sense.
    pub version: Option<ConfigVersion>,
    /// Where what was replaced is kept.
    pub backup: Option<PathBuf>,
}

/// Fetches the files, all of them, and then writes those that differ; the version last, and only if nothing failed.
///
/// # Errors
/// [`SyncError::Lost`] if the member is lost before it gave all files: then nothing is written.
pub fn pull(
    peer: &Peer,
    paths: &[SyncPath],
    local: &Local,
    dry_run: bool,
    patience: &Patience,
) -> Result<Pulled, SyncError> {
    let lost = |error: CallError| SyncError::Lost { name: peer.name.clone(), address: peer.address, error };
    let version = || peer.version(patience.next_call()?);
    let before = version().map_err(lost)?;
    let mut fetched = Vec::new();
    for path in paths {
        match peer.download(path, patience) {
            Err(error) if error.is_final() => return Err(lost(error)),
            content => fetched.push((path, content)),
        }
    }
    let after = version().map_err(lost)?;

    let mut report = MemberReport::of(peer);
    let mut backup = local.backup();
    for (path, content) in fetched {
        let state = match content {
            Ok(None) => FileState::Absent,
            Ok(Some(new)) => take(path, new, local, dry_run, &mut backup),
            Err(error) => FileState::Failed(error.to_string()),
        };
        report.files.push((path.clone(), state));
    }
    let version = after.parse::<ConfigVersion>();
    if !dry_run {
        report.version = match &version {
            _ if before != after => {
                VersionState::NotSet("the configuration was changed meanwhile: pull again".to_owned())
            }
            _ if !report.is_fine() => VersionState::NotSet("not all files arrived".to_owned()),
            Err(error) => VersionState::NotSet(format!("{} did not report a version: {error}", peer.name)),
            Ok(version) => match local.set_version(version) {
                Ok(()) => VersionState::Set,
                Err(error) => VersionState::NotSet(error.to_string()),
            },
        };
    }
    Ok(Pulled { report, version: version.ok(), backup: backup.finish()? })
}

/// One file, if it differs.
fn take(
    path: &SyncPath,
    new: Vec<u8>,
    local: &Local,
    dry_run: bool,
    backup: &mut crate::host::install::Backup<'_>,
) -> FileState {
    let old = match local.read(path) {
        Err(error) => return FileState::Failed(error.to_string()),
        Ok(Some(old)) if old == new => return FileState::Same,
        Ok(old) => old,
    };
    if dry_run {
        return FileState::Differs { old, new };
    }
    match local.replace(path, old.as_deref(), &new, backup) {
        Ok(()) => FileState::Done,
        Err(error) => FileState::Failed(error.to_string()),
    }
}
