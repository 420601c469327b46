//! What the sessions of testdata/cli can't show: schemas, permissions, closed pipes, colours, completions, sizes.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pfcluster_tests::program::{examples, program, program_at, run};
use pfcluster_tests::schema::assert_fits;
use serde_json::Value;

/// A broken cluster.conf with a finding of every severity, and one with several places.
const BROKEN: &str = "[CLUSTER]\nmanagement_ip=192.168.1.10\njunk\n[pf1]\nmanagement_ip=192.168.1.10\nx=[% ENV.X %]\n";

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch directory")
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    let output = run(directory, arguments, BROKEN.as_bytes(), &[]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

#[test]
fn every_json_document_fits_its_schema() {
    let directory = scratch();
    let guide = examples().join("guide/cluster.conf");
    let zones = examples().join("two-zones/cluster.conf");
    let (guide, zones) = (guide.to_string_lossy(), zones.to_string_lossy());
    for arguments in [["check", "-"], ["check", &guide], ["check", &zones]] {
        assert_fits("check.json", &json(directory.path(), &[&arguments[..], &["--format=json"]].concat()));
    }
    for file in ["-", &guide, &zones] {
        assert_fits("show.json", &json(directory.path(), &["show", file, "--format=json"]));
        assert_fits("show-raw.json", &json(directory.path(), &["show", "--raw", file, "--format=json"]));
    }
    assert_fits("rules.json", &json(directory.path(), &["check", "--rules", "--format=json"]));
    assert_fits("rules.json", &json(directory.path(), &["check", "--explain=PFC012", "--format=json"]));
    let root = directory.path().join("pf/conf");
    std::fs::create_dir_all(&root).expect("a writable directory");
    for name in ["cluster.conf", "pf.conf"] {
        std::fs::copy(examples().join("guide").join(name), root.join(name)).expect("an example");
    }
    for mode in ["--check", "--explain"] {
        let arguments = ["generate", "all", mode, "--root=pf", "--host=pf1.example.com", "--format=json"];
        assert_fits("generate.json", &json(directory.path(), &arguments));
    }
    for wrong in [&["check", "nowhere"][..], &["check", "--explain=PFC999"], &["show", "--wrong"]] {
        assert_fits("error.json", &json(directory.path(), &[wrong, &["--format=json"]].concat()));
    }
}

#[test]
fn findings_are_sorted_and_counted() {
    let document = json(scratch().path(), &["check", "-", "--format=json"]);
    let diagnostics = document["diagnostics"].as_array().expect("a list");
    let places: Vec<(u64, u64)> =
        diagnostics.iter().map(|d| (d["line"].as_u64().unwrap_or(0), d["column"].as_u64().unwrap_or(0))).collect();
    assert!(places.is_sorted(), "{places:?}");
    let counted = |severity: &str| diagnostics.iter().filter(|d| d["severity"] == severity).count() as u64;
    for (key, severity) in [("errors", "error"), ("warnings", "warning"), ("infos", "info")] {
        assert_eq!(document["summary"][key], counted(severity), "{severity}");
    }
}

/// Runs as the user nobody when the test runs as root, whom no permission stops.
#[test]
fn a_file_that_may_not_be_read_is_one_clear_message() {
    let directory = scratch();
    let at = |name: &str| directory.path().join(name);
    program_at(&at("pfcluster"));
    std::fs::write(at("cluster.conf"), BROKEN).expect("a writable directory");
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("our own file");
    };
    mode(directory.path(), 0o755);
    mode(&at("cluster.conf"), 0o000);
    let mut command = Command::new(at("pfcluster"));
    command.args(["check", "cluster.conf"]).current_dir(directory.path()).stdin(Stdio::null());
    if rustix::process::getuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: cannot read cluster.conf: permission denied\nhint: run it as root or as the user pf\n"
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_accident() {
    let directory = scratch();
    let mut lines = String::from("[CLUSTER]\n");
    (0..50_000).for_each(|_| lines.push_str("=x\n"));
    std::fs::write(directory.path().join("cluster.conf"), lines).expect("a writable directory");
    let mut child = Command::new(program())
        .args(["check", "cluster.conf"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = [0; 100];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("an answer");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let directory = scratch();
    let has_colour = |arguments: &[&str], variables: &[(&str, &str)]| {
        run(directory.path(), arguments, BROKEN.as_bytes(), variables).stdout.contains(&0x1b)
    };
    assert!(!has_colour(&["check", "-"], &[]), "not into a file");
    assert!(!has_colour(&["check", "-"], &[("NO_COLOR", "1")]));
    assert!(!has_colour(&["check", "-", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(has_colour(&["check", "-", "--color", "always"], &[("NO_COLOR", "1")]), "the option is stronger");
}

#[test]
fn completions_and_manual_are_complete() {
    let directory = scratch();
    let text = |arguments: &[&str]| {
        let output = run(directory.path(), arguments, b"", &[]);
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let script = text(&["completions", "bash"]);
    // It is longer than an argument may be.
    std::fs::write(directory.path().join("completions"), script).expect("a scratch file");
    let status = Command::new("bash").current_dir(directory.path()).args(["-n", "completions"]).status().expect("bash");
    assert!(status.success());
    for shell in ["zsh", "fish"] {
        assert!(text(&["completions", shell]).contains("explain"), "{shell}");
    }
    let manual = text(&["man"]);
    for word in ["check", "show", "demo", "exit\\-zero\\-on\\-warnings", "raw", "PFCLUSTER_ROOT"] {
        assert!(manual.contains(word), "{word}");
    }
    assert_eq!(text(&["--version"]).trim(), format!("pfcluster {}", env!("CARGO_PKG_VERSION")));
}

/// Sizes and shapes that a program might choke on: it answers, with findings, and does not die.
#[test]
fn hostile_files_get_an_answer() {
    let directory = scratch();
    let megabytes = |unit: &[u8], size: usize| unit.repeat(size / unit.len());
    let shapes: [(&str, Vec<u8>); 6] = [
        ("bytes", (0..=255_u8).cycle().take(1_000_000).collect()),
        ("one line", megabytes(b"x", 1_000_000)),
        ("sections", megabytes(b"[a]\n", 1_000_000)),
        ("members", (0..30_000).flat_map(|n| format!("[pf{n}]\nmanagement_ip=1.1.1.1\n").into_bytes()).collect()),
        ("texts without end", [&b"[a]\n"[..], &megabytes(b"x=<<E\n", 500_000)].concat()),
        ("CR", megabytes(b"[a]\rb=c\r", 1_000_000)),
    ];
    for (name, text) in shapes {
        let output = run(directory.path(), &["check", "-", "--format", "github"], &text, &[]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{name}");
    }
}
