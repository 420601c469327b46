//! From the core's types to the document.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, LocalState, Position, Process, Recovered, Running,
    StartFailures, Uuid, ViewRecord,
};

use super::super::VERSION;
use super::{
    CleanStopDocument, EvidenceDocument, FilesDocument, ForkDocument, GrastateDocument, GvwstateDocument,
    PositionDocument, RunningDocument, StartFailuresDocument, StateWord, StatusWord, Told, ViewRecordDocument,
};
use crate::host::evidence::{Note, Taken};

impl EvidenceDocument {
    /// The evidence of `host`, with what a person should know beside it.
    pub fn new(host: Hostname, taken: Taken, evidence: &Evidence, notes: Vec<Note>) -> EvidenceDocument {
        EvidenceDocument {
            version: Some(VERSION),
            host,
            taken_at: taken.at,
            boot_id: taken.boot_id,
            gathering: taken.gathering,
            maintenance: evidence.maintenance,
            arbitrator: evidence.arbitrator,
            disabled: evidence.disabled.clone(),
            members_hash: evidence.members_hash.as_deref().map(str::to_owned),
            running: match &evidence.process {
                Process::Running(running) => Some(running.into()),
                Process::Starting | Process::Bootstrapping | Process::NotResponding | Process::Stopped => None,
            },
            starting: evidence.process == Process::Starting,
            bootstrapping: evidence.process == Process::Bootstrapping,
            not_responding: evidence.process == Process::NotResponding,
            files: evidence.files.as_ref().map(Into::into),
            notes,
        }
    }
}

impl From<&Running> for RunningDocument {
    fn from(running: &Running) -> RunningDocument {
        let own = running.sees.iter().map(ToString::to_string);
        let others = running.sees_others.iter().map(ToString::to_string);
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
            view_record: records.view.as_ref().map(Into::into),
            clean_stop: records.clean.map(Into::into),
            forks: records.forks.iter().map(Into::into).collect(),
            sst_marker: files.sst_marker,
            unsynced_transfer: files.unsynced_transfer,
            ran_standalone: records.ran_standalone,
            supervised: records.supervised.clone(),
            start_failures: StartFailuresDocument::new(&records.start_failures),
            datadir_empty: files.datadir_empty,
        }
    }
}

impl From<Position> for PositionDocument {
    fn from(position: Position) -> PositionDocument {
        PositionDocument { uuid: position.uuid(), seqno: position.seqno().get() }
    }
}

impl From<&ViewRecord> for ViewRecordDocument {
    fn from(record: &ViewRecord) -> ViewRecordDocument {
        ViewRecordDocument {
            view_uuid: record.view.uuid,
            view_seq: record.view.seq,
            uuid: record.uuid,
            floor: record.floor.get(),
            size: record.size,
        }
    }
}

impl From<&Fork> for ForkDocument {
    fn from(fork: &Fork) -> ForkDocument {
        ForkDocument {
            id: format!("{:016x}", fork.id),
            uuid: fork.at.uuid(),
            seqno: fork.at.seqno().get(),
            present: Vec::new(),
            known: false,
        }
    }
}

impl From<CleanStop> for CleanStopDocument {
    fn from(clean: CleanStop) -> CleanStopDocument {
        let CleanStop { position, last } = clean;
        CleanStopDocument { uuid: position.uuid(), seqno: position.seqno().get(), last }
    }
}

impl StartFailuresDocument {
    /// `None` if the last start did not fail.
    pub(super) fn new(failures: &StartFailures) -> Option<StartFailuresDocument> {
        let why = failures.why.to_string();
        (failures.count > 0).then_some(StartFailuresDocument { count: failures.count, why })
    }
}

fn found<T, U>(found: &Found<T>, value: impl Fn(&T) -> U) -> Option<Told<U>> {
    match found {
        Found::Absent => None,
        Found::Torn(why) => Some(Told::fault(why)),
        Found::Read(read) => Some(Told::Value(value(read))),
    }
}
