//! Names and links that lead elsewhere: nothing outside the synchronised directories is read or written.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use pfcluster_tests::program::program_at;
use pfcluster_tests::webservices::{Answer, Cluster};

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    let from = cluster.members[1].address.to_string();
    let names = [
        ("/etc/passwd", "it is outside /usr/local/pf and /usr/local/fingerbank"),
        ("/usr/local/pf/../../../etc/passwd", "it has an empty part, `.` or `..`"),
        ("/usr/local/pf", "it is outside"),
        ("/usr/local/pf/", "it has an empty part"),
        ("/usr/local/pfx/conf", "it is outside"),
        ("/usr/local/pf//conf/pf.conf", "it has an empty part"),
        ("/usr/local/pf/conf/./pf.conf", "it has an empty part"),
        ("conf/pf.conf", "it is no absolute path"),
        ("/usr/local/pf/conf/a b", "printable ASCII"),
        ("/usr/local/pf/conf/\u{e9}", "printable ASCII"),
        ("/usr/local/pf/var/pfcluster/pins", "it belongs to one member only"),
        ("/usr/local/pf/var/run/pf2.example.com-cluster-disabled", "it belongs to one member only"),
    ];
    for (name, message) in names {
        let file = cluster.run(0, &["sync", "--as-master", "--file", name]);
        assert_eq!(file.status, Some(2), "{name}: {file:?}");
        assert!(file.err.contains(message), "{name}: {}", file.err);
        pf1.write("conf/cluster-files.txt", format!("/usr/local/pf/conf/x\n{name}\n").as_bytes());
        for arguments in [&["sync", "--as-master"][..], &["sync", "--from", &from]] {
            let listed = cluster.run(0, arguments);
            assert_eq!(listed.status, Some(2), "{name}: {listed:?}");
            assert!(listed.err.contains("cluster-files.txt: line 2: "), "{name}: {}", listed.err);
            assert!(listed.err.contains(message) && listed.err.contains("\nhint: "), "{name}: {}", listed.err);
        }
    }
    assert!(
        cluster.members.iter().all(|member| member.count("download_configfile") == 0),
        "nobody was asked for anything"
    );
}

/// The directories belong to PacketFence's user: what it puts there must not turn root's writing around.
#[test]
fn links_in_the_way_are_refused_and_listed() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    let from = pf2.address.to_string();
    let precious = cluster.file("precious", "precious\n");
    let elsewhere = precious.with_file_name("elsewhere");
    fs::create_dir(&elsewhere).expect("a writable directory");
    for name in ["conf/switches.conf", "conf/realm.conf", "conf/radiusd/eap_profiles.conf", "raddb/certs/server.crt"] {
        pf2.write(name, b"[new]\n");
    }
    fs::remove_file(pf1.root.join("conf/switches.conf")).expect("a file");
    symlink(&precious, pf1.root.join("conf/switches.conf")).expect("a writable directory");
    symlink(&elsewhere, pf1.root.join("conf/radiusd")).expect("a writable directory");
    fs::create_dir_all(pf1.root.join("raddb/certs/server.crt")).expect("a writable directory");
    cluster.set_versions(["1", "2", "1"]);
    let answer = cluster.run(0, &["sync", "--from", &from]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    for (name, why) in [
        ("conf/switches.conf", "it is no plain file"),
        ("conf/radiusd/eap_profiles.conf", "it is no plain file"),
        ("raddb/certs/server.crt", "it is a directory"),
    ] {
        let line = answer.out.lines().find(|line| line.contains(&format!("failed: /usr/local/pf/{name}: ")));
        assert!(line.is_some_and(|line| line.ends_with(why)), "{name}: {}", answer.out);
    }
    assert_eq!(fs::read(&precious).expect("the file"), b"precious\n");
    assert_eq!(fs::read_dir(&elsewhere).expect("the directory").count(), 0);
    assert_eq!(pf1.read("conf/realm.conf"), b"[new]\n", "the others arrive");
    assert_eq!(cluster.versions()[0], "1", "and the version waits for all of them");
}

/// A backup that went through a link would be somebody else's.
#[test]
fn backups_and_pins_follow_no_link_either() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    let elsewhere = cluster.file("x", "").with_file_name("elsewhere");
    fs::create_dir(&elsewhere).expect("a writable directory");
    symlink(&elsewhere, pf1.root.join("var/pfcluster")).expect("a writable directory");
    pf2.write("conf/switches.conf", b"[new]\n");
    let answer = cluster.run(0, &["sync", "--from", &pf2.address.to_string()]);
    assert_eq!(answer.status, Some(2), "{answer:?}");
    assert!(answer.err.contains("var/pfcluster: it is no plain file"), "{}", answer.err);
    assert_eq!(fs::read_dir(&elsewhere).expect("the directory").count(), 0);
    assert_ne!(pf1.read("conf/switches.conf"), b"[new]\n");
}

/// What is listed and not there is told, and holds nobody up.
#[test]
fn a_listed_file_that_is_missing_is_told() {
    let cluster = Cluster::new();
    cluster.members[0].write("conf/cluster-files.txt", b"/usr/local/pf/raddb/gone\n");
    let answer = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    let line = "failed: /usr/local/pf/raddb/gone: it is listed in conf/cluster-files.txt, but not there";
    assert!(answer.out.contains(line), "{}", answer.out);
    let versions = cluster.versions();
    assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
}

#[test]
fn a_directory_that_can_not_be_written_to_is_one_clear_message() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    // A file where the directory of the lock, the pins and the backups would be.
    pf1.write("var/pfcluster", b"");
    let answer = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(answer.status, Some(2), "{answer:?}");
    assert!(answer.err.starts_with("error: cannot read ") && answer.err.contains("\nhint: "), "{}", answer.err);
    assert_eq!(cluster.members[1].count("get_config_version"), 0);
}

/// Runs as the user nobody: root is stopped by no permission.
#[test]
fn without_the_permission_it_says_who_has_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    let copy = cluster.file("pfcluster", "");
    fs::remove_file(&copy).expect("our own file");
    program_at(&copy);
    for path in [copy.parent().expect("a directory"), &copy] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file");
    }
    cluster.members[1].write("conf/switches.conf", b"[new]\n");
    let run = |arguments: &[&str]| {
        let root = pf1.root.to_string_lossy();
        let mut command = Command::new(&copy);
        command.args(arguments).args(["--root", &*root, "--host", &*pf1.host]).current_dir("/");
        Answer::of(&command.uid(65534).gid(65534).stdin(Stdio::null()).output().expect("it starts"))
    };
    assert_eq!(run(&["conflict"]).status, Some(0), "looking is free");
    for arguments in [&["sync", "--from", &cluster.members[1].address.to_string()][..], &["sync", "--as-master"]] {
        let answer = run(arguments);
        assert_eq!(answer.status, Some(2), "{answer:?}");
        assert!(answer.err.contains("permission denied\nhint: run it as root"), "{}", answer.err);
    }
    fs::set_permissions(pf1.root.join("conf/pf.conf"), fs::Permissions::from_mode(0o600)).expect("our own file");
    let unreadable = run(&["conflict"]);
    assert_eq!(unreadable.status, Some(2), "{unreadable:?}");
    assert!(unreadable.err.contains("conf/pf.conf: permission denied\nhint: run it as root"), "{}", unreadable.err);
}
