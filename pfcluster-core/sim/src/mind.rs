//! Who decides on a host: our supervisor, or one that does as others do.

use std::fmt;

use serde::Serialize;

use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Reason};
use pfcluster_core::supervisor::{Config, Input, Output, Part, Supervisor, Tick};

use super::galera::Set;
use super::others::Other;

/// Whose rules a world lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Ours.
    #[serde(rename = "pfcluster")]
    Ours,
    /// *Reconstructed*: `PacketFence`'s pf-mariadb, as of 10.3 to 14, alone.
    PfMariadb,
    /// *Reconstructed*: the same with galera-autofix beside it.
    GaleraAutofix,
    /// *Reconstructed*: a minute after the outage the most advanced of the members that answer is bootstrapped.
    HighestThatAnswers,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Policy::Ours => "pfcluster",
            Policy::PfMariadb => "pf-mariadb (reconstructed)",
            Policy::GaleraAutofix => "pf-mariadb and galera-autofix (reconstructed)",
            Policy::HighestThatAnswers => "most advanced that answers (reconstructed)",
        })
    }
}

/// One of them, on one host.
#[derive(Clone, Debug)]
pub(super) enum Mind {
    Ours(Box<Supervisor>),
    Other(Box<Other>),
}

impl Mind {
    pub(super) fn new(policy: Policy, config: Config, now: Tick) -> Mind {
        match policy {
            Policy::Ours => Mind::Ours(Box::new(Supervisor::new(config, now))),
            other => Mind::Other(Box::new(Other::new(other, &config, now))),
        }
    }

    /// `pings`: who answers to a ping now; only others look at that.
    pub(super) fn handle_input(&mut self, now: Tick, input: Input, pings: Set) {
        match self {
            Mind::Ours(supervisor) => supervisor.handle_input(now, input),
            Mind::Other(other) => other.handle_input(now, input, pings),
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        match self {
            Mind::Ours(supervisor) => supervisor.poll_output(),
            Mind::Other(other) => other.poll_output(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Tick> {
        match self {
            Mind::Ours(supervisor) => supervisor.poll_timeout().map(|(when, _)| when),
            Mind::Other(other) => Some(other.wakes()),
        }
    }

    pub(super) fn part(&self, now: Tick) -> Option<Part> {
        match self {
            Mind::Ours(supervisor) => supervisor.status(now).part,
            Mind::Other(_) => None,
        }
    }

    /// What it has decided last: the moment does not matter for that.
    pub(super) fn decided(&self) -> Option<Decision<Action, Reason>> {
        match self {
            Mind::Ours(supervisor) => supervisor.status(Tick(0)).decision,
            Mind::Other(_) => None,
        }
    }
}
