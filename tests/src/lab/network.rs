//! The switch and the wires. The switch is a network namespace with a bridge for each network; it routes between them.
//! What is cut is cut in the switch, so that a host's own network stays as a broken wire would leave it, and so that it
//! stays cut when the host starts again.

use std::fmt::Write as _;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::command::{checked, run};
use super::error::{LabError, Result};
use super::plan::{HostPlan, Plan, router};

/// Names and state of the lab's network.
#[derive(Clone, Debug)]
pub struct Network {
    /// All namespaces begin with it.
    prefix: String,
    /// The cables that are out, a line for each port.
    unplugged: PathBuf,
}

/// Takes this thread, and those that it begins from now on, into a host's network.
///
/// # Errors
/// If there is no such namespace, or the kernel does not let us.
pub fn enter(namespace: &str) -> Result {
    let network = File::open(Path::new("/run/netns").join(namespace))?;
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).map_err(std::io::Error::from)?;
    Ok(())
}

/// Pairs of ports (inside of a network) and of addresses (between networks) from where nothing gets through to where.
const RULES: &str = "
table bridge lab {
    set cut { type ifname . ifname; }
    chain forward {
        type filter hook forward priority 0;
        iifname . oifname @cut drop
    }
}
table ip lab {
    set cut { type ipv4_addr . ipv4_addr; }
    chain forward {
        type filter hook forward priority 0;
        ip saddr . ip daddr @cut drop
    }
}
";

impl Network {
    /// That of the lab with this name, whose files are in `folder`.
    pub fn new(lab: &str, folder: &Path) -> Network {
        Network { prefix: lab.to_owned(), unplugged: folder.join("unplugged") }
    }

    /// A host's namespace.
    pub fn namespace(&self, host: &HostPlan) -> String {
        format!("{}-{}", self.prefix, host.name)
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.prefix)
    }

    /// The switch, without any host on it.
    ///
    /// # Errors
    /// If the kernel or a missing program does not let us.
    pub fn create(&self, plan: &Plan) -> Result {
        let switch = self.switch();
        run("ip", &["netns", "add", &switch])?;
        run("ip", &["-n", &switch, "link", "set", "lo", "up"])?;
        for (number, network) in plan.networks.iter().enumerate() {
            let bridge = format!("br{number}");
            // Without waiting 15 s for other switches.
            run("ip", &["-n", &switch, "link", "add", &bridge, "type", "bridge", "forward_delay", "0"])?;
            let address = format!("{}/24", router(*network));
            run("ip", &["-n", &switch, "address", "add", &address, "dev", &bridge])?;
            run("ip", &["-n", &switch, "link", "set", &bridge, "up"])?;
        }
        self.in_switch(&["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])?;
        self.nft(RULES)
    }

    /// A host's own namespace with its interfaces and addresses, plugged in but for the cables that are out.
    ///
    /// # Errors
    /// If the kernel does not let us.
    pub fn attach(&self, plan: &Plan, host: &HostPlan) -> Result {
        let (namespace, switch) = (self.namespace(host), self.switch());
        self.detach(host);
        run("ip", &["netns", "add", &namespace])?;
        let ip = |arguments: &[&str]| run("ip", &[&["-n", &namespace], arguments].concat());
        ip(&["link", "set", "lo", "up"])?;
        // PacketFence's containers reach the host's database by this one (12 and later).
        ip(&["address", "add", "100.64.0.1/32", "dev", "lo"])?;
        let out = self.unplugged();
        for (interface, address) in &host.interfaces {
            let (port, bridge) = (host.port(interface), format!("br{}", plan.bridge(*address)));
            // The same card each time: the others' kernels know it for up to 45 s, whatever becomes of the host.
            let [a, b, c, d] = address.octets();
            let card = format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
            let peer = ["type", "veth", "peer", "name", &port, "netns", &switch];
            ip(&[&["link", "add", interface, "address", &card], &peer[..]].concat())?;
            run("ip", &["-n", &switch, "link", "set", &port, "master", &bridge])?;
            ip(&["address", "add", &format!("{address}/24"), "dev", interface])?;
            ip(&["link", "set", interface, "up"])?;
            if !out.contains(&port) {
                run("ip", &["-n", &switch, "link", "set", &port, "up"])?;
            }
        }
        ip(&["route", "add", "default", "via", &router(host.management).to_string()])?;
        // HAProxy binds VIPs that another member has.
        self.inside(host, &["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind"])?;
        Ok(())
    }

    /// The host's wires go dead at once: nothing of what its end makes its kernel say reaches the others.
    pub fn silence(&self, host: &HostPlan) {
        for (interface, _) in &host.interfaces {
            let _ = run("ip", &["-n", &self.switch(), "link", "set", &host.port(interface), "down"]);
        }
    }

    /// Takes a host's namespace away, with what its kernel still has of its connections and addresses.
    pub fn detach(&self, host: &HostPlan) {
        for (interface, _) in &host.interfaces {
            let _ = run("ip", &["-n", &self.switch(), "link", "delete", &host.port(interface)]);
        }
        let _ = run("ip", &["netns", "delete", &self.namespace(host)]);
    }

    /// Nothing gets from one host to the other on any wire. The other direction stays.
    ///
    /// # Errors
    /// If nft refuses.
    pub fn block(&self, plan: &Plan, from: &HostPlan, to: &HostPlan) -> Result {
        let mut script = String::new();
        for (interface, address) in &from.interfaces {
            for (other, destination) in &to.interfaces {
                let (port, other) = (from.port(interface), to.port(other));
                if plan.bridge(*address) == plan.bridge(*destination) {
                    let _ = writeln!(script, "add element bridge lab cut {{ \"{port}\" . \"{other}\" }}");
                }
                let _ = writeln!(script, "add element ip lab cut {{ {address} . {destination} }}");
            }
        }
        self.nft(&script)
    }

    /// Hosts of different groups do not hear each other; hosts of no group hear everybody.
    ///
    /// # Errors
    /// If nft refuses.
    pub fn partition(&self, plan: &Plan, groups: &[Vec<&HostPlan>]) -> Result {
        for (number, group) in groups.iter().enumerate() {
            let others = groups.iter().enumerate().filter(|(other, _)| *other != number).flat_map(|(_, group)| group);
            for to in others {
                group.iter().try_for_each(|from| self.block(plan, from, to))?;
            }
        }
        Ok(())
    }

    /// Pulls a cable out (`plugged` false) or puts it in: the host sees that.
    ///
    /// # Errors
    /// If the host has no such interface.
    pub fn plug(&self, host: &HostPlan, interface: &str, plugged: bool) -> Result {
        if !host.interfaces.iter().any(|(name, _)| name == interface) {
            let names: Vec<&str> = host.interfaces.iter().map(|(name, _)| name.as_str()).collect();
            return Err(LabError(format!("{} has no {interface}; it has {}", host.name, names.join(", "))));
        }
        let port = host.port(interface);
        let mut out = self.unplugged();
        out.retain(|other| *other != port);
        if !plugged {
            out.push(port.clone());
        }
        std::fs::write(&self.unplugged, out.join("\n"))?;
        // The host may be off.
        let state = if plugged { "up" } else { "down" };
        let _ = run("ip", &["-n", &self.switch(), "link", "set", &port, state]);
        Ok(())
    }

    /// All cables are in, and everything gets through.
    ///
    /// # Errors
    /// If nft refuses.
    pub fn heal(&self, plan: &Plan) -> Result {
        self.nft("flush set bridge lab cut\nflush set ip lab cut\n")?;
        for host in &plan.hosts {
            for (interface, _) in &host.interfaces {
                self.plug(host, interface, true)?;
            }
        }
        Ok(())
    }

    /// True if a host has an address now.
    pub fn has(&self, host: &HostPlan, address: Ipv4Addr) -> bool {
        let shown = run("ip", &["-n", &self.namespace(host), "-o", "-4", "address", "show"]);
        shown.is_ok_and(|text| text.contains(&format!(" {address}/")))
    }

    /// What is cut now, for people.
    ///
    /// # Errors
    /// If nft refuses.
    pub fn cuts(&self, plan: &Plan) -> Result<Vec<String>> {
        let listed = self.in_switch(&["nft", "list", "set", "ip", "lab", "cut"])?;
        let listed = listed.split_once("elements = {").map_or("", |(_, rest)| rest);
        let pairs = listed.split(['}', ',']).filter_map(|pair| pair.trim().split_once(" . "));
        let name = |address: &str| {
            let has = |host: &&HostPlan| host.interfaces.iter().any(|(_, own)| own.to_string() == address);
            plan.hosts.iter().find(has).map_or_else(|| address.to_owned(), |host| host.name.clone())
        };
        let mut cuts: Vec<String> =
            pairs.map(|(from, to)| format!("nothing gets from {} to {}", name(from), name(to))).collect();
        cuts.sort();
        cuts.dedup();
        cuts.extend(self.unplugged().into_iter().map(|port| format!("{port} is unplugged")));
        Ok(cuts)
    }

    /// Runs a program in a host's network, but on the machine's file system.
    ///
    /// # Errors
    /// If it fails.
    pub fn inside(&self, host: &HostPlan, words: &[&str]) -> Result<String> {
        run("ip", &[&["netns", "exec", &self.namespace(host)], words].concat())
    }

    fn in_switch(&self, words: &[&str]) -> Result<String> {
        run("ip", &[&["netns", "exec", &self.switch()], words].concat())
    }

    fn nft(&self, script: &str) -> Result {
        let path = self.unplugged.with_file_name("rules.nft");
        std::fs::write(&path, script)?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.switch(), "nft", "-f"]).arg(&path).stderr(Stdio::piped());
        checked(&mut command).map(drop)
    }

    fn unplugged(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.unplugged).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}
