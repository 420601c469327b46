//! What hosts and databases do in a world as measured ([`super::plan::Plan::as_measured`]), and the faults that go with it
//! ([`Kind::NEW`]). Each names its source (Hn: reference/galera-holes.md, Rn: reference/recovery-holes.md).

use std::time::Duration;

use pfcluster_core::galera::{Position, Process, Recovered};

use super::fault::Begun;
use super::galera::evidence::uuid;
use super::galera::{Harm, Place, Process as Database, Set, Unsynced};
use super::ledger::Cause;
use super::mind::Policy;
use super::plan::Kind;
use super::random::Random;
use super::world::{Event, World};

/// What a transfer brought is on the disk so much later (H6: at 32 s 187 files had length 0, at 45 s none).
pub(super) const SYNCED_AFTER: u64 = 45_000;
/// A database that has served for so long has been seen to serve by every look that counts.
const SEEN_BY_NOW: u64 = 5_000;

/// What is wrong with a host, and until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Ills {
    /// Nothing that is written reaches the disk.
    pub(super) unflushed_until: u64,
    /// As soon as the database has stopped, the power goes.
    pub(super) cut_when_stopped: bool,
    /// The database takes connections, and no login ends; its sessions go on (H1: the thread pool is full).
    pub(super) hangs_until: u64,
    /// SIGKILL does not end the database (D state).
    pub(super) stuck_until: u64,
    /// No look ends (H2).
    pub(super) disk_hangs_until: u64,
    /// A recovery takes up to a minute.
    pub(super) recovery_slow_until: u64,
    /// A recovery fails, and a start would work (no room for ibtmp1; H11).
    pub(super) recovery_fails_until: u64,
    /// Each start fails (port 4567 is taken; H5).
    pub(super) starts_fail_until: u64,
}

impl Ills {
    /// Everything is mended.
    pub(super) fn mend(&mut self) {
        *self = Ills::default();
    }

    /// The machine begins anew.
    pub(super) fn reboots(&mut self) {
        let Ills { unflushed_until, recovery_fails_until, starts_fail_until, .. } = *self;
        *self = Ills { unflushed_until, recovery_fails_until, starts_fail_until, ..Ills::default() };
    }
}

/// What a look finds of a database's process.
#[derive(Clone, Debug)]
pub(super) struct ProcessSeen {
    pub(super) process: Process,
    /// `--wsrep_start_position` of its command line, where the data are still there.
    pub(super) started_at: Option<Position>,
}

impl World {
    /// THE PLACE where it is decided what a look finds of a process that says this of itself: as pfcluster-cli's
    /// host/evidence.rs does it. One that listens and does not answer may be serving; one that never listened is where it was
    /// started.
    pub(super) fn process_as_seen(&self, place: Place, tells: Process) -> ProcessSeen {
        let host = &self.hosts[place];
        let is_launching = host.launch.is_some();
        let is_mute = host.refuses || self.now < host.frozen_until.max(host.deaf_until).max(host.ills.hangs_until);
        let process = match tells {
            Process::Stopped if !is_launching => Process::Stopped,
            Process::Running(_) if !is_launching && is_mute => Process::NotResponding,
            Process::Running(running) if !is_launching => Process::Running(running),
            _ if host.begins => Process::Bootstrapping,
            _ => Process::Starting,
        };
        let started_at = host.started_at.filter(|_| self.plan.as_measured && process == Process::Starting);
        ProcessSeen { process, started_at }
    }

    /// What `--wsrep-recover` finds on this host.
    pub(super) fn recovered_as_seen(&self, place: Place, found: Recovered) -> Recovered {
        let (host, disk) = (&self.hosts[place], &self.galera.members[place].disk);
        let has_innodb = disk.data.rows().is_some();
        if self.now < host.full_until.max(host.ills.recovery_fails_until) {
            return Recovered::Failed("No space left on device".into());
        }
        match disk.harm {
            Some(Harm::TcLog) => Recovered::Failed("Bad magic header in tc log".into()),
            Some(Harm::Torn) => Recovered::Failed("Size of control file is smaller than expected".into()),
            // H4: there is nothing that it could be run on.
            None if self.plan.as_measured && !disk.marker && !has_innodb && found == Recovered::NoHistory => {
                if matches!(disk.data, super::galera::Data::Partial) { Recovered::NotRun } else { found }
            }
            None => found,
        }
    }

    /// How much longer a look takes that recovers the position.
    pub(super) fn recovery_takes(&mut self, place: Place, recovers: bool) -> u64 {
        let is_slow = recovers && self.now < self.hosts[place].ills.recovery_slow_until;
        if is_slow { self.random.between(5_000, 60_000) } else { 0 }
    }

    /// True if a process that has read its files exits at once.
    pub(super) fn start_fails(&mut self, place: Place) -> bool {
        if self.now < self.hosts[place].ills.starts_fail_until {
            self.tell(Some(place), || "database exits: its port is taken".to_owned());
            self.galera.fail_start(place);
            return true;
        }
        // Without a state everything comes anew, before any file is read.
        let disk = &self.galera.members[place].disk;
        let is_harmed = disk.harm.is_some() && disk.grastate != super::galera::File::Absent;
        if is_harmed {
            self.tell(Some(place), || "database exits: it can't read its files".to_owned());
        }
        is_harmed
    }

    /// Its database is in a primary component, and has been for longer than any look may take.
    pub(super) fn serves_unseen(&self, place: Place) -> bool {
        let since = self.hosts[place].serves_since.filter(|_| self.plan.as_measured);
        since.is_some_and(|since| self.now - since > SEEN_BY_NOW)
    }

    /// A server that has not been in service yet has SIGTERM blocked (H10).
    pub(super) fn waits_deaf(&self, place: Place) -> bool {
        self.plan.as_measured && self.galera.run(place).is_some_and(|run| !run.open)
    }

    /// The process is told to end, and does not hear it, or nothing ends it; from `kill_after` on SIGKILL ends it.
    pub(super) fn hears_no_signal(&mut self, place: Place, kill_after: Option<Duration>) -> bool {
        if !self.plan.as_measured || !self.has_process(place) {
            return false;
        }
        let now = self.now;
        let waits = self.waits_deaf(place) || self.hosts[place].launch.is_some();
        let host = &mut self.hosts[place];
        if now < host.ills.stuck_until {
            return true;
        }
        let process = host.process;
        let (_, since) = *host.terminated.get_or_insert((process, now));
        let is_killed = kill_after.is_some_and(|limit| u128::from(now - since) >= limit.as_millis());
        (waits || now < host.frozen_until) && !is_killed
    }

    /// What follows for a process from what has become of it.
    pub(super) fn tend_process(&mut self, place: Place) {
        let now = self.now;
        let is_primary = self.galera.is_primary(place);
        let since = self.hosts[place].serves_since;
        self.hosts[place].serves_since = is_primary.then(|| since.unwrap_or(now));
        // SIGTERM was pending: the server hears it as soon as it serves (H10).
        if let Some((process, _)) = self.hosts[place].terminated
            && self.galera.run(place).is_some_and(|run| run.open)
            && self.hosts[place].process == process
        {
            self.hosts[place].terminated = None;
            self.soon(100, 1_500, Event::Terminates(place, process));
        }
    }

    pub(super) fn terminates(&mut self, place: Place, process: u64) {
        if self.hosts[place].process == process && self.galera.members[place].process != Database::Stopped {
            self.tell(Some(place), || "database hears SIGTERM at last".to_owned());
            self.galera.leave(place);
            self.changed(Cause::Group);
        }
    }

    pub(super) fn is_synced_by_now(&mut self, place: Place, boot: u64) {
        if self.hosts[place].boot == boot {
            self.galera.sync(place);
        }
    }

    /// The power went: of a transfer that was not on the disk, files of length 0 are left, or fewer rows, or by luck everything (H6).
    pub(super) fn loses_unsynced(&mut self, place: Place, dice: &mut Random) {
        if self.galera.members[place].disk.unsynced {
            match dice.below(4) {
                0 => self.galera.sync(place),
                1 => self.galera.lose_unsynced(place, Unsynced::RowsMissing),
                _ => self.galera.lose_unsynced(place, Unsynced::Torn),
            }
        }
    }

    pub(super) fn strike_as_measured(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        let until = self.now + dice.between(1_000, 20_000);
        let ills = &mut self.hosts[on].ills;
        match kind {
            Kind::CutAfterStop => {
                (ills.unflushed_until, ills.cut_when_stopped) = (self.now + 8_000, true);
                self.end_supervisor(on);
            }
            Kind::HangDatabase => ills.hangs_until = until,
            Kind::StuckDatabase => {
                ills.stuck_until = until;
                self.hosts[on].frozen_until = until;
                self.reconnect();
                self.at(until, Event::Reconnect);
            }
            Kind::RefuseLogin => self.hosts[on].refuses = true,
            Kind::HangDisk => ills.disk_hangs_until = until,
            Kind::SlowRecovery => ills.recovery_slow_until = until,
            Kind::RecoveryFails => ills.recovery_fails_until = until,
            Kind::StartsFail => ills.starts_fail_until = until,
            Kind::Backup => self.pauses(on, dice.between(500, 9_000)),
            Kind::RequestFails => self.galera.requests_fail = self.galera.requests_fail.with(on),
            Kind::ScriptFails => self.galera.scripts_fail = self.galera.scripts_fail.with(on),
            Kind::CrashOfAll => self.crash_databases(self.everybody()),
            Kind::PowerCycle => self.power_cycle(self.everybody().without(Set::of(on)), dice.between(500, 4_000)),
            Kind::CrashInDdl => self.crash_in_ddl(Set::of(on)),
            Kind::PowerCutInDdl => {
                self.galera.crash_in_ddl(self.everybody());
                self.everybody().iter().for_each(|place| self.power_cut_of(place, 0, dice));
            }
            Kind::FreezeView => {
                self.galera.members[on].disk.view_frozen = true;
                self.at(until, Event::Ends(on, Begun::FrozenView));
            }
            Kind::WreckTcLog => {
                self.power_cut(on, dice);
                self.galera.members[on].disk.harm.get_or_insert(Harm::TcLog);
            }
            Kind::Inconsistent => {
                self.galera.become_inconsistent(on);
                self.changed(Cause::Fault);
            }
            other => unreachable!("{other} is of another group"),
        }
    }

    /// A backup pauses the provider for so long (R1).
    fn pauses(&mut self, on: Place, milliseconds: u64) {
        self.galera.pause(on);
        self.changed(Cause::Group);
        self.after(milliseconds, Event::Ends(on, Begun::Backup));
    }

    /// The power of a host goes, with all that is not on its disk (H3); it comes back by itself.
    pub(super) fn power_goes_losing(&mut self, on: Place) {
        if self.now >= self.hosts[on].dark_until {
            let mut dice = self.random.fork();
            self.power_cut_of(on, u8::MAX, &mut dice);
        }
    }

    /// The host is out of the group, which notices at once, and back so much later: a view that no two looks see.
    pub(super) fn blinks(&mut self, on: Place, milliseconds: u64) {
        self.galera.members[on].side = 7;
        self.galera.unnoticed = true;
        self.galera.notice();
        self.changed(Cause::Network);
        self.after(milliseconds, Event::BlinkEnds(on));
    }

    pub(super) fn blink_ends(&mut self, on: Place) {
        let parts = self.network.parts(Set::NOBODY, self.now);
        self.galera.members[on].side = parts[on];
        self.galera.unnoticed = true;
        self.galera.notice();
        self.changed(Cause::Network);
        self.reconnect();
    }

    /// The policy that a host's supervisor goes by.
    pub(super) fn policy_of(&self, place: Place) -> Policy {
        self.hosts[place].policy.unwrap_or(self.plan.policy)
    }

    pub(super) fn position_of(&self, place: Place) -> Option<Position> {
        let at = self.galera.at(place)?;
        Position::new(uuid(at.history), i64::from(at.seqno))
    }
}

/// For scripts.
impl World {
    /// For so long nothing that these write reaches their disks.
    pub fn keep_unflushed(&mut self, who: Set, milliseconds: u64) {
        who.iter().for_each(|place| self.hosts[place].ills.unflushed_until = self.now + milliseconds);
    }

    /// The provider of this member is paused for so long.
    pub fn pause(&mut self, place: Place, milliseconds: u64) {
        self.pauses(place, milliseconds);
    }

    /// The next state request of this member fails.
    pub fn fail_request(&mut self, place: Place) {
        self.galera.requests_fail = self.galera.requests_fail.with(place);
    }

    /// The database of this member lets nobody in, and its sessions go on.
    pub fn hang_database(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].ills.hangs_until = self.now + milliseconds;
    }

    /// The database of this member does not move (SIGSTOP); `stuck`: and SIGKILL does not end it (D state).
    pub fn freeze_database(&mut self, place: Place, milliseconds: u64, stuck: bool) {
        let until = self.now + milliseconds;
        self.hosts[place].frozen_until = until;
        if stuck {
            self.hosts[place].ills.stuck_until = until;
        }
        self.reconnect();
        self.at(until, Event::Reconnect);
    }

    /// No look of this member's supervisor ends for so long.
    pub fn hang_disk(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].ills.disk_hangs_until = self.now + milliseconds;
    }

    /// Recoveries of this member's position fail for so long, and starts would work.
    pub fn fail_recoveries(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].ills.recovery_fails_until = self.now + milliseconds;
    }

    /// Starts of this member's database fail for so long, and recoveries work.
    pub fn fail_starts(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].ills.starts_fail_until = self.now + milliseconds;
    }

    /// The databases of these die at one moment; their supervisors live.
    pub fn crash_databases(&mut self, who: Set) {
        who.iter().for_each(|place| self.hosts[place].launch = None);
        self.galera.crash_of(who);
        self.changed(Cause::Fault);
    }

    /// The power of these goes at one moment, and is back so much later.
    pub fn power_cycle(&mut self, who: Set, milliseconds: u64) {
        for place in who.iter() {
            let mut dice = self.random.fork();
            self.power_cut_of(place, 0, &mut dice);
            self.hosts[place].dark_until = self.now + milliseconds;
            self.after(milliseconds, Event::Boot(place));
        }
    }

    /// The databases of these die in a DDL statement.
    pub fn crash_in_ddl(&mut self, who: Set) {
        self.galera.crash_in_ddl(who);
        self.changed(Cause::Fault);
    }

    /// The transfer to this member fails now.
    pub fn fail_transfer(&mut self, place: Place, stage: super::galera::Stage) {
        self.galera.fail_transfer(place, stage);
        self.changed(Cause::Fault);
    }

    /// What a power cut has left of a transfer to this member that was not on its disk.
    pub fn lose_unsynced(&mut self, place: Place, how: Unsynced) {
        self.galera.lose_unsynced(place, how);
    }

    /// `pc.bootstrap=YES` by hand, and so many commits before anybody looks (H9).
    pub fn promote_and_commit(&mut self, place: Place, commits: usize) {
        self.words.forged = true;
        self.galera.promote(place);
        for _ in 0..commits {
            if self.galera.commit(place, Set::NOBODY) {
                self.acknowledged();
            }
        }
        self.changed(Cause::Hand);
    }

    /// A new cluster by hand, past all rules, and so many commits as soon as it serves.
    pub fn bootstrap_by_hand(&mut self, place: Place) {
        let mut dice = Random::new(0);
        self.strike(place, Kind::BootstrapByHand, &mut dice);
    }

    /// The member leaves the group and is back so much later, each noticed at once.
    pub fn blink(&mut self, place: Place, milliseconds: u64) {
        self.blinks(place, milliseconds);
    }

    /// From its next start on this member's supervisor goes by these rules.
    pub fn run_by(&mut self, place: Place, policy: Policy) {
        self.hosts[place].policy = Some(policy);
    }

    /// Which boot of this member's machine it is.
    pub fn boot_of(&self, place: Place) -> u64 {
        self.hosts[place].boot
    }

    /// Members in one component have the same rows, as far as each has come.
    pub fn is_equal_in_service(&self) -> bool {
        let view = |place: Place| self.galera.run(place).filter(|run| run.primary).and_then(|run| run.view);
        let rows = |place: Place| self.galera.rows(place).filter(|_| self.galera.is_synced(place));
        self.everybody().iter().all(|one| {
            self.everybody().iter().filter(|&other| view(one) == view(other)).all(|other| {
                let (Some(one), Some(other)) = (rows(one), rows(other)) else { return true };
                let common = one.log.len().min(other.log.len());
                one.log[..common] == other.log[..common]
            })
        })
    }
}
