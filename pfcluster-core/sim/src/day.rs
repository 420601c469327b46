//! A day: its faults, then everything is mended, and service has to return; where only a person can decide, one does.

use pfcluster_core::galera::Records;
use pfcluster_core::galera::bootstrap::{Action, Problem};
use pfcluster_core::supervisor::{Input, Saying};

use super::breach::Kind as Breach;
use super::galera::{Data, File, Grastate, Harm, HistoryId, Place, Set, State};
use super::ledger::{Cause, Fate};
use super::mind::Policy;
use super::plan::{BAD, Plan};
use super::random::Random;
use super::world::{Event, World};

/// How long service may take to return once everything is mended, in milliseconds of simulated time: a view that does not form
/// (60 s), the longest pause between two tries (60 s), a process that waits in vain (30 s), and a transfer.
pub const BOUND: u64 = 240_000;

/// Where hosts come back late, and for the slower others: galera-autofix takes 10 to 20 minutes.
pub(super) const BOUND_OF_OTHERS: u64 = 3_600_000;

/// How long everybody has to refuse before an operator comes.
const PATIENCE: u64 = 15_000;

impl World {
    /// Lives through a plan. By the rules of others it goes on after a broken promise, to see what comes of it.
    pub fn live(plan: &Plan, tells: bool) -> World {
        let mut world = World::new(plan, tells);
        world.run_until(5_000);
        for day in 0..plan.days {
            world.day(day);
            if world.breach.is_some() {
                break;
            }
        }
        world
    }

    fn day(&mut self, day: usize) {
        let begin = self.now;
        (self.is_bad, self.mended) = (true, None);
        for fault in self.plan.faults.clone().into_iter().filter(|fault| fault.day == day) {
            self.at(begin + fault.at, Event::Fault(fault));
        }
        self.tell(None, || format!("--- bad day {} begins", day + 1));
        self.run_until(begin + BAD);
        self.armed.clear();
        self.is_bad = false;
        self.mend();
        self.tell(None, || "--- everything is mended".to_owned());
        let mended = self.now;
        self.mended = Some(mended);
        let bound = if self.plan.late == 0 { BOUND } else { BOUND_OF_OTHERS };
        if self.returns_within(bound) {
            let back = self.hosts.iter().map(|host| host.dark_until).fold(mended, u64::max);
            self.returns.push(self.now.saturating_sub(back));
            self.well();
        }
    }

    /// Everybody is in service, in one component, and has had time to write that down.
    fn well(&mut self) {
        self.run_until(self.now + 2_500);
        if self.breach.is_none() && self.words.may_mix(self.now) && !self.is_equal() {
            // What hands have done, nobody notices (measured, fact 7): the operator who did it repairs it.
            let mut dice = self.random.fork();
            self.sets_others_aside(self.keeper(), &mut dice);
            self.returns_within(BOUND);
        }
        if self.breach.is_none() && self.is_whole() {
            self.check_whole();
            // A backup of what was given up would bring it back: no evidence tells that.
            let all = !self.words.is_quiet();
            self.words.forget();
            for place in self.everybody().iter() {
                self.galera.apply(place);
                self.galera.flush(place);
                if all || self.random.percent(60) {
                    self.hosts[place].backup = Some(self.galera.members[place].disk.clone());
                }
            }
        }
    }

    pub(super) fn mend(&mut self) {
        self.network.heal();
        for place in self.everybody().iter() {
            let now = self.now;
            let host = &mut self.hosts[place];
            host.stands_until = host.stands_until.min(now);
            (host.slow_until, host.full_until, host.deaf_until, host.frozen_until) = (0, 0, 0, 0);
            if self.plan.as_measured {
                host.refuses = false;
            }
            host.transfer_fails = false;
            host.ills.mend();
            host.clock.set(now, 0, 1_000);
            if self.plan.late > 0 && host.supervisor.is_none() {
                host.dark_until = now + Random::new(self.plan.seed ^ place as u64).between(0, self.plan.late);
            }
            self.galera.members[place].maintenance = false;
            self.galera.members[place].disabled = Set::NOBODY;
            self.feed(place, None, Input::Woken);
            if !self.hosts[place].ends {
                self.soon(500, 1_500, Event::Boot(place));
            }
        }
        (self.galera.requests_fail, self.galera.scripts_fail) = (Set::NOBODY, Set::NOBODY);
        self.galera.members.iter_mut().for_each(|member| member.disk.view_frozen = false);
        let rests = |place: &Place| self.galera.run(*place).is_some_and(|run| run.state != State::Donor);
        for place in self.everybody().iter().filter(rests).collect::<Vec<_>>() {
            self.galera.resume(place);
        }
        self.reconnect();
    }

    /// Everybody is in service, in one component, and their supervisors know it.
    pub fn is_whole(&self) -> bool {
        self.galera.primaries().len() == 1
            && self.everybody().iter().all(|place| {
                let knows = self.hosts[place].in_service || self.plan.policy != Policy::Ours;
                self.galera.is_synced(place) && knows
            })
    }

    /// All have the same rows, as far as each has come.
    fn is_equal(&self) -> bool {
        let logs: Vec<_> = self.everybody().iter().filter_map(|place| Some(&self.galera.rows(place)?.log)).collect();
        let shortest = logs.iter().map(|log| log.len()).min().unwrap_or_default();
        logs.iter().all(|log| log[..shortest] == logs[0][..shortest])
    }

    /// True as soon as everybody is in service.
    fn returns_within(&mut self, bound: u64) -> bool {
        let mut end = self.now + bound;
        let mut stuck_since = None;
        let mut decided = 0;
        while self.breach.is_none() {
            if self.is_whole() {
                return true;
            }
            if self.now >= end && (decided > 1 || self.is_honest() || !self.words.is_spoken()) {
                self.says_why(decided > 0);
                return false;
            }
            if self.now >= end {
                // Words that contradict each other, or what they meet: only a person sees that.
                self.in_vain += 1;
                decided = if self.plan.as_measured { decided + 1 } else { decided.max(1) };
                self.operator_decides(decided);
                (stuck_since, end) = (None, self.now + bound);
            }
            if self.waits_for_people() {
                let since = *stuck_since.get_or_insert(self.now);
                if self.now - since >= PATIENCE {
                    self.operator_decides(decided);
                    decided += 1;
                    (stuck_since, end) = (None, self.now + bound);
                }
            } else {
                stuck_since = None;
            }
            self.run_until(self.now + 250);
        }
        false
    }

    /// What the supervisor of a member has decided last: the moment does not matter for that.
    pub(super) fn decided(&self, place: Place) -> Option<Action> {
        Some(self.hosts[place].supervisor.as_ref()?.decided()?.action)
    }

    /// Nothing goes on until a person has decided.
    fn waits_for_people(&self) -> bool {
        if self.plan.policy != Policy::Ours {
            // What a person would have to do there is what the others are for.
            return false;
        }
        let acts = |place: &Place| self.hosts[*place].act.is_some() || self.hosts[*place].launch.is_some();
        !self.everybody().iter().any(|place| acts(&place))
            && self.everybody().iter().all(|place| {
                self.galera.is_synced(place)
                    || match self.decided(place) {
                        Some(Action::Refuse { .. }) => true,
                        Some(Action::Join { discard, .. }) => discard.contains(&self.name(place)),
                        _ => false,
                    }
            })
    }

    /// Nothing was done to the members that asks for a person: then nobody may refuse.
    fn is_honest(&self) -> bool {
        let words = &self.words;
        let is_told = words.forged || words.misled || words.detached || words.any(self.now);
        let is_sound = |place: Place| self.galera.is_trusted(place) && !self.hosts[place].records.ran_standalone;
        !is_told && self.everybody().iter().all(is_sound)
    }

    fn says_why(&mut self, was_decided: bool) {
        let answers: Vec<String> = self
            .everybody()
            .iter()
            .map(|place| format!("{} says {:?}", self.name(place), self.decided(place)))
            .collect();
        let kind = if was_decided { Breach::NoRemedy } else { Breach::NoService };
        self.breaks(kind, format!("service does not return: {}\n{}", answers.join("; "), self.galera));
    }

    /// The member whose data are worth most.
    fn keeper(&self) -> Place {
        let worth = |&place: &Place| {
            let disk = &self.galera.members[place].disk;
            let events = match &disk.data {
                Data::Rows(rows) | Data::NoHistory(rows) if !disk.marker && disk.harm != Some(Harm::Torn) => {
                    rows.log.len() + rows.alone.len() + 1
                }
                _ => 0,
            };
            (events > 0, self.galera.is_synced(place), self.galera.is_trusted(place), events, std::cmp::Reverse(place))
        };
        self.everybody().iter().max_by_key(worth).unwrap_or_default()
    }

    /// First by words, as the remedies say; then by hand, as the guide says.
    fn operator_decides(&mut self, before: u64) {
        if self.is_honest() {
            let answers: Vec<String> =
                self.everybody().iter().filter_map(|place| Some(format!("{:?}", self.decided(place)?))).collect();
            let what = format!("all evidence is honest, and yet: {}\n{}", answers.join("; "), self.galera);
            self.breaks(Breach::Refuses, what);
            return;
        }
        self.decisions += 1;
        let keeper = self.keeper();
        let others = self.everybody().without(Set::of(keeper));
        let kept = self.name(keeper);
        self.tell(None, || format!("an operator keeps the data of {kept}"));
        let mut dice = self.random.fork();
        match (before, self.decided(keeper)) {
            (0 | 1, Some(Action::Refuse { problem: Problem::StandaloneHistory { .. } })) if before == 0 => {
                for place in others.iter() {
                    self.says_discard(keeper, place, &mut dice);
                }
                self.say(keeper, Saying::Standalone, &mut dice);
            }
            (
                0,
                Some(Action::Refuse {
                    problem: Problem::Diverged { .. } | Problem::UnsafeHoldsMore { .. } | Problem::Regression { .. },
                }),
            ) => {
                for place in others.iter() {
                    self.says_discard(keeper, place, &mut dice);
                }
            }
            (0, Some(Action::Join { .. })) => {
                for place in others.iter().filter(|place| !self.galera.is_synced(*place)).collect::<Vec<_>>() {
                    self.says_discard(keeper, place, &mut dice);
                }
            }
            (0 | 1, _) => self.sets_others_aside(keeper, &mut dice),
            _ => {
                self.says_why(true);
            }
        }
    }

    /// Passed over by the keeper's start, and moved aside where they are.
    fn says_discard(&mut self, keeper: Place, place: Place, dice: &mut Random) {
        for on in [keeper, place] {
            self.say(on, Saying::Discard(self.name(place)), dice);
        }
    }

    /// All others are stopped, their data kept aside; the keeper's files are made to tell what its data are.
    fn sets_others_aside(&mut self, keeper: Place, dice: &mut Random) {
        self.words.forged = true;
        for place in self.everybody().iter() {
            self.kill_supervisor(place);
            if self.has_process(place) {
                self.stop(place);
            }
        }
        for place in self.everybody().without(Set::of(keeper)).iter() {
            self.galera.discard(place);
            self.hosts[place].records = Records::default();
        }
        self.hosts[keeper].records = Records::default();
        self.galera.move_tc_log_aside(keeper);
        let disk = &mut self.galera.members[keeper].disk;
        (disk.marker, disk.gvwstate) = (false, File::Absent);
        let history = disk.data.rows().map_or(HistoryId::ZERO, |rows| rows.history);
        if history != HistoryId::ZERO {
            disk.grastate = File::Whole(Grastate { history, seqno: -1, flag: false });
        } else if !matches!(disk.data, Data::NoHistory(_)) {
            self.galera.discard(keeper);
        }
        self.changed(Cause::Hand);
        self.everybody().iter().for_each(|place| self.boot(place));
        if matches!(self.galera.members[keeper].disk.data, Data::NoHistory(_)) {
            self.say(keeper, Saying::Seed(self.name(keeper)), dice);
        }
    }

    /// What became of the commits.
    pub fn commits(&self, fate: Fate) -> usize {
        self.ledger.count(fate)
    }
}
