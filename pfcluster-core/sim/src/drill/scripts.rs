//! What happens in each scenario, step by step. Each answers who is to be in service in the end.

use super::Rehearsal;
use super::scenario::Script;
use crate::diary::Happening;
use crate::fault::AMBUSH;
use crate::galera::{Place, Process, Set};
use crate::plan::{BAD, Fault, Kind, Plan};
use crate::world::Event;
use pfcluster_core::supervisor::Saying;

/// How long hosts stay off, a network stays parted, an administrator needs for a step: in milliseconds.
const HOSTS_OFF: u64 = 30_000;
const PARTED: u64 = 60_000;
const STEP: u64 = 20_000;

/// How long a stop or a start may take.
const LONGEST: u64 = 120_000;

impl Rehearsal {
    pub(super) fn play(&mut self, script: Script) -> Set {
        let everybody = self.world.everybody();
        match script {
            Script::PowerCut => self.power_cut(),
            Script::GracefulShutdown(order) => self.graceful_shutdown(&order),
            Script::Lose(lost) => {
                self.power_goes(lost);
                return everybody.without(lost);
            }
            Script::Partition(parts) => self.partition(parts),
            Script::Upgrade => self.upgrade(),
            Script::SplitBrain => self.split_brain(),
            Script::Random => self.random(),
        }
        everybody
    }

    /// The power of these goes; half of the disks lose what was not flushed.
    fn power_goes(&mut self, who: Set) {
        self.note(Happening::PowerGoes(who));
        self.world.note_risk(who);
        let dice = &mut self.dice;
        let losing: Set = who.iter().filter(|_| dice.percent(50)).collect();
        self.world.cut_losing(who, losing);
    }

    fn switch_on(&mut self, who: Set) {
        self.note(Happening::SwitchedOn(who));
        self.world.start(who);
    }

    fn power_cut(&mut self) {
        let everybody = self.world.everybody();
        self.power_goes(everybody);
        let mut back: Vec<(u64, Place)> =
            everybody.iter().map(|place| (HOSTS_OFF + self.dice.between(0, 60_000), place)).collect();
        back.sort_unstable();
        let begin = self.world.now();
        for (when, place) in back {
            self.world.run_until(begin + when);
            self.switch_on(Set::of(place));
        }
    }

    fn graceful_shutdown(&mut self, order: &[Place]) {
        for &place in order {
            self.note(Happening::ShutDown(place));
            self.rest(Set::of(place), true);
            self.world.shut_down(place);
            self.pass_until(LONGEST, |world| world.phase(place).is_none());
            self.pass(STEP);
        }
        self.pass(HOSTS_OFF);
        let everybody = self.world.everybody();
        self.rest(everybody, false);
        self.switch_on(everybody);
    }

    fn partition(&mut self, parts: Vec<Set>) {
        parts.iter().for_each(|part| self.world.part(*part));
        self.note(Happening::Partitioned(parts));
        self.pass(PARTED);
        self.heal();
    }

    fn heal(&mut self) {
        self.note(Happening::Healed);
        self.world.heal();
    }

    /// Of two members the other one, too, has no quorum alone: both are made primary then.
    fn split_brain(&mut self) {
        let everybody = self.world.everybody();
        let last = everybody.len() - 1;
        let rest = everybody.without(Set::of(last));
        self.world.part(rest);
        self.note(Happening::Partitioned(vec![rest, Set::of(last)]));
        self.pass(STEP);
        for place in [0, last] {
            if !self.world.galera.is_synced(place) {
                self.note(Happening::Promoted(place));
                self.world.happens_to(place, Kind::PromoteByHand, 0);
            }
        }
        self.pass(STEP);
        self.heal();
    }

    /// PacketFence's own services stop, or start.
    fn rest(&mut self, who: Set, do_rest: bool) {
        if let Some(diary) = &mut self.world.diary {
            diary.idle = if do_rest { diary.idle.and(who) } else { diary.idle.without(who) };
        }
    }

    fn services(&mut self, who: Set, stop: bool) {
        self.note(if stop { Happening::ServicesStop(who) } else { Happening::ServicesStart(who) });
        self.rest(who, stop);
    }

    fn upgrade(&mut self) {
        let everybody = self.world.everybody();
        let last = everybody.len() - 1;
        let others = everybody.without(Set::of(last));
        if let Some(diary) = &mut self.world.diary {
            diary.stays_on = everybody;
        }
        self.services(Set::of(last), true);
        self.pass(STEP);
        // Guide 8.4.4: detached, it writes alone from now on, and so do the others.
        self.note(Happening::Detached(last));
        others.iter().for_each(|place| self.world.disable(place, Set::of(last)));
        self.world.disable(last, others);
        self.world.end_supervisor(last);
        self.pass_until(LONGEST, |world| world.galera.members[last].process == Process::Alone);
        self.pass(STEP);
        self.services(others, true);
        for place in others.iter() {
            self.note(Happening::DatabaseStops(place));
            self.world.shut_down(place);
            self.pass_until(LONGEST, |world| world.phase(place).is_none());
        }
        self.services(Set::of(last), false);
        // 8.4.5 to 8.4.6: it is looked at, and the others are upgraded.
        self.pass(2 * STEP);
        // 8.4.7, with words in the place of `rm -fr` and `--force-new-cluster`.
        self.note(Happening::Attached);
        everybody.iter().for_each(|place| self.world.disable(place, Set::NOBODY));
        self.world.start(others);
        self.pass(STEP);
        for place in others.iter() {
            // Passed over by the start, and moved aside where they are.
            for on in [last, place] {
                self.says(on, Saying::Discard(self.world.name(place)));
            }
        }
        self.says(last, Saying::Standalone);
        self.pass_until(LONGEST, |world| world.serves() == everybody);
        self.services(others, false);
    }

    fn says(&mut self, to: Place, saying: Saying) {
        self.note(Happening::Said(to, saying.clone()));
        self.world.says(to, saying);
    }

    fn random(&mut self) {
        let begin = self.world.now();
        self.world.plan.late = 60_000;
        self.world.is_bad = true;
        for fault in Plan::of_failures(self.world.plan.seed, 8).faults {
            let fault = Fault { on: fault.on % self.world.plan.members, ..fault };
            self.world.at(begin + fault.at, Event::Fault(fault));
        }
        self.pass(BAD + AMBUSH);
        self.world.is_bad = false;
        self.note(Happening::Restored);
        self.world.mend();
        let now = self.world.now();
        let dark = self.world.hosts.iter().enumerate().map(|(place, host)| (host.dark_until, place));
        let mut back: Vec<(u64, Place)> = dark.filter(|(until, _)| *until > now).collect();
        back.sort_unstable();
        for (until, place) in back {
            self.world.run_until(until);
            self.note(Happening::SwitchedOn(Set::of(place)));
        }
    }
}
