//! What overrides change: force and seed come before rules 5 to 11, standalone decides rule 5. None starts beside a primary
//! component, none starts unsafe data.
//!
//! The others change what the rules look at: discard and trust what is known of a member (`facts.rs`), assume-lost for which
//! members [`Election::missing_members`] waits. Which of them count for which member, and until when: `supervisor/overrides.rs`.

use super::action::{Action, Assumption, Need, Problem, Unfit};
use super::facts::{Facts, Holds};
use super::most_advanced::histories;
use super::plan::Source;
use super::reason::{Reason, Word};
use super::rules::{Answer, Election, awaited, need_of};
use crate::cluster::Hostname;

impl<'a> Election<'a> {
    /// The operator's force, and the operator's seed.
    pub(super) fn force_or_seed(&self) -> Option<Answer<'a>> {
        let (host, word) = match (&self.policy.force, &self.policy.seed) {
            (Some(host), _) => (host, Word::Force),
            (None, Some(host)) => (host, Word::Seed),
            (None, None) => return None,
        };
        let unfit = |why| Some(Answer::refuse(Problem::Unfit { member: host.clone(), why }));
        let Some(one) = self.enabled().find(|one| one.host == host) else { return unfit(Unfit::NotEnabled) };
        let said = Reason::OperatorsWord { word, members: vec![host.clone()] };
        let none_has_data = || self.missing().next().is_none() && self.all_are_empty();
        if one.given_up {
            return unfit(Unfit::Discarded);
        }
        if let Some(awaited) = need_of(one) {
            return Some(Answer::wait(vec![awaited]).because([said]));
        }
        match (&one.holds, word) {
            (Holds::Nothing, _) => unfit(Unfit::Arbitrator),
            (Holds::Unsafe(defect, _), _) => unfit(Unfit::Unsafe(*defect)),
            _ if one.maintenance() => Some(Answer::wait(vec![awaited(one, Need::MaintenanceEnd)]).because([said])),
            (Holds::Empty, Word::Force) if none_has_data() => Some(self.initialize(one).because([said])),
            (Holds::Empty, _) => unfit(Unfit::Empty),
            (Holds::Safe(_), Word::Force) if one.ran_standalone() => Some(self.seed(one).because([said])),
            (Holds::Safe(position), Word::Force) => {
                let unknown = self.missing().map(|(_, one)| one.host.clone()).collect();
                Some(self.start_component(one, *position, false, vec![Assumption::Forced { unknown }]).because([said]))
            }
            (Holds::Safe(_), _) if !one.ran_standalone() => unfit(Unfit::HasHistory),
            (Holds::NoHistory, Word::Force) => Some(self.seed(one).because([said])),
            (Holds::NoHistory | Holds::Safe(_) | Holds::Unknown(_), _) => Some(self.seed_if_alone(one, said)),
        }
    }

    /// A seed makes a new history: it needs the word of the operator for everybody else who holds data.
    fn seed_if_alone(&self, one: &'a Facts<'a>, said: Reason) -> Answer<'a> {
        let others = self.enabled().filter(|other| other.host != one.host && !other.given_up);
        let histories = histories(others);
        if histories.is_empty() || !self.all_known_or_lost() {
            return self.seed_if_known(one, said);
        }
        Answer::refuse(Problem::DivergentHistories { histories }).because([said])
    }

    /// A member that is missing may be in service, and then none may be started.
    fn seed_if_known(&self, one: &'a Facts<'a>, said: Reason) -> Answer<'a> {
        if self.all_known_or_lost() {
            return self.seed(one).because([said]);
        }
        let missing = self.missing().filter(|(_, one)| !self.is_lost(one));
        Answer::wait(missing.filter_map(|(_, one)| need_of(one)).collect()).because([said])
    }

    fn all_known_or_lost(&self) -> bool {
        self.missing().all(|(_, one)| self.is_lost(one))
    }

    /// Rule 5.
    pub(super) fn ran_without_galera(&self) -> Option<Answer<'a>> {
        let ran: Vec<&Facts<'_>> = self.enabled().filter(|one| one.ran_standalone() && !one.given_up).collect();
        let members: Vec<Hostname> = ran.iter().map(|one| one.host.clone()).collect();
        match &ran[..] {
            [] => None,
            [one] if self.policy.standalone => {
                Some(self.keep(one, Reason::OperatorsWord { word: Word::Standalone, members }))
            }
            _ => Some(Answer::refuse(Problem::StandaloneHistory { members })),
        }
    }

    /// The data of the member that ran alone are to be kept.
    fn keep(&self, one: &'a Facts<'a>, said: Reason) -> Answer<'a> {
        let unfit = |why| Answer::refuse(Problem::Unfit { member: one.host.clone(), why });
        if let Some(awaited) = need_of(one) {
            return Answer::wait(vec![awaited]).because([said]);
        }
        match &one.holds {
            Holds::Unsafe(defect, _) => unfit(Unfit::Unsafe(*defect)),
            Holds::Empty | Holds::Nothing => unfit(Unfit::Empty),
            _ if one.maintenance() => Answer::wait(vec![awaited(one, Need::MaintenanceEnd)]).because([said]),
            Holds::Safe(_) | Holds::NoHistory | Holds::Unknown(_) => self.seed_if_known(one, said),
        }
    }

    pub(super) fn seed(&self, one: &'a Facts<'a>) -> Answer<'a> {
        let source = Source::new_history(one);
        let action = Action::Seed {
            member: one.host.clone(),
            stop_first: source.stop_first(self.facts),
            joiners: source.joiners(self.facts),
            discard: source.discards(self.facts),
        };
        Answer { action, reasons: Vec::new(), source: Some(source), unproved: Vec::new() }
    }
}
