//! What is known of one peer: its messages, and what its database answered.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::key::KeyIds;
use super::message::Message;
use super::own::LastBackup;
use super::signing::PublicKey;
use super::tick::{ANSWER, FRESH, Tick};
use crate::galera::{ClusterStatus, Evidence, Observation, Process, Running, Silence};

/// How many challenges are remembered: more than are sent while evidence is fresh.
const CHALLENGES: usize = 64;

/// What is known of one peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// Challenges that were sent to it, with when, oldest first.
    challenges: VecDeque<(u64, Tick)>,
    /// How many messages were sent to it.
    pub(super) sent: u64,
    /// The last run that proved to be alive, and its last message.
    heard: Option<Heard>,
    /// When it was last heard.
    heard_at: Option<Tick>,
    /// A run that was sent its own challenge back at least once.
    greeted: Option<u64>,
    /// What it says, and the moment after which it said so.
    evidence: Option<(Evidence, Tick)>,
    /// The virtual addresses that it held then, and for how long, if it told that.
    held: Option<Vec<(Ipv4Addr, Duration)>>,
    /// Its last backup of the database, as far as it told that.
    backup: LastBackup,
    /// The keys that it accepted then.
    keys: Option<KeyIds>,
    /// A key that was shown in its name by a holder who is alive, and that is not the pinned one; and when.
    refused: Option<(PublicKey, Tick)>,
    /// What its database answered, and when it was asked.
    asked: Option<(Running, Tick)>,
    /// When it was answered out of turn.
    answered: Option<Tick>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    run: u64,
    number: u64,
    nonce: u64,
}

/// What to do about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It is news, or repeats what is known.
    Taken,
    /// It may be an old one: its sender has to prove that it is alive, and needs our challenge for that.
    Prove,
    /// It was taken, and its sender does not know yet that we are alive.
    Greet,
    /// It came too late, or twice.
    Stale,
}

impl Peer {
    /// A challenge is sent to it.
    pub(super) fn challenge(&mut self, nonce: u64, now: Tick) {
        if self.challenges.len() == CHALLENGES {
            self.challenges.pop_front();
        }
        self.challenges.push_back((nonce, now));
        self.sent += 1;
    }

    /// Its last challenge.
    pub(super) fn echo(&self) -> Option<u64> {
        self.heard.map(|heard| heard.nonce)
    }

    /// Its run was sent its own challenge.
    pub(super) fn greeted(&mut self) {
        self.greeted = self.heard.map(|heard| heard.run);
    }

    /// The moment after which a message was made, if it gives a challenge back that is not too old.
    fn made_after(&self, message: &Message, now: Tick) -> Option<Tick> {
        let sent = |nonce: u64| self.challenges.iter().find(|(own, _)| *own == nonce).map(|(_, when)| *when);
        message.echo.and_then(sent).filter(|when| now.since(*when) <= FRESH)
    }

    /// A message in its name is refused: it is not signed with the pinned key, but with this one.
    pub(super) fn refuse(&mut self, message: &Message, signer: PublicKey, now: Tick) {
        if self.made_after(message, now).is_some() {
            self.refused = Some((signer, now));
        }
    }

    /// The key that was refused last, unless that was long ago.
    pub(super) fn refused(&self, now: Tick) -> Option<PublicKey> {
        self.refused.filter(|(_, when)| now.since(*when) <= FRESH).map(|(key, _)| key)
    }

    /// Takes a message whose tag is right, and whose signature is, if the key of this peer is known.
    pub(super) fn hear(&mut self, message: &Message, now: Tick) -> Reaction {
        let Some(made_after) = self.made_after(message, now) else { return Reaction::Prove };
        if self.heard.is_some_and(|heard| heard.run == message.run && heard.number >= message.number) {
            return Reaction::Stale;
        }
        // An earlier run may still have had a message under way.
        if self.heard.is_some_and(|heard| heard.run != message.run)
            && self.evidence.as_ref().is_some_and(|(_, taken)| *taken > made_after)
        {
            return Reaction::Stale;
        }
        self.heard = Some(Heard { run: message.run, number: message.number, nonce: message.nonce });
        let as_of = made_after.before(message.content.age);
        self.evidence = message.content.evidence.clone().map(|evidence| (evidence, as_of));
        self.heard_at = Some(now);
        self.held.clone_from(&message.content.held);
        self.backup.clone_from(&message.content.backup);
        self.keys = message.content.keys;
        if self.greeted == Some(message.run) { Reaction::Taken } else { Reaction::Greet }
    }

    /// True if it may be answered out of turn now: a peer that can't be satisfied must not keep the two busy.
    pub(super) fn may_be_answered(&mut self, now: Tick) -> bool {
        let may = self.answered.is_none_or(|when| now.since(when) >= ANSWER);
        if may {
            self.answered = Some(now);
        }
        may
    }

    /// Its database was asked at this moment.
    pub(super) fn asked(&mut self, answer: Option<Running>, when: Tick) {
        self.asked = answer.map(|running| (running, when));
    }

    /// When it was last heard in this run of ours.
    pub(super) fn heard_at(&self) -> Option<Tick> {
        self.heard_at
    }

    /// What it says of itself, if that is fresh.
    pub(super) fn evidence(&self, now: Tick) -> Option<&Evidence> {
        self.evidence.as_ref().filter(|(_, taken)| now.since(*taken) <= FRESH).map(|(evidence, _)| evidence)
    }

    /// The virtual addresses that it holds, and for how long it has been seen to; `None` if it does not say, or what it said is
    /// not fresh.
    pub(super) fn held(&self, now: Tick) -> Option<Vec<(Ipv4Addr, Duration)>> {
        let (_, taken) = self.evidence.as_ref().filter(|(_, taken)| now.since(*taken) <= FRESH)?;
        let held = self.held.as_ref()?;
        Some(held.iter().map(|(vip, held)| (*vip, held.saturating_add(now.since(*taken)))).collect())
    }

    /// Its last backup of the database; nothing is known if what it said is not fresh.
    pub(super) fn backup(&self, now: Tick) -> LastBackup {
        self.evidence(now).map(|_| self.backup.clone()).unwrap_or_default()
    }

    /// The keys that it accepts; nothing is known if it was not heard lately: it may have started again with an older file.
    pub(super) fn keys(&self, now: Tick) -> Option<KeyIds> {
        self.keys.filter(|_| self.heard_at.is_some_and(|when| now.since(when) <= FRESH))
    }

    /// When that becomes too old.
    pub(super) fn expiry(&self) -> Option<Tick> {
        self.evidence.as_ref().map(|(_, taken)| *taken + FRESH)
    }

    /// When what is known of it was so.
    pub(super) fn known_at(&self) -> Option<Tick> {
        let asked = self.asked.as_ref().map(|(_, when)| *when);
        self.evidence.as_ref().map(|(_, taken)| *taken).max(asked)
    }

    /// All that is known of it now.
    pub(super) fn observation(&self, now: Tick) -> Observation {
        let evidence = self.evidence.as_ref().filter(|(_, taken)| now.since(*taken) <= FRESH);
        let asked = self.asked.as_ref().filter(|(_, when)| now.since(*when) <= FRESH);
        let known = |evidence: Evidence| Observation::Known(Box::new(evidence));
        match (evidence, asked) {
            // Its database is in service by now: that is news also where its supervisor is slow.
            (Some((evidence, taken)), Some((running, when)))
                if when > taken && running.status == ClusterStatus::Primary =>
            {
                known(Evidence { process: Process::Running(running.clone()), ..evidence.clone() })
            }
            (Some((evidence, _)), _) => known(evidence.clone()),
            (None, Some((running, _))) => known(Evidence {
                process: Process::Running(running.clone()),
                files: None,
                maintenance: false,
                arbitrator: false,
                disabled: Vec::new(),
                members_hash: None,
            }),
            (None, None) if self.sent == 0 => Observation::Unknown(Silence::NotAsked),
            (None, None) => Observation::Unknown(Silence::NoAnswer),
        }
    }
}
