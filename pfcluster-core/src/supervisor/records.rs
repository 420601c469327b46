//! What a supervisor writes down, outside the data directory: what makes a part of the evidence enough after an outage.

use super::own::Look;
use crate::cluster::Hostname;
use crate::galera::bootstrap::Seen;
use crate::galera::{
    ClusterStatus, Evidence, Fork, LocalState, Observation, Position, Process, Records, Running, Seqno, ViewRecord,
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
/// whoever left before could hold more. So the status must show as many members as the view has, be of the same view in both
/// looks, and nothing may wait to be applied.
pub(super) fn write_view(records: &mut Records, before: &Look, now: &Look) {
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
    {
        let size = u32::try_from(own.members.len()).ok();
        records.view = Some(ViewRecord { view: own.view, uuid: running.uuid, floor, size });
    }
}

/// History goes on from here with these members.
pub(super) fn write_fork(records: &mut Records, at: Position, present: Vec<Hostname>) {
    let fork = Fork { uuid: at.uuid(), seqno: at.seqno(), present, known: true };
    if !records.forks.contains(&fork) {
        records.forks.push(fork);
    }
}

/// Two components are in service, so somebody was forced by hand: history parted when our view was new, at the latest, and went
/// on here with those that we see. Whoever is in the other component must never slip in with what it has.
pub(super) fn write_split(records: &mut Records, evidence: &Evidence) {
    let (Some(running), Some(view)) = (synced(evidence), records.view) else { return };
    let own = evidence.files.as_ref().and_then(|files| files.gvwstate.read());
    if own.is_some_and(|own| own.view == view.view)
        && view.uuid == running.uuid
        && let Some(at) = Position::new(view.uuid, view.floor.get())
    {
        write_fork(records, at, running.sees.clone());
    }
}

/// Takes over the forks of this history that the evidence shows, with `me` among those present: it goes on from what was
/// common at them.
pub(super) fn learn_forks<'e>(
    records: &mut Records,
    at: Position,
    me: &Hostname,
    all: impl Iterator<Item = &'e Evidence>,
) {
    let shown = all.filter_map(|evidence| evidence.files.as_ref()).flat_map(|files| &files.records.forks);
    for fork in shown.filter(|fork| fork.uuid == at.uuid()) {
        if !records.forks.iter().any(|known| known.is_same(fork)) {
            let mut fork = fork.clone();
            if !fork.present.contains(me) {
                fork.present.push(me.clone());
            }
            records.forks.push(fork);
        }
    }
}

/// In service: whoever is in it with us went along with all that we went along with; and what tells nobody apart any more is
/// forgotten, so that the list stays short.
pub(super) fn tend_forks(records: &mut Records, running: &Running, me: &Hostname, seen: &[Seen]) {
    let with_us = |seen: &Seen| seen.host == *me || peer_with_us(seen, running, me).is_some();
    let together: Vec<&Hostname> = seen.iter().filter(|seen| with_us(seen)).map(|seen| &seen.host).collect();
    for fork in records.forks.iter_mut().filter(|fork| fork.uuid == running.uuid) {
        fork.present
            .extend(together.iter().filter(|host| !fork.present.contains(host)).copied().cloned().collect::<Vec<_>>());
        fork.present.sort_by_key(|host| seen.iter().position(|seen| seen.host == *host));
    }
    if together.len() == seen.len() {
        // Nobody holds anything of another history any more.
        records.forks.retain(|fork| fork.uuid == running.uuid);
        let is_settled = |fork: &Fork| {
            let is_whole = |fork: &Fork| seen.iter().all(|seen| fork.present.contains(&seen.host));
            let everywhere = seen.iter().filter(|seen| seen.host != *me).all(|seen| {
                let files = peer_with_us(seen, running, me).and_then(|evidence| evidence.files.as_ref());
                files.is_some_and(|files| {
                    files.records.forks.iter().all(|other| !other.is_same(fork) || is_whole(other))
                })
            });
            is_whole(fork) && everywhere
        };
        let settled: Vec<Fork> = records.forks.iter().filter(|fork| is_settled(fork)).cloned().collect();
        records.forks.retain(|fork| !settled.contains(fork));
    }
    forget_covered(&mut records.forks);
}

/// Of two forks the later one tells nothing new if the earlier one was missed by all who missed the later.
fn forget_covered(forks: &mut Vec<Fork>) {
    let covers = |one: &Fork, other: &Fork| {
        let earlier = one.uuid == other.uuid && one.seqno < other.seqno;
        earlier && one.known && other.known && one.present.iter().all(|host| other.present.contains(host))
    };
    let covered: Vec<Fork> =
        forks.iter().filter(|fork| forks.iter().any(|other| covers(other, fork))).cloned().collect();
    forks.retain(|fork| !covered.contains(fork));
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

/// The evidence of a peer that is synced in our component, as both sides say.
fn peer_with_us<'s>(seen: &'s Seen, running: &Running, me: &Hostname) -> Option<&'s Evidence> {
    let Observation::Known(evidence) = &seen.observation else { return None };
    let peer = synced(evidence)?;
    let both = peer.uuid == running.uuid && peer.sees.contains(me) && running.sees.contains(&seen.host);
    both.then_some(&**evidence)
}
