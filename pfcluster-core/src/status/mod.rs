//! How the cluster is, from what was seen of each member: healthy, degraded, read-only, blocked, down, split; and what to do.
//!
//! [`assess`] only judges. Who asked, how, and how long it waited, is the caller's.
//!
//! # The rules
//!
//! Who counts: the members that share one database and that the asking member has enabled.
//!
//! 1. A member *serves* if its database is in a primary component, or runs without Galera.
//! 2. Two members that serve are in one component if one of them sees the other (`wsrep_incoming_addresses`). They are *apart* if
//!    neither does, and both say clearly whom they see: themselves, and no address that belongs to nobody. After a forced split
//!    nothing else tells: both sides are primary and synced with the same history, view number and position (measured). One
//!    that is seen by the other may just have come or gone: members are not asked at the same moment.
//! 3. Members that serve apart: the cluster is **split**.
//! 4. One component serves: the cluster is **healthy** if every member of cluster.conf is in it, synced and ready, and nothing
//!    else is wrong (below); else **degraded**.
//! 5. None serves, but somebody answers: **read-only**. Nobody but members that take no more connections
//!    (`ERROR 1040`, guide 8.5): **blocked**. All say that there is no database: **down**.
//! 6. Otherwise it is **unknown**. A member that does not answer is never taken for one that is down, and one where nothing
//!    listens may be receiving state from another: for all that, others may see it in their component.
//!
//! What else is wrong: members with different histories, one that serves without a history (the zero UUID), addresses in the
//! component that are nobody's, connections near `max_connections`, replication that is often paused, members that are disabled
//! or in maintenance, different configurations, a virtual address that two members hold or none.

mod components;
mod reason;
mod remedy;
mod seen;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cluster::Hostname;
use crate::conflict::{ConfigVersion, Reply};
use crate::decision::Decision;
use crate::galera::{ClusterStatus, LocalState, Uuid};
use components::components;

pub use reason::Reason;
pub use seen::{Connections, Database, Galera, Holder, Seen, Server, Vip};

/// How the cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// All members are in service.
    Healthy,
    /// The database serves, but not all is well.
    Degraded,
    /// Databases answer, but none of them may write.
    ReadOnly,
    /// Databases run, but take no more connections.
    Blocked,
    /// There is no database.
    Down,
    /// Two parts of the cluster serve, each without the other.
    Split,
    /// What is known is not enough to tell.
    Unknown,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 7] = [
        Verdict::Healthy,
        Verdict::Degraded,
        Verdict::ReadOnly,
        Verdict::Blocked,
        Verdict::Down,
        Verdict::Split,
        Verdict::Unknown,
    ];
}

/// From so many percent of `max_connections` on it is said: who runs into the limit is refused, root as well.
pub const NEAR_PERCENT: u32 = 80;

/// From this part of the time on, replication that stands still to wait for a member is said.
pub const OFTEN_PAUSED: f64 = 0.1;

/// How the cluster is. `members` are all of cluster.conf, in its order.
pub fn assess(members: &[Seen], vips: &[Vip]) -> Decision<Verdict, Reason> {
    let counted: Vec<&Seen> = members.iter().filter(|member| member.counts()).collect();
    let components = components(&counted);
    let mut reasons = Vec::new();
    if counted.is_empty() {
        reasons.push(Reason::NobodyCounts);
    }
    match &components[..] {
        [] => {}
        [one] => reasons.extend(one.reason(&counted)),
        several => reasons.push(Reason::Split { sides: several.iter().map(|side| side.members.clone()).collect() }),
    }
    databases(&counted, !components.is_empty(), &mut reasons);
    members.iter().filter(|member| member.in_database).for_each(|member| details(member, &mut reasons));
    around(members, &mut reasons);
    vips.iter().for_each(|vip| reasons.extend(vip_reason(vip)));
    let verdict = match components.len() {
        0 => without_service(&counted),
        1 if reasons.iter().all(|reason| !reason.is_complaint()) => Verdict::Healthy,
        1 => Verdict::Degraded,
        _ => Verdict::Split,
    };
    let remedy = remedy::of(verdict, &reasons, &counted);
    Decision { action: verdict, reasons, remedy }
}

fn without_service(counted: &[&Seen]) -> Verdict {
    let mut databases = counted.iter().map(|member| &member.database);
    if databases.clone().any(|database| matches!(database, Database::Running(_))) {
        Verdict::ReadOnly
    } else if databases.clone().any(|database| *database == Database::Full) {
        Verdict::Blocked
    } else if !counted.is_empty() && databases.all(|one| matches!(one, Database::Stopped | Database::Closed)) {
        Verdict::Down
    } else {
        Verdict::Unknown
    }
}

/// What the databases of those that count are like, one reason for all of a kind.
fn databases(counted: &[&Seen], is_served: bool, reasons: &mut Vec<Reason>) {
    let those = |is: &dyn Fn(&Seen) -> bool| -> Vec<Hostname> {
        counted.iter().filter(|member| is(member)).map(|member| member.host.clone()).collect()
    };
    let galera = |member: &Seen, is: &dyn Fn(&Galera) -> bool| member.database.galera().is_some_and(is);
    let mut say = |members: Vec<Hostname>, reason: fn(Vec<Hostname>) -> Reason| {
        if !members.is_empty() {
            reasons.push(reason(members));
        }
    };
    let is_apart = |galera: &Galera| !galera.is_primary() && galera.running.state != LocalState::Inconsistent;
    say(those(&|member| galera(member, &is_apart)), |members| Reason::NotPrimary { members });
    say(those(&|member| matches!(&member.database, Database::Running(server) if server.galera.is_none())), |members| {
        Reason::WithoutGalera { members }
    });
    say(those(&|member| galera(member, &|galera| galera.is_primary() && galera.running.uuid.is_zero())), |members| {
        Reason::ZeroUuid { members }
    });
    say(those(&|member| member.database == Database::Stopped), |members| Reason::Stopped { members });
    say(those(&|member| member.database == Database::Closed), |members| Reason::Closed { members });
    say(those(&|member| member.database == Database::Full), |members| Reason::Full { members });
    let silent = those(&|member| matches!(member.database, Database::Silent(_)));
    let is_seen = |host: &Hostname| counted.iter().any(|other| other.host != *host && other.database.sees(host));
    let (seen, unseen): (Vec<Hostname>, Vec<Hostname>) = silent.into_iter().partition(is_seen);
    say(seen, |members| Reason::SilentButSeen { members });
    say(unseen, |members| Reason::Silent { members });
    // Of members that are all full there is nothing else to find out.
    if !is_served && without_service(counted) != Verdict::Blocked {
        say(those(&|member| member.database.may_serve()), |members| Reason::MayServe { members });
    }
    histories(counted, reasons);
}

fn histories(counted: &[&Seen], reasons: &mut Vec<Reason>) {
    let mut histories: Vec<(Uuid, Vec<Hostname>)> = Vec::new();
    for member in counted {
        let Some(uuid) = member.database.galera().map(|galera| galera.running.uuid).filter(|uuid| !uuid.is_zero())
        else {
            continue;
        };
        match histories.iter_mut().find(|(other, _)| *other == uuid) {
            Some((_, members)) => members.push(member.host.clone()),
            None => histories.push((uuid, vec![member.host.clone()])),
        }
    }
    if histories.len() > 1 {
        reasons.push(Reason::Histories { histories });
    }
}

/// What is odd about one member, whether it counts or not.
fn details(member: &Seen, reasons: &mut Vec<Reason>) {
    let host = || member.host.clone();
    match &member.database {
        Database::Running(server) => {
            if let Some(galera) = &server.galera {
                galera_details(&member.host, galera, reasons);
            }
            if let Some(connections) = server.connections.filter(|connections| connections.is_near()) {
                reasons.push(Reason::ConnectionsNearMax { member: host(), connections });
            }
        }
        Database::Refused(why) if member.enabled => reasons.push(Reason::Refused { member: host(), why: why.clone() }),
        Database::Garbled(why) if member.enabled => reasons.push(Reason::Garbled { member: host(), why: why.clone() }),
        Database::NotAsked(why) if member.enabled => {
            reasons.push(Reason::NotAsked { member: host(), why: why.clone() });
        }
        _ => {}
    }
}

fn galera_details(host: &Hostname, galera: &Galera, reasons: &mut Vec<Reason>) {
    let member = || host.clone();
    let state = galera.running.state;
    if state == LocalState::Inconsistent {
        reasons.push(Reason::Inconsistent { member: member() });
    } else if galera.is_primary() && state != LocalState::Synced {
        reasons.push(Reason::NotSynced { member: member(), state });
    } else if galera.is_primary() && galera.ready == Some(false) {
        reasons.push(Reason::NotReady { member: member() });
    }
    if !galera.running.sees_others.is_empty() && galera.running.status != ClusterStatus::Disconnected {
        reasons.push(Reason::Strangers { member: member(), addresses: galera.running.sees_others.clone() });
    }
    if let Some(paused) = galera.flow_control_paused.filter(|paused| *paused >= OFTEN_PAUSED) {
        reasons.push(Reason::OftenPaused { member: member(), paused });
    }
}

/// What is said of all members of cluster.conf, whatever database they have.
fn around(members: &[Seen], reasons: &mut Vec<Reason>) {
    let those =
        |is: fn(&&Seen) -> bool| members.iter().filter(is).map(|member| member.host.clone()).collect::<Vec<_>>();
    let disabled = those(|member| !member.enabled);
    if !disabled.is_empty() {
        reasons.push(Reason::Disabled { members: disabled });
    }
    let maintenance = those(|member| member.maintenance == Some(true));
    if !maintenance.is_empty() {
        reasons.push(Reason::Maintenance { members: maintenance });
    }
    let mut versions: BTreeMap<&ConfigVersion, Vec<Hostname>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.enabled) {
        if let Some(version) = member.configuration.as_ref().and_then(Reply::version) {
            versions.entry(version).or_default().push(member.host.clone());
        }
    }
    if versions.len() > 1 {
        let versions = versions.into_iter().rev().map(|(version, members)| (version.clone(), members)).collect();
        reasons.push(Reason::Configurations { versions });
    }
}

fn vip_reason(vip: &Vip) -> Option<Reason> {
    let (interface, address) = (vip.interface, vip.address);
    match &vip.holders[..] {
        [] if vip.unknown.is_empty() => Some(Reason::VipWithoutHolder { interface, address }),
        [] | [_] => None,
        several => {
            let holders = several.iter().map(|holder| holder.host.clone()).collect();
            Some(Reason::VipHeldTwice { interface, address, holders })
        }
    }
}
