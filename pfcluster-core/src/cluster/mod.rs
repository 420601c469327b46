//! The cluster as cluster.conf describes it: zones, members in order, their addresses, the virtual addresses.
//!
//! The order of the members is meaning: cluster index, VRRP priority and database order follow from it.

mod edit;
mod fault;
mod layout;
mod lower;
mod name;
mod view;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::diagnostic::Checked;
use crate::document::Document;
use crate::span::{Span, Spanned};

pub use edit::{MemberEditError, add_member, remove_member};
pub(crate) use fault::RULES;
pub use name::{
    AddressError, Hostname, HostnameError, InterfaceName, InterfaceNameError, Netmask, NetmaskError, ZoneName,
    ZoneNameError, parse_address, toggle,
};
pub use view::{NoDatabase, NotAMember, View, Vip};

/// How cluster.conf is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One zone: `[CLUSTER]`, `[pf1.example.com]`, ...
    SingleZone,
    /// `[general] multi_zone=enabled` (8.2 and later): `[DC1 CLUSTER]`, `[DC1 pf1.example.com]`, ...
    MultiZone,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    layout: Layout,
    zone_dbs_only: bool,
    zones: Vec<Zone>,
    /// Zone and place in it of each member.
    places: BTreeMap<Hostname, (usize, usize)>,
    orphans: Vec<Orphan>,
}

/// A section like `[pf4.example.com interface eth0]` where `[pf4.example.com]` is missing.
#[derive(Clone, Debug)]
pub(crate) struct Orphan {
    /// The number of the zone.
    pub(crate) zone: usize,
    pub(crate) owner: Box<str>,
    /// The section's name in the file.
    pub(crate) section: Span,
}

/// Servers that share virtual addresses. A single-zone cluster has one, named `DEFAULT`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Zone {
    /// Its name.
    pub name: ZoneName,
    /// The virtual addresses: the section `[CLUSTER]` with its interfaces.
    pub vips: Option<Addresses>,
    /// `[CLUSTER network A.B.C.D]`: what this zone writes over networks.conf.
    pub networks: Vec<NetworkOverlay>,
    /// Database settings of the zone (9.2 and later).
    pub database: ZoneDatabase,
    /// The members, in order.
    pub members: Vec<Member>,
}

/// A server of cluster.conf.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Member {
    /// Its host name.
    pub host: Hostname,
    /// Its addresses.
    pub addresses: Addresses,
}

/// The addresses of one server, or the virtual ones of a zone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Addresses {
    /// The section's name in the file.
    pub section: Span,
    /// `management_ip`; `None` if it is missing or no address.
    pub management_ip: Option<Spanned<Ipv4Addr>>,
    /// The interfaces, in order of the file.
    pub interfaces: Vec<Interface>,
}

impl Addresses {
    /// The interface of this name.
    pub fn interface(&self, name: InterfaceName) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }
}

/// An interface of a server or of the virtual addresses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: InterfaceName,
    /// The section's name in the file.
    pub section: Span,
    /// `ip`; `None` if it is missing or no address.
    pub ip: Option<Spanned<Ipv4Addr>>,
    /// There is an `ip`, but it is no address, which was reported.
    pub(crate) ip_is_unreadable: bool,
    /// All other keys, which PacketFence writes over pf.conf's for this server.
    pub settings: Vec<Setting>,
}

/// A key and its value, blanks around the value removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: Box<str>,
    /// The value. Repeated keys are joined with a line break, as PacketFence does.
    pub value: Spanned<Box<str>>,
}

/// What a zone writes over one network of networks.conf (8.2 and later).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkOverlay {
    /// The network's address.
    pub network: Spanned<Ipv4Addr>,
    /// The keys.
    pub settings: Vec<Setting>,
}

/// How a zone takes part in the database.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ZoneDatabase {
    /// `masterslavemode`: exactly `SLAVE` makes the zone's database an asynchronous copy (9.2 and later).
    pub masterslavemode: Option<Spanned<Box<str>>>,
    /// `masterdb`: the zone that is copied.
    pub masterdb: Option<Spanned<Box<str>>>,
    /// `db_write`: hosts that take writes (12 and later, for ProxySQL).
    pub db_write: Option<Spanned<Box<str>>>,
    /// `db_read`: hosts that take reads.
    pub db_read: Option<Spanned<Box<str>>>,
}

impl ZoneDatabase {
    /// True if the zone's database only follows another one.
    pub fn is_slave(&self) -> bool {
        self.masterslavemode.as_ref().is_some_and(|mode| *mode.value == *"SLAVE")
    }
}

impl Cluster {
    /// Reads what cluster.conf says. Faults are reported and left out; the rest is there.
    pub fn from_document(document: &Document<'_>) -> Checked<Cluster> {
        lower::lower(document)
    }

    /// How the file is laid out.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// `[general] zone_dbs_only`: each zone's databases are on their own (12 and later).
    pub fn zone_dbs_only(&self) -> bool {
        self.zone_dbs_only
    }

    /// The zones, in order.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The members of all zones, in order.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.zones.iter().flat_map(|zone| &zone.members)
    }

    /// The member of this host name, exactly.
    pub fn member(&self, host: &str) -> Option<&Member> {
        let &(zone, member) = self.places.get(host)?;
        Some(&self.zones[zone].members[member])
    }

    /// The zone that a member is in.
    pub fn zone_of(&self, host: &str) -> Option<&Zone> {
        let &(zone, _) = self.places.get(host)?;
        Some(&self.zones[zone])
    }

    /// The name of a section of this zone as the file has it: in a multi-zone file with the zone before it.
    pub fn section_name(&self, zone: &Zone, section: &str) -> String {
        match self.layout {
            Layout::SingleZone => section.to_owned(),
            Layout::MultiZone => format!("{} {section}", zone.name),
        }
    }

    pub(crate) fn orphans(&self) -> &[Orphan] {
        &self.orphans
    }

    /// True if PacketFence works as a cluster with this file: it is multi-zone, or `[CLUSTER] management_ip` is an
    /// address. Otherwise each server works alone.
    pub fn is_clustered(&self) -> bool {
        let has_vip = |zone: &Zone| zone.vips.as_ref().is_some_and(|vips| vips.management_ip.is_some());
        self.layout == Layout::MultiZone || self.zones.iter().any(has_vip)
    }
}
