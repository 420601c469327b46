//! `pfcluster doctor` where `ip`, `systemctl` and the supervisor are stand-ins: what they say in all their versions, and what
//! becomes of those that say nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use pfcluster_tests::program::{examples, program_at, script as script_at};
use pfcluster_tests::schema::assert_fits;
use serde_json::{Value, json};

/// An install directory `pf`, a machine's files below `machine`, and `programs`.
struct Host {
    folder: tempfile::TempDir,
    /// One test at a time: a program that is being written while another test starts one can't be run for a moment.
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    fn new() -> Host {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Host { folder: tempfile::tempdir().expect("a scratch directory"), _alone: alone };
        for name in ["pf/conf", "pf/var/run", "machine/etc/sysctl.d", "programs", "data", "run"] {
            fs::create_dir_all(host.at(name)).expect("a scratch folder");
        }
        for name in ["cluster.conf", "pf.conf"] {
            fs::copy(examples().join("guide").join(name), host.at("pf/conf").join(name)).expect("an example");
        }
        program_at(&host.at("pfcluster"));
        mode(host.folder.path(), 0o755);
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        script_at(&self.at("programs").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.at("pfcluster"));
        command.args(["doctor", "--format=json", "--root=pf", "--host=pf1.example.com", "--system=machine"]);
        command.args(["--programs=programs", "--datadir=data", "--socket=nobody", "--run-directory=run"]);
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn doctor(&self, arguments: &[&str]) -> Value {
        document(&self.command(arguments).output().expect("the program starts"))
    }

    /// What a check comes to, and what was seen.
    fn check(&self, id: &str) -> (String, String) {
        found(&self.doctor(&[id]), 0, id)
    }
}

fn document(output: &Output) -> Value {
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_fits("doctor.json", &document);
    document
}

fn found(document: &Value, member: usize, id: &str) -> (String, String) {
    let checks = document["members"][member]["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["id"] == id).expect("the check was asked for");
    let text = |key: &str| check[key].as_str().expect("a text").to_owned();
    (text("verdict"), text("seen"))
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

fn is(verdict: &str, seen: &str) -> (String, String) {
    (verdict.to_owned(), seen.to_owned())
}

#[test]
fn systemd_of_all_versions() {
    let host = Host::new();
    // An older one says nothing on standard output of a unit that is not there; a newer one says `not-found`.
    for missing in ["echo 'Failed to get unit file state for it: No such file or directory' >&2", "echo not-found"] {
        host.program("systemctl", &format!("case $2 in mariadb.service) echo enabled;; *) {missing}; exit 1;; esac"));
        assert_eq!(host.check("distribution-mariadb-disabled"), is("fail", "mariadb is enabled"));
        assert_eq!(host.check("packetfence-mariadb-unit"), is("fail", "there is no packetfence-mariadb"));
    }
    host.program("systemctl", "echo 'System has not been booted with systemd' >&2; exit 1");
    for id in ["distribution-mariadb-disabled", "packetfence-mariadb-unit", "boot-target", "mariadb-arguments"] {
        assert_eq!(host.check(id), is("unknown", "System has not been booted with systemd"));
    }
    host.program("systemctl", "printf 'LANG=C\\nMARIADB_ARGS=%s\\n' \"\\$'--force-new-cluster --verbose'\"");
    let (verdict, seen) = host.check("mariadb-arguments");
    assert_eq!(verdict, "fail");
    assert!(seen.contains("MARIADB_ARGS=--force-new-cluster --verbose to every start"), "{seen}");
    host.program("systemctl", "printf 'LANG=C\\nMARIADB_ARGS=\\nMY_MARIADB_ARGS=--force-new-cluster\\n'");
    assert_eq!(host.check("mariadb-arguments"), is("pass", "MARIADB_ARGS is not set"));
}

/// It is ended; what else there is to see is seen.
#[test]
fn a_program_that_does_not_answer() {
    let host = Host::new();
    host.program("ip", "exec sleep 600");
    host.program("systemctl", "echo multi-user.target");
    let document = host.doctor(&["--timeout=1", "interfaces-present", "boot-target"]);
    assert_eq!(found(&document, 0, "interfaces-present"), is("unknown", "ip: it did not answer in time"));
    assert_eq!(found(&document, 0, "boot-target"), is("fail", "it boots into multi-user.target"));
}

/// What only root sees is unknown, and nothing is taken for missing that is hidden.
#[test]
fn as_somebody_else() {
    let host = Host::new();
    fs::create_dir_all(host.at("pf/conf/ssl")).expect("a scratch folder");
    fs::write(host.at("pf/conf/ssl/server.key"), "key").expect("a scratch file");
    fs::write(host.at("data/ibdata1"), "data").expect("a scratch file");
    mode(&host.at("pf/conf/ssl"), 0o700);
    mode(&host.at("data"), 0o700);
    let mut command = host.command(&[]);
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let document = document(&command.output().expect("the program starts"));
    for id in ["secret-file-modes", "datadir-space"] {
        let (verdict, seen) = found(&document, 0, id);
        assert!(verdict == "unknown" && seen.contains("permission denied"), "{id}: {verdict}: {seen}");
    }
    let text = document.to_string();
    assert!(!text.contains("aMuchMoreSecurePassword") && !text.contains("kTq7vRw2"), "{text}");
}

/// A supervisor knows of others what their databases do not say.
#[test]
fn what_the_supervisor_has_heard() {
    let host = Host::new();
    fs::write(host.at("alone.conf"), "[database]\nuser=\n").expect("a scratch file");
    let ask = || host.doctor(&["--all", "--pf-conf=alone.conf"]);
    let why = "there is no account to ask its database with: see monitoring-account";
    assert_eq!(found(&ask(), 1, "database-synced"), is("unknown", why));
    assert_eq!(found(&ask(), 1, "maintenance-off"), is("unknown", "only seen on that server itself"));

    let listener = UnixListener::bind(host.at("run/supervise.sock")).expect("a socket");
    let evidence = |host: &str, maintenance: bool| {
        json!({
            "version": 1, "host": host, "taken_at": null, "maintenance": maintenance, "arbitrator": false, "disabled": [],
            "running": null, "starting": false, "files": null,
        })
    };
    let told =
        json!({ "version": 1, "members": [evidence("pf2.example.com", true), evidence("pf9.example.com", false)] });
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut question = String::new();
            let asked = BufReader::new(&stream).read_line(&mut question);
            if asked.is_ok() && question.contains("evidence") {
                let _ = stream.write_all(told.to_string().as_bytes());
            }
        }
    });
    let document = ask();
    assert_eq!(found(&document, 1, "maintenance-off").0, "warn", "{document:#}");
    assert_eq!(found(&document, 1, "database-synced"), is("warn", "no database runs"));
    // Of the third it has heard nothing.
    assert_eq!(found(&document, 2, "maintenance-off"), is("unknown", "only seen on that server itself"));
    // One that runs needs its key.
    assert_eq!(found(&document, 0, "supervisor-key").0, "fail");
}
