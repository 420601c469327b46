//! What a member holds, read from its evidence a second time.

use pfcluster_core::galera::bootstrap::{Policy, Seen};
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, LocalState, Observation, Position, Process, Records, Recovered,
    Running, Uuid,
};

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Not known.
    Unknown,
    /// It is an arbitrator.
    Nothing,
    /// It is empty.
    Empty,
    /// Data that belong to no history.
    NoHistory,
    /// Data that can't be trusted; where they seem to be.
    Bad(Option<Position>),
    /// A state of a history.
    Good(Position),
}

impl Held {
    /// The position that can be trusted.
    pub fn good(self) -> Option<Position> {
        match self {
            Held::Good(position) => Some(position),
            _ => None,
        }
    }

    /// The position, trusted or not.
    pub fn seeming(self) -> Option<Position> {
        match self {
            Held::Good(position) | Held::Bad(Some(position)) => Some(position),
            _ => None,
        }
    }
}

/// What a member holds, by its evidence.
///
/// What a stopped server holds is what `InnoDB` holds, whatever number grastate.dat has.
pub fn held(seen: &Seen) -> Held {
    let Some(evidence) = evidence(seen) else { return Held::Unknown };
    if evidence.arbitrator {
        return Held::Nothing;
    }
    match (&evidence.process, &evidence.files) {
        (Process::Running(_), _) if evidence.runs_alone() => Held::NoHistory,
        (Process::Running(running), _) => match Position::new(running.uuid, running.last_committed) {
            Some(position) if !matches!(running.state, LocalState::Joining | LocalState::Inconsistent) => {
                Held::Good(position)
            }
            // It has a history, and has not said yet how far it has come.
            None if !running.uuid.is_zero()
                && !matches!(running.state, LocalState::Joining | LocalState::Inconsistent) =>
            {
                Held::Unknown
            }
            _ => Held::Bad(None),
        },
        (Process::NotResponding | Process::Bootstrapping, _) | (_, None) => Held::Unknown,
        (process, Some(files)) => in_files(files, *process == Process::Stopped),
    }
}

fn highest(records: &Records, uuid: Uuid) -> Option<Position> {
    let view = records.view.and_then(|view| Position::new(view.uuid, view.floor.get()));
    let all = records.last_recorded.into_iter().chain(view).chain(records.clean.map(|clean| clean.position));
    let all = all.chain(records.forks.iter().map(|fork| fork.at));
    all.filter(|position| position.uuid() == uuid).max_by_key(|position| position.seqno())
}

fn in_files(files: &Files, is_stopped: bool) -> Held {
    let found = match &files.recovered {
        Recovered::At(position) => Some(*position),
        _ => None,
    };
    if files.sst_marker {
        let stopped_unread = is_stopped && files.recovered == Recovered::NotRun;
        return if stopped_unread { Held::Unknown } else { Held::Bad(found.filter(|_| is_stopped)) };
    }
    if files.datadir_empty && found.is_none() {
        return Held::Empty;
    }
    if files.unsynced_transfer {
        // What it confirmed to clients may be there.
        let uuid = found.map(Position::uuid).or(files.records.last_recorded.map(Position::uuid));
        let recorded = uuid.and_then(|uuid| highest(&files.records, uuid));
        let reached = recorded.into_iter().chain(found).max_by_key(|position| position.seqno());
        return match (&reached, &files.recovered) {
            (_, Recovered::NotRun) if is_stopped => Held::Unknown,
            (None, Recovered::NotRun | Recovered::Failed(_)) => Held::Unknown,
            _ => Held::Bad(reached),
        };
    }
    if let Found::Read(grastate) = &files.grastate
        && !grastate.uuid.is_zero()
    {
        return match (found, &files.recovered) {
            // Where a start with a new UUID was interrupted, the data are where they were.
            (Some(found), _)
                if found.uuid() != grastate.uuid && files.records.forks.iter().all(|fork| fork.at != found) =>
            {
                Held::Bad(Some(found))
            }
            (Some(found), _) => Held::Good(found),
            (None, Recovered::NoHistory) => Held::Bad(None),
            (None, _) => Held::Unknown,
        };
    }
    if let (Some(found), Some(own), Some(record)) = (found, files.gvwstate.read(), files.records.view)
        && files.grastate.read().is_some()
        && own.listed().is_some()
        && own.view == record.view
        && found.uuid() == record.uuid
        && found.seqno() >= record.floor
    {
        // A crash in a DDL statement: it was Synced in its last view, and has all that it had there.
        return Held::Good(found);
    }
    match (&files.recovered, &files.grastate) {
        (Recovered::At(position), _) => Held::Bad(Some(*position)),
        (Recovered::NoHistory, Found::Torn(_)) => Held::Bad(None),
        (Recovered::NoHistory, _) => Held::NoHistory,
        _ => Held::Unknown,
    }
}

/// Its zero UUID may be the mark of an inconsistency: others may have gone on in a later view than its own.
pub(super) fn may_be_outlived(one: &Seen, seen: &[Seen], policy: &Policy) -> bool {
    let Some(own) = files(one) else { return false };
    let is_zero = own.grastate.read().is_some_and(|grastate| grastate.uuid.is_zero());
    let Some(last) = own.records.view.filter(|_| is_zero && running(one).is_none()) else { return false };
    seen.iter().filter(|other| other.host != one.host && !policy.discard.contains(&other.host)).any(|other| {
        let of_history = records(other).and_then(|records| records.view).filter(|view| view.uuid == last.uuid);
        let held = files(other).and_then(|files| files.gvwstate.read()).filter(|held| held.listed().is_some());
        let not_older = of_history.is_some_and(|view| view.view != last.view && view.floor >= last.floor);
        let unknown =
            held.is_some_and(|held| held.view != last.view && of_history.is_none_or(|view| view.view != held.view));
        not_older || unknown
    })
}

pub(super) fn evidence(seen: &Seen) -> Option<&Evidence> {
    match &seen.observation {
        Observation::Known(evidence) => Some(evidence),
        Observation::Unknown(_) => None,
    }
}

pub(super) fn running(seen: &Seen) -> Option<&Running> {
    match &evidence(seen)?.process {
        Process::Running(running) => Some(running),
        _ => None,
    }
}

pub(super) fn is_primary(seen: &Seen) -> bool {
    running(seen).is_some_and(|running| running.status == ClusterStatus::Primary)
}

pub(super) fn is_starting(seen: &Seen) -> bool {
    evidence(seen).is_some_and(|evidence| evidence.process == Process::Starting)
}

pub(super) fn files(seen: &Seen) -> Option<&Files> {
    evidence(seen)?.files.as_ref()
}

pub(super) fn records(seen: &Seen) -> Option<&Records> {
    Some(&files(seen)?.records)
}

/// What an empty member remembers to have had: every position in its records, and one more if it went on alone there.
pub(super) fn remembered(seen: &Seen) -> Vec<Position> {
    let Some(records) = records(seen).filter(|_| held(seen) == Held::Empty) else { return Vec::new() };
    let mut all = Vec::from_iter(records.last_recorded);
    if let Some(view) = &records.view {
        all.extend(Position::new(view.uuid, view.floor.get() + i64::from(view.size == Some(1))));
    }
    all.extend(records.clean.map(|clean| clean.position));
    all.extend(records.forks.iter().map(|fork| fork.at));
    all
}

pub(super) fn ran_alone(seen: &Seen) -> bool {
    records(seen).is_some_and(|records| records.ran_standalone)
}

fn may_receive(seen: &Seen) -> bool {
    evidence(seen).is_some_and(|evidence| matches!(evidence.process, Process::Starting | Process::NotResponding))
}

/// It takes part in a state transfer, as far as all evidence tells.
pub(super) fn transfers(one: &Seen, seen: &[Seen]) -> bool {
    let is_idle = |one: &Seen| {
        let at_rest = |evidence: &Evidence| matches!(evidence.process, Process::Stopped | Process::Starting);
        held(one) == Held::Nothing || evidence(one).is_some_and(at_rest)
    };
    let is_marked = may_receive(one) && files(one).is_some_and(|files| files.sst_marker);
    running(one).is_some_and(|running| matches!(running.state, LocalState::Joining | LocalState::Donor))
        || is_marked && !(is_starting(one) && held(one) != Held::Nothing && seen.iter().all(is_idle))
}

/// A component went on from a fork without it, and it is more advanced than that was.
pub(super) fn diverged(one: &Seen, seen: &[Seen], policy: &Policy) -> bool {
    missed_forks(one, seen, policy).any(|fork| held(one).good().is_some_and(|at| at.is_above(fork.at)))
}

/// Forks of its UUID that somebody remembers whose data still count, and it does not.
pub(super) fn missed_forks<'a>(one: &'a Seen, seen: &'a [Seen], policy: &'a Policy) -> impl Iterator<Item = &'a Fork> {
    let position = held(one).good();
    let counting = seen.iter().filter(|other| !policy.discard.contains(&other.host));
    let forks = counting.filter_map(records).flat_map(|records| &records.forks);
    forks.filter(move |fork| {
        let left_behind = |at: Position| {
            let elsewhere = |other: &Seen| held(other).good().is_some_and(|other| other.uuid() != fork.at.uuid());
            let went_on =
                |other: &Seen| !policy.discard.contains(&other.host) && remembers(other, fork) && elsewhere(other);
            !at.is_above(fork.at) && seen.iter().any(went_on)
        };
        position.is_some_and(|at| {
            at.uuid() == fork.at.uuid() && (!remembers(one, fork) || left_behind(at)) && may_live(fork, seen, policy)
        })
    })
}

/// Something that was written after a fork may be there.
///
/// Who went on from a fork is not recorded, so that a member of which nothing is known may be one of them.
fn may_live(fork: &Fork, seen: &[Seen], policy: &Policy) -> bool {
    let out_of_sight = |one: &Seen| {
        let answered =
            held(one) == Held::Nothing || held(one) != Held::Unknown && (files(one).is_some() || is_primary(one));
        !answered && !policy.discard.contains(&one.host) && !policy.assume_lost.contains(&one.host)
    };
    if seen.iter().any(out_of_sight) {
        return true;
    }
    let beyond = |one: &Seen| match held(one) {
        Held::Unknown => true,
        Held::Empty => !remembered(one).is_empty(),
        holds => holds.seeming().is_some_and(|at| at.uuid() != fork.at.uuid() || at.is_above(fork.at)),
    };
    seen.iter().any(|one| remembers(one, fork) && !policy.discard.contains(&one.host) && beyond(one))
}

pub(super) fn remembers(one: &Seen, fork: &Fork) -> bool {
    records(one).is_some_and(|records| records.forks.iter().any(|own| own.id == fork.id))
}

/// Its UUID ended at a fork, and somebody who went on from there has another one.
pub(super) fn has_successor(at: Position, seen: &[Seen], policy: &Policy) -> bool {
    seen.iter().any(|one| {
        let went_on = held(one).good().is_some_and(|own| own.uuid() != at.uuid());
        let ended = records(one).is_some_and(|records| records.forks.iter().any(|fork| fork.at.uuid() == at.uuid()));
        went_on && ended && !policy.discard.contains(&one.host)
    })
}
