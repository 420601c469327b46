//! What can be rehearsed, and on which members.

use serde::Serialize;

use crate::galera::{Place, Set};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;

/// As many members as the model knows.
pub const MOST: usize = 8;

/// A bad day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scenario {
    /// The power of all goes at one moment; each comes back in its own time.
    PowerCut,
    /// All are shut down in this order, and switched on together.
    GracefulShutdown {
        /// All members.
        order: Vec<Hostname>,
    },
    /// The power of these goes at one moment, and does not come back.
    Lose {
        /// Some members.
        hosts: Vec<Hostname>,
    },
    /// The network falls apart into these groups for a minute.
    Partition {
        /// Every member is in one of them.
        groups: Vec<Vec<Hostname>>,
    },
    /// The guide's 8.4 for so many members: the last one is detached and upgraded, service moves to it, the others join it anew.
    Upgrade,
    /// A member is cut off and made primary by hand; then the network is whole again.
    SplitBrain,
    /// Hosts and networks fail by the seed's choice; then all is mended.
    Random,
}

/// Why a scenario can't be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrillError {
    /// The model knows 2 to [`MOST`] members.
    #[error("a drill needs 2 to {MOST} enabled members of the database, and there are {0}")]
    Members(usize),
    /// A member is named twice.
    #[error("{0} is named twice")]
    Twice(Hostname),
    /// No member of the setting.
    #[error("{0} is no enabled member of the database")]
    Unknown(Hostname),
    /// Members are not named.
    #[error("{} {} not named", and(.0), if .0.len() == 1 { "is" } else { "are" })]
    Missing(Vec<Hostname>),
    /// Nobody is named, in the list or in a group.
    #[error("no member is named")]
    Nobody,
    /// All members are lost.
    #[error("no member is left")]
    NobodyLeft,
    /// The rules of others know no words.
    #[error("an upgrade needs words that only our supervisors understand")]
    OnlyOurs,
    /// The network does not fall apart.
    #[error("one group is no partition")]
    OneGroup,
}

/// A scenario with places for names.
pub(super) enum Script {
    PowerCut,
    GracefulShutdown(Vec<Place>),
    Lose(Set),
    Partition(Vec<Set>),
    Upgrade,
    SplitBrain,
    Random,
}

impl Scenario {
    pub(super) fn resolve(&self, members: &[Hostname]) -> Result<Script, DrillError> {
        if !(2..=MOST).contains(&members.len()) {
            return Err(DrillError::Members(members.len()));
        }
        Ok(match self {
            Scenario::PowerCut => Script::PowerCut,
            Scenario::Upgrade => Script::Upgrade,
            Scenario::SplitBrain => Script::SplitBrain,
            Scenario::Random => Script::Random,
            Scenario::GracefulShutdown { order } => {
                let order = places(order, members, Set::NOBODY)?;
                all(order.iter().copied().collect(), members)?;
                Script::GracefulShutdown(order)
            }
            Scenario::Lose { hosts } => {
                let lost: Set = places(hosts, members, Set::NOBODY)?.into_iter().collect();
                if lost.len() == members.len() {
                    return Err(DrillError::NobodyLeft);
                }
                Script::Lose(lost)
            }
            Scenario::Partition { groups } => {
                let mut known = Set::NOBODY;
                let mut parts = Vec::new();
                for group in groups {
                    let part: Set = places(group, members, known)?.into_iter().collect();
                    known = known.and(part);
                    parts.push(part);
                }
                all(known, members)?;
                if parts.len() < 2 {
                    return Err(DrillError::OneGroup);
                }
                Script::Partition(parts)
            }
        })
    }
}

/// The places of these, each named once, and none of them known before.
fn places(hosts: &[Hostname], members: &[Hostname], mut known: Set) -> Result<Vec<Place>, DrillError> {
    let mut places = Vec::new();
    for host in hosts {
        let place = members.iter().position(|other| other == host).ok_or_else(|| DrillError::Unknown(host.clone()))?;
        if known.contains(place) {
            return Err(DrillError::Twice(host.clone()));
        }
        known = known.with(place);
        places.push(place);
    }
    if places.is_empty() { Err(DrillError::Nobody) } else { Ok(places) }
}

fn all(named: Set, members: &[Hostname]) -> Result<(), DrillError> {
    let missing: Vec<Hostname> =
        members.iter().enumerate().filter(|(place, _)| !named.contains(*place)).map(|(_, host)| host.clone()).collect();
    if missing.is_empty() { Ok(()) } else { Err(DrillError::Missing(missing)) }
}
