//! `runbook --verify` on a scratch host: what it looks at, what it says, and that it changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use pfcluster_tests::program::{examples, run, script};
use pfcluster_tests::schema::assert_fits;
use serde_json::{Value, json};

/// An install directory `pf`, the rest of a system below `system`, and a stand-in for `systemctl` in `programs`, which writes
/// down what it is asked.
struct Host {
    folder: tempfile::TempDir,
}

/// One member whose virtual address every machine has.
const ALONE: &str = "[CLUSTER]\nmanagement_ip=127.0.0.1\n[CLUSTER interface lo]\nip=127.0.0.1\n\
                     [pf1.example.com]\nmanagement_ip=10.0.0.1\n[pf1.example.com interface lo]\nip=10.0.0.1\n";

const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> log\ncase $1 in\n    is-active) cat system/unit 2>/dev/null || { echo inactive; exit 3; } ;;\n    \
                         get-default) cat system/target ;;\n    show-environment) cat system/environment ;;\n    *) exit 1 ;;\nesac\n";

impl Host {
    fn new() -> Host {
        let host = Host { folder: tempfile::tempdir().expect("a scratch directory") };
        for name in ["pf/conf", "pf/var/run", "programs", "system", "data", "backup"] {
            fs::create_dir_all(host.at(name)).expect("a scratch folder");
        }
        fs::copy(examples().join("guide/cluster.conf"), host.at("pf/conf/cluster.conf")).expect("an example");
        // Nobody is asked over the network.
        host.write("pf/conf/pf.conf", "[database]\nuser=\n");
        host.write("system/target", "packetfence-cluster.target\n");
        host.write("system/environment", "LANG=C\n");
        script(&host.at("programs/systemctl"), SYSTEMCTL);
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a scratch folder");
        fs::write(path, text).expect("a scratch file");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let usual = [
            "--root=pf",
            "--host=pf1.example.com",
            "--datadir=data",
            "--socket=nobody",
            "--system=system",
            "--programs=programs",
            "--backups=backup",
            "--timeout=1",
        ];
        run(self.folder.path(), &[&["runbook"], arguments, &usual].concat(), b"", &[("PATH", "/usr/bin:/bin")])
    }

    fn verify(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(&[arguments, &["--verify", "--format=json"]].concat());
        let document = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_fits("runbook.json", &document);
        (output.status.code(), document)
    }

    /// Everything that is there, but what the stand-in and the test's own runner write.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn add(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("a folder").path();
                if path.is_dir() {
                    files.insert(path.clone(), Vec::new());
                    add(&path, files);
                } else {
                    files.insert(path.clone(), fs::read(&path).expect("a file"));
                }
            }
        }
        let mut files = BTreeMap::new();
        add(self.folder.path(), &mut files);
        files.retain(|path, _| ![".stdin", "log"].iter().any(|name| path.ends_with(name)));
        files
    }
}

fn states(document: &Value) -> Vec<&str> {
    let steps = document["steps"].as_array().expect("a list").iter();
    steps.map(|step| step["standing"]["state"].as_str().expect("a word")).collect()
}

#[test]
fn all_is_done() {
    let host = Host::new();
    host.write("pf/conf/cluster.conf", ALONE);
    host.write("pf/conf/pf.conf", "[database]\nuser=\n[active_active]\npassword=a1b2c3d4\n");
    host.write("pf/var/conf/config_version", "1510000000");
    host.write("system/unit", "active\n");
    let (code, document) = host.verify(&["secure-keepalived"]);
    assert_eq!((code, states(&document)), (Some(0), vec!["done"; 3]), "{document:#}");
    assert_eq!(
        document["progress"],
        json!({ "asked_by": "pf1.example.com", "standing": "done", "next": null, "notes": [] })
    );
    assert!(!document.to_string().contains("a1b2c3d4"), "a secret is never said");
    let text = String::from_utf8(host.run(&["secure-keepalived", "--verify"]).stdout).expect("a text");
    assert!(text.ends_with("\nAll that pf1.example.com can tell is done.\n"), "{text}");

    // The default is no secret, and neither is none.
    for (password, seen) in [("1234", "it is the default"), ("", "it is not set")] {
        host.write("pf/conf/pf.conf", &format!("[database]\nuser=\n[active_active]\npassword={password}\n"));
        let (code, document) = host.verify(&["secure-keepalived"]);
        assert_eq!((code, states(&document)), (Some(1), vec!["not_yet"; 3]), "{document:#}");
        assert_eq!(document["steps"][0]["verify"][0]["standing"]["why"], json!(seen));
        assert_eq!(document["progress"]["next"], json!(1));
    }
}

#[test]
fn step_by_step() {
    let host = Host::new();
    let line = |document: &Value, step: usize| document["steps"][step]["verify"][0]["standing"]["why"].clone();
    host.write("system/proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n");
    let (code, document) = host.verify(&["disable-ipv6"]);
    assert_eq!((code, &document["progress"]["next"]), (Some(1), &json!(1)));
    assert_eq!(line(&document, 0), json!("it is 0"));
    host.write("system/proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n");
    let (_, document) = host.verify(&["disable-ipv6"]);
    assert_eq!(document["progress"]["next"], json!(2));
    assert_eq!(line(&document, 0), json!("here; see pf2.example.com and pf3.example.com as well"));
    assert_eq!(line(&document, 1), json!("pf1.example.com is stopped"));
}

/// Maintenance as this host sees it: the flag, the target, the database.
#[test]
fn what_a_host_knows_of_itself() {
    let host = Host::new();
    let step = |document: &Value, number: usize| document["steps"][number - 1]["verify"].clone();
    let states = |checks: Value| -> Vec<String> {
        let checks = checks.as_array().expect("a list").iter();
        checks.map(|check| check["standing"]["state"].as_str().expect("a word").to_owned()).collect()
    };
    let (_, document) = host.verify(&["maintenance", "pf1"]);
    assert_eq!(states(step(&document, 2))[..3], ["not_yet", "done", "not_yet"], "{document:#}");
    host.write("pf/var/maintenance-mode", "");
    host.write("system/target", "multi-user.target\n");
    let (_, document) = host.verify(&["maintenance", "pf1"]);
    assert_eq!(states(step(&document, 2))[..3], ["done", "done", "done"], "{document:#}");

    // An upgrade: whom it counts, its version, its last backup, the check of configurations.
    host.write("pf/conf/pf-release", "PacketFence 8.5.0\n");
    host.write("pf/conf/pfmon.conf", "[cluster_check]\nstatus=disabled\n");
    host.write("pf/var/run/pf3.example.com-cluster-disabled", "");
    host.write("backup/packetfence-db-dump-2026-01-01_00h30.sql.gz", "x");
    let (_, document) = host.verify(&["upgrade", "--pf-version=8.4", "--to=8.5"]);
    let find = |kind: &str| {
        let steps = document["steps"].as_array().expect("a list").iter();
        let mut checks = steps.flat_map(|step| step["verify"].as_array().expect("a list"));
        let is_here = |check: &&Value| check["kind"] == kind && check["standing"]["elsewhere"] == false;
        checks.find(is_here).unwrap_or_else(|| panic!("no {kind}"))["standing"]["state"].clone()
    };
    for kind in ["backup_age", "cluster_check", "counts", "release"] {
        assert_eq!(find(kind), json!("done"), "{kind}");
    }

    // A force that somebody has left in systemd's environment.
    let forced = |document: &Value| {
        let steps = document["steps"].as_array().expect("a list").iter();
        let mut checks = steps.flat_map(|step| step["verify"].as_array().expect("a list"));
        checks.find(|check| check["kind"] == "forced_start").expect("a check")["standing"]["state"].clone()
    };
    let arguments = ["elect-master", "pf1", "--pf-version=14"];
    assert_eq!(forced(&host.verify(&arguments).1), json!("done"));
    host.write("system/environment", "LANG=C\nMARIADB_ARGS=--force-new-cluster\n");
    assert_eq!(forced(&host.verify(&arguments).1), json!("not_yet"));
}

/// It looks, and nothing else: no file changes, and systemd is only asked.
#[test]
fn it_changes_nothing() {
    let host = Host::new();
    let before = host.everything();
    let members = ["pf1"];
    for name in [
        "create-cluster",
        "join-member",
        "secure-keepalived",
        "shutdown",
        "startup",
        "backup",
        "upgrade",
        "max-connections",
    ] {
        host.verify(&[name]);
    }
    for name in
        ["remove-member", "resync", "member-missing", "elect-master", "split-brain", "full-recovery", "maintenance"]
    {
        host.verify(&[&[name], &members[..]].concat());
    }
    assert_eq!(host.everything(), before);
    let log = fs::read_to_string(host.at("log")).expect("it was asked");
    let asks = |line: &str| ["is-active ", "get-default", "show-environment"].iter().any(|verb| line.starts_with(verb));
    assert!(log.lines().all(asks), "{log}");
}

/// What can't be seen is no answer, and no error.
#[test]
fn what_can_not_be_seen() {
    let host = Host::new();
    fs::remove_file(host.at("programs/systemctl")).expect("our own file");
    let (code, document) = host.verify(&["maintenance", "pf1"]);
    assert_eq!(code, Some(1));
    let check = &document["steps"][1]["verify"][2]["standing"];
    assert_eq!(
        check,
        &json!({ "state": "cannot_tell", "why": "programs/systemctl: no such file or directory", "elsewhere": false })
    );
    let output = host.run(&["maintenance", "pf1", "--verify", "--format=json", "--root=nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}

/// Who starts the databases is seen on the machine, and can be said.
#[test]
fn the_supervisor_is_found() {
    let host = Host::new();
    let database = |arguments: &[&str]| {
        let output = host.run(&[&["startup", "--format=json"], arguments].concat());
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["database"].clone()
    };
    assert_eq!(database(&[]), json!("packetfence"));
    host.write("system/etc/systemd/system/packetfence-mariadb.service.d/20-supervise.conf", "");
    assert_eq!(database(&[]), json!("pfcluster"));
    assert_eq!(database(&["--database=packetfence"]), json!("packetfence"));
}
