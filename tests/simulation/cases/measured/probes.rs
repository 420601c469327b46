//! Looks that never end, recoveries that take long or fail, starts that fail.

use super::*;

/// H2: pf1's disk hangs and its server does not move, so its last look is told for ever. pf2 and pf3 are the component, and die.
#[test]
fn a_look_that_hangs_is_no_news() {
    let mut world = measured();
    world.hang_disk(PF1, 600_000);
    world.freeze_database(PF1, 600_000, false);
    world.run_for(15_000);
    world.crash_databases(Set::from([PF2, PF3]));
    let took = come_back(&mut world, Set::from([PF2, PF3]));
    assert!(took < 60, "{took} s{}", world.told());
}

/// Slow disks silence nobody for long.
#[test]
fn looks_take_seconds() {
    let mut world = measured();
    world.cut(ALL);
    world.start(ALL);
    [PF1, PF2, PF3].iter().for_each(|&place| world.hang_disk(place, 4_000 + 2_000 * place as u64));
    all_come_back(&mut world);
}

/// H5: pf1's port is taken. The others hold the same and go on without it; once the cause is gone it joins.
#[test]
fn the_first_cannot_start() {
    for (late, restarts) in (0..1_000).step_by(100).flat_map(|late| [(late, false), (late, true)]) {
        let mut world = World::measured(3, 0);
        world.run_for(late);
        world.fail_starts(PF1, 3_600_000);
        world.crash_databases(ALL);
        for _ in 0..16 {
            world.run_for(10_000);
            if restarts {
                world.kill_supervisor_for(PF1, 500);
            }
        }
        come_back(&mut world, Set::from([PF2, PF3]));
        world.fail_starts(PF1, 0);
        all_come_back(&mut world);
    }
}

/// Nobody can start; the cause goes.
#[test]
fn nobody_can_start_for_a_while() {
    let mut world = measured();
    [PF1, PF2, PF3].iter().for_each(|&place| world.fail_starts(place, 100_000));
    world.crash_databases(ALL);
    world.stays_down(90);
    all_come_back(&mut world);
}

/// H11: no room for ibtmp1: one recovery fails, and a start would work. Once there is room all come back.
#[test]
fn a_recovery_fails_for_a_while() {
    let mut world = measured();
    world.fail_recoveries(PF1, 60_000);
    world.crash_databases(ALL);
    world.run_for(60_000);
    all_come_back(&mut world);
}

#[test]
fn a_recovery_takes_a_minute() {
    let mut world = measured();
    world.happens_to(PF1, Kind::SlowRecovery, 0);
    world.crash_databases(ALL);
    all_come_back(&mut world);
}
