//! Supervisors, driven by hand: each beside a host on which a probe always finds the same. No clock: time is a number here.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Evidence, Files, Observation, Process, Records};
use pfcluster_core::supervisor::{
    Config, Event, Input, Key, LastBackup, Look, Output, Part, PeerStatus, PublicKey, SigningKey, Step, Supervisor,
    Tick,
};
use pfcluster_testing::clusters::host;

/// The key of all of them.
pub const KEY: [u8; 32] = [7; 32];

/// The own key of a member.
///
/// # Panics
/// If there are too many.
pub fn signing(at: usize) -> SigningKey {
    SigningKey::new(signing_seed(at))
}

/// What it is made from.
///
/// # Panics
/// If there are too many.
pub fn signing_seed(at: usize) -> [u8; 32] {
    [u8::try_from(at).expect("a small number") + 10; 32]
}

/// So many members.
pub fn hosts(count: usize) -> Vec<Hostname> {
    (0..count).map(host).collect()
}

/// The supervisor of one of so many members; it decides and sends, and has no host to act on.
pub fn config(at: usize, members: usize, run: u64) -> Config {
    let mut config = Config::new(host(at), hosts(members), Key::new(KEY), run);
    config.is_passive = true;
    config
}

/// A supervisor beside a host on which a probe always finds the same.
pub struct Member {
    /// Its name.
    pub me: Hostname,
    /// The state machine.
    pub supervisor: Supervisor,
    /// What each probe finds.
    pub finds: Evidence,
    /// The virtual addresses that the host holds.
    pub holds: Option<Vec<Ipv4Addr>>,
    /// Its last backup.
    pub backup: LastBackup,
    /// Its probes never end.
    pub is_blind: bool,
    /// How many probes there were.
    pub looks: u64,
    /// What it has sent, oldest first.
    pub sent: Vec<(Hostname, Vec<u8>)>,
    /// What it had its host do, which always fails.
    pub acts: Vec<(Part, Vec<Step>)>,
    /// The keys that it had its host write down.
    pub pinned: BTreeMap<Hostname, PublicKey>,
    /// What it told people.
    pub told: Vec<Event>,
    /// When it is.
    pub now: Tick,
}

impl Member {
    /// A member whose supervisor begins now.
    pub fn new(config: Config, finds: Evidence, now: Tick) -> Member {
        Member::begin(config, finds, now, false)
    }

    /// The same; its probes never end.
    pub fn blind(config: Config, now: Tick) -> Member {
        Member::begin(config, nothing(), now, true)
    }

    fn begin(mut config: Config, finds: Evidence, now: Tick, is_blind: bool) -> Member {
        config.records = finds.files.as_ref().map(|files| files.records.clone()).unwrap_or_default();
        let me = config.me.clone();
        let supervisor = Supervisor::new(config, now);
        let mut member = Member {
            me,
            supervisor,
            finds,
            holds: None,
            backup: LastBackup::Unknown,
            is_blind,
            looks: 0,
            sent: Vec::new(),
            acts: Vec::new(),
            pinned: BTreeMap::new(),
            told: Vec::new(),
            now,
        };
        member.drain();
        member
    }

    /// Something happens to it.
    pub fn input(&mut self, input: Input) {
        self.supervisor.handle_input(self.now, input);
        self.drain();
    }

    /// A datagram comes.
    pub fn receives(&mut self, bytes: &[u8]) {
        self.input(Input::Received { bytes: bytes.to_vec() });
    }

    /// Time goes on until then; what is due on the way is done.
    pub fn pass(&mut self, until: Tick) {
        while let Some((when, _)) = self.supervisor.poll_timeout().filter(|(when, _)| *when <= until) {
            self.now = self.now.max(when);
            self.input(Input::Woken);
        }
        self.now = until;
        self.input(Input::Woken);
    }

    fn drain(&mut self) {
        while let Some(output) = self.supervisor.poll_output() {
            match output {
                Output::Look { number, .. } if !self.is_blind => {
                    self.looks += 1;
                    let look = Look {
                        evidence: self.finds.clone(),
                        data: 0,
                        view_number: None,
                        receive_queue: None,
                        age: std::time::Duration::ZERO,
                        vips: self.holds.clone(),
                        backup: self.backup.clone(),
                    };
                    self.supervisor.handle_input(self.now, Input::Looked { number, look: Box::new(look) });
                }
                Output::Ask { number, .. } => {
                    self.supervisor.handle_input(self.now, Input::Asked { number, answers: Vec::new() });
                }
                Output::Send { to, bytes } => self.sent.push((to, bytes)),
                Output::Act { part, steps } => {
                    self.acts.push((part, steps));
                    // One that went well and changed nothing would be done again at once, without end.
                    let result = Err("nothing is done here".into());
                    self.supervisor.handle_input(self.now, Input::Acted { result });
                }
                Output::Pin(pinned) => self.pinned = pinned,
                Output::Tell(event) => self.told.push(event),
                _ => {}
            }
        }
    }

    /// What it knows of a member.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn knows(&self, other: &Hostname) -> PeerStatus {
        let status = self.supervisor.status(self.now);
        status.members.into_iter().find(|member| member.seen.host == *other).expect("a member")
    }

    /// The evidence that it has of a member.
    pub fn evidence_of(&self, other: &Hostname) -> Option<Evidence> {
        match self.knows(other).seen.observation {
            Observation::Known(evidence) => Some(*evidence),
            Observation::Unknown(_) => None,
        }
    }

    /// How many datagrams it has dropped.
    pub fn dropped(&self) -> u64 {
        self.supervisor.status(self.now).dropped.values().sum()
    }
}

/// The two hear each other for so long; a datagram takes a millisecond. Returns all that were sent.
pub fn talk(one: &mut Member, other: &mut Member, milliseconds: u64) -> Vec<(Hostname, Vec<u8>)> {
    let mut all = Vec::new();
    let until = one.now.max(other.now).0 + milliseconds;
    for now in one.now.max(other.now).0..=until {
        one.pass(Tick(now));
        other.pass(Tick(now));
        let under_way: Vec<_> = one.sent.drain(..).chain(other.sent.drain(..)).collect();
        for (to, bytes) in &under_way {
            for member in [&mut *one, &mut *other] {
                if member.supervisor.status(member.now).me == *to {
                    member.receives(bytes);
                }
            }
        }
        all.extend(under_way);
    }
    all
}

/// All of these hear each other for so long; a datagram takes ten milliseconds.
pub fn together(members: &mut [Member], milliseconds: u64) {
    let begin = members.iter().map(|member| member.now.0).max().unwrap_or_default();
    for now in (begin..=begin + milliseconds).step_by(10) {
        members.iter_mut().for_each(|member| member.pass(Tick(now)));
        let under_way: Vec<_> = members.iter_mut().flat_map(|member| member.sent.drain(..)).collect();
        for (to, bytes) in under_way {
            let to = members.iter_mut().find(|member| member.me == to);
            to.into_iter().for_each(|member| member.receives(&bytes));
        }
    }
}

/// A stopped database with these files.
pub fn stopped(files: Files) -> Evidence {
    Evidence {
        process: Process::Stopped,
        files: Some(files),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: None,
    }
}

/// A stopped database without any files.
pub fn nothing() -> Evidence {
    stopped(Files { records: Records::default(), ..Files::default() })
}
