//! Worlds that do what was measured on the real Galera on 2026-11-30 (reference/galera-holes.md, recovery-holes.md). Each story
//! says what is right. Those that the rules of 06828d3 get wrong are ignored, with what they do instead:
//! `cargo test -p pfcluster-tests --test simulation_cases -- --ignored measured` runs them.

use super::*;

#[path = "measured/positions.rs"]
mod positions;

/// Three members in service; a power cut may cost the last four commits.
fn measured() -> World {
    World::measured(3, 4)
}

/// All come into service and stay there, with the same rows.
fn all_come_back(world: &mut World) -> u64 {
    let took = world.wait("all in service", |world| world.serves() == ALL);
    world.run_for(5_000);
    assert_eq!(world.serves(), ALL, "{}", world.told());
    took.as_secs()
}
