//! What must run on the member that holds an address: else it gives the address up.
//!
//! | addresses of | serve | tracked |
//! |---|---|---|
//! | management, radius interfaces | RADIUS, which the load balancer hands on | radiusd-load_balancer |
//! | management, 8.0 to 9.x | also the database; 8.x tracks any HAProxy there | haproxy-db too |
//! | all others, and portals of the above | the captive portal | haproxy-portal |
//! | all, before 8.0 | one HAProxy for everything | haproxy |
//!
//! A check has no weight: when it fails the instance is in fault and gives its address up at once, whatever the
//! priorities are. (A lower priority would have to wait for the others' `preempt_delay`.) When it fails everywhere nobody
//! holds the address. So what the user switched off is not tracked.

use super::super::features::Feature;
use super::super::scene::Scene;
use super::blocks::Blocks;
use super::{Said, has};
use crate::cluster::toggle;
use crate::generate::Deviation;
use crate::pf_conf::{HostInterface, InterfaceKind};

const ANY_HAPROXY: Deviation = Deviation {
    original: "every address depends on `killall -0 haproxy`, which adds 2 to the priority",
    here: "each address depends on the systemd units that serve on it, and is given up when one is down",
    why: "any HAProxy satisfies the original's check, and 2 more or less changes little between members that are further \
          apart (while both kinds are mixed, members that PacketFence configures count 2 higher)",
};
const COMMAND_LINES: Deviation = Deviation {
    original: "services are tracked by the command lines of processes (vrrp_track_process), with a delay of 15 s",
    here: "their systemd units are asked every 2 s; two failures count",
    why: "a changed command line makes a running service look dead; a dead one is noticed in 4 s",
};
const SLOW_CHECKS: Deviation = Deviation {
    original: "the systemd units are asked every 5 s; two failures count",
    here: "every 2 s, and an answer may take 5 s",
    why: "a dead service is noticed in 4 s instead of 10, and a busy systemd is not taken for one",
};
const BOTH: Deviation = Deviation {
    original: "an address that serves RADIUS does not depend on the portal, even where it serves the portal too",
    here: "it depends on both",
    why: "otherwise the portal's visitors are sent to a member whose HAProxy is down",
};
const SWITCHED_OFF: Deviation = Deviation {
    original: "a service that is switched off in `[services]` is tracked all the same",
    here: "it is not tracked",
    why: "it is down on all members, so no member would hold the address",
};

/// A service that is tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tracker {
    RadiusLoadBalancer,
    HaproxyDb,
    HaproxyPortal,
    Haproxy,
}

impl Tracker {
    /// Name of the `vrrp_script`; those of PacketFence 12 and later where it has them.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tracker::RadiusLoadBalancer => "radius_load_balancer",
            Tracker::HaproxyDb => "haproxy_db",
            Tracker::HaproxyPortal => "haproxy_portal",
            Tracker::Haproxy => "haproxy",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Tracker::RadiusLoadBalancer => "packetfence-radiusd-load_balancer",
            Tracker::HaproxyDb => "packetfence-haproxy-db",
            Tracker::HaproxyPortal => "packetfence-haproxy-portal",
            Tracker::Haproxy => "packetfence-haproxy",
        }
    }

    /// The key of `[services]` that switches it.
    fn switch(self) -> &'static str {
        match self {
            Tracker::RadiusLoadBalancer => "radiusd",
            Tracker::HaproxyDb => "haproxy-db",
            Tracker::HaproxyPortal => "haproxy-portal",
            Tracker::Haproxy => "haproxy",
        }
    }

    pub(super) fn write(self, out: &mut Blocks) {
        out.block(&format!("vrrp_script {}", self.name()), |out| {
            // /bin, because Debian up to 9 has it only there, and all others there as well.
            out.line(&format!("script \"/bin/systemctl -q is-active {}\"", self.unit()));
            out.line("interval 2");
            out.line("timeout 5");
            out.line("fall 2");
            out.line("rise 2");
        });
    }
}

/// What the address of an interface depends on.
pub(super) fn trackers(scene: &Scene<'_>, interface: &HostInterface, said: &mut Said) -> Vec<Tracker> {
    let is_management = interface.is(InterfaceKind::Management);
    let serves_radius = is_management || interface.is(InterfaceKind::Radius);
    let has_portal = interface.is(InterfaceKind::Internal) || interface.is(InterfaceKind::Portal);
    let mut trackers = Vec::new();
    if has(scene, Feature::HaproxyDbAndPortal) {
        if serves_radius {
            trackers.push(Tracker::RadiusLoadBalancer);
        }
        if is_management && !has(scene, Feature::TrackedByUse) {
            trackers.push(Tracker::HaproxyDb);
        }
        if has_portal || !serves_radius {
            trackers.push(Tracker::HaproxyPortal);
        }
        if serves_radius && has_portal {
            said.deviation(BOTH);
        }
    } else {
        trackers.push(Tracker::Haproxy);
    }
    said.deviation(if has(scene, Feature::TrackedByUnit) {
        SLOW_CHECKS
    } else if has(scene, Feature::TrackedByUse) {
        COMMAND_LINES
    } else {
        ANY_HAPROXY
    });
    let is_on = |tracker: &Tracker| match scene.request.pf_conf.get("services", tracker.switch()) {
        None => true,
        Some(setting) => toggle(setting.value.trim()) == Some(true),
    };
    for off in trackers.iter().filter(|tracker| !is_on(tracker)) {
        let switch = off.switch();
        if has(scene, Feature::TrackedByUse) {
            said.deviation(SWITCHED_OFF);
        }
        said.notice(
            format!("`{switch}` of `[services]` is off: the virtual addresses do not depend on {}", off.unit()),
            format!("nothing, if another program does its work; else set `{switch}=enabled` in pf.conf"),
        );
    }
    trackers.retain(is_on);
    trackers
}

/// True if a template defines the `vrrp_script` of this name.
pub(super) fn defines(template: &str, name: &str) -> bool {
    template.lines().any(|line| {
        let mut words = line.split(|c: char| c.is_ascii_whitespace() || c == '{').filter(|word| !word.is_empty());
        words.next() == Some("vrrp_script") && words.next() == Some(name)
    })
}
