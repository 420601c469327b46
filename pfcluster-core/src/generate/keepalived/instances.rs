//! One `vrrp_instance` for each interface with a virtual address.

use std::net::Ipv4Addr;

use super::super::features::Feature;
use super::super::scene::Scene;
use super::super::{Deviation, GenerateError};
use super::blocks::Blocks;
use super::globals::Globals;
use super::tracking::{Tracker, trackers};
use super::{SCRIPT_SECURITY, Said, grammar, has, key};
use crate::cluster::{Hostname, InterfaceName, Vip, toggle};
use crate::pf_conf::{HostInterface, InterfaceKind};
use crate::span::{Place, Source};

/// Seconds between advertisements, as PacketFence has them.
const ADVERT_INT: u8 = 5;

const BACKUP: Deviation = Deviation {
    original: "state MASTER, with which keepalived ignores preempt_delay",
    here: "state BACKUP",
    why: "a member that comes back waits 30 s before it takes its addresses over, instead of taking them at once, before \
          its services run",
};
const ENV: Deviation = Deviation {
    original: "the notify scripts call bin/cluster/pfupdate",
    here: "they call it through /usr/bin/env",
    why: "PacketFence's files belong to the user pf, and script security disables what root runs and another user may \
          write: DHCP would not follow the addresses. So pfupdate is trusted as before: whoever is pf can change what \
          root runs",
};
const PEER_ORDER: Deviation = Deviation {
    original: "the peers of vrrp_unicast stand in random order",
    here: "in order of cluster.conf",
    why: "the same configuration gives the same file",
};
const NO_PEERS: Deviation = Deviation {
    original: "a member whose peers are all disabled writes an empty unicast_peer block",
    here: "it writes none",
    why: "keepalived warns of it and falls back to multicast anyway",
};
const NO_VIP: Deviation = Deviation {
    original: "an interface that only listens to DHCP gets an instance with an empty virtual address",
    here: "it gets none unless cluster.conf gives it one",
    why: "keepalived does not take an empty address",
};

/// All instances of a member.
pub(super) struct Instances<'a> {
    list: Vec<Instance<'a>>,
    virtual_router_id: u64,
    advert_int: u8,
    auth_pass: String,
    /// The command before its arguments.
    pfupdate: String,
    names_vip: bool,
    sends_mail: bool,
}

struct Instance<'a> {
    interface: &'a HostInterface,
    own: Ipv4Addr,
    vip: Ipv4Addr,
    priority: i64,
    /// The others' addresses, in order; none: multicast.
    peers: Vec<Ipv4Addr>,
    trackers: Vec<Tracker>,
}

impl<'a> Instances<'a> {
    pub(super) fn new(scene: &'a Scene<'a>, globals: &Globals, said: &mut Said) -> Result<Self, GenerateError> {
        said.deviation(BACKUP);
        let mut list: Vec<Instance<'a>> = Vec::new();
        for name in names(scene) {
            let Some(interface) = scene.interface(name).filter(|interface| is_meant(scene, interface, said)) else {
                continue;
            };
            let instance = Instance::new(scene, interface, said)?;
            if list.iter().any(|other| other.own == instance.own) {
                let host = &scene.view.me().host;
                return Err(duplicate(scene, host, name, "is the address of another interface of this server as well"));
            }
            list.push(instance);
        }
        Ok(Instances {
            list,
            virtual_router_id: scene.number("active_active", "virtual_router_id", 1..=255)?,
            advert_int: advert_int(scene, said)?,
            auth_pass: key::auth_pass(scene, said)?,
            pfupdate: pfupdate(scene, said)?,
            names_vip: has(scene, Feature::NotifyVip),
            sends_mail: globals.sends_mail(),
        })
    }

    /// What all instances together track, each once.
    pub(super) fn trackers(&self) -> Vec<Tracker> {
        let mut trackers: Vec<Tracker> =
            self.list.iter().flat_map(|instance| instance.trackers.iter().copied()).collect();
        trackers.sort_unstable();
        trackers.dedup();
        trackers
    }

    pub(super) fn write(&self, out: &mut Blocks) {
        for instance in &self.list {
            // PacketFence's name: the own address, which no other instance has.
            out.block(&format!("vrrp_instance {}", instance.own), |out| self.write_one(instance, out));
        }
    }

    fn write_one(&self, instance: &Instance<'_>, out: &mut Blocks) {
        let Instance { interface, own, vip, priority, peers, trackers } = instance;
        let device = interface.name;
        out.line(&format!("interface {device}"));
        out.line(&format!("virtual_router_id {}", self.virtual_router_id));
        out.line(&format!("advert_int {}", self.advert_int));
        out.line(&format!("priority {priority}"));
        out.line("state BACKUP");
        out.line("preempt_delay 30");
        // /32 as PacketFence: an address with the subnet's prefix could become the one that the server sends from.
        out.block("virtual_ipaddress", |out| out.line(&format!("{vip}/32 dev {device}")));
        if !peers.is_empty() {
            out.line(&format!("unicast_src_ip {own}"));
            out.block("unicast_peer", |out| peers.iter().for_each(|peer| out.line(&peer.to_string())));
        }
        for (event, mode) in [("notify_master", "master"), ("notify_backup", "slave"), ("notify_fault", "slave")] {
            let vip = if self.names_vip { format!(" --vip={vip}") } else { String::new() };
            out.line(&format!("{event} \"{} --mode={mode}{vip}\"", self.pfupdate));
        }
        if !trackers.is_empty() {
            out.block("track_script", |out| trackers.iter().for_each(|tracker| out.line(tracker.name())));
        }
        out.block("authentication", |out| {
            out.line("auth_type PASS");
            out.line(&format!("auth_pass {}", self.auth_pass));
        });
        if self.sends_mail {
            out.line("smtp_alert");
        }
    }
}

impl<'a> Instance<'a> {
    fn new(scene: &'a Scene<'a>, interface: &'a HostInterface, said: &mut Said) -> Result<Self, GenerateError> {
        if interface.name.device() != interface.name {
            return Err(alias(interface));
        }
        let (own, vip) = (scene.own_ip(interface.name)?, scene.vip(interface.name)?);
        let trackers = trackers(scene, interface, said);
        let peers = peers(scene, interface, own, said)?;
        Ok(Instance { interface, own, vip, priority: priority(scene, interface)?, peers, trackers })
    }
}

/// The interfaces that may have a virtual address, in PacketFence's order.
fn names(scene: &Scene<'_>) -> Vec<InterfaceName> {
    let roles = &scene.roles;
    let devices = roles.portal.iter().chain(&roles.radius).map(|name| name.device());
    let all = roles.listen.iter().chain(&roles.dhcp_listener).copied().chain(devices);
    all.fold(Vec::new(), |mut names, name| {
        if !names.contains(&name) {
            names.push(name);
        }
        names
    })
}

/// True if the interface shall have an instance.
fn is_meant(scene: &Scene<'_>, interface: &HostInterface, said: &mut Said) -> bool {
    if !interface.is(InterfaceKind::DhcpListener) {
        return true;
    }
    if !has(scene, Feature::DhcpListenerVip) {
        return false;
    }
    let only_listens = !interface.types().any(|(_, kind)| kind.is_some_and(InterfaceKind::needs_address));
    let has_vip = scene.vips.interface(interface.name).is_some();
    if only_listens && !has_vip {
        said.deviation(NO_VIP);
    }
    has_vip || !only_listens
}

fn priority(scene: &Scene<'_>, interface: &HostInterface) -> Result<i64, GenerateError> {
    let vip = if interface.is(InterfaceKind::Management) {
        Vip::Management
    } else if interface.is(InterfaceKind::Radius) {
        Vip::Radius
    } else {
        Vip::Registration
    };
    // Anything but a word for "off" is on, as PacketFence has it: all members must agree.
    let centralize = scene.request.pf_conf.get("active_active", "centralize_vips");
    let centralize = centralize.is_some_and(|setting| toggle(setting.value.trim()) != Some(false));
    let me = scene.view.me();
    let priority = scene.view.vrrp_priority(me, vip, scene.request.version, centralize);
    priority.filter(|priority| (1..=254).contains(priority)).ok_or_else(|| GenerateError::Missing {
        what: format!("a VRRP priority for {}, member {} of the cluster,", me.host, scene.index + 1),
        help: "the priorities are 100 and less: a zone has at most 100 members".to_owned(),
    })
}

/// With `vrrp_unicast`, the addresses of the other enabled members.
fn peers(
    scene: &Scene<'_>,
    interface: &HostInterface,
    own: Ipv4Addr,
    said: &mut Said,
) -> Result<Vec<Ipv4Addr>, GenerateError> {
    if !scene.is_enabled("active_active", "vrrp_unicast") {
        return Ok(Vec::new());
    }
    let me = &scene.view.me().host;
    let mut peers: Vec<Ipv4Addr> = Vec::new();
    for (host, ip) in scene.member_ips(interface.name).into_iter().filter(|(host, _)| *host != me) {
        if ip == own || peers.contains(&ip) {
            return Err(duplicate(scene, host, interface.name, "is the address of another member as well"));
        }
        peers.push(ip);
    }
    if peers.is_empty() {
        said.deviation(NO_PEERS);
        said.notice(
            format!("no other enabled member has {}: vrrp_unicast has no effect there", interface.name),
            "generate again on this member when others are enabled",
        );
    } else {
        said.deviation(PEER_ORDER);
    }
    Ok(peers)
}

fn duplicate(scene: &Scene<'_>, host: &Hostname, name: InterfaceName, reason: &str) -> GenerateError {
    let member = scene.request.cluster.member(host.as_str());
    let ip = member.and_then(|member| member.addresses.interface(name)?.ip);
    GenerateError::Unusable {
        section: format!("{host} interface {name}"),
        key: "ip".to_owned(),
        place: ip.map(|ip| Place { source: Source::ClusterConf, span: ip.span }),
        reason: reason.to_owned(),
        help: "give each member an address of its own on each interface in cluster.conf".to_owned(),
    }
}

fn alias(interface: &HostInterface) -> GenerateError {
    GenerateError::Unusable {
        section: format!("interface {}", interface.name),
        key: "type".to_owned(),
        place: interface.get("type").and_then(|kind| kind.place),
        reason: "asks for a virtual address on an alias, which keepalived knows no interface for".to_owned(),
        help: format!("give the type to the interface {} itself", interface.name.device()),
    }
}

fn advert_int(scene: &Scene<'_>, said: &mut Said) -> Result<u8, GenerateError> {
    let advert_int = scene.request.options.advert_int;
    if advert_int == 0 {
        return Err(grammar::unusable_option(
            "advert_int",
            "is no number from 1 to 255",
            "write seconds from 1 to 255",
        ));
    }
    if advert_int != ADVERT_INT {
        said.notice(
            format!(
                "advertisements are {advert_int} s apart instead of PacketFence's {ADVERT_INT}: members with different \
                 intervals ignore each other, and each holds all addresses"
            ),
            format!("generate with `--advert-int {advert_int}` on all members, then restart keepalived on all at once"),
        );
    }
    Ok(advert_int)
}

fn pfupdate(scene: &Scene<'_>, said: &mut Said) -> Result<String, GenerateError> {
    let options = &scene.request.options;
    let directory = options.install_dir.trim_end_matches('/');
    if !grammar::is_path(directory) {
        let reason = "is no absolute path of letters, digits and . _ - + @, which notify scripts can be called by";
        return Err(grammar::unusable_option("install_dir", reason, "install PacketFence below such a path"));
    }
    let pfupdate = format!("{directory}/bin/cluster/pfupdate");
    if options.keepalived < SCRIPT_SECURITY {
        return Ok(pfupdate);
    }
    said.deviation(ENV);
    Ok(format!("/usr/bin/env {pfupdate}"))
}
