//! Interfaces: every server has the same ones, and pf.conf says what they are for. Rules PFC014, PFC016, PFC019,
//! PFC020, PFC022, PFC023 and PFC090 to PFC093.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Owner, PfInterface, PfInterfaces, Report, own_setting, owners};
use crate::cluster::{Addresses, Interface, InterfaceName, Layout, Netmask, Zone};
use crate::diagnostic::Diagnostic;
use crate::pf_conf::{HostInterface, InterfaceKind, PfConf, interfaces_of};
use crate::printable::quoted;
use crate::rule::{Rule, rules};
use crate::span::{Place, Source, Span};
use crate::version::PfVersion;

rules! {
    /// A member has no section for an interface of pf.conf.
    ///
    /// The member would use the address that pf.conf has for it, which is that of another server. (PacketFence's
    /// checkup: FATAL; from 9.2 on it does not look in multi-zone files.)
    ///
    /// Example: pf.conf has `[interface eth1.2]`, cluster.conf has no `[pf2.example.com interface eth1.2]`.
    ///
    /// What to do: add the section with `ip`.
    static MISSING_INTERFACE = "PFC014" "missing-interface" Error;

    /// cluster.conf names an interface that pf.conf does not have.
    ///
    /// Up to PacketFence 9.1 such an interface is never used. Later it is, if cluster.conf also gives its mask and type.
    ///
    /// Example: `[pf1.example.com interface eth2]` without `[interface eth2]` in pf.conf.
    ///
    /// What to do: correct the name, add the interface to pf.conf, or (9.2 and later) add `mask` and `type` here.
    static INTERFACE_NOT_IN_PF_CONF = "PFC016" "interface-not-in-pf-conf" Warning;

    /// A member lacks an interface that other members of its zone have, or no member has one of `[CLUSTER]`.
    ///
    /// It would not take part in that network: no virtual address, no portal, no DHCP from it. If no member has the
    /// interface, its name is mostly a misspelt one.
    ///
    /// Example: eth1.3 for pf1 and pf2, but not for pf3.
    ///
    /// What to do: add the section, or remove the interface from all.
    static UNEVEN_INTERFACES = "PFC019" "uneven-interfaces" Warning;

    /// Members have an interface that `[CLUSTER]` does not have.
    ///
    /// PacketFence then writes a virtual address without an address into keepalived's configuration, and an invalid
    /// firewall rule. (PacketFence's checkup: FATAL if pf.conf has the interface.)
    ///
    /// Example: `[pf1.example.com interface eth1.2]` without `[CLUSTER interface eth1.2]`.
    ///
    /// What to do: add `[CLUSTER interface eth1.2]` with the virtual `ip` of that network.
    static INTERFACE_WITHOUT_VIP = "PFC020" "interface-without-vip" Error;

    /// A mask is none.
    ///
    /// PacketFence writes masks as four numbers whose bits are ones and then zeros.
    ///
    /// Example: `mask = 255.255.0.255`, `mask = /24`
    ///
    /// What to do: write it like 255.255.255.0.
    static INVALID_MASK = "PFC022" "invalid-mask" Error;

    /// A value that should be an IPv6 address is none.
    ///
    /// The portal's HAProxy would refuse its whole configuration.
    ///
    /// Example: `ipv6_address = fd00::1::2`
    ///
    /// What to do: write an address without prefix length, like fd00::10.
    static INVALID_IPV6 = "PFC023" "invalid-ipv6-address" Error;

    /// pf.conf does not have exactly one management interface.
    ///
    /// Virtual management address, database and web services belong to it. (PacketFence's checkup: FATAL.)
    ///
    /// Example: no `[interface ...]` with `type = management`.
    ///
    /// What to do: give one interface, and only one, the type `management`.
    static MANAGEMENT_INTERFACE = "PFC090" "management-interface" Error;

    /// An interface has no address or no mask, neither in pf.conf nor in cluster.conf.
    ///
    /// Interfaces that only listen (types monitor, dhcp-listener, high-availability, other) need none; all others do.
    /// (PacketFence's checkup: FATAL.)
    ///
    /// Example:
    ///     [interface eth1.2]
    ///     ip = 192.168.2.5
    ///     type = internal
    ///
    /// What to do: add what is missing.
    static INTERFACE_WITHOUT_ADDRESS = "PFC091" "interface-without-address" Error;

    /// PacketFence knows no such type of interface.
    ///
    /// Types: internal, management, managed, monitor, dhcp-listener, high-availability, portal, radius, dns, dhcp, other;
    /// several with commas between.
    ///
    /// Example: `type = internal,hi-availability`
    ///
    /// What to do: correct the word.
    static UNKNOWN_INTERFACE_TYPE = "PFC092" "unknown-interface-type" Error;

    /// An internal interface has no `enforcement`.
    ///
    /// It says how devices are held there: `vlan`, `inlinel2`, `inlinel3`. (PacketFence's checkup: FATAL.)
    ///
    /// Example:
    ///     [interface eth1.2]
    ///     type = internal
    ///
    /// What to do: add `enforcement = vlan`, for instance.
    static MISSING_ENFORCEMENT = "PFC093" "missing-enforcement" Error;
}

pub(super) fn check(context: &Context<'_>, known: &PfInterfaces, report: &mut Report) {
    for zone in context.cluster.zones() {
        presence(context, zone, known, report);
        owners(zone).for_each(|owner| own_settings(owner, context, known, report));
    }
    if let Some(pf_conf) = context.pf_conf {
        masks_of_pf_conf(context, pf_conf, report);
        of_pf_conf(context, pf_conf, report);
    }
}

/// PFC014, PFC019 and PFC020: who lacks an interface.
fn presence(context: &Context<'_>, zone: &Zone, known: &PfInterfaces, report: &mut Report) {
    // A server that works alone, or a virtual address without members, which was reported.
    if zone.members.is_empty() {
        return;
    }
    // PacketFence's checkup wants a section even for an interface that only listens, but not in multi-zone files.
    let all_of_them = context.cluster.layout() == Layout::SingleZone || context.version < PfVersion::new(9, 2);
    let wanted = |known: &PfInterface| known.place.is_some() && (all_of_them || !known.only_listens());
    // First place of each interface that a member has; pf.conf's interfaces are expected of everybody.
    let mut expected: BTreeMap<InterfaceName, Option<(Span, String)>> = BTreeMap::new();
    known.iter().filter(|(_, known)| wanted(known)).for_each(|(&name, _)| {
        expected.insert(name, None);
    });
    for member in &zone.members {
        for interface in &member.addresses.interfaces {
            expected.entry(interface.name).or_insert_with(|| Some((interface.section, member.host.to_string())));
        }
    }
    for owner in owners(zone) {
        let has: BTreeSet<InterfaceName> = owner.addresses.interfaces.iter().map(|interface| interface.name).collect();
        for (&name, first) in expected.iter().filter(|(name, _)| !has.contains(name)) {
            report.add(missing(context, owner, name, first.as_ref(), known.get(&name)));
        }
    }
    let is_used =
        |interface: &&Interface| expected.contains_key(&interface.name) || known.contains_key(&interface.name);
    for owner in owners(zone).take_while(|owner| owner.host.is_none()) {
        for interface in owner.addresses.interfaces.iter().filter(|interface| !is_used(interface)) {
            // Otherwise PFC016 says so.
            if !is_not_in_pf_conf(context, owner, interface, known) {
                let message = format!("no member has {}, which {} has", interface.name, owner.name());
                let help = "correct the name, or add the interface to all members";
                report.cluster_conf(&UNEVEN_INTERFACES, interface.section, message, help);
            }
        }
    }
}

fn missing(
    context: &Context<'_>,
    owner: Owner<'_>,
    name: InterfaceName,
    first: Option<&(Span, String)>,
    known: Option<&PfInterface>,
) -> Diagnostic {
    let section = context.cluster.section_name(owner.zone, &format!("{} interface {name}", owner.section()));
    let only_listens = known.is_some_and(PfInterface::only_listens);
    let (rule, message) = match (owner.host, first) {
        (None, _) if only_listens => {
            (&INTERFACE_WITHOUT_VIP, format!("{} has no section for {name}, which pf.conf has", owner.name()))
        }
        (None, _) => {
            (&INTERFACE_WITHOUT_VIP, format!("there is no virtual address for {name}: `[{section}]` is missing"))
        }
        (Some(host), None) => (&MISSING_INTERFACE, format!("{host} has no section for {name}, which pf.conf has")),
        (Some(host), Some((_, other))) => (&UNEVEN_INTERFACES, format!("{host} has no {name}, which {other} has")),
    };
    let help = if only_listens {
        format!("add `[{section}]`; it needs no `ip`")
    } else {
        format!("add `[{section}]` with `ip = ADDRESS`")
    };
    let found = Diagnostic::new(rule, Source::ClusterConf, owner.addresses.section, message, help);
    match (first, known.and_then(|known| known.place)) {
        (Some((span, other)), _) => found.related(Source::ClusterConf, *span, format!("{other} has it")),
        (None, Some(place)) => found.related(place.source, place.span, "pf.conf has it"),
        (None, None) => found,
    }
}

/// PFC016, PFC022 and PFC023: what cluster.conf itself says about an interface.
fn own_settings(owner: Owner<'_>, context: &Context<'_>, known: &PfInterfaces, report: &mut Report) {
    for interface in &owner.addresses.interfaces {
        if is_not_in_pf_conf(context, owner, interface, known) {
            let message = format!("pf.conf has no `[interface {}]`", interface.name);
            report.cluster_conf(
                &INTERFACE_NOT_IN_PF_CONF,
                interface.section,
                message,
                "correct the name, or add the interface to pf.conf",
            );
        }
        for setting in &interface.settings {
            let (text, span) = (&*setting.value.value, setting.value.span);
            let shown = quoted(text.as_bytes());
            if text.is_empty() || context.is_template(text) || has_comment(text) {
                continue;
            }
            if &*setting.key == "mask" && text.parse::<Netmask>().is_err() {
                let message = format!("`{shown}` is no mask");
                report.cluster_conf(&INVALID_MASK, span, message, "write it like 255.255.255.0");
            }
            if &*setting.key == "ipv6_address" && text.parse::<std::net::Ipv6Addr>().is_err() {
                let message = format!("`{shown}` is no IPv6 address");
                report.cluster_conf(&INVALID_IPV6, span, message, "write it like fd00::10, without prefix length");
            }
        }
    }
}

/// True if a comment seems to follow the value, which was reported as such.
fn has_comment(text: &str) -> bool {
    text.split_once([' ', '\t']).is_some_and(|(_, rest)| rest.trim_start().starts_with(['#', ';']))
}

/// True if nothing says what the interface is for. From 9.2 on a member's own `type` does, also for the virtual address.
fn is_not_in_pf_conf(context: &Context<'_>, owner: Owner<'_>, interface: &Interface, known: &PfInterfaces) -> bool {
    let has_type = |interface: &Interface| own_setting(interface, "type").is_some();
    let is_described = || {
        let mut of_members = owner.zone.members.iter().filter_map(|member| member.addresses.interface(interface.name));
        has_type(interface) || owner.host.is_none() && of_members.any(has_type)
    };
    let is_known = known.contains_key(&interface.name);
    context.pf_conf.is_some() && !is_known && !(context.version >= PfVersion::new(9, 2) && is_described())
}

/// PFC022: masks of pf.conf itself.
fn masks_of_pf_conf(context: &Context<'_>, pf_conf: &PfConf, report: &mut Report) {
    for section in pf_conf.section_names().filter(|section| section.starts_with("interface ")) {
        let Some(mask) = pf_conf.get(section, "mask") else { continue };
        let text = mask.value.trim();
        if !text.is_empty() && !context.is_template(text) && text.parse::<Netmask>().is_err() {
            let message = format!("`{}` is no mask", quoted(text.as_bytes()));
            report.at(&INVALID_MASK, mask.place, message, "write it like 255.255.255.0");
        }
    }
}

/// PFC090 to PFC093: pf.conf's interfaces as each member has them. Members mostly agree, so each finding is reported
/// once, for the first member that shows it.
fn of_pf_conf(context: &Context<'_>, pf_conf: &PfConf, report: &mut Report) {
    let nobody = Addresses { section: Span::default(), management_ip: None, interfaces: Vec::new() };
    let mut seen = BTreeSet::new();
    let mut members: Vec<(Option<&str>, &Addresses)> =
        context.cluster.members().map(|member| (Some(member.host.as_str()), &member.addresses)).collect();
    if members.is_empty() {
        members.push((None, &nobody));
    }
    // Those that say nothing but addresses all show what the first of them shows.
    let mut is_first = true;
    members.retain(|(_, addresses)| says_more_than_addresses(addresses) || std::mem::take(&mut is_first));
    for (host, addresses) in members {
        let interfaces = interfaces_of(pf_conf, addresses, context.version);
        let mut once = |rule: &'static Rule, place: Option<Place>, message: String, help: &str| {
            if seen.insert((rule.code, message.clone())) {
                let on = host.map_or_else(String::new, |host| format!(" (on {host})"));
                report.at(rule, place, message + &on, help);
            }
        };
        let management = interfaces.iter().filter(|interface| interface.is(InterfaceKind::Management)).count();
        if management != 1 {
            let place = second_management(&interfaces);
            let number = if management == 0 { "no management interface" } else { "more than one management interface" };
            let help = "give exactly one interface the type `management`";
            once(&MANAGEMENT_INTERFACE, place, format!("there is {number}"), help);
        }
        // A member's missing address was reported at its own section.
        let needed: &[&str] = if host.is_some() { &["mask"] } else { &["ip", "mask"] };
        interfaces.iter().for_each(|interface| interface_of_pf_conf(interface, needed, &mut once));
    }
}

fn says_more_than_addresses(addresses: &Addresses) -> bool {
    addresses.interfaces.iter().any(|interface| !interface.settings.is_empty())
}

fn second_management(interfaces: &[HostInterface]) -> Option<Place> {
    let management = interfaces.iter().filter(|interface| interface.is(InterfaceKind::Management));
    management.map(|interface| interface.place).nth(1)
}

fn interface_of_pf_conf(
    interface: &HostInterface,
    needed: &[&str],
    once: &mut impl FnMut(&'static Rule, Option<Place>, String, &str),
) {
    let name = interface.name;
    let type_place = interface.get("type").and_then(|value| value.place).or(Some(interface.place));
    for (word, _) in interface.types().filter(|(_, kind)| kind.is_none()) {
        let message = format!("{name} has the type `{}`, which PacketFence does not know", quoted(word.as_bytes()));
        once(&UNKNOWN_INTERFACE_TYPE, type_place, message, "see `pfcluster check --explain PFC092` for the types");
    }
    let needs_address = interface.types().any(|(_, kind)| kind.is_some_and(InterfaceKind::needs_address));
    let lacks = |key: &&str| interface.text(key).is_empty();
    for key in needed.iter().filter(|key| needs_address && lacks(key)) {
        let place = interface.get(key).and_then(|value| value.place).or(Some(interface.place));
        let help = "add it to pf.conf, or to the member's section";
        once(&INTERFACE_WITHOUT_ADDRESS, place, format!("{name} has no `{key}`"), help);
    }
    if interface.is(InterfaceKind::Internal) && lacks(&"enforcement") {
        let message = format!("{name} is internal, but has no `enforcement`");
        once(&MISSING_ENFORCEMENT, Some(interface.place), message, "add `enforcement = vlan`, for instance");
    }
}
