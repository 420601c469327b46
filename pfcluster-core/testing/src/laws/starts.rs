//! Laws of whatever makes a primary component.

use super::Judged;
use super::held::{
    Held, diverged, evidence, files, has_successor, held, is_primary, missed_forks, ran_alone, records, remembered,
    running, transfers,
};
use super::lists::is_with_others;
use super::witnesses::{holds_a_view, proves, view_of, was_alone_at_the_end};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Action, Assumption, Seen, losses};
use pfcluster_core::galera::{ClusterStatus, Position};

impl<'a> Judged<'a> {
    /// Who starts with the state that everybody else takes over; nobody if the decision starts nothing.
    pub(super) fn started(&self) -> &'a [Hostname] {
        match &self.decision.action {
            Action::Bootstrap { member, .. }
            | Action::Promote { member, .. }
            | Action::Fresh { member, .. }
            | Action::Seed { member, .. }
            | Action::Standalone { member } => std::slice::from_ref(member),
            Action::Reform { members, .. } => members,
            _ => &[],
        }
    }

    pub(super) fn member(&self, host: &Hostname) -> Result<&'a Seen, String> {
        self.seen.iter().find(|seen| seen.host == *host).ok_or_else(|| format!("{host} is no member"))
    }

    pub(super) fn given_up(&self, one: &Seen) -> bool {
        self.policy.discard.contains(&one.host)
    }

    /// The operator has named the one to start, whatever else is there.
    fn by_word(&self) -> bool {
        let action = &self.decision.action;
        self.policy.force.is_some() || matches!(action, Action::Seed { .. } | Action::Standalone { .. })
    }

    /// What it starts from: the highest of a view that forms again.
    pub(super) fn source(&self) -> Option<Position> {
        match &self.decision.action {
            Action::Bootstrap { position, .. } | Action::Promote { position, .. } => Some(*position),
            Action::Reform { members, .. } => {
                let good = members.iter().filter_map(|host| held(self.member(host).ok()?).good());
                good.max_by_key(|position| position.seqno())
            }
            _ => None,
        }
    }
}

pub(super) fn beside_a_primary(judged: Judged<'_>) -> Result<(), String> {
    let primary = judged.seen.iter().find(|one| one.enabled && is_primary(one));
    match (judged.started(), primary) {
        ([started, ..], Some(primary)) => Err(format!("{started} starts while {} is primary", primary.host)),
        _ => Ok(()),
    }
}

/// Membership is the only sign of two components: after a forced split both may show the same numbers.
pub(super) fn one_of_two(judged: Judged<'_>) -> Result<(), String> {
    let Action::Join { .. } = judged.decision.action else { return Ok(()) };
    let primaries = || judged.seen.iter().filter(|one| one.enabled && is_primary(one));
    let lists = |one: &Seen, other: &Seen| running(one).is_some_and(|own| own.sees.contains(&other.host));
    let apart = |one: &Seen, other: &Seen| {
        let histories = [one, other].map(|it| running(it).map(|own| own.uuid));
        one.host != other.host && (histories[0] != histories[1] || !lists(one, other) && !lists(other, one))
    };
    let mut pairs = primaries().flat_map(|one| primaries().map(move |other| (one, other)));
    let found = pairs.find(|(one, other)| apart(one, other));
    found.map_or(Ok(()), |(one, other)| Err(format!("{} and {} are primary apart", one.host, other.host)))
}

/// Of whom nothing is known must be named with what is assumed of it, and nobody else.
pub(super) fn unsaid(judged: Judged<'_>) -> Result<(), String> {
    let (Action::Bootstrap { assumes, .. } | Action::Promote { assumes, .. }) = &judged.decision.action else {
        return Ok(());
    };
    let named = |host: &Hostname, enabled: bool| {
        assumes.iter().any(|assumption| match assumption {
            Assumption::LeftBehind { members } => !enabled && members.contains(host),
            Assumption::NotForced { members }
            | Assumption::Lost { members, .. }
            | Assumption::Forced { unknown: members } => enabled && members.contains(host),
            _ => false,
        })
    };
    for one in judged.seen {
        let says_nothing = held(one) == Held::Unknown;
        let says_all = held(one) == Held::Nothing || !says_nothing && files(one).is_some();
        let given_up = judged.given_up(one) && one.enabled;
        if says_nothing && !given_up && !named(&one.host, one.enabled) {
            return Err(format!("{} is unknown, and {assumes:?} does not say so", one.host));
        }
        if says_all && (named(&one.host, true) || named(&one.host, false)) {
            return Err(format!("{} has answered, but {assumes:?}", one.host));
        }
    }
    Ok(())
}

pub(super) fn during_a_transfer(judged: Judged<'_>) -> Result<(), String> {
    let busy = judged.seen.iter().find(|one| one.enabled && transfers(one, judged.seen));
    match (judged.started(), busy) {
        ([started, ..], Some(busy)) => Err(format!("{started} starts while {} transfers state", busy.host)),
        _ => Ok(()),
    }
}

pub(super) fn across_histories(judged: Judged<'_>) -> Result<(), String> {
    let ([started, ..], false) = (judged.started(), judged.by_word()) else { return Ok(()) };
    let counts = |one: &&Seen| !judged.given_up(one) && (one.enabled || !ran_alone(one));
    let mut positions = judged
        .seen
        .iter()
        .filter(counts)
        .filter_map(|one| Some((one, held(one).good()?)))
        .filter(|(_, at)| !has_successor(*at, judged.seen, judged.policy));
    let Some((one, first)) = positions.next() else { return Ok(()) };
    if let Some((other, position)) = positions.find(|(_, position)| position.uuid() != first.uuid()) {
        return Err(format!("{started} starts; {} is at {first}, {} at {position}", one.host, other.host));
    }
    let alone = judged.seen.iter().find(|one| one.enabled && !judged.given_up(one) && ran_alone(one));
    alone.map_or(Ok(()), |alone| Err(format!("{started} starts, and {} ran without Galera", alone.host)))
}

pub(super) fn from_no_position(judged: Judged<'_>) -> Result<(), String> {
    let action = &judged.decision.action;
    match action {
        Action::Bootstrap { member, position, .. } | Action::Promote { member, position, .. } => {
            let holds = held(judged.member(member)?);
            let trusted = judged.policy.trust.contains(member) && holds == Held::Bad(Some(*position));
            let right = (holds == Held::Good(*position) || trusted) && !position.uuid().is_zero();
            if right { Ok(()) } else { Err(format!("{member} starts from {position} and holds {holds:?}")) }
        }
        Action::Reform { members, .. } => {
            judged.source().map(|_| ()).ok_or_else(|| format!("none of {members:?} holds a state"))
        }
        Action::Fresh { member, .. } => {
            if let Some(one) = judged.seen.iter().find(|one| !nothing_to_lose(&judged, one)) {
                return Err(format!("{member} begins anew, and {} may have data", one.host));
            }
            Ok(())
        }
        Action::Seed { member, .. } => {
            let one = judged.member(member)?;
            let word = judged.policy.seed.as_ref() == Some(member)
                || judged.policy.force.as_ref() == Some(member)
                || judged.policy.standalone && ran_alone(one);
            match held(one) {
                Held::NoHistory if word => Ok(()),
                Held::Good(_) if word && ran_alone(one) => Ok(()),
                other => Err(format!("{member} begins a history, but holds {other:?}, word given: {word}")),
            }
        }
        _ => Ok(()),
    }
}

/// Nobody misses what it has, if a first cluster is made.
fn nothing_to_lose(judged: &Judged<'_>, one: &Seen) -> bool {
    if judged.given_up(one) {
        return true;
    }
    let remembers = records(one).is_some_and(|records| {
        records.clean.is_some()
            || records.last_recorded.is_some()
            || records.view.is_some()
            || !records.forks.is_empty()
    });
    match held(one) {
        Held::Nothing => true,
        Held::Empty => !remembers || judged.policy.force.is_some(),
        Held::Unknown => !one.enabled || judged.policy.assume_lost.contains(&one.host),
        Held::NoHistory | Held::Bad(_) | Held::Good(_) => false,
    }
}

pub(super) fn unfit(judged: Judged<'_>) -> Result<(), String> {
    for host in judged.started() {
        let one = judged.member(host)?;
        let err = |why: &str| Err(format!("{host} starts and {why}"));
        let Some(evidence) = evidence(one) else { return err("is not known") };
        if !one.enabled {
            return err("is disabled");
        }
        if evidence.maintenance {
            return err("is in maintenance");
        }
        // An empty member has nothing to give up.
        let nothing_given_up = held(one) == Held::Empty || matches!(judged.decision.action, Action::Standalone { .. });
        if judged.given_up(one) && !nothing_given_up {
            return err("is given up");
        }
        let fits = match (&judged.decision.action, held(one)) {
            (Action::Bootstrap { .. } | Action::Promote { .. } | Action::Reform { .. }, Held::Good(_)) => {
                !ran_alone(one)
            }
            (Action::Bootstrap { .. } | Action::Standalone { .. }, Held::Bad(Some(_))) => {
                judged.policy.trust.contains(&one.host)
            }
            (Action::Fresh { .. } | Action::Standalone { .. }, Held::Empty) => true,
            (action, holds) => {
                let begins = matches!(action, Action::Seed { .. } | Action::Standalone { .. });
                begins && matches!(holds, Held::NoHistory | Held::Good(_))
            }
        };
        if !fits {
            return err(&format!("holds {:?}", held(one)));
        }
        let waits = running(one).is_some_and(|running| running.status == ClusterStatus::NonPrimary);
        if matches!(judged.decision.action, Action::Promote { .. }) && !waits {
            return err("is promoted, but does not run without service");
        }
        if judged.policy.force.is_none()
            && !matches!(judged.decision.action, Action::Seed { .. } | Action::Standalone { .. })
            && missed_forks(one, judged.seen, judged.policy).next().is_some()
        {
            return err("was not there when history went on");
        }
    }
    Ok(())
}

pub(super) fn left_behind(judged: Judged<'_>) -> Result<(), String> {
    let (Some(source), false) = (judged.source(), judged.by_word()) else { return Ok(()) };
    for one in judged.seen.iter().filter(|one| !judged.given_up(one)) {
        let passed_over = diverged(one, judged.seen, judged.policy) || is_with_others(judged, one);
        if !one.enabled && ran_alone(one) || passed_over {
            continue;
        }
        let mut had = held(one).seeming().into_iter().chain(remembered(one));
        if let Some(above) = had.find(|position| position.is_above(source)) {
            return Err(format!("{source} is the start, and {} is at {above}", one.host));
        }
    }
    Ok(())
}

/// A member that holds more than the start of the same history: what it has more is lost, or stays where it is until an override.
pub(super) fn untold_loss(judged: Judged<'_>) -> Result<(), String> {
    let Some(source) = judged.source() else { return Ok(()) };
    let losses = losses(judged.decision);
    for one in judged.seen {
        let Some(position) = held(one).good().filter(|position| position.is_above(source)) else { continue };
        // Who ran alone, or was left at a fork, has numbers of its own.
        let has_own = ran_alone(one) || diverged(one, judged.seen, judged.policy) || is_with_others(judged, one);
        if has_own && !judged.by_word() {
            continue;
        }
        let is_told = losses.iter().any(|loss| loss.member == one.host && loss.authorised_by.is_some());
        if !is_told && !judged.decision.action.discard().contains(&one.host) {
            return Err(format!("{source} is the start, {} is at {position}, and no loss is told", one.host));
        }
    }
    Ok(())
}

/// Galera lets a member of the same UUID in by its number. So whoever keeps the UUID must be sure that nobody else is above it.
pub(super) fn keeps_uuid_in_doubt(judged: Judged<'_>) -> Result<(), String> {
    let keeps = match &judged.decision.action {
        Action::Bootstrap { new_uuid, .. } => !new_uuid,
        Action::Promote { .. } | Action::Reform { .. } => true,
        _ => return Ok(()),
    };
    let (Some(source), true) = (judged.source(), keeps) else { return Ok(()) };
    for one in judged.seen.iter().filter(|one| !judged.started().contains(&one.host)) {
        let proved = judged
            .started()
            .iter()
            .filter_map(|host| judged.member(host).ok())
            .any(|started| proves(started, judged.seen));
        let is_above = match held(one) {
            Held::Unknown => !proved,
            Held::Good(at) => {
                at.is_above(source) || at.uuid() == source.uuid() && diverged(one, judged.seen, judged.policy)
            }
            _ => false,
        };
        if is_above {
            return Err(format!("{} may be above {source}, and the UUID stays", one.host));
        }
    }
    Ok(())
}

/// Two components must not come from what is known: whoever could bring another one back without the member that is started
/// gives that up first.
pub(super) fn leaves_a_proof(judged: Judged<'_>) -> Result<(), String> {
    let (Action::Bootstrap { member, supersede_first, .. } | Action::Promote { member, supersede_first, .. }) =
        &judged.decision.action
    else {
        return Ok(());
    };
    let started = judged.member(member)?;
    for one in judged.seen.iter().filter(|one| one.enabled && one.host != *member && !judged.given_up(one)) {
        let proves_alone = was_alone_at_the_end(one);
        let view = |one: &Seen| view_of(one).map(|own| (own.view, own.members));
        let has_rows =
            |one: &Seen| judged.seen.iter().any(|other| view(other) == view(one) && held(other).good().is_some());
        let in_another_view = holds_a_view(one, judged.seen) && view(one) != view(started) && has_rows(one);
        if (proves_alone || in_another_view) && !supersede_first.contains(&one.host) {
            return Err(format!("{member} starts, and {} could bring another component back", one.host));
        }
    }
    Ok(())
}
