//! What went wrong in the lab, in a sentence.

use std::fmt;

/// A sentence for a person.
pub struct LabError(pub String);

/// What everything in the lab answers.
pub type Result<T = ()> = std::result::Result<T, LabError>;

impl LabError {
    /// With what was attempted before the colon.
    pub fn about(what: &str, why: impl fmt::Display) -> LabError {
        LabError(format!("{what}: {why}"))
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As it is displayed: a test that returns it shows it so.
impl fmt::Debug for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LabError {}

impl From<std::io::Error> for LabError {
    fn from(error: std::io::Error) -> LabError {
        LabError(error.to_string())
    }
}

impl From<mysql::Error> for LabError {
    fn from(error: mysql::Error) -> LabError {
        LabError(error.to_string())
    }
}
