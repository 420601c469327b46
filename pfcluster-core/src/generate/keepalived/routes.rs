//! What networks.conf asks for: routes to the networks behind a router, addresses in networks that are split by role.

use std::net::Ipv4Addr;

use super::super::scene::Scene;
use super::super::{Deviation, GenerateError};
use super::statics::Statics;
use super::{Said, TEMPLATE};
use crate::cluster::{InterfaceName, Netmask, parse_address, toggle};
use crate::document::Document;
use crate::pf_conf::{HostInterface, InterfaceKind};
use crate::span::{Place, Source};

const ORDER: Deviation = Deviation {
    original: "the routes to networks.conf's networks stand in random order",
    here: "in order of networks.conf",
    why: "the same configuration gives the same file",
};

/// A network of networks.conf, the zone's settings of cluster.conf written over it.
struct Network {
    address: Ipv4Addr,
    settings: Vec<(Box<str>, Box<str>, Place)>,
}

impl Network {
    /// A setting, blanks around it removed.
    fn get(&self, key: &str) -> Option<(&str, Place)> {
        let (_, value, place) = self.settings.iter().find(|(name, ..)| &**name == key)?;
        Some((value.trim_matches([' ', '\t', '\r']), *place))
    }

    fn set(&mut self, key: &str, value: &str, place: Place) {
        self.settings.retain(|(name, ..)| &**name != key);
        self.settings.push((key.into(), value.into(), place));
    }

    fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|(value, _)| toggle(value) == Some(true))
    }

    /// The address of a setting; `None` if it is empty or not there.
    fn address(&self, key: &str) -> Result<Option<Ipv4Addr>, GenerateError> {
        let Some((text, _)) = self.get(key).filter(|(text, _)| !text.is_empty()) else { return Ok(None) };
        let help = "write an address such as 192.168.1.1";
        parse_address(text).map(Some).map_err(|error| self.unusable(key, format!("is no IPv4 address: {error}"), help))
    }

    fn unusable(&self, key: &str, reason: String, help: &str) -> GenerateError {
        GenerateError::Unusable {
            section: self.address.to_string(),
            key: key.to_owned(),
            place: self.get(key).map(|(_, place)| place),
            reason,
            help: help.to_owned(),
        }
    }
}

/// Adds the routes and addresses of all networks that this member has an interface to.
pub(super) fn of_networks(scene: &Scene<'_>, statics: &mut Statics, said: &mut Said) -> Result<(), GenerateError> {
    for network in networks(scene) {
        let router = network.address("next_hop")?;
        // A network without `next_hop` is one of the interface's own.
        let at = match router {
            Some(router) => Some(router),
            None => network.address("gateway")?,
        };
        let interface = at.and_then(|at| interface_to(scene, at));
        match (router, interface) {
            (Some(router), Some(interface)) => {
                let mask = mask(&network)?;
                let (first, length) = (mask.network(network.address), mask.prefix_length());
                statics.routes.push(format!("{first}/{length} via {router} dev {}", interface.device()));
                said.deviation(ORDER);
            }
            (None, Some(interface)) if network.is_on("dhcpd") && network.is_on("split_network") => {
                statics.addresses.extend(registration_address(&network, interface)?);
                let has_own = |template: &str| template.contains("static_ipaddress");
                if !scene.template(TEMPLATE).is_some_and(has_own) {
                    let reason =
                        "needs an address for each role, and the roles are in PacketFence's database".to_owned();
                    let help = "leave keepalived.conf to PacketFence, or write these addresses into a block \
                                static_ipaddress of a template conf/keepalived.conf";
                    return Err(network.unusable("split_network", reason, help));
                }
            }
            // Another zone's, or a network that PacketFence only knows of.
            _ => {}
        }
    }
    Ok(())
}

/// The networks in order: networks.conf's, then those that only cluster.conf names.
fn networks(scene: &Scene<'_>) -> Vec<Network> {
    let mut networks: Vec<Network> = scene.request.networks_conf.map(read).unwrap_or_default();
    for overlay in &scene.view.zone().networks {
        let address = overlay.network.value;
        let at = networks.iter().position(|network| network.address == address).unwrap_or_else(|| {
            networks.push(Network { address, settings: Vec::new() });
            networks.len() - 1
        });
        for setting in &overlay.settings {
            let place = Place { source: Source::ClusterConf, span: setting.value.span };
            networks[at].set(&setting.key, &setting.value.value, place);
        }
    }
    networks
}

fn read(document: &Document<'_>) -> Vec<Network> {
    let sections = document.sections().filter_map(|section| {
        let address = parse_address(std::str::from_utf8(section.name()).ok()?).ok()?;
        let mut network = Network { address, settings: Vec::new() };
        for entry in section.entries() {
            let value = entry.values().join(&b'\n');
            let place = Place { source: document.source(), span: entry.value_span() };
            network.set(&String::from_utf8_lossy(entry.key()), &String::from_utf8_lossy(&value), place);
        }
        Some(network)
    });
    sections.collect()
}

/// My internal interface to the subnet of an address; PacketFence takes the last one.
fn interface_to(scene: &Scene<'_>, address: Ipv4Addr) -> Option<InterfaceName> {
    let reaches = |interface: &&HostInterface| {
        let own = parse_address(interface.text("vip")).ok().or_else(|| interface.ip());
        let is_in = |(own, mask): (Ipv4Addr, Netmask)| mask.network(own) == mask.network(address);
        interface.is(InterfaceKind::Internal) && own.zip(interface.mask()).is_some_and(is_in)
    };
    scene.interfaces.iter().rfind(reaches).map(|interface| interface.name)
}

fn mask(network: &Network) -> Result<Netmask, GenerateError> {
    let mask = network.get("netmask").and_then(|(text, _)| text.parse().ok());
    let help = "write a mask such as 255.255.255.0";
    mask.ok_or_else(|| network.unusable("netmask", "is no mask".to_owned(), help))
}

/// `reg_network`: this server's address, with the length of the prefix, in the part for registration.
fn registration_address(network: &Network, interface: InterfaceName) -> Result<Option<String>, GenerateError> {
    let Some((text, _)) = network.get("reg_network").filter(|(text, _)| !text.is_empty()) else { return Ok(None) };
    let (address, length) = text.split_once('/').unwrap_or((text, "32"));
    let is_length =
        length.len() <= 2 && length.bytes().all(|b| b.is_ascii_digit()) && length.parse().is_ok_and(|n: u8| n <= 32);
    match parse_address(address) {
        Ok(address) if is_length => Ok(Some(format!("{address}/{length} dev {}", interface.device()))),
        _ => Err(network.unusable(
            "reg_network",
            "is no address with a prefix".to_owned(),
            "write it like 192.168.2.1/26",
        )),
    }
}
