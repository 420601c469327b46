//! This member's configuration to the others. They fetch each file from here: what is sent are only the requests.

use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::sync::{AnswerError, Call, Item, Scope, SyncPath, is_done, push_items, store_of};
use pfcluster_core::version::PfVersion;

use super::{FileState, Local, MemberReport, Met, Peer, Sharing, SyncError, VersionState};
use crate::host::HostError;
use crate::host::webservices::{CallError, Patience};

/// What is pushed: a file, the file of a store, or everything.
///
/// # Errors
/// [`SyncError::NoStore`] if this version of PacketFence has no such store.
pub fn scope(
    file: Option<&SyncPath>,
    store: Option<&str>,
    with_upstream_database: bool,
    version: PfVersion,
) -> Result<Scope, SyncError> {
    match (file, store) {
        (Some(path), _) => Ok(Scope::File(path.clone())),
        (None, Some(class)) => {
            let store = store_of(class, version).map(Scope::Store);
            store.ok_or_else(|| SyncError::NoStore { class: class.to_owned(), version })
        }
        (None, None) => Ok(Scope::Everything { with_upstream_database }),
    }
}

/// What a push consists of.
#[derive(Clone, Debug)]
pub struct Items {
    /// The files that are here.
    pub here: Vec<Item>,
    /// Those that were asked for and are not.
    pub missing: Vec<Item>,
}

impl Items {
    /// Those of `scope` on this host.
    ///
    /// # Errors
    /// [`SyncError`] if a file can't be read, or the only one is not there.
    pub fn of(scope: &Scope, local: &Local, version: PfVersion) -> Result<Items, SyncError> {
        let (mut here, mut missing) = (Vec::new(), Vec::new());
        for item in push_items(scope, &local.listed_files()?, version) {
            match local.read(&item.path)? {
                Some(_) => here.push(item),
                None if item.is_asked_for => missing.push(item),
                None => {}
            }
        }
        match missing.first() {
            Some(item) if !scope.has_version() => Err(SyncError::NotHere(item.path.clone())),
            _ => Ok(Items { here, missing }),
        }
    }

    /// What conf/cluster-files.txt lists and nobody could fetch, as a report about the member that pushes.
    fn not_here(&self, sharing: &Sharing) -> Option<MemberReport> {
        let state = || FileState::Failed("it is listed in conf/cluster-files.txt, but not there".to_owned());
        let files: Vec<_> = self.missing.iter().map(|item| (item.path.clone(), state())).collect();
        let me = &sharing.me;
        (!files.is_empty()).then(|| MemberReport::of_files(me.host.to_string(), me.address, files))
    }
}

/// What a push came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pushed {
    /// What became of the files: of this member only what went wrong, then the others in the order of cluster.conf.
    pub reports: Vec<MemberReport>,
    /// The members with which all went well.
    pub fine: Vec<Peer>,
}

/// Has the others fetch the items, from `own`, which are this member's own web services; each that has all of them gets the
/// version. `None`: no version changes.
///
/// # Errors
/// [`SyncError`] if the own web services are not in order, or the version of this host can't be read or written.
pub fn push(
    sharing: &Sharing,
    local: &Local,
    items: &Items,
    own: &Met,
    others: Met,
    version: Option<&ConfigVersion>,
    patience: &Patience,
) -> Result<Pushed, SyncError> {
    let (peers, silent) = others.split();
    let mut reports: Vec<MemberReport> = items.not_here(sharing).into_iter().collect();
    for (peer, said) in own.peers.iter().zip(&own.versions) {
        if let Err(error) = said {
            let (host, address) = (sharing.me.host.clone(), sharing.me.address);
            return Err(SyncError::OwnServices { host, address, error: error.clone() });
        }
        reports.push(refresh(peer, &items.here, patience));
    }
    let before = local.version()?;
    let mut pushed = fetch(&peers, &items.here, sharing, patience);
    match (version, patience.next_call()) {
        (None, _) => {}
        // Without time to tell the others, a new version here would only make this member the odd one out.
        (Some(_), Err(error)) => refuse_versions(&mut pushed, &error.to_string()),
        // Half of what they fetched may be older than the other half.
        (Some(_), _) if local.version()? != before => refuse_versions(
            &mut pushed,
            "the configuration of the member that pushes was changed meanwhile: push again",
        ),
        (Some(version), _) => {
            let is_new = before.is_none_or(|before| before.parse() != Ok(version.clone()));
            // So would it with nobody who has all of it.
            if is_new && pushed.iter().any(MemberReport::is_fine) {
                local.set_version(version)?;
            }
            set_versions(&peers, &mut pushed, version, patience);
        }
    }
    let is_fine: Vec<bool> = pushed.iter().map(MemberReport::is_fine).collect();
    let fine = peers.into_iter().zip(is_fine).filter(|(_, is_fine)| *is_fine).map(|(peer, _)| peer).collect();
    reports.retain(|report| !report.files.is_empty());
    reports.extend(in_order(sharing, pushed, &silent, &items.here));
    Ok(Pushed { reports, fine })
}

/// What a push would change on the others.
///
/// # Errors
/// [`HostError`] if a file of this host can't be read.
pub fn compare(
    sharing: &Sharing,
    local: &Local,
    items: &Items,
    others: Met,
    patience: &Patience,
) -> Result<Vec<MemberReport>, HostError> {
    let (peers, silent) = others.split();
    let own = |item: &Item| Ok((item.path.clone(), local.read(&item.path)?.unwrap_or_default()));
    let own: Vec<(SyncPath, Vec<u8>)> = items.here.iter().map(own).collect::<Result<_, HostError>>()?;
    let compared = for_each_file(&peers, &items.here, |peer, item| {
        let old = peer.download(&item.path, patience)?;
        let new = own.iter().find(|(path, _)| *path == item.path).map(|(_, new)| new.clone()).unwrap_or_default();
        Ok(if old.as_ref() == Some(&new) { FileState::Same } else { FileState::Differs { old, new } })
    });
    let mut reports: Vec<MemberReport> = items.not_here(sharing).into_iter().collect();
    reports.extend(in_order(sharing, compared, &silent, &items.here));
    Ok(reports)
}

/// With the members that do not answer, in the order of cluster.conf.
fn in_order(
    sharing: &Sharing,
    mut reports: Vec<MemberReport>,
    silent: &[(Peer, CallError)],
    items: &[Item],
) -> Vec<MemberReport> {
    reports.extend(silent.iter().map(|(peer, error)| MemberReport::silent(peer, items, error)));
    reports.sort_by_key(|report| sharing.members.iter().position(|member| member.host.as_str() == report.name));
    reports
}

/// Builds the cached forms of the stores anew on the member that pushes. Returns what failed.
fn refresh(own: &Peer, items: &[Item], patience: &Patience) -> MemberReport {
    let mut report = MemberReport::of(own);
    for item in items {
        let Some(namespace) = item.namespace else { continue };
        if let Err(error) = own.call(&Call::expire(namespace, false), patience) {
            report.files.push((item.path.clone(), FileState::Failed(error.to_string())));
            if error.is_final() {
                break;
            }
        }
    }
    report
}

/// Has each member fetch each file, one member after the other. One that stops answering is left alone.
fn fetch(peers: &[Peer], items: &[Item], sharing: &Sharing, patience: &Patience) -> Vec<MemberReport> {
    for_each_file(peers, items, |peer, item| {
        for call in item.calls(&sharing.me.host, sharing.me.address) {
            let answer = peer.call(&call, patience)?;
            // `expire` returns something else, and its errors are errors.
            if call.method() != "expire" && !is_done(&answer) {
                return Err(AnswerError::Value { method: call.method() }.into());
            }
        }
        Ok(FileState::Done)
    })
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
fn set_versions(peers: &[Peer], reports: &mut [MemberReport], version: &ConfigVersion, patience: &Patience) {
    for (peer, report) in peers.iter().zip(reports) {
        report.version = if report.is_fine() {
            match peer.call(&Call::set_config_version(version), patience) {
                Ok(answer) if is_done(&answer) => VersionState::Set,
                Ok(_) => VersionState::NotSet("its answer to `set_config_version` makes no sense".to_owned()),
                Err(error) => VersionState::NotSet(error.to_string()),
            }
        } else {
            VersionState::NotSet("not all files arrived".to_owned())
        };
    }
}

/// No member gets a version.
fn refuse_versions(reports: &mut [MemberReport], why: &str) {
    reports.iter_mut().for_each(|report| report.version = VersionState::NotSet(why.to_owned()));
}
