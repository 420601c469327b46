//! From what is known to what is done.

use super::event::Event;
use super::hold::may_join;
use super::own::Look;
use super::part::{Part, part, steps};
use super::tick::{FROZEN, HOLD_TELL, LONGEST_RETRY, PATIENCE, RECORD, REFORM, Tick, UNSUPERVISED};
use super::word::{Saying, Spoken};
use super::{Output, Supervisor, is_news, records};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Policy, Problem, Reason, SPLIT_CONFIRMED_AFTER, Seen};
use crate::galera::{
    CleanStop, ClusterStatus, Evidence, Fork, Found, Gvwstate, LocalState, Observation, Position, Process, Records,
    Recovered, Running, StartFailures,
};

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
        let started_here = self.retry.started.is_some();
        let before = self.own.take(number, look, &self.records, self.config.boot, self.now);
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
        self.serves_since = is_in_service.then(|| self.serves_since.unwrap_or(self.now));
        // What a look saw before the last act may be no more.
        if self.own.is_current() {
            self.write_down(before.as_ref(), &look, started_here);
        }
        if before.is_none_or(|before| is_news(&before.evidence, &look.evidence)) {
            self.next_tell = self.now;
        }
    }

    /// What was found is persisted as far as it will be needed.
    fn write_down(&mut self, before: Option<&Look>, look: &Look, started_here: bool) {
        let mut records = self.records.clone();
        self.follow_view(before, look);
        let seen = self.seen();
        if let Some(running) = records::synced(&look.evidence) {
            self.forget_replaced(&mut records, running, &seen);
            if records.last_recorded.is_none_or(|last| last.uuid() != running.uuid) || self.next_record <= self.now {
                records::write_position(&mut records, running);
                self.next_record = self.now + RECORD;
            }
            records.start_failures = StartFailures::default();
            if let Some(before) = before {
                let is_of_view = |own: &Gvwstate, running: &Running| {
                    Self::is_all_of_view(own, running, &seen) || self.has_new_number(own, look.view_number)
                };
                records::write_view(&mut records, before, look, is_of_view);
            }
            if self.is_frozen(running, look) {
                records.view = None;
            }
            self.learn_from(&mut records, running, &seen, |_| true);
            self.forget_supervisors(&mut records, running);
            if let Some(fork) = before.and_then(|before| self.forced_by_hand(before, look, &seen, started_here)) {
                records::write_fork(&mut records, fork);
            }
        }
        if let Process::Running(running) = &look.evidence.process
            && running.status == ClusterStatus::Primary
        {
            records.clean = None;
        }
        let was_unsynced = records.joined_in_boot.is_some() && records::synced(&look.evidence).is_some();
        if receives(&look.evidence) || was_unsynced {
            records.joined_in_boot = Some(self.config.boot);
        }
        if let Some(clean) = proved_clean(&look.evidence)
            && records.clean.is_none_or(|known| known.position != clean.position)
        {
            records.clean = Some(clean);
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
        let is_due = !self.is_recorded && self.next_record == self.now + RECORD && !self.config.is_passive;
        if records == self.records && is_due {
            self.is_recorded = true;
            self.outputs.push_back(Output::Record(records));
        } else {
            self.persist(records);
        }
        self.sync_transfer(&look.evidence);
    }

    /// What came in by a state transfer is not on disk yet: neither Galera nor its scripts sync it.
    fn sync_transfer(&mut self, own: &Evidence) {
        let is_at_rest = records::synced(own).is_some() || own.process == Process::Stopped;
        let is_of_this_boot = self.records.joined_in_boot == Some(self.config.boot);
        if is_of_this_boot && is_at_rest && !self.is_syncing && self.next_sync <= self.now && !self.config.is_passive {
            self.is_syncing = true;
            self.outputs.push_back(Output::Sync);
        }
    }

    /// Notes which configuration id was there before gvwstate.dat named its view.
    fn follow_view(&mut self, before: Option<&Look>, look: &Look) {
        let view = |look: &Look| Some(look.evidence.files.as_ref()?.gvwstate.read()?.view);
        let Some(now) = view(look) else { return };
        if self.view_before.is_none_or(|(known, _)| known != now) {
            // A process that was not in service a moment ago knows no earlier configuration.
            let ran = before.filter(|before| matches!(before.evidence.process, Process::Running(_)));
            self.view_before = match ran {
                Some(before) => Some((now, before.view_number)),
                None if before.is_some() => Some((now, None)),
                // The supervisor has just begun: whatever number is there may be of the view before.
                None => Some((now, look.view_number)),
            };
        }
    }

    fn has_new_number(&self, own: &Gvwstate, number: Option<u64>) -> bool {
        self.view_before.is_some_and(|(view, before)| view == own.view && number.is_some() && number != before)
    }

    /// The nodes of the file are those of the members that the status shows, as their supervisors name them.
    fn is_all_of_view(own: &Gvwstate, running: &Running, seen: &[Seen]) -> bool {
        let node = |host: &Hostname| {
            let evidence = seen.iter().find(|seen| seen.host == *host).and_then(|seen| seen.observation.evidence())?;
            Some(evidence.files.as_ref()?.gvwstate.read()?.my_uuid)
        };
        let nodes: Option<Vec<_>> = running.sees.iter().map(node).collect();
        let all = nodes.filter(|nodes| nodes.len() == own.members.len());
        all.is_some_and(|nodes| own.members.iter().all(|member| nodes.iter().any(|node| node.is_same_node(*member))))
    }

    /// gvwstate.dat still has the view that was recorded, while the database has been in another one for long: a full disk.
    fn is_frozen(&mut self, running: &Running, look: &Look) -> bool {
        let file = look.evidence.files.as_ref().and_then(|files| files.gvwstate.read());
        let is_old = file.is_some_and(|own| {
            let recorded = self.records.view.is_some_and(|record| record.view == own.view);
            recorded && usize::try_from(running.size).is_ok_and(|size| size != own.members.len())
        });
        if !is_old {
            self.frozen_since = None;
            return false;
        }
        let since = *self.frozen_since.get_or_insert(self.now);
        let is_frozen = self.now.since(since) >= FROZEN;
        if is_frozen {
            self.tell(Event::ViewFileStale);
        }
        is_frozen
    }

    /// Takes over the forks that those remember who serve in our component.
    fn learn_from(
        &mut self,
        records: &mut Records,
        running: &Running,
        seen: &[Seen],
        is_meant: impl Fn(&Seen) -> bool,
    ) {
        let peers = seen.iter().filter(|seen| is_meant(seen));
        let peers = peers.filter_map(|seen| records::serving_with(seen, running, &self.config.me));
        let has_diverged = records::learn_forks(records, self.own.before(), peers);
        if has_diverged && !std::mem::replace(&mut self.told.has_diverged, true) {
            self.tell(Event::Diverged);
        }
    }

    /// What is written down of data that a state transfer has replaced says nothing of those that are here now: these know the forks
    /// that the others of the component remember.
    fn forget_replaced(&mut self, records: &mut Records, running: &Running, seen: &[Seen]) {
        let mut peers = seen.iter().filter_map(|seen| records::serving_with(seen, running, &self.config.me));
        if self.own.is_replaced() && peers.next().is_some() {
            let Records { supervised, joined_in_boot, .. } = std::mem::take(records);
            *records = Records { supervised, joined_in_boot, ..Records::default() };
            self.own.replaced_in_records();
        }
    }

    /// In service: a peer that serves with us tells of forks that we went on from by joining. It may be gone by the next look.
    pub(super) fn learn(&mut self, from: &Hostname) {
        let Some(running) = self.own.evidence().and_then(records::synced).cloned() else { return };
        let seen = self.seen();
        let mut records = self.records.clone();
        self.learn_from(&mut records, &running, &seen, |seen| seen.host == *from);
        self.persist(records);
    }

    /// Who is in service with us, and whose supervisor has been silent for long, has none any more.
    fn forget_supervisors(&self, records: &mut Records, running: &Running) {
        let Some(since) = self.serves_since.filter(|since| self.now.since(*since) >= UNSUPERVISED) else { return };
        records.supervised.retain(|host| {
            let heard = self.peers.get(host).and_then(super::Peer::heard_at).unwrap_or(since);
            !running.sees.contains(host) || self.now.since(heard) < UNSUPERVISED
        });
    }

    /// The database became primary though not all of its last primary view are there, nobody primary joined it, and no decision
    /// wanted it: somebody did it by hand. From there it goes on without the others.
    fn forced_by_hand(&self, before: &Look, look: &Look, seen: &[Seen], started_here: bool) -> Option<Fork> {
        let (Process::Running(running), files) = (&look.evidence.process, look.evidence.files.as_ref()?) else {
            return None;
        };
        let view = files.gvwstate.read()?;
        let at = match &before.evidence.process {
            Process::Running(waited) if waited.status == ClusterStatus::NonPrimary => {
                let own = Position::new(waited.uuid, waited.last_committed)?;
                let others = seen.iter().filter(|seen| running.sees.contains(&seen.host));
                let known = others.filter_map(|seen| self.own_or_peer_before(&seen.host));
                known.chain([own]).filter(|at| at.uuid() == own.uuid()).max_by_key(|at| at.seqno())?
            }
            Process::Stopped | Process::Starting | Process::Bootstrapping
                if !started_here && view.members.len() == 1 =>
            {
                self.own.before()?
            }
            _ => return None,
        };
        let last = before.evidence.files.as_ref()?.gvwstate.read();
        let all_there = last
            .is_some_and(|last| last.members.iter().all(|node| view.members.iter().any(|now| now.is_same_node(*node))));
        let was_wanted = self.decision.as_ref().is_some_and(|decision| {
            matches!(decision.action, Action::Promote { .. } | Action::Bootstrap { .. } | Action::Fresh { .. })
        });
        let somebody_served =
            self.decision.as_ref().is_some_and(|decision| matches!(decision.action, Action::Join { .. }));
        let forced = !all_there && !was_wanted && !somebody_served;
        forced.then(|| Fork { id: records::fork_of_view(view.view), at })
    }

    fn own_or_peer_before(&self, host: &Hostname) -> Option<Position> {
        let peer = self.peers.get(host)?;
        match &peer.evidence(self.now)?.process {
            Process::Running(running) if running.status == ClusterStatus::NonPrimary => {
                Position::new(running.uuid, running.last_committed)
            }
            _ => None,
        }
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
            Ok(()) if part == Part::JoinWithoutData => self.own.has_no_data(),
            // Galera can ignore it and still report success: the next looks tell.
            Ok(()) if part == Part::Promote => self.retry.wait(self.now + PATIENCE),
            Ok(()) => {}
        }
    }

    pub(super) fn ended(&mut self, why: Box<str>) {
        self.own.ended();
        // What was known of the others may be older than their own end.
        self.next_ask = self.now;
        self.tell(Event::Ended { why: why.clone() });
        if let Some(part) = self.retry.started.take() {
            self.failed(part, why);
        }
    }

    fn failed(&mut self, part: Part, why: Box<str>) {
        let again = self.retry.failed(self.now);
        if part.begins() && part != Part::Alone {
            let count = self.records.start_failures.count.saturating_add(1);
            let start_failures = StartFailures { count, why: why.clone() };
            self.persist(Records { start_failures, ..self.records.clone() });
        }
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
            peers.iter().for_each(|host| self.send(host, None, None));
            self.phase = Phase::Ended;
            self.outputs.push_back(Output::End);
        } else {
            self.phase = Phase::Ending { stops: true };
            // That it ends now is no failure of a start.
            self.retry.started = None;
            let kill_after = super::part::kill_after(evidence);
            self.outputs.push_back(Output::Act { part: Part::Stop, steps: vec![super::Step::Stop { kill_after }] });
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
        let observed = self.policy(own);
        let decision = self.decide(&seen, &observed);
        self.notice_split(&decision.reasons);
        self.serve_words(&decision.action, &seen);
        let wanted = part(&decision.action, &self.config.me, own, &self.own_policy());
        let lacks_witness = wanted == Some(Part::Join) && !may_join(own, &seen);
        if !std::mem::replace(&mut self.told.lacks_witness, lacks_witness) && lacks_witness {
            self.tell(Event::NoWitness);
        }
        let is_doubtful = wanted == Some(Part::Join) && self.doubts_component(&seen);
        let wanted = wanted.filter(|_| !lacks_witness && !is_doubtful);
        let in_vain = self.receives_in_vain(own, &seen) || self.waits_in_vain(&decision.action);
        let wanted = wanted.or_else(|| in_vain.then_some(Part::Stop));
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
            self.nonces += 1;
            let fork = self.nonce();
            let steps = steps(part, &decision.action, own, &self.records, &seen, fork, self.config.boot);
            self.act(part, steps);
        }
    }

    fn policy(&mut self, own: &Evidence) -> Policy {
        let waits = match &own.process {
            Process::Starting | Process::Bootstrapping => true,
            Process::Running(running) => running.status == ClusterStatus::NonPrimary,
            Process::Stopped | Process::NotResponding => false,
        };
        if self.reform_since.take_if(|since| *since + REFORM <= self.now).is_some() && waits {
            self.reform_failed = true;
            self.tell(Event::ReformFailed);
        }
        let split_confirmed = self.split_since.is_some_and(|since| self.now.since(since) >= SPLIT_CONFIRMED_AFTER);
        Policy { split_confirmed, reform_failed: self.reform_failed, ..Policy::default() }
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
        let has_ended = |host: &Hostname| {
            let seen = seen.iter().find(|seen| seen.host == *host);
            let evidence = seen.and_then(|seen| seen.observation.evidence());
            evidence.is_some_and(|evidence| evidence.process != Process::NotResponding)
        };
        let is_served = |saying: &Saying| match saying {
            Saying::Discard(host) => is_rid_of_data(host),
            Saying::End(host) => has_ended(host),
            Saying::AssumeLost(_) | Saying::Seed(_) | Saying::Standalone | Saying::Force(_) | Saying::Trust(_) => {
                in_service
            }
        };
        for Spoken { saying, origin, .. } in self.words.end(self.now, is_served) {
            self.tell(Event::Served { saying, origin });
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
                self.own.set_records(records);
                self.records = records.clone();
            }
        }
        let mut overrides = self.words.counting(Some(&self.config.me), self.now);
        overrides.retain(|word| allows(&word.saying, part, &self.config.me));
        self.tell(Event::Acts { part, overrides });
        if part == Part::Stop {
            self.retry.started = None;
        }
        if part.starts() {
            self.own.starts(part == Part::Reform);
            self.next_tell = self.now;
        }
        self.phase = Phase::Acting(part);
        self.outputs.push_back(Output::Act { part, steps });
    }
}

/// A stop that recovery has proved to be clean: `InnoDB` holds what grastate.dat says, and gvwstate.dat is gone.
fn proved_clean(own: &Evidence) -> Option<CleanStop> {
    let files = own.files.as_ref().filter(|_| own.process == Process::Stopped)?;
    let grastate = files.grastate.read().filter(|_| files.gvwstate == Found::Absent)?;
    let position = Position::new(grastate.uuid, grastate.seqno)?;
    let last = grastate.safe_to_bootstrap == Some(true);
    (files.recovered == Recovered::At(position)).then_some(CleanStop { position, last })
}

/// This part of `me` may rest on this override.
fn allows(saying: &Saying, part: Part, me: &Hostname) -> bool {
    match (part, saying) {
        (Part::JoinWithoutData, Saying::Discard(host)) | (Part::End, Saying::End(host)) => host == me,
        // A start goes by what is known of the others: any of them may have led to it.
        (_, Saying::Discard(host)) => part.begins() && host != me,
        (_, Saying::Seed(host) | Saying::Force(host)) => part.begins() && host == me,
        (_, Saying::AssumeLost(_) | Saying::Trust(_) | Saying::Standalone) => part.begins(),
        (_, Saying::End(_)) => false,
    }
}

/// A state transfer to it runs.
fn receives(own: &Evidence) -> bool {
    match &own.process {
        Process::Running(running) => running.state == LocalState::Joining,
        Process::Starting | Process::NotResponding => own.files.as_ref().is_some_and(|files| files.sst_marker),
        Process::Bootstrapping | Process::Stopped => false,
    }
}
