//! The installation at a directory, read as the command line reads it.

use pfcluster_cli::host::sync::{FINGERPRINT_COMMAND, SyncError};
use pfcluster_cli::host::{HostError, Root};
use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pyo3::prelude::*;

use crate::cluster::not_a_member;
use crate::error::{self, MemberError, input};

/// Why a question could not be asked. Made where Python is not at hand.
pub(super) enum Failure {
    Host(HostError),
    Sync(SyncError),
    NotAMember { host: Hostname, members: Vec<Hostname> },
    Input { message: String, help: String },
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Failure {
        Failure::Host(error)
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Failure {
        match error {
            SyncError::Host(error) => Failure::Host(error),
            other => Failure::Sync(other),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        match failure {
            Failure::Host(error) => error::host(&error),
            Failure::Sync(error) => of_sync(&error),
            Failure::NotAMember { host, members } => not_a_member(&host, &members.iter().collect::<Vec<_>>()),
            Failure::Input { message, help } => input(message, help),
        }
    }
}

fn of_sync(error: &SyncError) -> PyErr {
    let message = error.to_string();
    match error {
        // The command line's own help names an option of it.
        SyncError::Certificate { name, .. } => {
            let help =
                format!("on {name}, run `{FINGERPRINT_COMMAND}`; if it prints the same, put it into `fingerprints`");
            MemberError::new_err((message, help, error.kind()))
        }
        SyncError::OwnServices { .. } | SyncError::Lost { .. } => {
            MemberError::new_err((message, error.help(), error.kind()))
        }
        _ => input(message, error.help()),
    }
}

/// The host is none of the cluster.
pub(super) fn not_among(host: &Hostname, cluster: &Cluster) -> Failure {
    let members = cluster.members().map(|member| member.host.clone()).collect();
    Failure::NotAMember { host: host.clone(), members }
}

/// The texts of an installation, and what is known beside them.
pub(super) struct Installed {
    me: Hostname,
    cluster_conf: Vec<u8>,
    pf_conf: Option<Vec<u8>>,
    pf_conf_defaults: Option<Vec<u8>>,
    pfconfig_conf: Option<Vec<u8>>,
    pub(super) situation: Situation,
}

impl Installed {
    pub(super) fn read(root: &Root, me: Hostname) -> Result<Installed, HostError> {
        let optional = |source| root.read_source(source);
        let version = root.pf_version()?.unwrap_or(PfVersion::NEWEST);
        Ok(Installed {
            cluster_conf: root.read_required(Source::ClusterConf)?,
            pf_conf: optional(Source::PfConf)?,
            pf_conf_defaults: optional(Source::PfConfDefaults)?,
            pfconfig_conf: optional(Source::PfconfigConf)?,
            situation: Situation {
                me: Some(me.clone()),
                disabled: root.disabled_members()?,
                ..Situation::of_version(version)
            },
            me,
        })
    }

    pub(super) fn installation(&self) -> Installation<'_> {
        let texts = Texts {
            cluster_conf: &self.cluster_conf,
            pf_conf: self.pf_conf.as_deref(),
            pf_conf_defaults: self.pf_conf_defaults.as_deref(),
            pfconfig_conf: self.pfconfig_conf.as_deref(),
        };
        Installation::read(texts, &self.situation)
    }

    /// The host that asks must be a member.
    pub(super) fn is_member(&self, cluster: &Cluster) -> Result<(), Failure> {
        if cluster.member(self.me.as_str()).is_some() { Ok(()) } else { Err(self.not_a_member(cluster)) }
    }

    pub(super) fn not_a_member(&self, cluster: &Cluster) -> Failure {
        not_among(&self.me, cluster)
    }

    /// The members that share the database.
    pub(super) fn in_database(&self, cluster: &Cluster) -> Result<Vec<Hostname>, Failure> {
        let members = cluster.database_of(Some(&self.me)).map_err(|error| Failure::Input {
            message: error.to_string(),
            help: "name a member of the zone that you mean as `host`".to_owned(),
        })?;
        Ok(members.into_iter().map(|member| member.host.clone()).collect())
    }
}
