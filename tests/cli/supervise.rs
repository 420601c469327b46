//! `key new`, the units of systemd, and who asks the supervisor: what the sessions of testdata/cli/mariadb.txt can't show.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pfcluster_cli::host::evidence::Taken;
use pfcluster_cli::report::supervisor as report;
use pfcluster_core::supervisor::SigningKey;
use pfcluster_tests::cases;
use pfcluster_tests::decisions::supervisor::told;
use pfcluster_tests::program::{examples, program, run};
use pfcluster_tests::schema::assert_fits;
use serde_json::{Value, json};

fn scratch() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    fs::create_dir_all(directory.path().join("pf/conf")).expect("a writable directory");
    fs::copy(examples().join("guide/cluster.conf"), directory.path().join("pf/conf/cluster.conf")).expect("an example");
    directory
}

/// What is said in all, and the exit status.
fn said(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(directory, arguments, b"", &[]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_key_is_for_its_owner_alone_and_stays_unless_told() {
    let directory = scratch();
    let path = directory.path().join("pf/conf/pfcluster.key");
    let (code, text) = said(directory.path(), &["key", "new", "--root=pf"]);
    assert_eq!(code, Some(0), "{text}");
    let first = fs::read_to_string(&path).expect("a key");
    let digits = first.strip_suffix('\n').expect("a line");
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!text.contains(digits), "it is not shown");
    assert_eq!(path.metadata().expect("a key").mode() & 0o7777, 0o600);

    let (code, text) = said(directory.path(), &["key", "new", "--root=pf"]);
    assert_eq!((code, text.contains("--replace"), text.contains(digits)), (Some(2), true, false), "{text}");
    assert_eq!(fs::read_to_string(&path).expect("a key"), first);

    let (code, text) = said(directory.path(), &["key", "new", "--replace", "--root=pf"]);
    let second = fs::read_to_string(&path).expect("a key");
    assert_eq!((code, text.contains(second.trim())), (Some(0), false), "{text}");
    assert_ne!(first, second, "no two are the same");
    assert_eq!(path.metadata().expect("a key").mode() & 0o7777, 0o600);
    let left: Vec<_> = fs::read_dir(directory.path().join("pf/conf")).expect("a folder").collect();
    assert_eq!(left.len(), 2, "nothing is left beside it: {left:?}");
}

/// A member's own key is made outside of PacketFence's tree, for root alone, and never shown.
#[test]
fn an_own_key_is_for_its_member_alone_and_stays_unless_told() {
    let directory = scratch();
    let path = directory.path().join("state/signing.key");
    let new = ["key", "new", "--own", "--root=pf", "--state-directory=state"];
    let (code, text) = said(directory.path(), &new);
    assert_eq!(code, Some(0), "{text}");
    let first = fs::read_to_string(&path).expect("a key");
    let key: SigningKey = first.parse().expect("a key");
    assert!(text.contains(&key.public().fingerprint().to_string()) && !text.contains(first.trim()), "{text}");
    let mode = |path: &Path| path.metadata().expect("it is there").mode() & 0o7777;
    assert_eq!((mode(&path), mode(&directory.path().join("state"))), (0o600, 0o700));
    assert!(!directory.path().join("pf/conf/pfcluster.key").exists(), "the shared key is another one");

    let (code, text) = said(directory.path(), &new);
    assert!(code == Some(2) && text.contains("there is one already") && text.contains("key accept"), "{text}");
    assert_eq!(fs::read_to_string(&path).expect("a key"), first);
    let (code, text) = said(directory.path(), &[&new[..], &["--replace"]].concat());
    let second = fs::read_to_string(&path).expect("a key");
    assert!(code == Some(0) && second != first && text.contains("pfcluster key accept"), "{text}");
    assert!(!text.contains(second.trim()));
}

/// An own key that others may know, a file of pinned keys that can't be understood: the supervisor does not begin as if there were
/// none.
#[test]
fn own_and_pinned_keys_that_cannot_be_used_are_no_new_beginning() {
    let directory = scratch();
    let (code, text) = said(directory.path(), &["key", "new", "--root=pf"]);
    assert_eq!(code, Some(0), "{text}");
    let state = directory.path().join("state");
    fs::create_dir(&state).expect("a writable directory");
    let file = |name: &str, text: &str, mode: u32| {
        fs::write(state.join(name), text).expect("a scratch file");
        fs::set_permissions(state.join(name), fs::Permissions::from_mode(mode)).expect("our own file");
    };
    let (secret, public) = ("5ec2e7".repeat(11), SigningKey::new([7; 32]).public());
    let here = ["--root=pf", "--host=pf1.example.com", "--run-directory=run", "--state-directory=state"];
    for (own, mode, pinned, reason) in [
        (&secret[..64], 0o640, String::new(), "others than its user may know it"),
        (&secret[..63], 0o600, String::new(), "64 hexadecimal digits"),
        ("", 0o600, String::new(), "64 hexadecimal digits"),
        (
            &secret[..64],
            0o600,
            format!("pf2.example.com {public}\npf3.example.com"),
            "line 2: it is not `HOST PUBLICKEY`",
        ),
        (&secret[..64], 0o600, "pf2.example.com 00".to_owned(), "line 1: the key of a member has 64"),
        (&secret[..64], 0o600, format!("pf/2 {public}"), "line 1: "),
        ("0".repeat(64).as_str(), 0o600, String::new(), "only zeros"),
        (
            &secret[..64],
            0o600,
            format!("pf3.example.com {public}\npf2.example.com {public}\npf3.example.com {public}\n"),
            "line 3: pf3.example.com has a line already",
        ),
        (
            &secret[..64],
            0o600,
            format!("pf2.example.com {public}\nPF3.example.com {public}\n"),
            "line 2: PF3.example.com is written otherwise in cluster.conf: pf3.example.com",
        ),
    ] {
        file("signing.key", own, mode);
        file("pinned-keys", &pinned, 0o600);
        for verb in [&["mariadb", "supervise"][..], &["mariadb", "supervise", "--dry-run"]] {
            let (code, text) = said(directory.path(), &[verb, &here].concat());
            assert!(code == Some(2) && text.contains(reason) && !text.contains(&secret[..32]), "{reason}: {text}");
        }
        assert_eq!(fs::read_to_string(state.join("signing.key")).expect("our file"), own, "it is left as it is");
    }
}

/// What is pinned for a host that is gone is forgotten, also while no supervisor runs; the others' keys stay.
#[test]
fn a_pinned_key_is_forgotten() {
    let directory = scratch();
    let here = ["--root=pf", "--run-directory=run", "--state-directory=state"];
    let state = directory.path().join("state");
    fs::create_dir(&state).expect("a writable directory");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("our own directory");
    let [one, other] = [7, 8].map(|byte| SigningKey::new([byte; 32]).public());
    let before = format!("pf2.example.com {one}\npf9.example.com {other}\n");
    fs::write(state.join("pinned-keys"), &before).expect("a scratch file");
    fs::set_permissions(state.join("pinned-keys"), fs::Permissions::from_mode(0o600)).expect("our own file");
    let pins = || fs::read_to_string(state.join("pinned-keys")).expect("our file");
    let (code, text) = said(directory.path(), &[&["key", "forget", "pf9", "--yes"][..], &here].concat());
    assert!(code == Some(2) && text.contains("pinned: pf2.example.com, pf9.example.com"), "{text}");
    let (code, text) = said(directory.path(), &[&["key", "forget", "pf9.example.com"][..], &here].concat());
    assert!(code == Some(2) && text.contains("--yes") && pins() == before, "{text}");
    let (code, text) = said(directory.path(), &[&["key", "forget", "pf9.example.com", "--yes"][..], &here].concat());
    assert!(code == Some(0) && text.contains(&other.fingerprint().to_string()), "{text}");
    assert_eq!(pins(), format!("pf2.example.com {one}\n"));
}

/// There is nothing to accept without a supervisor, and `--yes` needs to say which key is meant.
#[test]
fn a_key_is_accepted_from_a_supervisor_only() {
    let directory = scratch();
    let (code, text) = said(directory.path(), &["key", "accept", "pf2", "--root=pf", "--run-directory=run"]);
    assert_eq!((code, text.contains("no supervisor")), (Some(2), true), "{text}");
    let (code, text) = said(directory.path(), &["key", "accept", "pf2", "--yes", "--root=pf", "--run-directory=run"]);
    assert_eq!((code, text.contains("--id")), (Some(2), true), "{text}");
}

/// Nobody writes through a link that somebody has put there.
#[test]
fn a_link_in_the_place_of_the_key_is_not_followed() {
    let directory = scratch();
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, "precious").expect("a writable directory");
    std::os::unix::fs::symlink(&elsewhere, directory.path().join("pf/conf/pfcluster.key")).expect("a link");
    assert_eq!(said(directory.path(), &["key", "new", "--root=pf"]).0, Some(2));
    assert_eq!(said(directory.path(), &["key", "new", "--replace", "--root=pf"]).0, Some(0));
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "precious");
}

/// The database's user may be in the file's group. (What PacketFence's synchronisation leaves, a supervisor takes in:
/// tests/attacks/posed.rs.)
#[test]
fn a_key_that_its_group_may_read_is_refused() {
    let directory = scratch();
    let path = directory.path().join("pf/conf/pfcluster.key");
    assert_eq!(said(directory.path(), &["key", "new", "--root=pf"]).0, Some(0));
    let before = fs::read_to_string(&path).expect("a key");
    for mode in [0o640, 0o660, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        let (code, text) = said(directory.path(), &["key", "rotate", "--root=pf"]);
        assert!(code == Some(2) && text.contains("its group may") && text.contains("hint: chmod 600"), "{text}");
        assert_eq!(fs::read_to_string(&path).expect("a key"), before);
    }
}

/// No text that is no key.
#[test]
fn a_key_that_is_no_secret_is_refused() {
    let directory = scratch();
    let path = directory.path().join("pf/conf/pfcluster.key");
    let supervise = [
        "mariadb",
        "supervise",
        "--root=pf",
        "--host=pf1.example.com",
        "--run-directory=run",
        "--state-directory=state",
    ];
    let secret = "5ec2e7".repeat(11);
    for (text, mode, reason) in [
        (&secret[..64], 0o604, "chmod 600"),
        (&secret[..64], 0o602, "chmod 600"),
        (&secret[..63], 0o600, "64 hexadecimal digits"),
        ("", 0o600, "64 hexadecimal digits"),
    ] {
        fs::write(&path, text).expect("a scratch file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        let (code, said) = said(directory.path(), &supervise);
        assert_eq!((code, said.contains(reason)), (Some(2), true), "{said}");
        assert!(!said.contains(&secret[..32]), "{said}");
        assert!(!directory.path().join("run").exists(), "nothing is begun");
    }
}

/// What is in the folder of the units.
fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd")
}

/// A unit of PacketFence's, as far as its facts go.
const ORIGINAL: &str = "[Unit]\nDescription=PacketFence's\nConflicts=mysql.service mariadb.service\n[Service]\nType=notify\n\
                        NotifyAccess=all\nRestart=on-failure\nTimeoutSec=300\nLimitNOFILE=4096\n\
                        ExecStartPre=/usr/bin/false generatemariadbconfig\nExecStart=/usr/bin/false $MARIADB_ARGS\n";

/// The units as systemd finds them: PacketFence's own with the drop-ins, and the one that stands alone. Their names.
fn lay_out_units(scratch: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).expect("a unit").replace("/usr/local/pf/bin/pfcmd", "/usr/bin/false");
        text.replace("/usr/local/bin/pfcluster", &program().to_string_lossy())
    };
    for entry in fs::read_dir(units()).expect("a folder").map(|entry| entry.expect("a unit").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        // It is not a unit.
        if name == "sysusers.conf" {
            continue;
        }
        let Some(service) = name.strip_suffix(".d") else {
            fs::write(scratch.join(&name), read(&entry)).expect("a scratch file");
            names.push(name);
            continue;
        };
        fs::create_dir_all(scratch.join(&name)).expect("a writable directory");
        fs::write(scratch.join(service), ORIGINAL).expect("a scratch file");
        for drop_in in fs::read_dir(&entry).expect("a folder").map(|file| file.expect("a drop-in").path()) {
            let file = scratch.join(&name).join(drop_in.file_name().expect("a name"));
            fs::write(file, read(&drop_in)).expect("a scratch file");
        }
        names.push(service.to_owned());
    }
    names
}

/// `systemd-analyze` on units in a folder; what it says, and whether it is content.
fn analyze(scratch: &Path, arguments: &[&str], unit: &str) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(scratch.join(unit))
        .env("SYSTEMD_UNIT_PATH", format!("{}:", scratch.display()))
        .output()
        .expect("systemd is installed (tests/install)");
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// systemd itself reads the units.
#[test]
fn systemd_accepts_the_units() {
    let directory = scratch();
    let names = lay_out_units(directory.path());
    assert!(names.len() > 5, "{names:?}");
    for unit in &names {
        let (accepted, said) = analyze(directory.path(), &["verify", "--man=no", "--recursive-errors=no"], unit);
        assert!(accepted && !said.contains(&**unit), "{unit}: {said}");
    }
}

/// How exposed the supervisor and its database are, as systemd counts it: from 0 to 100, without a sandbox 96.
#[test]
fn the_supervisor_is_confined() {
    const MOST: &str = "--threshold=40";

    let directory = scratch();
    lay_out_units(directory.path());
    let security = ["security", "--offline=true", "--no-pager", MOST];
    for unit in ["packetfence-mariadb.service", "pfcluster-mariadb.service"] {
        let (below, said) = analyze(directory.path(), &security, unit);
        assert!(below, "{unit}: {said}");
    }
    // The threshold is one that can be missed.
    fs::write(directory.path().join("original.service"), ORIGINAL).expect("a scratch file");
    assert!(!analyze(directory.path(), &security, "original.service").0);
}

/// systemd makes the workers' user, as which no person can log in.
#[test]
fn systemd_makes_the_workers_user() {
    let directory = scratch();
    fs::create_dir_all(directory.path().join("etc")).expect("a scratch folder");
    let made = Command::new("systemd-sysusers")
        .arg(format!("--root={}", directory.path().display()))
        .arg("-")
        .stdin(
            fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd/sysusers.conf"))
                .expect("our file"),
        )
        .output()
        .expect("systemd is installed (tests/install)");
    assert!(made.status.success(), "{made:?}");
    let users = fs::read_to_string(directory.path().join("etc/passwd")).expect("systemd has made it");
    let fields: Vec<&str> = users.trim().split(':').collect();
    assert!(users.lines().count() == 1 && fields[0] == "pfcluster" && fields[6] == "/usr/sbin/nologin", "{users}");
    assert!(!["0", "65534"].contains(&fields[2]), "a user of its own: {users}");
}

/// Both units treat the supervisor and its database alike, and the drop-in replaces PacketFence's command.
#[test]
fn the_units_agree() {
    let settings = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(units().join(name)).expect("a unit");
        let service = text.split("[Service]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("a service");
        let lines = service.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines
            .filter(|line| !["ExecStart=", "ExecReload="].contains(line) && !line.starts_with("ExecStartPre="))
            .map(str::to_owned)
            .collect()
    };
    let drop_in = settings("packetfence-mariadb.service.d/20-supervise.conf");
    assert_eq!(drop_in, settings("pfcluster-mariadb.service"));
    // A killed supervisor must not take the database along.
    assert!(drop_in.contains(&"KillMode=process".to_owned()), "{drop_in:?}");
    let text = fs::read_to_string(units().join("packetfence-mariadb.service.d/20-supervise.conf")).expect("a unit");
    assert!(text.contains("\nExecStart=\nExecStart=/usr/local/bin/pfcluster mariadb supervise $MARIADB_ARGS\n"));
}

// What others ask the supervisor ---------------------------------------------------------------------------------------

/// pf1 and pf2 in service, pf2 with a virtual address and a backup; pf3 stopped, and in maintenance.
const STORY: &str = "\
supervise pf1
0s  pf1  primary  A:20  view=6{1,2}  sees=pf1,pf2
0s  pf2  primary  A:20  view=6{1,2}  sees=pf1,pf2  holds=192.168.1.10  backup=packetfence-db-dump-a.sql.gz@1764030600
0s  pf3  stopped  A:19  maintenance  backup=none
3s
----
";

/// What a supervisor that has lived through the story answers: its status, and its evidence.
fn answers() -> [String; 2] {
    let case = cases(STORY).expect("a complete case").remove(0);
    let status = told(&case).expect("a story").1.expect("a supervisor");
    [report::json(&status), report::evidence(&status, &Taken::now())]
}

/// Something that listens in the supervisor's place, and answers a question for evidence with the second text, any other
/// with the first; `None`: never.
fn stand_in(directory: &Path, answers: Option<[String; 2]>) {
    fs::create_dir(directory.join("run")).expect("a writable directory");
    let listener = UnixListener::bind(directory.join("run/supervise.sock")).expect("a socket");
    thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let Some([status, evidence]) = &answers else {
                open.push(stream);
                continue;
            };
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("a question");
            let answer = if line.contains("\"evidence\"") { evidence } else { status };
            stream.write_all(answer.as_bytes()).expect("somebody listens");
        }
    });
}

fn asked(directory: &Path, arguments: &[&str]) -> (Value, String) {
    fs::create_dir_all(directory.join("data")).expect("a writable directory");
    // Nobody is asked over the network here.
    fs::write(directory.join("alone.conf"), "[database]\nuser=\n").expect("a writable directory");
    let here = ["--root=pf", "--host=pf1.example.com", "--run-directory=run", "--datadir=data", "--socket=nobody"];
    let arguments = [arguments, &here, &["--pf-conf=alone.conf", "--format=json"]].concat();
    let output = run(directory, &arguments, b"", &[]);
    let document = serde_json::from_slice(&output.stdout).expect("JSON");
    (document, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn status(directory: &Path) -> Value {
    let (document, _) = asked(directory, &["status", "--backups=nowhere", "--timeout=1"]);
    assert_fits("status.json", &document);
    document
}

#[test]
fn status_takes_from_the_supervisor_what_only_that_knows() {
    let directory = scratch();
    let alone = status(directory.path());
    assert_eq!([0, 1, 2].map(|at| alone["members"][at]["supervisor"].clone()), [(); 3].map(|()| Value::Null));
    assert_eq!(alone["members"][2]["database"]["state"], json!("not_asked"));
    stand_in(directory.path(), Some(answers()));
    let document = status(directory.path());
    let of = |field: &str| [0, 1, 2].map(|at| document["members"][at][field].clone());
    assert_eq!(of("supervisor"), ["watches", "heard", "heard"].map(|text| json!(text)));
    assert_eq!(of("maintenance"), [false, false, true].map(|is_set| json!(is_set)));
    let states = [1, 2].map(|at| document["members"][at]["database"]["state"].clone());
    assert_eq!(states, [json!("not_asked"), json!("stopped")], "that there is no process only its supervisor can tell");
}

/// A member that says what it holds holds nothing else; of one that does not say nothing is known.
#[test]
fn who_holds_a_virtual_address_only_its_supervisor_knows() {
    let directory = scratch();
    let held = |document: &Value, at: usize| {
        let vip = &document["virtual_addresses"][at];
        let since = vip["held_by"][0]["since"].as_str().and_then(|since| since.parse::<u64>().ok());
        (vip["held_by"][0]["host"].clone(), since.is_some(), vip["unknown"].clone())
    };
    let alone = status(directory.path());
    let others = json!(["pf2.example.com", "pf3.example.com"]);
    assert_eq!(held(&alone, 0), (Value::Null, false, others), "{alone:#}");
    stand_in(directory.path(), Some(answers()));
    let document = status(directory.path());
    let pf3 = json!(["pf3.example.com"]);
    assert_eq!(held(&document, 0), (json!("pf2.example.com"), true, pf3.clone()), "{document:#}");
    assert_eq!(held(&document, 1), (Value::Null, false, pf3), "{document:#}");
}

/// One member makes the backups; which, and when, its supervisor tells. What this machine finds itself is more recent.
#[test]
fn a_backup_of_another_member_only_its_supervisor_knows() {
    let directory = scratch();
    let last = |document: &Value| [0, 1, 2].map(|at| document["members"][at]["last_backup"].clone());
    let none = json!({ "file": null, "time": null });
    assert_eq!(last(&status(directory.path())), [none.clone(), Value::Null, Value::Null]);
    stand_in(directory.path(), Some(answers()));
    let made = json!({ "file": "packetfence-db-dump-a.sql.gz", "time": "1764030600" });
    assert_eq!(last(&status(directory.path())), [none.clone(), made, none]);
    let here = ["--root=pf", "--host=pf1.example.com", "--run-directory=run", "--datadir=data", "--socket=nobody"];
    let said_as = |form: &[&str]| {
        let arguments =
            [&["status", "--backups=nowhere", "--timeout=1", "--pf-conf=alone.conf"], &here[..], form].concat();
        said(directory.path(), &arguments).1
    };
    let text = said_as(&[]);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with(" pf")).collect();
    assert!(rows[0].ends_with("none") && rows[1].ends_with("2025-11-25 00:30") && rows[2].ends_with("none"), "{text}");
    let line = said_as(&["--nagios"]);
    let age = line.split(' ').find_map(|datum| datum.strip_prefix("backup_age=")?.trim_end().strip_suffix("s;;;0"));
    assert!(age.is_some_and(|age| age.parse::<u64>().is_ok()), "{line}");
}

#[test]
fn bootstrap_decides_from_what_the_supervisor_knows() {
    let directory = scratch();
    stand_in(directory.path(), Some(answers()));
    let (document, said) = asked(directory.path(), &["bootstrap"]);
    assert_fits("bootstrap.json", &document);
    assert!(said.contains("this is what the supervisor knows"), "{said}");
    assert_eq!(
        (&document["action"]["kind"], &document["action"]["primary"]),
        (&json!("join"), &json!("pf1.example.com"))
    );
    assert_eq!(document["members"][2]["state"], json!("stopped cleanly"), "{document:#}");
}

/// A supervisor of another cluster, of another version, or none at all behind the socket: it is as if there were none.
#[test]
fn an_answer_that_is_of_no_use_is_none() {
    let [status_text, evidence] = answers();
    let elsewhere = [status_text, evidence].map(|text| text.replace("example.com", "example.org"));
    for answers in [Some(elsewhere), Some(["{\"version\": 2}".into(), "{\"version\": 2}".into()]), None] {
        let directory = scratch();
        stand_in(directory.path(), answers.clone());
        let document = status(directory.path());
        assert_eq!(document["members"][0]["supervisor"], Value::Null, "{document:#}");
        if answers.is_some() {
            let (document, said) = asked(directory.path(), &["bootstrap"]);
            assert!(said.contains("this is what pf1.example.com knows by itself"), "{said}");
            assert_fits("bootstrap.json", &document);
        }
    }
}
