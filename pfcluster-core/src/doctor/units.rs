//! What systemd does, and the scripts that daemons call.

use super::finding::{Outcome, Sum};
use super::{Known, Server, known};

/// PacketFence's unit for the database.
pub(super) const DATABASE_UNIT: &str = "packetfence-mariadb.service";
/// pfcluster's, where there is no PacketFence.
pub(super) const SUPERVISOR_UNIT: &str = "pfcluster-mariadb.service";
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
    let others = units.iter().filter(|(name, _)| !is_ours(name));
    for (name, _) in others.filter(|(_, state)| state.starts_with("enabled")) {
        let unit = name.trim_end_matches(".service");
        sum.add(Outcome::fail(format!("{unit} is enabled")).run(format!("systemctl disable {unit}")));
    }
    Ok(sum.or_pass("no other unit for a database is enabled"))
}

fn is_ours(unit: &str) -> bool {
    unit == DATABASE_UNIT || unit == SUPERVISOR_UNIT
}

/// It starts the database at boot.
pub(super) fn packetfence_mariadb_unit(server: &Server<'_>) -> Known<Outcome> {
    let units = known(&server.facts.units)?;
    let found: Vec<(&str, &str)> =
        units.iter().filter(|(name, _)| is_ours(name)).map(|(name, state)| (&**name, &**state)).collect();
    let of = |unit: &str| unit.trim_end_matches(".service").to_owned();
    if let Some((name, state)) = found.iter().find(|(_, state)| state.starts_with("enabled")) {
        return Ok(Outcome::pass(format!("{} is {state}", of(name))));
    }
    Ok(match found.first() {
        None => Outcome::fail(format!("there is no {}", of(DATABASE_UNIT)))
            .advise("install PacketFence; where there is none, pfcluster-mariadb.service of pfcluster"),
        Some((name, state @ ("masked" | "masked-runtime"))) => Outcome::fail(format!("{} is {state}", of(name)))
            .run(format!("systemctl unmask {}", of(name)))
            .run(format!("systemctl enable {}", of(name))),
        Some((name, state)) => {
            Outcome::fail(format!("{} is {state}", of(name))).run(format!("systemctl enable {}", of(name)))
        }
    })
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
        match script.mode {
            Some(mode) if mode & 0o111 == 0 => {
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
