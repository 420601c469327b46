//! What a supervisor wrote down, as a document of its own: the same fields as in evidence.

use pfcluster_core::galera::Records;
use serde::{Deserialize, Serialize};

use super::super::{EvidenceError, VERSION, known_version};
use super::read::{Wrong, records};
use super::{ForkDocument, PositionDocument, ViewRecordDocument};

/// What is not known is refused: a misspelt field would be a record that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RecordsDocument {
    version: u64,
    last_recorded: Option<PositionDocument>,
    view_record: Option<ViewRecordDocument>,
    forks: Vec<ForkDocument>,
    ran_standalone: bool,
}

impl RecordsDocument {
    pub(in super::super) fn new(records: &Records) -> RecordsDocument {
        RecordsDocument {
            version: VERSION,
            last_recorded: records.last_recorded.map(Into::into),
            view_record: records.view.as_ref().map(Into::into),
            forks: records.forks.iter().map(Into::into).collect(),
            ran_standalone: records.ran_standalone,
        }
    }

    pub(in super::super) fn into_records(self) -> Result<Records, EvidenceError> {
        known_version(self.version)?;
        let fail = |(field, reason): Wrong| EvidenceError::Record { field, reason: reason.to_owned() };
        records(self.last_recorded, self.view_record, self.forks, self.ran_standalone).map_err(fail)
    }
}
