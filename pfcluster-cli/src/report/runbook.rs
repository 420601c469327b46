//! Runbooks as JSON; as text and Markdown in the files below.

mod markdown;
mod text;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Action, Checked, InsteadOf, Name, Progress, Runbook, Standing, Step, Verify, Versions};
use serde::Serialize;

use super::json::versioned;
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
        #[derive(Serialize)]
        struct Document<'r> {
            runbook: &'static str,
            summary: &'static str,
            guide: Option<&'static str>,
            packetfence: PfVersion,
            database: &'static str,
            r#for: Option<&'r Hostname>,
            before: &'r [String],
            steps: Vec<StepDocument<'r>>,
            progress: Option<ProgressDocument<'r>>,
        }
        #[derive(Serialize)]
        struct ProgressDocument<'r> {
            asked_by: &'r Hostname,
            standing: Standing,
            next: Option<usize>,
            notes: &'r [Note],
        }
        let (runbook, name) = (self.runbook, self.runbook.name);
        versioned(Document {
            runbook: name.as_str(),
            summary: name.summary(),
            guide: guide(name.guide()),
            packetfence: runbook.version,
            database: self.database(),
            r#for: self.only,
            before: &runbook.before,
            steps: self.steps().map(|(number, step)| StepDocument::new(number, step, verified)).collect(),
            progress: verified.map(|verified| ProgressDocument {
                asked_by: verified.me,
                standing: verified.progress.standing(),
                next: verified.progress.next.map(|next| next + 1),
                notes: verified.notes,
            }),
        })
    }
}

/// The list of all, as schemas/runbook.json says.
pub fn list_json() -> String {
    #[derive(Serialize)]
    struct Document {
        runbooks: Vec<One>,
    }
    #[derive(Serialize)]
    struct One {
        name: &'static str,
        summary: &'static str,
        guide: Option<&'static str>,
        about: Option<&'static str>,
    }
    let one = |name: &Name| One {
        name: name.as_str(),
        summary: name.summary(),
        guide: guide(name.guide()),
        about: name.about(),
    };
    versioned(Document { runbooks: Name::ALL.iter().map(one).collect() })
}

fn guide(section: &str) -> Option<&str> {
    Some(section).filter(|section| !section.is_empty())
}

#[derive(Serialize)]
struct StepDocument<'r> {
    number: usize,
    title: &'r str,
    on: &'r [Hostname],
    one_by_one: bool,
    guide: Option<&'r str>,
    versions: Versions,
    warnings: &'r [String],
    irreversible: Option<&'r str>,
    actions: &'r [Action],
    verify: Vec<CheckDocument<'r>>,
    back: &'r [Action],
    instead_of: &'r [InsteadOf],
    standing: Option<StandingDocument>,
}

#[derive(Serialize)]
struct StandingDocument {
    state: Standing,
    by: Option<usize>,
}

#[derive(Serialize)]
struct CheckDocument<'r> {
    kind: &'static str,
    text: String,
    command: Option<String>,
    landmark: bool,
    standing: Option<CheckedDocument<'r>>,
}

#[derive(Serialize)]
struct CheckedDocument<'r> {
    state: Standing,
    why: Option<&'r str>,
    elsewhere: bool,
}

impl<'r> StepDocument<'r> {
    fn new(number: usize, step: &'r Step, verified: Option<&Verified<'r>>) -> StepDocument<'r> {
        let standing = verified.map(|verified| &verified.progress.steps[number - 1]);
        let verify = step.verify.iter().enumerate();
        let verify = verify.map(|(at, verify)| CheckDocument::new(verify, standing.map(|step| &step.checks[at])));
        StepDocument {
            number,
            title: &step.title,
            on: &step.on,
            one_by_one: step.one_by_one,
            guide: guide(step.guide),
            versions: step.versions,
            warnings: &step.warnings,
            irreversible: step.irreversible.as_deref(),
            actions: &step.actions,
            verify: verify.collect(),
            back: &step.back,
            instead_of: &step.instead_of,
            standing: standing
                .map(|step| StandingDocument { state: step.standing, by: step.by.map(|number| number + 1) }),
        }
    }
}

impl<'r> CheckDocument<'r> {
    fn new(verify: &Verify, checked: Option<&'r Checked>) -> CheckDocument<'r> {
        let check = &verify.check;
        CheckDocument {
            kind: check.kind(),
            text: check.to_string(),
            command: check.command(),
            landmark: verify.is_landmark,
            standing: checked.map(|checked| CheckedDocument {
                state: checked.standing,
                why: Some(&*checked.why).filter(|why| !why.is_empty()),
                elsewhere: checked.is_elsewhere,
            }),
        }
    }
}

/// What a step says of the original way that no step before it has said.
fn new_instead_of<'s>(step: &'s Step, said: &mut Vec<&'s InsteadOf>) -> Vec<&'s InsteadOf> {
    let mut new = Vec::new();
    for one in &step.instead_of {
        if !said.contains(&one) {
            said.push(one);
            new.push(one);
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
        _ if step.one_by_one => format!("on {names}, one at a time: complete the checks before the next one"),
        _ => format!("on each of {names}"),
    }
}
