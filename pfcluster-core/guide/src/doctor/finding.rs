//! What a check came to.

use serde::{Serialize, Serializer};

use super::Check;
use pfcluster_core::decision::Step;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Pass,
    /// It can't be told.
    Unknown,
    /// It works, but not as it should.
    Warn,
    /// The cluster does not work with it, or loses data or secrets.
    Fail,
}

/// What a check came to on one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    #[serde(flatten)]
    pub check: &'static Check,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen, or why nothing was.
    pub seen: String,
    /// What mends it, in order, to be done on that server. Empty if nothing has to be.
    #[serde(serialize_with = "steps")]
    pub remedy: Vec<Step>,
}

/// What is run, and what a person does.
fn steps<S: Serializer>(steps: &[Step], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Written<'s> {
        Run(String),
        Do(&'s str),
    }
    serializer.collect_seq(steps.iter().map(|step| match step {
        Step::Do { what } => Written::Do(what),
        Step::Run { .. } => Written::Run(step.to_string()),
    }))
}

/// A finding before it is known whose it is.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) seen: String,
    pub(super) remedy: Vec<Step>,
}

impl Outcome {
    fn new(verdict: Verdict, seen: impl Into<String>) -> Outcome {
        Outcome { verdict, seen: seen.into(), remedy: Vec::new() }
    }

    pub(super) fn pass(seen: impl Into<String>) -> Outcome {
        Outcome::new(Verdict::Pass, seen)
    }

    pub(super) fn warn(seen: impl Into<String>) -> Outcome {
        Outcome::new(Verdict::Warn, seen)
    }

    pub(super) fn fail(seen: impl Into<String>) -> Outcome {
        Outcome::new(Verdict::Fail, seen)
    }

    /// Mended by this command.
    pub(super) fn run(mut self, command: impl Into<String>) -> Outcome {
        self.remedy.push(Step::run_anywhere(command));
        self
    }

    /// Mended by a new start of the database: it stops serving meanwhile.
    pub(super) fn restart_database(self) -> Outcome {
        self.advise("one member after the other, while the others are in service (`pfcluster status`):")
            .run("systemctl restart packetfence-mariadb")
    }

    /// Mended by what no command does.
    pub(super) fn advise(mut self, what: impl Into<String>) -> Outcome {
        self.remedy.push(Step::advice(what));
        self
    }
}

/// Several things that one check looks at: the worst verdict counts, everything that is wrong is said.
#[derive(Debug)]
pub(super) struct Sum {
    verdict: Verdict,
    seen: Vec<String>,
    remedy: Vec<Step>,
}

impl Sum {
    pub(super) fn new() -> Sum {
        Sum { verdict: Verdict::Pass, seen: Vec::new(), remedy: Vec::new() }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.verdict = self.verdict.max(outcome.verdict);
        self.seen.push(outcome.seen);
        for step in outcome.remedy {
            if !self.remedy.contains(&step) {
                self.remedy.push(step);
            }
        }
    }

    /// What to do when all of it is mended.
    pub(super) fn then(&mut self, what: impl Into<String>, command: impl Into<String>) {
        self.remedy.extend([Step::advice(what), Step::run_anywhere(command)]);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// `fine` is what was seen if nothing is wrong.
    pub(super) fn or_pass(self, fine: impl Into<String>) -> Outcome {
        let seen = if self.seen.is_empty() { fine.into() } else { self.seen.join("; ") };
        Outcome { verdict: self.verdict, seen, remedy: self.remedy }
    }
}
