//! Every small world: all that can happen to a few members, once, twice, three times.

use pfcluster_core::quorum::{Outcome, Reason, ViewChange, Voter, alive_quorum, what_if};

use super::galera::Galera;
use super::{Change, absent, all, every_weights, groups, hosts, voters};

const WEIGHTS: [Option<u8>; 4] = [Some(0), Some(1), Some(2), None];

/// Follows all sequences of up to `deep` changes. The number of outcomes that were compared.
fn sweep(weights: &[Option<u8>], deep: usize) -> usize {
    let voters = voters(weights);
    let start = World { voters: &voters, galera: Galera::healthy(weights), path: Vec::new(), crashed: 0, left: 0 };
    start.follow(deep)
}

struct World<'v> {
    voters: &'v [Voter],
    galera: Galera,
    path: Vec<ViewChange>,
    crashed: u32,
    left: u32,
}

impl World<'_> {
    fn follow(&self, deep: usize) -> usize {
        if deep == 0 {
            return 0;
        }
        let up = all(self.voters.len()) & !self.crashed & !self.left;
        let every = Change::every(up);
        every.iter().map(|change| 1 + self.after(change).follow(deep - 1)).sum()
    }

    fn after(&self, change: &Change) -> World<'_> {
        let mut galera = self.galera.clone();
        galera.apply(change);
        let mut path = self.path.clone();
        path.push(change.view_change());
        let world = World {
            voters: self.voters,
            galera,
            path,
            crashed: self.crashed | change.down,
            left: self.left | change.left,
        };
        let outcome = world.outcome();
        let seen = groups(&outcome);
        assert_eq!(seen, world.galera.groups(), "{:?} {:?}", world.voters, world.path);
        assert!(seen.iter().filter(|(_, is_primary)| *is_primary).count() <= 1, "{:?} {:?}", world.voters, world.path);
        assert_eq!(absent(&outcome), (world.crashed, world.left), "{:?}", world.path);
        world.is_told_completely(&outcome);
        self.lasts(change, &world, &outcome);
        world
    }

    fn outcome(&self) -> Outcome {
        let answer = what_if(self.voters, &self.path).expect("a change that can happen");
        answer.last().clone()
    }

    /// A split that stays as it is needs not be said.
    fn lasts(&self, change: &Change, after: &World<'_>, outcome: &Outcome) {
        let gone = change.down | change.left;
        let remaining = self.galera.groups().into_iter().map(|(group, _)| group & !gone).filter(|&group| group != 0);
        let mut remaining: Vec<u32> = remaining.collect();
        remaining.sort_by_key(|group| group.trailing_zeros());
        if remaining == change.groups {
            let mut path = after.path.clone();
            path.last_mut().expect("the change").split = None;
            let answer = what_if(self.voters, &path).expect("a change that can happen");
            assert_eq!(answer.last(), outcome, "{path:?}");
        }
    }

    /// Tolerance with a primary component, a remedy and a reason without one; the guide's counting is pointed out where
    /// it differs, and only there.
    fn is_told_completely(&self, outcome: &Outcome) {
        let has_primary = outcome.primary().is_some();
        assert_eq!(outcome.tolerance.is_some(), has_primary, "{:?}", self.path);
        assert_eq!(outcome.remedy.is_empty(), has_primary, "{:?}", self.path);
        let why_nobody = |reason: &Reason| matches!(reason, Reason::NotWhole { .. } | Reason::NobodyUp);
        let says_why_nobody = outcome.reasons.iter().any(why_nobody);
        assert_eq!(says_why_nobody, !has_primary, "{:?}", self.path);
        let enabled = self.voters.len();
        let is_told = |&(set, is_primary): &(u32, bool)| {
            alive_quorum(set.count_ones() as usize, enabled).has_quorum() != is_primary
        };
        let differs = groups(outcome).iter().filter(|group| is_told(group)).count();
        let told = outcome.reasons.iter().filter(|reason| matches!(reason, Reason::GuideDiffers { .. })).count();
        assert_eq!(told, differs, "{:?}", self.path);
        for group in outcome.groups.iter().filter(|group| group.tally.is_some()) {
            let tally = group.tally.expect("it was asked for");
            let is_primary = Some(group) == outcome.primary();
            assert_eq!(tally.has_quorum(), is_primary, "{:?}", self.path);
        }
    }
}

#[test]
fn every_change_of_up_to_five_members() {
    let upto_four = (1..=4).flat_map(|count| every_weights(&WEIGHTS, count));
    let five = every_weights(&WEIGHTS, 5).into_iter().filter(|weights| weights.is_sorted());
    let compared: usize = upto_four.chain(five).map(|weights| sweep(&weights, 1)).sum();
    assert_eq!(compared, 78_940);
}

#[test]
fn every_two_changes_of_up_to_four_members() {
    let upto_three = (1..=3).flat_map(|count| every_weights(&WEIGHTS, count));
    let four = every_weights(&WEIGHTS[1..], 4);
    let all_sorted = upto_three.chain(four).filter(|weights| weights.is_sorted());
    let compared: usize = all_sorted.map(|weights| sweep(&weights, 2)).sum();
    assert_eq!(compared, 75_532);
}

#[test]
fn every_two_changes_of_five_members() {
    let compared: usize = [[1; 5], [0, 1, 1, 2, 2]].iter().map(|weights| sweep(&weights.map(Some), 2)).sum();
    assert_eq!(compared, 135_288);
}

#[test]
fn every_three_changes_of_up_to_four_members() {
    let upto_three = (1..=3).flat_map(|count| every_weights(&WEIGHTS, count)).filter(|weights| weights.is_sorted());
    let compared: usize = upto_three.chain([vec![Some(1); 4]]).map(|weights| sweep(&weights, 3)).sum();
    assert_eq!(compared, 139_507);
}

/// What is asked of one who never heard of it: who is up stands where it was put.
#[test]
fn groups_stand_in_the_order_of_the_members() {
    let change = Change { groups: vec![0b01010, 0b10101], ..Change::default() };
    let answer = what_if(&voters(&[Some(1); 5]), &[change.view_change()]).expect("a change that can happen");
    let groups: Vec<_> = answer.last().groups.iter().map(|group| group.members.clone()).collect();
    assert_eq!(groups, [hosts(0b10101), hosts(0b01010)]);
}
