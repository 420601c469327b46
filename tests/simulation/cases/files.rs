//! What a disk no longer holds as it was.

use super::*;

/// galera #354, #355.
#[test]
fn a_torn_gvwstate_keeps_nobody_from_service() {
    for gone in [false, true] {
        let mut world = calm();
        world.cut(ALL);
        world.change_disk(PF3, |disk| disk.gvwstate = if gone { File::Absent } else { File::Torn });
        world.start(ALL);
        world.comes_back(ALL);
    }
}

/// It may have said that the data are bad: if they may hold more than the others', a person decides.
#[test]
fn a_torn_grastate_is_not_trusted() {
    let mut world = calm();
    world.cut(ALL);
    world.change_disk(PF3, |disk| disk.grastate = File::Torn);
    world.start(ALL);
    let holds_more = |problem: &Problem| matches!(problem, Problem::UnsafeHoldsMore { .. });
    let asks = |world: &World| refuses(world, PF3, holds_more);
    world.wait("all in service, or a question", |world| asks(world) || world.serves() == ALL);
    if asks(&world) {
        world.stays_down(30);
        world.says(PF3, Saying::Discard(host(PF3)));
    }
    world.wait("all in service", |world| world.serves() == ALL);
}

#[test]
fn a_grastate_of_another_cluster_is_never_started_from() {
    let mut world = calm();
    for place in [PF1, PF2, PF3] {
        world.stop_gracefully(place);
    }
    let foreign = Grastate { history: HistoryId(999), seqno: 1_000_000, flag: true };
    world.change_disk(PF1, |disk| disk.grastate = File::Whole(foreign));
    world.start(ALL);
    world.run_for(60_000);
    assert!(!world.serves().contains(PF1));
}

#[test]
fn a_member_is_restored_from_an_old_backup() {
    let mut world = calm();
    let backup = world.galera.members[PF3].disk.clone();
    world.run_for(30_000);
    world.cut(Set::of(PF3));
    world.run_for(10_000);
    world.change_disk(PF3, |disk| *disk = backup);
    world.start(Set::of(PF3));
    world.comes_back(ALL);
}

#[test]
fn an_empty_member_is_filled() {
    let mut world = calm();
    world.cut(Set::of(PF3));
    world.change_disk(PF3, |disk| *disk = pfcluster_tests::galera::Disk::default());
    world.start(Set::of(PF3));
    world.comes_back(ALL);
}

#[test]
fn power_goes_during_a_transfer() {
    let mut world = calm();
    world.cut(Set::of(PF3));
    world.change_disk(PF3, |disk| *disk = pfcluster_tests::galera::Disk::default());
    world.start(Set::of(PF3));
    world.wait("pf3 receives state", |world| world.receives(PF3));
    world.cut(ALL);
    assert_eq!(world.galera.members[PF3].disk.data, Data::Partial);
    world.start(ALL);
    world.comes_back(ALL);
}
