//! `pfcluster evidence`: this member's evidence for the election, as JSON.

use clap::{ArgMatches, Args};

use super::Global;
use crate::run::{CommandError, ExitStatus, Printer};

/// This member's evidence for the election, as JSON
#[derive(Debug, Args)]
pub(crate) struct Evidence {}

impl Evidence {
    pub(super) fn run(
        &self,
        _global: &Global,
        _matches: &ArgMatches,
        _printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        todo!()
    }
}
