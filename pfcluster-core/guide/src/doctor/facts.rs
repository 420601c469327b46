//! What was seen of a server. Whatever could not be seen says why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::status::Connections;
use pfcluster_core::supervisor::KeyIds;

/// What is known of a thing, or why it is not.
pub type Known<T> = Result<T, Box<str>>;

/// The programs that are looked for.
pub const PROGRAMS: [&str; 6] = ["mariabackup", "mariadb-backup", "innobackupex", "xtrabackup", "socat", "rsync"];

/// The ports whose holders are looked for, with what holds them.
pub const PORTS: [u16; 6] = [3306, 4444, 4567, 4568, super::ports::SUPERVISOR, super::ports::WEBSERVICES];

/// The units whose state at boot is looked for.
pub const UNITS: [&str; 6] = [
    super::units::DISTRIBUTIONS[0],
    super::units::DISTRIBUTIONS[1],
    super::units::DISTRIBUTIONS[2],
    super::units::DATABASE_UNIT,
    super::units::SUPERVISOR_UNIT,
    super::units::AUTOFIX_UNIT,
];

/// The scripts of PacketFence's that are looked for, relative to its install directory.
pub const SCRIPTS: [&str; 2] = [super::units::PFUPDATE, super::units::MANAGEMENT_UPDATE];

/// The variables of the database that are looked at.
pub const VARIABLES: [&str; 8] = [
    "binlog_format",
    "innodb_autoinc_lock_mode",
    "innodb_flush_log_at_trx_commit",
    "wsrep_cluster_address",
    "wsrep_node_address",
    "wsrep_on",
    "wsrep_provider",
    "wsrep_sst_method",
];

/// What was seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// The members that this server counts out.
    pub disabled: Known<BTreeSet<Hostname>>,
    /// The flag of maintenance is set.
    pub maintenance: Known<bool>,
    /// The machine's host name.
    pub host_name: Known<Box<str>>,
    /// Which distribution's packages it has.
    pub family: Known<Family>,
    /// `net.ipv4.ip_nonlocal_bind`.
    pub nonlocal_bind: Known<KernelSetting>,
    /// `net.ipv6.conf.all.disable_ipv6`.
    pub disable_ipv6: Known<KernelSetting>,
    /// The network interfaces.
    pub links: Known<Vec<Link>>,
    /// What the machine boots into, such as `multi-user.target`.
    pub default_target: Known<Box<str>>,
    /// What `systemctl is-enabled` says of each of [`UNITS`]; a unit that does not exist is left out.
    pub units: Known<BTreeMap<Box<str>, Box<str>>>,
    /// `MARIADB_ARGS` of the environment that systemd gives to services.
    pub mariadb_arguments: Known<Option<Box<str>>>,
    /// Each of [`SCRIPTS`].
    pub scripts: Known<Vec<File>>,
    /// Those of [`PROGRAMS`] that are installed.
    pub programs: Known<BTreeSet<Box<str>>>,
    /// Galera's library.
    pub library: Known<Library>,
    /// Who listens on [`PORTS`].
    pub listeners: Known<Vec<Listener>>,
    /// Whether this server's database is started by pfcluster's supervisor, and the key for it.
    pub supervisor: Known<Supervisor>,
    /// The files with secrets that there are.
    pub secret_files: Known<Vec<File>>,
    /// The data directory; `None` if there is none.
    pub datadir: Known<Option<Datadir>>,
    /// How the database is set.
    pub settings: Known<Settings>,
    /// Its status, names and values, those of Galera among them; `None` if no database runs.
    pub status: Known<Option<BTreeMap<Box<str>, Box<str>>>>,
    /// The database's connections; `None` if no database runs.
    pub connections: Known<Option<Used>>,
    /// Users of the database: those without a name, and the replication user.
    pub accounts: Known<Vec<Account>>,
    /// The account that asks the other members' databases; `None` if there is none.
    pub monitoring: Known<Option<Monitoring>>,
    /// The daemons' files, compared with what would be generated.
    pub generated: Known<Vec<Generated>>,
    /// The clocks of the other members.
    pub clocks: Known<Vec<Clock>>,
}

impl Facts {
    /// Nothing is known, for this reason.
    pub fn unknown(why: &str) -> Facts {
        fn no<T>(why: &str) -> Known<T> {
            Err(why.into())
        }
        Facts {
            disabled: no(why),
            maintenance: no(why),
            host_name: no(why),
            family: no(why),
            nonlocal_bind: no(why),
            disable_ipv6: no(why),
            links: no(why),
            default_target: no(why),
            units: no(why),
            mariadb_arguments: no(why),
            scripts: no(why),
            programs: no(why),
            library: no(why),
            listeners: no(why),
            supervisor: no(why),
            secret_files: no(why),
            datadir: no(why),
            settings: no(why),
            status: no(why),
            connections: no(why),
            accounts: no(why),
            monitoring: no(why),
            generated: no(why),
            clocks: no(why),
        }
    }
}

/// Distributions with the same packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// apt.
    Debian,
    /// dnf, and yum before it.
    RedHat,
}

/// A setting of the kernel's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelSetting {
    /// Its value; `None` if this kernel has no such setting.
    pub now: Option<Box<str>>,
    /// What it is set to when the machine boots; `None` if no file sets it.
    pub at_boot: Option<AtBoot>,
}

/// What a file of sysctl says of a setting; the last one that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtBoot {
    /// The value.
    pub value: Box<str>,
    /// The file.
    pub file: Box<str>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: Box<str>,
    /// It was switched on.
    pub is_up: bool,
    /// Its addresses, each with the length of its network's prefix.
    pub addresses: Vec<(Ipv4Addr, u32)>,
}

/// A file, as far as it matters who may do what with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: Box<str>,
    /// Who may do what; `None` if there is no such file.
    pub permissions: Option<Permissions>,
}

/// Who may do what with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The permission bits.
    pub mode: u32,
    /// The group's name.
    pub group: Box<str>,
}

/// Galera's library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    /// What mariadb.conf names (`wsrep_provider`), and whether it is there; `None` if it names none.
    pub configured: Option<(Box<str>, bool)>,
    /// Where it is installed; `None` if it is not.
    pub installed: Option<Box<str>>,
}

/// The transport of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Somebody that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its transport.
    pub transport: Transport,
    /// Its address; all of them if it is `0.0.0.0` or `::`.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Who it is.
    pub holder: Known<Holder>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The program's name.
    pub name: Box<str>,
    /// The process's number.
    pub pid: u32,
}

/// pfcluster's supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervisor {
    /// It runs, or is what starts the database.
    pub is_used: bool,
    /// Its key.
    pub key: SupervisorKey,
    /// The members' own keys, as the supervisor that runs here knows them; empty if none does.
    pub signing: Vec<MemberKey>,
    /// Hosts that are not in cluster.conf, and whose keys that supervisor has pinned.
    pub pinned_others: Vec<Box<str>>,
}

/// What a supervisor knows of a member's own key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberKey {
    /// The member.
    pub host: Box<str>,
    /// The id of the key with which it is heard; `None` if its messages are not signed.
    pub signing_key: Option<Box<str>>,
    /// The ids of others that are shown in its name, and refused.
    pub refused_keys: Vec<Box<str>>,
}

/// The key that the supervisors share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupervisorKey {
    /// There is none.
    Missing,
    /// It can be used.
    Usable {
        /// The keys of the file.
        keys: KeyIds,
    },
    /// It can't.
    Unusable {
        /// Why.
        why: Box<str>,
        /// What to do.
        help: Box<str>,
    },
}

/// The database's data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datadir {
    /// Its path.
    pub path: Box<str>,
    /// Whose it is.
    pub owner: Box<str>,
    /// Bytes in it.
    pub used: Known<u64>,
    /// Bytes that the file system still takes.
    pub free: Known<u64>,
}

/// How a database is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// True if a running server says so; otherwise mariadb.conf does, for the next start.
    pub is_running: bool,
    /// Those of [`VARIABLES`] that are set, and their values.
    pub values: BTreeMap<Box<str>, Box<str>>,
}

/// The connections of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// So many.
    Some(Connections),
    /// It takes no more.
    All,
}

/// A user of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name; empty for users without one.
    pub user: Box<str>,
    /// From where it may come; `%` is everywhere.
    pub host: Box<str>,
    /// Privileges that a transfer of the database needs and that it lacks.
    pub lacks: Vec<Box<str>>,
}

/// The account that asks the other members' databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// Its name.
    pub user: Box<str>,
    /// They are asked over TLS only.
    pub is_over_tls: bool,
}

/// A file for a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its path.
    pub path: Box<str>,
    /// How it compares with what would be generated.
    pub state: GeneratedState,
}

/// How a file compares with what would be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedState {
    /// It is the same.
    Same,
    /// pfcluster wrote it, from another configuration, or it was edited.
    Outdated,
    /// PacketFence wrote it.
    Foreign,
    /// There is none.
    Missing,
}

/// Another member's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The member.
    pub host: Hostname,
    /// By how many milliseconds it is ahead of this server's, at least (the time that the answer took is in its favour).
    pub ahead: Known<i64>,
}
