//! Whether two members read the same members from cluster.conf.

use std::net::Ipv4Addr;

use crate::cluster::{Cluster, Hostname};
use crate::fnv::fnv1a;

/// A short text that is the same on members that have the same members with the same management addresses in the same
/// order, and most likely differs on others: 16 hexadecimal digits (FNV-1a, 64 bits). It finds accidents, not forgeries.
pub fn members_hash<'m>(members: impl IntoIterator<Item = (&'m Hostname, Option<Ipv4Addr>)>) -> Box<str> {
    // Names and addresses have neither blanks nor line ends: no two lists give the same text.
    let line = |(host, address): (&Hostname, Option<Ipv4Addr>)| {
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        format!("{host} {address}\n").into_bytes()
    };
    format!("{:016x}", fnv1a(members.into_iter().flat_map(line))).into()
}

impl Cluster {
    /// [`members_hash`] of all members, in the order of cluster.conf; who is disabled does not count.
    pub fn members_hash(&self) -> Box<str> {
        members_hash(self.members().map(|member| (&member.host, member.addresses.management_ip.map(|ip| ip.value))))
    }
}
