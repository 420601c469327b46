//! The terminal that a person sits at.

use std::io::{self, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// True if a person can be asked: what is said is seen, and the answer is typed.
pub fn has_person() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Runs `read` while the terminal does not show what is typed.
///
/// # Errors
/// The system's, if standard input is no terminal.
pub fn without_echo<T>(read: impl FnOnce() -> T) -> io::Result<T> {
    let before = tcgetattr(io::stdin())?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
    let read = read();
    tcsetattr(io::stdin(), OptionalActions::Flush, &before)?;
    Ok(read)
}
