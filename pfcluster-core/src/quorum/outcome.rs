//! How things stand after a view change.

use serde::Serialize;

use super::AliveQuorum;
use super::reason::Reason;
use super::tally::Tally;
use super::tolerance::Tolerance;
use crate::cluster::Hostname;
use crate::decision::Step;
use crate::form::{all_with_text, texts};

/// What a member's database is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has quorum: it reads and writes.
    Primary,
    /// It has none (Galera: non-primary). It answers reads, since PacketFence sets `wsrep_dirty_reads`, and refuses
    /// writes.
    ReadOnly,
    /// It does not run.
    Down,
}

impl State {
    /// All of them, best first.
    pub const ALL: [State; 3] = [State::Primary, State::ReadOnly, State::Down];
}

/// How a member went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Without a word: it crashed.
    Crashed,
    /// Gracefully.
    Left,
}

/// A member that is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Absent {
    /// Its name.
    pub host: Hostname,
    /// How it went.
    pub absence: Absence,
}

/// Members that see each other, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// The members, in order of cluster.conf.
    pub members: Vec<Hostname>,
    /// [`State::Primary`] or [`State::ReadOnly`], of all of them.
    pub state: State,
    /// The sum that decided it; `None` where no sum did.
    pub tally: Option<Tally>,
    /// How PacketFence counts them.
    pub alive_quorum: AliveQuorum,
}

/// The cluster after a view change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Who sees whom, in order of the first members.
    pub groups: Vec<Group>,
    /// Who is down, in order of cluster.conf.
    #[serde(rename = "down")]
    pub absent: Vec<Absent>,
    /// Why it is so.
    #[serde(serialize_with = "all_with_text")]
    pub reasons: Vec<Reason>,
    /// What the primary component survives; `None` if there is none.
    pub tolerance: Option<Tolerance>,
    /// What brings a primary component back, in order. Empty if there is one.
    #[serde(serialize_with = "texts")]
    pub remedy: Vec<Step>,
}

impl Outcome {
    /// The group that is primary. There is never more than one.
    pub fn primary(&self) -> Option<&Group> {
        self.groups.iter().find(|group| group.state == State::Primary)
    }
}
