//! A world that goes by a script instead of a plan: one test tells one story.

use std::time::Duration;

use pfcluster_core::galera::bootstrap::Action;
use pfcluster_core::supervisor::{Input, Saying, Start};

use super::day::BOUND;
use super::ledger::{Cause, Fate};
use super::network::Plane;
use super::phase::Phase;
use super::plan::{Kind, Plan};
use super::random::Random;
use super::world::{Event, World};
use crate::galera::{Place, Set, State};

const FOR_EVER: u64 = u64::MAX;

impl World {
    /// So many members in service, for long enough that everything is written down; every commit is flushed.
    ///
    /// # Panics
    /// If they are not.
    pub fn calm(members: usize) -> World {
        let plan = Plan { members, window: 0, crash_costs: false, cache: u16::MAX, days: 0, ..Plan::new(7, 1) };
        let mut world = World::new(&Plan { faults: Vec::new(), ..plan }, true);
        world.run_for(15_000);
        assert!(world.is_whole());
        world
    }

    /// Time passes, in milliseconds.
    ///
    /// # Panics
    /// With the story, if a promise is broken.
    pub fn run_for(&mut self, milliseconds: u64) {
        self.run_until(self.now + milliseconds);
        assert_eq!(self.breach, None, "{}", self.told());
    }

    /// All that has happened.
    pub fn told(&self) -> String {
        self.story.iter().flatten().fold(String::from("\n"), |text, line| text + line + "\n")
    }

    /// Time passes until this is so.
    ///
    /// # Panics
    /// With the story, if that takes longer than service may take to return.
    pub fn wait(&mut self, what: &str, is_so: impl Fn(&World) -> bool) -> Duration {
        let begin = self.now;
        while !is_so(self) {
            self.run_for(50);
            assert!(self.now - begin < BOUND, "not so: {what}{}", self.told());
        }
        Duration::from_millis(self.now - begin)
    }

    /// These, and nobody else, come into service together, without anybody's help and without a loss.
    ///
    /// # Panics
    /// With the story, if they don't.
    pub fn comes_back(&mut self, who: Set) -> Duration {
        let took = self.wait(&format!("{who} in service"), |world| world.serves() == who);
        self.run_for(3_000);
        let lost = [Fate::Faulted, Fate::Galera, Fate::Lost].map(|fate| self.commits(fate));
        assert_eq!((self.serves(), lost), (who, [0, 0, 0]), "{}", self.told());
        took
    }

    /// For so many seconds nobody gets service.
    ///
    /// # Panics
    /// With the story, if somebody does.
    pub fn stays_down(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.run_for(1_000);
            assert_eq!(self.serves(), Set::NOBODY, "{}", self.told());
        }
    }

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
        for place in who.iter() {
            self.kill_supervisor(place);
            self.hosts[place].launch = None;
            self.hosts[place].is_off = true;
        }
        self.galera.cut_power_of(who, |_| 0);
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

    /// The supervisor ends gracefully, its database with it; it stays down until it is started.
    pub fn stop_gracefully(&mut self, place: Place) {
        self.hosts[place].is_off = true;
        self.end_supervisor(place);
        self.wait("the supervisor has ended", |world| world.hosts[place].supervisor.is_none());
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
    pub fn change_disk(&mut self, place: Place, change: impl FnOnce(&mut crate::galera::Disk)) {
        self.words.damaged = true;
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
