//! Network namespaces with wires between them, where the real daemon finds the interfaces of its file.

use std::process::{Command, Output};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use pfcluster_tests::netns;

/// Namespaces of this test begin with it; then the process and a number.
const PREFIX: &str = "pfck";

/// A network namespace that goes with the test, however it ends.
pub(crate) struct Namespace(pub(crate) String);

impl Namespace {
    pub(crate) fn new() -> Namespace {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static CLEARED: Once = Once::new();
        CLEARED.call_once(|| {
            assert!(
                Command::new("keepalived").arg("--version").output().is_ok(),
                "keepalived is not installed: `apt-get install keepalived`"
            );
            clear_leftovers();
        });
        let name = format!("{PREFIX}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        let namespace = Namespace(name);
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    pub(crate) fn ip(&self, arguments: &[&str]) -> String {
        run("ip", &[&["-n", &self.0][..], arguments].concat())
    }

    /// An interface with an address, at the end of a wire whose other end is `peer` in `other`.
    pub(crate) fn wire(&self, interface: &str, address: &str, other: &Namespace, peer: &str) {
        self.ip(&["link", "add", interface, "type", "veth", "peer", "name", peer, "netns", &other.0]);
        self.ip(&["addr", "add", address, "dev", interface]);
        self.ip(&["link", "set", interface, "up"]);
        other.ip(&["link", "set", peer, "up"]);
    }

    pub(crate) fn has(&self, address: &str) -> bool {
        self.ip(&["-o", "-4", "addr", "show"]).contains(&format!(" {address}/"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Namespaces of test runs that were killed.
fn clear_leftovers() {
    netns::left_over(PREFIX).into_iter().for_each(|name| drop(Namespace(name)));
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {} (root is needed)", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
