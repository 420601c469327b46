//! Records: what a supervisor persists, outside the data directory, and when. They make a part of the evidence enough after an outage,
//! and name the forks from which the data come.

use super::event::Event;
use super::local::Look;
use super::peers::Peer;
use super::timers::{ENTERS, RECORD, UNSUPERVISED, VIEW_FILE_STALE};
use super::{Output, Supervisor};
use crate::cluster::Hostname;
use crate::galera::bootstrap::{Action, Problem, Seen};
use crate::galera::{
    CleanStop, ClusterStatus, Evidence, Fork, Found, Gvwstate, LocalState, Observation, Position, Process, Records,
    Recovered, Running, Seqno, StartFailures, ViewId, ViewRecord,
};

impl Supervisor {
    /// What a probe found is persisted as far as it will be needed.
    pub(super) fn record_probe(&mut self, before: Option<&Look>, look: &Look, started_here: bool) {
        let mut records = self.records.clone();
        self.follow_view(before, look);
        let seen = self.seen();
        if let Some(running) = synced(&look.evidence) {
            self.forget_replaced(&mut records, running, &seen);
            if records.last_recorded.is_none_or(|last| last.uuid() != running.uuid) || self.timers.record <= self.now {
                write_position(&mut records, running);
                self.timers.record = self.now + RECORD;
            }
            records.start_failures = StartFailures::default();
            if let Some(before) = before {
                let is_of_view = |own: &Gvwstate, running: &Running| {
                    Self::is_all_of_view(own, running, &seen) || self.has_new_number(own, look.view_number)
                };
                write_view(&mut records, before, look, is_of_view);
            }
            if self.is_view_file_stale(running, look) {
                records.view = None;
            }
            self.learn_forks_from(&mut records, running, &seen, |_| true);
            self.forget_supervisors(&mut records, running);
            if let Some(fork) = before.and_then(|before| self.forced_by_hand(before, look, &seen, started_here)) {
                write_fork(&mut records, fork);
            }
        }
        if let Process::Running(running) = &look.evidence.process
            && running.status == ClusterStatus::Primary
        {
            records.clean = None;
        }
        let was_unsynced = records.joined_in_boot.is_some() && synced(&look.evidence).is_some();
        if receives_transfer(&look.evidence) || was_unsynced {
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
            write_split(&mut records, &look.evidence);
        }
        records.ran_standalone |= look.evidence.runs_alone() && !self.peers.is_empty();
        // What failed is tried again with the position.
        let is_due = !self.is_recorded && self.timers.record == self.now + RECORD && !self.config.is_passive;
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
        let is_at_rest = synced(own).is_some() || own.process == Process::Stopped;
        let is_of_this_boot = self.records.joined_in_boot == Some(self.config.boot);
        if is_of_this_boot && is_at_rest && !self.is_syncing && self.timers.sync <= self.now && !self.config.is_passive
        {
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
    fn is_view_file_stale(&mut self, running: &Running, look: &Look) -> bool {
        let file = look.evidence.files.as_ref().and_then(|files| files.gvwstate.read());
        let is_old = file.is_some_and(|own| {
            let recorded = self.records.view.is_some_and(|record| record.view == own.view);
            recorded && usize::try_from(running.size).is_ok_and(|size| size != own.members.len())
        });
        if !is_old {
            self.timers.view_file_stale = None;
            return false;
        }
        let since = *self.timers.view_file_stale.get_or_insert(self.now);
        let is_view_file_stale = self.now.since(since) >= VIEW_FILE_STALE;
        if is_view_file_stale {
            self.log(Event::ViewFileStale);
        }
        is_view_file_stale
    }

    /// Takes over the forks that those remember who serve in our component: while this member enters it. After that there is one
    /// that it may not have seen itself, that its own view is on one side of a split brain; its id and position are computed here, so
    /// that a false one adds nothing of the peer's choice.
    fn learn_forks_from(
        &mut self,
        records: &mut Records,
        running: &Running,
        seen: &[Seen],
        is_meant: impl Fn(&Seen) -> bool,
    ) {
        let peers = seen.iter().filter(|seen| is_meant(seen));
        let mut peers = peers.filter_map(|seen| serving_with(seen, running, &self.config.me));
        if self.timers.entered.is_some_and(|since| self.now.since(since) >= ENTERS) {
            if let Some(own) = self.local.evidence().filter(|_| peers.any(|peer| shows_split(records, peer))) {
                write_split(records, own);
            }
            return;
        }
        let has_diverged = learn_forks(records, self.local.before(), peers);
        if has_diverged && !std::mem::replace(&mut self.logged.has_diverged, true) {
            self.log(Event::Diverged);
        }
    }

    /// What is persisted of data that a state transfer has replaced says nothing of those that are here now: these know the forks
    /// that the others of the component remember.
    fn forget_replaced(&mut self, records: &mut Records, running: &Running, seen: &[Seen]) {
        let mut peers = seen.iter().filter_map(|seen| serving_with(seen, running, &self.config.me));
        if self.local.is_replaced() && peers.next().is_some() {
            let Records { supervised, joined_in_boot, .. } = std::mem::take(records);
            *records = Records { supervised, joined_in_boot, ..Records::default() };
            self.local.replaced_in_records();
            self.timers.entered = Some(self.now);
        }
    }

    /// In service: a peer that serves with us tells of forks that we went on from by joining. It may be gone by the next probe.
    pub(super) fn learn_forks_of(&mut self, from: &Hostname) {
        let Some(running) = self.local.evidence().and_then(synced).cloned() else { return };
        let seen = self.seen();
        let mut records = self.records.clone();
        self.learn_forks_from(&mut records, &running, &seen, |seen| seen.host == *from);
        self.persist(records);
    }

    /// Who is in service with us, and whose supervisor has been silent for long, has none any more.
    fn forget_supervisors(&self, records: &mut Records, running: &Running) {
        let Some(since) = self.timers.in_service.filter(|since| self.now.since(*since) >= UNSUPERVISED) else { return };
        records.supervised.retain(|host| {
            let heard = self.peers.get(host).and_then(Peer::received_at).unwrap_or(since);
            !running.sees.contains(host) || self.now.since(heard) < UNSUPERVISED
        });
    }

    /// The database became primary though not all of its last primary view are there, nobody primary joined it, and no decision
    /// wanted it: a person did it by hand. From there it goes on without the others.
    fn forced_by_hand(&self, before: &Look, look: &Look, seen: &[Seen], started_here: bool) -> Option<Fork> {
        let (Process::Running(running), files) = (&look.evidence.process, look.evidence.files.as_ref()?) else {
            return None;
        };
        let view = files.gvwstate.read()?;
        let at = match &before.evidence.process {
            Process::Running(waited) if waited.status == ClusterStatus::NonPrimary => {
                let own = Position::new(waited.uuid, waited.last_committed)?;
                let others = seen.iter().filter(|seen| running.sees.contains(&seen.host));
                let known = others.filter_map(|seen| self.peer_before(&seen.host));
                known.chain([own]).filter(|at| at.uuid() == own.uuid()).max_by_key(|at| at.seqno())?
            }
            Process::Stopped | Process::Starting | Process::Bootstrapping
                if !started_here && view.members.len() == 1 =>
            {
                self.local.before()?
            }
            _ => return None,
        };
        let last = before.evidence.files.as_ref()?.gvwstate.read();
        let all_there = last
            .is_some_and(|last| last.members.iter().all(|node| view.members.iter().any(|now| now.is_same_node(*node))));
        let was_wanted = self.decision.as_ref().is_some_and(|decision| {
            matches!(decision.action, Action::Promote { .. } | Action::Bootstrap { .. } | Action::Fresh { .. })
        });
        let one_served = self.decision.as_ref().is_some_and(|decision| matches!(decision.action, Action::Join { .. }));
        let forced = !all_there && !was_wanted && !one_served;
        forced.then(|| Fork { id: fork_of_view(view.view), at })
    }

    fn peer_before(&self, host: &Hostname) -> Option<Position> {
        let peer = self.peers.get(host)?;
        match &peer.evidence(self.now)?.process {
            Process::Running(running) if running.status == ClusterStatus::NonPrimary => {
                Position::new(running.uuid, running.last_committed)
            }
            _ => None,
        }
    }

    /// A supervisor of this member was heard with our key.
    pub(super) fn note_supervisor(&mut self, host: &Hostname) {
        if !self.records.supervised.contains(host) {
            let mut records = self.records.clone();
            records.supervised.push(host.clone());
            records.supervised.sort_by_key(|host| self.config.cluster_members.iter().position(|other| other == host));
            self.persist(records);
        }
    }

    /// New records, if there is anything new in them.
    pub(super) fn persist(&mut self, records: Records) {
        if records == self.records || self.config.is_passive {
            return;
        }
        self.is_recorded = true;
        self.notice_learned(&records);
        self.local.set_records(&records);
        self.records = records.clone();
        self.outputs.push_back(Output::Record(records));
    }

    /// Tells of each fork in new records that peers have shown: a false one stays when its member is removed.
    pub(super) fn notice_learned(&mut self, records: &Records) {
        let shows = |peer: &Peer, fork: &Fork| {
            let files = peer.evidence(self.now).and_then(|evidence| evidence.files.as_ref());
            files.is_some_and(|files| files.records.remembers(fork))
        };
        let learned = |fork: &&Fork| !self.records.remembers(fork);
        let events = records.forks.iter().filter(learned).filter_map(|fork| {
            let from = self.peers.iter().filter(|(_, peer)| shows(peer, fork)).map(|(host, _)| host.clone());
            let from: Vec<Hostname> = from.collect();
            (!from.is_empty()).then_some(Event::ForkLearned { at: fork.at, from })
        });
        let events: Vec<Event> = events.collect();
        events.into_iter().for_each(|event| self.log(event));
    }

    /// The records could not be written.
    pub(super) fn not_recorded(&mut self, why: Box<str>) {
        self.is_recorded = false;
        self.log(Event::NotRecorded { why });
    }

    /// What came in by a state transfer is synced to disk, or could not be.
    pub(super) fn transfer_synced(&mut self, result: Result<(), Box<str>>) {
        self.is_syncing = false;
        match result {
            Ok(()) => self.persist(Records { joined_in_boot: None, ..self.records.clone() }),
            Err(why) => {
                self.timers.sync = self.now + RECORD;
                self.log(Event::NotSynced { why });
            }
        }
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

/// A state transfer to it runs.
fn receives_transfer(own: &Evidence) -> bool {
    match &own.process {
        Process::Running(running) => running.state == LocalState::Joining,
        Process::Starting | Process::NotResponding => own.files.as_ref().is_some_and(|files| files.sst_marker),
        Process::Bootstrapping | Process::Stopped => false,
    }
}

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

/// The view, with its floor, once two probes in a row have found the server synced in it.
///
/// gvwstate.dat names a view before the server has applied what came in ahead of it, and a floor read then would be too low:
/// a member that left before could be more advanced. So the status must be of the view that the file names, the same in both probes, with
/// nothing waiting to be applied. Counting members is not enough: of two views in a row, one may go and one may come.
/// `is_of_view`: something shows that it is the file's view.
pub(super) fn write_view(
    records: &mut Records,
    before: &Look,
    now: &Look,
    is_of_view: impl Fn(&Gvwstate, &Running) -> bool,
) {
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
        && is_of_view(&own, &running)
    {
        let size = u32::try_from(own.members.len()).ok();
        records.view = Some(ViewRecord { view: own.view, uuid: running.uuid, floor, size });
    }
}

/// So many forks are remembered: there is one for each override.
const MOST_FORKS: usize = 8;

/// From here a component goes on that could not prove that no other member was more advanced. Only one of the own member's makes
/// room for itself.
pub(super) fn write_fork(records: &mut Records, fork: Fork) {
    if !records.remembers(&fork) {
        records.forks.push(fork);
        let surplus = records.forks.len().saturating_sub(MOST_FORKS);
        records.forks.drain(..surplus);
    }
}

/// The number of the fork at which a component began that was forced by hand: the same for all of its members.
pub(super) fn fork_of_view(view: ViewId) -> u64 {
    let bits = view.uuid.as_u128();
    let halves = [(bits >> 64) & u128::from(u64::MAX), bits & u128::from(u64::MAX)];
    let [high, low] = halves.map(|half| u64::try_from(half).unwrap_or_default());
    high.rotate_left(17) ^ low ^ u64::from(view.seq).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Two components are in service, so one was forced by hand: they forked when our view was new, at the latest. What is in
/// the other component must never come in by its number.
pub(super) fn write_split(records: &mut Records, evidence: &Evidence) {
    let (Some(running), Some(view)) = (synced(evidence), records.view) else { return };
    let own = evidence.files.as_ref().and_then(|files| files.gvwstate.read());
    if own.is_some_and(|own| own.view == view.view)
        && view.uuid == running.uuid
        && let Some(at) = Position::new(view.uuid, view.floor.get())
    {
        write_fork(records, Fork { id: fork_of_view(view.view), at });
    }
}

/// The peer remembers that the own view is on one side of a split brain.
pub(super) fn shows_split(records: &Records, peer: &Evidence) -> bool {
    let id = records.view.map(|view| fork_of_view(view.view));
    peer.files.as_ref().is_some_and(|files| files.records.forks.iter().any(|fork| Some(fork.id) == id))
}

/// Takes over the forks that these remember: the member goes on from there with them. `before` is what it held before it joined
/// them: data beyond a fork are not from there. True if there is such a fork. None that is recorded makes room for a peer's.
pub(super) fn learn_forks<'e>(
    records: &mut Records,
    before: Option<Position>,
    all: impl Iterator<Item = &'e Evidence>,
) -> bool {
    let shown: Vec<Fork> =
        all.filter_map(|evidence| evidence.files.as_ref()).flat_map(|files| &files.records.forks).copied().collect();
    let mut has_diverged = false;
    for fork in shown {
        if records.remembers(&fork) {
            continue;
        }
        if before.is_some_and(|before| before.is_above(fork.at)) {
            has_diverged = true;
        } else if records.forks.len() < MOST_FORKS {
            records.forks.push(fork);
        }
    }
    has_diverged
}

/// Who joins goes on with the data of those in service: a fork of their cluster UUID that none of them remembers came to nothing, or they
/// would not let the member in with its data. Kept, it would tell them apart from it at the next outage.
pub(super) fn forget_forks<'e>(records: &mut Records, in_service: impl Iterator<Item = &'e Evidence>) {
    let shown: Vec<(&Running, &Records)> = in_service
        .filter_map(|evidence| match (&evidence.process, &evidence.files) {
            (Process::Running(running), Some(files)) => Some((running, &files.records)),
            _ => None,
        })
        .collect();
    let is_theirs = |fork: &Fork| shown.iter().any(|(running, _)| running.uuid == fork.at.uuid());
    records.forks.retain(|fork| !is_theirs(fork) || shown.iter().any(|(_, others)| others.remembers(fork)));
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
