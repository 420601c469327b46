//! The cluster as a table for people. The same overview is `show`'s JSON.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use pfcluster_core::cluster::{Addresses, Cluster, Layout, View, Vip, Zone};
use pfcluster_core::document::Document;
use pfcluster_core::installation::{Installation, Situation};
use pfcluster_core::printable::printable;
use serde::Serialize;

/// The cluster as one member sees it.
#[derive(Debug, Serialize)]
pub struct Overview {
    version: u32,
    pf_version: String,
    /// Whether PacketFence works as a cluster with these files.
    clustered: bool,
    layout: &'static str,
    zones: Vec<ZoneOverview>,
}

#[derive(Debug, Serialize)]
struct ZoneOverview {
    name: String,
    /// The zone whose database this one follows.
    slave_of: Option<String>,
    vips: Option<AddressOverview>,
    members: Vec<MemberOverview>,
    /// Networks of networks.conf that the zone writes over.
    networks: Vec<Ipv4Addr>,
}

#[derive(Debug, Serialize)]
struct AddressOverview {
    management_ip: Option<Ipv4Addr>,
    interfaces: Vec<InterfaceOverview>,
}

#[derive(Debug, Serialize)]
struct InterfaceOverview {
    name: String,
    /// The words of pf.conf's `type`, or cluster.conf's.
    #[serde(rename = "type")]
    kind: Option<String>,
    ip: Option<Ipv4Addr>,
}

#[derive(Debug, Serialize)]
struct MemberOverview {
    host: String,
    enabled: bool,
    /// Place among the enabled members of its zone, from 0.
    index: Option<usize>,
    /// Place in the order in which HAProxy prefers the databases, from 1.
    database_order: Option<usize>,
    vrrp_priority: PriorityOverview,
    #[serde(flatten)]
    addresses: AddressOverview,
}

#[derive(Debug, Serialize)]
struct PriorityOverview {
    management: Option<i64>,
    registration: Option<i64>,
}

impl Overview {
    /// As its first member sees each zone, while the situation's members are counted out.
    pub fn new(installation: &Installation<'_>, situation: &Situation) -> Overview {
        let cluster = &installation.cluster;
        Overview {
            version: 1,
            pf_version: situation.version.to_string(),
            clustered: cluster.is_clustered(),
            layout: match cluster.layout() {
                Layout::SingleZone => "single_zone",
                Layout::MultiZone => "multi_zone",
            },
            zones: cluster.zones().iter().map(|zone| zone_overview(cluster, zone, installation, situation)).collect(),
        }
    }

    /// The tables, one for each zone.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.clustered {
            writeln!(out, "Clustering is off: `[CLUSTER] management_ip` is no address.")?;
        }
        let zones = self.zones.iter().filter(|zone| zone.vips.is_some() || !zone.members.is_empty());
        for (number, zone) in zones.enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            zone.print(self.layout == "multi_zone", out)?;
        }
        if self.zones.iter().any(|zone| !zone.members.is_empty()) {
            writeln!(
                out,
                "\nVRRP: the highest priority holds the virtual address (management/registration, PacketFence {}).\n\
                 DB: the order in which HAProxy prefers the databases.",
                self.pf_version
            )?;
        }
        Ok(())
    }
}

fn zone_overview(
    cluster: &Cluster,
    zone: &Zone,
    installation: &Installation<'_>,
    situation: &Situation,
) -> ZoneOverview {
    let view = zone.members.first().and_then(|first| cluster.seen_by(&first.host, &situation.disabled).ok());
    let databases = view.map(View::database_order).unwrap_or_default();
    let pf_conf = installation.pf_conf.as_ref();
    let centralize = pf_conf.is_some_and(|pf_conf| pf_conf.is_enabled("active_active", "centralize_vips"));
    let members = zone.members.iter().map(|member| {
        let priority = |vip| view?.vrrp_priority(member, vip, situation.version, centralize);
        MemberOverview {
            host: member.host.to_string(),
            enabled: !situation.disabled.contains(&member.host),
            index: view.and_then(|view| view.index_of(member)),
            database_order: databases.iter().position(|other| other.host == member.host).map(|at| at + 1),
            vrrp_priority: PriorityOverview {
                management: priority(Vip::Management),
                registration: priority(Vip::Registration),
            },
            addresses: address_overview(&member.addresses, installation),
        }
    });
    ZoneOverview {
        name: zone.name.to_string(),
        slave_of: zone
            .database
            .masterdb
            .as_ref()
            .filter(|_| zone.database.is_slave())
            .map(|zone| zone.value.to_string()),
        vips: zone.vips.as_ref().map(|vips| address_overview(vips, installation)),
        members: members.collect(),
        networks: zone.networks.iter().map(|network| network.network.value).collect(),
    }
}

fn address_overview(addresses: &Addresses, installation: &Installation<'_>) -> AddressOverview {
    let interfaces = addresses.interfaces.iter().map(|interface| {
        let own = interface.settings.iter().find(|setting| &*setting.key == "type");
        let own = own.map(|setting| setting.value.value.to_string());
        let shared = || {
            let setting = installation.pf_conf.as_ref()?.get(&format!("interface {}", interface.name), "type")?;
            Some(setting.value.trim().to_owned())
        };
        let ip = interface.ip.map(|ip| ip.value);
        InterfaceOverview { name: interface.name.to_string(), kind: own.or_else(shared), ip }
    });
    AddressOverview { management_ip: addresses.management_ip.map(|ip| ip.value), interfaces: interfaces.collect() }
}

impl ZoneOverview {
    fn print(&self, with_name: bool, out: &mut dyn Write) -> io::Result<()> {
        if with_name {
            let follows = self.slave_of.as_ref().map_or(String::new(), |zone| format!(", database follows {zone}"));
            writeln!(out, "Zone {}{follows}", self.name)?;
        }
        let interfaces = self.interfaces();
        let mut table = Table::new();
        table.load_style(NOTHING);
        let mut header = ["#", "member", "management"].map(str::to_owned).to_vec();
        header.extend(interfaces.iter().cloned());
        header.extend(["VRRP", "DB", ""].map(str::to_owned));
        table.set_header(header);
        if let Some(vips) = &self.vips {
            let mut row = vec![String::new(), "CLUSTER (virtual)".to_owned(), shown(vips.management_ip)];
            row.extend(interfaces.iter().map(|name| vips.ip_of(name)));
            row.extend([String::new(), String::new(), String::new()]);
            table.add_row(row);
        }
        for member in &self.members {
            let priority = match (member.vrrp_priority.management, member.vrrp_priority.registration) {
                (Some(management), Some(registration)) => format!("{management}/{registration}"),
                _ => "-".to_owned(),
            };
            let mut row = vec![shown(member.index), member.host.clone(), shown(member.addresses.management_ip)];
            row.extend(interfaces.iter().map(|name| member.addresses.ip_of(name)));
            let state = if member.enabled { "" } else { "disabled here" };
            row.extend([priority, shown(member.database_order), state.to_owned()]);
            table.add_row(row);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        for network in &self.networks {
            writeln!(out, "network {network}: overlaid by this zone")?;
        }
        Ok(())
    }

    /// All interfaces of the zone, in order of first appearance.
    fn interfaces(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for addresses in self.vips.iter().chain(self.members.iter().map(|member| &member.addresses)) {
            for interface in &addresses.interfaces {
                if !names.contains(&interface.name) {
                    names.push(interface.name.clone());
                }
            }
        }
        names
    }
}

impl AddressOverview {
    fn ip_of(&self, name: &str) -> String {
        let interface = self.interfaces.iter().find(|interface| interface.name == name);
        shown(interface.and_then(|interface| interface.ip))
    }
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Sections, keys and values as PacketFence reads them; each value on a line of its own.
///
/// # Errors
/// If it can't be written.
pub fn raw(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    for section in document.sections() {
        writeln!(out, "[{}]", printable(section.name()))?;
        for entry in section.entries() {
            let is_secret = pfcluster_core::secret::is_secret_key(entry.key());
            for value in entry.values() {
                let value = if is_secret { pfcluster_core::secret::MASK.to_owned() } else { printable(&value) };
                writeln!(out, "  {} = {value}", printable(entry.key()))?;
            }
        }
    }
    Ok(())
}
