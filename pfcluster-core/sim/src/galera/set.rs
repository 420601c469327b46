//! Small sets of members.

use std::fmt;

/// A member's place in cluster.conf, from 0.
pub type Place = usize;

/// A set of members: at most eight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Set(u8);

impl Set {
    /// Nobody.
    pub const NOBODY: Set = Set(0);

    /// The first `n` members.
    pub const fn first(n: usize) -> Set {
        Set(if n >= 8 { 0xff } else { (1 << n) - 1 })
    }

    /// One member.
    pub const fn of(place: Place) -> Set {
        Set(1 << place)
    }

    /// True if the member is in it.
    pub const fn contains(self, place: Place) -> bool {
        self.0 >> place & 1 == 1
    }

    /// This set and another.
    #[must_use]
    pub const fn and(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, place: Place) -> Set {
        self.and(Set::of(place))
    }

    /// This set without another.
    #[must_use]
    pub const fn without(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }

    /// Who is in both.
    #[must_use]
    pub const fn common(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// True for nobody.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if everybody in it is in the other.
    pub const fn is_within(self, other: Set) -> bool {
        self.0 & !other.0 == 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = Place> {
        (0..8).filter(move |&place| self.contains(place))
    }

    /// Every subset, nobody first.
    pub fn subsets(self) -> impl Iterator<Item = Set> {
        (0..=u8::MAX).map(Set).filter(move |subset| subset.is_within(self))
    }
}

impl FromIterator<Place> for Set {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Set {
        places.into_iter().fold(Set::NOBODY, Set::with)
    }
}

impl<const N: usize> From<[Place; N]> for Set {
    fn from(places: [Place; N]) -> Set {
        places.into_iter().collect()
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nobody");
        }
        let names: Vec<String> = self.iter().map(|place| format!("pf{}", place + 1)).collect();
        f.write_str(&names.join("+"))
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
