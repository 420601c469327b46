//! The kernel's settings, interfaces, addresses.

use std::net::Ipv4Addr;

use super::finding::{Outcome, Sum};
use super::{KernelSetting, Known, Link, Server, known, word};
use pfcluster_core::cluster::{Interface, Netmask};
use pfcluster_core::pf_conf::interfaces_of;

/// Where settings of the kernel are kept that nobody has set elsewhere.
const SYSCTL_FILE: &str = "/etc/sysctl.d/90-packetfence-cluster.conf";

/// Services start on every member with the virtual addresses, which one of them holds.
pub(super) fn nonlocal_bind(server: &Server<'_>) -> Known<Outcome> {
    const NAME: &str = "net.ipv4.ip_nonlocal_bind";
    let setting = known(&server.facts.nonlocal_bind)?;
    if setting.now.is_none() {
        return Ok(Outcome::fail(format!("this kernel has no {NAME}")).advise("use a kernel that has it"));
    }
    Ok(kernel(NAME, setting))
}

/// The guide asks for it. An address of that kind in cluster.conf says that it is wanted.
pub(super) fn ipv6_disabled(server: &Server<'_>) -> Known<Outcome> {
    const NAME: &str = "net.ipv6.conf.all.disable_ipv6";
    let setting = known(&server.facts.disable_ipv6)?;
    if setting.now.is_none() {
        return Ok(Outcome::pass("this kernel has no IPv6"));
    }
    let vips = server.cluster.zones().iter().filter_map(|zone| zone.vips.as_ref());
    let owners = vips.chain(server.cluster.members().map(|member| &member.addresses));
    let is_wanted = owners
        .flat_map(|owner| &owner.interfaces)
        .flat_map(|interface| &interface.settings)
        .any(|setting| &*setting.key == "ipv6_address");
    if is_wanted && setting.now.as_deref() != Some("1") {
        return Ok(Outcome::pass("it is on, and cluster.conf has addresses for it (`ipv6_address`)"));
    }
    Ok(kernel(NAME, setting))
}

/// A setting of the kernel's that must be 1, now and after the next boot.
fn kernel(name: &str, setting: &KernelSetting) -> Outcome {
    let mut sum = Sum::new();
    let now = setting.now.as_deref().unwrap_or_default();
    if now != "1" {
        sum.add(Outcome::fail(format!("{name} is {now}")).run(format!("sysctl -w {name}=1")));
    }
    match &setting.at_boot {
        Some(at_boot) if &*at_boot.value == "1" => {}
        Some(at_boot) => {
            let pattern = name.replace('.', "[./]");
            let command =
                format!("sed -E -i 's|^[[:space:]-]*{pattern}[[:space:]]*=.*|{name} = 1|' {}", word(&at_boot.file));
            sum.add(Outcome::warn(format!("{} sets it to {} at boot", at_boot.file, at_boot.value)).run(command));
        }
        None => {
            let command = format!("echo '{name} = 1' >> {SYSCTL_FILE}");
            sum.add(Outcome::warn("nothing sets it at boot").run(command));
        }
    }
    sum.or_pass(format!("{name} is 1"))
}

/// The interfaces have the same names on all members, and cluster.conf's.
pub(super) fn interfaces_present(server: &Server<'_>) -> Known<Outcome> {
    let links = known(&server.facts.links)?;
    let member = server.member()?;
    let mut sum = Sum::new();
    for interface in &member.addresses.interfaces {
        let name = interface.name.as_str();
        match links.iter().find(|link| &*link.name == name) {
            Some(link) if link.is_up => {}
            Some(_) => {
                let up = format!("ip link set dev {} up", word(name));
                sum.add(Outcome::fail(format!("{name} is down")).run(up));
            }
            None => sum.add(missing(name, links)),
        }
    }
    let names: Vec<&str> = member.addresses.interfaces.iter().map(|one| one.name.as_str()).collect();
    Ok(sum.or_pass(format!("{} are up", names.join(", "))))
}

/// `eth1.2` is VLAN 2 on eth1.
fn missing(name: &str, links: &[Link]) -> Outcome {
    let outcome = Outcome::fail(format!("there is no {name}"));
    let vlan = name.split_once('.').and_then(|(parent, id)| Some((parent, id.parse::<u16>().ok()?)));
    match vlan.filter(|(parent, _)| links.iter().any(|link| &*link.name == *parent)) {
        Some((parent, id)) => outcome
            .run(format!("ip link add link {} name {} type vlan id {id}", word(parent), word(name)))
            .run(format!("ip link set dev {} up", word(name)))
            .advise("write it into the system's network configuration too"),
        None => outcome.advise(format!("give the interface the name {name}, as on the other members (guide 8.2)")),
    }
}

/// Each interface of cluster.conf has the address that is written there.
pub(super) fn interface_addresses(server: &Server<'_>) -> Known<Outcome> {
    let links = known(&server.facts.links)?;
    let mut sum = Sum::new();
    let mut right = Vec::new();
    for (interface, address) in own_addresses(server)? {
        let name = interface.name.as_str();
        let has = |link: &&Link| link.addresses.iter().any(|(own, _)| *own == address);
        match links.iter().find(has) {
            Some(link) if &*link.name == name => right.push(format!("{address} on {name}")),
            Some(link) => sum.add(
                Outcome::fail(format!("{address} is on {}, and cluster.conf has it on {name}", link.name))
                    .advise("move the address in the system's network configuration, or correct cluster.conf"),
            ),
            None => {
                let outcome = Outcome::fail(format!("{name} does not have {address}"));
                let there = links.iter().any(|link| &*link.name == name);
                sum.add(match mask(server, interface).filter(|_| there) {
                    Some(mask) => outcome
                        .run(format!("ip address add {address}/{} dev {}", mask.prefix_length(), word(name)))
                        .advise("write it into the system's network configuration too"),
                    None => outcome.advise(format!("give {name} the address, in the system's network configuration")),
                });
            }
        }
    }
    Ok(sum.or_pass(right.join(", ")))
}

/// keepalived adds a virtual address to an interface whose network must hold it: otherwise nobody there reaches it.
pub(super) fn interface_subnets(server: &Server<'_>) -> Known<Outcome> {
    let links = known(&server.facts.links)?;
    let vips = server.cluster.zone_of(server.me.as_str()).and_then(|zone| zone.vips.as_ref());
    let mut sum = Sum::new();
    let mut right = Vec::new();
    for (interface, address) in own_addresses(server)? {
        let name = interface.name.as_str();
        let on_link = links.iter().filter(|link| &*link.name == name).flat_map(|link| &link.addresses);
        let Some((_, length)) = on_link.into_iter().find(|(own, _)| *own == address) else { continue };
        if let Some(mask) = mask(server, interface).filter(|mask| mask.prefix_length() != *length) {
            let (wanted, device) = (mask.prefix_length(), word(name));
            sum.add(
                Outcome::fail(format!(
                    "{address} on {name} has the prefix /{length}, and pf.conf has {mask} (/{wanted})"
                ))
                .run(format!("ip address add {address}/{wanted} dev {device}"))
                .run(format!("ip address del {address}/{length} dev {device}"))
                .advise("change it in the system's network configuration too"),
            );
            continue;
        }
        let vip = vips.and_then(|vips| vips.interface(interface.name)?.ip).map(|ip| ip.value);
        match vip {
            Some(vip) if !is_same_network(address, vip, *length) => sum.add(
                Outcome::fail(format!("the virtual address {vip} is not in {address}/{length}, the network of {name}"))
                    .advise("correct the address or the mask in cluster.conf and pf.conf: `pfcluster check`"),
            ),
            Some(vip) => right.push(format!("{vip} in {address}/{length}")),
            None => {}
        }
    }
    if right.is_empty() && sum.is_empty() {
        return Err("none of the addresses is there".into());
    }
    Ok(sum.or_pass(right.join(", ")))
}

/// The addresses that cluster.conf gives to this server, with their interfaces.
fn own_addresses<'a>(server: &Server<'a>) -> Known<Vec<(&'a Interface, Ipv4Addr)>> {
    let interfaces = server.member()?.addresses.interfaces.iter();
    Ok(interfaces.filter_map(|interface| Some((interface, interface.ip?.value))).collect())
}

/// The mask of an interface, as pf.conf and cluster.conf have it.
fn mask(server: &Server<'_>, interface: &Interface) -> Option<Netmask> {
    let member = server.cluster.member(server.me.as_str())?;
    let interfaces = interfaces_of(server.pf_conf?, &member.addresses, server.version);
    interfaces.iter().find(|one| one.name == interface.name)?.mask()
}

fn is_same_network(one: Ipv4Addr, other: Ipv4Addr, length: u32) -> bool {
    (one.to_bits() ^ other.to_bits()).leading_zeros() >= length
}
