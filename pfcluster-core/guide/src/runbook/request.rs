//! What a runbook is made for.

use std::net::Ipv4Addr;

use super::Name;
use pfcluster_core::cluster::{Cluster, Hostname, InterfaceName, ZoneName};
use pfcluster_core::version::PfVersion;

/// What a runbook is made for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request<'c> {
    /// The cluster.
    pub cluster: &'c Cluster,
    /// PacketFence's version, of which the commands are.
    pub version: PfVersion,
    /// `pfcluster mariadb supervise` starts the databases, not PacketFence's `pf-mariadb`.
    pub supervised: bool,
    /// The members that it is about; which ones is said by [`Name::about`].
    pub members: Vec<Hostname>,
    /// Members that are missing, and stay off.
    pub without: Vec<Hostname>,
    /// The addresses of a member that is added.
    pub addresses: Vec<(InterfaceName, Ipv4Addr)>,
    /// Interfaces and their new names.
    pub renames: Vec<(InterfaceName, InterfaceName)>,
    /// The zone that the members go to.
    pub zone: Option<ZoneName>,
    /// Upgrade without ever taking the database apart.
    pub keeps_quorum: bool,
    /// The version that the upgrade leads to; without it, `--verify` can't tell before from after.
    pub to: Option<PfVersion>,
}

impl<'c> Request<'c> {
    /// Nothing chosen: PacketFence's own supervisor, no member named.
    pub fn new(cluster: &'c Cluster, version: PfVersion) -> Request<'c> {
        Request {
            cluster,
            version,
            supervised: false,
            members: Vec::new(),
            without: Vec::new(),
            addresses: Vec::new(),
            renames: Vec::new(),
            zone: None,
            keeps_quorum: false,
            to: None,
        }
    }
}

/// Why there is no such runbook for this cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunbookError {
    /// cluster.conf has fewer members than it takes.
    #[error("`{name}` takes a cluster of at least {least}, and this one has {members}")]
    TooFew {
        /// The runbook.
        name: Name,
        /// How many it takes.
        least: usize,
        /// How many there are.
        members: usize,
    },
    /// A member has no address.
    #[error("{0} has no management address in cluster.conf")]
    NoAddress(Hostname),
    /// It is about members, and none is named.
    #[error("`{0}` is about {about}, and none is named", about = .0.about().unwrap_or("no member"))]
    Whom(Name),
    /// It is about all members, and some are named.
    #[error("`{0}` is about all members")]
    AboutAll(Name),
    /// It is about one member, and several are named.
    #[error("`{0}` is about one member, and several are named")]
    OnlyOne(Name),
    /// Nobody would be left.
    #[error("`{0}` needs other members than those that are named")]
    NobodyLeft(Name),
    /// No such member.
    #[error("{0} is not a member of the cluster")]
    NotAMember(Hostname),
    /// It has no part in the database that this is about.
    #[error("{0} has no part in the database that this is about")]
    NotInDatabase(Hostname),
    /// The addresses of the new member are missing.
    #[error("the new member's address on {} is missing", .0.iter().map(InterfaceName::as_str).collect::<Vec<_>>().join(", "))]
    Addresses(Vec<InterfaceName>),
    /// An address for an interface that the cluster does not have.
    #[error("the cluster has no interface {0}")]
    NoSuchInterface(InterfaceName),
    /// No interface to rename is named.
    #[error("no interface to rename is named")]
    Renames,
    /// There is no such zone.
    #[error("the cluster has no zone {0}")]
    NoSuchZone(ZoneName),
    /// The members are in zones already.
    #[error("the cluster has zones already")]
    HasZones,
    /// That version does not have it.
    #[error("PacketFence {version} has no {what}")]
    Version {
        /// The version.
        version: PfVersion,
        /// What is meant.
        what: &'static str,
    },
}

impl RunbookError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            RunbookError::TooFew { .. } | RunbookError::NoAddress(_) => {
                "`pfcluster show` shows the members, `pfcluster check` what is wrong".to_owned()
            }
            RunbookError::Whom(name) => {
                format!("name {}: `pfcluster runbook {name} HOST`", name.about().unwrap_or("the member"))
            }
            RunbookError::AboutAll(_) => "name none; `--for HOST` shows one host's part".to_owned(),
            RunbookError::OnlyOne(_) | RunbookError::NobodyLeft(_) => "name fewer members".to_owned(),
            RunbookError::NotAMember(_) | RunbookError::NotInDatabase(_) | RunbookError::NoSuchZone(_) => {
                "`pfcluster show` shows the members and their zones".to_owned()
            }
            RunbookError::Addresses(missing) => {
                let options: Vec<String> = missing.iter().map(|name| format!("--address {name}=IP")).collect();
                format!("give it: {}", options.join(" "))
            }
            RunbookError::NoSuchInterface(_) => "`pfcluster show` shows the interfaces".to_owned(),
            RunbookError::Renames => "give the old and the new name: `--rename eno16780032=eth0`".to_owned(),
            RunbookError::HasZones => "add a member to one of them: `pfcluster runbook add-member`".to_owned(),
            RunbookError::Version { .. } => "name another version with `--pf-version X.Y`".to_owned(),
        }
    }
}
