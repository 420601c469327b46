//! How the database is set, and how it is. A running server says it; mariadb.conf does for the next start.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::finding::{Outcome, Sum};
use super::{Account, Known, MONITORING_FILE, Server, Settings, Used, known, word};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;
use pfcluster_core::galera::{ClusterStatus, LocalState, StatusError, WsrepStatus};

/// What a transfer of the database needs (guide 3.2).
const GRANTS: &str = "RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT";

impl Settings {
    fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }

    /// Who says so.
    fn source(&self) -> &'static str {
        if self.is_running { "" } else { " (in mariadb.conf)" }
    }

    /// Mended by a new mariadb.conf, which a running server reads when it starts again.
    fn generate(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.run("pfcluster generate mariadb --install");
        if self.is_running { outcome.restart_database() } else { outcome }
    }

    /// The same of a server that may have data of its own: these go when it joins.
    fn generate_and_join(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.run("pfcluster generate mariadb --install");
        if self.is_running {
            outcome.advise(
                "before it starts again: what was written here only is lost when it joins the others; see which data are \
                 kept with `pfcluster status` and `pfcluster bootstrap`",
            )
        } else {
            outcome
        }
    }
}

/// With other members than those of cluster.conf it joins nobody, or strangers; without any it begins a cluster of its own at
/// each start.
pub(super) fn galera_settings(server: &Server<'_>) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let settings = known(&server.facts.settings)?;
    let mut wrong = Vec::new();
    let on = settings.text("wsrep_on").unwrap_or("OFF");
    if !matches!(on.to_ascii_uppercase().as_str(), "ON" | "1" | "TRUE") {
        wrong.push(format!("wsrep_on is {on}"));
    }
    if matches!(settings.text("wsrep_provider"), None | Some("" | "none")) {
        wrong.push("wsrep_provider names no library".to_owned());
    }
    let set = cluster_addresses(settings);
    let is_alone = !wrong.is_empty() || set.is_empty();
    let own = server.member()?.addresses.management_ip.map(|ip| ip.value.to_string());
    if let (Some(own), Some(set)) = (own, settings.text("wsrep_node_address"))
        && set.split(':').next() != Some(&own)
    {
        wrong.push(format!("wsrep_node_address is {set}, and not {own}"));
    }
    if set.is_empty() {
        wrong.push("wsrep_cluster_address has no members: a start makes a cluster of its own".to_owned());
    } else {
        wrong.extend(other_members(server, &set)?);
    }
    if wrong.is_empty() {
        return Ok(Outcome::pass(format!("it knows all members{}", settings.source())));
    }
    let outcome = Outcome::fail(format!("{}{}", wrong.join("; "), settings.source()));
    Ok(if is_alone { settings.generate_and_join(outcome) } else { settings.generate(outcome) })
}

/// The members of `wsrep_cluster_address`, without ports and options.
fn cluster_addresses(settings: &Settings) -> BTreeSet<Ipv4Addr> {
    let list = settings.text("wsrep_cluster_address").and_then(|set| set.strip_prefix("gcomm://")).unwrap_or_default();
    let list = list.split('?').next().unwrap_or_default();
    list.split(',').filter_map(|one| one.trim().split(':').next()?.parse().ok()).collect()
}

/// How the members of `wsrep_cluster_address` differ from those of cluster.conf.
fn other_members(server: &Server<'_>, set: &BTreeSet<Ipv4Addr>) -> Known<Vec<String>> {
    let members = server.cluster.database_of(Some(server.me)).map_err(|error| error.to_string())?;
    let addresses = members.iter().filter_map(|member| Some((&member.host, member.addresses.management_ip?.value)));
    let addresses: Vec<(&Hostname, Ipv4Addr)> = addresses.collect();
    // Another server's disabled members are known to itself only.
    let disabled = server.facts.disabled.as_ref().ok();
    let is_disabled = |host: &Hostname| disabled.is_some_and(|disabled| disabled.contains(host));
    let missing = addresses.iter().filter(|(host, address)| !set.contains(address) && !is_disabled(host));
    let missing: Vec<&Hostname> = missing.map(|(host, _)| *host).collect();
    let outside = server.pf_conf.map(|conf| conf.text("database_advanced", "other_members")).unwrap_or_default();
    let outside: Vec<Ipv4Addr> = outside.split(',').filter_map(|one| one.trim().parse().ok()).collect();
    let is_known = |address: &&Ipv4Addr| addresses.iter().any(|(_, own)| own == *address) || outside.contains(address);
    let strangers: Vec<&Ipv4Addr> = set.iter().filter(|address| !is_known(address)).collect();
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        wrong.push(format!("wsrep_cluster_address lacks {}", and(&missing)));
    }
    if !strangers.is_empty() {
        wrong.push(format!("wsrep_cluster_address has {}, no member's", and(&strangers)));
    }
    Ok(wrong)
}

/// Galera does not start with another one.
pub(super) fn binlog_format(server: &Server<'_>) -> Known<Outcome> {
    only(server, "binlog_format", "ROW")
}

/// With another one, inserts on several members wait for each other, or collide.
pub(super) fn autoinc_lock_mode(server: &Server<'_>) -> Known<Outcome> {
    only(server, "innodb_autoinc_lock_mode", "2")
}

/// A variable for which Galera takes one value only.
fn only(server: &Server<'_>, name: &str, wanted: &str) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let settings = known(&server.facts.settings)?;
    let value = settings.text(name).unwrap_or("not set");
    let seen = format!("{name} is {value}{}", settings.source());
    Ok(if value.eq_ignore_ascii_case(wanted) { Outcome::pass(seen) } else { settings.generate(Outcome::fail(seen)) })
}

/// PacketFence ships 2: written at each commit, flushed once a second.
pub(super) fn commit_durability(server: &Server<'_>) -> Known<Outcome> {
    const NAME: &str = "innodb_flush_log_at_trx_commit";
    let settings = known(&server.facts.settings)?;
    // MariaDB's own.
    let value = settings.text(NAME).unwrap_or("1");
    let seen = format!("{NAME} is {value}{}", settings.source());
    let lost = match value {
        "1" | "3" => return Ok(Outcome::pass(seen)),
        "0" => "a crash of the database can lose commits of the last second that were acknowledged",
        _ => "a power cut of all members at once can lose commits of the last second that were acknowledged",
    };
    let mut outcome = Outcome::warn(format!("{seen}: {lost}"));
    if settings.is_running {
        outcome = outcome.run(format!("mariadb -e 'SET GLOBAL {NAME} = 1'"));
    }
    Ok(outcome.advise(format!(
        "for good, where the disks are fast: {NAME}=1 behind %%mysqld%% in conf/mariadb/mariadb.conf, a template of your own \
         (`pfcluster generate mariadb --explain`)"
    )))
}

/// Without a connection left, replication of all members stands still (guide 8.5.1).
pub(super) fn max_connections(server: &Server<'_>) -> Known<Outcome> {
    let Some(used) = known(&server.facts.connections)? else { return Err("no database runs".into()) };
    let holders =
        "mariadb -e 'SELECT user, host, command, count(*) FROM information_schema.processlist GROUP BY 1, 2, 3'";
    let raise = "raise `max_connections` of `[database_advanced]` in pf.conf, or stop who holds too many";
    let connections = match used {
        Used::All => return Ok(Outcome::fail("the database takes no more connections").run(holders).advise(raise)),
        Used::Some(connections) => connections,
    };
    let seen = format!("{} of {} are used", connections.used, connections.max);
    if connections.is_near() {
        let more = connections.max.saturating_mul(2);
        let command = format!("mariadb -e 'SET GLOBAL max_connections = {more}'");
        return Ok(Outcome::warn(seen).run(holders).run(command).advise(raise));
    }
    let configured = server.pf_conf.map(|conf| conf.text("database_advanced", "max_connections")).unwrap_or_default();
    match configured.trim().parse::<u32>() {
        Ok(configured) if configured != connections.max => {
            Ok(Outcome::warn(format!("{seen}; pf.conf has {configured}"))
                .run(format!("mariadb -e 'SET GLOBAL max_connections = {configured}'")))
        }
        _ => Ok(Outcome::pass(seen)),
    }
}

/// As the guide has it for each step of starting and joining (3.5.3).
pub(super) fn database_synced(server: &Server<'_>) -> Known<Outcome> {
    let Some(rows) = known(&server.facts.status)? else {
        let outcome = Outcome::warn("no database runs");
        return Ok(outcome.run("pfcluster bootstrap").advise("where it says so: systemctl start packetfence-mariadb"));
    };
    let status = match WsrepStatus::from_rows(rows.iter().map(|(name, value)| (&**name, &**value))) {
        Ok(status) => status,
        Err(StatusError::NotGalera) => {
            return Ok(match server.without_galera()? {
                Some(outcome) => outcome,
                None => known(&server.facts.settings)?.generate_and_join(Outcome::fail("it runs without Galera")),
            });
        }
        Err(error) => return Err(error.to_string().into()),
    };
    let look = |outcome: Outcome| outcome.run("pfcluster status");
    Ok(if status.status != ClusterStatus::Primary {
        look(Outcome::fail("it is in no primary component"))
    } else if status.state != LocalState::Synced {
        look(Outcome::warn("it is primary, but not synced"))
    } else if status.ready == Some(false) {
        look(Outcome::fail("it is synced, but takes no queries (wsrep_ready is OFF)"))
    } else {
        Outcome::pass(format!("primary and synced, {} of {}", status.size, database_members(server)))
    })
}

fn database_members(server: &Server<'_>) -> usize {
    server.cluster.database_of(Some(server.me)).map_or(0, |members| members.len())
}

/// Others join with it, and ask this database with it.
pub(super) fn replication_user(server: &Server<'_>) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let user = server.pf_conf()?.text("active_active", "galera_replication_username").trim();
    if user.is_empty() {
        return Err("pf.conf names none: see replication-password".into());
    }
    let accounts = known(&server.facts.accounts)?;
    let own: Vec<&Account> = accounts.iter().filter(|account| &*account.user == user).collect();
    let mut sum = Sum::new();
    // From elsewhere it may also be named member by member.
    let wanted = [
        ("localhost", own.iter().any(|one| &*one.host == "localhost")),
        ("%", own.iter().any(|one| &*one.host != "localhost")),
    ];
    for (host, _) in wanted.into_iter().filter(|(_, is_there)| !is_there) {
        let name = account(user, host);
        sum.add(
            Outcome::fail(format!("there is no {name}"))
                .advise(format!(
                    "in `mariadb`: CREATE USER {name} IDENTIFIED BY, and then the password of pf.conf in quotes"
                ))
                .run(sql(&format!("GRANT {GRANTS} ON *.* TO {name}"))),
        );
    }
    for one in own.iter().filter(|one| !one.lacks.is_empty()) {
        let name = account(user, &one.host);
        let outcome = Outcome::fail(format!("{name} lacks {}", one.lacks.join(", ")));
        sum.add(outcome.run(sql(&format!("GRANT {GRANTS} ON *.* TO {name}"))));
    }
    let names: Vec<String> = own.iter().map(|one| account(user, &one.host)).collect();
    Ok(sum.or_pass(and(&names)))
}

/// What is asked needs no privilege. The replication user may copy the whole database, and its logins go to each address of a
/// member, without proof of what listens there.
pub(super) fn monitoring_account(server: &Server<'_>) -> Known<Outcome> {
    if server.cluster.members().count() < 2 {
        return Ok(Outcome::pass("there is no other member"));
    }
    let replication = server.pf_conf.map(|conf| conf.text("active_active", "galera_replication_username").trim());
    let outcome = match known(&server.facts.monitoring)? {
        None => {
            Outcome::warn("there is none: the databases of other members are unknown, unless they have supervisors")
        }
        Some(monitoring) if Some(&*monitoring.user) == replication => Outcome::warn(format!(
            "{}, the replication user, asks them: it may copy the whole database",
            monitoring.user
        )),
        Some(monitoring) => {
            let how = if monitoring.is_over_tls { "over TLS" } else { "without TLS" };
            return Ok(Outcome::pass(format!("{} asks them, {how}", monitoring.user)));
        }
    };
    let file = server.path(MONITORING_FILE);
    Ok(outcome
        .advise(
            "in `mariadb` on one member: CREATE USER 'pfmonitor'@'%' IDENTIFIED BY, and then a password of its own in \
             quotes; grant it nothing",
        )
        .run(format!("install -m 600 /dev/null {file}"))
        .advise(
            "into that file: `[client]`, `user=pfmonitor`, `password=` with the password, and, where the members' \
             databases have TLS, `ssl-ca=` with the certificate authority's file; the same on all members",
        ))
}

/// They let anybody in, and hide users with a name.
pub(super) fn anonymous_users(server: &Server<'_>) -> Known<Outcome> {
    let accounts = known(&server.facts.accounts)?;
    let names: Vec<String> =
        accounts.iter().filter(|one| one.user.is_empty()).map(|one| account("", &one.host)).collect();
    if names.is_empty() {
        return Ok(Outcome::pass("none"));
    }
    Ok(Outcome::fail(and(&names)).run(sql(&format!("DROP USER {}", names.join(", ")))))
}

/// A user as SQL names it.
fn account(user: &str, host: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", quoted(user), quoted(host))
}

/// The command that has the database do this.
fn sql(statement: &str) -> String {
    format!("mariadb -e {}", word(statement))
}
