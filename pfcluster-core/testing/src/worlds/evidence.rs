//! What an observer learns of a world.

use super::{HISTORY, Life, Node, Stored, View, World};
pub(super) use crate::clusters::host;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::Seen;
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Found, Grastate, Gvwstate, LocalState, Observation, Position, Process,
    Records, Recovered, Running, Seqno, Silence, Uuid, ViewId, ViewRecord,
};

/// How much an observer learns of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// Nothing.
    None,
    /// What it says without effort: a stopped one without the recovered position, a running one without its files.
    Part,
    /// Everything.
    Whole,
}

impl World {
    /// The evidence that an observer has. All members are enabled.
    pub fn seen(&self, sight: &[Sight]) -> Vec<Seen> {
        let hosts: Vec<Hostname> = (0..self.nodes.len()).map(host).collect();
        let one = |at: usize| {
            let observation = match sight.get(at) {
                Some(Sight::Whole) => Observation::Known(Box::new(self.evidence(at, &hosts, true))),
                Some(Sight::Part) => Observation::Known(Box::new(self.evidence(at, &hosts, false))),
                Some(Sight::None) | None => Observation::Unknown(Silence::NoAnswer),
            };
            Seen { host: hosts[at].clone(), enabled: true, observation }
        };
        (0..self.nodes.len()).map(one).collect()
    }

    fn evidence(&self, at: usize, hosts: &[Hostname], whole: bool) -> Evidence {
        let node = &self.nodes[at];
        let process = match node.life {
            Life::Down => Process::Stopped,
            // A joiner has no open socket until it has the state.
            Life::Starts | Life::Receives => Process::Starting,
            Life::Serves | Life::Waits if node.arbitrator => Process::Starting,
            Life::Serves | Life::Waits if node.mute => Process::NotResponding,
            Life::Serves | Life::Waits => Process::Running(self.running(at, hosts)),
        };
        let is_down = process == Process::Stopped;
        let files = is_down || whole || process == Process::Starting;
        let files = (files && !node.arbitrator).then(|| self.files(at, whole && is_down, hosts));
        Evidence {
            process,
            files,
            maintenance: false,
            arbitrator: node.arbitrator,
            disabled: Vec::new(),
            members_hash: None,
        }
    }

    fn running(&self, at: usize, hosts: &[Hostname]) -> Running {
        let node = &self.nodes[at];
        let serves = node.life == Life::Serves;
        let gives =
            serves && self.nodes.iter().any(|other| other.life == Life::Receives) && self.serving().next() == Some(at);
        let in_group = |other: &usize| {
            let there = &self.nodes[*other];
            let waits = there.life == Life::Waits && there.group == node.group;
            *other == at || if serves { self.component.contains(other) } else { waits }
        };
        let sees: Vec<Hostname> = (0..hosts.len()).filter(in_group).map(|other| hosts[other].clone()).collect();
        Running {
            uuid: HISTORY,
            status: if serves { ClusterStatus::Primary } else { ClusterStatus::NonPrimary },
            state: match serves {
                true if gives => LocalState::Donor,
                true => LocalState::Synced,
                false => LocalState::Initialized,
            },
            size: u32::try_from(sees.len()).unwrap_or(u32::MAX),
            last_committed: node.applied.unwrap_or(-1),
            sees,
            sees_others: Vec::new(),
        }
    }

    fn files(&self, at: usize, recovered: bool, hosts: &[Hostname]) -> Files {
        let node = &self.nodes[at];
        let uuid = if node.zero { Uuid::ZERO } else { HISTORY };
        let whole = Grastate { uuid, seqno: node.written, safe_to_bootstrap: Some(node.flag) };
        let grastate = if node.torn { Found::Torn("it ends too early".into()) } else { Found::Read(whole) };
        let gvwstate = match &node.view {
            Stored::Absent => Found::Absent,
            Stored::Torn => Found::Torn("no `#vwend`".into()),
            Stored::View(view) => Found::Read(Gvwstate {
                my_uuid: name(at, node.renamed),
                view: view.id(),
                bootstrap: false,
                members: view.members.iter().map(|&member| name(member, false)).collect(),
            }),
        };
        let recovered = match node.applied.or(node.partial).and_then(|seqno| Position::new(HISTORY, seqno)) {
            None if node.marker => Recovered::NoHistory,
            _ if !recovered => Recovered::NotRun,
            Some(position) => Recovered::At(position),
            None => Recovered::NoHistory,
        };
        Files {
            grastate,
            gvwstate,
            recovered,
            sst_marker: node.marker,
            unsynced_transfer: node.partial.is_some(),
            datadir_empty: false,
            records: self.records(node, hosts),
        }
    }
}

impl World {
    fn records(&self, node: &Node, hosts: &[Hostname]) -> Records {
        let view = node.record.as_ref().and_then(|(view, floor, size)| {
            Some(ViewRecord { view: view.id(), uuid: HISTORY, floor: Seqno::new(*floor)?, size: Some(*size) })
        });
        let clean =
            node.clean.and_then(|(seqno, last)| Some(CleanStop { position: Position::new(HISTORY, seqno)?, last }));
        let supervised = self.nodes.iter().zip(hosts).filter(|(other, _)| node.supervised && other.record.is_some());
        Records {
            last_recorded: node.recorded.and_then(|seqno| Position::new(HISTORY, seqno)),
            view,
            clean,
            supervised: supervised.map(|(_, host)| host.clone()).collect(),
            ..Records::default()
        }
    }
}

impl View {
    /// Its name. Numbers are few, so that different views have the same ones; the namer tells them apart.
    fn id(&self) -> ViewId {
        ViewId { uuid: Uuid::from_u128(u128::from(self.number) << 8 | 1), seq: self.number % 3 }
    }
}

fn name(at: usize, renamed: bool) -> Uuid {
    Uuid::from_u128((at as u128 + 1) << 96 | u128::from(renamed) << 48)
}
