//! What is persisted of forks: laws over all that supervisors may remember, their own and the others'.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, LocalState, Position, Process, Records, Recovered, Running, Uuid,
};
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

fn many(ids: std::ops::RangeInclusive<u64>) -> Vec<Fork> {
    ids.map(|id| Fork { id, at: position(UUID, 10) }).collect()
}

fn ids(forks: &[Fork]) -> Vec<u64> {
    forks.iter().map(|fork| fork.id).collect()
}

/// Root on one member could drive an honest member's true forks out by false ones.
#[test]
fn no_fork_makes_room_for_one_of_a_peer() {
    assert_eq!(ids(&remembered(Vec::new(), many(1..=20), None)), (1..=8).collect::<Vec<_>>());
    assert_eq!(ids(&remembered(many(1..=3), many(11..=20), None)), [1, 2, 3, 11, 12, 13, 14, 15]);
    assert_eq!(ids(&remembered(many(1..=8), many(11..=20), None)), (1..=8).collect::<Vec<_>>());
}

/// Two members that have served together for so long.
fn serving_for(milliseconds: u64) -> [Member; 2] {
    let both = hosts(2);
    let member = |place: usize| {
        let mut config = config(place, 2, place as u64 + 1);
        config.is_passive = false;
        Member::new(config, in_service(&both, Vec::new()), Tick(0))
    };
    let [mut one, mut other] = [0, 1].map(member);
    talk(&mut one, &mut other, milliseconds);
    [one, other]
}

/// The other member's supervisor starts again and shows these.
fn shows(other: &mut Member, forks: Vec<Fork>) {
    let mut config = config(1, 2, 7);
    config.is_passive = false;
    *other = Member::new(config, in_service(&hosts(2), forks), other.now);
}

/// After that no fork can be new to it but one that it has seen itself.
#[test]
fn forks_are_learned_while_a_member_enters_its_component_and_not_later() {
    for (after, learned) in [(50_000, &[1][..]), (61_000, &[])] {
        let [mut one, mut other] = serving_for(after);
        shows(&mut other, many(1..=1));
        talk(&mut one, &mut other, 5_000);
        assert_eq!(ids(&one.supervisor.status(one.now).records.forks), learned, "after {after} ms");
    }
}

/// A peer can make a member its donor, which is not synced meanwhile, and load it until it does not respond: it enters no component
/// by that.
#[test]
fn a_donor_does_not_learn_again() {
    for interruption in [true, false] {
        let [mut one, mut other] = serving_for(61_000);
        let serves = one.finds.clone();
        match &mut one.finds.process {
            Process::Running(running) if interruption => running.state = LocalState::Donor,
            process => *process = Process::NotResponding,
        }
        talk(&mut one, &mut other, 3_000);
        one.finds = serves;
        shows(&mut other, many(1..=1));
        talk(&mut one, &mut other, 5_000);
        assert_eq!(ids(&one.supervisor.status(one.now).records.forks), Vec::<u64>::new());
    }
}

/// Out of its component and in again.
#[test]
fn a_member_that_enters_again_learns_again() {
    let [mut one, mut other] = serving_for(61_000);
    let serves = one.finds.clone();
    if let Process::Running(running) = &mut one.finds.process {
        (running.status, running.state) = (ClusterStatus::NonPrimary, LocalState::Initialized);
    }
    talk(&mut one, &mut other, 3_000);
    one.finds = serves;
    shows(&mut other, vec![Fork { id: 1, at: position(UUID, NOW) }]);
    talk(&mut one, &mut other, 5_000);
    assert_eq!(ids(&one.supervisor.status(one.now).records.forks), [1]);
}
