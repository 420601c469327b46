//! Every command of the README, and of the pages that it leads to, works as printed.

use std::path::Path;

use pfcluster_tests::program::{examples, run, script};
use pfcluster_tests::webservices::Cluster;
use serde_json::Value;

const VERSIONS: &str = r#"{"version": 1, "local": "pf1.example.com", "members": [
  {"host": "pf1.example.com", "config_version": "1510000000.12345"},
  {"host": "pf2.example.com", "config_version": "1510000000.12345"},
  {"host": "pf3.example.com", "config_version": "1500000000"}]}"#;

const GRASTATE: &str = "# GALERA saved state\nversion: 2.1\nuuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4\nseqno:   12\n\
                        safe_to_bootstrap: 0\n";

/// The test that changes a running supervisor's keys.
const WITH_A_SUPERVISOR: &str = "tests/attacks/posed.rs";
/// The test that runs the commands for which a database is needed.
const WITH_A_DATABASE: &str = "tests/daemons/evidence/supervise.rs";

fn repository_bytes(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect("a file of the repository")
}

fn repository(path: &str) -> String {
    String::from_utf8(repository_bytes(path)).expect("a text")
}

/// The README, then the pages for users and for those who test.
fn pages() -> Vec<(String, String)> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/docs");
    let mut names: Vec<String> = std::fs::read_dir(docs)
        .expect("the pages")
        .map(|entry| format!("pfcluster-cli/docs/{}", entry.expect("a page").file_name().to_string_lossy()))
        .collect();
    names.extend(["README.md", "tests/README.md"].map(str::to_owned));
    // As it leads to them: what a page needs is made on one before.
    let readme = repository("README.md");
    names.sort_by_key(|name| readme.find(&format!("]({name})")));
    names
        .into_iter()
        .map(|name| {
            let text = repository(&name);
            (name, text)
        })
        .collect()
}

/// The lines of a page's `sh` blocks.
fn commands(page: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        match line {
            "```sh" => in_block = true,
            "```" => in_block = false,
            line if in_block && !line.trim().is_empty() && !line.starts_with('#') => commands.push(line),
            _ => {}
        }
    }
    commands
}

/// Nobody answers for the example's members.
fn asks_members(arguments: &[&str]) -> bool {
    match arguments {
        ["sync", ..] => true,
        ["conflict", ..] => !arguments.contains(&"--versions"),
        _ => false,
    }
}

#[test]
fn every_command_is_run_here_or_by_ci() {
    let (pages, ci) = (pages(), repository(".ci/run"));
    let directory = tempfile::tempdir().expect("a scratch directory");
    let root = directory.path().join("pf");
    std::fs::create_dir_all(root.join("conf")).expect("a writable directory");
    for name in ["cluster.conf", "pf.conf"] {
        std::fs::copy(examples().join("guide").join(name), root.join("conf").join(name)).expect("an example");
        std::fs::copy(examples().join("guide").join(name), directory.path().join(name)).expect("an example");
    }
    let everybody: Value = serde_json::from_slice(&repository_bytes("pfcluster-cli/examples/guide/power-cut.json"))
        .expect("an example is JSON");
    for (number, member) in (1..).zip(everybody["members"].as_array().expect("a list")) {
        std::fs::write(directory.path().join(format!("pf{number}.json")), member.to_string())
            .expect("a writable directory");
    }
    std::fs::write(directory.path().join("versions.json"), VERSIONS).expect("a writable directory");
    // A database that was stopped cleanly stands in for this machine's.
    std::fs::create_dir(directory.path().join("data")).expect("a writable directory");
    std::fs::write(directory.path().join("data/grastate.dat"), GRASTATE).expect("a writable directory");
    // Nobody is asked over the network here, and no service is touched.
    std::fs::write(directory.path().join("alone.conf"), "[database]\nuser=\n").expect("a writable directory");
    let programs = directory.path().join("programs");
    for name in ["systemctl", "pfcmd"] {
        std::fs::create_dir_all(&programs).expect("a writable directory");
        script(&programs.join(name), "#!/bin/sh\n");
    }
    std::fs::create_dir_all(root.join("var/run")).expect("a writable directory");
    let programs = programs.to_string_lossy().into_owned();
    let root = root.to_string_lossy().into_owned();
    let daemons = repository(WITH_A_DATABASE);
    let mut run_here = 0;
    for line in pages.iter().flat_map(|(_, page)| commands(page)) {
        let command = line.split(" #").next().unwrap_or(line).trim();
        let Some(arguments) = command.strip_prefix("pfcluster ") else {
            let plain = command.replace("sudo ", "");
            assert!(
                ci.lines().any(|line| line.trim() == plain),
                "neither a pfcluster command nor run by .ci/run: {line}"
            );
            continue;
        };
        assert!(!arguments.contains(['|', '>', '*', '\'']), "not a plain command: {line}");
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        if asks_members(&arguments) {
            // Stand-ins for three members. One that is asked for by its address is the second.
            let cluster = Cluster::new();
            let second = cluster.members[1].address.to_string();
            let arguments = arguments.iter().map(|word| if *word == "192.168.1.6" { &second } else { *word });
            let answer = cluster.run(0, &arguments.collect::<Vec<_>>());
            assert_eq!(answer.status, Some(0), "{line}: {answer:?}");
            run_here += 1;
            continue;
        }
        if arguments.first() == Some(&"mariadb") {
            // They need a supervisor beside a real database.
            assert!(daemons.contains(&format!("\"{command}\"")), "not run by {WITH_A_DATABASE}: {line}");
            continue;
        }
        if matches!(arguments[..], ["key", "rotate", "--finish"] | ["key", "accept" | "forget", ..]) {
            // They ask the supervisor which keys the members have.
            assert!(repository(WITH_A_SUPERVISOR).contains(&format!("&{arguments:?}")), "{line}");
            continue;
        }
        let variables = [("PFCLUSTER_ROOT", root.as_str()), ("PFCLUSTER_PROGRAMS", programs.as_str())];
        let mut full = arguments.clone();
        // The example's first member stands in for this machine.
        if !arguments.contains(&"--host")
            && arguments.first().is_some_and(|command| !["demo", "completions", "man"].contains(command))
        {
            full.extend(["--host", "pf1.example.com"]);
        }
        if arguments.first() == Some(&"evidence") {
            full.extend(["--datadir", "data"]);
        }
        if arguments.first() == Some(&"doctor") {
            full.extend(["--datadir", "data", "--socket", "nobody", "--pf-conf", "alone.conf", "--system", "machine"]);
        }
        let verifies = arguments.contains(&"--verify");
        if arguments.first() == Some(&"status") || verifies {
            full.extend(["--datadir", "data", "--socket", "nobody", "--pf-conf", "alone.conf"]);
            full.extend(arguments.contains(&"--watch").then_some(["--count", "1"]).into_iter().flatten());
        }
        let output = run(directory.path(), &full, b"", &variables);
        // Decisions answer with 1 where the answer is no.
        let decisions = ["quorum", "conflict", "status", "doctor", "drill"];
        let decides = arguments.first().is_some_and(|command| decisions.contains(command)) || verifies;
        // Monitoring has a number of its own for "unknown".
        let no = if arguments.contains(&"--nagios") { 3 } else { 1 };
        let fine = output.status.success() || decides && output.status.code() == Some(no);
        assert!(fine, "{line}: {}", String::from_utf8_lossy(&output.stderr));
        run_here += 1;
    }
    assert!(run_here >= 50, "the pages show how to use the program: {run_here}");
}

#[test]
fn the_two_commands_of_a_fresh_machine_are_there() {
    let (readme, ci) = (repository("README.md"), repository(".ci/run"));
    for command in ["cargo run -p pfcluster-cli -- demo", "tests/run"] {
        assert!(commands(&readme).contains(&command), "README: {command}");
        assert!(ci.lines().any(|line| line.trim() == command), ".ci/run: {command}");
    }
}

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let readme = repository("README.md");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    for (name, _) in pages() {
        assert!(name == "README.md" || readme.contains(&format!("]({name})")), "no way from the README to {name}");
    }
}

/// A link to another page, or to a file of the repository, leads somewhere.
#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for (name, page) in pages() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&name);
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or(target);
            assert!(here.parent().expect("a folder").join(file).exists(), "{name}: {target}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}
