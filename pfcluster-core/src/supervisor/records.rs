//! What a supervisor persists, outside the data directory: what makes a part of the evidence enough after an outage, and the
//! forks from which its data come.

use super::own::Look;
use crate::cluster::Hostname;
use crate::galera::bootstrap::Seen;
use crate::galera::{
    ClusterStatus, Evidence, Fork, Gvwstate, LocalState, Observation, Position, Process, Records, Running, Seqno,
    ViewId, ViewRecord,
};

/// A server that is in service and has all that its component has.
pub(super) fn synced(evidence: &Evidence) -> Option<&Running> {
    match &evidence.process {
        Process::Running(running)
            if running.status == ClusterStatus::Primary
                && running.state == LocalState::Synced
                && !running.uuid.is_zero() =>
        {
            Some(running)
        }
        _ => None,
    }
}

fn position(running: &Running) -> Option<Position> {
    Position::new(running.uuid, running.last_committed)
}

/// The highest position that was seen in service.
pub(super) fn write_position(records: &mut Records, running: &Running) {
    let Some(position) = position(running) else { return };
    let is_newer = |last: Position| last.uuid() != position.uuid() || position.is_above(last);
    if records.last_recorded.is_none_or(is_newer) {
        records.last_recorded = Some(position);
    }
}

/// The view, with its floor, once two looks in a row have found the server synced in it.
///
/// gvwstate.dat names a view before the server has applied what came in ahead of it, and a floor read then would be too low:
/// whoever left before could hold more. So the status must be of the view that the file names, the same in both looks, with
/// nothing waiting to be applied. Counting members is not enough: of two views in a row, one may go and one may come.
/// `is_of_view`: something shows that it is the file's view.
pub(super) fn write_view(
    records: &mut Records,
    before: &Look,
    now: &Look,
    is_of_view: impl Fn(&Gvwstate, &Running) -> bool,
) {
    let view = |look: &Look| {
        let files = look.evidence.files.as_ref()?;
        let own = files.gvwstate.read()?;
        let running = synced(&look.evidence)?;
        let shows_all = usize::try_from(running.size).ok()? == own.members.len();
        let is_applied = look.receive_queue == Some(0);
        (shows_all && is_applied && own.listed().is_some()).then(|| (own.clone(), running.clone(), look.view_number))
    };
    let (Some((own, running, number)), Some((own_before, running_before, number_before))) = (view(now), view(before))
    else {
        return;
    };
    let is_same = own == own_before
        && running.uuid == running_before.uuid
        && running.sees == running_before.sees
        && number.is_some()
        && number == number_before;
    let is_known = records.view.is_some_and(|known| known.view == own.view && known.uuid == running.uuid);
    if let Some(floor) = Seqno::new(running.last_committed)
        && is_same
        && !is_known
        && is_of_view(&own, &running)
    {
        let size = u32::try_from(own.members.len()).ok();
        records.view = Some(ViewRecord { view: own.view, uuid: running.uuid, floor, size });
    }
}

/// So many forks are remembered: there is one for each override.
const MOST_FORKS: usize = 8;

/// From here a component goes on that could not prove that no other member was more advanced.
pub(super) fn write_fork(records: &mut Records, fork: Fork) {
    if !records.remembers(&fork) {
        records.forks.push(fork);
        let surplus = records.forks.len().saturating_sub(MOST_FORKS);
        records.forks.drain(..surplus);
    }
}

/// The number of the fork at which a component began that was forced by hand: the same for all of its members.
pub(super) fn fork_of_view(view: ViewId) -> u64 {
    let bits = view.uuid.as_u128();
    let halves = [(bits >> 64) & u128::from(u64::MAX), bits & u128::from(u64::MAX)];
    let [high, low] = halves.map(|half| u64::try_from(half).unwrap_or_default());
    high.rotate_left(17) ^ low ^ u64::from(view.seq).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Two components are in service, so somebody was forced by hand: they forked when our view was new, at the latest. Whoever is in
/// the other component must never come in by its number.
pub(super) fn write_split(records: &mut Records, evidence: &Evidence) {
    let (Some(running), Some(view)) = (synced(evidence), records.view) else { return };
    let own = evidence.files.as_ref().and_then(|files| files.gvwstate.read());
    if own.is_some_and(|own| own.view == view.view)
        && view.uuid == running.uuid
        && let Some(at) = Position::new(view.uuid, view.floor.get())
    {
        write_fork(records, Fork { id: fork_of_view(view.view), at });
    }
}

/// Takes over the forks that these remember: the member goes on from there with them. `before` is what it held before it joined
/// them: data beyond a fork are not from there. True if there is such a fork.
pub(super) fn learn_forks<'e>(
    records: &mut Records,
    before: Option<Position>,
    all: impl Iterator<Item = &'e Evidence>,
) -> bool {
    let shown: Vec<Fork> =
        all.filter_map(|evidence| evidence.files.as_ref()).flat_map(|files| &files.records.forks).copied().collect();
    let mut has_diverged = false;
    for fork in shown {
        if records.remembers(&fork) {
            continue;
        }
        if before.is_some_and(|before| before.is_above(fork.at)) {
            has_diverged = true;
        } else {
            write_fork(records, fork);
        }
    }
    has_diverged
}

/// Who joins goes on with the data of those in service: a fork of their cluster UUID that none of them remembers came to nothing, or they
/// would not let the member in with its data. Kept, it would tell them apart from it at the next outage.
pub(super) fn forget_forks<'e>(records: &mut Records, in_service: impl Iterator<Item = &'e Evidence>) {
    let shown: Vec<(&Running, &Records)> = in_service
        .filter_map(|evidence| match (&evidence.process, &evidence.files) {
            (Process::Running(running), Some(files)) => Some((running, &files.records)),
            _ => None,
        })
        .collect();
    let is_theirs = |fork: &Fork| shown.iter().any(|(running, _)| running.uuid == fork.at.uuid());
    records.forks.retain(|fork| !is_theirs(fork) || shown.iter().any(|(_, others)| others.remembers(fork)));
}

/// The evidence of a peer that serves in our component, as both sides say: one that gives state to another among them.
pub(super) fn serving_with<'s>(seen: &'s Seen, running: &Running, me: &Hostname) -> Option<&'s Evidence> {
    let Observation::Known(evidence) = &seen.observation else { return None };
    let Process::Running(peer) = &evidence.process else { return None };
    let serves = peer.status == ClusterStatus::Primary
        && matches!(peer.state, LocalState::Synced | LocalState::Donor | LocalState::Joined);
    let both = peer.uuid == running.uuid && peer.sees.contains(me) && running.sees.contains(&seen.host);
    (serves && both).then_some(&**evidence)
}
