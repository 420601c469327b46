//! `conflict watch`: the scheduled check.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use pfcluster_tests::program::program;
use pfcluster_tests::webservices::{Cluster, StandIn};

/// The program watching; ended with the test.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    fn start(member: &StandIn) -> Watch {
        let root = member.root.to_string_lossy().into_owned();
        let mut child = Command::new(program())
            .args(["conflict", "watch", "--interval", "1", "--root", &root, "--host", &member.host])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Watch { child, lines }
    }

    /// Reads on until it says this; returns what it said on the way.
    fn until(&mut self, words: &str) -> Vec<String> {
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(words)) {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).expect("a pipe"), 0, "it ended after {said:?}");
            said.push(line);
        }
        said
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This machine has 127.0.0.1, the cluster's virtual management address.
fn with_packetfences_check_off() -> Cluster {
    let cluster = Cluster::new();
    cluster.members[0].write("conf/pfcron.conf", b"[cluster_check]\nstatus=disabled\n");
    cluster
}

#[test]
fn a_conflict_that_stays_is_resolved() {
    let cluster = with_packetfences_check_off();
    let mut watch = Watch::start(&cluster.members[0]);
    let first = watch.until("in sync");
    assert!(first[0].contains("the first check only looks"), "{first:?}");
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    let said = watch.until("pushed");
    assert!(said.iter().any(|line| line.contains("left alone for ")), "not at once: {said:?}");
    watch.until("in sync");
    assert_eq!(cluster.versions(), ["1500000000"; 3]);
}

#[test]
fn only_the_holder_of_the_virtual_address_checks() {
    let cluster = with_packetfences_check_off();
    let pf1 = &cluster.members[0];
    let text = String::from_utf8(pf1.read("conf/cluster.conf")).expect("a text");
    pf1.write("conf/cluster.conf", text.replace("=127.0.0.1\n", "=192.0.2.1\n").as_bytes());
    let mut watch = Watch::start(pf1);
    watch.until("another member holds the virtual management address");
    assert_eq!(cluster.members[1].count("get_config_version"), 0);
}

#[test]
fn it_refuses_beside_packetfences_own_check() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    let refused = |arguments: &[&str]| {
        let answer = cluster.run(0, &[&["conflict", "watch"], arguments].concat());
        assert_eq!(answer.status, Some(2), "{answer:?}");
        assert!(answer.err.contains("PacketFence's own check is on"), "{}", answer.err);
        answer
    };
    assert!(refused(&[]).err.contains("conf/pfcron.conf"));
    pf1.write("conf/pfcron.conf.defaults", b"[cluster_check]\nstatus=enabled\nschedule=@every 1m\n");
    refused(&[]);
    pf1.write("conf/pfmon.conf", b"[cluster_check]\nstatus=disabled\n");
    refused(&[]);
    assert_eq!(cluster.run(0, &["conflict", "watch", "--interval", "0", "--pf-version", "9"]).status, Some(0));
    pf1.write("conf/pfmon.conf", b"[cluster_check]\ninterval=0\n");
    let off = cluster.run(0, &["conflict", "watch", "--interval", "0", "--pf-version", "9"]);
    assert_eq!(off.status, Some(0), "{off:?}");
    assert!(off.out.contains("off: the interval is 0"), "{}", off.out);
    let json = cluster.run(0, &["conflict", "watch", "--format", "json"]);
    assert_eq!(json.status, Some(2));
}
