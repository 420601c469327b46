//! What `--help` and the manual pages say beside the arguments: the groups of the commands, and examples.

use clap::Command;

/// The commands by what people want of them, in this order.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Inspect", &["check", "show", "status", "doctor", "quorum"]),
    ("Recover", &["bootstrap", "evidence", "runbook", "mariadb"]),
    ("Configure", &["generate", "sync", "conflict", "node", "maintenance", "key"]),
    ("Rehearse", &["drill", "demo"]),
    ("This program", &["completions", "man", "help"]),
];

/// Of each command: command lines, some with what they are for.
const EXAMPLES: [(&str, &[(&str, &str)]); 27] = [
    (
        "check",
        &[
            ("", "this server's configuration"),
            ("new/cluster.conf", "a file before it is installed"),
            ("--explain PFC012", ""),
        ],
    ),
    ("show", &[("", ""), ("new/cluster.conf", "a file before it is installed"), ("--raw", "as PacketFence reads it")]),
    ("status", &[("", ""), ("--watch", "until Ctrl-C"), ("--nagios", "one line for a monitoring system")]),
    (
        "doctor",
        &[
            ("", "all checks on this server"),
            ("clocks database-ports", "only these"),
            ("--all", "the other servers, too"),
        ],
    ),
    (
        "quorum",
        &[
            ("--down pf1", "one server crashes"),
            ("--left pf1 --then --left pf2", "two are shut down, one after the other"),
            ("--split pf1/pf2,pf3", "pf1 is cut off"),
            ("--split pf1/pf2/pf3 --then --split pf1,pf2,pf3", "all are apart, then together again"),
        ],
    ),
    (
        "bootstrap",
        &[
            ("--evidence pf1.json pf2.json pf3.json", "who may start the database"),
            ("--evidence pf1.json pf2.json --assume-lost pf3", "pf3 never comes back"),
        ],
    ),
    ("evidence", &[("> $(hostname).json", "on each member, after an outage")]),
    (
        "runbook",
        &[
            ("", "the list"),
            ("power-cut", "the database is down everywhere"),
            ("remove-member pf3", ""),
            ("split-brain pf1 pf2", "their data are kept"),
            ("upgrade --for pf2 --format markdown", "pf2's part, for a ticket"),
            ("upgrade --to 14.1 --verify", "how far you have come"),
        ],
    ),
    ("mariadb", &[("status", ""), ("allow assume-lost pf3", "pf3 never comes back")]),
    ("mariadb supervise", &[("", "as packetfence-mariadb.service does"), ("--dry-run", "say what would be done now")]),
    ("mariadb status", &[("", ""), ("--format json", "")]),
    (
        "mariadb allow",
        &[("assume-lost pf3", "pf3 never comes back"), ("discard pf3", "on pf3: it may lose what only it has")],
    ),
    (
        "generate",
        &[
            ("keepalived --stdout", ""),
            ("all --diff", "what would change"),
            ("all --install", "write below ROOT/var/conf"),
            ("all --check", "do the files differ from what is generated"),
        ],
    ),
    (
        "sync",
        &[
            ("--as-master --dry-run", "what differs"),
            ("--as-master", "push to all"),
            ("--from 192.168.1.5", "pull from it"),
        ],
    ),
    ("conflict", &[("", "who wins, and what would be overwritten"), ("resolve", "push the winner's configuration")]),
    ("conflict resolve", &[("", ""), ("--yes", "without a question")]),
    ("conflict watch", &[("--interval 60", "")]),
    ("node", &[("", "all members"), ("pf3 disable", "this server works without pf3"), ("pf3 enable", "")]),
    (
        "maintenance",
        &[
            ("", "is it in maintenance"),
            ("--activate --dry-run", "the steps"),
            ("--activate", "out of service"),
            ("--deactivate", "and back"),
        ],
    ),
    (
        "key",
        &[
            ("new", "once, on one member"),
            ("rotate", "another shared key"),
            ("accept pf2", "pf2 has a new key of its own"),
        ],
    ),
    (
        "drill",
        &[
            ("power-cut", ""),
            ("graceful-shutdown --order pf3,pf2,pf1", ""),
            ("lose pf2", ""),
            ("partition pf1/pf2,pf3", ""),
            ("random --seed 7 --beside packetfence --html day.html", ""),
        ],
    ),
    ("demo", &[("", "")]),
    ("completions", &[("bash > /etc/bash_completion.d/pfcluster", "")]),
    ("man", &[("> /usr/local/share/man/man1/pfcluster.1", "")]),
    ("key new", &[("", "the shared key"), ("--own", "this member's own")]),
    ("key rotate", &[("", "the next key"), ("--finish", "when all members have it")]),
    ("key accept", &[("pf2", "it asks for the fingerprint that pf2 shows")]),
];

/// With groups and examples.
pub(super) fn with_help(command: Command) -> Command {
    let command = EXAMPLES.iter().fold(command, |command, (path, lines)| {
        let mut path_left: Vec<&str> = path.split(' ').collect();
        path_left.reverse();
        with_examples(command, path, &mut path_left, lines)
    });
    let groups = groups(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}\nGlobal options:\n{{options}}{{after-help}}"
    ))
}

fn with_examples(command: Command, path: &str, left: &mut Vec<&str>, lines: &[(&str, &str)]) -> Command {
    if let Some(name) = left.pop() {
        return command.mut_subcommand(name, |command| with_examples(command, path, left, lines));
    }
    let rest = command.get_after_long_help().map(|rest| format!("\n\n{rest}")).unwrap_or_default();
    command.after_long_help(format!("Examples:\n{}{rest}", examples(path, lines)))
}

fn examples(path: &str, lines: &[(&str, &str)]) -> String {
    let full = |arguments: &str| format!("pfcluster {path} {arguments}").trim_end().to_owned();
    let width = lines.iter().map(|(arguments, _)| full(arguments).len()).max().unwrap_or_default();
    let line =
        |(arguments, what): &(&str, &str)| format!("  {:width$}   {what}", full(arguments)).trim_end().to_owned();
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn groups(command: &Command) -> String {
    let about = |name: &str| {
        let found = command.get_subcommands().find(|command| command.get_name() == name);
        found.and_then(Command::get_about).map_or_else(|| "Print the help of a command".to_owned(), ToString::to_string)
    };
    let group = |(title, names): &(&str, &[&str])| {
        let lines: Vec<String> = names.iter().map(|name| format!("  {name:<13}{}\n", about(name))).collect();
        format!("{title}:\n{}", lines.concat())
    };
    GROUPS.iter().map(group).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::command_line;

    #[test]
    fn every_command_is_in_one_group_and_fits_a_line_of_80_columns() {
        let command = command_line();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        grouped.sort_unstable();
        let mut all: Vec<&str> = command.get_subcommands().map(Command::get_name).chain(["help"]).collect();
        all.sort_unstable();
        assert_eq!(grouped, all);
        for line in groups(&command).lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }

    /// The command itself, or what is below it, has an example, and the parser takes every one of them.
    #[test]
    fn every_command_has_examples_that_are_understood() {
        let command = command_line();
        for one in command.get_subcommands() {
            let name = one.get_name();
            assert!(EXAMPLES.iter().any(|(path, _)| *path == name), "{name}");
        }
        for (path, lines) in EXAMPLES {
            for (arguments, _) in lines {
                let arguments = arguments.split(" > ").next().unwrap_or_default();
                let arguments = arguments.split("> ").next().unwrap_or_default();
                let words = ["pfcluster"].into_iter().chain(path.split(' ')).chain(arguments.split_whitespace());
                let parsed = command_line().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{path} {arguments}: {}", parsed.unwrap_err());
            }
        }
    }
}
