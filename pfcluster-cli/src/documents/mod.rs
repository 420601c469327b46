//! JSON that is read as well as written: by other members, by the next run, by this machine's supervisor.

pub mod backup;
pub mod evidence;

use serde::Serialize;

/// The version that every document carries.
const VERSION: u64 = 1;

/// A document: its version, and its own fields after it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Versioned<T> {
    version: u64,
    #[serde(flatten)]
    document: T,
}

impl<T> Versioned<T> {
    /// The document of the present version.
    pub fn new(document: T) -> Versioned<T> {
        Versioned { version: VERSION, document }
    }
}

/// The answer of a command that could not do its work.
pub fn error(kind: &str, message: &str, help: &str) -> String {
    #[derive(Serialize)]
    struct Document<'e> {
        error: Error<'e>,
    }
    #[derive(Serialize)]
    struct Error<'e> {
        kind: &'e str,
        message: &'e str,
        help: &'e str,
    }
    versioned(Document { error: Error { kind, message, help } })
}

/// A document with its version, as text.
pub fn versioned(document: impl Serialize) -> String {
    text(&Versioned::new(document))
}

/// Nothing that is written here can fail to be JSON: keys are strings, numbers are finite.
pub fn text(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
