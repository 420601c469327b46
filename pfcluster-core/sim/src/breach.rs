//! Promises that a world has seen broken.

use std::fmt;

/// What kind of promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two primary components, and nobody has forced one.
    TwoPrimaries,
    /// History went on without an acknowledged commit that somebody holds.
    LeftBehind,
    /// The last copy of an acknowledged commit was given up, and no fault took it.
    Wiped,
    /// Members in one component have different rows.
    Diverged,
    /// A primary component without a history's name.
    ZeroUuid,
    /// A database was started that must not be.
    ForbiddenStart,
    /// A database was ended that serves.
    ForbiddenStop,
    /// A joiner was started with an old view.
    JoinedWithView,
    /// A start was handed a position that its data do not have.
    WrongPosition,
    /// Service does not return, though everybody is there, and nobody says why it can't.
    NoService,
    /// It refuses, though the evidence is honest.
    Refuses,
    /// The operator has decided, and it does not help.
    NoRemedy,
    /// Something goes on and on while no time passes.
    Storm,
    /// A commit that should be there is not.
    Missing,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub kind: Kind,
    /// How, for people.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}
