//! gvwstate.dat: the last primary view a database was in. It is there while the server runs in a primary component and
//! after a crash (guide 4.3); a clean stop removes it.

use std::fmt;

use super::Uuid;

/// The name of a view. The number starts again with each new cluster: names can be told apart, never put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ViewId {
    /// The node that named it.
    pub uuid: Uuid,
    /// Its number.
    pub seq: u32,
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.uuid, self.seq)
    }
}

/// What gvwstate.dat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gvwstate {
    /// This node.
    pub my_uuid: Uuid,
    /// The view's name.
    pub view: ViewId,
    /// True if the view began with a bootstrap.
    pub bootstrap: bool,
    /// The nodes in the view, sorted, without repetitions.
    pub members: Vec<Uuid>,
}
