//! What may fail next, against trying everything.

use std::collections::BTreeMap;

use pfcluster_core::quorum::{Tolerance, what_if};
use pfcluster_tests::property_config;
use proptest::prelude::*;

use super::{Set, Weights, all, every_weights, hosts, voters};

fn tolerance(weights: &[Option<u8>]) -> Tolerance {
    let answer = what_if(&voters(weights), &[]).expect("nothing happens");
    answer.before.tolerance.expect("all are primary")
}

/// Galera's sum: do `stay` remain primary when `left` leave and the rest of `component` crashes?
fn keeps(weights: &[Option<u8>], component: Set, stay: Set, left: Set) -> bool {
    let is_known = super::members(component).all(|number| weights[number].is_some());
    let sum = |set: Set| -> u32 {
        super::members(set).map(|number| if is_known { u32::from(weights[number].unwrap_or(0)) } else { 1 }).sum()
    };
    2 * sum(stay) + sum(left) > sum(component)
}

/// So many may go one after the other, in the worst order.
fn in_turn(weights: &[Option<u8>], component: Set, gracefully: bool, memory: &mut BTreeMap<Set, usize>) -> usize {
    if let Some(&known) = memory.get(&component) {
        return known;
    }
    let after_one = |member: usize, memory: &mut BTreeMap<Set, usize>| {
        let (stay, left) = (component & !(1 << member), if gracefully { 1 << member } else { 0 });
        if keeps(weights, component, stay, left) { 1 + in_turn(weights, stay, gracefully, memory) } else { 0 }
    };
    let worst = super::members(component).map(|member| after_one(member, memory)).min().expect("a member");
    memory.insert(component, worst);
    worst
}

fn assert_exact(weights: &[Option<u8>]) {
    let found = tolerance(weights);
    let everybody = all(weights.len());
    let is_fatal = |set: Set| set != 0 && !keeps(weights, everybody, everybody & !set, 0);
    let fatal: Vec<Set> = (1..=everybody).filter(|&set| is_fatal(set)).collect();
    let is_minimal = |set: &Set| super::members(*set).all(|member| !is_fatal(set & !(1 << member)));
    let mut minimal: Vec<_> =
        fatal.iter().copied().filter(is_minimal).map(|set| (set.count_ones(), hosts(set))).collect();
    minimal.sort_by_key(|(size, hosts)| (*size, hosts.iter().map(super::number).collect::<Vec<_>>()));
    let smallest = fatal.iter().map(|set| set.count_ones() as usize).min().expect("all of them");
    assert_eq!(found.crash_at_once, smallest - 1, "{weights:?}");
    let any = (1..=everybody).filter(|set| set.count_ones() as usize == smallest).all(is_fatal);
    assert_eq!(found.any_fatal, any.then_some(smallest), "{weights:?}");
    let sets: Vec<_> = minimal.into_iter().map(|(_, hosts)| hosts).collect();
    let listed = if sets.len() <= Tolerance::MOST_SETS { Some(sets) } else { None };
    assert_eq!(found.fatal, listed, "{weights:?}");
    assert_eq!(found.crash_in_turn, in_turn(weights, everybody, false, &mut BTreeMap::new()), "{weights:?}");
    assert_eq!(found.leave, in_turn(weights, everybody, true, &mut BTreeMap::new()), "{weights:?}");
}

#[test]
fn every_cluster_of_up_to_five() {
    let alphabet = [Some(0), Some(1), Some(2), Some(3), None];
    (1..=5).flat_map(|count| every_weights(&alphabet, count)).for_each(|weights| assert_exact(&weights));
}

#[test]
fn equal_weights_of_up_to_nine() {
    for (count, weight) in (1..=9).flat_map(|count| [(count, Some(1)), (count, Some(7)), (count, None)]) {
        let weights = vec![weight; count];
        assert_exact(&weights);
        let found = tolerance(&weights);
        assert_eq!(found.crash_at_once, (count - 1) / 2);
        assert_eq!(found.crash_in_turn, count.saturating_sub(2));
        assert_eq!(found.leave, count - 1);
    }
}

/// The longest list of seven members, and of any.
#[test]
fn seven_members_are_always_listed() {
    let three_of_seven = tolerance(&[Some(1); 7]).fatal.expect("they are listed");
    assert_eq!(three_of_seven.len(), Tolerance::MOST_SETS);
    assert_eq!(tolerance(&[Some(1); 8]).fatal, None);
}

fn weights(count: std::ops::Range<usize>) -> impl Strategy<Value = Weights> {
    let weight = prop_oneof![4 => (0..5_u8).prop_map(Some), 2 => any::<u8>().prop_map(Some), 1 => Just(None)];
    let known = prop::collection::vec((0..12_u8).prop_map(Some), count.clone());
    prop_oneof![known, prop::collection::vec(weight, count)]
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn exact_for_any_weights(weights in weights(1..10)) {
        assert_exact(&weights);
    }
}
