//! PacketFence versions: what is read, checked and generated depends on them.

use std::fmt;
use std::str::FromStr;

/// A version of PacketFence, 7.0 to 14.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PfVersion {
    major: u8,
    minor: u8,
}

impl PfVersion {
    /// The newest version that pfcluster knows.
    pub const NEWEST: PfVersion = PfVersion::new(14, 1);

    /// `major.minor`.
    pub const fn new(major: u8, minor: u8) -> PfVersion {
        PfVersion { major, minor }
    }
}

/// Why a text is no [`PfVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PacketFence version is X or X.Y, from 7 to 14")]
pub struct PfVersionError;

impl FromStr for PfVersion {
    type Err = PfVersionError;

    /// Reads `14`, `14.1`, `14.1.0`, and the line of conf/pf-release, `PacketFence 14.1.0`.
    fn from_str(text: &str) -> Result<Self, PfVersionError> {
        let text = text.trim();
        let number = text.strip_prefix("PacketFence").map_or(text, str::trim_start);
        let mut parts = number.split('.');
        let mut part = |default: u8| parts.next().map_or(Ok(default), str::parse).map_err(|_| PfVersionError);
        let version = PfVersion::new(part(0)?, part(0)?);
        if parts.all(|rest| rest.parse::<u32>().is_ok()) && (7..=14).contains(&version.major) {
            Ok(version)
        } else {
            Err(PfVersionError)
        }
    }
}

crate::form::written_as_text!(PfVersion);

impl fmt::Display for PfVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_form() {
        for text in ["14.1", "14.1.0", "PacketFence 14.1.0", " PacketFence 14.1.0\n"] {
            assert_eq!(text.parse(), Ok(PfVersion::new(14, 1)), "{text}");
        }
        assert_eq!("8".parse(), Ok(PfVersion::new(8, 0)));
        for text in ["", "6.5", "15", "8.x", "8.1.", "PacketFence", "300"] {
            assert_eq!(text.parse::<PfVersion>(), Err(PfVersionError), "{text}");
        }
    }
}
