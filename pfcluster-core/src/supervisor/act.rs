//! From what is known to what is done.

use super::event::Event;
use super::hold::may_join;
use super::own::Look;
use super::part::{Part, part, steps};
use super::tick::{HOLD_TELL, LONGEST_RETRY, PATIENCE, RECORD, REFORM, Tick};
use super::word::Saying;
use super::{Output, Supervisor, is_news, records};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Policy, Problem, Reason, SPLIT_CONFIRMED_AFTER, Seen, select_bootstrap};
use crate::galera::{ClusterStatus, Evidence, Observation, Process, Running};

/// What the supervisor is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It watches, and decides whenever something changes.
    Watching,
    /// It is about to act, and looks once more.
    Confirming(Confirming),
    /// The host carries steps out.
    Acting(Part),
    /// It was told to end, and ends its database.
    Ending {
        /// The host is at it.
        stops: bool,
    },
    /// It is over.
    Ended,
}

/// The last questions before an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Confirming {
    part: Part,
    since: Tick,
    /// The look that must have come back.
    look: u64,
    /// The question to the peers' databases that must have come back.
    ask: Option<u64>,
}

impl Confirming {
    pub(super) fn part(&self) -> Part {
        self.part
    }
}

/// When something that failed may be tried again.
#[derive(Clone, Debug, Default)]
pub(super) struct Retry {
    failures: u32,
    not_before: Tick,
    /// What was started, until it is in service or has ended.
    started: Option<Part>,
}

impl Retry {
    /// Returns how many seconds to wait.
    fn failed(&mut self, now: Tick) -> u64 {
        let seconds = 1u64 << self.failures.min(6);
        self.failures += 1;
        let seconds = seconds.min(LONGEST_RETRY.as_secs());
        self.not_before = now + std::time::Duration::from_secs(seconds);
        seconds
    }

    /// What was done may take this long to show.
    fn wait(&mut self, until: Tick) {
        self.not_before = self.not_before.max(until);
    }

    pub(super) fn next(&self, now: Tick) -> Option<Tick> {
        (self.not_before > now).then_some(self.not_before)
    }
}

impl Supervisor {
    pub(super) fn looked(&mut self, number: u64, look: Look) {
        let before = self.own.take(number, look, &self.records, self.now);
        let Some(look) = self.own.look().cloned() else { return };
        let is_in_service = self.is_in_service();
        if is_in_service != std::mem::replace(&mut self.told.in_service, is_in_service) {
            self.tell(if is_in_service { Event::InService } else { Event::OutOfService });
        }
        if is_in_service {
            // Who is to end a database that can't be ended must not try that again and again.
            if !matches!(self.phase, Phase::Ending { .. }) {
                self.retry = super::Retry::default();
            }
            (self.reform_since, self.reform_failed) = (None, false);
        }
        // What a look saw before the last act may be no more.
        if self.own.is_current() {
            self.write_down(before.as_ref(), &look);
        }
        if before.is_none_or(|before| is_news(&before.evidence, &look.evidence)) {
            self.next_tell = self.now;
        }
    }

    /// What was found is written down as far as it will be needed.
    fn write_down(&mut self, before: Option<&Look>, look: &Look) {
        let mut records = self.records.clone();
        if let Some(running) = records::synced(&look.evidence) {
            if records.last_recorded.is_none_or(|last| last.uuid() != running.uuid) || self.next_record <= self.now {
                records::write_position(&mut records, running);
                self.next_record = self.now + RECORD;
            }
            if let Some(before) = before {
                records::write_view(&mut records, before, look);
            }
            let seen = self.seen();
            let position = crate::galera::Position::new(running.uuid, running.last_committed);
            if let Some(at) = position {
                let peers = seen.iter().filter_map(|seen| records::serving_with(seen, running, &self.config.me));
                records::learn_forks(&mut records, at, &self.config.me, peers);
            }
            records::tend_forks(&mut records, running, &self.config.me, &seen);
        }
        let is_split = self
            .decision
            .as_ref()
            .is_some_and(|decision| matches!(&decision.action, Action::Refuse { problem: Problem::SplitBrain { .. } }));
        if is_split {
            records::write_split(&mut records, &look.evidence);
        }
        records.ran_standalone |= look.evidence.runs_alone() && !self.peers.is_empty();
        // What failed is tried again with the position.
        let is_due = !self.is_recorded && self.next_record == self.now + RECORD;
        if (records != self.records || is_due) && !self.config.is_passive {
            self.is_recorded = true;
            self.set_records(records.clone());
            self.outputs.push_back(Output::Record(records));
        }
    }

    /// In service: a peer that serves with us tells of forks that we went along with by joining. It may be gone by the next look.
    pub(super) fn learn(&mut self, from: &Hostname) {
        let Some(running) = self.own.evidence().and_then(records::synced).filter(|_| !self.config.is_passive) else {
            return;
        };
        let Some(at) = crate::galera::Position::new(running.uuid, running.last_committed) else { return };
        let seen = self.seen();
        let peers = seen
            .iter()
            .filter(|seen| seen.host == *from)
            .filter_map(|seen| records::serving_with(seen, running, &self.config.me));
        let mut records = self.records.clone();
        records::learn_forks(&mut records, at, &self.config.me, peers);
        // What tells nothing new is not learnt, or every message would bring it back.
        records::tend_forks(&mut records, running, &self.config.me, &seen);
        if records != self.records {
            self.set_records(records.clone());
            self.outputs.push_back(Output::Record(records));
        }
    }

    fn set_records(&mut self, records: crate::galera::Records) {
        self.own.set_records(&records);
        self.records = records;
    }

    pub(super) fn asked(&mut self, number: u64, answers: &[(Hostname, Running)]) {
        let Some((_, when)) = self.asking.take_if(|(own, _)| *own == number) else { return };
        for (host, peer) in &mut self.peers {
            let answer = answers.iter().find(|(other, _)| other == host).map(|(_, running)| running.clone());
            peer.asked(answer, when);
        }
    }

    pub(super) fn acted(&mut self, result: Result<(), Box<str>>) {
        self.own.disturb();
        if let Phase::Ending { stops } = &mut self.phase {
            *stops = false;
            if let Err(why) = result {
                self.failed(Part::Stop, why);
            }
            return;
        }
        let Phase::Acting(part) = std::mem::replace(&mut self.phase, Phase::Watching) else { return };
        self.retry.started = (part.starts() && result.is_ok()).then_some(part);
        match result {
            Err(why) => self.failed(part, why),
            Ok(()) if part == Part::Reform => self.reform_since = Some(self.now),
            Ok(()) if part == Part::Stop => self.own.ended(),
            // Galera can ignore it and still report success: the next looks tell.
            Ok(()) if part == Part::Promote => self.retry.wait(self.now + PATIENCE),
            Ok(()) => {}
        }
    }

    pub(super) fn ended(&mut self, why: Box<str>) {
        self.own.ended();
        self.tell(Event::Ended { why: why.clone() });
        if let Some(part) = self.retry.started.take() {
            self.failed(part, why);
        }
    }

    fn failed(&mut self, part: Part, why: Box<str>) {
        let again = self.retry.failed(self.now);
        self.tell(Event::Failed { part, why, again });
    }

    pub(super) fn begin_end(&mut self) {
        if self.phase != Phase::Ended {
            self.phase = Phase::Ending { stops: matches!(self.phase, Phase::Acting(_)) };
            self.own.disturb();
        }
    }

    /// Ends with the database: first that, then the program.
    fn end(&mut self, stops: bool) {
        let Some(evidence) = self.own.evidence() else { return };
        let waits = self.retry.next(self.now).is_some() && evidence.process != Process::Stopped;
        if stops || waits || !self.own.is_current() {
            return;
        }
        if evidence.process == Process::Stopped || self.config.is_passive {
            let peers: Vec<Hostname> = self.peers.keys().cloned().collect();
            peers.iter().for_each(|host| self.send(host, None));
            self.phase = Phase::Ended;
            self.outputs.push_back(Output::End);
        } else {
            self.phase = Phase::Ending { stops: true };
            // That it ends now is no failure of a start.
            self.retry.started = None;
            self.outputs
                .push_back(Output::Act { part: Part::Stop, steps: vec![super::Step::Stop { kill_after: None }] });
        }
    }

    /// Decides with what is known now, and does the next thing of the own part in it.
    pub(super) fn consider(&mut self) {
        if let Phase::Ending { stops } = self.phase {
            return self.end(stops);
        }
        let Some(look) = self.own.look().cloned() else { return };
        let own = &look.evidence;
        if matches!(self.phase, Phase::Acting(_) | Phase::Ended) || !self.own.is_current() {
            return;
        }
        let seen = self.seen();
        let policy = self.policy(own);
        let decision = select_bootstrap(&seen, &policy);
        self.notice_split(&decision.reasons);
        self.serve_words(&decision.action, &seen);
        let discards_me = policy.discard.contains(&self.config.me);
        let wanted = part(&decision.action, &self.config.me, &look, discards_me);
        let lacks_witness = wanted == Some(Part::Join) && !may_join(own, &seen);
        if !std::mem::replace(&mut self.told.lacks_witness, lacks_witness) && lacks_witness {
            self.tell(Event::NoWitness);
        }
        let is_doubtful = wanted == Some(Part::Join) && self.doubts_component(&seen);
        let wanted = wanted.filter(|_| !lacks_witness && !is_doubtful);
        let wanted = wanted.or_else(|| self.waits_in_vain(&decision.action).then_some(Part::Stop));
        if self.decision.as_ref().is_none_or(|before| before.action != decision.action) {
            self.told.changed = Some(self.now);
        }
        self.decision = Some(decision.clone());
        self.wish = wanted.map(|part| (part, self.wish.filter(|wish| wish.0 == part).map_or(self.now, |wish| wish.1)));
        let part = self.go_on(wanted.filter(|_| self.wish_holds().is_none()));
        if part.is_some() || self.told.changed.is_some_and(|changed| changed + HOLD_TELL <= self.now) {
            self.tell_decision(&decision);
        }
        if let Some(part) = part {
            let steps = steps(part, &decision.action, &self.config.me, own, &self.records, &seen);
            self.act(part, steps);
        }
    }

    fn policy(&mut self, own: &Evidence) -> Policy {
        let waits = match &own.process {
            Process::Starting => true,
            Process::Running(running) => running.status == ClusterStatus::NonPrimary,
            Process::Stopped => false,
        };
        if self.reform_since.take_if(|since| *since + REFORM <= self.now).is_some() && waits {
            self.reform_failed = true;
            self.tell(Event::ReformFailed);
        }
        let split_confirmed = self.split_since.is_some_and(|since| self.now.since(since) >= SPLIT_CONFIRMED_AFTER);
        Policy { split_confirmed, reform_failed: self.reform_failed, ..self.words.policy(self.now) }
    }

    pub(super) fn reform_ends(&self) -> Option<Tick> {
        self.reform_since.map(|since| since + REFORM).filter(|when| *when > self.now)
    }

    /// A word holds for one decision: once that has led to service, or the data that it gives up are gone, it is over.
    fn serve_words(&mut self, action: &Action, seen: &[Seen]) {
        let in_service = matches!(action, Action::Join { .. });
        let is_rid_of_data = |host: &Hostname| {
            let Some(Observation::Known(evidence)) =
                seen.iter().find(|seen| seen.host == *host).map(|seen| &seen.observation)
            else {
                return false;
            };
            let is_empty = evidence.files.as_ref().is_some_and(|files| files.datadir_empty);
            let serves = records::synced(evidence).is_some();
            is_empty || serves
        };
        let is_served = |saying: &Saying| match saying {
            Saying::Discard(host) => is_rid_of_data(host),
            Saying::AssumeLost(_) | Saying::Seed(_) | Saying::Standalone | Saying::Force(_) => in_service,
        };
        for saying in self.words.end(self.now, is_served) {
            self.tell(Event::Served { saying });
        }
    }

    fn tell_decision(&mut self, decision: &Decision<Action, Reason>) {
        self.told.changed = None;
        if self.told.action.as_ref() != Some(&decision.action) {
            self.told.action = Some(decision.action.clone());
            self.tell(Event::Decided {
                action: decision.action.clone(),
                reasons: decision.reasons.clone(),
                remedy: decision.remedy.clone(),
            });
        }
    }

    /// From wanting to acting: once more a look, and a question to all databases. Returns what is to be done now.
    fn go_on(&mut self, wanted: Option<Part>) -> Option<Part> {
        match (&self.phase, wanted) {
            (Phase::Confirming(confirming), Some(part)) if confirming.part == part => {
                let has_looked = !self.own.is_looking()
                    && self.own.last_number() >= confirming.look
                    && self.own.looked().is_some_and(|when| when >= confirming.since);
                let has_asked = confirming.ask.is_none_or(|ask| self.asking.is_none_or(|(own, _)| own != ask));
                if has_looked && has_asked {
                    let may_act = self.retry.next(self.now).is_none();
                    self.phase = Phase::Watching;
                    return may_act.then_some(part);
                }
                if self.now.since(confirming.since) >= PATIENCE {
                    self.phase = Phase::Watching;
                }
            }
            (Phase::Confirming(confirming), _) => {
                let part = confirming.part;
                self.phase = Phase::Watching;
                self.tell(Event::CalledOff { part });
                self.next_tell = self.now;
            }
            (Phase::Watching, Some(part)) if self.retry.next(self.now).is_none() => self.confirm(part),
            _ => {}
        }
        None
    }

    fn confirm(&mut self, part: Part) {
        if self.config.is_passive {
            if self.told.part != Some(part) {
                self.told.part = Some(part);
                self.tell(Event::WouldAct { part });
            }
            return;
        }
        // A look that is under way began before: another one is needed.
        let look = self.look();
        let ask = if part.begins() { self.ask(self.peers.keys().cloned().collect()) } else { None };
        self.phase = Phase::Confirming(Confirming { part, since: self.now, look, ask });
    }

    pub(super) fn patience_ends(&self) -> Option<Tick> {
        match &self.phase {
            // Until the look is back nothing can be decided, and nothing is due.
            Phase::Confirming(confirming) if self.own.is_current() => Some(confirming.since + PATIENCE),
            _ => None,
        }
    }

    fn act(&mut self, part: Part, steps: Vec<super::Step>) {
        for step in &steps {
            if let super::Step::Record(records) = step {
                self.set_records(records.clone());
            }
        }
        self.tell(Event::Acts { part });
        if part == Part::Stop {
            self.retry.started = None;
        }
        if part.starts() {
            // The fork is told from now on: beside a stopped process it would look like one that came to nothing.
            self.own.starts(part == Part::Reform);
            self.next_tell = self.now;
        }
        self.phase = Phase::Acting(part);
        self.outputs.push_back(Output::Act { part, steps });
    }
}
