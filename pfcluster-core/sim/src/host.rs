//! A host and its supervisor, which is driven as its contract says.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Position, Process, Records, Recovered};
use pfcluster_core::supervisor::{
    Config, Event as Told, Input, Key, LastBackup, Look, Output, Part, PublicKey, SigningKey, Step, Tick,
};

use super::database::Launch;
use super::diary::Entry;
use super::galera::{Data, Disk, File, Place, Process as Database, Set};
use super::measured::Ills;
use super::mind::{Mind, Policy};
use super::network::Plane;
use super::phase::Phase;
use super::world::{Event, World};

/// The secret of the simulated cluster.
const KEY: Key = Key::new([7; 32]);

/// The own key of a member.
fn signing_key(place: Place) -> SigningKey {
    SigningKey::new([u8::try_from(place).unwrap_or(u8::MAX); 32])
}

/// A host.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) supervisor: Option<Mind>,
    /// It stays off until somebody starts it.
    pub(super) is_off: bool,
    /// The number of the supervisor's run, which no other run has.
    pub(super) run: u64,
    wakes_at: Option<u64>,
    /// What it has written down, on the disk.
    pub(super) records: Records,
    /// The keys of members that it has pinned.
    pub(super) pinned: BTreeMap<Hostname, PublicKey>,
    /// What the host carries out for it.
    pub(super) act: Option<Act>,
    /// It was told to end.
    pub(super) ends: bool,
    has_looked: bool,
    confirms: bool,
    pub(super) in_service: bool,
    /// What it knew of itself when it decided last.
    pub(super) known: Option<Known>,
    /// The members that were disabled here when it began to act: one that is enabled again a moment later is not seen any more.
    pub(super) counted_out: Set,
    /// The number of the database's process.
    pub(super) process: u64,
    /// The process was started as the first of a component, or without Galera.
    pub(super) begins: bool,
    /// A process that still reads its files.
    pub(super) launch: Option<Launch>,
    /// There was a process a moment ago.
    pub(super) had_process: bool,
    /// The process is no child of this run of the supervisor.
    pub(super) is_adopted: bool,
    /// It has no power.
    pub(super) dark_until: u64,
    pub(super) slow_until: u64,
    pub(super) full_until: u64,
    pub(super) deaf_until: u64,
    /// The database takes connections, and does not let the supervisor in.
    pub(super) refuses: bool,
    /// The supervisor does not move.
    pub(super) stands_until: u64,
    /// The database does not move.
    pub(super) frozen_until: u64,
    pub(super) transfer_fails: bool,
    /// The process that receives state.
    pub(super) receives: Option<u64>,
    pub(super) clock: Clock,
    /// An old copy of the disk.
    pub(super) backup: Option<Disk>,
    /// What is wrong with it in a world as measured.
    pub(super) ills: Ills,
    /// Where the process was started (`--wsrep_start_position`).
    pub(super) started_at: Option<Position>,
    /// How much was in the data when the process was started.
    pub(super) rows_at_start: usize,
    /// The process was sent SIGTERM then.
    pub(super) terminated: Option<(u64, u64)>,
    /// The database is in a primary component since then.
    pub(super) serves_since: Option<u64>,
    /// The number of the machine's boot: what is in the page cache lives as long as that.
    pub(super) boot: u64,
    /// It is run by these rules, not by those of the plan.
    pub(super) policy: Option<Policy>,
}

/// The last look that has come back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) maintenance: bool,
    pub(super) is_out: bool,
    pub(super) serves: bool,
    /// Whom it counted out.
    pub(super) disabled: Set,
}

/// Steps under way.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) part: Part,
    pub(super) steps: VecDeque<Step>,
}

/// A clock that may be wrong, and never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    since: u64,
    shown: u64,
    permille: u64,
}

impl Clock {
    fn tick(self, now: u64) -> Tick {
        Tick(self.shown + (now - self.since) * self.permille / 1000)
    }

    /// When it will show this.
    fn when(self, tick: Tick) -> u64 {
        self.since + (tick.0.saturating_sub(self.shown) * 1000).div_ceil(self.permille)
    }

    /// It jumps ahead, and goes at another pace from now on.
    pub(super) fn set(&mut self, now: u64, ahead: u64, permille: u64) {
        *self = Clock { since: now, shown: self.tick(now).0 + ahead, permille };
    }
}

impl Host {
    pub(super) fn new(clock: u64) -> Host {
        Host {
            supervisor: None,
            is_off: false,
            run: 0,
            wakes_at: None,
            records: Records::default(),
            pinned: BTreeMap::new(),
            act: None,
            ends: false,
            has_looked: false,
            confirms: false,
            in_service: false,
            known: None,
            counted_out: Set::NOBODY,
            process: 0,
            begins: false,
            launch: None,
            had_process: true,
            is_adopted: true,
            dark_until: 0,
            slow_until: 0,
            full_until: 0,
            deaf_until: 0,
            refuses: false,
            stands_until: 0,
            frozen_until: 0,
            transfer_fails: false,
            receives: None,
            clock: Clock { since: 0, shown: clock % 1_000_000, permille: 1000 },
            backup: None,
            ills: Ills::default(),
            started_at: None,
            rows_at_start: 0,
            terminated: None,
            serves_since: None,
            boot: 0,
            policy: None,
        }
    }

    /// What its supervisor is about; `None` if it has none.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.supervisor.as_ref()?;
        Some(match self {
            Host { ends: true, .. } => Phase::Ends,
            Host { act: Some(_), .. } => Phase::Acts,
            Host { confirms: true, .. } => Phase::Confirms,
            Host { has_looked: false, .. } => Phase::Begins,
            Host { in_service: true, .. } => Phase::Serves,
            _ => Phase::Waits,
        })
    }
}

impl World {
    /// The supervisor begins.
    pub(super) fn boot(&mut self, place: Place) {
        let is_on = self.galera.members[place].powered;
        if self.now < self.hosts[place].dark_until {
            self.at(self.hosts[place].dark_until, Event::Boot(place));
            return;
        }
        let run = self.random.bits();
        let (now, policy) = (self.now, self.policy_of(place));
        let (me, members) = (self.name(place), self.names.all().to_vec());
        let host = &mut self.hosts[place];
        if !is_on || host.is_off || host.supervisor.is_some() {
            return;
        }
        let mut config = Config::new(me, members, KEY, run);
        config.records = host.records.clone();
        // It takes as much time as all the rest: one world in four.
        config.signing = self.plan.seed.is_multiple_of(4).then(|| signing_key(place));
        config.pinned.clone_from(&host.pinned);
        config.boot = pfcluster_core::galera::Uuid::from_u128(u128::from(host.boot) + 1);
        host.supervisor = Some(Mind::new(policy, config, host.clock.tick(now)));
        host.run = run;
        host.wakes_at = None;
        (host.act, host.ends, host.has_looked, host.confirms, host.in_service) = (None, false, false, false, false);
        host.is_adopted = true;
        self.tell(Some(place), || "supervisor begins".to_owned());
        self.drain(place);
    }

    /// The supervisor is gone, in the middle of whatever it did.
    pub(super) fn kill_supervisor(&mut self, place: Place) {
        let host = &mut self.hosts[place];
        (host.supervisor, host.act, host.ends) = (None, None, false);
        host.run = 0;
    }

    pub(super) fn wakes(&mut self, place: Place) {
        let now = self.now;
        if self.hosts[place].wakes_at.is_some_and(|when| when <= now) {
            self.hosts[place].wakes_at = None;
            self.feed(place, None, Input::Woken);
        }
    }

    /// Something happens to the supervisor, if it still is in the run of this number.
    pub(super) fn feed(&mut self, place: Place, run: Option<u64>, input: Input) {
        let now = self.now;
        let pings = if self.policy_of(place) == Policy::Ours { Set::NOBODY } else { self.pings(place) };
        let host = &mut self.hosts[place];
        if run.is_some_and(|run| run != host.run) {
            return;
        }
        let Some(supervisor) = &mut host.supervisor else { return };
        if now < host.stands_until {
            let (when, run) = (host.stands_until, host.run);
            self.at(when, Event::Input(place, run, input));
            return;
        }
        supervisor.handle_input(host.clock.tick(now), input, pings);
        self.drain(place);
    }

    /// Takes what the supervisor wants, and sets its alarm.
    pub(super) fn drain(&mut self, place: Place) {
        let mut may_confirm = self.hosts[place].confirms;
        while let Some(output) = self.hosts[place].supervisor.as_mut().and_then(Mind::poll_output) {
            may_confirm |= matches!(output, Output::Look { .. });
            self.wanted(place, output);
        }
        let now = self.now;
        let host = &mut self.hosts[place];
        let Some(supervisor) = &host.supervisor else { return };
        if may_confirm {
            host.confirms = host.act.is_none() && supervisor.part(host.clock.tick(now)).is_some();
        }
        if let Some(tick) = supervisor.poll_timeout() {
            // A clock shows a moment a little late rather than early.
            let when = host.clock.when(tick).max(now);
            if host.wakes_at.is_none_or(|alarm| when < alarm || alarm < now) {
                host.wakes_at = Some(when);
                self.at(when, Event::Wake(place));
            }
        }
        self.ambush(place);
    }

    fn wanted(&mut self, place: Place, output: Output) {
        match output {
            Output::Look { number, recover } => self.begins_look(place, number, recover),
            Output::Ask { number, hosts } => self.asks(place, number, &hosts),
            Output::Send { to, bytes } => {
                let to = self.names.place(&to);
                for when in self.network.carry(place, to, &bytes, self.now, &mut self.random) {
                    self.at(when, Event::Datagram(to, bytes.clone()));
                }
            }
            Output::Act { part, steps } => {
                self.acts += 1;
                self.check_act(place, part);
                self.hosts[place].counted_out = self.hosts[place].known.map_or(Set::NOBODY, |known| known.disabled);
                self.hosts[place].act = Some(Act { part, steps: steps.into() });
                self.next_step(place);
            }
            Output::Record(records) => {
                if self.now >= self.hosts[place].full_until {
                    self.hosts[place].records = records;
                } else {
                    let (run, why) = (self.hosts[place].run, "no space left on the device".into());
                    self.after(1, Event::Input(place, run, Input::NotRecorded { why }));
                }
            }
            Output::Pin(pinned) => self.hosts[place].pinned = pinned,
            Output::Sync => {
                let run = self.hosts[place].run;
                self.galera.sync(place);
                self.soon(5, 200, Event::Input(place, run, Input::Synced { result: Ok(()) }));
            }
            Output::Tell(told) => {
                match &told {
                    Told::InService => self.hosts[place].in_service = true,
                    Told::OutOfService => self.hosts[place].in_service = false,
                    _ => {}
                }
                if !matches!(told, Told::Heard { .. } | Told::Pinned { .. } | Told::Dropped { .. }) {
                    self.tell(Some(place), || format!("supervisor: {told}"));
                    self.note(Entry::Told(place, told));
                }
            }
            Output::End => {
                self.kill_supervisor(place);
                self.tell(Some(place), || "supervisor has ended".to_owned());
                self.soon(500, 8_000, Event::Boot(place));
            }
        }
    }

    fn begins_look(&mut self, place: Place, number: u64, recover: bool) {
        let stopped = self.galera.is_stopped(place) && self.hosts[place].launch.is_none();
        let slow = if self.now < self.hosts[place].slow_until { 12 } else { 1 };
        let long = if recover && stopped { self.random.between(200, 500) } else { 0 };
        let delay = (self.random.between(15, 80) + long) * slow + self.recovery_takes(place, recover && stopped);
        // What is read may be what was there when the look began, or when it ended.
        let seen = self.random.percent(50).then(|| Box::new(self.look(place, recover)));
        let run = self.hosts[place].run;
        let seen = seen.map(|look| (look, self.now));
        self.after(delay, Event::Look { place, run, number, recover, seen });
    }

    pub(super) fn looked(
        &mut self,
        place: Place,
        run: u64,
        number: u64,
        recover: bool,
        seen: Option<(Box<Look>, u64)>,
    ) {
        if self.hosts[place].run != run {
            return;
        }
        if self.now < self.hosts[place].ills.disk_hangs_until {
            let when = self.hosts[place].ills.disk_hangs_until;
            self.at(when, Event::Look { place, run, number, recover, seen });
            return;
        }
        let look = match seen {
            Some((mut look, when)) => {
                look.age = Duration::from_millis(self.now - when);
                look
            }
            None => Box::new(self.look(place, recover)),
        };
        let (evidence, me) = (&look.evidence, self.name(place));
        let disabled = evidence.disabled.iter().map(|host| self.names.place(host)).collect();
        self.hosts[place].known = Some(Known {
            maintenance: evidence.maintenance,
            is_out: evidence.disabled.contains(&me),
            disabled,
            serves: matches!(&evidence.process, Process::Running(running)
                if running.status == pfcluster_core::galera::ClusterStatus::Primary),
        });
        self.hosts[place].has_looked = true;
        self.feed(place, Some(run), Input::Looked { number, look });
    }

    /// What the host finds out about its database now.
    fn look(&mut self, place: Place, recover: bool) -> Look {
        let mut evidence = self.evidence(place);
        let seen = self.process_as_seen(place, evidence.process);
        evidence.process = seen.process;
        if recover && evidence.process == Process::Stopped {
            // The host's first aid.
            self.galera.move_tc_log_aside(place);
        }
        let is_partial = matches!(self.galera.members[place].disk.data, Data::Partial);
        let run = self.galera.run(place).copied();
        if let Some(files) = &mut evidence.files {
            let ran_standalone = self.galera.members[place].process == Database::Alone;
            files.records = Records { ran_standalone, ..Records::default() };
            // What lies beside shows that a transfer was there, also where its mark is gone.
            files.sst_marker |= is_partial;
            let found = std::mem::take(&mut files.recovered);
            files.recovered = match evidence.process {
                Process::Stopped if is_partial => Recovered::NoHistory,
                Process::Stopped if recover => self.recovered_as_seen(place, found),
                Process::Starting if !files.sst_marker => seen.started_at.map_or(Recovered::NotRun, Recovered::At),
                _ => Recovered::NotRun,
            };
        }
        let view_number = run.and_then(|run| run.view).map(|view| u64::from(view.name));
        Look {
            evidence,
            data: self.data_of(place),
            view_number,
            receive_queue: run.map(|run| u64::from(run.queue)),
            age: Duration::ZERO,
            vips: None,
            backup: LastBackup::Unknown,
        }
    }

    /// Tells one state of the data files from another.
    fn data_of(&self, place: Place) -> u64 {
        let disk = &self.galera.members[place].disk;
        let rows = match &disk.data {
            Data::Empty => [1, 0, 0],
            Data::Partial => [2, 0, 0],
            Data::NoHistory(rows) | Data::Rows(rows) => {
                let last = rows.log.last().map_or(0, |event| u64::from(event.0));
                [3 + u64::from(rows.history.0), rows.log.len() as u64 * 65_536 + last, rows.alone.len() as u64]
            }
        };
        let grastate = match &disk.grastate {
            File::Absent => 1,
            File::Torn => 2,
            File::Whole(grastate) => 3 + u64::from(grastate.history.0) * 4 + u64::from(grastate.flag),
        };
        let parts = rows.into_iter().chain([grastate, u64::from(disk.marker)]);
        let mut hasher = DefaultHasher::new();
        parts.for_each(|part| hasher.write_u64(part));
        hasher.finish()
    }

    fn asks(&mut self, place: Place, number: u64, hosts: &[pfcluster_core::cluster::Hostname]) {
        let mut answers = Vec::new();
        for host in hosts {
            let other = self.names.place(host);
            let peer = &self.hosts[other];
            let answers_now = self.galera.members[other].powered
                && peer.launch.is_none()
                && self.now >= peer.frozen_until.max(peer.deaf_until).max(peer.ills.hangs_until)
                && self.network.connects(place, other, Plane::Management, self.now);
            if answers_now && let Process::Running(running) = self.evidence(other).process {
                answers.push((host.clone(), running));
            }
        }
        // Who is cut off, or does not move, is waited for.
        let is_slow = hosts.iter().any(|host| {
            let other = self.names.place(host);
            !self.network.connects(place, other, Plane::Management, self.now)
                || !self.galera.members[other].powered
                || self.now < self.hosts[other].frozen_until.max(self.hosts[other].ills.hangs_until)
        });
        let delay = if is_slow { 2_000 } else { self.random.between(3, 40) };
        let run = self.hosts[place].run;
        self.after(delay, Event::Asked { place, run, number, answers });
    }

    /// Who answers to a ping: hosts that have power, and are reached.
    fn pings(&self, place: Place) -> Set {
        let answers = |&other: &Place| {
            self.now >= self.hosts[other].dark_until && self.network.connects(place, other, Plane::Management, self.now)
        };
        self.everybody().iter().filter(answers).collect()
    }

    /// True if the host has a process, one that still reads its files among them.
    pub(super) fn has_process(&self, place: Place) -> bool {
        self.hosts[place].launch.is_some() || self.galera.members[place].process != Database::Stopped
    }
}
