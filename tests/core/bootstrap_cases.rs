//! The cases of tests/testdata/bootstrap as a whole: each answer fits its schema, and each kind of answer has a case.

use std::collections::BTreeSet;

use pfcluster_core::decision::Decision;
use pfcluster_core::form::WithText;
use pfcluster_core::galera::bootstrap::{Action, Reason, losses};
use pfcluster_tests::decisions::bootstrap::decision;
use pfcluster_tests::schema::{schema, words_of, words_of_schema};
use pfcluster_tests::{cases, files};
use serde_json::{Value, json};

fn decisions() -> impl Iterator<Item = (String, Decision<Action, Reason>)> {
    files("bootstrap").into_iter().flat_map(|path| {
        let text = std::fs::read_to_string(&path).expect("a readable test file");
        let cases = cases(&text).expect("complete cases");
        cases.into_iter().map(move |case| {
            let place = format!("{}:{}", path.display(), case.line);
            let decision = decision(&case).unwrap_or_else(|error| panic!("{place}: {error}"));
            (place, decision)
        })
    })
}

fn document(decision: &Decision<Action, Reason>) -> Value {
    let with_text = |mut value: Value, text: String| {
        value["text"] = text.into();
        value
    };
    let reasons = decision.reasons.iter().map(|reason| with_text(json!(reason), reason.to_string()));
    json!({
        "version": 1,
        "members": [],
        "losses": losses(decision).into_iter().map(WithText).collect::<Vec<_>>(),
        "action": with_text(json!(decision.action), decision.action.to_string()),
        "reasons": reasons.collect::<Vec<Value>>(),
        "remedy": decision.remedy.iter().map(ToString::to_string).collect::<Vec<String>>(),
    })
}

#[test]
fn every_answer_fits_the_schema() {
    let schema = jsonschema::validator_for(&schema("bootstrap.json")).expect("a valid schema");
    for (place, decision) in decisions() {
        let document = document(&decision);
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{place}: {errors:?} in {document:#}");
    }
}

/// A kind that no case shows could be removed unnoticed, and an administrator could not read what it means.
#[test]
fn every_kind_of_answer_has_a_case() {
    let mut shown = BTreeSet::new();
    decisions().for_each(|(_, decision)| words_of(&document(&decision), &mut shown));
    let mut known = BTreeSet::new();
    words_of_schema(&schema("bootstrap.json"), &mut known);
    let missing: Vec<&String> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
}

/// Waiting and refusing are never the end: somebody is named, and there is something to do.
#[test]
fn waiting_and_refusing_say_what_to_do() {
    for (place, decision) in decisions() {
        let has_to = matches!(decision.action, Action::Wait { .. } | Action::Refuse { .. });
        assert!(!has_to || !decision.remedy.is_empty(), "{place}: nothing to do");
    }
}
