//! `key new`, and the units of systemd: what the sessions of testdata/cli/mariadb.txt can't show.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use pfcluster_tests::program::{examples, program, run};

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

/// Whoever is in the file's group may read it (PacketFence's synchronisation); nobody else, and no text that is no key.
#[test]
fn a_key_that_is_no_secret_is_refused() {
    let directory = scratch();
    let path = directory.path().join("pf/conf/pfcluster.key");
    let supervise = ["mariadb", "supervise", "--root=pf", "--host=pf1.example.com", "--run-directory=run"];
    let secret = "5ec2e7".repeat(11);
    for (text, mode, reason) in [
        (&secret[..64], 0o604, "chmod o="),
        (&secret[..64], 0o602, "chmod o="),
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

/// systemd itself reads the units: PacketFence's own with the drop-in, as far as its facts go, and the one that stands alone.
#[test]
fn systemd_accepts_the_units() {
    let directory = scratch();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(path).expect("a unit");
        text.replace("/usr/local/bin/pfcluster", &program().to_string_lossy())
    };
    let original = "[Unit]\nDescription=PacketFence's\nConflicts=mysql.service mariadb.service\n[Service]\nType=notify\n\
                    NotifyAccess=all\nRestart=on-failure\nTimeoutSec=300\nLimitNOFILE=4096\n\
                    ExecStart=/usr/bin/false $MARIADB_ARGS\n";
    let scratch = directory.path().join("units");
    let name = "packetfence-mariadb.service";
    fs::create_dir_all(scratch.join(format!("{name}.d"))).expect("a writable directory");
    fs::write(scratch.join(name), original).expect("a scratch file");
    for drop_in in ["pfcluster.conf", "20-supervise.conf"] {
        let text = read(units.join(format!("{name}.d")).join(drop_in));
        fs::write(scratch.join(format!("{name}.d")).join(drop_in), text).expect("a scratch file");
    }
    let alone = "pfcluster-mariadb.service";
    fs::write(scratch.join(alone), read(units.join(alone))).expect("a scratch file");
    for unit in [name, alone] {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(scratch.join(unit))
            .env("SYSTEMD_UNIT_PATH", format!("{}:", scratch.display()))
            .output()
            .expect("systemd is installed (tests/install)");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains(unit), "{unit}: {said}");
    }
}

/// Both units treat the supervisor and its database alike, and the drop-in replaces PacketFence's command.
#[test]
fn the_units_agree() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/systemd");
    let settings = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(units.join(name)).expect("a unit");
        let service = text.split("[Service]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("a service");
        let lines = service.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines.filter(|line| *line != "ExecStart=" && !line.starts_with("ExecStartPre=")).map(str::to_owned).collect()
    };
    let drop_in = settings("packetfence-mariadb.service.d/20-supervise.conf");
    assert_eq!(drop_in, settings("pfcluster-mariadb.service"));
    // A killed supervisor must not take the database along.
    assert!(drop_in.contains(&"KillMode=process".to_owned()), "{drop_in:?}");
    let text = fs::read_to_string(units.join("packetfence-mariadb.service.d/20-supervise.conf")).expect("a unit");
    assert!(text.contains("\nExecStart=\nExecStart=/usr/local/bin/pfcluster mariadb supervise $MARIADB_ARGS\n"));
}
