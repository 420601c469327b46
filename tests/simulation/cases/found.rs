//! What the simulated world has found in the supervisors, each as the shortest story that shows it.

use super::*;

/// pf3 is slow: the others have started to form the view again before it begins. It took them for processes whose position
/// must be waited for, and they waited for it: for ever.
#[test]
fn who_comes_late_to_a_view_goes_along() {
    for late in (100..3_000).step_by(100) {
        let mut world = calm();
        world.cut(ALL);
        world.start(ALL);
        world.run_for(late);
        world.kill_supervisor_for(PF3, 2_500);
        let took = world.comes_back(ALL);
        assert!(took.as_secs() < 30, "late by {late} ms: {took:?}");
    }
}

/// A process that was started by hand, in vain, kept its position to itself, and everybody waited for that: for ever.
#[test]
fn a_process_that_waits_in_vain_is_ended() {
    let mut world = World::calm(2);
    world.cut(Set::first(2));
    world.start_by_hand_normally(PF1);
    world.run_for(2_000);
    world.start(Set::first(2));
    world.comes_back(Set::first(2));
}

/// A word that names nobody made all messages of its member unreadable.
#[test]
fn a_word_that_names_nobody_silences_nobody() {
    let mut world = calm();
    world.cut(ALL);
    world.start(ALL);
    world.run_for(100);
    world.says(PF1, Saying::AssumeLost(Vec::new()));
    world.comes_back(ALL);
}

/// pf3 was forced, pf1 joined it, and pf3 left before pf1 had looked once more: nobody knew any more that pf2's
/// data had parted, and pf2 joined with rows of its own.
#[test]
fn a_joiner_knows_of_the_fork_before_the_witness_leaves() {
    for stay in (0..2_000).step_by(50) {
        let mut world = calm();
        world.cut(Set::of(PF1));
        world.run_for(9_000);
        world.stop_gracefully(PF3);
        world.comes_back(Set::of(PF2));
        world.cut(Set::of(PF2));
        world.start(Set::from([PF1, PF3]));
        world.run_for(3_000);
        world.says(PF3, Saying::Force(host(PF3)));
        world.wait("pf1 and pf3 in service", |world| world.serves() == Set::from([PF1, PF3]));
        world.run_for(stay);
        world.stop_gracefully(PF3);
        world.start(Set::of(PF2));
        world.run_for(30_000);
        assert!(!world.serves().contains(PF2), "after {stay} ms{}", world.told());
    }
}

/// A member that a force has cut off runs without service: Galera looks at numbers only, and would let it in.
#[test]
fn what_parted_is_ended_before_galera_lets_it_in() {
    let mut world = calm();
    world.part(Set::of(PF3));
    world.run_for(15_000);
    world.cut(Set::of(PF1));
    world.run_for(15_000);
    world.says(PF3, Saying::Force(host(PF3)));
    world.wait("pf3 in service", |world| world.serves() == Set::of(PF3));
    world.run_for(20_000);
    world.heal();
    world.run_for(30_000);
    assert_eq!(world.serves(), Set::of(PF3), "{}", world.told());
}

/// A look that is needed once more outlasts the patience before an act: the supervisor asked to be woken at once, again and again.
#[test]
fn a_slow_look_keeps_nobody_busy() {
    let mut world = calm();
    world.cut(ALL);
    world.start(ALL);
    for place in [PF1, PF2, PF3] {
        world.slow_disk(place, 30_000);
    }
    world.wait("pf1 is about to act", |world| world.phase(PF1) == Some(Phase::Confirms));
    world.ended_late(PF1);
    world.jump_clock(PF1, 6_000);
    world.comes_back(ALL);
}

/// Seed 3080: pf1 goes on alone, and its disk comes back empty. Its highest position seen in service was of the moment before,
/// and only the record of its view said that it had held more than pf2 and pf3: they went on without.
#[test]
fn a_survivor_whose_disk_is_gone_is_not_forgotten() {
    for since_pf2 in (3_000..13_000).step_by(500) {
        let mut world = calm();
        world.stop_gracefully(PF2);
        world.run_for(since_pf2);
        world.stop_gracefully(PF3);
        world.run_for(3_000);
        world.cut(Set::of(PF1));
        world.change_disk(PF1, |disk| *disk = Disk::default());
        world.start(ALL);
        world.run_for(60_000);
        assert_eq!(world.serves(), Set::default(), "after {since_pf2} ms{}", world.told());
        let is_told = |place| refuses(&world, place, |problem| matches!(problem, Problem::Regression { .. }));
        assert!(ALL.iter().all(is_told), "after {since_pf2} ms{}", world.told());
    }
}

/// Seed 3764: pf3 gave its data up after pf1 was forced, and joined. What it had held before was taken for what it joined with, so it did
/// not take the fork over, and was told apart from the others at the next outage.
#[test]
fn who_gave_its_data_up_has_not_diverged() {
    let mut world = calm();
    staggered(&mut world, [PF1, PF2, PF3]);
    world.start(Set::of(PF1));
    world.run_for(5_000);
    world.says(PF1, Saying::Force(host(PF1)));
    world.wait("pf1 in service", |world| world.serves() == Set::of(PF1));
    world.start(Set::from([PF2, PF3]));
    world.run_for(40_000);
    for place in [PF2, PF3] {
        world.says(place, Saying::Discard(host(place)));
    }
    world.wait("all in service", |world| world.serves() == ALL);
    world.run_for(15_000);
    assert!(!world.told().contains("data diverged before it joined"), "{}", world.told());
    world.cut(ALL);
    world.start(Set::from([PF2, PF3]));
    world.run_for(30_000);
    world.start(Set::of(PF1));
    world.wait("all in service", |world| world.serves() == ALL);
}

/// Seed 1128: pf3 is out of the group for a moment, and with it, of two, nobody has quorum; they find each other again by themselves.
/// Nobody has done that by hand: it is no fork, or pf2, which has not seen it, would be left behind at the next outage.
#[test]
fn a_component_that_finds_itself_again_is_no_fork() {
    for out in (50..2_000).step_by(150) {
        let mut world = calm();
        world.stop_gracefully(PF1);
        world.run_for(5_000);
        world.refuse_login(PF2, true);
        world.blink(PF3, out);
        world.run_for(20_000);
        world.refuse_login(PF2, false);
        world.run_for(5_000);
        assert_eq!(world.serves(), Set::from([PF2, PF3]), "{}", world.told());
        [PF2, PF3].iter().for_each(|&place| world.shut_down(place));
        world.run_for(20_000);
        world.start(ALL);
        let told = world.comes_back(ALL);
        assert!(!world.told().contains("diverged"), "out for {out} ms, back in {told:?}{}", world.told());
    }
}

/// Seed 4626: pf3 was about to start with a new cluster UUID on an operator's word, and its power went. It joined the others with its
/// data, and still remembered that fork: at the next outage they seemed to have diverged from it.
#[test]
fn a_fork_that_came_to_nothing_is_forgotten() {
    for moment in (0..600).step_by(40) {
        let mut world = calm();
        world.stop_gracefully(PF3);
        world.run_for(5_000);
        world.cut(Set::from([PF1, PF2]));
        world.start(Set::of(PF3));
        world.run_for(5_000);
        world.says(PF3, Saying::Force(host(PF3)));
        world.wait("pf3 acts", |world| world.phase(PF3) == Some(Phase::Acts));
        world.run_for(moment);
        if world.serves() == Set::of(PF3) {
            break;
        }
        world.cut(Set::of(PF3));
        world.start(ALL);
        world.wait("all in service", |world| world.serves() == ALL);
        world.run_for(15_000);
        world.cut(ALL);
        world.start(ALL);
        world.wait("all in service", |world| world.serves() == ALL);
        assert!(!world.told().contains("diverged"), "after {moment} ms{}", world.told());
    }
}
