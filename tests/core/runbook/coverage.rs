//! Every command of the guide is in a runbook, or there is a reason why not: testdata/runbook/guide.txt has the guide's commands,
//! coverage.txt where each of them is.

use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Action, Name, Runbook};
use pfcluster_tests::testdata;

use super::books::{books, example};
use super::shell::{commands, lines, texts};

fn list(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(testdata().join("runbook").join(name)).expect("the list");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// All runbooks of the guide's example in the versions whose commands differ.
fn all() -> Vec<(Name, Runbook)> {
    let cluster = example("guide");
    let mut all = Vec::new();
    for version in ["8.1", "10.0", "14.1"] {
        let version: PfVersion = version.parse().expect("a version");
        all.extend(books(&cluster, version, false).into_iter().map(|(kind, book)| (kind.name(), book)));
    }
    all
}

fn has(book: &Runbook, wanted: &str) -> bool {
    let (kind, rest) = wanted.split_once(' ').unwrap_or((wanted, ""));
    let actions = || book.steps.iter().flat_map(|step| &step.actions);
    match kind {
        "sql" => actions().any(|action| matches!(action, Action::Sql { statements, .. } if statements.iter().any(|one| one == rest))),
        "edit" => actions().any(|action| matches!(action, Action::Edit { file, lines } if file == rest || lines.iter().any(|line| line == rest))),
        "said" => texts(book).iter().any(|text| text.contains(rest)),
        "instead" => {
            let mut originals = book.steps.iter().flat_map(|step| &step.instead_of).filter_map(|one| one.original.as_ref());
            originals.any(|original| original.contains(rest))
        }
        // A word with blanks is one of the line's, so the line is compared as a whole.
        _ => {
            let pattern: Vec<&str> = wanted.split_whitespace().collect();
            let is_it = |words: &Vec<String>| {
                let words = words.join(" ");
                let words: Vec<&str> = words.split_whitespace().collect();
                words.len() == pattern.len() && words.iter().zip(&pattern).all(|(word, wanted)| *wanted == "*" || word == wanted)
            };
            lines(book).iter().any(|line| commands(line).iter().any(is_it))
        }
    }
}

#[test]
fn every_command_of_the_guide_has_its_place() {
    let (guide, coverage) = (list("guide.txt"), list("coverage.txt"));
    let places: Vec<(&str, &str)> =
        coverage.iter().map(|line| line.split_once(" -> ").unwrap_or_else(|| panic!("no place: {line}"))).collect();
    let covered: Vec<&str> = places.iter().map(|(command, _)| *command).collect();
    assert_eq!(guide, covered, "the two lists have the same commands, in the same order");
    let all = all();
    let mut missing = Vec::new();
    for (command, place) in places {
        let (name, wanted) = place.split_once("  ").unwrap_or_else(|| panic!("no runbook: {command}"));
        if name == "left out" {
            assert!(!wanted.is_empty(), "no reason: {command}");
            continue;
        }
        let name: Name = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        if !all.iter().any(|(other, book)| *other == name && has(book, wanted)) {
            missing.push(format!("{command} -> {place}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_is_not_there_is_missed() {
    let all = all();
    let (_, book) = all.iter().find(|(name, _)| *name == Name::Upgrade).expect("a runbook");
    assert!(has(book, "pfcluster node * disable") && !has(book, "pfcluster node disable"));
    assert!(has(book, "instead rm -fr /var/lib/mysql/*") && !has(book, "rm -fr /var/lib/mysql/*"));
}
