//! What must hold after a step, in a form that can be checked.

use std::fmt;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;
use pfcluster_core::secret::is_secret_key;

/// What must hold. Members are named in the order of cluster.conf.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// The databases of these members are in one primary component, synced.
    Together {
        /// The members.
        members: Vec<Hostname>,
        /// Nobody else is in it.
        only: bool,
    },
    /// The database of this member serves, with Galera or without.
    Serves {
        /// The member.
        member: Hostname,
    },
    /// None of these members' databases serves.
    NobodyServes {
        /// The members.
        members: Vec<Hostname>,
    },
    /// There is no database process on these members.
    Stopped {
        /// The members.
        members: Vec<Hostname>,
    },
    /// These members have the same configuration.
    SameConfiguration {
        /// The members.
        members: Vec<Hostname>,
    },
    /// These members are far from `max_connections`.
    FreeConnections {
        /// The members.
        members: Vec<Hostname>,
    },
    /// Each virtual address is held by one member.
    VirtualAddresses,
    /// Something that only the machine itself can see.
    Here {
        /// The machines.
        hosts: Vec<Hostname>,
        /// What is looked at.
        fact: Fact,
        /// What it must be.
        expected: Expected,
    },
    /// What a person has to look at.
    Look {
        /// A sentence that is true then, without a final period.
        what: String,
    },
}

/// Something that a machine knows of itself. Files are named by their full path, in PacketFence's usual directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fact {
    /// A setting of the kernel.
    Sysctl(&'static str),
    /// The state of a unit of systemd: `active`, `inactive`, ...
    Unit(&'static str),
    /// What systemd starts at boot.
    BootTarget,
    /// `--force-new-cluster` in systemd's environment, which every later start would obey: `set` or `not set`.
    ForcedStart,
    /// A key of pf.conf, its defaults included. Of a secret only `set`, `the default` or `not set`.
    PfConf(&'static str, &'static str),
    /// A key of pfconfig.conf.
    PfconfigConf(&'static str, &'static str),
    /// PacketFence's version.
    Release,
    /// The periodic check of configurations: `enabled` or `disabled`.
    ClusterCheck,
    /// Whether cluster.conf has this member: `yes` or `no`.
    Member(Hostname),
    /// Whether cluster.conf is of several zones: `yes` or `no`.
    MultiZone,
    /// Whether this machine counts the member: `enabled` or `disabled`.
    Counts(Hostname),
    /// Whether it is in maintenance: `yes` or `no`.
    Maintenance,
    /// Whether there is such a file or directory: `yes` or `no`.
    File(String),
    /// The age of the newest backup of the database, in hours.
    BackupAge,
}

/// What a fact must be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Exactly this.
    Is(String),
    /// Anything else than this, and not nothing.
    IsNot(&'static str),
    /// A number, no greater than this.
    AtMost(u64),
}

impl Check {
    /// On these machines, `fact` is `value`.
    pub(super) fn here(hosts: &[Hostname], fact: Fact, value: impl Into<String>) -> Check {
        Check::Here { hosts: hosts.to_vec(), fact, expected: Expected::Is(value.into()) }
    }

    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Check::Together { .. } => "together",
            Check::Serves { .. } => "serves",
            Check::NobodyServes { .. } => "nobody_serves",
            Check::Stopped { .. } => "stopped",
            Check::SameConfiguration { .. } => "same_configuration",
            Check::FreeConnections { .. } => "free_connections",
            Check::VirtualAddresses => "virtual_addresses",
            Check::Here { fact, .. } => fact.kind(),
            Check::Look { .. } => "look",
        }
    }

    /// The command that shows it to a person; `None` where there is none.
    pub fn command(&self) -> Option<String> {
        Some(match self {
            Check::SameConfiguration { .. } => "pfcluster conflict".to_owned(),
            Check::Here { fact, .. } => fact.command(),
            Check::Look { .. } => return None,
            _ => "pfcluster status".to_owned(),
        })
    }
}

impl Fact {
    fn kind(&self) -> &'static str {
        match self {
            Fact::Sysctl(_) => "sysctl",
            Fact::Unit(_) => "unit",
            Fact::BootTarget => "boot_target",
            Fact::ForcedStart => "forced_start",
            Fact::PfConf(..) => "pf_conf",
            Fact::PfconfigConf(..) => "pfconfig_conf",
            Fact::Release => "release",
            Fact::ClusterCheck => "cluster_check",
            Fact::Member(_) => "member",
            Fact::MultiZone => "multi_zone",
            Fact::Counts(_) => "counts",
            Fact::Maintenance => "maintenance",
            Fact::File(_) => "file",
            Fact::BackupAge => "backup_age",
        }
    }

    fn command(&self) -> String {
        match self {
            Fact::Sysctl(key) => format!("sysctl -n {key}"),
            Fact::Unit(unit) => format!("systemctl is-active {unit}"),
            Fact::BootTarget => "systemctl get-default".to_owned(),
            Fact::ForcedStart => "systemctl show-environment".to_owned(),
            // What would show a secret is not shown.
            Fact::PfConf(_, key) if is_secret_key(key.as_bytes()) => "pfcluster check".to_owned(),
            Fact::PfConf(_, key) => format!("grep -n '^{key}' /usr/local/pf/conf/pf.conf"),
            Fact::PfconfigConf(_, key) => format!("grep -n '^{key}' /usr/local/pf/conf/pfconfig.conf"),
            Fact::Release => "cat /usr/local/pf/conf/pf-release".to_owned(),
            Fact::ClusterCheck => "grep -A 5 '^\\[cluster_check\\]' /usr/local/pf/conf/pf*.conf".to_owned(),
            Fact::Member(_) | Fact::MultiZone => "pfcluster show".to_owned(),
            Fact::Counts(host) => format!("pfcluster node {host}"),
            Fact::Maintenance => "pfcluster maintenance".to_owned(),
            Fact::File(path) => format!("ls -ld {path}"),
            Fact::BackupAge => "ls -l /root/backup".to_owned(),
        }
    }
}

/// A sentence without a final period.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let are = |members: &[Hostname]| if members.len() == 1 { "is" } else { "are" };
        match self {
            Check::Together { members, only: true } if members.len() == 1 => {
                write!(f, "{} is synced, alone in its component", and(members))
            }
            Check::Together { members, only } => {
                let alone = if *only { ", and no other member is in it" } else { "" };
                write!(f, "{} {} synced in one component{alone}", and(members), are(members))
            }
            Check::Serves { member } => write!(f, "the database of {member} serves clients"),
            Check::NobodyServes { members } if members.len() == 1 => {
                write!(f, "the database of {} serves no clients", and(members))
            }
            Check::NobodyServes { members } => write!(f, "none of the databases of {} serves clients", and(members)),
            Check::Stopped { members } => write!(f, "no database runs on {}", and(members)),
            Check::SameConfiguration { members } => write!(f, "{} have one configuration", and(members)),
            Check::FreeConnections { members } => {
                write!(f, "{} {} far from `max_connections`", and(members), are(members))
            }
            Check::VirtualAddresses => f.write_str("each virtual address is held by exactly one member"),
            Check::Here { hosts, fact, expected } => write!(f, "on {}: {}", and(hosts), sentence(fact, expected)),
            Check::Look { what } => f.write_str(what),
        }
    }
}

fn sentence(fact: &Fact, expected: &Expected) -> String {
    let value = match expected {
        Expected::Is(value) => value.clone(),
        Expected::IsNot("") => "set".to_owned(),
        Expected::IsNot(value) => format!("not {value}"),
        Expected::AtMost(number) => format!("at most {number}"),
    };
    let no = if value == "no" { " not" } else { "" };
    match fact {
        Fact::Sysctl(key) => format!("{key} is {value}"),
        Fact::Unit(unit) => format!("{unit} is {value}"),
        Fact::BootTarget => format!("{value} starts at boot"),
        Fact::ForcedStart => format!("`--force-new-cluster` is {value} in systemd's environment"),
        Fact::PfConf(section, key) => format!("{section}.{key} of pf.conf is {value}"),
        Fact::PfconfigConf(section, key) => format!("{section}.{key} of pfconfig.conf is {value}"),
        Fact::Release => format!("PacketFence {value} is installed"),
        Fact::ClusterCheck => format!("the check of configurations is {value}"),
        Fact::Member(host) => format!("{host} is{no} in cluster.conf"),
        Fact::MultiZone => format!("cluster.conf is{no} of several zones"),
        Fact::Counts(host) => format!("{host} is {value}"),
        Fact::Maintenance => format!("it is{no} in maintenance"),
        Fact::File(path) => format!("{path} is{no} there"),
        Fact::BackupAge => format!("the newest backup of the database is {value} hours old"),
    }
}
