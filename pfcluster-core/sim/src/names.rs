//! What the members of a world are called.

use super::galera::evidence::host;
use super::galera::{Place, Set};
use pfcluster_core::cluster::Hostname;

/// The names of the members, by their places: the model's own, or those of a real cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names(Vec<Hostname>);

impl Names {
    /// Those of a real cluster.
    pub(super) fn new(names: Vec<Hostname>) -> Names {
        Names(names)
    }

    /// `pf1`, `pf2` and so on.
    pub(super) fn plain(members: usize) -> Names {
        Names((0..members).map(host).collect())
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> &[Hostname] {
        &self.0
    }

    /// The name of a member.
    pub(super) fn of(&self, place: Place) -> Hostname {
        self.0[place].clone()
    }

    /// The member of this name: whoever asks has it from here.
    pub(super) fn place(&self, host: &Hostname) -> Place {
        self.0.iter().position(|other| other == host).expect("a member of the world")
    }

    /// Several of them in one word.
    pub(super) fn joined(&self, set: Set) -> String {
        let names: Vec<&str> = set.iter().map(|place| self.0[place].as_str()).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join("+") }
    }
}
