//! Programs that the lab runs, and waiting for what they do.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::error::{LabError, Result};

/// Runs a program to its end; its standard output.
///
/// # Errors
/// If it can't be started or ends with another status than 0: with all it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
    checked(Command::new(program).args(arguments))
}

/// [`run`], for a command that is made elsewhere.
///
/// # Errors
/// As [`run`].
pub fn checked(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| LabError::about(&shown(command), error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(LabError(format!("{}: {}\n{}", shown(command), output.status, said(&output))))
}

/// Everything a program said.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Asks again and again; how long it took to become true. The machine is shared and may be slow: nobody should take the
/// deadline for a measure.
///
/// # Errors
/// If it did not become true; with `tell`'s answer.
pub fn wait_until(
    what: &str,
    deadline: Duration,
    mut is_so: impl FnMut() -> bool,
    tell: impl FnOnce() -> String,
) -> Result<Duration> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > deadline {
            return Err(LabError(format!("not within {deadline:?}: {what}\n{}", tell())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(began.elapsed())
}
