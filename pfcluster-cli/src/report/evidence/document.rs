//! The document and the core's types, both ways.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Position, Process, Records, Recovered,
    Running, Seqno, Uuid, ViewId, ViewRecord,
};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::{EvidenceError, MemberEvidence, VERSION, known_version};

/// One member's evidence, as schemas/evidence.json has it. What is not known is refused: a misspelt field would be
/// evidence that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceDocument {
    // Left out inside a document of several members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(deserialize_with = "parsed")]
    host: Hostname,
    #[serde(default)]
    taken_at: Option<String>,
    #[serde(default)]
    maintenance: bool,
    #[serde(default)]
    arbitrator: bool,
    #[serde(default, deserialize_with = "all_parsed")]
    disabled: Vec<Hostname>,
    #[serde(default)]
    members_hash: Option<String>,
    #[serde(default)]
    running: Option<RunningDocument>,
    #[serde(default)]
    starting: bool,
    #[serde(default)]
    files: Option<FilesDocument>,
    #[serde(default)]
    notes: Vec<Note>,
}

/// Something that could not be found out, or that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunningDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    cluster_status: StatusWord,
    local_state: StateWord,
    cluster_size: u32,
    last_committed: i64,
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusWord {
    Primary,
    NonPrimary,
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    Initialized,
    Joining,
    Donor,
    Joined,
    Synced,
    Inconsistent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesDocument {
    #[serde(default)]
    grastate: Option<Told<GrastateDocument>>,
    #[serde(default)]
    gvwstate: Option<Told<GvwstateDocument>>,
    #[serde(default)]
    recovered: Option<Told<PositionDocument>>,
    #[serde(default)]
    last_recorded: Option<PositionDocument>,
    #[serde(default)]
    view_record: Option<ViewRecordDocument>,
    #[serde(default)]
    forks: Vec<ForkDocument>,
    #[serde(default)]
    sst_marker: bool,
    #[serde(default)]
    ran_standalone: bool,
    #[serde(default)]
    datadir_empty: bool,
}

/// A value, or `{"error": "why there is none"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Told<T> {
    Fault(Fault),
    Value(T),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    error: String,
}

// serde's own `untagged` would only say that nothing fits.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let told = if value.get("error").is_some() {
            serde_json::from_value(value).map(Told::Fault)
        } else {
            serde_json::from_value(value).map(Told::Value)
        };
        told.map_err(D::Error::custom)
    }
}

impl<T> Told<T> {
    fn fault(error: &str) -> Told<T> {
        Told::Fault(Fault { error: error.to_owned() })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrastateDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
    #[serde(default)]
    safe_to_bootstrap: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GvwstateDocument {
    #[serde(deserialize_with = "parsed")]
    my_uuid: Uuid,
    #[serde(deserialize_with = "parsed")]
    view_uuid: Uuid,
    view_seq: u32,
    #[serde(default)]
    bootstrap: bool,
    #[serde(deserialize_with = "all_parsed")]
    members: Vec<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewRecordDocument {
    #[serde(deserialize_with = "parsed")]
    view_uuid: Uuid,
    view_seq: u32,
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    floor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForkDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
    #[serde(deserialize_with = "all_parsed")]
    present: Vec<Hostname>,
    known: bool,
}

// Writing ------------------------------------------------------------------------------------------------------------

impl EvidenceDocument {
    /// The evidence of `host`, taken at this time of its clock, with what a person should know beside it.
    pub fn new(host: Hostname, taken_at: Option<String>, evidence: &Evidence, notes: Vec<Note>) -> EvidenceDocument {
        EvidenceDocument {
            version: Some(VERSION),
            host,
            taken_at,
            maintenance: evidence.maintenance,
            arbitrator: evidence.arbitrator,
            disabled: evidence.disabled.clone(),
            members_hash: evidence.members_hash.as_deref().map(str::to_owned),
            running: match &evidence.process {
                Process::Running(running) => Some(running.into()),
                Process::Starting | Process::Stopped => None,
            },
            starting: evidence.process == Process::Starting,
            files: evidence.files.as_ref().map(Into::into),
            notes,
        }
    }
}

impl From<&Running> for RunningDocument {
    fn from(running: &Running) -> RunningDocument {
        let own = running.sees.iter().map(ToString::to_string);
        let others = running.sees_others.iter().map(|other| other.to_string());
        RunningDocument {
            uuid: running.uuid,
            cluster_status: match running.status {
                ClusterStatus::Primary => StatusWord::Primary,
                ClusterStatus::NonPrimary => StatusWord::NonPrimary,
                ClusterStatus::Disconnected => StatusWord::Disconnected,
            },
            local_state: match running.state {
                LocalState::Initialized => StateWord::Initialized,
                LocalState::Joining => StateWord::Joining,
                LocalState::Donor => StateWord::Donor,
                LocalState::Joined => StateWord::Joined,
                LocalState::Synced => StateWord::Synced,
                LocalState::Inconsistent => StateWord::Inconsistent,
            },
            cluster_size: running.size,
            last_committed: running.last_committed,
            members: own.chain(others).collect(),
        }
    }
}

impl From<&Files> for FilesDocument {
    fn from(files: &Files) -> FilesDocument {
        let records = &files.records;
        FilesDocument {
            grastate: found(&files.grastate, |grastate| GrastateDocument {
                uuid: grastate.uuid,
                seqno: grastate.seqno,
                safe_to_bootstrap: grastate.safe_to_bootstrap,
            }),
            gvwstate: found(&files.gvwstate, |gvwstate| GvwstateDocument {
                my_uuid: gvwstate.my_uuid,
                view_uuid: gvwstate.view.uuid,
                view_seq: gvwstate.view.seq,
                bootstrap: gvwstate.bootstrap,
                members: gvwstate.members.clone(),
            }),
            recovered: match &files.recovered {
                Recovered::NotRun => None,
                Recovered::Failed(why) => Some(Told::fault(why)),
                Recovered::NoHistory => Some(Told::Value(PositionDocument { uuid: Uuid::ZERO, seqno: -1 })),
                Recovered::At(position) => Some(Told::Value((*position).into())),
            },
            last_recorded: records.last_recorded.map(Into::into),
            view_record: records.view.map(|record| ViewRecordDocument {
                view_uuid: record.view.uuid,
                view_seq: record.view.seq,
                uuid: record.uuid,
                floor: record.floor.get(),
                size: record.size,
            }),
            forks: records.forks.iter().map(Into::into).collect(),
            sst_marker: files.sst_marker,
            ran_standalone: records.ran_standalone,
            datadir_empty: files.datadir_empty,
        }
    }
}

impl From<Position> for PositionDocument {
    fn from(position: Position) -> PositionDocument {
        PositionDocument { uuid: position.uuid(), seqno: position.seqno().get() }
    }
}

impl From<&Fork> for ForkDocument {
    fn from(fork: &Fork) -> ForkDocument {
        ForkDocument { uuid: fork.uuid, seqno: fork.seqno.get(), present: fork.present.clone(), known: fork.known }
    }
}

fn found<T, U>(found: &Found<T>, value: impl Fn(&T) -> U) -> Option<Told<U>> {
    match found {
        Found::Absent => None,
        Found::Torn(why) => Some(Told::fault(why)),
        Found::Read(read) => Some(Told::Value(value(read))),
    }
}

// Reading ------------------------------------------------------------------------------------------------------------

impl EvidenceDocument {
    /// What it says. `resolve` finds the member that has a name or an address.
    ///
    /// # Errors
    /// [`EvidenceError`] if a value makes no sense in its place.
    pub fn into_member(self, resolve: impl Fn(&str) -> Option<Hostname>) -> Result<MemberEvidence, EvidenceError> {
        self.version.map_or(Ok(()), known_version)?;
        let host = &self.host;
        let fail = |(field, reason): (&'static str, &str)| EvidenceError::Value {
            host: host.clone(),
            field,
            reason: reason.to_owned(),
        };
        if self.running.is_some() && self.starting {
            return Err(fail(("starting", "a server that answers is not starting")));
        }
        let process = match self.running {
            Some(running) => Process::Running(running.into_running(resolve).map_err(fail)?),
            None if self.starting => Process::Starting,
            None => Process::Stopped,
        };
        let evidence = Evidence {
            process,
            files: self.files.map(FilesDocument::into_files).transpose().map_err(fail)?,
            maintenance: self.maintenance,
            arbitrator: self.arbitrator,
            disabled: self.disabled,
            members_hash: self.members_hash.map(Into::into),
        };
        Ok(MemberEvidence { host: self.host, taken_at: self.taken_at, evidence })
    }
}

/// The field and what is wrong with it.
type Wrong = (&'static str, &'static str);

const BELOW_MINUS_ONE: &str = "it is below -1";
const NO_SEQNO: &str = "a sequence number is not negative";
const NO_POSITION: &str = "a position has a UUID that is not zero, and a sequence number that is not negative";

impl RunningDocument {
    fn into_running(self, resolve: impl Fn(&str) -> Option<Hostname>) -> Result<Running, Wrong> {
        if self.last_committed < -1 {
            return Err(("running.last_committed", BELOW_MINUS_ONE));
        }
        let mut running = Running {
            uuid: self.uuid,
            status: match self.cluster_status {
                StatusWord::Primary => ClusterStatus::Primary,
                StatusWord::NonPrimary => ClusterStatus::NonPrimary,
                StatusWord::Disconnected => ClusterStatus::Disconnected,
            },
            state: match self.local_state {
                StateWord::Initialized => LocalState::Initialized,
                StateWord::Joining => LocalState::Joining,
                StateWord::Donor => LocalState::Donor,
                StateWord::Joined => LocalState::Joined,
                StateWord::Synced => LocalState::Synced,
                StateWord::Inconsistent => LocalState::Inconsistent,
            },
            size: self.cluster_size,
            last_committed: self.last_committed,
            sees: Vec::new(),
            sees_others: Vec::new(),
        };
        for name in self.members {
            match resolve(&name) {
                Some(host) => running.sees.push(host),
                None => running.sees_others.push(name.into()),
            }
        }
        Ok(running)
    }
}

impl FilesDocument {
    fn into_files(self) -> Result<Files, Wrong> {
        let last_recorded = self.last_recorded.map(|position| position.position("files.last_recorded"));
        Ok(Files {
            grastate: into_found(self.grastate, GrastateDocument::into_grastate)?,
            gvwstate: into_found(self.gvwstate, GvwstateDocument::into_gvwstate)?,
            recovered: match self.recovered {
                None => Recovered::NotRun,
                Some(Told::Fault(fault)) => Recovered::Failed(fault.error.into()),
                Some(Told::Value(none)) if none.uuid.is_zero() && none.seqno == -1 => Recovered::NoHistory,
                Some(Told::Value(position)) => Recovered::At(position.position("files.recovered")?),
            },
            sst_marker: self.sst_marker,
            datadir_empty: self.datadir_empty,
            records: Records {
                last_recorded: last_recorded.transpose()?,
                view: self.view_record.map(ViewRecordDocument::into_record).transpose()?,
                forks: self.forks.into_iter().map(ForkDocument::into_fork).collect::<Result<_, _>>()?,
                ran_standalone: self.ran_standalone,
            },
        })
    }
}

impl ViewRecordDocument {
    fn into_record(self) -> Result<ViewRecord, Wrong> {
        let floor = Seqno::new(self.floor).ok_or(("files.view_record.floor", NO_SEQNO))?;
        let view = ViewId { uuid: self.view_uuid, seq: self.view_seq };
        Ok(ViewRecord { view, uuid: self.uuid, floor, size: self.size })
    }
}

impl ForkDocument {
    fn into_fork(self) -> Result<Fork, Wrong> {
        let seqno = Seqno::new(self.seqno).ok_or(("files.forks.seqno", NO_SEQNO))?;
        Ok(Fork { uuid: self.uuid, seqno, present: self.present, known: self.known })
    }
}

impl PositionDocument {
    fn position(&self, field: &'static str) -> Result<Position, Wrong> {
        Position::new(self.uuid, self.seqno).ok_or((field, NO_POSITION))
    }
}

impl GrastateDocument {
    fn into_grastate(self) -> Result<Grastate, Wrong> {
        if self.seqno < -1 {
            return Err(("files.grastate.seqno", BELOW_MINUS_ONE));
        }
        Ok(Grastate { uuid: self.uuid, seqno: self.seqno, safe_to_bootstrap: self.safe_to_bootstrap })
    }
}

impl GvwstateDocument {
    fn into_gvwstate(self) -> Result<Gvwstate, Wrong> {
        let mut members = self.members;
        let named = members.len();
        members.sort_unstable();
        members.dedup();
        if members.is_empty() || members.len() < named {
            return Err(("files.gvwstate.members", "a view has members, each once"));
        }
        let view = ViewId { uuid: self.view_uuid, seq: self.view_seq };
        Ok(Gvwstate { my_uuid: self.my_uuid, view, bootstrap: self.bootstrap, members })
    }
}

fn into_found<T, U>(told: Option<Told<T>>, value: impl Fn(T) -> Result<U, Wrong>) -> Result<Found<U>, Wrong> {
    Ok(match told {
        None => Found::Absent,
        Some(Told::Fault(fault)) => Found::Torn(fault.error.into()),
        Some(Told::Value(read)) => Found::Read(value(read)?),
    })
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| D::Error::custom(format!("`{}`: {error}", text.escape_debug())))
}

fn all_parsed<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| text.parse().map_err(|error| format!("`{}`: {error}", text.escape_debug()));
    texts.iter().map(parse).collect::<Result<_, String>>().map_err(D::Error::custom)
}
