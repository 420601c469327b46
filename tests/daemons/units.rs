//! The units at work: two members, each with a systemd of its own, MariaDB with Galera, and the supervisor in its sandbox.
//!
//! Needs root and what `tests/install full` installs.

#[path = "units/machine.rs"]
mod machine;

use machine::{Machine, Room};
use serde_json::json;

/// One story, since each machine has to boot: the first member has PacketFence's unit with the drop-ins, the second the unit that
/// stands alone.
#[test]
#[ignore = "a minute, and needs systemd-container: .ci/run full"]
fn a_cluster_lives_in_the_sandbox() {
    let room = Room::new();
    let (first, second) = (room.boot(1, "packetfence-mariadb"), room.boot(2, "pfcluster-mariadb"));

    // Two empty databases: the supervisors hear each other, the first member bootstraps, the second joins by a state transfer
    // (mariabackup, socat and their scripts).
    [&first, &second].into_iter().for_each(|machine| drop(machine.systemctl("start")));
    [&first, &second].into_iter().for_each(|machine| machine.wait_for_members(2));
    assert_eq!(first.exec(&["cat", "/usr/local/pf/logs/pfcmd.log"]), "generatemariadbconfig");
    assert_eq!(first.exec(&["ls", "/etc/prepared"]), "/etc/prepared", "PacketFence's own command is not confined");
    assert!(second.log().contains("WSREP: SST succeeded"), "{}", second.log());
    first.query(
        "CREATE DATABASE lab; CREATE TABLE lab.t (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO lab.t VALUES (1)",
    );
    [&first, &second].into_iter().for_each(is_confined);
    let uuid = first.query(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='WSREP_CLUSTER_STATE_UUID'",
    );
    for machine in [&first, &second] {
        machine.wait("its records have the cluster", || {
            machine.output(&["grep", "-q", &uuid, "/usr/local/pf/var/pfcluster/records.json"]).status.success()
        });
    }
    first.wait("it has seen the backup", || {
        let status = first.status().unwrap_or_default();
        status["members"][0]["last_backup"]["file"] == json!("packetfence-db-dump-a.sql.gz")
    });

    the_database_outlives_the_supervisor(&second);
    a_killed_database_is_started_again(&first, &second);
    others_are_queried(&first, &second);
}

/// What the directives promise, and what they must not do.
fn is_confined(machine: &Machine<'_>) {
    let (supervisor, database) = (machine.property("MainPID"), machine.database().expect("a database"));
    for pid in [&supervisor, &database] {
        let status = machine.exec(&["cat", &format!("/proc/{pid}/status")]);
        assert!(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"), "{status}");
        let limits = machine.exec(&["cat", &format!("/proc/{pid}/limits")]);
        let core: Vec<&str> =
            limits.lines().find(|line| line.starts_with("Max core")).expect("a limit").split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "{limits}");
    }
    // The worker that keeps the session with this database: nothing of root, and nothing but what it asks with.
    let worker = machine.exec(&["pgrep", "--parent", &supervisor, "--full", "--", "--ask-a-database"]);
    let status = machine.exec(&["cat", &format!("/proc/{worker}/status")]);
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).expect("a line").trim();
    assert!(!line("Uid:").split_whitespace().any(|id| id == "0"), "{status}");
    assert_eq!(["CapPrm:", "CapEff:", "CapAmb:"].map(line), ["0000000000000000"; 3], "{status}");
    assert_eq!(["NoNewPrivs:", "Seccomp:"].map(line), ["1", "2"], "{status}");
    assert_eq!(machine.exec(&["cat", &format!("/proc/{worker}/environ")]), "");
    let inside =
        |words: &[&str]| machine.output(&[&["nsenter", "--target", &supervisor, "--mount", "--"], words].concat());
    for path in ["/etc/x", "/usr/x", "/usr/local/pf/conf/x", "/root/x", "/proc/sys/kernel/core_pattern"] {
        assert!(!inside(&["sh", "-c", &format!("echo x >{path}")]).status.success(), "{path} can be written");
    }
    // The data directory can be moved when its data are discarded, and what is mounted there is told from what is not.
    let mounts = machine.exec(&["cat", &format!("/proc/{supervisor}/mountinfo")]);
    let places = mounts.lines().filter_map(|line| line.split_whitespace().nth(4));
    assert_eq!(places.filter(|place| place.starts_with("/var/lib")).collect::<Vec<_>>(), [""; 0], "{mounts}");
    // A file system that is mounted later is seen.
    machine.exec(&["mkdir", "-p", "/var/lib/later"]);
    machine.exec(&["mount", "-t", "tmpfs", "later", "/var/lib/later"]);
    assert!(inside(&["mountpoint", "--quiet", "/var/lib/later"]).status.success());
    machine.exec(&["umount", "/var/lib/later"]);
}

/// A supervisor that is killed is started again by systemd; the database neither ends nor loses anything that it needs.
fn the_database_outlives_the_supervisor(machine: &Machine<'_>) {
    let (supervisor, database) = (machine.property("MainPID"), machine.database());
    machine.exec(&["kill", "-KILL", &supervisor]);
    machine.wait("another supervisor", || {
        machine.property("MainPID") != supervisor
            && machine.status().is_some_and(|status| !status["decision"].is_null())
    });
    assert_eq!(machine.database(), database);
    // A temporary table on disk.
    let sql = "SET tmp_disk_table_size=DEFAULT, tmp_memory_table_size=0; SET @before = (SELECT VARIABLE_VALUE FROM \
               information_schema.SESSION_STATUS WHERE VARIABLE_NAME='CREATED_TMP_DISK_TABLES'); \
               SELECT COUNT(*) FROM (SELECT DISTINCT seq, REPEAT('x', 512) FROM mysql.seq_1_to_1000) AS t; \
               SELECT VARIABLE_VALUE > @before FROM information_schema.SESSION_STATUS \
               WHERE VARIABLE_NAME='CREATED_TMP_DISK_TABLES'";
    assert_eq!(machine.query(sql), "1000\n1");
}

/// Its position is recovered first; the core of what was killed is not kept.
fn a_killed_database_is_started_again(first: &Machine<'_>, second: &Machine<'_>) {
    let before = second.database().expect("a database");
    second.exec(&["kill", "-SEGV", &before]);
    second.wait("another database", || second.database().is_some_and(|pid| pid != before));
    [first, second].into_iter().for_each(|machine| machine.wait_for_members(2));
    let pid = second.database().expect("a database");
    let line = second.exec(&["cat", &format!("/proc/{pid}/cmdline")]);
    assert!(line.contains("--wsrep_start_position="), "{line}");
    assert_eq!(second.exec(&["find", "/var/lib/mysql", "-name", "core*"]), "");
    assert_eq!(second.query("SELECT id FROM lab.t"), "1");
}

/// A member whose supervisor does not respond: its database is queried, in a process with a user of its own.
fn others_are_queried(first: &Machine<'_>, second: &Machine<'_>) {
    first.query("SET GLOBAL general_log_file='/var/lib/mysql/queries.log', GLOBAL general_log=ON");
    second.systemctl("stop");
    assert_eq!(second.database(), None, "told to end, the supervisor ends the database first");
    let supervisor = first.property("MainPID");
    first.exec(&["kill", "-STOP", &supervisor]);
    second.systemctl("start");
    second.wait("it queries the first member's database", || {
        first.exec(&["cat", "/var/lib/mysql/queries.log"]).contains("pfcluster@192.168.1.6")
    });
    first.exec(&["kill", "-CONT", &supervisor]);
    [first, second].into_iter().for_each(|machine| machine.wait_for_members(2));
}
