//! The guide's procedures as data, made for one cluster: its hosts, its addresses, its version's commands.
//!
//! [`runbook`] gives the steps of a procedure, with what to verify after each, what is dangerous, what can't be undone, and the
//! way back. [`Runbook::progress`] tells from what was seen how far somebody has come.
//!
//! # What holds for all of them
//!
//! 1. A command that starts, stops, enables or disables something, or would do harm on another host, begins with a guard: pasted into
//!    the wrong terminal it does nothing, and says so. What may only follow if a command did what it should stands behind it, in the
//!    same line.
//! 2. No data are deleted: a data directory is moved aside, whole, and only when no database runs in it.
//! 3. Where the guide, or PacketFence's program, is wrong or dangerous, the step does it another way, and says so
//!    ([`Step::instead_of`]).
//! 4. What is printed is what is run. Nothing in it needs quotes: names of hosts, interfaces and zones hold no character that means
//!    something to a shell, as their types see to.
//!
//! Passwords are never in a runbook: what stands in capitals is to be replaced by whoever follows it.

mod books;
mod check;
mod draft;
mod request;
mod step;
mod verify;

use std::fmt;
use std::str::FromStr;

use draft::Book;
use pfcluster_core::version::PfVersion;

pub use check::{Check, Expected, Fact};
pub use request::{Request, RunbookError};
pub use step::{Action, InsteadOf, Step, Verify, Versions};
pub use verify::{Checked, Found, Observed, Progress, Standing, StepStanding};

/// A procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Name {
    /// Guide 3.1 to 3.4.
    CreateCluster,
    /// Guide 3.5.
    JoinMember,
    /// Guide 3.6.
    SecureKeepalived,
    /// Guide 6.1.
    Shutdown,
    /// Guide 6.2.
    Startup,
    /// Guide 4.2, 4.3 and 5.2.
    PowerCut,
    /// Guide 7.1.
    RemoveMember,
    /// Guide 3.4.2 and 3.5, in a cluster that is in service.
    AddMember,
    /// Guide 7.2 and 7.3.
    Resync,
    /// Guide 5.1.
    MemberMissing,
    /// Guide 5.2.
    ElectMaster,
    /// Guide 5.3.
    SplitBrain,
    /// Guide 5.4 and 5.5.
    FullRecovery,
    /// Guide 5.6.
    Maintenance,
    /// Guide 6.3.
    Backup,
    /// Guide 8.4.
    Upgrade,
    /// Guide 8.5.
    MaxConnections,
    /// Guide 7.4.
    Dashboards,
    /// Zones, since 8.2.
    MoveToMultiZone,
    /// Guide 8.2.
    RenameInterfaces,
    /// Guide 8.3.
    DisableIpv6,
}

impl Name {
    /// All of them, in the order of the life of a cluster.
    pub const ALL: [Name; 21] = [
        Name::CreateCluster,
        Name::JoinMember,
        Name::SecureKeepalived,
        Name::Shutdown,
        Name::Startup,
        Name::PowerCut,
        Name::RemoveMember,
        Name::AddMember,
        Name::Resync,
        Name::MemberMissing,
        Name::ElectMaster,
        Name::SplitBrain,
        Name::FullRecovery,
        Name::Maintenance,
        Name::Backup,
        Name::Upgrade,
        Name::MaxConnections,
        Name::Dashboards,
        Name::MoveToMultiZone,
        Name::RenameInterfaces,
        Name::DisableIpv6,
    ];

    /// The name that a person types.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::CreateCluster => "create-cluster",
            Name::JoinMember => "join-member",
            Name::SecureKeepalived => "secure-keepalived",
            Name::Shutdown => "shutdown",
            Name::Startup => "startup",
            Name::PowerCut => "power-cut",
            Name::RemoveMember => "remove-member",
            Name::AddMember => "add-member",
            Name::Resync => "resync",
            Name::MemberMissing => "member-missing",
            Name::ElectMaster => "elect-master",
            Name::SplitBrain => "split-brain",
            Name::FullRecovery => "full-recovery",
            Name::Maintenance => "maintenance",
            Name::Backup => "backup",
            Name::Upgrade => "upgrade",
            Name::MaxConnections => "max-connections",
            Name::Dashboards => "dashboards",
            Name::MoveToMultiZone => "move-to-multi-zone",
            Name::RenameInterfaces => "rename-interfaces",
            Name::DisableIpv6 => "disable-ipv6",
        }
    }

    /// What else people call it.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Name::PowerCut => &["outage", "crash", "all-down"],
            Name::SplitBrain => &["splitbrain"],
            Name::MemberMissing => &["missing-member"],
            _ => &[],
        }
    }

    /// What it is for, in a few words.
    pub fn summary(self) -> &'static str {
        match self {
            Name::CreateCluster => "make the first server a cluster",
            Name::JoinMember => "let the other servers join it for the first time",
            Name::SecureKeepalived => "give keepalived a secret of your own",
            Name::Shutdown => "shut the whole cluster down",
            Name::Startup => "bring the whole cluster up again",
            Name::PowerCut => "bring the database back when it is down everywhere",
            Name::RemoveMember => "take a server out of the cluster for good",
            Name::AddMember => "add a server to a cluster that is in service",
            Name::Resync => "give all members the configuration of one",
            Name::MemberMissing => "bring the database up without a member that can't recover",
            Name::ElectMaster => "bootstrap the cluster from a member of your choice",
            Name::SplitBrain => "end a split brain: one side's data are kept",
            Name::FullRecovery => "rebuild the cluster from one member's data (SST to all others)",
            Name::Maintenance => "take a server out of service for a while",
            Name::Backup => "back the database and the configuration up",
            Name::Upgrade => "upgrade PacketFence on all members",
            Name::MaxConnections => "recover from 'too many connections'",
            Name::Dashboards => "see HAProxy's own statistics",
            Name::MoveToMultiZone => "convert a cluster to zones, for servers in other networks",
            Name::RenameInterfaces => "give interfaces the same names on all servers",
            Name::DisableIpv6 => "turn IPv6 off",
        }
    }

    /// The guide's sections.
    pub fn guide(self) -> &'static str {
        match self {
            Name::CreateCluster => "3.1 to 3.4",
            Name::JoinMember => "3.5",
            Name::SecureKeepalived => "3.6",
            Name::Shutdown => "6.1",
            Name::Startup => "6.2, 4.2, 4.3",
            Name::PowerCut => "4.2, 4.3, 5.2",
            Name::RemoveMember => "7.1",
            Name::AddMember => "3.4.2, 3.5",
            Name::Resync => "7.2, 7.3",
            Name::MemberMissing => "5.1",
            Name::ElectMaster => "5.2",
            Name::SplitBrain => "5.3, 5.5",
            Name::FullRecovery => "5.4, 5.5",
            Name::Maintenance => "5.6",
            Name::Backup => "6.3",
            Name::Upgrade => "8.4",
            Name::MaxConnections => "8.5",
            Name::Dashboards => "7.4",
            Name::MoveToMultiZone => "",
            Name::RenameInterfaces => "8.2",
            Name::DisableIpv6 => "8.3",
        }
    }

    /// The members that it has to be told; `None` if it is about all, or has a default.
    pub fn about(self) -> Option<&'static str> {
        match self {
            Name::RemoveMember => Some("the member that goes"),
            Name::AddMember => Some("the member that comes"),
            Name::Resync => Some("the member whose configuration all others get"),
            Name::MemberMissing => Some("the members that are missing"),
            Name::ElectMaster => Some("the member that begins"),
            Name::SplitBrain => Some("the members of the side whose data are kept"),
            Name::FullRecovery => Some("the member whose data are kept"),
            Name::Maintenance => Some("the member that goes out of service"),
            _ => None,
        }
    }
}

/// The name that a person types, not one of its [aliases](Name::aliases).
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such runbook")]
pub struct NameError;

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Name, NameError> {
        let is_meant = |name: &Name| name.as_str() == text || name.aliases().contains(&text);
        Name::ALL.into_iter().find(is_meant).ok_or(NameError)
    }
}

/// A procedure, made for one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Runbook {
    /// Which one.
    pub name: Name,
    /// The version whose commands it has.
    pub version: PfVersion,
    /// What to know before the first step.
    pub before: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// The procedure for this cluster.
///
/// # Errors
/// [`RunbookError`] if something has to be chosen that was not, or the cluster is none for it.
pub fn runbook(name: Name, request: &Request<'_>) -> Result<Runbook, RunbookError> {
    let mut book = Book::new(request);
    let (least, members) = (books::least_members(name), request.cluster.members().count());
    if members < least {
        return Err(RunbookError::TooFew { name, least, members });
    }
    if !(request.members.is_empty() || name.about().is_some() || books::takes_members(name)) {
        return Err(RunbookError::AboutAll(name));
    }
    books::write(name, &mut book)?;
    let (before, steps) = book.finish();
    Ok(Runbook { name, version: request.version, before, steps })
}
