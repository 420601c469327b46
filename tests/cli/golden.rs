//! Golden files: every JSON document, log event, record on disk, datagram and control request, as reviewed
//! (tests/testdata/golden/README.txt). A change of a format shows there, line by line, and has to be wanted.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test cli -- golden` writes the present formats: read the difference before you commit it.
//! What an earlier build wrote (golden/COMMIT/) is never rewritten: it has to stay readable.

mod decisions;
mod evidence;

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use jiff::Timestamp;
use pfcluster_cli::documents::evidence::{EvidenceDocument, read, read_records, records_text};
use pfcluster_cli::host::evidence::{Note, Taken};
use pfcluster_cli::host::supervise::control::{Request, Word};
use pfcluster_cli::report::bootstrap::{self, Shown};
use pfcluster_cli::report::{diff, json, supervisor};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::Seen;
use pfcluster_core::galera::{Observation, Silence};
use pfcluster_core::supervisor::{Backup, Input, Saying, Status, Tick};
use pfcluster_testing::clusters::host;
use pfcluster_tests::members::{Member, config, hosts, nothing, signing, talk};
use pfcluster_tests::program::{examples, run};
use pfcluster_tests::schema::{assert_fits, schema, words_of, words_of_schema};
use pfcluster_tests::snapshot::reviewed_in;
use pfcluster_tests::testdata;
use serde_json::Value;

/// Fails with a unified diff unless `actual` is what golden/NAME holds.
fn golden(name: &str, actual: &str) {
    let reviewed = reviewed_in("golden", name, actual);
    let mut difference = Vec::new();
    diff::texts(name, Some(reviewed.as_bytes()), actual.as_bytes(), &mut difference).expect("memory");
    assert!(reviewed == actual, "a format has changed:\n{}", String::from_utf8_lossy(&difference));
}

fn pretty(document: &Value) -> String {
    json::text(document) + "\n"
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Names of members resolve, addresses do not.
fn resolve(name: &str) -> Option<Hostname> {
    hosts(3).into_iter().find(|host| host.as_str() == name)
}

/// The documents in a folder of an earlier build, by their names.
fn documents(folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(testdata().join("golden").join(folder)).expect("a folder of the repository");
    let mut documents: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a readable file"))
        })
        .collect();
    documents.sort();
    documents
}

/// Every document of an earlier build has its value here.
fn assert_known<T>(documents: &[(String, Vec<u8>)], values: &[(&str, T)]) {
    let known: BTreeSet<&str> = values.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<&String> =
        documents.iter().map(|(name, _)| name).filter(|name| !known.contains(name.as_str())).collect();
    assert!(!documents.is_empty() && unknown.is_empty(), "{unknown:?}");
}

fn named<T: Clone>(values: &[(&str, T)], name: &str) -> T {
    values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone()).expect("a value of this name")
}

const NOW: Timestamp = Timestamp::constant(1_510_000_400, 0);

fn taken() -> Taken {
    let uuid = |text: &str| Some(text.parse().expect("a UUID"));
    Taken {
        at: Some("1510000400".to_owned()),
        boot_id: uuid("5c0ffee0-2d7a-4b8e-9f11-0a1b2c3d4e5f"),
        gathering: uuid("0b5e55ed-7e57-4a11-8bad-f00dcafe0001"),
    }
}

fn note() -> Note {
    Note {
        message: "the position of the data is not known".to_owned(),
        help: "run it again with `--recover`".to_owned(),
    }
}

#[test]
fn evidence_documents() {
    for (name, evidence) in evidence::evidence() {
        let notes = if name == "stopped-files-unreadable" { vec![note()] } else { Vec::new() };
        let document = EvidenceDocument::new(host(0), taken(), &evidence, notes);
        let text = pretty(&serde_json::json!(document));
        assert_fits("evidence.json", &parsed(&text));
        golden(&format!("evidence/{name}.json"), &text);
    }
}

#[test]
fn records_on_disk() {
    for (name, records) in evidence::records() {
        let text = records_text(&records);
        assert_fits("records.json", &parsed(&text));
        golden(&format!("records/{name}.json"), &text);
    }
}

#[test]
fn records_of_earlier_builds_are_read() {
    let documents = documents("06828d3/records");
    assert_known(&documents, &evidence::records());
    for (name, text) in documents {
        let read = read_records(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, evidence::records_of_06828d3(named(&evidence::records(), &name)), "{name}");
        assert_fits("records.json", &parsed(&String::from_utf8_lossy(&text)));
    }
}

#[test]
fn evidence_of_earlier_builds_is_read() {
    let documents = documents("06828d3/evidence");
    assert_known(&documents, &evidence::evidence());
    for (name, text) in documents {
        let read = read(&text, resolve).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [one] = &read[..] else { panic!("{name}: one member") };
        assert_eq!((&one.host, one.taken.at.as_deref()), (&host(0), Some("1510000400")), "{name}");
        // That build recovered no position after a clean stop.
        let today = if name == "stopped-cleanly" { "stopped-unconfirmed" } else { &name };
        let mut evidence = named(&evidence::evidence(), today);
        evidence.files.iter_mut().for_each(|files| {
            files.records = evidence::records_of_06828d3(files.records.clone());
        });
        assert_eq!(one.evidence, evidence, "{name}");
        assert_fits("evidence.json", &parsed(&String::from_utf8_lossy(&text)));
    }
}

/// Every action, reason and state; each word of the schema is there.
#[test]
fn decisions_of_bootstrap() {
    let known = evidence::evidence().into_iter().map(|(_, evidence)| Observation::Known(Box::new(evidence)));
    let unknown = [
        Silence::NotAsked,
        Silence::NoAnswer,
        Silence::Refused,
        Silence::Garbled("it is not JSON".into()),
        Silence::NotCounted("it is 3 h old".into()),
    ];
    let observations: Vec<Observation> = known.chain(unknown.map(Observation::Unknown)).collect();
    let enabled = |at: usize| at != 1;
    let seen: Vec<Seen> = (0..)
        .zip(observations)
        .map(|(at, observation)| Seen { host: host(at), enabled: enabled(at), observation })
        .collect();
    let ages = [None, Some(-400), Some(0), Some(119), Some(120), Some(7200), Some(172_800)];
    let shown: Vec<Shown<'_>> =
        seen.iter().zip(ages.into_iter().cycle()).map(|(seen, age)| Shown { seen, age }).collect();
    let mut found = BTreeSet::new();
    let mut actions = Vec::new();
    let mut in_words = String::new();
    for action in decisions::actions() {
        let decision = Decision { action, reasons: Vec::new(), remedy: Vec::new() };
        let document = parsed(&bootstrap::json(&decision, &[]));
        assert_fits("bootstrap.json", &document);
        actions.push(document["action"].clone());
        let mut text = Vec::new();
        bootstrap::text(&decision, &[], false, &mut text).expect("memory");
        let text = String::from_utf8_lossy(&text);
        in_words += &text[text.find("Decision: ").expect("a decision")..];
    }
    let decision = Decision {
        action: decisions::actions().swap_remove(0),
        reasons: decisions::reasons(),
        remedy: decisions::remedy(),
    };
    let document = bootstrap::json(&decision, &shown) + "\n";
    assert_fits("bootstrap.json", &parsed(&document));
    let mut text = Vec::new();
    bootstrap::text(&decision, &shown, false, &mut text).expect("memory");
    words_of(&parsed(&document), &mut found);
    actions.iter().for_each(|action| words_of(action, &mut found));
    golden("bootstrap/document.json", &document);
    golden("bootstrap/document.txt", &String::from_utf8_lossy(&text));
    golden("bootstrap/actions.json", &pretty(&actions.into()));
    golden("bootstrap/actions.txt", &in_words);
    let mut known = BTreeSet::new();
    words_of_schema(&schema("bootstrap.json"), &mut known);
    let missing: Vec<&String> = known.difference(&found).collect();
    assert!(missing.is_empty(), "in the schema, and in no golden file: {missing:?}");
}

/// The log of a supervisor, both forms: the text is the field `text`.
#[test]
fn events_of_the_log() {
    let mut lines: Vec<String> = Vec::new();
    for event in decisions::events() {
        let line = supervisor::json_line(&event, NOW);
        assert_eq!(parsed(&line)["text"], supervisor::line(&event).as_str(), "the text form");
        lines.push(line);
    }
    lines.push(supervisor::json_ending("ends, and the database with it", NOW));
    lines.push(supervisor::json_note(&note(), NOW));
    let documents: Vec<Value> = lines.iter().map(|line| parsed(line)).collect();
    for (line, document) in lines.iter().zip(&documents) {
        assert_eq!(*line, document.to_string(), "one line, without blanks");
        assert_fits("supervise-log.json", document);
    }
    golden("supervisor/log.json", &pretty(&documents.into()));
}

/// A supervisor that has received one peer's evidence, and nothing of another one. The peer's key is the one that is pinned, or not.
fn status(is_pinned: bool) -> Status {
    let all = evidence::evidence();
    let [mut mine, mut theirs] = [config(0, 3, 1), config(1, 3, 2)];
    (mine.signing, theirs.signing) = (Some(signing(0)), Some(signing(1)));
    mine.pinned = [(host(1), signing(if is_pinned { 1 } else { 9 }).public())].into();
    let mut one = Member::new(mine, named(&all, "stopped-after-a-crash"), Tick(0));
    let mut other = Member::new(theirs, named(&all, "stopped-cleanly"), Tick(0));
    one.holds = Some(vec![Ipv4Addr::new(192, 168, 1, 10)]);
    one.backup =
        Some(Backup { file: "packetfence-db-dump-2026-01-01_00h30.sql.gz".to_owned(), time: 1_510_000_000 }).into();
    one.input(Input::Said { id: 7, saying: Saying::AssumeLost(vec![host(2)]), user: Some(0) });
    one.receives(b"junk");
    talk(&mut one, &mut other, 1500);
    one.supervisor.status(one.now)
}

#[test]
fn answers_of_a_supervisor() {
    for (name, is_pinned) in [("status", true), ("status-with-a-refused-key", false)] {
        let status = status(is_pinned);
        let document = supervisor::json(&status);
        assert_fits("mariadb-status.json", &parsed(&document));
        golden(&format!("supervisor/{name}.json"), &document);
        let mut text = Vec::new();
        supervisor::text(&status, false, &mut text).expect("memory");
        golden(&format!("supervisor/{name}.txt"), &String::from_utf8_lossy(&text));
    }
    let status = status(true);
    let document = supervisor::evidence(&status, &taken());
    assert_fits("evidence.json", &parsed(&document));
    golden("supervisor/evidence.json", &document);
}

/// What `pfcluster` asks of the supervisor through its socket.
#[test]
fn requests_to_the_socket() {
    let [pf1, pf2] = ["pf1", "pf2"].map(str::to_owned);
    let words = [
        Word::AssumeLost { members: vec![pf1.clone(), pf2] },
        Word::Discard { member: pf1.clone() },
        Word::Trust { member: pf1.clone() },
        Word::End { member: pf1.clone() },
        Word::Seed { member: pf1 },
        Word::Standalone,
    ];
    let questions = [Request::Status { json: false }, Request::Status { json: true }, Request::Evidence];
    let accept = Request::Accept { member: "pf2".to_owned(), key: signing(1).public().fingerprint().to_string() };
    let allow = words.map(|word| Request::Allow { word });
    let forget = Request::Forget { host: "pf2".to_owned() };
    let requests: Vec<Request> = questions.into_iter().chain(allow).chain([accept, forget]).collect();
    let text = pretty(&serde_json::json!(requests));
    assert_eq!(serde_json::from_str::<Vec<Request>>(&text).expect("requests"), requests);
    golden("supervisor/requests.json", &text);
}

/// A datagram as hexadecimal digits, its parts named.
fn annotated(datagram: &[u8], is_signed: bool) -> String {
    const TAG: usize = 32;
    const SEAL: usize = 96;
    const ROW: usize = 16;
    let mut out = String::new();
    let mut add = |bytes: &[u8], what: &str| {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        out += format!("{:47}  {what}", digits.join(" ")).trim_end();
        out.push('\n');
    };
    let (text, tag) = datagram.split_at(datagram.len() - TAG);
    let (text, seal) = text.split_at(text.len() - if is_signed { SEAL } else { 0 });
    let (magic, mut rest) = text.split_at(4);
    add(magic, "`pfc`, version");
    // A number in base 128, its last byte below 128.
    let number = |rest: &[u8]| rest.iter().position(|byte| *byte < 128).expect("a number") + 1;
    for what in ["from", "to", "run", "number", "nonce"] {
        let (bytes, more) = rest.split_at(number(rest));
        add(bytes, what);
        rest = more;
    }
    let echo = if rest[0] == 0 { 1 } else { 1 + number(&rest[1..]) };
    for (length, what) in [(echo, "echo"), (1, "length of the hash"), (ROW, "members_hash")] {
        let (bytes, more) = rest.split_at(length);
        add(bytes, what);
        rest = more;
    }
    rest.chunks(ROW)
        .zip(0..)
        .for_each(|(row, at)| add(row, if at == 0 { "evidence, overrides, held, backup, keys" } else { "" }));
    let parts = ["the sender's own public key", "", "Ed25519 signature of all before it", "", "", ""];
    seal.chunks(ROW).zip(parts).for_each(|(row, what)| add(row, what));
    tag.chunks(ROW)
        .zip(0..)
        .for_each(|(row, at)| add(row, if at == 0 { "tag: HMAC-SHA-256 of all before it" } else { "" }));
    out
}

/// A supervisor's second datagram to a peer, with all that it has to send.
#[test]
fn datagrams() {
    let nothing_found = Member::new(config(0, 3, 1), nothing(), Tick(0));
    golden("datagrams/before-the-first-probe.txt", &annotated(&nothing_found.sent[0].1, false));
    for (name, evidence) in evidence::evidence() {
        let mut one = Member::new(config(0, 3, 1), evidence, Tick(0));
        one.pass(Tick(500));
        let (to, bytes) = one.sent.last().expect("a datagram every 0.4 s");
        assert_eq!(*to, host(2), "the last of the members");
        golden(&format!("datagrams/{name}.txt"), &annotated(bytes, false));
    }
    let mut signed = config(0, 3, 1);
    signed.signing = Some(signing(0));
    golden("datagrams/signed.txt", &annotated(&Member::new(signed, nothing(), Tick(0)).sent[0].1, true));
    // With an echo, every override, virtual addresses and a backup.
    let mut one = Member::new(config(0, 3, 1), nothing(), Tick(0));
    let mut other = Member::new(config(1, 3, 2), nothing(), Tick(0));
    one.holds = Some(vec![Ipv4Addr::new(192, 168, 1, 10)]);
    one.backup = Some(Backup { file: "dump.sql.gz".to_owned(), time: 1_510_000_000 }).into();
    for (id, saying) in (1..).zip(decisions::sayings()) {
        one.input(Input::Said { id, saying, user: Some(0) });
    }
    let sent = talk(&mut one, &mut other, 1500);
    let (_, bytes) = sent.iter().rfind(|(to, _)| *to == host(1)).expect("datagrams to the peer");
    golden("datagrams/overrides-addresses-backup.txt", &annotated(bytes, false));
    assert_eq!(other.dropped(), 0);
}

/// What the program prints where no text case of tests/testdata/cli has it: the file, the command.
const PRINTED: [(&str, &str); 9] = [
    ("drill-list.json", "drill"),
    ("drill-lose.json", "drill lose pf2 --cluster-conf pf/conf/cluster.conf --pf-conf pf/conf/pf.conf"),
    ("generate.json", "generate keepalived mariadb --check"),
    ("rules.json", "check --explain PFC012"),
    ("runbook-list.json", "runbook"),
    ("runbook-maintenance.json", "runbook maintenance pf2 --cluster-conf pf/conf/cluster.conf"),
    ("runbook-shutdown.json", "runbook shutdown --cluster-conf pf/conf/cluster.conf"),
    ("status.json", "status --datadir data --socket nowhere --backups data --run-directory nowhere"),
    ("sync.json", "sync --as-master --dry-run"),
];

#[test]
fn documents_of_the_program() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let conf = directory.path().join("pf/conf");
    fs::create_dir_all(&conf).expect("a scratch folder");
    fs::create_dir(directory.path().join("data")).expect("a scratch folder");
    for name in ["cluster.conf", "pf.conf"] {
        let text = fs::read_to_string(examples().join("guide").join(name)).expect("an example");
        // Addresses of this machine, on which nothing listens.
        fs::write(conf.join(name), text.replace("192.168.", "127.86.")).expect("a scratch file");
    }
    for (name, command) in PRINTED {
        golden(&format!("program/{name}"), &printed(directory.path(), command));
    }
}

fn printed(directory: &Path, command: &str) -> String {
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.push("--format=json");
    if !command.starts_with("drill") && !command.starts_with("runbook") && !command.starts_with("check") {
        arguments.extend(["--root=pf", "--host=pf1.example.com"]);
    }
    let output = run(directory, &arguments, b"", &[]);
    let mut document = parsed(&String::from_utf8_lossy(&output.stdout));
    let name = match arguments[0] {
        "check" => "rules",
        name => name,
    };
    assert_fits(&format!("{name}.json"), &document);
    if let Some(time) = document.get_mut("asked_at") {
        *time = "TIME".into();
    }
    pretty(&document)
}
