//! Worlds that do what was measured on the real Galera on 2026-11-30 (reference/galera-holes.md, recovery-holes.md). Each story
//! says what is right. Those that the rules of 06828d3 get wrong are ignored, with what they do instead:
//! `cargo test -p pfcluster-tests --test simulation_cases -- --ignored measured` runs them.

use super::*;

#[path = "measured/hands.rs"]
mod hands;
#[path = "measured/mixed.rs"]
mod mixed;
#[path = "measured/mute.rs"]
mod mute;
#[path = "measured/outages.rs"]
mod outages;
#[path = "measured/positions.rs"]
mod positions;
#[path = "measured/probes.rs"]
mod probes;
#[path = "measured/signals.rs"]
mod signals;
#[path = "measured/transfers.rs"]
mod transfers;
#[path = "measured/uuids.rs"]
mod uuids;
#[path = "measured/views.rs"]
mod views;

/// Three members in service; a power cut may cost the last four commits.
fn measured() -> World {
    World::measured(3, 4)
}

/// All come into service and stay there, with the same rows. After so many seconds.
fn all_come_back(world: &mut World) -> u64 {
    come_back(world, ALL)
}

fn come_back(world: &mut World, who: Set) -> u64 {
    let took = world.wait(&format!("{who} in service"), |world| world.serves() == who);
    world.run_for(5_000);
    assert_eq!(world.serves(), who, "{}", world.told());
    assert!(world.is_equal_in_service(), "{}", world.told());
    took.as_secs()
}

/// For so many seconds these serve, and nobody ends them.
fn serve_on(world: &mut World, who: Set, seconds: u64) {
    for _ in 0..seconds {
        world.run_for(1_000);
        assert_eq!(world.serves(), who, "{}", world.told());
    }
}
