//! `pfcluster sync`: pushes this member's configuration to the others, or pulls another one's.

use std::net::Ipv4Addr;

use clap::{ArgMatches, Args};
use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::sync::{SyncPath, pull_paths};

use super::connection::Connection;
use super::scene::{Scene, file_limit};
use super::{AnswerFormat, Global};
use crate::host::lock::Lock;
use crate::host::sync::{Local, MemberReport, Met, Pulled, SyncError, compare, name_of, now, pull, scope};
use crate::host::webservices::Patience;
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::sync::{self as report, Direction};

/// Push the configuration to the others, or pull another member's
///
/// The files are those that PacketFence synchronises, and what ROOT/conf/cluster-files.txt lists. Nothing is restarted or
/// reloaded.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("direction").required(true), after_long_help = HELP)]
pub(crate) struct Sync {
    /// Push to all other enabled members; they fetch the files from this one
    #[arg(long, group = "direction")]
    as_master: bool,
    /// Pull from the member with this management address
    #[arg(long, value_name = "IP", group = "direction")]
    from: Option<Ipv4Addr>,
    /// Push this file only, which changes no version
    #[arg(long, value_name = "PATH", requires = "as_master", conflicts_with = "from")]
    file: Option<SyncPath>,
    /// Push the file of this store only, which changes no version: `pf::ConfigStore::Pf`
    #[arg(long, value_name = "CLASS", requires = "as_master", conflicts_with_all = ["from", "file"])]
    storage: Option<String>,
    /// Push fingerbank's large database as well
    #[arg(long, requires = "as_master", conflicts_with_all = ["from", "file", "storage"])]
    with_fingerbank_db: bool,
    /// Show what differs, file by file and member by member, and change nothing; secrets are masked
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
A member is known by its certificate: the one that all members share (ROOT/conf/ssl/server.crt), or \
the one that it showed when something went well before (ROOT/var/pfcluster/pins). Any other one is \
shown and asked about, or has to be named with `--fingerprint`; before that, nothing is sent.

A pull writes nothing before all files have arrived. What it replaces goes to \
ROOT/var/pfcluster/backup; the last ten are kept. The version of the configuration is set last, and \
only where all files arrived.

Exit status: 0 everything arrived (with `--dry-run`: nothing differs), 1 something did not, or \
differs, 2 it could not be done.";

impl Sync {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        match self.from {
            Some(from) => self.pull(from, global, matches, printer),
            None => self.push(global, matches, printer),
        }
    }

    fn push(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let mut scene = Scene::read(global, matches, &self.connection, printer)?;
        let scope = scope(self.file.as_ref(), self.storage.as_deref(), self.with_fingerbank_db, scene.version)?;
        let items = scene.items(&scope)?;
        let _lock = if self.dry_run { None } else { Some(scene.lock()?) };
        let others = scene.ask(printer)?.others;
        if others.peers.is_empty() {
            return Err(SyncError::Alone(scene.sharing.me.host).into());
        }
        let version = now().filter(|_| scope.has_version() && !self.dry_run);
        let reports = if self.dry_run {
            compare(&scene.sharing, &scene.local, &items, others, &scene.patience)?
        } else {
            scene.push(&items, others, version.as_ref(), printer)?
        };
        self.answer(Direction::Push, version.as_ref(), &reports, printer)
    }

    fn pull(
        &self,
        from: Ipv4Addr,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let root = global.root();
        let version = global.version(&root)?;
        let text = |source| root.read_source(source);
        // A server that is about to join has none of them yet.
        let cluster_conf = text(Source::ClusterConf)?.unwrap_or_default();
        let (pf_conf, defaults) = (text(Source::PfConf)?.unwrap_or_default(), text(Source::PfConfDefaults)?);
        let texts = Texts {
            cluster_conf: &cluster_conf,
            pf_conf: Some(&pf_conf),
            pf_conf_defaults: defaults.as_deref(),
            ..Texts::default()
        };
        let installation = Installation::read(texts, &Situation::of_version(version));
        let me = global.host().ok();
        let name = name_of(from, &installation.cluster, me.as_ref())?;
        let mut access = self.connection.access(&root, installation.pf_conf.as_ref(), version, printer)?;
        let local = Local::open(&root, version)?;
        let paths = pull_paths(&local.listed_files()?, version);
        let _lock = if self.dry_run { None } else { Some(Lock::take(&root)?.ok_or(SyncError::Busy)?) };
        let Met { peers, .. } = access.meet(&[(name, from)], global.timeout(), printer)?;
        let mut reports = Vec::new();
        let mut pulled_version = None;
        for peer in &peers {
            let patience = Patience::for_each(file_limit(global, matches));
            let Pulled { report, version, backup, .. } = pull(peer, &paths, &local, self.dry_run, &patience)?;
            if report.is_fine() && !self.dry_run {
                access.remember(&root, [peer])?;
            }
            if let Some(backup) = backup {
                writeln!(printer.err, "what was there is in {}", backup.display())?;
            }
            pulled_version = version;
            reports.push(report);
        }
        self.answer(Direction::Pull, pulled_version.as_ref(), &reports, printer)
    }

    fn answer(
        &self,
        direction: Direction,
        version: Option<&ConfigVersion>,
        reports: &[MemberReport],
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", report::json(direction, self.dry_run, version, reports))?,
            AnswerFormat::Text => report::text(direction, version, reports, printer.out)?,
        }
        Ok(if report::is_complete(reports) { ExitStatus::Fine } else { ExitStatus::No })
    }
}
