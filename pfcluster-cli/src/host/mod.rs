//! What this machine has: files, its name, its database, and what its peers' databases say.

pub mod backup;
mod datadir;
mod directory;
pub mod doctor;
pub mod evidence;
pub mod files;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
pub mod install;
pub mod key;
pub mod lock;
pub mod machine;
pub mod maintenance;
pub mod mariadb;
pub mod marks;
mod option_file;
mod processes;
pub mod records;
mod recovery;
mod root;
pub mod runbook;
pub mod signing;
pub mod status;
pub mod supervise;
pub mod sync;
pub mod terminal;
pub mod webservices;
pub mod worker;

use std::path::PathBuf;

pub use root::Root;

/// What the host would not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A file can't be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A file can't be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A program can't be run, or fails.
    #[error("{}: {reason}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A file says something that can't be understood.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What to do.
        help: String,
    },
}

impl HostError {
    /// A stable word for the kind of error.
    pub fn kind(&self) -> &'static str {
        match self {
            HostError::Read { .. } => "unreadable",
            HostError::Write { .. } => "unwritable",
            HostError::Run { .. } => "unrunnable",
            HostError::Content { .. } => "content",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        match self {
            HostError::Read { help, .. }
            | HostError::Write { help, .. }
            | HostError::Run { help, .. }
            | HostError::Content { help, .. } => help,
        }
    }
}
