//! Galera's sum for one view change.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use super::Weight;

/// The numbers that decide whether a group stays primary (gcomm `pc_proto.cpp`, `have_quorum`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// The weight of the members that stayed.
    pub stayed: u64,
    /// The weight of those that left gracefully.
    pub left: u64,
    /// The weight of the primary component before.
    pub before: u64,
}

impl Tally {
    /// What is compared with [`Tally::before`].
    pub fn sum(self) -> u64 {
        2 * self.stayed + self.left
    }

    /// True if the group stays primary.
    pub fn has_quorum(self) -> bool {
        self.compared() == Ordering::Greater
    }

    /// True if one more would do: neither side of such a split knows whether it is the bigger one.
    pub fn is_even(self) -> bool {
        self.compared() == Ordering::Equal
    }

    fn compared(self) -> Ordering {
        self.sum().cmp(&self.before)
    }
}

/// The share of the votes that are left: `2 of 3 votes, more than half`. Votes that left gracefully are out of the count on both
/// sides, which is the same comparison.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { stayed, left, before } = self;
        let whole = before.saturating_sub(*left);
        let share = match self.compared() {
            Ordering::Greater => "more than half",
            Ordering::Equal => "half is not enough",
            Ordering::Less => "less than half",
        };
        write!(f, "{stayed} of {whole} {}, {share}", if whole == 1 { "vote" } else { "votes" })?;
        match left {
            0 => Ok(()),
            1 => f.write_str(" (1 vote left gracefully, and no longer counts)"),
            left => write!(f, " ({left} votes left gracefully, and no longer count)"),
        }
    }
}

/// How the members of a primary component count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    /// By their weights.
    Known,
    /// All the same: somebody's weight is unknown.
    OneEach,
}

impl Weights {
    /// How members of these weights count.
    pub(super) fn of(mut weights: impl Iterator<Item = Option<Weight>>) -> Weights {
        if weights.all(|weight| weight.is_some()) { Weights::Known } else { Weights::OneEach }
    }

    /// What one of them counts.
    pub(super) fn of_one(self, weight: Option<Weight>) -> u64 {
        match self {
            Weights::Known => u64::from(weight.unwrap_or_default().get()),
            Weights::OneEach => 1,
        }
    }

    /// What several of them count together.
    pub(super) fn of_all(self, weights: impl Iterator<Item = Option<Weight>>) -> u64 {
        weights.map(|weight| self.of_one(weight)).sum()
    }
}
