//! What a command writes to, and how it ends.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use crate::host::HostError;
use crate::host::sync::SyncError;

/// How a command ended. Public interface: scripts and monitoring rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: fine.
    Fine,
    /// 1: the answer is no (findings, unhealthy, drift, ...).
    No,
    /// 2: it could not be done (bad usage, unreadable input).
    Failed,
    /// 2, for monitoring: a person must act now.
    Critical,
    /// 3, for monitoring: it could not be found out.
    Unknown,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(match status {
            ExitStatus::Fine => 0,
            ExitStatus::No => 1,
            ExitStatus::Failed | ExitStatus::Critical => 2,
            ExitStatus::Unknown => 3,
        })
    }
}

/// What a command writes to: data to `out`, everything else to `err`.
pub(crate) struct Printer<'e> {
    pub(crate) stdin: &'e mut dyn Read,
    pub(crate) out: &'e mut dyn Write,
    pub(crate) err: &'e mut dyn Write,
    /// Whether `out` takes colours.
    pub(crate) color: bool,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The arguments make no sense together, or name something that is not there.
    #[error("{message}")]
    Usage { message: String, help: String },
    /// The host would not.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A member that the command is about would not.
    #[error("{message}")]
    Member { kind: &'static str, message: String, help: String },
    /// The reader of the output has gone.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl From<SyncError> for CommandError {
    fn from(error: SyncError) -> CommandError {
        let (kind, help) = (error.kind(), error.help());
        match error {
            SyncError::Host(error) => CommandError::Host(error),
            error if kind == "usage" => CommandError::Usage { message: error.to_string(), help },
            error => CommandError::Member { kind, message: error.to_string(), help },
        }
    }
}

impl CommandError {
    /// A stable word for the kind of error.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            CommandError::Usage { .. } => "usage",
            CommandError::Host(error) => error.kind(),
            CommandError::Member { kind, .. } => kind,
            CommandError::Output(_) => "output",
        }
    }

    /// What a person can do about it.
    pub(crate) fn help(&self) -> &str {
        match self {
            CommandError::Usage { help, .. } | CommandError::Member { help, .. } => help,
            CommandError::Host(error) => error.help(),
            CommandError::Output(_) => "check that the program that reads the output stays until its end",
        }
    }
}
