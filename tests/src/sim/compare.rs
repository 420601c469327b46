//! The same bad days by the rules of others: how often each loses commits, splits, or never comes back.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Broken as Breach, Plan, Policy, World};

/// How many faults a day has: enough for an outage, few enough that most days end in one only.
const STEPS: usize = 40;

/// What came of the same worlds by one policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How many worlds.
    pub worlds: u64,
    /// In how many an acknowledged commit was lost that somebody held.
    pub lost: u64,
    /// In how many there were two primary components, or members in one with different rows.
    pub split: u64,
    /// In how many service had not returned an hour after everything was mended.
    pub down: u64,
    /// In how many nothing of that happened.
    pub well: u64,
    /// The sum of the times until service returned, in milliseconds, over so many returns.
    pub returned: (u64, u64),
}

/// Lives through these seeds by each policy: hosts and networks fail, disks keep what was flushed, and nobody says or does
/// anything.
///
/// # Panics
/// If a world does.
pub fn compare(seeds: Range<u64>) -> Vec<(Policy, Score)> {
    let policies = [Policy::Ours, Policy::PfMariadb, Policy::GaleraAutofix, Policy::HighestThatAnswers];
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut scores = [Score::default(); 4];
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return scores;
            }
            let plan = Plan::of_failures(seed, STEPS);
            for (policy, score) in policies.into_iter().zip(&mut scores) {
                score.count(&World::live(&Plan { policy, ..plan.clone() }, false));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = [Score::default(); 4];
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for scores in threads.into_iter().map(|thread| thread.join().expect("a world does not panic")) {
            all.iter_mut().zip(scores).for_each(|(all, score)| all.join(score));
        }
    });
    policies.into_iter().zip(all).collect()
}

impl Score {
    fn count(&mut self, world: &World) {
        let has = |kinds: &[Breach]| world.breaches.iter().any(|kind| kinds.contains(kind));
        let lost = has(&[Breach::LeftBehind, Breach::Wiped, Breach::Missing]);
        let split = has(&[Breach::TwoPrimaries, Breach::Diverged, Breach::ZeroUuid]);
        let down = has(&[Breach::NoService, Breach::Refuses, Breach::NoRemedy]);
        self.worlds += 1;
        self.lost += u64::from(lost);
        self.split += u64::from(split);
        self.down += u64::from(down);
        self.well += u64::from(!lost && !split && !down);
        self.returned.0 += world.returns.iter().sum::<u64>();
        self.returned.1 += world.returns.len() as u64;
    }

    fn join(&mut self, other: Score) {
        self.worlds += other.worlds;
        self.lost += other.lost;
        self.split += other.split;
        self.down += other.down;
        self.well += other.well;
        self.returned.0 += other.returned.0;
        self.returned.1 += other.returned.1;
    }
}

impl fmt::Display for Score {
    /// One line of the table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |number: u64| {
            let tenths = (number * 1_000 + self.worlds / 2) / self.worlds.max(1);
            format!("{}.{} %", tenths / 10, tenths % 10)
        };
        let (time, returns) = self.returned;
        let mean = format!("{} s", time / 1_000 / returns.max(1));
        let cells = [percent(self.lost), percent(self.split), percent(self.down), percent(self.well), mean];
        cells.iter().try_for_each(|cell| write!(f, " | {cell:>8}"))
    }
}
