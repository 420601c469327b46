//! Every command of every runbook exists: pfcluster's for its own parser, the others in a list by version.

use std::collections::BTreeSet;

use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::Versions;
use pfcluster_tests::testdata;

use super::books::{VERSIONS, books, example};
use super::shell::{commands, lines, quoted, texts};

/// A line of testdata/runbook/commands.txt.
struct Known {
    versions: Versions,
    supervised_only: bool,
    words: Vec<String>,
}

impl Known {
    fn takes(&self, words: &[String]) -> bool {
        let mut words = words.iter();
        for pattern in &self.words {
            match (&**pattern, words.next()) {
                ("...", _) => return true,
                (pattern, Some(word)) if pattern == "*" || pattern == word => {}
                _ => return false,
            }
        }
        words.next().is_none()
    }
}

/// `10.0-    systemctl restart NAME`; `7.0-*`: only with pfcluster's own unit.
fn known() -> Vec<Known> {
    let text = std::fs::read_to_string(testdata().join("runbook/commands.txt")).expect("the list");
    let version = |text: &str| text.parse::<PfVersion>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (range, command) = line.split_once(' ').unwrap_or_else(|| panic!("`{line}` has no command"));
            let (range, supervised_only) = range.strip_suffix('*').map_or((range, false), |range| (range, true));
            let (from, before) = range.split_once('-').unwrap_or_else(|| panic!("`{line}` has no versions"));
            let versions = Versions { from: version(from), before: (!before.is_empty()).then(|| version(before)) };
            // As a shell takes it apart, so a word can have blanks.
            Known { versions, supervised_only, words: commands(command).concat() }
        })
        .collect()
}

fn is_known(list: &[Known], words: &[String], version: PfVersion, supervised: bool) -> bool {
    list.iter().any(|known| known.versions.has(version) && (supervised || !known.supervised_only) && known.takes(words))
}

/// As the real program would.
fn is_understood(words: &[String]) -> Result<(), String> {
    match pfcluster_cli::command_line().try_get_matches_from(words) {
        // Help is an answer.
        Err(error) if error.use_stderr() => Err(format!("`{}`: {error}", words.join(" "))),
        _ => Ok(()),
    }
}

#[test]
fn every_command_exists_in_its_version() {
    let list = known();
    let mut used = vec![false; list.len()];
    let mut understood = BTreeSet::new();
    for name in ["guide", "five-members", "two-zones"] {
        let cluster = example(name);
        for text in VERSIONS {
            let version: PfVersion = text.parse().expect("a version");
            for supervised in [false, true] {
                for (kind, book) in books(&cluster, version, supervised) {
                    let said = texts(&book).iter().flat_map(|text| quoted(text)).collect::<Vec<_>>();
                    for line in lines(&book).iter().chain(&said) {
                        for words in commands(line) {
                            if words[0] == "pfcluster" {
                                if !understood.insert(words.clone()) {
                                    continue;
                                }
                                is_understood(&words).unwrap_or_else(|error| panic!("{kind} at {version}: {error}"));
                                continue;
                            }
                            assert!(is_known(&list, &words, version, supervised), "{kind} at {version}: {words:?}");
                            for (known, used) in list.iter().zip(&mut used) {
                                *used |= known.versions.has(version) && known.takes(&words);
                            }
                        }
                    }
                }
            }
        }
    }
    let unused: Vec<String> =
        list.iter().zip(used).filter(|(_, used)| !used).map(|(known, _)| known.words.join(" ")).collect();
    assert!(unused.is_empty(), "in the list, and in no runbook: {unused:#?}");
}

/// The judges themselves: what does not exist is not taken.
#[test]
fn what_does_not_exist_is_found() {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert!(is_understood(&words("pfcluster sync --as-master --from 192.168.1.5")).is_err());
    assert!(is_understood(&words("pfcluster mariadb allow forget pf2")).is_err());
    let list = known();
    let pfcmd = |rest: &str| words(&format!("/usr/local/pf/bin/pfcmd {rest}"));
    for (line, version, exists) in [
        ("service haproxy restart", PfVersion::new(7, 4), true),
        ("service haproxy restart", PfVersion::new(8, 4), false),
        ("service pfcron restart", PfVersion::new(10, 1), false),
        ("service pfcron restart", PfVersion::new(10, 2), true),
        ("service pf reload", PfVersion::NEWEST, false),
    ] {
        assert_eq!(is_known(&list, &pfcmd(line), version, false), exists, "{line} at {version}");
    }
    let force = words("systemctl set-environment MARIADB_ARGS=--force-new-cluster");
    assert!(!is_known(&list, &force, PfVersion::new(9, 3), false), "the unit does not look at it");
    assert!(is_known(&list, &force, PfVersion::new(9, 3), true), "pfcluster's does");
}
