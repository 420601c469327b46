//! `pfcluster status` on three real members, as each of them sees the others.

use std::fs;
use std::process::Command;

use pfcluster_tests::program::{examples, program};
use pfcluster_tests::schema::assert_fits;
use serde_json::{Value, json};

use crate::Change;
use crate::lab::{Lab, make_dir, wait_until};
use crate::member::Member;

const PASSWORD: &str = "s3cret";
const HOSTS: [&str; 3] = ["pf1.example.com", "pf2.example.com", "pf3.example.com"];

/// What a member says of the cluster.
fn status(members: &[Member<'_>], number: usize) -> Value {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &members[number].namespace]).arg(program());
    command.args(["status", "--format=json", "--backups=/nonexistent", "--host", HOSTS[number]]);
    let member = &members[number];
    command.arg("--root").arg(&member.folder).arg("--datadir").arg(&member.datadir);
    let output = command.output().expect("the program starts");
    let document = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_fits("status.json", &document);
    document
}

fn states(document: &Value) -> Vec<&str> {
    let members = document["members"].as_array().expect("a list").iter();
    members.map(|member| member["database"]["state"].as_str().expect("a word")).collect()
}

fn reason<'d>(document: &'d Value, kind: &str) -> &'d Value {
    let reasons = document["reasons"].as_array().expect("a list");
    reasons.iter().find(|reason| reason["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {document:#}"))
}

/// What the member says, as soon as its verdict is this one.
fn settled(members: &[Member<'_>], number: usize, wanted: &str) -> Value {
    let mut last = Value::Null;
    wait_until(&format!("{} says {wanted}", HOSTS[number]), 60, || {
        last = status(members, number);
        last["verdict"] == wanted
    });
    last
}

/// Healthy, cut in two, forced apart, and stopped: each member says what can be known where it is.
#[test]
fn three_members_see_each_other() {
    let lab = Lab::new(&["192.168.1.5", "192.168.1.6", "192.168.1.7"]);
    let change = Change::Password(PASSWORD);
    let mut members: Vec<Member<'_>> =
        HOSTS.iter().enumerate().map(|(n, host)| lab.member(n, "guide", host, "14", &change)).collect();
    for member in &members {
        fs::create_dir(member.folder.join("conf")).expect("a scratch folder");
        for name in ["cluster.conf", "pf.conf"] {
            let text = fs::read_to_string(examples().join("guide").join(name)).expect("an example");
            let text = text.replace("aMuchMoreSecurePassword", PASSWORD);
            fs::write(member.folder.join("conf").join(name), text).expect("a scratch file");
        }
    }
    members[0].start(&["--wsrep-new-cluster"]);
    members[0].wait_for("wsrep_ready", "ON");
    members[0].create_replication_user(PASSWORD);
    members[0].query(&format!("CREATE USER pfcluster@'%' IDENTIFIED BY '{PASSWORD}'"));
    for joiner in &mut members[1..] {
        fs::remove_dir_all(&joiner.datadir).expect("an empty member");
        make_dir(&joiner.datadir);
        joiner.start(&[]);
        joiner.wait_for("wsrep_local_state_comment", "Synced");
    }
    for number in 0..3 {
        let document = settled(&members, number, "healthy");
        assert_eq!(reason(&document, "serves")["may_crash"], json!(1));
    }

    // Cut off: the majority serves, the other can't know.
    lab.plug(2, "down");
    members[2].wait_for("wsrep_cluster_status", "non-Primary");
    let cut_off = settled(&members, 2, "read_only");
    assert_eq!(states(&cut_off), ["silent", "silent", "non_primary"], "{cut_off:#}");
    assert_eq!(reason(&cut_off, "may_serve")["members"], json!([HOSTS[0], HOSTS[1]]));
    members[0].wait_for("wsrep_cluster_size", "2");
    let majority = settled(&members, 0, "degraded");
    assert_eq!(states(&majority), ["primary", "primary", "silent"], "{majority:#}");
    assert_eq!(reason(&majority, "silent")["members"], json!([HOSTS[2]]));

    // Forced on its own, and the cable is in again: both sides say of themselves that all is well.
    members[2].query("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'");
    members[2].wait_for("wsrep_cluster_status", "Primary");
    lab.plug(2, "up");
    for number in 0..3 {
        let document = settled(&members, number, "split");
        assert_eq!(reason(&document, "split")["sides"], json!([[HOSTS[0], HOSTS[1]], [HOSTS[2]]]), "{document:#}");
    }

    // Stopped: where nothing listens nothing serves.
    for member in &mut members {
        member.stop();
    }
    assert_eq!(states(&settled(&members, 0, "down")), ["stopped", "closed", "closed"]);
}
