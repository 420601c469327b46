//! Supervisors, driven by hand: what they tell each other survives the way, what others put on the way does not; what they
//! write down obeys its laws. No clock: time is a number here.

#[path = "supervisor/backups.rs"]
mod backups;
#[path = "supervisor/datagrams.rs"]
mod datagrams;
#[path = "supervisor/freshness.rs"]
mod freshness;
#[path = "supervisor/records.rs"]
mod records;
#[path = "supervisor/schemas.rs"]
mod schemas;
#[path = "supervisor/vips.rs"]
mod vips;

use std::net::Ipv4Addr;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Evidence, Files, Observation, Process, Records};
use pfcluster_core::strategies::clusters::host;
use pfcluster_core::supervisor::{Config, Input, Key, LastBackup, Look, Output, PeerStatus, Supervisor, Tick};

/// The key of all of them.
const KEY: [u8; 32] = [7; 32];

fn hosts(count: usize) -> Vec<Hostname> {
    (0..count).map(host).collect()
}

fn config(at: usize, members: usize, run: u64) -> Config {
    let mut config = Config::new(host(at), hosts(members), Key::new(KEY), run);
    // It decides and tells, and has no host to act on.
    config.is_passive = true;
    config
}

/// A supervisor beside a host on which a look always finds the same.
struct Member {
    supervisor: Supervisor,
    finds: Evidence,
    /// The virtual addresses that the host holds.
    holds: Option<Vec<Ipv4Addr>>,
    /// Its last backup.
    backup: LastBackup,
    /// Its looks never end.
    is_blind: bool,
    looks: u64,
    /// What it has sent, oldest first.
    sent: Vec<(Hostname, Vec<u8>)>,
    now: Tick,
}

impl Member {
    fn new(mut config: Config, finds: Evidence, now: Tick) -> Member {
        config.records = finds.files.as_ref().map(|files| files.records.clone()).unwrap_or_default();
        let supervisor = Supervisor::new(config, now);
        let mut member = Member {
            supervisor,
            finds,
            holds: None,
            backup: LastBackup::Unknown,
            is_blind: false,
            looks: 0,
            sent: Vec::new(),
            now,
        };
        member.drain();
        member
    }

    fn input(&mut self, input: Input) {
        self.supervisor.handle_input(self.now, input);
        self.drain();
    }

    fn receives(&mut self, bytes: &[u8]) {
        self.input(Input::Received { bytes: bytes.to_vec() });
    }

    /// Time goes on until then; what is due on the way is done.
    fn pass(&mut self, until: Tick) {
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
                        begins: false,
                        vips: self.holds.clone(),
                        backup: self.backup.clone(),
                    };
                    self.supervisor.handle_input(self.now, Input::Looked { number, look: Box::new(look) });
                }
                Output::Ask { number, .. } => {
                    self.supervisor.handle_input(self.now, Input::Asked { number, answers: Vec::new() });
                }
                Output::Send { to, bytes } => self.sent.push((to, bytes)),
                _ => {}
            }
        }
    }

    /// What it knows of a member.
    fn knows(&self, other: &Hostname) -> PeerStatus {
        let status = self.supervisor.status(self.now);
        status.members.into_iter().find(|member| member.seen.host == *other).expect("a member")
    }

    fn evidence_of(&self, other: &Hostname) -> Option<Evidence> {
        match self.knows(other).seen.observation {
            Observation::Known(evidence) => Some(*evidence),
            Observation::Unknown(_) => None,
        }
    }

    /// How many datagrams it has dropped.
    fn dropped(&self) -> u64 {
        self.supervisor.status(self.now).dropped.values().sum()
    }
}

/// The two hear each other for so long; a datagram takes a millisecond. Returns all that were sent.
fn talk(one: &mut Member, other: &mut Member, milliseconds: u64) -> Vec<(Hostname, Vec<u8>)> {
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

fn stopped(files: Files) -> Evidence {
    Evidence {
        process: Process::Stopped,
        files: Some(files),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: None,
    }
}

fn nothing() -> Evidence {
    stopped(Files { records: Records::default(), ..Files::default() })
}
