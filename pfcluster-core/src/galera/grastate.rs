//! grastate.dat: where a database stopped.
//!
//! ```text
//! # GALERA saved state
//! version: 2.1
//! uuid:    ec9a1a36-e6ed-11f1-823f-231ddacb0bd4
//! seqno:   -1
//! safe_to_bootstrap: 0
//! ```
//!
//! Galera writes it in place, at most 256 bytes, and pads it with blanks to its former length. What the reader puts up with
//! is what occurs: padding (a power cut can turn it into NULs), CRLF, other orders, keys that it does not know (old versions
//! have `cert_index:` and no flag). What it insists on is that every value is whole. A value ends with its line; at the end
//! of the file it counts only where nothing could follow: a UUID, `-1`, a flag. Otherwise `seqno: 12` could be the start of
//! `seqno: 1234`. So a file that was cut anywhere is either refused or says what the whole one said, without a flag at most.
//! A missing flag is unknown here; Galera takes it for true, which is a guess.

use serde::{Deserialize, Serialize};

use super::Uuid;
use super::position::at_least_minus_one;

/// What grastate.dat says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grastate {
    /// The history; zero after first installation, a crash in a DDL statement, an inconsistency, or a state transfer that
    /// runs or failed.
    pub uuid: Uuid,
    /// -1 while the server runs and after a crash; the last sequence number after a clean stop.
    #[serde(deserialize_with = "at_least_minus_one")]
    pub seqno: i64,
    /// True if the member was alone in its last primary view; `None` if the line is missing (old versions).
    pub safe_to_bootstrap: Option<bool>,
}

/// Why a grastate.dat can't be understood. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrastateError {
    /// Nothing, or only padding.
    #[error("grastate.dat is empty")]
    Empty,
    /// The file ends within a line.
    #[error("grastate.dat is torn: line {0} has no end")]
    Torn(usize),
    /// A line without `:`.
    #[error("grastate.dat: line {0} is no `key: value`")]
    Line(usize),
    /// There is no line of this key.
    #[error("grastate.dat has no `{0}`")]
    Missing(&'static str),
    /// `uuid` is no UUID.
    #[error("grastate.dat: line {0} has no whole UUID")]
    Uuid(usize),
    /// `seqno` is no number that Galera could have written.
    #[error("grastate.dat: line {0} has no sequence number")]
    Seqno(usize),
    /// `safe_to_bootstrap` is neither 0 nor 1.
    #[error("grastate.dat: line {0} has neither 0 nor 1")]
    Flag(usize),
    /// A key is there twice, with two values.
    #[error("grastate.dat has two values of `{0}`")]
    Contradiction(&'static str),
}

/// The characters of a UUID.
const UUID_LENGTH: usize = 36;

const UUID: &str = "uuid";
const SEQNO: &str = "seqno";
const FLAG: &str = "safe_to_bootstrap";

impl Grastate {
    /// Reads grastate.dat.
    ///
    /// # Errors
    /// [`GrastateError`] if the file is torn, or does not say what it must.
    pub fn parse(bytes: &[u8]) -> Result<Grastate, GrastateError> {
        if bytes.iter().all(|byte| is_padding(*byte)) {
            return Err(GrastateError::Empty);
        }
        let (mut uuid, mut seqno, mut safe_to_bootstrap) = (None, None, None);
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if line.iter().all(|byte| is_padding(*byte)) || line.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            let has_end = line.ends_with(b"\n");
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                return Err(if has_end { GrastateError::Line(number) } else { GrastateError::Torn(number) });
            };
            // NULs are not trimmed: within a line they stand for something that was lost.
            let (key, value) = (line[..colon].trim_ascii_start(), line[colon + 1..].trim_ascii());
            match key {
                b"uuid" if has_end || value.len() == UUID_LENGTH => set(&mut uuid, UUID, read_uuid(value, number)?)?,
                b"seqno" if has_end || value == b"-1" => set(&mut seqno, SEQNO, read_seqno(value, number)?)?,
                b"safe_to_bootstrap" if has_end || matches!(value, b"0" | b"1") => {
                    set(&mut safe_to_bootstrap, FLAG, read_flag(value, number)?)?;
                }
                b"uuid" | b"seqno" | b"safe_to_bootstrap" => return Err(GrastateError::Torn(number)),
                _ => {}
            }
        }
        Ok(Grastate {
            uuid: uuid.ok_or(GrastateError::Missing(UUID))?,
            seqno: seqno.ok_or(GrastateError::Missing(SEQNO))?,
            safe_to_bootstrap,
        })
    }
}

fn is_padding(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

fn read_uuid(value: &[u8], number: usize) -> Result<Uuid, GrastateError> {
    str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(GrastateError::Uuid(number))
}

fn read_seqno(value: &[u8], number: usize) -> Result<i64, GrastateError> {
    let is_written_so = value == b"-1" || !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = GrastateError::Seqno(number);
    let text = str::from_utf8(value).ok().filter(|_| is_written_so).ok_or(number)?;
    text.parse().map_err(|_| number)
}

fn read_flag(value: &[u8], number: usize) -> Result<bool, GrastateError> {
    match value {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(GrastateError::Flag(number)),
    }
}

fn set<T: PartialEq>(slot: &mut Option<T>, key: &'static str, value: T) -> Result<(), GrastateError> {
    match slot {
        Some(other) if *other != value => Err(GrastateError::Contradiction(key)),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}
