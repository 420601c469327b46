//! What holds a member back from its part, for a while or until somebody else has answered.

use super::Supervisor;
use super::event::Event;
use super::part::Part;
use super::tick::{HOLD_JOIN, HOLD_PROMOTE, HOLD_STOP, HOLD_TELL, REFORM, Tick};
use crate::cluster::Hostname;
use crate::galera::bootstrap::{Action, Need, NotChosen, Reason, SPLIT_CONFIRMED_AFTER, Seen, TieBreak};
use crate::galera::{ClusterStatus, Evidence, LocalState, Observation, Process, Running};

impl Supervisor {
    /// No member is bootstrapped before the own process tells its position, and that process waits for a primary component.
    pub(super) fn waits_in_vain(&self, action: &Action) -> bool {
        let Action::Wait { awaited } = action else { return false };
        let is_awaited = awaited.iter().any(|one| one.member == self.config.me && one.need == Need::Answer);
        is_awaited && self.own.waiting().is_some_and(|since| since + REFORM <= self.now)
    }

    /// The own process waits beside the mark of a state transfer that broke off, and no member can be giving to it: it would wait for
    /// ever, and all with it. Nothing that it has is lost: a joiner holds nothing but what it held before.
    pub(super) fn receives_in_vain(&mut self, own: &Evidence, seen: &[Seen]) -> bool {
        let is_marked = own.process == Process::Starting && own.files.as_ref().is_some_and(|files| files.sst_marker);
        if !is_marked || !seen.iter().all(gives_nothing) {
            self.vain_since = None;
            return false;
        }
        let since = *self.vain_since.get_or_insert(self.now);
        self.now.since(since) >= REFORM
    }

    /// The component to join has not noticed yet that this member has left it, or that so many of its members are gone that it has
    /// no quorum without them. Who joins it now gives its own view up for nothing, and waits where nobody lets it in. Not longer
    /// than Galera may take to notice.
    pub(super) fn doubts_component(&mut self, seen: &[Seen]) -> bool {
        if is_settled(seen, &self.config.me) {
            self.doubted_since = None;
            return false;
        }
        if self.doubted_since.is_none() {
            self.tell(Event::ComponentDoubtful);
        }
        let since = *self.doubted_since.get_or_insert(self.now);
        self.now.since(since) < HOLD_JOIN
    }

    /// When what is wanted has been wanted for long enough; `None` if it has.
    pub(super) fn wish_holds(&self) -> Option<Tick> {
        let (part, since) = self.wish?;
        let hold = match part {
            Part::Stop if self.has_parted() || self.cannot_form() => return None,
            Part::Stop => HOLD_STOP,
            Part::Promote if self.others_run() => HOLD_PROMOTE,
            _ => return None,
        };
        Some(since + hold).filter(|when| *when > self.now)
    }

    /// Its data diverged from those in service, or have another cluster UUID. Galera looks at numbers only and would let it in, 3 to 8 s after it can be
    /// reached.
    fn has_parted(&self) -> bool {
        let Some(decision) = &self.decision else { return false };
        let parted = |reason: &Reason| {
            matches!(reason, Reason::NotChosen { member, why: NotChosen::Diverged { .. } | NotChosen::OtherHistory { .. } }
                if *member == self.config.me)
        };
        matches!(decision.action, Action::Join { .. }) && decision.reasons.iter().any(parted)
    }

    /// What the own process waits for will not come: a member of the view that it is to restore cannot be started.
    fn cannot_form(&self) -> bool {
        let is_failing =
            |reason: &Reason| matches!(reason, Reason::CannotStart { .. } | Reason::Tie { by: TieBreak::CanStart, .. });
        self.decision.as_ref().is_some_and(|decision| decision.reasons.iter().any(is_failing))
    }

    /// Another member's database has a process, or may have one.
    fn others_run(&self) -> bool {
        let is_stopped = |observation: &Observation| match observation {
            Observation::Known(evidence) => evidence.process == Process::Stopped,
            Observation::Unknown(_) => false,
        };
        self.peers.values().any(|peer| !is_stopped(&peer.observation(self.now)))
    }

    /// The next moment at which something has held for long enough.
    pub(super) fn holds_until(&self) -> Option<Tick> {
        let told = self.told.changed.map(|changed| changed + HOLD_TELL).filter(|when| *when > self.now);
        [self.wish_holds(), told].into_iter().flatten().min()
    }

    pub(super) fn notice_split(&mut self, reasons: &[Reason]) {
        let is_split = reasons.iter().any(|reason| matches!(reason, Reason::TwoPrimaries { .. }));
        // Once it is confirmed that only one side lists the other, it is one component; the reason is gone then, the sight not.
        let is_confirmed = self.split_since.is_some_and(|since| self.now.since(since) >= SPLIT_CONFIRMED_AFTER);
        if is_split {
            self.split_since.get_or_insert(self.now);
        } else if !is_confirmed || !self.sees_primaries() {
            self.split_since = None;
        }
    }

    /// More than one member says that it is primary.
    fn sees_primaries(&self) -> bool {
        let is_primary = |seen: &&Seen| match &seen.observation {
            Observation::Known(evidence) => matches!(&evidence.process, Process::Running(running)
                if running.status == ClusterStatus::Primary),
            Observation::Unknown(_) => false,
        };
        self.seen().iter().filter(is_primary).count() > 1
    }

    pub(super) fn second_look(&self) -> Option<Tick> {
        let when = self.split_since? + SPLIT_CONFIRMED_AFTER;
        (when > self.now).then_some(when)
    }
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

/// Who has data, and remembers a cluster with supervisors, joins only where somebody in service shows what was persisted there: a
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
