//! A world that goes by a script instead of a plan: one story.

use pfcluster_core::galera::bootstrap::Action;
use pfcluster_core::supervisor::{Input, Saying, Start};

use super::galera::{Disk, Place, Set, State};
use super::ledger::Cause;
use super::network::Plane;
use super::phase::Phase;
use super::plan::Kind;
use super::random::Random;
use super::world::{Event, World};

const FOR_EVER: u64 = u64::MAX;

impl World {
    /// Who is in service, if that is one component.
    pub fn serves(&self) -> Set {
        let serves = self.everybody().iter().filter(|&place| self.galera.is_synced(place));
        if self.galera.primaries().len() == 1 { serves.collect() } else { Set::NOBODY }
    }

    /// What a member's supervisor has decided last.
    pub fn decision(&self, place: Place) -> Option<Action> {
        self.decided(place)
    }

    /// How many acts the supervisors have begun.
    pub fn acts(&self) -> u64 {
        self.acts
    }

    /// The power of these goes, at one moment, until they are started.
    pub fn cut(&mut self, who: Set) {
        self.cut_losing(who, Set::NOBODY);
    }

    /// The same; the `losing` lose what is not flushed.
    pub fn cut_losing(&mut self, who: Set, losing: Set) {
        for place in who.iter() {
            self.kill_supervisor(place);
            let host = &mut self.hosts[place];
            (host.launch, host.is_off) = (None, true);
            host.ills.reboots();
            host.boot += 1;
        }
        self.galera.cut_power_of(who, |place| if losing.contains(place) { u8::MAX } else { 0 });
        who.iter().for_each(|place| self.galera.restore_power(place));
        self.changed(Cause::Fault);
    }

    /// These are switched on, at one moment.
    pub fn start(&mut self, who: Set) {
        for place in who.iter() {
            self.hosts[place].is_off = false;
            self.after(place as u64, Event::Boot(place));
        }
    }

    /// The supervisor is told to end, its database with it; it stays down until it is started.
    pub fn shut_down(&mut self, place: Place) {
        self.hosts[place].is_off = true;
        self.end_supervisor(place);
    }

    /// Only the supervisor dies; it is started again so much later.
    pub fn kill_supervisor_for(&mut self, place: Place, milliseconds: u64) {
        self.kill_supervisor(place);
        self.after(milliseconds, Event::Boot(place));
    }

    /// The supervisor stands still for so long.
    pub fn freeze_supervisor(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].stands_until = self.now + milliseconds;
    }

    /// The database of this member lets its supervisor in no more, or again.
    pub fn refuse_login(&mut self, place: Place, refuses: bool) {
        self.hosts[place].refuses = refuses;
    }

    /// Looking and acting take much longer for so long.
    pub fn slow_disk(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].slow_until = self.now + milliseconds;
    }

    /// What a member's supervisor is about.
    pub fn phase(&self, place: Place) -> Option<Phase> {
        self.hosts[place].phase()
    }

    /// The supervisor hears late that its database's process has ended.
    pub fn ended_late(&mut self, place: Place) {
        self.feed(place, None, Input::Ended { why: "it has exited".into() });
    }

    /// A member's clock jumps ahead by so much.
    pub fn jump_clock(&mut self, place: Place, milliseconds: u64) {
        self.hosts[place].clock.set(self.now, milliseconds, 1_000);
        self.feed(place, None, Input::Woken);
    }

    /// The network falls apart, in both planes, until [`World::heal`].
    pub fn part(&mut self, side: Set) {
        for from in side.iter() {
            for to in self.everybody().without(side).iter() {
                self.network.cut(from, to, &[Plane::Management, Plane::Galera], FOR_EVER);
                self.network.cut(to, from, &[Plane::Management, Plane::Galera], FOR_EVER);
            }
        }
        self.reconnect();
    }

    /// Nothing goes from one to the other.
    pub fn cut_one_way(&mut self, from: Place, to: Place) {
        self.network.cut(from, to, &[Plane::Management, Plane::Galera], FOR_EVER);
        self.reconnect();
    }

    /// The network is whole again.
    pub fn heal(&mut self) {
        self.network.heal();
        self.reconnect();
    }

    /// A fault with all its details drawn from the dice.
    pub fn happens_to(&mut self, place: Place, kind: Kind, dice: u64) {
        self.strike(place, kind, &mut Random::new(dice));
    }

    /// An operator says something to a member's supervisor.
    pub fn says(&mut self, to: Place, saying: Saying) {
        let mut dice = Random::new(self.now);
        self.say(to, saying, &mut dice);
    }

    /// The database is started normally by hand.
    pub fn start_by_hand_normally(&mut self, place: Place) {
        self.start_by_hand(place, Start::Normal);
    }

    /// A member's files are changed, as a disk fault would.
    pub fn change_disk(&mut self, place: Place, change: impl FnOnce(&mut Disk)) {
        self.words.misled = true;
        change(&mut self.galera.members[place].disk);
        self.changed(Cause::Fault);
    }

    /// True while the member receives state.
    pub fn receives(&self, place: Place) -> bool {
        self.galera.run(place).is_some_and(|run| matches!(run.state, State::Joining(..)))
    }

    /// Maintenance begins or ends.
    pub fn maintain(&mut self, place: Place, on: bool) {
        self.galera.members[place].maintenance = on;
    }

    /// `by` counts these out, and in again with nobody.
    pub fn disable(&mut self, by: Place, out: Set) {
        self.galera.members[by].disabled = out;
        self.words.detached = true;
    }
}
