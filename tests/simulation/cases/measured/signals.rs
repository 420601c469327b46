//! A server that never had a primary view does not hear SIGTERM.

use super::*;

/// pf1's database waits for the others, and its supervisor is told to end.
fn waits_and_is_told_to_end() -> World {
    let mut world = measured();
    world.cut(ALL);
    world.start_by_hand_normally(PF1);
    world.run_for(2_000);
    world.start(Set::of(PF1));
    world.run_for(2_000);
    world.shut_down(PF1);
    world
}

/// H10: `systemctl stop` takes for ever.
#[test]
fn a_waiting_database_ends_with_its_supervisor() {
    let mut world = waits_and_is_told_to_end();
    world.run_for(60_000);
    assert_eq!(world.phase(PF1), None, "{}", world.told());
    assert!(world.galera.is_stopped(PF1));
    world.start(ALL);
    all_come_back(&mut world);
}

/// It gets its view between SIGTERM and SIGKILL, hears the first then, and leaves cleanly: the others serve.
#[test]
fn a_database_gets_its_view_between_the_signals() {
    for late in (0..20_000).step_by(2_000) {
        let mut world = waits_and_is_told_to_end();
        world.run_for(late);
        world.start(Set::from([PF2, PF3]));
        world.run_for(60_000);
        if world.serves() != Set::from([PF2, PF3]) {
            assert_eq!(world.phase(PF1), None, "after {late} ms{}", world.told());
        }
        world.start(Set::of(PF1));
        all_come_back(&mut world);
    }
}
