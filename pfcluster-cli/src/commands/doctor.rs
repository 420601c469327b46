//! `pfcluster doctor`: whether this server is ready for its cluster.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::thread;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{ArgMatches, Args};
use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::installation::Installation;
use pfcluster_guide::doctor::{
    CHECKS, Clock, Facts, Finding, Generated, GeneratedState, Known, Monitoring, Server, Verdict, examine,
    examine_from_afar,
};

use super::gather::{Gathered, gather};
use super::generate;
use super::{AnswerFormat, Global};
use crate::documents::evidence::members_by_name;
use crate::host::HostError;
use crate::host::doctor::{Machine, Others, Question, ask_others, look};
use crate::host::install::State;
use crate::host::mariadb::Account;
use crate::host::status::own_settings;
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::doctor::Report;

/// Whether this server is ready for its cluster, check by check
///
/// Each is pass, warn, fail or unknown, with what was found, and the commands that fix it. It changes nothing itself.
/// Run it as root: it looks at the kernel, interfaces, units of systemd, ports, files and their permissions, and the database.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Doctor {
    /// Only these checks, by their names
    #[arg(value_name = "CHECK", value_parser = checks(), hide_possible_values = true)]
    checks: Vec<String>,
    /// Ask the other members too, as far as they can be asked
    ///
    /// Their databases are asked as `pfcluster status` asks them, and this server's supervisor is asked what it has heard. What
    /// is only seen on a server itself is said to be unknown.
    #[arg(long)]
    all: bool,
    /// The directory that stands in for `/`
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    system: PathBuf,
    /// Where `ip` and `systemctl` are
    #[arg(long, value_name = "DIR", env = "PFCLUSTER_PROGRAMS", hide_env = true, hide = true)]
    programs: Option<PathBuf>,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
A check fails where the cluster does not work, or loses data or secrets. It warns where the cluster \
works, but not as it should; some of what PacketFence does by default warns. What can't be seen \
is unknown, never a guess.

Exit status: 0 nothing fails (there may be warnings, and what is unknown), 1 a check fails, 2 it \
could not be done.";

impl Doctor {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, None, printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let me = global.host()?;
        let (facts, others) = self.facts(global, &gathered, &installation, &me)?;
        // The commands that mend something are run elsewhere.
        let root = std::path::absolute(&global.root).unwrap_or_else(|_| global.root.clone());
        let root = root.to_string_lossy();
        let server = Server {
            root: &root,
            cluster: &installation.cluster,
            pf_conf: installation.pf_conf.as_ref(),
            diagnostics: &installation.diagnostics,
            me: &me,
            version: gathered.situation.version,
            facts: &facts,
        };
        let mut servers = vec![(me.clone(), examine(&server))];
        for (facts, Clock { host, .. }) in &others {
            servers.push((host.clone(), examine_from_afar(&Server { me: host, facts, ..server })));
        }
        if !self.checks.is_empty() {
            let is_meant = |finding: &Finding| self.checks.iter().any(|name| name == finding.check.id);
            servers.iter_mut().for_each(|(_, findings)| findings.retain(is_meant));
        }
        let report = Report { servers };
        match self.format {
            AnswerFormat::Text => report.text(printer.out)?,
            AnswerFormat::Json => writeln!(printer.out, "{}", report.json())?,
        }
        Ok(if report.count(Verdict::Fail) == 0 { ExitStatus::Fine } else { ExitStatus::No })
    }

    /// What is seen of this server, and of the others if they are to be asked.
    fn facts(
        &self,
        global: &Global,
        gathered: &Gathered,
        installation: &Installation<'_>,
        me: &Hostname,
    ) -> Result<(Facts, Vec<(Facts, Clock)>), CommandError> {
        let (facts, others) = thread::scope(|scope| {
            let others = scope.spawn(|| if self.all { ask(global, installation, me) } else { Ok(Vec::new()) });
            let facts = self.look(global, gathered, installation);
            (facts, others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let (mut facts, others) = (facts?, others?);
        facts.monitoring = monitoring(global, installation);
        facts.generated = generated(global, gathered, installation);
        facts.clocks = if self.all {
            Ok(others.iter().map(|(_, clock)| clock.clone()).collect())
        } else {
            Err("the other members are only asked with `--all`".into())
        };
        Ok((facts, others))
    }

    /// This server.
    fn look(
        &self,
        global: &Global,
        gathered: &Gathered,
        installation: &Installation<'_>,
    ) -> Result<Facts, CommandError> {
        let root = global.root();
        let mut notes = Vec::new();
        let settings = own_settings(&root, &global.overrides(), &mut notes)?;
        let unreadable = || notes.first().map_or("mariadb.conf can't be read", |note| &note.message).into();
        let user = installation.pf_conf.as_ref().map(|conf| conf.text("active_active", "galera_replication_username"));
        Ok(look(&Question {
            machine: &Machine::new(&self.system, self.programs.as_deref()),
            root: &root,
            disabled: &gathered.situation.disabled,
            settings: settings.as_ref().ok_or_else(unreadable),
            replication_user: user.unwrap_or_default().trim(),
            run_directory: &global.run_directory,
            limit: global.timeout(),
        }))
    }
}

fn checks() -> PossibleValuesParser {
    PossibleValuesParser::new(CHECKS.iter().map(|check| PossibleValue::new(check.id).help(check.about)))
}

/// The files on the disk beside those that would be generated.
fn generated(global: &Global, gathered: &Gathered, installation: &Installation<'_>) -> Known<Vec<Generated>> {
    let compared = generate::compare_all(global, gathered, installation);
    let files = compared.map_err(|error| Box::<str>::from(format!("nothing can be generated: {error}")))?;
    let state = |state: State| match state {
        State::Missing => GeneratedState::Missing,
        State::Same => GeneratedState::Same,
        State::Differs(bytes) if generate::is_ours(&bytes) => GeneratedState::Outdated,
        State::Differs(_) => GeneratedState::Foreign,
    };
    Ok(files.into_iter().map(|(path, compared)| Generated { path: path.into(), state: state(compared) }).collect())
}

/// The account that asks the other members' databases.
fn account(global: &Global, installation: &Installation<'_>) -> Result<Option<Account>, HostError> {
    let (root, overrides) = (global.root(), global.overrides());
    let settings = own_settings(&root, &overrides, &mut Vec::new())?;
    Account::for_peers(&root, settings.as_ref(), installation.pf_conf.as_ref(), &overrides)
}

fn monitoring(global: &Global, installation: &Installation<'_>) -> Known<Option<Monitoring>> {
    let account = account(global, installation).map_err(|error| error.to_string())?;
    Ok(account.map(|account| Monitoring { user: account.user.into(), is_over_tls: account.ca.is_some() }))
}

/// The other members.
fn ask(global: &Global, installation: &Installation<'_>, me: &Hostname) -> Result<Vec<(Facts, Clock)>, CommandError> {
    let cluster = &installation.cluster;
    let account = account(global, installation)?;
    let members = cluster.members().map(|member| member.host.clone()).filter(|host| host != me);
    let others = Others {
        members: members.map(|host| (host.clone(), address(cluster, me, &host))).collect(),
        account: account.as_ref(),
        run_directory: &global.run_directory,
        limit: global.timeout(),
    };
    Ok(ask_others(&others, &members_by_name(cluster)))
}

/// Where a member's database is asked.
fn address(cluster: &Cluster, me: &Hostname, host: &Hostname) -> Known<Ipv4Addr> {
    let sharing = cluster.database_of(Some(me)).map_err(|error| error.to_string())?;
    let member = sharing.into_iter().find(|member| member.host == *host).ok_or("its zone has another database")?;
    member.addresses.management_ip.map(|ip| ip.value).ok_or_else(|| "cluster.conf has no address for it".into())
}
