//! Who can prove to have left last: a whole view, or one member's flag.

use super::facts::Facts;
use super::reason::FlagIgnored;
use crate::galera::{Found, Gvwstate, Position, Process, ViewId};

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
            views.push(HeldView { gvwstate, holders, present: 0, complete: false, best: None, floor: None });
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
    // A node that starts again with a recovered view has another name than the one in the list.
    gvwstate.members.binary_search(&gvwstate.my_uuid).is_ok().then_some(gvwstate)
}

fn is_same(one: &Gvwstate, other: &Gvwstate) -> bool {
    one.view == other.view && one.members == other.members
}

fn complete(view: &mut HeldView<'_>, facts: &[Facts<'_>]) {
    let own = |index: &usize| facts[*index].files().and_then(|files| files.gvwstate.read()).map(|own| own.my_uuid);
    let mut nodes: Vec<_> = view.holders.iter().filter_map(own).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let goes_on = |one: &&Facts<'_>| !one.is_cut_off() && !one.ran_standalone();
    let holders = view.holders.iter().map(|&index| &facts[index]);
    view.best = holders.filter(goes_on).filter_map(Facts::safe).max_by_key(|position| position.seqno());
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
}

/// Its files show that its last primary view was another one than this.
fn was_elsewhere(one: &Facts<'_>, view: ViewId) -> bool {
    let out_of_service = one.is_known() && one.primary().is_none() && !one.transfers();
    let left = one.files().is_some_and(|files| match &files.gvwstate {
        // A clean stop removes the file, also one without service: then this view may have been its last.
        Found::Absent => files.records.view.is_some_and(|record| record.view != view),
        Found::Torn(_) => false,
        Found::Read(own) => own.members.binary_search(&own.my_uuid).is_ok(),
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
    /// It counts: the position reaches the floor of the view in which the member was alone.
    ReachesFloor(i64),
    /// It does not count.
    Ignored(FlagIgnored),
}

impl Flag {
    pub(super) fn is_trusted(self) -> bool {
        matches!(self, Flag::CleanStop | Flag::ReachesFloor(_))
    }
}

/// Whether a member's `safe_to_bootstrap: 1` proves that it left last.
pub(super) fn flag(one: &Facts<'_>) -> Flag {
    let Some(files) = one.files().filter(|_| one.is_known() && one.running().is_none()) else { return Flag::NotSet };
    let Some(grastate) = files.grastate.read().filter(|grastate| grastate.safe_to_bootstrap == Some(true)) else {
        return Flag::NotSet;
    };
    let Some(position) = one.safe().filter(|_| !one.given_up) else { return Flag::Ignored(FlagIgnored::Unsafe) };
    if one.left_out.is_some() {
        return Flag::Ignored(FlagIgnored::Superseded);
    }
    if grastate.seqno >= 0 {
        return Flag::CleanStop;
    }
    // The record counts only for the view in which it was alone: that of gvwstate.dat, unless a clean stop removed it. A torn
    // file may have named a later one.
    let is_of_view = |id: ViewId| match &files.gvwstate {
        Found::Absent => true,
        Found::Torn(_) => false,
        Found::Read(gvwstate) => gvwstate.view == id,
    };
    let record = files.records.view.filter(|record| record.size == Some(1) && record.uuid == position.uuid());
    let alone = record.filter(|record| is_of_view(record.view));
    match alone.map(|record| record.floor) {
        None => Flag::Ignored(FlagIgnored::NoCleanStop),
        Some(floor) if position.seqno() < floor => Flag::Ignored(FlagIgnored::BelowFloor),
        Some(floor) => Flag::ReachesFloor(floor.get()),
    }
}
