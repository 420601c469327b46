//! Configuration of the daemons that make the cluster, for one member: keepalived, HAProxy, MariaDB.
//!
//! What PacketFence writes, with its faults mended as far as the files can: each [`Deviation`] says what the original does
//! and why this is better. The same request gives the same bytes.

mod features;
mod haproxy;
mod keepalived;
mod mariadb;
mod scene;
mod template;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{Cluster, Hostname};
use crate::document::Document;
use crate::pf_conf::PfConf;
use crate::span::Place;
use crate::version::PfVersion;

pub use haproxy::{haproxy_admin, haproxy_db, haproxy_portal};
pub use keepalived::keepalived;
pub use mariadb::mariadb;

/// What is generated, and for whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// cluster.conf.
    pub cluster: &'a Cluster,
    /// pf.conf over its defaults.
    pub pf_conf: &'a PfConf,
    /// networks.conf, if it is there: routes and portal networks.
    pub networks_conf: Option<&'a Document<'a>>,
    /// The member.
    pub me: &'a Hostname,
    /// The members that it counts out.
    pub disabled: BTreeSet<Hostname>,
    /// PacketFence's version.
    pub version: PfVersion,
    /// What the user chose.
    pub options: Options,
}

impl<'a> Request<'a> {
    /// For `me`, with all members enabled and nothing chosen.
    pub fn new(cluster: &'a Cluster, pf_conf: &'a PfConf, me: &'a Hostname, version: PfVersion) -> Self {
        let (disabled, options) = (BTreeSet::new(), Options::default());
        Request { cluster, pf_conf, networks_conf: None, me, disabled, version, options }
    }
}

/// What the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Seconds between VRRP advertisements, 1 to 255. All members must have the same: PacketFence's 5 by default.
    pub advert_int: u8,
    /// Have Galera call `db-update`, which makes a member without a majority read-only (guide 4.1).
    pub readonly_hook: bool,
    /// User and password of the HAProxy dashboards (guide 7.4); PacketFence's own if `None`, with a notice.
    pub dashboard: Option<Dashboard>,
    /// The HAProxy that will read the files.
    pub haproxy: DaemonVersion,
    /// The keepalived that will read the file.
    pub keepalived: DaemonVersion,
    /// Galera's library: Debian's by default. RHEL has `/usr/lib64/galera-4/libgalera_smm.so`, with MariaDB before 10.4
    /// `/usr/lib64/galera/libgalera_smm.so`.
    pub galera_provider: String,
    /// PacketFence's install directory, as the generated files name it.
    pub install_dir: String,
    /// The user's own templates, with their names below the install directory (`conf/keepalived.conf`).
    pub templates: Vec<Template>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            advert_int: 5,
            readonly_hook: false,
            dashboard: None,
            haproxy: DaemonVersion::NEWEST,
            keepalived: DaemonVersion::NEWEST,
            galera_provider: "/usr/lib/galera/libgalera_smm.so".to_owned(),
            install_dir: "/usr/local/pf".to_owned(),
            templates: Vec::new(),
        }
    }
}

/// Who may see the HAProxy dashboards.
#[derive(Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A template of the user's, with `%%tag%%` placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Name below the install directory.
    pub path: String,
    /// Text.
    pub text: String,
}

/// `major.minor` of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaemonVersion {
    /// Major.
    pub major: u16,
    /// Minor.
    pub minor: u16,
}

impl DaemonVersion {
    /// Newer than all: nothing that was ever removed is emitted.
    pub const NEWEST: DaemonVersion = DaemonVersion { major: u16::MAX, minor: 0 };

    /// `major.minor`.
    pub const fn new(major: u16, minor: u16) -> DaemonVersion {
        DaemonVersion { major, minor }
    }
}

/// Why a text is no [`DaemonVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is X.Y or X.Y.Z")]
pub struct DaemonVersionError;

impl std::str::FromStr for DaemonVersion {
    type Err = DaemonVersionError;

    /// Reads `2.6` and `2.6.12`.
    fn from_str(text: &str) -> Result<Self, DaemonVersionError> {
        let mut parts = text.split('.').map(|part| part.parse().map_err(|_| DaemonVersionError));
        match (parts.next(), parts.next()) {
            (Some(major), Some(minor)) => Ok(DaemonVersion::new(major?, minor?)),
            _ => Err(DaemonVersionError),
        }
    }
}

/// What was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The files.
    pub files: Vec<GeneratedFile>,
    /// Where they differ from PacketFence's own, and why.
    pub deviations: Vec<Deviation>,
    /// What the user should know: one sentence each, with what to do.
    pub notices: Vec<Notice>,
}

impl Rendered {
    /// Adds what `more` has and this has not.
    pub fn add(&mut self, more: Rendered) {
        fn add_new<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
            for one in more {
                if !list.contains(&one) {
                    list.push(one);
                }
            }
        }
        add_new(&mut self.files, more.files);
        add_new(&mut self.deviations, more.deviations);
        add_new(&mut self.notices, more.notices);
    }
}

/// Everything that the member needs: all files that this version of PacketFence has.
///
/// # Errors
/// The first [`GenerateError`] of any of them, but for [`GenerateError::NotInVersion`].
pub fn all(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let mut all = Rendered::default();
    for part in [keepalived, haproxy_db, haproxy_portal, haproxy_admin, mariadb] {
        match part(request) {
            Err(GenerateError::NotInVersion { .. }) => {}
            rendered => all.add(rendered?),
        }
    }
    Ok(all)
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeneratedFile {
    /// Path below the install directory, `var/conf/keepalived.conf`.
    pub path: &'static str,
    /// Contents.
    pub text: String,
    /// Who may read it.
    pub access: Access,
}

/// Who may read a new file. One that is replaced keeps its owner and mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Holds no secret: 0644.
    Public,
    /// Holds nothing, and is there only because another file names it: 0644. One that exists is left as it is.
    Placeholder,
    /// Holds a secret: 0600.
    Secret,
    /// Holds a secret that the database server reads as mysql: 0640, root:mysql.
    Database,
    /// A script that the database server runs as mysql, with a secret in it: 0750, root:mysql.
    DatabaseScript,
}

/// Something that differs from what PacketFence writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Deviation {
    /// What PacketFence does.
    pub original: &'static str,
    /// What is done here.
    pub here: &'static str,
    /// Why.
    pub why: &'static str,
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// One sentence without a final period.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Why nothing was generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The host is not in cluster.conf.
    #[error("{0} is not a member of the cluster")]
    NotAMember(Hostname),
    /// The member is disabled on itself: it has no place in the order.
    #[error("{0} is disabled on this server, so it has no place in the cluster")]
    Disabled(Hostname),
    /// There is no cluster.
    #[error("clustering is off: there is no virtual management address")]
    ClusteringOff,
    /// Something that the file needs is missing.
    #[error("{what} is missing")]
    Missing {
        /// What, as the user would look for it.
        what: String,
        /// What to do.
        help: String,
    },
    /// A value that the daemon's grammar has no form for, or that the daemon would read differently.
    #[error("`{key}` of `[{section}]` {reason}")]
    Unusable {
        /// The section of the user's file.
        section: String,
        /// The key.
        key: String,
        /// Where it stands, if it is not a default.
        place: Option<Place>,
        /// Why, as the end of the sentence. Never the value of a secret.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A template of the user's can't be filled in.
    #[error("{path}, line {line}: {reason}")]
    Template {
        /// The template.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why; names the tag.
        reason: String,
        /// What to do.
        help: String,
    },
    /// This version of PacketFence has no such file.
    #[error("PacketFence {version} has no {what}")]
    NotInVersion {
        /// The file.
        what: &'static str,
        /// The version.
        version: PfVersion,
    },
}

impl GenerateError {
    /// What to do.
    pub fn help(&self) -> &str {
        match self {
            GenerateError::NotAMember(_) => "name a member with `--host`, or add this one to cluster.conf",
            GenerateError::Disabled(_) => "`bin/cluster/node HOST enable`, or generate on the members that are enabled",
            GenerateError::ClusteringOff => "set `management_ip` in `[CLUSTER]` of cluster.conf",
            GenerateError::NotInVersion { .. } => "leave it out, or give another version with `--pf-version`",
            GenerateError::Missing { help, .. }
            | GenerateError::Unusable { help, .. }
            | GenerateError::Template { help, .. } => help,
        }
    }
}
