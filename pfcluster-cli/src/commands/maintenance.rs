//! `pfcluster maintenance`: this server out of service, and back.

use std::path::PathBuf;

use clap::{ArgMatches, Args};
use pfcluster_guide::maintenance::{Change, FLAG_FILE, Step, back, plan};

use super::{AnswerFormat, Global};
use crate::host::maintenance::{Programs, take};
use crate::host::{HostError, Root, files, marks};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::maintenance::{Outcome, Standing};

/// Take this server out of service for a while, or back
///
/// Without an option it says whether this server is in maintenance.
/// The same flag and the same commands in the same order as PacketFence's `bin/cluster/maintenance`. It stops at the first
/// command that fails, and says where that leaves the server, how to go on, and how to go back.
#[derive(Debug, Args)]
#[command(after_long_help = STATUS_HELP)]
pub(crate) struct Maintenance {
    /// Stop PacketFence and the database, and keep them stopped
    #[arg(long)]
    activate: bool,
    /// Start them again
    #[arg(long, conflicts_with = "activate")]
    deactivate: bool,
    /// Show the steps without taking them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Take `systemctl` and `pfcmd` from this directory, for rehearsals
    #[arg(long, value_name = "DIR", env = "PFCLUSTER_PROGRAMS", hide_env = true, hide = true)]
    programs: Option<PathBuf>,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const STATUS_HELP: &str = "\
Starting PacketFence (`--deactivate`) lets it resolve configuration conflicts at once: see \
`pfcluster conflict` before.

Exit status: 0 done, 1 a step has failed (where it stands is said), 2 nothing could be done.";

impl Maintenance {
    pub(super) fn run(
        &self,
        global: &Global,
        _matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let root = global.root();
        let change = match (self.activate, self.deactivate) {
            (true, _) => Some(Change::Activate),
            (_, true) => Some(Change::Deactivate),
            _ => None,
        };
        let outcome = match change {
            None if self.dry_run => {
                return Err(CommandError::Usage {
                    message: "`--dry-run` shows the steps of a change, but none is asked for".to_owned(),
                    help: "add `--activate` or `--deactivate`".to_owned(),
                });
            }
            None => {
                Outcome { change: None, dry_run: false, steps: Vec::new(), back: Vec::new(), active: is_active(&root)? }
            }
            Some(change) => self.change(change, global, &root, printer)?,
        };
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", outcome.json())?,
            AnswerFormat::Text => outcome.text(printer.out)?,
        }
        Ok(if outcome.has_failed() { ExitStatus::No } else { ExitStatus::Fine })
    }

    fn change(
        &self,
        change: Change,
        global: &Global,
        root: &Root,
        printer: &mut Printer<'_>,
    ) -> Result<Outcome, CommandError> {
        let programs = Programs::new(root, self.programs.as_deref());
        let version = global.version(root)?;
        let planned = plan(change, version, programs.has_monit()?);
        let mut steps: Vec<(Step, Standing)> = planned.iter().map(|step| (*step, Standing::NotDone)).collect();
        let mut way_back = Vec::new();
        for at in 0..if self.dry_run { 0 } else { steps.len() } {
            let (step, standing) = &mut steps[at];
            // Whoever interrupts it knows from this line where it stood.
            writeln!(printer.err, "step {} of {}: {step}", at + 1, planned.len())?;
            printer.err.flush()?;
            match take(*step, root, &programs) {
                Ok(()) => *standing = Standing::Done,
                // The flag comes first: nothing has happened yet.
                Err(failure) if at == 0 => return Err(failure.into()),
                Err(failure) => {
                    // The step itself names the program.
                    *standing = Standing::Failed(match failure {
                        HostError::Run { reason, .. } => reason,
                        other => other.to_string(),
                    });
                    way_back = back(change, &planned[..=at], version);
                    break;
                }
            }
        }
        Ok(Outcome { change: Some(change), dry_run: self.dry_run, steps, back: way_back, active: is_active(root)? })
    }
}

fn is_active(root: &Root) -> Result<bool, HostError> {
    let path = root.file(FLAG_FILE);
    marks::is_set(&path).map_err(|error| HostError::Read {
        reason: files::plain(&error),
        path,
        help: "run it as root or as the user pf".to_owned(),
    })
}
