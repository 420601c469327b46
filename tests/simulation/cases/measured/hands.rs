//! What hands do beside a live supervisor, and a full disk in service.

use super::*;

/// H9: all are apart, pf3 is promoted by hand, and clients commit before anybody looks. pf1, which went on with pf2 before, must
/// never come in with rows of its own.
#[test]
fn a_promotion_by_hand_is_a_fork() {
    let mut world = measured();
    world.part(Set::of(PF3));
    world.run_for(20_000);
    world.part(Set::of(PF1));
    world.run_for(20_000);
    world.promote_and_commit(PF3, 12);
    world.run_for(20_000);
    world.cut(Set::of(PF2));
    world.heal();
    world.run_for(60_000);
    world.happens_to(PF1, Kind::CrashDatabase, 0);
    for _ in 0..120 {
        world.run_for(1_000);
        assert!(world.is_equal_in_service(), "{}", world.told());
    }
}

/// H9: pf1, which has less than the others, is started by hand as a new cluster under its live supervisor, and goes past them. They
/// must never come in with rows of their own.
#[test]
fn a_new_cluster_by_hand_is_a_fork() {
    let mut world = measured();
    world.cut(Set::of(PF1));
    world.run_for(12_000);
    world.cut(ALL);
    world.start(Set::of(PF1));
    world.run_for(5_000);
    world.bootstrap_by_hand(PF1);
    world.run_for(40_000);
    world.start(Set::from([PF2, PF3]));
    for _ in 0..120 {
        world.run_for(1_000);
        assert!(world.is_equal_in_service(), "{}", world.told());
    }
}

/// H11: no room for gvwstate.dat, which stays views behind while all goes on.
#[test]
fn gvwstate_is_frozen() {
    for frozen in [Set::of(PF1), Set::from([PF1, PF2]), ALL] {
        let mut world = measured();
        frozen.iter().for_each(|place| world.happens_to(place, Kind::FreezeView, 0));
        world.happens_to(PF3, Kind::CutOff, 0);
        world.run_for(8_000);
        world.cut(Set::of(PF3));
        world.run_for(1_000);
        world.cut(ALL);
        world.start(Set::from([PF1, PF2]));
        world.run_for(20_000);
        world.start(Set::of(PF3));
        all_come_back(&mut world);
    }
}
