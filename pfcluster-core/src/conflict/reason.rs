//! Why a configuration wins.

use std::fmt;

use serde::Serialize;

use super::{ConfigVersion, VersionError};
use crate::cluster::Hostname;
use crate::decision::and;

/// Why. As text: one English sentence without a final period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// All that answer have this version.
    SameVersion {
        /// The version.
        version: ConfigVersion,
        /// How many have it.
        holders: usize,
        /// How many members are enabled.
        enabled: usize,
    },
    /// Fewer than two members answer.
    TooFewVersions {
        /// The one that does, if any.
        answering: Option<Hostname>,
        /// How many members are enabled.
        enabled: usize,
    },
    /// The most recent version wins: there are two members.
    TwoMembers {
        /// The version.
        version: ConfigVersion,
    },
    /// The most recent version wins: more members are silent than answer.
    SilentOutnumber {
        /// The version.
        version: ConfigVersion,
        /// How many give no version.
        silent: usize,
        /// How many do.
        answering: usize,
    },
    /// The version wins that more members have than any other.
    MostMembers {
        /// The version.
        version: ConfigVersion,
        /// How many have it.
        holders: usize,
        /// How many members are enabled.
        enabled: usize,
    },
    /// The most recent of several versions wins that equally many members have.
    Tie {
        /// The version.
        version: ConfigVersion,
        /// How many versions that are.
        tied: usize,
        /// How many members have each of them.
        holders: usize,
    },
    /// [`Policy::Majority`](super::Policy::Majority): the version wins that more than half of the enabled members have.
    Majority {
        /// The version.
        version: ConfigVersion,
        /// How many have it.
        holders: usize,
        /// How many members are enabled.
        enabled: usize,
    },
    /// [`Policy::Majority`](super::Policy::Majority): the most recent version wins, as none is on more than half of the enabled members.
    NoMajority {
        /// The version.
        version: ConfigVersion,
        /// The most members that have one version.
        largest: usize,
        /// How many members are enabled.
        enabled: usize,
    },
    /// The member that decides has the winning version.
    Pushes {
        /// The member.
        member: Hostname,
    },
    /// The member that decides does not have the winning version, so another one is asked.
    IsAsked {
        /// The first in order that has it.
        member: Hostname,
        /// The one that decides.
        by: Hostname,
    },
    /// A version that loses.
    Overwritten {
        /// The version.
        version: ConfigVersion,
        /// The members that have it, in order.
        members: Vec<Hostname>,
        /// Whether it is newer than the winner.
        newer: bool,
    },
    /// A version is ahead of the clock by [`CLOCK_TOLERANCE`](super::CLOCK_TOLERANCE) or more.
    InTheFuture {
        /// The version.
        version: ConfigVersion,
        /// The members that have it, in order.
        members: Vec<Hostname>,
        /// By how many seconds, rounded down.
        seconds: u64,
    },
    /// A member is silent.
    Unverified {
        /// The member.
        member: Hostname,
        /// What is wrong with its version; `None` if it does not answer at all.
        error: Option<VersionError>,
    },
}

impl Reason {
    /// True for what a person should look at before the action is carried out: what is lost, what is not known.
    pub fn is_warning(&self) -> bool {
        match self {
            Reason::Overwritten { newer, .. } => *newer,
            Reason::InTheFuture { .. } | Reason::Unverified { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SameVersion { version, holders, enabled } if holders == enabled => {
                write!(f, "all enabled members ({enabled}) have version {version}")
            }
            Reason::SameVersion { version, holders, enabled } => {
                write!(f, "all members that answer ({holders} of {enabled}) have version {version}")
            }
            Reason::TooFewVersions { answering: Some(host), enabled: 1 } => {
                write!(f, "{host} is the only enabled member: there is no other version")
            }
            Reason::TooFewVersions { answering: Some(host), enabled } => {
                write!(
                    f,
                    "only {host} of {enabled} enabled members has reported a version: nothing is decided before another does"
                )
            }
            Reason::TooFewVersions { answering: None, .. } => write!(f, "no enabled member has reported a version"),
            Reason::TwoMembers { version } => write!(f, "of two members' versions the most recent wins, {version}"),
            Reason::SilentOutnumber { version, silent, answering } => write!(
                f,
                "more members do not answer ({silent}) than answer ({answering}): the most recent version wins, {version}"
            ),
            Reason::MostMembers { version, holders, enabled } => {
                write!(f, "version {version} is on {holders} of {enabled} enabled members, more than any other")
            }
            Reason::Tie { version, tied, holders } => {
                let each = if *holders == 1 { "one member" } else { &format!("{holders} members") };
                write!(
                    f,
                    "{tied} versions are on {each} each and none is on more: the most recent of them wins, {version}"
                )
            }
            Reason::Majority { version, holders, enabled } => {
                write!(f, "version {version} is on {holders} of {enabled} enabled members, more than half")
            }
            Reason::NoMajority { version, largest, enabled } => write!(
                f,
                "no version is on more than half of {enabled} enabled members ({largest} at most): the most recent wins, \
                 {version}"
            ),
            Reason::Pushes { member } => write!(f, "{member}, which decides, has the winning version and pushes it"),
            Reason::IsAsked { member, by } => write!(
                f,
                "{by}, which decides, does not have the winning version: {member}, the first that has it, is asked to push"
            ),
            Reason::Overwritten { version, members, newer: false } => {
                write!(f, "version {version} on {} is older: it is overwritten", and(members))
            }
            Reason::Overwritten { version, members, newer: true } => write!(
                f,
                "version {version} on {} is newer, but on fewer members: it is overwritten, and its changes are lost",
                and(members)
            ),
            Reason::InTheFuture { version, members, seconds } => write!(
                f,
                "version {version} on {} is {seconds} s ahead of this clock: a clock is wrong, and the most recent version \
                 may not be the last change",
                and(members)
            ),
            Reason::Unverified { member, error: None } => {
                write!(f, "{member} does not answer: its configuration is not compared")
            }
            Reason::Unverified { member, error: Some(error) } => write!(
                f,
                "{member} did not report a version ({error}): its configuration is not compared, and any push overwrites it"
            ),
        }
    }
}
