//! `pfcluster runbook`: the guide's procedures, made for this cluster.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use clap::{ArgAction, ArgMatches, Args, ValueEnum};
use pfcluster_core::cluster::{Hostname, InterfaceName, ZoneName, parse_address};
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Name, Observed, Request, Runbook, RunbookError, Standing, runbook};

use super::gather::gather;
use super::names::named;
use super::status::ask_cluster;
use super::{Format, Global};
use crate::host::backup;
use crate::host::runbook::{Place, look};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::runbook::{self as report, Shown, Verified};

/// A procedure of the guide, step by step, made for this cluster
///
/// Without a name it lists them. Each step says where, what, what to verify after it, what is dangerous, what can't be undone,
/// how to undo the rest, and where the guide's own way is another one. Commands that change a server do nothing on another one,
/// and say so there; no data are deleted: they are moved. Nothing is changed by this command itself, with `--verify` neither.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Procedure {
    /// The procedure [default: list them]
    #[arg(value_name = "NAME", value_parser = names(), hide_possible_values = true)]
    name: Option<Name>,
    /// The members that it is about
    #[arg(value_name = "HOST", value_delimiter = ',')]
    members: Vec<String>,
    /// A cluster.conf [default: that of ROOT]; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "name")]
    cluster_conf: Option<PathBuf>,
    /// elect-master: the members that are missing, and stay off
    #[arg(long, value_name = "HOST", action = ArgAction::Append, value_delimiter = ',', requires = "name")]
    without: Vec<String>,
    /// Only what is done on this host
    #[arg(long = "for", value_name = "HOST", requires = "name")]
    only: Option<String>,
    /// Look how far you have come, on this host and, as `pfcluster status` does, in the cluster; change nothing
    #[arg(long, requires = "name")]
    verify: bool,
    /// What starts the databases [default: what does so on this machine]
    #[arg(long, value_enum, value_name = "WHAT", requires = "name")]
    database: Option<Starter>,
    /// upgrade: never take the database apart, as long as there is a majority
    #[arg(long, requires = "name")]
    keep_quorum: bool,
    /// upgrade: the new version, so that `--verify` can tell before from after
    #[arg(long, value_name = "X[.Y]", requires = "name")]
    to: Option<PfVersion>,
    /// add-member: the new member's address on an interface; may be given several times
    #[arg(long = "address", value_name = "INTERFACE=IP", value_parser = address, requires = "name")]
    addresses: Vec<(InterfaceName, Ipv4Addr)>,
    /// rename-interfaces: the old and the new name; may be given several times
    #[arg(long = "rename", value_name = "OLD=NEW", value_parser = rename, requires = "name")]
    renames: Vec<(InterfaceName, InterfaceName)>,
    /// add-member, move-to-multi-zone: the zone
    #[arg(long, value_name = "NAME", requires = "name")]
    zone: Option<ZoneName>,
    /// Where this member's backups are
    #[arg(long, value_name = "DIR", default_value = backup::DIRECTORY, hide = true)]
    backups: PathBuf,
    /// Take `systemctl` from this directory, for rehearsals
    #[arg(long, value_name = "DIR", env = "PFCLUSTER_PROGRAMS", hide_env = true, hide = true)]
    programs: Option<PathBuf>,
    /// The directory that the rest of the system is below, for rehearsals
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    system: PathBuf,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = RunbookFormat::Text)]
    format: RunbookFormat,
}

const HELP: &str = "\
What stands in capitals in a step is to be replaced: passwords are never in a runbook.

Exit status: 0 it is printed, or all steps are done; 1 with `--verify`: not yet, or it can't be told; \
2 it could not be done (no such runbook, or the member that it is about is not named).";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Starter {
    /// PacketFence's own `pf-mariadb`
    Packetfence,
    /// `pfcluster mariadb supervise`
    Pfcluster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RunbookFormat {
    /// Human-readable, with boxes to tick
    Text,
    /// For a wiki or a ticket
    Markdown,
    /// JSON; described in pfcluster-cli/schemas
    Json,
}

/// The runbooks by name, for the parser, which suggests one that is like what was typed.
fn names() -> impl clap::builder::TypedValueParser<Value = Name> {
    let value = |name: Name| PossibleValue::new(name.as_str()).aliases(name.aliases()).help(name.summary());
    PossibleValuesParser::new(Name::ALL.map(value)).try_map(|name| name.parse::<Name>())
}

/// The drop-in, or the unit, that has pfcluster start this machine's database.
const SUPERVISED: [&str; 2] = [
    "etc/systemd/system/packetfence-mariadb.service.d/20-supervise.conf",
    "etc/systemd/system/pfcluster-mariadb.service",
];

impl Procedure {
    /// The form of errors.
    pub(super) fn errors(&self) -> Format {
        if self.format == RunbookFormat::Json { Format::Json } else { Format::Text }
    }

    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let Some(name) = self.name else { return self.list(printer) };
        if self.verify && self.format == RunbookFormat::Markdown {
            return Err(CommandError::Usage {
                message: "`--verify` answers as text or as JSON".to_owned(),
                help: "leave one of the two out".to_owned(),
            });
        }
        if self.verify && self.cluster_conf.as_deref() == Some(Path::new("-")) {
            return Err(CommandError::Usage {
                message: "`--verify` reads the file more than once, so it can't be standard input".to_owned(),
                help: "put it into a file, and name that".to_owned(),
            });
        }
        let gathered = gather(global, matches, self.cluster_conf.as_deref(), printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        if installation.diagnostics.count(Severity::Error) > 0 {
            writeln!(printer.err, "warning: the configuration has errors: see `pfcluster check` first")?;
        }
        let hosts: Vec<&Hostname> = installation.cluster.members().map(|member| &member.host).collect();
        let mut request = Request::new(&installation.cluster, gathered.situation.version);
        request.supervised = self.is_supervised();
        request.members = self.members.iter().map(|one| member(one, &hosts)).collect::<Result<_, _>>()?;
        request.without = self.without.iter().map(|one| member(one, &hosts)).collect::<Result<_, _>>()?;
        request.addresses.clone_from(&self.addresses);
        request.renames.clone_from(&self.renames);
        request.zone.clone_from(&self.zone);
        request.keeps_quorum = self.keep_quorum;
        request.to = self.to;
        let book = runbook(name, &request).map_err(|error| unfit(&error))?;
        let only = self.only.as_ref().map(|host| self::host(host, &hosts, &book)).transpose()?;
        let shown = Shown { runbook: &book, supervised: request.supervised, only: only.as_ref() };
        if self.verify {
            return self.answer_verified(&shown, global, matches, printer);
        }
        match self.format {
            RunbookFormat::Text => shown.text(printer.out)?,
            RunbookFormat::Markdown => shown.markdown(printer.out)?,
            RunbookFormat::Json => writeln!(printer.out, "{}", shown.json(None))?,
        }
        Ok(ExitStatus::Fine)
    }

    fn list(&self, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        match self.format {
            RunbookFormat::Json => writeln!(printer.out, "{}", report::list_json())?,
            RunbookFormat::Text | RunbookFormat::Markdown => report::list_text(printer.out)?,
        }
        Ok(ExitStatus::Fine)
    }

    fn is_supervised(&self) -> bool {
        match self.database {
            Some(starter) => starter == Starter::Pfcluster,
            None => SUPERVISED.iter().any(|path| self.system.join(path).exists()),
        }
    }

    fn answer_verified(
        &self,
        shown: &Shown<'_>,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let me = global.host()?;
        let status = ask_cluster(global, matches, self.cluster_conf.as_deref(), &self.backups, printer)?;
        let root = global.root();
        let place = Place {
            root: &root,
            version: global.version(&root)?,
            system: Path::new(&self.system),
            programs: self.programs.as_deref(),
            backups: &self.backups,
        };
        let members: Vec<_> = status.answers.members.iter().map(|member| member.seen.clone()).collect();
        let observed = Observed {
            me: Some(me.clone()),
            members: &members,
            vips: &status.answers.vips,
            facts: look(&shown.runbook.facts(&me), &place),
        };
        let progress = shown.runbook.progress(&observed);
        let verified = Verified { me: &me, progress: &progress, notes: &status.answers.notes };
        match self.format {
            RunbookFormat::Json => writeln!(printer.out, "{}", shown.json(Some(&verified)))?,
            RunbookFormat::Text | RunbookFormat::Markdown => shown.progress(&verified, printer.out)?,
        }
        Ok(if progress.standing() == Standing::Done { ExitStatus::Fine } else { ExitStatus::No })
    }
}

/// The host whose part is shown: one that has a part.
fn host(name: &str, hosts: &[&Hostname], book: &Runbook) -> Result<Hostname, CommandError> {
    let mut all: Vec<&Hostname> = book.steps.iter().flat_map(|step| &step.on).chain(hosts.iter().copied()).collect();
    all.sort();
    all.dedup();
    named(name, &all)?.ok_or_else(|| CommandError::Usage {
        message: format!("`{}` has no part in it", name.escape_debug()),
        help: "`pfcluster show` shows the members".to_owned(),
    })
}

/// A member by its name or the first part of it; a name that nobody has is kept: the new one of `add-member`.
fn member(name: &str, hosts: &[&Hostname]) -> Result<Hostname, CommandError> {
    if let Some(host) = named(name, hosts)? {
        return Ok(host);
    }
    name.parse().map_err(|error| CommandError::Usage {
        message: format!("`{}` is no host name: {error}", name.escape_debug()),
        help: "`pfcluster show` shows the members".to_owned(),
    })
}

fn unfit(error: &RunbookError) -> CommandError {
    CommandError::Usage { message: error.to_string(), help: error.help() }
}

/// `eth0=192.168.1.8`.
fn address(text: &str) -> Result<(InterfaceName, Ipv4Addr), String> {
    let (name, ip) = text.split_once('=').ok_or("it is not INTERFACE=IP")?;
    Ok((interface(name)?, parse_address(ip).map_err(|error| format!("`{ip}`: {error}"))?))
}

/// `eno16780032=eth0`.
fn rename(text: &str) -> Result<(InterfaceName, InterfaceName), String> {
    let (old, new) = text.split_once('=').ok_or("it is not OLD=NEW")?;
    Ok((interface(old)?, interface(new)?))
}

fn interface(name: &str) -> Result<InterfaceName, String> {
    name.parse().map_err(|error| format!("`{name}`: {error}"))
}
