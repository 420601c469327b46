//! What goes into a supervisor and what comes out of it.

use std::collections::BTreeMap;

use super::commands::Step;
use super::event::Event;
use super::key::Keys;
use super::local::Look;
use super::local_action::Part;
use super::overrides::Saying;
use super::signing::{PublicKey, SigningKey};
use crate::cluster::Hostname;
use crate::galera::{Records, Running, Uuid, members_hash};

/// What a supervisor is told once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The own member.
    pub me: Hostname,
    /// The members of the database, in the order of cluster.conf, those that are disabled among them.
    pub members: Vec<Hostname>,
    /// All members of cluster.conf, in order.
    pub cluster_members: Vec<Hostname>,
    /// [`crate::cluster::Cluster::members_hash`].
    pub members_hash: Box<str>,
    /// The cluster's secret.
    pub keys: Keys,
    /// The own member's key; without one, its messages are not signed.
    pub signing: Option<SigningKey>,
    /// The keys of members that were pinned before ([`Output::Pin`]). Those of other hosts are kept.
    pub pinned: BTreeMap<Hostname, PublicKey>,
    /// A random number that no other run has had.
    pub run: u64,
    /// The machine's boot (`/proc/sys/kernel/random/boot_id`): what was written in this one is still in its page cache.
    pub boot: Uuid,
    /// What was written down before ([`Output::Record`], [`Step::Record`]).
    pub records: Records,
    /// It decides and tells, but does nothing.
    pub is_passive: bool,
}

impl Config {
    /// A cluster in which all members share one database, and nothing was written down yet.
    pub fn new(me: Hostname, members: Vec<Hostname>, keys: impl Into<Keys>, run: u64) -> Config {
        let hash = members_hash(members.iter().map(|host| (host, None)));
        let cluster_members = members.clone();
        Config {
            me,
            members,
            cluster_members,
            members_hash: hash,
            keys: keys.into(),
            signing: None,
            pinned: BTreeMap::new(),
            run,
            boot: Uuid::ZERO,
            records: Records::default(),
            is_passive: false,
        }
    }
}

/// What happens to a supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The answer to [`Output::Look`].
    Looked {
        /// The number of the question.
        number: u64,
        /// What was found.
        look: Box<Look>,
    },
    /// The answer to [`Output::Ask`]: what the databases said. Who is not there did not answer.
    Asked {
        /// The number of the question.
        number: u64,
        /// Who said what.
        answers: Vec<(Hostname, Running)>,
    },
    /// The answer to [`Output::Act`].
    Acted {
        /// The error of the step that failed.
        result: Result<(), Box<str>>,
    },
    /// [`Output::Record`] could not be carried out.
    NotRecorded {
        /// Why.
        why: Box<str>,
    },
    /// The answer to [`Output::Sync`].
    Synced {
        /// Why it failed.
        result: Result<(), Box<str>>,
    },
    /// A datagram has come.
    Received {
        /// All of it.
        bytes: Vec<u8>,
    },
    /// The file of the cluster's secret has been read again.
    KeysRead {
        /// What is in it.
        keys: Keys,
    },
    /// The file of the own member's key has been read again.
    SigningKeyRead {
        /// The key in it.
        key: SigningKey,
    },
    /// An operator accepts a member's key, in place of the one that is pinned.
    PublicKeyAccepted {
        /// The member.
        member: Hostname,
        /// Its key from now on.
        key: PublicKey,
    },
    /// An operator has the pinned key of a host forgotten.
    PublicKeyForgotten {
        /// The host.
        host: Hostname,
    },
    /// The process of the database has ended.
    Ended {
        /// How, in a few words.
        why: Box<str>,
    },
    /// An operator has said something.
    Said {
        /// A random number.
        id: u64,
        /// What was said.
        saying: Saying,
        /// By which user of this machine; `None` for an option of the supervisor's own command line.
        user: Option<u32>,
    },
    /// The supervisor is to end, and its database with it.
    End,
    /// The moment of [`super::Supervisor::poll_timeout`] is there.
    Woken,
}

/// What a supervisor wants done. A driver carries out each of them, so the compiler tells it of a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Gather this member's evidence.
    Look {
        /// For the answer.
        number: u64,
        /// Recover the position of a stopped server, also where grastate.dat has one.
        recover: bool,
    },
    /// Ask the databases of these members over the network what they are.
    Ask {
        /// For the answer.
        number: u64,
        /// The members.
        hosts: Vec<Hostname>,
    },
    /// Send a datagram.
    Send {
        /// To this member's management address.
        to: Hostname,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// Carry these steps out.
    Act {
        /// What they are for.
        part: Part,
        /// In order.
        steps: Vec<Step>,
    },
    /// Write this down, in place of what was written before.
    Record(Records),
    /// Write these pinned keys down, in place of those that were written before.
    Pin(BTreeMap<Hostname, PublicKey>),
    /// Write all data of the database's file systems to disk (`syncfs`): a state transfer came in.
    Sync,
    /// Tell the people.
    Tell(Event),
    /// The database has ended: so may the program.
    End,
}
