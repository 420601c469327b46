//! What the fuzz targets do with bytes, each with its law: a broken one panics. `tests/fuzz` runs them under the fuzzer, and
//! the test `fuzz_corpora` on the committed inputs.

pub mod database;
pub mod document;
pub mod evidence;
pub mod galera_files;
pub mod generate;
pub mod host_files;
pub mod supervisor;
pub mod webservices;
pub mod worker;

use pfcluster_core::printable::is_invisible;
use serde_json::Value;

/// A target: its name, which is that of its corpus, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 9] = [
    ("supervisor", supervisor::run),
    ("database", database::run),
    ("document", document::run),
    ("generate", generate::run),
    ("evidence", evidence::run),
    ("galera_files", galera_files::run),
    ("webservices", webservices::run),
    ("worker", worker::run),
    ("host_files", host_files::run),
];

/// Runs the target of this name.
///
/// # Panics
/// If there is none, or the input breaks its law.
pub fn run(target: &str, bytes: &[u8]) {
    let (_, run) = TARGETS.into_iter().find(|(name, _)| *name == target).expect("a target of this name");
    run(bytes);
}

/// What separates the files that one input has.
const SEPARATOR: &[u8] = b"\n----\n";

/// The files of an input.
fn files(bytes: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        // The line end belongs to the file.
        files.push(&rest[..=at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    files.push(rest);
    files
}

/// Nothing in the text acts on a terminal, hides, or reorders; lines end.
fn assert_printable(text: &str) {
    let bad = text.chars().find(|c| c.is_control() && *c != '\n' || is_invisible(*c));
    assert!(bad.is_none(), "{bad:?} in {text:?}");
}

/// The same of a text of one line: no line is forged.
fn assert_one_line(text: &str) {
    assert_printable(text);
    assert!(!text.contains('\n'), "{text:?}");
}

/// The same of every text of a JSON document.
fn assert_printable_json(document: &Value) {
    match document {
        Value::String(text) => assert_printable(text),
        Value::Array(values) => values.iter().for_each(assert_printable_json),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            assert_one_line(name);
            assert_printable_json(value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A JSON document that was written, with every text printable.
fn assert_printable_text_of_json(text: &str) {
    assert_printable_json(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")));
}
