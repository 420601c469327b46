//! The databases take their time: to start, to notice who is gone, to transfer state, to apply and to flush.

use pfcluster_core::galera::Position;
use pfcluster_core::supervisor::{Input, Part, Start};

use super::breach::Kind as Breach;
use super::galera::evidence::uuid;
use super::galera::{File, Place, Process, Refused, Set, Stage, State};
use super::ledger::Cause;
use super::measured::SYNCED_AFTER;
use super::world::{Event, World};

/// A process that reads its files before it talks to anybody.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    how: Start,
    position: Option<Position>,
    /// The supervisor's part; `None` for a start by hand.
    part: Option<Part>,
}

impl World {
    /// A process begins. The error is what the host would say.
    pub(super) fn spawn(
        &mut self,
        place: Place,
        how: Start,
        position: Option<Position>,
        part: Option<Part>,
    ) -> Result<(), Box<str>> {
        if self.has_process(place) {
            return Err("it runs already".into());
        }
        let slow = if self.now < self.hosts[place].slow_until { 4 } else { 1 };
        let host = &mut self.hosts[place];
        host.process += 1;
        host.begins = how != Start::Normal;
        host.launch = Some(Launch { how, position, part });
        (host.started_at, host.terminated) = (position, None);
        host.is_adopted = part.is_none();
        let process = host.process;
        self.soon(200 * slow, 900 * slow, Event::Launched(place, process));
        Ok(())
    }

    pub(super) fn launched(&mut self, place: Place, process: u64) {
        let host = &mut self.hosts[place];
        if host.process != process {
            return;
        }
        let Some(launch) = host.launch.take() else { return };
        host.had_process = true;
        let is_full = self.now < host.full_until;
        if is_full {
            self.tell(Some(place), || "database exits: the disk is full".to_owned());
            self.changed(Cause::Fault);
            return;
        }
        if self.start_fails(place) {
            self.changed(Cause::Fault);
            return;
        }
        self.check_launch(place, &launch);
        let Launch { how, position, part } = launch;
        let knows = position.is_some();
        self.hosts[place].rows_at_start = self.galera.rows(place).map_or(0, |rows| rows.log.len());
        self.tell(Some(place), || format!("database starts, {how:?}"));
        let result = match how {
            Start::Normal => self.galera.start_as(place, knows, part == Some(Part::Reform)),
            Start::NewCluster => self.galera.bootstrap_as(place, knows, part.is_some()),
            Start::Alone => {
                self.galera.start_alone(place);
                Ok(())
            }
        };
        if result == Err(Refused::NotSafeToBootstrap) {
            self.tell(Some(place), || "database exits: safe_to_bootstrap is 0".to_owned());
        }
        self.soon(27_000, 30_000, Event::GivesUp(place, process));
        self.changed(Cause::Group);
    }

    /// What must hold of every start that a supervisor wants.
    fn check_launch(&mut self, place: Place, launch: &Launch) {
        // A hand that starts another server between the steps of a start changes what those before have found.
        if self.words.forged {
            return;
        }
        let disk = &self.galera.members[place].disk;
        if launch.part == Some(Part::Join) && disk.gvwstate != File::Absent {
            self.breaks(Breach::JoinedWithView, format!("{} joins with a gvwstate.dat in place", self.name(place)));
        }
        let at = self.galera.at(place).map(|at| (uuid(at.history), i64::from(at.seqno)));
        let given = launch.position.map(|position| (position.uuid(), position.seqno().get()));
        if launch.part.is_some() && given.is_some() && given != at {
            self.breaks(Breach::WrongPosition, format!("{} is at {at:?} and was handed {given:?}", self.name(place)));
        }
    }

    pub(super) fn gives_up(&mut self, place: Place, process: u64) {
        if self.hosts[place].process == process && self.galera.give_up(place) {
            self.tell(Some(place), || "database exits: no primary component for 30 s".to_owned());
            self.changed(Cause::Group);
        }
    }

    pub(super) fn notices(&mut self) {
        if self.notice_at.is_some_and(|when| when <= self.now) {
            self.notice_at = None;
            let before = self.story.is_some().then(|| self.galera.primaries());
            let stand: Vec<Place> =
                self.everybody().iter().filter(|&place| self.now < self.hosts[place].stands_until).collect();
            let without: Vec<Place> = stand.into_iter().filter(|&place| !self.is_primary(place)).collect();
            self.galera.notice();
            self.words.misled |= without.into_iter().any(|place| self.is_primary(place));
            if let Some(before) = before.filter(|before| *before != self.galera.primaries()) {
                drop(before);
                let after: Vec<String> =
                    self.galera.primaries().iter().map(|view| self.names.joined(view.members)).collect();
                let after = if after.is_empty() { "none".to_owned() } else { after.join(" and ") };
                self.tell(None, || format!("primary component: {after}"));
            }
            self.changed(Cause::Group);
        }
    }

    fn is_primary(&self, place: Place) -> bool {
        self.galera.run(place).is_some_and(|run| run.primary)
    }

    /// A transfer ends, or breaks off.
    pub(super) fn transferred(&mut self, place: Place, process: u64) {
        let joining = self.galera.run(place).map(|run| run.state);
        let Some(State::Joining(_, full)) = joining.filter(|_| self.hosts[place].process == process) else { return };
        if std::mem::take(&mut self.hosts[place].transfer_fails) {
            self.tell(Some(place), || "state transfer fails".to_owned());
            if self.plan.as_measured {
                let stage = self.random.one(&[Stage::Emptied, Stage::Emptied, Stage::Filled]);
                self.galera.fail_transfer(place, stage);
            } else {
                self.galera.crash(place);
            }
            self.changed(Cause::Fault);
            return;
        }
        self.galera.finish_transfer(place);
        if full {
            // The script has written them, not the process.
            self.hosts[place].rows_at_start = self.galera.rows(place).map_or(0, |rows| rows.log.len());
        }
        self.tell(Some(place), || "state transfer ends".to_owned());
        if self.galera.members[place].disk.unsynced {
            self.after(SYNCED_AFTER, Event::Synced(place, self.hosts[place].boot));
        }
        self.changed(Cause::Group);
    }

    pub(super) fn commit(&mut self) {
        // While service does not return for long, less and less happens.
        let waited = self.mended.map_or(0, |mended| (self.now - mended) / 60_000);
        let slower = 1 + waited * 10;
        self.soon(100 * slower, 500 * slower, Event::Commit);
        let on = self.random.below(self.plan.members);
        let is_frozen = self.now < self.hosts[on].frozen_until;
        let late = Set::first(8).without(if self.random.percent(70) { Set::first(8) } else { Set::of(on) });
        if !is_frozen && self.galera.commit(on, late) {
            self.acknowledged();
            for place in late.common(self.everybody()).iter() {
                self.soon(20, 400, Event::Applied(place));
            }
        }
    }

    pub(super) fn flush(&mut self) {
        self.soon(400, 1_500, Event::Flush);
        for place in self.everybody().iter() {
            let until = self.hosts[place].slow_until.max(self.hosts[place].ills.unflushed_until);
            if self.random.percent(60) && self.now >= until {
                self.galera.flush(place);
            }
        }
    }

    /// The databases' network is what it is now; who does not move is apart.
    pub(super) fn reconnect(&mut self) {
        let now = self.now;
        let apart = self.everybody().iter().filter(|&place| now < self.hosts[place].frozen_until).collect();
        let parts = self.network.parts(apart, now);
        let is_new = self.galera.members.iter().zip(&parts).any(|(member, part)| member.side != *part);
        if is_new {
            self.galera.members.iter_mut().zip(parts).for_each(|(member, part)| member.side = part);
            self.galera.unnoticed = true;
            self.changed(Cause::Network);
        }
    }

    /// Something has happened to the databases: what follows is set going, and what must hold is checked.
    pub(super) fn changed(&mut self, cause: Cause) {
        if self.galera.unnoticed {
            // Measured: a loss 5.6 s, a merge 3.7 s, a start 2.1 to 3 s, of which some pass before it talks to anybody.
            let (low, high) = match cause {
                Cause::Fault => (3_000, 6_500),
                Cause::Network => (2_500, 8_000),
                Cause::Group | Cause::Hand => (800, 4_000),
            };
            let delay = self.random.between(low, high);
            let when = self.now + delay;
            if self.notice_at.is_none_or(|at| when < at) {
                self.notice_at = Some(when);
                self.at(when, Event::Notice);
            }
        }
        for place in self.everybody().iter() {
            self.tend_process(place);
            let runs = self.has_process(place);
            let had = std::mem::replace(&mut self.hosts[place].had_process, runs);
            if had && !runs {
                self.process_has_ended(place);
            }
            self.begins_transfer(place);
        }
        self.check(cause);
    }

    fn process_has_ended(&mut self, place: Place) {
        let host = &mut self.hosts[place];
        host.process += 1;
        host.transfer_fails = false;
        (host.ills.hangs_until, host.terminated) = (0, None);
        let (run, cut) = (host.run, std::mem::take(&mut host.ills.cut_when_stopped));
        if cut {
            self.soon(5, 900, Event::PowerGoes(place));
        }
        if !self.hosts[place].is_adopted {
            self.soon(5, 150, Event::Input(place, run, Input::Ended { why: "it has exited".into() }));
        }
    }

    fn begins_transfer(&mut self, place: Place) {
        let Process::Running(run) = self.galera.members[place].process else { return };
        let State::Joining(donor, full) = run.state else {
            self.hosts[place].receives = None;
            return;
        };
        let process = self.hosts[place].process;
        if self.hosts[place].receives.replace(process) != Some(process) {
            let (low, high) = if full { (3_000, 14_000) } else { (500, 3_000) };
            let donor = self.name(donor);
            self.tell(Some(place), || {
                format!("receives {} from {donor}", if full { "everything" } else { "what it lacks" })
            });
            self.soon(low, high, Event::Transferred(place, process));
        }
    }
}
