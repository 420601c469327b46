//! The election over every small state of the world: the laws of `pfcluster_core::strategies::laws` hold in each.

#[path = "bootstrap_enumeration/alphabet.rs"]
mod alphabet;
#[path = "bootstrap_enumeration/points.rs"]
mod points;
#[path = "bootstrap_enumeration/search.rs"]
mod search;
#[path = "bootstrap_enumeration/worlds.rs"]
mod worlds;

use alphabet::{Letter, full, modified, seen, smaller, smallest};
use pfcluster_core::galera::bootstrap::{Policy, Seen};
use search::{Columns, every_state};

fn columns(letters: &[Vec<Letter>], disabled: &[bool]) -> Columns {
    let column = |(at, letters): (usize, &Vec<Letter>)| -> Vec<Seen> {
        letters.iter().map(|letter| seen(at, *letter, disabled)).collect()
    };
    letters.iter().enumerate().map(column).collect()
}

fn nobody(size: usize) -> Vec<bool> {
    vec![false; size]
}

/// The whole alphabet for two members.
#[test]
fn two_members() {
    let letters = modified(&full(2), 2);
    println!("{} letters", letters.len());
    let found = every_state(&columns(&vec![letters; 2], &nobody(2)), &[Policy::default()], false);
    found.report("two members");
}

#[test]
fn three_members() {
    let letters = smaller();
    println!("{} letters", letters.len());
    let found = every_state(&columns(&vec![letters; 3], &nobody(3)), &[Policy::default()], false);
    found.report("three members");
}

#[test]
fn four_members() {
    let letters = smallest(4);
    println!("{} letters", letters.len());
    let found = every_state(&columns(&vec![letters; 4], &nobody(4)), &[Policy::default()], false);
    found.report("four members");
}

#[test]
fn five_members() {
    let letters = smallest(5);
    println!("{} letters", letters.len());
    let found = every_state(&columns(&vec![letters; 5], &nobody(5)), &[Policy::default()], false);
    found.report("five members");
}

fn small_histories(beginnings: Vec<pfcluster_core::strategies::worlds::World>, depth: usize, act: bool, name: &str) {
    use pfcluster_core::strategies::worlds::Event;
    let limits = worlds::Limits {
        depth,
        losses: &[0, 2],
        events: |event| {
            let _: Option<Event> = None;
            !matches!(event, Event::TearState(_))
        },
        act,
    };
    worlds::histories(beginnings, limits).report(name);
}

fn depth() -> usize {
    std::env::var("DEPTH").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

#[test]
fn true_histories() {
    use pfcluster_core::strategies::worlds::World;
    small_histories(vec![World::new(3)], depth(), true, "supervised");
}

#[test]
fn true_histories_without_records() {
    use pfcluster_core::strategies::worlds::World;
    small_histories(vec![World::new(3).without_records()], depth(), false, "without records");
}

#[test]
fn true_histories_with_arbitrator() {
    use pfcluster_core::strategies::worlds::World;
    small_histories(vec![World::with_arbitrator(3)], depth(), true, "with arbitrator");
}

/// Who is counted out by all: everybody's agreement, in every way that leaves somebody.
fn agreements(size: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..(1_usize << size) - 1).map(move |out| (0..size).map(|at| out >> at & 1 == 1).collect())
}

fn only(name: &str, all: impl Iterator<Item = Columns>, policies: &[Policy]) {
    let mut found = search::Findings::default();
    all.for_each(|columns| found.add(every_state(&columns, policies, false)));
    found.report(name);
}

#[test]
fn forks() {
    only("forks", (2..=3).map(points::forks), &[Policy::default()]);
}

#[test]
fn floors() {
    only("floors", (2..=3).map(points::floors), &[Policy::default()]);
}

#[test]
fn lives_without_galera() {
    only(
        "lives without Galera",
        (2..=3).flat_map(agreements).map(|out| points::standalone(&out)),
        &[Policy::default()],
    );
}

#[test]
fn arbitrators() {
    only("arbitrators", (2..=3).flat_map(agreements).map(|out| points::arbitrators(&out)), &[Policy::default()]);
}

#[test]
fn memories() {
    only("memories", (2..=3).flat_map(agreements).map(|out| points::memories(&out)), &[Policy::default()]);
}

#[test]
fn one_sided_disabling() {
    let all = (2..=3).flat_map(|size| (0..1_usize << size).map(move |enabled| points::disables(enabled, size)));
    only("one-sided disabling", all, &[Policy::default()]);
}

#[test]
fn what_an_operator_says() {
    for size in 2..=3 {
        only("words", agreements(size).map(|out| points::said(&out)), &points::words(size));
    }
}
