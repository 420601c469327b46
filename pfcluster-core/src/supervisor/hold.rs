//! What holds a member back from its part, for a while or until somebody else has answered.

use super::Supervisor;
use super::event::Event;
use super::part::Part;
use super::tick::{HOLD_PROMOTE, HOLD_STOP, HOLD_TELL, REFORM, Tick};
use crate::cluster::Hostname;
use crate::galera::bootstrap::{Action, Need, NotChosen, Reason, SPLIT_CONFIRMED_AFTER, Seen};
use crate::galera::{ClusterStatus, Evidence, Files, Observation, Process, Records, Running};

impl Supervisor {
    /// Nobody begins before the own process tells where its data are, and that waits for somebody to begin.
    pub(super) fn waits_in_vain(&self, action: &Action) -> bool {
        let Action::Wait { awaited } = action else { return false };
        let is_awaited = awaited.iter().any(|one| one.member == self.config.me && one.need == Need::Answer);
        is_awaited && self.own.waiting().is_some_and(|since| since + REFORM <= self.now)
    }

    /// The component in service has not noticed yet that so many of its members are gone that it has no quorum without them. Who
    /// joins it now gives its own view up for nothing. Not longer than Galera may take to notice.
    pub(super) fn doubts_component(&mut self, seen: &[Seen]) -> bool {
        if has_quorum_left(seen) {
            self.doubted_since = None;
            return false;
        }
        if self.doubted_since.is_none() {
            self.tell(Event::ComponentDoubtful);
        }
        let since = *self.doubted_since.get_or_insert(self.now);
        self.now.since(since) < SPLIT_CONFIRMED_AFTER
    }

    /// When what is wanted has been wanted for long enough; `None` if it has.
    pub(super) fn wish_holds(&self) -> Option<Tick> {
        let (part, since) = self.wish?;
        let hold = match part {
            Part::Stop if self.has_parted() => return None,
            Part::Stop => HOLD_STOP,
            Part::Promote if self.others_run() => HOLD_PROMOTE,
            _ => return None,
        };
        Some(since + hold).filter(|when| *when > self.now)
    }

    /// Its data went on apart from those in service. Galera looks at numbers only and would let it in, 3 to 8 s after it can be
    /// reached.
    fn has_parted(&self) -> bool {
        let Some(decision) = &self.decision else { return false };
        let parted = |reason: &Reason| {
            matches!(reason, Reason::NotChosen { member, why: NotChosen::Diverged { .. } | NotChosen::OtherHistory { .. } }
                if *member == self.config.me)
        };
        matches!(decision.action, Action::Join { .. }) && decision.reasons.iter().any(parted)
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

/// One of those in service belongs to a component that keeps its quorum without the members that it lists and that are known not
/// to be in it.
fn has_quorum_left(seen: &[Seen]) -> bool {
    let primary = |host: &Hostname| {
        let observation = seen.iter().find(|seen| seen.host == *host).map(|seen| &seen.observation)?;
        let Observation::Known(evidence) = observation else { return None };
        Some(match &evidence.process {
            Process::Running(running) if running.status == ClusterStatus::Primary => Some(running),
            Process::Running(_) | Process::Starting | Process::Stopped => None,
        })
    };
    let keeps = |running: &Running| {
        let gone = running.sees.iter().filter(|host| primary(host) == Some(None)).count();
        let size = usize::try_from(running.size).unwrap_or(usize::MAX);
        size.saturating_sub(gone) * 2 > size
    };
    seen.iter().filter_map(|seen| primary(&seen.host)?).any(keeps)
}

/// Who has data joins only where somebody in service shows what was written down: a database that answers without its supervisor does
/// not tell whether history went on without us, and numbers don't either. Only a member whose supervisor is new knows of no better
/// times: it joins as it always did, or supervisors could not be brought in one after the other.
pub(super) fn may_join(own: &Evidence, seen: &[Seen]) -> bool {
    let is_witness = |seen: &Seen| match &seen.observation {
        Observation::Known(evidence) => {
            evidence.files.is_some()
                && matches!(&evidence.process, Process::Running(running) if running.status == ClusterStatus::Primary)
        }
        Observation::Unknown(_) => false,
    };
    let is_free = |files: &Files| files.datadir_empty || files.records == Records::default();
    own.files.as_ref().is_some_and(is_free) || seen.iter().any(is_witness)
}
