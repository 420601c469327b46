//! What holds of every runbook, for every cluster and every version.

use std::io::Write as _;
use std::process::{Command, Stdio};

use pfcluster_core::cluster::Cluster;
use pfcluster_core::runbook::{Action, Observed, Runbook, Standing, Step};
use pfcluster_core::strategies::clusters::described;
use pfcluster_core::version::PfVersion;
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
        ["pfcluster", "sync", ..] => !words.contains(&"--dry-run"),
        ["pfcluster", "maintenance", ..] => words.len() > 2,
        ["pfcluster", "mariadb", "allow", ..]
        | ["/usr/local/pf/sbin/pf-mariadb", ..]
        | ["systemctl", "set-environment", ..] => true,
        _ => words.iter().any(|word| word.starts_with("/var/lib/mysql") && words[0] == "cp"),
    }
}

/// The host that the line is for, if it does nothing anywhere else.
fn guard(line: &str) -> Option<&str> {
    let (host, _) = line.strip_prefix("[ \"$(hostname)\" = ")?.split_once(" ] && ")?;
    Some(host)
}

/// 1. On any other host, what does harm does nothing. 2. No data are deleted, and nothing is moved away under a server.
fn check_line(line: &str, step: &Step) -> Result<(), TestCaseError> {
    let words = commands(line);
    // What stands behind the first `;` would run anywhere.
    prop_assert!(guard(line).is_none() || !line.contains("; ") || line.contains("; }"), "{line}");
    if words.iter().any(|words| is_destructive(words)) {
        let host = guard(line);
        prop_assert!(host.is_some(), "anywhere: {line}");
        prop_assert_eq!(step.on.iter().map(|host| Some(host.as_str())).collect::<Vec<_>>(), vec![host], "{}", line);
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

fn check_step(step: &Step) -> Result<(), TestCaseError> {
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

/// 5. A shell takes every line as a whole. (`-n`: it runs nothing.)
#[test]
fn every_line_is_one_for_a_shell() {
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
    for shell in ["sh", "bash"] {
        let mut child = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn().expect("a shell");
        let mut input = child.stdin.take().expect("a pipe");
        // A line that opens something which the next one closes would be one line as well.
        all.iter().for_each(|line| writeln!(input, "f() {{ {line}\n}}").expect("it reads"));
        drop(input);
        assert!(child.wait().expect("our child").success(), "{shell} does not take them");
    }
}
