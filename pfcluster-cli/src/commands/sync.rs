//! `pfcluster sync`: pushes this member's configuration to the others, or pulls another one's.

use std::net::Ipv4Addr;

use clap::{ArgMatches, Args};
use pfcluster_core::cluster::{Cluster, Member};
use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::sync::{AnswerError, Item, Scope, SyncPath, pull_paths, store_of};

use super::connection::{Connection, Met};
use super::scene::{Scene, file_limit, lock, now};
use super::{AnswerFormat, Global};
use crate::host::files;
use crate::host::sync::{FileState, Local, MemberReport, PullError, Pulled, pull};
use crate::host::webservices::CallError;
use crate::report::sync::{self as report, Direction};
use crate::run::{CommandError, ExitStatus, Printer};

/// Push this member's configuration to the others, or pull another one's
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
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
A member is known by its certificate: the one that all members share (ROOT/conf/ssl/server.crt), or
the one that it showed when something went well before (ROOT/var/pfcluster/pins). Any other one is
shown and asked about, or has to be named with `--fingerprint`; before that, nothing is sent.

A pull writes nothing before all files have arrived. What it replaces goes to
ROOT/var/pfcluster/backup; the last ten are kept. The version of the configuration is set last, and
only where all files arrived.

Exit status: 0 everything arrived (with `--dry-run`: nothing differs), 1 something did not, or
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
        let scope = self.scope(&scene)?;
        let (items, missing) = scene.items(&scope)?;
        if !scope.has_version()
            && let Some(item) = missing.first()
        {
            return Err(CommandError::Usage {
                message: format!("{} is not there", item.path),
                help: "name a file of this member, as PacketFence names it".to_owned(),
            });
        }
        let _lock = if self.dry_run { None } else { Some(scene.lock()?) };
        let others = scene.ask(printer)?.others;
        if others.peers.is_empty() {
            return Err(CommandError::Usage {
                message: format!("there is no enabled member beside {}", scene.me.host),
                help: "`pfcluster show` lists the members".to_owned(),
            });
        }
        let version = now().filter(|_| scope.has_version() && !self.dry_run);
        let mut reports = if self.dry_run {
            scene.compare(&items, others)?
        } else {
            scene.push(&items, others, version.as_ref(), printer)?
        };
        if !missing.is_empty() {
            reports.insert(0, not_here(&scene, &missing));
        }
        self.answer(Direction::Push, version.as_ref(), &reports, printer)
    }

    fn scope(&self, scene: &Scene) -> Result<Scope, CommandError> {
        match (&self.file, &self.storage) {
            (Some(path), _) => Ok(Scope::File(path.clone())),
            (None, Some(class)) => {
                store_of(class, scene.version).map(Scope::Store).ok_or_else(|| CommandError::Usage {
                    message: format!("PacketFence {} has no store `{}`", scene.version, class.escape_debug()),
                    help: "write it as PacketFence does: pf::ConfigStore::Pf, pf::ConfigStore::Switch".to_owned(),
                })
            }
            (None, None) => Ok(Scope::Everything { with_upstream_database: self.with_fingerbank_db }),
        }
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
        let text = |source| files::read_if_there(&root.path(source));
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
        let name = name_of(from, &installation.cluster, global)?;
        let mut access = self.connection.access(&root, installation.pf_conf.as_ref(), version, printer)?;
        let local = Local::open(&root, version)?;
        let paths = pull_paths(&local.listed_files()?, version);
        let _lock = if self.dry_run { None } else { Some(lock(&root)?) };
        let Met { peers, .. } = access.meet(&[(name, from)], global.timeout(), printer)?;
        let mut reports = Vec::new();
        let mut pulled_version = None;
        for peer in &peers {
            let pulled = pull(peer, &paths, &local, self.dry_run, file_limit(global, matches));
            let Pulled { report, version, backup, .. } = pulled.map_err(|error| lost(&peer.name, from, error))?;
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
        let is_fine = |report: &MemberReport| report.is_fine() && !report.differs();
        Ok(if reports.iter().all(is_fine) { ExitStatus::Fine } else { ExitStatus::No })
    }
}

/// What conf/cluster-files.txt lists and nobody could fetch.
fn not_here(scene: &Scene, missing: &[Item]) -> MemberReport {
    let state = || FileState::Failed("it is listed in conf/cluster-files.txt, but not there".to_owned());
    let files = missing.iter().map(|item| (item.path.clone(), state())).collect();
    MemberReport::of_files(scene.me.host.to_string(), scene.me.address, files)
}

/// The name of the member with this address. A server that is about to join has no cluster yet: there, any address will do.
fn name_of(address: Ipv4Addr, cluster: &Cluster, global: &Global) -> Result<String, CommandError> {
    let has_address = |member: &&Member| member.addresses.management_ip.as_ref().is_some_and(|ip| ip.value == address);
    let member = cluster.members().find(has_address);
    if member.is_some_and(|member| global.host().is_ok_and(|host| host == member.host)) {
        return Err(CommandError::Usage {
            message: format!("{address} is this member itself"),
            help: "name another member's management address".to_owned(),
        });
    }
    match member {
        Some(member) => Ok(member.host.to_string()),
        None if !cluster.is_clustered() => Ok(address.to_string()),
        None => Err(CommandError::Usage {
            message: format!("{address} is no member's management address"),
            help: "`pfcluster show` lists the members; a password is sent to nobody else".to_owned(),
        }),
    }
}

fn lost(name: &str, address: Ipv4Addr, error: PullError) -> CommandError {
    match error {
        PullError::Host(error) => CommandError::Host(error),
        PullError::Call(error) => {
            let help = match &error {
                CallError::Silent(_) => {
                    format!("nothing was written; on {name}: /usr/local/pf/bin/pfcmd service httpd.webservices status")
                }
                CallError::Answer(AnswerError::Credentials) => {
                    "nothing was written; give the user and the password that are in `[webservices]` of its pf.conf, with \
                     `--api-user` and `--api-password-file`"
                        .to_owned()
                }
                _ => format!("nothing was written; see what httpd.webservices says in /usr/local/pf/logs on {name}"),
            };
            CommandError::Member { kind: "member", message: format!("{name} ({address}): {error}"), help }
        }
    }
}
