//! Evidence in files: which of it counts, by its age, its boot and its gathering. Ages are relative to the clock, so no text case
//! can have them.

use std::path::Path;

use jiff::Timestamp;
use pfcluster_tests::program::run;
use pfcluster_tests::schema::assert_fits;
use serde_json::{Value, json};

const CLUSTER: &str = "[CLUSTER]\nmanagement_ip=192.168.1.10\n[pf1]\nmanagement_ip=192.168.1.5\n\
                       [pf2]\nmanagement_ip=192.168.1.6\n[pf3]\nmanagement_ip=192.168.1.7\n";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Evidence of a database that stopped cleanly.
#[derive(Clone, Copy)]
struct Piece {
    host: &'static str,
    seqno: i64,
    /// In seconds; `None`: it does not say when it was taken.
    age: Option<i64>,
    boot: Option<u8>,
    gathering: Option<u8>,
}

/// Taken a moment ago, in a boot and a gathering of its own.
fn fresh(host: &'static str, seqno: i64) -> Piece {
    let own = host.as_bytes()[2];
    Piece { host, seqno, age: Some(5), boot: Some(own), gathering: Some(own) }
}

impl Piece {
    fn old(self, age: i64) -> Piece {
        Piece { age: Some(age), ..self }
    }

    fn document(self) -> Value {
        let uuid = |number: u8| format!("{number:08}-0000-4000-8000-000000000000");
        json!({
            "version": 1,
            "host": self.host,
            "taken_at": self.age.map(|age| (Timestamp::now().as_second() - age).to_string()),
            "boot_id": self.boot.map(uuid),
            "gathering": self.gathering.map(uuid),
            "files": {
                "grastate": {"uuid": "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4", "seqno": self.seqno},
                "recovered": {"uuid": "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4", "seqno": self.seqno},
            },
        })
    }
}

/// What `bootstrap` answers to these files, each of these members, and what it says beside.
fn bootstrap(files: &[&[Piece]], options: &[&str]) -> (Value, String) {
    let documents: Vec<Value> = files
        .iter()
        .map(|pieces| match pieces {
            [one] => one.document(),
            several => json!({
                "version": 1,
                "members": several.iter().map(|piece| piece.document()).collect::<Vec<_>>(),
            }),
        })
        .collect();
    answer(&documents, options)
}

fn answer(documents: &[Value], options: &[&str]) -> (Value, String) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("a scratch file");
    };
    write("cluster.conf", CLUSTER);
    let names: Vec<String> = (0..documents.len()).map(|at| format!("file-{at}.json")).collect();
    names.iter().zip(documents).for_each(|(name, document)| write(name, &document.to_string()));
    let mut arguments = vec!["bootstrap", "cluster.conf", "--format=json", "--evidence"];
    arguments.extend(names.iter().map(String::as_str));
    arguments.extend(options);
    said(directory.path(), &arguments)
}

fn said(directory: &Path, arguments: &[&str]) -> (Value, String) {
    let output = run(directory, arguments, b"", &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {output:?}"));
    (document, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Why pf3's evidence does not count; `None` if it does.
fn not_counted(answer: &Value) -> Option<String> {
    let pf3 = &answer["members"][2];
    (pf3["state"] == "unknown").then(|| pf3["notes"][0].as_str().expect("a reason").to_owned())
}

fn is_not_counted(answer: &Value, why: &str) {
    assert_eq!(not_counted(answer).as_deref(), Some(&*format!("its evidence does not count: {why}")), "{answer:#}");
    assert_eq!(answer["action"]["kind"], "wait", "{answer:#}");
}

fn counts(answer: &Value, seqno: i64) {
    assert_eq!(not_counted(answer), None, "{answer:#}");
    assert_eq!(answer["members"][2]["seqno"], seqno, "{answer:#}");
}

/// pf1 and pf2, fresh; and these files of pf3.
fn beside(of_pf3: &[Piece], options: &[&str]) -> Value {
    let (pf1, pf2) = ([fresh("pf1", 4000)], [fresh("pf2", 4100)]);
    let mut files: Vec<&[Piece]> = vec![&pf1, &pf2];
    files.extend(of_pf3.iter().map(std::slice::from_ref));
    bootstrap(&files, options).0
}

/// The history: pf3.json is of last month, pf3 has been at 5000 since and does not answer.
#[test]
fn old_evidence_does_not_count() {
    let old = fresh("pf3", 100).old(30 * DAY);
    is_not_counted(&beside(&[old], &[]), "it is 30 days old, more than `--max-age` (1h)");
    let answer = beside(&[old], &["--max-age=31d"]);
    counts(&answer, 100);
    assert_eq!(answer["action"]["member"], "pf2", "{answer:#}");
}

#[test]
fn evidence_counts_by_its_age() {
    let pf3 = fresh("pf3", 4050);
    for (age, option, why) in [
        (59 * MINUTE, "--max-age=1h", None),
        (61 * MINUTE, "--max-age=1h", Some("it is 61 min old, more than `--max-age` (1h)")),
        (3 * HOUR, "--max-age=90m", Some("it is 3 h old, more than `--max-age` (90m)")),
        (100, "--max-age=90s", Some("it is 100 s old, more than `--max-age` (90s)")),
        (80, "--max-age=90s", None),
        (47 * HOUR, "--max-age=2d", None),
        (-4 * MINUTE, "--max-age=1h", None),
        (
            -6 * MINUTE - 30,
            "--max-age=31d",
            Some("by this machine's clock it is 6 min in the future: correct the clocks, and take it again"),
        ),
    ] {
        let answer = beside(&[pf3.old(age)], &[option]);
        match why {
            Some(why) => is_not_counted(&answer, why),
            None => counts(&answer, 4050),
        }
    }
    is_not_counted(&beside(&[Piece { age: None, ..pf3 }], &["--max-age=31d"]), "it does not say when it was taken");
}

/// What one supervisor knew of all is of one moment: a clock that a power cut has set back does not matter.
#[test]
fn one_gathering_counts_whatever_its_clock_says() {
    let gathering =
        |age| [1, 2, 3].map(|at| Piece { gathering: Some(7), ..fresh(["pf1", "pf2", "pf3"][at - 1], 4000).old(age) });
    for (age, has_note) in [(5, false), (30 * DAY, true), (-DAY, true)] {
        let (answer, beside) = bootstrap(&[&gathering(age)], &[]);
        counts(&answer, 4000);
        assert_eq!(beside.contains("it counts, as it is all of one gathering"), has_note, "{beside}");
    }
    // The same in a file for each member.
    let [pf1, pf2, pf3] = gathering(30 * DAY);
    counts(&bootstrap(&[&[pf1], &[pf2], &[pf3]], &[]).0, 4000);
}

/// Beside other evidence a gathering is not of one moment with it, and a gathering of one member tells nothing.
#[test]
fn a_gathering_beside_others_counts_by_its_age() {
    let [pf2, pf3] = ["pf2", "pf3"].map(|host| Piece { gathering: Some(7), ..fresh(host, 100).old(30 * DAY) });
    let old = "it is 30 days old, more than `--max-age` (1h)";
    is_not_counted(&bootstrap(&[&[fresh("pf1", 4000)], &[pf2, pf3]], &[]).0, old);
    is_not_counted(&bootstrap(&[&[pf3]], &[]).0, old);
}

#[test]
fn of_two_files_of_one_boot_or_gathering_the_newer_counts() {
    let (older, newer) = (fresh("pf3", 100).old(20 * MINUTE), fresh("pf3", 4050));
    counts(&beside(&[older, newer], &[]), 4050);
    counts(&beside(&[newer, older], &[]), 4050);
    // The older one may be older than any that counts alone.
    counts(&beside(&[older.old(2 * DAY), newer], &[]), 4050);
    let other_boot = Piece { boot: None, ..newer };
    counts(&beside(&[older, other_boot], &[]), 4050);
    let other_gathering = Piece { gathering: Some(9), ..newer };
    counts(&beside(&[older, other_gathering], &[]), 4050);
}

#[test]
fn of_two_files_that_no_clock_orders_none_counts() {
    let alone = |seqno| Piece { boot: None, gathering: None, ..fresh("pf3", seqno) };
    let why = "two files of pf3 that differ, and no clock tells which is newer: ";
    for (one, other) in [
        (alone(100).old(MINUTE), alone(4050)),
        (Piece { boot: Some(8), ..alone(100) }.old(MINUTE), Piece { boot: Some(9), ..alone(4050) }),
        (Piece { boot: Some(8), ..alone(100) }.old(MINUTE), alone(4050)),
        (Piece { gathering: Some(8), ..alone(100) }.old(MINUTE), Piece { gathering: Some(9), ..alone(4050) }),
        // Of one moment.
        (fresh("pf3", 100), fresh("pf3", 4050)),
        (Piece { age: None, ..fresh("pf3", 100) }, fresh("pf3", 4050)),
    ] {
        let answer = beside(&[one, other], &[]);
        let said = not_counted(&answer).unwrap_or_else(|| panic!("{answer:#}"));
        assert!(said.contains(why) && said.contains("file-2.json") && said.contains("file-3.json"), "{said}");
        assert_eq!(answer["action"]["kind"], "wait", "{answer:#}");
    }
}

/// Copies of one document are one document; but an age is only as good as the clock of its boot.
#[test]
fn two_files_that_say_the_same() {
    let pf3 = fresh("pf3", 4050);
    counts(&beside(&[pf3, pf3], &[]), 4050);
    let before_the_power_cut = Piece { boot: Some(9), gathering: Some(9), ..pf3 };
    counts(&beside(&[pf3, before_the_power_cut.old(MINUTE)], &[]), 4050);
    is_not_counted(
        &beside(&[pf3, before_the_power_cut.old(2 * DAY)], &[]),
        "it is 2 days old, more than `--max-age` (1h)",
    );
}

fn primary(host: &str, age: i64, boot: u8) -> Value {
    let mut document = Piece { boot: Some(boot), gathering: None, ..fresh("pf1", 12).old(age) }.document();
    document["host"] = host.into();
    document["running"] = json!({
        "uuid": "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4", "cluster_status": "primary", "local_state": "synced",
        "cluster_size": 1, "last_committed": 12 + age, "members": [host],
    });
    document
}

/// Two primary components, seen twice: a split brain only if one clock says that they are 16 s apart.
#[test]
fn a_split_brain_needs_times_of_one_clock() {
    let twice = |apart: i64, other_boot: u8| {
        let documents = [("pf1", 5, 1), ("pf2", 5, 1), ("pf1", 5 + apart, other_boot), ("pf2", 5 + apart, other_boot)];
        answer(&documents.map(|(host, age, boot)| primary(host, age, boot)), &[]).0["action"].clone()
    };
    assert_eq!(twice(20, 1)["problem"]["kind"], "split_brain");
    assert_eq!(twice(10, 1)["kind"], "wait");
    assert_eq!(twice(20, 2)["kind"], "wait");
}

/// Times at the ends of the numbers are too old, or in the future, and end nothing.
#[test]
fn no_time_is_an_accident() {
    for (time, why) in
        [(i64::MIN, "days old"), (i64::MIN + 1, "days old"), (i64::MAX, "in the future"), (0, "days old")]
    {
        let mut document = fresh("pf3", 12).document();
        document["taken_at"] = time.to_string().into();
        let (answer, _) = answer(&[document], &["--max-age=1d"]);
        let said = not_counted(&answer).unwrap_or_else(|| panic!("{answer:#}"));
        assert!(said.contains(why), "{said}");
    }
    let mut document = fresh("pf3", 12).document();
    for time in ["", "yesterday", "9223372036854775808", "1e9", "-"] {
        document["taken_at"] = time.into();
        is_not_counted(&answer(&[document.clone()], &[]).0, "it does not say when it was taken");
    }
}

/// What `evidence` prints counts at once; two runs are of one boot, and of two gatherings.
#[test]
fn evidence_has_its_time_boot_and_gathering() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    for folder in ["pf/conf", "data"] {
        std::fs::create_dir_all(directory.path().join(folder)).expect("a scratch folder");
    }
    std::fs::write(directory.path().join("pf/conf/cluster.conf"), CLUSTER).expect("a scratch file");
    let arguments = ["evidence", "--root=pf", "--host=pf3", "--datadir=data", "--socket=nowhere"];
    let [one, other] = [0, 1].map(|_| said(directory.path(), &arguments).0);
    assert_fits("evidence.json", &one);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("Linux");
    assert_eq!([&one["boot_id"], &other["boot_id"]], [boot.trim(), boot.trim()]);
    assert!(one["gathering"].is_string() && one["gathering"] != other["gathering"], "{one:#}");
    assert_eq!(not_counted(&answer(&[one, other], &["--max-age=5m"]).0), None);
}

#[test]
fn ages_are_written_with_a_unit() {
    for wrong in ["", "h", "1", "1.5h", "-1h", "+1h", "1 h", "1w", "h1", "ä", "9999999999s", "100000d"] {
        let option = format!("--max-age={wrong}");
        let (answer, _) = answer(&[fresh("pf3", 12).document()], &[&option]);
        assert_eq!(answer["error"]["kind"], "usage", "{wrong}: {answer:#}");
    }
    for right in ["0s", "90s", "030m", "2h", "49710d"] {
        let (answer, _) = answer(&[fresh("pf3", 12).document()], &[&format!("--max-age={right}")]);
        assert_eq!(answer["error"], Value::Null, "{right}");
    }
}
