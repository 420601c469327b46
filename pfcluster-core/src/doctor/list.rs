//! All checks, in the order in which a server is set up.

use super::Check;

/// All checks, in the order in which a server is set up.
pub static CHECKS: [Check; 36] = [
    // The files, and the server's place in them.
    check("configuration", "cluster.conf and pf.conf have no errors", "3.4.2"),
    check("host-name", "the server's host name is a member's", "3.4.2"),
    check("members-enabled", "this server counts all members in, itself before all", "8.4.4"),
    check("maintenance-off", "the server is in service", "5.6"),
    // Kernel and network.
    check("nonlocal-bind", "services may bind to addresses that other members hold", "3.3"),
    check("ipv6-disabled", "IPv6 is off", "2"),
    check("interfaces-present", "the interfaces of cluster.conf are there, and up", "2"),
    check("interface-addresses", "each has the server's address", "3.3.1"),
    check("interface-subnets", "each virtual address is in the network of its interface", "2"),
    // Programs and units.
    check("boot-target", "the server boots into the cluster's services", "3.4.2"),
    check("distribution-mariadb-disabled", "nobody but PacketFence starts a database", "3.3"),
    check("packetfence-mariadb-unit", "PacketFence's own unit does", "3.2"),
    check("mariadb-arguments", "the next start of the database is a normal one", "3.5.3"),
    check("packetfence-scripts", "the scripts are there that generated files call", "3.4.2"),
    check("transfer-tools", "the programs are there that carry a database to another member", "3.1"),
    check("galera-library", "Galera's library is there", "3.1"),
    // Who listens.
    check("database-ports", "nobody but the database has its ports", "3.4.2"),
    check("supervisor-port", "nobody but the supervisor has its port", "4"),
    check("webservices-port", "the web services listen where other members ask", "3.5.2"),
    // Secrets.
    check("vrrp-password", "the VRRP password is the cluster's own, and whole", "3.6"),
    check("replication-password", "the replication user's password is the cluster's own", "3.2"),
    check("webservices-password", "the web services' password is the cluster's own", "3.5.1"),
    check("supervisor-key", "the key of the supervisors is there, and secret", "4"),
    check("secret-file-modes", "files with secrets are readable by their owners only", "3.6"),
    // The database.
    check("datadir-owner", "the data directory belongs to the database", "3.5.3"),
    check("datadir-space", "a second copy of the data would fit", "3.5.3"),
    check("galera-settings", "the database takes part in Galera, with the members of cluster.conf", "3.4.1"),
    check("binlog-format", "changes are written row by row", "4"),
    check("autoinc-lock-mode", "numbers are given without a table lock", "4"),
    check("commit-durability", "what was committed survives a power cut", "4.3"),
    check("max-connections", "there are connections left", "8.5.1"),
    check("database-synced", "the database is primary and synced", "3.5.3"),
    check("replication-user", "the replication user is there", "3.2"),
    check("anonymous-database-users", "there is no user without a name", "3.2"),
    // The other members, and what was written for the daemons.
    check("generated-files", "the daemons' files are those of this configuration", "3.4.2"),
    check("clocks", "the members' clocks agree", "7.5"),
];

const fn check(id: &'static str, about: &'static str, guide: &'static str) -> Check {
    Check { id, about, guide }
}
