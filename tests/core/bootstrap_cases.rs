//! The cases of tests/testdata/bootstrap as a whole: each answer fits its schema, and each kind of answer has a case.

use std::collections::BTreeSet;

use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Reason};
use pfcluster_tests::decisions::bootstrap::decision;
use pfcluster_tests::schema::schema;
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
    decisions().for_each(|(_, decision)| words(&document(&decision), &mut shown));
    let mut known = BTreeSet::new();
    consts(&schema("bootstrap.json"), &mut known);
    let missing: Vec<&String> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
}

/// All texts and names of fields.
fn words(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| words(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            words(value, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All words that the schema knows for kinds.
fn consts(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Array(list) => list.iter().for_each(|value| consts(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("const", Value::String(word)) => drop(found.insert(word.clone())),
            ("enum", Value::Array(list)) => found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => consts(value, found),
        }),
        _ => {}
    }
}

/// Waiting and refusing are never the end: somebody is named, and there is something to do.
#[test]
fn waiting_and_refusing_say_what_to_do() {
    for (place, decision) in decisions() {
        let has_to = matches!(decision.action, Action::Wait { .. } | Action::Refuse { .. });
        assert!(!has_to || !decision.remedy.is_empty(), "{place}: nothing to do");
    }
}
