//! `pfcluster mariadb`: the supervisor of this member's database, and what it is asked and told.

mod allow;
mod supervise;

pub(super) use allow::{confirmed, rejected};

use clap::{ArgMatches, Args, Subcommand};

use super::{AnswerFormat, Global};
use crate::host::HostError;
use crate::host::supervise::control::{self, Request};
use crate::output::{CommandError, ExitStatus, Printer};

/// The supervisor of this member's database
#[derive(Debug, Args)]
pub(crate) struct Mariadb {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Supervise(supervise::Supervise),
    Status(Status),
    Allow(allow::Allow),
}

/// What the supervisor knows, has decided, and does
#[derive(Debug, Args)]
struct Status {
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
}

impl Mariadb {
    pub(super) fn format(&self) -> Option<AnswerFormat> {
        match &self.verb {
            Verb::Status(status) => Some(status.format),
            Verb::Supervise(supervise) => supervise.format(),
            Verb::Allow(_) => None,
        }
    }

    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        match &self.verb {
            Verb::Supervise(supervise) => supervise.run(global, matches, printer),
            Verb::Status(status) => {
                let json = status.format == AnswerFormat::Json;
                let answer = control::ask(&global.run_directory, &Request::Status { json })?;
                printer.out.write_all(answer.ok_or_else(no_supervisor)?.as_bytes())?;
                Ok(ExitStatus::Fine)
            }
            Verb::Allow(allow) => allow.run(global, matches, printer),
        }
    }
}

pub(super) fn no_supervisor() -> CommandError {
    CommandError::Host(HostError::Run {
        program: "pfcluster mariadb supervise".into(),
        reason: "no supervisor runs on this machine".to_owned(),
        help: "in an outage start nothing that `pfcluster bootstrap` does not name; otherwise: `systemctl start packetfence-mariadb`, \
               with the drop-in of pfcluster"
            .to_owned(),
    })
}
