//! A world that goes by a script: one test tells one story, and what it expects is said with the story if it is not so.

use std::time::Duration;

use super::{BOUND, Fate, Plan, World};
use crate::galera::{Place, Set};

/// What a story expects of its world.
pub trait Expect: Sized {
    /// So many members in service, for long enough that everything is written down; every commit is flushed.
    ///
    /// # Panics
    /// If they are not.
    fn calm(members: usize) -> Self;

    /// The same in a world as measured, in which a power cut may cost so many of the last commits.
    ///
    /// # Panics
    /// If they are not.
    fn measured(members: usize, window: u8) -> Self;

    /// Time passes, in milliseconds.
    ///
    /// # Panics
    /// With the story, if a promise is broken.
    fn run_for(&mut self, milliseconds: u64);

    /// All that has happened.
    fn told(&self) -> String;

    /// Time passes until this is so.
    ///
    /// # Panics
    /// With the story, if that takes longer than service may take to return.
    fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Duration;

    /// These, and nobody else, come into service together, without anybody's help and without a loss.
    ///
    /// # Panics
    /// With the story, if they don't.
    fn comes_back(&mut self, who: Set) -> Duration;

    /// For so many seconds nobody gets service.
    ///
    /// # Panics
    /// With the story, if somebody does.
    fn stays_down(&mut self, seconds: u64);

    /// The supervisor ends gracefully, its database with it; it stays down until it is started.
    ///
    /// # Panics
    /// With the story, if it does not end.
    fn stop_gracefully(&mut self, place: Place);
}

impl Expect for World {
    fn calm(members: usize) -> World {
        settled(&Plan { members, as_measured: false, ..quiet(0) })
    }

    fn measured(members: usize, window: u8) -> World {
        settled(&Plan { members, as_measured: true, ..quiet(window) })
    }

    fn run_for(&mut self, milliseconds: u64) {
        self.run_until(self.now() + milliseconds);
        assert_eq!(self.breach, None, "{}", self.told());
    }

    fn told(&self) -> String {
        self.story.iter().flatten().fold(String::from("\n"), |text, line| text + line + "\n")
    }

    fn wait(&mut self, what: &str, is_so: impl Fn(&World) -> bool) -> Duration {
        let begin = self.now();
        while !is_so(self) {
            self.run_for(50);
            assert!(self.now() - begin < BOUND, "not so: {what}{}", self.told());
        }
        Duration::from_millis(self.now() - begin)
    }

    fn comes_back(&mut self, who: Set) -> Duration {
        let took = self.wait(&format!("{who} in service"), |world| world.serves() == who);
        self.run_for(3_000);
        let lost = [Fate::Faulted, Fate::Galera, Fate::Lost].map(|fate| self.commits(fate));
        assert_eq!((self.serves(), lost), (who, [0, 0, 0]), "{}", self.told());
        took
    }

    fn stays_down(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.run_for(1_000);
            assert_eq!(self.serves(), Set::NOBODY, "{}", self.told());
        }
    }

    fn stop_gracefully(&mut self, place: Place) {
        self.shut_down(place);
        self.wait("the supervisor has ended", |world| world.phase(place).is_none());
    }
}

/// Nothing happens by itself.
fn quiet(window: u8) -> Plan {
    Plan { window, crash_costs: false, cache: u16::MAX, days: 0, faults: Vec::new(), ..Plan::new(7, 1) }
}

fn settled(plan: &Plan) -> World {
    let mut world = World::new(plan, true);
    world.run_for(15_000);
    assert!(world.is_whole());
    world
}
