//! Views that no two looks see.

use super::*;

/// pf3 is out of the group for a moment, and then all die.
#[test]
fn a_short_view_before_an_outage() {
    for takes_seqnos in [true, false] {
        for out in [100, 400, 900] {
            for then in [3_500, 4_000, 5_000, 8_000] {
                let mut world = World::measured(3, 0);
                world.galera.views_take_seqnos = takes_seqnos;
                world.blink(PF3, out);
                world.run_for(out + then);
                world.cut(ALL);
                world.start(ALL);
                all_come_back(&mut world);
            }
        }
    }
}

/// Found here: pf3 came back from a short view, and the power went during its incremental transfer. `sst_in_progress` stays beside rows
/// that nothing has touched, and they have the only copy of a commit that the others had received and not applied.
#[test]
fn a_mark_beside_the_only_copy() {
    let mut world = World::measured(3, 0);
    world.blink(PF3, 100);
    world.run_for(100);
    world.cut(ALL);
    world.start(ALL);
    world.run_for(60_000);
}

/// The last view is that of two, and nobody has seen it: the third is away when the power comes back.
#[test]
fn a_short_view_is_the_last_one() {
    for takes_seqnos in [true, false] {
        for out in [100, 500, 900] {
            let mut world = World::measured(3, 0);
            world.galera.views_take_seqnos = takes_seqnos;
            world.blink(PF3, 5_000);
            world.run_for(out);
            world.cut(ALL);
            world.start(Set::from([PF2, PF3]));
            world.run_for(60_000);
            assert_eq!(world.serves(), Set::NOBODY, "{}", world.told());
            world.start(Set::of(PF1));
            all_come_back(&mut world);
        }
    }
}

/// Design 5.1: pf1 is alone, and its floor is written down. While its looks hang pf2 comes, commits go on, and pf2 goes. pf1 stops
/// cleanly, and the power goes before that is on the disk: pf2 holds what pf1 has lost.
#[test]
fn a_floor_of_an_earlier_view_of_one() {
    let mut world = measured();
    world.stop_gracefully(PF3);
    world.stop_gracefully(PF2);
    world.run_for(20_000);
    world.hang_disk(PF1, 120_000);
    world.start(Set::of(PF2));
    world.wait("pf2 has come", |world| world.serves() == Set::from([PF1, PF2]));
    world.run_for(10_000);
    world.keep_unflushed(Set::of(PF1), 60_000);
    world.stop_gracefully(PF2);
    world.happens_to(PF1, Kind::StopByHand, 0);
    world.cut_losing(Set::of(PF1), Set::of(PF1));
    world.start(Set::from([PF1, PF3]));
    world.stays_down(60);
    world.start(Set::of(PF2));
    all_come_back(&mut world);
}
