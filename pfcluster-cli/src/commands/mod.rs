//! The commands, one file each: gather, ask the core, report.

mod bootstrap;
mod check;
mod conflict;
mod connection;
mod demo;
mod doctor;
mod drill;
mod evidence;
mod gather;
mod generate;
mod help;
mod key;
mod maintenance;
mod manual;
mod mariadb;
mod names;
mod node;
mod quorum;
mod runbook;
mod scene;
mod show;
mod status;
mod sync;

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::version::PfVersion;

use crate::host::mariadb::{Overrides, Settings};
use crate::host::signing::STATE_DIRECTORY;
use crate::host::supervise::RUN_DIRECTORY;
use crate::host::{Root, machine};
use crate::output::{CommandError, ExitStatus, Printer};

/// Check, monitor and recover PacketFence clusters.
#[derive(Debug, Parser)]
#[command(name = "pfcluster", version, max_term_width = 100)]
#[command(after_help = "Exit status: 0 OK, 1 findings or a negative answer, 2 it could not be done.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// PacketFence's install directory (environment: PFCLUSTER_ROOT)
    #[arg(long, global = true, value_name = "DIR", env = "PFCLUSTER_ROOT", hide_env = true)]
    #[arg(default_value = "/usr/local/pf")]
    root: PathBuf,
    /// Name of the local member [default: this machine's host name]
    #[arg(long, global = true, value_name = "NAME")]
    host: Option<String>,
    /// Read this pf.conf [default: ROOT/conf/pf.conf]
    #[arg(long, global = true, value_name = "FILE")]
    pf_conf: Option<PathBuf>,
    /// PacketFence's version, 7 to 14 [default: that of ROOT/conf/pf-release, else the newest]
    #[arg(long, global = true, value_name = "X[.Y]")]
    pf_version: Option<PfVersion>,
    /// The database's data directory [default: that of ROOT/var/conf/mariadb.conf, else /var/lib/mysql]
    #[arg(long, global = true, value_name = "DIR")]
    datadir: Option<PathBuf>,
    /// The database's socket [default: that of ROOT/var/conf/mariadb.conf, else Debian's and RHEL's]
    #[arg(long, global = true, value_name = "FILE")]
    socket: Option<PathBuf>,
    /// User and password for the database, in a client's option file [default: the user that runs this]
    #[arg(long, global = true, value_name = "FILE")]
    mysql_defaults_file: Option<PathBuf>,
    /// Certificate authority (PEM) of the other members' databases: they are asked over TLS only, and only if it has issued
    /// their certificate for their management address
    #[arg(long, global = true, value_name = "FILE")]
    database_ca: Option<PathBuf>,
    /// Total timeout for answers
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Where the supervisor's socket is
    #[arg(long, global = true, value_name = "DIR", default_value = RUN_DIRECTORY, hide = true)]
    run_directory: PathBuf,
    /// Where this member's own key is, and those that it knows of the others
    #[arg(long, global = true, value_name = "DIR", default_value = STATE_DIRECTORY, hide = true)]
    state_directory: PathBuf,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even when not a terminal
    Always,
    /// Never
    Never,
}

/// The forms that an answer can take. `check` has one more than the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable
    #[default]
    Text,
    /// JSON; described in pfcluster-cli/schemas
    Json,
    /// Workflow commands that annotate a pull request
    Github,
}

/// The two forms that every answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// Human-readable
    Text,
    /// JSON; described in pfcluster-cli/schemas
    Json,
}

impl From<AnswerFormat> for Format {
    fn from(format: AnswerFormat) -> Format {
        match format {
            AnswerFormat::Text => Format::Text,
            AnswerFormat::Json => Format::Json,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
    Show(show::Show),
    Generate(generate::Generate),
    Quorum(quorum::Quorum),
    Runbook(runbook::Procedure),
    Conflict(conflict::Conflict),
    Sync(sync::Sync),
    Bootstrap(bootstrap::Bootstrap),
    Evidence(evidence::Evidence),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Node(node::Node),
    Maintenance(maintenance::Maintenance),
    Mariadb(mariadb::Mariadb),
    Key(key::Key),
    Drill(drill::Drill),
    Demo(demo::Demo),
    Completions(manual::Completions),
    /// Print the manual page
    Man,
}

impl Command {
    pub(crate) fn format(&self) -> Option<Format> {
        match self {
            Command::Check(check) => Some(check.format),
            Command::Show(show) => Some(show.format.into()),
            Command::Generate(generate) => Some(generate.format()),
            Command::Quorum(quorum) => Some(quorum.format.into()),
            Command::Runbook(runbook) => Some(runbook.errors()),
            Command::Conflict(conflict) => Some(conflict.format.into()),
            Command::Sync(sync) => Some(sync.format.into()),
            Command::Bootstrap(bootstrap) => Some(bootstrap.format.into()),
            Command::Evidence(_) => Some(Format::Json),
            Command::Status(status) => Some(status.errors()),
            Command::Doctor(doctor) => Some(doctor.format.into()),
            Command::Node(node) => Some(node.format.into()),
            Command::Maintenance(maintenance) => Some(maintenance.format.into()),
            Command::Mariadb(mariadb) => mariadb.format().map(Into::into),
            Command::Drill(drill) => Some(drill.format.into()),
            Command::Key(_) | Command::Demo(_) | Command::Completions(_) | Command::Man => None,
        }
    }
}

/// The command line as its parser knows it: for manuals, and to see whether a command line would be understood.
pub fn command_line() -> clap::Command {
    help::with_help(Cli::command())
}

impl Cli {
    pub(crate) fn run(&self, matches: &ArgMatches, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        // A subcommand's matches hold the global arguments as well, with where each came from.
        let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
        match &self.command {
            Command::Check(check) => check.run(&self.global, matches, printer),
            Command::Show(show) => show.run(&self.global, matches, printer),
            Command::Generate(generate) => generate.run(&self.global, matches, printer),
            Command::Quorum(quorum) => quorum.run(&self.global, matches, printer),
            Command::Runbook(runbook) => runbook.run(&self.global, matches, printer),
            Command::Conflict(conflict) => conflict.run(&self.global, matches, printer),
            Command::Sync(sync) => sync.run(&self.global, matches, printer),
            Command::Bootstrap(bootstrap) => bootstrap.run(&self.global, matches, printer),
            Command::Evidence(evidence) => evidence.run(&self.global, matches, printer),
            Command::Status(status) => status.run(&self.global, matches, printer),
            Command::Doctor(doctor) => doctor.run(&self.global, matches, printer),
            Command::Node(node) => node.run(&self.global, matches, printer),
            Command::Maintenance(maintenance) => maintenance.run(&self.global, matches, printer),
            Command::Mariadb(mariadb) => mariadb.run(&self.global, matches, printer),
            Command::Key(key) => key.run(&self.global, printer),
            Command::Drill(drill) => drill.run(&self.global, matches, printer),
            Command::Demo(demo) => demo.run(printer),
            Command::Completions(completions) => completions.run(printer),
            Command::Man => manual::man(printer),
        }
    }
}

impl Global {
    fn root(&self) -> Root {
        Root::new(&self.root)
    }

    /// The member to act as: the one that was named, else this machine.
    fn host(&self) -> Result<Hostname, CommandError> {
        let name = match &self.host {
            Some(name) => name.clone(),
            None => machine::hostname(),
        };
        name.parse().map_err(|error| CommandError::Usage {
            message: format!("`{}` is no host name: {error}", name.escape_debug()),
            help: "name a member with `--host`".to_owned(),
        })
    }

    /// Where the database is, and how it is asked.
    fn database(&self, root: &Root) -> Result<Settings, CommandError> {
        Ok(Settings::read(&root.file("var/conf/mariadb.conf"), &self.overrides())?)
    }

    /// What the command line says of it.
    fn overrides(&self) -> Overrides {
        Overrides {
            datadir: self.datadir.clone(),
            socket: self.socket.clone(),
            client_file: self.mysql_defaults_file.clone(),
            database_ca: self.database_ca.clone(),
        }
    }

    /// How long a question may take in all.
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// The version for a file that stands alone.
    fn version_of_file(&self) -> PfVersion {
        self.pf_version.unwrap_or(PfVersion::NEWEST)
    }

    fn version(&self, root: &Root) -> Result<PfVersion, CommandError> {
        match self.pf_version {
            Some(version) => Ok(version),
            None => Ok(root.pf_version()?.unwrap_or(PfVersion::NEWEST)),
        }
    }
}

/// True if the user gave this argument on the command line: not as an environment variable, not by default.
fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}
