//! Why a push or a pull did not take place.

use std::net::Ipv4Addr;

use pfcluster_core::cluster::{Hostname, NotAMember};
use pfcluster_core::sync::{AnswerError, SyncPath};
use pfcluster_core::version::PfVersion;

use crate::host::HostError;
use crate::host::webservices::{CallError, Fingerprint};

/// What a person runs on a member to see which certificate is its own.
pub const FINGERPRINT_COMMAND: &str = "openssl x509 -in /usr/local/pf/conf/ssl/server.crt -noout -fingerprint -sha256";

/// Why a push or a pull did not take place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The host that is to act is none.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// The member that is to act counts itself out.
    #[error("{0} is disabled on itself: it would act in the place of another member")]
    Disabled(Hostname),
    /// Nobody knows where to ask it.
    #[error("cluster.conf: {0} has no management_ip, so it can't be asked")]
    NoAddress(Hostname),
    /// There is nobody to push to.
    #[error("there is no enabled member beside {0}")]
    Alone(Hostname),
    /// The file that was named is not on this host.
    #[error("{0} is not there")]
    NotHere(SyncPath),
    /// There is no store of this name.
    #[error("PacketFence {version} has no store `{}`", class.escape_debug())]
    NoStore {
        /// The name.
        class: String,
        /// The version.
        version: PfVersion,
    },
    /// A pull from somebody who is no member.
    #[error("{0} is not the management address of a member")]
    Stranger(Ipv4Addr),
    /// A pull of a member from itself.
    #[error("{0} is this member itself")]
    Itself(Ipv4Addr),
    /// Somebody else pushes or pulls on this host.
    #[error("another pfcluster changes the configuration from this host just now")]
    Busy,
    /// The others would fetch the files there.
    #[error(
        "the own web services of {host} ({address}) are not in order, and the other members fetch the files there: {error}"
    )]
    OwnServices {
        /// The member that pushes.
        host: Hostname,
        /// Its management address.
        address: Ipv4Addr,
        /// Why.
        error: CallError,
    },
    /// A member shows a certificate that is not known. Nothing was sent to it.
    #[error("{name} ({address}) shows a certificate that is not known here: {fingerprint}")]
    Certificate {
        /// The member.
        name: String,
        /// Its management address.
        address: Ipv4Addr,
        /// The certificate.
        fingerprint: Fingerprint,
    },
    /// The member that is pulled from does not answer (any more).
    #[error("{name} ({address}): {error}")]
    Lost {
        /// The member.
        name: String,
        /// Its management address.
        address: Ipv4Addr,
        /// Why.
        error: CallError,
    },
    /// This host would not.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl SyncError {
    /// A stable word for the kind of error.
    pub fn kind(&self) -> &'static str {
        match self {
            SyncError::Host(error) => error.kind(),
            SyncError::OwnServices { .. } | SyncError::Lost { .. } => "member",
            SyncError::Certificate { .. } => "certificate",
            _ => "usage",
        }
    }

    /// What a person can do about it.
    pub fn help(&self) -> String {
        match self {
            SyncError::NotAMember(_) => "name a member with `--host`; `pfcluster show` lists them".to_owned(),
            SyncError::Disabled(host) => format!("run `pfcluster node {host} enable`"),
            SyncError::NoAddress(_) => "`pfcluster check` shows what is wrong with cluster.conf".to_owned(),
            SyncError::Alone(_) => "`pfcluster show` lists the members".to_owned(),
            SyncError::NotHere(_) => "name a file of this member, as PacketFence names it".to_owned(),
            SyncError::NoStore { .. } => {
                "write it as PacketFence does: pf::ConfigStore::Pf, pf::ConfigStore::Switch".to_owned()
            }
            SyncError::Stranger(_) => {
                "`pfcluster show` lists the members; a password is sent to members only".to_owned()
            }
            SyncError::Itself(_) => "name another member's management address".to_owned(),
            SyncError::Busy => "wait until it is done".to_owned(),
            SyncError::OwnServices { .. } => {
                "run `/usr/local/pf/bin/pfcmd service httpd.webservices restart`, and check that pf.conf has their user and \
                 password"
                    .to_owned()
            }
            SyncError::Certificate { name, fingerprint, .. } => format!(
                "on {name}, run `{FINGERPRINT_COMMAND}`; if it prints the same, add `--fingerprint {fingerprint}`"
            ),
            SyncError::Lost { name, error, .. } => help_with(name, error),
            SyncError::Host(error) => error.help().to_owned(),
        }
    }
}

/// What to do where a pull has lost its member.
fn help_with(name: &str, error: &CallError) -> String {
    match error {
        CallError::Silent(_) => {
            format!("nothing was written; on {name}: /usr/local/pf/bin/pfcmd service httpd.webservices status")
        }
        CallError::Answer(AnswerError::Credentials) => {
            "nothing was written; give the user and the password that are in `[webservices]` of its pf.conf, with \
             `--api-user` and `--api-password-file`"
                .to_owned()
        }
        CallError::NotAsked(_) => "nothing was written; ask again, with more time".to_owned(),
        _ => format!("nothing was written; see what httpd.webservices says in /usr/local/pf/logs on {name}"),
    }
}
