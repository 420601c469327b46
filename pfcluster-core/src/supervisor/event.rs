//! What a supervisor tells the people. The sentences are `Display`; tests and programs look at the data.

use std::fmt;

use serde::Serialize;

use super::key::{KeyId, KeyIds};
use super::message::MessageError;
use super::part::Part;
use super::signing::Fingerprint;
use super::word::{Origin, Saying, Spoken};
use crate::cluster::Hostname;
use crate::decision::{Step as Remedy, and};
use crate::galera::bootstrap::{Action, Reason};

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It has decided something new.
    Decided {
        /// What is to be done in the cluster.
        action: Action,
        /// Why.
        reasons: Vec<Reason>,
        /// What a person can do.
        remedy: Vec<Remedy>,
    },
    /// It carries its part out.
    Acts {
        /// Its part.
        part: Part,
        /// The overrides that it may rest on.
        overrides: Vec<Spoken>,
    },
    /// It would carry its part out, but only looks.
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
        /// How many seconds later it may be tried again.
        again: u64,
    },
    /// What it was about to do was called off: the last look showed something else.
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
        from: Hostname,
    },
    /// An operator has given an override, here or to a peer.
    Said {
        /// What is allowed.
        saying: Saying,
        /// Where it was given.
        origin: Origin,
    },
    /// An override that was given to a peer has no effect here until it is given here, too.
    Needed {
        /// What was asked for.
        saying: Saying,
        /// Where it was given.
        origin: Origin,
    },
    /// An override has had its effect, and is used up.
    Served {
        /// What was allowed.
        saying: Saying,
        /// Where it was given.
        origin: Origin,
    },
    /// The component to join lists members that are gone, and has no quorum without them.
    ComponentDoubtful,
    /// It has to join with its data, and no member in service shows whether there was a fork without it.
    NoWitness,
    /// The own data diverged from those of the component that the database is in now, and Galera does not notice.
    Diverged,
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
        next: KeyId,
    },
    /// The file of this member's own key was read again, and has another one.
    SigningKeyRead {
        /// The new one.
        key: Fingerprint,
    },
    /// From now on a member is heard only with this key of its own.
    Pinned {
        /// The member.
        member: Hostname,
        /// Its key.
        key: Fingerprint,
        /// The one that an operator gave up for it; `None` if there was none, and this was the first that was seen.
        before: Option<Fingerprint>,
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

impl Event {
    /// A stable word for the kind of event.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Decided { .. } => "decided",
            Event::Acts { .. } => "acts",
            Event::WouldAct { .. } => "would_act",
            Event::Failed { .. } => "failed",
            Event::CalledOff { .. } => "called_off",
            Event::InService => "in_service",
            Event::OutOfService => "out_of_service",
            Event::Ended { .. } => "ended",
            Event::NotRecorded { .. } => "not_recorded",
            Event::Heard { .. } => "heard",
            Event::Said { .. } => "said",
            Event::Needed { .. } => "needed",
            Event::Served { .. } => "served",
            Event::ComponentDoubtful => "component_doubtful",
            Event::NoWitness => "no_witness",
            Event::Diverged => "diverged",
            Event::ViewFileStale => "view_file_stale",
            Event::NotSynced { .. } => "not_synced",
            Event::ReformFailed => "reform_failed",
            Event::KeysRead { .. } => "keys_read",
            Event::KeyAccepted { .. } => "key_accepted",
            Event::SigningKeyRead { .. } => "signing_key_read",
            Event::Pinned { .. } => "pinned",
            Event::Dropped { .. } => "dropped",
            Event::TooLarge => "too_large",
        }
    }
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
            Event::Failed { part, why, again } => write!(f, "{part}: {why}; again in {again} s at the earliest"),
            Event::CalledOff { part } => write!(f, "not done after all ({part}): the last look shows something else"),
            Event::InService => f.write_str("the database is in service"),
            Event::OutOfService => f.write_str("the database is out of service"),
            Event::Ended { why } => write!(f, "the database's process has ended: {why}"),
            Event::NotRecorded { why } => write!(f, "not written down: {why}"),
            Event::Heard { from } => write!(f, "{from} is there"),
            Event::Said { saying, origin } => write!(f, "override given on {origin}: {saying}"),
            Event::Needed { saying, origin } => write!(
                f,
                "asked for on {origin}: {saying}; it has no effect here until it is given here: `{}`",
                saying.command()
            ),
            Event::Served { saying, origin } => write!(f, "override used up, given on {origin}: {saying}"),
            Event::ComponentDoubtful => f.write_str(
                "does not join yet: the primary component has not noticed yet which of its members are gone",
            ),
            Event::NoWitness => f.write_str(
                "does not join yet: no supervisor of a member in service tells whether history went on without this one",
            ),
            Event::Diverged => f.write_str(
                "this member's data diverged before it joined the component: compare its rows, then discard its data",
            ),
            Event::ViewFileStale => f.write_str(
                "gvwstate.dat does not follow the views of the database: check whether the disk of its data is full",
            ),
            Event::NotSynced { why } => write!(f, "the data of a state transfer are not synced to disk: {why}"),
            Event::ReformFailed => f.write_str("the last view did not form again; its highest member is to begin"),
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
            Event::Dropped { error, count } => write!(f, "a datagram was dropped: {error} ({count} by now)"),
            Event::TooLarge => f.write_str("the evidence does not fit into a datagram, so the peers do not get it"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Stop => "end the database",
            Part::End => "end the database, which does not respond, on the operator's override",
            Part::Supersede => "move the last primary view away: a component is started that it could oppose",
            Part::Reform => "start, to form the last view again",
            Part::Join => "start, to join the component in service",
            Part::JoinWithoutData => "move the data aside, and start to join without them",
            Part::Bootstrap => "start a new primary component",
            Part::Promote => "make the component primary",
            Part::Fresh => "start a new cluster",
            Part::Seed => "start a new history with these data",
            Part::Alone => "start without Galera",
        })
    }
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Saying::AssumeLost(hosts) => write!(f, "do without what {} may hold", and(hosts)),
            Saying::Discard(host) => write!(f, "the data of {host} are given up"),
            Saying::Trust(host) => write!(f, "the recovered position of {host} is trusted"),
            Saying::End(host) => write!(f, "the database of {host} is ended, although it may be serving clients"),
            Saying::Seed(host) => write!(f, "the data of {host} begin a new history"),
            Saying::Standalone => f.write_str("the data of the member that ran without Galera are kept"),
            Saying::Force(host) => write!(f, "{host} begins, whatever the others hold"),
        }
    }
}

impl Serialize for Saying {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
