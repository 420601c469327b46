//! The secret that the supervisors of one cluster share, and how it is changed. (A member's own key is in `signing.rs`.)
//!
//! A rotation has two steps, and no moment at which two members don't understand each other, in whatever order the file reaches
//! them: first it gets a second key, which is accepted; a peer gets datagrams made with it from the moment that its own
//! datagrams say that it accepts it. When all say so, the first key goes.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::Supervisor;
use super::event::Event;
use crate::form::written_as_text;

impl Supervisor {
    /// The file of the keys has been read again.
    pub(super) fn keys_read(&mut self, keys: Keys) {
        if keys == self.config.keys {
            return;
        }
        self.config.keys = keys;
        self.log(Event::KeysRead { keys: self.config.keys.ids() });
        self.timers.announce = self.now;
    }

    /// Logs once that the current key may go.
    pub(super) fn log_accepted(&mut self) {
        let next = self.config.keys.next.as_ref().map(Key::id);
        let Some(next) = next.filter(|next| self.logged.accepted != Some(*next)) else { return };
        if self.peers.values().all(|peer| peer.keys(self.now).is_some_and(|ids| ids.accepts(next))) {
            self.logged.accepted = Some(next);
            self.log(Event::KeyAccepted { next });
        }
    }
}

/// How many bytes a tag has.
pub(super) const TAG: usize = 32;

/// 256 bits that the supervisors of one cluster share, and nobody else has: `ROOT/conf/pfcluster.key`, 64 hexadecimal
/// digits. Not the VRRP password, which travels in clear. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// Why a text is no [`Key`], or no [`Keys`]. It says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 64 hexadecimal digits, and a file has one key, or the current and the next one, each on a line")]
pub struct KeyError;

/// Tells keys from each other and nothing else of them: the first 32 bits of a key's SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    pub(super) const fn new(bytes: [u8; 4]) -> KeyId {
        KeyId(bytes)
    }

    pub(super) const fn bytes(self) -> [u8; 4] {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

written_as_text!(KeyId);

/// The keys of a member's file, by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeyIds {
    /// The key in use.
    pub current: KeyId,
    /// The one that takes its place.
    pub next: Option<KeyId>,
}

impl KeyIds {
    /// True if datagrams that are made with this key are accepted.
    pub fn accepts(&self, id: KeyId) -> bool {
        self.current == id || self.next == Some(id)
    }
}

/// The keys of a member's file: the one in use, and while it is changed the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key in use.
    pub current: Key,
    /// The one that takes its place.
    pub next: Option<Key>,
}

impl Keys {
    /// The keys, by their ids.
    pub fn ids(&self) -> KeyIds {
        KeyIds { current: self.current.id(), next: self.next.as_ref().map(Key::id) }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        self.current.to_text() + &self.next.as_ref().map(Key::to_text).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        [&self.current].into_iter().chain(&self.next)
    }

    /// The key that this text was tagged with.
    pub(super) fn of_tag(&self, text: &[u8], tag: &[u8]) -> Option<&Key> {
        self.iter().find(|key| key.verifies(text, tag))
    }

    /// The key for a peer that accepts these.
    pub(super) fn for_peer(&self, accepts: Option<KeyIds>) -> &Key {
        let next = self.next.as_ref().filter(|next| accepts.is_some_and(|ids| ids.accepts(next.id())));
        next.unwrap_or(&self.current)
    }
}

impl From<Key> for Keys {
    fn from(current: Key) -> Keys {
        Keys { current, next: None }
    }
}

impl FromStr for Keys {
    type Err = KeyError;

    /// One line for each key, the one in use first.
    fn from_str(text: &str) -> Result<Keys, KeyError> {
        let mut lines = text.trim_ascii().lines();
        let current = lines.next().ok_or(KeyError)?.parse()?;
        let next = lines.next().map(str::parse).transpose()?;
        let keys = Keys { current, next };
        if lines.next().is_none() && keys.next.as_ref() != Some(&keys.current) { Ok(keys) } else { Err(KeyError) }
    }
}

impl Key {
    /// The key of these bytes, which should come from the operating system's source of randomness.
    pub const fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        hex::encode(self.0) + "\n"
    }

    /// What it is called where people see it.
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(self.0));
        KeyId([a, b, c, d])
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
        from_hexadecimal(text).map(Key).ok_or(KeyError)
    }
}

/// The bytes of so many pairs of digits, with blanks around them.
pub(super) fn from_hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text.trim_ascii(), &mut bytes).ok()?;
    Some(bytes)
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

    #[test]
    fn a_file_has_one_key_or_two_that_differ() {
        let [one, other] = [7, 8].map(|byte| Key::new([byte; 32]));
        for keys in [Keys::from(one.clone()), Keys { current: one.clone(), next: Some(other.clone()) }] {
            assert_eq!(keys.to_text().parse(), Ok(keys.clone()));
            assert!(!format!("{keys:?}").contains("07"), "{keys:?}");
        }
        let [one, other] = [one, other].map(|key| key.to_text());
        for text in [String::new(), [&*one, &*one].concat(), [&*one, &*other, &*one].concat(), format!("{one}x")] {
            assert_eq!(text.parse::<Keys>(), Err(KeyError), "{text}");
        }
    }

    /// `printf 0707... | xxd -r -p | sha256sum`, made apart from the program.
    #[test]
    fn an_id_is_the_beginning_of_the_sha_256() {
        assert_eq!(Key::new([7; 32]).id().to_string(), "4bb06f8e");
        assert_eq!(Key::new([0; 32]).id().to_string(), "66687aad");
    }
}
