//! A machine room: network namespaces on one switch, one for each member, and what the tests need to work in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pfcluster_core::generate::Access;
use pfcluster_tests::netns;
use rustix::process::{Pid, Signal, kill_process};

use crate::member::Member;
use crate::{Change, generate};

const PACKAGES: &str = "mariadb-server mariadb-backup galera-4 socat iproute2 util-linux";

/// Namespaces and folders of this test begin with it; then the process and a number.
const PREFIX: &str = "pfmdb";

/// Network namespaces on one switch, and a scratch folder. All is removed in the end, whatever happens.
pub(crate) struct Lab {
    name: String,
    folder: PathBuf,
    namespaces: Vec<String>,
    /// One lab at a time: the machine is small.
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    /// A namespace for each address.
    pub(crate) fn new(addresses: &[&str]) -> Lab {
        static ALONE: Mutex<()> = Mutex::new(());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rustix::process::geteuid().is_root(), "run the tests as root: MariaDB and network namespaces need it");
        for program in ["mariadbd", "mariadb", "mariadb-install-db", "my_print_defaults", "mariabackup", "socat", "ip"]
        {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
            assert!(found.status.success(), "{program} is not installed: apt-get install {PACKAGES} (tests/install)");
        }
        assert!(
            Path::new("/usr/lib/galera/libgalera_smm.so").exists(),
            "galera-4 is not installed: apt-get install {PACKAGES}"
        );
        clear_leftovers();
        let name = format!("{PREFIX}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir(&folder).expect("a scratch folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("its mode");
        let mut lab = Lab { name: name.clone(), folder, namespaces: Vec::new(), _alone: alone };
        let switch = lab.namespace("sw");
        ip(&["-n", &switch, "link", "add", "br0", "up", "type", "bridge"]);
        for (number, address) in addresses.iter().enumerate() {
            let (member, port) = (lab.namespace(&number.to_string()), format!("port{number}"));
            ip(&["-n", &member, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &switch]);
            ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
            ip(&["-n", &member, "address", "add", &format!("{address}/24"), "dev", "eth0"]);
            ip(&["-n", &member, "link", "set", "eth0", "up"]);
            ip(&["-n", &member, "link", "set", "lo", "up"]);
        }
        lab
    }

    fn namespace(&mut self, what: &str) -> String {
        let name = format!("{}-{what}", self.name);
        ip(&["netns", "add", &name]);
        self.namespaces.push(name.clone());
        name
    }

    /// Plugs a member's cable in (`up`) or out (`down`).
    pub(crate) fn plug(&self, number: usize, state: &str) {
        ip(&["-n", &self.namespaces[0], "link", "set", &format!("port{number}"), state]);
    }

    /// A member with an initialized database and its generated files; not started.
    pub(crate) fn member(
        &self,
        number: usize,
        example: &str,
        host: &str,
        version: &str,
        change: &Change,
    ) -> Member<'_> {
        let folder = self.folder.join(number.to_string());
        let datadir = folder.join("data");
        for folder in [&folder, &folder.join("var"), &folder.join("var/conf"), &folder.join("var/run")] {
            fs::create_dir(folder).expect("a scratch folder");
        }
        make_dir(&datadir);
        let install = format!("--datadir={}", datadir.display());
        let log = "--innodb-log-file-size=8M";
        run(
            "mariadb-install-db",
            &["--no-defaults", "--user=mysql", &install, "--skip-test-db", "--skip-name-resolve", log],
        );
        let (rendered, _) = generate(example, host, version, change, &folder.display().to_string());
        for file in &rendered.files {
            let path = folder.join(file.path);
            let text = file.text.replace("/var/lib/mysql", &datadir.display().to_string());
            fs::write(&path, text).expect("a scratch file");
            let (mode, group) = match file.access {
                Access::Database => (0o640, true),
                Access::DatabaseScript => (0o750, true),
                _ => (0o644, false),
            };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            if group {
                run("chgrp", &["mysql", &path.display().to_string()]);
            }
        }
        let namespace = self.namespaces[number + 1].clone();
        Member { _lab: self, namespace, socket: datadir.join("mysql.sock"), folder, datadir, server: None }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.namespaces.iter().for_each(|namespace| remove_namespace(namespace));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What killed runs have left: their process is gone, their namespaces and folders are still there.
fn clear_leftovers() {
    netns::left_over(PREFIX).iter().for_each(|namespace| remove_namespace(namespace));
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| netns::is_left_over(name, PREFIX)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Ends what runs in it: the database, transfer scripts, hooks. Nothing else is ever in it.
fn remove_namespace(namespace: &str) {
    for _ in 0..50 {
        let pids = netns::pids(namespace);
        if pids.is_empty() {
            break;
        }
        for pid in pids.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}

pub(crate) fn make_dir(path: &Path) {
    fs::create_dir(path).expect("a scratch folder");
    run("chown", &["mysql:mysql", &path.display().to_string()]);
}

fn ip(arguments: &[&str]) {
    run("ip", arguments);
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {PACKAGES}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}

pub(crate) fn wait_until(what: &str, seconds: u64, is_so: impl FnMut() -> bool) {
    wait_or(what, seconds, is_so, String::new);
}

pub(crate) fn wait_or(what: &str, seconds: u64, mut is_so: impl FnMut() -> bool, tell: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}\n{}", tell());
        std::thread::sleep(Duration::from_millis(100));
    }
}
