//! `pfcluster status` beside the real server: as the member itself sees it, and as another member sees it over TCP.

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use mysql::{Conn, OptsBuilder};
use pfcluster_tests::schema::assert_fits;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::lab::{Database, Galera};

const ACCOUNT: &str = "CREATE USER pfcluster@'%' IDENTIFIED BY 's3cret'";

fn pf_conf(database: &Database, password: &str) {
    let text =
        format!("[active_active]\ngalera_replication_username=pfcluster\ngalera_replication_password={password}\n");
    fs::write(database.folder().join("pf/conf/pf.conf"), text).expect("a scratch file");
}

fn document(output: &Output) -> Value {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("s3cret"), "{text}");
    let document = serde_json::from_str(&text).expect("JSON");
    assert_fits("status.json", &document);
    document
}

/// As the member itself asks, through its socket.
fn own(database: &Database, arguments: &[&str]) -> Value {
    let common = ["status", "--host=pf1.example.com", "--format=json", "--backups=nowhere"];
    document(&database.program(&[&common, arguments].concat()))
}

/// As pf2 asks, whose own database is stopped.
const PF2: [&str; 5] =
    ["status", "--host=pf2.example.com", "--socket=/nonexistent", "--datadir=nowhere", "--backups=nowhere"];

fn from_pf2(database: &Database, arguments: &[&str]) -> Value {
    document(&database.program(&[&PF2[..], &["--format=json"], arguments].concat()))
}

fn nagios(database: &Database) -> (Option<i32>, String) {
    let output = database.program(&[&PF2[..], &["--nagios"]].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn state(document: &Value, number: usize) -> &Value {
    &document["members"][number]["database"]["state"]
}

fn kinds(document: &Value) -> Vec<&str> {
    document["reasons"].as_array().expect("a list").iter().filter_map(|reason| reason["kind"].as_str()).collect()
}

/// Everything that can happen to the database that is asked, in turn.
#[test]
fn a_database_from_both_sides() {
    let mut database = Database::new(Galera::On);
    pf_conf(&database, "s3cret");
    // pf2 has an address where nothing listens; the way to pf3 leads nowhere.
    database.add_address("192.168.1.6");
    nobody_runs(&database);
    database.start(&["--wsrep-new-cluster"]);
    database.wait_for("wsrep_ready", "ON");
    database.query(ACCOUNT);
    running(&database);
    accounts(&database);
    not_a_database(&database);
    standing_still(&database);
    connections(&database);
}

fn nobody_runs(database: &Database) {
    let document = own(database, &[]);
    let states = [0, 1, 2].map(|number| state(&document, number).clone());
    assert_eq!(states, [json!("stopped"), json!("closed"), json!("silent")], "{document:#}");
    assert_eq!(document["verdict"], json!("unknown"), "the silent one may serve");
    assert_eq!(nagios(database).0, Some(3));
    // All say that there is none.
    database.add_address("192.168.1.7");
    let document = from_pf2(database, &[]);
    assert_eq!(document["verdict"], json!("down"), "{document:#}");
    let (code, line) = nagios(database);
    assert_eq!(code, Some(2));
    assert!(
        line.starts_with("PFCLUSTER CRITICAL - down: ") && line.ends_with(" | primary=0;3:;1:;0;3 silent=0;0;;0;3\n")
    );
}

fn running(database: &Database) {
    let (own, peer) = (own(database, &[]), from_pf2(database, &[]));
    for document in [&own, &peer] {
        let galera = &document["members"][0]["database"]["galera"];
        assert_eq!(state(document, 0), &json!("primary"), "{document:#}");
        assert_eq!(galera["uuid"], json!(database.status("wsrep_cluster_state_uuid")));
        assert_eq!(galera["last_committed"], json!(database.last_committed()));
        assert_eq!((&galera["local_state"], &galera["ready"]), (&json!("synced"), &json!(true)));
        assert_eq!((&galera["cluster_size"], &galera["members"]), (&json!(1), &json!(["pf1.example.com"])));
        assert!(galera["flow_control_paused"].is_number());
        let connections = &document["members"][0]["database"]["connections"];
        assert_eq!(connections["max"].to_string(), database.query("SELECT @@max_connections"));
        assert!(connections["used"].as_u64().is_some_and(|used| used >= 1), "{connections}");
        assert_eq!(document["verdict"], json!("degraded"));
        assert!(kinds(document).contains(&"serves"));
    }
    let (code, line) = nagios(database);
    assert_eq!(code, Some(1), "{line}");
    assert!(line.contains("| primary=1;3:;1:;0;3 silent=0;0;;0;3 'pf1.example.com connections'="), "{line}");
    assert_eq!(line.lines().count(), 1);

    // A virtual address is seen where it is held; of the others nothing is known.
    assert_eq!(own["virtual_addresses"][0]["held_by"], json!([]));
    database.add_address("192.168.1.10");
    let held = crate::status::own(database, &[]);
    let vip = &held["virtual_addresses"][0];
    assert_eq!(
        (&vip["address"], &vip["held_by"]),
        (&json!("192.168.1.10"), &json!([{"host": "pf1.example.com", "since": null}]))
    );
    assert_eq!(vip["unknown"], json!(["pf2.example.com", "pf3.example.com"]));
}

fn accounts(database: &Database) {
    // Nobody is not let in on the socket, and asks as others ask.
    let output =
        database.program_as_nobody(&["status", "--host=pf1.example.com", "--format=json", "--backups=nowhere"]);
    assert_eq!(state(&document(&output), 0), &json!("primary"));
    let client = database.folder().join("client.cnf");
    fs::write(&client, "[client]\nuser=pfcluster\npassword=s3cretwrong\n").expect("a scratch file");
    let option = format!("--mysql-defaults-file={}", client.display());
    let named = from_pf2(database, &[&option]);
    assert_eq!(state(&named, 0), &json!("refused"), "who is named is the one who asks: {named:#}");
    pf_conf(database, "s3cretwrong");
    let refused = from_pf2(database, &[]);
    assert_eq!(state(&refused, 0), &json!("refused"), "{refused:#}");
    assert!(refused["members"][0]["database"]["why"].as_str().is_some_and(|why| why.contains("Access denied")));
    assert_eq!(refused["members"][0]["answers"], json!(true));
    assert_eq!(refused["verdict"], json!("unknown"), "it may serve, or not");
    assert_eq!(state(&own(database, &[]), 0), &json!("primary"), "on its own socket root needs no password");
    pf_conf(database, "s3cret");
}

/// Whatever else listens there is no database, and nobody dies of it.
fn not_a_database(database: &Database) {
    let folder = database.folder();
    let greetings: [(&str, &[u8]); 4] = [
        ("web server", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("zeros", &[0; 4096]),
        ("ones", &[0xff; 4096]),
        ("half a greeting", b"\x4a\x00\x00\x00\x0a5.5.5-10.11"),
    ];
    for (name, bytes) in greetings {
        fs::write(folder.join("greeting"), bytes).expect("a scratch file");
        let taken = database.listen("192.168.1.6", &format!("OPEN:{}", folder.join("greeting").display()));
        let document = own(database, &[]);
        drop(taken);
        assert!(["silent", "garbled"].iter().any(|word| state(&document, 1) == &json!(word)), "{name}: {document:#}");
        assert_eq!(state(&document, 0), &json!("primary"), "{name}: the others are asked all the same");
    }
    let taken = database.listen("192.168.1.6", "/dev/null");
    let document = own(database, &[]);
    drop(taken);
    assert_eq!(state(&document, 1), &json!("silent"), "it listens, and says nothing: {document:#}");
}

fn standing_still(database: &Database) {
    database.signal(Signal::STOP);
    let documents = [own(database, &["--timeout=1"]), from_pf2(database, &["--timeout=1"])];
    let (code, line) = nagios(database);
    database.signal(Signal::CONT);
    for document in documents {
        assert_eq!((state(&document, 0), &document["verdict"]), (&json!("silent"), &json!("unknown")), "{document:#}");
        assert_eq!(document["members"][0]["answers"], json!(false));
    }
    assert_eq!(code, Some(3), "{line}");
    assert!(line.contains("silent=1;"), "{line}");
}

/// Guide 8.5: near the limit it is said, and at the limit it is not "down".
fn connections(database: &Database) {
    let socket = database.folder().join("run/socket").display().to_string();
    let connect = |user: &str, password: Option<&str>| {
        let options = OptsBuilder::new().socket(Some(&socket)).user(Some(user)).pass(password);
        Conn::new(options.max_allowed_packet(Some(1 << 20)))
    };
    database.query("SET GLOBAL max_connections = 10");
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(connect("pfcluster", Some("s3cret")).expect("a connection"));
    }
    let near = from_pf2(database, &[]);
    assert!(kinds(&near).contains(&"connections_near_max"), "{near:#}");
    // All of them, and the one that is kept for administrators. One that the query above had may be in use for a moment longer.
    let deadline = Instant::now() + Duration::from_secs(30);
    while held.len() < 11 {
        held.extend(connect("pfcluster", Some("s3cret")).or_else(|_| connect("root", None)));
        assert!(Instant::now() < deadline, "{} of 11 connections", held.len());
    }
    for document in [from_pf2(database, &[]), own(database, &[])] {
        assert_eq!(state(&document, 0), &json!("full"), "{document:#}");
        assert_eq!(document["verdict"], json!("blocked"), "{document:#}");
    }
    let (code, line) = nagios(database);
    assert_eq!(code, Some(2), "{line}");
    let (code, evidence) = database.evidence(&[]);
    assert_eq!((code, crate::state(&evidence)), (1, "not_responding"), "{evidence:#}");
    assert!(evidence["notes"][0]["message"].as_str().is_some_and(|note| note.contains("ERROR 1040")), "{evidence:#}");
    drop(held);
    database.wait_for("threads_connected", "1");
    assert_eq!(state(&own(database, &[]), 0), &json!("primary"));
}

/// It answers, but as one that is in no cluster.
#[test]
fn status_of_a_server_without_galera() {
    let mut database = Database::new(Galera::Off);
    pf_conf(&database, "s3cret");
    database.start(&[]);
    database.wait_for("threads_connected", "1");
    database.query(ACCOUNT);
    for document in [own(&database, &[]), from_pf2(&database, &[])] {
        assert_eq!(state(&document, 0), &json!("without_galera"), "{document:#}");
        assert_eq!(document["members"][0]["database"]["galera"], json!(null));
        assert!(kinds(&document).contains(&"without_galera"));
    }
    // Another data directory than the one that is meant.
    let other = database.folder().join("other");
    fs::create_dir(&other).expect("a scratch folder");
    let document = own(&database, &[&format!("--datadir={}", other.display())]);
    assert_eq!(state(&document, 0), &json!("garbled"), "{document:#}");
}
