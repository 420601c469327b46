//! This member's own database, as the last probe found it, and what is left of earlier ones.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::records::synced;
use super::timers::{FRESH, PROBE_AFTER_FAILURE, PROBE_COMING_UP, PROBE_STEADY, Tick};
use super::{Output, Supervisor};
use crate::galera::{ClusterStatus, Evidence, Files, Found, Gvwstate, Position, Process, Records, Recovered, Uuid};

/// What the host has found out about its database: the answer to [`super::Output::Look`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The evidence. What the supervisor wrote down itself need not be in it.
    pub evidence: Evidence,
    /// Tells one state of the data files from another (their sizes and times, say): a recovered position counts for as long
    /// as this stays the same and no process is there.
    pub data: u64,
    /// `wsrep_cluster_conf_id` of a running server.
    pub view_number: Option<u64>,
    /// `wsrep_local_recv_queue`: how much a running server has received and not yet applied.
    pub receive_queue: Option<u64>,
    /// How old what it says of the process was when the probe ended: a disk may have hung in between.
    pub age: Duration,
    /// The virtual addresses of the cluster that the machine holds; `None` if it can't tell.
    pub vips: Option<Vec<Ipv4Addr>>,
    /// The machine's last backup of the database.
    pub backup: LastBackup,
}

/// What is known of a machine's last backup of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LastBackup {
    /// Nothing.
    #[default]
    Unknown,
    /// There is none.
    Never,
    /// This is the last one.
    Made(Backup),
}

impl From<Option<Backup>> for LastBackup {
    fn from(last: Option<Backup>) -> LastBackup {
        last.map_or(LastBackup::Never, LastBackup::Made)
    }
}

/// A backup of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file's name.
    pub file: String,
    /// When it was written, in seconds since 1970 (UTC), by the clock of the machine that has it.
    pub time: u64,
}

/// What is known of the own database.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    look: Option<Look>,
    /// The number of the probe that is under way.
    probing: Option<u64>,
    /// How many probes were begun.
    probes: u64,
    /// When the last probe ended.
    probed: Option<Tick>,
    /// When what it says of the process was so.
    as_of: Option<Tick>,
    /// The last position that was seen while it was not primary; none once its data were replaced.
    before: Option<Position>,
    /// This process has received everything: nothing is left of the data that were there before.
    is_replaced: bool,
    /// The last probe was to recover the position.
    recovers: bool,
    /// A recovery's result, with the data that it is of.
    recovered: Option<(Recovered, u64)>,
    /// It was started to form its view again: where its data are until that has happened, and the file that tells whether.
    restoring: Option<(Position, Found<Gvwstate>)>,
    /// Since when a process is there that waits for others: it never was in a primary component, and receives no state.
    waiting: Option<Tick>,
    /// Something has happened: only a probe with this number, or a later one, tells what is there now.
    needed: u64,
    /// The number of the last probe that was taken in.
    taken: u64,
    /// The virtual addresses that the machine holds, and since which probe; `None` if it can't tell.
    held: Option<BTreeMap<Ipv4Addr, Tick>>,
}

impl Local {
    pub(super) fn look(&self) -> Option<&Look> {
        self.look.as_ref()
    }

    pub(super) fn evidence(&self) -> Option<&Evidence> {
        self.look.as_ref().map(|look| &look.evidence)
    }

    /// What may be announced, and how old it is: nothing while a probe hangs. While the position is recovered nothing changes.
    pub(super) fn announced(&self, now: Tick) -> Option<(&Evidence, Duration)> {
        let (look, as_of) = self.look.as_ref().zip(self.as_of)?;
        let age = now.since(as_of);
        if self.is_probing() && self.recovers && look.evidence.process == Process::Stopped {
            return Some((&look.evidence, Duration::ZERO));
        }
        (age <= FRESH).then_some((&look.evidence, age))
    }

    /// What it held when it was last seen out of service.
    pub(super) fn before(&self) -> Option<Position> {
        self.before
    }

    /// This process has received everything, which is not in the records yet.
    pub(super) fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// The records are those of the new data.
    pub(super) fn replaced_in_records(&mut self) {
        self.is_replaced = false;
    }

    /// The virtual addresses that the machine holds, and for how long it has been seen to; `None` if it can't tell, or the last
    /// probe is too old: a recovery takes its time, and addresses go meanwhile.
    pub(super) fn held(&self, now: Tick) -> Option<Vec<(Ipv4Addr, Duration)>> {
        let held = self.held.as_ref().filter(|_| self.probed.is_some_and(|probed| now.since(probed) <= FRESH))?;
        Some(held.iter().map(|(vip, since)| (*vip, now.since(*since))).collect())
    }

    /// The machine's last backup of the database, as the last probe found it.
    pub(super) fn backup(&self) -> LastBackup {
        self.look.as_ref().map(|look| look.backup.clone()).unwrap_or_default()
    }

    /// When the last probe ended.
    pub(super) fn probed_at(&self) -> Option<Tick> {
        self.probed
    }

    /// Begins a probe. Returns its number, and whether the position has to be recovered if the server is stopped: not the first
    /// time, as a recovery takes its time, and the others should hear at once of a fork that is persisted here.
    pub(super) fn begin_probe(&mut self) -> (u64, bool) {
        self.probes += 1;
        self.probing = Some(self.probes);
        self.recovers = self.look.is_some() && self.needs_recovery();
        (self.probes, self.recovers)
    }

    pub(super) fn is_probing(&self) -> bool {
        self.probing.is_some()
    }

    /// The number of the last probe that was begun.
    pub(super) fn last_number(&self) -> u64 {
        self.probes
    }

    /// The position of a stopped server may have to be recovered: nobody has, or the data have changed since.
    fn needs_recovery(&self) -> bool {
        !matches!((&self.recovered, &self.look), (Some((recovered, data)), Some(look))
            if look.data == *data && !matches!(recovered, Recovered::Failed(_)))
    }

    /// Takes a probe result in, with the records in it. Returns the one before.
    pub(super) fn take_probe(
        &mut self,
        number: u64,
        mut look: Look,
        records: &Records,
        boot: Uuid,
        now: Tick,
    ) -> Option<Look> {
        if self.probing == Some(number) {
            self.probing = None;
        }
        self.probed = Some(now);
        self.as_of = Some(now.before(look.age));
        let before = self.held.take().unwrap_or_default();
        let since = |vip: &Ipv4Addr| (*vip, before.get(vip).copied().unwrap_or(now));
        self.held = look.vips.as_ref().map(|vips| vips.iter().map(since).collect());
        self.taken = self.taken.max(number);
        if look.evidence.process != Process::Stopped {
            self.recovered = None;
        }
        if let Some(files) = &mut look.evidence.files {
            // The host sees whether the server runs without Galera.
            let ran_standalone = files.records.ran_standalone || records.ran_standalone;
            files.records = Records { ran_standalone, ..records.clone() };
            files.unsynced_transfer = records.joined_in_boot.is_some_and(|joined| joined != boot);
            match look.evidence.process {
                Process::Stopped => self.remember_position(files, look.data),
                Process::Starting => self.keep_position(files),
                Process::Bootstrapping | Process::NotResponding | Process::Running(_) => {}
            }
        }
        self.before = match &look.evidence.process {
            // A probe that began before its data were moved away may end afterwards.
            _ if number < self.needed => self.before,
            Process::Stopped | Process::Starting => match look.evidence.files.as_ref() {
                Some(files) if files.datadir_empty => None,
                Some(Files { recovered: Recovered::At(position), .. }) => Some(*position),
                _ => self.before,
            },
            Process::Running(running) if running.status != ClusterStatus::Primary => {
                Position::new(running.uuid, running.last_committed).or(self.before)
            }
            Process::Running(_) | Process::Bootstrapping | Process::NotResponding => self.before,
        };
        let receives = look.evidence.files.as_ref().map(|files| files.sst_marker);
        match look.evidence.process {
            // A transfer that broke off may have left them.
            Process::Stopped => self.is_replaced = false,
            Process::Starting | Process::NotResponding if receives == Some(true) => self.is_replaced = true,
            _ => {}
        }
        if self.is_replaced {
            self.before = None;
        }
        let waits = look.evidence.process == Process::Starting && receives == Some(false);
        self.waiting = waits.then(|| self.waiting.unwrap_or(now));
        if number >= self.needed && look.evidence.process != Process::Starting {
            self.restoring = None;
        }
        self.look.replace(look)
    }

    /// A process is about to be started; `forms`: to form its view again.
    pub(super) fn starts(&mut self, forms: bool) {
        let Some(look) = &mut self.look else { return };
        self.restoring = None;
        look.evidence.process = Process::Starting;
        let position = start_position(&look.evidence);
        let Some(files) = &mut look.evidence.files else { return };
        if forms {
            self.restoring = position.map(|position| (position, files.gvwstate.clone()));
        } else {
            files.recovered = Recovered::NotRun;
        }
    }

    /// Since when a process is there that waits for others: it never was in a primary component, and receives no state.
    pub(super) fn waiting(&self) -> Option<Tick> {
        self.waiting
    }

    /// Until the view has formed, the data are where they were when the process was started: who comes later to form the view
    /// has to know that, or it would wait for a process that waits for it.
    fn keep_position(&mut self, files: &mut Files) {
        self.restoring.take_if(|(_, view)| files.sst_marker || files.gvwstate != *view);
        if let (Recovered::NotRun, Some((position, _))) = (&files.recovered, &self.restoring) {
            files.recovered = Recovered::At(*position);
        }
    }

    fn remember_position(&mut self, files: &mut Files, data: u64) {
        match (&files.recovered, &self.recovered) {
            (Recovered::NotRun, Some((recovered, of))) if *of == data => files.recovered = recovered.clone(),
            (Recovered::NotRun, _) => self.recovered = None,
            (recovered, _) => self.recovered = Some((recovered.clone(), data)),
        }
    }

    /// New records go into the evidence at once.
    pub(super) fn set_records(&mut self, records: &Records) {
        if let Some(files) = self.look.as_mut().and_then(|look| look.evidence.files.as_mut()) {
            files.records = records.clone();
        }
    }

    /// Its data were moved away: nothing of them comes into the next component.
    pub(super) fn has_no_data(&mut self) {
        self.before = None;
    }

    /// Something has happened to the process or its files.
    pub(super) fn invalidate(&mut self) {
        self.needed = self.probes + 1;
    }

    /// The last probe tells what is there now.
    pub(super) fn is_current(&self) -> bool {
        self.taken >= self.needed
    }

    /// Something has happened to the data: a recovered position is of the past.
    pub(super) fn process_ended(&mut self) {
        self.recovered = None;
        self.invalidate();
    }

    /// When to probe again; `None` while a probe is under way.
    pub(super) fn next_probe(&self) -> Option<Tick> {
        if self.probes < self.needed {
            return Some(Tick(0));
        }
        if self.probing.is_some() {
            return None;
        }
        let Some((look, probed)) = self.look.as_ref().zip(self.probed) else { return Some(Tick(0)) };
        let wait = match &look.evidence.process {
            Process::Running(_) if synced(&look.evidence).is_some() || look.evidence.runs_alone() => PROBE_STEADY,
            Process::Running(_) | Process::Starting | Process::Bootstrapping => PROBE_COMING_UP,
            Process::NotResponding => PROBE_STEADY,
            Process::Stopped => match look.evidence.files.as_ref().map(|files| &files.recovered) {
                Some(Recovered::Failed(_)) => PROBE_AFTER_FAILURE,
                // Its position is needed, and there is nothing to wait for.
                Some(Recovered::NotRun) if !self.recovers && lacks_position(&look.evidence) => return Some(Tick(0)),
                _ => PROBE_STEADY,
            },
        };
        Some(probed + wait)
    }
}

impl Supervisor {
    /// Probes the own database. The number of the probe.
    pub(super) fn probe(&mut self) -> u64 {
        let (number, recover) = self.local.begin_probe();
        self.outputs.push_back(Output::Look { number, recover });
        number
    }

    pub(super) fn is_in_service(&self) -> bool {
        self.local.evidence().is_some_and(|evidence| synced(evidence).is_some())
    }
}

/// A recovery would tell what it holds, whatever seqno grastate.dat has.
fn lacks_position(evidence: &Evidence) -> bool {
    let Some(files) = &evidence.files else { return false };
    !files.datadir_empty
}

/// The position that a server is started at: what `InnoDB` holds, if grastate.dat is of the same UUID.
pub(super) fn start_position(evidence: &Evidence) -> Option<Position> {
    let files = evidence.files.as_ref()?;
    let grastate = files.grastate.read()?;
    match files.recovered {
        Recovered::At(position) if position.uuid() == grastate.uuid => Some(position),
        _ => None,
    }
}
