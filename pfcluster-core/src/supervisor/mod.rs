//! The MariaDB supervisor of one member, as a state machine without any I/O: it looks at its own database, tells the peers,
//! hears them, decides by [`crate::galera::bootstrap`], acts, and persists what will be needed after the next outage
//! ([`crate::galera::Records`]).
//!
//! It acts on proof and never on a timer: the moment the evidence suffices. Timers only repeat questions.
//!
//! # How to drive it
//!
//! 1. [`Supervisor::new`], once per run, with the records that were persisted before and the machine's boot.
//! 2. Drain [`Supervisor::poll_output`] until it is `None`. Carry the outputs out in order.
//! 3. Wait for whatever comes first: an answer to an output, a datagram, an operator, the end of the database's process, or
//!    the moment of [`Supervisor::poll_timeout`].
//! 4. Give it to [`Supervisor::handle_input`], with the time. ([`Input::Woken`] for the moment.) Then 2 again.
//!
//! Each [`Output::Look`], [`Output::Ask`], [`Output::Act`] and [`Output::Sync`] is answered once, in any order, whenever the
//! answer is there; none of them may keep datagrams waiting. [`Output::Record`] is answered only if it fails. Time never goes
//! back; one that does counts as standing still.
//!
//! ```
//! use pfcluster_core::supervisor::{Config, Input, Key, Output, Supervisor, Tick};
//!
//! let hosts: Vec<pfcluster_core::cluster::Hostname> = ["pf1", "pf2", "pf3"].iter().map(|name| name.parse().unwrap()).collect();
//! let config = Config::new(hosts[0].clone(), hosts, Key::new([7; 32]), 42);
//! let mut supervisor = Supervisor::new(config, Tick(0));
//! let mut told = Vec::new();
//! while let Some(output) = supervisor.poll_output() {
//!     match output {
//!         // Read grastate.dat, ask the server; then answer with `Input::Looked`. Later also run `--wsrep-recover`.
//!         Output::Look { recover, .. } => assert!(!recover),
//!         // To the member's management address. It is not known yet what to tell, but that somebody is here.
//!         Output::Send { to, .. } => told.push(to.to_string()),
//!         other => panic!("{other:?} is too early"),
//!     }
//! }
//! assert_eq!(told, ["pf2", "pf3"]);
//! let (when, why) = supervisor.poll_timeout().unwrap();
//! supervisor.handle_input(when, Input::Woken);
//! # let _ = why;
//! ```
//!
//! # What it goes by
//!
//! - The position of a stopped database is what recovery finds in `InnoDB`, after every stop; grastate.dat's seqno never
//!   decides. Only the first look of a run leaves it out: what is persisted is announced at once.
//! - A stop is proved clean if gvwstate.dat is gone and the recovered position is grastate.dat's. That is persisted, with
//!   `safe_to_bootstrap` as Galera wrote it, until the database is primary again: a start that fails writes `seqno: -1` over
//!   it, and a flag that this supervisor writes for a start proves nothing.
//! - What a look says of the process has an age, and is not announced once that is too old.
//! - Before a join the machine's boot is persisted ([`Step::Record`]), until the data are synced to disk ([`Output::Sync`]).
//!   After another boot without that sync the data may be incomplete: they are never started from, and such a member takes
//!   everything anew.
//! - A start on which other members may be more advanced gets a new cluster UUID and persists a fork (an id, and where): Galera
//!   then lets nobody of the old UUID in by its seqno. Who joins persists the forks of those in service. A component that
//!   somebody made primary by hand is persisted as a fork, too.
//!
//! # What it promises
//!
//! - A member bootstraps, promotes or restores a primary component only with its own evidence taken anew, and every database
//!   asked once more, right before; any answer "primary" cancels it. One act at a time.
//! - It starts a member normally only to restore its last view, or while a primary component is in sight; a joiner never with a
//!   gvwstate.dat in place.
//! - Before a component is bootstrapped or promoted, the others that hold a last view, or have proved to have left last, give
//!   that proof up ([`Part::Supersede`]): nothing can be restored beside it.
//! - It ends a database only if that waits without service and is in the way, or waits for a minute beside the mark of a state
//!   transfer while all members are known and none is in a primary component; never one that serves, may be serving (it does
//!   not respond, or was started with `--wsrep-new-cluster` and does not answer yet), or takes part in a state transfer. An
//!   operator can have one that does not respond ended ([`Saying::End`]). (Told to end itself, it ends its database with it.)
//! - It moves data aside only by an override that was given to itself, and deletes nothing. Of the small state files,
//!   gvwstate.dat and grastate.dat, a start moves aside what would mislead Galera.
//! - An override that was given to another member allows nothing here (`authority.rs` has the rules).
//! - What was decided together is decided by each: the same evidence and the same overrides give the same answer.
//!
//! # What attackers can do
//!
//! | | is | can | cannot |
//! |---|---|---|---|
//! | N | on the management network, without a key | answer in the place of a database that is down ("primary" calls a start off; the log names the address); drop or delay datagrams | make a datagram that is looked at, or replay one; anything to data or processes |
//! | K | holder of the shared key | what N can; show a key of his own in a member's name, which is refused and shown; speak for a member whose key is not pinned (below) | speak for a member whose key is pinned, with evidence or overrides; compute the challenges of a member that has a key of its own |
//! | C | root on one member | on that member everything; towards the others speak for that member alone (below), and what K can | speak for a member whose key is pinned; make an override on another member |
//! | P | the user pf of a member | read the shared key, so what K can; put another shared key into the file: that member is then alone until it is brought back; rename members in cluster.conf, whose keys are then seen for the first time; have the server load code as the user mysql (mariadb.conf is its file). Where PacketFence's sudoers lets it run `tee`, `chroot` or `pfcmd` as root, it is root | read the member's own key, change the pinned ones, make an override: these files and the socket are root's |
//! | M | the user mysql of a member | change that member's data, and so its evidence, which its supervisor signs as it finds it; take its ports while they are free; read the shared key where it is in the group pf and the group may read the file | read the member's own key, make an override |
//!
//! **A member whose key is not pinned** has none yet, or was not seen with it. In its name K can, with false evidence, keep the cluster
//! from starting, have a process that waits without service ended, gvwstate.dat moved aside and a proof of having left last given up,
//! and have a member start although this one is ahead of it ("pf2 stopped at 50"): its later transactions are lost, and without a
//! fork its rows may mix with others. What an override that was given elsewhere allows, K can claim: `authority.rs` says how little
//! that is. K can also be first to show a key in its name: that is pinned then, K goes on speaking for the member, and the member
//! itself is refused, which the log, the status and `doctor` show, until its key is accepted. So pin while the shared key is fresh,
//! and compare the ids.
//!
//! **A member that is in C's hands** can say of its own database what it likes: that it is ahead, so that the others wait for it
//! until an operator assumes it lost; that a component was bootstrapped without some member: those that serve with it write such
//! forks down, and a later bootstrap can be refused for them, or pass over the last transactions of an honest member; that it
//! stopped at 50, so that its own later transactions are passed over; that it is primary, so that the others join it and take its
//! data by a state transfer, as from any donor. With overrides that are given there it starts its own database without what the
//! others have, and they move to that; no other member loses a data directory, or a process that serves, by it. A signature says
//! who speaks, never that it is true.
//!
//! What was copied of the shared key is worth nothing after it is changed (`key.rs`), what was copied of a member's own key after
//! another one is accepted in its place (`signing.rs`): the first is a step of the runbook `remove-member`.

mod act;
mod authority;
mod event;
mod hold;
mod io;
mod key;
mod message;
mod own;
mod part;
mod peer;
mod records;
mod signing;
mod status;
mod tick;
mod word;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use event::Event;
pub use io::{Config, Input, Output};
pub use key::{Key, KeyError, KeyId, KeyIds, Keys};
pub use message::{Content, MOST_BYTES, Message, MessageError, TooLarge, is_authentic};
pub use own::{Backup, LastBackup, Look};
pub use part::{Part, Start, Step};
pub use signing::{Fingerprint, PublicKey, SigningKey, SigningKeyError};
pub use status::{OverrideStatus, PeerStatus, Status};
pub use tick::{Tick, Wake};
pub use word::{LONGEST as LONGEST_WORD, Origin, Saying, Spoken};

use act::{Phase, Retry};
use message::{Names, Received};
use own::Own;
use peer::{Peer, Reaction};
use tick::{ASK, RECORD, TELL_IN_SERVICE, TELL_OUT_OF_SERVICE};
use word::Words;

use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Reason, Seen};
use crate::galera::{Evidence, Observation, Process, Records, Silence, ViewId};

/// The supervisor of one member.
#[derive(Clone, Debug)]
pub struct Supervisor {
    config: Config,
    names: Names,
    now: Tick,
    own: Own,
    peers: BTreeMap<Hostname, Peer>,
    records: Records,
    words: Words,
    /// Overrides that would also have to be given elsewhere, and where.
    needed: Vec<(Spoken, Hostname)>,
    phase: Phase,
    retry: Retry,
    decision: Option<Decision<Action, Reason>>,
    /// The own part that is wanted, and since when.
    wish: Option<(Part, Tick)>,
    told: Told,
    outputs: VecDeque<Output>,
    nonces: u64,
    asks: u64,
    /// The question to the peers' databases that is under way.
    asking: Option<(u64, Tick)>,
    next_tell: Tick,
    next_ask: Tick,
    next_record: Tick,
    /// Two primary components have been seen since.
    split_since: Option<Tick>,
    /// The component to join does not show yet who has left it, since then.
    doubted_since: Option<Tick>,
    /// The own process waits beside the mark of a state transfer that no member can be giving, since then.
    vain_since: Option<Tick>,
    /// gvwstate.dat differs from the views that the database is in, since then.
    frozen_since: Option<Tick>,
    /// The view of gvwstate.dat, and the configuration id that was seen last before the file named it.
    view_before: Option<(ViewId, Option<u64>)>,
    /// The database is in service since then.
    serves_since: Option<Tick>,
    /// The disks are being synced.
    is_syncing: bool,
    /// Syncing failed, and is tried again then.
    next_sync: Tick,
    /// The own part in a view that is to form again was done then.
    reform_since: Option<Tick>,
    reform_failed: bool,
    dropped: BTreeMap<MessageError, u64>,
    /// What is to be written down was written down, as far as is known.
    is_recorded: bool,
}

/// What people were told last, so that nothing is told twice.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that was told")]
struct Told {
    action: Option<Action>,
    /// When the last decision became another one, until it is told.
    changed: Option<Tick>,
    part: Option<Part>,
    too_large: bool,
    lacks_witness: bool,
    has_diverged: bool,
    in_service: bool,
    accepted: Option<KeyId>,
}

impl Supervisor {
    /// A supervisor that begins now.
    pub fn new(config: Config, now: Tick) -> Supervisor {
        let peers = config.members.iter().filter(|host| **host != config.me);
        let mut supervisor = Supervisor {
            names: Names::new(config.everybody.clone(), config.members_hash.clone()),
            now,
            own: Own::default(),
            peers: peers.map(|host| (host.clone(), Peer::default())).collect(),
            records: config.records.clone(),
            words: Words::new(config.me.clone()),
            needed: Vec::new(),
            phase: Phase::Watching,
            retry: Retry::default(),
            decision: None,
            wish: None,
            told: Told::default(),
            outputs: VecDeque::new(),
            nonces: 0,
            asks: 0,
            asking: None,
            next_tell: now,
            next_ask: now + ASK,
            next_record: now,
            split_since: None,
            doubted_since: None,
            vain_since: None,
            frozen_since: None,
            view_before: None,
            serves_since: None,
            is_syncing: false,
            next_sync: now,
            reform_since: None,
            reform_failed: false,
            dropped: BTreeMap::new(),
            is_recorded: true,
            config,
        };
        supervisor.keep_time();
        supervisor
    }

    /// Something happens.
    pub fn handle_input(&mut self, now: Tick, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Looked { number, look } => self.looked(number, *look),
            Input::Asked { number, answers } => self.asked(number, &answers),
            Input::Acted { result } => self.acted(result),
            Input::NotRecorded { why } => {
                self.is_recorded = false;
                self.tell(Event::NotRecorded { why });
            }
            Input::Synced { result } => self.synced(result),
            Input::Received { bytes } => self.received(&bytes),
            Input::Ended { why } => self.ended(why),
            Input::Said { id, saying, user } => {
                let origin = self.words.say(id, saying.clone(), user, self.now);
                self.tell(Event::Said { saying, origin });
                self.next_tell = self.now;
            }
            Input::KeysRead { keys } => self.keys_read(keys),
            Input::SigningKeyRead { key } => self.signing_key_read(key),
            Input::PublicKeyAccepted { member, key } => self.accept(&member, key),
            Input::End => self.begin_end(),
            Input::Woken => {}
        }
        self.consider();
        self.notice_accepted();
        self.keep_time();
    }

    fn keys_read(&mut self, keys: Keys) {
        if keys == self.config.keys {
            return;
        }
        self.config.keys = keys;
        self.tell(Event::KeysRead { keys: self.config.keys.ids() });
        self.next_tell = self.now;
    }

    fn signing_key_read(&mut self, key: SigningKey) {
        if self.config.signing.as_ref() == Some(&key) {
            return;
        }
        self.tell(Event::SigningKeyRead { key: key.public().fingerprint() });
        self.config.signing = Some(key);
        self.next_tell = self.now;
    }

    /// An operator accepts another key of a peer.
    fn accept(&mut self, member: &Hostname, key: PublicKey) {
        if self.peers.contains_key(member) && self.config.pinned.get(member) != Some(&key) {
            self.pin(member, key);
            self.next_tell = self.now;
        }
    }

    /// From now on a peer is heard only with this key.
    fn pin(&mut self, member: &Hostname, key: PublicKey) {
        let before = self.config.pinned.insert(member.clone(), key).map(|before| before.fingerprint());
        self.outputs.push_back(Output::Pin(self.config.pinned.clone()));
        self.tell(Event::Pinned { member: member.clone(), key: key.fingerprint(), before });
    }

    /// Tells once that the current key may go.
    fn notice_accepted(&mut self) {
        let next = self.config.keys.next.as_ref().map(Key::id);
        let Some(next) = next.filter(|next| self.told.accepted != Some(*next)) else { return };
        if self.peers.values().all(|peer| peer.keys(self.now).is_some_and(|ids| ids.accepts(next))) {
            self.told.accepted = Some(next);
            self.tell(Event::KeyAccepted { next });
        }
    }

    /// The next thing to be done; `None` if there is nothing more now.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to wake it at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Tick, Wake)> {
        let ask = self.asking.is_none().then_some(self.next_ask);
        let evidence = self.peers.values().filter_map(Peer::expiry).filter(|when| *when >= self.now);
        let moments = [
            (self.holds_until(), Wake::Hold),
            (self.own.next_look(), Wake::Look),
            (Some(self.next_tell), Wake::Tell),
            (ask, Wake::Ask),
            (evidence.min().map(|when| Tick(when.0 + 1)), Wake::Expiry),
            (self.patience_ends(), Wake::Patience),
            (self.retry.next(self.now), Wake::Retry),
            (self.second_look(), Wake::SecondLook),
            (self.reform_ends(), Wake::Reform),
            (self.words.next_end(self.now), Wake::Word),
        ];
        if self.phase == Phase::Ended {
            return None;
        }
        let moments = moments.into_iter().filter_map(|(when, why)| Some((when?.max(self.now), why)));
        moments.min()
    }

    /// What is due is done.
    fn keep_time(&mut self) {
        if self.phase == Phase::Ended {
            return;
        }
        if self.own.next_look().is_some_and(|when| when <= self.now) {
            self.look();
        }
        if self.next_ask <= self.now && self.asking.is_none() {
            let silent: Vec<Hostname> = self
                .peers
                .iter()
                .filter(|(_, peer)| peer.evidence(self.now).is_none())
                .map(|(host, _)| host.clone())
                .collect();
            self.next_ask = self.now + ASK;
            self.ask(silent);
        }
        if self.next_tell <= self.now {
            let peers: Vec<Hostname> = self.peers.keys().cloned().collect();
            peers.iter().for_each(|host| self.send(host, None, None));
            self.next_tell = self.now + if self.is_in_service() { TELL_IN_SERVICE } else { TELL_OUT_OF_SERVICE };
        }
    }

    fn look(&mut self) -> u64 {
        let (number, recover) = self.own.begin(self.now);
        self.outputs.push_back(Output::Look { number, recover });
        number
    }

    /// Asks databases over the network. The number of the question; `None` if there is nobody to ask.
    fn ask(&mut self, hosts: Vec<Hostname>) -> Option<u64> {
        if hosts.is_empty() {
            return None;
        }
        self.asks += 1;
        self.asking = Some((self.asks, self.now));
        self.outputs.push_back(Output::Ask { number: self.asks, hosts });
        Some(self.asks)
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Tell(event));
    }

    /// A number that cannot be guessed, another one for each count: by a holder of the shared key neither, where this member has a
    /// key of its own. A guessed challenge could be given to a peer before it is sent, and its answer kept until then.
    fn nonce(&self) -> u64 {
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
            peer.greeted();
            peer.echo()
        });
        let announced = self.own.announced(self.now);
        let content = Content {
            evidence: announced.map(|(evidence, _)| evidence.clone()),
            age: announced.map_or(Duration::ZERO, |(_, age)| age),
            words: self.words.said(self.now),
            held: self.own.held(self.now),
            backup: self.own.backup(),
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
            // Somebody is here, but what it knows does not fit: for the others that is unknown, which is never absent.
            message.content.evidence = None;
            bytes = encode(&message);
            if !std::mem::replace(&mut self.told.too_large, true) {
                self.tell(Event::TooLarge);
            }
        }
        if let Ok(bytes) = bytes {
            self.outputs.push_back(Output::Send { to: to.clone(), bytes });
        }
    }

    fn received(&mut self, bytes: &[u8]) {
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
        let reaction = peer.hear(&message, now);
        if matches!(reaction, Reaction::Taken | Reaction::Greet) {
            self.has_supervisor(&message.from);
            // Its holder is alive, and not one who recorded it.
            if let Some(signer) = signer.filter(|_| !self.config.is_passive)
                && !self.config.pinned.contains_key(&message.from)
            {
                self.pin(&message.from, signer);
            }
        }

        let echo = match reaction {
            Reaction::Prove => Some(message.nonce),
            Reaction::Greet => None,
            Reaction::Taken | Reaction::Stale => {
                if reaction == Reaction::Taken {
                    self.learn_overrides(&message);
                    self.learn(&message.from);
                }
                return;
            }
        };
        if reaction == Reaction::Greet {
            self.learn_overrides(&message);
            self.learn(&message.from);
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
            self.tell(Event::Dropped { error, count });
        }
    }

    /// What operators have given to a peer.
    fn learn_overrides(&mut self, message: &Message) {
        for Spoken { saying, origin, .. } in self.words.hear(&message.from, &message.content.words, self.now) {
            self.tell(Event::Said { saying, origin });
        }
    }

    /// What is known of all members now, in order.
    fn seen(&self) -> Vec<Seen> {
        let disabled = self.own.evidence().map_or(&[][..], |evidence| &evidence.disabled);
        let one = |host: &Hostname| Seen {
            host: host.clone(),
            enabled: !disabled.contains(host),
            observation: match (self.peers.get(host), self.own.evidence()) {
                (Some(peer), _) => peer.observation(self.now),
                (None, Some(evidence)) => Observation::Known(Box::new(evidence.clone())),
                (None, None) => Observation::Unknown(Silence::NotAsked),
            },
        };
        self.config.members.iter().map(one).collect()
    }

    fn is_in_service(&self) -> bool {
        self.own.evidence().is_some_and(|evidence| records::synced(evidence).is_some())
    }
}

impl Supervisor {
    /// A supervisor of this member was heard with our key.
    fn has_supervisor(&mut self, host: &Hostname) {
        if !self.records.supervised.contains(host) {
            let mut records = self.records.clone();
            records.supervised.push(host.clone());
            records.supervised.sort_by_key(|host| self.config.everybody.iter().position(|other| other == host));
            self.persist(records);
        }
    }

    /// New records, if there is anything new in them.
    fn persist(&mut self, records: Records) {
        if records == self.records || self.config.is_passive {
            return;
        }
        self.is_recorded = true;
        self.own.set_records(&records);
        self.records = records.clone();
        self.outputs.push_back(Output::Record(records));
    }

    /// What came in by a state transfer is synced to disk, or could not be.
    fn synced(&mut self, result: Result<(), Box<str>>) {
        self.is_syncing = false;
        match result {
            Ok(()) => self.persist(Records { joined_in_boot: None, ..self.records.clone() }),
            Err(why) => {
                self.next_sync = self.now + RECORD;
                self.tell(Event::NotSynced { why });
            }
        }
    }
}

/// What a peer should hear at once, and not only with the next message.
fn is_news(before: &Evidence, now: &Evidence) -> bool {
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
