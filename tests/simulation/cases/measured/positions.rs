//! grastate.dat names a number that the data do not have.

use super::*;

/// H3: grastate.dat is on the disk before what `InnoDB` has written. The last two stop cleanly at one time, and the power of one goes.
#[test]
fn a_clean_stop_that_is_not_on_the_disk() {
    for losing in [PF1, PF2] {
        let mut world = measured();
        world.stop_gracefully(PF3);
        world.run_for(3_000);
        let last = Set::from([PF1, PF2]);
        world.keep_unflushed(last, 60_000);
        last.iter().for_each(|place| world.shut_down(place));
        world.wait("both have stopped", |world| last.iter().all(|place| world.phase(place).is_none()));
        world.cut_losing(last, Set::of(losing));
        world.start(ALL);
        all_come_back(&mut world);
    }
}

/// H3, without an election: it joins what is in service, from a number above its data.
#[test]
fn a_joiner_whose_clean_stop_is_not_on_the_disk() {
    let mut world = measured();
    world.keep_unflushed(Set::of(PF3), 60_000);
    world.stop_gracefully(PF3);
    world.cut_losing(Set::of(PF3), Set::of(PF3));
    world.run_for(3_000);
    world.start(Set::of(PF3));
    all_come_back(&mut world);
}

/// R1: the power goes while a backup pauses the provider of one of three.
#[test]
fn power_goes_during_a_backup() {
    let mut world = measured();
    world.keep_unflushed(Set::of(PF2), 60_000);
    world.run_for(2_000);
    world.pause(PF2, 5_000);
    world.run_for(500);
    world.cut_losing(ALL, Set::of(PF2));
    world.start(ALL);
    all_come_back(&mut world);
}

/// R1: it was alone when the power went, and lost what an earlier leaver still has: it waits for that one.
#[test]
fn power_goes_during_a_backup_of_a_lone_member() {
    let mut world = measured();
    world.stop_gracefully(PF3);
    world.run_for(12_000);
    world.keep_unflushed(Set::of(PF2), 60_000);
    world.shut_down(PF1);
    world.wait("pf2 is alone", |world| world.serves() == Set::of(PF2));
    world.pause(PF2, 5_000);
    world.cut_losing(Set::of(PF2), Set::of(PF2));
    world.start(Set::from([PF2, PF3]));
    world.stays_down(60);
    world.start(Set::of(PF1));
    all_come_back(&mut world);
}

/// A server that is only killed during a backup has lost nothing.
#[test]
fn a_database_crashes_during_a_backup() {
    let mut world = measured();
    world.pause(PF2, 5_000);
    world.run_for(500);
    world.happens_to(PF2, Kind::CrashDatabase, 0);
    all_come_back(&mut world);
}

/// A joiner comes into the view, its donor leaves, and the request fails: its grastate.dat says "clean" and "the last one".
#[test]
fn a_state_request_fails_when_the_donor_leaves() {
    let mut world = measured();
    world.stop_gracefully(PF3);
    world.stop_gracefully(PF1);
    world.run_for(20_000);
    world.fail_request(PF1);
    world.start(Set::of(PF1));
    world.wait("pf1 wants state", |world| world.receives(PF1));
    world.stop_gracefully(PF2);
    world.start(Set::of(PF3));
    world.stays_down(60);
    world.start(Set::of(PF2));
    all_come_back(&mut world);
}

/// Seed 1028: with `innodb_flush_log_at_trx_commit=0` a crash costs what the process has not written. What a process has written that
/// stopped before is in the page cache: no crash takes it.
#[test]
fn a_crash_costs_what_its_process_has_not_written() {
    let quiet = Plan { days: 0, faults: Vec::new(), cache: u16::MAX, ..Plan::measured(7, 1) };
    let mut world = World::new(&Plan { members: 3, window: 4, crash_costs: true, ..quiet }, true);
    world.run_for(15_000);
    world.keep_unflushed(Set::of(PF2), 600_000);
    world.run_for(3_000);
    world.stop_gracefully(PF2);
    let held = world.galera.seqno(PF2);
    world.happens_to(PF2, Kind::CrashDatabase, 0);
    assert_eq!(world.galera.seqno(PF2), held, "nothing was there to crash{}", world.told());
    world.start(Set::of(PF2));
    world.wait("pf2 runs", |world| world.galera.run(PF2).is_some());
    world.happens_to(PF2, Kind::CrashDatabase, 0);
    assert!(world.galera.seqno(PF2) >= held, "{}", world.told());
    all_come_back(&mut world);
    world.run_for(3_000);
    let held = world.galera.seqno(PF2);
    world.happens_to(PF2, Kind::CrashDatabase, 0);
    assert!(world.galera.seqno(PF2) < held, "this crash costs something{}", world.told());
}
