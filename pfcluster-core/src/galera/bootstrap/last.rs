//! Rules 8, 9 and 11: who can prove to have left last, and who is waited for otherwise.

use super::action::{Action, Assumption, Problem, Proof, Risk};
use super::elect::{Answer, Election, may_be_above, need_of};
use super::facts::Facts;
use super::highest::pick;
use super::reason::{Hindrance, Reason};
use super::start::Source;
use super::witness::{Flag, HeldView};
use crate::cluster::Hostname;
use crate::galera::Position;

impl<'a> Election<'a> {
    /// The views that count as last ones.
    fn proven_views(&self) -> impl Iterator<Item = (&HeldView<'a>, Position, Proof)> {
        let everybody = self.missing().next().is_none();
        self.views.iter().filter_map(move |view| {
            let best = view.best.filter(|_| view.complete)?;
            // A component was started without them, and went on: the view is a thing of the past.
            if view.holders.iter().any(|&at| self.facts[at].missed.is_some()) {
                return None;
            }
            let floor = view.floor.filter(|_| view.reaches_floor() && !self.had_a_later(view));
            let proof = match floor {
                _ if everybody => Proof::EverybodyAnswered,
                Some(floor) => Proof::Floor { floor },
                None => return None,
            };
            Some((view, best, proof))
        })
    }

    /// A member of it has written down a floor above this view's for another view: that was a later one, and the power went before
    /// its file was on disk.
    fn had_a_later(&self, view: &HeldView<'_>) -> bool {
        let records = view.holders.iter().filter_map(|&at| self.facts[at].records()?.view);
        let is_above = |floor: i64| view.floor.is_none_or(|own| floor > own);
        let mut others = records.filter(|record| record.view != view.id());
        others.any(|record| Some(record.uuid) == view.best.map(Position::uuid) && is_above(record.floor.get()))
    }

    /// Who is trusted to have left last, each alone.
    fn trusted_flags(&self) -> impl Iterator<Item = usize> {
        let trusted = |at: &usize| self.facts[*at].enabled && self.flags[*at] == Flag::CleanStop;
        (0..self.facts.len()).filter(trusted)
    }

    /// Rule 8.
    pub(super) fn last_view(&self) -> Option<Answer<'a>> {
        let mut proven = self.proven_views();
        let (view, best, proof) = proven.next()?;
        let two = |other: Vec<Hostname>| {
            Some(Answer::refuse(Problem::TwoLastViews { one: self.hosts(&view.holders), other }))
        };
        if let Some((other, ..)) = proven.next() {
            return two(self.hosts(&other.holders));
        }
        if let Some(flag) = self.trusted_flags().find(|at| !view.holders.contains(at)) {
            return two(self.hosts(&[flag]));
        }
        if self.view_is_hindered(view, best).is_some() {
            return None;
        }
        let holders = || view.holders.iter().map(|&at| &self.facts[at]);
        let reasons =
            [Reason::LastView { view: view.id(), members: self.hosts(&view.holders), proof }, self.answered_reason()];
        let by_floor = matches!(proof, Proof::Floor { .. });
        // An unsafe member would be started too, and its data overwritten; so would one with the zero UUID.
        let can_reform = |one: &Facts<'_>| {
            let keeps_state =
                one.files().and_then(|files| files.grastate.read()).is_some_and(|own| own.uuid == best.uuid());
            one.may_be_chosen() && keeps_state && !one.cannot_start() && (one.is_stopped() || one.is_starting())
        };
        // A node that an arbitrator stands for may have been another one after all; a start from the best does without it.
        let nodes = view.gvwstate.members.len();
        let forms = nodes > 1 && view.present == nodes && !self.policy.reform_failed;
        let bounded =
            !self.facts.iter().any(|one| !view.holders.contains(&one.place) && may_be_above(one, best, by_floor));
        if forms && bounded && holders().all(can_reform) {
            let source = Source::view(holders().collect(), best);
            let action = Action::Reform {
                members: self.hosts(&view.holders),
                stop_first: source.stop_first(self.facts),
                joiners: source.joiners(self.facts),
            };
            return Some(Answer { action, reasons: Vec::from(reasons), source: Some(source), unproved: Vec::new() });
        }
        let (one, tie) = pick(holders().filter(|one| one.may_be_chosen()))?;
        let started = self.start(one, best, by_floor, self.not_forced()).because(reasons);
        Some(started.because(tie).because(Self::failing(holders().filter(|other| other.safe() == Some(best)))))
    }

    /// What keeps a proven view from being brought back.
    fn view_is_hindered(&self, view: &HeldView<'_>, best: Position) -> Option<Hindrance> {
        if let Some(member) = self.holds_more(best).or_else(|| self.doubtful_holder(view, best)) {
            return Some(Hindrance::HoldsMore { member });
        }
        if !self.majority() {
            return Some(Hindrance::Minority);
        }
        let held_back = view.holders.iter().map(|&at| &self.facts[at]).find(|one| !one.enabled || one.maintenance());
        if let Some(one) = held_back {
            let member = one.host.clone();
            return Some(if one.enabled { Hindrance::Maintenance { member } } else { Hindrance::Disabled { member } });
        }
        self.unsupervised()
    }

    /// A member that did not respond, and whose supervisor was never heard where supervisors are: after a crash, what starts its
    /// database there may have begun alone, as `PacketFence`'s own program can. (After a clean stop it cannot: Galera has written
    /// there that it was not the last.)
    fn unsupervised(&self) -> Option<Hindrance> {
        let heard: Vec<&Hostname> =
            self.facts.iter().filter_map(Facts::records).flat_map(|records| &records.supervised).collect();
        let mut missing = self.missing().filter(|(_, one)| one.evidence.is_none() && !heard.contains(&one.host));
        let (_, one) = missing.next().filter(|_| !heard.is_empty())?;
        Some(Hindrance::Unsupervised { member: one.host.clone() })
    }

    /// A member of the view that may not be started from, and holds more than all that may.
    fn doubtful_holder(&self, view: &HeldView<'_>, best: Position) -> Option<Hostname> {
        let mut at_best = view.holders.iter().map(|&at| &self.facts[at]).filter(|one| one.safe() == Some(best));
        let first = at_best.next()?;
        let doubtful = !first.may_be_chosen() && !at_best.any(Facts::may_be_chosen);
        doubtful.then(|| first.host.clone())
    }

    /// Rule 9.
    pub(super) fn left_last(&self) -> Option<Answer<'a>> {
        let flags: Vec<usize> = self.trusted_flags().collect();
        if flags.len() > 1 {
            return Some(Answer::refuse(Problem::SeveralSafeToBootstrap { members: self.hosts(&flags) }));
        }
        let (one, position) = self.flagged(*flags.first()?)?;
        if self.flag_is_hindered(one, position).is_some() {
            return None;
        }
        let reasons = [Reason::LeftLast { member: one.host.clone(), position }, self.answered_reason()];
        Some(
            self.start(one, position, true, self.not_forced())
                .because(reasons)
                .because(Self::failing(std::iter::once(one))),
        )
    }

    fn flagged(&self, at: usize) -> Option<(&'a Facts<'a>, Position)> {
        let one = &self.facts[at];
        Some((one, one.safe().filter(|_| one.may_be_chosen())?))
    }

    /// What keeps a member that left last from being started, while others are not known.
    fn flag_is_hindered(&self, one: &Facts<'_>, position: Position) -> Option<Hindrance> {
        if let Some(member) = self.holds_more(position) {
            return Some(Hindrance::HoldsMore { member });
        }
        // A clean stop loses nothing: whoever has seen more has seen another past.
        let somebody_unknown = self.missing().next().is_some();
        let seen_more = self.recorded_above(position).next().filter(|_| somebody_unknown);
        if let Some((member, _)) = seen_more {
            return Some(Hindrance::SawMore { member: member.clone() });
        }
        if !self.majority() {
            return Some(Hindrance::Minority);
        }
        if one.maintenance() {
            return Some(Hindrance::Maintenance { member: one.host.clone() });
        }
        let runs = |other: &&Facts<'_>| other.running().is_some() && !other.arbitrator();
        self.enabled().find(runs).map(|other| Hindrance::Runs { member: other.host.clone() })
    }

    /// Rule 11.
    pub(super) fn unknown(&self) -> Option<Answer<'a>> {
        let mut missing: Vec<(usize, &Facts<'_>)> = self.missing().filter(|(_, one)| !self.is_lost(one)).collect();
        if missing.is_empty() {
            return None;
        }
        // Those of a view that others hold as their last come first: the last to run must be able to talk to each other.
        let own_view = |one: &Facts<'_>| one.files().and_then(|files| files.gvwstate.read()).map(|own| own.view);
        let is_useful =
            |one: &Facts<'_>| own_view(one).is_some_and(|own| self.views.iter().any(|view| view.id() == own));
        missing.sort_by_key(|(at, one)| (!is_useful(one), *at));
        let awaited = missing.iter().filter_map(|(_, one)| need_of(one)).collect();
        let answer = Answer::wait(awaited).because([self.answered_reason()]);
        Some(answer.because(self.not_yet()).because(self.ignored_flags()))
    }

    /// Why what is known does not suffice.
    fn not_yet(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = Vec::new();
        let held_back = |members, by: Option<Hindrance>| by.map(|by| Reason::HeldBack { members, by });
        for (view, best, _) in self.proven_views() {
            reasons.extend(held_back(self.hosts(&view.holders), self.view_is_hindered(view, best)));
        }
        for (one, position) in self.trusted_flags().filter_map(|at| self.flagged(at)) {
            reasons.extend(held_back(vec![one.host.clone()], self.flag_is_hindered(one, position)));
        }
        for view in &self.views {
            let (id, holders) = (view.id(), self.hosts(&view.holders));
            if !view.complete {
                let size = view.gvwstate.members.len();
                reasons.push(Reason::ViewIncomplete { view: id, holders, present: view.present, size });
            } else if view.best.is_some() && !view.reaches_floor() {
                reasons.push(Reason::ViewUnproven { view: id, holders });
            }
        }
        reasons
    }

    /// What may be lost with members of which nothing is known. Nothing if somebody can prove to have left last. If all
    /// others crashed out of one view that they were half of, the rest had no quorum to go on alone.
    pub(super) fn risk(&self) -> Risk {
        let holds_all =
            |by: Option<Hindrance>| !matches!(by, Some(Hindrance::HoldsMore { .. } | Hindrance::SawMore { .. }));
        let mut views = self.proven_views();
        let mut flagged = self.trusted_flags().filter_map(|at| self.flagged(at));
        if views.any(|(view, best, _)| holds_all(self.view_is_hindered(view, best)))
            || flagged.any(|(one, position)| holds_all(self.flag_is_hindered(one, position)))
        {
            return Risk::None;
        }
        let Some(view) = self.views.iter().max_by_key(|view| view.holders.len()) else { return Risk::Unbounded };
        let known = self.enabled().filter(|one| one.is_known() && !one.arbitrator()).count();
        let all_hold_it = view.holders.len() == known;
        let is_half = view.holders.len() * 2 >= view.gvwstate.members.len();
        if all_hold_it && is_half { Risk::Bounded } else { Risk::Unbounded }
    }

    fn not_forced(&self) -> Vec<Assumption> {
        let members: Vec<Hostname> = self.missing().map(|(_, one)| one.host.clone()).collect();
        if members.is_empty() { Vec::new() } else { vec![Assumption::NotForced { members }] }
    }

    pub(super) fn ignored_flags(&self) -> impl Iterator<Item = Reason> {
        self.facts.iter().zip(&self.flags).filter_map(|(one, flag)| match flag {
            Flag::Ignored(why) => Some(Reason::FlagIgnored { member: one.host.clone(), why: *why }),
            Flag::NotSet | Flag::CleanStop => None,
        })
    }

    /// Which of these cannot be started, and why.
    pub(super) fn failing<'f>(members: impl Iterator<Item = &'f Facts<'a>>) -> Vec<Reason>
    where
        'a: 'f,
    {
        let failing = members.filter(|one| one.cannot_start()).filter_map(|one| {
            let failures = &one.records()?.start_failures;
            let (count, why) = (failures.count, failures.why.clone());
            Some(Reason::CannotStart { member: one.host.clone(), failures: count, why })
        });
        failing.collect()
    }

    /// A member whose known position, or the one that it remembers and is empty, is above this one.
    fn holds_more(&self, best: Position) -> Option<Hostname> {
        let holds_above = |one: &Facts<'a>| one.may_hold().is_some_and(|position| position.is_above(best));
        let more = |one: &&Facts<'a>| holds_above(one) || one.had_above(best).is_some();
        self.facts.iter().find(more).map(|one| one.host.clone())
    }

    /// What was written down in service above this position.
    pub(super) fn recorded_above(&self, best: Position) -> impl Iterator<Item = (&'a Hostname, Position)> {
        let of = |one: &'a Facts<'a>| Some((one.host, one.records()?.last_recorded?));
        let kept = self.facts.iter().filter(|one| !one.given_up);
        kept.filter_map(of).filter(move |(_, recorded)| recorded.is_above(best))
    }
}
