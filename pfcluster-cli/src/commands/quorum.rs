//! `pfcluster quorum`: what happens to the cluster if members go down or the network splits.

use std::path::PathBuf;

use clap::{ArgAction, ArgMatches, Args};
use pfcluster_core::installation::Installation;
use pfcluster_core::quorum::{ChangeError, ViewChange, Voter, WhatIfError, what_if};

use super::gather::gather;
use super::names::{Names, usage};
use super::{AnswerFormat, Global};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::quorum as report;

/// What happens if members go down or the network splits
///
/// Says who keeps quorum (who is primary), who is read-only, what still works there, and which failures are tolerated from there.
/// Works offline and changes nothing: the answer is about a cluster whose members are all up before. Options before a `--then`
/// happen at once, those after it when the cluster has settled.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Quorum {
    /// A cluster.conf; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// These crash, or lose power or network
    #[arg(long, value_name = "HOST,...", action = ArgAction::Append)]
    down: Vec<String>,
    /// These shut their database down gracefully
    #[arg(long, value_name = "HOST,...", action = ArgAction::Append)]
    left: Vec<String>,
    /// The network splits into these groups of all members that stay up; one group: it is restored
    #[arg(long, value_name = "HOST,.../HOST,...", action = ArgAction::Append)]
    split: Vec<String>,
    /// What follows happens later
    #[arg(long, action = ArgAction::Append, num_args = 0, default_missing_value = "true", value_name = "")]
    then: Vec<bool>,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
A host may be named by the first part of its name: pf1 for pf1.example.com.

Exit status: 0 some members are primary at the end, 1 none are, 2 it could not be done.";

impl Quorum {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, self.file.as_deref(), printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let names = Names::of(&installation.cluster, &gathered.situation)?;
        let changes = self.changes(matches, &names)?;
        let voters: Vec<Voter> = names.enabled().map(|host| Voter::new(host.clone())).collect();
        if voters.is_empty() {
            let message = "no enabled member has a part in the database";
            return Err(usage(message, "`pfcluster show` shows the members, `pfcluster check` what is wrong"));
        }
        let answer = what_if(&voters, &changes).map_err(|error| cannot_happen(&error, changes.len()))?;
        let report = report::Report { voters: &voters, changes: &changes, answer: &answer };
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", report.json())?,
            AnswerFormat::Text => report.text(printer.out)?,
        }
        names.tell_missing(&installation.diagnostics, self.file.as_deref(), printer)?;
        Ok(if answer.last().primary().is_some() { ExitStatus::Fine } else { ExitStatus::No })
    }

    /// The options in the order of the command line, cut at each `--then`.
    fn changes(&self, matches: &ArgMatches, names: &Names<'_>) -> Result<Vec<ViewChange>, CommandError> {
        let at = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<usize>>();
        let down = at("down").into_iter().zip(self.down.iter().map(Part::Down));
        let left = at("left").into_iter().zip(self.left.iter().map(Part::Left));
        let split = at("split").into_iter().zip(self.split.iter().map(Part::Split));
        let then = at("then").into_iter().zip(self.then.iter().map(|_| Part::Then));
        let mut parts: Vec<(usize, Part<'_>)> = down.chain(left).chain(split).chain(then).collect();
        parts.sort_by_key(|&(at, _)| at);
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let mut changes = vec![ViewChange::default()];
        for (_, part) in parts {
            let change = changes.last_mut().expect("it begins with one");
            match part {
                Part::Down(hosts) => change.down.extend(names.list_enabled(hosts)?),
                Part::Left(hosts) => change.left.extend(names.list_enabled(hosts)?),
                Part::Split(_) if change.split.is_some() => {
                    let help = "give all groups in one `--split`, or put `--then` between the two";
                    return Err(usage("`--split` is given twice for one change", help));
                }
                Part::Split(groups) => {
                    change.split =
                        Some(groups.split('/').map(|group| names.list_enabled(group)).collect::<Result<_, _>>()?);
                }
                Part::Then => changes.push(ViewChange::default()),
            }
        }
        if changes.iter().any(ViewChange::is_empty) {
            let help = "give `--down`, `--left` or `--split` before it and after it";
            return Err(usage("`--then` stands between two changes", help));
        }
        Ok(changes)
    }
}

/// A part of the command line.
enum Part<'a> {
    Down(&'a String),
    Left(&'a String),
    Split(&'a String),
    Then,
}

fn cannot_happen(error: &WhatIfError, changes: usize) -> CommandError {
    let help = match error.error {
        ChangeError::Missing(_) => "put every member that stays up into a group of `--split`",
        ChangeError::AlreadyDown(_) => "what is down stays down: leave it out",
        ChangeError::GoesDown(_) => "name in `--split` only members that stay up",
        _ => "name each member once",
    };
    // With one change there is no need to say which.
    usage(if changes == 1 { error.error.to_string() } else { error.to_string() }, help)
}
