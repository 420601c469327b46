//! What is told to programs is as the schemas say, whatever happens.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pfcluster_cli::host::evidence::Taken;
use pfcluster_cli::report::supervisor::{evidence, json, json_line};
use pfcluster_core::supervisor::{Event, MessageError};
use pfcluster_testing::clusters::host;
use pfcluster_tests::decisions::supervisor::told;
use pfcluster_tests::schema::{assert_valid, schema, validator};
use pfcluster_tests::{cases, files};
use serde_json::Value;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every story of testdata/supervisor, line by line and in the end.
#[test]
fn what_is_told_in_the_stories_fits_the_schemas() {
    let [log, status, document] = ["supervise-log.json", "mariadb-status.json", "evidence.json"].map(validator);
    let mut kinds = BTreeSet::new();
    // What no story comes to.
    let mut events = vec![
        Event::TooLarge,
        Event::Dropped { error: MessageError::Forged, count: 4 },
        Event::NotSynced { why: "input/output error".into() },
        Event::ViewFileStale,
        Event::Diverged,
        Event::OverridesDropped { from: host(1) },
        Event::MayBeRenamed { member: host(1), others: vec![host(4)] },
        Event::KeyForgotten { host: host(4) },
    ];
    for path in files("supervisor") {
        let text = std::fs::read_to_string(path).expect("a readable test file");
        for case in cases(&text).expect("complete cases") {
            let (told, in_the_end) = told(&case).expect("a story");
            events.extend(told);
            let in_the_end = in_the_end.expect("a supervisor");
            assert_valid(&status, &parsed(&json(&in_the_end)));
            assert_valid(&document, &parsed(&evidence(&in_the_end, &Taken::now())));
        }
    }
    for event in events {
        let line = json_line(&event, Timestamp::UNIX_EPOCH);
        assert!(!line.contains('\n'), "one line");
        let line = parsed(&line);
        assert_valid(&log, &line);
        kinds.insert(line["event"].as_str().expect("a word").to_owned());
    }
    // The schema knows two more, which the state machine does not tell.
    kinds.extend(["note", "ending"].map(str::to_owned));
    let schema = schema("supervise-log.json");
    let forms = schema["oneOf"].as_array().expect("a list").iter().map(|form| &form["properties"]["event"]);
    let known: BTreeSet<String> = forms
        .flat_map(|event| event["enum"].as_array().cloned().unwrap_or_else(|| vec![event["const"].clone()]))
        .map(|kind| kind.as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(kinds, known, "the stories come to every kind of event, and the schema knows no other");
}
