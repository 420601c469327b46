//! haproxy-db: one database server for all clients, the next one when it fails.

use super::super::features::Feature;
use super::super::scene::{Scene, unusable};
use super::super::{Deviation, GenerateError, Rendered, Request};
use super::quote::GATEWAY;
use super::{Daemon, Draft, management_ip, refuse_duplicates};
use std::net::Ipv4Addr;

/// `var/conf/haproxy-db.conf`: the database on 127.0.0.1:3306 and (8.1 and later) on the virtual management address.
///
/// # Errors
/// [`GenerateError`] if there is no such member, address or version, or a setting has no form in HAProxy's grammar.
pub fn haproxy_db(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let scene = Scene::new(request)?;
    let mut draft = Draft::new(&scene, Daemon::Db)?;
    let milliseconds = timeout(&draft)?;
    let databases = databases(&mut draft)?;
    let (check, of_servers) = check(&mut draft, databases.is_slave);
    let servers = servers(&databases.addresses, of_servers);
    let frontends = frontends(&mut draft, scene.management_vip()?);
    let vip_frontend = frontends.iter().find(|frontend| frontend.starts_with("frontend management_ip"));

    let mut tags = draft.common_tags()?;
    tags.push(("http", String::new()));
    tags.push(("management_ip_frontend", vip_frontend.cloned().unwrap_or_default()));
    tags.push(("mysql_backend", servers.clone()));
    tags.push(("mysql_probe", check.clone()));
    tags.push(("timeout", milliseconds.to_string()));
    if let Some(text) = draft.filled_template(&tags)? {
        return Ok(draft.done(&text, true, Vec::new()));
    }

    let global = draft.global(false, None);
    let dashboard = draft.dashboard(&scene.management_ip()?.to_string())?;
    draft.deviate(Deviation {
        original: "HTTP logging, HTTP error files and `option tcplog` in the backend",
        here: "TCP logging in the defaults, no error files",
        why: "a TCP proxy sends no HTTP errors, a missing error file keeps HAProxy from starting, and a backend logs nothing",
    });
    let defaults = format!(
        "defaults\n    log global\n    mode tcp\n    option tcplog\n    option dontlognull\n    timeout connect 5000\n    \
         timeout client {milliseconds}\n    timeout server {milliseconds}\n"
    );
    let backend = format!("backend mysql\n    timeout connect 3s\n{check}{servers}");
    let has_secret = draft.has_own_password();
    let text = [global, defaults, dashboard, frontends.join("\n"), backend].join("\n");
    Ok(draft.done(&text, has_secret, Vec::new()))
}

/// How long a client or a server may be silent, in milliseconds.
fn timeout(draft: &Draft<'_>) -> Result<u64, GenerateError> {
    if !draft.has(Feature::DatabaseTimeouts) {
        return Ok(50_000);
    }
    let (section, key) = ("database_advanced", "net_write_timeout");
    let seconds = draft.scene.seconds(section, key)?;
    // HAProxy's clock has 32 bits, and it takes 0 for "for ever".
    if seconds == 0 || seconds > 2_000_000 {
        let setting = draft.scene.setting(section, key)?;
        let help = "write a time up to 23 days, PacketFence's own is 360s".to_owned();
        return Err(unusable(section, setting, "is no timeout that HAProxy knows".to_owned(), help));
    }
    Ok(seconds * 1000)
}

struct Databases {
    addresses: Vec<Ipv4Addr>,
    /// They follow another zone's: the first may be its virtual address, and mysql-probe runs on none of them.
    is_slave: bool,
}

/// The servers, in the order in which they are preferred.
fn databases(draft: &mut Draft<'_>) -> Result<Databases, GenerateError> {
    let scene = draft.scene;
    let view = scene.view;
    let database = &view.zone().database;
    if !(draft.has(Feature::SlaveZones) && database.is_slave()) {
        let addresses: Vec<_> = view.database_order().into_iter().map(management_ip).collect::<Result<_, _>>()?;
        refuse_duplicates("cluster.conf", "management_ip", &addresses)?;
        return Ok(Databases { addresses, is_slave: false });
    }
    let master = database.masterdb.as_ref().map(|name| &*name.value);
    let zone = scene.request.cluster.zones().iter().find(|zone| Some(zone.name.as_str()) == master);
    let vip = zone.and_then(|zone| zone.vips.as_ref()?.management_ip).map(|ip| ip.value);
    if vip.is_none() {
        draft.notice(
            format!("zone {} follows no database: `masterdb` names no zone with a virtual address", view.zone().name),
            "set `masterdb` in the zone's CLUSTER section to the zone that takes the writes",
        );
    }
    let addresses: Vec<_> = vip.into_iter().chain([scene.management_ip()?]).collect();
    refuse_duplicates("cluster.conf", "management_ip", &addresses)?;
    Ok(Databases { addresses, is_slave: true })
}

/// How servers are checked: lines for the backend, and what goes on each server's line.
fn check(draft: &mut Draft<'_>, is_slave: bool) -> (String, &'static str) {
    draft.deviate(Deviation {
        original: "connections to a server that went down stay",
        here: "`on-marked-down shutdown-sessions`",
        why: "clients of a dead server go to the next one at once instead of after their timeout",
    });
    let scene = draft.scene;
    let wanted = scene.is_enabled("active_active", "probe_mysql_from_haproxy_db");
    let can = draft.has(Feature::MysqlProbe) && !is_slave;
    if can && wanted && scene.is_enabled("services", "mysql-probe") {
        draft.deviate(Deviation {
            original: "`maxconn 64 maxqueue 128 slowstart 60s` for each database with the probe",
            here: "no limit, as without the probe",
            why: "the 65th connection would wait for three seconds and fail, though the server takes max_connections",
        });
        let check = "    option httpchk OPTIONS /\n    default-server port 3307 inter 2s downinter 5s rise 3 fall 2\n";
        return (check.to_owned(), " check on-marked-down shutdown-sessions");
    }
    let help = match (can, wanted) {
        // The other zone's HAProxy answers for its members, and a copy is never in the primary component.
        _ if is_slave => None,
        (true, true) => Some("`services.mysql-probe` is disabled: enable it, the probe that HAProxy shall ask"),
        (true, false) => {
            Some("enable `active_active.probe_mysql_from_haproxy_db`, once mysql-probe runs on all members")
        }
        (false, _) => {
            Some("PacketFence 11.2 and later have mysql-probe; until then watch wsrep_cluster_status elsewhere")
        }
    };
    if let Some(help) = help {
        let message = "HAProxy can't see whether a database is in the primary component: one that is not, but answers, \
                       counts as healthy";
        draft.notice(message, help);
    }
    draft.deviate(Deviation {
        original: "a database is healthy if its port opens",
        here: "if it also sends MySQL's greeting",
        why: "a hung server, one that refuses clients and a load balancer without servers open their ports too",
    });
    // Sequence number 0, protocol version 10; an error has 0xff in its place.
    let check = "    option tcp-check\n    tcp-check expect binary 000a\n    default-server inter 2s downinter 5s rise 3 fall 2\n";
    (check.to_owned(), " check on-marked-down shutdown-sessions")
}

fn servers(addresses: &[Ipv4Addr], options: &str) -> String {
    let line = |(number, address): (usize, &Ipv4Addr)| {
        let backup = if number == 0 { "" } else { " backup" };
        format!("    server MySQL{number} {address}:3306{options}{backup}\n")
    };
    addresses.iter().enumerate().map(line).collect()
}

fn frontends(draft: &mut Draft<'_>, vip: Ipv4Addr) -> Vec<String> {
    let frontend = |name: &str, address: Ipv4Addr| {
        format!(
            "frontend {name}\n    bind {address}:3306\n    mode tcp\n    option tcplog\n    default_backend mysql\n"
        )
    };
    let mut frontends = Vec::new();
    if draft.has(Feature::DatabaseOnVip) {
        frontends.push(frontend("management_ip", vip));
    }
    frontends.push(frontend("main", Ipv4Addr::LOCALHOST));
    if draft.has(Feature::Containers) {
        draft.deviate(Deviation {
            original: "listens on `containers-gateway.internal`",
            here: "on its address, 100.64.0.1",
            why: "HAProxy does not start when it can't resolve a name, and this one only /etc/hosts knows",
        });
        frontends.push(frontend("containers", GATEWAY));
    }
    frontends
}
