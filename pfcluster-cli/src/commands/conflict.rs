//! `pfcluster conflict`: whose configuration is out of date, who wins, what would be overwritten.

use clap::{ArgMatches, Args};

use super::{AnswerFormat, Global};
use crate::run::{CommandError, ExitStatus, Printer};

/// Whose configuration is out of date, who wins, what would be overwritten
#[derive(Debug, Args)]
pub(crate) struct Conflict {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

impl Conflict {
    pub(super) fn run(
        &self,
        _global: &Global,
        _matches: &ArgMatches,
        _printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        todo!()
    }
}
