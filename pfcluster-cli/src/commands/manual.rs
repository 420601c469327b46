//! `pfcluster completions` and `pfcluster man`: made from the same description as the command line itself.

use clap::Args;
use clap_complete::Shell;

use super::command_line;
use crate::output::{CommandError, ExitStatus, Printer};

/// Print completions for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line(), "pfcluster", &mut script);
        printer.out.write_all(&script)?;
        Ok(ExitStatus::Fine)
    }
}

/// The whole manual page: the program's part, then each command's.
pub(super) fn man(printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command_line()).render(&mut page)?;
    for command in command_line().get_subcommands().filter(|command| command.get_name() != "help") {
        let section = clap_mangen::Man::new(command.clone());
        section.render_synopsis_section(&mut page)?;
        section.render_description_section(&mut page)?;
        section.render_options_section(&mut page)?;
    }
    printer.out.write_all(&page)?;
    Ok(ExitStatus::Fine)
}
