//! Carrying out the steps of maintenance.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use pfcluster_guide::maintenance::{FLAG_FILE, HAS_MONIT, Program, Step};

use super::{HostError, Root, files, machine, marks};

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    systemctl: PathBuf,
    pfcmd: PathBuf,
}

impl Programs {
    /// systemd's and PacketFence's own; both from `directory`, if one is given.
    pub fn new(root: &Root, directory: Option<&Path>) -> Programs {
        match directory {
            Some(directory) => Programs { systemctl: directory.join("systemctl"), pfcmd: directory.join("pfcmd") },
            None => Programs { systemctl: systemctl(), pfcmd: root.file("bin/pfcmd") },
        }
    }

    /// True if monit is installed.
    ///
    /// # Errors
    /// [`HostError::Run`] if systemd can't be asked.
    pub fn has_monit(&self) -> Result<bool, HostError> {
        let (program, arguments) = HAS_MONIT;
        let status = self.command(program, arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.map(|status| status.success()).map_err(|error| self.error(program, files::plain(&error)))
    }

    fn error(&self, program: Program, reason: String) -> HostError {
        let help = "see what it says itself, and run it as root, on a member".to_owned();
        HostError::Run { program: self.path(program).to_owned(), reason, help }
    }

    fn path(&self, program: Program) -> &Path {
        match program {
            Program::Systemctl => &self.systemctl,
            Program::Pfcmd => &self.pfcmd,
        }
    }

    fn command(&self, program: Program, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path(program));
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

/// systemd's program. Where it is not installed, the usual place is named in the error.
pub(super) fn systemctl() -> PathBuf {
    machine::program("systemctl").unwrap_or_else(|| "/usr/bin/systemctl".into())
}

/// Takes one step. What a program says goes to standard error.
///
/// # Errors
/// [`HostError`] if the flag can't be written, or the program can't be run or fails.
pub fn take(step: Step, root: &Root, programs: &Programs) -> Result<(), HostError> {
    match step {
        Step::SetFlag => marks::set(root, FLAG_FILE),
        Step::ClearFlag => marks::clear(root, FLAG_FILE),
        Step::Run(program, arguments) => {
            let status = programs.command(program, arguments).stdout(Stdio::from(io::stderr())).status();
            match status {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(programs.error(program, ended(status))),
                Err(error) => Err(programs.error(program, files::plain(&error))),
            }
        }
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "it ended in an unknown way".to_owned(),
    }
}
