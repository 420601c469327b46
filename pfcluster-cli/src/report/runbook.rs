//! Runbooks as JSON; as text and Markdown in the files below.

mod markdown;
mod text;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::runbook::{Action, Checked, Mend, Name, Progress, Runbook, Standing, Step, Verify};
use serde_json::{Value, json};

use super::json::text as pretty;
use crate::host::evidence::Note;

pub use text::list as list_text;

/// A runbook, and how it is shown.
#[derive(Debug)]
pub struct Shown<'r> {
    /// The runbook.
    pub runbook: &'r Runbook,
    /// `pfcluster mariadb supervise` starts the databases.
    pub supervised: bool,
    /// Only this host's part.
    pub only: Option<&'r Hostname>,
}

/// How far somebody has come, as one machine sees it.
#[derive(Debug)]
pub struct Verified<'r> {
    /// The machine.
    pub me: &'r Hostname,
    /// What was found.
    pub progress: &'r Progress,
    /// What could not be found out.
    pub notes: &'r [Note],
}

impl Shown<'_> {
    /// The steps that are shown, with their numbers from 1.
    fn steps(&self) -> impl Iterator<Item = (usize, &Step)> {
        let steps = (1..).zip(&self.runbook.steps);
        steps.filter(|(_, step)| self.only.is_none_or(|host| step.on.contains(host)))
    }

    fn database(&self) -> &'static str {
        if self.supervised { "pfcluster" } else { "packetfence" }
    }

    /// As schemas/runbook.json says.
    pub fn json(&self, verified: Option<&Verified<'_>>) -> String {
        let (runbook, name) = (self.runbook, self.runbook.name);
        let steps: Vec<Value> = self.steps().map(|(number, step)| step_document(number, step, verified)).collect();
        pretty(&json!({
            "version": 1,
            "runbook": name.as_str(),
            "summary": name.summary(),
            "guide": guide(name.guide()),
            "packetfence": runbook.version.to_string(),
            "database": self.database(),
            "for": self.only,
            "before": runbook.before,
            "steps": steps,
            "progress": verified.map(|verified| json!({
                "asked_by": verified.me,
                "standing": verified.progress.standing().kind(),
                "next": verified.progress.next.map(|next| next + 1),
                "notes": verified.notes,
            })),
        }))
    }
}

/// The list of all, as schemas/runbook.json says.
pub fn list_json() -> String {
    let runbooks = Name::ALL.iter().map(|name| {
        json!({
            "name": name.as_str(),
            "summary": name.summary(),
            "guide": guide(name.guide()),
            "about": name.about(),
        })
    });
    pretty(&json!({ "version": 1, "runbooks": runbooks.collect::<Vec<_>>() }))
}

fn guide(section: &str) -> Option<&str> {
    Some(section).filter(|section| !section.is_empty())
}

fn step_document(number: usize, step: &Step, verified: Option<&Verified<'_>>) -> Value {
    let standing = verified.map(|verified| &verified.progress.steps[number - 1]);
    let verify = step.verify.iter().enumerate();
    let verify = verify.map(|(at, verify)| check_document(verify, standing.map(|standing| &standing.checks[at])));
    let mends = step.mends.iter().map(|mend| json!({ "original": mend.original, "why": mend.why }));
    json!({
        "number": number,
        "title": step.title,
        "on": step.on,
        "one_by_one": step.one_by_one,
        "guide": guide(step.guide),
        "versions": {
            "from": step.versions.from.to_string(),
            "before": step.versions.before.map(|before| before.to_string()),
        },
        "warnings": step.warnings,
        "irreversible": step.irreversible,
        "actions": step.actions.iter().map(action_document).collect::<Vec<_>>(),
        "verify": verify.collect::<Vec<_>>(),
        "back": step.back.iter().map(action_document).collect::<Vec<_>>(),
        "instead_of": mends.collect::<Vec<_>>(),
        "standing": standing.map(|standing| json!({
            "state": standing.standing.kind(),
            "by": standing.by.map(|step| step + 1),
        })),
    })
}

fn action_document(action: &Action) -> Value {
    match action {
        Action::Run { command, only } => json!({ "kind": "run", "command": command, "only": only }),
        Action::Sql { client, statements } => json!({ "kind": "sql", "client": client, "statements": statements }),
        Action::Edit { file, lines } => json!({ "kind": "edit", "file": file, "lines": lines }),
        Action::Do { what } => json!({ "kind": "do", "what": what }),
        other => json!({ "kind": other.kind() }),
    }
}

fn check_document(verify: &Verify, checked: Option<&Checked>) -> Value {
    let check = &verify.check;
    json!({
        "kind": check.kind(),
        "text": check.to_string(),
        "command": check.command(),
        "landmark": verify.is_landmark,
        "standing": checked.map(|checked| json!({
            "state": checked.standing.kind(),
            "why": Some(&checked.why).filter(|why| !why.is_empty()),
            "elsewhere": checked.is_elsewhere,
        })),
    })
}

/// What a step says of the original way that no step before it has said.
fn new_mends<'s>(step: &'s Step, said: &mut Vec<&'s Mend>) -> Vec<&'s Mend> {
    let mut new = Vec::new();
    for mend in &step.mends {
        if !said.contains(&mend) {
            said.push(mend);
            new.push(mend);
        }
    }
    new
}

/// The words for a person.
fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Done => "done",
        Standing::NotYet => "not yet",
        Standing::CannotTell => "can't tell",
    }
}

/// Where a step is taken: `on pf1 and pf2, one after the other`.
fn place(step: &Step) -> String {
    let names: Vec<&str> = step.on.iter().map(Hostname::as_str).collect();
    let names = match names.split_last() {
        Some((last, most)) if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => names.concat(),
    };
    match step.on.len() {
        1 => format!("on {names}"),
        _ if step.one_by_one => format!("on {names}, one after the other: verify before you go to the next"),
        _ => format!("on each of {names}"),
    }
}
