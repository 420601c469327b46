//! The harness of the tests: cases in text files that an administrator can read and extend.
//!
//! ```text
//! # Why this case is there.
//! command word key=value
//! input, line by line, blank lines and comments included
//! ----
//! expected output, up to the next blank line
//! ```
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test testdata` writes what the program says now into the files: read the
//! difference before you commit it.

pub mod commands;
pub mod decisions;
pub mod fuzz;
pub mod galera;
pub mod guard;
pub mod lab;
pub mod members;
pub mod netns;
pub mod program;
pub mod rogue;
pub mod schema;
pub mod sim;
pub mod snapshot;
pub mod webservices;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config as ProptestConfig, RngSeed};

/// For property tests: at least 512 cases, the same in each run, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` ask for
/// others or for more.
pub fn property_config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    let cases = config.cases.max(512);
    ProptestConfig { cases, max_local_rejects: cases * 128, failure_persistence: None, rng_seed, ..config }
}

/// One case of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The sentences before it, without `#`.
    pub why: String,
    /// The first word of the command line.
    pub command: String,
    /// The other words.
    pub words: Vec<String>,
    /// The input.
    pub input: String,
    /// The expected output, every line with its line end.
    pub expected: String,
    /// The line (from 1) of the command.
    pub line: usize,
}

impl Case {
    /// The value of the word `key=value`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// True if the word is there.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }
}

/// Where the text files are.
pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The text files of a folder below testdata/, in order of their names.
///
/// # Panics
/// If the folder can't be read.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(testdata().join(folder)).expect("the folder is part of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    files
}

/// The cases of a file's text.
///
/// # Errors
/// A sentence about a case that is not complete.
pub fn cases(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut why = String::new();
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = line.strip_prefix('#') {
            let _ = writeln!(why, "{}", comment.trim());
            continue;
        }
        if line.trim().is_empty() {
            // A comment with a blank line below it is about the file.
            why.clear();
            continue;
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut case = Case { why: std::mem::take(&mut why), line: number + 1, ..Case::default() };
        case.command = words.next().unwrap_or_default();
        case.words = words.collect();
        loop {
            match lines.next() {
                Some((_, "----")) => break,
                Some((_, line)) => case.input += &format!("{line}\n"),
                None => return Err(format!("line {}: the case has no `----`", case.line)),
            }
        }
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            case.expected += &format!("{line}\n");
        }
        cases.push(case);
    }
    Ok(cases)
}

/// The file's text with other outputs, for `REWRITE=1`. Comments and inputs stay as they are.
pub fn rewritten(text: &str, outputs: &[String]) -> String {
    let mut out = String::new();
    let mut outputs = outputs.iter();
    let (mut in_input, mut in_output) = (false, false);
    for line in text.lines() {
        if in_output {
            if !line.trim().is_empty() {
                continue;
            }
            in_output = false;
        }
        out += &format!("{line}\n");
        if in_input {
            if line == "----" {
                (in_input, in_output) = (false, true);
                out += outputs.next().map_or("", String::as_str);
            }
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            in_input = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# About the file.\n\n# Why.\ncheck a=b c\n# input\n\nx=1\n----\none\ntwo\n\n# Next.\nshow\n----\nthree\n";

    #[test]
    fn cases_are_read() {
        let cases = cases(FILE).expect("complete cases");
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].why.as_str(), cases[0].input.as_str()), ("Why.\n", "# input\n\nx=1\n"));
        assert_eq!((cases[0].expected.as_str(), cases[0].value("a")), ("one\ntwo\n", Some("b")));
        assert!(cases[0].has("c"));
        assert_eq!((cases[1].command.as_str(), cases[1].expected.as_str()), ("show", "three\n"));
    }

    #[test]
    fn an_open_case_is_an_error() {
        assert!(cases("check\ninput\n").is_err());
    }

    #[test]
    fn rewriting_changes_only_the_outputs() {
        let outputs = ["one\ntwo\n".to_owned(), "three\n".to_owned()];
        assert_eq!(rewritten(FILE, &outputs), FILE);
        let other = rewritten(FILE, &["new\n".to_owned(), String::new()]);
        assert_eq!(other, FILE.replace("one\ntwo\n", "new\n").replace("three\n", ""));
    }
}
