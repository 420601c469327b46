//! What a member holds, read from its evidence a second time.

use crate::galera::bootstrap::{Policy, Seen};
use crate::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, LocalState, Observation, Position, Process, Records, Recovered,
    Running,
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
        (_, None) => Held::Unknown,
        (_, Some(files)) => in_files(files),
    }
}

fn in_files(files: &Files) -> Held {
    let found = match &files.recovered {
        Recovered::At(position) => Some(*position),
        _ => None,
    };
    if files.sst_marker {
        return Held::Bad(None);
    }
    if files.datadir_empty && found.is_none() {
        return Held::Empty;
    }
    if let Found::Read(grastate) = &files.grastate
        && !grastate.uuid.is_zero()
    {
        let written = Position::new(grastate.uuid, grastate.seqno);
        return match (written, found, &files.recovered) {
            (_, Some(found), _) if found.uuid() != grastate.uuid => Held::Bad(Some(found)),
            (Some(written), Some(found), _) if written.is_above(found) => Held::Good(written),
            (_, Some(found), _) => Held::Good(found),
            (Some(written), None, _) => Held::Good(written),
            (None, None, Recovered::NoHistory) => Held::Bad(None),
            (None, None, _) => Held::Unknown,
        };
    }
    match (&files.recovered, &files.grastate) {
        (Recovered::At(position), _) => Held::Bad(Some(*position)),
        (Recovered::NoHistory, Found::Torn(_)) => Held::Bad(None),
        (Recovered::NoHistory, _) => Held::NoHistory,
        _ => Held::Unknown,
    }
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
    for fork in &records.forks {
        all.extend(Position::new(fork.uuid, fork.seqno.get()));
    }
    all
}

pub(super) fn ran_alone(seen: &Seen) -> bool {
    records(seen).is_some_and(|records| records.ran_standalone)
}

/// It takes part in a state transfer.
pub(super) fn transfers(seen: &Seen) -> bool {
    running(seen).is_some_and(|running| matches!(running.state, LocalState::Joining | LocalState::Donor))
        || is_starting(seen) && files(seen).is_some_and(|files| files.sst_marker)
}

/// It was not there at a fork that somebody remembers whose data still count, and holds more than was common then.
pub(super) fn cut_off(one: &Seen, seen: &[Seen], policy: &Policy) -> bool {
    forks_without(one, seen, policy).any(|fork| fork.known)
}

/// Forks below what a member holds, at which it was not. If the list of those present may lack somebody, nobody knows.
pub(super) fn forks_without<'a>(one: &'a Seen, seen: &'a [Seen], policy: &'a Policy) -> impl Iterator<Item = &'a Fork> {
    let position = held(one).good();
    let counting = seen.iter().filter(|other| !policy.discard.contains(&other.host));
    let forks = counting.filter_map(records).flat_map(|records| &records.forks);
    forks.filter(move |fork| {
        position.is_some_and(|at| at.uuid() == fork.uuid && at.seqno() > fork.seqno)
            && !was_at(one, fork)
            && may_live(fork, seen, policy)
    })
}

/// Something that was written after a fork may be there. If all who went along are known, and a power cut cost each of
/// them whatever it had beyond, then the fork has no successor that others could differ from.
fn may_live(fork: &Fork, seen: &[Seen], policy: &Policy) -> bool {
    let beyond = |one: &Seen| match held(one) {
        Held::Unknown => true,
        holds => holds.seeming().is_some_and(|at| at.uuid() == fork.uuid && at.seqno() > fork.seqno),
    };
    let strangers = fork.present.iter().any(|host| seen.iter().all(|one| one.host != *host));
    let members = seen.iter().filter(|one| was_at(one, fork) && !policy.discard.contains(&one.host));
    !fork.known || strangers || members.into_iter().any(beyond)
}

/// It is listed, or has a record of the same fork itself.
pub(super) fn was_at(one: &Seen, fork: &Fork) -> bool {
    let same = |own: &Fork| {
        (own.uuid, own.seqno) == (fork.uuid, fork.seqno)
            && own.present.iter().any(|member| fork.present.contains(member))
    };
    fork.present.contains(&one.host) || records(one).is_some_and(|records| records.forks.iter().any(same))
}
