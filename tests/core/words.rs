//! The glossary: no word that tests/testdata/words.txt replaces is in what people read: help, schemas, documentation, and what the
//! cases of tests/testdata show of messages.

use std::fs;
use std::path::{Path, PathBuf};

use pfcluster_tests::testdata;

/// One thing has one word.
struct Word {
    /// Not this one.
    not: String,
    /// But this.
    instead: String,
    /// Where it means something else: texts around it.
    except: Vec<String>,
}

impl Word {
    /// Where it is in this line, if it means there what it must not.
    fn is_in(&self, line: &str) -> bool {
        let mut line = line.to_lowercase();
        for except in &self.except {
            line = line.replace(except, "");
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        line.match_indices(&self.not).any(|(at, _)| {
            !line[..at].chars().next_back().is_some_and(is_word)
                && !line[at + self.not.len()..].chars().next().is_some_and(is_word)
        })
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

fn words() -> Vec<Word> {
    let text = fs::read_to_string(testdata().join("words.txt")).expect("words.txt");
    let mut words: Vec<Word> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(except) = line.strip_prefix("    except ") {
            words.last_mut().expect("a word before its exceptions").except.push(except.to_lowercase());
        } else {
            let (word, instead) = line.split_once(" -> ").expect("WORD -> INSTEAD");
            words.push(Word { not: word.to_owned(), instead: instead.to_owned(), except: Vec::new() });
        }
    }
    words
}

/// All files below, in order.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// What a file of cases shows: what is below `----` of each; all of a file that has none. Not the comments.
fn shown(text: &str) -> Vec<(usize, &str)> {
    let has_parts = text.lines().any(|line| line == "----");
    let mut is_shown = !has_parts;
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match line {
            "----" => is_shown = true,
            _ if line.starts_with("# ") && has_parts => is_shown = false,
            _ if is_shown && !line.starts_with('#') => all.push((number + 1, line)),
            _ => {}
        }
    }
    all
}

/// Every command's help, by its name.
fn help(command: &mut clap::Command, name: &str, all: &mut Vec<(String, String)>) {
    all.push((format!("help of {name}"), command.render_long_help().to_string()));
    for one in command.get_subcommands_mut() {
        let name = format!("{name} {}", one.get_name());
        help(one, &name, all);
    }
}

#[test]
fn one_thing_has_one_word() {
    let repository = repository();
    let mut texts = Vec::new();
    help(&mut pfcluster_cli::command_line(), "pfcluster", &mut texts);
    let mut files = vec![repository.join("README.md")];
    files_below(&repository.join("pfcluster-cli/schemas"), &mut files);
    files_below(&repository.join("pfcluster-cli/docs"), &mut files);
    for file in &files {
        texts.push((file.display().to_string(), fs::read_to_string(file).expect("UTF-8")));
    }
    let mut found = Vec::new();
    let words = words();
    let mut look = |name: &str, number: usize, line: &str| {
        for word in words.iter().filter(|word| word.is_in(line)) {
            found.push(format!("{name}:{number}: `{}`, use {}: {}", word.not, word.instead, line.trim()));
        }
    };
    for (name, text) in &texts {
        text.lines().enumerate().for_each(|(number, line)| look(name, number + 1, line));
    }
    for folder in
        ["bootstrap", "conflict", "doctor", "drill", "maintenance", "quorum", "runbook", "status", "supervisor", "cli"]
    {
        let mut cases = Vec::new();
        files_below(&testdata().join(folder), &mut cases);
        for file in cases.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")) {
            let text = fs::read_to_string(file).expect("UTF-8");
            let name = file.strip_prefix(&repository).expect("below it").display().to_string();
            shown(&text).into_iter().for_each(|(number, line)| look(&name, number, line));
        }
    }
    assert!(found.is_empty(), "{} of them:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_word_is_found_as_a_word() {
    let word = Word { not: "node".to_owned(), instead: "member".to_owned(), except: vec!["pfcluster node".to_owned()] };
    assert!(word.is_in("The Node is down"));
    assert!(!word.is_in("nodes, a_node, pfcluster node disable"));
}
