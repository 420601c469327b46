//! What a decision is: what to do, why, and what a person can do about it.

use std::fmt;

use crate::cluster::Hostname;

/// An answer about the state of the world. Waiting and refusing are actions like others: they too have reasons.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<A, R> {
    /// What to do.
    pub action: A,
    /// Why, the most telling first.
    pub reasons: Vec<R>,
    /// What a person can do next, in order. Empty where there is nothing to do.
    pub remedy: Vec<Step>,
}

/// One step for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A command, ready for a shell.
    Run {
        /// The member to run it on; `None` if any will do.
        on: Option<Hostname>,
        /// The command line.
        command: String,
    },
    /// What no command does: an imperative sentence without a final period.
    Do {
        /// The sentence.
        what: String,
    },
}

impl Step {
    pub(crate) fn run(on: &Hostname, command: impl Into<String>) -> Step {
        Step::Run { on: Some(on.clone()), command: command.into() }
    }

    pub(crate) fn run_anywhere(command: impl Into<String>) -> Step {
        Step::Run { on: None, command: command.into() }
    }

    pub(crate) fn advice(what: impl Into<String>) -> Step {
        Step::Do { what: what.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Run { on: Some(host), command } => write!(f, "on {host}: {command}"),
            Step::Run { on: None, command } => f.write_str(command),
            Step::Do { what } => f.write_str(what),
        }
    }
}

/// Host names, for instance, as a sentence has them: `pf1`, `pf1 and pf2`, `pf1, pf2 and pf3`.
pub(crate) fn and<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.to_string(),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(ToString::to_string).collect();
            format!("{} and {last}", most.join(", "))
        }
    }
}
