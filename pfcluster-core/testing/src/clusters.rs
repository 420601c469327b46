//! Clusters, and cluster.conf texts that describe them, well and badly.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use pfcluster_core::cluster::Hostname;

/// The name of the member at this place in the order: `pf1` is the first.
///
/// # Panics
/// Never: letters and a number are a host name.
pub fn host(at: usize) -> Hostname {
    format!("pf{}", at + 1).parse().expect("a host name")
}

/// A cluster as a file describes it: what a reader has to find in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The text of cluster.conf.
    pub text: String,
    /// Its members in order, with their management addresses.
    pub members: Vec<(Hostname, Ipv4Addr)>,
    /// The management address of the cluster.
    pub management_ip: Ipv4Addr,
}

/// A valid cluster of one zone with one to nine members, in one of the ways to write it.
pub fn described() -> impl Strategy<Value = Described> {
    let style = (select(&["=", " = ", "= "][..]), select(&["\n", "\r\n"][..]), any::<bool>());
    let priorities = vec(select(&["", "\n", "# a server\n", "; and another\n"][..]), 9);
    (1..=9_usize, 0..200_u8, style, priorities).prop_map(|(size, network, (equals, end, vlan), between)| {
        let address = |last: usize| Ipv4Addr::new(10, 0, network, u8::try_from(last).unwrap_or(u8::MAX));
        let mut text = String::new();
        let mut section = |name: &str, ip: Ipv4Addr, before: &str| {
            let device = if vlan { "eth0.22" } else { "eth0" };
            let _ = write!(text, "{before}[{name}]\nmanagement_ip{equals}{ip}\n\n");
            let _ = write!(text, "[{name} interface {device}]\nip{equals}{ip}\n\n");
        };
        let management_ip = address(100);
        section("CLUSTER", management_ip, "");
        let members: Vec<(Hostname, Ipv4Addr)> = (0..size).map(|at| (host(at), address(at + 1))).collect();
        for ((host, ip), before) in members.iter().zip(between) {
            section(host.as_str(), *ip, before);
        }
        Described { text: text.replace('\n', end), members, management_ip }
    })
}

/// A text of cluster.conf that somebody has spoilt: bytes are gone, doubled or others, lines are twice there or torn.
pub fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let spoil = (any::<Index>(), any::<Index>(), 0..6_u8, any::<u8>());
    let spoilt = (described(), vec(spoil, 1..8)).prop_map(|(described, spoils)| {
        let mut text = described.text.into_bytes();
        for (from, to, how, byte) in spoils {
            if text.is_empty() {
                break;
            }
            let (one, other) = (from.index(text.len()), to.index(text.len()));
            let (start, end) = (one.min(other), one.max(other));
            match how {
                0 => text.truncate(start),
                1 => text[start] = byte,
                2 => drop(text.drain(start..end.min(start + 20))),
                3 => text.extend_from_within(start..end),
                4 => text.insert(start, byte),
                _ => text.swap(start, end),
            }
        }
        text
    });
    prop_oneof![spoilt, vec(any::<u8>(), 0..2_000)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pfcluster_core::cluster::{Cluster, Member};
    use pfcluster_core::document::Document;
    use pfcluster_core::span::Source;

    proptest! {
        #[test]
        fn a_cluster_is_read_as_it_is_described(described in described()) {
            let document = Document::parse(Source::ClusterConf, described.text.as_bytes());
            prop_assert!(document.diagnostics.is_empty(), "{:?}", document.diagnostics);
            let cluster = Cluster::from_document(&document.value).value;
            let address = |member: &Member| member.addresses.management_ip.as_ref().map(|address| address.value);
            let members: Vec<_> = cluster.members().map(|member| (member.host.clone(), address(member))).collect();
            let expected: Vec<_> = described.members.iter().map(|(host, ip)| (host.clone(), Some(*ip))).collect();
            prop_assert_eq!(members, expected);
        }

        #[test]
        fn a_spoilt_text_is_read_without_panic(text in hostile()) {
            let document = Document::parse(Source::ClusterConf, &text);
            let _ = Cluster::from_document(&document.value);
        }
    }
}
