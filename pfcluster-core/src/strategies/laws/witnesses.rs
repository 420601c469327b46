//! Who can start while somebody is unknown: only who can prove to have left last.

use super::Judged;
use super::held::{Held, evidence, files, held, records};
use crate::galera::bootstrap::Seen;
use crate::galera::{Found, Gvwstate, Process};

pub(super) fn without_a_witness(judged: Judged<'_>) -> Result<(), String> {
    let ([started, ..], None) = (judged.started(), &judged.policy.force) else { return Ok(()) };
    let answered = |one: &Seen| held(one) == Held::Nothing || held(one) != Held::Unknown && files(one).is_some();
    let unknown = |one: &&Seen| one.enabled && !answered(one) && !judged.given_up(one);
    let not_lost = |one: &Seen| !judged.policy.assume_lost.contains(&one.host);
    let Some(missing) = judged.seen.iter().filter(unknown).find(|one| not_lost(one)) else { return Ok(()) };
    let enabled = judged.seen.iter().filter(|one| one.enabled);
    let (all, known) = (enabled.clone().count(), enabled.filter(|one| answered(one)).count());
    let started = judged.member(started)?;
    if known * 2 > all && (was_alone_at_the_end(started) || holds_the_last_view(started, judged.seen)) {
        return Ok(());
    }
    Err(format!("{} starts, {known} of {all} known, and {} may be alive", started.host, missing.host))
}

/// Its flag tells the truth: it stopped cleanly, or it still has all that it had when it was alone.
fn was_alone_at_the_end(one: &Seen) -> bool {
    let (Some(files), Held::Good(position)) = (files(one), held(one)) else { return false };
    let Some(grastate) = files.grastate.read().filter(|grastate| grastate.safe_to_bootstrap == Some(true)) else {
        return false;
    };
    let record = files.records.view.filter(|record| record.size == Some(1) && record.uuid == position.uuid());
    grastate.seqno >= 0
        || record.is_some_and(|record| {
            let of_view = match &files.gvwstate {
                Found::Absent => true,
                Found::Torn(_) => false,
                Found::Read(own) => own.view == record.view,
            };
            of_view && position.seqno() >= record.floor
        })
}

/// All nodes of its view are here, none of them in service, and one of them has all that anybody had before the view.
fn holds_the_last_view(started: &Seen, seen: &[Seen]) -> bool {
    let view_of = |one: &Seen| -> Option<Gvwstate> { files(one)?.gvwstate.read().cloned() };
    let Some(view) = view_of(started) else { return false };
    let holds = |one: &&Seen| {
        held(one) != Held::Unknown
            && view_of(one).is_some_and(|own| own.view == view.view && own.members == view.members)
    };
    let holders: Vec<&Seen> = seen.iter().filter(holds).collect();
    let here = |node| holders.iter().any(|one| view_of(one).is_some_and(|own| own.my_uuid == node));
    let is_there = |one: &Seen| evidence(one).is_some_and(|evidence| evidence.process != Process::Stopped);
    let arbitrators = seen.iter().filter(|one| held(one) == Held::Nothing && is_there(one)).count();
    let missing = view.members.iter().filter(|node| !here(**node)).count();
    let mut records = seen.iter().filter_map(records).filter_map(|records| records.view);
    let reaches =
        |floor: i64| holders.iter().filter_map(|one| held(one).good()).any(|position| position.seqno().get() >= floor);
    (missing == 0 || missing == arbitrators)
        && records.any(|record| record.view == view.view && reaches(record.floor.get()))
}
