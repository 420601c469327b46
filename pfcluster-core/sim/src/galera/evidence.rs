//! What a member tells of itself, in the words of the core.

use std::sync::LazyLock;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    self as core, ClusterStatus, Evidence, Files, Found, LocalState, Observation, Position, Recovered, Running, Seen,
    Seqno, Silence, Uuid,
};

use super::{At, Cluster, Data, File, HistoryId, Place, Process, Run, Set, State, View};

static HOSTS: LazyLock<Vec<Hostname>> =
    LazyLock::new(|| (1..=8).map(|number| format!("pf{number}").parse().expect("a host name")).collect());

/// The name of a member: pf1 is the first.
pub fn host(place: Place) -> Hostname {
    HOSTS[place].clone()
}

/// The place of a member that a decision names.
///
/// # Panics
/// If it is none of the model's names.
pub fn place(host: &Hostname) -> Place {
    HOSTS.iter().position(|other| other == host).expect("a member of the model")
}

/// The UUID of a history.
pub fn uuid(history: HistoryId) -> Uuid {
    if history == HistoryId::ZERO { Uuid::ZERO } else { Uuid::from_u128(0xA000_0000 + u128::from(history.0)) }
}

fn node(view: View, place: Place) -> Uuid {
    if view.is_nil {
        // R5, measured: 00000000-0000-0000-0001-000000000000.
        return Uuid::from_u128(1 << 48);
    }
    Uuid::from_u128(0xB_0000_0000 + (u128::from(view.nodes[place]) << 8) + place as u128)
}

fn view_id(view: View) -> core::ViewId {
    let first = view.members.iter().next().expect("a view has members");
    core::ViewId { uuid: node(view, first), seq: if view.is_nil { 2 } else { u32::from(view.name) } }
}

fn position(at: At) -> Option<Position> {
    Position::new(uuid(at.history), i64::from(at.seqno))
}

/// What the members are called.
type Name<'a> = &'a dyn Fn(Place) -> Hostname;

fn hosts(set: Set, name: Name<'_>) -> Vec<Hostname> {
    set.iter().map(name).collect()
}

impl Cluster {
    /// What the member tells. `--wsrep-recover` has been run where it was needed.
    pub fn evidence(&self, place: Place) -> Evidence {
        self.evidence_as(place, &host)
    }

    /// The same with other names for the members.
    pub fn evidence_as(&self, place: Place, name: Name<'_>) -> Evidence {
        let member = &self.members[place];
        let process = match &member.process {
            Process::Stopped => core::Process::Stopped,
            Process::Running(run) if run.open => core::Process::Running(self.running(place, run, name)),
            Process::Running(_) => core::Process::Starting,
            Process::Alone => core::Process::Running(Running::WITHOUT_GALERA),
        };
        Evidence {
            process,
            files: Some(self.files(place, name)),
            maintenance: member.maintenance,
            arbitrator: false,
            disabled: hosts(member.disabled, name),
            members_hash: None,
        }
    }

    fn running(&self, place: Place, run: &Run, name: Name<'_>) -> Running {
        // Until it notices, it lists the members of its view, whether they are still there or not.
        let group = run.view.filter(|_| run.primary).map_or_else(|| self.group(place), |view| view.members);
        let history = self.rows(place).map_or(HistoryId::ZERO, |rows| rows.history);
        Running {
            uuid: uuid(history),
            status: match run.state {
                State::Inconsistent => ClusterStatus::Disconnected,
                _ if run.primary => ClusterStatus::Primary,
                _ => ClusterStatus::NonPrimary,
            },
            state: match run.state {
                State::Initialized => LocalState::Initialized,
                State::Joining(..) => LocalState::Joining,
                State::Donor => LocalState::Donor,
                State::Synced => LocalState::Synced,
                State::Inconsistent => LocalState::Inconsistent,
            },
            size: u32::try_from(group.len()).expect("few members"),
            last_committed: if run.state == State::Inconsistent { -1 } else { i64::from(self.seqno(place)) },
            sees: hosts(group, name),
            sees_others: Vec::new(),
        }
    }

    fn files(&self, place: Place, name: Name<'_>) -> Files {
        let disk = &self.members[place].disk;
        let grastate = found(&disk.grastate, |grastate| core::Grastate {
            uuid: uuid(grastate.history),
            seqno: i64::from(grastate.seqno),
            safe_to_bootstrap: Some(grastate.flag),
        });
        let gvwstate = found(&disk.gvwstate, |view| {
            let mut members: Vec<Uuid> = view.members.iter().map(|other| node(*view, other)).collect();
            members.sort_unstable();
            core::Gvwstate { my_uuid: node(*view, place), view: view_id(*view), bootstrap: false, members }
        });
        let recovered = match &disk.data {
            Data::Rows(_) => self.at(place).and_then(position).map_or(Recovered::NoHistory, Recovered::At),
            Data::Empty | Data::NoHistory(_) | Data::Partial => Recovered::NoHistory,
        };
        let records = &disk.records;
        let view = records.view.and_then(|record| {
            Some(core::ViewRecord {
                view: view_id(record.view),
                uuid: uuid(record.at.history),
                floor: Seqno::new(i64::from(record.at.seqno))?,
                size: u32::try_from(record.view.members.len()).ok(),
            })
        });
        let forks =
            records.forks.iter().filter_map(|fork| Some(core::Fork { id: u64::from(fork.id), at: position(fork.at)? }));
        let clean = records.clean.and_then(|(at, last)| Some(core::CleanStop { position: position(at)?, last }));
        Files {
            grastate,
            gvwstate,
            recovered,
            sst_marker: disk.marker,
            unsynced_transfer: false,
            datadir_empty: disk.data == Data::Empty,
            records: core::Records {
                last_recorded: records.last_recorded.and_then(position),
                view,
                clean,
                forks: forks.collect(),
                ran_standalone: records.ran_standalone,
                supervised: (0..self.members.len()).map(name).collect(),
                ..core::Records::default()
            },
        }
    }

    /// What a viewer knows if these answer it: each of them that it reaches, and itself.
    pub fn seen_by(&self, viewer: Place, asked: Set) -> Vec<Seen> {
        let seen = |place: Place| {
            let answers = place == viewer || asked.contains(place) && self.reaches(viewer, place);
            Seen {
                host: host(place),
                enabled: !self.members[viewer].disabled.contains(place),
                observation: if answers {
                    Observation::Known(Box::new(self.evidence(place)))
                } else {
                    Observation::Unknown(Silence::NoAnswer)
                },
            }
        };
        (0..self.members.len()).map(seen).collect()
    }
}

fn found<T, U>(file: &File<T>, read: impl Fn(&T) -> U) -> Found<U> {
    match file {
        File::Absent => Found::Absent,
        File::Torn => Found::Torn("it is cut short".into()),
        File::Whole(value) => Found::Read(read(value)),
    }
}
