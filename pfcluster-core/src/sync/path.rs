//! The names of files that are synchronised.

use std::fmt;
use std::str::FromStr;

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Below PacketFence's install directory.
    Install,
    /// Below fingerbank's, which stands beside it.
    Fingerbank,
}

impl Place {
    /// The directory, as it is named on the wire.
    pub const fn directory(self) -> &'static str {
        match self {
            Place::Install => "/usr/local/pf/",
            Place::Fingerbank => "/usr/local/fingerbank/",
        }
    }

    /// The user and the group that own the files in it.
    pub const fn owner(self) -> &'static str {
        match self {
            Place::Install => "pf",
            Place::Fingerbank => "fingerbank",
        }
    }
}

/// A file that may be synchronised, by the name that all members know it by: `/usr/local/pf/conf/pf.conf`.
///
/// It is in one of the two [places](Place), has no `..` and no empty part, and is printable ASCII, so that every version of
/// PacketFence sends and stores it unchanged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncPath {
    text: Box<str>,
    place: Place,
}

/// Why a text is no [`SyncPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncPathError {
    /// It does not begin with `/`.
    #[error("it is no absolute path")]
    NotAbsolute,
    /// It is neither below PacketFence's directory nor below fingerbank's.
    #[error("it is outside /usr/local/pf and /usr/local/fingerbank")]
    Outside,
    /// It has a part that is empty, `.` or `..`.
    #[error("it has an empty part, `.` or `..`")]
    Part,
    /// It has a blank, a control character, or one that is not ASCII.
    #[error("it has a character that is not printable ASCII")]
    Character,
    /// It names a file of this host alone: pfcluster's own notes, or what PacketFence keeps while it runs.
    #[error("it belongs to one member only")]
    OneMembers,
}

/// Below the install directory, what no other member may write: the pins and backups of pfcluster, and the state of
/// running services, the marks of disabled members among it.
const ONE_MEMBERS: [&str; 2] = ["var/pfcluster/", "var/run/"];

impl SyncPath {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The path below its place.
    pub fn relative(&self) -> &str {
        &self.text[self.place.directory().len()..]
    }

    /// The name without its directories.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// True if the whole file is a secret, or a key, a certificate or a database: only its hash and its size are ever shown.
    pub fn is_opaque(&self) -> bool {
        const ENDINGS: [&str; 6] = [".key", ".crt", ".pem", ".p12", ".pfx", ".db"];
        let name = self.name().to_ascii_lowercase();
        ENDINGS.iter().any(|ending| name.ends_with(ending)) || crate::secret::is_secret_key(name.as_bytes())
    }

    /// One that is known to be right.
    pub(super) fn known(place: Place, relative: &str) -> SyncPath {
        SyncPath { text: [place.directory(), relative].concat().into(), place }
    }
}

impl FromStr for SyncPath {
    type Err = SyncPathError;

    fn from_str(text: &str) -> Result<SyncPath, SyncPathError> {
        if !text.starts_with('/') {
            return Err(SyncPathError::NotAbsolute);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SyncPathError::Character);
        }
        // Before the place: `/usr/local/pf/../x` begins like one that is inside.
        if text[1..].split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(SyncPathError::Part);
        }
        let places = [Place::Install, Place::Fingerbank];
        let place =
            places.into_iter().find(|place| text.starts_with(place.directory())).ok_or(SyncPathError::Outside)?;
        let path = SyncPath { text: text.into(), place };
        if place == Place::Install && ONE_MEMBERS.iter().any(|start| path.relative().starts_with(start)) {
            return Err(SyncPathError::OneMembers);
        }
        Ok(path)
    }
}

impl fmt::Display for SyncPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
