//! What the evidence of one member comes down to: what it holds, and whether that can be trusted.

use super::Seen;
use super::action::{Defect, Need};
use crate::cluster::Hostname;
use crate::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, LocalState, Observation, Position, Process, Records, Recovered,
    Running,
};

/// One member, as the rules look at it.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// Its place among the members.
    pub(super) place: usize,
    pub(super) host: &'a Hostname,
    pub(super) enabled: bool,
    /// Its evidence; `None` if nothing is known.
    pub(super) evidence: Option<&'a Evidence>,
    /// What its data are.
    pub(super) holds: Holds,
    /// The operator gives its data up.
    pub(super) given_up: bool,
    /// History went on without it, and this is where.
    pub(super) left_out: Option<LeftOut<'a>>,
}

/// What the data of a member are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Not known, for want of this.
    Unknown(Need),
    /// It is an arbitrator.
    Nothing,
    /// There are none.
    Empty,
    /// They belong to no history.
    NoHistory,
    /// They can't be trusted. The position, where there is one, is what they may hold.
    Unsafe(Defect, Option<Position>),
    /// They are at this position.
    Safe(Position),
}

/// A fork at which a member was not present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeftOut<'a> {
    pub(super) fork: &'a Fork,
    pub(super) holds: BeyondFork,
}

/// What a member that was left out at a fork holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BeyondFork {
    /// Nothing beyond what was common then.
    Nothing,
    /// Something, but it may have been present all the same.
    Doubtful,
    /// What was then cut off.
    CutOff,
}

impl<'a> Facts<'a> {
    pub(super) fn of(place: usize, seen: &'a Seen, given_up: bool) -> Facts<'a> {
        let (evidence, holds) = match &seen.observation {
            Observation::Unknown(silence) => (None, Holds::Unknown(Need::Evidence { silence: silence.clone() })),
            Observation::Known(evidence) => (Some(&**evidence), Holds::of(evidence)),
        };
        Facts { place, host: &seen.host, enabled: seen.enabled, evidence, holds, given_up, left_out: None }
    }

    /// True if it has given all the evidence that decides.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.holds, Holds::Unknown(_)) && !self.is_half_known()
    }

    /// It runs without service, and its files were not read: its position counts, but its view and its records would too.
    fn is_half_known(&self) -> bool {
        let runs = self.running().is_some() && self.primary().is_none();
        runs && self.files().is_none() && !self.arbitrator()
    }

    /// What is missing of it.
    pub(super) fn need(&self) -> Option<Need> {
        match &self.holds {
            Holds::Unknown(need) => Some(need.clone()),
            _ => self.is_half_known().then_some(Need::Files),
        }
    }

    pub(super) fn safe(&self) -> Option<Position> {
        match self.holds {
            Holds::Safe(position) => Some(position),
            _ => None,
        }
    }

    /// What it holds or may hold, if that has to be looked after: nothing that the operator gave up or that history went
    /// on without, and nothing of a disabled member that ran alone, whose position stands still.
    pub(super) fn may_hold(&self) -> Option<Position> {
        let counts = !self.given_up && !self.is_cut_off() && (self.enabled || !self.ran_standalone());
        match self.holds {
            Holds::Safe(position) | Holds::Unsafe(_, Some(position)) if counts => Some(position),
            _ => None,
        }
    }

    pub(super) fn running(&self) -> Option<&'a Running> {
        match &self.evidence?.process {
            Process::Running(running) => Some(running),
            Process::Starting | Process::Stopped => None,
        }
    }

    /// It runs and says that it is primary.
    pub(super) fn primary(&self) -> Option<&'a Running> {
        self.running().filter(|running| running.status == ClusterStatus::Primary)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.evidence.is_some_and(|evidence| evidence.process == Process::Stopped)
    }

    pub(super) fn is_starting(&self) -> bool {
        self.evidence.is_some_and(|evidence| evidence.process == Process::Starting)
    }

    pub(super) fn files(&self) -> Option<&'a Files> {
        self.evidence?.files.as_ref()
    }

    pub(super) fn records(&self) -> Option<&'a Records> {
        Some(&self.files()?.records)
    }

    pub(super) fn forks(&self) -> &'a [Fork] {
        self.records().map_or(&[], |records| &records.forks)
    }

    pub(super) fn maintenance(&self) -> bool {
        self.evidence.is_some_and(|evidence| evidence.maintenance)
    }

    pub(super) fn arbitrator(&self) -> bool {
        self.evidence.is_some_and(|evidence| evidence.arbitrator)
    }

    pub(super) fn ran_standalone(&self) -> bool {
        self.records().is_some_and(|records| records.ran_standalone)
    }

    /// It takes part in a state transfer now.
    pub(super) fn transfers(&self) -> bool {
        match self.evidence.map(|evidence| &evidence.process) {
            Some(Process::Running(running)) => matches!(running.state, LocalState::Joining | LocalState::Donor),
            Some(Process::Starting) => self.files().is_some_and(|files| files.sst_marker),
            Some(Process::Stopped) | None => false,
        }
    }

    /// A process is there that gives no service and does not transfer state either.
    pub(super) fn lingers(&self) -> bool {
        let runs = self.running().is_some() && self.primary().is_none();
        (runs || self.is_starting()) && !self.transfers()
    }

    /// It may be the source of a new primary component.
    pub(super) fn may_be_chosen(&self) -> bool {
        let goes_on = self.left_out.is_none_or(|out| out.holds == BeyondFork::Nothing);
        self.enabled && !self.given_up && self.is_known() && goes_on && self.safe().is_some() && !self.ran_standalone()
    }

    /// It holds what was cut off when history went on without it.
    pub(super) fn is_cut_off(&self) -> bool {
        self.left_out.is_some_and(|out| out.holds == BeyondFork::CutOff)
    }

    /// It took part in the fork, or joined afterwards.
    pub(super) fn went_along(&self, fork: &Fork) -> bool {
        fork.present.contains(self.host) || self.forks().iter().any(|own| own.is_same(fork))
    }

    /// It is empty, and remembers to have had more than this, or this and to have gone on alone from there.
    pub(super) fn had_above(&self, best: Position) -> Option<Position> {
        let is_empty = self.holds == Holds::Empty && !self.given_up;
        let records = self.records().filter(|_| is_empty)?;
        let was_alone = records
            .view
            .is_some_and(|view| view.uuid == best.uuid() && view.size == Some(1) && view.floor == best.seqno());
        let had = records.highest_of(best.uuid())?;
        (had.is_above(best) || had == best && was_alone).then_some(had)
    }

    /// It remembers that there was something.
    pub(super) fn remembers(&self) -> bool {
        self.records().is_some_and(|records| {
            records.last_recorded.is_some() || records.view.is_some() || !records.forks.is_empty()
        })
    }
}

impl Holds {
    fn of(evidence: &Evidence) -> Holds {
        if evidence.arbitrator {
            return Holds::Nothing;
        }
        match &evidence.process {
            Process::Running(_) if evidence.runs_alone() => Holds::NoHistory,
            Process::Running(running) => Holds::of_running(running),
            Process::Stopped | Process::Starting => match &evidence.files {
                None => Holds::Unknown(Need::Files),
                Some(files) => Holds::of_files(files, evidence.process == Process::Starting),
            },
        }
    }

    fn of_running(running: &Running) -> Holds {
        match Position::new(running.uuid, running.last_committed) {
            _ if running.state == LocalState::Inconsistent => Holds::Unsafe(Defect::Inconsistent, None),
            _ if running.state == LocalState::Joining => Holds::Unsafe(Defect::TransferRuns, None),
            Some(position) => Holds::Safe(position),
            None if running.uuid.is_zero() => Holds::Unsafe(Defect::ZeroUuid, None),
            None => Holds::Unknown(Need::Answer),
        }
    }

    fn of_files(files: &Files, starting: bool) -> Holds {
        let recovered = match files.recovered {
            Recovered::At(position) => Some(position),
            Recovered::NotRun | Recovered::Failed(_) | Recovered::NoHistory => None,
        };
        if files.sst_marker {
            // What a broken transfer left behind is no state that ever was, so it holds nothing.
            return Holds::Unsafe(if starting { Defect::TransferRuns } else { Defect::TransferBroken }, None);
        }
        if files.datadir_empty && recovered.is_none() {
            return Holds::Empty;
        }
        let grastate = match &files.grastate {
            Found::Read(grastate) => grastate,
            Found::Torn(_) => return Holds::recovered(files, starting, Defect::GrastateTorn),
            Found::Absent => return Holds::recovered(files, starting, Defect::GrastateMissing),
        };
        if grastate.uuid.is_zero() {
            return Holds::recovered(files, starting, Defect::ZeroUuid);
        }
        let written = Position::new(grastate.uuid, grastate.seqno);
        match (written, &files.recovered) {
            (_, Recovered::At(position)) if position.uuid() != grastate.uuid => {
                Holds::Unsafe(Defect::Contradiction, Some(*position))
            }
            (Some(written), Recovered::At(position)) if position.is_above(written) => Holds::Safe(*position),
            (Some(written), _) => Holds::Safe(written),
            (None, Recovered::At(position)) => Holds::Safe(*position),
            (None, Recovered::NoHistory) => Holds::Unsafe(Defect::Contradiction, None),
            (None, Recovered::NotRun | Recovered::Failed(_)) => Holds::without_position(files, starting),
        }
    }

    /// What is held beside a grastate.dat that says nothing: never to be trusted, but not to be forgotten either.
    fn recovered(files: &Files, starting: bool, defect: Defect) -> Holds {
        match files.recovered {
            Recovered::At(position) => Holds::Unsafe(defect, Some(position)),
            Recovered::NoHistory if defect == Defect::GrastateTorn => Holds::Unsafe(defect, None),
            Recovered::NoHistory => Holds::NoHistory,
            Recovered::NotRun | Recovered::Failed(_) => Holds::without_position(files, starting),
        }
    }

    fn without_position(files: &Files, starting: bool) -> Holds {
        Holds::Unknown(match &files.recovered {
            _ if starting => Need::Answer,
            Recovered::Failed(why) => Need::RecoveryThatWorks { why: why.clone() },
            _ => Need::Recovery,
        })
    }
}

/// Marks who was left out where history went on: whoever is neither listed at a fork that somebody remembers, nor
/// remembers it.
pub(super) fn mark_left_out(facts: &mut [Facts<'_>]) {
    let remembered = facts.iter().filter(|one| !one.given_up).flat_map(Facts::forks);
    let mut forks: Vec<&Fork> = remembered.collect();
    // Mostly all remember the same.
    forks.dedup();
    let forks: Vec<(&Fork, bool)> = forks.into_iter().map(|fork| (fork, may_survive(fork, facts))).collect();
    for one in facts {
        let Some(position) = one.safe() else { continue };
        let missed = forks.iter().filter(|(fork, _)| fork.uuid == position.uuid() && !one.went_along(fork));
        let out = missed.map(|&(fork, survives)| {
            let holds = match position.seqno() > fork.seqno {
                true if survives && fork.known => BeyondFork::CutOff,
                true if survives => BeyondFork::Doubtful,
                // History went on without it all the same: its view and its flag are things of the past.
                _ => BeyondFork::Nothing,
            };
            LeftOut { fork, holds }
        });
        // The worst counts; of equals the earliest, where it stayed behind.
        one.left_out = out.min_by_key(|out| (std::cmp::Reverse(out.holds), out.fork.seqno));
    }
}

/// Something of what went on at the fork is left, or may be: somebody who went along holds more than was common, or is not
/// known. A branch that is lost as a whole cuts nobody off.
fn may_survive(fork: &Fork, facts: &[Facts<'_>]) -> bool {
    let holds_more = |one: &Facts<'_>| match &one.holds {
        Holds::Safe(position) | Holds::Unsafe(_, Some(position)) => {
            position.uuid() == fork.uuid && position.seqno() > fork.seqno
        }
        Holds::Unknown(_) => true,
        // Its disk may only not be mounted.
        Holds::Empty => one.remembers(),
        Holds::Nothing | Holds::NoHistory | Holds::Unsafe(_, None) => false,
    };
    let is_member = |host: &Hostname| facts.iter().any(|one| one.host == host);
    !fork.known
        || !fork.present.iter().all(is_member)
        || facts.iter().any(|one| !one.given_up && one.went_along(fork) && holds_more(one))
}
