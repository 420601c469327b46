//! The user and the password of the web services.

use std::fmt;

use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::version::PfVersion;

use crate::host::{HostError, Root};

/// PacketFence's own user of its interfaces, from 12 on.
const SYSTEM_USER: &str = "system";

/// A user and a password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// These.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Credentials {
        Credentials { user: user.into(), password: password.into() }
    }

    /// Those that members use among themselves: `[webservices]` of pf.conf, else (12 and later) the system user's.
    /// `None` if neither is set.
    ///
    /// # Errors
    /// [`HostError`] if the system user's password is there and can't be read.
    pub fn of_members(root: &Root, pf_conf: &PfConf, version: PfVersion) -> Result<Option<Credentials>, HostError> {
        let value = |key| pf_conf.text("webservices", key).trim();
        if !value("user").is_empty() && !value("pass").is_empty() {
            return Ok(Some(Credentials::new(value("user"), value("pass"))));
        }
        if version < PfVersion::new(12, 0) {
            return Ok(None);
        }
        let password = root.read("conf/unified_api_system_pass")?.unwrap_or_default();
        let password = String::from_utf8_lossy(&password).trim().to_owned();
        Ok((!password.is_empty()).then(|| Credentials::new(SYSTEM_USER, password)))
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Both, unless one is empty: PacketFence sends nothing then.
    pub(super) fn parts(&self) -> Option<(&str, &str)> {
        (!self.user.is_empty() && !self.password.is_empty()).then_some((&self.user, &self.password))
    }
}
