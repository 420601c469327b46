//! What holds of every runbook, for every cluster and every version.

use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Action, Observed, Runbook, Standing, Step};
use pfcluster_testing::clusters::described;
use pfcluster_tests::guard::guard;
use pfcluster_tests::property_config;
use proptest::prelude::*;
use proptest::sample::select;

use super::books::{VERSIONS, books, example, read};
use super::shell::{commands, lines};

fn version() -> impl Strategy<Value = PfVersion> {
    select(&VERSIONS[..]).prop_map(|version| version.parse().expect("a version"))
}

/// A command that does harm where it is not meant: data, the configuration of others, the machine itself.
fn is_destructive(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["mv" | "rm" | "shutdown" | "reboot", ..] => !words.contains(&"-i"),
        ["/usr/local/pf/bin/pfcmd", "service", .., what] => what != "status",
        ["pfcluster", "sync", ..] => !words.contains(&"--dry-run"),
        ["pfcluster", "maintenance", ..] => words.len() > 2,
        ["systemctl", what, ..] => {
            !["status", "is-active", "show-environment", "daemon-reload", "get-default"].contains(&what)
        }
        ["apt-get" | "yum" | "dpkg" | "install" | "curl" | "/usr/local/pf/sbin/pf-mariadb", ..]
        | ["/usr/local/pf/bin/pfcmd", "configreload" | "generatemariadbconfig", ..]
        | ["pfcluster", "mariadb", "allow", ..]
        | ["pfcluster", "node", ..]
        | ["timeout", _, "systemctl", ..] => true,
        _ => words.iter().any(|word| word.starts_with("/var/lib/mysql") && words[0] == "cp"),
    }
}

/// 1. On any other host, what does harm does nothing. 2. No data are deleted, and nothing is moved away under a server.
fn check_line(line: &str, step: &Step) -> Result<(), TestCaseError> {
    let words = commands(line);
    if let Some((_, command)) = guard(line) {
        // What stands behind a `;`, or behind an `||` that nothing holds together, would run anywhere.
        prop_assert!(!command.contains("; ") || command.contains("; }"), "{line}");
        prop_assert!(!command.contains(" || ") || command.contains("{ "), "{line}");
    }
    if words.iter().any(|words| is_destructive(words)) {
        let hosts = guard(line).map(|(hosts, _)| hosts);
        let on: Vec<&str> = step.on.iter().map(Hostname::as_str).collect();
        prop_assert_eq!(hosts, Some(on), "anywhere else, too: {}", line);
    }
    let deletes = |words: &Vec<String>| words[0] == "rm" && !words.contains(&"-i".to_owned()) || words[0] == "dd";
    prop_assert!(!words.iter().any(deletes), "{line}");
    if words.iter().any(|words| words[0] == "mv" && words.contains(&"/var/lib/mysql".to_owned())) {
        let at = |what: &str| line.find(what).unwrap_or(usize::MAX);
        prop_assert!(at("! pgrep ") < at(" mv ") && at(" mv ") < usize::MAX, "under a server: {line}");
        prop_assert!(line.contains("/var/lib/mysql.aside-$(date"), "kept under a name of its own: {line}");
    }
    Ok(())
}

/// Nothing starts in a line of its own where a line before it may have failed to move what must not be there.
fn check_chain(step: &Step) -> Result<(), TestCaseError> {
    let mut is_moved = false;
    for action in &step.actions {
        let Action::Run { command, .. } = action else { continue };
        let starts = |words: &Vec<String>| words[0] == "systemctl" && (words[1] == "start" || words[1] == "restart");
        let moves =
            |words: &Vec<String>| words[0] == "mv" && words.iter().any(|word| word.starts_with("/var/lib/mysql"));
        let (starts, moves) = (commands(command).iter().any(starts), commands(command).iter().any(moves));
        prop_assert!(!is_moved || moves || !starts, "{}: {command}", step.title);
        is_moved |= moves;
    }
    Ok(())
}

fn check_step(step: &Step) -> Result<(), TestCaseError> {
    check_chain(step)?;
    prop_assert!(!step.on.is_empty(), "nowhere: {}", step.title);
    prop_assert!(!step.actions.is_empty() || !step.verify.is_empty(), "nothing: {}", step.title);
    prop_assert!(!step.title.ends_with('.'), "{}", step.title);
    prop_assert!(!step.one_by_one || step.on.len() > 1, "{}", step.title);
    let mut dumped = Vec::new();
    for action in step.actions.iter().chain(&step.back) {
        match action {
            Action::Run { command, .. } => {
                check_line(command, step)?;
                dumped.extend(commands(command).into_iter().filter(|words| words[0] == "mysqldump").flatten());
            }
            Action::Sql { client, statements } => {
                for statement in statements {
                    let words: Vec<String> = statement.to_lowercase().split_whitespace().map(str::to_owned).collect();
                    let deletes = ["truncate", "delete", "drop"].contains(&&*words[0]);
                    let table = words.last().map(|word| word.trim_end_matches(';').to_owned());
                    prop_assert!(
                        !deletes || table.is_some_and(|table| dumped.contains(&table)),
                        "not kept: {statement}"
                    );
                    prop_assert!(!deletes || guard(client).is_some(), "anywhere: {statement}");
                }
            }
            Action::Edit { file, lines } => prop_assert!(file.starts_with('/') && !lines.is_empty()),
            _ => {}
        }
    }
    Ok(())
}

/// 3. Each step is for the version, and the same in every other one that it says it is for.
fn check_versions(book: &Runbook, others: &[(PfVersion, Vec<Step>)]) -> Result<(), TestCaseError> {
    for step in &book.steps {
        prop_assert!(step.versions.has(book.version), "{} at {}: {}", step.title, book.version, step.versions);
        for (version, steps) in others.iter().filter(|(version, _)| step.versions.has(*version)) {
            let same = steps.iter().any(|other| other == step);
            let is_there = steps.iter().any(|other| other.title == step.title && other.on == step.on);
            prop_assert!(same || !is_there, "`{}` is another one at {version} than at {}", step.title, book.version);
        }
    }
    Ok(())
}

fn check_all(cluster: &Cluster, version: PfVersion, supervised: bool) -> Result<(), TestCaseError> {
    for (kind, book) in books(cluster, version, supervised) {
        for step in &book.steps {
            check_step(step).map_err(|error| TestCaseError::fail(format!("{kind} at {version}: {error}")))?;
        }
        // 4. Who has seen nothing has done nothing, and nothing can be told but that.
        let nothing = book.progress(&Observed::default());
        prop_assert_eq!(nothing.next, Some(0), "{}", kind);
        prop_assert!(nothing.steps.iter().all(|step| step.standing != Standing::Done), "{kind}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn nothing_is_dangerous_on_another_host(described in described(), version in version(), supervised: bool) {
        check_all(&read(described.text.as_bytes()), version, supervised)?;
    }
}

#[test]
fn nothing_is_dangerous_in_the_examples() {
    for name in ["guide", "five-members", "two-zones"] {
        for version in VERSIONS {
            for supervised in [false, true] {
                check_all(&example(name), version.parse().expect("a version"), supervised).expect(name);
            }
        }
    }
}

#[test]
fn a_step_is_the_same_in_all_of_its_versions() {
    let cluster = example("guide");
    for supervised in [false, true] {
        let versions = VERSIONS.map(|version| version.parse::<PfVersion>().expect("a version"));
        let all = versions.map(|version| (version, books(&cluster, version, supervised)));
        for (_, of_version) in &all {
            for (kind, book) in of_version {
                let others: Vec<(PfVersion, Vec<Step>)> = all
                    .iter()
                    .filter_map(|(version, books)| {
                        let (_, book) = books.iter().find(|(other, _)| other == kind)?;
                        Some((*version, book.steps.clone()))
                    })
                    .collect();
                check_versions(book, &others).unwrap_or_else(|error| panic!("{kind}: {error}"));
            }
        }
    }
}

/// Every line of the examples' runbooks, once.
fn all_lines() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in ["guide", "five-members", "two-zones"] {
        for version in VERSIONS {
            for supervised in [false, true] {
                let books = books(&example(name), version.parse().expect("a version"), supervised);
                all.extend(books.iter().flat_map(|(_, book)| lines(book)));
            }
        }
    }
    all.sort();
    all.dedup();
    assert!(all.len() > 100, "{}", all.len());
    all
}

/// What bash says to the lines, each in a shell of its own on `host`, where every program is there and ends with `status`.
fn pasted(lines: &[&str], host: &str, status: u8) -> Vec<String> {
    let mut script =
        format!("hostname() {{ echo {host}; }}; command_not_found_handle() {{ echo \"ran $*\"; return {status}; }}\n");
    // No program of this machine is found, so none runs; a file is only written by a program.
    lines.iter().for_each(|line| script += &format!("( {line} ); echo \"status $?\"; echo ===\n"));
    let mut bash = Command::new("/bin/bash");
    bash.args(["--norc", "-r", "-s"]).env_clear().env("PATH", "/nowhere").current_dir("/");
    let mut file = tempfile::tempfile().expect("a scratch file");
    file.write_all(script.as_bytes()).and_then(|()| file.rewind()).expect("a scratch file");
    let output = bash.stdin(file).output().expect("bash");
    let said = String::from_utf8(output.stdout).expect("text");
    said.split("===\n").filter(|said| !said.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_real_shell_runs_a_guarded_line_on_its_hosts_alone_and_stops_where_a_command_fails() {
    let all = all_lines();
    let guarded: Vec<(&str, Vec<&str>)> = all.iter().filter_map(|line| Some((line.as_str(), guard(line)?.0))).collect();
    assert!(guarded.len() > 50, "{}", guarded.len());
    let texts: Vec<&str> = guarded.iter().map(|(line, _)| *line).collect();
    let elsewhere = pasted(&texts, "another.example.com", 0);
    assert_eq!(elsewhere.len(), guarded.len());
    for ((line, hosts), said) in guarded.iter().zip(elsewhere) {
        let wrong = if hosts.len() == 1 { format!(", not {}", hosts[0]) } else { String::new() };
        let expected = format!("not run: this is another.example.com{wrong}\nstatus 1\n");
        assert_eq!(said, expected, "{line}");
    }
    for (line, hosts) in &guarded {
        for host in hosts {
            let failing = pasted(&[line], host, 1).concat();
            // Where `!` stands before it, the failure is what was hoped for.
            let hoped = |said: &&str| {
                ["pgrep", "mountpoint"].iter().any(|program| {
                    said.starts_with(&format!("ran {program} ")) && line.contains(&format!("! {program} "))
                })
            };
            let ran = failing.lines().filter(|said| said.starts_with("ran ") && !hoped(said)).count();
            // Programs by their path are not found either, and do not say that they ran; nothing is written to a file, or is there.
            let least = usize::from(![" && /", " > ", " >> ", " -e /"].iter().any(|what| line.contains(what)));
            let most = line.matches(" || ").count() + line.matches(" | ").count();
            assert!((least..=most).contains(&ran), "{line} on {host}:\n{failing}");
            if line.contains("! pgrep ") {
                assert!(!pasted(&[line], host, 0).concat().contains("ran mv"), "under a server: {line}");
            }
        }
    }
}

/// 5. A shell takes every line as a whole. (`-n`: it runs nothing.)
#[test]
fn every_line_is_one_for_a_shell() {
    let all = all_lines();
    for shell in ["sh", "bash"] {
        let mut child = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn().expect("a shell");
        let mut input = child.stdin.take().expect("a pipe");
        // A line that opens something which the next one closes would be one line as well.
        all.iter().for_each(|line| writeln!(input, "f() {{ {line}\n}}").expect("it reads"));
        drop(input);
        assert!(child.wait().expect("our child").success(), "{shell} does not take them");
    }
}
