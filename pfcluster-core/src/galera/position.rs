//! Which state a database is in: the history's UUID and how far it has come.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::form::as_text;

/// A UUID as Galera writes it: of a cluster's history, of a node, of a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(u128);

impl Uuid {
    /// What Galera writes where it knows no history.
    pub const ZERO: Uuid = Uuid(0);

    /// The UUID of these 128 bits, most significant first.
    pub const fn from_u128(bits: u128) -> Uuid {
        Uuid(bits)
    }

    /// Its 128 bits, most significant first.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// True if both name one node, perhaps in different incarnations: they differ in the fourth group at most.
    pub const fn is_same_node(self, other: Uuid) -> bool {
        (self.0 ^ other.0) & !(0xffff << 48) == 0
    }

    /// True for [`Uuid::ZERO`].
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Why a text is no [`Uuid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a UUID has 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, joined by `-`")]
pub struct UuidError;

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Self, UuidError> {
        const LENGTH: usize = 36;
        let bytes = text.as_bytes();
        if bytes.len() != LENGTH {
            return Err(UuidError);
        }
        let mut bits = 0u128;
        for (at, &byte) in bytes.iter().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(UuidError);
                }
                continue;
            }
            let digit = (byte as char).to_digit(16).ok_or(UuidError)?;
            bits = bits << 4 | u128::from(digit);
        }
        Ok(Uuid(bits))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        f.pad(&groups.join("-"))
    }
}

as_text!(Uuid);

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A sequence number: how many transactions of a history were applied. Never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Seqno(i64);

impl TryFrom<i64> for Seqno {
    type Error = &'static str;

    fn try_from(seqno: i64) -> Result<Seqno, &'static str> {
        Seqno::new(seqno).ok_or("a sequence number is not negative")
    }
}

impl Seqno {
    /// The sequence number; `None` for Galera's -1 ("not known") and anything else below zero.
    pub const fn new(seqno: i64) -> Option<Seqno> {
        if seqno < 0 { None } else { Some(Seqno(seqno)) }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Seqno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in a history: a UUID that is not zero, and a sequence number. Positions of different histories can't be
/// compared, so this type has no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Position {
    uuid: Uuid,
    seqno: Seqno,
}

/// A position as data, which may be none: Galera writes the zero UUID and -1 for data that belong to no history.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) uuid: Uuid,
    pub(super) seqno: i64,
}

impl TryFrom<Written> for Position {
    type Error = &'static str;

    fn try_from(Written { uuid, seqno }: Written) -> Result<Position, &'static str> {
        Position::new(uuid, seqno)
            .ok_or("a position has a UUID that is not zero, and a sequence number that is not negative")
    }
}

impl Position {
    /// The position; `None` if the UUID is zero or the sequence number is below zero: then it is none.
    pub const fn new(uuid: Uuid, seqno: i64) -> Option<Position> {
        match Seqno::new(seqno) {
            Some(seqno) if !uuid.is_zero() => Some(Position { uuid, seqno }),
            _ => None,
        }
    }

    /// The history.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// How far it has come.
    pub const fn seqno(self) -> Seqno {
        self.seqno
    }

    /// True if both are of one history and this one is further.
    pub fn is_above(self, other: Position) -> bool {
        self.uuid == other.uuid && self.seqno > other.seqno
    }
}

/// A sequence number as Galera writes it: -1 where it is not known.
pub(super) fn at_least_minus_one<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let seqno = i64::deserialize(deserializer)?;
    if seqno < -1 { Err(serde::de::Error::custom(format!("{seqno} is below -1"))) } else { Ok(seqno) }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uuid, self.seqno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_read_and_written() {
        let text = "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4";
        let uuid: Uuid = text.parse().expect("a UUID");
        assert_eq!(uuid.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(uuid));
        assert!("00000000-0000-0000-0000-000000000000".parse::<Uuid>().expect("a UUID").is_zero());
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "ec9a1a36",
            "ec9a1a36-e6ed-11f1-823f-231ddacb0bd",
            "ec9a1a36-e6ed-11f1-823f-231ddacb0bd44",
            "ec9a1a36_e6ed-11f1-823f-231ddacb0bd4",
            "gc9a1a36-e6ed-11f1-823f-231ddacb0bd4",
            "+c9a1a36-e6ed-11f1-823f-231ddacb0bd4",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(UuidError), "{text}");
        }
    }

    #[test]
    fn a_position_has_a_history_and_a_number() {
        let uuid = Uuid::from_u128(7);
        assert_eq!(Position::new(Uuid::ZERO, 4), None);
        assert_eq!(Position::new(uuid, -1), None);
        let position = |uuid, seqno| Position::new(uuid, seqno).expect("a position");
        assert!(position(uuid, 5).is_above(position(uuid, 4)));
        assert!(!position(uuid, 4).is_above(position(uuid, 4)));
        assert!(!position(Uuid::from_u128(8), 5).is_above(position(uuid, 4)));
        // Doubles would call these two equal.
        assert!(position(uuid, 9_007_199_254_740_993).is_above(position(uuid, 9_007_199_254_740_992)));
    }
}
