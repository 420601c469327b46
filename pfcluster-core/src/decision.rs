//! What a decision is: what to do, why, and what a person can do about it.

use std::fmt;

use serde::Serialize;

use crate::cluster::Hostname;
use crate::command_line::{here, is_for_one_host};
use crate::form::{all_with_text, texts, with_text};

/// An answer about the state of the world. Waiting and refusing are actions like others: they too have reasons.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(bound = "A: Serialize + fmt::Display, R: Serialize + fmt::Display")]
pub struct Decision<A, R> {
    /// What to do.
    #[serde(serialize_with = "with_text")]
    pub action: A,
    /// Why, the most telling first.
    #[serde(serialize_with = "all_with_text")]
    pub reasons: Vec<R>,
    /// What a person can do next, in order. Empty where there is nothing to do.
    #[serde(serialize_with = "texts")]
    pub remedy: Vec<Step>,
}

/// One step for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command, ready for a shell.
    Run {
        /// The member to run it on; `None` if any will do.
        on: Option<Hostname>,
        /// The command line. One that changes something begins with a guard: it does nothing on another host, and says so there.
        command: String,
    },
    /// What no command does: an imperative sentence without a final period.
    Do {
        /// The sentence.
        what: String,
    },
}

impl Step {
    /// A command for one host; one that changes something there does nothing on any other.
    pub fn run(on: &Hostname, command: impl Into<String>) -> Step {
        let command = command.into();
        let command = if is_for_one_host(&command) { here(std::slice::from_ref(on), &command) } else { command };
        Step::Run { on: Some(on.clone()), command }
    }

    /// A command that does the same wherever it runs.
    pub fn run_anywhere(command: impl Into<String>) -> Step {
        Step::Run { on: None, command: command.into() }
    }

    /// What a person does.
    pub fn advice(what: impl Into<String>) -> Step {
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
pub fn and<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "no member".to_owned(),
        [one] => one.to_string(),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(ToString::to_string).collect();
            format!("{} and {last}", most.join(", "))
        }
    }
}
