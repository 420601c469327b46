//! Everything that goes wrong on the wire: one answer with what arrived and what did not, nothing half done.

use pfcluster_tests::webservices::{Cluster, Fault};

/// What a member's web services can do wrong, and how it is told.
fn faults() -> Vec<(Fault, &'static str)> {
    vec![
        (Fault::Hang, "no answer within 1 s"),
        (Fault::Slow, "no answer within 1 s"),
        (Fault::Garbage, "its answer is no JSON-RPC"),
        (Fault::WrongJson, "its answer is no JSON-RPC"),
        (Fault::Status(401), "it refuses the user and the password of the web services"),
        (Fault::Status(500), "it answers with HTTP status 500"),
        (Fault::Status(204), "it answers with HTTP status 204"),
        (Fault::Dies("disk full"), "it says: disk full"),
        (Fault::Nothing, "makes no sense"),
        (Fault::Truncated, "its answer is"),
        (Fault::Redirect, "it answers with HTTP status 302"),
        (Fault::Closed, "its answer"),
    ]
}

#[test]
fn a_push_goes_on_with_the_others() {
    let cluster = Cluster::new();
    let [pf1, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    for (number, (fault, message)) in faults().into_iter().enumerate() {
        let text = format!("[10.0.0.{number}]\n");
        pf1.write("conf/switches.conf", text.as_bytes());
        let before = cluster.versions();
        pf2.fail_later("notify_configfile_changed", "switches.conf", fault.clone(), 0);
        let answer = cluster.run(0, &["sync", "--as-master", "--timeout", "1"]);
        assert_eq!(answer.status, Some(1), "{fault:?}: {answer:?}");
        let failed = "failed: /usr/local/pf/conf/switches.conf: ";
        let line =
            answer.out.lines().find(|line| line.contains(failed)).unwrap_or_else(|| panic!("{fault:?}: {answer:?}"));
        assert!(line.contains(message), "{fault:?}: {line}");
        assert!(answer.out.contains("version not set: not all files arrived"), "{fault:?}: {}", answer.out);
        let after = cluster.versions();
        assert_eq!(after[1], before[1], "{fault:?}: a member without all files keeps its version");
        assert_eq!((after[2] == after[0], after[0] > before[0]), (true, true), "{fault:?}: {after:?}");
        assert_eq!(pf3.read("conf/switches.conf"), text.as_bytes(), "{fault:?}");
        pf2.mend();
        let mended = cluster.run(0, &["sync", "--as-master"]);
        assert_eq!(mended.status, Some(0), "{fault:?}: {mended:?}");
        assert_eq!(pf2.read("conf/switches.conf"), text.as_bytes(), "{fault:?}");
    }
}

#[test]
fn a_member_that_is_lost_is_left_alone() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    pf1.write("conf/switches.conf", b"[10.0.0.1]\n");
    pf2.fail_later("expire", "", Fault::Hang, 2);
    let answer = cluster.run(0, &["sync", "--as-master", "--timeout", "1"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert_eq!(pf2.count("expire"), 3, "one deadline, not one for each file");
    assert!(answer.out.contains("not tried"), "{}", answer.out);
}

/// With nobody who has all files a new version here would only make this member the odd one out.
#[test]
fn a_push_that_reaches_nobody_changes_no_version() {
    let cluster = Cluster::new();
    let before = cluster.versions();
    cluster.members[1].fail("get_config_version", Fault::Hang);
    cluster.members[2].fail("distant_download_configfile", Fault::Dies("disk full"));
    let answer = cluster.run(0, &["sync", "--as-master", "--timeout", "1"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.out.contains("no answer within 1 s"), "{}", answer.out);
    assert_eq!(cluster.versions(), before);
}

#[test]
fn a_version_that_is_not_taken_is_told() {
    let cluster = Cluster::new();
    cluster.members[2].fail("set_config_version", Fault::Dies("disk full"));
    let answer = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.out.contains("version not set: it says: disk full"), "{}", answer.out);
}

/// The others would fetch from here: without that, nothing begins.
#[test]
fn the_own_web_services_come_first() {
    let cluster = Cluster::new();
    let before = cluster.versions();
    for (fault, message) in [(Fault::Hang, "no answer within 1 s"), (Fault::Status(401), "refuses the user")] {
        cluster.members[0].fail("get_config_version", fault);
        let answer = cluster.run(0, &["sync", "--as-master", "--timeout", "1"]);
        assert_eq!(answer.status, Some(2), "{answer:?}");
        assert!(answer.err.contains("the own web services of pf1.example.com"), "{}", answer.err);
        assert!(answer.err.contains(message), "{}", answer.err);
        assert_eq!(cluster.members[1].count("notify_configfile_changed"), 0);
        cluster.members[0].mend();
    }
    cluster.members[0].fail("expire", Fault::Dies("no pfconfig"));
    let stale = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(stale.status, Some(1), "{stale:?}");
    assert!(stale.out.contains("failed: /usr/local/pf/conf/pf.conf: it says: no pfconfig\n"), "{}", stale.out);
    assert_ne!(cluster.versions(), before, "the files are the others' all the same");
}

#[test]
fn a_pull_is_whole_or_not_at_all() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    let old = pf1.read("conf/switches.conf");
    pf2.write("conf/switches.conf", b"[10.0.0.1]\n");
    pf2.write("conf/realm.conf", b"[default]\n");
    cluster.set_versions(["1", "2", "1"]);
    let from = pf2.address.to_string();
    for (fault, message) in faults() {
        let is_about_one_file =
            !matches!(fault, Fault::Hang | Fault::Slow | Fault::Status(401) | Fault::Truncated | Fault::Closed);
        // The first comes last, so all others were there before.
        pf2.fail_later("download_configfile", "vlan_filters.conf", fault.clone(), 0);
        let answer = cluster.run(0, &["sync", "--from", &from, "--timeout", "1"]);
        assert_eq!(answer.status, Some(if is_about_one_file { 1 } else { 2 }), "{fault:?}: {answer:?}");
        let said = if is_about_one_file { &answer.out } else { &answer.err };
        assert!(said.contains(message), "{fault:?}: {said}");
        assert_eq!(cluster.versions()[0], "1", "{fault:?}");
        if is_about_one_file {
            assert!(said.contains("version not set: not all files arrived"), "{fault:?}: {said}");
            assert_eq!(pf1.read("conf/switches.conf"), b"[10.0.0.1]\n", "{fault:?}: the others arrive");
            pf1.write("conf/switches.conf", &old);
        } else {
            assert_eq!(pf1.read("conf/switches.conf"), old, "{fault:?}");
            assert!(!pf1.root.join("conf/realm.conf").exists(), "{fault:?}: nothing is half done");
            assert!(said.contains("nothing was written"), "{fault:?}: {said}");
        }
        let _ = std::fs::remove_file(pf1.root.join("conf/realm.conf"));
        pf2.mend();
    }
}

#[test]
fn a_member_that_can_not_be_asked_is_status_2() {
    let cluster = Cluster::new();
    let from = cluster.members[1].address.to_string();
    for (fault, message) in faults().into_iter().chain([(Fault::Oversized, "longer than 1 MiB")]) {
        cluster.members[1].fail("get_config_version", fault.clone());
        let answer = cluster.run(0, &["sync", "--from", &from, "--timeout", "1"]);
        assert_eq!(answer.status, Some(2), "{fault:?}: {answer:?}");
        assert!(answer.err.contains(message), "{fault:?}: {}", answer.err);
        assert!(answer.err.contains("\nhint: ") && answer.err.lines().count() == 2, "{fault:?}: {}", answer.err);
        cluster.members[1].mend();
    }
    assert_eq!(cluster.members[1].count("download_configfile"), 0);
}

/// Root reads what the process that asked hands on: no more than a file of the configuration can have.
#[test]
fn a_file_that_never_ends_is_not_read() {
    let cluster = Cluster::new();
    let from = cluster.members[1].address.to_string();
    cluster.members[1].write("conf/switches.conf", b"[10.0.0.1]\n");
    cluster.members[1].fail("download_configfile", Fault::Oversized);
    let answer = cluster.run(0, &["sync", "--from", &from, "--timeout", "100"]);
    assert_eq!(answer.status, Some(2), "{answer:?}");
    assert!(answer.err.contains("longer than 48 MiB"), "{}", answer.err);
}
