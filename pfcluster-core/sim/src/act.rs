//! The host carries out what a supervisor wants, one step after the other, each in its time.

use pfcluster_core::galera::Position;
use pfcluster_core::supervisor::{Input, Part, Start, Step};

use super::breach::Kind as Breach;
use super::galera::evidence::uuid;
use super::galera::{File, Place};
use super::ledger::Cause;
use super::world::{Event, World};

impl World {
    /// What must hold of every act, by what the supervisor knew.
    pub(super) fn check_act(&mut self, place: Place, part: Part) {
        let Some(known) = self.hosts[place].known else { return };
        if part.starts() && (known.maintenance || known.is_out && part != Part::Alone) {
            self.breaks(Breach::ForbiddenStart, format!("{} is in maintenance or disabled: {part}", self.name(place)));
        }
        if part == Part::Stop && (known.serves || self.serves_unseen(place)) && !self.hosts[place].ends {
            self.breaks(Breach::ForbiddenStop, format!("{} ends a database that serves", self.name(place)));
        }
        let is_fit = self.galera.is_trusted(place)
            || self.is_confirmed(place)
            || self.words.holds_for(&self.name(place), self.now)
            || self.words.forged;
        if part == Part::Bootstrap && !is_fit {
            self.breaks(Breach::ForbiddenStart, format!("{} begins with data that can't be trusted", self.name(place)));
        }
    }

    /// grastate.dat has the zero UUID after a crash in a DDL statement, and the supervisor's record names the last view.
    fn is_confirmed(&self, place: Place) -> bool {
        let record = self.hosts[place].records.view;
        let view = self.galera.members[place].disk.gvwstate.read();
        view.is_some_and(|view| record.is_some_and(|record| record.view.seq == u32::from(view.name)))
    }

    /// The next step begins, or the answer is given.
    pub(super) fn next_step(&mut self, place: Place) {
        let slow = if self.now < self.hosts[place].slow_until { 12 } else { 1 };
        let Some(act) = &self.hosts[place].act else { return };
        let run = self.hosts[place].run;
        let (low, high) = match act.steps.front() {
            None => {
                self.answer(place, Ok(()));
                return;
            }
            Some(Step::Stop { .. } | Step::End { .. }) => (150, 1_500),
            Some(Step::Start { .. } | Step::Promote) => (20, 120),
            Some(_) => (2, 30),
        };
        self.soon(low * slow, high * slow, Event::Step(place, run));
    }

    fn answer(&mut self, place: Place, result: Result<(), Box<str>>) {
        self.hosts[place].act = None;
        let run = self.hosts[place].run;
        self.feed(place, Some(run), Input::Acted { result });
    }

    pub(super) fn step_done(&mut self, place: Place, run: u64) {
        let host = &mut self.hosts[place];
        if host.run != run {
            return;
        }
        if self.now < host.stands_until {
            // The steps are the same program's.
            let when = host.stands_until;
            self.at(when, Event::Step(place, run));
            return;
        }
        let Some(act) = &mut host.act else { return };
        let (part, Some(step)) = (act.part, act.steps.pop_front()) else { return };
        if let Step::Stop { kill_after } = step
            && self.hears_no_signal(place, kill_after)
        {
            if let Some(act) = &mut self.hosts[place].act {
                act.steps.push_front(step);
            }
            self.after(500, Event::Step(place, run));
            return;
        }
        match self.carry_out(place, part, step) {
            Ok(()) => self.next_step(place),
            Err(why) => {
                self.tell(Some(place), || format!("a step fails: {why}"));
                self.answer(place, Err(why));
            }
        }
    }

    fn carry_out(&mut self, place: Place, part: Part, step: Step) -> Result<(), Box<str>> {
        let is_full = self.now < self.hosts[place].full_until;
        let disk = &mut self.galera.members[place].disk;
        match step {
            Step::Record(_) | Step::AllowBootstrap | Step::ForbidBootstrap | Step::ClearSeqno | Step::WriteUuid(_)
                if is_full =>
            {
                return Err("no space left on the device".into());
            }
            Step::Record(records) => self.hosts[place].records = records,
            Step::SetViewAside => disk.gvwstate = File::Absent,
            Step::SetStateAside => disk.grastate = File::Absent,
            Step::SetDataAside => {
                if self.has_process(place) {
                    return Err("a process uses the data".into());
                }
                self.tell(Some(place), || "the data are moved aside".to_owned());
                self.galera.discard(place);
                self.changed(Cause::Group);
            }
            Step::AllowBootstrap => {
                if disk.grastate != File::Absent {
                    self.galera.set_flag(place);
                }
            }
            Step::ForbidBootstrap => {
                if let File::Whole(grastate) = &mut disk.grastate {
                    grastate.flag = false;
                }
            }
            Step::ClearSeqno => {
                if let File::Whole(grastate) = &mut disk.grastate {
                    grastate.seqno = -1;
                }
            }
            Step::WriteUuid(uuid) => {
                let of_rows = disk
                    .data
                    .rows()
                    .map(|rows| rows.history)
                    .filter(|history| super::galera::evidence::uuid(*history) == uuid);
                if let (File::Whole(grastate), Some(history)) = (&mut disk.grastate, of_rows) {
                    (grastate.history, grastate.seqno) = (history, -1);
                }
            }
            Step::Start { how, position } => return self.spawn(place, how, position, Some(part)),
            Step::Promote => {
                if self.hosts[place].launch.is_some() || self.galera.is_stopped(place) {
                    return Err("it does not run".into());
                }
                if self.now >= self.hosts[place].frozen_until {
                    self.galera.promote_as(place, true);
                    self.changed(Cause::Group);
                }
            }
            Step::Stop { .. } | Step::End { .. } => self.stop(place),
        }
        Ok(())
    }

    /// A graceful stop, or the end of a process that can't stop gracefully.
    pub(super) fn stop(&mut self, place: Place) {
        self.hosts[place].launch = None;
        let is_frozen = self.now < self.hosts[place].frozen_until || self.waits_deaf(place);
        if is_frozen {
            self.hosts[place].frozen_until = 0;
            self.reconnect();
            self.galera.crash(place);
        } else {
            self.galera.leave(place);
        }
        self.tell(Some(place), || "database is stopped".to_owned());
        // What it had not applied is gone with a process that does not move, as with one that receives state.
        self.changed(if is_frozen { Cause::Fault } else { Cause::Group });
    }

    /// Starts the database by hand, past the supervisor.
    pub(super) fn start_by_hand(&mut self, place: Place, how: Start) {
        // Past its supervisor it goes on from the number that grastate.dat has, whatever `InnoDB` holds.
        self.words.forged |= !self.has_process(place) && self.galera.has_wrong_number(place);
        let at = self.galera.at(place);
        let position = at.and_then(|at| Position::new(uuid(at.history), i64::from(at.seqno)));
        // A process that runs already says so, and nothing happens.
        let _ = self.spawn(place, how, position, None);
    }
}
