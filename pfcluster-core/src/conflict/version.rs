//! The version of a member's configuration: a time, as the text that PacketFence wrote.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::form::{as_text, written_as_text};

/// When a configuration was last changed, in seconds since 1970 (UTC) by the clock of the member that changed it, with a
/// fraction of any length: `1510000000.12345`. PacketFence keeps it in `var/conf/config_version` (`var/config_version`
/// before 12). Later is more recent.
///
/// Compared as the exact number: never as a text, as PacketFence does (`999` is not after `1520000001`, and `1.5` is
/// `1.50`), and never as a double, which runs out of digits. The text stays as it was written, without blanks and line
/// ends around it: an editor's line end at the end of the file makes no other version.
#[derive(Clone)]
pub struct ConfigVersion {
    text: Arc<str>,
    /// Where the number begins, leading zeros left out.
    start: u8,
    /// Where its point is; the text's length if it has none.
    point: u8,
    /// Where it ends, trailing zeros of the fraction left out.
    end: u8,
}

/// Why a text is no [`ConfigVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// The number is 0, however it is written.
    #[error("it is 0, which is PacketFence's answer for a missing file")]
    Zero,
    /// More than [`ConfigVersion::MAX`] bytes.
    #[error("it is longer than {} characters", ConfigVersion::MAX)]
    TooLong,
    /// A character that PacketFence never writes: a sign, an exponent, a blank inside, a letter.
    #[error("it holds `{}`, but a version has only digits and one point", .0.escape_debug())]
    Character(char),
    /// Digits and points, but not in the form of a number.
    #[error("a version is digits, perhaps a point and more digits")]
    Form,
}

impl ConfigVersion {
    /// The longest text, in bytes. PacketFence writes at most 16.
    pub const MAX: usize = 64;

    /// The version that a change at this time, counted from 1970 (UTC), gives: in PacketFence's form, which has 15 digits and
    /// no trailing zeros.
    ///
    /// # Errors
    /// [`VersionError::Zero`] for 1970 itself.
    pub fn at(time: Duration) -> Result<ConfigVersion, VersionError> {
        // Ten digits of seconds, from 2001 to 2286, leave five.
        const UNIT: u128 = 10_000;
        let rounded = (time.as_nanos() + UNIT / 2) / UNIT;
        let (seconds, fraction) = (rounded / 100_000, rounded % 100_000);
        let text = format!("{seconds}.{fraction:05}");
        text.trim_end_matches('0').trim_end_matches('.').parse()
    }

    /// The text as it was written, without blanks and line ends around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The seconds since 1970 (UTC) without the fraction, for showing; `None` if they are more than an `u64` holds.
    pub fn whole_seconds(&self) -> Option<u64> {
        let whole = self.whole();
        if whole.is_empty() { Some(0) } else { whole.parse().ok() }
    }

    /// Whole seconds from `earlier` to this version, rounded down, at most `u64::MAX`; `None` if it is not later or equal.
    pub fn seconds_since(&self, earlier: &ConfigVersion) -> Option<u64> {
        /// Beyond it the answer is `u64::MAX` whatever follows.
        const ENOUGH: i128 = 1 << 70;

        if self < earlier {
            return None;
        }
        let (later, sooner) = (self.whole().as_bytes(), earlier.whole().as_bytes());
        let shorter_by = later.len() - sooner.len();
        // No prefix of the difference is negative, so it can be cut where it is large enough.
        let seconds = later.iter().enumerate().fold(0, |seconds: i128, (at, digit)| {
            let other = at.checked_sub(shorter_by).map_or(b'0', |at| sooner[at]);
            (seconds * 10 + i128::from(*digit) - i128::from(other)).min(ENOUGH)
        });
        let borrowed = i128::from(self.fraction() < earlier.fraction());
        Some(u64::try_from(seconds - borrowed).unwrap_or(u64::MAX))
    }

    /// The digits before the point, without leading zeros.
    fn whole(&self) -> &str {
        &self.text[usize::from(self.start)..usize::from(self.point)]
    }

    /// The digits after the point, without trailing zeros: of two, the smaller text is the smaller fraction.
    fn fraction(&self) -> &str {
        self.text.get(usize::from(self.point) + 1..usize::from(self.end)).unwrap_or_default()
    }

    fn value(&self) -> (usize, &str, &str) {
        (self.whole().len(), self.whole(), self.fraction())
    }
}

impl FromStr for ConfigVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(VersionError::TooLong);
        }
        if let Some(other) = text.chars().find(|&c| !c.is_ascii_digit() && c != '.') {
            return Err(VersionError::Character(other));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return Err(VersionError::Form);
        }
        let start = whole.len() - whole.trim_start_matches('0').len();
        let zeros = fraction.len() - fraction.trim_end_matches('0').len();
        if start == whole.len() && zeros == fraction.len() {
            return Err(VersionError::Zero);
        }
        let end = if whole.len() == text.len() { text.len() } else { text.len() - zeros };
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        Ok(ConfigVersion { text: text.into(), start: start as u8, point: whole.len() as u8, end: end as u8 })
    }
}

impl PartialEq for ConfigVersion {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Eq for ConfigVersion {}

impl PartialOrd for ConfigVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ConfigVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value().cmp(&other.value())
    }
}

impl Hash for ConfigVersion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value().hash(state);
    }
}

impl fmt::Display for ConfigVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

as_text!(ConfigVersion);
written_as_text!(VersionError);

impl fmt::Debug for ConfigVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigVersion").field(&self.text).finish()
    }
}
