//! The election over every small state of the world: the laws of `pfcluster_testing::laws` hold in each, and in
//! every short true history no two observers start two, and nothing that survives is left behind.
//!
//! What is not in evidence can't matter: an election is a function of the evidence, so two ways to the same evidence are
//! one letter, and `alphabet::distinct` keeps one of them. Order breaks ties, so no symmetry is used: every word over an
//! alphabet is decided. The letters that the smaller alphabets leave out are treated like others that they have; the tests
//! of `bootstrap_properties/alike.rs` show it.
//!
//! `ENUMERATE=all` takes the whole alphabet for two members and more letters for three; `DEPTH=6` makes the true histories
//! longer (they grow fivefold with each event).

mod alphabet;
mod points;
mod search;
mod worlds;

use alphabet::{Letter, full, less, modified, seen, smaller, smallest};
use pfcluster_core::galera::bootstrap::{Policy, Seen};
use pfcluster_testing::worlds::{Event, World};
use search::{Columns, Findings, every_state};

fn columns(letters: &[Vec<Letter>], disabled: &[bool]) -> Columns {
    let column = |(at, letters): (usize, &Vec<Letter>)| -> Vec<Seen> {
        letters.iter().map(|letter| seen(at, *letter, disabled)).collect()
    };
    letters.iter().enumerate().map(column).collect()
}

/// Is this the larger run?
fn everything() -> bool {
    std::env::var_os("ENUMERATE").is_some_and(|what| what == "all")
}

/// Who is counted out by all: everybody's agreement, in every way that leaves somebody.
fn agreements(size: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..(1_usize << size) - 1).map(move |out| (0..size).map(|at| out >> at & 1 == 1).collect())
}

/// Judges all states of all columns, and counts them.
fn all_states(name: &str, states: usize, all: impl Iterator<Item = Columns>, policies: &[Policy]) {
    let mut found = Findings::default();
    all.for_each(|columns| found.add(every_state(&columns, policies)));
    found.report(name);
    assert_eq!(found.states, states, "another alphabet? then say so here");
}

fn unsaid() -> [Policy; 1] {
    [Policy::default()]
}

#[test]
fn two_members() {
    let (letters, states) =
        if everything() { (modified(&full(2), 2), 116_748_025) } else { (less(modified(&full(2), 2)), 13_082_689) };
    all_states("two members", states, [columns(&vec![letters; 2], &[false; 2])].into_iter(), &unsaid());
}

/// Two members, each of which may count the other out, as long as both do.
#[test]
fn two_members_apart() {
    let letters = less(modified(&full(2), 2));
    let apart = [[true, false], [false, true]].into_iter().map(|disabled| {
        let ours: Vec<Letter> = letters.iter().copied().step_by(if everything() { 1 } else { 3 }).collect();
        columns(&vec![ours; 2], &disabled)
    });
    all_states("two members apart", if everything() { 2 * 13_082_689 } else { 2_908_872 }, apart, &unsaid());
}

#[test]
fn three_members() {
    let all = agreements(3).map(|disabled| columns(&vec![smaller(); 3], &disabled));
    all_states("three members", 7 * 1_728_000, all, &unsaid());
}

/// Three members, one of which is in maintenance, or shows the mark of a transfer, or gave no files; any of them in the
/// larger run.
#[test]
fn three_members_one_of_which_is_different() {
    let plain = smaller();
    let all = modified(&plain, 3);
    let other: Vec<Letter> = all.iter().copied().filter(|letter| !plain.contains(letter)).collect();
    if everything() {
        let all = [columns(&vec![all; 3], &[false; 3])].into_iter();
        return all_states("three members, all different", 144_703_125, all, &unsaid());
    }
    let one_different = (0..3).map(|one| {
        let of = |at: usize| if at == one { other.clone() } else { plain.clone() };
        columns(&(0..3).map(of).collect::<Vec<_>>(), &[false; 3])
    });
    all_states("three members, one different", 17_496_000, one_different, &unsaid());
}

#[test]
fn four_members() {
    let all = [columns(&vec![smallest(4); 4], &[false; 4])].into_iter();
    all_states("four members", 234_256, all, &unsaid());
}

#[test]
fn five_members() {
    let all = [columns(&vec![smallest(5); 5], &[false; 5])].into_iter();
    all_states("five members", 5_153_632, all, &unsaid());
}

#[test]
fn forks() {
    all_states("forks", 362_952, (2..=3).map(points::forks), &unsaid());
}

#[test]
fn stops() {
    all_states("stops", 93_150, (2..=3).map(points::stops), &unsaid());
}

#[test]
fn failures() {
    all_states("failures", 99_452, (2..=3).map(points::failures), &unsaid());
}

#[test]
fn floors() {
    all_states("floors", 305_252, (2..=3).map(points::floors), &unsaid());
}

#[test]
fn lives_without_galera() {
    let all = (2..=3).flat_map(agreements).map(|out| points::standalone(&out));
    all_states("lives without Galera", 211_420, all, &unsaid());
}

#[test]
fn arbitrators() {
    let all = (2..=3).flat_map(agreements).map(|out| points::arbitrators(&out));
    all_states("arbitrators", 125_060, all, &unsaid());
}

#[test]
fn memories() {
    let all = (2..=3).flat_map(agreements).map(|out| points::memories(&out));
    all_states("memories", 1_600_030, all, &unsaid());
}

#[test]
fn components() {
    let policies = [false, true].map(|split_confirmed| Policy { split_confirmed, ..Policy::default() });
    all_states("components", 149_144, (2..=3).map(points::primaries), &policies);
}

#[test]
fn one_sided_disabling() {
    let all = (2..=3).flat_map(|size| (0..1_usize << size).map(move |enabled| points::disables(enabled, size)));
    all_states("one-sided disabling", 288_652, all, &unsaid());
}

#[test]
fn what_an_operator_says_to_two() {
    let all = agreements(2).map(|out| points::said(&out));
    all_states("words to two", 166_656, all, &points::words(2));
}

#[test]
fn what_an_operator_says_to_three() {
    let all = agreements(3).map(|out| points::said_to_many(&out));
    all_states("words to three", 3_354_624, all, &points::words(3));
}

/// All histories of at most so many events, four unless `DEPTH` says otherwise.
fn true_histories_of(beginning: World, act: bool, name: &str) {
    let depth = std::env::var("DEPTH").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let events: fn(&Event) -> bool = |event| !matches!(event, Event::TearState(_));
    let found = worlds::histories(vec![beginning], worlds::Limits { depth, losses: &[0, 2], events, act });
    found.report(name);
    // Views do form again, also where somebody is silent.
    let reforms = found.answers.get("Reform").copied().unwrap_or_default();
    assert!(depth < 3 || reforms * 1000 > found.decisions, "{reforms} views form again");
    // What is decided is done, so their number depends on the answers.
    assert!(depth < 4 || found.worlds > 20_000, "{} worlds", found.worlds);
}

#[test]
fn true_histories() {
    true_histories_of(World::new(3), true, "true histories");
}

#[test]
fn true_histories_without_records() {
    true_histories_of(World::new(3).without_records(), false, "true histories without records");
}

#[test]
fn true_histories_with_an_arbitrator() {
    true_histories_of(World::with_arbitrator(3), true, "true histories with an arbitrator");
}

/// It was alone and wrote that down, and was alone again when nobody wrote; then a power cut tore its view: the old record
/// says nothing of the new view, and whoever left last but one holds more.
#[test]
fn an_old_record_beside_a_torn_view() {
    use Event::{Commit, Crash, Join, Leave, Supervise, TearView};
    let crash = Crash { lost: vec![(0, 2)] };
    let commit = Commit { slow: None };
    let events = [Leave(1), Leave(2), Supervise(0), Join(1), Join(2), commit, Leave(2), Leave(1), crash, TearView(0)];
    let world = events.iter().fold(World::new(3), |world, event| world.after(event).expect("it can happen"));
    let limits = worlds::Limits { depth: 1, losses: &[0], events: |_| true, act: true };
    worlds::histories(vec![world], limits).report("an old record beside a torn view");
}
