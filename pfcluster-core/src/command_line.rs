//! Command lines for people: pasted into a wrong terminal they do nothing, and they stop where a command fails.

use crate::cluster::Hostname;

/// A command line that does nothing on any other machine, and says so there.
pub fn here(hosts: &[Hostname], command: &str) -> String {
    let names: Vec<&str> = hosts.iter().map(Hostname::as_str).collect();
    let names = names.join(" ");
    let guard = match hosts {
        [_] => format!("[ \"$(hostname)\" = {names} ] || ! echo \"not run: this is $(hostname), not {names}\""),
        _ => format!("[[ \" {names} \" = *\" $(hostname) \"* ]] || ! echo \"not run: this is $(hostname)\""),
    };
    format!("{guard} && {}", grouped(command))
}

/// Commands of which each runs only if all before it did what they should.
pub fn chain(commands: &[&str]) -> String {
    commands.iter().map(|command| grouped(command)).collect::<Vec<_>>().join(" && ")
}

/// As one command of a chain: what stands behind its `||` would run where a command before it fails.
fn grouped(command: &str) -> String {
    if command.contains(" || ") && !command.starts_with("{ ") {
        format!("{{ {command}; }}")
    } else {
        command.to_owned()
    }
}

/// A dump that does not take the place of one that is there already: after a truncate, a second one would be all that is left.
pub fn dump_once(dump: &str, file: &str) -> String {
    format!("{{ [ ! -e {file} ] || ! echo \"not run: {file} is there already\"; }} && {dump} | gzip > {file}")
}

/// Whether it would do harm on another host than the one that it is meant for: it starts, stops or changes something there.
pub fn is_for_one_host(command: &str) -> bool {
    const CHANGES: [&str; 26] = [
        "systemctl start ",
        "systemctl stop ",
        "systemctl restart ",
        "systemctl enable ",
        "systemctl disable ",
        "systemctl kill ",
        "systemctl set-default ",
        "systemctl set-environment ",
        "systemctl unset-environment ",
        "pfcluster node ",
        "pfcmd configreload",
        "pfcmd generatemariadbconfig",
        "/cluster/node ",
        "/cluster/maintenance --",
        "pfcluster maintenance --",
        "pf-mariadb ",
        "pc.bootstrap",
        "mv ",
        "apt-get ",
        "yum ",
        "dpkg ",
        "sed -i",
        "install -",
        "curl -X",
        " > ",
        " >> ",
    ];
    CHANGES.iter().any(|change| command.contains(change))
        || command.contains("/pfcmd service ") && !command.ends_with(" status")
}
