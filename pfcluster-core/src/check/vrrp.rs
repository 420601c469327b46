//! VRRP: what keepalived would refuse. Rules PFC080 to PFC082.

use super::{Context, Report};
use crate::cluster::toggle;
use crate::printable::quoted;
use crate::rule::rules;

rules! {
    /// `virtual_router_id` is no number from 1 to 255.
    ///
    /// keepalived refuses its configuration. Another cluster in the same network needs another number: with the same
    /// one both take each other's virtual addresses for their own.
    ///
    /// Example: `virtual_router_id = 256`
    ///
    /// What to do: write a number from 1 to 255 that no other VRRP router of these networks uses.
    static VIRTUAL_ROUTER_ID = "PFC080" "virtual-router-id" Error;

    /// A zone has so many members that VRRP priorities run out.
    ///
    /// PacketFence gives the first member priority 100 and each next one less; keepalived takes 1 to 255.
    ///
    /// Example: a zone of 120 members.
    ///
    /// What to do: divide it into zones.
    static TOO_MANY_MEMBERS = "PFC081" "too-many-members" Error;

    /// A switch of the cluster in pf.conf is neither on nor off.
    ///
    /// As PFC053, for `[active_active]` of pf.conf.
    ///
    /// Example: `vrrp_unicast = on`
    ///
    /// What to do: write `enabled` or `disabled`.
    static ODD_CLUSTER_TOGGLE = "PFC082" "odd-cluster-toggle" Warning;
}

/// Priority 100 for the first, 1 for the hundredth.
const MOST_MEMBERS: usize = 100;

/// The switches of `[active_active]`.
const TOGGLES: [&str; 12] = [
    "vrrp_unicast",
    "dns_on_vip_only",
    "gateway_on_vip_only",
    "centralized_deauth",
    "use_vip_for_deauth",
    "portal_on_management",
    "auth_on_management",
    "galera_replication",
    "centralize_vips",
    "probe_mysql_from_haproxy_db",
    "radius_proxy_with_vip",
    "firewall_sso_on_management",
];

pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    for zone in context.cluster.zones() {
        if let Some(member) = zone.members.get(MOST_MEMBERS) {
            let message =
                format!("{} members share virtual addresses, but priorities end at the 100th", zone.members.len());
            report.cluster_conf(&TOO_MANY_MEMBERS, member.addresses.section, message, "divide the cluster into zones");
        }
    }
    let Some(pf_conf) = context.pf_conf else { return };
    if let Some(vrid) = pf_conf.get("active_active", "virtual_router_id") {
        let number = vrid.value.trim();
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_in_range = is_number && number.parse::<u16>().is_ok_and(|number| (1..=255).contains(&number));
        if !is_in_range && !context.is_template(number) {
            let message = format!("`{}` is no number from 1 to 255", quoted(number.as_bytes()));
            report.at(&VIRTUAL_ROUTER_ID, vrid.place, message, "write a number from 1 to 255");
        }
    }
    for key in TOGGLES {
        let Some(setting) = pf_conf.get("active_active", key) else { continue };
        let is_odd = toggle(&setting.value).is_none() && !setting.value.is_empty();
        if is_odd && !context.is_template(&setting.value) {
            let message = format!("`{key}` is `{}`, neither on nor off", quoted(setting.value.as_bytes()));
            report.at(&ODD_CLUSTER_TOGGLE, setting.place, message, "write `enabled` or `disabled`");
        }
    }
}
