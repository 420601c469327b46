//! What must hold whatever happens, checked where it could break.

use std::fmt;

use super::{Cluster, Event, Place, Set};

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Broken {
    /// An election made a second primary component.
    TwoPrimaries,
    /// An election went on from this member without a commit that was acknowledged and that another member holds.
    LostCommit(Place, Event, Place),
    /// An election let this member join, though it holds an acknowledged commit that the component does not have.
    JoinLoses(Place, Event),
    /// A primary component has the zero UUID.
    ZeroUuid(Place),
}

impl Cluster {
    /// An election has made this member the first of a new primary component.
    pub(super) fn check_start(&mut self, first: Place) {
        if self.forces > 0 {
            return;
        }
        let others = self.primaries().into_iter().filter(|view| !view.members.contains(first));
        if others.count() > 0 {
            self.broken.push(Broken::TwoPrimaries);
        }
        if let Some((event, holder)) = self.held_elsewhere(first) {
            self.broken.push(Broken::LostCommit(first, event, holder));
        }
    }

    /// An acknowledged commit that is not in this member's rows, and who holds it in rows that can be trusted.
    fn held_elsewhere(&self, first: Place) -> Option<(Event, Place)> {
        let is_lost = |event: &Event| {
            let gone = !self.rows(first).is_some_and(|rows| rows.has(*event));
            gone && !self.given_up.contains(event)
        };
        let holder = |event: Event| {
            let holds =
                |other: &Place| self.is_trusted(*other) && self.rows(*other).is_some_and(|rows| rows.has(event));
            (0..self.members.len()).find(holds)
        };
        self.acknowledged.iter().copied().filter(is_lost).find_map(|event| Some((event, holder(event)?)))
    }

    /// An election lets this member join the component that it reaches.
    pub(super) fn check_join(&mut self, own: Place) {
        // Where there are two components, Galera lets it into neither.
        let synced: Set =
            (0..self.members.len()).filter(|&other| self.reaches(own, other) && self.is_synced(other)).collect();
        let Some(source) = synced.iter().next().filter(|&source| synced.is_within(self.group(source))) else { return };
        let (Some(rows), Some(group)) = (self.rows(own).filter(|_| self.is_trusted(own)), self.rows(source)) else {
            return;
        };
        let is_lost = |event: &&Event| rows.has(**event) && !group.has(**event);
        if let Some(&event) = self.acknowledged.iter().find(is_lost) {
            self.broken.push(Broken::JoinLoses(own, event));
        }
    }

    /// What is wrong with the cluster as it is, beyond what broke on the way.
    pub fn check(&mut self) {
        let zero = |&place: &Place| self.is_primary(place) && self.is_synced(place) && self.at(place).is_none();
        if let Some(place) = (0..self.members.len()).find(zero) {
            self.broken.push(Broken::ZeroUuid(place));
        }
        if self.forces == 0 && self.primaries().len() > 1 {
            self.broken.push(Broken::TwoPrimaries);
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::TwoPrimaries => f.write_str("there are two primary components"),
            Broken::LostCommit(first, event, holder) => {
                let (first, holder) = (first + 1, holder + 1);
                write!(f, "history went on from pf{first} without commit e{}, which pf{holder} holds", event.0)
            }
            Broken::JoinLoses(own, event) => write!(f, "pf{} joined and lost commit e{}", own + 1, event.0),
            Broken::ZeroUuid(place) => write!(f, "pf{} is primary with the zero UUID", place + 1),
        }
    }
}
