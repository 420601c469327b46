//! What a primary component survives.

use serde::Serialize;

use super::Weight;
use super::tally::Weights;
use crate::cluster::Hostname;

/// How many members of a primary component may go before quorum is lost, whichever they are.
///
/// A member that the network cuts off counts as crashed here, for the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tolerance {
    /// So many may crash at once, in one view change.
    pub crash_at_once: usize,
    /// So many may crash one after the other, with a primary view after each.
    pub crash_in_turn: usize,
    /// So many may leave gracefully, one after the other.
    pub leave: usize,
    /// Quorum is lost exactly if all members of one of these sets (or more) crash at once: none can be made smaller.
    /// Smaller sets come first, then those with earlier members. `None` if there are more than
    /// [`Tolerance::MOST_SETS`].
    pub fatal: Option<Vec<Vec<Hostname>>>,
    /// Any so many that crash at once are fatal, and no fewer; `None` if it matters which ones.
    pub any_fatal: Option<usize>,
}

impl Tolerance {
    /// More sets are not listed. Seven members never have more, whatever their weights (Sperner's theorem).
    pub const MOST_SETS: usize = 35;

    /// What these members survive, who are the whole primary component.
    pub(super) fn of(members: &[(Hostname, Option<Weight>)]) -> Tolerance {
        let count = Weights::of(members.iter().map(|&(_, weight)| weight));
        let mut weighted: Vec<(u64, usize)> =
            members.iter().enumerate().map(|(at, &(_, weight))| (count.of_one(weight), at)).collect();
        // The heaviest first; the sort keeps the order of equals.
        weighted.sort_by_key(|&(weight, _)| std::cmp::Reverse(weight));
        let weights: Vec<u64> = weighted.iter().map(|&(weight, _)| weight).collect();
        let known = weighted.iter().filter_map(|&(_, at)| members[at].1.map(|weight| u64::from(weight.get())));
        let mut known: Vec<u64> = known.collect();
        known.sort_unstable_by(|a, b| b.cmp(a));
        let sets = fatal_sets(&weighted);
        let hosts = |set: Vec<usize>| set.into_iter().map(|at| members[at].0.clone()).collect();
        Tolerance {
            crash_at_once: crash_at_once(&weights),
            crash_in_turn: crash_in_turn(members.len(), &known),
            leave: leave(members.len(), &known),
            fatal: sets.map(|sets| sets.into_iter().map(hosts).collect()),
            any_fatal: any_fatal(&weights),
        }
    }
}

/// What is left has quorum if twice the lost weight is less than the whole. The heaviest are the worst to lose.
fn crash_at_once(weights: &[u64]) -> usize {
    let whole: u64 = weights.iter().sum();
    let mut lost = 0;
    let survives = |weight: &&u64| {
        lost += **weight;
        2 * lost < whole
    };
    weights.iter().take_while(survives).count()
}

/// The size of every fatal set, if any members of that number are one.
fn any_fatal(weights: &[u64]) -> Option<usize> {
    let size = crash_at_once(weights) + 1;
    let lightest: u64 = weights.iter().rev().take(size).sum();
    (2 * lightest >= weights.iter().sum()).then_some(size)
}

/// The worst order: the next heaviest go one by one, until the heaviest is half of what is left; then that one goes.
/// While somebody of unknown weight is there, all count the same, and two members are the end of it. It may be worse to
/// lose those first, as the weights count from then on.
fn crash_in_turn(members: usize, known: &[u64]) -> usize {
    let unknown = members - known.len();
    let by_number = members.saturating_sub(2);
    let Some((heaviest, others)) = known.split_first() else { return by_number };
    let whole: u64 = known.iter().sum();
    let mut gone = 2 * heaviest;
    let steps = others.iter().take_while(|&&weight| {
        let survives = gone < whole;
        gone += weight;
        survives
    });
    by_number.min(unknown + steps.count())
}

/// Somebody of weight must stay, or nobody at all.
fn leave(members: usize, known: &[u64]) -> usize {
    let unknown = members - known.len();
    let heavy = known.iter().filter(|&&weight| weight > 0).count();
    let weightless = known.len() - heavy;
    match (heavy, unknown) {
        // The last of unknown weight leaves members without any: all count 1 in that change, and none in the next one.
        (0, _) if weightless > 0 => unknown,
        _ => (unknown + heavy).saturating_sub(1),
    }
}

/// The sets of members of at least half the weight, none of which can be made smaller, each in order. `None` if there
/// are too many. `members` are weights and places, the heaviest first.
///
/// A set is complete with the member that makes it heavy enough. That is its lightest, so it needs all the others too.
/// Nothing is tried that leads to no set, so the time is that of the sets that are found.
fn fatal_sets(members: &[(u64, usize)]) -> Option<Vec<Vec<usize>>> {
    // What each member and all after it weigh.
    let mut rest: Vec<u64> = members.iter().map(|&(weight, _)| weight).collect();
    (1..rest.len()).rev().for_each(|at| rest[at - 1] += rest[at]);
    let whole = rest.first().copied().unwrap_or_default();
    let is_fatal = |weight: u64| 2 * weight >= whole;

    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut set: Vec<usize> = Vec::new();
    let mut weight = 0;
    let mut next = 0;
    loop {
        if rest.get(next).is_some_and(|rest| is_fatal(weight + rest)) {
            set.push(next);
            weight += members[next].0;
            next += 1;
            if !is_fatal(weight) {
                continue;
            }
            if found.len() == Tolerance::MOST_SETS {
                return None;
            }
            let mut places: Vec<usize> = set.iter().map(|&at| members[at].1).collect();
            places.sort_unstable();
            found.push(places);
        }
        // On without the one that was taken last.
        let Some(last) = set.pop() else { break };
        weight -= members[last].0;
        next = last + 1;
    }
    found.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Some(found)
}
