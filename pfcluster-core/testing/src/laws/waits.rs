//! Laws of waiting and refusing.

use super::Judged;
use super::held::{
    Held, evidence, files, held, is_primary, is_starting, may_be_outlived, ran_alone, records, remembered, running,
    transfers,
};
use super::lists::differing_members;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Action, Need, Problem, Seen};
use pfcluster_core::galera::{ClusterStatus, LocalState, Position, Process, Records, Recovered};

pub(super) fn unhelpful(judged: Judged<'_>) -> Result<(), String> {
    let named: Vec<&Hostname> = match &judged.decision.action {
        Action::Wait { awaited } => awaited.iter().map(|one| &one.member).collect(),
        Action::Refuse { problem: Problem::NoMembers } if !judged.decision.remedy.is_empty() => return Ok(()),
        Action::Refuse { problem } => named_by(problem),
        _ => return Ok(()),
    };
    if judged.decision.remedy.is_empty() {
        return Err("no remedy".to_owned());
    }
    if named.is_empty() {
        return Err("no member is named".to_owned());
    }
    if let Action::Wait { awaited } = &judged.decision.action
        && let Some(one) =
            awaited.iter().find(|one| judged.member(&one.member).is_ok_and(|seen| !lacks(seen, &one.need, judged.seen)))
    {
        return Err(format!("{} does not lack {:?}", one.member, one.need));
    }
    // The operator may name a stranger; nobody else does.
    let said =
        |host: &Hostname| [&judged.policy.force, &judged.policy.seed].into_iter().flatten().any(|said| said == host);
    named.into_iter().filter(|host| !said(host)).try_for_each(|host| judged.member(host).map(|_| ()))
}

/// What is waited for is missing.
fn lacks(one: &Seen, need: &Need, seen: &[Seen]) -> bool {
    let recovered = |is: fn(&Recovered) -> bool| files(one).is_some_and(|files| is(&files.recovered));
    match need {
        Need::Evidence { .. } => evidence(one).is_none(),
        Need::Files => evidence(one).is_some() && files(one).is_none(),
        Need::Recovery => recovered(|found| *found == Recovered::NotRun),
        Need::RecoveryThatWorks { .. } => recovered(|found| matches!(found, Recovered::Failed(_))),
        Need::Answer => held(one) == Held::Unknown && (is_starting(one) || running(one).is_some()),
        Need::Response => evidence(one).is_some_and(|evidence| evidence.process == Process::NotResponding),
        Need::NewComponent => evidence(one).is_some_and(|evidence| evidence.process == Process::Bootstrapping),
        Need::TransferEnd => transfers(one, seen),
        Need::Service | Need::SecondLook => is_primary(one),
        Need::Network => running(one).is_some_and(|running| running.status == ClusterStatus::NonPrimary),
        Need::MaintenanceEnd => maintenance(one),
        _ => false,
    }
}

fn named_by(problem: &Problem) -> Vec<&Hostname> {
    match problem {
        Problem::MembersDiffer { one, other } | Problem::SplitBrain { one, other } => vec![one, other],
        Problem::OneSidedDisable { by, out, against } => vec![by, out, against],
        Problem::ZeroUuid { member }
        | Problem::Regression { member, .. }
        | Problem::UnsafeHoldsMore { member, .. }
        | Problem::DisabledHoldsMore { member, .. }
        | Problem::Unfit { member, .. } => vec![member],
        Problem::StandaloneHistory { members }
        | Problem::SeveralSafeToBootstrap { members }
        | Problem::NobodyLeft { members }
        | Problem::Diverged { members, .. } => members.iter().collect(),
        Problem::DivergentHistories { histories } => histories.iter().flat_map(|history| &history.members).collect(),
        Problem::TwoLastViews { one, other } => one.iter().chain(other).collect(),
        Problem::NoCandidate { members } => members.iter().map(|one| &one.member).collect(),
        Problem::NoMembers => Vec::new(),
        other => panic!("no law knows whom this names: {other:?}"),
    }
}

/// Galera merges by itself when the network is whole again; a start meanwhile serves one side only.
pub(super) fn through_a_cut(judged: Judged<'_>) -> Result<(), String> {
    let policy = judged.policy;
    let said = policy.force.is_some() || policy.seed.is_some() || policy.standalone;
    let enabled: Vec<&Seen> = judged.seen.iter().filter(|one| one.enabled).collect();
    match judged.started() {
        [started, ..] if !said && enabled.len() > 1 && apart(&enabled) => {
            Err(format!("{started} starts while nobody sees all others"))
        }
        _ => Ok(()),
    }
}

pub(super) fn needless(judged: Judged<'_>, honest: bool) -> Result<(), String> {
    if !matches!(judged.decision.action, Action::Wait { .. } | Action::Refuse { .. }) {
        return Ok(());
    }
    // A view that only an arbitrator completes, and a flag: whether its other node was the arbitrator is not recorded.
    let votes = |one: &Seen| held(one) == Held::Nothing;
    let two = matches!(judged.decision.action, Action::Refuse { problem: Problem::TwoLastViews { .. } });
    if two && judged.seen.iter().any(votes) {
        return Ok(());
    }
    if !can_be_brought_back(&judged, honest) || !honest && !may_be_true(judged.seen) {
        return Ok(());
    }
    Err(format!("it is not: {:?}", judged.decision.action))
}

fn can_be_brought_back(judged: &Judged<'_>, honest: bool) -> bool {
    let policy = judged.policy;
    let said = policy.seed.is_some() || policy.force.is_some() || policy.standalone || !policy.discard.is_empty();
    let enabled: Vec<&Seen> = judged.seen.iter().filter(|one| one.enabled).collect();
    if said || enabled.len() < 2 && enabled.len() < judged.seen.len() || differing_members(judged.seen).is_err() {
        return false;
    }
    if enabled.is_empty() || enabled.iter().any(|one| held(one) == Held::Unknown || ran_alone(one)) {
        return false;
    }
    if enabled.iter().any(|one| is_primary(one)) {
        return one_component(&enabled);
    }
    // Half an answer: which view it was in, and where it parted from others, is not known.
    if enabled.iter().any(|one| held(one) != Held::Nothing && files(one).is_none()) {
        return false;
    }
    if judged.seen.iter().any(|one| transfers(one, judged.seen)) {
        return false;
    }
    let doubted = |one: &Seen| may_be_outlived(one, judged.seen, policy);
    let good = || enabled.iter().filter(|one| !doubted(one)).filter_map(|one| Some((*one, held(one).good()?)));
    let Some((_, best)) = good().max_by_key(|(_, position)| position.seqno()) else {
        let forgot = |one: &Seen| records(one).is_some_and(|records| *records == Records::default());
        let fresh = |one: &Seen| match held(one) {
            Held::Nothing => true,
            Held::Empty => forgot(one),
            Held::Unknown => !one.enabled,
            _ => false,
        };
        let may_begin = |one: &Seen| held(one) == Held::Empty && !maintenance(one);
        return judged.seen.iter().all(fresh) && enabled.iter().any(|one| may_begin(one));
    };
    let is_above = |position: Position| position.uuid() != best.uuid() || position.is_above(best);
    let in_the_way = |one: &Seen| match held(one) {
        Held::Good(_) if one.enabled && !doubted(one) => false,
        _ if !one.enabled && ran_alone(one) => false,
        held => held.seeming().into_iter().chain(remembered(one)).any(is_above),
    };
    let one_history = good().all(|(_, position)| position.uuid() == best.uuid());
    let somebody_may = good().any(|(one, position)| position == best && !maintenance(one));
    let no_forks = honest || judged.seen.iter().all(|one| records(one).is_none_or(|records| records.forks.is_empty()));
    one_history && somebody_may && no_forks && !judged.seen.iter().any(in_the_way) && !apart(&enabled)
}

fn maintenance(one: &Seen) -> bool {
    evidence(one).is_some_and(|evidence| evidence.maintenance)
}

/// Everybody who is primary is in one component, and one of them has the state.
fn one_component(seen: &[&Seen]) -> bool {
    let primaries = || seen.iter().filter(|one| is_primary(one));
    let serves = |one: &Seen| {
        running(one).is_some_and(|one| matches!(one.state, LocalState::Donor | LocalState::Joined | LocalState::Synced))
    };
    let like = |one: &Seen, other: &Seen| {
        running(one).map(|running| running.uuid) == running(other).map(|running| running.uuid)
            && (one.host == other.host || running(one).is_some_and(|running| running.sees.contains(&other.host)))
    };
    primaries().all(|one| primaries().all(|other| like(one, other)))
        && primaries().any(|one| serves(one) && held(one).good().is_some())
}

/// They all run without service and don't see each other: a network that is cut.
fn apart(seen: &[&Seen]) -> bool {
    let data = || seen.iter().filter(|one| held(one) != Held::Nothing);
    let waits = |one: &Seen| running(one).is_some_and(|running| running.status == ClusterStatus::NonPrimary);
    let sees_all =
        |one: &Seen| running(one).is_some_and(|running| data().all(|other| running.sees.contains(&other.host)));
    data().all(|one| waits(one)) && !data().all(|one| sees_all(one))
}

/// No more than one member or view says that it was the last, so a true history may have left this.
fn may_be_true(seen: &[Seen]) -> bool {
    let flagged = |one: &&Seen| {
        files(one).and_then(|files| files.grastate.read()).is_some_and(|found| found.safe_to_bootstrap == Some(true))
    };
    let mut views = seen.iter().filter_map(|one| files(one)?.gvwstate.read()).map(|own| (own.view, &own.members));
    match views.next() {
        None => seen.iter().filter(flagged).count() <= 1,
        Some(first) => views.all(|view| view == first) && !seen.iter().any(|one| flagged(&one)),
    }
}
