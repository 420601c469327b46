//! All checks, in the order in which a server is set up.

use super::{Check, Known, Outcome, Server};
use super::{database, files, membership, network, ports, secrets, storage, tools, units};

type Examine = fn(&Server<'_>) -> Known<Outcome>;

/// All checks, in the order in which a server is set up.
#[rustfmt::skip]
pub static CHECKS: [Check; 38] = [
    // The files, and the server's place in them.
    own("configuration", "3.4.2", "cluster.conf and pf.conf have no errors", files::configuration),
    server("host-name", "3.4.2", "the server's host name is a member's", membership::host_name),
    server("members-enabled", "8.4.4", "this server counts all members in, itself before all", membership::members_enabled),
    server("maintenance-off", "5.6", "the server is in service", membership::maintenance_off),
    // Kernel and network.
    server("nonlocal-bind", "3.3", "services may bind to addresses that other members hold", network::nonlocal_bind),
    server("ipv6-disabled", "8.3", "IPv6 is off", network::ipv6_disabled),
    server("interfaces-present", "8.2", "the interfaces of cluster.conf are there, and up", network::interfaces_present),
    server("interface-addresses", "3.3.1", "each interface has the address that cluster.conf gives it", network::interface_addresses),
    server("interface-subnets", "2", "each virtual address is in the network of its interface", network::interface_subnets),
    // Units, and programs.
    server("boot-target", "3.4.2", "the server boots into the cluster's services", units::boot_target),
    server("distribution-mariadb-disabled", "3.3", "nothing but PacketFence starts a database", units::distribution_mariadb_disabled),
    server("packetfence-mariadb-unit", "3.2", "PacketFence's own unit starts the database", units::packetfence_mariadb_unit),
    server("mariadb-arguments", "3.5.3", "the next start of the database is a normal one", units::mariadb_arguments),
    server("galera-autofix-disabled", "4", "no other program repairs a database that pfcluster supervises", units::galera_autofix_disabled),
    server("packetfence-scripts", "3.4.2", "the scripts are there that generated files call", units::packetfence_scripts),
    server("transfer-tools", "3.1", "the programs are there that carry a database to another member", tools::transfer_tools),
    server("galera-library", "3.1", "Galera's library is there", tools::galera_library),
    // Who listens.
    server("database-ports", "3.4.2", "no other program has its ports", ports::database_ports),
    server("supervisor-port", "4", "no other program has its port", ports::supervisor_port),
    server("webservices-port", "3.5.2", "the web services listen where other members ask", ports::webservices_port),
    // Secrets.
    own("vrrp-password", "3.6", "the VRRP password is the cluster's own, and whole", secrets::vrrp_password),
    own("replication-password", "3.2", "the replication user's password is the cluster's own", secrets::replication_password),
    own("webservices-password", "3.5.1", "the web services' password is the cluster's own", secrets::webservices_password),
    server("supervisor-key", "4", "the key of the supervisors is there, and secret", secrets::supervisor_key),
    server("secret-file-modes", "3.6", "files with secrets are not readable by all users", secrets::secret_file_modes),
    // The database.
    server("datadir-owner", "3.5.3", "the data directory belongs to the database", storage::datadir_owner),
    server("datadir-space", "3.5.3", "a second copy of the data would fit", storage::datadir_space),
    server("galera-settings", "3.4.1", "the database takes part in Galera, with the members of cluster.conf", database::galera_settings),
    server("binlog-format", "4", "changes are replicated row by row", database::binlog_format),
    server("autoinc-lock-mode", "4", "numbers are given without a lock on the table", database::autoinc_lock_mode),
    server("commit-durability", "4.3", "what was committed survives a power cut", database::commit_durability),
    server("max-connections", "8.5.1", "there are connections left", database::max_connections),
    server("database-synced", "3.5.3", "the database is primary and synced", database::database_synced),
    server("replication-user", "3.2", "the replication user is there, with its privileges", database::replication_user),
    server("anonymous-database-users", "3.2", "there is no user without a name", database::anonymous_users),
    own("monitoring-account", "4", "an account without privileges asks the other members' databases", database::monitoring_account),
    // What was written for the daemons, and the other members.
    server("generated-files", "3.4.2", "the daemons' files are those of this configuration", files::generated_files),
    server("clocks", "7.5", "the members' clocks agree", membership::clocks),
];

const fn own(id: &'static str, guide: &'static str, about: &'static str, examine: Examine) -> Check {
    Check { id, about, guide, is_about_files: true, examine }
}

const fn server(id: &'static str, guide: &'static str, about: &'static str, examine: Examine) -> Check {
    Check { id, about, guide, is_about_files: false, examine }
}
