//! Whose configuration wins when members have different ones (guide 7.5).
//!
//! Every change of the configuration gives it a [version](ConfigVersion): the time of the change. A member that was down,
//! or could not be reached, keeps an old one, and when it is back there are two. [`resolve()`] says which of them is pushed to
//! all members, by whom, and what that overwrites; [`ConflictMonitor`] says when.
//!
//! # The rules
//!
//! What is compared: the versions of all *enabled* members, those of all zones. A member *answers* if it gives a version. One
//! that does not answer, or whose version is empty, 0 or no number, is *silent*: nothing is known about its
//! configuration, so it neither wins nor is said to be in order. (PacketFence answers 0 for a missing file, and takes a
//! missing file for a dead server. Here the reasons tell the two apart.) The member that decides reads its own version
//! from its disk, so it answers even while its own web services are down; if it can't read its file it is silent too,
//! and another member pushes.
//!
//! 1. Fewer than two members answer: there is nothing to compare, and nothing is done. Of two members both must answer.
//! 2. All that answer have one version: they are in sync, and nothing is done. Silent members are named.
//! 3. Two members: the most recent version wins.
//! 4. More than two, and more are silent than answer: the most recent version wins.
//! 5. Otherwise the version that most members have wins; of several that equally many have, the most recent.
//!    So **a change that reached fewer than half of the members is undone** when the others are back, even though it
//!    is newer; one that reached exactly half is kept.
//! 6. The member that decides pushes, if it has the winning version; else the first one in the order of cluster.conf that
//!    has it is asked to.
//! 7. Every member that answers with another version is overwritten, and so is one whose version can't be read, if the
//!    push reaches it. What is newer than the winner is pointed out: nothing else brings it back, and `pfcluster sync
//!    --as-master` on its holder, in time, keeps it.
//! 8. A version a minute or more ([`CLOCK_TOLERANCE`]) ahead of the clock of the member that decides is pointed out: one
//!    of the clocks is wrong, and "most recent" may be a lie. A minute is more than clocks with NTP ever differ.
//!
//! With [`Policy::Majority`], what PacketFence's program does instead of what its guide says, rule 5 is: the version of more
//! than half of all enabled members wins, silent ones counted; if there is none, the most recent of all. On five members
//! with the versions 1, 1, 2, 3, 4 the guide takes 1 and the program 4. (The program also takes the most recent
//! whenever the silent members are the largest group. No version has a majority then, so that is the same.)
//!
//! # Good to know
//!
//! - A push gives the others the winner's version, so all are equal afterwards, even if parts of the push failed:
//!   PacketFence does not try again. `cluster/sync --as-master`, run by hand, gives the configuration a new version first.
//! - `cluster/sync --as-master --file` raises the own version and no other: the next check sees one new version against
//!   several old ones, and an old configuration is pushed back. The same goes for `pfcmd configreload` (12 and later) on one
//!   member without a `cluster/sync --as-master` after it.
//! - The peers fetch a pushed configuration from the web services of the member that pushes: they must run there.
//! - Versions say which change was later, not what it was: the loser's changes are gone, they are not merged.
//! - `pfcmd service pf start` and `restart` resolve conflicts at once on any member, whatever the scheduled check is set to.

mod monitor;
mod packetfence;
mod reason;
mod resolve;
mod version;

use serde::{Serialize, Serializer};

use crate::cluster::Hostname;
use crate::form::pairs;

pub use monitor::{ConflictMonitor, History, Outcome, Poll};
pub use packetfence::{checks_itself, task_file};
pub use reason::Reason;
pub use resolve::{ResolveError, resolve};
pub use version::{ConfigVersion, VersionError};

/// The command that pushes a member's configuration, under a new version, to all others.
pub const SYNC: &str = "pfcluster sync --as-master";

/// Where PacketFence 12 and later keep the version.
pub const VERSION_FILE: &str = "/usr/local/pf/var/conf/config_version";

/// Where PacketFence kept the version before 12.
pub const VERSION_FILE_BEFORE_12: &str = "/usr/local/pf/var/config_version";

/// How many seconds a version may be ahead of this member's clock before it is pointed out.
pub const CLOCK_TOLERANCE: u64 = 60;

/// What a member says about the version of its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Its version.
    Version(ConfigVersion),
    /// It answers, but not with a version. PacketFence answers 0 if it can't read the file.
    Unreadable(VersionError),
    /// It does not answer. It may be alive all the same.
    Unreachable,
}

impl Reply {
    /// What PacketFence's `get_config_version` or the version file says.
    pub fn of_text(text: &str) -> Reply {
        text.parse().map_or_else(Reply::Unreadable, Reply::Version)
    }

    /// The version, if there is one.
    pub fn version(&self) -> Option<&ConfigVersion> {
        match self {
            Reply::Version(version) => Some(version),
            Reply::Unreadable(_) | Reply::Unreachable => None,
        }
    }
}

/// How the version that wins is found among more than two members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The one that most members have: what the guide says.
    #[default]
    Guide,
    /// The one that more than half of all enabled members have, else the most recent: what PacketFence does.
    Majority,
}

/// What to do about the versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Nothing: all members that answer have one version.
    InSync,
    /// Nothing: fewer than two members answer.
    NothingToCompare,
    /// One member pushes its configuration to all others.
    Push {
        /// The one that pushes.
        member: Hostname,
        /// The version that wins, as this member wrote it.
        version: ConfigVersion,
        /// The members that answer with another version, in order, and what they lose.
        #[serde(serialize_with = "self::overwrites")]
        overwrites: Vec<(Hostname, ConfigVersion)>,
    },
}

fn overwrites<S: Serializer>(overwrites: &[(Hostname, ConfigVersion)], serializer: S) -> Result<S::Ok, S::Error> {
    pairs(["host", "version"], overwrites, serializer)
}
