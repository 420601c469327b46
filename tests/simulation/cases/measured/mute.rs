//! Servers that do not answer, and may serve all the same.

use super::*;

/// H1: the thread pool of the only one in service is full. Its sessions go on; nobody may end it because others could start.
#[test]
fn a_lone_server_whose_logins_hang_is_not_ended() {
    let mut world = measured();
    world.stop_gracefully(PF1);
    world.stop_gracefully(PF3);
    world.run_for(15_000);
    [PF1, PF3].iter().for_each(|&place| world.fail_starts(place, 600_000));
    world.start(Set::from([PF1, PF3]));
    world.run_for(10_000);
    world.hang_database(PF2, 100_000);
    serve_on(&mut world, Set::of(PF2), 110);
    [PF1, PF3].iter().for_each(|&place| world.fail_starts(place, 0));
    all_come_back(&mut world);
}

/// H1: the only one in service does not move (SIGSTOP); the others have less, and wait for it.
#[test]
fn a_lone_server_that_does_not_move_is_waited_for() {
    let mut world = measured();
    world.stop_gracefully(PF1);
    world.stop_gracefully(PF3);
    world.run_for(15_000);
    [PF1, PF3].iter().for_each(|&place| world.fail_starts(place, 600_000));
    world.start(Set::from([PF1, PF3]));
    world.run_for(10_000);
    world.freeze_database(PF2, 100_000, false);
    for _ in 0..95 {
        world.run_for(1_000);
        assert!(world.galera.run(PF2).is_some(), "{}", world.told());
    }
    [PF1, PF3].iter().for_each(|&place| world.fail_starts(place, 0));
    all_come_back(&mut world);
}

/// All of them serve and let nobody in.
#[test]
fn all_serve_and_let_nobody_in() {
    let mut world = measured();
    [PF1, PF2, PF3].iter().for_each(|&place| world.hang_database(place, 100_000));
    serve_on(&mut world, ALL, 150);
}

/// The one that hangs is a member of a component that serves: the others lose power, and it is not passed over.
#[test]
fn one_hangs_and_the_others_lose_power() {
    let mut world = measured();
    world.hang_database(PF1, 40_000);
    world.run_for(10_000);
    world.cut(Set::from([PF2, PF3]));
    world.run_for(10_000);
    world.start(Set::from([PF2, PF3]));
    world.run_for(20_000);
    all_come_back(&mut world);
}

/// A server in D state: nothing ends it. Once it moves again all come back.
#[test]
fn a_server_in_d_state() {
    let mut world = measured();
    world.freeze_database(PF1, 60_000, true);
    world.run_for(15_000);
    world.crash_databases(Set::from([PF2, PF3]));
    world.run_for(50_000);
    all_come_back(&mut world);
}

/// The network falls apart, and one of those without quorum lets nobody in: they merge by themselves.
#[test]
fn one_without_quorum_hangs() {
    let mut world = measured();
    [PF1, PF2, PF3].iter().for_each(|&place| world.part(Set::of(place)));
    world.run_for(20_000);
    world.hang_database(PF1, 60_000);
    world.run_for(5_000);
    world.heal();
    world.wait("all in service", |world| world.serves() == ALL);
    serve_on(&mut world, ALL, 100);
}

/// A server that waits for the others does not answer either; it is where it was started.
#[test]
fn a_server_that_waits_is_where_it_was_started() {
    let mut world = measured();
    world.cut(ALL);
    world.start_by_hand_normally(PF1);
    world.run_for(2_000);
    world.start(ALL);
    all_come_back(&mut world);
}

/// The databases' password was changed, as in the kinder world.
#[test]
fn logins_are_refused() {
    for blind in [Set::of(PF1), Set::from([PF2, PF3]), ALL] {
        let mut world = measured();
        blind.iter().for_each(|place| world.refuse_login(place, true));
        serve_on(&mut world, ALL, 100);
        world.cut(ALL);
        world.start(ALL);
        world.wait("all in service", |world| world.serves() == ALL);
        serve_on(&mut world, ALL, 100);
    }
}
