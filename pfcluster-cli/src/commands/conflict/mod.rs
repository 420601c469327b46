//! `pfcluster conflict`: whose configuration is out of date, who wins, what would be overwritten; and having it done.

mod file;
mod resolve;
mod watch;

use std::path::PathBuf;

use clap::{ArgMatches, Args, Subcommand, ValueEnum};
use pfcluster_core::conflict::{self, Action, Reason};
use pfcluster_core::decision::Decision;

use super::connection::Connection;
use super::scene::Scene;
use super::{AnswerFormat, Global};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::conflict::{self as report, Versions};

/// Whose configuration is out of date, and who wins
///
/// Asks all enabled members for the versions of their configuration (guide 7.5), and says which one is to be pushed to the
/// others. Only `resolve` and `watch` change something.
#[derive(Debug, Args)]
#[command(after_long_help = file::FILE_HELP, args_conflicts_with_subcommands = false)]
pub(crate) struct Conflict {
    #[command(subcommand)]
    what: Option<What>,
    /// The members' versions from a file instead of the members; `-` is standard input
    #[arg(long, value_name = "FILE")]
    versions: Option<PathBuf>,
    /// Who wins among more than two members
    #[arg(long, global = true, value_enum, default_value_t = Policy::Guide)]
    policy: Policy,
    #[command(flatten)]
    connection: Connection,
    /// Output format
    #[arg(short = 'f', long, global = true, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

#[derive(Debug, Subcommand)]
enum What {
    Resolve(resolve::Resolve),
    Watch(watch::Watch),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// The version that most members have (the Clustering Guide)
    Guide,
    /// The version that more than half have, else the most recent (PacketFence's program)
    Majority,
}

impl From<Policy> for conflict::Policy {
    fn from(policy: Policy) -> conflict::Policy {
        match policy {
            Policy::Guide => conflict::Policy::Guide,
            Policy::Majority => conflict::Policy::Majority,
        }
    }
}

impl Conflict {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if let (Some(path), None) = (&self.versions, &self.what) {
            let versions = file::read_versions(path, global, matches, printer)?;
            let decision =
                conflict::resolve(&versions.replies, &versions.me, versions.now.as_ref(), self.policy.into())
                    .map_err(|error| file::unfit(path, &error))?;
            return self.answer(&decision, &versions, printer);
        }
        if self.versions.is_some() {
            return Err(CommandError::Usage {
                message: "`--versions` is for looking only: a file may be out of date".to_owned(),
                help: "leave it away, and the members are asked".to_owned(),
            });
        }
        if let Some(What::Watch(watch)) = &self.what {
            return watch.run(self, global, matches, printer);
        }
        let mut scene = Scene::read(global, matches, &self.connection, printer)?;
        if let Some(What::Resolve(resolve)) = &self.what {
            return resolve.run(self, &mut scene, printer);
        }
        let asked = scene.ask(printer)?;
        asked.explain(printer)?;
        let decision = decide(&asked.versions, self.policy.into())?;
        self.answer(&decision, &asked.versions, printer)
    }

    fn answer(
        &self,
        decision: &Decision<Action, Reason>,
        versions: &Versions,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        report::print(self.format == AnswerFormat::Json, decision, versions, printer.out)?;
        Ok(status_of(&decision.action))
    }
}

/// What is to be done about what members said.
fn decide(versions: &Versions, policy: conflict::Policy) -> Result<Decision<Action, Reason>, CommandError> {
    conflict::resolve(&versions.replies, &versions.me, versions.now.as_ref(), policy).map_err(|error| {
        CommandError::Usage { message: error.to_string(), help: "`pfcluster check` shows what is wrong".to_owned() }
    })
}

fn status_of(action: &Action) -> ExitStatus {
    match action {
        Action::InSync => ExitStatus::Fine,
        Action::NothingToCompare | Action::Push { .. } => ExitStatus::No,
    }
}
