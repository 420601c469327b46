//! Who has quorum: which members have a database that works when servers go down or the network splits.
//!
//! # The rules
//!
//! 1. PacketFence's **alive quorum** (guide 8.1): more than half of the enabled members are on line. Exactly half is
//!    none. [`alive_quorum`]
//! 2. The database goes by Galera's **primary component**: the members that had quorum together last. When some of them
//!    go, those that still see each other stay primary if
//!
//!    `2 * w(those that stayed) + w(those that left gracefully) > w(the primary component before)`
//!
//!    with `w` the sum of their weights (`pc.weight`, 0 to 255, by default 1). Equality is no quorum. Members that shut
//!    their database down said so before, so they count once: a cluster that is shut down member by member stays
//!    primary to the last one, one that crashes member by member loses quorum when one of the last two goes. [`Tally`]
//! 3. Only members of the primary component count in the sum, and only a primary view makes a new primary component.
//!    So after a crash the next one is measured against what was left, not against cluster.conf.
//! 4. If one of these weights is unknown, all of them count 1.
//! 5. Who sees the primary component joins it. Who does not is read-only (Galera: non-primary).
//! 6. Once nobody is primary, the sum is not asked any more: the primary component re-forms by itself when **all** its
//!    members, those that were in the last primary view, see each other again. A majority of them does not do.
//!
//! Members that leave while the network splits said goodbye to everybody, so they count for each of the groups. There
//! are still never two primary groups: twice the weight of both, and twice that of the leavers, would be more than twice
//! the weight of all.
//!
//! # What if
//!
//! [`what_if`] follows a healthy cluster through [`ViewChange`]s. Everything in one change happens at once, as far as
//! Galera is concerned: within the few seconds in which it waits for silent members (`evs.suspect_timeout`, 5 s). The
//! cluster has settled before the next change begins. Who went down stays down. A split lasts until another one
//! takes its place; a split into one group heals it.
//!
//! # Where the guide differs
//!
//! The guide (4.1) counts the configured servers, and says (4.2) that the last of several that are shut down is
//! read-only. Galera compares with the last primary component, and keeps the survivor of graceful leaves primary
//! (measured). The answers say what Galera does, and point out where the guide says something else. PacketFence 7.2 and
//! earlier did what the guide says, through a notify command (`generate mariadb --readonly-hook` brings it back).
//!
//! The other settings that bear on quorum are left as they are by default, as PacketFence leaves them:
//! `pc.ignore_quorum` and `pc.ignore_sb` off, `pc.recovery` on.

mod change;
mod components;
mod feature;
mod outcome;
mod reason;
mod tally;
mod tolerance;

use std::cmp::Ordering;
use std::str::FromStr;

use serde::Serialize;

use crate::cluster::Hostname;

pub use change::{ChangeError, ViewChange};
pub use components::{WhatIf, WhatIfError, what_if};
pub use feature::{Availability, Feature, Provision};
pub use outcome::{Absence, Absent, Group, Outcome, State};
pub use reason::Reason;
pub use tally::Tally;
pub use tolerance::Tolerance;

/// How much of the cluster is alive, as PacketFence counts (guide 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AliveQuorum {
    /// More than half of the enabled members: quorum.
    Majority,
    /// Exactly half: no quorum, as the other half may be alive elsewhere.
    Half,
    /// Fewer than half: no quorum.
    Minority,
}

impl AliveQuorum {
    /// True for more than half.
    pub fn has_quorum(self) -> bool {
        self == AliveQuorum::Majority
    }
}

/// Whether `alive` of `enabled` members are an alive quorum (guide 8.1): on line and reachable, whatever they run.
///
/// Disabled members count in neither number. A member that did not answer is not known to be alive, but not known to be
/// down either: who has no alive quorum without it has to wait for it, not to act against it.
pub fn alive_quorum(alive: usize, enabled: usize) -> AliveQuorum {
    match alive.cmp(&enabled.saturating_sub(alive)) {
        Ordering::Greater => AliveQuorum::Majority,
        Ordering::Equal => AliveQuorum::Half,
        Ordering::Less => AliveQuorum::Minority,
    }
}

/// A member's weight in Galera's sum: `pc.weight`, 0 to 255, without a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u8);

impl Weight {
    /// What every member has that is not set otherwise, an arbitrator (garbd) too.
    pub const DEFAULT: Weight = Weight(1);

    /// The weight of this number.
    pub const fn new(weight: u8) -> Weight {
        Weight(weight)
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Weight {
        Weight::DEFAULT
    }
}

/// Why a text is no [`Weight`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a weight is a number from 0 to 255")]
pub struct WeightError;

impl FromStr for Weight {
    type Err = WeightError;

    fn from_str(text: &str) -> Result<Weight, WeightError> {
        // `parse` takes a sign, Galera does not.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Weight).ok_or(WeightError)
    }
}

/// A member of the database cluster: a server, or an arbitrator, which counts as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Its name.
    pub host: Hostname,
    /// Its weight; `None` if it is unknown (very old versions of Galera do not tell it).
    pub weight: Option<Weight>,
}

impl Voter {
    /// A member of the default weight.
    pub fn new(host: Hostname) -> Voter {
        Voter { host, weight: Some(Weight::DEFAULT) }
    }
}
