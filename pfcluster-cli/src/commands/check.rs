//! `pfcluster check`: everything that is wrong with the files, with the place and the way out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args};
use pfcluster_core::check::{rule, rules};
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;

use super::gather::gather;
use super::{Format, Global};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::{Finding, Sources, github, json, text};

/// Report everything that is wrong with cluster.conf and pf.conf
///
/// Without FILE the installation at ROOT is checked, for this host. A FILE stands alone: pf.conf and the host count only
/// with `--pf-conf`, `--host` or `--root`. Exit status 1 if there is an error or a warning.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// cluster.conf files; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Explain a finding: its code (PFC012) or its name
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "rules"])]
    explain: Option<String>,
    /// List all rules
    #[arg(long, conflicts_with = "files")]
    rules: bool,
    /// Exit 0 if there are only warnings
    #[arg(long)]
    exit_zero_on_warnings: bool,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

impl Check {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if self.rules {
            return self.list_rules(printer);
        }
        if let Some(code) = &self.explain {
            return self.explain(code, printer);
        }
        let named: Vec<Option<&Path>> = match &*self.files {
            [] => vec![None],
            files => files.iter().map(|file| Some(file.as_path())).collect(),
        };
        let mut files = Vec::new();
        let mut findings: Vec<Finding> = Vec::new();
        let mut seen = BTreeSet::new();
        for file in named {
            let gathered = gather(global, matches, file, printer)?;
            let installation = Installation::read(gathered.texts(), &gathered.situation);
            let sources = Sources::new(&installation.documents, |source| gathered.name(source));
            // Several cluster.conf files may share one pf.conf: what is wrong with that is said once.
            let found = sources.locate(&installation.diagnostics);
            findings.extend(found.into_iter().filter(|finding| seen.insert(finding.key())));
            files.extend(sources.user_files().filter(|name| !files.contains(name)).collect::<Vec<_>>());
        }
        match self.format {
            Format::Text => text::findings(&findings, printer.color, printer.out)?,
            Format::Json => writeln!(printer.out, "{}", json::text(&json::check(&files, &findings)))?,
            Format::Github => github::findings(&findings, printer.out)?,
        }
        Ok(self.status(&findings))
    }

    fn status(&self, findings: &[Finding]) -> ExitStatus {
        let limit = if self.exit_zero_on_warnings { Severity::Error } else { Severity::Warning };
        let is_bad = findings.iter().any(|finding| finding.rule.severity >= limit);
        if is_bad { ExitStatus::No } else { ExitStatus::Fine }
    }

    fn list_rules(&self, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        if self.format == Format::Json {
            writeln!(printer.out, "{}", json::text(&json::rules(&rules())))?;
        } else {
            for rule in rules() {
                writeln!(printer.out, "{}  {:7}  {}", rule.code, rule.severity.name(), rule.name)?;
            }
        }
        Ok(ExitStatus::Fine)
    }

    fn explain(&self, code: &str, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let Some(rule) = rule(code) else {
            return Err(CommandError::Usage {
                message: format!("there is no rule `{}`", code.escape_debug()),
                help: "`pfcluster check --rules` lists all".to_owned(),
            });
        };
        match self.format {
            Format::Json => writeln!(printer.out, "{}", json::text(&json::rules(&[rule])))?,
            Format::Text | Format::Github => text::explain(rule, printer.out)?,
        }
        Ok(ExitStatus::Fine)
    }
}
