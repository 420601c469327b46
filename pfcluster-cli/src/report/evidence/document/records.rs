//! What a supervisor wrote down, as a document of its own: the same fields as in evidence.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Records, Uuid};
use serde::{Deserialize, Serialize};

use super::super::{EvidenceError, VERSION, known_version};
use super::read::{RecordsTold, Wrong};
use super::{
    CleanStopDocument, ForkDocument, PositionDocument, StartFailuresDocument, ViewRecordDocument, all_parsed,
    perhaps_parsed,
};

/// What is not known is refused: a misspelt field would be a record that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RecordsDocument {
    version: u64,
    last_recorded: Option<PositionDocument>,
    view_record: Option<ViewRecordDocument>,
    #[serde(default)]
    clean_stop: Option<CleanStopDocument>,
    forks: Vec<ForkDocument>,
    ran_standalone: bool,
    #[serde(default, deserialize_with = "all_parsed")]
    supervised: Vec<Hostname>,
    #[serde(default)]
    start_failures: Option<StartFailuresDocument>,
    #[serde(default, deserialize_with = "perhaps_parsed")]
    joined_in_boot: Option<Uuid>,
}

impl RecordsDocument {
    pub(in super::super) fn new(records: &Records) -> RecordsDocument {
        RecordsDocument {
            version: VERSION,
            last_recorded: records.last_recorded.map(Into::into),
            view_record: records.view.as_ref().map(Into::into),
            clean_stop: records.clean.map(Into::into),
            forks: records.forks.iter().map(Into::into).collect(),
            ran_standalone: records.ran_standalone,
            supervised: records.supervised.clone(),
            start_failures: StartFailuresDocument::new(&records.start_failures),
            joined_in_boot: records.joined_in_boot,
        }
    }

    pub(in super::super) fn into_records(self) -> Result<Records, EvidenceError> {
        known_version(self.version)?;
        let fail = |(field, reason): Wrong| EvidenceError::Record { field, reason: reason.to_owned() };
        let told = RecordsTold {
            last_recorded: self.last_recorded,
            view: self.view_record,
            clean: self.clean_stop,
            forks: self.forks,
            ran_standalone: self.ran_standalone,
            supervised: self.supervised,
            start_failures: self.start_failures,
        };
        let read = told.into_records().map_err(fail)?;
        Ok(Records { joined_in_boot: self.joined_in_boot, ..read })
    }
}
