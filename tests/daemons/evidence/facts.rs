//! What the rules take for granted of the real server, measured anew each time.

use std::fs;
use std::time::Instant;

use pfcluster_core::galera::Grastate;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::lab::{Database, Galera, Taken};
use crate::state;
use crate::supervise::{Supervisor, pf_conf, status, with_key};

/// A database of a component of one with rows. Returns its UUID, and how many transactions it has.
fn with_rows(database: &mut Database, rows: u32) -> (String, i64) {
    database.start(&["--wsrep-new-cluster"]);
    database.wait_for("wsrep_ready", "ON");
    database.query("CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    (0..rows).for_each(|n| drop(database.query(&format!("INSERT INTO pf.node VALUES ('{n}')"))));
    (database.status("wsrep_cluster_state_uuid"), database.last_committed())
}

fn grastate(database: &Database) -> Grastate {
    let text = fs::read(database.datadir().join("grastate.dat")).expect("Galera's file");
    Grastate::parse(&text).expect("a whole file")
}

/// As every backup does: while the provider is paused, grastate.dat has a number, and a crash leaves it there beside the view.
#[test]
fn a_paused_provider_leaves_a_number() {
    let mut database = Database::new(Galera::On);
    let (uuid, committed) = with_rows(&mut database, 5);
    let lock: Taken = database.session("FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)");
    database.wait("grastate.dat has a number", || grastate(&database).seqno == committed);
    database.kill();
    drop(lock);
    let (code, document) = database.evidence(&[]);
    assert_eq!((code, state(&document)), (0, "stopped"), "{document:#}");
    let files = &document["files"];
    assert_eq!(files["grastate"], json!({"uuid": uuid, "seqno": committed, "safe_to_bootstrap": true}));
    assert!(files["gvwstate"]["members"].is_array(), "the sign that it was no clean stop: {document:#}");
    assert_eq!(files["recovered"], json!({"uuid": uuid, "seqno": committed}));

    // A number that InnoDB does not hold is not what is said.
    let path = database.datadir().join("grastate.dat");
    let text = fs::read_to_string(&path).expect("Galera's file");
    fs::write(&path, text.replace(&format!("seqno:   {committed}"), &format!("seqno:   {}", committed + 100)))
        .expect("Galera's file");
    let (code, document) = database.evidence(&[]);
    assert_eq!((code, &document["files"]["grastate"]["seqno"]), (0, &json!(committed + 100)), "{document:#}");
    assert_eq!(document["files"]["recovered"]["seqno"], json!(committed), "{document:#}");
}

/// Two recoveries of one database at once would make each other fail: one waits, or sees that the other is there.
#[test]
fn recoveries_at_once() {
    let mut database = Database::new(Galera::On);
    let (uuid, committed) = with_rows(&mut database, 3);
    database.kill();
    let database = &database;
    let documents: Vec<(i32, Value)> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(|| database.evidence(&[]))).collect();
        asked.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    let position = json!({"uuid": uuid, "seqno": committed});
    for (code, document) in &documents {
        let recovered = &document["files"]["recovered"];
        match state(document) {
            "stopped" => assert_eq!((*code, recovered), (0, &position), "{document:#}"),
            "starting" => assert_eq!(*code, 1, "{document:#}"),
            other => panic!("{other}: {document:#}"),
        }
    }
    assert!(documents.iter().any(|(code, _)| *code == 0), "{documents:#?}");
    assert_eq!(database.evidence(&[]).1["files"]["recovered"], position);
}

/// With a tc.log that holds nothing the server neither recovers nor starts. A person is told what to do; a supervisor does it.
#[test]
fn a_wrecked_tc_log() {
    let mut database = Database::new(Galera::On);
    let (uuid, committed) = with_rows(&mut database, 3);
    database.kill();
    let (tc_log, aside) = (database.datadir().join("tc.log"), database.datadir().join("tc.log.aside"));
    let length = tc_log.metadata().expect("a coordinator log").len();
    for length in [length, 0] {
        fs::write(&tc_log, vec![0; usize::try_from(length).expect("a few kilobytes")]).expect("the server's file");
        let (code, document) = database.evidence(&[]);
        assert_eq!((code, state(&document)), (1, "stopped"), "{document:#}");
        assert!(document["files"]["recovered"]["error"].is_string(), "{document:#}");
        let help = document["notes"][0]["help"].as_str().unwrap_or_default();
        assert!(help.contains(&format!("`mv {} {}`", tc_log.display(), aside.display())), "{document:#}");
        assert!(tc_log.exists() && !aside.exists(), "evidence moves nothing");
    }
    with_key(&database);
    pf_conf(&database);
    let rehearsal = database.program(&["mariadb", "supervise", "--host=pf1.example.com", "--dry-run"]);
    assert!(tc_log.exists() && !aside.exists(), "nor does a rehearsal: {rehearsal:?}");

    let mut supervisor = Supervisor::start(&database, &[], &[]);
    supervisor.wait_for_line("tc.log was wrecked");
    supervisor.wait_for("it has recovered", || {
        status(&database).is_some_and(|status| {
            let own = &status["members"][0];
            own["uuid"] == json!(uuid) && own["seqno"] == json!(committed)
        })
    });
    assert!(aside.exists());
    supervisor.signal(Signal::TERM);
    assert!(supervisor.ends().success(), "{}", supervisor.log());
    let (code, document) = database.evidence(&[]);
    assert_eq!((code, &document["notes"]), (0, &json!([])), "{document:#}");
    assert_eq!(document["files"]["recovered"], json!({"uuid": uuid, "seqno": committed}));
}

/// A start on an override: another cluster UUID with all rows, in `InnoDB` from the first moment on.
#[test]
fn a_new_uuid_has_all_rows() {
    let mut database = Database::new(Galera::On);
    let (old, committed) = with_rows(&mut database, 40);
    database.kill();
    with_key(&database);
    pf_conf(&database);
    let mut supervisor = Supervisor::start(&database, &["--force-new-cluster"], &[]);
    supervisor.wait_for_line("the database is in service");
    let new = database.status("wsrep_cluster_state_uuid");
    assert_ne!(new, old);
    assert_eq!(database.query("SELECT COUNT(*) FROM pf.node"), "40");
    assert_eq!(database.status("wsrep_local_state_uuid"), new);
    let written = fs::read(database.folder().join("pf/var/pfcluster/records.json")).expect("records");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    let fork = &written["forks"][0];
    assert_eq!((&fork["uuid"], &fork["seqno"]), (&json!(old), &json!(committed)), "{written:#}");

    supervisor.signal(Signal::KILL);
    supervisor.ends();
    let now = database.last_committed();
    kill_server(&database);
    let (code, document) = database.evidence(&[]);
    assert_eq!((code, state(&document)), (0, "stopped"), "{document:#}");
    assert_eq!(document["files"]["recovered"], json!({"uuid": new, "seqno": now}), "{document:#}");
    assert_eq!(document["files"]["grastate"]["uuid"], json!(new));
    assert_eq!(document["files"]["forks"][0]["uuid"], json!(old));
}

/// One that waits for a primary component never ends by SIGTERM: the supervisor, when it is told to end, kills it after a while.
#[test]
fn one_that_waits_is_killed_in_the_end() {
    let mut database = Database::new(Galera::On);
    database.start(&["--wsrep-cluster-address=gcomm://192.168.1.5,192.168.1.6"]);
    with_key(&database);
    pf_conf(&database);
    let mut supervisor = Supervisor::start(&database, &[], &[]);
    supervisor.wait_for("it has seen the process", || {
        status(&database).is_some_and(|status| status["members"][0]["state"] == json!("starting"))
    });
    let began = Instant::now();
    supervisor.signal(Signal::TERM);
    assert!(supervisor.ends().success(), "{}", supervisor.log());
    assert!((2..10).contains(&began.elapsed().as_secs()), "{:?}\n{}", began.elapsed(), supervisor.log());
    drop(supervisor);
    assert!(!database.is_there());
}

/// One that somebody else has started.
fn kill_server(database: &Database) {
    let pid = database.server_pid().expect("a server");
    kill_process(Pid::from_raw(pid.cast_signed()).expect("a pid"), Signal::KILL).expect("our own server");
    // Its first thread may have ended before the others, which still have its files and its socket.
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    let is_dead =
        || fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z ") && threads() <= 1);
    database.wait("the server has ended", is_dead);
}
