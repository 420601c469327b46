//! Why the cluster is as it is.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Serialize, Serializer};

use super::Connections;
use crate::cluster::{Hostname, InterfaceName};
use crate::conflict::ConfigVersion;
use crate::decision::and;
use crate::form::pairs;
use crate::galera::{LocalState, Uuid};

/// Why. As text: one English sentence without a final period. Members stand in order of cluster.conf.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// There is nobody to ask about.
    NobodyCounts,
    /// One component serves. The only reason that is no complaint.
    Serves {
        /// The members of it that answered.
        members: Vec<Hostname>,
        /// How many it has, as they say.
        size: u32,
        /// So many may crash at once before quorum is lost; `None` if not all votes are known.
        may_crash: Option<usize>,
    },
    /// Several components serve, each without the others.
    Split {
        /// Who answered of each.
        sides: Vec<Vec<Hostname>>,
    },
    /// They answer, but are in no primary component.
    NotPrimary {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They run without Galera: each writes alone.
    WithoutGalera {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They serve without a history: a database that was started without its position. Their rows can come to differ.
    ZeroUuid {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They belong to different clusters.
    Histories {
        /// Each history and who has it.
        #[serde(serialize_with = "self::histories")]
        histories: Vec<(Uuid, Vec<Hostname>)>,
    },
    /// They have no database process.
    Stopped {
        /// The members.
        members: Vec<Hostname>,
    },
    /// Nothing listens there.
    Closed {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They take no more connections.
    Full {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They do not answer, and nobody sees them.
    Silent {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They do not answer here, but others see them in their component.
    SilentButSeen {
        /// The members.
        members: Vec<Hostname>,
    },
    /// Nobody that answers serves, but these may.
    MayServe {
        /// The members.
        members: Vec<Hostname>,
    },
    /// It lets us not in.
    Refused {
        /// The member.
        member: Hostname,
        /// What it says.
        why: Box<str>,
    },
    /// Its answer makes no sense.
    Garbled {
        /// The member.
        member: Hostname,
        /// Why.
        why: Box<str>,
    },
    /// It could not be asked.
    NotAsked {
        /// The member.
        member: Hostname,
        /// Why.
        why: Box<str>,
    },
    /// Its data differ from the others', and it has noticed.
    Inconsistent {
        /// The member.
        member: Hostname,
    },
    /// It is in the primary component, but not synced.
    NotSynced {
        /// The member.
        member: Hostname,
        /// What it is instead.
        #[serde(rename = "local_state")]
        state: LocalState,
    },
    /// It is synced, but takes no queries.
    NotReady {
        /// The member.
        member: Hostname,
    },
    /// It sees somebody who is no member.
    Strangers {
        /// The member.
        member: Hostname,
        /// Whom.
        addresses: Vec<Box<str>>,
    },
    /// Replication often waits for it, or for another that it waits for.
    OftenPaused {
        /// The member.
        member: Hostname,
        /// How much of the time, 0 to 1.
        paused: f64,
    },
    /// It will soon take no more connections.
    ConnectionsNearMax {
        /// The member.
        member: Hostname,
        /// Its connections.
        #[serde(flatten)]
        connections: Connections,
    },
    /// The member that asks counts them out.
    Disabled {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They are in maintenance.
    Maintenance {
        /// The members.
        members: Vec<Hostname>,
    },
    /// They have different configurations.
    Configurations {
        /// Each version and who has it, the most recent first.
        #[serde(serialize_with = "self::versions")]
        versions: Vec<(ConfigVersion, Vec<Hostname>)>,
    },
    /// Several members hold one virtual address.
    VipHeldTwice {
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: Ipv4Addr,
        /// The members.
        holders: Vec<Hostname>,
    },
    /// No member holds the virtual address.
    VipWithoutHolder {
        /// The interface.
        interface: InterfaceName,
        /// The address.
        address: Ipv4Addr,
    },
}

fn histories<S: Serializer>(histories: &[(Uuid, Vec<Hostname>)], serializer: S) -> Result<S::Ok, S::Error> {
    pairs(["uuid", "members"], histories, serializer)
}

fn versions<S: Serializer>(versions: &[(ConfigVersion, Vec<Hostname>)], serializer: S) -> Result<S::Ok, S::Error> {
    pairs(["config_version", "members"], versions, serializer)
}

impl Reason {
    /// True for everything that somebody should see to.
    pub fn is_complaint(&self) -> bool {
        !matches!(self, Reason::Serves { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NobodyCounts => f.write_str("no enabled member has a part in this database"),
            Reason::Serves { members, size, may_crash } => serves(members, *size, *may_crash, f),
            Reason::Split { sides } => {
                let sides: Vec<String> = sides.iter().map(|side| and(side)).collect();
                write!(
                    f,
                    "split brain: these are primary in separate components, and their data diverge: {}",
                    sides.join("; ")
                )
            }
            Reason::NotPrimary { members } => {
                write!(f, "{} {} non-primary: read-only", and(members), are(members))
            }
            Reason::WithoutGalera { members } => {
                write!(f, "{} {} without Galera: what is written there is not replicated", and(members), run(members))
            }
            Reason::ZeroUuid { members } => write!(
                f,
                "{} {} with the zero UUID: the database was started without the position of its data, which can diverge \
                 unnoticed",
                and(members),
                run(members)
            ),
            Reason::Histories { histories } => {
                let each: Vec<String> =
                    histories.iter().map(|(uuid, members)| format!("{uuid} on {}", and(members))).collect();
                write!(f, "members report {} different cluster UUIDs: {}", histories.len(), each.join("; "))
            }
            Reason::Stopped { members } => write!(f, "the database is stopped on {}", and(members)),
            Reason::Closed { members } => write!(
                f,
                "nothing listens on {}: the database is stopped, starts, waits for others, or receives its data",
                and(members)
            ),
            Reason::Full { members } => write!(
                f,
                "{} {} no more connections (ERROR 1040): max_connections is reached",
                and(members),
                if members.len() == 1 { "takes" } else { "take" }
            ),
            Reason::Silent { members } => {
                let down = if members.len() == 1 { "it is" } else { "they are" };
                write!(
                    f,
                    "{} {} not answer, and may still be running: do not assume that {down} down",
                    and(members),
                    does(members)
                )
            }
            Reason::SilentButSeen { members } => {
                write!(f, "{} {} not answer here, but {} in the component", and(members), does(members), are(members))
            }
            Reason::MayServe { members } => {
                write!(f, "it is unknown whether {} {} clients", and(members), serve(members))
            }
            Reason::Refused { member, why } => write!(f, "{member} refused the login: {why}"),
            Reason::Garbled { member, why } => write!(f, "the answer of {member} cannot be read: {why}"),
            Reason::NotAsked { member, why } => write!(f, "{member} was not asked: {why}"),
            Reason::Inconsistent { member } => {
                write!(f, "the data of {member} differ from the others', and it stopped")
            }
            Reason::NotSynced { member, state } => write!(f, "{member} is not synced: {}", state_text(*state)),
            Reason::NotReady { member } => write!(f, "{member} is synced, but takes no queries (wsrep_ready is OFF)"),
            Reason::Strangers { member, addresses } => {
                write!(
                    f,
                    "{member} has {} in its database cluster, which cluster.conf has not: members on another interface, or other \
                     servers",
                    addresses.join(", ")
                )
            }
            Reason::OftenPaused { member, paused } => {
                write!(f, "replication stood still for {:.0} % of the time on {member}", paused * 100.0)
            }
            Reason::ConnectionsNearMax { member, connections } => {
                write!(f, "{member} has {} of {} connections", connections.used, connections.max)
            }
            Reason::Disabled { members } => write!(f, "{} {} disabled on this server", and(members), are(members)),
            Reason::Maintenance { members } => write!(f, "{} {} in maintenance", and(members), are(members)),
            Reason::Configurations { versions } => {
                let each: Vec<String> =
                    versions.iter().map(|(version, members)| format!("{version} on {}", and(members))).collect();
                write!(f, "there are {} configurations: {}", versions.len(), each.join("; "))
            }
            Reason::VipHeldTwice { interface, address, holders } => {
                write!(f, "{address} of {interface} is held by {} at once", and(holders))
            }
            Reason::VipWithoutHolder { interface, address } => write!(f, "no member holds {address} of {interface}"),
        }
    }
}

fn serves(members: &[Hostname], size: u32, may_crash: Option<usize>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let in_all = if u32::try_from(members.len()) == Ok(size) { String::new() } else { format!(" of {size}") };
    write!(f, "{} {} the primary component{in_all}", and(members), if members.len() == 1 { "is" } else { "are" })?;
    match may_crash {
        None => f.write_str("; not all votes are known, and so not how many failures are tolerated"),
        Some(0) => f.write_str("; no further failure is tolerated"),
        Some(1) => f.write_str("; one failure is tolerated"),
        Some(more) => write!(f, "; {more} failures at once are tolerated"),
    }
}

fn state_text(state: LocalState) -> &'static str {
    match state {
        LocalState::Initialized => "it has only just begun",
        LocalState::Joining => "it receives a state transfer",
        LocalState::Donor => "it is a donor: a state transfer from it or a backup is running",
        LocalState::Joined => "it has received a state transfer, and catches up",
        LocalState::Synced => "it is",
        LocalState::Inconsistent => "its data differ",
    }
}

fn are(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "is" } else { "are" }
}

fn serve(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "serves" } else { "serve" }
}

fn does(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "does" } else { "do" }
}

fn run(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "runs" } else { "run" }
}
