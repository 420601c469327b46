//! `pfcluster key`: the secret that the supervisors share.

use clap::{Args, Subcommand};

use super::Global;
use crate::host::key;
use crate::run::{CommandError, ExitStatus, Printer};

/// The secret that the supervisors of a cluster share
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make ROOT/conf/pfcluster.key
    ///
    /// Once, on one member. Then name it in conf/cluster-files.txt, so that `pfcluster sync` brings it to the others.
    New {
        /// Replace the one that is there. Until all members have the new one, those with different keys don't hear each other
        #[arg(long)]
        replace: bool,
    },
}

impl Key {
    pub(super) fn run(&self, global: &Global, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let Verb::New { replace } = self.verb;
        let root = global.root();
        let path = key::create(&root, replace)?;
        writeln!(printer.err, "note: {} is new", path.display())?;
        writeln!(
            printer.err,
            "hint: name it in {}, so that `pfcluster sync --as-master` brings it to all members",
            root.file("conf/cluster-files.txt").display()
        )?;
        Ok(ExitStatus::Fine)
    }
}
