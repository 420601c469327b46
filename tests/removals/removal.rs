//! What can be removed, and whether the sources still are what that was written for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pfcluster_tests::{cases, files, testdata};

/// The documentation of record.
const OF_RECORD: [&str; 3] = ["galera/bootstrap/mod.rs", "galera/evidence.rs", "supervisor/mod.rs"];

/// Something that can be removed.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    /// What it is called.
    pub(crate) id: String,
    /// The file, below pfcluster-core/src.
    pub(crate) file: String,
    /// The text that is there.
    pub(crate) old: String,
    /// The text in its place, with REMOVED where it is asked whether this removal is on.
    pub(crate) new: String,
    /// Its sentence of record.
    sentence: String,
    /// What breaks without it.
    pub(crate) histories: Vec<History>,
}

/// A test that breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct History {
    /// The target of `cargo test`.
    pub(crate) target: String,
    /// Its name there, or a part of it.
    pub(crate) name: String,
}

impl History {
    /// A text case is known by a part of its name, for that begins with its line.
    pub(crate) fn is_case(&self) -> bool {
        self.target == "testdata"
    }
}

/// All of tests/testdata/removals.
///
/// # Panics
/// If a file can't be read.
pub(crate) fn all() -> Vec<Removal> {
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a readable test file");
    let texts: Vec<String> = files("removals").iter().map(read).collect();
    let cases = texts.iter().flat_map(|text| cases(text).expect("complete cases"));
    cases
        .map(|case| {
            let is_history = |line: &&str| line.starts_with("breaks ");
            let histories = case.why.lines().filter(is_history).filter_map(|line| {
                let (target, name) = line.strip_prefix("breaks ")?.split_once(' ')?;
                Some(History { target: target.to_owned(), name: name.to_owned() })
            });
            let sentence: Vec<&str> = case.why.lines().filter(|line| !is_history(line)).collect();
            Removal {
                id: case.words.first().cloned().unwrap_or_default(),
                file: case.value("in").unwrap_or_default().to_owned(),
                old: case.input.trim_end_matches('\n').to_owned(),
                new: case.expected.trim_end_matches('\n').to_owned(),
                sentence: sentence.join(" "),
                histories: histories.collect(),
            }
        })
        .collect()
}

impl Removal {
    /// Its text occurs once, it is switched, its sentence is in the documentation, and its histories are there.
    pub(crate) fn applies(&self) -> Result<(), String> {
        let source = std::fs::read_to_string(core().join(&self.file)).map_err(|why| format!("{}: {why}", self.file))?;
        let times = source.matches(&self.old).count();
        if times != 1 {
            return Err(format!("{} has {times} times:\n{}", self.file, self.old));
        }
        if !self.new.contains("REMOVED") {
            return Err("nothing in the new text asks whether it is REMOVED".to_owned());
        }
        if all().iter().filter(|other| other.id == self.id).count() != 1 {
            return Err(format!("two removals are called {}", self.id));
        }
        if self.sentence.is_empty() || !documentation(&source).contains(&self.sentence) {
            return Err(format!("no documentation says: {}", self.sentence));
        }
        if self.histories.is_empty() {
            return Err("no history breaks without it".to_owned());
        }
        self.histories.iter().try_for_each(History::is_there)
    }
}

impl History {
    fn is_there(&self) -> Result<(), String> {
        let times = if self.is_case() { self.times_as_case() } else { self.times_as_function() };
        if times == 1 {
            Ok(())
        } else {
            Err(format!("{} has {times} tests that are called {}", self.target, self.name))
        }
    }

    fn times_as_case(&self) -> usize {
        let folders = ["bootstrap", "supervisor"].into_iter().flat_map(files);
        let texts = folders.map(|path| std::fs::read_to_string(path).expect("a readable test file"));
        let is_meant = |text: String| {
            let cases = cases(&text).expect("complete cases").into_iter();
            cases.filter(|case| case.why.lines().next().is_some_and(|line| line.contains(&self.name))).count()
        };
        texts.map(is_meant).sum()
    }

    fn times_as_function(&self) -> usize {
        let path: Vec<&str> = self.name.split("::").collect();
        let Some((function, modules)) = path.split_last() else { return 0 };
        let folder = match (&*self.target, modules) {
            ("simulation_cases", modules) => format!("simulation/cases/{}.rs", modules.join("/")),
            (target, _) => format!("core/{target}.rs"),
        };
        let source = std::fs::read_to_string(tests().join(folder)).unwrap_or_default();
        source.matches(&format!("\nfn {function}()")).count()
    }
}

/// Each numbered rule of the documentation can be removed, as a whole or in parts.
pub(crate) fn has_every_rule() -> Result<(), String> {
    let source = std::fs::read_to_string(core().join(OF_RECORD[0])).expect("a readable source file");
    let rules = comments(&source).filter_map(|line| {
        let (number, _) = line.split_once(". ")?;
        number.trim().parse::<u8>().ok()
    });
    let is_removed = |rule: &u8| {
        let (whole, part) = (format!("rule-{rule}"), format!("rule-{rule}-"));
        all().iter().any(|removal| removal.id == whole || removal.id.starts_with(&part))
    };
    let rules: BTreeSet<u8> = rules.collect();
    match rules.iter().find(|rule| !is_removed(rule)) {
        Some(rule) => Err(format!("nothing says what breaks without rule {rule}")),
        None if rules.len() < 12 => Err(format!("the documentation has {} rules only", rules.len())),
        None => Ok(()),
    }
}

/// Each field of [`pfcluster_core::galera::Records`] can be removed.
pub(crate) fn has_every_field() -> Result<(), String> {
    let source = std::fs::read_to_string(core().join("galera/evidence.rs")).expect("a readable source file");
    let fields =
        source.split("pub struct Records {").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default();
    let fields: Vec<&str> =
        fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    let is_removed = |field: &&&str| all().iter().any(|removal| removal.id == format!("record-{field}"));
    match fields.iter().find(|field| !is_removed(field)) {
        Some(field) => Err(format!("nothing says what breaks without the record {field}")),
        None if fields.is_empty() => Err("the records have no fields".to_owned()),
        None => Ok(()),
    }
}

/// The comments of a source file.
fn comments(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| Some(line.trim().strip_prefix("//")?.trim_start_matches(['/', '!'])))
}

/// What is of record, and the comments of this source file, as one line.
fn documentation(source: &str) -> String {
    let of_record = OF_RECORD.map(|file| std::fs::read_to_string(core().join(file)).expect("a readable source file"));
    let lines = of_record.iter().map(|text| &**text).chain([source]).flat_map(comments);
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The folder of this crate.
fn tests() -> PathBuf {
    testdata().with_file_name("")
}

/// The folder of all crates.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder").to_owned()
}

fn core() -> PathBuf {
    repository().join("pfcluster-core/src")
}
