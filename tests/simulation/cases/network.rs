//! Partitions, and datagrams of all kinds.

use super::*;

#[test]
fn one_is_cut_off_and_comes_back() {
    let mut world = calm();
    world.part(Set::of(PF3));
    world.comes_back(Set::from([PF1, PF2]));
    world.run_for(60_000);
    let acts = world.acts();
    world.heal();
    world.comes_back(ALL);
    assert_eq!(world.acts(), acts, "Galera merges by itself");
}

#[test]
fn five_members_are_parted() {
    let mut world = World::calm(5);
    world.part(Set::from([3, 4]));
    world.comes_back(Set::first(3));
    world.heal();
    world.comes_back(Set::first(5));
}

#[test]
fn all_are_cut_off_from_each_other() {
    let mut world = calm();
    for place in [PF1, PF2, PF3] {
        world.part(Set::of(place));
    }
    world.run_for(10_000);
    world.stays_down(120);
    world.heal();
    world.comes_back(ALL);
}

/// The third one relays: nobody loses service.
#[test]
fn one_direction_is_cut() {
    let mut world = calm();
    world.cut_one_way(PF1, PF2);
    world.run_for(60_000);
    assert_eq!(world.serves(), ALL);
    world.heal();
    world.comes_back(ALL);
}

#[test]
fn forged_and_old_datagrams() {
    let mut world = calm();
    world.cut(ALL);
    world.start(ALL);
    for dice in 0..40 {
        for place in [PF1, PF2, PF3] {
            world.happens_to(place, Kind::Forgery, dice);
            world.happens_to(place, Kind::Replay, dice);
        }
        world.run_for(100);
    }
    world.comes_back(ALL);
}

/// reference 7: both sides look alike; nobody acts, all say so.
#[test]
fn a_forced_split_is_told_and_not_healed() {
    let mut world = calm();
    world.part(Set::of(PF3));
    world.run_for(15_000);
    world.happens_to(PF3, Kind::PromoteByHand, 0);
    world.run_for(5_000);
    let acts = world.acts();
    world.heal();
    world.run_for(60_000);
    assert_eq!(world.galera.primaries().len(), 2);
    let is_split = |problem: &Problem| matches!(problem, Problem::SplitBrain { .. });
    assert!([PF1, PF2, PF3].iter().all(|&place| refuses(&world, place, is_split)));
    assert_eq!(world.acts(), acts);
}

#[test]
fn nothing_happens() {
    let mut world = calm();
    world.run_for(3_600_000);
    assert_eq!((world.serves(), world.acts()), (ALL, 0));
}
