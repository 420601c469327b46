//! `pfcluster conflict`: whose configuration is out of date, who wins, what would be overwritten.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, ValueEnum};
use pfcluster_core::conflict::{self, Action, ResolveError, VERSION_FILE, VERSION_FILE_BEFORE_12};

use super::gather::read_input;
use super::{AnswerFormat, Global, is_given};
use crate::host::HostError;
use crate::report::conflict::{self as report, Versions, VersionsFile};
use crate::run::{CommandError, ExitStatus, Printer};

/// Whose configuration is out of date, who wins, what would be overwritten
///
/// Compares the versions of the configuration that all enabled members have, and says which one is to be pushed to the
/// others (guide 7.5). It changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = FILE_HELP)]
pub(crate) struct Conflict {
    /// The members' versions; `-` is standard input
    #[arg(long, value_name = "FILE")]
    versions: Option<PathBuf>,
    /// Who wins among more than two members
    #[arg(long, value_enum, default_value_t = Policy::Guide)]
    policy: Policy,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

/// The form of the file, for a person who writes one.
const FILE_HELP: &str = "\
The versions' file, with all enabled members in the order of cluster.conf:

  {\"version\": 1, \"local\": \"pf1.example.com\", \"now\": \"1510000400\", \"members\": [
    {\"host\": \"pf1.example.com\", \"config_version\": \"1510000000.12345\"},
    {\"host\": \"pf2.example.com\", \"config_version\": null}]}

null: the member does not answer. `local` is the member that decides, `now` its time of day
(`date +%s`); both may be left out. The version is what this prints on the member:

  cat /usr/local/pf/var/conf/config_version
  cat /usr/local/pf/var/config_version         (before PacketFence 12)

Exit status: 0 in sync, 1 conflict or nothing to compare, 2 it could not be done.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// The version that most members have (the Clustering Guide)
    Guide,
    /// The version that more than half have, else the most recent (PacketFence's program)
    Majority,
}

impl Conflict {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let policy = match self.policy {
            Policy::Guide => conflict::Policy::Guide,
            Policy::Majority => conflict::Policy::Majority,
        };
        let path = self.versions.as_deref().ok_or_else(nobody_was_asked)?;
        let versions = read_versions(path, global, matches, printer)?;
        let decision = conflict::resolve(&versions.replies, &versions.me, versions.now.as_ref(), policy)
            .map_err(|error| unfit(path, &error))?;
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", report::json(&decision))?,
            AnswerFormat::Text => report::text(&decision, &versions, printer.out)?,
        }
        Ok(match decision.action {
            Action::InSync => ExitStatus::Fine,
            Action::NothingToCompare | Action::Push { .. } => ExitStatus::No,
        })
    }
}

/// Without `--versions` the members themselves would be asked.
fn nobody_was_asked() -> CommandError {
    CommandError::Usage {
        message: "the members' versions are missing: this version of pfcluster does not ask the members itself"
            .to_owned(),
        help: format!(
            "run `cat {VERSION_FILE}` on each member (before PacketFence 12: `cat {VERSION_FILE_BEFORE_12}`), write the \
             versions into a file as `pfcluster conflict --help` shows, and name it with `--versions FILE`"
        ),
    }
}

fn read_versions(
    path: &Path,
    global: &Global,
    matches: &ArgMatches,
    printer: &mut Printer<'_>,
) -> Result<Versions, CommandError> {
    let bytes = read_input(path, printer)?;
    let file = VersionsFile::read(&bytes).map_err(|error| content(path, error.to_string()))?;
    let me = match &file.local {
        Some(local) if !is_given(matches, "host") => local.clone(),
        _ => global.host()?,
    };
    Ok(Versions::new(me, file.now.clone(), file.into_members()))
}

fn unfit(path: &Path, error: &ResolveError) -> CommandError {
    match error {
        ResolveError::NotAMember(_) => CommandError::Usage {
            message: format!("{}: {error}", path.display()),
            help: "name the member that decides with `--host`, or as `local` in the file".to_owned(),
        },
        _ => content(path, error.to_string()),
    }
}

fn content(path: &Path, reason: String) -> CommandError {
    let help = "see `pfcluster conflict --help` for the form of the file".to_owned();
    CommandError::Host(HostError::Content { path: path.to_owned(), reason, help })
}
