//! `pfcluster mariadb allow`: an override, after it was shown what it would cost.

use std::io::{BufRead as _, BufReader, IsTerminal as _};

use clap::{ArgMatches, Args, Subcommand};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{CarriedOutBy, Observation, Policy, Seen, Silence, select_bootstrap};
use pfcluster_core::installation::Installation;

use super::no_supervisor;
use crate::commands::Global;
use crate::commands::gather::gather;
use crate::commands::names::Names;
use crate::documents::evidence::{self, members_by_name};
use crate::host::supervise::control::{self, Request, Word};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::bootstrap::{self as report, Shown};

/// Authorise a decision that may lose data: an override
///
/// Shows what would be decided then, and what would be lost. It is valid for one decision, and for 15 minutes at most. A member
/// moves its data away, ends its process or starts a cluster only by an override that was given on itself: `discard`, `seed`,
/// `trust` and `end` are given on HOST, `assume-lost` on the member that is to start. `discard` that is given on the member that
/// is to start lets it pass HOST's data over. The other supervisors hear of it and show it.
#[derive(Debug, Args)]
pub(super) struct Allow {
    #[command(subcommand)]
    word: Words,
    /// Don't ask
    #[arg(short = 'y', long, global = true)]
    yes: bool,
}

#[derive(Debug, Subcommand)]
enum Words {
    /// Declare members permanently lost: transactions that only they have are lost
    AssumeLost {
        /// All that are missing
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<String>,
    },
    /// Discard this member's data (moved, not deleted); it rejoins with a full state transfer (SST)
    Discard {
        /// The member
        #[arg(value_name = "HOST")]
        member: String,
    },
    /// Trust the recovered position of this member, although its grastate.dat has the zero UUID (a crash in a DDL statement), is
    /// damaged or is missing
    Trust {
        /// The member: the most advanced
        #[arg(value_name = "HOST")]
        member: String,
    },
    /// Stop the database of this member, which does not respond and may be serving clients
    End {
        /// The member
        #[arg(value_name = "HOST")]
        member: String,
    },
    /// Start a new cluster from this standalone member's data (guide 3.4)
    Seed {
        /// The member
        #[arg(value_name = "HOST")]
        member: String,
    },
    /// Keep the data of the member that ran without Galera, and start a new cluster from them (guide 8.4)
    Standalone,
}

impl Words {
    /// The member whose data or process it is about, where it names one.
    fn about(&self) -> Option<&str> {
        match self {
            Words::Discard { member } | Words::Trust { member } | Words::End { member } | Words::Seed { member } => {
                Some(member)
            }
            Words::AssumeLost { .. } | Words::Standalone => None,
        }
    }
}

impl Allow {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, None, printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let names = Names::of(&installation.cluster, &gathered.situation)?;
        let me = global.host()?;
        let (word, policy, about) = self.said(&names)?;
        let text = control::ask(&global.run_directory, &Request::Evidence)?.ok_or_else(no_supervisor)?;
        let known = evidence::read(text.as_bytes(), members_by_name(&installation.cluster)).map_err(|error| {
            CommandError::Usage {
                message: format!("the supervisor's answer can't be understood: {error}"),
                help: "is it of another version? restart it".to_owned(),
            }
        })?;
        let seen: Vec<Seen> = names
            .hosts()
            .map(|host| Seen {
                host: host.clone(),
                enabled: !gathered.situation.disabled.contains(host),
                observation: match known.iter().find(|member| member.host == *host) {
                    Some(member) => Observation::Known(Box::new(member.evidence.clone())),
                    None => Observation::Unknown(Silence::NoAnswer),
                },
            })
            .collect();
        let decision = select_bootstrap(&seen, &Policy { carried_out_by: CarriedOutBy::Supervisors, ..policy });
        // The member that it is about; if it names none, the one that would start.
        let subject = self.word.about().map(|name| names.find(name)).transpose()?;
        let elsewhere = subject.or_else(|| decision.action.starts().cloned()).filter(|host| *host != me);
        let shown: Vec<Shown<'_>> = seen.iter().map(|seen| Shown { seen, age: None }).collect();
        writeln!(printer.err, "With this override:\n")?;
        report::text(&decision, &shown, printer.color, printer.err)?;
        if !self.yes && !confirmed(&about, printer)? {
            writeln!(printer.err, "note: no override was given")?;
            return Ok(ExitStatus::No);
        }
        let answer = control::ask(&global.run_directory, &Request::Allow { word })?.ok_or_else(no_supervisor)?;
        if !answer.is_empty() {
            return Err(rejected(&answer));
        }
        writeln!(
            printer.err,
            "note: it is valid for one decision, and for 15 minutes at most; see `pfcluster mariadb status`"
        )?;
        if let Some(host) = elsewhere {
            writeln!(
                printer.err,
                "note: it has no effect on {host} until it is given there: run the same command on {host}"
            )?;
        }
        Ok(ExitStatus::Fine)
    }

    /// The word, what it means for a decision, and the name that has to be typed.
    fn said(&self, names: &Names<'_>) -> Result<(Word, Policy, String), CommandError> {
        let short = |host: &Hostname| host.as_str().split('.').next().unwrap_or_default().to_owned();
        Ok(match &self.word {
            Words::AssumeLost { hosts } => {
                let hosts: Vec<Hostname> = hosts.iter().map(|name| names.find(name)).collect::<Result<_, _>>()?;
                let about = hosts.iter().map(short).collect::<Vec<_>>().join(" ");
                let members = hosts.iter().map(ToString::to_string).collect();
                (
                    Word::AssumeLost { members },
                    Policy { assume_lost: hosts.into_iter().collect(), ..Policy::default() },
                    about,
                )
            }
            Words::Discard { member } => {
                let host = names.find(member)?;
                let policy = Policy { discard: [host.clone()].into(), ..Policy::default() };
                (Word::Discard { member: host.to_string() }, policy, short(&host))
            }
            Words::Trust { member } => {
                let host = names.find(member)?;
                let policy = Policy { trust: [host.clone()].into(), ..Policy::default() };
                (Word::Trust { member: host.to_string() }, policy, short(&host))
            }
            Words::End { member } => {
                let host = names.find(member)?;
                let policy = Policy { end: [host.clone()].into(), ..Policy::default() };
                (Word::End { member: host.to_string() }, policy, short(&host))
            }
            Words::Seed { member } => {
                let host = names.find(member)?;
                let policy = Policy { seed: Some(host.clone()), ..Policy::default() };
                (Word::Seed { member: host.to_string() }, policy, short(&host))
            }
            Words::Standalone => {
                (Word::Standalone, Policy { standalone: true, ..Policy::default() }, "standalone".to_owned())
            }
        })
    }
}

/// A person types what it is about.
pub(in crate::commands) fn confirmed(about: &str, printer: &mut Printer<'_>) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::Usage {
            message: "there is no terminal to ask".to_owned(),
            help: "give `--yes` if you mean it".to_owned(),
        });
    }
    write!(printer.err, "\nType `{about}` if you mean it: ")?;
    printer.err.flush()?;
    let mut line = String::new();
    BufReader::new(&mut *printer.stdin).read_line(&mut line)?;
    Ok(line.trim() == about)
}

/// Why the supervisor does not do what it was asked for, in its own words.
pub(in crate::commands) fn rejected(answer: &str) -> CommandError {
    let said: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |key: &str| said["error"][key].as_str().map(str::to_owned);
    CommandError::Usage {
        message: text("message").unwrap_or_else(|| format!("the supervisor's answer can't be understood: {answer}")),
        help: text("help").unwrap_or_else(|| "is it of another version? restart it".to_owned()),
    }
}
