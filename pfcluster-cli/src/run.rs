//! From arguments to an exit status. Nothing else writes to the terminal.

use std::ffi::OsString;
use std::io::{self, Read, Write};

use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};

use crate::commands::{Cli, Color, Format, command_line};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::{json, nagios};

/// What the program talks to: its three streams.
pub struct Env {
    stdin: Box<dyn Read>,
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    /// What `--color auto` means.
    auto_color: bool,
}

impl Env {
    /// The streams of this process.
    pub fn of_process() -> Env {
        let auto_color = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let stdout = Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout()));
        Env { stdin: Box::new(io::stdin()), stdout, stderr: Box::new(io::stderr()), auto_color }
    }

    /// Other streams, for tests and for programs that embed the commands.
    pub fn new(stdin: impl Read + 'static, stdout: impl Write + 'static, stderr: impl Write + 'static) -> Env {
        Env { stdin: Box::new(stdin), stdout: Box::new(stdout), stderr: Box::new(stderr), auto_color: false }
    }
}

/// Runs the command that `args` (program name first) ask for.
pub fn run(args: impl IntoIterator<Item = OsString>, env: &mut Env) -> ExitStatus {
    let args: Vec<OsString> = args.into_iter().collect();
    let wants_json = wants(&args, "json");
    let parsed =
        command_line().try_get_matches_from(&args).and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    match parsed {
        Ok((cli, matches)) => run_command(&cli, &matches, env),
        Err(error) if is_for_monitoring(&args) && error.use_stderr() => {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let written = writeln!(env.stdout, "{}", nagios::unknown(message)).and_then(|()| env.stdout.flush());
            if written.is_ok() { ExitStatus::Unknown } else { ExitStatus::Failed }
        }
        Err(error) => usage_error(&error, wants_json, env),
    }
}

/// A monitoring system reads one line, also of what it has asked wrongly.
fn is_for_monitoring(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--nagios") || wants(args, "nagios")
}

/// This format is asked for, as far as arguments that were not understood can tell.
fn wants(args: &[OsString], format: &str) -> bool {
    let joined = ["--format=", "-f", "-f="].map(|option| format!("{option}{format}"));
    args.windows(2).any(|pair| (pair[0] == "--format" || pair[0] == "-f") && pair[1] == format)
        || args.iter().any(|arg| joined.iter().any(|option| arg == option.as_str()))
}

fn run_command(cli: &Cli, matches: &ArgMatches, env: &mut Env) -> ExitStatus {
    let color = match cli.global.color {
        Color::Auto => env.auto_color,
        Color::Always => true,
        Color::Never => false,
    };
    let mut printer = Printer { stdin: &mut *env.stdin, out: &mut *env.stdout, err: &mut *env.stderr, color };
    let done = cli.run(matches, &mut printer).and_then(|status| {
        printer.out.flush()?;
        Ok(status)
    });
    match done {
        Ok(status) => status,
        // `pfcluster check | head` has what it wants.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Failed,
        Err(error) => {
            // Where even this cannot be written, the exit status still says it.
            let _ = if cli.command.format() == Some(Format::Json) {
                writeln!(printer.out, "{}", json::error(error.kind(), &error.to_string(), error.help()))
            } else {
                writeln!(printer.err, "error: {error}\nhint: {}", error.help())
            };
            let _ = printer.out.flush();
            ExitStatus::Failed
        }
    }
}

/// clap's own answers: help and version are data, the rest is bad usage.
fn usage_error(error: &clap::Error, wants_json: bool, env: &mut Env) -> ExitStatus {
    let text = error.render();
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let written = match (is_answer, wants_json) {
        (true, _) => write!(env.stdout, "{text}").and_then(|()| env.stdout.flush()),
        (false, true) => {
            let message = text.to_string();
            let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let document = json::error("usage", message, "see `pfcluster --help`");
            writeln!(env.stdout, "{document}").and_then(|()| env.stdout.flush())
        }
        (false, false) => write!(env.stderr, "{text}"),
    };
    if is_answer && written.is_ok() { ExitStatus::Fine } else { ExitStatus::Failed }
}
