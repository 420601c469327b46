//! What was seen of a member: its database as it answered, or how it did not.

use std::net::Ipv4Addr;

use serde::{Serialize, Serializer};

use crate::cluster::{Hostname, InterfaceName};
use crate::conflict::Reply;
use crate::form::text_or_null;
use crate::galera::{ClusterStatus, Running, WsrepStatus};

/// What was seen of one member.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// Its name.
    pub host: Hostname,
    /// The member that asks counts it in.
    pub enabled: bool,
    /// It shares the database that this is about. (A zone can have one of its own.)
    pub in_database: bool,
    /// It is in maintenance; `None` if that is not known.
    pub maintenance: Option<bool>,
    /// Its database.
    pub database: Database,
    /// What it says of its configuration's version; `None` if nobody asked.
    #[serde(rename = "config_version", serialize_with = "version")]
    pub configuration: Option<Reply>,
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn version<S: Serializer>(reply: &Option<Reply>, serializer: S) -> Result<S::Ok, S::Error> {
    reply.as_ref().and_then(Reply::version).serialize(serializer)
}

impl Seen {
    pub(super) fn counts(&self) -> bool {
        self.enabled && self.in_database
    }
}

/// What came of asking a member's database. The texts say why, in a few words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Database {
    /// It answers.
    Running(Box<Server>),
    /// It runs, but takes no more connections (`ERROR 1040`).
    Full,
    /// It runs, but does not let us in.
    Refused(Box<str>),
    /// Nothing listens: it is stopped, starts, waits for others, or receives its data from one of them.
    Closed,
    /// There is no process. Only the member itself can tell.
    Stopped,
    /// No answer. It may be in service all the same.
    Silent(Box<str>),
    /// An answer that makes no sense.
    Garbled(Box<str>),
    /// Nobody asked.
    NotAsked(Box<str>),
}

impl Serialize for Database {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'d> {
            state: &'static str,
            why: Option<&'d str>,
            connections: Option<Connections>,
            galera: Option<&'d Galera>,
        }
        let (state, why, galera) = (self.kind(), self.why(), self.galera());
        Fields { state, why, connections: self.connections(), galera }.serialize(serializer)
    }
}

impl Database {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Database::Running(server) => match &server.galera {
                None => "without_galera",
                Some(galera) => match galera.running.status {
                    ClusterStatus::Primary => "primary",
                    ClusterStatus::NonPrimary => "non_primary",
                    ClusterStatus::Disconnected => "disconnected",
                },
            },
            Database::Full => "full",
            Database::Refused(_) => "refused",
            Database::Closed => "closed",
            Database::Stopped => "stopped",
            Database::Silent(_) => "silent",
            Database::Garbled(_) => "garbled",
            Database::NotAsked(_) => "not_asked",
        }
    }

    /// Why there is no answer of use.
    pub fn why(&self) -> Option<&str> {
        match self {
            Database::Refused(why) | Database::Silent(why) | Database::Garbled(why) | Database::NotAsked(why) => {
                Some(why)
            }
            Database::Running(_) | Database::Full | Database::Closed | Database::Stopped => None,
        }
    }

    /// What a server with Galera says.
    pub fn galera(&self) -> Option<&Galera> {
        match self {
            Database::Running(server) => server.galera.as_ref(),
            _ => None,
        }
    }

    /// How many connections it has, if it says.
    pub fn connections(&self) -> Option<Connections> {
        match self {
            Database::Running(server) => server.connections,
            _ => None,
        }
    }

    pub(super) fn serves(&self) -> bool {
        matches!(self, Database::Running(server) if server.galera.as_ref().is_none_or(Galera::is_primary))
    }

    /// True if it is not known whether it serves.
    pub(super) fn may_serve(&self) -> bool {
        match self {
            Database::Running(_) | Database::Closed | Database::Stopped => false,
            Database::Full
            | Database::Refused(_)
            | Database::Silent(_)
            | Database::Garbled(_)
            | Database::NotAsked(_) => true,
        }
    }

    /// True if it is in one component with the host.
    pub(super) fn sees(&self, host: &Hostname) -> bool {
        self.galera().is_some_and(|galera| galera.running.sees.contains(host))
    }
}

/// A server that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// What it says of Galera; `None` if it runs without.
    pub galera: Option<Galera>,
    /// Its connections; `None` if it does not say.
    pub connections: Option<Connections>,
}

/// What a server says of Galera.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Galera {
    /// What an election would look at.
    #[serde(flatten)]
    pub running: Running,
    /// `wsrep_ready`: it takes queries.
    pub ready: Option<bool>,
    /// `wsrep_flow_control_paused`: how much of the time since the last `FLUSH STATUS` replication stood still, 0 to 1.
    pub flow_control_paused: Option<f64>,
    /// `wsrep_cluster_weight`: the votes of its component.
    pub weight: Option<u32>,
}

impl Galera {
    /// What matters of a server's status; `resolve` as in [`WsrepStatus::running`].
    pub fn of(status: &WsrepStatus, resolve: impl Fn(&str) -> Option<Hostname>) -> Galera {
        Galera {
            running: status.running(resolve),
            ready: status.ready,
            flow_control_paused: status.flow_control_paused,
            weight: status.weight,
        }
    }

    pub(super) fn is_primary(&self) -> bool {
        self.running.status == ClusterStatus::Primary
    }
}

/// How many connections a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// `Threads_connected`, the one that asks included.
    pub used: u32,
    /// `max_connections`.
    pub max: u32,
}

impl Connections {
    /// True from [`super::NEAR_PERCENT`] on.
    pub fn is_near(self) -> bool {
        u64::from(self.used) * 100 >= u64::from(self.max) * u64::from(super::NEAR_PERCENT)
    }
}

/// A virtual address, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vip {
    /// The interface.
    pub interface: InterfaceName,
    /// The address.
    pub address: Ipv4Addr,
    /// The members that say that they hold it.
    #[serde(rename = "held_by")]
    pub holders: Vec<Holder>,
    /// The members that share it and did not say.
    pub unknown: Vec<Hostname>,
}

/// A member that holds a virtual address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The member.
    pub host: Hostname,
    /// Since when, in seconds since 1970 (UTC); `None` if its supervisor does not run, or cannot tell.
    #[serde(serialize_with = "text_or_null")]
    pub since: Option<u64>,
}
