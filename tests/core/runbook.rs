//! Runbooks: reviewed texts, laws over random clusters and all versions, and every command against lists of what there is.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test core -- runbook` writes what the program says now into testdata/runbook: read the
//! difference before you commit it.

mod books;
mod commands;
mod coverage;
mod laws;
mod shell;

use books::{Kind, books, example};
use pfcluster_cli::report::runbook::{Shown, list_json};
use pfcluster_guide::runbook::{Name, Request, RunbookError, runbook};
use pfcluster_tests::schema::{assert_fits, assert_valid, validator};
use pfcluster_tests::snapshot::reviewed_in;
use serde_json::Value;

/// The examples, with the versions and the supervisors whose runbooks are shown.
const SHOWN: [(&str, &str, bool); 4] =
    [("guide", "14.1", false), ("guide", "8.4", false), ("five-members", "14.1", false), ("two-zones", "14.1", true)];

#[test]
fn the_examples_are_as_reviewed() {
    let mut differs = Vec::new();
    for (name, version, supervised) in SHOWN {
        let cluster = example(name);
        for (kind, book) in books(&cluster, version.parse().expect("a version"), supervised) {
            let mut text = Vec::new();
            Shown { runbook: &book, supervised, only: None }.text(&mut text).expect("a vector takes it");
            let text = String::from_utf8(text).expect("a text");
            let database = if supervised { "supervised" } else { "packetfence" };
            let file = format!("{kind}-{name}-{version}-{database}.txt");
            if reviewed_in("runbook/reviewed", &file, &text) != text {
                differs.push(file);
            }
        }
    }
    assert!(differs.is_empty(), "not as reviewed: {differs:#?}");
}

/// As Markdown, and one host's part, once.
#[test]
fn the_other_forms_are_as_reviewed() {
    let cluster = example("guide");
    let request = books::request(Kind::Plain(Name::FullRecovery), &cluster, "14.1".parse().expect("a version"), false);
    let book = runbook(Name::FullRecovery, &request).expect("a runbook");
    let mut text = Vec::new();
    Shown { runbook: &book, supervised: false, only: None }.markdown(&mut text).expect("a vector takes it");
    let text = String::from_utf8(text).expect("a text");
    assert_eq!(text, reviewed_in("runbook/reviewed", "full-recovery.md", &text));
    assert_eq!(text.matches("```").count() % 2, 0, "every block ends");
    let host = "pf1.example.com".parse().expect("a host name");
    for (name, form) in [("full-recovery-pf1.txt", false), ("full-recovery-pf1.md", true)] {
        let mut text = Vec::new();
        let shown = Shown { runbook: &book, supervised: false, only: Some(&host) };
        if form { shown.markdown(&mut text) } else { shown.text(&mut text) }.expect("a vector takes it");
        let text = String::from_utf8(text).expect("a text");
        assert_eq!(text, reviewed_in("runbook/reviewed", name, &text));
    }
}

#[test]
fn the_documents_fit_the_schema() {
    let validator = validator("runbook.json");
    let parse = |text: String| serde_json::from_str::<Value>(&text).expect("JSON");
    assert_fits("runbook.json", &parse(list_json()));
    for (name, version, supervised) in SHOWN {
        let cluster = example(name);
        for (_, book) in books(&cluster, version.parse().expect("a version"), supervised) {
            let mut shown = Shown { runbook: &book, supervised, only: None };
            assert_valid(&validator, &parse(shown.json(None)));
            let host = cluster.members().next().map(|member| member.host.clone());
            shown.only = host.as_ref();
            let document = parse(shown.json(None));
            assert_valid(&validator, &document);
            let steps = document["steps"].as_array().expect("a list");
            let is_on = |step: &Value| {
                step["on"]
                    .as_array()
                    .is_some_and(|on| on.contains(&Value::from(host.as_ref().map(ToString::to_string))))
            };
            assert!(steps.iter().all(is_on), "only that host's part");
            let of_host = book.steps.iter().filter(|step| host.as_ref().is_some_and(|host| step.on.contains(host)));
            assert_eq!(steps.len(), of_host.count(), "all of that host's part");
        }
    }
}

#[test]
fn every_name_is_read_as_it_is_printed() {
    for name in Name::ALL {
        assert_eq!(name.as_str().parse(), Ok(name));
    }
    assert!("Upgrade".parse::<Name>().is_err());
}

/// What has to be chosen is asked for, and what can't be is refused.
#[test]
fn a_choice_is_never_guessed() {
    let cluster = example("guide");
    let host = |name: &str| name.parse().expect("a host name");
    for name in Name::ALL.into_iter().filter(|name| name.about().is_some()) {
        let mut request = Request::new(&cluster, "14.1".parse().expect("a version"));
        assert_eq!(runbook(name, &request), Err(RunbookError::Whom(name)));
        if name != Name::AddMember {
            request.members = vec![host("pf9.example.com")];
            assert_eq!(runbook(name, &request), Err(RunbookError::NotAMember(host("pf9.example.com"))));
        }
        request.members = cluster.members().map(|member| member.host.clone()).collect();
        let answer = runbook(name, &request);
        let is_refused = matches!(answer, Err(RunbookError::OnlyOne(_) | RunbookError::NobodyLeft(_)));
        assert!(is_refused, "{name} about everybody: {answer:?}");
        let Err(error) = answer else { continue };
        assert!(!error.help().is_empty());
    }
    let mut request = Request::new(&cluster, "14.1".parse().expect("a version"));
    request.members = vec![host("pf4.example.com")];
    let Err(RunbookError::Addresses(missing)) = runbook(Name::AddMember, &request) else { panic!("addresses") };
    assert_eq!(missing.len(), 3);
    assert_eq!(runbook(Name::RenameInterfaces, &request), Err(RunbookError::Renames));
    let zones = example("two-zones");
    let request = Request::new(&zones, "14.1".parse().expect("a version"));
    assert_eq!(runbook(Name::MoveToMultiZone, &request), Err(RunbookError::HasZones));
}
