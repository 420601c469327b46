//! `pfcluster conflict watch`: the scheduled check, instead of PacketFence's own.

use std::thread;
use std::time::{Duration, Instant};

use clap::{ArgMatches, Args};
use jiff::Timestamp;
use pfcluster_core::conflict::{Action, ConflictMonitor, Outcome, Poll, checks_itself, task_file};

use super::resolve::{Done, carry_out};
use super::{Conflict, decide};
use crate::commands::scene::Scene;
use crate::commands::{AnswerFormat, Global};
use crate::host::machine;
use crate::output::{CommandError, ExitStatus, Printer};

/// Check periodically, and resolve conflicts that persist
///
/// Only the member that holds the virtual management address checks. A conflict is resolved once the last check without
/// one is longer ago than `conflict_resolution_threshold` of pf.conf. It writes a line for each check, and runs until it is
/// stopped. PacketFence's own check must be off: it resolves every conflict at once. (`pfcmd service pf start` and
/// `restart` do so too, whatever is off.)
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// Seconds between two checks; 0 is off
    #[arg(long, value_name = "SECONDS", default_value_t = ConflictMonitor::INTERVAL.as_secs())]
    interval: u64,
}

impl Watch {
    pub(super) fn run(
        &self,
        conflict: &Conflict,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        if conflict.format == AnswerFormat::Json {
            return Err(CommandError::Usage {
                message: "`watch` writes a line for each check, and no JSON".to_owned(),
                help: "leave `--format json` away".to_owned(),
            });
        }
        let interval = Duration::from_secs(self.interval);
        // Time counts from here: not the time of day, which jumps.
        let start = Instant::now();
        let mut monitor = ConflictMonitor::new(interval, ConflictMonitor::THRESHOLD);
        loop {
            refuse_beside_packetfence(global)?;
            let until = match check(&mut monitor, start, conflict, global, matches, printer) {
                Ok(Some(until)) => until,
                Ok(None) => return Ok(ExitStatus::Fine),
                // What can't be done at the start is a mistake; later it may pass.
                Err(error) if monitor.history.checked.is_none() => return Err(error),
                Err(CommandError::Output(error)) => return Err(CommandError::Output(error)),
                Err(error) => {
                    writeln!(printer.err, "error: {error}")?;
                    start.elapsed() + interval
                }
            };
            thread::sleep(until.saturating_sub(start.elapsed()));
        }
    }
}

/// One check, if it is due. Returns when to look again; `None` if never.
fn check(
    monitor: &mut ConflictMonitor,
    start: Instant,
    conflict: &Conflict,
    global: &Global,
    matches: &ArgMatches,
    printer: &mut Printer<'_>,
) -> Result<Option<Duration>, CommandError> {
    let mut scene = Scene::read(global, matches, &conflict.connection, printer)?;
    monitor.threshold = scene.threshold;
    let own = machine::own_addresses().unwrap_or_default();
    let holds_vip = scene.vip.is_some_and(|vip| own.contains(&vip));
    match monitor.poll(start.elapsed(), holds_vip) {
        Poll::Off => {
            say("off: the interval is 0", printer)?;
            return Ok(None);
        }
        Poll::Wait { until } => return Ok(Some(until)),
        Poll::NotHolder => {
            say("nothing: another member holds the virtual management address", printer)?;
            return Ok(Some(start.elapsed() + monitor.interval));
        }
        _ => {}
    }
    let asked = scene.ask(printer)?;
    asked.explain(printer)?;
    let now = start.elapsed();
    let decision = decide(&asked.versions, conflict.policy.into())?;
    let found = match &decision.action {
        Action::InSync => "in sync".to_owned(),
        Action::NothingToCompare => "nothing to compare".to_owned(),
        Action::Push { member, version, .. } => format!("conflict: {member} is to push version {version}"),
    };
    let outcome = monitor.observe(now, holds_vip, &decision.action);
    match outcome {
        Outcome::Recorded => say(&format!("{found}; the first check only looks"), printer)?,
        Outcome::Grace { elapsed } => {
            let (elapsed, threshold) = (elapsed.as_secs(), monitor.threshold.as_secs());
            say(&format!("{found}; left alone for {elapsed} s of {threshold} s"), printer)?;
        }
        Outcome::Resolve { .. } => {
            say(&found, printer)?;
            let _lock = scene.lock()?;
            match carry_out(&mut scene, &decision, conflict.policy.into(), printer)? {
                Done::Changed => say("members say something else by now: nothing was pushed", printer)?,
                Done::Pushed(reports) => {
                    let failed: Vec<&str> =
                        reports.iter().filter(|report| !report.is_fine()).map(|report| &*report.name).collect();
                    let what = if failed.is_empty() {
                        "pushed".to_owned()
                    } else {
                        format!("pushed, but not to {}", failed.join(", "))
                    };
                    say(&what, printer)?;
                }
            }
        }
        _ => say(&found, printer)?,
    }
    Ok(Some(now + monitor.interval))
}

fn say(what: &str, printer: &mut Printer<'_>) -> Result<(), CommandError> {
    writeln!(printer.out, "{} {what}", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))?;
    Ok(printer.out.flush()?)
}

/// Two checks with different rules would push over each other.
fn refuse_beside_packetfence(global: &Global) -> Result<(), CommandError> {
    let root = global.root();
    let version = global.version(&root)?;
    let file = task_file(version);
    let mut texts = Vec::new();
    for name in [file.to_owned(), format!("{file}.defaults")] {
        texts.extend(root.read(&name)?);
    }
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    if !checks_itself(&texts) {
        return Ok(());
    }
    Err(CommandError::Usage {
        message: "PacketFence's own check is on, and resolves every conflict at once".to_owned(),
        help: format!("set `status=disabled` in `[cluster_check]` of {} on all members", root.file(file).display()),
    })
}
