//! Members: who is one, who is meant to be one, and who is counted out. Rules PFC044, PFC051 and PFC060 to PFC063.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Report};
use crate::cluster::{Hostname, Layout};
use crate::diagnostic::Diagnostic;
use crate::printable::quoted;
use crate::rule::rules;
use crate::span::{Source, Span};

rules! {
    /// There are sections for the interfaces of a host, but no section of the host itself.
    ///
    /// Only `[HOST]` makes a host a member. Without it the host does not exist for PacketFence.
    ///
    /// Example:
    ///     [pf3.example.com interface eth0]
    ///     ip = 192.168.1.7
    ///
    /// What to do: add `[pf3.example.com]` with `management_ip`, or correct the name.
    static MEMBER_WITHOUT_SECTION = "PFC044" "member-without-section" Error;

    /// A section belongs to two hosts, because a dot matches any character.
    ///
    /// PacketFence takes a host's name for a pattern when it looks for the host's interfaces: the section
    /// `[pf1-example-com interface eth1]` is also taken for one of `pf1.example.com`.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     [pf1-example-com]
    ///     [pf1-example-com interface eth1]
    ///
    /// What to do: rename one of the hosts, or correct the section's name.
    static NAME_MATCHES_TWO_HOSTS = "PFC051" "name-matches-two-hosts" Error;

    /// This server is not in cluster.conf.
    ///
    /// From 8.2 on every PacketFence program that loads the cluster's configuration dies on such a server, the checkup
    /// that should say so as well. The name must be exactly what `hostname` prints, letter for letter.
    ///
    /// Example: `hostname` prints `pf1`, cluster.conf has `[pf1.example.com]`.
    ///
    /// What to do: rename the section, or set the host name (`hostnamectl set-hostname pf1.example.com`).
    static HOST_NOT_IN_CLUSTER = "PFC060" "host-not-in-cluster" Error;

    /// This server is disabled on itself.
    ///
    /// PacketFence then takes the place of the last enabled server: its address, its server id, and the highest VRRP
    /// priority.
    ///
    /// Example: `bin/cluster/node pf2.example.com disable`, run on pf2.
    ///
    /// What to do: `bin/cluster/node HOST enable` here, and disable it on the other members.
    static OWN_HOST_DISABLED = "PFC061" "own-host-disabled" Error;

    /// A member is disabled on this server.
    ///
    /// Place in the order, VRRP priority, `server-id` and the database's member list follow the enabled members, and
    /// each server counts for itself. Unless all members disable the same ones, two of them take the same place.
    ///
    /// Example: only pf2 has pf1 disabled: both pf1 and pf2 take the first place.
    ///
    /// What to do: see that the same members are disabled everywhere, and enable them again when the work is done.
    static DISABLED_MEMBER = "PFC062" "disabled-member" Warning;

    /// There is a virtual address, but no member.
    ///
    /// Clustering is on, and no server belongs to the cluster.
    ///
    /// Example:
    ///     [CLUSTER]
    ///     management_ip = 192.168.1.10
    ///
    /// What to do: add a section for each server, with its interfaces.
    static NO_MEMBERS = "PFC063" "no-members" Error;
}

pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    orphans(context, report);
    ambiguous_names(context, report);
    own_host(context, report);
    if context.cluster.is_clustered() {
        no_members(context, report);
    }
}

/// PFC063.
fn no_members(context: &Context<'_>, report: &mut Report) {
    let help = "add a section for each server";
    if context.cluster.zones().is_empty() {
        let message = "the file is multi-zone, but has no zone: clustering is on without any member".to_owned();
        report.cluster_conf(&NO_MEMBERS, Span::default(), message, help);
    }
    for zone in context.cluster.zones().iter().filter(|zone| zone.members.is_empty()) {
        let span = zone.vips.as_ref().map_or(Span::default(), |vips| vips.section);
        let of_zone = match context.cluster.layout() {
            Layout::SingleZone => "the cluster".to_owned(),
            Layout::MultiZone => format!("zone {}", zone.name),
        };
        let message = format!("{of_zone} has a virtual address, but no member");
        report.cluster_conf(&NO_MEMBERS, span, message, help);
    }
}

/// PFC044: once for each host.
fn orphans(context: &Context<'_>, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for orphan in context.cluster.orphans().iter().filter(|orphan| seen.insert((orphan.zone, &*orphan.owner))) {
        let zone = &context.cluster.zones()[orphan.zone];
        // Members without `[CLUSTER]`: PFC042 or PFC048 says so.
        if &*orphan.owner == "CLUSTER" && !zone.members.is_empty() {
            continue;
        }
        let owner = quoted(orphan.owner.as_bytes());
        let section = context.cluster.section_name(zone, &owner);
        let message =
            format!("`[{section}]` is missing: {owner} has an interface section only, and PacketFence ignores it");
        let help = format!("add `[{section}]` with `management_ip`, or correct the name");
        report.cluster_conf(&MEMBER_WITHOUT_SECTION, orphan.section, message, help);
    }
}

/// PFC051. Hosts that differ only in `.`, `-` and `_` are the ones that people write; other characters in the place of
/// a dot are not looked for, since that would take time quadratic in the number of hosts.
fn ambiguous_names(context: &Context<'_>, report: &mut Report) {
    let zones = context.cluster.zones().iter().enumerate();
    let members = zones.flat_map(|(zone, of_zone)| of_zone.members.iter().map(move |member| (zone, member)));
    let members = members.map(|(zone, member)| (zone, member.host.as_str(), member.addresses.section));
    let orphans = context.cluster.orphans().iter().map(|orphan| (orphan.zone, &*orphan.owner, orphan.section));
    let mut alike: BTreeMap<(usize, String), Vec<(&str, Span)>> = BTreeMap::new();
    for (zone, name, section) in members.chain(orphans) {
        alike.entry((zone, name.replace(['-', '_'], "."))).or_default().push((name, section));
    }
    for names in alike.values().filter(|names| names.len() > 1) {
        for &(pattern, section) in names.iter().filter(|(name, _)| context.cluster.member(name).is_some()) {
            let taken = names.iter().find(|(name, _)| *name != pattern && matches(pattern, name));
            if let Some(&(name, other)) = taken {
                let message = format!(
                    "PacketFence takes the interfaces of {} for those of {pattern} too",
                    quoted(name.as_bytes())
                );
                let help = "rename one of the two";
                let found = Diagnostic::new(&NAME_MATCHES_TWO_HOSTS, Source::ClusterConf, section, message, help);
                report.add(found.related(Source::ClusterConf, other, "the other name"));
            }
        }
    }
}

/// True if `name` fits the host name `pattern` with its dots standing for any character.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.len() == name.len() && pattern.bytes().zip(name.bytes()).all(|(p, n)| p == b'.' || p == n)
}

/// PFC060 to PFC062.
fn own_host(context: &Context<'_>, report: &mut Report) {
    let cluster = context.cluster;
    for host in context.disabled.iter().filter(|host| Some(*host) != context.me) {
        let Some(member) = cluster.member(host.as_str()) else { continue };
        let message = format!("{host} is disabled on this server");
        let help = format!(
            "check that it is disabled on all members, and `bin/cluster/node {host} enable` when the work is done"
        );
        report.cluster_conf(&DISABLED_MEMBER, member.addresses.section, message, help);
    }
    let Some(me) = context.me.filter(|_| cluster.is_clustered()) else { return };
    match cluster.member(me.as_str()) {
        None => {
            let message = format!("this server, {me}, is not in cluster.conf");
            let help = similar(context, me).map_or_else(
                || match cluster.layout() {
                    Layout::SingleZone => format!("add `[{me}]` with `management_ip` and its interfaces"),
                    Layout::MultiZone => format!("add `[ZONE {me}]` with `management_ip` and its interfaces"),
                },
                |other| format!("rename {other} in all its sections, or `hostnamectl set-hostname {other}`"),
            );
            report.cluster_conf(&HOST_NOT_IN_CLUSTER, Span::default(), message, help);
        }
        Some(member) if context.disabled.contains(me) => {
            let message = format!("this server, {me}, is disabled on itself");
            let help = format!("`bin/cluster/node {me} enable`, and disable it on the other members");
            report.cluster_conf(&OWN_HOST_DISABLED, member.addresses.section, message, help);
        }
        Some(_) => {}
    }
}

/// A member whose name differs from `me` only in case or by its domain.
fn similar<'c>(context: &Context<'c>, me: &Hostname) -> Option<&'c Hostname> {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let mut members = context.cluster.members().map(|member| &member.host);
    members.find(|host| short(host.as_str()) == short(me.as_str()))
}
