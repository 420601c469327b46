//! Runbooks as Markdown, for a wiki or a ticket: task lists and blocks to copy from.

use std::io::{self, Write};

use pfcluster_guide::runbook::{Action, InsteadOf, Step};

use super::{Shown, new_instead_of, place};

impl Shown<'_> {
    /// The runbook as Markdown.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let runbook = self.runbook;
        writeln!(out, "# {}: {}\n", runbook.name, prose(runbook.name.summary()))?;
        let starts = if self.supervised { "`pfcluster mariadb supervise`" } else { "PacketFence's `pf-mariadb`" };
        let guide = runbook.name.guide();
        let guide = if guide.is_empty() { String::new() } else { format!("Clustering guide {guide}. ") };
        writeln!(
            out,
            "{guide}For PacketFence {}; the databases are started by {starts}. All commands as root.",
            runbook.version
        )?;
        if let Some(host) = self.only {
            writeln!(out, "\nOnly what is done on {}; wait where it says so.", prose(host.as_str()))?;
        }
        if !runbook.before.is_empty() {
            writeln!(out, "\n## Before\n")?;
            runbook.before.iter().try_for_each(|sentence| writeln!(out, "- {}", prose(sentence)))?;
        }
        let mut said = Vec::new();
        for (number, step) in (1..).zip(&runbook.steps) {
            if self.only.is_none_or(|host| step.on.contains(host)) {
                full(number, step, &mut said, out)?;
            } else {
                writeln!(out, "\n*Wait for {number}. {} ({})*", prose(&step.title), prose(&place(step)))?;
            }
        }
        Ok(())
    }
}

fn full<'s>(number: usize, step: &'s Step, said: &mut Vec<&'s InsteadOf>, out: &mut dyn Write) -> io::Result<()> {
    let guide = if step.guide.is_empty() { String::new() } else { format!(" (guide {})", step.guide) };
    writeln!(out, "\n## {number}. {}{guide}\n", prose(&step.title))?;
    writeln!(out, "- [ ] {}", prose(&place(step)))?;
    step.warnings.iter().try_for_each(|sentence| writeln!(out, "\n> **Note:** {}", prose(sentence)))?;
    if let Some(sentence) = &step.irreversible {
        let lead = if step.back.is_empty() { "Can't be undone" } else { "Warning" };
        writeln!(out, "\n> **{lead}:** {}", prose(sentence))?;
    }
    actions(&step.actions, out)?;
    if !step.verify.is_empty() {
        writeln!(out, "\nThen:\n")?;
    }
    for verify in &step.verify {
        let command = verify.check.command().map_or_else(String::new, |command| format!(" ({})", code(&command)));
        writeln!(out, "- [ ] {}{command}", prose(&verify.check.to_string()))?;
    }
    if !step.back.is_empty() {
        writeln!(out, "\nTo undo:")?;
        actions(&step.back, out)?;
    }
    let instead_of = new_instead_of(step, said);
    if !instead_of.is_empty() {
        writeln!(out)?;
    }
    instead_of.into_iter().try_for_each(|one| match &one.original {
        Some(original) => writeln!(out, "- {} is not used here: {}", code(original), prose(&one.why)),
        None => writeln!(out, "- Not in the guide: {}", prose(&one.why)),
    })
}

/// Commands that follow each other share a block.
fn actions(actions: &[Action], out: &mut dyn Write) -> io::Result<()> {
    let mut in_block = false;
    for action in actions {
        let is_command = matches!(action, Action::Run { only: None, .. });
        if in_block && !is_command {
            writeln!(out, "```")?;
        }
        match action {
            Action::Run { command, only: None } => {
                if !in_block {
                    writeln!(out, "\n```sh")?;
                }
                writeln!(out, "{command}")?;
            }
            Action::Run { command, only: Some(only) } => writeln!(out, "\n{only}:\n\n```sh\n{command}\n```")?,
            Action::Sql { client, statements } => {
                writeln!(out, "\n```sh\n{client}\n```\n\n```sql\n{}\n```", statements.join("\n"))?;
            }
            Action::Edit { file, lines } => {
                writeln!(out, "\n{} is to have:\n\n```ini\n{}\n```", code(file), lines.join("\n"))?;
            }
            Action::Do { what } => writeln!(out, "\n- {}", prose(what))?,
            other => writeln!(out, "\n- {}", pfcluster_core::form::kind_of(other))?,
        }
        in_block = is_command;
    }
    if in_block {
        writeln!(out, "```")?;
    }
    Ok(())
}

/// What stands between backticks stays; outside of them nothing is markup.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        in_code ^= c == '`';
        if !in_code && matches!(c, '*' | '_' | '<' | '>' | '[' | ']' | '\\' | '#' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A command may hold backticks itself.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
