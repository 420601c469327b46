//! The stand-ins in the hosts of the lab: at their management addresses, each with its host's disk.

use std::net::{SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::{fs, thread};

use super::{Certificate, PASSWORD, StandIn, VERSION_FILE};
use crate::lab::{Host, Lab, LabError, Result, network};

/// PacketFence's own, as no pf.conf of the examples says another.
const PORT: u16 = 9090;

/// Gives each host of a new lab what members that are in sync have, and serves it; in order.
///
/// # Errors
/// If a host is off, or its disk full.
pub fn serve(lab: &Lab) -> Result<Vec<Arc<StandIn>>> {
    for host in &lab.hosts {
        let root = host.folder.join("pf");
        let pf_conf = fs::read_to_string(root.join("conf/pf.conf"))?;
        let pf_conf = pf_conf.replace("\npass=fence\n", &format!("\npass={PASSWORD}\n"));
        fs::write(root.join("conf/pf.conf"), pf_conf)?;
        fs::write(root.join("conf/switches.conf"), "[default]\ndescription=Switches\n")?;
        fs::write(root.join("conf/ssl/server.crt"), Certificate::shared().pem())?;
        fs::write(root.join(VERSION_FILE), "1510000000.12345")?;
    }
    lab.hosts.iter().map(|host| serve_on(lab, host)).collect()
}

/// Serves in one host, until it is cut off from power: one that was started again has a new network.
///
/// # Errors
/// If it is off, or somebody serves there.
pub fn serve_on(lab: &Lab, host: &Host) -> Result<Arc<StandIn>> {
    let namespace = host.network().namespace(&host.plan);
    let (name, root) = (host.plan.hostname.clone(), host.folder.join("pf"));
    let address = SocketAddrV4::new(host.plan.management, PORT);
    // The threads that serve, and ask other members, are in the network of the one that begins them.
    let begins = thread::spawn(move || {
        network::enter(&namespace)?;
        Ok(StandIn::start(name, root, TcpListener::bind(address)?, Certificate::shared()))
    });
    let panicked = |_| Err(LabError("a thread of the web services has panicked".to_owned()));
    let member = begins.join().unwrap_or_else(panicked)?;
    let others = lab.plan.hosts.iter().filter(|other| other.number != host.plan.number);
    member.know(others.map(|other| (other.hostname.clone(), other.management)).collect(), PORT);
    Ok(member)
}
