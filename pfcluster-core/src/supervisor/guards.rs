//! Guards: what holds this member back from its local action, for a while or until another member has answered; and what makes it
//! end a process that would wait for ever. Nothing here changes anything: [`super::machine`] does.

use std::time::Duration;

use super::Supervisor;
use super::local_action::Part;
use super::machine::Decided;
use super::timers::{DEBOUNCE_PROMOTE, DEBOUNCE_STOP, DOUBT_COMPONENT, RESTORE, Tick};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Need, NotChosen, Reason, SPLIT_CONFIRMED_AFTER, Seen, TieBreak};
use crate::galera::{ClusterStatus, Evidence, LocalState, Observation, Process, Running};

/// What is wanted of this member after all guards, and the timers of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded {
    /// The local action that is wanted, and since when.
    pub(super) wanted: Option<(Part, Tick)>,
    /// That, if it has been wanted for long enough.
    pub(super) ready: Option<Part>,
    /// It is to join, and no member in service shows what was persisted there.
    pub(super) lacks_witness: bool,
    /// The component to join has been doubtful since then.
    pub(super) component_doubtful: Option<Tick>,
    /// The own process has waited for a state transfer that no member gives since then.
    pub(super) transfer_stuck: Option<Tick>,
    /// Two primary components have been seen since then.
    pub(super) split: Option<Tick>,
}

impl Supervisor {
    /// What holds this member back from what was decided.
    pub(super) fn guard(&self, own: &Evidence, decided: &Decided) -> Guarded {
        let (seen, action) = (&decided.seen[..], &decided.decision.action);
        let joins = decided.local_action == Some(Part::Join);
        let lacks_witness = joins && !may_join(own, seen);
        let component_doubtful = if joins { self.component_doubtful(seen) } else { self.timers.component_doubtful };
        let is_doubtful = joins && component_doubtful.is_some() && !self.is_over(component_doubtful, DOUBT_COMPONENT);
        let transfer_stuck = self.transfer_stuck(own, seen);
        let waits_in_vain = self.is_over(transfer_stuck, RESTORE) || self.waits_in_vain(action);
        let wanted = decided.local_action.filter(|_| !lacks_witness && !is_doubtful);
        let wanted = wanted.or_else(|| waits_in_vain.then_some(Part::Stop));
        let since = |part: Part| self.wanted.filter(|(before, _)| *before == part).map_or(self.now, |(_, since)| since);
        let wanted = wanted.map(|part| (part, since(part)));
        let is_debounced = self.debounce(wanted, Some(&decided.decision)).is_none();
        Guarded {
            wanted,
            ready: wanted.filter(|_| is_debounced).map(|(part, _)| part),
            lacks_witness,
            component_doubtful,
            transfer_stuck,
            split: self.split(seen, &decided.decision.reasons),
        }
    }

    /// This has been so for this long, and longer.
    fn is_over(&self, since: Option<Tick>, wait: Duration) -> bool {
        since.is_some_and(|since| self.now.since(since) >= wait)
    }

    /// No member is bootstrapped before the own process tells its position, and that process waits for a primary component.
    fn waits_in_vain(&self, action: &Action) -> bool {
        let Action::Wait { awaited } = action else { return false };
        let is_awaited = awaited.iter().any(|one| one.member == self.config.me && one.need == Need::Answer);
        is_awaited && self.local.waiting().is_some_and(|since| since + RESTORE <= self.now)
    }

    /// The own process waits beside the mark of a state transfer that broke off, and no member can be giving to it: it would wait for
    /// ever, and all with it. Nothing that it has is lost: a joiner holds nothing but what it held before.
    fn transfer_stuck(&self, own: &Evidence, seen: &[Seen]) -> Option<Tick> {
        let is_marked = own.process == Process::Starting && own.files.as_ref().is_some_and(|files| files.sst_marker);
        let is_stuck = is_marked && seen.iter().all(gives_nothing);
        is_stuck.then(|| self.timers.transfer_stuck.unwrap_or(self.now))
    }

    /// The component to join has not noticed yet that this member has left it, or that so many of its members are gone that it has
    /// no quorum without them. Who joins it now gives its own view up for nothing, and waits where no member lets it in. Not longer
    /// than Galera may take to notice.
    fn component_doubtful(&self, seen: &[Seen]) -> Option<Tick> {
        let is_doubtful = !is_settled(seen, &self.config.me);
        is_doubtful.then(|| self.timers.component_doubtful.unwrap_or(self.now))
    }

    /// When what is wanted has been wanted for long enough; `None` if it has.
    pub(super) fn debounce(
        &self,
        wanted: Option<(Part, Tick)>,
        decision: Option<&Decision<Action, Reason>>,
    ) -> Option<Tick> {
        let (part, since) = wanted?;
        let is_certain = |decision| has_diverged(decision, &self.config.me) || cannot_restore(decision);
        let wait = match part {
            Part::Stop if decision.is_some_and(is_certain) => return None,
            Part::Stop => DEBOUNCE_STOP,
            Part::Promote if self.others_run() => DEBOUNCE_PROMOTE,
            _ => return None,
        };
        Some(since + wait).filter(|when| *when > self.now)
    }

    /// Another member's database has a process, or may have one.
    fn others_run(&self) -> bool {
        let is_stopped = |observation: &Observation| match observation {
            Observation::Known(evidence) => evidence.process == Process::Stopped,
            Observation::Unknown(_) => false,
        };
        self.peers.values().any(|peer| !is_stopped(&peer.observation(self.now)))
    }

    /// Since when two primary components have been seen.
    fn split(&self, seen: &[Seen], reasons: &[Reason]) -> Option<Tick> {
        let is_split = reasons.iter().any(|reason| matches!(reason, Reason::TwoPrimaries { .. }));
        // Once it is confirmed that only one side lists the other, it is one component; the reason is gone then, the sight not.
        let is_confirmed = || self.is_over(self.timers.split, SPLIT_CONFIRMED_AFTER);
        if is_split {
            Some(self.timers.split.unwrap_or(self.now))
        } else {
            self.timers.split.filter(|_| is_confirmed() && several_are_primary(seen))
        }
    }
}

/// More than one member says that it is primary.
fn several_are_primary(seen: &[Seen]) -> bool {
    let is_primary = |seen: &&Seen| match &seen.observation {
        Observation::Known(evidence) => matches!(&evidence.process, Process::Running(running)
            if running.status == ClusterStatus::Primary),
        Observation::Unknown(_) => false,
    };
    seen.iter().filter(is_primary).count() > 1
}

/// Its data diverged from those in service, or have another cluster UUID. Galera looks at numbers only and would let it in, 3 to 8 s after it can be
/// reached.
fn has_diverged(decision: &Decision<Action, Reason>, me: &Hostname) -> bool {
    let has_diverged = |reason: &Reason| {
        matches!(reason, Reason::NotChosen { member, why: NotChosen::Diverged { .. } | NotChosen::OtherHistory { .. } }
            if member == me)
    };
    matches!(decision.action, Action::Join { .. }) && decision.reasons.iter().any(has_diverged)
}

/// What the own process waits for will not come: a member of the view that it is to restore cannot be started.
fn cannot_restore(decision: &Decision<Action, Reason>) -> bool {
    let is_failing =
        |reason: &Reason| matches!(reason, Reason::CannotStart { .. } | Reason::Tie { by: TieBreak::CanStart, .. });
    decision.reasons.iter().any(is_failing)
}

/// It is known to be in no primary component, and to take no part in a state transfer. A member without service may have given before it
/// lost that, and still do.
fn gives_nothing(seen: &Seen) -> bool {
    seen.observation.evidence().is_some_and(|evidence| match &evidence.process {
        _ if evidence.arbitrator => true,
        Process::Stopped | Process::Starting => true,
        Process::Running(running) => {
            running.status != ClusterStatus::Primary
                && !matches!(running.state, LocalState::Joining | LocalState::Donor)
        }
        Process::Bootstrapping | Process::NotResponding => false,
    })
}

/// One of those in service belongs to a component that does not list `me` any more, and that keeps its quorum without the members
/// that it lists and that are known not to be in it.
fn is_settled(seen: &[Seen], me: &Hostname) -> bool {
    let primary = |host: &Hostname| {
        let evidence = seen.iter().find(|seen| seen.host == *host).and_then(|seen| seen.observation.evidence())?;
        Some(match &evidence.process {
            Process::Running(running) if running.status == ClusterStatus::Primary => Some(running),
            _ => None,
        })
    };
    let keeps = |running: &Running| {
        let gone = running.sees.iter().filter(|host| primary(host) == Some(None)).count();
        let size = usize::try_from(running.size).unwrap_or(usize::MAX);
        size.saturating_sub(gone) * 2 > size && !running.sees.contains(me)
    };
    seen.iter().filter_map(|seen| primary(&seen.host)?).any(keeps)
}

/// Who has data, and remembers a cluster with supervisors, joins only where a member in service shows what was persisted there: a
/// database that answers while its supervisor is silent does not tell of a fork, and numbers don't either. Where those in service
/// have no supervisors, it joins as Galera has it, or supervisors could not be brought in, or taken out, one after the other.
pub(super) fn may_join(own: &Evidence, seen: &[Seen]) -> bool {
    let in_service = || {
        let evidence = seen.iter().filter_map(|seen| Some((&seen.host, seen.observation.evidence()?)));
        evidence.filter(|(_, evidence)| {
            matches!(&evidence.process, Process::Running(running) if running.status == ClusterStatus::Primary)
        })
    };
    let Some(files) = &own.files else { return false };
    let owes = |host: &Hostname| files.records.supervised.contains(host);
    files.datadir_empty
        || in_service().any(|(_, evidence)| evidence.files.is_some())
        || !in_service().any(|(host, _)| owes(host))
}
