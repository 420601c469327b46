//! One never comes back.

use super::*;

#[test]
fn the_first_to_stop_never_comes_back() {
    let mut world = calm();
    for place in [PF1, PF2, PF3] {
        world.stop_gracefully(place);
    }
    world.start(Set::from([PF2, PF3]));
    world.comes_back(Set::from([PF2, PF3]));
}

#[test]
fn the_last_to_stop_never_comes_back() {
    let mut world = calm();
    for place in [PF1, PF2, PF3] {
        world.stop_gracefully(place);
    }
    world.start(Set::from([PF1, PF2]));
    world.stays_down(120);
    assert!(awaits(&world, PF1, &[PF3]) && awaits(&world, PF2, &[PF3]));
    // It counts on the one that starts: the most advanced.
    for place in [PF1, PF2] {
        world.says(place, Saying::AssumeLost(vec![host(PF3)]));
    }
    world.comes_back(Set::from([PF1, PF2]));
    // It does not slip in afterwards with what it has alone, if it has anything.
    world.start(Set::of(PF3));
    world.run_for(30_000);
    assert_eq!(world.breach, None);
}

#[test]
fn one_never_comes_back_after_a_power_cut() {
    let mut world = calm();
    world.cut(ALL);
    world.start(Set::from([PF1, PF2]));
    world.stays_down(120);
    assert!(awaits(&world, PF1, &[PF3]));
    for place in [PF1, PF2] {
        world.says(place, Saying::AssumeLost(vec![host(PF3)]));
    }
    world.comes_back(Set::from([PF1, PF2]));
}
