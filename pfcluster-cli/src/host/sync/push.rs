//! This member's configuration to the others. They fetch each file from here: what is sent are only the requests.

use std::time::Duration;

use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::sync::{AnswerError, Call, Item, SyncPath, is_done};

use super::{FileState, Local, Me, MemberReport, Peer, VersionState};
use crate::host::HostError;
use crate::host::webservices::CallError;

/// Builds the cached forms of the stores anew on the member that pushes. Returns what failed.
pub fn refresh(own: &Peer, items: &[Item], limit: Duration) -> MemberReport {
    let mut report = MemberReport::of(own);
    for item in items {
        let Some(namespace) = item.namespace else { continue };
        if let Err(error) = own.client.call(&Call::expire(namespace, false), limit) {
            report.files.push((item.path.clone(), FileState::Failed(error.to_string())));
            if error.is_final() {
                break;
            }
        }
    }
    report
}

/// Has each member fetch each file, one member after the other. One that stops answering is left alone.
pub fn push(peers: &[Peer], items: &[Item], me: &Me, limit: Duration) -> Vec<MemberReport> {
    for_each_file(peers, items, |peer, item| {
        for call in item.calls(&me.host, me.address) {
            let answer = peer.client.call(&call, limit)?;
            // `expire` returns something else, and its errors are errors.
            if call.method() != "expire" && !is_done(&answer) {
                return Err(AnswerError::Value { method: call.method() }.into());
            }
        }
        Ok(FileState::Done)
    })
}

/// What a push would change on each member.
///
/// # Errors
/// [`HostError`] if a file of this host can't be read.
pub fn compare(peers: &[Peer], items: &[Item], local: &Local, limit: Duration) -> Result<Vec<MemberReport>, HostError> {
    let own = |item: &Item| Ok((item.path.clone(), local.read(&item.path)?.unwrap_or_default()));
    let own: Vec<(SyncPath, Vec<u8>)> = items.iter().map(own).collect::<Result<_, HostError>>()?;
    Ok(for_each_file(peers, items, |peer, item| {
        let old = peer.download(&item.path, limit)?;
        let new = own.iter().find(|(path, _)| *path == item.path).map(|(_, new)| new.clone()).unwrap_or_default();
        Ok(if old.as_ref() == Some(&new) { FileState::Same } else { FileState::Differs { old, new } })
    }))
}

fn for_each_file(
    peers: &[Peer],
    items: &[Item],
    ask: impl Fn(&Peer, &Item) -> Result<FileState, CallError>,
) -> Vec<MemberReport> {
    let reports = peers.iter().map(|peer| {
        let mut report = MemberReport::of(peer);
        let mut is_lost = false;
        for item in items {
            let state = if is_lost {
                FileState::NotTried
            } else {
                ask(peer, item).unwrap_or_else(|error| {
                    is_lost = error.is_final();
                    FileState::Failed(error.to_string())
                })
            };
            report.files.push((item.path.clone(), state));
        }
        report
    });
    reports.collect()
}

/// Gives the version to each member that has all files, and to no other.
pub fn set_versions(peers: &[Peer], reports: &mut [MemberReport], version: &ConfigVersion, limit: Duration) {
    for (peer, report) in peers.iter().zip(reports) {
        report.version = if report.is_fine() {
            match peer.client.call(&Call::set_config_version(version), limit) {
                Ok(answer) if is_done(&answer) => VersionState::Set,
                Ok(_) => VersionState::NotSet("its answer to `set_config_version` makes no sense".to_owned()),
                Err(error) => VersionState::NotSet(error.to_string()),
            }
        } else {
            VersionState::NotSet("not all files arrived".to_owned())
        };
    }
}

/// No member gets a version: half of what it fetched may be older than the other half.
pub fn refuse_versions(reports: &mut [MemberReport], why: &str) {
    reports.iter_mut().for_each(|report| report.version = VersionState::NotSet(why.to_owned()));
}
