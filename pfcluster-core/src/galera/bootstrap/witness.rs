//! Who can prove to have left last: a whole view, or one member's flag.

use super::facts::Facts;
use super::reason::FlagIgnored;
use crate::galera::{Found, Gvwstate, Position, Process, Recovered, ViewId};

/// A primary view that somebody holds as the last one.
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

    /// Nobody who left before it holds more than its best.
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
    let mut others = facts.iter().filter(|one| !view.holders.contains(&one.place));
    view.complete = missing == 0 || missing == votes.count() && others.all(|one| was_elsewhere(one, view.id()));
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
