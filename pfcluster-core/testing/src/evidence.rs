//! Evidence, true or not: whatever a file, a server or a peer can say. Few different values, so that they often meet, and
//! the ends of their ranges.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::clusters::host;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{CarriedOutBy, Policy, Seen};
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Observation, Position,
    Process, Records, Recovered, Running, Seqno, Silence, StartFailures, Uuid, ViewId, ViewRecord,
};

/// A UUID of a history: one of two, seldom zero.
pub fn history() -> impl Strategy<Value = Uuid> {
    prop_oneof![6 => Just(Uuid::from_u128(0xA << 120)), 2 => Just(Uuid::from_u128(0xB << 120)), 1 => Just(Uuid::ZERO)]
}

/// A sequence number as Galera writes it, -1 included.
pub fn seqno() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => select(&[10, 11, 12][..]),
        4 => Just(-1),
        1 => select(&[i64::MIN, -2, 0, 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, i64::MAX - 1, i64::MAX][..]),
    ]
}

/// A position.
///
/// # Panics
/// Never: the history has a name.
pub fn position() -> impl Strategy<Value = Position> {
    let history = prop_oneof![3 => Just(Uuid::from_u128(0xA << 120)), 1 => Just(Uuid::from_u128(0xB << 120))];
    (history, place()).prop_map(|(uuid, seqno)| Position::new(uuid, seqno.get()).expect("a position"))
}

fn place() -> impl Strategy<Value = Seqno> {
    seqno().prop_map(|seqno| Seqno::new(seqno.max(0)).expect("a sequence number"))
}

fn node(at: usize) -> Uuid {
    Uuid::from_u128((at as u128 + 1) << 96)
}

fn view_id() -> impl Strategy<Value = ViewId> {
    (0..3_usize, 5..7_u32).prop_map(|(namer, seq)| ViewId { uuid: node(namer), seq })
}

fn some_hosts(members: usize) -> impl Strategy<Value = Vec<Hostname>> {
    subsequence((0..members).map(host).collect::<Vec<_>>(), 0..=members)
}

fn found<T: std::fmt::Debug + Clone>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Found<T>> {
    prop_oneof![1 => Just(Found::Absent), 1 => Just(Found::Torn("torn".into())), 6 => inner.prop_map(Found::Read)]
}

/// What grastate.dat can say.
pub fn grastate() -> impl Strategy<Value = Grastate> {
    let parts = (history(), seqno(), option::weighted(0.9, any::<bool>()));
    parts.prop_map(|(uuid, seqno, safe_to_bootstrap)| Grastate { uuid, seqno, safe_to_bootstrap })
}

/// What the gvwstate.dat of one of so many members can say.
pub fn gvwstate(members: usize) -> impl Strategy<Value = Gvwstate> {
    let nodes = subsequence((0..members).collect::<Vec<_>>(), 0..=members);
    (0..members, view_id(), any::<bool>(), nodes).prop_map(|(own, view, bootstrap, nodes)| {
        let mut members: Vec<Uuid> = nodes.into_iter().map(node).collect();
        members.sort_unstable();
        Gvwstate { my_uuid: node(own), view, bootstrap, members }
    })
}

fn recovered() -> impl Strategy<Value = Recovered> {
    prop_oneof![
        2 => Just(Recovered::NotRun),
        1 => Just(Recovered::Failed("no space left".into())),
        1 => Just(Recovered::NoHistory),
        8 => position().prop_map(Recovered::At),
    ]
}

/// One of a few: a fork has one place.
fn fork() -> impl Strategy<Value = Fork> {
    const UUIDS: [u128; 2] = [0xA << 120, 0xB << 120];
    let place = (0..2_usize, 0..3_u64, 9..12_i64);
    place.prop_filter_map("a position", |(uuid, id, seqno)| {
        let at = Position::new(Uuid::from_u128(UUIDS[uuid]), seqno)?;
        Some(Fork { id: id * 100 + u64::try_from(seqno).ok()? * 2 + uuid as u64, at })
    })
}

fn records(members: usize) -> impl Strategy<Value = Records> {
    let size = option::weighted(0.8, 1..=u32::try_from(members.max(1)).unwrap_or(u32::MAX));
    let view = (view_id(), history(), place(), size).prop_map(|(view, uuid, floor, size)| ViewRecord {
        view,
        uuid,
        floor,
        size,
    });
    let clean = (position(), any::<bool>()).prop_map(|(position, last)| CleanStop { position, last });
    let failures = prop_oneof![6 => Just(0_u8), 1 => 1..=4_u8];
    let parts = (
        option::weighted(0.3, position()),
        option::weighted(0.4, view),
        option::weighted(0.2, clean),
        prop_oneof![5 => Just(Vec::new()), 1 => vec(fork(), 1..3)],
        prop::bool::weighted(0.05),
        prop_oneof![4 => Just(Vec::new()), 1 => some_hosts(members)],
        failures,
    );
    parts.prop_map(|(last_recorded, view, clean, forks, ran_standalone, supervised, count)| Records {
        last_recorded,
        view,
        clean,
        forks,
        ran_standalone,
        supervised,
        start_failures: StartFailures { count, why: if count == 0 { "".into() } else { "exit status 1".into() } },
        joined_in_boot: None,
    })
}

/// What the files and records of one of so many members can say.
pub fn files(members: usize) -> impl Strategy<Value = Files> {
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.05));
    let parts = (found(grastate()), found(gvwstate(members.max(1))), recovered(), flags, records(members));
    parts.prop_map(|(grastate, gvwstate, recovered, (sst_marker, datadir_empty, unsynced_transfer), records)| Files {
        grastate,
        gvwstate,
        recovered,
        sst_marker,
        unsynced_transfer,
        datadir_empty,
        records,
    })
}

fn running(members: usize) -> impl Strategy<Value = Running> {
    use ClusterStatus::{Disconnected, NonPrimary, Primary};
    use LocalState::{Donor, Inconsistent, Initialized, Joined, Joining, Synced};
    let status = select(&[Primary, NonPrimary, NonPrimary, NonPrimary, Disconnected][..]);
    let state = select(&[Initialized, Initialized, Synced, Synced, Joining, Donor, Joined, Inconsistent][..]);
    let others = prop_oneof![6 => Just(Vec::new()), 1 => Just(vec!["192.168.9.9:3306".into()])];
    let sees = prop_oneof![some_hosts(members), Just((0..members).map(host).collect())];
    let parts = (history(), status, state, any::<u32>(), seqno(), sees, others);
    parts.prop_map(|(uuid, status, state, size, last_committed, sees, sees_others)| Running {
        uuid,
        status,
        state,
        size,
        last_committed,
        sees,
        sees_others,
    })
}

/// What can be known of one of so many members.
pub fn observation(members: usize) -> impl Strategy<Value = Observation> {
    let silence = select(&[Silence::NotAsked, Silence::NoAnswer, Silence::Refused][..]);
    let process = prop_oneof![
        6 => Just(Process::Stopped),
        1 => Just(Process::Starting),
        1 => select(&[Process::NotResponding, Process::Bootstrapping][..]),
        4 => running(members).prop_map(Process::Running),
    ];
    let disabled = prop_oneof![12 => Just(Vec::new()), 1 => some_hosts(members)];
    let hash = prop_oneof![12 => Just(None), 1 => select(&["x", "y"][..]).prop_map(|hash| Some(hash.into()))];
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.05));
    let evidence = (process, option::weighted(0.9, files(members)), flags, disabled, hash);
    let known = evidence.prop_map(|(process, files, (maintenance, arbitrator), disabled, members_hash)| {
        let evidence = Evidence { process, files, maintenance, arbitrator, disabled, members_hash };
        Observation::Known(Box::new(evidence))
    });
    prop_oneof![1 => silence.prop_map(Observation::Unknown), 5 => known]
}

/// A cluster of so many members, and what is known of each.
pub fn seen(members: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Seen>> {
    members.prop_flat_map(|size| {
        let one = (prop::bool::weighted(0.95), observation(size));
        vec(one, size).prop_map(|all| {
            let seen = |(at, (enabled, observation))| Seen { host: host(at), enabled, observation };
            all.into_iter().enumerate().map(seen).collect()
        })
    })
}

/// What an operator can say of so many members: mostly nothing.
pub fn policy(members: usize) -> impl Strategy<Value = Policy> {
    let hosts = move || -> BoxedStrategy<BTreeSet<Hostname>> {
        prop_oneof![4 => Just(BTreeSet::new()), 1 => btree_set((0..=members).prop_map(host), 0..=members)].boxed()
    };
    let one = move || option::weighted(0.1, (0..=members).prop_map(host));
    let parts = (hosts(), hosts(), hosts(), one(), prop::bool::weighted(0.1), one(), any::<(bool, bool)>());
    parts.prop_map(|(assume_lost, discard, trust, seed, standalone, force, (split_confirmed, reform_failed))| Policy {
        assume_lost,
        discard,
        trust,
        end: BTreeSet::new(),
        seed,
        standalone,
        force,
        reform_failed,
        carried_out_by: CarriedOutBy::Person,
        split_confirmed,
    })
}
