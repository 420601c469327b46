//! The answer of `maintenance`, for people and for programs.

use std::io::{self, Write};

use pfcluster_core::form::{kind_of, texts};
use pfcluster_guide::maintenance::{Change, Step};
use serde::Serialize;

use super::json::versioned;

/// What came of a step.
#[derive(Serialize)]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
pub(crate) enum Standing {
    Done,
    /// Why.
    Failed(String),
    NotDone,
}

/// Where the server stands.
pub(crate) struct Outcome {
    /// What was asked for; `None` for a question.
    pub(crate) change: Option<Change>,
    pub(crate) dry_run: bool,
    pub(crate) steps: Vec<(Step, Standing)>,
    /// What leads back from a step that failed.
    pub(crate) back: Vec<Step>,
    /// The flag is there now.
    pub(crate) active: bool,
}

impl Outcome {
    pub(crate) fn has_failed(&self) -> bool {
        self.steps.iter().any(|(_, standing)| matches!(standing, Standing::Failed(_)))
    }

    /// As schemas/maintenance.json says.
    pub(crate) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'o> {
            active: bool,
            change: Option<Change>,
            dry_run: bool,
            steps: Vec<Taken<'o>>,
            go_on: Option<String>,
            #[serde(serialize_with = "texts")]
            go_back: &'o [Step],
        }
        #[derive(Serialize)]
        struct Taken<'o> {
            step: String,
            #[serde(flatten)]
            standing: &'o Standing,
        }
        let steps = self.steps.iter().map(|(step, standing)| Taken { step: step.to_string(), standing });
        versioned(Document {
            active: self.active,
            change: self.change,
            dry_run: self.dry_run,
            steps: steps.collect(),
            go_on: self.go_on(),
            go_back: &self.back,
        })
    }

    /// Every step may be taken again.
    fn go_on(&self) -> Option<String> {
        let change = self.change.filter(|_| self.has_failed())?;
        Some(format!("pfcluster maintenance --{}", kind_of(&change)))
    }

    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.dry_run {
            return self.steps.iter().try_for_each(|(step, _)| writeln!(out, "{step}"));
        }
        if !self.has_failed() {
            return writeln!(out, "Maintenance mode is {}", if self.active { "activated" } else { "deactivated" });
        }
        for (step, standing) in &self.steps {
            match standing {
                Standing::Done => writeln!(out, "done      {step}")?,
                Standing::Failed(why) => writeln!(out, "failed    {step}: {why}")?,
                Standing::NotDone => writeln!(out, "not done  {step}")?,
            }
        }
        writeln!(out, "\nHalf way: the flag is {}.", if self.active { "set" } else { "not set" })?;
        if let Some(command) = self.go_on() {
            writeln!(out, "To go on, when the cause is mended:\n  {command}")?;
        }
        writeln!(out, "To go back:")?;
        self.back.iter().try_for_each(|step| writeln!(out, "  {step}"))
    }
}
