//! Whether two members read the same members from cluster.conf.

use std::net::Ipv4Addr;

use crate::cluster::{Cluster, Hostname};

/// A short text that is the same on members that have the same members with the same management addresses in the same
/// order, and most likely differs on others: 16 hexadecimal digits (FNV-1a, 64 bits). It finds accidents, not forgeries.
pub fn members_hash<'m>(members: impl IntoIterator<Item = (&'m Hostname, Option<Ipv4Addr>)>) -> Box<str> {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = START;
    for (host, address) in members {
        // Names and addresses have neither blanks nor line ends: no two lists give the same text.
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        for byte in format!("{host} {address}\n").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    format!("{hash:016x}").into()
}

impl Cluster {
    /// [`members_hash`] of all members, in the order of cluster.conf; who is disabled does not count.
    pub fn members_hash(&self) -> Box<str> {
        members_hash(self.members().map(|member| (&member.host, member.addresses.management_ip.map(|ip| ip.value))))
    }
}
