//! `pfcluster show`: the cluster as a table.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args};
use pfcluster_core::document::Document;
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;
use pfcluster_core::span::Source;

use super::gather::{Gathered, gather};
use super::{AnswerFormat, Global};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::{json, table};

/// Show the cluster: members, addresses, priorities, database order
///
/// Without FILE the installation at ROOT is shown, with the members that this host has disabled.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A cluster.conf; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show sections, keys and values exactly as PacketFence reads them
    #[arg(long)]
    raw: bool,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

impl Show {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, self.file.as_deref(), printer)?;
        if self.raw {
            let document = Document::parse(Source::ClusterConf, gathered.texts().cluster_conf).value;
            match self.format {
                AnswerFormat::Json => writeln!(printer.out, "{}", json::text(&json::raw(&document)))?,
                AnswerFormat::Text => table::raw(&document, printer.out)?,
            }
            return Ok(ExitStatus::Fine);
        }
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        show(&installation, &gathered, self.format, printer)?;
        hint(&installation, self.file.as_deref(), printer)?;
        Ok(ExitStatus::Fine)
    }
}

fn show(
    installation: &Installation<'_>,
    gathered: &Gathered,
    format: AnswerFormat,
    printer: &mut Printer<'_>,
) -> Result<(), CommandError> {
    let overview = table::Overview::new(installation, &gathered.situation);
    match format {
        AnswerFormat::Json => writeln!(printer.out, "{}", json::text(&overview))?,
        AnswerFormat::Text => overview.print(printer.out)?,
    }
    Ok(())
}

/// What is shown may be less than what was meant.
fn hint(installation: &Installation<'_>, file: Option<&Path>, printer: &mut Printer<'_>) -> Result<(), CommandError> {
    let count = |severity| installation.diagnostics.count(severity);
    let bad = count(Severity::Error) + count(Severity::Warning);
    if bad > 0 {
        let what = if bad == 1 { "finding" } else { "findings" };
        let file = file.map(|file| format!(" {}", file.display())).unwrap_or_default();
        writeln!(printer.err, "hint: {bad} {what}: see `pfcluster check{file}`")?;
    }
    Ok(())
}
