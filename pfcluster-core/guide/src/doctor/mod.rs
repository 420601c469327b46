//! Whether a server is ready for its cluster: the guide's prerequisites, one check each.
//!
//! [`CHECKS`] lists them all. Their ids are public interface: runbooks and scripts name them. [`examine`] holds each of them
//! against what was seen of a server, the [`Facts`], and says how it is, what was seen, and what mends it. What could not be
//! seen is [`Verdict::Unknown`] with its reason, never a guess.
//!
//! A check fails where the cluster does not work, or loses data or secrets; it warns where it works, but not as it should. What
//! PacketFence itself does by default is a warning at most.

mod database;
mod facts;
mod files;
mod finding;
mod list;
mod membership;
mod network;
mod ports;
mod secrets;
mod storage;
mod tools;
mod units;

use std::borrow::Cow;

use serde::Serialize;

use pfcluster_core::cluster::{Cluster, Hostname, Member};
use pfcluster_core::diagnostic::Diagnostics;
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::version::PfVersion;

pub use facts::{
    Account, AtBoot, Clock, Datadir, Facts, Family, File, Generated, GeneratedState, Holder, KernelSetting, Known,
    Library, Link, Listener, MemberKey, Monitoring, PORTS, PROGRAMS, Permissions, SCRIPTS, Settings, Supervisor,
    SupervisorKey, Transport, UNITS, Used, VARIABLES,
};
pub use finding::{Finding, Verdict};
pub use list::CHECKS;

use finding::Outcome;

/// The option file of the account that asks the other members' databases, relative to the install directory.
pub const MONITORING_FILE: &str = "conf/pfcluster-monitoring.cnf";

/// One prerequisite.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// Stable name, such as `nonlocal-bind`: never reused, never renamed.
    pub id: &'static str,
    /// What must be so, in a few words.
    #[serde(rename = "must_be")]
    pub about: &'static str,
    /// The section of the Clustering Guide that asks for it, or that shows what happens without it.
    pub guide: &'static str,
    /// It is about the files of whoever asks: of another member's nothing is known.
    #[serde(skip)]
    pub is_about_files: bool,
    #[serde(skip)]
    examine: fn(&Server<'_>) -> Known<Outcome>,
}

/// Two checks are the same if their ids are.
impl PartialEq for Check {
    fn eq(&self, other: &Check) -> bool {
        self.id == other.id
    }
}

impl Eq for Check {}

/// The check of this id.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// A server, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// PacketFence's install directory there.
    pub root: &'a str,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// pf.conf, if it is there.
    pub pf_conf: Option<&'a PfConf>,
    /// What is wrong with these files.
    pub diagnostics: &'a Diagnostics,
    /// The server, as cluster.conf calls it, or should.
    pub me: &'a Hostname,
    /// PacketFence's version.
    pub version: PfVersion,
    /// What was seen.
    pub facts: &'a Facts,
}

/// Every check, of the server that this runs on, in the order of [`CHECKS`].
pub fn examine(server: &Server<'_>) -> Vec<Finding> {
    CHECKS.iter().map(|check| finding(check, (check.examine)(server))).collect()
}

/// The same of another member, of which no more is known than `facts`: what its database says, or its supervisor.
pub fn examine_from_afar(server: &Server<'_>) -> Vec<Finding> {
    let examine = |check: &Check| if check.is_about_files { Err(ONLY_THERE.into()) } else { (check.examine)(server) };
    CHECKS.iter().map(|check| finding(check, examine(check))).collect()
}

/// Why most is not known of another member.
pub const ONLY_THERE: &str = "only seen on that server itself";

fn finding(check: &'static Check, outcome: Known<Outcome>) -> Finding {
    let (verdict, seen, remedy) = match outcome {
        Ok(outcome) => (outcome.verdict, outcome.seen, outcome.remedy),
        Err(why) => (Verdict::Unknown, why.into(), Vec::new()),
    };
    Finding { check, verdict, seen, remedy }
}

impl<'a> Server<'a> {
    fn member(&self) -> Known<&'a Member> {
        self.cluster
            .member(self.me.as_str())
            .ok_or_else(|| format!("{} is not a member in cluster.conf", self.me).into())
    }

    /// Why nothing is asked of a server whose database takes no part in Galera; `None` if it does.
    fn without_galera(&self) -> Known<Option<Outcome>> {
        let member = self.member()?;
        let switch = self.pf_conf.map(|pf_conf| pf_conf.is_enabled("active_active", "galera_replication"));
        let follows = self.cluster.zone_of(member.host.as_str()).is_some_and(|zone| zone.database.is_slave());
        Ok(if switch == Some(false) {
            Some(Outcome::pass("Galera is off in pf.conf"))
        } else {
            follows.then(|| Outcome::pass("this zone's database only follows another one"))
        })
    }

    fn pf_conf(&self) -> Known<&'a PfConf> {
        self.pf_conf.ok_or_else(|| "there is no pf.conf".into())
    }

    /// A path below the install directory, ready for a shell.
    fn path(&self, name: &str) -> String {
        word(&format!("{}/{name}", self.root)).into_owned()
    }

    /// The command that restarts one of PacketFence's services.
    fn restart(&self, service: &str) -> String {
        format!("{} service {service} restart", self.path("bin/pfcmd"))
    }
}

/// A text as one word of a shell's command line.
fn word(text: &str) -> Cow<'_, str> {
    // No shell can be given a NUL; no file name has one.
    shlex::try_quote(text).unwrap_or_default()
}

/// A value that is known, borrowed, or why it is not.
fn known<T>(fact: &Known<T>) -> Known<&T> {
    fact.as_ref().map_err(Clone::clone)
}
