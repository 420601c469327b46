//! Rules 6 and 10: all members have reported, so the most advanced one of the one cluster UUID is started.

use super::action::{Action, Assumption, Defect, History, Need, Problem, Unfit, Untrusted};
use super::facts::{Facts, Holds, has_successor};
use super::last_to_leave::Flag;
use super::plan::Source;
use super::reason::{Hindrance, Reason, TieBreak, Word};
use super::rules::{Answer, Election, awaited};
use crate::cluster::Hostname;
use crate::galera::{ClusterStatus, Fork, Position};

impl<'a> Election<'a> {
    /// Rule 6.
    pub(super) fn different_cluster_uuids(&self) -> Option<Answer<'a>> {
        let counts = |one: &&Facts<'_>| {
            let is_past = one.safe().is_some_and(|position| has_successor(position.uuid(), self.facts));
            !one.given_up && !is_past && (one.enabled || !one.ran_standalone())
        };
        let histories = histories(self.facts.iter().filter(counts));
        (histories.len() > 1).then(|| Answer::refuse(Problem::DivergentHistories { histories }))
    }

    /// Rule 10.
    pub(super) fn most_advanced(&self) -> Answer<'a> {
        let lost: Vec<Hostname> = self.missing().map(|(_, one)| one.host.clone()).collect();
        if self.all_are_empty() {
            let forgetful = self.facts.iter().find(|one| !one.given_up && one.remembers());
            if let Some(one) = forgetful {
                return regression(one, one.records().and_then(|records| records.last_recorded));
            }
            let Some(first) = self.enabled().find(|one| one.holds == Holds::Empty && !one.maintenance()) else {
                let empty = self.enabled().filter(|one| one.holds == Holds::Empty);
                return Answer::wait(empty.map(|one| awaited(one, Need::MaintenanceEnd)).collect());
            };
            return self.initialize(first).because(self.lost_reasons(&lost));
        }
        let candidates = || self.enabled().filter(|one| one.may_be_chosen());
        let Some(best) = candidates().filter_map(Facts::safe).max_by_key(|position| position.seqno()) else {
            return self.no_candidate();
        };
        if let Some(answer) = self.something_is_left_behind(best) {
            return answer;
        }
        let Some((one, tie)) = choose_most_advanced(candidates()) else {
            let held = candidates().filter(|one| one.safe() == Some(best));
            return Answer::wait(held.map(|one| awaited(one, Need::MaintenanceEnd)).collect())
                .because([Reason::HighestPosition { member: self.first_at(best), position: best }]);
        };
        let mut assumes = Vec::new();
        if !lost.is_empty() {
            assumes.push(Assumption::Lost { members: lost.clone(), risk: self.risk() });
        }
        let highest = Reason::HighestPosition { member: one.host.clone(), position: best };
        let reasons = [highest, self.answered_reason()];
        let lost = self.lost_reasons(&lost);
        let failing = Self::failing(candidates().filter(|one| one.safe() == Some(best)));
        let started = self.start_component(one, best, false, assumes).because(reasons).because(tie).because(failing);
        started.because(lost).because(self.passed_over(one)).because(self.ignored_flags())
    }

    /// What stands against starting from `best`, although everybody has answered.
    pub(super) fn something_is_left_behind(&self, best: Position) -> Option<Answer<'a>> {
        let goes_on = |fork: Fork| {
            self.enabled().any(|one| one.may_be_chosen() && one.safe() == Some(best) && one.remembers_fork(&fork))
        };
        let stranded = self.diverged().filter(|one| one.missed.is_some_and(|missed| !goes_on(missed.fork)));
        if let Some(answer) = refuse_diverged(&stranded.collect::<Vec<_>>()) {
            return Some(answer);
        }
        let above = |one: &&Facts<'_>| one.may_hold().is_some_and(|position| position.is_above(best));
        if let Some(one) = self.facts.iter().find(above) {
            let (member, position) = (one.host.clone(), one.may_hold().unwrap_or(best));
            return Some(Answer::refuse(match one.holds {
                Holds::Unsafe(defect, _) => Problem::UnsafeHoldsMore { member, defect, position, best },
                _ if !one.enabled => Problem::DisabledHoldsMore { member, position, best },
                _ => Problem::UnsafeHoldsMore { member, defect: Defect::Superseded, position, best },
            }));
        }
        self.facts.iter().find_map(|one| Some(regression(one, Some(one.had_above(best)?))))
    }

    pub(super) fn no_candidate(&self) -> Answer<'a> {
        // Others may only be passed over because an empty member remembers what came after them.
        let has_data = self.enabled().any(|one| one.safe().is_some());
        let forgetful = |one: &&Facts<'_>| one.holds == Holds::Empty && !one.given_up && one.remembers();
        if let Some(one) = self.enabled().find(forgetful).filter(|_| has_data && self.diverged().next().is_none()) {
            let records = one.records();
            let uuid = records.and_then(|records| Some(records.forks.first()?.at.uuid()));
            return regression(one, uuid.and_then(|uuid| records?.highest_of(uuid)));
        }
        if let Some(answer) = refuse_diverged(&self.diverged().collect::<Vec<_>>()) {
            return answer;
        }
        let members: Vec<Untrusted> = self.enabled().filter(|one| !one.given_up).filter_map(untrusted).collect();
        if !members.is_empty() {
            return Answer::refuse(Problem::NoCandidate { members });
        }
        let has_data =
            |one: &&Facts<'_>| (!one.enabled || one.given_up) && (untrusted(one).is_some() || !one.is_known());
        let left: Vec<Hostname> = self.facts.iter().filter(has_data).map(|one| one.host.clone()).collect();
        if left.is_empty() {
            let arbitrator = self.enabled().find(|one| one.holds == Holds::Nothing);
            let member = arbitrator.map_or_else(|| self.facts[0].host.clone(), |one| one.host.clone());
            return Answer::refuse(Problem::Unfit { member, why: Unfit::Arbitrator });
        }
        Answer::refuse(Problem::NobodyLeft { members: left })
    }

    fn diverged(&self) -> impl Iterator<Item = &'a Facts<'a>> {
        self.enabled().filter(|one| !one.given_up && one.has_diverged())
    }

    /// Who can prove to have left last, and is passed over as others are more advanced.
    fn passed_over(&self, chosen: &Facts<'_>) -> Vec<Reason> {
        let flagged = self
            .facts
            .iter()
            .zip(&self.flags)
            .filter(|(one, flag)| **flag == Flag::CleanStop && one.place != chosen.place && one.enabled);
        let by = || Hindrance::HoldsMore { member: chosen.host.clone() };
        flagged.map(|(one, _)| Reason::HeldBack { members: vec![one.host.clone()], by: by() }).collect()
    }

    pub(super) fn initialize(&self, one: &'a Facts<'a>) -> Answer<'a> {
        let source = Source::new_history(one);
        let (member, stop_first) = (one.host.clone(), source.stop_first(self.facts));
        let action = Action::Fresh { member, stop_first, joiners: source.joiners(self.facts) };
        Answer {
            action,
            reasons: vec![Reason::NobodyHasData, self.answered_reason()],
            source: Some(source),
            unproved: Vec::new(),
        }
    }

    pub(super) fn all_are_empty(&self) -> bool {
        let holds_nothing = |one: &Facts<'_>| matches!(one.holds, Holds::Empty | Holds::Nothing | Holds::Unknown(_));
        let somebody = self.enabled().any(|one| one.holds == Holds::Empty);
        somebody && self.facts.iter().all(|one| holds_nothing(one) || one.given_up)
    }

    pub(super) fn lost_reasons(&self, lost: &[Hostname]) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if !lost.is_empty() {
            reasons.push(Reason::OperatorsWord { word: Word::AssumeLost, members: lost.to_vec() });
        }
        let answered = self.enabled().filter(|one| one.is_known() && self.is_lost(one));
        reasons.extend(answered.map(|one| Reason::NotLost { member: one.host.clone() }));
        reasons
    }

    pub(super) fn first_at(&self, best: Position) -> Hostname {
        let first = self.enabled().find(|one| one.may_be_chosen() && one.safe() == Some(best));
        first.map_or_else(|| self.facts[0].host.clone(), |one| one.host.clone())
    }
}

/// Members that are more advanced than a fork that they missed.
fn refuse_diverged<'a>(diverged: &[&Facts<'_>]) -> Option<Answer<'a>> {
    let missed = diverged.first()?.missed?;
    let members = diverged.iter().map(|one| one.host.clone()).collect();
    Some(Answer::refuse(Problem::Diverged { members, fork: missed.fork.at }))
}

/// A member that remembers more than it has.
pub(super) fn regression<'a>(one: &Facts<'_>, recorded: Option<Position>) -> Answer<'a> {
    Answer::refuse(Problem::Regression { member: one.host.clone(), recorded })
}

/// The one to start from: the most advanced; of equals one that is not in maintenance, then one that can be started, then one
/// that runs, then the first. `None` if all that are most advanced are in maintenance.
pub(super) fn choose_most_advanced<'f, 'a: 'f>(
    candidates: impl Iterator<Item = &'f Facts<'a>>,
) -> Option<(&'f Facts<'a>, Option<Reason>)> {
    let candidates: Vec<&Facts<'a>> = candidates.collect();
    let best = candidates.iter().filter_map(|one| one.safe()).max_by_key(|position| position.seqno())?;
    let highest: Vec<&Facts<'a>> = candidates.into_iter().filter(|one| one.safe() == Some(best)).collect();
    let runs = |one: &Facts<'_>| one.running().is_some_and(|running| running.status == ClusterStatus::NonPrimary);
    let &one = highest.iter().filter(|one| !one.maintenance()).min_by_key(|one| (one.cannot_start(), !runs(one)))?;
    let others = || highest.iter().filter(|other| other.host != one.host);
    let by = if others().all(|other| other.maintenance()) {
        TieBreak::Maintenance
    } else if !one.cannot_start() && others().all(|other| other.maintenance() || other.cannot_start()) {
        TieBreak::CanStart
    } else if runs(one) && others().all(|other| other.maintenance() || !runs(other)) {
        TieBreak::Running
    } else {
        TieBreak::Order
    };
    let with: Vec<Hostname> = others().map(|other| other.host.clone()).collect();
    let tie = if with.is_empty() { None } else { Some(Reason::Tie { member: one.host.clone(), with, by }) };
    Some((one, tie))
}

/// A member whose data can't be started from, and why.
pub(super) fn untrusted(one: &Facts<'_>) -> Option<Untrusted> {
    let (defect, position) = match one.holds {
        Holds::Unsafe(defect, position) => (Some(defect), position),
        Holds::NoHistory => (None, None),
        Holds::Safe(position) => (Some(Defect::Superseded), Some(position)),
        Holds::Unknown(_) | Holds::Nothing | Holds::Empty => return None,
    };
    Some(Untrusted { member: one.host.clone(), defect, position })
}

/// The histories among the members' safe positions.
pub(super) fn histories<'f, 'a: 'f>(members: impl Iterator<Item = &'f Facts<'a>>) -> Vec<History> {
    let mut histories: Vec<History> = Vec::new();
    for one in members {
        let Some(position) = one.safe() else { continue };
        match histories.iter_mut().find(|history| history.uuid == position.uuid()) {
            Some(history) => history.members.push(one.host.clone()),
            None => histories.push(History { uuid: position.uuid(), members: vec![one.host.clone()] }),
        }
    }
    histories
}
