//! A supervisor that acts, between two members whose datagrams have the right tag and say whatever the input says. The second one has
//! a key of its own, which is pinned: what it did not sign changes nothing.
//!
//! An input is a row of happenings: a byte that chooses one, then what it needs.

use std::sync::OnceLock;
use std::time::Duration;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use pfcluster_cli::report::supervisor as report;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Found, Grastate, Gvwstate, LocalState, Observation, Position, Process, Records,
    Recovered, Running, Uuid, ViewId,
};
use pfcluster_core::supervisor::{
    Input, Key, Keys, LastBackup, Look, MOST_BYTES, Output, OverrideStatus, Saying, Start, Step, Supervisor, Tick,
    is_authentic,
};
use pfcluster_testing::clusters::host;
use sha2::Sha256;

use crate::members::{KEY, Member, config, hosts, nothing, signing, signing_seed, stopped};

/// Before the envelope: `pfc`, and the version of the form. It is taken from what the supervisor sends.
const MAGIC: usize = 4;
const TAG: usize = 32;
/// The member whose key is pinned.
const PINNED: usize = 2;
/// More happenings take too long.
const MOST: usize = 40;
/// So do more timers that fire.
const MOST_TIMERS: usize = 200;
/// At one moment it wants no more done than this: else it turns in a circle.
const MOST_OUTPUTS: usize = 500;
/// A datagram's envelope: from, to, run, number, nonce, echo. What the message says follows.
type Envelope = (u64, u64, u64, u64, u64, Option<u64>);

const CLUSTER: Uuid = Uuid::from_u128(0xec9a_1a36_e6ed_11f1_823f_231d_dacb_0bd4);
const NODE: Uuid = Uuid::from_u128(0xce81_82e7_e6ef_11f1_8eee_fa6c_ed77_be5e);

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    let mut input = Bytes(bytes);
    let mut world = World::new();
    for _ in 0..MOST {
        let Some(what) = input.byte() else { break };
        match what % 8 {
            0 => {
                let kind = usize::from(input.byte().unwrap_or_default()) % KINDS;
                let mut content = true_contents()[kind].clone();
                let (at, length) = (usize::from(input.number()), u16::from(input.byte().unwrap_or_default()));
                let change = input.take(length);
                let end = content.len().min(at + change.len());
                drop(content.splice(at.min(end)..end, change.iter().copied()));
                world.peer_says(what, &content);
            }
            1 => {
                let length = input.number();
                world.peer_says(what, input.take(length));
            }
            2 => world.pass(u64::from(input.byte().unwrap_or_default())),
            3 => {
                let length = input.number();
                world.hears(input.take(length).to_vec());
            }
            4 => world.hears_again(usize::from(input.byte().unwrap_or_default())),
            5 => world.finds = evidence(input.byte().unwrap_or_default()),
            6 => world.operator_says(input.byte().unwrap_or_default()),
            _ => world.goes_wrong(input.byte().unwrap_or_default()),
        }
    }
    world.is_told_well();
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte().unwrap_or_default(), self.byte().unwrap_or_default()])
    }

    fn take(&mut self, length: u16) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(usize::from(length).min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// A peer, as far as its datagrams need it.
#[derive(Default)]
struct Peer {
    /// Its name in datagrams.
    name: u64,
    run: u64,
    sent: u64,
    /// The last challenge of the supervisor.
    challenge: Option<u64>,
}

struct World {
    supervisor: Supervisor,
    now: Tick,
    me: u64,
    magic: Vec<u8>,
    peers: [Peer; 2],
    finds: Evidence,
    /// What was heard so far.
    heard: Vec<Vec<u8>>,
    /// What the databases of the peers would say.
    answers: Vec<(Hostname, Running)>,
    fails: bool,
    /// How many timers may still fire.
    timers: usize,
    /// An override was given to this member itself: to discard its data, to end its database. Whoever has the key can't give it.
    may_discard: bool,
    may_end: bool,
}

impl World {
    fn new() -> World {
        let mut config = config(0, 3, 1);
        config.is_passive = false;
        config.pinned = [(host(PINNED), signing(PINNED).public())].into();
        let supervisor = Supervisor::new(config, Tick(0));
        let mut world = World {
            supervisor,
            now: Tick(0),
            me: 0,
            magic: Vec::new(),
            peers: <[Peer; 2]>::default(),
            finds: nothing(),
            heard: Vec::new(),
            answers: Vec::new(),
            fails: false,
            timers: MOST_TIMERS,
            may_discard: false,
            may_end: false,
        };
        world.drain();
        world
    }

    fn input(&mut self, input: Input) {
        self.supervisor.handle_input(self.now, input);
        self.drain();
    }

    fn hears(&mut self, bytes: Vec<u8>) {
        self.heard.push(bytes.clone());
        self.input(Input::Received { bytes });
    }

    fn hears_again(&mut self, which: usize) {
        if let Some(bytes) = self.heard.get(which).cloned() {
            self.input(Input::Received { bytes });
        }
    }

    /// With the right tag; the bits of `how` say from whom, and what of the envelope is not as it should be.
    fn peer_says(&mut self, how: u8, content: &[u8]) {
        let me = self.me;
        let at = usize::from(how >> 3 & 1);
        let peer = &mut self.peers[at];
        if how & 0x40 != 0 {
            peer.run += 1;
        }
        if how & 0x80 == 0 {
            peer.sent += 1;
        }
        let echo = if how & 0x20 == 0 { peer.challenge } else { None };
        let nonce = peer.run << 32 | peer.sent;
        let envelope: Envelope = (peer.name, me, peer.run, peer.sent, nonce, echo);
        let mut text = postcard::to_extend(&envelope, self.magic.clone()).expect("memory");
        text.extend_from_slice(content);
        let is_forged = at + 1 == PINNED && how & 0x10 != 0;
        if at + 1 == PINNED && !is_forged {
            let key = ed25519_dalek::SigningKey::from_bytes(&signing_seed(PINNED));
            text.extend(key.verifying_key().as_bytes());
            text.extend(key.sign(&text).to_bytes());
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("a key of any length");
        mac.update(&text);
        text.extend(mac.finalize().into_bytes());
        let before = is_forged.then(|| self.knows_of_pinned());
        self.hears(text);
        if let Some(before) = before {
            assert_eq!(self.knows_of_pinned(), before, "an unsigned datagram speaks for a member whose key is pinned");
        }
    }

    /// What is known of the member whose key is pinned, and which overrides were given there.
    fn knows_of_pinned(&self) -> (Observation, Vec<OverrideStatus>) {
        let status = self.supervisor.status(self.now);
        let words = status.words.into_iter().filter(|word| word.given.origin.member == host(PINNED));
        (status.members[PINNED].seen.observation.clone(), words.collect())
    }

    fn pass(&mut self, tenths: u64) {
        let until = self.now + Duration::from_millis(tenths * 100);
        while let Some((when, _)) = self.supervisor.poll_timeout().filter(|(when, _)| *when <= until) {
            if self.timers == 0 {
                break;
            }
            self.timers -= 1;
            self.now = self.now.max(when);
            self.input(Input::Woken);
        }
        self.now = until;
        self.input(Input::Woken);
    }

    fn operator_says(&mut self, which: u8) {
        let saying = saying(which);
        self.may_discard |= saying == Saying::Discard(host(0));
        self.may_end |= saying == Saying::End(host(0));
        self.input(said(which, saying));
    }

    fn goes_wrong(&mut self, how: u8) {
        match how % 4 {
            0 => self.fails = true,
            1 => self.fails = false,
            2 => self.input(Input::Ended { why: "exit status 1".into() }),
            _ => {
                let primary =
                    Running { size: u32::from(how >> 2), ..running(ClusterStatus::Primary, LocalState::Synced) };
                self.answers = vec![(host(usize::from(1 + (how >> 2 & 1))), primary)];
            }
        }
    }

    /// Every output is carried out at once, and held against what is promised.
    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.supervisor.poll_output() {
            outputs += 1;
            assert!(outputs < MOST_OUTPUTS, "no end of outputs: {output:?}");
            let answer = match output {
                Output::Look { number, .. } => Some(Input::Looked { number, look: Box::new(self.look()) }),
                Output::Ask { number, hosts } => {
                    let mut answers = self.answers.clone();
                    answers.retain(|(host, _)| hosts.contains(host));
                    Some(Input::Asked { number, answers })
                }
                Output::Send { to, bytes } => {
                    self.sends(&to, &bytes);
                    None
                }
                Output::Act { steps, .. } => {
                    self.acts(&steps);
                    let result = if self.fails { Err("it does not start".into()) } else { Ok(()) };
                    Some(Input::Acted { result })
                }
                Output::Sync => Some(Input::Synced { result: Ok(()) }),
                Output::Tell(event) => {
                    super::assert_one_line(&report::line(&event));
                    super::assert_printable_text_of_json(&report::json_line(&event, Timestamp::UNIX_EPOCH));
                    None
                }
                _ => None,
            };
            if let Some(answer) = answer {
                self.supervisor.handle_input(self.now, answer);
            }
        }
    }

    fn look(&self) -> Look {
        Look {
            evidence: self.finds.clone(),
            data: 0,
            view_number: None,
            receive_queue: None,
            age: Duration::ZERO,
            vips: None,
            backup: LastBackup::Unknown,
        }
    }

    fn sends(&mut self, to: &Hostname, bytes: &[u8]) {
        assert!(bytes.len() <= MOST_BYTES && is_authentic(bytes, &Keys { current: Key::new(KEY), next: None }));
        let at = hosts(3).iter().position(|host| host == to).expect("a member");
        let peer = &mut self.peers[at.checked_sub(1).expect("another member")];
        let ((from, name, _, _, nonce, _), _) = parts(bytes);
        (self.me, self.magic) = (from, bytes[..MAGIC].to_vec());
        (peer.name, peer.challenge) = (name, Some(nonce));
    }

    fn acts(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::SetDataAside => assert!(self.may_discard, "data are moved without an override: {steps:?}"),
                Step::End { .. } => assert!(self.may_end, "a database is ended without an override: {steps:?}"),
                Step::Start { how, .. } if !self.fails => {
                    let process = if *how == Start::NewCluster { Process::Bootstrapping } else { Process::Starting };
                    self.finds.process = process;
                }
                Step::Stop { .. } if !self.fails => self.finds.process = Process::Stopped,
                _ => {}
            }
            if matches!(step, Step::End { .. }) && !self.fails {
                self.finds.process = Process::Stopped;
            }
        }
    }

    /// What is said of it in the end.
    fn is_told_well(&self) {
        let status = self.supervisor.status(self.now);
        super::assert_printable_text_of_json(&report::json(&status));
        let mut text = Vec::new();
        report::text(&status, false, &mut text).expect("memory");
        super::assert_printable(&String::from_utf8(text).expect("text"));
    }
}

/// A datagram's envelope, and what it says.
fn parts(bytes: &[u8]) -> (Envelope, &[u8]) {
    postcard::take_from_bytes(&bytes[MAGIC..bytes.len() - TAG]).expect("a datagram of a supervisor")
}

/// How many kinds of evidence there are here, and of overrides.
const EVIDENCE: u8 = 12;
const OVERRIDES: u8 = 8;
const KINDS: usize = EVIDENCE as usize * (OVERRIDES as usize + 1);

/// What a member says to another one in truth: with each evidence, without an override, then with each of them.
fn true_contents() -> &'static [Vec<u8>] {
    static CONTENTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

    CONTENTS.get_or_init(|| {
        let content = |kind: u8| {
            let mut member = Member::new(config(1, 3, 1), evidence(kind % EVIDENCE), Tick(0));
            if let Some(which) = (kind / EVIDENCE).checked_sub(1) {
                member.input(said(which, saying(which)));
            }
            member.pass(Tick(2000));
            let (_, bytes) = member.sent.iter().rfind(|(to, _)| *to == host(0)).expect("it announces");
            parts(bytes).1.to_vec()
        };
        (0..EVIDENCE * (OVERRIDES + 1)).map(content).collect()
    })
}

fn said(which: u8, saying: Saying) -> Input {
    Input::Said { id: u64::from(which), saying, user: Some(0) }
}

fn saying(which: u8) -> Saying {
    match which % OVERRIDES {
        0 => Saying::AssumeLost(vec![host(1)]),
        1 => Saying::AssumeLost(vec![host(1), host(2)]),
        2 => Saying::Discard(host(0)),
        3 => Saying::Discard(host(1)),
        4 => Saying::Seed(host(0)),
        5 => Saying::Trust(host(0)),
        6 => Saying::End(host(0)),
        _ => Saying::Standalone,
    }
}

fn running(status: ClusterStatus, state: LocalState) -> Running {
    Running { uuid: CLUSTER, status, state, size: 2, last_committed: 1204, sees: hosts(2), sees_others: Vec::new() }
}

/// What a probe finds on this member.
fn evidence(which: u8) -> Evidence {
    let grastate = |seqno, flag| Found::Read(Grastate { uuid: CLUSTER, seqno, safe_to_bootstrap: Some(flag) });
    let recovered = Position::new(CLUSTER, 1204).map_or(Recovered::NotRun, Recovered::At);
    let view = ViewId { uuid: NODE, seq: 5 };
    let gvwstate = Found::Read(Gvwstate { my_uuid: NODE, view, bootstrap: false, members: vec![NODE] });
    let files = Files { grastate: grastate(-1, false), recovered: recovered.clone(), ..Files::default() };
    let process = |process| Evidence { process, ..stopped(files.clone()) };
    match which % EVIDENCE {
        0 => nothing(),
        1 => stopped(Files { grastate: grastate(1204, true), recovered, ..Files::default() }),
        2 => stopped(Files { gvwstate, ..files }),
        3 => process(Process::Starting),
        4 => process(Process::Running(running(ClusterStatus::Primary, LocalState::Synced))),
        5 => process(Process::Running(running(ClusterStatus::NonPrimary, LocalState::Initialized))),
        6 => process(Process::NotResponding),
        7 => stopped(Files { datadir_empty: true, ..Files::default() }),
        8 => stopped(Files { records: Records { ran_standalone: true, ..Records::default() }, ..files }),
        9 => stopped(Files { sst_marker: true, ..files }),
        10 => stopped(Files { grastate: Found::Torn("it is empty".into()), recovered, ..Files::default() }),
        _ => process(Process::Running(running(ClusterStatus::Primary, LocalState::Donor))),
    }
}
