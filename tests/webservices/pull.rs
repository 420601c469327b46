//! A pull: what is written, with which owner and mode, and what it keeps.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use pfcluster_tests::webservices::{Cluster, Fault, identity};

fn from(cluster: &Cluster, member: usize) -> String {
    cluster.members[member].address.to_string()
}

#[test]
fn what_differs_is_written_and_kept_and_the_rest_is_left_alone() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    let all_bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    pf2.write("conf/switches.conf", b"[10.0.0.1]\n");
    pf2.write("conf/local_secret", &all_bytes);
    pf2.write("../fingerbank/conf/fingerbank.conf", b"[upstream]\n");
    pf2.write("raddb/modules/mschap", b"mschap {}\n");
    cluster.set_versions(["1", "1600000000.5", "1"]);
    pf1.write("conf/cluster-files.txt", b"/usr/local/pf/raddb/modules/mschap\r\n");
    fs::create_dir_all(pf1.root.join("../fingerbank")).expect("a writable directory");
    let switches = pf1.root.join("conf/switches.conf");
    fs::set_permissions(&switches, fs::Permissions::from_mode(0o640)).expect("our own file");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&switches, Some(33), Some(33)).expect("root may");
    }
    let old = pf1.read("conf/switches.conf");
    let untouched = identity(&pf1.root.join("conf/pf.conf"));
    let answer = cluster.run(0, &["sync", "--from", &from(&cluster, 1)]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    for name in
        ["conf/switches.conf", "conf/local_secret", "raddb/modules/mschap", "../fingerbank/conf/fingerbank.conf"]
    {
        assert_eq!(pf1.read(name), pf2.read(name), "{name}");
    }
    assert_eq!(cluster.versions(), ["1600000000.5", "1600000000.5", "1"]);
    assert_eq!(identity(&pf1.root.join("conf/pf.conf")), untouched, "unchanged files are not written");
    let meta = fs::metadata(&switches).expect("a file");
    assert_eq!(meta.mode() & 0o7777, 0o640);
    if rustix::process::geteuid().is_root() {
        assert_eq!((meta.uid(), meta.gid()), (33, 33));
    }
    let new = fs::metadata(pf1.root.join("conf/local_secret")).expect("a file");
    assert_eq!(new.mode() & 0o7777, 0o660);
    let line = answer.err.lines().find_map(|line| line.strip_prefix("what was there is in ")).expect("a backup");
    let backup = PathBuf::from(line);
    assert_eq!(fs::read(backup.join("conf/switches.conf")).expect("the backup"), old);
    assert_eq!(fs::metadata(backup.join("conf/switches.conf")).expect("the backup").mode() & 0o7777, 0o600);

    let switches = identity(&switches);
    let again = cluster.run(0, &["sync", "--from", &from(&cluster, 1)]);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert!(again.out.contains("the same") && !again.out.contains("written"), "{}", again.out);
    assert_eq!(identity(&pf1.root.join("conf/switches.conf")), switches);
}

/// A server that is about to join has no cluster.conf, no password and another certificate (guide 3.5).
#[test]
fn a_new_server_pulls_everything() {
    let cluster = Cluster::new();
    let [_, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    fs::remove_file(pf3.root.join("conf/cluster.conf")).expect("a file");
    fs::remove_file(pf3.root.join("conf/pf.conf")).expect("a file");
    fs::remove_file(pf3.root.join("conf/ssl/server.crt")).expect("a file");
    // The port comes with pf.conf, which is not there yet.
    pf3.write("conf/pf.conf", format!("[webservices]\nport={}\n", cluster.port()).as_bytes());
    let password = cluster.file("password", &format!("{}\n", pfcluster_tests::webservices::PASSWORD));
    let password = password.to_string_lossy().into_owned();
    let fingerprint = pfcluster_tests::webservices::Certificate::shared().fingerprint();
    let address = from(&cluster, 1);
    let arguments = ["sync", "--from", &address, "--api-user", "packet", "--api-password-file", &password];
    let unknown = cluster.run(2, &arguments);
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    assert!(unknown.err.contains(&format!("add `--fingerprint {fingerprint}`")), "{}", unknown.err);
    assert!(pf2.take_requests().is_empty(), "nothing is sent to a stranger");
    let answer = cluster.run(2, &[&arguments[..], &["--fingerprint", fingerprint]].concat());
    assert_eq!(answer.status, Some(0), "{answer:?}");
    for name in ["conf/cluster.conf", "conf/pf.conf", "conf/ssl/server.crt"] {
        assert_eq!(pf3.read(name), pf2.read(name), "{name}");
    }
    // From now on it is a member like any other.
    assert_eq!(cluster.run(2, &["sync", "--from", &address]).status, Some(0));
}

/// PacketFence 12's own defaults take the user from the environment of its services: set there or not, it is no user here.
#[test]
fn a_user_from_the_environment_is_none() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    let template = "[webservices]\nuser=[% ENV.env_or_default(\"PF_WEBSERVICES_USER\", \"\") %]\n";
    let defaults =
        format!("{template}pass=[% ENV.env_or_default(\"PF_WEBSERVICES_PASS\", \"\") %]\nport={}\n", cluster.port());
    pf1.write("conf/pf.conf", b"");
    pf1.write("conf/pf.conf.defaults", defaults.as_bytes());
    for arguments in [&["sync", "--from", &from(&cluster, 1)][..], &["sync", "--as-master"], &["conflict"]] {
        let answer = cluster.run(0, arguments);
        assert_eq!(answer.status, Some(2), "{answer:?}");
        assert!(answer.err.contains("the web services' user is missing"), "{}", answer.err);
    }
}

#[test]
fn only_members_are_asked() {
    let cluster = Cluster::new();
    let stranger = cluster.run(0, &["sync", "--from", "127.0.0.1"]);
    assert_eq!(stranger.status, Some(2));
    assert!(stranger.err.contains("127.0.0.1 is not the management address of a member"), "{}", stranger.err);
    let itself = cluster.run(0, &["sync", "--from", &from(&cluster, 0)]);
    assert_eq!(itself.status, Some(2));
    assert!(itself.err.contains("is this member itself"), "{}", itself.err);
    assert!(cluster.members[0].take_requests().is_empty());
}

/// Half of an old and half of a new configuration is neither.
#[test]
fn a_change_during_the_pull_leaves_the_version_alone() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    pf2.write("conf/switches.conf", b"[10.0.0.1]\n");
    pf2.fail_later("download_configfile", "switches.conf", Fault::Changes("1700000000.1"), 0);
    let answer = cluster.run(0, &["sync", "--from", &from(&cluster, 1)]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.out.contains("version not set: the configuration was changed meanwhile"), "{}", answer.out);
    assert_eq!(cluster.versions()[0], "1510000000.12345");
    pf2.mend();
    assert_eq!(cluster.run(0, &["sync", "--from", &from(&cluster, 1)]).status, Some(0));
    assert_eq!(pf1.read("conf/switches.conf"), b"[10.0.0.1]\n");
    assert_eq!(cluster.versions()[0], "1700000000.1");
}

#[test]
fn a_dry_run_writes_nothing() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    pf2.write("conf/switches.conf", b"[10.0.0.1]\nSNMPCommunityRead=hunter2\n");
    let before = identity(&pf1.root.join("conf/switches.conf"));
    let answer = cluster.run(0, &["sync", "--from", &from(&cluster, 1), "--dry-run"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.out.contains("+SNMPCommunityRead=********"), "{}", answer.out);
    assert_eq!(identity(&pf1.root.join("conf/switches.conf")), before);
    assert!(!pf1.root.join("var/pfcluster").exists());
}
