//! Evidence: what is known of one member's database, with everything that could not be read.

use serde::Serialize;

use super::{Grastate, Gvwstate, Position, Seqno, Uuid, ViewId};
use crate::cluster::Hostname;

/// What is known of a member. Unknown is not absent: a member that did not answer may be alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Nothing is known.
    Unknown(Silence),
    /// It answered, or its files were read.
    Known(Box<Evidence>),
}

/// Why nothing is known of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Silence {
    /// Nobody asked.
    NotAsked,
    /// No answer.
    NoAnswer,
    /// It refused to answer.
    Refused,
    /// What came could not be read; why.
    Garbled(Box<str>),
    /// There is evidence, and it does not count; why: it is too old, or contradicts itself.
    NotCounted(Box<str>),
}

/// Evidence of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What its database process does.
    pub process: Process,
    /// What its files say; `None` if they could not be read, as for a server that was asked from afar.
    pub files: Option<Files>,
    /// It is in maintenance (`bin/cluster/maintenance --activate`): nobody starts its database.
    pub maintenance: bool,
    /// It runs Galera's arbitrator, garbd: it votes, but holds no data.
    pub arbitrator: bool,
    /// The members that it counts out (`bin/cluster/node HOST disable` on it).
    pub disabled: Vec<Hostname>,
    /// Tells whether it reads the same members from cluster.conf as others do.
    pub members_hash: Option<Box<str>>,
}

impl Evidence {
    /// Its server runs without Galera, and serves: what is written now is on this member only.
    pub fn runs_alone(&self) -> bool {
        let ran_alone = self.files.as_ref().is_some_and(|files| files.records.ran_standalone);
        let is_disconnected = matches!(&self.process, Process::Running(running)
            if running.status == ClusterStatus::Disconnected
                && running.state == LocalState::Initialized
                && running.uuid.is_zero());
        ran_alone && is_disconnected
    }
}

/// What a member's database process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// There is none.
    Stopped,
    /// There is one, but it does not tell its state: it recovers, transfers state, or waits for a primary component; or it refuses
    /// the login, and may be in service. A refused connection does not mean that it is stopped.
    Starting,
    /// It answers.
    Running(Running),
}

/// What a running server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The history that it is in (`wsrep_cluster_state_uuid`).
    pub uuid: Uuid,
    /// `wsrep_cluster_status`.
    pub status: ClusterStatus,
    /// `wsrep_local_state`.
    pub state: LocalState,
    /// `wsrep_cluster_size`.
    pub size: u32,
    /// `wsrep_last_committed`; -1 if it has none.
    pub last_committed: i64,
    /// The members that it sees, itself among them (`wsrep_incoming_addresses`); empty if it does not say.
    pub sees: Vec<Hostname>,
    /// Addresses that it sees and that belong to no member of cluster.conf: somebody else.
    pub sees_others: Vec<Box<str>>,
}

/// `wsrep_cluster_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterStatus {
    /// In the component that has quorum: it serves.
    Primary,
    /// In a component without quorum.
    NonPrimary,
    /// In none.
    Disconnected,
}

/// `wsrep_local_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalState {
    /// 0.
    Initialized,
    /// 1: receives state.
    Joining,
    /// 2: gives state, or was taken out of flow control (`wsrep_desync`).
    Donor,
    /// 3: has received state, catches up.
    Joined,
    /// 4.
    Synced,
    /// 5: it found that its data differ.
    Inconsistent,
}

/// What the files of a member say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// grastate.dat.
    pub grastate: Found<Grastate>,
    /// gvwstate.dat.
    pub gvwstate: Found<Gvwstate>,
    /// What `mariadbd --wsrep-recover` found.
    pub recovered: Recovered,
    /// `sst_in_progress` or the like: a state transfer has begun and not ended.
    pub sst_marker: bool,
    /// There is nothing in the data directory, or the system schemas of an installation that never was in a cluster.
    pub datadir_empty: bool,
    /// What the supervisor wrote down outside the data directory.
    pub records: Records,
}

/// A file that may be missing or broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Found<T> {
    /// There is no such file.
    #[default]
    Absent,
    /// It is there, and can't be understood; why, in a few words.
    Torn(Box<str>),
    /// It says this.
    Read(T),
}

impl<T> Found<T> {
    /// What it says.
    pub fn read(&self) -> Option<&T> {
        match self {
            Found::Read(value) => Some(value),
            Found::Absent | Found::Torn(_) => None,
        }
    }
}

/// The outcome of `mariadbd --wsrep-recover`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Recovered {
    /// Nobody has run it.
    #[default]
    NotRun,
    /// It failed; why.
    Failed(Box<str>),
    /// The data belong to no history (Galera prints the zero UUID and -1).
    NoHistory,
    /// The data are at this position.
    At(Position),
}

/// What a member's supervisor wrote down, outside the data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The highest position seen while primary.
    pub last_recorded: Option<Position>,
    /// The last primary view it was synced in.
    pub view: Option<ViewRecord>,
    /// Where history went on with fewer members than before.
    pub forks: Vec<Fork>,
    /// This database has run without Galera, so its data went on alone while grastate.dat did not move.
    pub ran_standalone: bool,
}

impl Records {
    /// The highest position of this history that is written down here: what was seen in service, or was there when a view or
    /// a fork began that this member took part in. Written at different moments, none of the three is always the highest.
    pub(crate) fn highest_of(&self, history: Uuid) -> Option<Position> {
        let view = self.view.map(|view| (view.uuid, view.floor));
        let forks = self.forks.iter().map(|fork| (fork.uuid, fork.seqno));
        let written = view.into_iter().chain(forks).filter_map(|(uuid, seqno)| Position::new(uuid, seqno.get()));
        let all = self.last_recorded.into_iter().chain(written);
        all.filter(|position| position.uuid() == history).max_by_key(|position| position.seqno())
    }
}

/// A primary view, written down while synced in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewRecord {
    /// The view.
    pub view: ViewId,
    /// The history.
    pub uuid: Uuid,
    /// `wsrep_last_committed` when the view was new: whoever left before it holds no more than this. gvwstate.dat names the
    /// view before the server has applied everything from before it, so this is read only when the status shows the view's
    /// members (they change in order with the transactions) and gvwstate.dat is the same before and after.
    pub floor: Seqno,
    /// How many members the view had; `None` if it was not written down.
    pub size: Option<u32>,
}

/// A place from which history went on with the members that were present: a bootstrap, a promotion, a view that formed
/// again, an operator's force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The history.
    pub uuid: Uuid,
    /// The last sequence number that was common.
    pub seqno: Seqno,
    /// Who took part, or joined afterwards.
    pub present: Vec<Hostname>,
    /// False if the list of who was present may lack somebody.
    pub known: bool,
}

impl Fork {
    /// Two records of one fork: those who joined later write it down with themselves in it. Two forks at one place have
    /// nobody in common.
    pub(crate) fn is_same(&self, other: &Fork) -> bool {
        self.uuid == other.uuid
            && self.seqno == other.seqno
            && self.present.iter().any(|member| other.present.contains(member))
    }
}
