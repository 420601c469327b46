//! The supervisors of a cluster, with a network on which datagrams take no time and hosts on which nothing changes.

use std::collections::VecDeque;
use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{ClusterStatus, Evidence, Files, LocalState, Process, Running, Uuid};
use pfcluster_core::supervisor::{Config, Input, Key, LastBackup, Look, Output, Supervisor, Tick};

use crate::decisions::{files_after_a_power_cut, host, stopped};

/// How many members the supervisors go through. In larger clusters what they say no longer fits into a datagram.
pub const MEMBERS: [u32; 4] = [3, 5, 9, 15];

/// What the members' databases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Databases {
    /// All are synced.
    InService,
    /// The power was cut, and nobody has been started yet.
    PowerCut,
}

/// A supervisor and what it is about to be told.
#[derive(Clone, Debug)]
pub struct Step {
    /// The supervisor.
    pub supervisor: Supervisor,
    /// When.
    pub now: Tick,
    /// What.
    pub input: Input,
}

impl Step {
    /// Takes the step, once; returns what the supervisor wants.
    pub fn take(&mut self) -> Vec<Output> {
        self.supervisor.handle_input(self.now, std::mem::replace(&mut self.input, Input::Woken));
        std::iter::from_fn(|| self.supervisor.poll_output()).collect()
    }
}

/// The first member's supervisor, which has known all others for a while, and the next datagram of the second member's.
///
/// # Panics
/// If supervisors no longer tell each other what they know.
pub fn hears_a_peer(members: u32, databases: Databases) -> Step {
    let mut room = Room::new(members, databases);
    room.pass(Tick(20_000));
    loop {
        let (now, at) = room.next_moment();
        let sent = room.wake(now, at);
        if let Some((_, bytes)) = sent.iter().find(|(to, _)| at == 1 && *to == host(1)) {
            return Step {
                supervisor: room.supervisors[0].clone(),
                now,
                input: Input::Received { bytes: bytes.clone() },
            };
        }
        room.deliver(now, sent);
    }
}

/// The first member's supervisor at the moment at which it tells all others what it knows.
///
/// # Panics
/// If supervisors no longer tell each other what they know.
pub fn tells_all(members: u32, databases: Databases) -> Step {
    let mut room = Room::new(members, databases);
    room.pass(Tick(20_000));
    loop {
        let (now, at) = room.next_moment();
        let step = Step { supervisor: room.supervisors[at].clone(), now, input: Input::Woken };
        let sent = room.wake(now, at);
        if at == 0 && sent.len() + 1 == members as usize {
            return step;
        }
        room.deliver(now, sent);
    }
}

/// A datagram: to whom, and its bytes.
type Datagram = (Hostname, Vec<u8>);

struct Room {
    hosts: Vec<Hostname>,
    finds: Vec<Evidence>,
    supervisors: Vec<Supervisor>,
}

impl Room {
    fn new(members: u32, databases: Databases) -> Room {
        // Each has moments of its own, so that each wakes by itself.
        let begin = |run: u64| Tick(run * 37);
        let hosts: Vec<Hostname> = (1..=members).map(host).collect();
        let files = |number| stopped(files_after_a_power_cut(number, members));
        let finds = |number| match databases {
            Databases::PowerCut => files(number),
            Databases::InService => Evidence { process: in_service(&hosts), ..stopped(Files::default()) },
        };
        let supervisor = |(me, run): (&Hostname, u64)| {
            let mut config = Config::new(me.clone(), hosts.clone(), Key::new([7; 32]), run);
            // It decides and tells, and has no host to act on.
            config.is_passive = true;
            Supervisor::new(config, begin(run))
        };
        let supervisors = hosts.iter().zip(1..).map(supervisor).collect();
        let finds = (1..=members).map(finds).collect();
        let mut room = Room { hosts, finds, supervisors };
        for (at, run) in (0..room.supervisors.len()).zip(1..) {
            let sent = room.drain(begin(run), at);
            room.deliver(begin(run), sent);
        }
        room
    }

    /// The next moment that a supervisor waits for, and its place.
    fn next_moment(&self) -> (Tick, usize) {
        let moments = self.supervisors.iter().enumerate().filter_map(|(at, one)| Some((one.poll_timeout()?.0, at)));
        moments.min().expect("a supervisor always waits for something")
    }

    /// Time goes on until then.
    fn pass(&mut self, until: Tick) {
        loop {
            let (now, at) = self.next_moment();
            if now > until {
                return;
            }
            let sent = self.wake(now, at);
            self.deliver(now, sent);
        }
    }

    /// Delivers datagrams, and the answers to them.
    fn deliver(&mut self, now: Tick, sent: Vec<Datagram>) {
        let mut under_way = VecDeque::from(sent);
        while let Some((to, bytes)) = under_way.pop_front() {
            let at = self.hosts.iter().position(|host| *host == to).expect("a member");
            self.supervisors[at].handle_input(now, Input::Received { bytes });
            under_way.extend(self.drain(now, at));
        }
    }

    /// Wakes a supervisor. Returns what it sends.
    fn wake(&mut self, now: Tick, at: usize) -> Vec<Datagram> {
        self.supervisors[at].handle_input(now, Input::Woken);
        self.drain(now, at)
    }

    /// Carries out what a supervisor wants. Returns what it sends.
    fn drain(&mut self, now: Tick, at: usize) -> Vec<Datagram> {
        let mut sent = Vec::new();
        while let Some(output) = self.supervisors[at].poll_output() {
            let answer = match output {
                Output::Look { number, .. } => Input::Looked { number, look: Box::new(look(&self.finds[at])) },
                Output::Ask { number, .. } => Input::Asked { number, answers: Vec::new() },
                Output::Send { to, bytes } => {
                    sent.push((to, bytes));
                    continue;
                }
                _ => continue,
            };
            self.supervisors[at].handle_input(now, answer);
        }
        sent
    }
}

fn in_service(hosts: &[Hostname]) -> Process {
    Process::Running(Running {
        uuid: Uuid::from_u128(7),
        status: ClusterStatus::Primary,
        state: LocalState::Synced,
        size: u32::try_from(hosts.len()).unwrap_or(u32::MAX),
        last_committed: 103_890,
        sees: hosts.to_vec(),
        sees_others: Vec::new(),
    })
}

fn look(evidence: &Evidence) -> Look {
    let view_number = matches!(evidence.process, Process::Running(_)).then_some(5);
    let evidence = evidence.clone();
    Look {
        evidence,
        data: 0,
        view_number,
        receive_queue: None,
        age: Duration::ZERO,
        vips: Some(Vec::new()),
        backup: LastBackup::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pfcluster_core::galera::Observation;
    use pfcluster_core::supervisor::PeerStatus;

    #[test]
    fn a_step_is_one_of_a_cluster_in_which_everybody_is_known() {
        for databases in [Databases::InService, Databases::PowerCut] {
            for members in MEMBERS {
                let (hears, tells) = (hears_a_peer(members, databases), tells_all(members, databases));
                for step in [&hears, &tells] {
                    let status = step.supervisor.status(step.now);
                    let is_known = |one: &&PeerStatus| matches!(one.seen.observation, Observation::Known(_));
                    assert_eq!(status.members.iter().filter(is_known).count(), members as usize, "{databases:?}");
                }
                let age_of_second = |supervisor: &Supervisor| supervisor.status(hears.now).members[1].age;
                let mut after = hears.clone();
                after.take();
                // A stopped database's evidence is as old as its last look, not as the datagram.
                let (before, now) = (age_of_second(&hears.supervisor), age_of_second(&after.supervisor));
                let is_news = if databases == Databases::InService { now < before } else { now <= before };
                assert!(is_news, "{databases:?}: it is news");
                let told =
                    tells.clone().take().into_iter().filter(|output| matches!(output, Output::Send { .. })).count();
                assert_eq!(told + 1, members as usize, "{databases:?}: a datagram for each");
            }
        }
    }
}
