//! Maintenance, members that are counted out, words.

use super::*;

#[test]
fn a_member_in_maintenance_is_left_alone() {
    let mut world = calm();
    world.maintain(PF3, true);
    world.happens_to(PF3, Kind::CrashDatabase, 0);
    world.comes_back(Set::from([PF1, PF2]));
    world.run_for(60_000);
    assert_eq!(world.serves(), Set::from([PF1, PF2]));
    world.maintain(PF3, false);
    world.comes_back(ALL);
}

#[test]
fn a_disabled_member_is_not_waited_for() {
    let mut world = calm();
    world.stop_gracefully(PF3);
    for place in [PF1, PF2] {
        world.disable(place, Set::of(PF3));
    }
    world.run_for(20_000);
    world.cut(Set::from([PF1, PF2]));
    world.start(Set::from([PF1, PF2]));
    world.comes_back(Set::from([PF1, PF2]));
}

/// Guide 8.4: detached, it runs alone; counted in again it joins only on a word, and what it wrote alone is kept until then.
#[test]
fn a_detached_member_writes_alone() {
    let mut world = calm();
    for place in [PF1, PF2] {
        world.disable(place, Set::of(PF3));
    }
    world.disable(PF3, Set::from([PF1, PF2]));
    world.stop_gracefully(PF3);
    world.start(Set::of(PF3));
    world.run_for(30_000);
    for place in [PF1, PF2, PF3] {
        world.disable(place, Set::NOBODY);
    }
    world.run_for(30_000);
    assert_eq!(world.serves(), Set::from([PF1, PF2]));
    // Given elsewhere it is only asked for.
    world.says(PF1, Saying::Discard(host(PF3)));
    world.run_for(30_000);
    assert_eq!(world.serves(), Set::from([PF1, PF2]));
    world.says(PF3, Saying::Discard(host(PF3)));
    world.wait("all in service", |world| world.serves() == ALL);
    assert!(world.commits(Fate::GivenUp) > 0);
}

#[test]
fn a_force_counts_once() {
    let mut world = calm();
    staggered(&mut world, [PF1, PF2, PF3]);
    world.start(Set::of(PF1));
    world.run_for(5_000);
    world.says(PF1, Saying::Force(host(PF1)));
    world.wait("pf1 in service", |world| world.serves() == Set::of(PF1));
    world.run_for(5_000);
    // The others hold what was given up, and don't slip in with it.
    world.start(Set::from([PF2, PF3]));
    world.run_for(40_000);
    assert_eq!(world.serves(), Set::of(PF1));
    for place in [PF2, PF3] {
        world.says(place, Saying::Discard(host(place)));
    }
    world.wait("all in service", |world| world.serves() == ALL);
}

/// The databases' password was changed: whoever can't look sees no service, and ends nothing because of that. After a power cut the
/// databases come back all the same.
#[test]
fn logins_fail() {
    for blind in [Set::of(PF1), Set::from([PF2, PF3]), ALL] {
        let mut world = calm();
        blind.iter().for_each(|place| world.refuse_login(place, true));
        for _ in 0..200 {
            world.run_for(1_000);
            assert_eq!(world.serves(), ALL, "{}", world.told());
        }
        world.cut(ALL);
        world.start(ALL);
        world.wait("all in service", |world| world.serves() == ALL);
        // For longer than a view that does not form is given.
        world.run_for(100_000);
        assert_eq!(world.serves(), ALL, "{}", world.told());
        blind.iter().for_each(|place| world.refuse_login(place, false));
        world.run_for(5_000);
        let watches = |place| matches!(world.decision(place), Some(Action::Join { .. }));
        assert!(ALL.iter().all(watches), "{}", world.told());
    }
}
