//! `conflict` asks the members, and `conflict resolve` has the winner pushed.

use std::process::{Command, Stdio};

use pfcluster_tests::program::program;
use pfcluster_tests::schema::assert_fits;
use pfcluster_tests::webservices::{Answer, Cluster, Fault, VERSION_FILE};
use serde_json::Value;

fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[test]
fn the_members_are_asked() {
    let cluster = Cluster::new();
    let same = cluster.run(0, &["conflict"]);
    assert_eq!(same.status, Some(0), "{same:?}");
    assert!(same.out.contains("In sync"), "{}", same.out);
    cluster.set_versions(["1600000000", "1500000000.5", "1500000000.5"]);
    for member in 0..3 {
        let answer = cluster.run(member, &["conflict", "--format", "json"]);
        assert_eq!(answer.status, Some(1), "{answer:?}");
        let document = document(&answer);
        assert_fits("conflict.json", &document);
        let winner = if member == 2 { "pf3.example.com" } else { "pf2.example.com" };
        assert_eq!(document["action"]["member"], winner, "{document:#}");
        assert_eq!(document["action"]["overwrites"][0]["host"], "pf1.example.com");
    }
    assert_eq!(cluster.versions(), ["1600000000", "1500000000.5", "1500000000.5"], "nothing changes");
    let requests: Vec<_> = cluster.members.iter().flat_map(|member| member.take_requests()).collect();
    assert!(requests.iter().all(|request| request.method() == "get_config_version"));
}

/// Side by side: two that hang cost one deadline, and the own version needs no web services.
#[test]
fn silent_members_are_part_of_the_answer() {
    let cluster = Cluster::new();
    cluster.set_versions(["1600000000", "1500000000", "1500000000"]);
    cluster.members[0].fail("", Fault::Hang);
    let own = cluster.run(0, &["conflict", "--timeout", "1"]);
    assert_eq!(own.status, Some(1), "{own:?}");
    assert!(own.out.contains("Conflict: the configuration of pf2.example.com (1500000000) wins"), "{}", own.out);
    cluster.members[2].fail("", Fault::Hang);
    cluster.members[1].fail("", Fault::Status(401));
    let nobody = cluster.run(0, &["conflict", "--timeout", "1"]);
    assert_eq!(nobody.status, Some(1), "{nobody:?}");
    assert!(nobody.out.contains("Nothing to compare"), "{}", nobody.out);
    let [_, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    let why =
        format!("note: {} ({}): it refuses the user and the password of the web services\n", pf2.host, pf2.address);
    let why = why + &format!("note: {} ({}): no answer within 1 s\n", pf3.host, pf3.address);
    assert_eq!(nobody.err, why);
    std::fs::remove_file(cluster.members[1].root.join(VERSION_FILE)).expect("a file");
    cluster.members[1].mend();
    let missing = cluster.run(0, &["conflict", "--timeout", "1"]);
    assert!(missing.out.contains("PacketFence's answer for a missing file"), "{}", missing.out);
}

#[test]
fn the_winner_pushes() {
    let cluster = Cluster::new();
    let [pf1, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    // Two of three have the old one: the third learns it from here.
    let mine = [&pf1.read("conf/pf.conf")[..], b"# mine\n"].concat();
    pf1.write("conf/pf.conf", &mine);
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    let answer = cluster.run(0, &["conflict", "resolve", "--yes"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    assert!(answer.out.contains("version 1500000000 set") && answer.out.contains("In sync"), "{}", answer.out);
    assert_eq!(cluster.versions(), ["1500000000"; 3], "no new version");
    assert_eq!(pf3.read("conf/pf.conf"), mine);

    // The winner is another one: it is asked.
    cluster.forget();
    cluster.set_versions(["1600000000", "1500000000", "1500000000"]);
    let asked = cluster.run(0, &["conflict", "resolve", "--yes", "--format", "json"]);
    assert_eq!(asked.status, Some(0), "{asked:?}");
    assert_fits("conflict.json", &document(&asked));
    assert_eq!((pf2.count("sync_config_as_master"), pf3.count("sync_config_as_master")), (1, 0));
    assert_eq!(cluster.versions(), ["1500000000"; 3]);
}

#[test]
fn without_a_conflict_or_a_word_nothing_is_pushed() {
    let cluster = Cluster::new();
    assert_eq!(cluster.run(0, &["conflict", "resolve"]).status, Some(0), "there is nothing to ask about");
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    let nobody = cluster.run(0, &["conflict", "resolve"]);
    assert_eq!(nobody.status, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("there is no terminal to ask whether to push\nhint: add `--yes`"), "{}", nobody.err);
    let file = cluster.run(0, &["conflict", "--versions", "x", "resolve", "--yes"]);
    assert_eq!(file.status, Some(2));
    assert!(file.err.contains("`--versions` is for looking only"), "{}", file.err);
    assert_eq!(cluster.versions(), ["1500000000", "1500000000", "1600000000"]);
}

/// All versions are read again right before: an administrator may have saved something meanwhile.
#[test]
fn what_changes_meanwhile_is_not_pushed_over() {
    let cluster = Cluster::new();
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    cluster.members[1].fail_later("get_config_version", "", Fault::Changes("1700000000"), 1);
    let answer = cluster.run(0, &["conflict", "resolve", "--yes"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.err.contains("the versions of members changed meanwhile: nothing was pushed"), "{}", answer.err);
    assert_eq!(cluster.versions(), ["1500000000", "1700000000", "1600000000"]);
    assert_eq!(cluster.members[2].count("set_config_version"), 0);
}

#[test]
fn a_push_that_fails_is_no_success() {
    let cluster = Cluster::new();
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    cluster.members[2].fail_later("notify_configfile_changed", "pf.conf", Fault::Dies("disk full"), 0);
    let own = cluster.run(0, &["conflict", "resolve", "--yes"]);
    assert_eq!(own.status, Some(1), "{own:?}");
    assert!(own.out.contains("failed: /usr/local/pf/conf/pf.conf: it says: disk full\n"), "{}", own.out);
    assert_eq!(cluster.versions(), ["1500000000", "1500000000", "1600000000"]);
    cluster.members[2].mend();
    cluster.set_versions(["1600000000", "1500000000", "1500000000"]);
    cluster.members[1].fail("sync_config_as_master", Fault::Hang);
    let asked = cluster.run(0, &["conflict", "resolve", "--yes", "--timeout", "1"]);
    assert_eq!(asked.status, Some(2), "{asked:?}");
    assert!(asked.err.contains("pf2.example.com, which has the version that wins, does not push it"), "{}", asked.err);
}

/// One at a time: the second says so, and touches nothing.
#[test]
fn resolvers_on_one_host_do_not_interleave() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    cluster.set_versions(["1500000000", "1500000000", "1600000000"]);
    cluster.members[2].fail_later("expire", "", Fault::Hang, 0);
    let root = pf1.root.to_string_lossy().into_owned();
    let mut first = Command::new(program())
        .args(["conflict", "resolve", "--yes", "--timeout", "600", "--root", &root, "--host", &pf1.host])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    while cluster.members[2].count("expire") == 0 {
        assert_eq!(first.try_wait().expect("our own child"), None, "it waits for pf3");
        std::thread::yield_now();
    }
    for arguments in [&["conflict", "resolve", "--yes"][..], &["sync", "--as-master"]] {
        let second = cluster.run(0, arguments);
        assert_eq!(second.status, Some(2), "{second:?}");
        assert!(
            second.err.contains("another pfcluster changes the configuration from this host just now"),
            "{}",
            second.err
        );
    }
    assert_eq!(cluster.run(0, &["conflict"]).status, Some(1), "looking is free");
    first.kill().expect("our own child");
    first.wait().expect("our own child");
    cluster.members[2].mend();
    let after = cluster.run(0, &["conflict", "resolve", "--yes"]);
    assert_eq!(after.status, Some(0), "a lock ends with its holder: {after:?}");
}
