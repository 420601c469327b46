//! What a supervisor tells when it is asked.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Serialize;

use super::key::KeyIds;
use super::local::LastBackup;
use super::local_action::Part;
use super::machine::{Shutdown, UnderWay};
use super::message::MessageError;
use super::overrides::Spoken;
use super::peers::Peer;
use super::signing::{Fingerprint, PublicKey, SigningKey};
use super::{Supervisor, Tick};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::Records;
use crate::galera::bootstrap::{Action, Reason, Seen};

/// What a supervisor knows and does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The own member.
    pub me: Hostname,
    /// What it is about to do, or does.
    pub part: Option<Part>,
    /// What was decided last; `None` before the first probe.
    pub decision: Option<Decision<Action, Reason>>,
    /// What is known of all members, in order.
    pub members: Vec<PeerStatus>,
    /// What was written down.
    pub records: Records,
    /// The overrides that are valid, wherever they were given.
    pub words: Vec<OverrideStatus>,
    /// How many datagrams were dropped, and why. Who receives them may hand over only some of those that the key did not make.
    pub dropped: BTreeMap<MessageError, u64>,
    /// When a start that failed may be tried again.
    pub retry_in: Option<Duration>,
    /// The keys that are accepted; `None` in a cluster of one, which has no peers.
    pub keys: Option<KeyIds>,
    /// Hosts whose keys are pinned, and that are not in cluster.conf.
    pub pinned_others: Vec<Hostname>,
}

/// An override that is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OverrideStatus {
    /// The override, and where it was given.
    #[serde(flatten)]
    pub given: Spoken,
    /// The member on which it has to be given, too, to take its effect there.
    pub needed_on: Option<Hostname>,
}

/// What is known of one member.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerStatus {
    /// The member, and what is known of it.
    pub seen: Seen,
    /// Its supervisor proves to be alive.
    pub has_supervisor: bool,
    /// How old that is; `None` if nothing is known.
    pub age: Option<Duration>,
    /// The virtual addresses that it holds, and for how long its supervisor has seen it hold them; `None` if that is not known.
    pub held: Option<Vec<(Ipv4Addr, Duration)>>,
    /// Its last backup of the database.
    pub backup: LastBackup,
    /// The keys that its supervisor accepts; `None` if that is not known.
    pub keys: Option<KeyIds>,
    /// The key of its own that is pinned here (of the own member: its key): it is heard only with that. `None` if none was seen:
    /// its messages are not signed.
    pub signing_key: Option<Fingerprint>,
    /// Other keys that are shown in its name now, and refused, the last one first.
    pub refused_keys: Vec<PublicKey>,
}

impl Status {
    /// The key with this id, if it is shown now in the name of this member, and refused.
    pub fn refused_key(&self, member: &Hostname, id: Fingerprint) -> Option<PublicKey> {
        let member = self.members.iter().find(|one| one.seen.host == *member)?;
        member.refused_keys.iter().copied().find(|key| key.fingerprint() == id)
    }
}

impl Supervisor {
    fn override_status(&self, given: Spoken) -> OverrideStatus {
        let needed = self.needed.iter().find(|(word, _)| word.id == given.id);
        OverrideStatus { needed_on: needed.map(|(_, member)| member.clone()), given }
    }

    fn keys(&self) -> Option<KeyIds> {
        (!self.peers.is_empty()).then(|| self.config.keys.ids())
    }

    fn signing_key(&self, host: &Hostname) -> Option<Fingerprint> {
        let own = || self.config.signing.as_ref().map(SigningKey::public);
        let key = if *host == self.config.me { own() } else { self.config.pinned.get(host).copied() };
        key.map(|key| key.fingerprint())
    }

    /// What it knows and does now.
    pub fn status(&self, now: Tick) -> Status {
        let member = |seen: Seen| {
            let peer = self.peers.get(&seen.host);
            let known_at = peer.map_or_else(|| self.local.probed_at(), Peer::known_at);
            PeerStatus {
                has_supervisor: peer.is_none_or(|peer| peer.evidence(now).is_some()),
                held: peer.map_or_else(|| self.local.held(now), |peer| peer.held(now)),
                backup: peer.map_or_else(|| self.local.backup(), |peer| peer.backup(now)),
                keys: peer.map_or_else(|| self.keys(), |peer| peer.keys(now)),
                signing_key: self.signing_key(&seen.host),
                refused_keys: peer.map(|peer| peer.refused(now)).unwrap_or_default(),
                age: known_at.map(|when| now.since(when)),
                seen,
            }
        };
        Status {
            me: self.config.me.clone(),
            part: match self.shutdown {
                Shutdown::NotRequested => self.under_way.map(UnderWay::part),
                Shutdown::Requested => Some(Part::Stop),
                Shutdown::Complete => None,
            },
            decision: self.decision.clone(),
            members: self.seen().into_iter().map(member).collect(),
            records: self.records.clone(),
            words: self.overrides.valid(now).map(|given| self.override_status(given)).collect(),
            dropped: self.dropped.clone(),
            retry_in: self.timers.retry.ends(now).map(|when| when.since(now)),
            keys: self.keys(),
            pinned_others: self.pinned_others(),
        }
    }
}
