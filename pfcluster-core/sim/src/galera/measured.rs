//! What was measured on the real Galera on 2026-11-30, and the model did not do before: each a behaviour of one method, with its
//! source (Hn: reference/galera-holes.md, Rn: reference/recovery-holes.md). What changes by itself, without anybody's call, is
//! behind [`Cluster::as_measured`].

use super::{Cluster, Data, Disk, Event, File, Grastate, Harm, HistoryId, Place, Set, State};

/// Where a full transfer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The script has done nothing yet: the rows are there, beside a zero UUID.
    Asked,
    /// The directory is emptied, and no file of `InnoDB` is there.
    Emptied,
    /// The files are there, and nobody has said so.
    Filled,
}

/// What a power cut leaves of a full transfer that was not on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unsynced {
    /// Files of length 0: a recovery fails.
    Torn,
    /// A recovery works and finds the number, and the rows of a table are missing.
    RowsMissing,
}

impl Cluster {
    /// A start goes on from grastate.dat's number if there is one, whatever `--wsrep_start_position` says and `InnoDB` holds (R1,
    /// H3: "Found saved state"). What lies between is never asked for: those rows are missing, and nobody notices. Where the
    /// number is the lower one (galera#499), what lies above is there already when it is sent again.
    pub(super) fn take_written_number(&mut self, place: Place) {
        let disk = &mut self.members[place].disk;
        let (Some(grastate), Data::Rows(rows)) = (disk.grastate.read(), &mut disk.data) else { return };
        let Some(number) = usize::try_from(grastate.seqno).ok().filter(|_| grastate.history == rows.history) else {
            return;
        };
        if number >= rows.log.len() {
            rows.log.resize(number, Event::MISSING);
        } else {
            let mut again = rows.log.split_off(number);
            rows.alone.append(&mut again);
        }
    }

    /// grastate.dat has a number, and `InnoDB` holds another one.
    pub fn has_wrong_number(&self, place: Place) -> bool {
        let Disk { grastate, data: Data::Rows(rows), .. } = &self.members[place].disk else { return false };
        let written = grastate.read().filter(|grastate| grastate.history == rows.history);
        let written = written.and_then(|grastate| usize::try_from(grastate.seqno).ok());
        written.is_some_and(|number| number != rows.log.len())
    }

    /// The provider is paused: a backup (`FLUSH TABLES WITH READ LOCK`, `BACKUP STAGE`), or the donor of a full transfer. grastate.dat
    /// gets the number where it stands, while gvwstate.dat stays: a crash looks like a clean stop (R1; 57 of 100 looks during one
    /// backup). It applies nothing meanwhile.
    pub fn pause(&mut self, place: Place) {
        let seqno = self.seqno(place);
        let Some(run) = self.run_mut(place).filter(|run| run.primary && !run.paused) else { return };
        run.paused = true;
        if let File::Whole(grastate) = &mut self.members[place].disk.grastate {
            grastate.seqno = seqno;
        }
    }

    /// It goes on.
    pub fn resume(&mut self, place: Place) {
        let Some(run) = self.run_mut(place).filter(|run| run.paused) else { return };
        run.paused = false;
        if let File::Whole(grastate) = &mut self.members[place].disk.grastate {
            grastate.seqno = -1;
        }
        self.apply(place);
    }

    /// Whoever gives to nobody any more goes on: all have their state, or have ended.
    pub(super) fn donors_end(&mut self) {
        for donor in self.everybody().iter() {
            let gives = |other: Place| matches!(self.run(other), Some(run) if matches!(run.state, State::Joining(to, _) if to == donor));
            let is_over =
                self.run(donor).is_some_and(|run| run.state == State::Donor) && !self.everybody().iter().any(gives);
            if let Some(run) = self.run_mut(donor).filter(|_| is_over) {
                run.state = State::Synced;
                self.resume(donor);
            }
        }
    }

    /// A joiner finds no donor, or its request fails: it writes where it is into grastate.dat and aborts; gvwstate.dat, which
    /// names the view it was in, stays (`replicator_str.cpp:857`).
    pub(super) fn fail_state_request(&mut self, place: Place) {
        let seqno = self.seqno(place);
        self.requests_fail = self.requests_fail.without(Set::of(place));
        self.die(place, 0);
        let disk = &mut self.members[place].disk;
        let flag = disk.grastate.read().is_some_and(|grastate| grastate.flag);
        let history = disk.data.rows().map_or(HistoryId::ZERO, |rows| rows.history);
        disk.grastate = File::Whole(Grastate { history, seqno, flag });
    }

    /// The power has gone: what a stopped server had written a moment ago can be lost as well, though grastate.dat, which was
    /// flushed first, keeps its number and gvwstate.dat is gone (H3: up to a second after a clean stop).
    pub(super) fn lose_unflushed(&mut self, place: Place, lost: u8) {
        if let Data::Rows(rows) = &mut self.members[place].disk.data {
            let lost = usize::from(lost.min(rows.unflushed));
            rows.log.truncate(rows.log.len().saturating_sub(lost));
            rows.unflushed = 0;
        }
    }

    /// A transfer fails, and leaves no mark: `sst_in_progress` goes with every exit of the script (H4).
    pub fn fail_transfer(&mut self, place: Place, stage: Stage) {
        let Some(State::Joining(donor, full)) = self.run(place).map(|run| run.state) else { return };
        self.scripts_fail = self.scripts_fail.without(Set::of(place));
        let filled = self.rows(donor).cloned().filter(|_| full && stage == Stage::Filled);
        self.die(place, 0);
        let disk = &mut self.members[place].disk;
        disk.marker = false;
        if let Some(rows) = filled {
            (disk.data, disk.unsynced) = (Data::Rows(rows), true);
        }
        self.settle(Set::NOBODY);
    }

    /// All that this member has written is on its disk (`syncfs`, or 45 s after a transfer; H6).
    pub fn sync(&mut self, place: Place) {
        self.members[place].disk.unsynced = false;
        self.flush(place);
    }

    /// The power went before what a full transfer brought was on the disk: grastate.dat is whole, for Galera flushes that (H6).
    pub fn lose_unsynced(&mut self, place: Place, how: Unsynced) {
        let disk = &mut self.members[place].disk;
        if !std::mem::take(&mut disk.unsynced) {
            return;
        }
        match (how, &mut disk.data) {
            (Unsynced::RowsMissing, Data::Rows(rows)) => {
                // The rows of one table.
                rows.log.iter_mut().filter(|event| event.0 % 2 == 0).for_each(|event| *event = Event::MISSING);
            }
            _ => disk.harm = Some(Harm::Torn),
        }
    }

    /// A start that fails (its port is taken, say) after Galera has written -1 into grastate.dat.
    pub fn fail_start(&mut self, place: Place) {
        let flag = self.members[place].disk.grastate.read().is_some_and(|grastate| grastate.flag);
        if self.is_stopped(place) && self.members[place].disk.grastate != File::Absent {
            self.write_running(place, flag);
        }
    }

    /// These die in a DDL statement, which runs on all at once: grastate.dat has the zero UUID, and what `InnoDB` holds is exact (R3).
    /// Only who is in service runs one.
    pub fn crash_in_ddl(&mut self, places: Set) {
        for place in places.iter().filter(|&place| self.is_synced(place)).collect::<Vec<_>>() {
            self.die(place, 0);
            self.forget_uuid(place);
        }
        self.settle(Set::NOBODY);
    }

    /// It finds that its rows differ: it leaves the group, grastate.dat has the zero UUID, and the process stays, "Inconsistent".
    pub fn become_inconsistent(&mut self, place: Place) {
        let Some(run) = self.run_mut(place).filter(|run| run.primary && run.state == State::Synced) else { return };
        (run.primary, run.state, run.queue) = (false, State::Inconsistent, 0);
        self.members[place].disk.gvwstate = File::Absent;
        self.forget_uuid(place);
        self.settle(Set::of(place));
    }

    fn forget_uuid(&mut self, place: Place) {
        let disk = &mut self.members[place].disk;
        let flag = disk.grastate.read().is_some_and(|grastate| grastate.flag);
        disk.grastate = File::Whole(Grastate { history: HistoryId::ZERO, seqno: -1, flag });
    }

    /// First aid: an unreadable tc.log is moved aside (R2).
    pub fn move_tc_log_aside(&mut self, place: Place) {
        let harm = &mut self.members[place].disk.harm;
        harm.take_if(|harm| *harm == Harm::TcLog);
    }

    /// A new cluster beside an empty or nil gvwstate.dat: the node and its view have names that all such have (R5).
    pub(super) fn name_nil(&mut self, place: Place) {
        let is_alone = |view: &super::View| view.members.len() == 1;
        if let Some(view) = self.run_mut(place).and_then(|run| run.view.as_mut()).filter(|view| is_alone(view)) {
            view.is_nil = true;
        }
        let disk = &mut self.members[place].disk;
        if let File::Whole(view) = &mut disk.gvwstate
            && is_alone(view)
        {
            view.is_nil = true;
        }
    }

    /// A running server that has had a later view without any of these, and they without it, has forgotten their addresses: the two
    /// never meet again (H9: not in 90 s).
    pub(super) fn finds(&self, place: Place, stayed: Set) -> bool {
        let Some(run) = self.run(place).filter(|run| self.as_measured && run.open) else { return true };
        run.view.is_none_or(|view| !view.members.common(stayed).is_empty())
    }
}
