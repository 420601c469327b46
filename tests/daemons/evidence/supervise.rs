//! `pfcluster mariadb supervise` beside the real server: what it starts, what it refuses, what becomes of the database when the
//! supervisor ends or is killed, what it tells systemd and people.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use pfcluster_tests::schema::assert_fits;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::lab::{Database, Galera, wait_until};

const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2";
const PASSWORD: &str = "s3cretword";

const ALONE: &str = "[CLUSTER]\nmanagement_ip=192.168.1.10\n[pf1.example.com]\nmanagement_ip=192.168.1.5\n";

/// A supervisor at work. It is killed in the end.
pub(crate) struct Supervisor<'d> {
    database: &'d Database,
    child: Child,
    log: PathBuf,
}

impl<'d> Supervisor<'d> {
    pub(crate) fn start(database: &'d Database, options: &[&str], environment: &[(&str, &str)]) -> Supervisor<'d> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // A server that outlives its supervisor goes on writing to that one's log.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = database.folder().join(format!("supervisor-{number}.log"));
        let file = File::options().append(true).create(true).open(&log).expect("a log");
        let arguments = [&["mariadb", "supervise", "--host=pf1.example.com"], options].concat();
        let mut command = database.command(&arguments);
        let child = command.envs(environment.iter().copied()).stdout(file.try_clone().expect("a log")).stderr(file);
        Supervisor { database, child: child.spawn().expect("the program starts"), log }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn wait_for(&self, what: &str, is_so: impl FnMut() -> bool) {
        wait_until(what, || self.log() + &self.database.log(), is_so);
    }

    pub(crate) fn wait_for_line(&self, text: &str) {
        self.wait_for(&format!("`{text}` is told"), || self.log().contains(text));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a pid");
        kill_process(pid, signal).expect("our own child");
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.child.wait().expect("our own child")
    }
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program says, which never holds a secret.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    for secret in [KEY, PASSWORD] {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}\n{err}");
    }
    (output.status.code(), out, err)
}

/// A command as the README prints it, but for the places of this host.
fn typed(database: &Database, line: &str) -> (Option<i32>, String, String) {
    let words: Vec<&str> = line.split_whitespace().skip(1).chain(["--host=pf1.example.com"]).collect();
    said(&database.program(&words))
}

pub(crate) fn status(database: &Database) -> Option<Value> {
    let (code, out, _) = typed(database, "pfcluster mariadb status --format json");
    (code == Some(0)).then(|| {
        let document = serde_json::from_str(&out).expect("JSON");
        assert_fits("mariadb-status.json", &document);
        document
    })
}

pub(crate) fn pf_conf(database: &Database) {
    let text = format!("[active_active]\ngalera_replication_username=pf\ngalera_replication_password={PASSWORD}\n");
    fs::write(database.folder().join("pf/conf/pf.conf"), text).expect("a scratch file");
}

pub(crate) fn with_key(database: &Database) {
    let path = database.folder().join("pf/conf/pfcluster.key");
    fs::write(&path, KEY).expect("a scratch file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("our own file");
}

/// The only member of its cluster: everything that happens to its supervisor, in turn.
#[test]
fn a_supervisor_comes_and_goes() {
    let database = Database::new(Galera::Off);
    fs::write(database.folder().join("pf/conf/cluster.conf"), ALONE).expect("a scratch file");
    pf_conf(&database);
    let notices = UnixDatagram::bind(database.folder().join("notify")).expect("a socket");
    let notify = database.folder().join("notify");
    let notify = notify.to_string_lossy();

    fs::create_dir(database.folder().join("backups")).expect("a scratch folder");
    fs::write(database.folder().join("backups/packetfence-db-dump-a.sql.gz"), "x").expect("a scratch file");
    let mut first = Supervisor::start(&database, &["--log=json", "--backups=backups"], &[("NOTIFY_SOCKET", &notify)]);
    assert_eq!(notice(&notices), "READY=1");
    assert_eq!(notice(&notices), "STATUS=run pf1.example.com alone, without Galera");
    first.wait_for("the database answers", || runs(&database));
    let server = database.server_pid().expect("a server");
    let environment = fs::read(format!("/proc/{server}/environ")).expect("root may read it");
    assert!(!environment.windows(13).any(|text| text == b"NOTIFY_SOCKET"), "systemd hears of the supervisor only");
    let has_backup = || {
        let last = status(&database).map(|status| status["members"][0]["last_backup"]["file"].clone());
        last == Some(json!("packetfence-db-dump-a.sql.gz"))
    };
    first.wait_for("it has seen the backup", has_backup);
    people_ask(&database);
    others_are_refused(&database);
    no_secret_is_on_a_command_line(&database);

    // Killed, it leaves the database; the next one takes it over.
    first.signal(Signal::KILL);
    first.ends();
    assert_eq!(database.server_pid(), Some(server));
    assert_eq!(status(&database), None);
    let mut second = Supervisor::start(&database, &["--log=json"], &[("NOTIFY_SOCKET", &notify)]);
    // The first may have told what it saw while the database came up.
    assert_eq!(other_than_status(&notices), "READY=1");
    second.wait_for("it has seen the database", || runs(&database));
    assert_eq!(database.server_pid(), Some(server), "it is the same one");

    // The database ends by itself: it is started again.
    kill_process(Pid::from_raw(server.cast_signed()).expect("a pid"), Signal::KILL).expect("our own server");
    second.wait_for_line("\"event\":\"acts\",\"part\":\"alone\"");
    second.wait_for("another server", || runs(&database) && database.server_pid().is_some_and(|pid| pid != server));

    // Told to end, it ends the database first.
    second.signal(Signal::TERM);
    assert!(second.ends().success(), "{}", second.log());
    assert_eq!(database.server_pid(), None);
    assert_eq!(other_than_status(&notices), "STOPPING=1");
    let kinds = told_in_json(&second.log());
    let at = |kind: &str| kinds.iter().rposition(|other| other == kind);
    assert!(at("acts").is_some() && at("acts") < at("ending") && at("ending") < at("ended"), "{}", second.log());
    assert_eq!(at("failed"), None, "an end that was asked for is no failure: {}", second.log());
    let written = fs::read(database.folder().join("pf/var/pfcluster/records.json")).expect("records");
    assert_fits("records.json", &serde_json::from_slice(&written).expect("JSON"));
}

/// MariaDB loses a SIGTERM that it gets in the moment after it has come up, and is then there for ever: it gets none before.
#[test]
fn a_database_that_comes_up_is_told_to_end_afterwards() {
    let database = Database::new(Galera::Off);
    fs::write(database.folder().join("pf/conf/cluster.conf"), ALONE).expect("a scratch file");
    pf_conf(&database);
    let mut supervisor = Supervisor::start(&database, &[], &[]);
    // Before that, another process recovers the position.
    supervisor.wait_for_line("start without Galera");
    let stands = |pid: u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| place == database.datadir());
    supervisor.wait_for("the database's process", || database.server_pid().is_some_and(stands));
    let server = database.server_pid().expect("a server");
    let pid = Pid::from_raw(server.cast_signed()).expect("a pid");
    kill_process(pid, Signal::STOP).expect("our own server");
    assert!(!database.folder().join("run/socket").exists(), "it has come up already");

    supervisor.signal(Signal::TERM);
    supervisor.wait_for_line("told to end: the database ends first");
    // What was sent to a process that stands still is pending.
    let is_pending = || {
        let status = fs::read_to_string(format!("/proc/{server}/status")).expect("our own server");
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).expect("a line").trim();
        u64::from_str_radix(pending, 16).expect("a mask") & 1 << (Signal::TERM.as_raw() - 1) != 0
    };
    for _ in 0..30 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!is_pending(), "{}", supervisor.log());
    }
    kill_process(pid, Signal::CONT).expect("our own server");
    assert!(supervisor.ends().success(), "{}", supervisor.log());
    assert_eq!(database.server_pid(), None);
}

/// The next notice to systemd.
fn notice(notices: &UnixDatagram) -> String {
    let mut buffer = [0; 4096];
    notices.set_read_timeout(Some(std::time::Duration::from_secs(60))).expect("a socket");
    let length = notices.recv(&mut buffer).expect("a notice within 60 s");
    String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
}

/// The next notice to systemd that is not what people read.
fn other_than_status(notices: &UnixDatagram) -> String {
    loop {
        let next = notice(notices);
        if !next.starts_with("STATUS=") {
            return next;
        }
    }
}

/// The supervisor knows that its database runs.
fn runs(database: &Database) -> bool {
    let Some(status) = status(database) else { return false };
    let state = status["members"][0]["state"].as_str().unwrap_or_default().to_owned();
    let comes_up = ["unknown", "starting", "bootstrapping", "not responding"].contains(&&*state);
    !comes_up && !state.starts_with("stopped") && state != "empty"
}

/// The kinds of the events, each line of which is as the schema says.
fn told_in_json(log: &str) -> Vec<String> {
    // The server's own lines are between them.
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let kinds = lines.map(|line| {
        let document: Value = serde_json::from_str(line).expect("JSON");
        assert_fits("supervise-log.json", &document);
        document["event"].as_str().expect("a word").to_owned()
    });
    kinds.collect()
}

fn people_ask(database: &Database) {
    let (code, out, err) = typed(database, "pfcluster mariadb status");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("Decision: ") && out.contains("\nnow: monitoring\n"), "{out}");
    // A rehearsal asks the one that runs.
    let (code, out, err) = typed(database, "pfcluster mariadb supervise --dry-run");
    assert_eq!((code, err.as_str()), (Some(0), "note: a supervisor runs; this is its own answer\n"));
    assert!(out.contains("\nnow: monitoring\n"), "{out}");
    // So does the election, and the status of all.
    let (_, out, err) = typed(database, "pfcluster bootstrap --format json");
    assert_eq!(err, "note: this is what the supervisor knows; `pfcluster mariadb status` says what it does\n");
    let document: Value = serde_json::from_str(&out).expect("JSON");
    assert_fits("bootstrap.json", &document);
    assert!(document["members"][0]["age"].as_i64().is_some_and(|age| age < 60), "{document:#}");
    let (_, out, _) = typed(database, "pfcluster status --format json --backups nowhere");
    let document: Value = serde_json::from_str(&out).expect("JSON");
    assert_fits("status.json", &document);
    assert_eq!(document["members"][0]["supervisor"], json!("watches"));
    assert_eq!(document["members"][0]["maintenance"], json!(false));
}

fn others_are_refused(database: &Database) {
    let (code, _, err) = typed(database, "pfcluster mariadb supervise");
    assert_eq!(code, Some(2));
    assert!(err.contains("another one supervises this database already"), "{err}");
    let socket = database.folder().join("run-pfcluster");
    assert_eq!(socket.metadata().expect("a folder").permissions().mode() & 0o777, 0o700);
    let output = database.program_as_nobody(&["mariadb", "status"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run it as root"), "{output:?}");
}

fn no_secret_is_on_a_command_line(database: &Database) {
    let lines = database.command_lines();
    assert!(lines.iter().any(|line| line.contains("supervise")) && lines.iter().any(|line| line.contains("mariadbd")));
    for secret in [KEY, PASSWORD] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:?}");
    }
}

/// One of three, the others silent: what it rehearses, refuses, and does by force.
#[test]
fn one_of_three_by_force() {
    let mut database = Database::new(Galera::On);
    with_key(&database);
    pf_conf(&database);
    // What the cluster had before: a member that was stopped while others went on.
    database.start(&["--wsrep-new-cluster"]);
    database.wait_for("wsrep_ready", "ON");
    let uuid = database.status("wsrep_cluster_state_uuid");
    database.stop();
    let grastate = database.datadir().join("grastate.dat");
    let text = fs::read_to_string(&grastate).expect("Galera's file");
    fs::write(&grastate, text.replace("safe_to_bootstrap: 1", "safe_to_bootstrap: 0")).expect("Galera's file");

    rehearsal(&database);
    in_the_way(&database);
    let used = database.folder().join("pf/var/pfcluster/force-used");
    assert!(!used.exists(), "no force that could not begin is used up");

    let mut forced = Supervisor::start(&database, &["--force-new-cluster"], &[]);
    forced.wait_for_line("the database is in service");
    assert!(forced.log().contains("override given on pf1.example.com with an option of its supervisor: force a new cluster on pf1.example.com, whatever data the others have"));
    assert!(used.exists());
    forced.wait_for_line("override used up");
    words(&database);
    forced.signal(Signal::TERM);
    assert!(forced.ends().success(), "{}", forced.log());
    let written: Value =
        serde_json::from_slice(&fs::read(database.folder().join("pf/var/pfcluster/records.json")).expect("records"))
            .expect("JSON");
    assert_fits("records.json", &written);
    let fork = &written["forks"][0];
    assert_eq!(fork["uuid"], json!(uuid), "the force is written down: {written:#}");
    assert!(fork["id"].as_str().is_some_and(|id| id.len() == 16), "{written:#}");

    // The same command again, as from systemd's environment.
    let again = Supervisor::start(&database, &["--force-new-cluster"], &[]);
    again.wait_for_line("counts once");
    again.wait_for("it has decided", || status(&database).is_some_and(|status| !status["decision"].is_null()));
    assert!(!again.log().contains("override given"), "{}", again.log());
    drop(again);
    // A start without it makes the next one count.
    let without = Supervisor::start(&database, &[], &[]);
    without.wait_for("it answers", || status(&database).is_some());
    assert!(!used.exists());
}

fn rehearsal(database: &Database) {
    let names = || database.listing().into_keys().collect::<Vec<_>>();
    let grastate = || fs::read(database.datadir().join("grastate.dat")).expect("Galera's file");
    let before = (names(), grastate());
    let (code, out, err) = typed(database, "pfcluster mariadb supervise --dry-run");
    assert_eq!(code, Some(1), "{out}\n{err}");
    assert!(out.contains("Decision: wait for pf2.example.com"), "{out}");
    assert!(out.contains("no supervisor reachable on: pf2.example.com, pf3.example.com\n"), "{out}");
    let (code, out, _) = typed(database, "pfcluster mariadb supervise --dry-run --format json");
    let document: Value = serde_json::from_str(&out).expect("JSON");
    assert_fits("mariadb-status.json", &document);
    assert_eq!((code, &document["decision"]["action"]["kind"]), (Some(1), &json!("wait")));
    let (code, out, _) = typed(database, "pfcluster mariadb supervise --dry-run --force-new-cluster");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("Decision: bootstrap the cluster from pf1.example.com"), "{out}");
    assert_eq!((names(), grastate()), before, "a rehearsal changes nothing but what a recovery changes");
    assert!(!database.folder().join("pf/var/pfcluster").exists() && !database.folder().join("run-pfcluster").exists());
}

/// Others who would act on the database, or have the port.
fn in_the_way(database: &Database) {
    for (name, remedy) in [("pf-mariadb", "systemctl stop"), ("galera-autofix", "disable --now")] {
        let (code, _, err) = said(&database.program_beside(name, &["mariadb", "supervise", "--host=pf1.example.com"]));
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(&format!("{name} (process ")) && err.contains(remedy), "{err}");
    }
    let _taken = database.take_udp_port(4254);
    let (code, _, err) = typed(database, "pfcluster mariadb supervise --force-new-cluster");
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("UDP port 4254") && err.contains("ss -ulpn"), "{err}");
}

/// An operator's word: shown, asked for, given, and over.
fn words(database: &Database) {
    let (code, out, err) = typed(database, "pfcluster mariadb allow assume-lost pf2 pf3");
    assert_eq!((code, out.as_str()), (Some(2), ""), "there is no terminal to type the names: {err}");
    assert!(err.contains("With this override:") && err.contains("--yes"), "{err}");
    let (code, _, err) = typed(database, "pfcluster mariadb allow discard pf2 --yes");
    assert_eq!(code, Some(0), "{err}");
    let document = status(database).expect("a supervisor");
    let given = &document["words"][0];
    assert_eq!(given["text"], json!("discard the data of pf2.example.com"), "{document:#}");
    assert_eq!((&given["given_on"], &given["user"]), (&json!("pf1.example.com"), &json!(0)), "{document:#}");
    assert_eq!(given["needed_on"], json!("pf2.example.com"), "{document:#}");
    assert!(err.contains("it has no effect on pf2.example.com until it is given there"), "{err}");
}
