//! Laws of the others: who joins, who stops before, whose data are moved aside.

use super::Judged;
use super::held::{
    Held, diverged, evidence, files, held, is_primary, is_starting, ran_alone, records, remembers, running, transfers,
};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Action, Seen};
use pfcluster_core::galera::{ClusterStatus, Position};

struct Lists<'a> {
    stop_first: &'a [Hostname],
    joiners: &'a [Hostname],
    discard: &'a [Hostname],
}

fn lists<'a>(judged: &Judged<'a>) -> Lists<'a> {
    let (stop_first, joiners, discard): (&[_], &[_], &[_]) = match &judged.decision.action {
        Action::Join { joiners, discard, .. } => (&[], joiners, discard),
        Action::Bootstrap { stop_first, joiners, discard, .. }
        | Action::Promote { stop_first, joiners, discard, .. }
        | Action::Seed { stop_first, joiners, discard, .. } => (stop_first, joiners, discard),
        Action::Reform { stop_first, joiners, .. } | Action::Fresh { stop_first, joiners, .. } => {
            (stop_first, joiners, &[])
        }
        _ => (&[], &[], &[]),
    };
    Lists { stop_first, joiners, discard }
}

/// Whose state the joiners take over.
fn sources<'a>(judged: &Judged<'a>) -> Vec<&'a Seen> {
    let primaries = || judged.seen.iter().filter(|one| one.enabled && is_primary(one));
    match &judged.decision.action {
        Action::Join { .. } => primaries().collect(),
        _ => judged.started().iter().filter_map(|host| judged.member(host).ok()).collect(),
    }
}

pub(super) fn losing_joiners(judged: Judged<'_>) -> Result<(), String> {
    let Lists { joiners, discard, .. } = lists(&judged);
    if joiners.is_empty() && discard.is_empty() {
        return Ok(());
    }
    let sources = sources(&judged);
    let serving = sources.iter().filter_map(|one| held(one).good()).max_by_key(|position| position.seqno());
    for host in joiners.iter().chain(discard) {
        let one = judged.member(host)?;
        let Some(evidence) = evidence(one) else {
            if discard.contains(host) && judged.given_up(one) {
                continue;
            }
            return Err(format!("{host} joins and is not known"));
        };
        if !one.enabled || evidence.maintenance || evidence.arbitrator || is_primary(one) || transfers(one, judged.seen)
        {
            return Err(format!("{host} must not join: {evidence:?}"));
        }
    }
    for host in joiners {
        let one = judged.member(host)?;
        let begins_anew = matches!(judged.decision.action, Action::Seed { .. } | Action::Fresh { .. });
        let reached = |position| {
            let source = serving.filter(|_| !begins_anew);
            source.is_some_and(|source| loses_nothing(one, position, source, &sources))
        };
        let fits = match held(one) {
            Held::Empty => true,
            Held::Unknown | Held::Nothing | Held::NoHistory => false,
            Held::Bad(Some(position)) if receives_all(one) => reached(position) || is_with_others(judged, one),
            Held::Bad(None) => is_broken_copy(one) || never_in_service(one) || is_with_others(judged, one),
            Held::Bad(Some(_)) => is_with_others(judged, one),
            Held::Good(position) => reached(position),
        };
        if !fits || judged.given_up(one) && held(one) != Held::Empty {
            return Err(format!("{host} joins, and would lose {:?}", held(one)));
        }
    }
    Ok(())
}

fn loses_nothing(one: &Seen, at: Position, source: Position, sources: &[&Seen]) -> bool {
    let of_sources = || sources.iter().filter_map(|source| records(source)).flat_map(|records| &records.forks);
    let missed = of_sources().filter(|fork| !remembers(one, fork));
    let own = records(one).map_or(&[][..], |records| &records.forks[..]);
    let went_its_own_way = own
        .iter()
        .filter(|fork| fork.at.uuid() == source.uuid() && !sources.iter().any(|source| remembers(source, fork)));
    let first =
        missed.chain(went_its_own_way).filter(|fork| fork.at.uuid() == at.uuid()).min_by_key(|fork| fork.at.seqno());
    let is_in_source = match first {
        Some(fork) => !at.is_above(fork.at),
        None if at.uuid() == source.uuid() => !at.is_above(source),
        // The source went on from there with another UUID, and the member meant to join it.
        None => of_sources().any(|fork| fork.at.uuid() == at.uuid() && !at.is_above(fork.at)),
    };
    is_in_source && !ran_alone(one)
}

/// A transfer to it broke off after it had taken the place of what was there.
fn is_broken_copy(one: &Seen) -> bool {
    let Some(files) = files(one) else { return false };
    files.sst_marker && files.grastate.read().is_none_or(|grastate| grastate.uuid.is_zero())
}

/// A transfer to it was not on disk yet, and it was never seen in service: it has confirmed nothing to anybody.
fn never_in_service(one: &Seen) -> bool {
    files(one).is_some_and(|files| files.unsynced_transfer && files.records.last_recorded.is_none())
}

/// grastate.dat is torn or missing, or has the zero UUID, or is moved away for that: a server that starts so receives everything.
fn receives_all(one: &Seen) -> bool {
    files(one).is_some_and(|files| {
        files.unsynced_transfer || files.grastate.read().is_none_or(|grastate| grastate.uuid.is_zero())
    })
}

/// A transfer to it was not on disk yet, and somebody who was in the same last view is safe, and has as much.
pub(super) fn is_with_others(judged: Judged<'_>, one: &Seen) -> bool {
    let view = |one: &Seen| files(one)?.gvwstate.read().map(|own| (own.view, own.members.clone()));
    let own = view(one).filter(|_| files(one).is_some_and(|files| files.unsynced_transfer && !files.sst_marker));
    let reaches = |at: Position| {
        held(one).seeming().is_none_or(|position| position.uuid() == at.uuid() && !position.is_above(at))
    };
    let has_as_much = |other: &Seen| {
        let goes_on = !judged.given_up(other) && !diverged(other, judged.seen, judged.policy);
        goes_on && held(other).good().is_some_and(reaches)
    };
    own.is_some() && judged.seen.iter().any(|other| view(other) == own && has_as_much(other))
}

/// Every process that waits without service beside the chosen ones keeps a view from forming again, or may become
/// primary by itself. Who is in the component of the one that is promoted comes along.
pub(super) fn lingering_processes(judged: Judged<'_>) -> Result<(), String> {
    let action = &judged.decision.action;
    let Lists { stop_first, .. } = lists(&judged);
    for host in stop_first {
        let one = judged.member(host)?;
        let runs = running(one).is_some() || is_starting(one);
        if !one.enabled || is_primary(one) || transfers(one, judged.seen) || !runs {
            return Err(format!("{host} is to stop: {:?}", evidence(one)));
        }
    }
    let started = judged.started();
    if started.is_empty() || matches!(action, Action::Standalone { .. }) {
        return Ok(());
    }
    let promoted = match action {
        Action::Promote { member, .. } => running(judged.member(member)?),
        _ => None,
    };
    for one in judged.seen.iter().filter(|one| one.enabled) {
        let is_arbitrator = evidence(one).is_some_and(|evidence| evidence.arbitrator);
        if is_arbitrator || running(one).is_none() && !is_starting(one) || stop_first.contains(&one.host) {
            continue;
        }
        let may_stay = match action {
            Action::Reform { .. } => started.contains(&one.host),
            Action::Promote { .. } => {
                let waits = running(one).is_some_and(|running| running.status == ClusterStatus::NonPrimary);
                waits && promoted.is_some_and(|promoted| promoted.sees.contains(&one.host))
                    || started.contains(&one.host)
            }
            _ => false,
        };
        if !may_stay {
            return Err(format!("{} runs on beside {started:?}", one.host));
        }
    }
    Ok(())
}

/// Whoever counts others than we do would make a cluster of its own. A member that is counted out must count out all
/// others: else it stands in a cluster that they have left.
pub(super) fn differing(judged: Judged<'_>) -> Result<(), String> {
    if matches!(judged.decision.action, Action::Refuse { .. }) { Ok(()) } else { differing_members(judged.seen) }
}

/// Everybody agrees about who is a member.
pub(super) fn differing_members(seen: &[Seen]) -> Result<(), String> {
    let mut hashes = seen.iter().filter_map(|one| evidence(one)?.members_hash.as_deref());
    if hashes.next().is_some_and(|first| hashes.any(|hash| hash != first)) {
        return Err("the members are not the same everywhere".to_owned());
    }
    for one in seen {
        let Some(evidence) = evidence(one) else { continue };
        if evidence.disabled.contains(&one.host) {
            return Err(format!("{} counts itself out", one.host));
        }
        for other in seen.iter().filter(|other| other.host != one.host) {
            let counted_out = evidence.disabled.contains(&other.host);
            // Of those that are counted out already it does not matter what they think of each other.
            if one.enabled && counted_out == other.enabled || !one.enabled && other.enabled && !counted_out {
                return Err(format!("{} counts {} otherwise", one.host, other.host));
            }
        }
    }
    Ok(())
}

pub(super) fn repetitions(judged: Judged<'_>) -> Result<(), String> {
    let Lists { stop_first, joiners, discard } = lists(&judged);
    let started = judged.started();
    let twice = |list: &[Hostname]| list.iter().enumerate().any(|(at, host)| list[at + 1..].contains(host));
    let both = |one: &[Hostname], other: &[Hostname]| one.iter().any(|host| other.contains(host));
    let reforms = matches!(judged.decision.action, Action::Reform { .. });
    if [started, stop_first, joiners, discard].into_iter().any(twice)
        || both(started, joiners)
        || both(started, discard)
        || both(joiners, discard)
        || reforms && both(started, stop_first)
    {
        return Err(format!("{started:?} start; stop {stop_first:?}, join {joiners:?}, discard {discard:?}"));
    }
    Ok(())
}
