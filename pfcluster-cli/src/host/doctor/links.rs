//! The network interfaces and their addresses, as `ip -oneline` has them: one line each, the same in all versions.

use std::net::Ipv4Addr;
use std::time::Instant;

use pfcluster_guide::doctor::{Known, Link};

use super::Machine;
use super::programs::answer;

pub(super) fn all(machine: &Machine, deadline: Instant) -> Known<Vec<Link>> {
    let links = answer(machine, "ip", &["-oneline", "link", "show"], deadline)?.text()?;
    let addresses = answer(machine, "ip", &["-oneline", "-4", "address", "show"], deadline)?.text()?;
    let mut links: Vec<Link> = links.lines().filter_map(link).collect();
    for (name, address) in addresses.lines().filter_map(address) {
        if let Some(link) = links.iter_mut().find(|link| *link.name == *name) {
            link.addresses.push(address);
        }
    }
    Ok(links)
}

/// `3: eth1.2@eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 ...`
fn link(line: &str) -> Option<Link> {
    let mut words = line.split_whitespace().skip(1);
    let name = words.next()?.trim_end_matches(':');
    let name = name.split('@').next()?;
    let flags = words.next()?.trim_matches(['<', '>']);
    Some(Link { name: name.into(), is_up: flags.split(',').any(|flag| flag == "UP"), addresses: Vec::new() })
}

/// `3: eth1.2    inet 192.168.2.5/24 brd ... scope global eth1.2`. What is not said to have a network is one by itself.
fn address(line: &str) -> Option<(&str, (Ipv4Addr, u32))> {
    let mut words = line.split_whitespace().skip(1);
    let name = words.next()?;
    let address = words.nth(1)?;
    let (address, length) = address.split_once('/').unwrap_or((address, "32"));
    Some((name, (address.parse().ok()?, length.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ip() {
        let line = "7: eth1.2@if6: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT";
        assert_eq!(link(line), Some(Link { name: "eth1.2".into(), is_up: true, addresses: vec![] }));
        assert!(link("2: eth0: <BROADCAST,LOWER_UP> mtu 1500").is_some_and(|link| !link.is_up));
        let line = "7: eth1.2    inet 192.168.2.5/24 brd 192.168.2.255 scope global eth1.2\\       valid_lft forever";
        assert_eq!(address(line), Some(("eth1.2", (Ipv4Addr::new(192, 168, 2, 5), 24))));
        assert_eq!(
            address("9: ppp0    inet 10.0.0.1 peer 10.0.0.2/32"),
            Some(("ppp0", (Ipv4Addr::new(10, 0, 0, 1), 32)))
        );
        assert_eq!(link(""), None);
        assert_eq!(address("nonsense"), None);
    }
}
