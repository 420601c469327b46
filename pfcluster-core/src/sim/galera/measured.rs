//! What was measured on the real Galera on 2026-11-30, and the model did not do before: each a behaviour of one method, with its
//! source (Hn: reference/galera-holes.md, Rn: reference/recovery-holes.md). What changes by itself, without anybody's call, is
//! behind [`Cluster::as_measured`].

use super::{Cluster, Data, Event, File, Grastate, HistoryId, Place, State};

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

    /// With [`Cluster::as_measured`]: whoever gives to nobody any more goes on.
    pub(super) fn donors_end(&mut self) {
        for donor in self.everybody().iter().filter(|_| self.as_measured).collect::<Vec<_>>() {
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
    /// names the view it was in, stays (replicator_str.cpp:857).
    pub(super) fn fail_state_request(&mut self, place: Place) {
        let seqno = self.seqno(place);
        self.requests_fail = self.requests_fail.without(super::Set::of(place));
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
}
