//! What systemd is set to do.

use std::collections::BTreeMap;
use std::time::Instant;

use pfcluster_guide::doctor::{Known, UNITS};

use super::Machine;
use super::programs::answer;

pub(super) fn default_target(machine: &Machine, deadline: Instant) -> Known<Box<str>> {
    Ok(answer(machine, "systemctl", &["get-default"], deadline)?.text()?.trim().into())
}

/// Each is asked for on its own: for one that does not exist, older versions say nothing on standard output.
pub(super) fn states(machine: &Machine, deadline: Instant) -> Known<BTreeMap<Box<str>, Box<str>>> {
    let mut states = BTreeMap::new();
    for unit in UNITS {
        // It fails for all that are not enabled.
        let said = answer(machine, "systemctl", &["is-enabled", unit], deadline)?;
        match said.out.trim() {
            "" if said.err.contains("No such file") || said.err.contains("does not exist") => {}
            "" => return Err(said.complaint()),
            "not-found" => {}
            state => drop(states.insert(unit.into(), state.into())),
        }
    }
    Ok(states)
}

/// systemd quotes values as a shell does that have to be.
pub(super) fn mariadb_arguments(machine: &Machine, deadline: Instant) -> Known<Option<Box<str>>> {
    let text = answer(machine, "systemctl", &["show-environment"], deadline)?.text()?;
    let value = text.lines().find_map(|line| line.strip_prefix("MARIADB_ARGS="));
    let plain = |value: &str| value.trim_start_matches('$').trim_matches(['\'', '"']).to_owned();
    Ok(value.map(plain).filter(|value| !value.is_empty()).map(Into::into))
}
