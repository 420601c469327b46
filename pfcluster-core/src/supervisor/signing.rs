//! A member's own key (Ed25519): with it, a holder of the shared key can't speak for that member.
//!
//! The private key stays on its member, outside PacketFence's tree. The public key travels in each message, and is pinned by each
//! peer at first sight, once its holder has answered a challenge. From then on a message that names this member as its sender is
//! heard only with its signature: an unsigned one, or one with another key, is dropped. An operator accepts another key on the spot
//! (`pfcluster key accept`), after the member was installed anew.
//!
//! A signature covers all that the tag covers: version, sender, receiver, run, number, both challenges and content. The tag is
//! verified first, so that only holders of the shared key cost the time of a signature.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::event::Event;
use super::key::{Key, from_hexadecimal};
use super::peers::Peer;
use super::{Output, Supervisor};
use crate::cluster::Hostname;
use crate::form::written_as_text;

impl Supervisor {
    /// The file of the own key has been read again.
    pub(super) fn signing_key_read(&mut self, key: SigningKey) {
        if self.config.signing.as_ref() == Some(&key) {
            return;
        }
        self.log(Event::SigningKeyRead { key: key.public().fingerprint() });
        self.config.signing = Some(key);
        self.timers.announce = self.now;
    }

    /// An operator accepts another key of a peer.
    pub(super) fn accept(&mut self, member: &Hostname, key: PublicKey) {
        if self.config.pinned.get(member) == Some(&key) {
            return;
        }
        if self.peers.contains_key(member) {
            self.forget_peer(member);
            self.pin(member, key);
            self.timers.announce = self.now;
        }
    }

    /// An operator has the key of a host forgotten: it is not a member any more, or its next key is to be pinned at first sight.
    pub(super) fn forget_key(&mut self, host: &Hostname) {
        if self.config.pinned.remove(host).is_some() {
            self.forget_peer(host);
            self.outputs.push_back(Output::Pin(self.config.pinned.clone()));
            self.log(Event::KeyForgotten { host: host.clone() });
        }
    }

    /// What was said with a key that is given up does not count any more.
    fn forget_peer(&mut self, member: &Hostname) {
        self.peers.get_mut(member).into_iter().for_each(Peer::forget);
        self.overrides.forget(member);
    }

    /// From now on a peer is heard only with this key.
    pub(super) fn pin(&mut self, member: &Hostname, key: PublicKey) {
        let before = self.config.pinned.insert(member.clone(), key).map(|before| before.fingerprint());
        self.outputs.push_back(Output::Pin(self.config.pinned.clone()));
        self.log(Event::Pinned { member: member.clone(), key: key.fingerprint(), before });
        let others = self.pinned_others();
        if before.is_none() && !others.is_empty() {
            self.log(Event::MayBeRenamed { member: member.clone(), others });
        }
    }

    /// Hosts that are not in cluster.conf, and whose keys are pinned: removed from it, or renamed in it.
    pub(super) fn pinned_others(&self) -> Vec<Hostname> {
        self.config.pinned.keys().filter(|host| !self.config.cluster_members.contains(host)).cloned().collect()
    }
}

/// How many bytes a public key has.
const PUBLIC: usize = ed25519_dalek::PUBLIC_KEY_LENGTH;
/// How many bytes a signature has.
const SIGNATURE: usize = ed25519_dalek::SIGNATURE_LENGTH;

/// A member's private key, which no other member has. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

/// A member's public key: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; PUBLIC]);

/// Tells public keys from each other: the first 128 bits of a key's SHA-256. The ids of shared keys are shorter: this one is
/// compared to keep an attacker out, who could search for a key with the same short id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

/// Why a text is not a [`SigningKey`], a [`PublicKey`] or a [`Fingerprint`]. It says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a member has 64 hexadecimal digits, its id 32")]
pub struct SigningKeyError;

impl SigningKey {
    /// The key of this seed, which should come from the operating system's source of randomness.
    pub fn new(seed: [u8; 32]) -> SigningKey {
        SigningKey(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The text of the file: the seed.
    pub fn to_text(&self) -> String {
        hex::encode(self.0.as_bytes()) + "\n"
    }

    /// What the others know of it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Numbers that no holder of the shared key can guess are made with this.
    pub(super) fn secret(&self) -> Key {
        Key::new(*self.0.as_bytes())
    }

    /// The message with the public key and the signature of all before that.
    pub(super) fn sign(&self, mut message: Vec<u8>) -> Vec<u8> {
        message.extend(self.0.verifying_key().as_bytes());
        let signature = self.0.sign(&message);
        message.extend(signature.to_bytes());
        message
    }
}

impl PublicKey {
    /// The key that has signed this text, which ends with the key and the signature; `None` if the signature is wrong.
    pub(super) fn of_signed(text: &[u8]) -> Option<PublicKey> {
        let (signed, signature) = text.split_last_chunk::<SIGNATURE>()?;
        let key = signed.last_chunk()?;
        // `strict`: no key whose signatures can be made without its private part.
        VerifyingKey::from_bytes(key).ok()?.verify_strict(signed, &Signature::from_bytes(signature)).ok()?;
        Some(PublicKey(*key))
    }

    /// What it is called where people see it.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut first = [0; 16];
        first.copy_from_slice(&Sha256::digest(self.0)[..16]);
        Fingerprint(first)
    }
}

/// How many bytes a message is longer with the sender's public key and signature.
pub(super) const SEAL: usize = PUBLIC + SIGNATURE;

impl FromStr for SigningKey {
    type Err = SigningKeyError;

    fn from_str(text: &str) -> Result<SigningKey, SigningKeyError> {
        from_hexadecimal(text).map(SigningKey::new).ok_or(SigningKeyError)
    }
}

impl FromStr for PublicKey {
    type Err = SigningKeyError;

    fn from_str(text: &str) -> Result<PublicKey, SigningKeyError> {
        let key = from_hexadecimal(text).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        key.filter(|key| !key.is_weak()).map(|key| PublicKey(key.to_bytes())).ok_or(SigningKeyError)
    }
}

impl FromStr for Fingerprint {
    type Err = SigningKeyError;

    fn from_str(text: &str) -> Result<Fingerprint, SigningKeyError> {
        from_hexadecimal(text).map(Fingerprint).ok_or(SigningKeyError)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

written_as_text!(Fingerprint);
written_as_text!(PublicKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written_and_a_private_one_is_never_shown() {
        let key = SigningKey::new([7; 32]);
        assert_eq!(key.to_text().parse(), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "SigningKey");
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        let id = key.public().fingerprint();
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert_eq!(text.parse::<SigningKey>(), Err(SigningKeyError), "{text}");
            assert_eq!(text.parse::<PublicKey>(), Err(SigningKeyError), "{text}");
            assert_eq!(text.parse::<Fingerprint>(), Err(SigningKeyError), "{text}");
        }
    }

    /// RFC 8032, section 7.1, test 2: the key, and the signature of one byte. The id was made with `sha256sum`.
    #[test]
    fn keys_are_those_of_rfc_8032() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let key: SigningKey = seed.parse().expect("a seed");
        assert_eq!(key.public().to_string(), public);
        assert_eq!(hex::encode(key.0.sign(&[0x72]).to_bytes()), signature);
    }

    #[test]
    fn what_is_changed_is_not_signed() {
        let key = SigningKey::new([7; 32]);
        let signed = key.sign(b"pf2 stopped at 50".to_vec());
        assert_eq!(PublicKey::of_signed(&signed), Some(key.public()));
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            assert_ne!(PublicKey::of_signed(&changed), Some(key.public()), "{at}");
        }
        for length in 0..signed.len() {
            assert_eq!(PublicKey::of_signed(&signed[..length]), None, "{length}");
        }
    }

    /// A point of small order: one signature would be right for many messages.
    #[test]
    fn a_weak_key_is_none() {
        let weak = "0100000000000000000000000000000000000000000000000000000000000000";
        assert_eq!(weak.parse::<PublicKey>(), Err(SigningKeyError));
    }
}
