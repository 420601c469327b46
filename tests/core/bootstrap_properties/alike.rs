//! Letters that the smaller alphabets leave out: the rules treat them like others that they have.

use pfcluster_core::galera::bootstrap::{Policy, Seen};
use pfcluster_core::galera::{
    Evidence, Found, Gvwstate, Observation, Position, Process, Recovered, Seqno, Silence, Uuid, ViewId,
    select_bootstrap,
};
use pfcluster_testing::evidence;
use proptest::prelude::*;

use super::{cases, gist};

/// The same members with other evidence.
fn changed(seen: &[Seen], change: impl Fn(&mut Evidence)) -> Vec<Seen> {
    let mut seen = seen.to_vec();
    for one in &mut seen {
        if let Observation::Known(evidence) = &mut one.observation {
            change(evidence);
        }
    }
    seen
}

fn same(one: &[Seen], other: &[Seen], policy: &Policy) -> Result<(), TestCaseError> {
    prop_assert_eq!(gist(&select_bootstrap(one, policy)), gist(&select_bootstrap(other, policy)));
    Ok(())
}

fn without_flag_line(evidence: &mut Evidence) {
    if let Some(files) = &mut evidence.files
        && let Found::Read(grastate) = &mut files.grastate
    {
        grastate.safe_to_bootstrap = grastate.safe_to_bootstrap.filter(|flag| *flag);
    }
}

fn without_marker(evidence: &mut Evidence) {
    if let Some(files) = &mut evidence.files {
        files.sst_marker = false;
    }
}

fn not_run(evidence: &mut Evidence) {
    if let Some(files) = &mut evidence.files
        && let Recovered::Failed(_) = files.recovered
    {
        files.recovered = Recovered::NotRun;
    }
}

fn torn_view(evidence: &mut Evidence) {
    if let Some(files) = &mut evidence.files
        && files.gvwstate == Found::Absent
    {
        files.gvwstate = Found::Torn("empty".into());
    }
}

/// Other numbers in the same order, as far apart.
fn renumbered(evidence: &mut Evidence) {
    let number = |seqno: i64| if seqno < 0 { -1 } else { seqno / 4 + 1_000_000 };
    let seqno = |seqno: Seqno| Seqno::new(number(seqno.get())).expect("not below zero");
    let place = |at: Position| Position::new(at.uuid(), number(at.seqno().get())).expect("a position");
    if let Process::Running(running) = &mut evidence.process {
        running.last_committed = number(running.last_committed);
    }
    let Some(files) = &mut evidence.files else { return };
    if let Found::Read(grastate) = &mut files.grastate {
        grastate.seqno = number(grastate.seqno);
    }
    if let Recovered::At(position) = &mut files.recovered {
        *position = place(*position);
    }
    let records = &mut files.records;
    records.last_recorded = records.last_recorded.map(place);
    if let Some(view) = &mut records.view {
        view.floor = seqno(view.floor);
    }
    records.forks.iter_mut().for_each(|fork| fork.at = place(fork.at));
    records.clean.iter_mut().for_each(|clean| clean.position = place(clean.position));
}

/// Quarters of small numbers meet, so they are spread first.
fn spread(evidence: &mut Evidence) {
    let number = |seqno: i64| if seqno < 1 << 60 { seqno.max(-1) * 4 } else { 1 << 58 };
    let seqno = |seqno: Seqno| Seqno::new(number(seqno.get())).expect("not below zero");
    let place = |at: Position| Position::new(at.uuid(), number(at.seqno().get())).expect("a position");
    if let Process::Running(running) = &mut evidence.process {
        running.last_committed = number(running.last_committed);
    }
    let Some(files) = &mut evidence.files else { return };
    if let Found::Read(grastate) = &mut files.grastate {
        grastate.seqno = number(grastate.seqno);
    }
    if let Recovered::At(position) = &mut files.recovered {
        *position = place(*position);
    }
    let records = &mut files.records;
    records.last_recorded = records.last_recorded.map(place);
    if let Some(view) = &mut records.view {
        view.floor = seqno(view.floor);
    }
    records.forks.iter_mut().for_each(|fork| fork.at = place(fork.at));
    records.clean.iter_mut().for_each(|clean| clean.position = place(clean.position));
}

/// Other names for nodes, histories and views: none is before another.
fn renamed(evidence: &mut Evidence) {
    let uuid = |uuid: &mut Uuid| {
        if !uuid.is_zero() {
            let digits: u128 = u128::from_str_radix(&uuid.to_string().replace('-', ""), 16).expect("digits");
            *uuid = Uuid::from_u128(!digits);
        }
    };
    let position = |at: Position| {
        let mut history = at.uuid();
        uuid(&mut history);
        Position::new(history, at.seqno().get()).expect("a position")
    };
    let view = |view: &mut ViewId| {
        uuid(&mut view.uuid);
        // Numbers mean nothing: the greater may be the older.
        view.seq = u32::MAX - view.seq;
    };
    if let Process::Running(running) = &mut evidence.process {
        uuid(&mut running.uuid);
        running.size = running.size.wrapping_add(1);
    }
    let Some(files) = &mut evidence.files else { return };
    if let Found::Read(grastate) = &mut files.grastate {
        uuid(&mut grastate.uuid);
    }
    if let Found::Read(Gvwstate { my_uuid, view: own, members, .. }) = &mut files.gvwstate {
        uuid(my_uuid);
        view(own);
        members.iter_mut().for_each(uuid);
        members.sort_unstable();
    }
    if let Recovered::At(at) = &mut files.recovered {
        *at = position(*at);
    }
    let records = &mut files.records;
    records.last_recorded = records.last_recorded.map(position);
    if let Some(record) = &mut records.view {
        view(&mut record.view);
        uuid(&mut record.uuid);
    }
    records.forks.iter_mut().for_each(|fork| fork.at = position(fork.at));
    records.clean.iter_mut().for_each(|clean| clean.position = position(clean.position));
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn a_missing_flag_is_not_set(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        same(&seen, &changed(&seen, without_flag_line), &policy)?;
    }

    /// But where a transfer broke off: what cannot be recovered there was given up when the transfer began.
    #[test]
    fn a_failed_recovery_is_as_good_as_none(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let seen = changed(&seen, without_marker);
        same(&seen, &changed(&seen, not_run), &policy)?;
    }

    /// But where an arbitrator votes: a torn file may be that of the member whose place it would take.
    #[test]
    fn a_torn_view_is_no_view(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let seen = changed(&seen, |evidence| evidence.arbitrator = false);
        same(&seen, &changed(&seen, torn_view), &policy)?;
    }

    #[test]
    fn only_the_order_of_numbers_counts(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let seen = changed(&seen, spread);
        same(&seen, &changed(&seen, renumbered), &policy)?;
    }

    #[test]
    fn names_mean_nothing(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        same(&seen, &changed(&seen, renamed), &policy)?;
    }

    #[test]
    fn how_a_member_is_silent_does_not_matter(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let mut other = seen.clone();
        for one in &mut other {
            if let Observation::Unknown(silence) = &mut one.observation {
                *silence = Silence::Garbled("no JSON".into());
            }
        }
        same(&seen, &other, &policy)?;
    }

    #[test]
    fn strangers_and_equal_hashes_do_not_matter(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let plain = changed(&seen, |evidence| evidence.members_hash = None);
        let other = changed(&plain, |evidence| {
            evidence.members_hash = Some("the same".into());
            if let Process::Running(running) = &mut evidence.process {
                running.sees_others = vec!["192.168.7.7:3306".into()];
            }
        });
        same(&plain, &other, &policy)?;
    }

    /// What the rules say of the whole list is said of it however often a member is there.
    #[test]
    fn a_full_list_of_sights_is_a_sight(seen in evidence::seen(1..=5), policy in evidence::policy(5)) {
        let other = changed(&seen, |evidence| {
            if let Process::Running(running) = &mut evidence.process {
                running.sees.reverse();
            }
        });
        same(&seen, &other, &policy)?;
    }
}
