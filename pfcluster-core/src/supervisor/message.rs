//! What supervisors tell each other: one datagram of at most [`MOST_BYTES`], with a tag that only a holder of the key can make,
//! and inside of that the sender's signature, where it has a key of its own (`signing.rs`).
//!
//! Datagrams are recorded, replayed, delayed and forged. The tag covers sender, receiver, the sender's run and the version of
//! the form. Freshness comes from a challenge, never from a clock (clocks are wrong after a power cut): each message has a
//! number that nobody can guess, and echoes the last such number that the receiver has sent. Who gets its own number back
//! knows that the message was made after it had sent that.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::key::{Key, KeyIds, Keys, TAG};
use super::local::LastBackup;
use super::overrides::Spoken;
use super::signing::{PublicKey, SEAL, SigningKey};
use super::wire;
use crate::cluster::Hostname;
use crate::fnv::fnv1a;
use crate::form::written_as_text;
use crate::galera::Evidence;

/// The most that a datagram may have: it passes every network whole.
pub const MOST_BYTES: usize = 1200;

/// `pfc`, and the version of the form.
const MAGIC: &[u8; 4] = b"pfc\x03";

/// A message between two supervisors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sends it.
    pub from: Hostname,
    /// The sender's run: another one each time the supervisor starts.
    pub run: u64,
    /// How many messages this run has sent to the receiver before.
    pub number: u64,
    /// The sender's challenge.
    pub nonce: u64,
    /// The receiver's challenge, if the sender has one.
    pub echo: Option<u64>,
    /// What it tells.
    pub content: Content,
}

/// What a message tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The sender's evidence; `None` before it has any, or while a probe hangs.
    pub evidence: Option<Evidence>,
    /// How old that is.
    pub age: Duration,
    /// What an operator has said to the sender, and still holds.
    pub words: Vec<Spoken>,
    /// The virtual addresses that the sender holds, and for how long, in whole seconds; `None` if that is not told.
    pub held: Option<Vec<(Ipv4Addr, Duration)>>,
    /// The sender's last backup of the database.
    pub backup: LastBackup,
    /// The keys that the sender accepts.
    pub keys: Option<KeyIds>,
}

/// Why a datagram was not taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Longer than a message can be.
    #[error("it is too long")]
    TooLong,
    /// Not a message, or of a version that this program does not know.
    #[error("it is no message of this version")]
    NotAMessage,
    /// Made without the key, or changed on the way.
    #[error("its tag is wrong: it was made without the key, or changed on the way")]
    Forged,
    /// For somebody else, or from somebody who is no member.
    #[error("it is for another member, or from somebody who is none")]
    Misdirected,
    /// The tag is right, but the content can't be understood.
    #[error("its content can't be understood")]
    Unreadable,
    /// The tag is right, but the member that it names as its sender did not sign it, as far as its key is known.
    #[error(
        "it names {from} as its sender and is not signed with the key of {from}; only if {from} was installed anew: `pfcluster \
         key accept {from}` on this member"
    )]
    NotSigned {
        /// The member.
        from: Hostname,
    },
}

written_as_text!(MessageError);

/// What a datagram was found to be.
pub(super) struct Received {
    pub(super) message: Message,
    /// The shared key that it was made with.
    pub(super) key: Key,
    /// The key that it is signed with; whose that is, is not said by this.
    pub(super) signer: Option<PublicKey>,
}

/// The message would be longer than [`MOST_BYTES`], or names more members than its form can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the evidence does not fit into a datagram")]
pub struct TooLarge;

/// The members of cluster.conf, in order: messages name them by their places.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) hosts: Vec<Hostname>,
    pub(super) hash: Box<str>,
}

impl Names {
    /// `hash` is [`crate::galera::members_hash`] of the same members.
    pub(super) fn new(hosts: Vec<Hostname>, hash: Box<str>) -> Names {
        Names { hosts, hash }
    }

    fn host(&self, name: u64) -> Option<&Hostname> {
        self.hosts.iter().find(|host| short(host) == name)
    }
}

/// A host name in eight bytes (FNV-1a): it tells members from each other.
fn short(host: &Hostname) -> u64 {
    fnv1a(host.as_str().bytes())
}

/// True if a datagram was made with one of these keys, whatever it says. Who drops the others before [`super::Input::Received`] saves a
/// decision for each; `decode` does it again.
pub fn is_authentic(bytes: &[u8], keys: &Keys) -> bool {
    let parts = bytes.split_last_chunk::<TAG>().filter(|(text, _)| text.starts_with(MAGIC));
    bytes.len() <= MOST_BYTES && parts.is_some_and(|(text, tag)| keys.of_tag(text, tag).is_some())
}

impl Message {
    /// The datagram.
    pub(super) fn encode(
        &self,
        to: &Hostname,
        names: &Names,
        key: &Key,
        signing: Option<&SigningKey>,
    ) -> Result<Vec<u8>, TooLarge> {
        let content = wire::Content::new(&self.content, names).ok_or(TooLarge)?;
        let envelope = wire::Envelope {
            from: short(&self.from),
            to: short(to),
            run: self.run,
            number: self.number,
            nonce: self.nonce,
            echo: self.echo,
            content,
        };
        let mut bytes = postcard::to_extend(&envelope, MAGIC.to_vec()).map_err(|_| TooLarge)?;
        if let Some(signing) = signing {
            bytes = signing.sign(bytes);
        }
        bytes.extend(key.tag(&[&bytes]));
        if bytes.len() <= MOST_BYTES { Ok(bytes) } else { Err(TooLarge) }
    }

    /// The message in a datagram that came to `me`, and the keys that it was made with.
    pub(super) fn decode(bytes: &[u8], me: &Hostname, names: &Names, keys: &Keys) -> Result<Received, MessageError> {
        if bytes.len() > MOST_BYTES {
            return Err(MessageError::TooLong);
        }
        let (text, tag) = bytes.split_last_chunk::<TAG>().ok_or(MessageError::NotAMessage)?;
        let body = text.strip_prefix(MAGIC).ok_or(MessageError::NotAMessage)?;
        let key = keys.of_tag(text, tag).ok_or(MessageError::Forged)?;
        let (envelope, rest) =
            postcard::take_from_bytes::<wire::Envelope>(body).map_err(|_| MessageError::Unreadable)?;
        let from = names.host(envelope.from).filter(|from| *from != me && envelope.to == short(me));
        let from = from.ok_or(MessageError::Misdirected)?.clone();
        let signer = match rest.len() {
            0 => None,
            SEAL => Some(PublicKey::of_signed(text).ok_or_else(|| MessageError::NotSigned { from: from.clone() })?),
            _ => return Err(MessageError::Unreadable),
        };
        let content = envelope.content.read(&from, names).ok_or(MessageError::Unreadable)?;
        let wire::Envelope { run, number, nonce, echo, .. } = envelope;
        let message = Message { from, run, number, nonce, echo, content };
        Ok(Received { message, key: key.clone(), signer })
    }
}
