//! What only the members' own supervisors know, from this machine's.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::Process;
use pfcluster_core::status::{Database, Holder, Vip};
use pfcluster_core::supervisor::LastBackup;
use serde::Deserialize;

use super::MemberStatus;
use crate::documents::backup::BackupDocument;
use crate::documents::evidence;
use crate::host::supervise::control::{self, Request};
use crate::host::{HostError, machine};

/// What this machine's supervisor says, if there is one.
pub(super) struct Told {
    status: String,
    evidence: String,
}

/// What of its status is needed here, as schemas/mariadb-status.json says.
#[derive(Deserialize)]
struct StatusDocument {
    host: String,
    part: Option<String>,
    members: Vec<SupervisedMember>,
}

#[derive(Deserialize)]
struct SupervisedMember {
    host: String,
    supervisor: bool,
    virtual_addresses: Option<Vec<Held>>,
    last_backup: Option<BackupDocument>,
}

#[derive(Deserialize)]
struct Held {
    address: Ipv4Addr,
    held_for: u64,
}

pub(super) fn ask(run_directory: &Path) -> Receiver<Result<Option<Told>, HostError>> {
    let (sender, receiver) = mpsc::channel();
    let run_directory = run_directory.to_owned();
    thread::spawn(move || {
        let ask = |request| control::ask(&run_directory, &request);
        let told = || -> Result<Option<Told>, HostError> {
            let (status, evidence) = (ask(Request::Status { json: true })?, ask(Request::Evidence)?);
            Ok(status.zip(evidence).map(|(status, evidence)| Told { status, evidence }))
        };
        // Nobody listens any more to an answer that comes too late.
        drop(sender.send(told()));
    });
    receiver
}

/// What only the members' own supervisors know. One that is of another version, and says something else, says nothing.
pub(super) fn add(
    told: &Told,
    members: &mut [MemberStatus],
    vips: &mut [Vip],
    resolve: &dyn Fn(&str) -> Option<Hostname>,
) {
    let Ok(document) = serde_json::from_str::<StatusDocument>(&told.status) else { return };
    let known = evidence::read(told.evidence.as_bytes(), resolve).unwrap_or_default();
    let now = machine::since_1970();
    for heard in document.members.into_iter().filter(|member| member.supervisor) {
        let Some(member) = members.iter_mut().find(|member| member.seen.host.as_str() == heard.host) else { continue };
        let does = document.part.as_ref().map_or_else(|| "watches".to_owned(), |part| part.replace('_', " "));
        member.supervisor = Some(if heard.host == document.host { does } else { "heard".to_owned() });
        if let Some(held) = &heard.virtual_addresses {
            vips.iter_mut().for_each(|vip| holds(vip, &member.seen.host, held, now));
        }
        // This machine itself has looked more recently, if it could.
        if let (LastBackup::Unknown, Some(Ok(told))) =
            (&member.last_backup, heard.last_backup.map(BackupDocument::read))
        {
            member.last_backup = told.into();
        }
        let Some(known) = known.iter().find(|known| known.host == member.seen.host) else { continue };
        let seen = &mut member.seen;
        seen.maintenance = seen.maintenance.or(Some(known.evidence.maintenance));
        let can_not_tell = matches!(seen.database, Database::Closed | Database::Silent(_) | Database::NotAsked(_));
        if can_not_tell && seen.in_database && known.evidence.process == Process::Stopped {
            seen.database = Database::Stopped;
        }
    }
}

/// What a member's supervisor says about an address. This machine itself has said more recently whether it holds it.
fn holds(vip: &mut Vip, host: &Hostname, held: &[Held], now: u64) {
    let since = held.iter().find(|held| held.address == vip.address).map(|held| now.saturating_sub(held.held_for));
    if let Some(own) = vip.holders.iter_mut().find(|holder| holder.host == *host) {
        own.since = since;
    } else if vip.unknown.contains(host) {
        vip.unknown.retain(|other| other != host);
        vip.holders.extend(since.map(|since| Holder { host: host.clone(), since: Some(since) }));
    }
}

// This machine --------------------------------------------------------------------------------------------------------
