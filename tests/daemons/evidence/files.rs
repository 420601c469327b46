//! What can be told from files alone: no server runs here.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use pfcluster_tests::program::{examples, program};
use serde_json::{Value, json};

/// The document is as schemas/evidence.json says.
pub(crate) fn assert_fits(document: &Value) {
    pfcluster_tests::schema::assert_fits("evidence.json", document);
}

const CLEAN: &str = "# GALERA saved state\nversion: 2.1\nuuid:    f9282fe9-e77f-11f1-bcf5-d30baafdcfd0\nseqno:   8\n\
                     safe_to_bootstrap: 1\n";
const ZERO: &str = "# GALERA saved state\nversion: 2.1\nuuid:    00000000-0000-0000-0000-000000000000\nseqno:   -1\n\
                    safe_to_bootstrap: 1\n";

/// An install directory `pf` and a data directory `data`.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        let scratch = Scratch(tempfile::tempdir().expect("a scratch directory"));
        ["data", "pf/conf", "pf/var/run"].iter().for_each(|name| scratch.directory(name));
        let cluster = fs::read_to_string(examples().join("guide/cluster.conf")).expect("an example");
        scratch.write("pf/conf/cluster.conf", &cluster);
        scratch
    }

    fn directory(&self, name: &str) {
        fs::create_dir_all(self.0.path().join(name)).expect("a scratch folder");
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("a scratch file");
    }

    fn evidence(&self, arguments: &[&str]) -> (i32, Value) {
        self.answer(Command::new(program()).args(["evidence", "--root=pf", "--host=pf1.example.com"]).args(arguments))
    }

    fn answer(&self, command: &mut Command) -> (i32, Value) {
        let output = command.current_dir(self.0.path()).output().expect("the program starts");
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_fits(&document);
        (output.status.code().expect("no signal"), document)
    }
}

const DATA: &[&str] = &["--datadir=data", "--socket=nobody"];

#[test]
fn what_counts_as_empty() {
    let is_empty = |prepare: &dyn Fn(&Scratch)| {
        let scratch = Scratch::new();
        prepare(&scratch);
        scratch.evidence(DATA).1["files"]["datadir_empty"] == json!(true)
    };
    assert!(is_empty(&|_| {}));
    assert!(is_empty(&|scratch| scratch.directory("data/lost+found")));
    assert!(is_empty(&|scratch| ["mysql", "sys", "performance_schema", "test"]
        .iter()
        .for_each(|name| scratch.directory(&format!("data/{name}")))));
    assert!(is_empty(&|scratch| scratch.write("data/wsrep_recovery.ok", "")));
    assert!(is_empty(&|scratch| scratch.write("data/grastate.dat", ZERO)), "no history");
    // Data, or a history.
    assert!(!is_empty(&|scratch| scratch.directory("data/pf")));
    assert!(!is_empty(&|scratch| scratch.directory("data/.sst")));
    assert!(!is_empty(&|scratch| {
        scratch.directory("data/test");
        scratch.write("data/test/t.ibd", "");
    }));
    assert!(!is_empty(&|scratch| symlink("/etc", scratch.0.path().join("data/linked")).expect("a link")));
    assert!(!is_empty(&|scratch| scratch.write("data/grastate.dat", CLEAN)));
    assert!(!is_empty(&|scratch| scratch.write("data/grastate.dat", "")), "torn: who knows");
    assert!(!is_empty(&|scratch| scratch.write("data/gvwstate.dat", "")));
    assert!(!is_empty(&|scratch| scratch.write("data/galera.cache", "")), "grastate.dat was removed");
}

/// The power went after a state transfer had emptied the directory, and before it set its mark (seen in the lab).
#[test]
fn a_transfer_that_was_about_to_begin() {
    let has_mark = |prepare: &dyn Fn(&Scratch)| {
        let scratch = Scratch::new();
        scratch.write("data/grastate.dat", "");
        prepare(&scratch);
        scratch.evidence(DATA).1["files"]["sst_marker"] == json!(true)
    };
    assert!(has_mark(&|scratch| scratch.write("data/wsrep_sst.pid", "7\n")));
    assert!(!has_mark(&|_| {}));
    assert!(!has_mark(&|scratch| {
        scratch.write("data/wsrep_sst.pid", "7\n");
        scratch.write("data/ibdata1", "");
    }));
}

/// A transfer that failed has emptied the directory, and its script takes its mark away (measured): what it leaves is no empty
/// database.
#[test]
fn what_a_failed_transfer_leaves() {
    for left in [&["galera.cache", ".sst"][..], &["galera.cache"], &[".sst"], &["xtrabackup_galera_info"]] {
        let scratch = Scratch::new();
        scratch.write("data/grastate.dat", ZERO);
        for name in left {
            if *name == ".sst" { scratch.directory("data/.sst") } else { scratch.write(&format!("data/{name}"), "") }
        }
        let (code, document) = scratch.evidence(DATA);
        let files = &document["files"];
        assert_eq!((code, &files["sst_marker"]), (0, &json!(true)), "{left:?}: {document:#}");
        let no_history = json!({"uuid": "00000000-0000-0000-0000-000000000000", "seqno": -1});
        assert_eq!(files["recovered"], no_history, "{document:#}");
        // With InnoDB's files it is another case: they are recovered.
        scratch.write("data/ibdata1", "");
        let (_, document) = scratch.evidence(&[DATA, &["--no-recover"]].concat());
        assert_eq!(document["files"]["sst_marker"], json!(false), "{document:#}");
    }
}

#[test]
fn files_are_read_or_said_to_be_unreadable() {
    let scratch = Scratch::new();
    scratch.write("data/grastate.dat", CLEAN);
    scratch.write("data/gvwstate.dat", "");
    scratch.write("data/sst_in_progress", "");
    scratch.write("pf/var/maintenance-mode", "");
    scratch.write("pf/var/run/pf3.example.com-cluster-disabled", "");
    let (code, document) = scratch.evidence(DATA);
    assert_eq!(code, 1, "{document:#}");
    assert_eq!(document["files"]["grastate"]["seqno"], json!(8));
    assert_eq!(document["files"]["gvwstate"], json!({"error": "gvwstate.dat is empty"}));
    assert_eq!(document["files"]["sst_marker"], json!(true));
    assert_eq!(document["maintenance"], json!(true));
    assert_eq!(document["disabled"], json!(["pf3.example.com"]));
    assert_eq!(document["notes"][0]["message"], json!("gvwstate.dat is empty"));

    // No plain files: a directory, a pipe that would never end, far too much.
    let (file, gvwstate) = (scratch.0.path().join("data/grastate.dat"), scratch.0.path().join("data/gvwstate.dat"));
    fs::remove_file(&file).expect("our file");
    fs::create_dir(&file).expect("a scratch folder");
    fs::remove_file(&gvwstate).expect("our file");
    assert!(Command::new("mkfifo").arg(&gvwstate).status().expect("mkfifo").success());
    let (code, document) = scratch.evidence(DATA);
    assert_eq!(code, 1, "{document:#}");
    assert_eq!(document["files"]["grastate"], json!({"error": "grastate.dat is no plain file"}));
    assert_eq!(document["files"]["gvwstate"], json!({"error": "gvwstate.dat is no plain file"}));
    fs::remove_dir(&file).expect("our folder");
    fs::remove_file(&gvwstate).expect("our file");
    scratch.write("data/grastate.dat", &"x".repeat(100_000));
    let (_, document) = scratch.evidence(DATA);
    assert_eq!(document["files"]["grastate"], json!({"error": "grastate.dat has 100000 bytes: it is no such file"}));

    // A link that leads nowhere: the file is not missing, its disk is.
    fs::remove_file(&file).expect("our file");
    symlink("/nonexistent/grastate.dat", &file).expect("a link");
    let (code, document) = scratch.evidence(DATA);
    assert_eq!((code, &document["files"]), (1, &json!(null)), "{document:#}");
    // One that leads somewhere is as good as the file, and so is one to the whole directory.
    fs::remove_file(&file).expect("our file");
    scratch.write("grastate", CLEAN);
    symlink(scratch.0.path().join("grastate"), &file).expect("a link");
    symlink(scratch.0.path().join("data"), scratch.0.path().join("linked")).expect("a link");
    let (_, document) = scratch.evidence(&["--datadir=linked", "--socket=nobody"]);
    assert_eq!(document["files"]["grastate"]["seqno"], json!(8), "{document:#}");
}

#[test]
fn the_servers_option_file_says_where_the_data_are() {
    let scratch = Scratch::new();
    scratch.write("data/grastate.dat", CLEAN);
    scratch.directory("pf/var/conf");
    let text = format!("[mysqld]\ndatadir = '{}' # moved\nsocket=none\n", scratch.0.path().join("data").display());
    scratch.write("pf/var/conf/mariadb.conf", &text);
    let (code, document) = scratch.evidence(&[]);
    assert_eq!((code, &document["files"]["grastate"]["seqno"]), (0, &json!(8)), "{document:#}");
    scratch.directory("other");
    let (code, document) = scratch.evidence(&["--datadir=other"]);
    assert_eq!((code, &document["files"]["datadir_empty"]), (0, &json!(true)), "{document:#}");
}

/// A directory that stands for a disk that is not mounted looks empty, and must not be taken for it.
#[test]
fn a_disk_that_is_not_mounted_is_not_empty() {
    let scratch = Scratch::new();
    let path = scratch.0.path();
    let fstab = format!("# x\nUUID=1 / ext4 defaults 0 1\nUUID=2 {}/ xfs defaults 0 2\n", path.join("data").display());
    scratch.write("fstab", &fstab);
    let in_namespace = |before: &str| {
        let script = format!(
            "mount --bind fstab /etc/fstab && {before} exec {} evidence --root=pf --host=pf1.example.com --datadir=data \
             --socket=nobody",
            program().display()
        );
        scratch.answer(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
    };
    let (code, document) = in_namespace("");
    assert_eq!((code, &document["files"]), (1, &json!(null)), "{document:#}");
    assert!(document["notes"][0]["message"].as_str().is_some_and(|note| note.contains("not mounted")), "{document:#}");
    let (code, document) = in_namespace("mount -t tmpfs none data &&");
    assert_eq!((code, &document["files"]["datadir_empty"]), (0, &json!(true)), "{document:#}");
}
