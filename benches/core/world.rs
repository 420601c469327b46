//! The simulated world: how much of its time passes while one second of ours does.
//!
//! `cargo bench -p pfcluster-benches --bench world`

use pfcluster_tests::sim::{STEPS, survey};

/// So many that a run takes some seconds.
const SEEDS: u64 = 60;

fn main() {
    let survey = survey(0..SEEDS, STEPS);
    let (simulated, took) = (survey.simulated.as_secs_f64(), survey.took.as_secs_f64());
    println!(
        "{SEEDS} worlds of {STEPS} faults, each promise checked after every step: {:.1} simulated hours in {took:.1} s, on all \
         processors\n{:.5} simulated years per second; a simulated year takes {:.0} minutes",
        simulated / 3_600.0,
        simulated / took / 31_557_600.0,
        31_557_600.0 * took / simulated / 60.0,
    );
}
