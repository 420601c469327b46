//! How things stand after a view change.

use super::reason::Reason;
use super::tally::Tally;
use super::tolerance::Tolerance;
use crate::cluster::Hostname;
use crate::decision::Step;

/// What a member's database is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// A stable word for it.
    pub fn kind(self) -> &'static str {
        match self {
            State::Primary => "primary",
            State::ReadOnly => "read_only",
            State::Down => "down",
        }
    }
}

/// How a member went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Without a word: it crashed.
    Crashed,
    /// Gracefully.
    Left,
}

impl Absence {
    /// A stable word for it.
    pub fn kind(self) -> &'static str {
        match self {
            Absence::Crashed => "crashed",
            Absence::Left => "left",
        }
    }
}

/// A member that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Absent {
    /// Its name.
    pub host: Hostname,
    /// How it went.
    pub absence: Absence,
}

/// Members that see each other, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The members, in order of cluster.conf.
    pub members: Vec<Hostname>,
    /// [`State::Primary`] or [`State::ReadOnly`], of all of them.
    pub state: State,
    /// The sum that decided it; `None` where no sum did.
    pub tally: Option<Tally>,
}

/// The cluster after a view change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Who sees whom, in order of the first members.
    pub groups: Vec<Group>,
    /// Who is down, in order of cluster.conf.
    pub absent: Vec<Absent>,
    /// Why it is so.
    pub reasons: Vec<Reason>,
    /// What the primary component survives; `None` if there is none.
    pub tolerance: Option<Tolerance>,
    /// What brings a primary component back, in order. Empty if there is one.
    pub remedy: Vec<Step>,
}

impl Outcome {
    /// The group that is primary. There is never more than one.
    pub fn primary(&self) -> Option<&Group> {
        self.groups.iter().find(|group| group.state == State::Primary)
    }
}
