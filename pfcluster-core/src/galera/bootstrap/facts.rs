//! What the evidence of one member comes down to: what it holds, and whether that can be trusted.

use std::collections::BTreeSet;

use super::action::{Defect, Need};
use super::{Policy, Seen};
use crate::cluster::Hostname;
use crate::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, LocalState, Observation, Position, Process, Records, Recovered,
    Running, Uuid, ViewId, ViewRecord,
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
    /// Its position counts only because the operator trusts it.
    pub(super) by_trust: bool,
    /// A component was started without it at this position, which it does not remember.
    pub(super) missed: Option<Missed>,
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

/// A fork that a member missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// The fork.
    pub(super) fork: Fork,
    /// It is more advanced than the fork: it has diverged.
    pub(super) diverged: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(place: usize, seen: &'a Seen, policy: &Policy) -> Facts<'a> {
        let given_up = policy.discard.contains(&seen.host);
        let trusted = policy.trust.contains(&seen.host);
        let (evidence, holds) = match &seen.observation {
            Observation::Unknown(silence) => (None, Holds::Unknown(Need::Evidence { silence: silence.clone() })),
            Observation::Known(evidence) => (Some(&**evidence), Holds::of(evidence, trusted)),
        };
        let by_trust = trusted && evidence.is_some_and(|evidence| Holds::of(evidence, false) != holds);
        Facts { place, host: &seen.host, enabled: seen.enabled, evidence, holds, given_up, by_trust, missed: None }
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

    /// What it holds or may hold, if that has to be looked after: nothing that the operator gave up or that a fork went on
    /// without, and nothing of a disabled member that ran alone, whose position stands still.
    pub(super) fn may_hold(&self) -> Option<Position> {
        let counts = !self.given_up && !self.has_diverged() && (self.enabled || !self.ran_standalone());
        match self.holds {
            Holds::Safe(position) | Holds::Unsafe(_, Some(position)) if counts => Some(position),
            _ => None,
        }
    }

    pub(super) fn running(&self) -> Option<&'a Running> {
        match &self.evidence?.process {
            Process::Running(running) => Some(running),
            Process::Starting | Process::Bootstrapping | Process::NotResponding | Process::Stopped => None,
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

    /// Its process may serve clients, now or at any moment, and does not say so.
    pub(super) fn may_be_serving(&self) -> bool {
        let process = self.evidence.map(|evidence| &evidence.process);
        matches!(process, Some(Process::NotResponding | Process::Bootstrapping)) && !self.arbitrator()
    }

    /// Its starts have failed so often that it cannot be started.
    pub(super) fn cannot_start(&self) -> bool {
        self.records().is_some_and(|records| records.start_failures.cannot_start())
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

    pub(super) fn remembers_fork(&self, fork: &Fork) -> bool {
        self.records().is_some_and(|records| records.remembers(fork))
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
            Some(Process::Starting | Process::NotResponding) => {
                let is_over = matches!(self.holds, Holds::Unsafe(Defect::TransferBroken, _));
                !is_over && self.files().is_some_and(|files| files.sst_marker)
            }
            Some(Process::Stopped | Process::Bootstrapping) | None => false,
        }
    }

    /// A process is there that gives no service and does not transfer state either.
    pub(super) fn lingers(&self) -> bool {
        let runs = self.running().is_some() && self.primary().is_none();
        (runs || self.is_starting()) && !self.transfers()
    }

    /// It may be the source of a new primary component.
    pub(super) fn may_be_chosen(&self) -> bool {
        self.enabled
            && !self.given_up
            && self.is_known()
            && self.missed.is_none()
            && self.safe().is_some()
            && !self.ran_standalone()
    }

    /// A component was started without it, and it is more advanced than that was.
    pub(super) fn has_diverged(&self) -> bool {
        self.missed.is_some_and(|missed| missed.diverged)
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
            records.last_recorded.is_some()
                || records.view.is_some()
                || records.clean.is_some()
                || !records.forks.is_empty()
        })
    }
}

impl Holds {
    fn of(evidence: &Evidence, trusted: bool) -> Holds {
        if evidence.arbitrator {
            return Holds::Nothing;
        }
        match &evidence.process {
            Process::Running(_) if evidence.runs_alone() => Holds::NoHistory,
            Process::Running(running) => Holds::of_running(running),
            Process::NotResponding => Holds::Unknown(Need::Response),
            Process::Bootstrapping => Holds::Unknown(Need::NewComponent),
            Process::Stopped | Process::Starting => match &evidence.files {
                None => Holds::Unknown(Need::Files),
                Some(files) => Holds::of_files(files, evidence.process == Process::Starting, trusted),
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

    fn of_files(files: &Files, starting: bool, trusted: bool) -> Holds {
        let recovered = match files.recovered {
            Recovered::At(position) => Some(position),
            Recovered::NotRun | Recovered::Failed(_) | Recovered::NoHistory => None,
        };
        match files.recovered {
            _ if !files.sst_marker => {}
            _ if starting => return Holds::Unsafe(Defect::TransferRuns, None),
            // A transfer marks first and empties the directory then, if at all: the rows may still be there.
            Recovered::NotRun => return Holds::Unknown(Need::Recovery),
            // What a broken transfer left behind is no state that ever was, so it holds nothing.
            _ => return Holds::Unsafe(Defect::TransferBroken, recovered),
        }
        if files.datadir_empty && recovered.is_none() {
            return Holds::Empty;
        }
        if files.unsynced_transfer {
            // Files may be missing, and commits that reached only this member may be in the rest:
            // up to what was recorded, and up to what recovery finds, since records are older.
            let uuid = recovered.map(Position::uuid).or(files.records.last_recorded.map(Position::uuid));
            let recorded = uuid.and_then(|uuid| files.records.highest_of(uuid));
            let reached = recorded.into_iter().chain(recovered).max_by_key(|position| position.seqno());
            return match files.recovered {
                // What recovery will find may be more than the records have.
                Recovered::NotRun if !starting => Holds::Unknown(Need::Recovery),
                Recovered::NotRun | Recovered::Failed(_) if reached.is_none() => {
                    Holds::without_position(files, starting)
                }
                _ => Holds::Unsafe(Defect::TransferUnsynced, reached),
            };
        }
        let grastate = match &files.grastate {
            Found::Read(grastate) => grastate,
            Found::Torn(_) | Found::Absent if trusted && recovered.is_some() => {
                return recovered.map_or(Holds::NoHistory, Holds::Safe);
            }
            Found::Torn(_) => return Holds::recovered(files, starting, Defect::GrastateTorn),
            Found::Absent => return Holds::recovered(files, starting, Defect::GrastateMissing),
        };
        if grastate.uuid.is_zero() {
            return match recovered {
                Some(position) if trusted || confirms_last_view(files, position) => Holds::Safe(position),
                _ => Holds::recovered(files, starting, Defect::ZeroUuid),
            };
        }
        // grastate.dat has a number while the provider is paused (a backup, a donor), after a state request that failed, and
        // on a clean stop before InnoDB's log is on disk: what the member holds is what InnoDB holds.
        match &files.recovered {
            // A start with a new cluster UUID was interrupted: grastate.dat has that UUID already, and nothing was ever committed
            // under it (measured: 0.2 s, or what the disk had not written yet).
            Recovered::At(position) if files.records.forks.iter().any(|fork| fork.at == *position) => {
                Holds::Safe(*position)
            }
            Recovered::At(position) if position.uuid() != grastate.uuid => {
                Holds::Unsafe(Defect::Contradiction, Some(*position))
            }
            Recovered::At(position) => Holds::Safe(*position),
            Recovered::NoHistory => Holds::Unsafe(Defect::Contradiction, None),
            Recovered::NotRun | Recovered::Failed(_) => Holds::without_position(files, starting),
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

/// A crash in a DDL statement left the zero UUID (on all members, as the statement runs everywhere at once), and the recovered
/// position is exact: the member was Synced in the last view that its gvwstate.dat names, and has what it had there.
fn confirms_last_view(files: &Files, position: Position) -> bool {
    let held = files.gvwstate.read().filter(|own| own.listed().is_some());
    let record = files.records.view.filter(|record| held.is_some_and(|own| own.view == record.view));
    record.is_some_and(|record| record.uuid == position.uuid() && position.seqno() >= record.floor)
}

/// A zero UUID is not the mark of a DDL statement where others went on in a later view: the member was inconsistent, and was killed
/// before its gvwstate.dat was removed. Its data count only if the operator trusts them.
pub(super) fn doubt_outlived(facts: &mut [Facts<'_>], trust: &BTreeSet<Hostname>) {
    let is_zero = |one: &Facts<'_>| {
        let grastate = one.files().and_then(|files| files.grastate.read());
        one.running().is_none() && one.safe().is_some() && grastate.is_some_and(|own| own.uuid.is_zero())
    };
    // Mostly there is none.
    for at in (0..facts.len()).filter(|&at| is_zero(&facts[at])).collect::<Vec<_>>() {
        let one = &facts[at];
        let Some(own) = one.records().and_then(|records| records.view).filter(|_| !one.by_trust) else { continue };
        let others = facts.iter().filter(|other| other.place != one.place && !other.given_up);
        if others.filter_map(Facts::files).any(|files| was_in_a_later_view(files, &own)) {
            let (trusted, position) = (trust.contains(one.host), one.safe());
            let one = &mut facts[at];
            one.by_trust = trusted;
            if !trusted {
                one.holds = Holds::Unsafe(Defect::ZeroUuid, position);
            }
        }
    }
}

/// Its last primary view was another one, which formed later or may have.
fn was_in_a_later_view(files: &Files, than: &ViewRecord) -> bool {
    let recorded = files.records.view.filter(|view| view.uuid == than.uuid);
    let recorded_later = recorded.is_some_and(|view| view.view != than.view && view.floor >= than.floor);
    // Without a record of it, it is not known when that view was.
    let held = files.gvwstate.read().filter(|own| own.listed().is_some());
    let unrecorded = |view: ViewId| view != than.view && recorded.is_none_or(|record| record.view != view);
    recorded_later || held.is_some_and(|own| unrecorded(own.view))
}

/// Marks who missed a fork that a member remembers: its own data are of that UUID, and it does not remember it, or is still before it
/// while others have gone on with a new UUID.
///
/// Who went on from a fork is not recorded, so a member of which nothing is known may be one of them, unless it is `lost`.
pub(super) fn mark_missed_forks(facts: &mut [Facts<'_>], lost: &BTreeSet<Hostname>) {
    let mut forks: Vec<Fork> = facts.iter().filter(|one| !one.given_up).flat_map(Facts::forks).copied().collect();
    forks.sort_unstable_by_key(|fork| fork.id);
    // Mostly all remember the same.
    forks.dedup_by_key(|fork| fork.id);
    let is_out_of_sight = |one: &Facts<'_>| !one.is_known() && !one.given_up && !lost.contains(one.host);
    if !facts.iter().any(is_out_of_sight) {
        forks.retain(|fork| survives(fork, facts));
    }
    // Where others have a new cluster UUID from the fork on, who is at the old one has not gone along, although it meant to.
    let went_on = |fork: &Fork| {
        let is_at_another = |position: Position| position.uuid() != fork.at.uuid();
        facts.iter().any(|one| !one.given_up && one.remembers_fork(fork) && one.safe().is_some_and(is_at_another))
    };
    let forks: Vec<(Fork, bool)> = forks.into_iter().map(|fork| (fork, went_on(&fork))).collect();
    for one in facts {
        let Some(position) = one.safe() else { continue };
        let is_missed = |fork: &Fork, ends: bool| {
            let stayed = ends && !position.is_above(fork.at);
            fork.at.uuid() == position.uuid() && (stayed || !one.remembers_fork(fork))
        };
        let missed = forks.iter().filter(|(fork, ends)| is_missed(fork, *ends));
        let missed = missed.map(|&(fork, _)| Missed { fork, diverged: position.is_above(fork.at) });
        // The worst counts; of equals the earliest, where it stayed behind.
        one.missed = missed.min_by_key(|missed| (!missed.diverged, missed.fork.at.seqno()));
    }
}

/// Something of what came after the fork is left, or may be. A branch that is lost as a whole leaves nobody behind.
fn survives(fork: &Fork, facts: &[Facts<'_>]) -> bool {
    let is_after = |position: Position| position.uuid() != fork.at.uuid() || position.is_above(fork.at);
    let holds_more = |one: &Facts<'_>| match &one.holds {
        Holds::Safe(position) | Holds::Unsafe(_, Some(position)) => is_after(*position),
        Holds::Unknown(_) => true,
        // Its disk may only not be mounted.
        Holds::Empty => one.remembers(),
        Holds::Nothing | Holds::NoHistory | Holds::Unsafe(_, None) => false,
    };
    facts.iter().any(|one| !one.given_up && one.remembers_fork(fork) && holds_more(one))
}

/// A server that waits beside the mark of an earlier transfer receives nothing where all members are known and none of them can give.
pub(super) fn find_old_marks(facts: &mut [Facts<'_>]) {
    // Who was never in a primary component gives to no other member.
    let cannot_give = |one: &Facts<'_>| one.arbitrator() || one.is_stopped() || one.is_starting();
    if facts.iter().all(cannot_give) {
        for one in facts.iter_mut().filter(|one| one.is_starting() && one.transfers() && !one.arbitrator()) {
            one.holds = Holds::Unsafe(Defect::TransferBroken, None);
        }
    }
}

/// A transfer that was not on disk yet is passed over if another member that was in the same last view is safe and no less
/// advanced: all that it confirmed to clients is there, too.
pub(super) fn pass_over_unsynced(facts: &mut [Facts<'_>]) {
    // Mostly there is none.
    if !facts.iter().any(|one| matches!(one.holds, Holds::Unsafe(Defect::TransferUnsynced, _))) {
        return;
    }
    let view = |one: &Facts<'_>| one.files()?.gvwstate.read().map(|own| (own.view, own.members.clone()));
    let counts = facts.iter().filter(|one| !one.given_up && !one.has_diverged());
    let safe: Vec<_> = counts.filter_map(|one| Some((view(one)?, one.safe()?))).collect();
    for one in facts {
        let own = view(one);
        if let Holds::Unsafe(Defect::TransferUnsynced, position) = &mut one.holds
            && safe.iter().any(|(view, at)| own.as_ref() == Some(view) && is_reached(*position, *at))
        {
            *position = None;
        }
    }
}

fn is_reached(position: Option<Position>, at: Position) -> bool {
    position.is_none_or(|position| position.uuid() == at.uuid() && !position.is_above(at))
}

/// The UUIDs that ended at a fork which a member with another UUID remembers: they have a successor.
pub(super) fn has_successor(uuid: Uuid, facts: &[Facts<'_>]) -> bool {
    let remembers = |one: &Facts<'_>| one.forks().iter().any(|fork| fork.at.uuid() == uuid);
    let went_on = |one: &Facts<'_>| one.safe().is_some_and(|position| position.uuid() != uuid);
    facts.iter().any(|one| !one.given_up && remembers(one) && went_on(one))
}
