//! The peers: what they are sent, how what they send is taken, and what is known of each: its messages, and what its database
//! replied.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::event::Event;
use super::key::{Key, KeyIds};
use super::local::LastBackup;
use super::message::{Content, Message, MessageError, Received};
use super::signing::{PublicKey, SigningKey};
use super::timers::{ANSWER, FRESH, Tick};
use super::{Output, Supervisor};
use crate::cluster::Hostname;
use crate::galera::bootstrap::Seen;
use crate::galera::{ClusterStatus, Evidence, Observation, Process, Running, Silence};

/// How many challenges are remembered: more than are sent while evidence is fresh.
const CHALLENGES: usize = 64;
/// How many refused keys are remembered.
const REFUSED: usize = 8;

impl Supervisor {
    /// Queries databases over the network. The number of the query; `None` if there is none to query.
    pub(super) fn query_peers(&mut self, hosts: Vec<Hostname>) -> Option<u64> {
        if hosts.is_empty() {
            return None;
        }
        self.queries += 1;
        self.query = Some((self.queries, self.now));
        self.outputs.push_back(Output::Ask { number: self.queries, hosts });
        Some(self.queries)
    }

    /// The databases have replied, or not.
    pub(super) fn replied(&mut self, number: u64, answers: &[(Hostname, Running)]) {
        let Some((_, when)) = self.query.take_if(|(own, _)| *own == number) else { return };
        for (host, peer) in &mut self.peers {
            let answer = answers.iter().find(|(other, _)| other == host).map(|(_, running)| running.clone());
            peer.replied(answer, when);
        }
    }

    /// Sends what is known here to all peers.
    pub(super) fn announce(&mut self) {
        let peers: Vec<Hostname> = self.peers.keys().cloned().collect();
        peers.iter().for_each(|host| self.send(host, None, None));
    }

    /// A number that cannot be guessed, another one for each count: by a holder of the shared key neither, where this member has a
    /// key of its own. A guessed challenge could be given to a peer before it is sent, and its answer kept until then.
    pub(super) fn nonce(&self) -> u64 {
        let parts: [&[u8]; 3] = [b"nonce", &self.config.run.to_be_bytes(), &self.nonces.to_be_bytes()];
        let secret = self.config.signing.as_ref().map_or_else(|| self.config.keys.current.clone(), SigningKey::secret);
        let tag = secret.tag(&parts);
        tag.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// Sends what is known here to a peer. `echo`: the challenge that it shall get back, if not its last one. `key`: the one of the
    /// message that this answers: whatever its sender accepts, that key is among it.
    fn send(&mut self, to: &Hostname, echo: Option<u64>, key: Option<Key>) {
        self.nonces += 1;
        let nonce = self.nonce();
        let Some(peer) = self.peers.get_mut(to) else { return };
        let key = key.unwrap_or_else(|| self.config.keys.for_peer(peer.keys(self.now)).clone());
        let number = peer.sent;
        peer.challenge(nonce, self.now);
        let echo = echo.or_else(|| {
            peer.echoed();
            peer.echo()
        });
        let announced = self.local.announced(self.now);
        let content = Content {
            evidence: announced.map(|(evidence, _)| evidence.clone()),
            age: announced.map_or(Duration::ZERO, |(_, age)| age),
            words: self.overrides.given_here(self.now),
            held: self.local.held(self.now),
            backup: self.local.backup(),
            keys: Some(self.config.keys.ids()),
        };
        let mut message = Message { from: self.config.me.clone(), run: self.config.run, number, nonce, echo, content };
        let encode = |message: &Message| message.encode(to, &self.names, &key, self.config.signing.as_ref());
        let mut bytes = encode(&message);
        // Elections come first, then who holds the addresses.
        let less: [fn(&mut Content); 2] =
            [|content| content.backup = LastBackup::Unknown, |content| content.held = None];
        for leave_out in less {
            if bytes.is_err() {
                leave_out(&mut message.content);
                bytes = encode(&message);
            }
        }
        if bytes.is_err() {
            // This member is here, but what it knows does not fit: for the others that is unknown, which is never absent.
            message.content.evidence = None;
            bytes = encode(&message);
            if !std::mem::replace(&mut self.logged.too_large, true) {
                self.log(Event::TooLarge);
            }
        }
        if let Ok(bytes) = bytes {
            self.outputs.push_back(Output::Send { to: to.clone(), bytes });
        }
    }

    /// A datagram has come.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        let decoded = Message::decode(bytes, &self.config.me, &self.names, &self.config.keys);
        let Received { message, key, signer } = match decoded {
            Ok(received) => received,
            Err(error) => return self.drop_datagram(error),
        };
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&message.from) else { return };
        let pinned = self.config.pinned.get(&message.from);
        if pinned.is_some() && signer.as_ref() != pinned {
            if let Some(signer) = signer {
                peer.refuse(&message, signer, now);
            }
            return self.drop_datagram(MessageError::NotSigned { from: message.from });
        }
        let was_known = peer.evidence(now).is_some();
        let reaction = peer.receive(&message, now);
        if matches!(reaction, Reaction::Taken | Reaction::Echo) {
            self.note_supervisor(&message.from);
            // Its holder is alive, and not one who recorded it.
            if let Some(signer) = signer.filter(|_| !self.config.is_passive)
                && !self.config.pinned.contains_key(&message.from)
            {
                self.pin(&message.from, signer);
            }
        }

        let echo = match reaction {
            Reaction::Challenge => Some(message.nonce),
            Reaction::Echo => None,
            Reaction::Taken | Reaction::Stale => {
                if reaction == Reaction::Taken {
                    self.learn_overrides(&message);
                    self.learn_forks_of(&message.from);
                }
                return;
            }
        };
        if reaction == Reaction::Echo {
            self.learn_overrides(&message);
            self.learn_forks_of(&message.from);
            if !was_known {
                self.outputs.push_back(Output::Tell(Event::Heard { from: message.from.clone() }));
            }
        }
        if self.peers.get_mut(&message.from).is_some_and(|peer| peer.may_be_answered(now)) {
            self.send(&message.from, echo, Some(key));
        }
    }

    fn drop_datagram(&mut self, error: MessageError) {
        let count = self.dropped.entry(error.clone()).or_default();
        *count += 1;
        if count.is_power_of_two() {
            let count = *count;
            self.log(Event::Dropped { error, count });
        }
    }

    /// What is known of all members now, in order.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let disabled = self.local.evidence().map_or(&[][..], |evidence| &evidence.disabled);
        let one = |host: &Hostname| Seen {
            host: host.clone(),
            enabled: !disabled.contains(host),
            observation: match (self.peers.get(host), self.local.evidence()) {
                (Some(peer), _) => peer.observation(self.now),
                (None, Some(evidence)) => Observation::Known(Box::new(evidence.clone())),
                (None, None) => Observation::Unknown(Silence::NotAsked),
            },
        };
        self.config.members.iter().map(one).collect()
    }
}

/// What is known of one peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// Challenges that were sent to it, with when, oldest first.
    challenges: VecDeque<(u64, Tick)>,
    /// How many messages were sent to it.
    pub(super) sent: u64,
    /// The last run that proved to be alive, and its last message.
    last_message: Option<LastMessage>,
    /// When its last message came.
    received_at: Option<Tick>,
    /// A run that was sent its own challenge back at least once.
    echoed: Option<u64>,
    /// What it says, and the moment after which it said so.
    evidence: Option<(Evidence, Tick)>,
    /// The virtual addresses that it held then, and for how long, if it told that.
    held: Option<Vec<(Ipv4Addr, Duration)>>,
    /// Its last backup of the database, as far as it told that.
    backup: LastBackup,
    /// The keys that it accepted then.
    keys: Option<KeyIds>,
    /// Keys that were shown in its name by holders who are alive, and that are not the pinned one; and when, the last one last.
    refused: Vec<(PublicKey, Tick)>,
    /// What its database replied, and when it was queried.
    reply: Option<(Running, Tick)>,
    /// When it was answered out of turn.
    answered: Option<Tick>,
}

#[derive(Clone, Copy, Debug)]
struct LastMessage {
    run: u64,
    number: u64,
    nonce: u64,
    /// The moment after which it was made.
    made_after: Tick,
}

/// What to do about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It is news, or repeats what is known.
    Taken,
    /// It may be an old one: its sender has to prove that it is alive, and needs our challenge for that.
    Challenge,
    /// It was taken, and its sender does not know yet that we are alive.
    Echo,
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
        self.last_message.map(|last| last.nonce)
    }

    /// Its run was sent its own challenge.
    pub(super) fn echoed(&mut self) {
        self.echoed = self.last_message.map(|last| last.run);
    }

    /// The moment after which a message was made, if it gives a challenge back that is not too old.
    fn made_after(&self, message: &Message, now: Tick) -> Option<Tick> {
        let sent = |nonce: u64| self.challenges.iter().find(|(own, _)| *own == nonce).map(|(_, when)| *when);
        message.echo.and_then(sent).filter(|when| now.since(*when) <= FRESH)
    }

    /// A message in its name is refused: it is not signed with the pinned key, but with this one.
    pub(super) fn refuse(&mut self, message: &Message, signer: PublicKey, now: Tick) {
        if self.made_after(message, now).is_some() {
            self.refused.retain(|(key, _)| *key != signer);
            self.refused.push((signer, now));
            let surplus = self.refused.len().saturating_sub(REFUSED);
            self.refused.drain(..surplus);
        }
    }

    /// The keys that are refused now, the last one first.
    pub(super) fn refused(&self, now: Tick) -> Vec<PublicKey> {
        let is_shown = |when: &Tick| now.since(*when) <= FRESH;
        self.refused.iter().rev().filter(|(_, when)| is_shown(when)).map(|(key, _)| *key).collect()
    }

    /// What was said in its name with another key does not count any more.
    pub(super) fn forget(&mut self) {
        let Peer { challenges, sent, reply, .. } = std::mem::take(self);
        *self = Peer { challenges, sent, reply, ..Peer::default() };
    }

    /// Takes a message whose tag is right, and whose signature is, if the key of this peer is known.
    pub(super) fn receive(&mut self, message: &Message, now: Tick) -> Reaction {
        let Some(made_after) = self.made_after(message, now) else { return Reaction::Challenge };
        if self.last_message.is_some_and(|last| last.run == message.run && last.number >= message.number) {
            return Reaction::Stale;
        }
        // An earlier run may still have had a message under way. A challenge reaches one run only.
        if self.last_message.is_some_and(|last| last.run != message.run && last.made_after >= made_after) {
            return Reaction::Stale;
        }
        self.last_message =
            Some(LastMessage { run: message.run, number: message.number, nonce: message.nonce, made_after });
        let as_of = made_after.before(message.content.age);
        self.evidence = message.content.evidence.clone().map(|evidence| (evidence, as_of));
        self.received_at = Some(now);
        self.held.clone_from(&message.content.held);
        self.backup.clone_from(&message.content.backup);
        self.keys = message.content.keys;
        if self.echoed == Some(message.run) { Reaction::Taken } else { Reaction::Echo }
    }

    /// True if it may be answered out of turn now: a peer that can't be satisfied must not keep the two busy.
    pub(super) fn may_be_answered(&mut self, now: Tick) -> bool {
        let may = self.answered.is_none_or(|when| now.since(when) >= ANSWER);
        if may {
            self.answered = Some(now);
        }
        may
    }

    /// Its database was queried at this moment.
    pub(super) fn replied(&mut self, answer: Option<Running>, when: Tick) {
        self.reply = answer.map(|running| (running, when));
    }

    /// When its last message came in this run of ours.
    pub(super) fn received_at(&self) -> Option<Tick> {
        self.received_at
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

    /// The keys that it accepts; nothing is known if no message of it came lately: it may have started again with an older file.
    pub(super) fn keys(&self, now: Tick) -> Option<KeyIds> {
        self.keys.filter(|_| self.received_at.is_some_and(|when| now.since(when) <= FRESH))
    }

    /// When that becomes too old.
    pub(super) fn expiry(&self) -> Option<Tick> {
        self.evidence.as_ref().map(|(_, taken)| *taken + FRESH)
    }

    /// When what is known of it was so.
    pub(super) fn known_at(&self) -> Option<Tick> {
        let replied = self.reply.as_ref().map(|(_, when)| *when);
        self.evidence.as_ref().map(|(_, taken)| *taken).max(replied)
    }

    /// All that is known of it now.
    pub(super) fn observation(&self, now: Tick) -> Observation {
        let evidence = self.evidence.as_ref().filter(|(_, taken)| now.since(*taken) <= FRESH);
        let reply = self.reply.as_ref().filter(|(_, when)| now.since(*when) <= FRESH);
        let known = |evidence: Evidence| Observation::Known(Box::new(evidence));
        match (evidence, reply) {
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

/// What the peers should get at once, and not only with the next announcement.
pub(super) fn is_news(before: &Evidence, now: &Evidence) -> bool {
    let still = |evidence: &Evidence| {
        let mut evidence = evidence.clone();
        if let Process::Running(running) = &mut evidence.process {
            running.last_committed = 0;
        }
        if let Some(files) = &mut evidence.files {
            files.records.last_recorded = None;
        }
        evidence
    };
    still(before) != still(now)
}
