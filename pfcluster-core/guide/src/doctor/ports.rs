//! Who has the ports that members reach each other through.

use std::net::{IpAddr, Ipv4Addr};

use super::finding::{Outcome, Sum};
use super::{Holder, Known, Listener, Server, Transport, known};

/// The supervisors' port (UDP).
pub(super) const SUPERVISOR: u16 = 4254;
/// The web services' port.
pub(super) const WEBSERVICES: u16 = 9090;
/// Clients.
const CLIENTS: u16 = 3306;

/// Names of MariaDB's server.
const SERVERS: [&str; 2] = ["mariadbd", "mysqld"];
/// What receives a transfer for it.
const RECEIVERS: [&str; 4] = ["socat", "nc", "rsync", "mbstream"];

/// Clients, state transfer, group, incremental transfer. HAProxy has the first on other addresses.
pub(super) fn database_ports(server: &Server<'_>) -> Known<Outcome> {
    let listeners = known(&server.facts.listeners)?;
    let own = management_address(server)?;
    let mut sum = Sum::new();
    let is_database = |holder: &Holder| SERVERS.contains(&&*holder.name);
    for port in [CLIENTS, 4444, 4567, 4568] {
        let there: Vec<&Listener> =
            listeners.iter().filter(|one| one.transport == Transport::Tcp && one.port == port).collect();
        for one in there.iter().filter(|one| takes(one, own)) {
            let holder = known(&one.holder)?;
            let is_right = is_database(holder) || port == 4444 && RECEIVERS.contains(&&*holder.name);
            if !is_right {
                sum.add(taken("TCP", port, holder));
            }
        }
        // The database listens, but where the other members do not ask.
        if port == CLIENTS && !there.iter().any(|one| takes(one, own)) {
            for one in there {
                if one.holder.as_ref().is_ok_and(is_database) {
                    sum.add(
                        Outcome::fail(format!("the database listens on {}:{port}, and not on {own}", one.address))
                            .run("pfcluster generate mariadb --install")
                            .restart_database(),
                    );
                }
            }
        }
    }
    Ok(sum.or_pass("3306, 4444, 4567 and 4568 are the database's, or free"))
}

/// Without it this member's supervisor hears nobody.
pub(super) fn supervisor_port(server: &Server<'_>) -> Known<Outcome> {
    let listeners = known(&server.facts.listeners)?;
    let mut sum = Sum::new();
    let mut fine = "free: no supervisor runs";
    for one in listeners.iter().filter(|one| one.transport == Transport::Udp && one.port == SUPERVISOR) {
        let holder = known(&one.holder)?;
        if &*holder.name == "pfcluster" {
            fine = "the supervisor has it";
        } else {
            sum.add(taken("UDP", SUPERVISOR, holder));
        }
    }
    Ok(sum.or_pass(fine))
}

/// The other members synchronise through them.
pub(super) fn webservices_port(server: &Server<'_>) -> Known<Outcome> {
    let listeners = known(&server.facts.listeners)?;
    let own = management_address(server)?;
    let there: Vec<&Listener> =
        listeners.iter().filter(|one| one.transport == Transport::Tcp && one.port == WEBSERVICES).collect();
    if there.iter().any(|one| takes(one, own)) {
        return Ok(Outcome::pass(format!("they listen on {own}:{WEBSERVICES}")));
    }
    let addresses: Vec<String> = there.iter().map(|one| one.address.to_string()).collect();
    Ok(if addresses.is_empty() {
        Outcome::warn(format!("nothing listens on {own}:{WEBSERVICES}"))
    } else {
        // A sign that cluster.conf has another address for this server than it has itself (guide 3.5.2).
        Outcome::fail(format!("they listen on {}, and not on {own}", addresses.join(", ")))
    }
    .run(server.restart("httpd.webservices")))
}

fn management_address(server: &Server<'_>) -> Known<Ipv4Addr> {
    let address = server.member()?.addresses.management_ip;
    address.map(|ip| ip.value).ok_or_else(|| "cluster.conf has no address for this server".into())
}

/// True if what comes for the address goes to this listener.
fn takes(listener: &Listener, own: Ipv4Addr) -> bool {
    listener.address.is_unspecified() || listener.address == IpAddr::V4(own)
}

fn taken(transport: &str, port: u16, holder: &Holder) -> Outcome {
    let Holder { name, pid } = holder;
    Outcome::fail(format!("{transport} {port} is held by {name} (process {pid})"))
        .run(format!("systemctl status {pid}"))
        .advise("stop what that shows, or give it another port")
}
