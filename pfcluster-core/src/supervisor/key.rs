//! The secret that the supervisors of one cluster share.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How many bytes a tag has.
pub(super) const TAG: usize = 32;

/// 256 bits that the supervisors of one cluster share, and nobody else has: `ROOT/conf/pfcluster.key`, 64 hexadecimal
/// digits. Not the VRRP password, which travels in clear. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// Why a text is no [`Key`]. It says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 64 hexadecimal digits")]
pub struct KeyError;

impl Key {
    /// The key of these bytes, which should come from the operating system's source of randomness.
    pub const fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        self.0.iter().fold(String::with_capacity(65), |text, byte| text + &format!("{byte:02x}")) + "\n"
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A shorter key counts as one that is filled up with zeros.
        let mut block = [0; 64];
        block[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        parts.iter().for_each(|part| mac.update(part));
        mac
    }

    /// The tag of a text that is made of these parts.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// True if the tag is that of the text, in a time that does not tell how much of it is right.
    pub(super) fn verifies(&self, text: &[u8], tag: &[u8]) -> bool {
        self.mac(&[text]).verify_slice(tag).is_ok()
    }
}

impl FromStr for Key {
    type Err = KeyError;

    /// The digits, with blanks around them.
    fn from_str(text: &str) -> Result<Key, KeyError> {
        let digits = text.trim_ascii().as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(KeyError);
        }
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(KeyError);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Key(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written_and_never_shown() {
        let key = Key::new(std::array::from_fn(|at| u8::try_from(at * 7 % 256).expect("a byte")));
        assert_eq!(key.to_text().parse(), Ok(key.clone()));
        assert_eq!(key.to_text().to_uppercase().parse(), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "Key");
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(text.parse::<Key>(), Err(KeyError), "{text}");
        }
    }
}
