//! `pfcluster doctor` on a machine of its own: each fault is made, seen, mended by the very commands that were printed, and gone.
//!
//! Interfaces, sysctl, permissions, ports, PacketFence's files and the database are real. systemd, apt and PacketFence's
//! commands are stand-ins. Not made here: a VLAN interface that is missing (not every kernel has them), a clock that is wrong
//! (a namespace can't have one), a kernel without a setting; and what no command mends.

#[path = "doctor/machine.rs"]
mod machine;

use std::fs;

use machine::Machine;
use serde_json::{Value, json};

#[test]
fn kernel_and_network() {
    let machine = Machine::new();
    // As in any new network namespace.
    machine.mends("nonlocal-bind", "fail", "is 0");
    machine.mends("ipv6-disabled", "fail", "is 0");
    machine.fault("nonlocal-bind", "rm /etc/sysctl.d/90-cluster.conf", "warn", "nothing sets it at boot");
    machine.mends("ipv6-disabled", "warn", "nothing sets it at boot");
    let file = "printf 'a=1\\n -net/ipv4/ip_nonlocal_bind=0\\nb=2\\n' > /etc/sysctl.d/95-own.conf";
    machine.fault("nonlocal-bind", file, "warn", "/etc/sysctl.d/95-own.conf sets it to 0");
    assert_eq!(machine.run("cat /etc/sysctl.d/95-own.conf"), "a=1\nnet.ipv4.ip_nonlocal_bind = 1\nb=2");

    machine.fault("interfaces-present", "ip link set dev eth1.3 down", "fail", "eth1.3 is down");
    machine.fault(
        "interface-addresses",
        "ip address del 192.168.2.5/24 dev eth1.2",
        "fail",
        "does not have 192.168.2.5",
    );
    let prefix = "ip address add 192.168.1.5/16 dev eth0; ip address del 192.168.1.5/24 dev eth0";
    machine.fault("interface-subnets", prefix, "fail", "/16");
    // A virtual address changes nothing.
    machine.run("ip address add 192.168.1.10/32 dev eth0");
    ["interfaces-present", "interface-addresses", "interface-subnets"].iter().for_each(|id| machine.passes(id));
    machine.run("ip link del eth1.2");
    let found = machine.check("interfaces-present");
    assert_eq!((found.verdict.as_str(), found.seen.as_str()), ("fail", "there is no eth1.2"));

    machine.fault("host-name --host=pf1.example.com", "hostname pf9.example.com", "fail", "pf9.example.com");
}

#[test]
fn units_and_files() {
    let machine = Machine::new();
    machine.fault("boot-target", "systemctl set-default graphical.target", "fail", "graphical.target");
    machine.fault("distribution-mariadb-disabled", "systemctl enable mariadb", "fail", "mariadb is enabled");
    machine.fault("packetfence-mariadb-unit", "systemctl disable packetfence-mariadb", "fail", "is disabled");
    let masked = "echo masked > /usr/local/state/packetfence-mariadb.unit";
    machine.fault("packetfence-mariadb-unit", masked, "fail", "is masked");
    let left = "systemctl set-environment MARIADB_ARGS=--force-new-cluster";
    machine.fault("mariadb-arguments", left, "fail", "a cluster of its own");
    machine.fault("packetfence-scripts", "chmod 0644 /usr/local/pf/bin/cluster/pfupdate", "fail", "not executable");
    machine.fault("transfer-tools", "mount --bind /dev/null /usr/bin/socat", "fail", "needs socat");
    machine.fault("secret-file-modes", "chmod 0664 /usr/local/pf/conf/pf.conf", "fail", "pf.conf");

    machine.passes("supervisor-key");
    machine.run("mkdir /etc/systemd/system/packetfence-mariadb.service.d");
    machine.run("touch /etc/systemd/system/packetfence-mariadb.service.d/20-supervise.conf");
    machine.mends("supervisor-key", "fail", "does not start without");
    let rival = "systemctl enable packetfence-galera-autofix";
    machine.fault("galera-autofix-disabled", rival, "fail", "galera-autofix is enabled");
    machine.run("chmod 0644 /usr/local/pf/conf/pfcluster.key");
    assert_eq!(machine.check("supervisor-key").verdict, "fail");
    machine.mends("secret-file-modes", "fail", "pfcluster.key");
    machine.passes("supervisor-key");

    let disabled = "touch /usr/local/pf/var/run/pf1.example.com-cluster-disabled";
    machine.fault("members-enabled", disabled, "fail", "disabled on itself");
    let disabled = "touch /usr/local/pf/var/run/pf3.example.com-cluster-disabled";
    machine.fault("members-enabled", disabled, "warn", "pf3.example.com is disabled here");

    machine.mends("generated-files", "warn", "missing");
    machine.fault(
        "generated-files",
        "sed -i s/max_connections=50/max_connections=60/ /usr/local/pf/conf/pf.conf",
        "warn",
        "not those",
    );
    machine.fault("secret-file-modes", "chmod 0644 /usr/local/pf/var/conf/mariadb.conf", "warn", "mariadb.conf");
    // PacketFence's own.
    machine.run("echo '# keepalived' > /usr/local/pf/var/conf/keepalived.conf");
    assert!(machine.check("generated-files").seen.contains("PacketFence's own: var/conf/keepalived.conf"));
}

#[test]
fn ports() {
    let machine = Machine::new();
    ["database-ports", "supervisor-port"].iter().for_each(|id| machine.passes(id));
    machine.mends("webservices-port", "warn", "nothing listens on 192.168.1.5:9090");
    // On another address, or as another transport, nobody is in the way.
    machine.run("setsid socat TCP-LISTEN:4568,bind=127.0.0.1,fork /dev/null >/dev/null 2>&1 &");
    machine.run("setsid socat TCP-LISTEN:4254,fork /dev/null >/dev/null 2>&1 &");
    machine.until("ss -Htln | grep -q :4568 && ss -Htln | grep -q :4254");
    ["database-ports", "supervisor-port"].iter().for_each(|id| machine.passes(id));
    // A socket of IPv6 may take what comes by IPv4.
    machine.run("sysctl -q -w net.ipv6.conf.all.disable_ipv6=0");
    for (id, socket, port, transport) in [
        ("database-ports", "TCP-LISTEN:4567,fork", "4567", "TCP"),
        ("database-ports", "TCP6-LISTEN:3306,ipv6only=0,fork", "3306", "TCP"),
        ("supervisor-port", "UDP-RECVFROM:4254,fork", "4254", "UDP"),
    ] {
        let pid = machine.run(&format!("setsid socat {socket} /dev/null >/dev/null 2>&1 & echo $!"));
        machine.until(&format!("ss -Htulnp | grep ':{port} ' | grep -q pid={pid},"));
        let found = machine.check(id);
        let seen = format!("{transport} {port} is held by socat (process {pid})");
        assert_eq!((found.verdict.as_str(), found.seen), ("fail", seen));
        // It shows who that is.
        assert_eq!(machine.run(&found.commands[0]), "socat");
        machine.run(&format!("kill {pid}"));
        machine.until(&format!("! ss -Htulnp | grep -q pid={pid},"));
        machine.passes(id);
    }
}

#[test]
fn a_database() {
    let machine = Machine::new();
    // Before there is one.
    let found = machine.check("datadir-owner");
    assert_eq!((found.verdict.as_str(), found.seen.as_str()), ("fail", "/var/lib/mysql is root's"));
    machine.mends("datadir-owner", "fail", "root's");
    assert_eq!(machine.check("galera-settings").seen, "there is no mariadb.conf yet");
    machine.run("pfcluster generate all --install");
    machine.run("chown root:mysql /usr/local/pf/var/conf/mariadb.conf");
    machine.run("mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/mysql --skip-test-db");
    let conf = "/usr/local/pf/var/conf/mariadb.conf";
    let set = |name: &str, value: &str| format!("sed -i 's|^{name}=.*|{name}={value}|' {conf}");
    machine.fault("binlog-format", &set("binlog-format", "MIXED"), "fail", "MIXED (in mariadb.conf)");
    machine.fault("galera-settings", &set("wsrep_on", "OFF"), "fail", "wsrep_on is OFF");
    machine.fault("galera-settings", &set("wsrep_cluster_address", "gcomm://192.168.1.5"), "fail", "lacks pf2");
    machine.fault("galera-library", &set("wsrep_provider", "/nowhere"), "fail", "/nowhere");
    assert_eq!(machine.check("database-synced").seen, "no database runs");

    machine.run("systemctl start packetfence-mariadb");
    ["database-ports", "galera-settings", "galera-library", "binlog-format", "autoinc-lock-mode", "max-connections"]
        .iter()
        .for_each(|id| machine.passes(id));
    machine.until("mariadb -e \"SHOW STATUS LIKE 'wsrep_ready'\" | grep -q ON");
    machine.passes("database-synced");
    // As PacketFence has it, until somebody decides otherwise.
    machine.mends("commit-durability", "warn", "is 2: a power cut");
    machine.fault(
        "commit-durability",
        "mariadb -e 'SET GLOBAL innodb_flush_log_at_trx_commit = 0'",
        "warn",
        "is 0: a crash",
    );
    machine.fault("max-connections", "mariadb -e 'SET GLOBAL max_connections = 60'", "warn", "pf.conf has 50");
    // A setting for which the server has to start again.
    machine.run(&set("innodb_autoinc_lock_mode", "1"));
    machine.run("systemctl restart packetfence-mariadb");
    machine.mends("autoinc-lock-mode", "fail", "is 1");
    machine.until("mariadb -e \"SHOW STATUS LIKE 'wsrep_ready'\" | grep -q ON");

    users(&machine);
    from_afar(&machine);
    machine.fault("maintenance-off", "touch /usr/local/pf/var/maintenance-mode", "warn", "in maintenance");
    no_connection_left(&machine);
}

fn users(machine: &Machine) {
    machine.run("mariadb -e \"DELETE FROM mysql.global_priv WHERE user = ''; FLUSH PRIVILEGES\"");
    machine.fault("anonymous-database-users", "mariadb -e \"CREATE USER ''@'localhost'\"", "fail", "''@'localhost'");
    let found = machine.check("replication-user");
    assert_eq!(found.seen, "there is no 'pfcluster'@'localhost'; there is no 'pfcluster'@'%'");
    // The password is the administrator's to give; privileges follow by command.
    for host in ["localhost", "%"] {
        fs::write(machine.at("local/user.sql"), format!("CREATE USER 'pfcluster'@'{host}' IDENTIFIED BY 'kL4vWp2sXz'"))
            .expect("a scratch file");
        machine.run("mariadb < /usr/local/user.sql");
    }
    machine.mends("replication-user", "fail", "'pfcluster'@'%' lacks RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT");
    let revoked = "mariadb -e \"REVOKE LOCK TABLES ON *.* FROM 'pfcluster'@'localhost'\"";
    machine.fault("replication-user", revoked, "fail", "'pfcluster'@'localhost' lacks LOCK TABLES");
}

/// As pf2 sees pf1: its database and its clock.
fn from_afar(machine: &Machine) {
    let (_, document) = machine.doctor("--all --host=pf2.example.com --datadir=/usr/local/bin --socket=/nobody");
    let members = document["members"].as_array().expect("a list");
    let hosts: Vec<&Value> = members.iter().map(|member| &member["host"]).collect();
    assert_eq!(hosts, [&json!("pf2.example.com"), &json!("pf1.example.com"), &json!("pf3.example.com")]);
    let find = |number: usize, id: &str| {
        let checks: &Vec<Value> = members[number]["checks"].as_array().expect("a list");
        let check = checks.iter().find(|check| check["id"] == id).expect("all checks are there");
        (check["verdict"].clone(), check["seen"].as_str().unwrap_or_default().to_owned())
    };
    for id in ["galera-settings", "binlog-format", "autoinc-lock-mode", "max-connections", "database-synced"] {
        assert_eq!(find(1, id).0, "pass", "{id}: {}", find(1, id).1);
    }
    assert_eq!(find(1, "commit-durability").0, "warn", "it has started again since");
    assert_eq!(find(1, "nonlocal-bind"), (json!("unknown"), "only seen on that server itself".to_owned()));
    let (verdict, seen) = find(2, "database-synced");
    assert!(verdict == "unknown" && seen.contains("database"), "{seen}");
    // Two members on one machine have one clock; the third is silent, and that is said.
    let (verdict, seen) = find(0, "clocks");
    assert!(verdict == "unknown" && seen.starts_with("pf3.example.com: "), "{seen}");
    assert_eq!(find(0, "database-synced"), (json!("warn"), "no database runs".to_owned()));
}

/// Root gets one connection more than others, unless that is taken, too.
fn no_connection_left(machine: &Machine) {
    machine.run("mariadb -e 'SET GLOBAL max_connections = 10'");
    let holder = "setsid mariadb -e 'SELECT SLEEP(600)' >/dev/null 2>&1 </dev/null &";
    machine.run(&format!("for n in 1 2 3 4 5 6 7 8; do {holder} done"));
    let used = "mariadb -N -e \"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(600)'\"";
    machine.until(&format!("[ \"$({used})\" -eq 8 ]"));
    let found = machine.check("max-connections");
    assert!(found.verdict == "warn" && found.seen.ends_with("of 10 are used"), "{found:?}");
    assert!(found.commands.iter().any(|command| command.ends_with("max_connections = 20'")), "{found:?}");
    // Each question takes a place, too.
    machine.until(&format!("{holder} mariadb -e 'SELECT 1' 2>&1 | grep -q 'Too many'"));
    let found = machine.check("max-connections");
    assert_eq!((found.verdict.as_str(), found.seen.as_str()), ("fail", "the database takes no more connections"));
    machine.run("pkill -f 'SLEEP[(]600'");
    machine.until("mariadb -e 'SET GLOBAL max_connections = 50' 2>/dev/null");
    machine.passes("max-connections");
}
