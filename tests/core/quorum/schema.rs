//! The program's JSON against its schema.

use std::collections::BTreeSet;

use pfcluster_tests::program::{examples, run};
use pfcluster_tests::schema::assert_fits;
use serde_json::Value;

fn ask(example: &str, question: &str) -> (Option<i32>, Value) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = examples().join(example).join("cluster.conf");
    let file = file.to_string_lossy();
    let arguments = ["quorum", &file, "--format", "json"].into_iter().chain(question.split_whitespace());
    let said = run(directory.path(), &arguments.collect::<Vec<_>>(), b"", &[]);
    (said.status.code(), serde_json::from_slice(&said.stdout).expect("JSON"))
}

/// Every kind of reason that equal weights know, through the program itself.
#[test]
fn answers_fit_their_schema() {
    let questions = [
        ("guide", "", 0),
        ("guide", "--down pf1", 0),
        ("guide", "--down pf1,pf2", 1),
        ("guide", "--left pf1 --then --left pf2", 0),
        ("guide", "--down pf1,pf2 --left pf3", 1),
        ("guide", "--split pf1/pf2/pf3 --then --split pf1,pf2,pf3", 0),
        ("guide", "--split pf1/pf2,pf3 --then --down pf1", 0),
        ("guide", "--split pf1/pf2,pf3 --then --split pf1/pf2/pf3 --then --left pf2", 1),
        ("five-members", "--split nac1,nac2/nac3,nac4,nac5 --then --split nac1,nac2,nac3,nac4/nac5", 0),
        ("two-zones", "--split pf1-dc1,pf2-dc1,pf3-dc1/pf1-dc2,pf2-dc2", 0),
    ];
    let mut kinds = BTreeSet::new();
    for (example, question, status) in questions {
        let (code, document) = ask(example, question);
        assert_fits("quorum.json", &document);
        assert_eq!(code, Some(status), "{question}");
        assert_eq!(document["primary"], status == 0, "{question}");
        let steps = document["steps"].as_array().expect("a list");
        let reasons = steps.iter().flat_map(|step| step["reasons"].as_array().expect("a list"));
        kinds.extend(reasons.map(|reason| reason["kind"].as_str().expect("a word").to_owned()));
    }
    let all = [
        "all_together",
        "guide_differs",
        "joins",
        "no_quorum",
        "nobody_up",
        "not_whole",
        "outside",
        "quorum",
        "reforms",
        "unchanged",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn errors_fit_theirs() {
    for question in ["--down pf9", "--then", "--split pf1/pf2", "--down pf1,pf1", "--split", "--wrong"] {
        let (code, document) = ask("guide", question);
        assert_fits("error.json", &document);
        assert_eq!((code, &document["error"]["kind"]), (Some(2), &Value::from("usage")), "{question}");
    }
}
