//! What is written down: laws over all that supervisors may remember of forks, their own and the others'.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, LocalState, Observation, Process, Records, Running, Seqno, Uuid,
};
use pfcluster_core::strategies::clusters::host;
use pfcluster_core::supervisor::{Config, Input, Key, LastBackup, Look, Output, Supervisor, Tick};
use pfcluster_tests::property_config;
use proptest::prelude::*;

use pfcluster_tests::members::{KEY, Member, config, hosts};

const HISTORY: Uuid = Uuid::from_u128(0xA << 120);
const OTHER: Uuid = Uuid::from_u128(0xB << 120);
/// Where the cluster is now.
const NOW: i64 = 100;

/// Where forks were, and who was present at each: there is one at a place.
fn forks(members: usize) -> impl Strategy<Value = Vec<Fork>> {
    let fork =
        (prop::sample::subsequence(hosts(members), 1..=members), prop::bool::weighted(0.9), prop::bool::weighted(0.8));
    prop::collection::vec(fork, 0..5).prop_map(|forks| {
        let fork = |(at, (present, known, ours)): (i64, _)| {
            let uuid = if ours { HISTORY } else { OTHER };
            Fork { uuid, seqno: Seqno::new(10 + at).expect("a sequence number"), present, known }
        };
        (0..).zip(forks).map(fork).collect()
    })
}

/// What each member remembers of them: some, with some of those who came later. And who is there; the first always is.
fn world(most: usize) -> impl Strategy<Value = (Vec<Vec<Fork>>, Vec<bool>)> {
    (2..=most).prop_flat_map(|members| {
        let memory = prop::collection::vec((any::<bool>(), prop::sample::subsequence(hosts(members), 0..members)), 5);
        let there = prop::collection::vec(any::<bool>(), members);
        (forks(members), prop::collection::vec(memory, members), there).prop_map(|(forks, memories, mut there)| {
            there[0] = true;
            let remember = |(fork, (_, later)): (&Fork, &(bool, Vec<Hostname>))| {
                let later = later.iter().filter(|host| !fork.present.contains(host)).cloned();
                Fork { present: fork.present.iter().cloned().chain(later).collect(), ..fork.clone() }
            };
            let memory = |memory: &Vec<(bool, Vec<Hostname>)>| {
                forks.iter().zip(memory).filter(|(_, (is_known, _))| *is_known).map(remember).collect()
            };
            (memories.iter().map(memory).collect(), there)
        })
    })
}

/// As it is in truth: who missed a fork and has not been back since missed all that came later.
fn honest_world(most: usize) -> impl Strategy<Value = (Vec<Vec<Fork>>, Vec<bool>)> {
    (2..=most).prop_flat_map(|members| {
        // Before which of six forks each one left; six: it never did.
        let left = prop::collection::vec(0..=6_usize, members);
        let memory = prop::collection::vec(prop::collection::vec(any::<bool>(), 6), members);
        (left, memory, prop::collection::vec(any::<bool>(), members)).prop_map(|(mut left, memories, mut there)| {
            (left[0], there[0]) = (6, true);
            let fork = |(at, seqno): (usize, i64)| Fork {
                uuid: HISTORY,
                seqno: Seqno::new(seqno).expect("a sequence number"),
                present: (0..left.len()).filter(|member| left[*member] > at).map(host).collect(),
                known: true,
            };
            let memory = |memory: &Vec<bool>| (0..6).zip(10..).filter(|(at, _)| memory[*at]).map(fork).collect();
            (memories.iter().map(memory).collect(), there)
        })
    })
}

/// In service with these.
fn in_service(with: &[Hostname], forks: Vec<Fork>) -> Evidence {
    let running = Running {
        uuid: HISTORY,
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

/// What the first member has written down after it was in service with those who are there for three seconds.
fn remembered(remember: &[Vec<Fork>], there: &[bool]) -> Vec<Fork> {
    let members = remember.len();
    let with: Vec<Hostname> = (0..members).filter(|at| there[*at]).map(host).collect();
    let mut own = Config::new(host(0), hosts(members), Key::new(KEY), 1);
    own.records.forks.clone_from(&remember[0]);
    let finds = in_service(&with, Vec::new());
    let mut supervisor = Supervisor::new(own, Tick(0));
    let mut peers: Vec<Member> = (1..members)
        .filter(|at| there[*at])
        .map(|at| Member::new(config(at, members, at as u64 + 1), in_service(&with, remember[at].clone()), Tick(0)))
        .collect();
    let mut written = remember[0].clone();
    let mut to_peers = Vec::new();
    for now in (0..3000).step_by(5).map(Tick) {
        supervisor.handle_input(now, Input::Woken);
        while let Some(output) = supervisor.poll_output() {
            match output {
                Output::Look { number, .. } => {
                    let look = Look {
                        evidence: finds.clone(),
                        data: 0,
                        view_number: Some(1),
                        receive_queue: Some(0),
                        begins: false,
                        vips: None,
                        backup: LastBackup::Unknown,
                    };
                    supervisor.handle_input(now, Input::Looked { number, look: Box::new(look) });
                }
                Output::Ask { number, .. } => {
                    supervisor.handle_input(now, Input::Asked { number, answers: Vec::new() });
                }
                Output::Send { to, bytes } => to_peers.push((to, bytes)),
                Output::Record(records) => written = records.forks,
                Output::Act { steps, .. } => panic!("everything is in service: {steps:?}"),
                _ => {}
            }
        }
        for peer in &mut peers {
            peer.pass(now);
            let me = peer.supervisor.status(now).me;
            to_peers.iter().filter(|(to, _)| *to == me).for_each(|(_, bytes)| peer.receives(bytes));
            for (to, bytes) in peer.sent.drain(..) {
                if to == host(0) {
                    supervisor.handle_input(now, Input::Received { bytes });
                }
            }
        }
        to_peers.clear();
    }
    let status = supervisor.status(Tick(3000));
    assert_eq!(status.records.forks, written, "what is told is what was written down");
    let heard =
        |member: &&pfcluster_core::supervisor::PeerStatus| matches!(member.seen.observation, Observation::Known(_));
    assert_eq!(status.members.iter().filter(heard).count(), with.len(), "they hear each other");
    written
}

/// Missed by this member: it holds what others gave up there, if it holds anything.
fn is_missed(fork: &Fork, by: &Hostname) -> bool {
    !fork.present.contains(by)
}

proptest! {
    #![proptest_config(property_config())]

    /// Whoever is in service with us went along with all that we went along with, and is never left out later.
    #[test]
    fn nobody_in_service_is_left_out(
        (remember, there) in world(5),
    ) {
        for fork in remembered(&remember, &there).iter().filter(|fork| fork.uuid == HISTORY) {
            for (at, _) in there.iter().enumerate().filter(|(_, is_there)| **is_there) {
                prop_assert!(!is_missed(fork, &host(at)), "{fork:?} leaves {} out", host(at));
            }
        }
    }

    /// Whom a fork tells apart and who is not there stays told apart, by that fork or by an earlier one: nothing that is
    /// still needed is forgotten.
    #[test]
    fn nobody_who_is_away_is_forgotten(
        (remember, there) in world(5),
    ) {
        let after = remembered(&remember, &there);
        // What we, or those in service with us, knew of our history.
        let before = remember.iter().zip(&there).filter(|(_, is_there)| **is_there).flat_map(|(forks, _)| forks);
        for fork in before.filter(|fork| fork.uuid == HISTORY && fork.known) {
            for (at, _) in there.iter().enumerate().filter(|(at, is_there)| !**is_there && is_missed(fork, &host(*at))) {
                // Forks of two members that are the same one are one with all that were present at either.
                let is_known_to_be_present = remember.iter().flatten().any(|other| is_same(other, fork) && !is_missed(other, &host(at)));
                let is_told_apart = after.iter().any(|other| {
                    other.uuid == fork.uuid && other.seqno <= fork.seqno && is_missed(other, &host(at))
                });
                prop_assert!(is_told_apart || is_known_to_be_present, "{fork:?} of {}, now {after:?}", host(at));
            }
        }
    }

    /// The list has at most one fork for each member who can be told apart, so that it always fits into a datagram.
    #[test]
    fn the_list_stays_short(
        (remember, there) in honest_world(5),
    ) {
        let after = remembered(&remember, &there);
        let ours = after.iter().filter(|fork| fork.uuid == HISTORY).count();
        prop_assert!(ours <= there.len(), "{after:?}");
    }

    /// A fork vanishes for good only when everybody is there and nobody remembers it as one who misses somebody: else the
    /// others would tell apart by it, and this one not.
    #[test]
    fn what_is_settled_vanishes_only_together(
        (remember, there) in world(4),
    ) {
        let after = remembered(&remember, &there);
        let everybody = there.iter().all(|is_there| *is_there);
        for fork in remember[0].iter().filter(|fork| fork.uuid == HISTORY) {
            let still = after.iter().any(|other| is_same(other, fork));
            let covered = after.iter().any(|other| other.uuid == fork.uuid && other.seqno < fork.seqno);
            prop_assert!(still || covered || everybody, "{fork:?} is gone from {after:?}");
        }
    }
}

/// Two records of one fork: two forks at one place have nobody in common.
fn is_same(one: &Fork, other: &Fork) -> bool {
    one.uuid == other.uuid && one.seqno == other.seqno && one.present.iter().any(|host| other.present.contains(host))
}
