//! The host side of pfcluster: everything that reads, writes or asks. It gathers, asks `pfcluster-core`, and reports.
//!
//! With the feature `cli` (default) it is also the command line; other programs, the Python module among them, take the
//! library without it.

#[cfg(feature = "cli")]
mod commands;
pub mod documents;
pub mod host;
#[cfg(feature = "cli")]
mod output;
pub mod report;
#[cfg(feature = "cli")]
mod run;

#[cfg(feature = "cli")]
pub use commands::command_line;
#[cfg(feature = "cli")]
pub use output::ExitStatus;
#[cfg(feature = "cli")]
pub use run::{Env, run};
