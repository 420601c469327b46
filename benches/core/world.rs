//! The simulated world: how much of its time passes while one second of ours does, on one processor.
//!
//! `cargo bench -p pfcluster-benches --bench world`

use std::time::{Duration, Instant};

use pfcluster_sim::{Plan, World};

/// So many worlds, with so many faults each, that a run takes some seconds.
const SEEDS: u64 = 300;
const FAULTS: usize = 200;
const HOUR: f64 = 3_600.0;
const YEAR: f64 = 8_766.0 * HOUR;

fn main() {
    let begin = Instant::now();
    let live = |seed| World::live(&Plan::new(seed, FAULTS), false).now();
    let simulated = Duration::from_millis((0..SEEDS).map(live).sum()).as_secs_f64();
    let took = begin.elapsed().as_secs_f64();
    println!("{SEEDS} worlds of {FAULTS} faults, the promises checked after every step:");
    println!("{:.1} simulated hours in {took:.1} s, {:.0} times as fast as life", simulated / HOUR, simulated / took);
    println!(
        "{:.5} simulated years per second: a year takes {:.0} minutes",
        simulated / YEAR / took,
        YEAR * took / simulated / 60.0
    );
}
