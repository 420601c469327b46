//! The real MariaDB and Galera on generated files: they start, say nothing against them, and form a cluster.
//!
//! Each member is a network namespace with the member's own address. Needs root and Debian's mariadb-server, galera-4,
//! mariadb-backup, socat, iproute2 and util-linux.

#[path = "mariadb/lab.rs"]
mod lab;
#[path = "mariadb/member.rs"]
mod member;
#[path = "mariadb/status.rs"]
mod status;

use std::fs;
use std::time::{Duration, Instant};

use lab::{Lab, make_dir, run, wait_until};
use member::{Member, command_lines_with};
use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::generate::{Rendered, Request, mariadb};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::span::Source;
use pfcluster_tests::program::examples;

// The tests ----------------------------------------------------------------------------------------------------------

#[test]
fn the_guides_member_starts_with_version_8() {
    starts("guide", "pf2.example.com", "8", Change::None);
}

#[test]
fn the_guides_member_starts_with_version_12() {
    starts("guide", "pf2.example.com", "12", Change::None);
}

#[test]
fn the_guides_member_starts_with_version_14_and_the_hook() {
    starts("guide", "pf2.example.com", "14", Change::Hook);
}

#[test]
fn five_members_start() {
    ["8", "12", "14"]
        .into_iter()
        .for_each(|version| starts("five-members", "nac1.corp.example", version, Change::None));
}

#[test]
fn two_zones_start() {
    ["8.2", "12", "14"]
        .into_iter()
        .for_each(|version| starts("two-zones", "pf1-dc2.example.com", version, Change::None));
}

#[test]
fn a_member_on_its_own_starts() {
    ["8", "12", "14"].into_iter().for_each(|version| starts("guide", "pf2.example.com", version, Change::Alone));
}

#[test]
fn a_zone_that_follows_and_its_master_start() {
    starts("two-zones", "pf1-dc2.example.com", "14", Change::Following);
    starts("two-zones", "pf1-dc1.example.com", "14", Change::Following);
}

/// Everything that can be in a password, read back by the programs that MariaDB's scripts use.
#[test]
fn a_password_survives_mysqld_safe_and_the_transfer_scripts() {
    let lab = Lab::new(&["192.168.1.6"]);
    let member = lab.member(0, "guide", "pf2.example.com", "14", &Change::Password(PASSWORD));
    for groups in [&["--mysqld"][..], &["galera"]] {
        let printed = run("my_print_defaults", &[&[&*member.defaults_file()], groups].concat());
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        let auth: Vec<&str> = printed.lines().filter(|line| line.starts_with("--wsrep_sst_auth=")).collect();
        assert_eq!(auth, [format!("--wsrep_sst_auth=pfcluster:{PASSWORD}")]);
        // mysqld_safe splits this at blanks, and takes what begins with `--` for an option.
        let words = printed.split_whitespace().filter(|word| !word.starts_with("--"));
        assert!(words.into_iter().all(|word| matches!(word, "NAMES" | "utf8mb4")), "{printed}");
    }
}

const PASSWORD: &str = "p\"a\\b#c'd;$(e)`f`{g}*%h";

/// Three members, mariabackup, a password that needs quotes, and the hook through all that can happen to a member.
#[test]
fn three_members_form_a_cluster_and_the_hook_follows_it() {
    let lab = Lab::new(&["192.168.1.5", "192.168.1.6", "192.168.1.7"]);
    let change = Change::HookAndPassword(PASSWORD);
    let hosts = ["pf1.example.com", "pf2.example.com", "pf3.example.com"];
    let mut members: Vec<Member<'_>> =
        hosts.iter().enumerate().map(|(n, host)| lab.member(n, "guide", host, "14", &change)).collect();

    members[0].start(&["--wsrep-new-cluster"]);
    members[0].wait_for("wsrep_ready", "ON");
    members[0].create_replication_user(PASSWORD);
    // One of three is no majority: the guide's read-only mode (4.1, 4.2).
    members[0].wait_for_read_only(true);

    for joiner in &mut members[1..] {
        fs::remove_dir_all(&joiner.datadir).expect("an empty member");
        make_dir(&joiner.datadir);
        joiner.start(&[]);
        joiner.wait_for("wsrep_local_state_comment", "Synced");
    }
    for member in &members {
        member.wait_for("wsrep_cluster_size", "3");
        member.wait_for_read_only(false);
        let incoming = member.status("wsrep_incoming_addresses");
        ["192.168.1.5:3306", "192.168.1.6:3306", "192.168.1.7:3306"]
            .iter()
            .for_each(|address| assert!(incoming.contains(address), "{incoming}"));
    }
    let ids: Vec<String> = members.iter().map(|member| member.query("SELECT @@server_id")).collect();
    assert_eq!(ids, ["3232235781", "3232235782", "3232235783"]);
    members[0].query("CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    members[2].query("INSERT INTO pf.node VALUES ('00:11:22:33:44:55')");
    wait_until("the row is on pf1", 10, || members[0].query("SELECT COUNT(*) FROM pf.node") == "1");

    // Cut off, and back.
    lab.plug(2, "down");
    members[2].wait_for("wsrep_cluster_status", "non-Primary");
    members[2].wait_for_read_only(true);
    members[0].wait_for("wsrep_cluster_size", "2");
    members[0].wait_for_read_only(false);
    lab.plug(2, "up");
    members[2].wait_for("wsrep_local_state_comment", "Synced");
    members[2].wait_for_read_only(false);

    // The others leave gracefully: Galera's survivor stays primary, the guide wants it read-only.
    members[2].stop();
    members[1].stop();
    members[0].wait_for("wsrep_cluster_size", "1");
    assert_eq!(members[0].status("wsrep_cluster_status"), "Primary");
    members[0].wait_for_read_only(true);

    // By hand, without Galera's arguments and with: it answers at once and shows the password to nobody.
    for arguments in
        [&[][..], &["--status", "synced", "--uuid", "u", "--primary", "yes", "--index", "0", "--members", "a/b/c"]]
    {
        members[0].query("SET GLOBAL read_only=OFF");
        let began = Instant::now();
        let output = members[0].call_hook(arguments);
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "Galera waits for it");
        wait_until("read_only is ON again", 10, || {
            assert_eq!(command_lines_with(PASSWORD), Vec::<String>::new());
            members[0].query("SELECT @@GLOBAL.read_only") == "1"
        });
    }
    for member in &members {
        assert_eq!(member.complaints(), Vec::<String>::new());
    }
}

/// Neither a database that does not answer nor a lock that `read_only` has to wait for holds up the hook, and with it
/// Galera. (What it starts has nothing of the server's open: the server can end and start again meanwhile.)
#[test]
fn the_hook_never_blocks() {
    let lab = Lab::new(&["192.168.1.6"]);
    let mut member = lab.member(0, "guide", "pf2.example.com", "14", &Change::HookAndPassword(PASSWORD));
    let began = Instant::now();
    assert!(member.call_hook(&["--status", "connecting"]).status.success());
    assert!(began.elapsed() < Duration::from_secs(2), "without a database");
    // Galera starts with it and goes on without it.
    member.start(&["--wsrep-new-cluster"]);
    member.wait_for("wsrep_ready", "ON");
    let workers = member.processes_of("db-update");
    assert!(!workers.is_empty(), "Galera has called the hook");
    for pid in workers {
        // What the server has open must not stay open in a process that outlives it.
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let targets: Vec<String> =
            open.filter_map(|fd| Some(fs::read_link(fd.path()).ok()?.display().to_string())).collect();
        let foreign = |target: &&String| target.contains("socket:") || target.contains("/data");
        assert_eq!(targets.iter().filter(foreign).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    member.create_replication_user(PASSWORD);
    member.wait_for_read_only(true);
    member.query("SET GLOBAL read_only=OFF; CREATE DATABASE pf; CREATE TABLE pf.node (mac CHAR(17) PRIMARY KEY)");
    std::thread::scope(|scope| {
        let lock = scope.spawn(|| member.query("LOCK TABLES pf.node WRITE; SELECT SLEEP(7)"));
        wait_until("the lock is there", 5, || member.query("SHOW PROCESSLIST").contains("SLEEP(7)"));
        let began = Instant::now();
        assert!(member.call_hook(&[]).status.success());
        assert!(began.elapsed() < Duration::from_secs(2), "with a lock");
        lock.join().expect("the lock's session");
    });
    member.wait_for_read_only(true);
}

// Starting one member -----------------------------------------------------------------------------------------------

/// What is different from the example.
#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    Hook,
    /// The other members are disabled.
    Alone,
    /// DC2 follows DC1.
    Following,
    Password(&'static str),
    HookAndPassword(&'static str),
}

/// The member starts, says nothing against the file, and has the file's values.
fn starts(example: &str, host: &str, version: &str, change: Change) {
    let (rendered, address) = generate(example, host, version, &change, "/unused");
    let with_galera = rendered.files[0].text.contains("wsrep_on=ON");
    let lab = Lab::new(&[&address]);
    let mut member = lab.member(0, example, host, version, &change);
    member.shows_its_values();
    member.start(if with_galera { &["--wsrep-new-cluster"] } else { &[] });
    if with_galera {
        member.wait_for("wsrep_ready", "ON");
        assert_eq!(member.status("wsrep_cluster_size"), "1");
        assert_eq!(member.status("wsrep_incoming_addresses"), format!("{address}:3306"));
    } else {
        member.wait_for("threads_connected", "1");
    }
    assert_eq!(member.query("SELECT @@bind_address, @@port"), format!("{address}\t3306"));
    member.stop();
    assert_eq!(member.complaints(), Vec::<String>::new(), "{example} {version} {change:?}");
}

/// The generated files and the member's address.
fn generate(example: &str, host: &str, version: &str, change: &Change, install_dir: &str) -> (Rendered, String) {
    let folder = examples().join(example);
    let read = |file| fs::read_to_string(folder.join(file)).expect("a file of the example");
    let (mut cluster_conf, mut pf_conf) = (read("cluster.conf"), read("pf.conf"));
    pf_conf += "\n[database_advanced]\ninnodb_buffer_pool_size=32\nkey_buffer_size=4\nmax_connections=50\n";
    match change {
        Change::Following => {
            cluster_conf = cluster_conf.replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\n");
        }
        Change::Password(password) | Change::HookAndPassword(password) => {
            pf_conf = pf_conf.replace("aMuchMoreSecurePassword", password);
        }
        Change::None | Change::Hook | Change::Alone => {}
    }
    let version = version.parse().expect("a version");
    let cluster_conf = Document::parse(Source::ClusterConf, cluster_conf.as_bytes()).value;
    let cluster = Cluster::from_document(&cluster_conf).value;
    let pf_conf = Document::parse(Source::PfConf, pf_conf.as_bytes()).value;
    let pf_conf = PfConf::new(&pf_conf, None, version);
    let me: Hostname = host.parse().expect("a host name");
    let mut request = Request::new(&cluster, &pf_conf, &me, version);
    request.options.readonly_hook = matches!(change, Change::Hook | Change::HookAndPassword(_));
    install_dir.clone_into(&mut request.options.install_dir);
    if let Change::Alone = change {
        let others = cluster.members().map(|member| &member.host).filter(|other| **other != me);
        request.disabled = others.cloned().collect();
    }
    let rendered = mariadb(&request).expect("an example that works");
    let address = cluster.member(host).and_then(|member| member.addresses.management_ip).expect("an address");
    (rendered, address.value.to_string())
}
