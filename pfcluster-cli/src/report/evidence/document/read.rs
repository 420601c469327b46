//! From the document to the core's types.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Position, Process, Records, Recovered,
    Running, Seqno, ViewId, ViewRecord,
};

use pfcluster_core::printable::printable;

use super::super::{EvidenceError, MemberEvidence, known_version};
use super::{
    EvidenceDocument, FilesDocument, ForkDocument, GrastateDocument, GvwstateDocument, PositionDocument,
    RunningDocument, StateWord, StatusWord, Told, ViewRecordDocument,
};

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
            members_hash: self.members_hash.map(|hash| plain(&hash)),
        };
        Ok(MemberEvidence { host: self.host, taken_at: self.taken_at, evidence })
    }
}

/// A text of another member: nothing in it acts on a terminal or a log.
fn plain(text: &str) -> Box<str> {
    printable(text.as_bytes()).into()
}

/// The field and what is wrong with it.
pub(super) type Wrong = (&'static str, &'static str);

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
                None => running.sees_others.push(plain(&name)),
            }
        }
        Ok(running)
    }
}

impl FilesDocument {
    fn into_files(self) -> Result<Files, Wrong> {
        Ok(Files {
            grastate: into_found(self.grastate, GrastateDocument::into_grastate)?,
            gvwstate: into_found(self.gvwstate, GvwstateDocument::into_gvwstate)?,
            recovered: match self.recovered {
                None => Recovered::NotRun,
                Some(Told::Fault(fault)) => Recovered::Failed(plain(&fault.error)),
                Some(Told::Value(none)) if none.uuid.is_zero() && none.seqno == -1 => Recovered::NoHistory,
                Some(Told::Value(position)) => Recovered::At(position.position("files.recovered")?),
            },
            sst_marker: self.sst_marker,
            datadir_empty: self.datadir_empty,
            records: records(self.last_recorded, self.view_record, self.forks, self.ran_standalone)?,
        })
    }
}

pub(super) fn records(
    last_recorded: Option<PositionDocument>,
    view: Option<ViewRecordDocument>,
    forks: Vec<ForkDocument>,
    ran_standalone: bool,
) -> Result<Records, Wrong> {
    Ok(Records {
        last_recorded: last_recorded.map(|position| position.position("files.last_recorded")).transpose()?,
        view: view.map(ViewRecordDocument::into_record).transpose()?,
        forks: forks.into_iter().map(ForkDocument::into_fork).collect::<Result<_, _>>()?,
        ran_standalone,
    })
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
        Some(Told::Fault(fault)) => Found::Torn(plain(&fault.error)),
        Some(Told::Value(read)) => Found::Read(value(read)?),
    })
}
