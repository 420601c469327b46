//! The state machine: from what is known to what is done.
//!
//! # Its state
//!
//! Two facts, each for itself:
//!
//! - what is under way ([`UnderWay`]): nothing; the last questions before a local action; or that action, at the host;
//! - whether the supervisor is to end ([`Shutdown`]): not, yes, or it has.
//!
//! # Its inputs
//!
//! | input | what it changes |
//! |---|---|
//! | a probe result | what is known of the own database (`local.rs`), and the records (`records.rs`) |
//! | a peer's message, a database's reply | what is known of the peers (`peers.rs`) |
//! | an override, a key | the overrides (`overrides.rs`), the keys (`key.rs`, `signing.rs`) |
//! | the host has executed the commands | nothing is under way any more; a failure starts the back-off |
//! | the database's process has ended | what had started it has failed, unless it was in service since |
//! | the supervisor is to end | what is under way is finished, the database is stopped, then the program may end |
//!
//! # What follows
//!
//! After each input, unless something is executed or the last probe is out of date ([`Supervisor::consider`]):
//!
//! 1. [`Supervisor::decide`]: the decision of all members, and the local action in it. It changes nothing.
//! 2. [`Supervisor::guard`]: what holds this member back from it, and since when (`guards.rs`). It changes nothing.
//! 3. [`Supervisor::apply`]: the timers and the log follow, the local action is confirmed by last questions, then executed. Nothing
//!    else executes a local action, except the stop before the supervisor ends ([`Supervisor::stop_and_end`]).

use super::event::Event;
use super::guards::Guarded;
use super::local::Look;
use super::local_action::{Part, local_action};
use super::overrides::{Saying, Spoken, is_used_up, policy};
use super::peers::is_news;
use super::timers::{Backoff, CONFIRM, DEBOUNCE_LOG, RESTORE, Tick};
use super::{Output, Supervisor, commands};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Policy, Reason, SPLIT_CONFIRMED_AFTER, Seen};
use crate::galera::{ClusterStatus, Evidence, Process, Records, StartFailures};

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnderWay {
    /// The last questions before a local action.
    Confirming(Confirmation),
    /// The host executes the commands of a local action.
    Executing(Part),
}

/// The last questions before a local action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confirmation {
    part: Part,
    since: Tick,
    /// The probe that must have come back.
    probe: u64,
    /// The query of the peers' databases that must have come back.
    query: Option<u64>,
}

impl UnderWay {
    pub(super) fn part(self) -> Part {
        match self {
            UnderWay::Confirming(Confirmation { part, .. }) | UnderWay::Executing(part) => part,
        }
    }
}

/// Whether the supervisor is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// Not.
    NotRequested,
    /// With its database: that is stopped first.
    Requested,
    /// The database is stopped, the program may end.
    Complete,
}

/// What follows from what is known, before a guard holds it back.
pub(super) struct Decided {
    /// What is known of all members.
    pub(super) seen: Vec<Seen>,
    /// The decision of all members.
    pub(super) decision: Decision<Action, Reason>,
    /// What that asks of this member.
    pub(super) local_action: Option<Part>,
    /// Overrides that would also have to be given elsewhere, and where.
    needed: Vec<(Spoken, Hostname)>,
    /// What the last view's members did to restore it has had its time.
    restore: Option<Restore>,
}

/// What came of restoring the last view in the time that this may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restore {
    /// The own process still waits for it.
    Failed,
    /// The own process does not wait any more.
    Over,
}

impl Supervisor {
    /// A probe result has come.
    pub(super) fn probed(&mut self, number: u64, look: Look) {
        let started_here = self.started.is_some();
        let before = self.local.take_probe(number, look, &self.records, self.config.boot, self.now);
        let Some(look) = self.local.look().cloned() else { return };
        let is_in_service = self.is_in_service();
        if is_in_service != std::mem::replace(&mut self.logged.in_service, is_in_service) {
            self.log(if is_in_service { Event::InService } else { Event::OutOfService });
        }
        if is_in_service {
            // A supervisor that is to end and can't stop its database must not try that again and again.
            if self.shutdown == Shutdown::NotRequested {
                (self.started, self.timers.retry) = (None, Backoff::default());
            }
            (self.timers.restoring, self.restore_failed) = (None, false);
        }
        self.timers.in_service = is_in_service.then(|| self.timers.in_service.unwrap_or(self.now));
        match &look.evidence.process {
            // A donor leaves no component, nor does a database that a load keeps from responding: a peer can cause both.
            Process::Running(running) if running.status == ClusterStatus::Primary && !is_in_service => {}
            Process::NotResponding => {}
            _ if is_in_service => self.timers.entered = Some(self.timers.entered.unwrap_or(self.now)),
            _ => self.timers.entered = None,
        }
        // What a probe saw before the last commands may be no more.
        if self.local.is_current() {
            self.record_probe(before.as_ref(), &look, started_here);
        }
        if before.is_none_or(|before| is_news(&before.evidence, &look.evidence)) {
            self.timers.announce = self.now;
        }
    }

    /// The host has executed the commands of a local action, or failed.
    pub(super) fn executed(&mut self, result: Result<(), Box<str>>) {
        self.local.invalidate();
        let Some(UnderWay::Executing(part)) = self.under_way.take_if(|one| matches!(one, UnderWay::Executing(_)))
        else {
            return;
        };
        if self.shutdown != Shutdown::NotRequested {
            if let Err(why) = result {
                self.failed(part, why);
            }
            return;
        }
        self.started = (part.starts() && result.is_ok()).then_some(part);
        match result {
            Err(why) => self.failed(part, why),
            Ok(()) if part == Part::Reform => self.timers.restoring = Some(self.now),
            Ok(()) if part == Part::Stop => self.local.process_ended(),
            Ok(()) if part == Part::JoinWithoutData => self.local.has_no_data(),
            // Galera can ignore it and still report success: the next probes tell.
            Ok(()) if part == Part::Promote => self.timers.retry.wait(self.now + CONFIRM),
            Ok(()) => {}
        }
    }

    /// The database's process has ended.
    pub(super) fn process_ended(&mut self, why: Box<str>) {
        self.local.process_ended();
        // What was known of the others may be older than their own end.
        self.timers.query = self.now;
        self.log(Event::Ended { why: why.clone() });
        if let Some(part) = self.started.take() {
            self.failed(part, why);
        }
    }

    /// A local action failed, or what it had started.
    fn failed(&mut self, part: Part, why: Box<str>) {
        let is_tried_again = part == Part::Stop || self.shutdown == Shutdown::NotRequested;
        let again = is_tried_again.then(|| self.timers.retry.failed(self.now));
        if part.begins() && part != Part::Alone {
            let count = self.records.start_failures.count.saturating_add(1);
            let start_failures = StartFailures { count, why: why.clone() };
            self.persist(Records { start_failures, ..self.records.clone() });
        }
        self.log(Event::Failed { part, why, again });
    }

    /// The supervisor is to end, with its database. Asked for again, nothing more happens.
    pub(super) fn request_shutdown(&mut self) {
        if self.shutdown != Shutdown::NotRequested {
            return;
        }
        self.shutdown = Shutdown::Requested;
        // What the host executes is finished first; what was only about to be done is not done.
        self.under_way.take_if(|one| matches!(one, UnderWay::Confirming(_)));
        // What failed before, or has to show first, does not delay the stop.
        self.timers.retry = Backoff::default();
        self.local.invalidate();
    }

    /// Ends with the database: first that, then the program.
    fn stop_and_end(&mut self) {
        let Some(evidence) = self.local.evidence() else { return };
        let is_stopped = evidence.process == Process::Stopped;
        let waits = self.timers.retry.ends(self.now).is_some() && !is_stopped;
        if self.under_way.is_some() || waits || !self.local.is_current() {
            return;
        }
        if is_stopped || self.config.is_passive {
            self.announce();
            self.shutdown = Shutdown::Complete;
            self.outputs.push_back(Output::End);
        } else {
            let kill_after = commands::kill_after(evidence);
            self.under_way = Some(UnderWay::Executing(Part::Stop));
            // That it ends now is no failure of a start.
            self.started = None;
            self.outputs.push_back(Output::Act { part: Part::Stop, steps: vec![super::Step::Stop { kill_after }] });
        }
    }

    /// Decides with what is known now, and does the next thing of the local action.
    pub(super) fn consider(&mut self) {
        match self.shutdown {
            Shutdown::NotRequested => {}
            Shutdown::Requested => return self.stop_and_end(),
            Shutdown::Complete => return,
        }
        let Some(own) = self.local.evidence() else { return };
        if matches!(self.under_way, Some(UnderWay::Executing(_))) || !self.local.is_current() {
            return;
        }
        let decided = self.decide(own);
        let guarded = self.guard(own, &decided);
        self.apply(decided, guarded);
    }

    /// The decision of all members, and what it asks of this one.
    fn decide(&self, own: &Evidence) -> Decided {
        let seen = self.seen();
        let restore = self.restore(own);
        let split_confirmed = self.timers.split.is_some_and(|since| self.now.since(since) >= SPLIT_CONFIRMED_AFTER);
        let restore_failed = self.restore_failed || restore == Some(Restore::Failed);
        let observed = Policy { split_confirmed, reform_failed: restore_failed, ..Policy::default() };
        let (decision, needed) = self.decide_with_overrides(&seen, &observed);
        let own_overrides = self.overrides.counting(None, self.now).into_iter();
        let own_policy = policy(own_overrides.filter(|given| !is_used_up(&given.saying, &decision.action, &seen)));
        let local_action = local_action(&decision.action, &self.config.me, own, &own_policy);
        Decided { seen, decision, local_action, needed, restore }
    }

    /// Restoring the last view has had its time.
    fn restore(&self, own: &Evidence) -> Option<Restore> {
        let waits = match &own.process {
            Process::Starting | Process::Bootstrapping => true,
            Process::Running(running) => running.status == ClusterStatus::NonPrimary,
            Process::Stopped | Process::NotResponding => false,
        };
        let is_over = self.timers.restoring.is_some_and(|since| since + RESTORE <= self.now);
        is_over.then_some(if waits { Restore::Failed } else { Restore::Over })
    }

    /// What was decided takes effect, as far as no guard holds it back.
    fn apply(&mut self, decided: Decided, guarded: Guarded) {
        let Decided { seen, decision, needed, restore, .. } = decided;
        self.timers.restoring.take_if(|_| restore.is_some());
        if restore == Some(Restore::Failed) {
            self.restore_failed = true;
            self.log(Event::ReformFailed);
        }
        self.note_needed(needed);
        self.use_up_overrides(&decision.action, &seen);
        if !std::mem::replace(&mut self.logged.lacks_witness, guarded.lacks_witness) && guarded.lacks_witness {
            self.log(Event::NoWitness);
        }
        if self.timers.component_doubtful.is_none() && guarded.component_doubtful.is_some() {
            self.log(Event::ComponentDoubtful);
        }
        self.timers.split = guarded.split;
        self.timers.component_doubtful = guarded.component_doubtful;
        self.timers.transfer_stuck = guarded.transfer_stuck;
        if self.decision.as_ref().is_none_or(|before| before.action != decision.action) {
            self.timers.decision_changed = Some(self.now);
        }
        self.decision = Some(decision);
        self.wanted = guarded.wanted;
        let part = self.confirmed(guarded.ready);
        if part.is_some() || self.timers.decision_changed.is_some_and(|changed| changed + DEBOUNCE_LOG <= self.now) {
            self.log_decision();
        }
        if let Some(part) = part {
            self.execute(part, &seen);
        }
    }

    /// From wanting to executing: a last probe, and a query of all databases. Returns what is to be executed now.
    fn confirmed(&mut self, ready: Option<Part>) -> Option<Part> {
        match (self.under_way, ready) {
            (Some(UnderWay::Confirming(confirmation)), Some(part)) if confirmation.part == part => {
                let is_probed = !self.local.is_probing()
                    && self.local.last_number() >= confirmation.probe
                    && self.local.probed_at().is_some_and(|when| when >= confirmation.since);
                let is_queried = confirmation.query.is_none_or(|query| self.query.is_none_or(|(own, _)| own != query));
                if is_probed && is_queried {
                    self.under_way = None;
                    return self.timers.retry.ends(self.now).is_none().then_some(part);
                }
                if self.now.since(confirmation.since) >= CONFIRM {
                    self.under_way = None;
                }
            }
            (Some(UnderWay::Confirming(Confirmation { part, .. })), _) => {
                self.under_way = None;
                self.log(Event::CalledOff { part });
                self.timers.announce = self.now;
            }
            (None, Some(part)) if self.timers.retry.ends(self.now).is_none() => self.confirm(part),
            _ => {}
        }
        None
    }

    /// Asks the last questions before a local action.
    fn confirm(&mut self, part: Part) {
        if self.config.is_passive {
            if self.logged.part != Some(part) {
                self.logged.part = Some(part);
                self.log(Event::WouldAct { part });
            }
            return;
        }
        // A probe that is under way began before: another one is needed.
        let probe = self.probe();
        let query = if part.begins() { self.query_peers(self.peers.keys().cloned().collect()) } else { None };
        self.under_way = Some(UnderWay::Confirming(Confirmation { part, since: self.now, probe, query }));
    }

    /// When the last questions have had their time.
    pub(super) fn confirmation_ends(&self) -> Option<Tick> {
        match &self.under_way {
            // Until the probe is back nothing can be decided, and nothing is due.
            Some(UnderWay::Confirming(confirmation)) if self.local.is_current() => Some(confirmation.since + CONFIRM),
            _ => None,
        }
    }

    /// Has the host execute the commands of a local action.
    fn execute(&mut self, part: Part, seen: &[Seen]) {
        self.nonces += 1;
        let (Some(decision), Some(own)) = (&self.decision, self.local.evidence()) else { return };
        let steps =
            commands::commands(part, &decision.action, own, &self.records, seen, self.nonce(), self.config.boot);
        for step in &steps {
            if let super::Step::Record(records) = step {
                self.notice_learned(records);
                self.local.set_records(records);
                self.records = records.clone();
            }
        }
        let mut overrides = self.overrides.counting(Some(&self.config.me), self.now);
        overrides.retain(|given| may_rest_on(&given.saying, part, &self.config.me));
        self.log(Event::Acts { part, overrides });
        if part == Part::Stop {
            self.started = None;
        }
        if part.starts() {
            self.local.starts(part == Part::Reform);
            self.timers.announce = self.now;
        }
        self.under_way = Some(UnderWay::Executing(part));
        self.outputs.push_back(Output::Act { part, steps });
    }

    fn log_decision(&mut self) {
        self.timers.decision_changed = None;
        let Some(decision) = &self.decision else { return };
        if self.logged.action.as_ref() != Some(&decision.action) {
            let Decision { action, reasons, remedy } = decision.clone();
            self.logged.action = Some(action.clone());
            self.log(Event::Decided { action, reasons, remedy });
        }
    }
}

/// This local action of `me` may rest on this override.
fn may_rest_on(saying: &Saying, part: Part, me: &Hostname) -> bool {
    match (part, saying) {
        (Part::JoinWithoutData, Saying::Discard(host)) | (Part::End, Saying::End(host)) => host == me,
        // A start goes by what is known of the others: any of them may have led to it.
        (_, Saying::Discard(host)) => part.begins() && host != me,
        (_, Saying::Seed(host) | Saying::Force(host)) => part.begins() && host == me,
        (_, Saying::AssumeLost(_) | Saying::Trust(_) | Saying::Standalone) => part.begins(),
        (_, Saying::End(_)) => false,
    }
}
