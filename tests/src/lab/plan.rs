//! Which hosts and wires a cluster needs: read from its cluster.conf.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use pfcluster_core::cluster::Cluster;
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;

use super::error::{LabError, Result};
use crate::program::examples;

/// Hosts and networks of an example cluster.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where its cluster.conf and pf.conf are.
    pub folder: PathBuf,
    /// In the order of cluster.conf.
    pub hosts: Vec<HostPlan>,
    /// Each network of 256 addresses that a host is in: a bridge of the switch.
    pub networks: Vec<Ipv4Addr>,
}

/// One host.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// Its place in cluster.conf, from 0.
    pub number: usize,
    /// Its name up to the first dot.
    pub name: String,
    /// Its name in cluster.conf.
    pub hostname: String,
    /// Where its database listens.
    pub management: Ipv4Addr,
    /// Interfaces with their addresses.
    pub interfaces: Vec<(String, Ipv4Addr)>,
}

impl Plan {
    /// Of one of the repository's examples: `guide`, `five-members`, `two-zones`.
    ///
    /// # Errors
    /// If there is no such example.
    pub fn of_example(name: &str) -> Result<Plan> {
        let folder = examples().join(name);
        let path = folder.join("cluster.conf");
        let text = std::fs::read(&path).map_err(|error| LabError::about(&path.display().to_string(), error))?;
        let document = Document::parse(Source::ClusterConf, &text).value;
        let cluster = Cluster::from_document(&document).value;
        let mut hosts = Vec::new();
        for (number, member) in cluster.members().enumerate() {
            let hostname = member.host.as_str().to_owned();
            let incomplete = || LabError(format!("{name}: {hostname} has an interface without address"));
            let management = member.addresses.management_ip.as_ref().ok_or_else(incomplete)?.value;
            let addresses = member.addresses.interfaces.iter();
            let interfaces = addresses
                .map(|interface| Some((interface.name.as_str().to_owned(), interface.ip.as_ref()?.value)))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(incomplete)?;
            let name = hostname.split('.').next().unwrap_or_default().to_owned();
            hosts.push(HostPlan { number, name, hostname, management, interfaces });
        }
        let addresses = hosts.iter().flat_map(|host| host.interfaces.iter().map(|(_, address)| network(*address)));
        let mut networks: Vec<Ipv4Addr> = addresses.collect();
        networks.sort_unstable();
        networks.dedup();
        Ok(Plan { folder, hosts, networks })
    }

    /// A host by its short or full name.
    ///
    /// # Errors
    /// If there is none; with the names that there are.
    pub fn host(&self, name: &str) -> Result<&HostPlan> {
        self.hosts.iter().find(|host| host.is_named(name)).ok_or_else(|| {
            let names: Vec<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
            LabError(format!("there is no host {name}; there are {}", names.join(", ")))
        })
    }

    /// The bridge of an address, counted from 0.
    pub fn bridge(&self, address: Ipv4Addr) -> usize {
        self.networks.iter().position(|other| *other == network(address)).unwrap_or_default()
    }
}

impl HostPlan {
    /// True if this is its short or full name.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.hostname == name
    }

    /// The port of the switch where an interface is plugged in. The kernel allows 15 bytes.
    pub fn port(&self, interface: &str) -> String {
        format!("h{}-{interface}", self.number)
    }
}

/// The network of 256 addresses that an address is in.
fn network(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, _] = address.octets();
    Ipv4Addr::new(a, b, c, 0)
}

/// The switch's own address in the same network: it routes between the networks.
pub fn router(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, _] = address.octets();
    Ipv4Addr::new(a, b, c, 1)
}
