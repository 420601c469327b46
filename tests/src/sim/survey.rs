//! Many seeds, and what came of them.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Breach, Coverage, Fate, Plan, World};

/// How many faults a seed has, unless somebody wants another number.
pub const STEPS: usize = 200;

/// What came of many seeds.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// How many seeds.
    pub seeds: u64,
    /// Which fault met which phase.
    pub coverage: Coverage,
    /// The simulated time.
    pub simulated: Duration,
    /// How long that took.
    pub took: Duration,
    /// After how many bad days everybody was in service again.
    pub days: usize,
    /// How long that took at most, of those at which no person was needed.
    pub slowest: Duration,
    /// How often a person had to decide.
    pub decisions: u64,
    /// How often words led nowhere until a person came.
    pub in_vain: u64,
    /// How many commits were acknowledged.
    pub commits: usize,
    /// Of these, how many went with their last copy: Galera's own window.
    pub faulted: usize,
    /// How many Galera went on without, by itself.
    pub galera: usize,
    /// How many a person gave up.
    pub given_up: usize,
    /// The seeds that broke a promise.
    pub broken: Vec<(u64, Breach)>,
}

impl Survey {
    fn add(&mut self, seed: u64, world: World) {
        self.seeds += 1;
        self.coverage.add(&world.coverage);
        self.simulated += Duration::from_millis(world.now());
        self.days += world.returns.len();
        self.slowest = self.slowest.max(Duration::from_millis(world.returns.iter().copied().max().unwrap_or_default()));
        self.decisions += world.decisions;
        self.in_vain += world.in_vain;
        let lost = [Fate::Faulted, Fate::Galera, Fate::GivenUp].map(|fate| world.commits(fate));
        self.commits += world.commits(Fate::Held) + lost.iter().sum::<usize>() + world.commits(Fate::Lost);
        self.faulted += lost[0];
        self.galera += lost[1];
        self.given_up += lost[2];
        self.broken.extend(world.breach.map(|breach| (seed, breach)));
    }

    fn join(&mut self, other: Survey) {
        self.seeds += other.seeds;
        self.coverage.add(&other.coverage);
        self.simulated += other.simulated;
        self.days += other.days;
        self.slowest = self.slowest.max(other.slowest);
        self.decisions += other.decisions;
        self.in_vain += other.in_vain;
        self.commits += other.commits;
        self.faulted += other.faulted;
        self.galera += other.galera;
        self.given_up += other.given_up;
        self.broken.extend(other.broken);
    }
}

/// Lives through these seeds, on all processors.
///
/// # Panics
/// If a world does.
pub fn survey(seeds: Range<u64>, steps: usize) -> Survey {
    survey_of(seeds, |seed| Plan::new(seed, steps))
}

/// The same in other worlds, as [`Plan::measured`].
///
/// # Panics
/// If a world does.
pub fn survey_of(seeds: Range<u64>, plan: impl Fn(u64) -> Plan + Sync) -> Survey {
    let begin = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut found = Survey::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return found;
            }
            found.add(seed, World::live(&plan(seed), false));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = Survey::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| all.join(thread.join().expect("a world does not panic")));
    });
    all.broken.sort_by_key(|(seed, _)| *seed);
    all.took = begin.elapsed();
    all
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.coverage)?;
        let speed = self.simulated.as_secs_f64() / self.took.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{} seeds, {} faults; {:.1} h simulated in {:.1} s: {speed:.0} times as fast as life",
            self.seeds,
            self.coverage.total(),
            self.simulated.as_secs_f64() / 3600.0,
            self.took.as_secs_f64(),
        )?;
        writeln!(
            f,
            "{} times all were in service again, {:.1} s after the last fault at most; a person had to decide {} times, and {} \
             times because of what persons had said",
            self.days,
            self.slowest.as_secs_f64(),
            self.decisions,
            self.in_vain,
        )?;
        writeln!(
            f,
            "{} acknowledged commits: {} went with their last copy (not flushed, or a disk that came back without them), Galera \
             left {} behind by itself, persons gave {} up",
            self.commits, self.faulted, self.galera, self.given_up,
        )?;
        write!(f, "{} seeds broke a promise", self.broken.len())?;
        self.broken.iter().try_for_each(|(seed, breach)| write!(f, "\n  {seed}: {breach}"))
    }
}
