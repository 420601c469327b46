//! This member's evidence, and its status, beside the real MariaDB and Galera: while it runs, stands still, was killed, was
//! stopped, never was in a cluster.
//!
//! The database is in a network namespace that has the member's own address. Needs root and Debian's mariadb-server,
//! galera-4, socat, iproute2 and util-linux.

#[path = "evidence/facts.rs"]
mod facts;
#[path = "evidence/files.rs"]
mod files;
#[path = "evidence/lab.rs"]
mod lab;
#[path = "evidence/status.rs"]
mod status;
#[path = "evidence/supervise.rs"]
mod supervise;
#[path = "evidence/tls.rs"]
mod tls;

use std::fs;
use std::time::{Duration, Instant};

use lab::{Database, Galera};
use pfcluster_core::galera::{RecoveryError, recovered_position};
use rustix::process::Signal;
use serde_json::{Value, json};

/// Everything that happens to a member, in the order in which it happens.
#[test]
fn a_members_life() {
    let mut database = Database::new(Galera::On);
    fresh(&database);

    database.start(&["--wsrep-new-cluster"]);
    database.wait_for("wsrep_ready", "ON");
    running(&database);

    database.query("CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    (0..5).for_each(|n| drop(database.query(&format!("INSERT INTO pf.node VALUES ('{n}')"))));
    standing_still(&database);
    as_nobody(&database);
    with_a_password(&database);
    let (uuid, committed) = (database.status("wsrep_cluster_state_uuid"), database.last_committed());

    database.kill();
    killed(&database, &uuid, committed);
    torn(&database);

    database.start(&["--wsrep-new-cluster", &format!("--wsrep-start-position={uuid}:{committed}")]);
    database.wait_for("wsrep_ready", "ON");
    database.stop();
    let (code, document) = database.evidence(&["--recover"]);
    assert_eq!(code, 0, "{document:#}");
    let files = &document["files"];
    assert_eq!(files["grastate"]["uuid"], json!(uuid));
    assert!(files["grastate"]["seqno"].as_i64().is_some_and(|seqno| seqno >= committed), "{document:#}");
    assert_eq!(files["grastate"]["safe_to_bootstrap"], json!(true));
    let written = json!({"uuid": files["grastate"]["uuid"], "seqno": files["grastate"]["seqno"]});
    assert_eq!((&files["gvwstate"], &files["recovered"]), (&json!(null), &written), "InnoDB holds what is written");
    assert_eq!(document["notes"], json!([]));
}

fn fresh(database: &Database) {
    let before = database.listing();
    let (code, document) = database.evidence(&["--no-recover"]);
    assert_eq!((code, &document["files"]["datadir_empty"]), (0, &json!(true)), "{document:#}");
    assert_eq!((&document["running"], &document["starting"]), (&json!(null), &json!(false)));
    assert_eq!(database.listing(), before, "evidence changes nothing");
    let (code, document) = database.evidence(&[]);
    assert_eq!(code, 0, "{document:#}");
    let none = json!({"uuid": "00000000-0000-0000-0000-000000000000", "seqno": -1});
    assert_eq!(document["files"]["recovered"], none);
    assert_eq!(document["files"]["datadir_empty"], json!(true));
}

fn running(database: &Database) {
    let (code, document) = database.evidence(&["--recover"]);
    assert_eq!((code, state(&document), &document["notes"]), (0, "running", &json!([])), "{document:#}");
    let running = &document["running"];
    assert_eq!(running["uuid"], json!(database.status("wsrep_cluster_state_uuid")));
    assert_eq!(running["cluster_status"], json!("primary"));
    assert_eq!(running["local_state"], json!("synced"));
    assert_eq!(running["cluster_size"], json!(1));
    assert_eq!(running["members"], json!(["pf1.example.com"]));
    assert_eq!(running["last_committed"], json!(database.last_committed()));
    let files = &document["files"];
    assert_eq!((&files["grastate"]["seqno"], &files["grastate"]["safe_to_bootstrap"]), (&json!(-1), &json!(true)));
    assert_eq!(files["gvwstate"]["members"], json!([files["gvwstate"]["my_uuid"]]));
    assert_eq!(files["gvwstate"]["my_uuid"], json!(database.status("wsrep_gcomm_uuid")));
    assert_eq!((&files["recovered"], &files["datadir_empty"]), (&json!(null), &json!(false)), "never beside a server");

    // A socket where nobody listens does not mean that nobody is there.
    let (code, document) = database.evidence(&["--socket=/nonexistent/socket", "--recover"]);
    assert_eq!((code, state(&document)), (1, "bootstrapping"), "{document:#}");
    // Nor does a server with another data directory.
    let other = database.folder().join("other");
    fs::create_dir(&other).expect("a scratch folder");
    let (code, document) = database.evidence(&[&format!("--datadir={}", other.display())]);
    assert_eq!((code, &document["starting"], &document["running"]), (0, &json!(false), &json!(null)), "{document:#}");
    assert!(document["notes"][0]["message"].as_str().is_some_and(|note| note.contains("another data directory")));
    // But its locks tell of it, wherever its files seem to be.
    std::os::unix::fs::symlink(database.datadir().join("ibdata1"), other.join("ibdata1")).expect("a link");
    let (code, document) = database.evidence(&[&format!("--datadir={}", other.display())]);
    assert_eq!((code, state(&document)), (1, "not_responding"), "{document:#}");
}

/// What the process does.
fn state(document: &Value) -> &'static str {
    let states = ["starting", "bootstrapping", "not_responding"];
    let is_so: Vec<&str> = states.into_iter().filter(|state| document[state] == json!(true)).collect();
    match (&is_so[..], document["running"].is_null()) {
        ([], true) => "stopped",
        ([], false) => "running",
        ([state], true) => state,
        _ => panic!("it contradicts itself: {document:#}"),
    }
}

/// A server that serves and stands still is not one that only comes up.
fn standing_still(database: &Database) {
    database.signal(Signal::STOP);
    let began = Instant::now();
    let (code, document) = database.evidence(&["--timeout=1", "--recover"]);
    let elapsed = began.elapsed();
    database.signal(Signal::CONT);
    assert_eq!((code, state(&document)), (1, "not_responding"), "{document:#}");
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    assert!(document["notes"][0]["message"].as_str().is_some_and(|note| note.contains("within 1 s")), "{document:#}");
}

/// The user nobody may neither read the files nor ask the database: all of it is said, nothing is guessed.
fn as_nobody(database: &Database) {
    let (code, document) = database.evidence_as_nobody(&["--recover"]);
    assert_eq!((code, &document["files"], state(&document)), (1, &json!(null), "not_responding"), "{document:#}");
    let notes = document["notes"].to_string();
    assert!(notes.contains("Access denied") && notes.contains("cannot read"), "{notes}");
    let (_, document) = database.evidence_as_nobody(&["--socket=/nonexistent/socket"]);
    assert_eq!(document["starting"], json!(true), "it can't rule a process out: {document:#}");
    assert!(document["notes"].to_string().contains("it is not known whether a database process runs"), "{document:#}");
}

fn with_a_password(database: &Database) {
    const PASSWORD: &str = "s3cret#'x";
    database.query("CREATE USER asker@localhost IDENTIFIED BY 's3cret#\\'x'");
    let client = database.folder().join("client.cnf");
    fs::write(&client, "[client]\nuser=asker\npassword=\"s3cret#'x\"\n").expect("a scratch file");
    let option = format!("--mysql-defaults-file={}", client.display());
    let (code, document) = database.evidence(&[&option]);
    assert_eq!((code, &document["running"]["cluster_status"]), (0, &json!("primary")), "{document:#}");
    fs::write(&client, format!("[client]\nuser=asker\npassword={PASSWORD}wrong\n")).expect("a scratch file");
    let (code, document) = database.evidence(&[&option]);
    assert_eq!((code, state(&document)), (1, "not_responding"), "{document:#}");
    assert!(!document.to_string().contains("s3cret"), "{document:#}");
}

fn killed(database: &Database, uuid: &str, committed: i64) {
    let written = database.state_files();
    let (code, document) = database.evidence(&["--no-recover"]);
    assert_eq!((code, state(&document)), (1, "stopped"), "{document:#}");
    let files = &document["files"];
    assert_eq!((&files["grastate"]["seqno"], &files["grastate"]["uuid"]), (&json!(-1), &json!(uuid)));
    assert!(files["gvwstate"]["members"].is_array() && files["recovered"].is_null(), "{document:#}");
    assert!(
        document["notes"][0]["help"].as_str().is_some_and(|help| help.contains("run `pfcluster evidence`")),
        "{document:#}"
    );

    // Another program has the port: the server's own recovery fails, and says so in words that we know.
    assert!(!database.has_leftovers());
    let port = database.take_port();
    let log = database.recover_by_hand();
    assert_eq!(recovered_position(&log), Err(RecoveryError::PortTaken), "{}", String::from_utf8_lossy(&log));
    let (code, document) = database.evidence(&["--recover"]);
    drop(port);
    assert_eq!((code, &document["notes"]), (0, &json!([])), "{document:#}");
    assert_eq!(document["files"]["recovered"], json!({"uuid": uuid, "seqno": committed}));
    assert_eq!(database.state_files(), written, "recovery leaves Galera's files alone");
    assert!(!database.has_leftovers(), "the recovery's own files are gone");
    let log = database.recover_by_hand();
    let position = recovered_position(&log).expect("a position").expect("a history");
    assert_eq!(
        (position.uuid().to_string().as_str(), position.seqno().get()),
        (uuid, committed),
        "by hand it is the same"
    );
}

fn torn(database: &Database) {
    let path = database.datadir().join("grastate.dat");
    let whole = fs::read(&path).expect("Galera's file");
    fs::write(&path, &whole[..whole.len() - 30]).expect("a scratch file");
    let (code, document) = database.evidence(&["--recover"]);
    fs::write(&path, whole).expect("a scratch file");
    assert_eq!(code, 1, "{document:#}");
    let why = document["files"]["grastate"]["error"].as_str().unwrap_or_default();
    assert!(why.starts_with("grastate.dat is torn") || why.starts_with("grastate.dat has no"), "{document:#}");
    assert!(document["files"]["recovered"]["seqno"].is_i64(), "{document:#}");
}

/// A server that runs without Galera writes alone.
#[test]
fn a_server_without_galera() {
    let mut database = Database::new(Galera::Off);
    database.start(&[]);
    database.wait_for("threads_connected", "1");
    let (code, document) = database.evidence(&["--recover"]);
    assert_eq!((code, &document["files"]["ran_standalone"]), (0, &json!(true)), "{document:#}");
    assert_eq!(document["running"]["uuid"], json!("00000000-0000-0000-0000-000000000000"));
    assert_eq!(document["running"]["cluster_status"], json!("disconnected"));
    assert!(document["notes"][0]["message"].as_str().is_some_and(|note| note.contains("without Galera")));

    // Its recovery does not look for a position, and that is no position.
    database.query("CREATE DATABASE pf");
    database.stop();
    let (code, document) = database.evidence(&["--recover"]);
    assert_eq!(code, 1, "{document:#}");
    let why = document["files"]["recovered"]["error"].as_str().unwrap_or_default();
    assert!(why.contains("skipped"), "{document:#}");
}

/// A member that waits for the others has no socket yet.
#[test]
fn a_member_that_waits_for_the_others() {
    let mut database = Database::new(Galera::On);
    database.start(&["--wsrep-cluster-address=gcomm://192.168.1.5,192.168.1.6"]);
    let began = Instant::now();
    let mut seen = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let (code, document) = database.evidence(&["--recover"]);
        assert_eq!((code, state(&document)), (1, "starting"), "after {:?}: {document:#}", began.elapsed());
        assert_eq!(document["files"]["recovered"], json!(null));
        seen += 1;
    }
    assert!(seen > 3, "{seen}");
    // Until it has been in a primary component it has not opened InnoDB, and blocks SIGTERM.
    assert!(!database.has_engine_locked());
    database.signal(Signal::TERM);
    std::thread::sleep(Duration::from_secs(3));
    assert!(database.is_there(), "it ignores SIGTERM: {}", database.log());
    database.kill();
    let (_, document) = database.evidence(&[]);
    assert_eq!(document["starting"], json!(false), "{document:#}");
}

/// Data that can't be recovered are at no position.
#[test]
fn a_recovery_that_fails_is_no_position() {
    let database = Database::new(Galera::On);
    fs::create_dir(database.datadir().join("pf")).expect("a scratch folder");
    fs::write(database.datadir().join("ib_logfile0"), b"broken").expect("a scratch file");
    let (code, document) = database.evidence(&["--recover"]);
    assert_eq!(code, 1, "{document:#}");
    let why = document["files"]["recovered"]["error"].as_str().unwrap_or_default();
    assert!(why.starts_with("the recovery failed: InnoDB: "), "{document:#}");
    assert!(!database.has_leftovers());
}
