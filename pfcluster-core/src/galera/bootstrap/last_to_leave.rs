//! Rules 8 and 9: the members of a whole last view, or the one member that left last, can prove that no other is more advanced.
//!
//! First the rules, then what they go by: the views that members have as their last ([`HeldView`]), and `safe_to_bootstrap`
//! ([`Flag`]).

use super::action::{Action, Assumption, Problem, Proof, Risk};
use super::facts::Facts;
use super::most_advanced::choose_most_advanced;
use super::plan::{Source, requires_new_uuid};
use super::reason::{FlagIgnored, Hindrance, Reason};
use super::rules::{Answer, Election};
use crate::cluster::Hostname;
use crate::galera::{Found, Gvwstate, Position, Process, Recovered, Uuid, ViewId};

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
            !self.facts.iter().any(|one| !view.holders.contains(&one.place) && requires_new_uuid(one, best, by_floor));
        if forms && bounded && holders().all(can_reform) {
            let source = Source::view(holders().collect(), best);
            let action = Action::Reform {
                members: self.hosts(&view.holders),
                stop_first: source.stop_first(self.facts),
                joiners: source.joiners(self.facts),
            };
            return Some(Answer { action, reasons: Vec::from(reasons), source: Some(source), unproved: Vec::new() });
        }
        let (one, tie) = choose_most_advanced(holders().filter(|one| one.may_be_chosen()))?;
        let started = self.start_component(one, best, by_floor, self.not_forced()).because(reasons);
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
            self.start_component(one, position, true, self.not_forced())
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

    /// Why what is known does not suffice.
    pub(super) fn not_yet(&self) -> Vec<Reason> {
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

/// A primary view that a member has as its last one.
#[derive(Debug)]
pub(super) struct HeldView<'a> {
    pub(super) gvwstate: &'a Gvwstate,
    /// Who holds it, in order, each another node of the view.
    pub(super) holders: Vec<usize>,
    /// How many nodes of it they are.
    pub(super) present: usize,
    /// No node of it is missing.
    pub(super) complete: bool,
    /// None of the nodes that are missing is known to hold another view: it may be complete, or become so.
    pub(super) may_be_completed: bool,
    /// The best safe position among the holders.
    pub(super) best: Option<Position>,
    /// The lowest floor that was written down for it.
    pub(super) floor: Option<i64>,
}

impl HeldView<'_> {
    pub(super) fn id(&self) -> ViewId {
        self.gvwstate.view
    }

    /// No member that left before it is more advanced than its best.
    pub(super) fn reaches_floor(&self) -> bool {
        match (self.best, self.floor) {
            (Some(best), Some(floor)) => best.seqno().get() >= floor,
            _ => false,
        }
    }
}

/// The views that members hold, in order of their first holders. Views are compared whole and never by number: the
/// number starts again with each bootstrap, and both sides of a forced split count on.
pub(super) fn held_views<'a>(facts: &[Facts<'a>]) -> Vec<HeldView<'a>> {
    let mut views: Vec<HeldView<'a>> = Vec::new();
    for (index, one) in facts.iter().enumerate() {
        let Some(gvwstate) = held_view(one) else { continue };
        let known = views.iter().position(|view| is_same(view.gvwstate, gvwstate));
        if let Some(at) = known {
            views[at].holders.push(index);
        } else {
            let holders = vec![index];
            views.push(HeldView {
                gvwstate,
                holders,
                present: 0,
                complete: false,
                may_be_completed: false,
                best: None,
                floor: None,
            });
        }
    }
    for view in &mut views {
        complete(view, facts);
    }
    views
}

/// The last primary view that a member holds: one that it is itself in, while it is stopped or without service.
fn held_view<'a>(one: &Facts<'a>) -> Option<&'a Gvwstate> {
    let out_of_service = one.is_known() && one.primary().is_none() && !one.transfers();
    if one.given_up || one.arbitrator() || !out_of_service {
        return None;
    }
    let gvwstate = one.files()?.gvwstate.read()?;
    gvwstate.listed().map(|_| gvwstate)
}

fn is_same(one: &Gvwstate, other: &Gvwstate) -> bool {
    one.view == other.view && one.members == other.members
}

fn complete(view: &mut HeldView<'_>, facts: &[Facts<'_>]) {
    let own = |index: &usize| facts[*index].files().and_then(|files| files.gvwstate.read()).and_then(Gvwstate::listed);
    let mut nodes: Vec<_> = view.holders.iter().filter_map(own).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let goes_on = |one: &&Facts<'_>| !one.has_diverged() && !one.ran_standalone();
    let holders = || view.holders.iter().map(|&index| &facts[index]);
    let mut uuids = holders().filter_map(Facts::safe).map(Position::uuid);
    let first = uuids.next();
    let is_one_history = uuids.all(|uuid| Some(uuid) == first);
    view.best = holders().filter(goes_on).filter_map(Facts::safe).max_by_key(|position| position.seqno());
    let of_view = |one: &Facts<'_>| one.records()?.view.filter(|record| record.view == view.gvwstate.view);
    let of_history =
        facts.iter().filter_map(of_view).filter(|record| Some(record.uuid) == view.best.map(Position::uuid));
    view.floor = of_history.map(|record| record.floor.get()).min();
    view.present = nodes.len();
    let missing = view.gvwstate.members.len() - view.present;
    // An arbitrator keeps no file. It can stand for a missing node only if none of the members can be that node.
    let votes =
        facts.iter().filter(|one| one.arbitrator() && one.evidence.is_some_and(|e| e.process != Process::Stopped));
    let own_uuid = |one: &Facts<'_>| one.files().and_then(|files| files.gvwstate.read()).map(|own| own.my_uuid);
    let is_of_a_member = |node: &&Uuid| facts.iter().filter_map(own_uuid).any(|own| own.is_same_node(**node));
    let is_a_members =
        view.gvwstate.members.iter().filter(|node| !nodes.contains(node)).any(|node| is_of_a_member(&node));
    let mut others = facts.iter().filter(|one| !view.holders.contains(&one.place));
    view.complete =
        missing == 0 || missing == votes.count() && !is_a_members && others.all(|one| was_elsewhere(one, view.id()));
    view.complete &= is_one_history;
    // Galera writes the flag with a view of one: without it, the file is a leftover.
    if view.gvwstate.members.len() == 1 && !view.holders.iter().any(|&at| is_flagged(&facts[at])) {
        view.complete = false;
    }
    let unknown = facts.iter().filter(|one| !one.is_known() && !one.given_up).count();
    view.may_be_completed = view.complete || missing > 0 && missing <= unknown;
}

fn is_flagged(one: &Facts<'_>) -> bool {
    let grastate = one.files().and_then(|files| files.grastate.read());
    grastate.is_some_and(|grastate| grastate.safe_to_bootstrap == Some(true))
}

/// Its files show that its last primary view was another one than this.
fn was_elsewhere(one: &Facts<'_>, view: ViewId) -> bool {
    let out_of_service = one.is_known() && one.primary().is_none() && !one.transfers();
    let left = one.files().is_some_and(|files| match &files.gvwstate {
        // A clean stop removes the file, also one without service: then this view may have been its last.
        Found::Absent => files.records.view.is_some_and(|record| record.view != view),
        Found::Torn(_) => false,
        Found::Read(own) => own.listed().is_some(),
    });
    one.arbitrator() || out_of_service && left
}

/// Why a flag counts, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// It is not set, or not known.
    NotSet,
    /// It counts: the stop was clean.
    CleanStop,
    /// It does not count.
    Ignored(FlagIgnored),
}

/// Whether a member's `safe_to_bootstrap: 1` proves that it left last. After a crash the view of one in gvwstate.dat may prove
/// that, the flag never does: since the record of that view, others may have come and gone.
pub(super) fn flag(one: &Facts<'_>) -> Flag {
    if one.running().is_some() || !one.is_known() || !is_flagged(one) {
        return Flag::NotSet;
    }
    match stopped_cleanly_and_last(one) {
        Ok(()) if one.missed.is_some() => Flag::Ignored(FlagIgnored::Superseded),
        Ok(()) => Flag::CleanStop,
        Err(why) => Flag::Ignored(why),
    }
}

/// Its stop was clean, and Galera wrote the flag then.
pub(super) fn stopped_cleanly_and_last(one: &Facts<'_>) -> Result<(), FlagIgnored> {
    let position = one.safe().filter(|_| !one.given_up).ok_or(FlagIgnored::Unsafe)?;
    let files = one.files().filter(|_| one.running().is_none() && is_flagged(one)).ok_or(FlagIgnored::NoCleanStop)?;
    if files.gvwstate != Found::Absent {
        return Err(FlagIgnored::NoCleanStop);
    }
    // What was persisted after the stop counts also when a start that failed has written -1 since, or a flag.
    if let Some(clean) = files.records.clean.filter(|clean| clean.position == position) {
        return if clean.last { Ok(()) } else { Err(FlagIgnored::WrittenLater) };
    }
    let written = files.grastate.read().and_then(|grastate| Position::new(grastate.uuid, grastate.seqno));
    match (written, &files.recovered) {
        (Some(written), Recovered::At(recovered)) if written == *recovered => Ok(()),
        (Some(_), _) => Err(FlagIgnored::LogNotWritten),
        (None, _) => Err(FlagIgnored::NoCleanStop),
    }
}
