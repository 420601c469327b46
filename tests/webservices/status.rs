//! `status` asks the members for the versions of their configurations.

use pfcluster_tests::schema::assert_fits;
use pfcluster_tests::webservices::{Answer, Certificate, Cluster, Fault};
use serde_json::{Value, json};

fn ask(cluster: &Cluster, arguments: &[&str]) -> Answer {
    let nobody = ["status", "--socket=/nonexistent", "--datadir=nowhere", "--backups=nowhere"];
    let here = ["--run-directory=nowhere", "--timeout=1"];
    cluster.run(0, &[&nobody, &here[..], arguments].concat())
}

fn document(cluster: &Cluster) -> Value {
    let answer = ask(cluster, &["--format=json"]);
    let document = serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    assert_fits("status.json", &document);
    document
}

/// The versions as `status` knows them, and what it notes about them.
fn versions(document: &Value) -> (Vec<Value>, Vec<&str>) {
    let members = document["members"].as_array().expect("a list");
    let notes = document["notes"].as_array().expect("a list").iter().filter_map(|note| note["message"].as_str());
    let about = |note: &&str| note.contains("did not report a version");
    (members.iter().map(|member| member["config_version"].clone()).collect(), notes.filter(about).collect())
}

#[test]
fn the_members_configurations_are_in_the_table() {
    let cluster = Cluster::new();
    let same = document(&cluster);
    assert_eq!(versions(&same), (vec![json!("1510000000.12345"); 3], vec![]), "{same:#}");
    assert!(!same["reasons"].to_string().contains("configurations"), "{same:#}");
    cluster.set_versions(["1600000000", "1500000000", "1500000000"]);
    let text = ask(&cluster, &[]).out;
    let differ =
        "there are 2 configurations: 1600000000 on pf1.example.com; 1500000000 on pf2.example.com and pf3.example.com";
    assert!(text.contains(differ) && text.contains("pfcluster conflict\n"), "{text}");
    let requests: Vec<_> = cluster.members.iter().flat_map(|member| member.take_requests()).collect();
    assert_eq!(requests.len(), 4, "its own version it reads itself");
    assert!(requests.iter().all(|request| request.method() == "get_config_version"));
}

/// Nobody is asked on a terminal, and nobody who is not known gets the password.
#[test]
fn a_version_that_nobody_gives_is_unknown_and_the_rest_is_said() {
    let cluster = Cluster::new();
    let [_, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    let (mine, none) = (json!("1510000000.12345"), Value::Null);
    pf2.show(Certificate::foreign());
    pf3.fail("", Fault::Status(401));
    let refused = document(&cluster);
    let (known, notes) = versions(&refused);
    assert_eq!(known, [mine.clone(), none.clone(), none.clone()], "{refused:#}");
    let (first, second) =
        (Certificate::foreign().fingerprint(), "it refuses the user and the password of the web services");
    let [one, other] = notes[..] else { panic!("{notes:?}") };
    assert!(
        one.starts_with("pf2.example.com (") && one.ends_with(&format!("its certificate is not known: {first}")),
        "{one}"
    );
    assert!(other.starts_with("pf3.example.com (") && other.ends_with(second), "{other}");
    assert!(pf2.take_requests().is_empty(), "not even the user");

    pf2.show(Certificate::shared());
    pf2.fail("", Fault::Hang);
    pf3.mend();
    let silent = document(&cluster);
    assert_eq!(versions(&silent).0, [mine.clone(), none.clone(), mine.clone()], "{silent:#}");
    pf2.mend();
    pf2.fail("", Fault::Closed);
    let closed = document(&cluster);
    let (known, notes) = versions(&closed);
    assert_eq!(known, [mine.clone(), none.clone(), mine.clone()], "{closed:#}");
    assert!(matches!(notes[..], [message] if message.starts_with("pf2.example.com (")), "{notes:?}");

    // Without a user and a password there is nothing to ask with.
    pf2.mend();
    cluster.forget();
    cluster.members[0].write("conf/pf.conf", b"[webservices]\n");
    assert_eq!(versions(&document(&cluster)), (vec![mine, none.clone(), none], vec![]));
    assert!(pf2.take_requests().is_empty() && pf3.take_requests().is_empty());
}

/// A port that is none ends nothing else.
#[test]
fn what_keeps_it_from_asking_is_noted() {
    let cluster = Cluster::new();
    let pf_conf = String::from_utf8_lossy(&cluster.members[0].read("conf/pf.conf")).replace("port=", "port=none");
    cluster.members[0].write("conf/pf.conf", pf_conf.as_bytes());
    let document = document(&cluster);
    let notes = document["notes"].to_string();
    assert!(notes.contains("in `[webservices] port` is no port"), "{document:#}");
    assert_eq!(versions(&document).0[1], Value::Null);
}
