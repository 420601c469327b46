//! What a runbook is made of.

use std::fmt;

use serde::Serialize;

use super::check::Check;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::version::PfVersion;

/// One step. All of its actions are taken on each of its hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What is done, as an imperative sentence without a final period.
    pub title: String,
    /// Where, in this order.
    pub on: Vec<Hostname>,
    /// With several hosts: the step is done and verified on one before the next one begins.
    pub one_by_one: bool,
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// How to see that it is done.
    pub verify: Vec<Verify>,
    /// What to know before.
    pub warnings: Vec<String>,
    /// What can't be undone from here on; `None` if everything can.
    pub irreversible: Option<String>,
    /// How to go back, in order; empty if there is nothing to undo.
    pub back: Vec<Action>,
    /// Where the guide's or PacketFence's own way is another one, and why.
    pub instead_of: Vec<InsteadOf>,
    /// The guide's section; empty for what it does not have.
    pub guide: &'static str,
    /// The versions for which the step is exactly this one.
    pub versions: Versions,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// A command line for a shell, as root.
    Run {
        /// The command line.
        command: String,
        /// Only there: `on Debian`.
        only: Option<&'static str>,
    },
    /// Statements for MariaDB's client.
    Sql {
        /// The command that starts the client.
        client: String,
        /// The statements.
        statements: Vec<String>,
    },
    /// Lines that a file is to have.
    Edit {
        /// The file.
        file: String,
        /// The lines. What stands in capitals is to be replaced.
        lines: Vec<String>,
    },
    /// What no command does: an imperative sentence without a final period.
    Do {
        /// The sentence.
        what: String,
    },
}

/// How to see that a step is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// What must hold.
    pub check: Check,
    /// It did not hold when the procedure began (or there was nothing to do), so it shows how far somebody has come: if the
    /// step is done, all steps before it are.
    pub is_landmark: bool,
}

/// The original way, and why it is not the one here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InsteadOf {
    /// The original command, or what it says; `None` if it has no such step.
    pub original: Option<String>,
    /// Why.
    pub why: String,
}

/// A range of PacketFence versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// The first one.
    pub from: PfVersion,
    /// The first one after it; `None`: to the newest.
    pub before: Option<PfVersion>,
}

impl Versions {
    /// All that pfcluster knows.
    pub const ALL: Versions = Versions { from: PfVersion::new(7, 0), before: None };

    /// True if the version is one of them.
    pub fn has(self, version: PfVersion) -> bool {
        self.from <= version && self.before.is_none_or(|before| version < before)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.before) {
            (Versions::ALL, _) => f.write_str("all versions"),
            (Versions { from, .. }, None) => write!(f, "{from} and later"),
            (Versions { from, .. }, Some(before)) if from == Versions::ALL.from => write!(f, "before {before}"),
            (Versions { from, .. }, Some(before)) => write!(f, "{from} to before {before}"),
        }
    }
}
