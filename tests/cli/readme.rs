//! Every command of the README works as printed.

use std::path::Path;

use pfcluster_tests::program::{examples, run};

fn repository(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path))
        .expect("a file of the repository")
}

/// The lines of the README's `sh` blocks.
fn commands(readme: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in readme.lines() {
        match line {
            "```sh" => in_block = true,
            "```" => in_block = false,
            line if in_block && !line.trim().is_empty() && !line.starts_with('#') => commands.push(line),
            _ => {}
        }
    }
    commands
}

#[test]
fn every_command_is_run_here_or_by_ci() {
    let (readme, ci) = (repository("README.md"), repository(".ci/run"));
    let directory = tempfile::tempdir().expect("a scratch directory");
    let root = directory.path().join("pf");
    std::fs::create_dir_all(root.join("conf")).expect("a writable directory");
    for name in ["cluster.conf", "pf.conf"] {
        std::fs::copy(examples().join("guide").join(name), root.join("conf").join(name)).expect("an example");
        std::fs::copy(examples().join("guide").join(name), directory.path().join(name)).expect("an example");
    }
    let root = root.to_string_lossy().into_owned();
    let commands = commands(&readme);
    let mut run_here = 0;
    for line in &commands {
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
        let variables = [("PFCLUSTER_ROOT", root.as_str())];
        let mut full = arguments.clone();
        // The example's first member stands in for this machine.
        if !arguments.contains(&"--host")
            && arguments.first().is_some_and(|command| ["check", "show", "generate"].contains(command))
        {
            full.extend(["--host", "pf1.example.com"]);
        }
        let output = run(directory.path(), &full, b"", &variables);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        run_here += 1;
    }
    assert!(run_here >= 5, "the README shows how to use the program");
}

#[test]
fn the_two_commands_of_a_fresh_machine_are_there() {
    let (readme, ci) = (repository("README.md"), repository(".ci/run"));
    for command in ["cargo run --release -p pfcluster-cli -- demo", "tests/run"] {
        assert!(commands(&readme).contains(&command), "README: {command}");
        assert!(ci.lines().any(|line| line.trim() == command), ".ci/run: {command}");
    }
}
