//! The election over every small state of the world: the laws of `pfcluster_core::strategies::laws` hold in each.

#[path = "bootstrap_enumeration/alphabet.rs"]
mod alphabet;
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
        events: |event| { let _ : Option<Event> = None; !matches!(event, Event::TearState(_)) },
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
