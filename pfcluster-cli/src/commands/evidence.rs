//! `pfcluster evidence`: this member's evidence for the election, as JSON.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::{ArgMatches, Args};
use pfcluster_core::cluster::Cluster;
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;

use super::Global;
use crate::documents::evidence::{EvidenceDocument, members_by_name};
use crate::host::evidence::{Question, Recovery, Taken, gather};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::json;

/// Collect this member's database state for `bootstrap`, as JSON
///
/// Asks the database on this machine, or finds out that there is none, reads what it left in its data directory, and finds the
/// position of a stopped database with `mariadbd --wsrep-recover`: the number in grastate.dat is not enough, as a crash during a
/// backup leaves one. It starts nothing. Run it as root on each member after an outage, and give the files to
/// `pfcluster bootstrap`.
#[derive(Debug, Args)]
#[command(after_long_help = FORM_HELP)]
pub(crate) struct Evidence {
    /// Recover the position of a stopped database: what is done anyway
    ///
    /// Never beside a running database. It does to the data what any start after a crash does first. It may take 60 s, or
    /// `--timeout` if that is longer.
    #[arg(long)]
    recover: bool,
    /// Leave the position of a stopped database unconfirmed
    #[arg(long, conflicts_with = "recover")]
    no_recover: bool,
}

const FORM_HELP: &str = "\
What can't be found out is null or an error in its place, never a guess; `notes` says what to do \
about it. A process that does not answer yet is `starting`, and so is one that can't be ruled out; \
one that may be serving clients and does not answer is `not_responding`.

Exit status: 0 the evidence is complete, 1 something is missing in it (it is printed all the same), \
2 there is none (no such member, no data directory, a configuration that can't be read).";

/// What a recovery may take, if `--timeout` is not more.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

/// A person who waits longer than this is told why.
const PATIENCE: Duration = Duration::from_secs(1);

impl Evidence {
    pub(super) fn run(
        &self,
        global: &Global,
        _matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let root = global.root();
        let text = root.read_required(Source::ClusterConf)?;
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
        let host = global.host()?;
        if cluster.member(host.as_str()).is_none() {
            return Err(CommandError::Usage {
                message: format!("{host} is not a member of the cluster"),
                help: "name a member with `--host`".to_owned(),
            });
        }
        let settings = global.database(&root)?;
        let limit = global.timeout().max(RECOVERY_LIMIT);
        let question = Question {
            root: &root,
            cluster: &cluster,
            settings: &settings,
            limit: global.timeout(),
            recovery: if self.no_recover { Recovery::Leave } else { Recovery::Within(limit) },
        };
        let mut is_told = !io::stderr().is_terminal();
        let gathered = gather(&question, members_by_name(&cluster), &mut |elapsed| {
            if elapsed > PATIENCE && !std::mem::replace(&mut is_told, true) {
                // Where this can't be written, the answer will say so.
                let _ = writeln!(printer.err, "note: mariadbd recovers the position of the data");
            }
        })?;
        let document = EvidenceDocument::new(host, Taken::now(), &gathered.evidence, gathered.notes);
        writeln!(printer.out, "{}", json::text(&document))?;
        Ok(if gathered.complete { ExitStatus::Fine } else { ExitStatus::No })
    }
}
