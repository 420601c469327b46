//! Small alphabets for one thing each: forks, a life without Galera, arbitrators, floors, memory, one-sided disabling, and
//! what an operator says.

use pfcluster_core::galera::bootstrap::{Policy, Seen};
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Fork, LocalState, Observation, Position, Process, Records, Seqno,
    StartFailures, Uuid, ViewId, ViewRecord,
};

use super::alphabet::{Data, HIGH, LOW, Letter, Life, MIDDLE, OTHER, OURS, View, host, seen};
use super::search::Columns;

/// One letter for each thing that the rules tell apart.
fn base() -> Vec<Letter> {
    let (no, yes) = (Some(false), Some(true));
    let stopped = |data, view| Letter::new(Life::Stopped, data, view);
    let runs = |status, state, at, sees_all| {
        let life = Life::Runs { status, state, uuid: OURS, at, sees_all };
        Letter::new(life, Data::NotRecovered(false), View::All)
    };
    vec![
        Letter::UNKNOWN,
        stopped(Data::Clean(OURS, LOW, no), View::Absent),
        stopped(Data::Clean(OURS, HIGH, yes), View::Absent),
        stopped(Data::Crashed(OURS, MIDDLE, no), View::All),
        stopped(Data::Crashed(OURS, MIDDLE, yes), View::Alone),
        stopped(Data::Crashed(OURS, HIGH, no), View::WithNext),
        stopped(Data::Zero(Some(HIGH), no), View::Absent),
        runs(ClusterStatus::NonPrimary, LocalState::Initialized, MIDDLE, false),
        runs(ClusterStatus::Primary, LocalState::Synced, MIDDLE, true),
        runs(ClusterStatus::Primary, LocalState::Synced, MIDDLE, false),
    ]
}

/// The letters of [`base`] that hold nothing, or nothing that belongs here.
fn strange() -> Vec<Letter> {
    let stopped = |data| Letter::new(Life::Stopped, data, View::Absent);
    vec![
        stopped(Data::Empty),
        stopped(Data::Missing(None)),
        stopped(Data::Crashed(OTHER, MIDDLE, Some(false))),
        Letter { maintenance: true, ..stopped(Data::Clean(OURS, HIGH, Some(false))) },
        Letter { marker: true, ..stopped(Data::Zero(None, Some(true))) },
        Letter { marker: true, ..Letter::new(Life::Starting, Data::Zero(None, Some(false)), View::All) },
    ]
}

/// A change of evidence, for a member at a place of so many.
type Change<'a> = &'a dyn Fn(usize, usize, &mut Evidence);

/// The letters, each with each of these changes. What is not known can't be changed.
fn changed(letters: &[Letter], disabled: &[bool], changes: &[Change<'_>]) -> Columns {
    let size = disabled.len();
    let column = |at: usize| {
        let mut column: Vec<Seen> = Vec::new();
        for letter in letters {
            for change in changes {
                let mut one = seen(at, *letter, disabled);
                if let Observation::Known(evidence) = &mut one.observation {
                    change(at, size, evidence);
                }
                if !column.contains(&one) {
                    column.push(one);
                }
            }
        }
        column
    };
    (0..size).map(column).collect()
}

fn records(evidence: &mut Evidence) -> Option<&mut Records> {
    Some(&mut evidence.files.as_mut()?.records)
}

fn add_fork(evidence: &mut Evidence, id: u64, uuid: Uuid, seqno: i64) {
    let at = Position::new(uuid, seqno).expect("a position");
    if let Some(records) = records(evidence) {
        records.forks.push(Fork { id, at });
    }
}

pub(crate) fn forks(size: usize) -> Columns {
    let changes: [Change<'_>; 7] = [
        &|_, _, _| {},
        &|_, _, evidence| add_fork(evidence, 1, OURS, LOW),
        &|_, _, evidence| add_fork(evidence, 2, OURS, MIDDLE),
        &|_, _, evidence| add_fork(evidence, 3, OURS, LOW),
        &|_, _, evidence| add_fork(evidence, 4, OTHER, MIDDLE),
        &|_, _, evidence| {
            add_fork(evidence, 1, OURS, LOW);
            add_fork(evidence, 2, OURS, MIDDLE);
        },
        &|_, _, evidence| {
            add_fork(evidence, 1, OURS, LOW);
            add_fork(evidence, 5, OTHER, LOW);
        },
    ];
    let other = Letter::new(Life::Stopped, Data::Crashed(OTHER, MIDDLE, Some(false)), View::All);
    changed(&[base(), vec![other]].concat(), &vec![false; size], &changes)
}

/// Stops that recovery has proved to be clean, and flags that were written later.
pub(crate) fn stops(size: usize) -> Columns {
    let stopped = |seqno, last| {
        move |_: usize, _: usize, evidence: &mut Evidence| {
            let position = Position::new(OURS, seqno).expect("a position");
            if let Some(records) = records(evidence) {
                records.clean = Some(CleanStop { position, last });
            }
        }
    };
    let (high, not_last, low) = (stopped(HIGH, true), stopped(HIGH, false), stopped(LOW, true));
    let again = |data| Letter::new(Life::Stopped, data, View::Absent);
    let letters = [again(Data::Crashed(OURS, HIGH, Some(true))), again(Data::Both(HIGH, OURS, LOW, true))];
    changed(&[base(), letters.to_vec()].concat(), &vec![false; size], &[&|_, _, _| {}, &high, &not_last, &low])
}

/// Starts that failed, and members whose supervisors were heard.
pub(crate) fn failures(size: usize) -> Columns {
    let failed = |_: usize, _: usize, evidence: &mut Evidence| {
        if let Some(records) = records(evidence) {
            records.start_failures = StartFailures { count: 3, why: "exit status 1".into() };
        }
    };
    let heard = |at: usize, size: usize, evidence: &mut Evidence| {
        if let Some(records) = records(evidence) {
            records.supervised = vec![host((at + 1) % size)];
        }
    };
    changed(&[base(), strange()].concat(), &vec![false; size], &[&|_, _, _| {}, &failed, &heard])
}

pub(crate) fn standalone(disabled: &[bool]) -> Columns {
    let ran_alone = |_: usize, _: usize, evidence: &mut Evidence| {
        if let Some(files) = &mut evidence.files {
            files.records.ran_standalone = true;
        }
    };
    changed(&[base(), strange()].concat(), disabled, &[&|_, _, _| {}, &ran_alone])
}

pub(crate) fn arbitrators(disabled: &[bool]) -> Columns {
    let arbitrator = |process: Process| {
        move |_: usize, _: usize, evidence: &mut Evidence| {
            evidence.arbitrator = true;
            evidence.process = process.clone();
            evidence.files = None;
        }
    };
    let (stopped, there) = (arbitrator(Process::Stopped), arbitrator(Process::Starting));
    let without_files = |_: usize, _: usize, evidence: &mut Evidence| evidence.files = None;
    changed(&[base(), strange()].concat(), disabled, &[&|_, _, _| {}, &stopped, &there, &without_files])
}

fn record(evidence: &mut Evidence, floor: i64, alone: bool) {
    let Some(files) = &mut evidence.files else { return };
    let own = files.gvwstate.read().map(|own| (own.view, own.members.len()));
    let (view, size) = own.unwrap_or((ViewId { uuid: OURS, seq: 7 }, 1));
    let size = if alone { 1 } else { u32::try_from(size).expect("few") };
    let floor = Seqno::new(floor).expect("a floor");
    files.records.view = Some(ViewRecord { view, uuid: OURS, floor, size: Some(size) });
}

pub(crate) fn floors(size: usize) -> Columns {
    let changes: [Change<'_>; 5] = [
        &|_, _, _| {},
        &|_, _, evidence| record(evidence, LOW, false),
        &|_, _, evidence| record(evidence, MIDDLE, false),
        &|_, _, evidence| record(evidence, HIGH, false),
        &|_, _, evidence| record(evidence, MIDDLE, true),
    ];
    changed(&[base(), strange()].concat(), &vec![false; size], &changes)
}

pub(crate) fn memories(disabled: &[bool]) -> Columns {
    let recorded = |uuid, seqno| {
        move |_: usize, _: usize, evidence: &mut Evidence| {
            if let Some(files) = &mut evidence.files {
                files.records.last_recorded = Position::new(uuid, seqno);
            }
        }
    };
    let (low, high, other) = (recorded(OURS, LOW), recorded(OURS, HIGH + 1), recorded(OTHER, HIGH + 1));
    changed(&[base(), strange()].concat(), disabled, &[&|_, _, _| {}, &low, &high, &other])
}

/// Whoever counts whomever out, in any way.
pub(crate) fn disables(enabled: usize, size: usize) -> Columns {
    let letters: Vec<Letter> = [0, 2, 3, 7, 8].into_iter().map(|at| base()[at]).collect();
    let disabled: Vec<bool> = (0..size).map(|at| enabled >> at & 1 == 0).collect();
    let counts_out = |chosen: usize| {
        move |_: usize, size: usize, evidence: &mut Evidence| {
            evidence.disabled = (0..size).filter(|other| chosen >> other & 1 == 1).map(host).collect();
        }
    };
    let all: Vec<_> = (0..1_usize << size).map(counts_out).collect();
    let changes: Vec<Change<'_>> = all.iter().map(|change| change as Change<'_>).collect();
    changed(&letters, &disabled, &changes)
}

/// Servers in service, each of which sees whomever.
pub(crate) fn primaries(size: usize) -> Columns {
    let letter = |uuid, state, at| {
        let life = Life::Runs { status: ClusterStatus::Primary, state, uuid, at, sees_all: false };
        Letter::new(life, Data::NotRecovered(false), View::All)
    };
    let letters = [
        Letter::UNKNOWN,
        letter(OURS, LocalState::Synced, MIDDLE),
        letter(OURS, LocalState::Joining, -1),
        letter(OTHER, LocalState::Synced, MIDDLE),
        letter(Uuid::ZERO, LocalState::Synced, LOW),
        base()[1],
        base()[7],
    ];
    let sees = |chosen: usize| {
        move |_: usize, size: usize, evidence: &mut Evidence| {
            if let Process::Running(running) = &mut evidence.process {
                running.sees = (0..size).filter(|other| chosen >> other & 1 == 1).map(host).collect();
            }
        }
    };
    let all: Vec<_> = (0..1_usize << size).map(sees).collect();
    let changes: Vec<Change<'_>> = all.iter().map(|change| change as Change<'_>).collect();
    changed(&letters, &vec![false; size], &changes)
}

pub(crate) fn said(disabled: &[bool]) -> Columns {
    let ran_alone = |at: usize, _: usize, evidence: &mut Evidence| {
        if let (1, Some(files)) = (at, &mut evidence.files) {
            files.records.ran_standalone = true;
        }
    };
    changed(&[base(), strange()].concat(), disabled, &[&|_, _, _| {}, &ran_alone])
}

/// Fewer letters, for three times as many words.
pub(crate) fn said_to_many(disabled: &[bool]) -> Columns {
    let mut columns = said(disabled);
    for column in &mut columns {
        let (mut plain, mut alone) = (0, 0);
        column.retain(|one| {
            let ran_alone = matches!(&one.observation, Observation::Known(evidence)
                if evidence.files.as_ref().is_some_and(|files| files.records.ran_standalone));
            let (count, every) = if ran_alone { (&mut alone, 3) } else { (&mut plain, 2) };
            *count += 1;
            *count % every == 1
        });
    }
    columns
}

/// Everything that an operator can say of so many members.
pub(crate) fn words(size: usize) -> Vec<Policy> {
    let hosts = |chosen: usize| (0..size).filter(|at| chosen >> at & 1 == 1).map(host).collect();
    let mut policies = Vec::new();
    for lost in 0..1_usize << size {
        for discarded in 0..1_usize << size {
            let policy = Policy { assume_lost: hosts(lost), discard: hosts(discarded), ..Policy::default() };
            policies.push(policy.clone());
            policies.push(Policy { standalone: true, ..policy.clone() });
            policies.push(Policy { split_confirmed: true, ..policy.clone() });
            for at in 0..size {
                policies.push(Policy { force: Some(host(at)), ..policy.clone() });
                policies.push(Policy { seed: Some(host(at)), ..policy.clone() });
            }
        }
    }
    policies
}
