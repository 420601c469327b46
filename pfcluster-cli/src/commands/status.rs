//! `pfcluster status`: the whole cluster, from any member.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::{ArgMatches, Args, ValueEnum};
use pfcluster_core::cluster::{Hostname, Member};
use pfcluster_core::diagnostic::Diagnostic;
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;
use pfcluster_core::span::Source;
use pfcluster_core::status::Verdict;
use pfcluster_core::version::PfVersion;

use super::connection;
use super::gather::gather;
use super::names::Names;
use super::{Format, Global};
use crate::documents::evidence::members_by_name;
use crate::host::evidence::Note;
use crate::host::mariadb::Account;
use crate::host::status::{self as host, Question};
use crate::host::sync::Peer;
use crate::host::{backup, machine};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::{nagios, status as report};

/// The whole cluster in one table: what works, and what to do
///
/// Asks the databases and the web services of all members side by side, and this member and its supervisor for what only they
/// know. It never waits longer than `--timeout`; a member that has not answered by then is unknown, not down. It changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Status {
    /// Refresh until interrupted (Ctrl-C)
    #[arg(long, conflicts_with = "nagios")]
    watch: bool,
    /// Refresh interval
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Stop after so many refreshes
    #[arg(long, value_name = "COUNT", requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// The same as `--format nagios`
    #[arg(long, conflicts_with = "format")]
    nagios: bool,
    /// Where this member's backups are
    #[arg(long, value_name = "DIR", default_value = backup::DIRECTORY, hide = true)]
    backups: PathBuf,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = StatusFormat::Text)]
    format: StatusFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    /// Human-readable
    Text,
    /// JSON; described in pfcluster-cli/schemas
    Json,
    /// One line for monitoring (Nagios, Icinga, ...), with performance data
    Nagios,
}

const HELP: &str = "\
The other members' databases are asked at their management addresses (TCP 3306) with the account \
of conf/pfcluster-monitoring.cnf, which needs no privilege (`pfcluster doctor` says how to make it), \
else with the user of `galera_replication_username` in pf.conf; another one can be named in a client's \
option file with `--mysql-defaults-file`. Without any they are unknown: PacketFence's own user of the \
database is never offered to another machine. Their web services (TCP 9090) are asked for the version of the \
configuration, with the user of `[webservices]` in pf.conf, and only if their certificate is known \
here; `pfcluster conflict` also takes another user and another certificate.

Exit status: 0 healthy, 1 anything else, 2 it could not be asked. With `--nagios`: 0 healthy, \
1 degraded, 2 read-only, blocked, down or split, 3 unknown.";

impl Status {
    /// The form of errors: of those that are not answered here.
    pub(super) fn errors(&self) -> Format {
        if self.format == StatusFormat::Json { Format::Json } else { Format::Text }
    }

    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if self.nagios || self.format == StatusFormat::Nagios {
            let asked =
                if self.watch { Err(asks_once()) } else { ask_cluster(global, matches, None, &self.backups, printer) };
            return for_monitoring(asked, printer);
        }
        let clears = self.watch && self.format == StatusFormat::Text && io::stdout().is_terminal();
        let mut drawn = 0;
        loop {
            drawn += 1;
            let answer = ask_cluster(global, matches, None, &self.backups, printer)?;
            match self.format {
                StatusFormat::Json => writeln!(printer.out, "{}", answer.json())?,
                StatusFormat::Text | StatusFormat::Nagios => {
                    // Home, and clear from there: nothing flickers.
                    let before = if clears {
                        "\x1b[H\x1b[J"
                    } else if drawn > 1 {
                        "\n"
                    } else {
                        ""
                    };
                    write!(printer.out, "{before}")?;
                    answer.text(printer.out)?;
                }
            }
            printer.out.flush()?;
            if !self.watch || self.count.is_some_and(|count| drawn >= count) {
                let is_healthy = answer.decision.action == Verdict::Healthy;
                return Ok(if is_healthy { ExitStatus::Fine } else { ExitStatus::No });
            }
            thread::sleep(Duration::from_secs(self.interval));
        }
    }
}

/// All members, as this machine sees them. `file` stands in for the installation's cluster.conf.
pub(super) fn ask_cluster(
    global: &Global,
    matches: &ArgMatches,
    file: Option<&Path>,
    backups: &Path,
    printer: &mut Printer<'_>,
) -> Result<report::Report, CommandError> {
    let root = global.root();
    let gathered = gather(global, matches, file, printer)?;
    let installation = Installation::read(gathered.texts(), &gathered.situation);
    let cluster = &installation.cluster;
    let in_database: Vec<Hostname> = Names::of(cluster, &gathered.situation)?.hosts().cloned().collect();
    let me = global.host()?;
    let mut notes = Vec::new();
    let settings = host::own_settings(&root, &global.overrides(), &mut notes)?;
    let account = Account::for_peers(&root, settings.as_ref(), installation.pf_conf.as_ref(), &global.overrides())?;
    let peers = match peers(global, &installation, gathered.situation.version) {
        Ok(peers) => peers,
        Err(error) => {
            notes.push(Note { message: error.to_string(), help: error.help().to_owned() });
            Vec::new()
        }
    };
    let mut answers = host::gather(
        &Question {
            root: &root,
            version: gathered.situation.version,
            cluster,
            me: &me,
            disabled: &gathered.situation.disabled,
            in_database: &in_database,
            settings: settings.as_ref(),
            account: account.as_ref(),
            backups,
            run_directory: &global.run_directory,
            limit: global.timeout(),
        },
        peers,
        &members_by_name(cluster),
    );
    answers.notes.splice(0..0, notes);
    let is_error = |one: &Diagnostic| one.source == Source::ClusterConf && one.severity() == Severity::Error;
    if installation.diagnostics.iter().any(is_error) {
        // What is malformed is left out: there may be fewer members than were meant.
        writeln!(printer.err, "hint: cluster.conf has errors: see `pfcluster check`")?;
    }
    if cluster.member(me.as_str()).is_none() {
        writeln!(printer.err, "note: {me} is not a member, so it asks from outside; `--host` names another")?;
    }
    Ok(report::Report { me, now: machine::since_1970(), decision: answers.assessed(), answers })
}

/// The web services of the other members; none if this installation can't ask them.
fn peers(global: &Global, installation: &Installation, version: PfVersion) -> Result<Vec<Peer>, CommandError> {
    let Some(pf_conf) = &installation.pf_conf else { return Ok(Vec::new()) };
    let Some(access) = connection::of_installation(&global.root(), pf_conf, version)? else { return Ok(Vec::new()) };
    let me = global.host()?;
    let others = installation.cluster.members().filter(|member| member.host != me);
    let peer = |member: &Member| {
        Some(access.peer(member.host.to_string(), member.addresses.management_ip.map(|ip| ip.value)?))
    };
    Ok(others.filter_map(peer).collect())
}

/// Monitoring gets its line and its exit status whatever happens.
fn for_monitoring(
    asked: Result<report::Report, CommandError>,
    printer: &mut Printer<'_>,
) -> Result<ExitStatus, CommandError> {
    match asked {
        Ok(answer) => {
            writeln!(printer.out, "{}", nagios::line(&answer))?;
            Ok(nagios::exit_status(answer.decision.action))
        }
        Err(error) => {
            writeln!(printer.out, "{}", nagios::unknown(&error.to_string()))?;
            Ok(ExitStatus::Unknown)
        }
    }
}

fn asks_once() -> CommandError {
    CommandError::Usage {
        message: "monitoring asks once, so `--watch` makes no sense".to_owned(),
        help: "leave one of the two out".to_owned(),
    }
}
