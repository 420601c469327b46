//! From the document to the core's types.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Position, Process, Records,
    Recovered, Running, Seqno, StartFailures, ViewId, ViewRecord,
};

use pfcluster_core::printable::printable;

use super::super::{EvidenceError, MemberEvidence, known_version};
use super::{
    CleanStopDocument, EvidenceDocument, FilesDocument, ForkDocument, GrastateDocument, GvwstateDocument,
    PositionDocument, RunningDocument, StartFailuresDocument, StateWord, StatusWord, Told, ViewRecordDocument,
};
use crate::host::evidence::Taken;

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
        let words = [self.running.is_some(), self.starting, self.bootstrapping, self.not_responding];
        if words.into_iter().filter(|word| *word).count() > 1 {
            return Err(fail(("starting", "a server runs, starts, bootstraps, or is not responding: one of them")));
        }
        let process = match self.running {
            Some(running) => Process::Running(running.into_running(resolve).map_err(fail)?),
            None if self.starting => Process::Starting,
            None if self.bootstrapping => Process::Bootstrapping,
            None if self.not_responding => Process::NotResponding,
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
        let taken = Taken { at: self.taken_at, boot_id: self.boot_id, gathering: self.gathering };
        Ok(MemberEvidence { host: self.host, taken, source: None, evidence })
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
            unsynced_transfer: self.unsynced_transfer,
            datadir_empty: self.datadir_empty,
            records: RecordsTold {
                last_recorded: self.last_recorded,
                view: self.view_record,
                clean: self.clean_stop,
                forks: self.forks,
                ran_standalone: self.ran_standalone,
                supervised: self.supervised,
                start_failures: self.start_failures,
            }
            .into_records()?,
        })
    }
}

/// Records as documents have them.
pub(super) struct RecordsTold {
    pub(super) last_recorded: Option<PositionDocument>,
    pub(super) view: Option<ViewRecordDocument>,
    pub(super) clean: Option<CleanStopDocument>,
    pub(super) forks: Vec<ForkDocument>,
    pub(super) ran_standalone: bool,
    pub(super) supervised: Vec<Hostname>,
    pub(super) start_failures: Option<StartFailuresDocument>,
}

impl RecordsTold {
    pub(super) fn into_records(self) -> Result<Records, Wrong> {
        let failures =
            self.start_failures.map(|failures| StartFailures { count: failures.count, why: plain(&failures.why) });
        Ok(Records {
            last_recorded: self.last_recorded.map(|position| position.position("files.last_recorded")).transpose()?,
            view: self.view.map(ViewRecordDocument::into_record).transpose()?,
            clean: self.clean.map(CleanStopDocument::into_stop).transpose()?,
            forks: self.forks.into_iter().map(ForkDocument::into_fork).collect::<Result<_, _>>()?,
            ran_standalone: self.ran_standalone,
            supervised: self.supervised,
            start_failures: failures.unwrap_or_default(),
            joined_in_boot: None,
        })
    }
}

impl CleanStopDocument {
    fn into_stop(self) -> Result<CleanStop, Wrong> {
        let position = Position::new(self.uuid, self.seqno).ok_or(("files.clean_stop", NO_POSITION))?;
        Ok(CleanStop { position, last: self.last })
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
        let at = Position::new(self.uuid, self.seqno).ok_or(("files.forks", NO_POSITION))?;
        let id = u64::from_str_radix(&self.id, 16).map_err(|_| ("files.forks.id", "16 hexadecimal digits"))?;
        Ok(Fork { id, at })
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
