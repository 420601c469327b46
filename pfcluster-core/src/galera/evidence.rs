//! Evidence: what is known of one member's database, with everything that could not be read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::gvwstate::ViewFields;
use super::position::{Written, at_least_minus_one};
use super::{Grastate, Gvwstate, Position, Seqno, Uuid, ViewId};
use crate::cluster::Hostname;
use crate::form::{or_null, printable_text};
use crate::printable::printable;

/// What is known of a member. Unknown is not absent: a member that did not answer may be alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Nothing is known.
    Unknown(Silence),
    /// It answered, or its files were read.
    Known(Box<Evidence>),
}

impl Observation {
    /// The evidence, if anything is known.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Observation::Known(evidence) => Some(evidence),
            Observation::Unknown(_) => None,
        }
    }
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
    /// There is one that was never in a primary component: it recovers, receives state, or waits for the others. A refused
    /// connection does not mean that it is stopped.
    Starting,
    /// It was started as the first of a new component (`--wsrep-new-cluster`), or without Galera, and does not answer yet: it
    /// waits for nobody, and may serve clients at any moment.
    Bootstrapping,
    /// It may be serving clients and does not tell its state: it takes connections and does not answer, refuses the login, or
    /// has its `InnoDB` open, which it opens only once it has been in a primary component (measured).
    NotResponding,
    /// It answers.
    Running(Running),
}

/// What a running server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenRunning")]
pub struct Running {
    /// The history that it is in (`wsrep_cluster_state_uuid`).
    pub uuid: Uuid,
    /// `wsrep_cluster_status`.
    #[serde(rename = "cluster_status")]
    pub status: ClusterStatus,
    /// `wsrep_local_state`.
    #[serde(rename = "local_state")]
    pub state: LocalState,
    /// `wsrep_cluster_size`.
    #[serde(rename = "cluster_size")]
    pub size: u32,
    /// `wsrep_last_committed`; -1 if it has none.
    pub last_committed: i64,
    /// The members that it sees, itself among them (`wsrep_incoming_addresses`); empty if it does not say.
    #[serde(rename = "members")]
    pub sees: Vec<Hostname>,
    /// Addresses that it sees and that belong to no member of cluster.conf: somebody else.
    #[serde(rename = "others")]
    pub sees_others: Vec<Box<str>>,
}

/// As it is read: `members` may name anything, as builds before 0.1 and people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRunning {
    uuid: Uuid,
    cluster_status: ClusterStatus,
    local_state: LocalState,
    cluster_size: u32,
    #[serde(deserialize_with = "at_least_minus_one")]
    last_committed: i64,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    others: Vec<String>,
}

impl From<WrittenRunning> for Running {
    fn from(written: WrittenRunning) -> Running {
        let mut running = Running {
            uuid: written.uuid,
            status: written.cluster_status,
            state: written.local_state,
            size: written.cluster_size,
            last_committed: written.last_committed,
            sees: Vec::new(),
            sees_others: Vec::new(),
        };
        running.see(written.members.into_iter().chain(written.others), |name| name.parse().ok());
        running
    }
}

impl Running {
    /// A server that runs without Galera: it is in no cluster, and has no position.
    pub const WITHOUT_GALERA: Running = Running {
        uuid: Uuid::ZERO,
        status: ClusterStatus::Disconnected,
        state: LocalState::Initialized,
        size: 0,
        last_committed: -1,
        sees: Vec::new(),
        sees_others: Vec::new(),
    };

    /// Finds the members that it sees once more, among all that it names: `resolve` knows which member has a name or an address.
    pub fn resolve(&mut self, resolve: impl Fn(&str) -> Option<Hostname>) {
        let members = std::mem::take(&mut self.sees).into_iter().map(|host| host.to_string());
        let others = std::mem::take(&mut self.sees_others).into_iter().map(String::from);
        self.see(members.chain(others), resolve);
    }

    fn see(&mut self, names: impl Iterator<Item = String>, resolve: impl Fn(&str) -> Option<Hostname>) {
        for name in names {
            match resolve(&name) {
                Some(host) => self.sees.push(host),
                None => self.sees_others.push(printable(name.as_bytes()).into()),
            }
        }
    }
}

/// `wsrep_cluster_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterStatus {
    /// In the component that has quorum: it serves.
    Primary,
    /// In a component without quorum.
    NonPrimary,
    /// In none.
    Disconnected,
}

/// `wsrep_local_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// What the files of a member say. As data, what is not known is refused: a misspelt field would be evidence that is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// grastate.dat.
    pub grastate: Found<Grastate>,
    /// gvwstate.dat.
    pub gvwstate: Found<Gvwstate>,
    /// What `mariadbd --wsrep-recover` found.
    pub recovered: Recovered,
    /// A full state transfer (SST) has begun and not ended, or it failed: what is there is no state that ever was.
    pub sst_marker: bool,
    /// The data may not be on disk as a whole: a state transfer came in before the machine's last boot, and the disk was not
    /// synced after it (measured: files of length 0 up to 40 s after Synced).
    pub unsynced_transfer: bool,
    /// There is nothing in the data directory, or the system schemas of an installation that never was in a cluster.
    pub datadir_empty: bool,
    /// What the supervisor wrote down outside the data directory.
    #[serde(flatten)]
    pub records: Records,
}

/// A file that may be missing or broken: as data `null`, or `{"error": "why"}`.
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

/// Why there is no value.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    #[serde(deserialize_with = "printable_text")]
    error: Box<str>,
}

impl<T: Serialize> Serialize for Found<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Found::Absent => serializer.serialize_none(),
            Found::Torn(why) => Fault { error: why.clone() }.serialize(serializer),
            Found::Read(value) => value.serialize(serializer),
        }
    }
}

// serde's own `untagged` would only say that nothing fits.
impl<'de, T: de::DeserializeOwned> Deserialize<'de> for Found<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(value) = Option::<serde_json::Value>::deserialize(deserializer)? else { return Ok(Found::Absent) };
        let found = if value.get("error").is_some() {
            serde_json::from_value(value).map(|Fault { error }| Found::Torn(error))
        } else {
            serde_json::from_value(value).map(Found::Read)
        };
        found.map_err(de::Error::custom)
    }
}

/// The outcome of `mariadbd --wsrep-recover`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Found<Written>", into = "Found<Written>")]
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

const NO_HISTORY: Written = Written { uuid: Uuid::ZERO, seqno: -1 };

impl TryFrom<Found<Written>> for Recovered {
    type Error = &'static str;

    fn try_from(found: Found<Written>) -> Result<Recovered, &'static str> {
        Ok(match found {
            Found::Absent => Recovered::NotRun,
            Found::Torn(why) => Recovered::Failed(why),
            Found::Read(NO_HISTORY) => Recovered::NoHistory,
            Found::Read(written) => Recovered::At(written.try_into()?),
        })
    }
}

impl From<Recovered> for Found<Written> {
    fn from(recovered: Recovered) -> Found<Written> {
        match recovered {
            Recovered::NotRun => Found::Absent,
            Recovered::Failed(why) => Found::Torn(why),
            Recovered::NoHistory => Found::Read(NO_HISTORY),
            Recovered::At(at) => Found::Read(Written { uuid: at.uuid(), seqno: at.seqno().get() }),
        }
    }
}

/// What a member's supervisor persists, outside the data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// The highest position seen while primary.
    pub last_recorded: Option<Position>,
    /// The last primary view it was synced in. Kept after a clean stop.
    #[serde(rename = "view_record")]
    pub view: Option<ViewRecord>,
    /// The last stop was clean, proved by recovery. Dropped at the next primary view.
    #[serde(rename = "clean_stop")]
    pub clean: Option<CleanStop>,
    /// The forks that this member's data come from.
    pub forks: Vec<Fork>,
    /// This database has run without Galera, so its data went on alone while grastate.dat did not move.
    pub ran_standalone: bool,
    /// The members whose supervisors were heard with this cluster's key.
    pub supervised: Vec<Hostname>,
    /// How often in a row the database could not be started to begin or restore a primary component.
    #[serde(with = "or_null")]
    pub start_failures: StartFailures,
    /// The boot of the machine in which the database was started to join, until its data are synced to disk.
    pub joined_in_boot: Option<Uuid>,
}

impl Records {
    /// True if this member's data come from the fork.
    pub fn remembers(&self, fork: &Fork) -> bool {
        self.forks.iter().any(|own| own.id == fork.id)
    }

    /// The highest position of this UUID that is written down here: what was seen in service, or was there when a view or a fork
    /// began that this member took part in. Written at different moments, none of the three is always the highest.
    pub(crate) fn highest_of(&self, uuid: Uuid) -> Option<Position> {
        let view = self.view.and_then(|view| Position::new(view.uuid, view.floor.get()));
        let clean = self.clean.map(|clean| clean.position);
        let all = self.last_recorded.into_iter().chain(view).chain(clean).chain(self.forks.iter().map(|fork| fork.at));
        all.filter(|position| position.uuid() == uuid).max_by_key(|position| position.seqno())
    }
}

/// A component was started without proof that no other member was more advanced: on an override, or by hand. Whoever is of that
/// UUID and beyond it, and does not remember it, has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenFork")]
pub struct Fork {
    /// Tells it from another one at the same position.
    #[serde(with = "hexadecimal")]
    pub id: u64,
    /// What the component began with.
    #[serde(flatten)]
    pub at: Position,
}

/// As it is read: builds before 0.1 wrote no id, and told a fork by what is read over here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFork {
    #[serde(default, with = "hexadecimal")]
    id: u64,
    uuid: Uuid,
    seqno: i64,
    #[serde(default, rename = "present")]
    _present: Vec<String>,
    #[serde(default, rename = "known")]
    _known: bool,
}

impl TryFrom<WrittenFork> for Fork {
    type Error = &'static str;

    fn try_from(WrittenFork { id, uuid, seqno, .. }: WrittenFork) -> Result<Fork, &'static str> {
        Ok(Fork { id, at: Written { uuid, seqno }.try_into()? })
    }
}

/// A number of which programs that know only floating points lose no digit.
mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    // serde hands over a reference.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(|_| de::Error::custom("an id has 16 hexadecimal digits"))
    }
}

/// A stop after which `InnoDB` was recovered to the very position of grastate.dat, and gvwstate.dat was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CleanStop {
    /// The position.
    #[serde(flatten)]
    pub position: Position,
    /// `safe_to_bootstrap` as Galera wrote it then: it was alone in its last primary view. A flag that was written later, by a
    /// supervisor for a start or by hand, is not this.
    pub last: bool,
}

/// Starts of this database that failed, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartFailures {
    /// So many.
    pub count: u8,
    /// Why the last one failed; empty if none did.
    #[serde(deserialize_with = "printable_text")]
    pub why: Box<str>,
}

impl StartFailures {
    /// So many in a row mean that it cannot start until its cause is repaired.
    pub const CANNOT_START: u8 = 3;

    /// It has failed so often that others, where they hold the same, are started instead.
    pub fn cannot_start(&self) -> bool {
        self.count >= StartFailures::CANNOT_START
    }
}

/// A primary view, written down while synced in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewRecord {
    /// The view.
    #[serde(flatten, with = "ViewFields")]
    pub view: ViewId,
    /// The history.
    pub uuid: Uuid,
    /// `wsrep_last_committed` when the view was new: whoever left before it holds no more than this. gvwstate.dat names the
    /// view before the server has applied everything from before it, so this is read only when the status shows the view's
    /// members (they change in order with the transactions) and gvwstate.dat is the same before and after.
    pub floor: Seqno,
    /// How many members the view had; `None` if it was not written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
}
