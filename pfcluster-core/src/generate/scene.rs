//! What all generators need of a request, worked out once: who I am, my addresses, everybody's addresses in order.

use std::net::Ipv4Addr;

use super::{GenerateError, Request};
use crate::cluster::{Addresses, Hostname, InterfaceName, View};
use crate::pf_conf::{ConfSetting, HostInterface, Roles, interfaces_of, roles};

/// A request that makes sense: the member exists, is enabled, and there are virtual addresses.
pub(super) struct Scene<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) view: View<'a>,
    /// The zone's virtual addresses.
    pub(super) vips: &'a Addresses,
    /// My interfaces: pf.conf with my sections of cluster.conf over it.
    pub(super) interfaces: Vec<HostInterface>,
    pub(super) roles: Roles,
    /// My place among the enabled members of my zone.
    pub(super) index: usize,
}

impl<'a> Scene<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Result<Scene<'a>, GenerateError> {
        let cluster = request.cluster;
        if !cluster.is_clustered() {
            return Err(GenerateError::ClusteringOff);
        }
        let view = cluster.seen_by(request.me, &request.disabled);
        let view = view.map_err(|_| GenerateError::NotAMember(request.me.clone()))?;
        let index = view.index().ok_or_else(|| GenerateError::Disabled(request.me.clone()))?;
        let vips = view.zone().vips.as_ref().ok_or_else(|| GenerateError::Missing {
            what: format!("`[CLUSTER]` of zone {}", view.zone().name),
            help: "add it to cluster.conf with `management_ip`".to_owned(),
        })?;
        let interfaces = interfaces_of(request.pf_conf, &view.me().addresses, request.version);
        let roles = roles(&interfaces, true, request.version);
        Ok(Scene { request, view, vips, interfaces, roles, index })
    }

    /// My address for management: cluster.conf's `management_ip`.
    pub(super) fn management_ip(&self) -> Result<Ipv4Addr, GenerateError> {
        let me = self.view.me();
        me.addresses
            .management_ip
            .map(|ip| ip.value)
            .ok_or_else(|| missing_ip(&format!("management_ip of {}", me.host)))
    }

    /// The zone's virtual management address.
    pub(super) fn management_vip(&self) -> Result<Ipv4Addr, GenerateError> {
        self.vips.management_ip.map(|ip| ip.value).ok_or_else(|| missing_ip("management_ip of CLUSTER"))
    }

    /// My interface of this name.
    pub(super) fn interface(&self, name: InterfaceName) -> Option<&HostInterface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The virtual address of an interface. Never empty: keepalived and the firewall would get an invalid line.
    pub(super) fn vip(&self, name: InterfaceName) -> Result<Ipv4Addr, GenerateError> {
        let ip = self.vips.interface(name).and_then(|interface| interface.ip);
        ip.map(|ip| ip.value).ok_or_else(|| missing_ip(&format!("ip of [CLUSTER interface {name}]")))
    }

    /// My own address on an interface.
    pub(super) fn own_ip(&self, name: InterfaceName) -> Result<Ipv4Addr, GenerateError> {
        let ip = self.view.me().addresses.interface(name).and_then(|interface| interface.ip);
        ip.map(|ip| ip.value).ok_or_else(|| missing_ip(&format!("ip of [{} interface {name}]", self.view.me().host)))
    }

    /// The enabled members of my zone that have this interface, with their addresses on it, in order.
    pub(super) fn member_ips(&self, name: InterfaceName) -> Vec<(&'a Hostname, Ipv4Addr)> {
        let members = self.view.zone_members();
        members.filter_map(|member| Some((&member.host, member.addresses.interface(name)?.ip?.value))).collect()
    }

    /// A setting of pf.conf or its default.
    pub(super) fn setting(&self, section: &str, key: &str) -> Result<&'a ConfSetting, GenerateError> {
        self.request.pf_conf.get(section, key).ok_or_else(|| GenerateError::Missing {
            what: format!("`{key}` of `[{section}]`"),
            help: "set it in pf.conf".to_owned(),
        })
    }

    /// A setting that is a whole number in a range.
    pub(super) fn number(
        &self,
        section: &str,
        key: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, GenerateError> {
        let setting = self.setting(section, key)?;
        let text = setting.value.trim();
        let number = text.parse().ok().filter(|number| range.contains(number) && !text.starts_with('+'));
        let (first, last) = (range.start(), range.end());
        let reason = format!("is no number from {first} to {last}");
        number.ok_or_else(|| unusable(section, setting, reason, format!("write a number from {first} to {last}")))
    }

    /// A duration in seconds. (PacketFence takes what is none for 0; here it is refused.)
    pub(super) fn seconds(&self, section: &str, key: &str) -> Result<u64, GenerateError> {
        let setting = self.setting(section, key)?;
        let seconds = crate::pf_conf::seconds(&setting.value);
        let help = "write seconds, or a number with a unit: 360s, 6m, 1h".to_owned();
        seconds.ok_or_else(|| unusable(section, setting, "is no duration".to_owned(), help))
    }

    pub(super) fn is_enabled(&self, section: &str, key: &str) -> bool {
        self.request.pf_conf.is_enabled(section, key)
    }

    /// The text of the user's own template of this name.
    pub(super) fn template(&self, path: &str) -> Option<&'a str> {
        let template = self.request.options.templates.iter().find(|template| template.path == path);
        template.map(|template| template.text.as_str())
    }
}

/// The error for a setting that can't be written.
pub(super) fn unusable(section: &str, setting: &ConfSetting, reason: String, help: String) -> GenerateError {
    GenerateError::Unusable {
        section: section.to_owned(),
        key: setting.key.to_string(),
        place: setting.place,
        reason,
        help,
    }
}

fn missing_ip(what: &str) -> GenerateError {
    GenerateError::Missing {
        what: format!("`{what}`"),
        help: "`pfcluster check` shows what is wrong with cluster.conf".to_owned(),
    }
}
