//! The policies of others, *reconstructed* from what is known of them (reference/packetfence.md 6, reference/peers.md A.1): what they
//! look at, in which order they decide, and their times. What is not known is done in their favour.

mod autofix;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{ClusterStatus, Evidence, Files, Found, Position, Process, Recovered, Running};
use pfcluster_core::supervisor::{Config, Input, Output, Part, Start, Step, Tick};

use super::galera::Set;
use super::mind::Policy;

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// pf-mariadb's main loop.
const LOOP: Duration = seconds(5);
/// Its wait for a ping quorum.
const NO_QUORUM: Duration = seconds(10);
/// galera-autofix: its first decision comes so late.
const AUTOFIX_START: Duration = seconds(5 * 60);
/// It reports its sequence number so often.
const REPORT: Duration = seconds(10);
/// How long it waits for the chosen member, and after it has seen a peer's database.
const MINUTE: Duration = seconds(60);

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// pf-mariadb's loop.
    Watching,
    /// It asks whether a peer's database takes connections.
    AsksBeforeStart,
    /// galera-autofix waits whether the own database comes by itself; whose was primary when the round began.
    Tries { left: u32, peer: Option<Hostname> },
    /// It has seen a peer's database, and waits a minute.
    CoolsDown(Hostname),
    /// It listens to the reports of all.
    Listens,
    /// It has stopped its database, to rejoin this member.
    Rejoins { whom: Hostname, until: Tick },
    /// It has stopped its database, to begin a new cluster.
    Begins,
}

/// A supervisor that does as others do.
#[derive(Clone, Debug)]
pub(super) struct Other {
    policy: Policy,
    me: Hostname,
    hosts: Vec<Hostname>,
    now: Tick,
    outputs: VecDeque<Output>,
    numbers: u64,
    evidence: Option<Evidence>,
    pings: Set,
    doing: Doing,
    is_acting: bool,
    ends: bool,
    next: Tick,
    next_report: Tick,
    next_round: Tick,
    without_service: Tick,
    /// What each has reported, and when.
    reports: BTreeMap<usize, (i64, Tick)>,
    /// galera-autofix-seqno.dat.
    written: Option<i64>,
}

impl Other {
    pub(super) fn new(policy: Policy, config: &Config, now: Tick) -> Other {
        Other {
            policy,
            me: config.me.clone(),
            hosts: config.members.clone(),
            now,
            outputs: VecDeque::new(),
            numbers: 0,
            evidence: None,
            pings: Set::NOBODY,
            doing: Doing::Watching,
            is_acting: false,
            ends: false,
            next: now,
            next_report: now,
            next_round: now + AUTOFIX_START,
            without_service: now,
            reports: BTreeMap::new(),
            written: None,
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn wakes(&self) -> Tick {
        let next = if self.is_acting { self.next_report } else { self.next.min(self.next_report) };
        next.max(Tick(self.now.0 + 1))
    }

    pub(super) fn handle_input(&mut self, now: Tick, input: Input, pings: Set) {
        (self.now, self.pings) = (self.now.max(now), pings);
        match input {
            Input::Looked { look, .. } => {
                self.evidence = Some(look.evidence);
                self.looked();
            }
            Input::Asked { answers, .. } => self.asked(&answers),
            Input::Acted { .. } => {
                self.is_acting = false;
                self.next = self.now;
            }
            Input::Received { bytes } => {
                if let Ok(report) = <[u8; 9]>::try_from(bytes) {
                    let [from, number @ ..] = report;
                    self.reports.insert(usize::from(from), (i64::from_le_bytes(number), self.now));
                }
            }
            Input::End => self.ends = true,
            _ => {}
        }
        if self.next_report <= self.now {
            self.report();
        }
        if self.next <= self.now && !self.is_acting {
            self.next = self.now + LOOP;
            self.numbers += 1;
            self.outputs.push_back(Output::Look { number: self.numbers, recover: true });
        }
    }

    fn running(&self) -> Option<&Running> {
        match &self.evidence.as_ref()?.process {
            Process::Running(running) => Some(running),
            Process::Stopped | Process::Starting | Process::Bootstrapping | Process::NotResponding => None,
        }
    }

    fn is_primary(&self) -> bool {
        self.running().is_some_and(|running| running.status == ClusterStatus::Primary)
    }

    fn is_stopped(&self) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| evidence.process == Process::Stopped)
    }

    fn files(&self) -> Option<&Files> {
        self.evidence.as_ref()?.files.as_ref()
    }

    fn position(&self) -> Option<Position> {
        let files = self.files()?;
        let written = files.grastate.read().and_then(|grastate| Position::new(grastate.uuid, grastate.seqno));
        match files.recovered {
            Recovered::At(position) => Some(position),
            _ => written,
        }
    }

    fn act(&mut self, part: Part, steps: Vec<Step>) {
        self.is_acting = true;
        self.outputs.push_back(Output::Act { part, steps });
    }

    fn ask(&mut self, hosts: Vec<Hostname>) {
        self.numbers += 1;
        self.outputs.push_back(Output::Ask { number: self.numbers, hosts });
    }

    fn place(&self) -> usize {
        self.hosts.iter().position(|host| *host == self.me).unwrap_or_default()
    }

    fn peers(&self) -> Vec<Hostname> {
        self.hosts.iter().filter(|host| **host != self.me).cloned().collect()
    }

    fn start(&mut self) {
        let position = self.position();
        self.act(Part::Reform, vec![Step::Start { how: Start::Normal, position }]);
    }

    /// `safe_to_bootstrap` is made 1, gvwstate.dat removed, the position recovered.
    fn bootstrap(&mut self) {
        let position = self.position();
        let start = Step::Start { how: Start::NewCluster, position };
        self.act(Part::Bootstrap, vec![Step::SetViewAside, Step::AllowBootstrap, start]);
    }

    fn stop(&mut self) {
        self.act(Part::Stop, vec![Step::Stop { kill_after: Some(seconds(5)) }]);
    }

    fn report(&mut self) {
        let interval = if self.policy == Policy::HighestThatAnswers { seconds(1) } else { REPORT };
        self.next_report = self.now + interval;
        let number = match self.policy {
            Policy::GaleraAutofix => {
                if let Some(live) = self.running().map(|running| running.last_committed) {
                    self.written = Some(live);
                }
                self.written.unwrap_or(-3)
            }
            Policy::HighestThatAnswers => match self.position() {
                Some(position) if self.is_stopped() => position.seqno().get(),
                _ => return,
            },
            Policy::Ours | Policy::PfMariadb => return,
        };
        let me = self.place();
        self.reports.insert(me, (number, self.now));
        let mut bytes = vec![u8::try_from(me).expect("few members")];
        bytes.extend(number.to_le_bytes());
        for to in self.peers() {
            self.outputs.push_back(Output::Send { to, bytes: bytes.clone() });
        }
    }

    fn looked(&mut self) {
        if self.is_acting {
            return;
        }
        if self.is_primary() {
            self.without_service = self.now;
        }
        if self.ends {
            if self.is_stopped() {
                self.outputs.push_back(Output::End);
            } else {
                self.stop();
            }
            return;
        }
        if self.evidence.as_ref().is_some_and(|evidence| evidence.maintenance) {
            return;
        }
        match self.policy {
            Policy::HighestThatAnswers => self.highest(),
            _ => self.packetfence(),
        }
    }

    fn packetfence(&mut self) {
        if self.policy == Policy::GaleraAutofix && self.autofix() {
            return;
        }
        if !self.is_stopped() || self.doing != Doing::Watching && !matches!(self.doing, Doing::Tries { .. }) {
            return;
        }
        if self.files().is_some_and(|files| files.gvwstate != Found::Absent) {
            self.start();
        } else if self.doing == Doing::Watching {
            self.doing = Doing::AsksBeforeStart;
            self.ask(self.hosts.clone());
        } else {
            self.start_by_flag_or_pings();
        }
    }

    fn start_by_flag_or_pings(&mut self) {
        let is_flagged = self.files().and_then(|files| files.grastate.read()?.safe_to_bootstrap) == Some(true);
        if is_flagged {
            self.bootstrap();
        } else if self.pings.len() * 2 > self.hosts.len() {
            self.start();
        } else {
            self.next = self.now + NO_QUORUM;
        }
    }

    fn asked(&mut self, answers: &[(Hostname, Running)]) {
        let primary = |host: &Hostname| {
            answers.iter().any(|(other, running)| other == host && running.status == ClusterStatus::Primary)
        };
        match self.doing.clone() {
            Doing::AsksBeforeStart => {
                self.doing = Doing::Watching;
                match (self.policy, answers.is_empty()) {
                    (Policy::HighestThatAnswers, _) if answers.iter().any(|(host, _)| primary(host)) => {
                        let position = self.position();
                        self.act(Part::Reform, vec![Step::SetViewAside, Step::Start { how: Start::Normal, position }]);
                    }
                    (Policy::HighestThatAnswers, _) => self.begins_if_highest(),
                    (_, false) => self.start(),
                    (_, true) => self.start_by_flag_or_pings(),
                }
            }
            Doing::Tries { left, peer: None } if left == autofix::TRIES => {
                let peer = self.peers().into_iter().find(primary);
                self.doing = Doing::Tries { left: left - 1, peer };
            }
            Doing::Rejoins { whom, until } => {
                if primary(&whom) {
                    // Everything below the data directory is deleted; then the unit starts.
                    self.written = None;
                    self.doing = Doing::Watching;
                    self.act(Part::Stop, vec![Step::SetDataAside]);
                } else if self.now >= until {
                    self.doing = Doing::Watching;
                }
            }
            _ => {}
        }
    }

    /// Whoever waits without service for a minute starts over; a minute after that the highest of those that answer begins.
    fn highest(&mut self) {
        let waits = self.now.since(self.without_service);
        if !self.is_stopped() {
            if !self.is_primary() && waits > MINUTE && self.running().is_some() {
                self.without_service = self.now;
                self.stop();
            }
        } else if self.doing == Doing::Watching {
            self.doing = Doing::AsksBeforeStart;
            self.ask(self.peers());
        }
    }

    fn begins_if_highest(&mut self) {
        if self.now.since(self.without_service) < MINUTE {
            return;
        }
        let now = self.now;
        let answers = self.reports.iter().filter(|(_, (_, when))| now.since(*when) <= seconds(5));
        let best = answers.max_by_key(|(place, (number, _))| (*number, std::cmp::Reverse(**place)));
        if best.is_some_and(|(best, _)| *best == self.place()) {
            self.without_service = self.now;
            self.bootstrap();
        }
    }
}
