//! The program's JSON, in and out, against its schemas.

use pfcluster_tests::program;
use pfcluster_tests::schema::{assert_fits, schema};
use serde_json::{Value, json};

use super::host;

fn versions_file(says: &[Value]) -> Value {
    let members = says.iter().enumerate();
    let members: Vec<Value> =
        members.map(|(number, says)| json!({ "host": host(number).as_str(), "config_version": says })).collect();
    json!({ "version": 1, "local": "pf1", "now": "1510000400", "members": members })
}

/// Every kind of action and reason, through the program itself.
#[test]
fn answers_fit_their_schema() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let worlds = [
        vec![json!("1"), json!("1")],
        vec![json!("1"), json!(null)],
        vec![json!(null), json!("")],
        vec![json!("1"), json!("9510000000.5\n")],
        vec![json!("1"), json!("1"), json!("2"), json!("junk")],
        vec![json!("1"), json!("2"), json!("2"), json!("2"), json!(null)],
        vec![json!("2"), json!("1"), json!("3")],
        vec![json!("1"), json!("2"), json!(null), json!(null), json!("0")],
    ];
    let mut kinds: Vec<String> = Vec::new();
    for (world, policy) in worlds.iter().flat_map(|world| [(world, "guide"), (world, "majority")]) {
        let file = versions_file(world);
        assert_fits("versions.json", &file);
        let arguments = ["conflict", "--versions=-", "--format=json", "--policy", policy];
        let said = program::run(directory.path(), &arguments, file.to_string().as_bytes(), &[]);
        let document: Value = serde_json::from_slice(&said.stdout).expect("JSON");
        assert_fits("conflict.json", &document);
        let code = i32::from(document["action"]["kind"] != "in_sync");
        assert_eq!(said.status.code(), Some(code), "{document:#}");
        let reasons = document["reasons"].as_array().expect("a list").iter().chain([&document["action"]]);
        kinds.extend(reasons.map(|reason| reason["kind"].as_str().expect("a word").to_owned()));
    }
    kinds.sort();
    kinds.dedup();
    let all = [
        "in_sync",
        "in_the_future",
        "is_asked",
        "majority",
        "most_members",
        "no_majority",
        "nothing_to_compare",
        "overwritten",
        "push",
        "pushes",
        "same_version",
        "silent_outnumber",
        "tie",
        "too_few_versions",
        "two_members",
        "unverified",
    ];
    assert_eq!(kinds, all);
    let said = program::run(directory.path(), &["conflict", "--format=json"], b"", &[]);
    assert_fits("error.json", &serde_json::from_slice(&said.stdout).expect("JSON"));
}

/// What the schema of the input refuses, the program refuses, and the other way round (but for what a schema can't say:
/// members that are there twice or not at all, a time that is no number).
#[test]
fn the_program_reads_what_the_schema_says() {
    let validator = jsonschema::validator_for(&schema("versions.json")).expect("a valid schema");
    let directory = tempfile::tempdir().expect("a scratch directory");
    let good = versions_file(&[json!("1"), json!(null)]);
    let with = |path: &str, value: Value| {
        let mut file = good.clone();
        let (parent, key) = path.rsplit_once('/').expect("a path");
        let parent = file.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        parent.insert(key.to_owned(), value);
        file
    };
    let without = |path: &str| {
        let mut file = good.clone();
        let (parent, key) = path.rsplit_once('/').expect("a path");
        file.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").shift_remove(key);
        file
    };
    let cases = [
        (good.clone(), true),
        (with("/now", json!(null)), true),
        (without("/now"), true),
        (with("/members/0/config_version", json!("junk")), true),
        (with("/local", json!("pf2")), true),
        (without("/version"), false),
        (with("/version", json!(2)), false),
        (with("/version", json!("1")), false),
        (with("/now", json!(1)), false),
        (with("/local", json!("a b")), false),
        (with("/local", json!(7)), false),
        (with("/more", json!(1)), false),
        (without("/members"), false),
        (with("/members", json!([])), false),
        (with("/members", json!({})), false),
        (with("/members/0/host", json!("")), false),
        (with("/members/0/host", json!("-pf1")), false),
        (with("/members/0/host", json!("a".repeat(254))), false),
        (with("/members/0/more", json!(1)), false),
        (with("/members/0/config_version", json!(1.5)), false),
        (without("/members/0/config_version"), false),
        (without("/members/0/host"), false),
    ];
    for (file, fits) in cases {
        assert_eq!(validator.is_valid(&file), fits, "{file:#}");
        let said = program::run(directory.path(), &["conflict", "--versions=-"], file.to_string().as_bytes(), &[]);
        assert_eq!(said.status.code() != Some(2), fits, "{file:#}: {}", String::from_utf8_lossy(&said.stderr));
    }
}
