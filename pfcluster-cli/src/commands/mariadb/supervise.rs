//! `pfcluster mariadb supervise`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgMatches, Args, ValueEnum};
use jiff::Timestamp;
use pfcluster_core::galera::bootstrap::Action;
use pfcluster_core::installation::Installation;
use pfcluster_core::supervisor::{Event, Status};
use sd_notify::NotifyState;

use crate::commands::gather::gather;
use crate::commands::names::Names;
use crate::commands::{AnswerFormat, Global};
use crate::host::backup;
use crate::host::evidence::{Note, Taken};
use crate::host::mariadb::Account;
use crate::host::supervise::control::{self, Request};
use crate::host::supervise::{Setup, Voice, rehearse, supervise};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::supervisor as report;

/// Start this member's database safely, and keep it running
///
/// In place of PacketFence's `pf-mariadb` and `galera-autofix`. Looks at this member's database, hears the other members'
/// supervisors (UDP 4254), decides as `pfcluster bootstrap` does, carries its own part out, and says why. It ends by SIGTERM or
/// Ctrl-C, and ends the database with it; if it is killed, the database goes on, and the next one takes it over.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Supervise {
    /// Force bootstrap from this member's data: transactions that only others have are lost (guide 3.4, 5.2). Counts once, not
    /// when the same command starts again
    #[arg(long)]
    force_new_cluster: bool,
    /// Look, hear the others, and say what would be done now; do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Format of the log, which goes to standard error
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
    /// Output format of `--dry-run`
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
    /// Where this member's backups are
    #[arg(long, value_name = "DIR", default_value = backup::DIRECTORY, hide = true)]
    backups: PathBuf,
    /// More arguments for mariadbd
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Log {
    /// Human-readable
    Text,
    /// One JSON document a line
    Json,
}

const HELP: &str = "\
It needs ROOT/conf/pfcluster.key, the same on all members (`pfcluster key new`), and the members must \
reach each other's management addresses on UDP port 4254. What it sends is signed with a key of this \
member's own, /var/lib/pfcluster/signing.key, which it makes at its first start.

It refuses to run beside PacketFence's own pf-mariadb and galera-autofix. While the member is in \
maintenance, it starts nothing.

Exit status: 0 it was told to end, and the database has ended; 2 it could not begin. With --dry-run: \
0 there is something to do or everything is in service, 1 wait or refuse, 2 it could not be done.";

impl Supervise {
    pub(super) fn format(&self) -> Option<AnswerFormat> {
        self.dry_run.then_some(self.format)
    }

    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if self.dry_run
            && let Some(answer) = self.ask_the_running_one(&global.run_directory)?
        {
            writeln!(printer.err, "note: a supervisor runs; this is its own answer")?;
            printer.out.write_all(answer.as_bytes())?;
            return Ok(ExitStatus::Fine);
        }
        let setup = self.setup(global, matches, printer)?;
        let mut voice = Speaker { log: self.log, out: printer.err, told_systemd: !self.dry_run };
        if !self.dry_run {
            supervise(setup, &mut voice)?;
            return Ok(ExitStatus::Fine);
        }
        let status = rehearse(setup, global.timeout().max(Duration::from_secs(2)), &mut Quiet(voice))?;
        match self.format {
            AnswerFormat::Json => printer.out.write_all(report::json(&status).as_bytes())?,
            AnswerFormat::Text => report::text(&status, printer.color, printer.out)?,
        }
        Ok(match status.decision.map(|decision| decision.action) {
            None | Some(Action::Wait { .. } | Action::Refuse { .. }) => ExitStatus::No,
            Some(_) => ExitStatus::Fine,
        })
    }

    fn ask_the_running_one(&self, run_directory: &Path) -> Result<Option<String>, CommandError> {
        Ok(control::ask(run_directory, &Request::Status { json: self.format == AnswerFormat::Json })?)
    }

    fn setup(&self, global: &Global, matches: &ArgMatches, printer: &mut Printer<'_>) -> Result<Setup, CommandError> {
        let root = global.root();
        let gathered = gather(global, matches, None, printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let me = global.host()?;
        let members: Vec<_> = Names::of(&installation.cluster, &gathered.situation)?.hosts().cloned().collect();
        if !members.contains(&me) {
            return Err(CommandError::Usage {
                message: format!("{me} has no part in the cluster's database"),
                help: format!(
                    "the members are {}",
                    members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                ),
            });
        }
        let settings = global.database(&root)?;
        let account = Account::for_peers(&root, Some(&settings), installation.pf_conf.as_ref(), &global.overrides())?;
        Ok(Setup {
            root,
            me,
            members,
            settings,
            account,
            arguments: self.arguments.clone(),
            backups: self.backups.clone(),
            run_directory: global.run_directory.clone(),
            state_directory: global.state_directory.clone(),
            force: self.force_new_cluster,
            cluster: installation.cluster,
        })
    }
}

/// Tells the log and systemd.
struct Speaker<'p> {
    log: Log,
    out: &'p mut dyn Write,
    told_systemd: bool,
}

impl Speaker<'_> {
    fn line(&mut self, text: &str) {
        // systemd's journal has times of its own.
        let time = match std::env::var_os("JOURNAL_STREAM") {
            Some(_) => String::new(),
            None => format!("{} ", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ")),
        };
        let time = if self.log == Log::Text { time } else { String::new() };
        // A log that can't be written must not end the database.
        let _ = writeln!(self.out, "{time}{text}").and_then(|()| self.out.flush());
    }

    fn systemd(&self, state: NotifyState<'_>) {
        if self.told_systemd {
            // Without systemd there is nobody to tell.
            let _ = sd_notify::notify(&[state]);
        }
    }
}

impl Voice for Speaker<'_> {
    fn event(&mut self, event: &Event) {
        let text = match self.log {
            Log::Text => report::line(event),
            Log::Json => report::json_line(event, Timestamp::now()),
        };
        self.line(&text);
        if let Event::Decided { action, .. } = event {
            self.systemd(NotifyState::Status(&action.to_string()));
        }
    }

    fn note(&mut self, note: &Note) {
        let text = match self.log {
            Log::Text => format!("note: {}: {}", note.message, note.help),
            Log::Json => report::json_note(note, Timestamp::now()),
        };
        self.line(&text);
    }

    fn status(&self, status: &Status, json: bool) -> String {
        if json {
            return report::json(status);
        }
        let mut out = Vec::new();
        // A vector takes everything.
        let _ = report::text(status, false, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn evidence(&self, status: &Status) -> String {
        report::evidence(status, &Taken::now())
    }

    fn ready(&mut self) {
        self.systemd(NotifyState::Ready);
    }

    fn ending(&mut self) {
        const TEXT: &str = "told to end: the database ends first";
        let text = match self.log {
            Log::Text => TEXT.to_owned(),
            Log::Json => report::json_ending(TEXT, Timestamp::now()),
        };
        self.line(&text);
        self.systemd(NotifyState::Stopping);
    }
}

/// Of a rehearsal only what could not be found out is said beside the answer.
struct Quiet<'p>(Speaker<'p>);

impl Voice for Quiet<'_> {
    fn event(&mut self, _event: &Event) {}

    fn note(&mut self, note: &Note) {
        // As all other commands say it.
        let _: io::Result<()> = writeln!(self.0.out, "note: {}: {}", note.message, note.help);
    }

    fn status(&self, status: &Status, json: bool) -> String {
        self.0.status(status, json)
    }

    fn evidence(&self, status: &Status) -> String {
        self.0.evidence(status)
    }

    fn ready(&mut self) {}

    fn ending(&mut self) {}
}
