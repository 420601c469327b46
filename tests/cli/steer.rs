//! `maintenance`, `node` and `status` on a scratch host: programs that fail, permissions that are missing, a terminal.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pfcluster_tests::program::{examples, program_at, script};
use pfcluster_tests::schema::assert_fits;
use rustix::process::geteuid;
use serde_json::{Value, json};

/// An install directory `pf`, and stand-ins for `systemctl` and `pfcmd` in `programs`, which write down how they were called.
struct Host {
    folder: tempfile::TempDir,
    /// One test at a time: a program that is being written while another test starts one can't be run for a moment.
    _alone: MutexGuard<'static, ()>,
}

const ACTIVATE: [&str; 6] = [
    "touch /usr/local/pf/var/maintenance-mode",
    "systemctl stop monit",
    "systemctl disable monit",
    "/usr/local/pf/bin/pfcmd service pf stop",
    "systemctl stop packetfence-mariadb",
    "systemctl set-default multi-user.target",
];

const DEACTIVATE: [&str; 7] = [
    "rm -f /usr/local/pf/var/maintenance-mode",
    "systemctl start packetfence-redis-cache",
    "systemctl start packetfence-mariadb",
    "/usr/local/pf/bin/pfcmd service pf start",
    "systemctl start monit",
    "systemctl enable monit",
    "systemctl set-default packetfence-cluster.target",
];

impl Host {
    fn new() -> Host {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Host { folder: tempfile::tempdir().expect("a scratch directory"), _alone: alone };
        for name in ["pf/conf", "pf/var/run", "programs"] {
            fs::create_dir_all(host.at(name)).expect("a scratch folder");
        }
        fs::copy(examples().join("guide/cluster.conf"), host.at("pf/conf/cluster.conf")).expect("an example");
        program_at(&host.at("pfcluster"));
        host.programs_that_fail_at("nothing");
        mode(host.folder.path(), 0o755);
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The stand-ins fail where their command line is this one.
    fn programs_that_fail_at(&self, command: &str) {
        let _ = fs::remove_file(self.at("log"));
        let text = format!(
            "#!/bin/sh\ncalled=\"${{0##*/}} $*\"\necho \"$called\" >> {}\necho said\n[ \"$called\" != \"{command}\" ] || exit 7\n",
            self.at("log").display()
        );
        for name in ["systemctl", "pfcmd"] {
            script(&self.at("programs").join(name), &text);
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.at("pfcluster"));
        command.args(arguments).args(["--root", "pf", "--host", "pf1.example.com"]);
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// As somebody who may write nothing here.
    fn run_as_nobody(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        if geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        command.output().expect("the program starts")
    }

    fn maintenance(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(&[&["maintenance", "--programs=programs", "--format=json"], arguments].concat());
        let document = serde_json::from_slice(&output.stdout).expect("JSON, and nothing of what the programs say");
        (output.status.code(), document)
    }

    /// What the stand-ins were called with, without the question for monit.
    fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.at("log")).unwrap_or_default();
        log.lines().filter(|line| *line != "systemctl cat monit").map(str::to_owned).collect()
    }

    fn has_flag(&self) -> bool {
        self.at("pf/var/maintenance-mode").is_file()
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

/// As the stand-ins are called.
fn called(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| step.replace("/usr/local/pf/bin/", "")).collect()
}

fn states(document: &Value) -> Vec<(&str, &str)> {
    let steps = document["steps"].as_array().expect("a list").iter();
    steps.map(|step| (step["step"].as_str().expect("a line"), step["state"].as_str().expect("a word"))).collect()
}

#[test]
fn into_maintenance_and_back() {
    let host = Host::new();
    let (code, document) = host.maintenance(&["--activate", "--dry-run"]);
    assert_fits("maintenance.json", &document);
    assert_eq!((code, &document["active"], &document["dry_run"]), (Some(0), &json!(false), &json!(true)));
    assert_eq!((host.calls(), host.has_flag()), (vec![], false), "a dry run does nothing");
    for (option, steps, active) in [("--activate", &ACTIVATE[..], true), ("--deactivate", &DEACTIVATE[..], false)] {
        host.programs_that_fail_at("nothing");
        let (code, document) = host.maintenance(&[option]);
        assert_fits("maintenance.json", &document);
        assert_eq!((code, host.has_flag(), &document["active"]), (Some(0), active, &json!(active)), "{document:#}");
        assert_eq!(states(&document), steps.iter().map(|step| (*step, "done")).collect::<Vec<_>>());
        assert_eq!(host.calls(), called(&steps[1..]));
        // Again: nothing is different.
        let (code, again) = host.maintenance(&[option]);
        assert_eq!((code, again), (Some(0), document));
    }
}

#[test]
fn without_monit_it_is_left_alone() {
    let host = Host::new();
    host.programs_that_fail_at("systemctl cat monit");
    let (code, _) = host.maintenance(&["--activate"]);
    assert_eq!((code, host.calls()), (Some(0), called(&ACTIVATE[3..])));
}

/// Wherever it fails, it stops there, says so, and both ways out lead where they say.
#[test]
fn each_step_may_fail() {
    let changes = [("--activate", &ACTIVATE[..], "--deactivate"), ("--deactivate", &DEACTIVATE[..], "--activate")];
    for (option, steps, opposite) in changes {
        for at in 1..steps.len() {
            let host = Host::new();
            host.maintenance(&[opposite]);
            host.programs_that_fail_at(&called(&[steps[at]])[0]);
            let (code, document) = host.maintenance(&[option]);
            assert_fits("maintenance.json", &document);
            assert_eq!(code, Some(1), "{document:#}");
            assert_eq!(host.calls(), called(&steps[1..=at]), "nothing is run after the failure");
            let mut expected: Vec<(&str, &str)> = steps.iter().map(|step| (*step, "not_done")).collect();
            expected[..at].iter_mut().for_each(|(_, state)| *state = "done");
            expected[at].1 = "failed";
            assert_eq!(states(&document), expected);
            assert_eq!(document["steps"][at]["why"], json!("exit status 7"));
            assert_eq!(host.has_flag(), option == "--activate", "the flag is as it is said to be");
            assert_eq!(document["active"], json!(host.has_flag()));

            // The way back, letter by letter but for the places of this host.
            for step in document["go_back"].as_array().expect("a list") {
                let line = step.as_str().expect("a line").replace("/usr/local/pf/bin/", "programs/");
                let line = line.replace("/usr/local/pf", "pf").replace("systemctl", "programs/systemctl");
                host_runs(&host, &line);
            }
            assert_eq!(host.has_flag(), option != "--activate", "back where it was: {document:#}");

            // The way on.
            host.programs_that_fail_at("nothing");
            let on = document["go_on"].as_str().expect("a command").trim_start_matches("pfcluster maintenance ");
            let (code, document) = host.maintenance(&[on]);
            assert_eq!(code, Some(0), "{document:#}");
            assert_eq!(host.calls(), called(&steps[1..]));
        }
    }
}

/// A line that a person would type. A command that is made to fail does so.
fn host_runs(host: &Host, line: &str) {
    Command::new("sh")
        .args(["-c", line])
        .current_dir(host.folder.path())
        .stdout(Stdio::null())
        .status()
        .expect("a shell");
}

#[test]
fn where_it_stands_is_a_text_for_people() {
    let host = Host::new();
    host.programs_that_fail_at("pfcmd service pf stop");
    let output = host.run(&["maintenance", "--activate", "--programs=programs"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "done      touch /usr/local/pf/var/maintenance-mode\n\
         done      systemctl stop monit\n\
         done      systemctl disable monit\n\
         failed    /usr/local/pf/bin/pfcmd service pf stop: exit status 7\n\
         not done  systemctl stop packetfence-mariadb\n\
         not done  systemctl set-default multi-user.target\n\
         \n\
         Half way: the flag is set.\n\
         To go on, when the cause is mended:\n  \
           pfcluster maintenance --activate\n\
         To go back:\n  \
           rm -f /usr/local/pf/var/maintenance-mode\n  \
           systemctl start packetfence-redis-cache\n  \
           /usr/local/pf/bin/pfcmd service pf start\n  \
           systemctl start monit\n  \
           systemctl enable monit\n"
    );
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(progress.contains("step 4 of 6: /usr/local/pf/bin/pfcmd service pf stop\nsaid\n"), "{progress}");
}

/// A program that is missing, or that somebody ends, has failed as well.
#[test]
fn programs_that_do_not_end_well() {
    let host = Host::new();
    fs::remove_file(host.at("programs/pfcmd")).expect("our own file");
    let (code, document) = host.maintenance(&["--activate"]);
    assert_eq!((code, &document["steps"][3]["why"]), (Some(1), &json!("no such file or directory")), "{document:#}");
    script(&host.at("programs/pfcmd"), "#!/bin/sh\nkill -TERM $$\n");
    let (code, document) = host.maintenance(&["--activate"]);
    assert_eq!((code, &document["steps"][3]["why"]), (Some(1), &json!("ended by signal 15")), "{document:#}");
}

/// Who may not set the flag does nothing at all.
#[test]
fn without_permission_nothing_is_begun() {
    let host = Host::new();
    mode(&host.at("pf/var"), 0o555);
    mode(&host.at("pf/var/run"), 0o555);
    let output = host.run_as_nobody(&["maintenance", "--activate", "--programs=programs", "--format=json"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_fits("error.json", &document);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(document["error"]["message"], json!("cannot write pf/var/maintenance-mode: permission denied"));
    assert_eq!(document["error"]["help"], json!("run it as root"));
    assert_eq!((host.calls(), host.has_flag()), (vec![], false));

    let output = host.run_as_nobody(&["node", "pf2.example.com", "disable"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("permission denied\nhint: run it as root\n"), "{message}");

    // What is there already needs no permission to stay.
    mode(&host.at("pf/var"), 0o755);
    fs::write(host.at("pf/var/maintenance-mode"), "").expect("a scratch file");
    mode(&host.at("pf/var"), 0o555);
    let output = host.run_as_nobody(&["maintenance", "--deactivate", "--programs=programs"]);
    assert_eq!((output.status.code(), host.calls(), host.has_flag()), (Some(2), vec![], true));
    let output = host.run_as_nobody(&["maintenance"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Maintenance mode is activated\n", "asking is allowed");
    mode(&host.at("pf/var"), 0o755);
}

/// Links in a directory that belongs to another user are not followed, and what they point at stays as it is.
#[test]
fn marks_are_no_way_to_other_files() {
    let host = Host::new();
    fs::write(host.at("precious"), "kept").expect("a scratch file");
    let before = fs::metadata(host.at("precious")).expect("our file");
    symlink(host.at("precious"), host.at("pf/var/maintenance-mode")).expect("a link");
    let output = host.run(&["maintenance", "--activate", "--programs=programs"]);
    assert_eq!((output.status.code(), host.calls()), (Some(2), vec![]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it is no plain file"));
    symlink(host.at("nowhere"), host.at("pf/var/run/pf2.example.com-cluster-disabled")).expect("a link");
    let output = host.run(&["node", "pf2.example.com", "disable"]);
    assert_eq!((output.status.code(), host.at("nowhere").exists()), (Some(2), false));
    let after = fs::metadata(host.at("precious")).expect("our file");
    assert_eq!((before.mtime_nsec(), before.uid(), before.mode()), (after.mtime_nsec(), after.uid(), after.mode()));
    assert_eq!(fs::read_to_string(host.at("precious")).expect("our file"), "kept");

    // Taking a mark away takes the link, not the file.
    let output = host.run(&["node", "pf2.example.com", "enable"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(host.at("pf/var/run/pf2.example.com-cluster-disabled").symlink_metadata().is_err());
}

/// The other commands go by the marks at once.
#[test]
fn a_disabled_member_no_longer_counts() {
    let host = Host::new();
    assert_eq!(host.run(&["node", "pf3", "disable"]).status.code(), Some(0));
    let quorum = host.run(&["quorum", "--format=json"]);
    let document: Value = serde_json::from_slice(&quorum.stdout).expect("JSON");
    assert_eq!(document["members"], json!(["pf1.example.com", "pf2.example.com"]));
    for arguments in [&["node"][..], &["node", "pf3"], &["node", "pf3", "disable"]] {
        let output = host.run(&[arguments, &["--format=json"]].concat());
        assert_fits("node.json", &serde_json::from_slice(&output.stdout).expect("JSON"));
    }
}

#[test]
fn status_without_a_database_fits_its_schema() {
    let host = Host::new();
    fs::create_dir(host.at("data")).expect("a scratch folder");
    fs::create_dir(host.at("backup")).expect("a scratch folder");
    for (name, text) in [
        ("packetfence-db-dump-2026-01-01_00h30.sql.gz", "x"),
        ("packetfence-exportable-backup-2026-01-02_00h30.tgz", ""),
        ("packetfence-files-dump-2026-01-03_00h30.tgz", "x"),
    ] {
        fs::write(host.at("backup").join(name), text).expect("a scratch file");
    }
    let output = host.run(&["status", "--format=json", "--datadir=data", "--socket=nobody", "--backups=backup"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_fits("status.json", &document);
    assert_eq!((output.status.code(), &document["verdict"]), (Some(1), &json!("unknown")), "{document:#}");
    let backup = &document["members"][0]["last_backup"];
    assert_eq!(
        backup["file"],
        json!("packetfence-db-dump-2026-01-01_00h30.sql.gz"),
        "not an empty one, not one of files"
    );
    assert_eq!(document["members"][1]["last_backup"], json!(null), "unknown");
}

/// What only root may see is said, and the rest is there.
#[test]
fn status_without_permission() {
    let host = Host::new();
    for name in ["data", "backup", "pf/var/conf"] {
        fs::create_dir(host.at(name)).expect("a scratch folder");
    }
    fs::write(host.at("pf/var/conf/mariadb.conf"), "[mysqld]\n").expect("a scratch file");
    fs::write(host.at("pf/var/conf/config_version"), "1510000000").expect("a scratch file");
    for name in ["pf/var/conf/mariadb.conf", "pf/var/conf/config_version", "backup"] {
        mode(&host.at(name), 0o000);
    }
    let output = host.run_as_nobody(&["status", "--format=json", "--backups=backup"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_fits("status.json", &document);
    let notes: Vec<&str> =
        document["notes"].as_array().expect("a list").iter().filter_map(|note| note["message"].as_str()).collect();
    assert_eq!(
        notes,
        [
            "cannot read pf/var/conf/mariadb.conf: permission denied",
            "cannot read pf/var/conf/config_version: permission denied",
            "cannot read backup: permission denied"
        ]
    );
    mode(&host.at("backup"), 0o755);
}

/// On a terminal each drawing takes the place of the one before; elsewhere they follow each other.
#[test]
fn watching() {
    let host = Host::new();
    fs::create_dir(host.at("data")).expect("a scratch folder");
    let arguments =
        ["status", "--watch", "--interval=1", "--count=2", "--datadir=data", "--socket=nobody", "--backups=nowhere"];
    let output = host.run(&arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), text.matches("Cluster: unknown").count()), (Some(1), 2), "{text}");
    assert!(!text.contains('\x1b'), "{text}");

    // `script` gives it a terminal.
    let mut command = Command::new("script");
    let line = format!("{} {} --root pf --host pf1.example.com", host.at("pfcluster").display(), arguments.join(" "));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(host.folder.path());
    let output = command.stdin(Stdio::null()).output().expect("script, of bsdutils");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), text.matches("\x1b[H\x1b[J").count()), (Some(1), 2), "{text}");
}

#[test]
fn the_manual_has_them() {
    let host = Host::new();
    for command in ["status", "node", "maintenance"] {
        let output = host.run(&[command, "--help"]);
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && help.contains("Exit status: 0"), "{help}");
        assert!(!help.contains("--programs") && !help.contains("--backups"), "for rehearsals only: {help}");
    }
}
