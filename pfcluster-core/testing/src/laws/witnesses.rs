//! Who can start while somebody is unknown: only who can prove to have left last.

use super::Judged;
use super::held::{Held, evidence, files, held, is_primary, records, transfers};
use pfcluster_core::galera::bootstrap::Seen;
use pfcluster_core::galera::{Found, Gvwstate, Position, Process};

pub(super) fn without_a_witness(judged: Judged<'_>) -> Result<(), String> {
    let ([started, ..], None) = (judged.started(), &judged.policy.force) else { return Ok(()) };
    let answered = |one: &Seen| held(one) == Held::Nothing || held(one) != Held::Unknown && files(one).is_some();
    let unknown = |one: &&Seen| one.enabled && !answered(one) && !judged.given_up(one);
    let not_lost = |one: &Seen| !judged.policy.assume_lost.contains(&one.host);
    let Some(missing) = judged.seen.iter().filter(unknown).find(|one| not_lost(one)) else { return Ok(()) };
    let enabled = judged.seen.iter().filter(|one| one.enabled);
    let (all, known) = (enabled.clone().count(), enabled.filter(|one| answered(one)).count());
    let started = judged.member(started)?;
    if known * 2 > all && proves(started, judged.seen) {
        return Ok(());
    }
    Err(format!("{} starts, {known} of {all} known, and {} may be alive", started.host, missing.host))
}

/// It left last, whatever those hold of whom nothing is known.
pub(super) fn proves(started: &Seen, seen: &[Seen]) -> bool {
    was_alone_at_the_end(started) || holds_the_last_view(started, seen)
}

/// Its flag tells the truth: it stopped cleanly, as recovery has shown.
pub(super) fn was_alone_at_the_end(one: &Seen) -> bool {
    let (Some(files), Held::Good(position)) = (files(one), held(one)) else { return false };
    let Some(grastate) = files.grastate.read().filter(|grastate| grastate.safe_to_bootstrap == Some(true)) else {
        return false;
    };
    let clean = files.records.clean.filter(|clean| clean.position == position);
    let is_stopped = evidence(one).is_some_and(|evidence| !matches!(evidence.process, Process::Running(_)));
    let written = Position::new(grastate.uuid, grastate.seqno);
    is_stopped && files.gvwstate == Found::Absent && clean.map_or(written == Some(position), |clean| clean.last)
}

pub(super) fn view_of(one: &Seen) -> Option<Gvwstate> {
    files(one)?.gvwstate.read().filter(|own| own.listed().is_some()).cloned()
}

/// All nodes of its view are here.
pub(super) fn holds_a_view(one: &Seen, seen: &[Seen]) -> bool {
    let out_of_service = |one: &&Seen| held(one) != Held::Unknown && !is_primary(one) && !transfers(one, seen);
    let Some(view) = view_of(one).filter(|_| out_of_service(&one)) else { return false };
    let same = |other: &&Seen| view_of(other).is_some_and(|own| own.view == view.view && own.members == view.members);
    let flagged =
        files(one).and_then(|files| files.grastate.read()).is_some_and(|own| own.safe_to_bootstrap == Some(true));
    let holders: Vec<Gvwstate> = seen.iter().filter(out_of_service).filter(same).filter_map(view_of).collect();
    let all = view.members.iter().all(|node| holders.iter().any(|own| own.my_uuid.is_same_node(*node)));
    all && (view.members.len() > 1 || flagged)
}

/// All nodes of its view are here, none of them in service, and one of them has all that anybody had before the view.
fn holds_the_last_view(started: &Seen, seen: &[Seen]) -> bool {
    let view_of = |one: &Seen| -> Option<Gvwstate> { files(one)?.gvwstate.read().cloned() };
    let flagged = |one: &Seen| {
        files(one).and_then(|files| files.grastate.read()).is_some_and(|own| own.safe_to_bootstrap == Some(true))
    };
    let Some(view) = view_of(started) else { return false };
    let holds = |one: &&Seen| {
        held(one) != Held::Unknown
            && view_of(one).is_some_and(|own| own.view == view.view && own.members == view.members)
    };
    let holders: Vec<&Seen> = seen.iter().filter(holds).collect();
    let here = |node| holders.iter().any(|one| view_of(one).is_some_and(|own| own.my_uuid.is_same_node(node)));
    let is_there = |one: &Seen| evidence(one).is_some_and(|evidence| evidence.process != Process::Stopped);
    let arbitrators = seen.iter().filter(|one| held(one) == Held::Nothing && is_there(one)).count();
    let missing = view.members.iter().filter(|node| !here(**node)).count();
    let mut records = seen.iter().filter_map(records).filter_map(|records| records.view);
    let reaches =
        |floor: i64| holders.iter().filter_map(|one| held(one).good()).any(|position| position.seqno().get() >= floor);
    (missing == 0 || missing == arbitrators)
        && (view.members.len() > 1 || flagged(started))
        && records.any(|record| record.view == view.view && reaches(record.floor.get()))
}
