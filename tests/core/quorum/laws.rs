//! Laws for any number of members.

use pfcluster_core::quorum::{Tally, ViewChange, Voter, alive_quorum, what_if};
use pfcluster_tests::property_config;
use proptest::prelude::*;

use super::{Set, Weights, all, groups, host, hosts, voters};

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Leaves,
    Crashes,
    CutOff,
}

fn weight() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![6 => (0..4_u8).prop_map(Some), 2 => any::<u8>().prop_map(Some), 1 => Just(None)]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Stays), Just(Fate::Leaves), Just(Fate::Crashes), Just(Fate::CutOff)]
}

fn world() -> impl Strategy<Value = (Weights, Vec<Fate>)> {
    (1..24_usize).prop_flat_map(|count| (prop::collection::vec(weight(), count), prop::collection::vec(fate(), count)))
}

/// Those who stay, with whether they are primary.
fn stays_primary(weights: &[Option<u8>], fates: &[Fate]) -> bool {
    let set = |fate: Fate| {
        let with = fates.iter().enumerate().filter(|(_, other)| **other == fate);
        with.fold(0 as Set, |set, (number, _)| set | 1 << number)
    };
    let split = vec![hosts(set(Fate::Stays)), hosts(set(Fate::CutOff))];
    let change = ViewChange { down: hosts(set(Fate::Crashes)), left: hosts(set(Fate::Leaves)), split: Some(split) };
    let answer = what_if(&voters(weights), &[change]).expect("a change that can happen");
    groups(answer.last()).contains(&(set(Fate::Stays), true))
}

proptest! {
    #![proptest_config(property_config())]

    /// Who said goodbye instead of crashing, or stayed instead of going, never costs the others their quorum.
    #[test]
    fn more_that_stay_are_never_worse((weights, fates) in world(), at in any::<prop::sample::Index>()) {
        let at = at.index(fates.len());
        let better = match fates[at] {
            Fate::Crashes | Fate::CutOff => Fate::Leaves,
            Fate::Leaves | Fate::Stays => Fate::Stays,
        };
        let mut others = fates.clone();
        others[at] = better;
        prop_assert!(!stays_primary(&weights, &fates) || stays_primary(&weights, &others), "{at}");
    }

    /// Being cut off is as bad as a crash, for those who stay.
    #[test]
    fn who_is_cut_off_counts_as_crashed((weights, fates) in world()) {
        let crash = |fate: &Fate| if *fate == Fate::CutOff { Fate::Crashes } else { *fate };
        let crashed: Vec<Fate> = fates.iter().map(crash).collect();
        prop_assert_eq!(stays_primary(&weights, &fates), stays_primary(&weights, &crashed));
    }

    /// With equal weights and nobody leaving, Galera's first answer is the alive quorum of the guide.
    #[test]
    fn equal_weights_count_heads(
        count in 1..24_usize,
        weight in prop_oneof![Just(None), (1..=u8::MAX).prop_map(Some)],
        cut in any::<Set>(),
    ) {
        let cut = cut & all(count);
        let change = ViewChange { split: Some(vec![hosts(cut), hosts(all(count) & !cut)]), ..ViewChange::default() };
        let answer = what_if(&voters(&vec![weight; count]), &[change]).expect("a change that can happen");
        for (group, is_primary) in groups(answer.last()) {
            prop_assert_eq!(is_primary, alive_quorum(group.count_ones() as usize, count).has_quorum());
        }
    }

    /// The order in which things are named makes no difference.
    #[test]
    fn order_of_names_is_nothing(cut in any::<u8>(), down in any::<u8>(), left in any::<u8>()) {
        let (down, left) = (Set::from(down), Set::from(left & !down));
        let up = all(8) & !down & !left;
        let cut = up & Set::from(cut);
        let reversed = |set: Set| hosts(set).into_iter().rev().collect::<Vec<_>>();
        let one = ViewChange { down: hosts(down), left: hosts(left), split: Some(vec![hosts(cut), hosts(up & !cut)]) };
        let split = Some(vec![reversed(up & !cut), reversed(cut)]);
        let other = ViewChange { down: reversed(down), left: reversed(left), split };
        let voters = voters(&[Some(1); 8]);
        prop_assert_eq!(what_if(&voters, &[one]), what_if(&voters, &[other]));
    }

    #[test]
    fn two_halves_never_have_an_alive_quorum_both(alive in any::<usize>(), enabled in any::<usize>()) {
        let alive = alive.min(enabled);
        let (here, there) = (alive_quorum(alive, enabled), alive_quorum(enabled - alive, enabled));
        prop_assert!(!(here.has_quorum() && there.has_quorum()));
        prop_assert_eq!(here.has_quorum(), alive as u128 * 2 > enabled as u128);
        prop_assert_eq!(here == there, alive as u128 * 2 == enabled as u128);
        prop_assert!(!here.has_quorum() || alive == enabled || alive_quorum(alive + 1, enabled).has_quorum());
    }
}

/// The share of the votes that answers show is what decides, although Galera counts otherwise.
#[test]
fn the_share_that_is_shown_decides() {
    let change = ViewChange { down: vec![host(1)], left: vec![host(0)], split: None };
    let answer = what_if(&voters(&[Some(1); 3]), &[change]).expect("a change that can happen");
    let tally: Tally = answer.last().groups[0].tally.expect("a sum decided");
    assert_eq!((tally.stayed, tally.left, tally.before, tally.sum()), (1, 1, 3, 3));
    assert!(!tally.has_quorum() && tally.is_even());
    assert_eq!(tally.to_string(), "1 of 2 votes, half is not enough (1 vote left gracefully, and no longer counts)");
    for before in 0..8 {
        for (left, stayed) in (0..=before).flat_map(|left| (0..=before - left).map(move |stayed| (left, stayed))) {
            let mut tally = Tally::default();
            (tally.stayed, tally.left, tally.before) = (stayed, left, before);
            let text = tally.to_string();
            assert!(text.starts_with(&format!("{stayed} of {} vote", before - left)), "{text}");
            assert_eq!(text.contains("more than half"), tally.has_quorum(), "{text}");
            assert_eq!(text.contains("half is not enough"), tally.is_even(), "{text}");
            assert_eq!(2 * stayed > before - left, tally.has_quorum(), "{text}");
        }
    }
}

/// Thousands of members in as many groups have an answer.
#[test]
fn size_is_no_obstacle() {
    let voters: Vec<Voter> = (0..3_000).map(|number| Voter::new(host(number))).collect();
    let apart =
        ViewChange { split: Some((0..3_000).map(|number| vec![host(number)]).collect()), ..ViewChange::default() };
    let together = ViewChange { split: Some(vec![(0..3_000).map(host).collect()]), ..ViewChange::default() };
    let answer = what_if(&voters, &[apart, together]).expect("changes that can happen");
    assert_eq!(answer.after[0].groups.len(), 3_000);
    assert!(answer.after[0].primary().is_none());
    let tolerance = answer.last().tolerance.as_ref().expect("all are primary again");
    assert_eq!((tolerance.crash_at_once, tolerance.crash_in_turn, tolerance.leave), (1_499, 2_998, 2_999));
    assert_eq!((tolerance.any_fatal, &tolerance.fatal), (Some(1_500), &None));
}
