//! No circle of `use` between files of different folders: a reader of one needs only those below it.
//!
//! At each level of a crate the files and folders there use each other's modules (`crate::`, `super::`, also outside of `use`).
//! Files of one folder may form a circle, and a module and those inside it do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where the crates are.
const CRATES: [&str; 5] = [
    "pfcluster-core/src",
    "pfcluster-core/guide/src",
    "pfcluster-core/sim/src",
    "pfcluster-core/testing/src",
    "pfcluster-cli/src",
];

/// What closes a circle today: the file, and what it uses. This list only gets shorter.
const TODAY: [(&str, &str); 2] = [
    // Workers carry out calls of web services, which are made by workers.
    ("pfcluster-cli/src/host/worker.rs", "host::webservices"),
    // Which policies there are stands beside what chooses one of ours and theirs.
    ("pfcluster-core/sim/src/others.rs", "mind"),
];

/// A file uses a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    file: String,
    module: String,
    /// The level at which they part, and which of its files or folders they are in.
    level: Vec<String>,
    from: String,
    to: String,
}

/// All uses of a crate.
struct Uses {
    all: BTreeSet<Use>,
    modules: BTreeSet<Vec<String>>,
}

impl Uses {
    /// Of these files below `root`: the path of each, and its text.
    fn new(root: &str, files: &[(String, String)]) -> Uses {
        let modules: BTreeSet<Vec<String>> = files.iter().map(|(file, _)| module(file)).collect();
        let mut all = BTreeSet::new();
        for (file, text) in files {
            let own = module(file);
            for path in paths(&without_comments(text)) {
                let other = resolved(&path, &own, &modules);
                let shared = own.iter().zip(&other).take_while(|(one, other)| one == other).count();
                // One that holds the other is no neighbour of it.
                if let (Some(from), Some(to)) = (own.get(shared), other.get(shared)) {
                    all.insert(Use {
                        file: format!("{root}/{file}"),
                        module: other.join("::"),
                        level: own[..shared].to_vec(),
                        from: from.clone(),
                        to: to.clone(),
                    });
                }
            }
        }
        Uses { all, modules }
    }

    /// Those that are part of a circle in which a folder is, if these exceptions are taken out.
    fn in_circles(&self, except: &[(&str, &str)]) -> Vec<&Use> {
        let counted = || self.all.iter().filter(|one| !except.contains(&(&one.file, &one.module)));
        let mut next = Next::new();
        for one in counted() {
            next.entry((&one.level, &one.from)).or_default().insert(&one.to);
        }
        let is_in_circle = |one: &Use| {
            let back = reached(&next, &one.level, &one.to);
            let closes = |other: &&str| reached(&next, &one.level, other).contains(&*one.from);
            back.contains(&*one.from)
                && back.iter().copied().filter(closes).any(|other| self.is_folder(&one.level, other))
        };
        counted().filter(|one| is_in_circle(one)).collect()
    }

    fn is_folder(&self, level: &[String], name: &str) -> bool {
        let is_inside = |module: &Vec<String>| module.starts_with(level) && module.len() > level.len() + 1;
        self.modules.iter().any(|module| is_inside(module) && module[level.len()] == name)
    }
}

/// At a level, what each file or folder uses.
type Next<'u> = BTreeMap<(&'u [String], &'u str), BTreeSet<&'u str>>;

/// What is used from there on.
fn reached<'u>(next: &Next<'u>, level: &[String], from: &str) -> BTreeSet<&'u str> {
    let mut reached: BTreeSet<&str> = next.get(&(level, from)).into_iter().flatten().copied().collect();
    let mut open: Vec<&str> = reached.iter().copied().collect();
    while let Some(one) = open.pop() {
        let more = next.get(&(level, one)).into_iter().flatten().copied();
        open.extend(more.filter(|one| reached.insert(one)));
    }
    reached
}

/// The module that a file is: `a/mod.rs` and `a.rs` are `a`.
fn module(file: &str) -> Vec<String> {
    let mut names: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    names.pop_if(|name| matches!(&**name, "mod" | "lib" | "main"));
    names
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths from the own crate or module on, those in braces one by one.
fn paths(text: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(root) {
            if !text[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':')) {
                branches(&text[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Takes one branch of a path apart, and returns the text after it.
fn branches<'t>(text: &'t str, before: &[&'t str], found: &mut Vec<Vec<&'t str>>) -> &'t str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|between: char| between.is_whitespace() || between == ',');
            match rest.strip_prefix('}') {
                Some(after) => return after,
                None if rest.is_empty() => return rest,
                None => rest = branches(rest, before, found),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = [before, &[name]].concat();
    if let Some(rest) = rest.strip_prefix("::") {
        return branches(rest, &path, found);
    }
    found.push(path);
    rest.trim_start_matches(|c| c != ',' && c != '}')
}

/// The deepest module on a path that `own` names.
fn resolved(path: &[&str], own: &[String], modules: &BTreeSet<Vec<String>>) -> Vec<String> {
    let mut here = own.to_vec();
    for name in path {
        match *name {
            "crate" => here.clear(),
            "self" => {}
            "super" => drop(here.pop()),
            name => {
                here.push(name.to_owned());
                if !modules.contains(&here) {
                    here.pop();
                    break;
                }
            }
        }
    }
    here
}

/// The sources below a directory, by their paths in it.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a readable directory") {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("below it").to_str().expect("plain names").to_owned();
                files.push((name, fs::read_to_string(&path).expect("a readable file")));
            }
        }
    }
    files
}

fn uses_of(name: &str) -> Uses {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let uses = Uses::new(name, &sources(&root));
    assert!(uses.all.len() > 10, "{name}: its modules use each other");
    uses
}

fn shown(uses: &[&Use]) -> String {
    uses.iter().map(|one| format!("{} uses {}", one.file, one.module)).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_circle_joins_folders() {
    for name in CRATES {
        let uses = uses_of(name);
        let circles = uses.in_circles(&TODAY);
        assert!(circles.is_empty(), "these form a circle of folders:\n{}", shown(&circles));
    }
}

#[test]
fn every_exception_is_still_needed() {
    let crates = CRATES.map(uses_of);
    for exception in TODAY {
        let others: Vec<_> = TODAY.into_iter().filter(|other| *other != exception).collect();
        let is_needed = crates.iter().any(|uses| !uses.in_circles(&others).is_empty());
        assert!(is_needed, "take {exception:?} out of the list");
    }
}

#[test]
fn a_circle_is_found_and_what_is_none_is_not() {
    let circles = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        shown(&Uses::new("src", &files).in_circles(&[]))
    };
    let host = ("host/mod.rs", "mod files;");
    let files = ("host/files.rs", "fn f() { crate::report::json::error() }");
    let json = ("report/json.rs", "use crate::{\n    host::{self as below, files::read},\n    other::Thing,\n};");
    assert_eq!(
        circles(&[host, files, json, ("report.rs", "mod json;")]),
        "src/host/files.rs uses report::json\nsrc/report/json.rs uses host\nsrc/report/json.rs uses host::files"
    );
    // Over a third one, which is a file.
    let run = ("run.rs", "use super::host::files;");
    assert_eq!(
        circles(&[host, ("host/files.rs", "use super::super::run::Env;"), run]),
        "src/host/files.rs uses run\nsrc/run.rs uses host::files"
    );
    // Comments, a module and what is inside it, and files of one folder.
    assert_eq!(circles(&[host, ("host/files.rs", "// crate::report::json"), json, ("report.rs", "mod json;")]), "");
    assert_eq!(circles(&[("host/mod.rs", "use self::files::Root;"), ("host/files.rs", "use super::HostError;")]), "");
    assert_eq!(circles(&[("run.rs", "use crate::output::Printer;"), ("output.rs", "use crate::run::Env;")]), "");
}
