//! Power cuts, graceful stops, supervisors that die.

use super::*;

#[test]
fn all_lose_power() {
    let mut world = calm();
    world.cut(ALL);
    world.run_for(5_000);
    world.start(ALL);
    world.comes_back(ALL);
}

#[test]
fn all_but_one_lose_power() {
    let mut world = calm();
    world.cut(Set::from([PF1, PF2]));
    world.run_for(20_000);
    assert_eq!(world.serves(), Set::NOBODY);
    world.start(Set::from([PF1, PF2]));
    world.comes_back(ALL);
}

#[test]
fn power_goes_in_every_order() {
    for order in ORDERS {
        let mut world = calm();
        staggered(&mut world, order);
        world.start(ALL);
        world.comes_back(ALL);
    }
}

#[test]
fn power_comes_back_in_every_order() {
    for (gone, back) in ORDERS.iter().flat_map(|gone| ORDERS.iter().map(move |back| (gone, back))) {
        let mut world = calm();
        staggered(&mut world, *gone);
        for place in *back {
            world.start(Set::of(place));
            world.run_for(12_000);
        }
        world.comes_back(ALL);
    }
}

#[test]
fn all_stop_in_every_order_and_start_at_once_or_in_any_order() {
    for (stop, start) in ORDERS.iter().flat_map(|stop| ORDERS.iter().map(move |start| (stop, start))) {
        for pause in [0, 8_000] {
            let mut world = calm();
            stop.iter().for_each(|&place| world.stop_gracefully(place));
            for &place in start {
                world.start(Set::of(place));
                world.run_for(pause);
            }
            world.comes_back(ALL);
        }
    }
}

#[test]
fn a_lone_survivor_loses_power() {
    let mut world = calm();
    world.stop_gracefully(PF1);
    world.stop_gracefully(PF2);
    world.comes_back(Set::of(PF3));
    world.cut(Set::of(PF3));
    world.start(ALL);
    world.comes_back(ALL);
}

/// reference 10.
#[test]
fn normal_starts_of_all_had_failed() {
    let mut world = calm();
    for place in [PF1, PF2, PF3] {
        world.stop_gracefully(place);
    }
    for place in [PF1, PF2, PF3] {
        world.start_by_hand_normally(place);
    }
    world.stays_down(40);
    world.start(ALL);
    world.comes_back(ALL);
}

#[test]
fn supervisors_are_killed_at_any_moment() {
    for moment in (0..3_000).step_by(60) {
        let mut world = calm();
        world.cut(ALL);
        world.run_for(4_000);
        world.start(ALL);
        world.run_for(moment);
        for place in [PF1, PF2, PF3] {
            world.kill_supervisor_for(place, 700 + 400 * place as u64);
        }
        world.comes_back(ALL);
    }
}
