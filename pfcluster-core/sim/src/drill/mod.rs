//! Rehearsals: what becomes of this cluster on a bad day of somebody's choice.
//!
//! The supervisors of production run in the simulated world under the names of a real cluster; what happens comes from a script
//! ([`Scenario`]), how long each thing takes and what a disk keeps from the seed. What comes out is data: [`Day`].
//!
//! ```
//! use pfcluster_sim::drill::{Flush, Scenario, Setting};
//! use pfcluster_sim::Policy;
//!
//! let hosts = ["pf1", "pf2", "pf3"].map(|name| name.parse().unwrap()).to_vec();
//! let setting = Setting { hosts, addresses: Vec::new(), flush: Flush::Always, seed: 1 };
//! let day = setting.rehearse(&Scenario::PowerCut, Policy::Ours)?;
//! assert!(day.returned.is_some(), "service comes back without an administrator");
//! assert_eq!(day.commits.lost, 0);
//! # Ok::<(), pfcluster_sim::drill::DrillError>(())
//! ```

mod scenario;
mod scripts;

use serde::Serialize;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Reason};

use super::breach::{Breach, Kind as Broken};
use super::diary::{Entry, Happening, Moment, Page};
use super::galera::{Place, Set};
use super::ledger::Fate;
use super::mind::Policy;
use super::names::Names;
use super::plan::Plan;
use super::random::Random;
use super::world::World;

pub use scenario::{DrillError, MOST, Scenario};

/// The cluster that rehearses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The enabled members of the database, in the order of cluster.conf.
    pub hosts: Vec<Hostname>,
    /// The virtual addresses: who may hold each, with the VRRP priorities. Who is none of [`Setting::hosts`] is left out.
    pub addresses: Vec<Vec<(Hostname, u64)>>,
    /// What a power cut may cost.
    pub flush: Flush,
    /// From this follows how long things take, and what each disk keeps.
    pub seed: u64,
}

/// `innodb_flush_log_at_trx_commit`: when a commit reaches the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flush {
    /// 0: about once a second; a crash of the database costs the last commits as well.
    Never,
    /// 1: before the client is told.
    Always,
    /// 2, as PacketFence sets it: about once a second; a power cut costs the last commits.
    #[default]
    EachSecond,
}

impl Flush {
    /// The setting's value.
    pub fn value(self) -> u8 {
        match self {
            Flush::Never => 0,
            Flush::Always => 1,
            Flush::EachSecond => 2,
        }
    }

    /// How many of the last commits can be lost: about what comes in between two writes to the disk.
    fn window(self) -> u8 {
        match self {
            Flush::Always => 0,
            Flush::Never | Flush::EachSecond => 4,
        }
    }
}

/// A day that was rehearsed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Day {
    /// Whose rules the members lived by.
    pub policy: Policy,
    /// The members, in order.
    pub hosts: Vec<Hostname>,
    /// What happened, and what the supervisors told, in order.
    pub moments: Vec<Moment>,
    /// How the members were, from page to page.
    pub pages: Vec<Page>,
    /// How long the day was, in milliseconds.
    pub length: u64,
    /// How long after the last thing that happened all that were to come back were in service together, in milliseconds;
    /// `None` if they did not by themselves.
    pub returned: Option<u64>,
    /// Who was to come back.
    pub awaited: Set,
    /// What became of the commits.
    pub commits: Commits,
    /// What each supervisor of these says in the end, where service did not return.
    pub standing: Vec<(Hostname, Decision<Action, Reason>)>,
    /// Two components were in service at the same time, whoever wanted that.
    pub two_primaries: bool,
    /// The promises that were broken. By our rules that is a mistake of ours.
    pub broken: Vec<Broken>,
    /// The first of them, for people.
    pub breach: Option<Breach>,
}

/// What became of the commits that clients were told are safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Commits {
    /// How many there were.
    pub acknowledged: usize,
    /// How many were on no disk when the power went: what it could have cost at worst.
    pub at_risk: usize,
    /// How many a power cut has cost, since no disk had them (`innodb_flush_log_at_trx_commit`).
    pub unflushed: usize,
    /// How many Galera went on without by itself.
    pub galera: usize,
    /// How many somebody gave up, by a word or by hand.
    pub given_up: usize,
    /// How many were lost by a decision: none, or the rules are wrong.
    pub lost: usize,
}

impl Commits {
    /// How many are gone, whoever is to blame.
    pub fn gone(&self) -> usize {
        self.unflushed + self.galera + self.given_up + self.lost
    }
}

impl Day {
    /// How long nothing could be written anywhere, in milliseconds.
    pub fn without_service(&self) -> u64 {
        let is_down = |page: &Page| !page.members.iter().any(|member| member.database.takes_writes());
        self.spans().filter(|(page, _)| is_down(page)).map(|(page, end)| end.saturating_sub(page.at)).sum()
    }

    /// Each page, with the moment at which it ends.
    pub fn spans(&self) -> impl Iterator<Item = (&Page, u64)> {
        let ends = self.pages.iter().skip(1).map(|page| page.at).chain([self.length]);
        self.pages.iter().zip(ends)
    }

    /// True if two components were in service, or members of one had different rows.
    pub fn is_split(&self) -> bool {
        let is_split = |broken: &Broken| matches!(broken, Broken::Diverged | Broken::ZeroUuid);
        self.two_primaries || self.broken.iter().any(is_split)
    }

    /// True if service came back by itself, and nothing was lost.
    pub fn is_fine(&self) -> bool {
        self.returned.is_some() && self.commits.gone() == 0 && self.broken.is_empty()
    }
}

/// How long the members have been in service before the day begins, so that all is written down.
const CALM: u64 = 15_000;

/// How long the day is quiet before the first thing happens.
const QUIET: u64 = 5_000;

/// How long it goes on when all are in service again: the virtual addresses come back half a minute later.
const AFTERWARDS: u64 = 60_000;

impl Setting {
    /// Lives through the scenario.
    ///
    /// # Errors
    /// [`DrillError`] if it can't be played with these members.
    ///
    /// # Panics
    /// Never: all names are resolved before.
    pub fn rehearse(&self, scenario: &Scenario, policy: Policy) -> Result<Day, DrillError> {
        let script = scenario.resolve(&self.hosts)?;
        if *scenario == Scenario::Upgrade && policy != Policy::Ours {
            return Err(DrillError::OnlyOurs);
        }
        let plan = Plan {
            as_measured: false,
            seed: self.seed,
            policy,
            members: self.hosts.len(),
            window: self.flush.window(),
            crash_costs: self.flush == Flush::Never,
            cache: u16::MAX,
            days: 0,
            late: 0,
            faults: Vec::new(),
        };
        let mut world = World::named(&plan, Names::new(self.hosts.clone()), false);
        world.run_until(CALM);
        let place = |host: &Hostname| self.hosts.iter().position(|other| other == host);
        let candidates = |address: &Vec<(Hostname, u64)>| -> Vec<(Place, u64)> {
            address.iter().filter_map(|(host, priority)| Some((place(host)?, *priority))).collect()
        };
        world.begin_diary(&self.addresses.iter().map(candidates).collect::<Vec<_>>());
        let mut rehearsal = Rehearsal { dice: Random::new(self.seed ^ 0xd1ce), world };
        rehearsal.pass(QUIET);
        let awaited = rehearsal.play(script);
        let returned = rehearsal.settle(awaited);
        Ok(rehearsal.into_day(policy, &self.hosts, awaited, returned))
    }
}

/// A day that is being rehearsed.
struct Rehearsal {
    world: World,
    dice: Random,
}

impl Rehearsal {
    /// Time passes.
    fn pass(&mut self, milliseconds: u64) {
        self.world.run_until(self.world.now + milliseconds);
    }

    /// Time passes until this is so, within bounds.
    fn pass_until(&mut self, bound: u64, is_so: impl Fn(&World) -> bool) {
        let end = self.world.now + bound;
        while self.world.breach.is_none() && self.world.now < end && !is_so(&self.world) {
            self.pass(250);
        }
    }

    fn note(&mut self, happening: Happening) {
        self.world.note(Entry::Happens(happening));
    }

    /// Nothing happens any more. How long it takes until these are in service together; `None` if that does not come by itself.
    fn settle(&mut self, awaited: Set) -> Option<u64> {
        // Others decide a few times in an hour.
        let (bound, quiet) = if self.world.plan.policy == Policy::Ours {
            (super::day::BOUND, 90_000)
        } else {
            (super::day::BOUND_OF_OTHERS, 1_200_000)
        };
        let begin = self.world.now;
        self.world.mended = Some(begin);
        while !self.is_well(awaited) {
            let last = self.world.diary.as_ref().map_or(begin, super::diary::Diary::last).max(begin);
            let is_over = self.world.now >= begin + bound || self.world.now >= last + quiet;
            if is_over || self.world.breach.is_some() {
                return None;
            }
            self.pass(250);
        }
        let returned = self.world.now - begin;
        self.pass(AFTERWARDS);
        Some(returned)
    }

    /// All of these are in service, in one component, and know it.
    fn is_well(&self, who: Set) -> bool {
        let world = &self.world;
        let is_well = |place: Place| {
            let knows = world.hosts[place].in_service || world.plan.policy != Policy::Ours;
            knows && world.galera.takes_writes(place)
        };
        world.galera.primaries().len() == 1 && who.iter().all(is_well)
    }

    fn into_day(self, policy: Policy, hosts: &[Hostname], awaited: Set, returned: Option<u64>) -> Day {
        let Rehearsal { world, .. } = self;
        let count = |fate: Fate| world.commits(fate);
        let diary = world.diary.as_ref();
        let gone = [Fate::Faulted, Fate::Galera, Fate::GivenUp, Fate::Lost].map(count);
        let commits = Commits {
            acknowledged: count(Fate::Held) + gone.iter().sum::<usize>(),
            at_risk: diary.map_or(0, |diary| diary.at_risk.len()),
            unflushed: gone[0],
            galera: gone[1],
            given_up: gone[2],
            lost: gone[3],
        };
        let standing = |place: Place| Some((hosts[place].clone(), world.hosts[place].supervisor.as_ref()?.decided()?));
        let standing = if returned.is_none() { awaited.iter().filter_map(standing).collect() } else { Vec::new() };
        let two_primaries = diary.is_some_and(|diary| diary.two_primaries);
        let (pages, moments) =
            diary.map_or_else(Default::default, |diary| (diary.pages.clone(), diary.moments.clone()));
        let length = diary.map_or(0, |diary| diary.time(world.now));
        Day {
            policy,
            hosts: hosts.to_vec(),
            moments,
            pages,
            length,
            returned,
            awaited,
            commits,
            standing,
            two_primaries,
            broken: world.breaches.into_iter().collect(),
            breach: world.breach,
        }
    }
}
