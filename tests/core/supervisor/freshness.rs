//! Old datagrams prove nothing: a recorded exchange is played again in every order.

use std::time::Duration;

use pfcluster_core::galera::{ClusterStatus, Evidence, Files, LocalState, Process, Records, Running, Uuid};
use pfcluster_core::supervisor::Tick;
use pfcluster_testing::clusters::host;
use pfcluster_tests::property_config;
use proptest::prelude::*;

use pfcluster_tests::members::{Member, config, nothing, stopped, talk};

/// Evidence counts for five seconds.
const FRESH: u64 = 5000;

/// Something else than before.
fn otherwise() -> Evidence {
    Evidence { process: Process::Starting, maintenance: true, ..nothing() }
}

/// Two that have heard each other for two seconds, and all that was sent to the first.
fn acquainted() -> (Member, Member, Vec<Vec<u8>>) {
    let mut one = Member::new(config(0, 2, 1), nothing(), Tick(0));
    let mut other = Member::new(config(1, 2, 2), nothing(), Tick(0));
    let sent = talk(&mut one, &mut other, 2000);
    let to_one = sent.into_iter().filter(|(to, _)| *to == host(0)).map(|(_, bytes)| bytes).collect();
    (one, other, to_one)
}

#[test]
fn evidence_ends_after_five_seconds() {
    let (mut one, _, _) = acquainted();
    let age = one.knows(&host(1)).age.expect("it was heard");
    let ends = one.now.0 + FRESH - u64::try_from(age.as_millis()).expect("milliseconds");
    one.pass(Tick(ends));
    assert!(one.evidence_of(&host(1)).is_some(), "to the last moment");
    one.pass(Tick(ends + 1));
    assert_eq!(one.evidence_of(&host(1)), None);
    assert!(!one.knows(&host(1)).has_supervisor);
}

/// A challenge is echoed at once, so nothing can be counted as newer than the question was.
#[test]
fn evidence_is_as_old_as_the_question_that_it_answers() {
    let (mut one, mut other, _) = acquainted();
    // The answer is a second on its way.
    other.pass(Tick(other.now.0 + 1000));
    let asked_before = one.now;
    let late: Vec<_> = other.sent.drain(..).collect();
    one.pass(Tick(one.now.0 + 3000));
    late.iter().for_each(|(_, bytes)| one.receives(bytes));
    let age = one.knows(&host(1)).age.expect("it is known");
    assert!(age >= one.now.since(asked_before), "{age:?}");
}

#[test]
fn what_was_recorded_refreshes_nothing() {
    let (mut one, _, recorded) = acquainted();
    for _ in 0..10 {
        let before = one.knows(&host(1));
        recorded.iter().for_each(|bytes| one.receives(bytes));
        let after = one.knows(&host(1));
        assert_eq!((before.age, before.seen.observation), (after.age, after.seen.observation));
        one.pass(Tick(one.now.0 + 1000));
    }
    assert_eq!(one.evidence_of(&host(1)), None, "nobody has spoken for ten seconds");
    assert_eq!(one.dropped(), 0, "each was a true message once");
}

/// A supervisor that starts again has new challenges: what was sent to the run before it proves nothing to it.
#[test]
fn what_was_sent_to_an_earlier_run_proves_nothing() {
    let (one, _, recorded) = acquainted();
    let mut again = Member::new(config(0, 2, 3), nothing(), one.now);
    recorded.iter().for_each(|bytes| again.receives(bytes));
    again.pass(Tick(again.now.0 + 1000));
    recorded.iter().for_each(|bytes| again.receives(bytes));
    assert_eq!(again.evidence_of(&host(1)), None);
}

/// The peer starts again and finds something else: what its earlier run said, still under way, does not take that back.
#[test]
fn an_earlier_run_does_not_take_back_what_the_later_one_says() {
    let (mut one, mut other, _) = acquainted();
    other.pass(Tick(other.now.0 + 1000));
    let under_way: Vec<_> = other.sent.drain(..).collect();
    let mut again = Member::new(config(1, 2, 3), otherwise(), other.now);
    talk(&mut one, &mut again, 500);
    let now = one.evidence_of(&host(1)).expect("it is heard");
    assert_eq!((&now.process, now.maintenance), (&Process::Starting, true));
    under_way.iter().for_each(|(_, bytes)| one.receives(bytes));
    assert_eq!(one.evidence_of(&host(1)), Some(now));
}

/// The same while the later run knows nothing yet, or what it knows is old: its disk hangs.
#[test]
fn an_earlier_run_does_not_answer_for_one_that_cannot_look() {
    let (mut one, mut other, _) = acquainted();
    other.pass(Tick(other.now.0 + 1000));
    let under_way: Vec<_> = other.sent.drain(..).collect();
    let mut again = Member::blind(config(1, 2, 3), other.now);
    talk(&mut one, &mut again, 500);
    assert_eq!(one.evidence_of(&host(1)), None, "it can't look");
    under_way.iter().for_each(|(_, bytes)| one.receives(bytes));
    assert_eq!(one.evidence_of(&host(1)), None);
}

/// Once a second where it serves, also without Galera; more often where something may be about to happen.
#[test]
fn a_database_that_serves_is_looked_at_once_a_second() {
    let running = |uuid, status, state, ran_standalone| Evidence {
        process: Process::Running(Running {
            uuid,
            status,
            state,
            size: 1,
            last_committed: 10,
            sees: vec![host(0)],
            sees_others: Vec::new(),
        }),
        ..stopped(Files { records: Records { ran_standalone, ..Records::default() }, ..Files::default() })
    };
    let history = Uuid::from_u128(0xA << 120);
    let waits = running(history, ClusterStatus::NonPrimary, LocalState::Initialized, false);
    let serves = [
        running(history, ClusterStatus::Primary, LocalState::Synced, false),
        running(Uuid::ZERO, ClusterStatus::Disconnected, LocalState::Initialized, true),
    ];
    for finds in serves {
        let mut member = Member::new(config(0, 1, 1), finds, Tick(0));
        member.pass(Tick(10_000));
        assert_eq!(member.looks, 11, "at once, and then every second");
    }
    let mut member = Member::new(config(0, 1, 1), waits, Tick(0));
    member.pass(Tick(10_000));
    assert_eq!(member.looks, 67, "at once, and then every 0.15 s");
}

/// What is sent in vain is not sent for ever: an answer is answered, and no more.
#[test]
fn two_do_not_keep_each_other_busy() {
    let mut one = Member::new(config(0, 2, 1), nothing(), Tick(0));
    let mut other = Member::new(config(1, 2, 2), nothing(), Tick(0));
    // Each tells every 0.4 s out of service, and answers at first.
    let sent = talk(&mut one, &mut other, 10_000).len();
    assert!((50..70).contains(&sent), "{sent}");
    // Somebody plays old datagrams to one of them as fast as the line allows.
    let recorded = talk(&mut one, &mut other, 1000);
    let mut again = Member::new(config(0, 2, 3), nothing(), one.now);
    again.sent.clear();
    let began = again.now;
    for millisecond in 0..1000 {
        again.pass(began + Duration::from_millis(millisecond));
        recorded.iter().for_each(|(_, bytes)| again.receives(bytes));
    }
    assert!(again.sent.len() <= 60, "at most every 20 ms, beside what it tells anyway: {}", again.sent.len());
}

proptest! {
    #![proptest_config(property_config())]

    /// A recorded exchange, played again in any order, at any time, mixed with what is said now: what is known of the peer is
    /// always something that it said within the last five seconds, and never older than what was known before.
    #[test]
    fn replays_in_any_order_prove_nothing(order in prop::collection::vec((any::<prop::sample::Index>(), 0..400_u64), 1..60)) {
        let (mut one, mut other, mut recorded) = acquainted();
        other.finds = otherwise();
        recorded.extend(talk(&mut one, &mut other, 1100).into_iter().filter(|(to, _)| *to == host(0)).map(|(_, bytes)| bytes));
        let said = one.evidence_of(&host(1));
        prop_assert_eq!(said.as_ref().map(|evidence| evidence.maintenance), Some(true));
        let silent_since = one.now;
        for (which, wait) in order {
            one.pass(one.now + Duration::from_millis(wait));
            one.receives(&recorded[which.index(recorded.len())]);
            let known = one.evidence_of(&host(1));
            prop_assert!(known.is_none() || known == said);
            prop_assert!(known.is_none() || one.now.since(silent_since) <= Duration::from_millis(FRESH));
        }
    }
}
