//! `pfcluster quorum`: what happens to the cluster if members go down or the network splits.

use clap::{ArgMatches, Args};

use super::{AnswerFormat, Global};
use crate::run::{CommandError, ExitStatus, Printer};

/// What happens to the cluster if members go down or the network splits
#[derive(Debug, Args)]
pub(crate) struct Quorum {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

impl Quorum {
    pub(super) fn run(
        &self,
        _global: &Global,
        _matches: &ArgMatches,
        _printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        todo!()
    }
}
