//! Evidence as JSON: what is written is read back, and what the schema refuses is refused.

use std::sync::LazyLock;

use pfcluster_cli::documents::evidence::{EvidenceDocument, read};
use pfcluster_cli::host::evidence::Taken;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, LocalState, Position, Process, Records, Recovered, Running,
    Seqno, StartFailures, Uuid, ViewId, ViewRecord,
};
use pfcluster_core::printable::printable;
use pfcluster_tests::property_config;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{grastate, gvwstate, seqno, uuid};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    jsonschema::validator_for(&pfcluster_tests::schema::schema("evidence.json")).expect("a valid schema")
});

/// Members are called pf1 to pf9.
fn resolve(name: &str) -> Option<Hostname> {
    matches!(name.as_bytes(), [b'p', b'f', b'1'..=b'9']).then(|| name.parse().ok()).flatten()
}

fn host() -> impl Strategy<Value = Hostname> {
    (1..=9).prop_map(|n| format!("pf{n}").parse().expect("a host name"))
}

fn hosts() -> impl Strategy<Value = Vec<Hostname>> {
    prop::collection::vec(host(), 0..3)
}

fn why() -> impl Strategy<Value = Box<str>> {
    // What acts on a terminal is shown as an escape: that is read as it is.
    "\\PC{0,20}".prop_map(|text| printable(text.as_bytes()).into())
}

fn found<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Found<T>> {
    prop_oneof![Just(Found::Absent), why().prop_map(Found::Torn), value.prop_map(Found::Read)]
}

fn position() -> impl Strategy<Value = Position> {
    (1..=u128::MAX, 0..=i64::MAX)
        .prop_map(|(uuid, seqno)| Position::new(Uuid::from_u128(uuid), seqno).expect("a position"))
}

fn recovered() -> impl Strategy<Value = Recovered> {
    prop_oneof![
        Just(Recovered::NotRun),
        Just(Recovered::NoHistory),
        why().prop_map(Recovered::Failed),
        position().prop_map(Recovered::At),
    ]
}

fn floor() -> impl Strategy<Value = Seqno> {
    (0..=i64::MAX).prop_map(|seqno| Seqno::new(seqno).expect("not negative"))
}

fn records() -> impl Strategy<Value = Records> {
    let view = (uuid(), any::<u32>(), uuid(), floor(), any::<Option<u32>>())
        .prop_map(|(view, seq, uuid, floor, size)| ViewRecord { view: ViewId { uuid: view, seq }, uuid, floor, size });
    let fork = (any::<u64>(), position()).prop_map(|(id, at)| Fork { id, at });
    let clean = (position(), any::<bool>()).prop_map(|(position, last)| CleanStop { position, last });
    let failures = (1_u8.., "[ -~]{0,9}").prop_map(|(count, why)| StartFailures { count, why: why.into() });
    let failures = prop_oneof![Just(StartFailures::default()), failures];
    let seen = (of(position()), of(view), of(clean), prop::collection::vec(fork, 0..3));
    let parts = (seen, any::<bool>(), hosts(), failures, of(uuid()));
    parts.prop_map(
        |((last_recorded, view, clean, forks), ran_standalone, supervised, start_failures, joined_in_boot)| Records {
            last_recorded,
            view,
            clean,
            forks,
            ran_standalone,
            supervised,
            start_failures,
            joined_in_boot,
        },
    )
}

fn files() -> impl Strategy<Value = Files> {
    (found(grastate()), found(gvwstate()), recovered(), any::<(bool, bool, bool)>(), records()).prop_map(
        |(grastate, gvwstate, recovered, (sst_marker, unsynced_transfer, datadir_empty), records)| Files {
            grastate,
            gvwstate,
            recovered,
            sst_marker,
            unsynced_transfer,
            datadir_empty,
            records,
        },
    )
}

fn process() -> impl Strategy<Value = Process> {
    let status = select(&[ClusterStatus::Primary, ClusterStatus::NonPrimary, ClusterStatus::Disconnected]);
    let state = select(&[
        LocalState::Initialized,
        LocalState::Joining,
        LocalState::Donor,
        LocalState::Joined,
        LocalState::Synced,
        LocalState::Inconsistent,
    ]);
    let others = prop::collection::vec("10\\.0\\.0\\.[0-9]:3306".prop_map(Into::into), 0..3);
    let running = (uuid(), status, state, any::<u32>(), seqno(), hosts(), others).prop_map(
        |(uuid, status, state, size, last_committed, sees, sees_others)| {
            Process::Running(Running { uuid, status, state, size, last_committed, sees, sees_others })
        },
    );
    prop_oneof![
        Just(Process::Stopped),
        Just(Process::Starting),
        Just(Process::Bootstrapping),
        Just(Process::NotResponding),
        running
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let hash = of("[0-9a-f]{16}".prop_map(Into::into));
    (process(), of(files()), any::<(bool, bool)>(), hosts(), hash).prop_map(
        |(process, files, (maintenance, arbitrator), disabled, members_hash)| Evidence {
            process,
            files,
            maintenance,
            arbitrator,
            disabled,
            members_hash,
        },
    )
}

fn taken() -> impl Strategy<Value = Taken> {
    (of("[0-9]{10}"), of(uuid()), of(uuid())).prop_map(|(at, boot_id, gathering)| Taken { at, boot_id, gathering })
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn evidence_is_read_as_it_was_written(host in host(), taken in taken(), evidence in evidence()) {
        let document = EvidenceDocument::new(host.clone(), taken.clone(), &evidence, Vec::new());
        let text = serde_json::to_vec(&document).expect("JSON");
        prop_assert!(SCHEMA.is_valid(&serde_json::from_slice(&text).expect("JSON")));
        let read = read(&text, resolve).expect("evidence");
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!((&read[0].host, &read[0].taken, &read[0].evidence), (&host, &taken, &evidence));
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in "[\\[\\]{}\":,a-z0-9-]{0,80}") {
        let _ = read(text.as_bytes(), resolve);
    }
}

fn sample() -> Value {
    let uuid = "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4";
    json!({"version": 1, "host": "pf1", "taken_at": "1510000400", "maintenance": false, "arbitrator": false,
        "disabled": ["pf3"], "members_hash": "9e6c7dc17ddea048",
        "running": {"uuid": uuid, "cluster_status": "primary", "local_state": "synced", "cluster_size": 3,
            "last_committed": 1204, "members": ["pf1", "10.0.0.9"]},
        "starting": false, "bootstrapping": false, "not_responding": false,
        "files": {
            "grastate": {"uuid": uuid, "seqno": -1, "safe_to_bootstrap": null},
            "gvwstate": {"my_uuid": uuid, "view_uuid": uuid, "view_seq": 3, "bootstrap": false, "members": [uuid]},
            "recovered": {"uuid": uuid, "seqno": 1204}, "last_recorded": {"uuid": uuid, "seqno": 1200},
            "view_record": {"view_uuid": uuid, "view_seq": 3, "uuid": uuid, "floor": 1190, "size": 2},
            "clean_stop": {"uuid": uuid, "seqno": 1204, "last": true},
            "forks": [{"id": "00000000000000ff", "uuid": uuid, "seqno": 100}],
            "sst_marker": false, "unsynced_transfer": false, "ran_standalone": false, "supervised": ["pf1", "pf2"],
            "start_failures": {"count": 3, "why": "exit status 1"}, "datadir_empty": false},
        "notes": [{"message": "m", "help": "h"}]})
}

/// The sample with another value.
fn with(path: &str, value: Value) -> Value {
    let mut document = sample();
    let (parent, key) = path.rsplit_once('/').expect("a path");
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    parent.insert(key.to_owned(), value);
    document
}

/// What builds before 0.1 did not write, or wrote otherwise.
fn new_fields() -> Vec<(Value, bool)> {
    vec![
        (with("/files/clean_stop", json!(null)), true),
        (with("/files/clean_stop/seqno", json!(-1)), false),
        (with("/files/clean_stop/last", json!(null)), false),
        (with("/files/forks/0/id", json!("ffffffffffffffff")), true),
        (with("/files/forks/0/id", json!("fffffffffffffffff")), false),
        (with("/files/forks/0/id", json!("")), false),
        (with("/files/forks/0/id", json!("g")), false),
        (with("/files/forks/0/id", json!(1)), false),
        (with("/files/forks/0/seqno", json!(-1)), false),
        // As builds before 0.1 wrote it.
        (with("/files/forks/0/present", json!(["pf1"])), true),
        (with("/files/forks/0/known", json!(true)), true),
        (with("/files/forks/0/present", json!("pf1")), false),
        (with("/files/unsynced_transfer", json!(true)), true),
        (with("/files/unsynced_transfer", json!(null)), false),
        (with("/files/supervised", json!([])), true),
        (with("/files/supervised", json!(["a b"])), false),
        (with("/files/start_failures", json!(null)), true),
        (with("/files/start_failures/count", json!(255)), true),
        (with("/files/start_failures/count", json!(256)), false),
        (with("/files/start_failures/why", json!(null)), false),
        (with("/bootstrapping", json!(0)), false),
        (with("/not_responding", json!(null)), false),
    ]
}

/// The program and the schema agree on what evidence is.
#[test]
fn what_the_schema_refuses_is_refused() {
    let without = |path: &str| {
        let mut document = sample();
        let (parent, key) = path.rsplit_once('/').expect("a path");
        document.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").shift_remove(key);
        document
    };
    let mut cases = vec![
        (sample(), true),
        (json!({"version": 1, "host": "pf1"}), true),
        (json!({"version": 1, "host": "pf1", "files": {}}), true),
        (json!({"version": 1, "members": [{"host": "pf1"}, {"version": 1, "host": "pf2", "starting": true}]}), true),
        (json!({"version": 1, "members": []}), true),
        (json!({"version": 1, "members": [{"host": "pf1", "version": 2}]}), false),
        (json!({"version": 1, "members": [{"host": "pf1"}], "more": 1}), false),
        (json!({"version": 1, "members": {}}), false),
        (json!({"members": []}), false),
        (json!([]), false),
        (json!({"version": 1}), false),
        (with("/files/grastate", json!({"error": "torn"})), true),
        (with("/files/gvwstate", json!({"error": "torn"})), true),
        (with("/files/recovered", json!({"error": "failed"})), true),
        (with("/files/grastate", json!({"error": "torn", "seqno": 1})), false),
        (with("/files/grastate", json!({"error": 1})), false),
        (with("/files/recovered/more", json!(1)), false),
        (with("/files/grastate/seqno", json!(9_223_372_036_854_775_807_i64)), true),
        (with("/files/grastate/seqno", json!(9_223_372_036_854_775_808_u64)), false),
        (with("/files/grastate/seqno", json!(-2)), false),
        (with("/files/grastate/seqno", json!("1")), false),
        (with("/files/grastate/uuid", json!("ec9a1a36")), false),
        (with("/files/grastate/safe_to_bootstrap", json!(1)), false),
        (with("/files/gvwstate/members", json!([])), false),
        (with("/files/gvwstate/view_seq", json!(-1)), false),
        (with("/files/gvwstate/view_seq", json!(4_294_967_296_u64)), false),
        (with("/files/last_recorded/seqno", json!(-1)), false),
        (with("/files/view_record/floor", json!(-1)), false),
        (with("/files/view_record/size", json!(null)), true),
        (with("/files/more", json!(1)), false),
        (with("/running/cluster_status", json!("Primary")), false),
        (with("/running/last_committed", json!(-1)), true),
        (with("/running/last_committed", json!(-2)), false),
        (with("/running/members", json!([1])), false),
        (with("/version", json!(2)), false),
        (with("/host", json!("-pf1")), false),
        (with("/disabled", json!(["a b"])), false),
        (with("/starting", json!(0)), false),
        (with("/more", json!(1)), false),
        (with("/taken_at", json!(1_510_000_400)), false),
        (with("/boot_id", json!(null)), true),
        (with("/boot_id", json!("ec9a1a36-e6ed-11f1-823f-231ddacb0bd4")), true),
        (with("/boot_id", json!("ec9a1a36")), false),
        (with("/gathering", json!(null)), true),
        (with("/gathering", json!("ec9a1a36-e6ed-11f1-823f-231ddacb0bd4")), true),
        (with("/gathering", json!("")), false),
        (with("/gathering", json!(1)), false),
    ];
    for path in [
        "/version",
        "/host",
        "/running/uuid",
        "/running/last_committed",
        "/files/grastate/seqno",
        "/files/forks/0/seqno",
    ] {
        cases.push((without(path), false));
    }
    let optional =
        ["/taken_at", "/running", "/running/members", "/files", "/files/grastate/safe_to_bootstrap", "/notes"];
    let new =
        ["/bootstrapping", "/not_responding", "/files/clean_stop", "/files/forks/0/id", "/files/unsynced_transfer"];
    for path in [&optional[..], &new, &["/files/supervised", "/files/start_failures"]].concat() {
        cases.push((without(path), true));
    }
    cases.extend(new_fields());
    for (document, fits) in cases {
        assert_eq!(SCHEMA.is_valid(&document), fits, "the schema: {document:#}");
        let said = read(document.to_string().as_bytes(), resolve);
        assert_eq!(said.is_ok(), fits, "the program: {said:?} for {document:#}");
    }
}

/// What no schema can say is refused with the member and the place.
#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let refused = |document: Value| read(document.to_string().as_bytes(), resolve).expect_err("no sense").to_string();
    let mut document = sample();
    document["starting"] = json!(true);
    assert_eq!(
        refused(document),
        "pf1: `starting`: a server runs, starts, bootstraps, or is not responding: one of them"
    );
    let mut document = sample();
    document["files"]["recovered"] = json!({"uuid": "00000000-0000-0000-0000-000000000000", "seqno": 5});
    let said = refused(document);
    assert!(
        said.starts_with(
            "a position has a UUID that is not zero, and a sequence number that is not negative at line 1"
        )
    );
    assert_eq!(refused(json!({"version": 1, "members": [{"host": "pf1"}, {"host": "pf1"}]})), "pf1 is there twice");
    assert_eq!(refused(json!({"version": 3, "host": "pf1"})), "`version` is 3, but this program knows only 1");
    assert_eq!(refused(json!({"host": "pf1"})), "`version` is missing");
    let text = b"{\"version\": 1,\n \"host\": \"pf1\",\n \"startng\": true}";
    let said = read(text, resolve).expect_err("a misspelt field").to_string();
    assert!(said.starts_with("unknown field `startng`") && said.ends_with("at line 3 column 10"), "{said}");
}

/// Names and addresses of the members that a server sees are found by whoever reads the evidence.
#[test]
fn who_is_seen_is_resolved() {
    let read = read(sample().to_string().as_bytes(), resolve).expect("evidence");
    let Process::Running(running) = &read[0].evidence.process else { panic!("it runs") };
    assert_eq!(running.sees, ["pf1".parse().expect("a host name")]);
    assert_eq!(running.sees_others, ["10.0.0.9".into()]);
}
