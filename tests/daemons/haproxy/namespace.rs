//! A test in a network namespace: the guide's addresses, and nothing of this machine's.

use std::io::{Read, Seek};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use pfcluster_tests::netns;

const PREFIX: &str = "pfch";
const INSIDE: &str = "PFCLUSTER_INSIDE_NAMESPACE";
const LONGEST: Duration = Duration::from_secs(150);

/// Runs `body` in a namespace: this program starts itself again there, for the test of this name only.
pub(crate) fn in_namespace(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        set_up();
        body();
        return;
    }
    remove_leftovers();
    let namespace = Namespace::new(test);
    // HAProxy tells of every server that goes: of interest only if the test fails.
    let mut said = tempfile::tempfile().expect("a scratch file");
    let this = std::env::current_exe().expect("a test has a path");
    let mut child = Command::new("ip")
        .args(["netns", "exec", &namespace.name])
        .arg(this)
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "1")
        .stdout(said.try_clone().expect("an open file"))
        .stderr(said.try_clone().expect("an open file"))
        .spawn()
        .expect("`ip` must be installed");
    let end = Instant::now() + LONGEST;
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break Some(status);
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(namespace);
    let mut log = String::new();
    let _ = said.rewind();
    let _ = said.read_to_string(&mut log);
    // A name that fits no test would pass without having run.
    let passed = status.is_some_and(|status| status.success()) && log.contains("1 passed");
    assert!(passed, "{test} failed inside of its namespace, or took longer than {LONGEST:?}:\n{log}");
}

struct Namespace {
    name: String,
}

impl Namespace {
    fn new(test: &str) -> Namespace {
        // Namespaces are named at most as long as files, but short is easier to read.
        let number = test.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let name = format!("{PREFIX}-{}-{number:x}", std::process::id());
        let made = ip(&["netns", "add", &name]);
        let why = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "these tests must run as root, and make network namespaces: {why}");
        Namespace { name }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what runs in a namespace of ours, and takes it away.
fn remove(name: &str) {
    for pid in netns::pids(name) {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
    }
    let _ = ip(&["netns", "del", name]);
}

/// Those of a run that was killed: its process is gone.
fn remove_leftovers() {
    netns::left_over(PREFIX).iter().for_each(|name| remove(name));
}

fn ip(arguments: &[&str]) -> Output {
    Command::new("ip").args(arguments).output().expect("`ip` must be installed: these tests make network namespaces")
}

fn set_up() {
    let nonlocal = "/proc/sys/net/ipv4/ip_nonlocal_bind";
    std::fs::write(nonlocal, "1").expect("a namespace has settings of its own");
    assert!(ip(&["link", "set", "lo", "up"]).status.success());
    let members =
        [5, 6, 7, 10].into_iter().flat_map(|last| [1, 2, 3].map(|network| format!("192.168.{network}.{last}/32")));
    for address in members.chain(["100.64.0.1/32".to_owned()]) {
        assert!(ip(&["address", "add", &address, "dev", "lo"]).status.success(), "{address}");
    }
}
