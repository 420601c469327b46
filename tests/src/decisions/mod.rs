//! What the cases of tests/testdata/{quorum,conflict,galera,bootstrap,maintenance,runbook,status,supervisor,sync} can ask: one file
//! for each folder.

pub mod bootstrap;
mod conflict;
mod doctor;
mod galera;
mod maintenance;
mod quorum;
mod runbook;
pub mod status;
pub mod supervisor;
mod sync;

use crate::Case;

/// The output of a case, or `None` if no folder knows its command.
pub(crate) fn output(case: &Case) -> Option<Result<String, String>> {
    quorum::output(case)
        .or_else(|| conflict::output(case))
        .or_else(|| galera::output(case))
        .or_else(|| bootstrap::output(case))
        .or_else(|| maintenance::output(case))
        .or_else(|| runbook::output(case))
        .or_else(|| status::output(case))
        .or_else(|| doctor::output(case))
        .or_else(|| supervisor::output(case))
        .or_else(|| sync::output(case))
}
