//! What is persisted of forks: laws over all that supervisors may remember, their own and the others'.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, LocalState, Position, Process, Records, Recovered, Running, Uuid,
};
use pfcluster_core::strategies::clusters::host;
use pfcluster_core::supervisor::Tick;
use pfcluster_tests::members::{Member, config, hosts, talk};
use pfcluster_tests::property_config;
use proptest::prelude::*;

const UUID: Uuid = Uuid::from_u128(0xA << 120);
const OTHER: Uuid = Uuid::from_u128(0xB << 120);
/// Where the cluster is now.
const NOW: i64 = 100;

fn position(uuid: Uuid, seqno: i64) -> Position {
    Position::new(uuid, seqno).expect("a position")
}

fn forks() -> impl Strategy<Value = Vec<Fork>> {
    let fork = (1..6_u64, prop_oneof![Just(UUID), Just(OTHER)], 0..NOW);
    let fork = fork.prop_map(|(id, uuid, at)| Fork { id, at: position(uuid, at) });
    prop::collection::vec(fork, 0..4).prop_map(|mut forks| {
        forks.sort_by_key(|fork| fork.id);
        forks.dedup_by_key(|fork| fork.id);
        forks
    })
}

fn in_service(with: &[Hostname], forks: Vec<Fork>) -> Evidence {
    let running = Running {
        uuid: UUID,
        status: ClusterStatus::Primary,
        state: LocalState::Synced,
        size: u32::try_from(with.len()).expect("few members"),
        last_committed: NOW,
        sees: with.to_vec(),
        sees_others: Vec::new(),
    };
    Evidence {
        process: Process::Running(running),
        files: Some(Files { records: Records { forks, ..Records::default() }, ..Files::default() }),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: None,
    }
}

/// What the first of two remembers after it has heard the other, which serves with it; `before`: what it held before it came into
/// service, if its supervisor saw that.
fn remembered(own: Vec<Fork>, others: Vec<Fork>, before: Option<i64>) -> Vec<Fork> {
    let both = hosts(2);
    let member = |place: usize, forks: Vec<Fork>, run: u64, finds: Evidence| {
        let mut config = config(place, 2, run);
        config.is_passive = false;
        let mut finds = finds;
        finds.files.get_or_insert_default().records.forks = forks;
        Member::new(config, finds, Tick(0))
    };
    let waits = before.map(|seqno| {
        let files = Files { recovered: Recovered::At(position(UUID, seqno)), ..Files::default() };
        let mut waits = in_service(&both, Vec::new());
        let Process::Running(running) = &mut waits.process else { unreachable!("it runs") };
        (running.status, running.state, running.last_committed) =
            (ClusterStatus::NonPrimary, LocalState::Initialized, seqno);
        waits.files = Some(files);
        waits
    });
    let serves = in_service(&both, Vec::new());
    let mut one = member(0, own, 1, waits.unwrap_or_else(|| serves.clone()));
    let mut other = member(1, others, 2, in_service(&both, Vec::new()));
    talk(&mut one, &mut other, 700);
    one.finds = serves;
    talk(&mut one, &mut other, 4_000);
    one.supervisor.status(one.now).records.forks
}

proptest! {
    #![proptest_config(property_config())]

    /// Whoever serves with another goes on from where that one went on: it remembers all that both remember.
    #[test]
    fn in_service_forks_are_learnt(own in forks(), others in forks()) {
        let after = remembered(own.clone(), others.clone(), None);
        let ids = |forks: &[Fork]| forks.iter().map(|fork| fork.id).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(ids(&after), ids(&[own, others].concat()));
    }

    /// Nobody is forgiven without an override: what it held before beyond a fork is not from there.
    #[test]
    fn who_diverged_before_does_not_learn_the_fork(others in forks(), before in 0..NOW) {
        let after = remembered(Vec::new(), others.clone(), Some(before));
        for fork in others {
            let diverged = fork.at.uuid() == UUID && before > fork.at.seqno().get();
            prop_assert_eq!(after.iter().any(|known| known.id == fork.id), !diverged, "{:?}, held {}", fork, before);
        }
    }
}

#[test]
fn old_forks_make_room() {
    let many = (1..=20).map(|id| Fork { id, at: position(UUID, 10) }).collect();
    let after = remembered(Vec::new(), many, None);
    assert_eq!(after.iter().map(|fork| fork.id).collect::<Vec<_>>(), (13..=20).collect::<Vec<_>>());
    assert_eq!(host(0), hosts(2)[0]);
}
