//! Addresses: each belongs to one server, and those of one network fit together. Rules PFC012 to PFC018 and PFC021.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{Context, Owner, PfInterfaces, Report, kinds, own_setting, owners};
use crate::cluster::{Interface, InterfaceName, Netmask, Zone};
use crate::diagnostic::Diagnostic;
use crate::pf_conf::InterfaceKind;
use crate::rule::{Rule, rules};
use crate::span::{Source, Span, Spanned};

rules! {
    /// Two servers, or two interfaces, have the same address.
    ///
    /// Which of the two answers is chance. As a management address it makes one member push its configuration and
    /// its database to itself.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.5
    ///     [pf2.example.com]
    ///     management_ip = 192.168.1.5
    ///
    /// What to do: give each its own. (`management_ip` and the `ip` of the management interface of one server are the
    /// same address, and not meant here.)
    static DUPLICATE_ADDRESS = "PFC012" "duplicate-address" Error;

    /// A virtual address is also a member's own address.
    ///
    /// The virtual address moves from member to member. If one of them always has it, nothing ever moves, and two
    /// members answer for it at the same time.
    ///
    /// Example:
    ///     [CLUSTER interface eth0]
    ///     ip = 192.168.1.5
    ///     [pf1.example.com interface eth0]
    ///     ip = 192.168.1.5
    ///
    /// What to do: choose a free address of the same network for `[CLUSTER]`.
    static VIP_IS_MEMBER_ADDRESS = "PFC013" "vip-is-member-address" Error;

    /// An interface has no `ip`.
    ///
    /// For a virtual address PacketFence then writes an empty address into keepalived's configuration and an invalid
    /// firewall rule; for a member it leaves the server out of the lists of that network.
    ///
    /// Example:
    ///     [CLUSTER interface eth1.2]
    ///     [CLUSTER interface eth1.3]
    ///     ip = 192.168.3.10
    ///
    /// What to do: add `ip`. (Interfaces that pf.conf only listens on, of type monitor, dhcp-listener,
    /// high-availability or other, need none.)
    static INTERFACE_WITHOUT_IP = "PFC015" "interface-without-ip" Error;

    /// The addresses of one interface are not in one subnet.
    ///
    /// The virtual address and the members' addresses of an interface share one network, with the mask of pf.conf or
    /// cluster.conf; otherwise VRRP and the clients do not reach them.
    ///
    /// Example (mask 255.255.255.0):
    ///     [CLUSTER interface eth0]
    ///     ip = 192.168.1.10
    ///     [pf1.example.com interface eth0]
    ///     ip = 192.168.2.5
    ///
    /// What to do: correct the address or the mask.
    static DIFFERENT_SUBNETS = "PFC017" "different-subnets" Error;

    /// `management_ip` is not the address of the management interface.
    ///
    /// PacketFence uses one for web services and the database, the other for VRRP and RADIUS. Without pf.conf: it is
    /// the address of none of the interfaces.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.5
    ///     [pf1.example.com interface eth0]
    ///     ip = 192.168.1.55
    ///
    /// What to do: make the two the same.
    static MANAGEMENT_IP_MISMATCH = "PFC018" "management-ip-mismatch" Warning;

    /// An address that a server can't have: loopback, multicast, or the first or last of its subnet.
    ///
    /// The first address of a subnet names the network, the last one is its broadcast address.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 127.0.0.1
    ///
    /// What to do: choose another address.
    static UNUSABLE_ADDRESS = "PFC021" "unusable-address" Error;
}

pub(super) fn check(context: &Context<'_>, known: &PfInterfaces, report: &mut Report) {
    shared_addresses(context, report);
    for zone in context.cluster.zones() {
        for owner in owners(zone) {
            reserved_addresses(owner, report);
            management_ip(owner, known, report);
        }
        missing_addresses(zone, known, report);
        subnets(zone, known, report);
    }
}

/// One address in the file.
struct Use<'c> {
    address: Ipv4Addr,
    span: Span,
    owner: Owner<'c>,
    /// `None` for `management_ip`.
    interface: Option<&'c Interface>,
}

impl Use<'_> {
    fn what(&self) -> String {
        let owner = self.owner.name();
        match self.interface {
            None => format!("`management_ip` of {owner}"),
            Some(interface) => format!("{} of {owner}", interface.name),
        }
    }
}

fn uses_of(owner: Owner<'_>) -> impl Iterator<Item = Use<'_>> {
    let one = move |ip: Spanned<Ipv4Addr>, interface| Use { address: ip.value, span: ip.span, owner, interface };
    let interfaces = owner.addresses.interfaces.iter();
    let interfaces = interfaces.filter_map(move |interface| Some(one(interface.ip?, Some(interface))));
    owner.addresses.management_ip.map(|ip| one(ip, None)).into_iter().chain(interfaces)
}

/// PFC012 and PFC013: sorted by address, equal ones stand together.
fn shared_addresses(context: &Context<'_>, report: &mut Report) {
    let mut uses: Vec<Use<'_>> = context.cluster.zones().iter().flat_map(owners).flat_map(uses_of).collect();
    uses.sort_by_key(|one| (one.address, one.span));
    for same in uses.chunk_by(|a, b| a.address == b.address).filter(|same| same.len() > 1) {
        let (vips, members): (Vec<_>, Vec<_>) = same.iter().partition(|one| one.owner.host.is_none());
        for equals in [&vips, &members] {
            for (number, other) in equals.iter().enumerate() {
                let Some(first) = equals[..number].iter().find(|first| !is_one_use(first, other)) else { continue };
                report.add(shared(&DUPLICATE_ADDRESS, (first, other), other, "give each its own address"));
            }
        }
        for (vip, member) in vips.iter().zip(members.iter().cycle()) {
            let help = "choose a free address of the same network for CLUSTER";
            report.add(shared(&VIP_IS_MEMBER_ADDRESS, (vip, member), vip, help));
        }
    }
}

/// A finding at one of the two.
fn shared(rule: &'static Rule, (a, b): (&Use<'_>, &Use<'_>), at: &Use<'_>, help: &'static str) -> Diagnostic {
    let message = format!("{} is {} and {}", at.address, a.what(), b.what());
    let other = if at.span == a.span { b } else { a };
    let found = Diagnostic::new(rule, Source::ClusterConf, at.span, message, help);
    found.related(Source::ClusterConf, other.span, "the same address")
}

/// `management_ip` and the management interface's `ip` of one server are the same address by design.
fn is_one_use(a: &Use<'_>, b: &Use<'_>) -> bool {
    std::ptr::eq(a.owner.addresses, b.owner.addresses) && (a.interface.is_none() != b.interface.is_none())
}

/// PFC021, as far as it needs no mask.
fn reserved_addresses(owner: Owner<'_>, report: &mut Report) {
    for one in uses_of(owner) {
        let kind = match one.address {
            address if address.is_loopback() => "a loopback address",
            address if address.is_multicast() => "a multicast address",
            address if address.is_broadcast() => "the broadcast address",
            _ => continue,
        };
        let message = format!("{} ({}) is {kind}", one.address, one.what());
        report.cluster_conf(&UNUSABLE_ADDRESS, one.span, message, "choose another address");
    }
}

/// PFC015. Where nobody says what an interface is for, one that has an `ip` nowhere is taken for one that only listens.
fn missing_addresses(zone: &Zone, known: &PfInterfaces, report: &mut Report) {
    let has_ip = |interface: &&Interface| interface.ip.is_some() || interface.ip_is_unreadable;
    let interfaces = || owners(zone).flat_map(|owner| owner.addresses.interfaces.iter().map(move |one| (owner, one)));
    let lacking: Vec<(Owner<'_>, &Interface)> = interfaces().filter(|(_, interface)| !has_ip(interface)).collect();
    if lacking.is_empty() {
        return;
    }
    let with_ip: BTreeSet<InterfaceName> =
        interfaces().map(|(_, interface)| interface).filter(has_ip).map(|interface| interface.name).collect();
    for (owner, interface) in lacking {
        let kinds = kinds(interface, known);
        let needs_ip = match &*kinds {
            [] => with_ip.contains(&interface.name),
            kinds => kinds.iter().any(|kind| kind.needs_address()),
        };
        if needs_ip {
            let message = format!("{} of {} has no `ip`", interface.name, owner.name());
            let help = "add `ip = ADDRESS` below this header";
            report.cluster_conf(&INTERFACE_WITHOUT_IP, interface.section, message, help);
        }
    }
}

/// PFC018.
fn management_ip(owner: Owner<'_>, known: &PfInterfaces, report: &mut Report) {
    let Some(management) = owner.addresses.management_ip else { return };
    let interfaces = &owner.addresses.interfaces;
    let is_management = |interface: &&Interface| kinds(interface, known).contains(&InterfaceKind::Management);
    let (reason, ip) = if known.is_empty() {
        // Any of them may be the management interface, also one whose address can't be read.
        let Some(Some(first)) = interfaces.first().map(|interface| interface.ip) else { return };
        let may_match = |ip: Option<Spanned<Ipv4Addr>>| ip.is_none_or(|ip| ip.value == management.value);
        if interfaces.iter().any(|interface| may_match(interface.ip)) {
            return;
        }
        ("none of the interfaces has that address".to_owned(), first)
    } else {
        let Some((name, ip)) = interfaces.iter().find(is_management).and_then(|found| Some((found.name, found.ip?)))
        else {
            return;
        };
        if ip.value == management.value {
            return;
        }
        (format!("the management interface {name} has {}", ip.value), ip)
    };
    let message = format!("`management_ip` of {} is {}, but {reason}", owner.name(), management.value);
    let help = "make `management_ip` and the `ip` of the management interface the same";
    let found = Diagnostic::new(&MANAGEMENT_IP_MISMATCH, Source::ClusterConf, management.span, message, help);
    report.add(found.related(Source::ClusterConf, ip.span, "the interface's address"));
}

/// An address with its mask.
struct Placed<'c> {
    name: InterfaceName,
    owner: Owner<'c>,
    ip: Spanned<Ipv4Addr>,
    mask: Netmask,
}

impl Placed<'_> {
    fn network(&self) -> (Ipv4Addr, Netmask) {
        (self.mask.network(self.ip.value), self.mask)
    }

    fn what(&self) -> String {
        format!("{}/{} ({} of {})", self.ip.value, self.mask.prefix_length(), self.name, self.owner.name())
    }
}

/// PFC017, and PFC021 as far as it needs the mask: zone by zone, interface by interface.
fn subnets(zone: &Zone, known: &PfInterfaces, report: &mut Report) {
    let mut placed = Vec::new();
    for owner in owners(zone) {
        for interface in &owner.addresses.interfaces {
            let shared = || known.get(&interface.name)?.mask;
            let mask = own_setting(interface, "mask").map_or_else(shared, |own| own.parse().ok());
            if let (Some(ip), Some(mask)) = (interface.ip, mask) {
                placed.push(Placed { name: interface.name, owner, ip, mask });
            }
        }
    }
    // Stable: within one interface the virtual address stays first.
    placed.sort_by_key(|placed| placed.name);
    for group in placed.chunk_by(|a, b| a.name == b.name) {
        let usual = usual_one(group);
        for one in group {
            let ends = [one.mask.network(one.ip.value), one.mask.broadcast(one.ip.value)];
            if one.mask.prefix_length() < 31 && ends.contains(&one.ip.value) {
                let message = format!("{} is the first or last address of its subnet", one.what());
                report.cluster_conf(&UNUSABLE_ADDRESS, one.ip.span, message, "choose another address");
            }
            if one.network() != usual.network() {
                let differs = if one.mask == usual.mask { "is not in the subnet of" } else { "has another mask than" };
                let message = format!("{} {differs} {}", one.what(), usual.what());
                let help = "correct the address or the mask";
                let found = Diagnostic::new(&DIFFERENT_SUBNETS, Source::ClusterConf, one.ip.span, message, help);
                report.add(found.related(Source::ClusterConf, usual.ip.span, "compared with this one"));
            }
        }
    }
}

/// An address of the subnet that most of them are in; the first of those that tie.
fn usual_one<'a, 'c>(group: &'a [Placed<'c>]) -> &'a Placed<'c> {
    let mut counts = BTreeMap::new();
    group.iter().for_each(|one| *counts.entry(one.network()).or_insert(0_usize) += 1);
    let most = counts.values().max().copied();
    group.iter().find(|one| counts.get(&one.network()).copied() == most).unwrap_or(&group[0])
}
