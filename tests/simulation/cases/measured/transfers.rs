//! Full transfers that fail without a mark, or are not on the disk yet.

use pfcluster_tests::galera::{Stage, Unsynced};

use super::*;

/// pf3's disk is empty, and it receives everything.
fn receives_everything() -> World {
    let mut world = measured();
    world.cut(Set::of(PF3));
    world.change_disk(PF3, |disk| *disk = Disk::default());
    world.run_for(10_000);
    world.start(Set::of(PF3));
    world.wait("pf3 receives state", |world| world.receives(PF3));
    world
}

/// H4: `sst_in_progress` goes with every exit of the script: what is left looks like nothing that the rules know.
#[test]
fn a_transfer_fails_and_leaves_no_mark() {
    let mut world = receives_everything();
    world.fail_transfer(PF3, Stage::Emptied);
    all_come_back(&mut world);
}

/// H4, with all data files there and nobody having said so: zero UUID, a recovered position.
#[test]
fn a_transfer_fails_at_its_end() {
    let mut world = receives_everything();
    world.fail_transfer(PF3, Stage::Filled);
    all_come_back(&mut world);
}

/// R3 c: the script fails before it has touched anything: a zero UUID beside the member's own rows, which the others have, too.
#[test]
fn a_script_fails_at_once() {
    let mut world = measured();
    world.stop_gracefully(PF3);
    world.run_for(10_000);
    world.happens_to(PF3, Kind::ScriptFails, 0);
    world.start(Set::of(PF3));
    all_come_back(&mut world);
}

/// H4: the transfer failed, and then all lost power: who has nothing is not waited for.
#[test]
fn a_transfer_fails_and_then_all_lose_power() {
    let mut world = receives_everything();
    world.fail_transfer(PF3, Stage::Emptied);
    world.cut(ALL);
    world.start(ALL);
    all_come_back(&mut world);
}

/// The power goes soon after the transfer (H6).
fn power_goes_after_a_transfer(how: Unsynced) -> World {
    let mut world = receives_everything();
    // Before its supervisor has looked, and has the disk synced.
    world.wait("all in service", |world| world.serves() == ALL);
    assert!(world.galera.members[PF3].disk.unsynced, "{}", world.told());
    world.cut(ALL);
    world.lose_unsynced(PF3, how);
    world.start(ALL);
    world
}

/// H6: files of length 0: no recovery works, and the others wait for it.
#[test]
fn a_transfer_is_not_on_the_disk() {
    all_come_back(&mut power_goes_after_a_transfer(Unsynced::Torn));
}

/// H6: the recovery works, and rows are missing.
#[test]
fn a_transfer_is_not_on_the_disk_and_nobody_sees_it() {
    all_come_back(&mut power_goes_after_a_transfer(Unsynced::RowsMissing));
}

/// The page cache survives a killed database, and a supervisor that begins anew: nothing is given up.
#[test]
fn a_kill_after_a_transfer_costs_nothing() {
    let mut world = receives_everything();
    world.wait("all in service", |world| world.serves() == ALL);
    world.run_for(3_000);
    let boot = world.boot_of(PF3);
    world.kill_supervisor_for(PF3, 500);
    world.crash_databases(ALL);
    all_come_back(&mut world);
    assert_eq!(world.boot_of(PF3), boot);
}

/// 45 s after the transfer all is on the disk.
#[test]
fn power_goes_a_minute_after_a_transfer() {
    let mut world = receives_everything();
    world.wait("all in service", |world| world.serves() == ALL);
    world.run_for(60_000);
    world.cut(ALL);
    world.lose_unsynced(PF3, Unsynced::Torn);
    world.start(ALL);
    all_come_back(&mut world);
}

/// A transfer to pf3 broke off, and pf3 was started by hand, with its gvwstate.dat: it waits beside the mark.
fn waits_beside_an_old_mark(world: &mut World) {
    world.change_disk(PF3, |disk| {
        (disk.data, disk.marker) = (Data::Partial, true);
        disk.grastate = File::Whole(Grastate { history: HistoryId::ZERO, seqno: -1, flag: false });
    });
    world.start_by_hand_normally(PF3);
    world.run_for(3_000);
    world.start(ALL);
}

/// Seeds 375 and 1477: another was to start once pf3 had stopped, and pf3 was not ended, because it might receive.
#[test]
fn a_server_beside_an_old_mark_is_ended() {
    let mut world = measured();
    world.cut(ALL);
    waits_beside_an_old_mark(&mut world);
    all_come_back(&mut world);
}

/// Seed 375, shortened: pf1 runs without service. It might have been giving when it lost that, and all waited.
#[test]
fn a_server_beside_an_old_mark_is_ended_where_another_runs() {
    let mut world = measured();
    world.cut(Set::of(PF3));
    world.run_for(9_000);
    world.cut(Set::of(PF2));
    world.run_for(9_000);
    assert_eq!(world.serves(), Set::NOBODY, "{}", world.told());
    waits_beside_an_old_mark(&mut world);
    all_come_back(&mut world);
}
