//! What happens to members.

use super::{Cluster, Data, File, Grastate, HistoryId, Place, Process, Set, State};

/// What a power cut does to Galera's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tear {
    /// Nothing.
    Nothing,
    /// grastate.dat, which is rewritten in place, can't be read.
    Grastate,
    /// gvwstate.dat is empty or cut short.
    Gvwstate,
    /// gvwstate.dat is gone.
    GvwstateLost,
}

impl Cluster {
    /// The database process dies (`kill -9`). What it had received and not applied is gone; what it had applied is not.
    pub fn crash(&mut self, place: Place) {
        self.die(place, 0);
        self.settle(Set::NOBODY);
    }

    /// The same where the process keeps what it commits to itself for a while (`innodb_flush_log_at_trx_commit=0`): it takes the last
    /// `lost` events with it.
    pub fn crash_losing(&mut self, place: Place, lost: u8) {
        self.die(place, lost);
        self.settle(Set::NOBODY);
    }

    /// The power goes, and takes the last `lost` events with it (no more than were not flushed).
    pub fn cut_power(&mut self, place: Place, lost: u8, tear: Tear) {
        self.power_goes(place, lost, tear);
        self.settle(Set::NOBODY);
    }

    /// The power goes for all of these at the same moment: no view forms in between.
    pub fn cut_power_of(&mut self, places: Set, lost: impl Fn(Place) -> u8) {
        places.iter().for_each(|place| self.power_goes(place, lost(place), Tear::Nothing));
        self.settle(Set::NOBODY);
    }

    /// The processes of all of these die at the same moment.
    pub fn crash_of(&mut self, places: Set) {
        places.iter().for_each(|place| self.die(place, 0));
        self.settle(Set::NOBODY);
    }

    /// The power is back; nothing starts by itself but the supervisor.
    pub fn restore_power(&mut self, place: Place) {
        self.members[place].powered = true;
    }

    /// A clean stop: the seqno is written down, gvwstate.dat removed. A process that never was in service has no seqno to
    /// write, one that receives state leaves a broken copy.
    pub fn leave(&mut self, place: Place) {
        let Some(run) = self.run(place).copied() else {
            self.members[place].process = Process::Stopped;
            return;
        };
        if matches!(run.state, State::Joining(..) | State::Inconsistent) {
            self.crash(place);
            return;
        }
        if run.primary {
            // What went before is noticed before the goodbye.
            self.notice();
        }
        let Some(run) = self.run(place).copied() else { return };
        self.resume(place);
        self.apply(place);
        let (seqno, is_flushed) = (self.seqno(place), !self.as_measured);
        let disk = &mut self.members[place].disk;
        disk.gvwstate = File::Absent;
        if let (File::Whole(grastate), Data::Rows(rows)) = (&mut disk.grastate, &mut disk.data) {
            rows.unflushed = if is_flushed { 0 } else { rows.unflushed };
            if run.open {
                *grastate = Grastate { history: rows.history, seqno, flag: grastate.flag };
            }
        }
        self.members[place].process = Process::Stopped;
        self.settle(Set::of(place));
    }

    /// The network falls apart into these parts; who is in none is in a part of its own with the others like it.
    ///
    /// # Panics
    /// If there are more than 254 parts.
    pub fn partition(&mut self, parts: &[Set]) {
        for (place, member) in self.members.iter_mut().enumerate() {
            let part = parts.iter().position(|part| part.contains(place)).map_or(0, |at| at + 1);
            member.side = u8::try_from(part).expect("few parts");
        }
        self.settle(Set::NOBODY);
    }

    /// The network is whole again.
    pub fn heal(&mut self) {
        self.members.iter_mut().for_each(|member| member.side = 0);
        self.settle(Set::NOBODY);
    }

    /// 30 seconds without a primary component: a process that knows no view exits; one that knows one waits on. True if
    /// it has exited.
    pub fn give_up(&mut self, place: Place) -> bool {
        let gives_up = self.run(place).is_some_and(|run| !run.primary && !run.open && run.view.is_none());
        if gives_up {
            self.die(place, 0);
            self.settle(Set::NOBODY);
        }
        gives_up
    }

    fn power_goes(&mut self, place: Place, lost: u8, tear: Tear) {
        let (marker, had_process) = (self.members[place].disk.marker, !self.is_stopped(place));
        self.die(place, lost);
        self.members[place].disk.marker = marker;
        self.lose_unflushed(place, if had_process { 0 } else { lost });
        let member = &mut self.members[place];
        member.powered = false;
        match tear {
            Tear::Nothing => {}
            Tear::Grastate => member.disk.grastate = File::Torn,
            Tear::Gvwstate => member.disk.gvwstate = File::Torn,
            Tear::GvwstateLost => member.disk.gvwstate = File::Absent,
        }
    }

    /// The process is gone, and nobody has noticed yet.
    pub(super) fn die(&mut self, place: Place, lost: u8) {
        let (run, as_measured) = (self.run(place).copied(), self.as_measured);
        let member = &mut self.members[place];
        if member.process == Process::Stopped {
            return;
        }
        member.process = Process::Stopped;
        if as_measured && run.is_some_and(|run| matches!(run.state, State::Joining(..))) {
            // H4: the script takes its mark away whenever it ends.
            member.disk.marker = false;
        }
        if let Data::Rows(rows) = &mut member.disk.data {
            let queue = run.map_or(0, |run| run.queue);
            let lost = usize::from(queue.max(lost.min(rows.unflushed)));
            rows.log.truncate(rows.log.len().saturating_sub(lost));
            // What a killed process has written is in the page cache.
            let left = usize::from(rows.unflushed).saturating_sub(lost);
            rows.unflushed = if as_measured { u8::try_from(left).unwrap_or(u8::MAX) } else { 0 };
        }
    }

    /// The server finds that its data can't be brought into line, and aborts.
    pub(super) fn abort(&mut self, place: Place) {
        self.die(place, 0);
        let disk = &mut self.members[place].disk;
        let flag = disk.grastate.read().is_some_and(|grastate| grastate.flag);
        disk.grastate = File::Whole(Grastate { history: HistoryId::ZERO, seqno: -1, flag });
    }
}
