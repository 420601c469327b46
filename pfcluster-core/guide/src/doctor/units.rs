//! What systemd does, and the scripts that daemons call.

use super::finding::{Outcome, Sum};
use super::{Known, Server, known};

/// The distributions' units for a database.
pub(super) const DISTRIBUTIONS: [&str; 3] = ["mariadb.service", "mysql.service", "mysqld.service"];
/// PacketFence's unit for the database.
pub(super) const DATABASE_UNIT: &str = "packetfence-mariadb.service";
/// pfcluster's, where there is no PacketFence.
pub(super) const SUPERVISOR_UNIT: &str = "pfcluster-mariadb.service";
/// PacketFence's own repair of the database (10.0 and later).
pub(super) const AUTOFIX_UNIT: &str = "packetfence-galera-autofix.service";
/// keepalived calls it when a virtual address comes or goes.
pub(super) const PFUPDATE: &str = "bin/cluster/pfupdate";
/// For keepalived.conf templates of the user's.
pub(super) const MANAGEMENT_UPDATE: &str = "bin/cluster/management_update";

/// Without it, the services of the cluster are not there after a reboot.
pub(super) fn boot_target(server: &Server<'_>) -> Known<Outcome> {
    const WANTED: &str = "packetfence-cluster.target";
    let target = known(&server.facts.default_target)?;
    if &**target == WANTED {
        return Ok(Outcome::pass(WANTED));
    }
    if server.facts.maintenance == Ok(true) {
        return Ok(Outcome::warn(format!("{target}, as in maintenance")).run("pfcluster maintenance --deactivate"));
    }
    Ok(Outcome::fail(format!("it boots into {target}")).run("systemctl set-default packetfence-cluster.target"))
}

/// Two units for one data directory: at boot either may win, and the other one's options are not there.
pub(super) fn distribution_mariadb_disabled(server: &Server<'_>) -> Known<Outcome> {
    let units = known(&server.facts.units)?;
    let mut sum = Sum::new();
    let is_enabled = |name: &&str| units.get(*name).is_some_and(|state| state.starts_with("enabled"));
    for name in DISTRIBUTIONS.into_iter().filter(is_enabled) {
        let unit = name.trim_end_matches(".service");
        sum.add(Outcome::fail(format!("{unit} is enabled")).run(format!("systemctl disable {unit}")));
    }
    Ok(sum.or_pass("no other unit for a database is enabled"))
}

/// It empties data directories and starts databases by rules of its own (bugs B-44, B-45), also beside a supervisor.
pub(super) fn galera_autofix_disabled(server: &Server<'_>) -> Known<Outcome> {
    if !known(&server.facts.supervisor)?.is_used {
        return Ok(Outcome::pass("not applicable: the pfcluster supervisor is not in use"));
    }
    let state = known(&server.facts.units)?.get(AUTOFIX_UNIT);
    Ok(match state.filter(|state| state.starts_with("enabled")) {
        Some(state) => Outcome::fail(format!("packetfence-galera-autofix is {state}, beside pfcluster's supervisor"))
            .run("systemctl disable --now packetfence-galera-autofix"),
        None => Outcome::pass("packetfence-galera-autofix is not enabled"),
    })
}

/// It starts the database at boot.
pub(super) fn packetfence_mariadb_unit(server: &Server<'_>) -> Known<Outcome> {
    let units = known(&server.facts.units)?;
    let found = |unit: &'static str| Some((unit.trim_end_matches(".service"), &**units.get(unit)?));
    let found: Vec<(&str, &str)> = [DATABASE_UNIT, SUPERVISOR_UNIT].into_iter().filter_map(found).collect();
    if let Some((unit, state)) = found.iter().find(|(_, state)| state.starts_with("enabled")) {
        return Ok(Outcome::pass(format!("{unit} is {state}")));
    }
    let Some((unit, state)) = found.first() else {
        return Ok(Outcome::fail("there is no packetfence-mariadb")
            .advise("install PacketFence; where there is none, pfcluster-mariadb.service of pfcluster"));
    };
    let mut outcome = Outcome::fail(format!("{unit} is {state}"));
    if state.starts_with("masked") {
        outcome = outcome.run(format!("systemctl unmask {unit}"));
    }
    Ok(outcome.run(format!("systemctl enable {unit}")))
}

/// They stay until they are taken back: each further start would begin a cluster of its own (bug B-41).
pub(super) fn mariadb_arguments(server: &Server<'_>) -> Known<Outcome> {
    let Some(arguments) = known(&server.facts.mariadb_arguments)? else {
        return Ok(Outcome::pass("MARIADB_ARGS is not set"));
    };
    let seen = format!("systemd gives MARIADB_ARGS={arguments} to every start");
    let begins = ["force-new-cluster", "wsrep-new-cluster", "wsrep_new_cluster"];
    let outcome = if begins.iter().any(|word| arguments.contains(word)) {
        Outcome::fail(format!("{seen}: it would begin a cluster of its own"))
    } else {
        Outcome::warn(seen)
    };
    Ok(outcome.run("systemctl unset-environment MARIADB_ARGS"))
}

/// keepalived goes on without them, but DHCP does not follow the addresses.
pub(super) fn packetfence_scripts(server: &Server<'_>) -> Known<Outcome> {
    let mut sum = Sum::new();
    for script in known(&server.facts.scripts)? {
        // Only a template of the user's calls the other one.
        let bad: fn(String) -> Outcome = if script.path.ends_with(PFUPDATE) { Outcome::fail } else { Outcome::warn };
        match &script.permissions {
            Some(permissions) if permissions.mode & 0o111 == 0 => {
                let path = super::word(&script.path);
                sum.add(bad(format!("{} is not executable", script.path)).run(format!("chmod 0755 {path}")));
            }
            Some(_) => {}
            None => sum.add(
                bad(format!("there is no {}", script.path))
                    .advise("install the package packetfence again: it is part of it"),
            ),
        }
    }
    Ok(sum.or_pass("they are there, and executable"))
}
