//! What a supervisor logs. The sentences are `Display`; tests and programs look at the data.

use std::fmt;

use serde::{Serialize, Serializer};

use super::key::{KeyId, KeyIds};
use super::local_action::Part;
use super::message::MessageError;
use super::overrides::{Origin, Saying, Spoken};
use super::signing::Fingerprint;
use crate::cluster::Hostname;
use crate::decision::{Step as Remedy, and};
use crate::form::{all_with_text, texts, with_text, written_as_text};
use crate::galera::Position;
use crate::galera::bootstrap::{Action, Reason};

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// It has decided something new.
    Decided {
        /// What is to be done in the cluster.
        #[serde(serialize_with = "with_text")]
        action: Action,
        /// Why.
        #[serde(serialize_with = "all_with_text")]
        reasons: Vec<Reason>,
        /// What a person can do.
        #[serde(serialize_with = "texts")]
        remedy: Vec<Remedy>,
    },
    /// It carries its part out.
    Acts {
        /// Its part.
        part: Part,
        /// The overrides that it may rest on.
        overrides: Vec<Spoken>,
    },
    /// It would carry its part out, but only watches.
    WouldAct {
        /// Its part.
        part: Part,
    },
    /// Its part could not be carried out, or did not lead to service.
    Failed {
        /// Its part.
        part: Part,
        /// Why.
        why: Box<str>,
        /// How many seconds later it may be tried again; `None` if it is not, as the supervisor was told to end.
        #[serde(skip_serializing_if = "Option::is_none")]
        again: Option<u64>,
    },
    /// What it was about to do was called off: the last probe showed something else.
    CalledOff {
        /// Its part.
        part: Part,
    },
    /// The database is in service.
    InService,
    /// The database is out of service.
    OutOfService,
    /// The database's process has ended.
    Ended {
        /// How.
        why: Box<str>,
    },
    /// What was to be written down could not be.
    NotRecorded {
        /// Why.
        why: Box<str>,
    },
    /// A peer has proved to be alive.
    Heard {
        /// Which.
        #[serde(rename = "member")]
        from: Hostname,
    },
    /// An operator has given an override, here or to a peer.
    Said {
        /// What is allowed.
        #[serde(rename = "override")]
        saying: Saying,
        /// Where it was given.
        #[serde(flatten)]
        origin: Origin,
    },
    /// An override that was given to a peer has no effect here until it is given here, too.
    Needed {
        /// What was asked for.
        #[serde(flatten, serialize_with = "with_command")]
        saying: Saying,
        /// Where it was given.
        #[serde(flatten)]
        origin: Origin,
    },
    /// A peer has sent more overrides than are taken of one.
    OverridesDropped {
        /// The peer.
        #[serde(rename = "member")]
        from: Hostname,
    },
    /// An override has had its effect, and is used up.
    Served {
        /// What was allowed.
        #[serde(rename = "override")]
        saying: Saying,
        /// Where it was given.
        #[serde(flatten)]
        origin: Origin,
    },
    /// The component to join lists members that are gone, and has no quorum without them.
    ComponentDoubtful,
    /// It has to join with its data, and no member in service shows whether there was a fork without it.
    NoWitness,
    /// The own data diverged from those of the component that the database is in now, and Galera does not notice.
    Diverged,
    /// A fork is recorded here that other members have shown.
    ForkLearned {
        /// Where it is.
        #[serde(rename = "fork")]
        at: Position,
        /// The members that show it.
        from: Vec<Hostname>,
    },
    /// gvwstate.dat does not follow the views that the database is in: its disk may be full.
    ViewFileStale,
    /// What came in by a state transfer could not be synced to disk.
    NotSynced {
        /// Why.
        why: Box<str>,
    },
    /// The last view did not form again: its highest member is started instead.
    ReformFailed,
    /// The file of the keys was read again, and has others.
    KeysRead {
        /// What it has.
        keys: KeyIds,
    },
    /// All peers accept the next key: the current one may go.
    KeyAccepted {
        /// The next key.
        #[serde(rename = "next_key")]
        next: KeyId,
    },
    /// The file of this member's own key was read again, and has another one.
    SigningKeyRead {
        /// The new one.
        #[serde(rename = "signing_key")]
        key: Fingerprint,
    },
    /// From now on a member is heard only with this key of its own.
    Pinned {
        /// The member.
        member: Hostname,
        /// Its key.
        #[serde(rename = "signing_key")]
        key: Fingerprint,
        /// The one that an operator gave up for it; `None` if there was none, and this was the first that was seen.
        before: Option<Fingerprint>,
    },
    /// The key of a member was seen for the first time, and the keys of hosts are pinned that are not in cluster.conf: it may be one
    /// of these with another name, which need not have another key.
    MayBeRenamed {
        /// The member.
        member: Hostname,
        /// These.
        others: Vec<Hostname>,
    },
    /// The pinned key of a host was forgotten, as an operator allowed.
    KeyForgotten {
        /// The host.
        host: Hostname,
    },
    /// Datagrams were dropped.
    Dropped {
        /// Why.
        error: MessageError,
        /// How many for this reason by now.
        count: u64,
    },
    /// The evidence does not fit into a datagram: the peers do not get it.
    TooLarge,
}

/// What was asked for, and how it is given.
fn with_command<S: Serializer>(saying: &Saying, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fields<'s> {
        r#override: &'s Saying,
        command: String,
    }
    Fields { r#override: saying, command: saying.command() }.serialize(serializer)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Decided { action, reasons, .. } => {
                write!(f, "{action}")?;
                reasons.iter().try_for_each(|reason| write!(f, "; {reason}"))
            }
            Event::Acts { part, overrides } => {
                write!(f, "{part}")?;
                overrides.iter().try_for_each(|word| write!(f, "; allowed on {}: {}", word.origin, word.saying))
            }
            Event::WouldAct { part } => write!(f, "would now: {part}"),
            Event::Failed { part, why, again: None } => write!(f, "{part}: {why}"),
            Event::Failed { part, why, again: Some(again) } => {
                write!(f, "{part}: {why}; again in {again} s at the earliest")
            }
            Event::CalledOff { part } => write!(f, "cancelled ({part}): the situation has changed since the decision"),
            Event::InService => f.write_str("the database is in service"),
            Event::OutOfService => f.write_str("the database is out of service"),
            Event::Ended { why } => write!(f, "the database's process has ended: {why}"),
            Event::NotRecorded { why } => write!(f, "not saved: {why}"),
            Event::Heard { from } => write!(f, "the supervisor of {from} is running"),
            Event::Said { saying, origin } => write!(f, "override given on {origin}: {saying}"),
            Event::Needed { saying, origin } => write!(
                f,
                "asked for on {origin}: {saying}; it has no effect here until it is given here: `{}`",
                saying.command()
            ),
            Event::OverridesDropped { from } => {
                write!(f, "overrides of {from} are dropped: it sends more than an operator gives")
            }
            Event::Served { saying, origin } => write!(f, "override used up, given on {origin}: {saying}"),
            Event::ComponentDoubtful => f.write_str(
                "does not join yet: the primary component has not noticed yet which of its members are gone",
            ),
            Event::NoWitness => f.write_str(
                "does not join yet: no supervisor in the primary component reports whether a new cluster was started without this member",
            ),
            Event::Diverged => f.write_str(
                "this member's data diverged before it joined the component: compare its rows, then discard its data",
            ),
            Event::ForkLearned { at, from } => write!(f, "fork at {at} recorded, as {} shows it", and(from)),
            Event::ViewFileStale => f.write_str(
                "gvwstate.dat does not follow the views of the database: check whether the disk of its data is full",
            ),
            Event::NotSynced { why } => write!(f, "the data of a state transfer are not synced to disk: {why}"),
            Event::ReformFailed => f.write_str(
                "the last primary component was not restored; its most advanced member is started instead",
            ),
            Event::KeysRead { keys: KeyIds { current, next: None } } => write!(f, "the key is now {current}"),
            Event::KeysRead { keys: KeyIds { current, next: Some(next) } } => {
                write!(f, "the key is now {current}, and {next} is accepted as the next one")
            }
            Event::KeyAccepted { next } => write!(
                f,
                "all members accept the next key {next}: end the rotation on one of them with `pfcluster key rotate --finish`, and \
                 bring the file to the others"
            ),
            Event::SigningKeyRead { key } => write!(
                f,
                "this member's signing key is now {key}: run `pfcluster key accept` for it on the other members"
            ),
            Event::Pinned { member, key, before: None } => {
                write!(f, "signing key of {member} pinned at first sight: {key}; {member} is heard only with it from now on")
            }
            Event::Pinned { member, key, before: Some(before) } => {
                write!(f, "signing key of {member} accepted: {key}, in place of {before}")
            }
            Event::MayBeRenamed { member, others } => write!(
                f,
                "{member} is new here, and keys of hosts that are not in cluster.conf are pinned ({}): if {member} is one of these \
                 with another name, check on it that the key is its own (`pfcluster mariadb status`); then `pfcluster key forget` \
                 the old name",
                and(others)
            ),
            Event::KeyForgotten { host } => {
                write!(f, "signing key of {host} forgotten: the next one that is shown in its name is pinned at first sight")
            }
            Event::Dropped { error, count } => write!(f, "a datagram was dropped: {error} ({count} by now)"),
            Event::TooLarge => f.write_str("the evidence does not fit into a datagram, so the peers do not get it"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Stop => "stop the database",
            Part::End => "stop the database, which does not respond, as an override allows",
            Part::Supersede => {
                "revoke gvwstate.dat and safe_to_bootstrap: they must not start a component beside the one that is decided"
            }
            Part::Reform => "start, to restore the last primary component",
            Part::Join => "start, to join the primary component",
            Part::JoinWithoutData => {
                "discard the data (moved, not deleted), and start to rejoin with a full state transfer (SST)"
            }
            Part::Bootstrap => "start a new primary component",
            Part::Promote => "make the component primary",
            Part::Fresh => "start a new cluster",
            Part::Seed => "start a new cluster from these data",
            Part::Alone => "start without Galera",
        })
    }
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Saying::AssumeLost(hosts) => {
                write!(f, "assume that {} will not come back; transactions that are only there are lost", and(hosts))
            }
            Saying::Discard(host) => write!(f, "discard the data of {host}"),
            Saying::Trust(host) => write!(f, "trust the recovered position of {host}"),
            Saying::End(host) => write!(f, "stop the database of {host}, although it may be serving clients"),
            Saying::Seed(host) => write!(f, "start a new cluster from the data of {host}"),
            Saying::Standalone => f.write_str("keep the data of the member that ran without Galera"),
            Saying::Force(host) => write!(f, "force a new cluster on {host}, whatever data the others have"),
        }
    }
}

written_as_text!(Saying);
