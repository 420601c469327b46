//! `pfcluster bootstrap`: which member may start the database after an outage, and why.

use clap::{ArgMatches, Args};

use super::{AnswerFormat, Global};
use crate::run::{CommandError, ExitStatus, Printer};

/// Which member may start the database after an outage, and why
#[derive(Debug, Args)]
pub(crate) struct Bootstrap {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

impl Bootstrap {
    pub(super) fn run(
        &self,
        _global: &Global,
        _matches: &ArgMatches,
        _printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        todo!()
    }
}
