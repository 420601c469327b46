//! `pfcluster generate`: the daemons' configuration for one member; shown, compared, or written.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, ValueEnum};
use pfcluster_core::document::Document;
use pfcluster_core::generate::{
    self, DaemonVersion, Dashboard, GenerateError, GeneratedFile, Options, Rendered, Request, Template,
};
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;
use pfcluster_core::span::Source;

use super::gather::{Gathered, gather};
use super::{AnswerFormat, Format, Global};
use crate::host::install::{State, compare, install};
use crate::host::{HostError, files, machine};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::{diff, json, masked};

/// Generate this member's keepalived, HAProxy and MariaDB files
///
/// Nothing is written without `--out` or `--install`; what is written is whole or not at all, and what it replaces is kept
/// in ROOT/var/pfcluster/backup. The user's templates in ROOT/conf are honoured.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(group = clap::ArgGroup::new("what to do").required(true))]
pub(crate) struct Generate {
    /// The files, or all of them
    #[arg(required = true, value_enum, value_name = "DAEMON")]
    daemons: Vec<Daemon>,
    /// Write below this directory
    #[arg(short = 'o', long, value_name = "DIR", group = "what to do")]
    out: Option<PathBuf>,
    /// Write below ROOT (var/conf)
    #[arg(long, group = "what to do")]
    install: bool,
    /// Print the files; secrets are masked without `--show-secrets`
    #[arg(long, group = "what to do")]
    stdout: bool,
    /// Print how they differ from the files below ROOT; secrets are masked
    #[arg(long, group = "what to do")]
    diff: bool,
    /// Exit status 1 if they differ from the files below ROOT
    #[arg(long, group = "what to do")]
    check: bool,
    /// Say where they differ from PacketFence's own, and why
    #[arg(long, group = "what to do")]
    explain: bool,
    /// Print secrets, with `--stdout`
    #[arg(long, requires = "stdout")]
    show_secrets: bool,
    /// The HAProxy that will read the files [default: the installed one, else the newest]
    #[arg(long, value_name = "X.Y")]
    haproxy_version: Option<DaemonVersion>,
    /// The keepalived that will read the file [default: the installed one, else the newest]
    #[arg(long, value_name = "X.Y")]
    keepalived_version: Option<DaemonVersion>,
    /// Seconds between VRRP advertisements; all members must have the same
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    advert_int: u8,
    /// Have Galera make a member without a majority read-only (guide 4.1)
    #[arg(long)]
    readonly_hook: bool,
    /// User and password of the HAProxy dashboards: a file that holds USER:PASSWORD
    #[arg(long, value_name = "FILE")]
    dashboard_password_file: Option<PathBuf>,
    /// Leave the user's templates in ROOT/conf out
    #[arg(long)]
    no_templates: bool,
    /// Output format of `--check` and `--explain`
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
}

/// The user's own templates, below ROOT.
const TEMPLATES: [&str; 5] = [
    "conf/keepalived.conf",
    "conf/haproxy-db.conf",
    "conf/haproxy-portal.conf",
    "conf/haproxy-admin.conf",
    "conf/mariadb/mariadb.conf",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Daemon {
    Keepalived,
    HaproxyDb,
    HaproxyPortal,
    /// PacketFence 10 and later
    HaproxyAdmin,
    Mariadb,
    All,
}

impl Daemon {
    fn render(self, request: &Request<'_>) -> Result<Rendered, GenerateError> {
        match self {
            Daemon::Keepalived => generate::keepalived(request),
            Daemon::HaproxyDb => generate::haproxy_db(request),
            Daemon::HaproxyPortal => generate::haproxy_portal(request),
            Daemon::HaproxyAdmin => generate::haproxy_admin(request),
            Daemon::Mariadb => generate::mariadb(request),
            Daemon::All => generate::all(request),
        }
    }
}

impl Generate {
    pub(super) fn format(&self) -> Format {
        self.format.into()
    }

    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, None, printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let rendered = self.render(global, &gathered, &installation)?;
        let errors = installation.diagnostics.count(Severity::Error);
        if errors > 0 {
            let what = if errors == 1 { "error" } else { "errors" };
            writeln!(printer.err, "warning: the configuration has {errors} {what}: see `pfcluster check`")?;
        }
        for notice in &rendered.notices {
            writeln!(printer.err, "warning: {}\nhint: {}", notice.message, notice.help)?;
        }
        self.answer(global, &rendered, printer)
    }

    fn render(
        &self,
        global: &Global,
        gathered: &Gathered,
        installation: &Installation<'_>,
    ) -> Result<Rendered, CommandError> {
        let root = global.root();
        let Some(pf_conf) = &installation.pf_conf else {
            return Err(CommandError::Host(HostError::Read {
                path: root.path(Source::PfConf),
                reason: "no such file".to_owned(),
                help: "name it with `--pf-conf`".to_owned(),
            }));
        };
        let me = gathered.situation.me.as_ref().map_or_else(|| global.host(), |me| Ok(me.clone()))?;
        let networks = root.read_source(Source::NetworksConf)?;
        let networks = networks.as_ref().map(|text| Document::parse(Source::NetworksConf, text).value);
        let mut request = Request::new(&installation.cluster, pf_conf, &me, gathered.situation.version);
        request.networks_conf = networks.as_ref();
        request.disabled.clone_from(&gathered.situation.disabled);
        request.options = self.options(global)?;
        let mut rendered = Rendered::default();
        for daemon in &self.daemons {
            rendered.add(daemon.render(&request).map_err(|error| located(&error, installation, gathered))?);
        }
        Ok(rendered)
    }

    fn options(&self, global: &Global) -> Result<Options, CommandError> {
        let mut options = Options::default();
        options.advert_int = self.advert_int;
        options.readonly_hook = self.readonly_hook;
        options.haproxy = self.haproxy_version.or_else(|| installed("haproxy")).unwrap_or(options.haproxy);
        options.keepalived = self.keepalived_version.or_else(|| installed("keepalived")).unwrap_or(options.keepalived);
        if let Some(path) = machine::galera_provider() {
            path.clone_into(&mut options.galera_provider);
        }
        options.dashboard = self.dashboard_password_file.as_deref().map(dashboard).transpose()?;
        if !self.no_templates {
            let root = global.root();
            for name in TEMPLATES {
                // They are pf's, and what they hold lands in files that pf may read: no link leads root elsewhere.
                let shipped = root.read(&format!("{name}.example"))?;
                // PacketFence installs each template as a copy of its example: one that nobody changed is nobody's own.
                if let Some(bytes) = root.read(name)?.filter(|bytes| shipped.as_ref() != Some(bytes)) {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    options.templates.push(Template { path: name.to_owned(), text });
                }
            }
        }
        Ok(options)
    }

    fn answer(
        &self,
        global: &Global,
        rendered: &Rendered,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if self.stdout {
            for file in &rendered.files {
                if rendered.files.len() > 1 {
                    writeln!(printer.out, "==> {} <==", file.path)?;
                }
                let text = if self.show_secrets { file.text.clone() } else { masked(&file.text) };
                write!(printer.out, "{text}")?;
            }
            return Ok(ExitStatus::Fine);
        }
        if self.install || self.out.is_some() {
            let target = self.out.as_deref().unwrap_or(&global.root);
            let (written, backup) = install(target, &rendered.files)?;
            for path in &written {
                writeln!(printer.err, "wrote {}", path.display())?;
            }
            match backup {
                Some(backup) => writeln!(printer.err, "what was there is in {}", backup.display())?,
                None if written.is_empty() => writeln!(printer.err, "nothing to write: all files are up to date")?,
                None => {}
            }
            return Ok(ExitStatus::Fine);
        }
        let states = rendered.files.iter().map(|file| Ok((file, compare(&global.root, file)?)));
        let states: Vec<(&GeneratedFile, State)> = states.collect::<Result<_, HostError>>()?;
        let drift = states.iter().any(|(_, state)| *state != State::Same);
        match (self.format, self.diff, self.check) {
            (_, true, _) => diff::files(&states, printer.out)?,
            (AnswerFormat::Json, ..) => {
                let states: Vec<_> = states.into_iter().map(|(file, state)| (file, Some(state))).collect();
                writeln!(printer.out, "{}", json::text(&json::generate(&states, rendered)))?;
            }
            (AnswerFormat::Text, _, true) => {
                for (file, state) in states.iter().filter(|(_, state)| *state != State::Same) {
                    let what = if *state == State::Missing { "is missing" } else { "differs" };
                    writeln!(printer.out, "{} {what}", file.path)?;
                }
            }
            (AnswerFormat::Text, _, false) => {
                for deviation in &rendered.deviations {
                    writeln!(printer.out, "PacketFence: {}\npfcluster:   {}", deviation.original, deviation.here)?;
                    writeln!(printer.out, "why:         {}\n", deviation.why)?;
                }
            }
        }
        Ok(if drift && (self.check || self.diff) { ExitStatus::No } else { ExitStatus::Fine })
    }
}

/// All files as they would be generated, without a wish of the user's, beside those below ROOT.
pub(super) fn compare_all(
    global: &Global,
    gathered: &Gathered,
    installation: &Installation<'_>,
) -> Result<Vec<(&'static str, State)>, CommandError> {
    let command = Generate {
        daemons: vec![Daemon::All],
        out: None,
        install: false,
        stdout: false,
        diff: false,
        check: true,
        explain: false,
        show_secrets: false,
        haproxy_version: None,
        keepalived_version: None,
        advert_int: 5,
        readonly_hook: false,
        dashboard_password_file: None,
        no_templates: false,
        format: AnswerFormat::Text,
    };
    let rendered = command.render(global, gathered, installation)?;
    rendered.files.iter().map(|file| Ok((file.path, compare(&global.root, file)?))).collect()
}

/// True if pfcluster wrote the file.
pub(super) fn is_ours(text: &[u8]) -> bool {
    let start = text.get(..200).unwrap_or(text);
    String::from_utf8_lossy(start).contains("Written by pfcluster")
}

/// The version of an installed daemon, from what it says of itself.
fn installed(program: &str) -> Option<DaemonVersion> {
    let text = machine::version_text(program)?;
    let is_version = |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let word = text.split_whitespace().find(is_version)?;
    word.trim_start_matches('v').split(['-', '+']).next()?.parse().ok()
}

fn dashboard(path: &Path) -> Result<Dashboard, CommandError> {
    let bytes = files::read_at_most(path, files::LONGEST_SECRET)?;
    let line = bytes.lines().next().and_then(Result::ok).unwrap_or_default();
    let (user, password) = line.split_once(':').ok_or_else(|| HostError::Content {
        path: path.to_owned(),
        reason: "its first line is not USER:PASSWORD".to_owned(),
        help: "write one line with the user's name, a colon and the password".to_owned(),
    })?;
    Ok(Dashboard { user: user.to_owned(), password: password.to_owned() })
}

/// An error of the core with the place in the user's file.
fn located(error: &GenerateError, installation: &Installation<'_>, gathered: &Gathered) -> CommandError {
    let help = error.help().to_owned();
    let mut message = error.to_string();
    if let GenerateError::Unusable { place: Some(place), .. } = error
        && let Some(document) = installation.documents.iter().find(|document| document.source() == place.source)
    {
        let position = document.line_index().position(place.span.start);
        message = format!("{}:{}:{}: {message}", gathered.name(place.source), position.line, position.column);
    }
    CommandError::Usage { message, help }
}
