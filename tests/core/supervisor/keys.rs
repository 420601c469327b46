//! The key is changed while the cluster runs: at no moment are there two members that don't understand each other.

use pfcluster_core::supervisor::{Input, Key, KeyIds, Keys, MessageError, Tick};
use pfcluster_testing::clusters::host;
use pfcluster_tests::members::{KEY, Member, config, nothing, together};
use pfcluster_tests::property_config;
use proptest::prelude::*;

const NEXT: [u8; 32] = [8; 32];

/// The file before the rotation, after its first step, and after its second.
fn file(step: usize) -> Keys {
    let [old, new] = [KEY, NEXT].map(Key::new);
    match step {
        0 => old.into(),
        1 => Keys { current: old, next: Some(new) },
        _ => new.into(),
    }
}

fn read(member: &mut Member, step: usize) {
    member.input(Input::KeysRead { keys: file(step) });
}

fn member(at: usize, step: usize, run: u64, now: Tick) -> Member {
    let mut config = config(at, 3, run);
    config.keys = file(step);
    Member::new(config, nothing(), now)
}

fn cluster() -> [Member; 3] {
    [0, 1, 2].map(|at| member(at, 0, at as u64 + 1, Tick(0)))
}

fn all_hear_each_other(members: &[Member]) -> bool {
    members.iter().all(|member| {
        let status = member.supervisor.status(member.now);
        status.members.iter().all(|peer| peer.has_supervisor)
    })
}

fn dropped(members: &[Member]) -> u64 {
    members.iter().map(Member::dropped).sum()
}

#[test]
fn a_rotation_as_the_commands_do_it() {
    let mut members = cluster();
    together(&mut members, 1_000);
    for step in [1, 2] {
        for at in [2, 0, 1] {
            read(&mut members[at], step);
            together(&mut members, 1_500);
            assert!(all_hear_each_other(&members), "step {step}, pf{} has the file", at + 1);
        }
        let [old, new] = [KEY, NEXT].map(|key| Key::new(key).id());
        let expected = if step == 1 { (old, Some(new)) } else { (new, None) };
        for member in &members {
            let status = member.supervisor.status(member.now);
            let ids = Some(KeyIds { current: expected.0, next: expected.1 });
            assert_eq!(status.keys, ids);
            assert!(status.members.iter().all(|peer| peer.keys == ids), "each is known to accept it");
        }
    }
    assert_eq!(dropped(&members), 0);
}

/// A peer gets what it has said that it accepts, and what one sends before all accept it is made with the old key.
#[test]
fn the_next_key_is_used_towards_those_that_accept_it() {
    let mut members = cluster();
    together(&mut members, 1_000);
    read(&mut members[0], 1);
    read(&mut members[1], 1);
    together(&mut members, 1_000);
    members[0].pass(Tick(members[0].now.0 + 500));
    let made_with = |to: usize, key: [u8; 32]| {
        let mut datagrams = members[0].sent.iter().filter(|(other, _)| *other == host(to)).peekable();
        let keys = Keys::from(Key::new(key));
        datagrams.peek().is_some() && datagrams.all(|(_, bytes)| pfcluster_core::supervisor::is_authentic(bytes, &keys))
    };
    assert!(made_with(1, NEXT) && made_with(2, KEY));
}

/// A member that missed the first step hears nobody after the second, and says why: the file has to be brought to it.
#[test]
fn a_member_without_the_next_key_is_left_out_by_the_second_step() {
    let mut members = cluster();
    together(&mut members, 1_000);
    for step in [1, 2] {
        read(&mut members[0], step);
        read(&mut members[1], step);
        together(&mut members, 1_000);
    }
    together(&mut members, 6_000);
    assert!(members[0].knows(&host(1)).has_supervisor && !members[0].knows(&host(2)).has_supervisor);
    let status = members[2].supervisor.status(members[2].now);
    assert!(status.dropped.contains_key(&MessageError::Forged), "{:?}", status.dropped);
    read(&mut members[2], 2);
    together(&mut members, 1_000);
    assert!(all_hear_each_other(&members));
}

/// The stolen key is worth nothing once it is gone from the file.
#[test]
fn the_old_key_ends_with_the_second_step() {
    let mut member = member(0, 2, 1, Tick(0));
    let mut thief = Member::new(config(1, 3, 9), nothing(), Tick(0));
    for _ in 0..5 {
        thief.pass(Tick(thief.now.0 + 500));
        member.pass(thief.now);
        let sent: Vec<_> = thief.sent.drain(..).filter(|(to, _)| *to == host(0)).collect();
        sent.iter().for_each(|(_, bytes)| member.receives(bytes));
        let answers: Vec<_> = member.sent.drain(..).filter(|(to, _)| *to == host(1)).collect();
        answers.iter().for_each(|(_, bytes)| thief.receives(bytes));
    }
    assert!(!member.knows(&host(1)).has_supervisor && member.evidence_of(&host(1)).is_none());
}

proptest! {
    #![proptest_config(property_config())]

    /// The files of one step reach the members in any order and at any time, and members start again in between: a pair whose files
    /// are one step apart at most understands each other soon.
    #[test]
    fn files_one_step_apart_split_nothing(changes in prop::collection::vec((0..3_usize, any::<bool>(), 0..1500_u64), 1..12)) {
        let mut members = cluster();
        together(&mut members, 1_000);
        let mut steps = [0; 3];
        for (run, (at, restarts, wait)) in (10..).zip(changes) {
            // The second step begins when all have the first: that is what `--finish` looks at.
            let all = *steps.iter().min().expect("three members");
            if steps[at] == all && all < 2 {
                steps[at] += 1;
            }
            if restarts {
                members[at] = member(at, steps[at], run, members[at].now);
            } else {
                read(&mut members[at], steps[at]);
            }
            together(&mut members, wait);
        }
        together(&mut members, 1_500);
        prop_assert!(all_hear_each_other(&members), "{steps:?}");
    }
}
