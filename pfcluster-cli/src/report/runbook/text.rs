//! Runbooks for a terminal, with a box for each step to tick.

use std::io::{self, Write};

use pfcluster_guide::runbook::{Action, InsteadOf, Name, Standing, Step};

use super::{Shown, Verified, new_instead_of, place, word};

/// The list of all.
///
/// # Errors
/// If it can't be written.
pub fn list(out: &mut dyn Write) -> io::Result<()> {
    for name in Name::ALL {
        let member = if name.about().is_some() { " HOST" } else { "" };
        let (name_and_member, summary) = (format!("{name}{member}"), name.summary());
        let guide = if name.guide().is_empty() { String::new() } else { format!(" (guide {})", name.guide()) };
        writeln!(out, "{name_and_member:20} {summary}{guide}")?;
    }
    Ok(())
}

impl Shown<'_> {
    /// The runbook.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let runbook = self.runbook;
        let (name, guide) = (runbook.name, runbook.name.guide());
        let guide = if guide.is_empty() { String::new() } else { format!(" (guide {guide})") };
        writeln!(out, "{}: {}{guide}", name, name.summary())?;
        let starts = if self.supervised { "pfcluster mariadb supervise" } else { "PacketFence's pf-mariadb" };
        writeln!(
            out,
            "For PacketFence {}; the databases are started by {starts}. All commands as root.",
            runbook.version
        )?;
        if let Some(host) = self.only {
            writeln!(out, "Only what is done on {host}; wait where it says so.")?;
        }
        if !runbook.before.is_empty() {
            writeln!(out, "\nBefore:")?;
            runbook.before.iter().try_for_each(|sentence| writeln!(out, "  - {sentence}"))?;
        }
        let mut said = Vec::new();
        for (number, step) in (1..).zip(&runbook.steps) {
            if self.only.is_none_or(|host| step.on.contains(host)) {
                full(number, step, &mut said, out)?;
            } else {
                writeln!(out, "\n      wait for {number}. {} ({})", step.title, place(step))?;
            }
        }
        Ok(())
    }

    /// How far somebody has come.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn progress(&self, verified: &Verified<'_>, out: &mut dyn Write) -> io::Result<()> {
        let progress = verified.progress;
        writeln!(out, "{}, as {} sees it:\n", self.runbook.name, verified.me)?;
        for (number, step) in self.steps() {
            let standing = &progress.steps[number - 1];
            let mark = match standing.standing {
                Standing::Done => 'x',
                Standing::NotYet => ' ',
                Standing::CannotTell => '?',
            };
            let decided = match (standing.by, standing.standing) {
                (Some(by), Standing::Done) => format!(", since step {} is done", by + 1),
                (Some(by), _) => format!(", since step {} is not", by + 1),
                (None, _) => String::new(),
            };
            writeln!(out, "[{mark}] {number:2}. {}: {}{decided}", step.title, word(standing.standing))?;
            if standing.by.is_some() {
                continue;
            }
            for (verify, checked) in step.verify.iter().zip(&standing.checks) {
                let why = if checked.why.is_empty() { String::new() } else { format!(" ({})", checked.why) };
                if checked.standing != Standing::Done || !why.is_empty() {
                    writeln!(out, "        {}: {}{why}", word(checked.standing), verify.check)?;
                }
            }
        }
        verified.notes.iter().try_for_each(|note| writeln!(out, "note: {} ({})", note.message, note.help))?;
        match progress.next {
            None => writeln!(out, "\nAll that {} can tell is done.", verified.me),
            Some(next) => {
                let step = &self.runbook.steps[next];
                writeln!(out, "\nNext: {}. {}, {}", next + 1, step.title, place(step))
            }
        }
    }
}

/// What was said of an earlier step is not said again.
fn full<'s>(number: usize, step: &'s Step, said: &mut Vec<&'s InsteadOf>, out: &mut dyn Write) -> io::Result<()> {
    let guide = if step.guide.is_empty() { String::new() } else { format!(" (guide {})", step.guide) };
    writeln!(out, "\n[ ] {number}. {}{guide}", step.title)?;
    writeln!(out, "      {}", place(step))?;
    step.warnings.iter().try_for_each(|sentence| writeln!(out, "      ! {sentence}"))?;
    if let Some(sentence) = &step.irreversible {
        let lead = if step.back.is_empty() { "can't be undone: " } else { "" };
        writeln!(out, "      !! {lead}{sentence}")?;
    }
    step.actions.iter().try_for_each(|one| action(one, out))?;
    for verify in &step.verify {
        let command = verify.check.command().map_or_else(String::new, |command| format!("   ({command})"));
        writeln!(out, "      [ ] {}{command}", verify.check)?;
    }
    if !step.back.is_empty() {
        writeln!(out, "      to undo:")?;
        step.back.iter().try_for_each(|one| action(one, out))?;
    }
    for one in new_instead_of(step, said) {
        match &one.original {
            Some(original) => writeln!(out, "      `{original}` is not used here: {}", one.why),
            None => writeln!(out, "      not in the guide: {}", one.why),
        }?;
    }
    Ok(())
}

fn action(action: &Action, out: &mut dyn Write) -> io::Result<()> {
    match action {
        Action::Run { command, only: None } => writeln!(out, "        # {command}"),
        Action::Run { command, only: Some(only) } => writeln!(out, "        # {command}   # {only}"),
        Action::Sql { client, statements } => {
            writeln!(out, "        # {client}")?;
            statements.iter().try_for_each(|one| writeln!(out, "        mysql> {one}"))
        }
        Action::Edit { file, lines } => {
            writeln!(out, "        - {file} is to have:")?;
            lines.iter().try_for_each(|line| writeln!(out, "        | {line}"))
        }
        Action::Do { what } => writeln!(out, "        - {what}"),
        other => writeln!(out, "        - {}", pfcluster_core::form::kind_of(other)),
    }
}
