//! State transfers: incremental from the donor's cache, or in full.

use super::measured::Stage;
use super::{Cluster, Data, File, Grastate, HistoryId, Place, Set, State};

impl Cluster {
    /// A member begins to receive state. While it does, grastate.dat has the zero UUID and the marker is there; in full,
    /// its own rows go at once.
    pub(super) fn begin_transfer(&mut self, place: Place, donor: Place, full: bool) {
        let Some(run) = self.run_mut(place) else { return };
        run.state = State::Joining(donor, full);
        if self.requests_fail.contains(place) {
            return;
        }
        let disk = &mut self.members[place].disk;
        disk.marker = true;
        let flag = disk.grastate.read().is_some_and(|grastate| grastate.flag);
        disk.grastate = File::Whole(Grastate { history: HistoryId::ZERO, seqno: -1, flag });
        if self.scripts_fail.contains(place) {
            return;
        }
        if full {
            disk.data = Data::Partial;
            (disk.unsynced, disk.harm) = (false, None);
        }
        if self.slow_transfers {
            if let Some(run) = self.run_mut(donor) {
                run.state = State::Donor;
            }
            if full && self.as_measured {
                self.pause(donor);
            }
        } else {
            self.complete(place, donor, full);
        }
    }

    /// The transfer to this member is over: it has the donor's state, and what came since. False if none runs.
    pub fn finish_transfer(&mut self, place: Place) -> bool {
        self.notice();
        let Some(State::Joining(donor, full)) = self.run(place).map(|run| run.state) else { return false };
        if self.requests_fail.contains(place) {
            self.fail_state_request(place);
            self.settle(Set::NOBODY);
            return false;
        }
        if self.scripts_fail.contains(place) {
            self.fail_transfer(place, Stage::Asked);
            return false;
        }
        self.complete(place, donor, full);
        self.donors_end();
        true
    }

    /// An incremental transfer brings what has a higher number, and leaves the rest as it is: rows that differ go on
    /// differing (measured, fact 4).
    fn complete(&mut self, place: Place, donor: Place, full: bool) {
        let Some(mut rows) = self.rows(donor).cloned() else { return };
        if let (Some(own), false) = (self.rows(place), full) {
            rows.alone.clone_from(&own.alone);
            let tail = rows.log.get(own.log.len()..).unwrap_or_default();
            rows.log = [&own.log[..], tail].concat();
        }
        rows.unflushed = rows.unflushed.min(self.window);
        let disk = &mut self.members[place].disk;
        disk.data = Data::Rows(rows);
        disk.marker = false;
        disk.unsynced |= full && self.as_measured;
        self.comes_into_service(place);
    }

    /// A joiner whose donor is gone, or that has lost the component, aborts. True if there was one.
    pub(super) fn broken_transfers(&mut self) -> bool {
        let is_broken = |&place: &Place| {
            let Some(run) = self.run(place) else { return false };
            let State::Joining(donor, _) = run.state else { return false };
            let of_donor = self.run(donor).filter(|_| self.is_synced(donor) && self.reaches(place, donor));
            !run.primary || of_donor.is_none_or(|other| other.view != run.view)
        };
        let broken = (0..self.members.len()).find(is_broken);
        if let Some(place) = broken {
            // The group has had its last view with the joiner before it learns that the transfer failed, so the file on
            // its disk can name a view in which it was alone.
            if self.requests_fail.contains(place) {
                self.fail_state_request(place);
            } else {
                self.die(place, 0);
            }
        }
        broken.is_some()
    }
}
