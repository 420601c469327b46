//! `pfcluster conflict resolve`: has the configuration that wins pushed, by this member or by the one that has it.

use clap::Args;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{Action, ConfigVersion, Policy, Reason};
use pfcluster_core::decision::Decision;
use pfcluster_core::sync::Scope;

use super::{Conflict, decide, status_of};
use crate::commands::AnswerFormat;
use crate::commands::connection::confirmed;
use crate::commands::scene::{Asked, Scene};
use crate::host::sync::MemberReport;
use crate::host::terminal;
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::conflict as report;
use crate::report::sync::{self as sync_report, Direction};

/// Push the winning configuration to all members
///
/// This member pushes if it has the version that wins; else the first one that has it is asked to. All versions are read
/// again right before: what has changed meanwhile is not pushed over.
#[derive(Debug, Args)]
pub(super) struct Resolve {
    /// Don't ask
    #[arg(short = 'y', long)]
    yes: bool,
}

/// What came of a decision.
pub(super) enum Done {
    /// It was carried out: what arrived where, if this member pushed.
    Pushed(Vec<MemberReport>),
    /// Members say something else by now.
    Changed,
}

impl Resolve {
    pub(super) fn run(
        &self,
        conflict: &Conflict,
        scene: &mut Scene,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let _lock = scene.lock()?;
        let asked = scene.ask(printer)?;
        asked.explain(printer)?;
        let versions = asked.versions;
        let decision = decide(&versions, conflict.policy.into())?;
        let is_json = conflict.format == AnswerFormat::Json;
        if !matches!(decision.action, Action::Push { .. }) {
            report::print(is_json, &decision, &versions, printer.out)?;
            return Ok(status_of(&decision.action));
        }
        if !is_json {
            report::text(&decision, &versions, printer.out)?;
            writeln!(printer.out)?;
        }
        printer.out.flush()?;
        if !self.yes {
            confirm(printer)?;
        }
        match carry_out(scene, &decision, conflict.policy.into(), printer)? {
            Done::Changed => {
                writeln!(printer.err, "the versions of members changed meanwhile: nothing was pushed; look again")?;
                return Ok(ExitStatus::No);
            }
            Done::Pushed(reports) => {
                // The document says how members are afterwards; what failed on the way is said beside it.
                let out = if is_json { &mut *printer.err } else { &mut *printer.out };
                sync_report::text(Direction::Push, version_of(&decision), &reports, out)?;
            }
        }
        // Members are believed when they say it themselves.
        let Asked { versions, .. } = scene.ask(printer)?;
        let after = decide(&versions, conflict.policy.into())?;
        report::print(is_json, &after, &versions, printer.out)?;
        Ok(status_of(&after.action))
    }
}

fn confirm(printer: &mut Printer<'_>) -> Result<(), CommandError> {
    let help = "add `--yes`".to_owned();
    if !terminal::has_person() {
        return Err(CommandError::Usage { message: "there is no terminal to ask whether to push".to_owned(), help });
    }
    if confirmed("Overwrite the configurations that lose?", printer)? {
        return Ok(());
    }
    Err(CommandError::Usage { message: "nothing was pushed".to_owned(), help })
}

/// Reads all versions again, and if they still lead to the same action, has it done. The caller holds the lock.
pub(super) fn carry_out(
    scene: &mut Scene,
    decision: &Decision<Action, Reason>,
    policy: Policy,
    printer: &mut Printer<'_>,
) -> Result<Done, CommandError> {
    let Asked { versions, others } = scene.ask(printer)?;
    let again = decide(&versions, policy)?;
    let Action::Push { member, version, .. } = &again.action else { return Ok(Done::Changed) };
    if again.action != decision.action {
        return Ok(Done::Changed);
    }
    if *member == scene.sharing.me.host {
        let items = scene.items(&Scope::Everything { with_upstream_database: false })?;
        return Ok(Done::Pushed(scene.push(&items, others, Some(version), printer)?));
    }
    let peer = others.peers.iter().find(|peer| peer.name == member.as_str());
    let failed =
        peer.map(|peer| peer.ask_to_push(scene.push_limit)).transpose().map_err(|error| refused(member, &error))?;
    let failed = failed.unwrap_or_default();
    if !failed.is_empty() {
        writeln!(printer.err, "warning: {member} did not reach {}", failed.join(", "))?;
    }
    Ok(Done::Pushed(Vec::new()))
}

fn refused(member: &Hostname, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Member {
        kind: "member",
        message: format!("{member}, which has the version that wins, does not push it: {error}"),
        help: format!("on {member}: {}", pfcluster_core::conflict::SYNC),
    }
}

fn version_of(decision: &Decision<Action, Reason>) -> Option<&ConfigVersion> {
    match &decision.action {
        Action::Push { version, .. } => Some(version),
        _ => None,
    }
}
