//! What hosts and databases do in a world as measured ([`super::plan::Plan::as_measured`]), and the faults that go with it
//! ([`Kind::NEW`]). Each names its source (Hn: reference/galera-holes.md, Rn: reference/recovery-holes.md).

use super::fault::Begun;
use super::galera::{Place, Set};
use super::ledger::Cause;
use super::plan::Kind;
use super::random::Random;
use super::world::{Event, World};

/// What is wrong with a host, and until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Ills {
    /// Nothing that is written reaches the disk.
    pub(super) unflushed_until: u64,
    /// As soon as the database has stopped, the power goes.
    pub(super) cut_when_stopped: bool,
}

impl Ills {
    /// Everything is mended.
    pub(super) fn mend(&mut self) {
        *self = Ills::default();
    }
}

impl World {
    pub(super) fn strike_as_measured(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        match kind {
            Kind::CutAfterStop => {
                self.hosts[on].ills.unflushed_until = self.now + 8_000;
                self.hosts[on].ills.cut_when_stopped = true;
                self.end_supervisor(on);
            }
            Kind::Backup => self.pauses(on, dice.between(500, 9_000)),
            Kind::RequestFails => self.galera.requests_fail = self.galera.requests_fail.with(on),
            other => unreachable!("{other} is of another group"),
        }
    }

    /// A backup pauses the provider for so long (R1).
    pub(super) fn pauses(&mut self, on: Place, milliseconds: u64) {
        self.galera.pause(on);
        self.changed(Cause::Group);
        self.after(milliseconds, Event::Ends(on, Begun::Backup));
    }

    /// The power of a host goes, with all that is not on its disk (H3); it comes back by itself, unless it is off.
    pub(super) fn power_goes_losing(&mut self, on: Place) {
        if self.now < self.hosts[on].dark_until {
            return;
        }
        let mut dice = self.random.fork();
        self.power_cut_of(on, u8::MAX, &mut dice);
    }

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
}
