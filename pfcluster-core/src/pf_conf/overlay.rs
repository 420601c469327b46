//! The interfaces of one server: pf.conf's sections with cluster.conf's written over them.

use std::net::Ipv4Addr;

use super::PfConf;
use crate::cluster::{Addresses, InterfaceName, Netmask, parse_address};
use crate::span::{Place, Source};
use crate::version::PfVersion;

/// A value with the place that it comes from, if it is not PacketFence's own default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text, blanks around it removed.
    pub text: Box<str>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// An interface of one server (or of the virtual addresses) with all its settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostInterface {
    /// Its name.
    pub name: InterfaceName,
    /// Where its section is: in pf.conf, else in cluster.conf.
    pub place: Place,
    settings: Vec<(Box<str>, Value)>,
}

/// What an interface is for: the words of its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InterfaceKind {
    /// Registration, isolation or inline network.
    Internal,
    /// Carries the management address.
    Management,
    /// Receives mirrored traffic.
    Monitor,
    /// Receives DHCP only.
    DhcpListener,
    /// Carries database replication.
    HighAvailability,
    /// Serves the captive portal.
    Portal,
    /// Serves RADIUS.
    Radius,
    /// Serves DNS (9.0 and later).
    Dns,
    /// Serves DHCP (9.0 and later).
    Dhcp,
    /// Nothing of PacketFence's.
    Other,
}

impl InterfaceKind {
    /// Reads one word of `type`.
    pub fn from_word(word: &str) -> Option<InterfaceKind> {
        Some(match word {
            "internal" => InterfaceKind::Internal,
            "management" | "managed" => InterfaceKind::Management,
            "monitor" => InterfaceKind::Monitor,
            "high-availability" => InterfaceKind::HighAvailability,
            "portal" => InterfaceKind::Portal,
            "radius" => InterfaceKind::Radius,
            "dns" => InterfaceKind::Dns,
            "dhcp" => InterfaceKind::Dhcp,
            "other" => InterfaceKind::Other,
            _ if word.eq_ignore_ascii_case("dhcplistener") || word.eq_ignore_ascii_case("dhcp-listener") => {
                InterfaceKind::DhcpListener
            }
            _ => return None,
        })
    }

    /// True if an interface of this kind has an address of its own.
    pub fn needs_address(self) -> bool {
        !matches!(
            self,
            InterfaceKind::Monitor
                | InterfaceKind::DhcpListener
                | InterfaceKind::HighAvailability
                | InterfaceKind::Other
        )
    }
}

impl HostInterface {
    /// A setting of this exact key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.settings.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The text of a setting, empty if it is not there.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).map_or("", |value| &value.text)
    }

    /// Its address, if it is one.
    pub fn ip(&self) -> Option<Ipv4Addr> {
        parse_address(self.text("ip")).ok()
    }

    /// Its mask, if it is one.
    pub fn mask(&self) -> Option<Netmask> {
        self.text("mask").parse().ok()
    }

    /// The words of `type`, with what each means (`None`: PacketFence knows no such type).
    pub fn types(&self) -> impl Iterator<Item = (&str, Option<InterfaceKind>)> {
        let words = self.text("type").split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| (word, InterfaceKind::from_word(word)))
    }

    /// True if `type` has a word of this kind.
    pub fn is(&self, kind: InterfaceKind) -> bool {
        self.types().any(|(_, known)| known == Some(kind))
    }
}

/// The interfaces of a server, in PacketFence's order: those of pf.conf, then those that only cluster.conf names.
///
/// Up to version 9.1 PacketFence does not see the latter. (From 9.2 on it adds them in random order; here in the
/// file's.)
pub fn interfaces_of(pf_conf: &PfConf, addresses: &Addresses, version: PfVersion) -> Vec<HostInterface> {
    let mut interfaces: Vec<HostInterface> = Vec::new();
    for section in pf_conf.section_names() {
        let Some(name) = section.strip_prefix("interface ").and_then(|name| name.parse().ok()) else { continue };
        let settings = pf_conf.settings(section).iter().map(|setting| {
            let text = setting.value.trim_matches([' ', '\t', '\r']).into();
            (setting.key.clone(), Value { text, place: setting.place })
        });
        let settings: Vec<_> = settings.collect();
        let place = pf_conf.section_place(section).or_else(|| settings.first().and_then(|(_, value)| value.place));
        if let Some(place) = place {
            interfaces.push(HostInterface { name, place, settings });
        }
    }
    for own in &addresses.interfaces {
        let at = |span| Place { source: Source::ClusterConf, span };
        let known = interfaces.iter().position(|interface| interface.name == own.name);
        let number = match known {
            Some(number) => number,
            None if version < PfVersion::new(9, 2) => continue,
            None => {
                interfaces.push(HostInterface { name: own.name, place: at(own.section), settings: Vec::new() });
                interfaces.len() - 1
            }
        };
        let target = &mut interfaces[number].settings;
        let mut set = |key: &str, value: Value| match target.iter_mut().find(|(name, _)| &**name == key) {
            Some((_, old)) => *old = value,
            None => target.push((key.into(), value)),
        };
        if let Some(ip) = own.ip {
            set("ip", Value { text: ip.value.to_string().into(), place: Some(at(ip.span)) });
        }
        for setting in &own.settings {
            set(&setting.key, Value { text: setting.value.value.clone(), place: Some(at(setting.value.span)) });
        }
    }
    interfaces
}

/// Which interfaces do what on one server. Each list is in the order of the interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Roles {
    /// Type `internal`.
    pub internal: Vec<InterfaceName>,
    /// Internal with VLAN enforcement.
    pub vlan_enforcement: Vec<InterfaceName>,
    /// Internal with inline enforcement.
    pub inline_enforcement: Vec<InterfaceName>,
    /// Type `management` or `managed`; PacketFence takes the last one.
    pub management: Option<InterfaceName>,
    /// Where the portal's frontends listen: internal ones, and portal ones from 11.0 on, without alias suffix.
    pub listen: Vec<InterfaceName>,
    /// Where DHCP is listened to; the management interface is among them.
    pub dhcp_listener: Vec<InterfaceName>,
    /// Type `monitor`; PacketFence takes the last one.
    pub monitor: Option<InterfaceName>,
    /// Type `high-availability`; in a cluster from 8.2 on also the management interface.
    pub high_availability: Vec<InterfaceName>,
    /// Type `portal`.
    pub portal: Vec<InterfaceName>,
    /// Type `radius`, then the management interface.
    pub radius: Vec<InterfaceName>,
    /// Type `dns` (9.0 and later).
    pub dns: Vec<InterfaceName>,
    /// Type `dhcp` (9.0 and later).
    pub dhcp: Vec<InterfaceName>,
}

/// Sorts the interfaces of one server by what they do.
pub fn roles(interfaces: &[HostInterface], clustered: bool, version: PfVersion) -> Roles {
    let mut roles = Roles::default();
    for interface in interfaces {
        let name = interface.name;
        for kind in interface.types().filter_map(|(_, kind)| kind) {
            match kind {
                InterfaceKind::Internal => {
                    add(&mut roles.internal, name);
                    let inline = interface.text("enforcement").starts_with("inline");
                    add(if inline { &mut roles.inline_enforcement } else { &mut roles.vlan_enforcement }, name);
                    add(&mut roles.listen, name.device());
                }
                InterfaceKind::Management => {
                    roles.management = Some(name);
                    add(&mut roles.dhcp_listener, name);
                    if clustered && version >= PfVersion::new(8, 2) {
                        add(&mut roles.high_availability, name);
                    }
                }
                InterfaceKind::Monitor => roles.monitor = Some(name),
                InterfaceKind::DhcpListener => add(&mut roles.dhcp_listener, name),
                InterfaceKind::HighAvailability => add(&mut roles.high_availability, name),
                InterfaceKind::Portal => {
                    add(&mut roles.portal, name);
                    if version >= PfVersion::new(11, 0) {
                        add(&mut roles.listen, name.device());
                    }
                }
                InterfaceKind::Radius => add(&mut roles.radius, name),
                InterfaceKind::Dns if version >= PfVersion::new(9, 0) => add(&mut roles.dns, name),
                InterfaceKind::Dhcp if version >= PfVersion::new(9, 0) => add(&mut roles.dhcp, name),
                InterfaceKind::Dns | InterfaceKind::Dhcp | InterfaceKind::Other => {}
            }
        }
    }
    if let Some(management) = roles.management {
        add(&mut roles.radius, management);
    }
    roles
}

fn add(list: &mut Vec<InterfaceName>, name: InterfaceName) {
    if !list.contains(&name) {
        list.push(name);
    }
}
