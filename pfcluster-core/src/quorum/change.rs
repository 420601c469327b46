//! One view change: who goes, and how, and whom the others see afterwards.

use serde::{Deserialize, Serialize};

use crate::cluster::Hostname;
use crate::decision::and;

/// What happens at once. The default is that nothing happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChange {
    /// These crash, or lose their power or their network for good.
    pub down: Vec<Hostname>,
    /// These shut their database down gracefully.
    pub left: Vec<Hostname>,
    /// The network splits into these groups. They hold every member that stays up, once. `None` leaves the network as
    /// it was.
    pub split: Option<Vec<Vec<Hostname>>>,
}

impl ViewChange {
    /// True if nothing happens.
    pub fn is_empty(&self) -> bool {
        self.down.is_empty() && self.left.is_empty() && self.split.is_none()
    }
}

/// Why something can't happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// Nobody has this name.
    #[error("{0} is not a member of the database cluster")]
    Unknown(Hostname),
    /// It went down or left in an earlier change.
    #[error("{0} is down already")]
    AlreadyDown(Hostname),
    /// It goes down and leaves, or stands twice in one list, or in two groups.
    #[error("{0} is named twice")]
    Twice(Hostname),
    /// It goes down or leaves, so no group has it.
    #[error("{0} goes down in this change, so no group of the split has it")]
    GoesDown(Hostname),
    /// These stay up, but stand in no group.
    #[error("the split does not say where {} {}", and(.0), if .0.len() == 1 { "is" } else { "are" })]
    Missing(Vec<Hostname>),
}

impl ChangeError {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            ChangeError::Unknown(_) => "unknown",
            ChangeError::AlreadyDown(_) => "already_down",
            ChangeError::Twice(_) => "twice",
            ChangeError::GoesDown(_) => "goes_down",
            ChangeError::Missing(_) => "missing",
        }
    }
}
