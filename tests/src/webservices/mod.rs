//! Members' web services as PacketFence's `httpd.webservices` serves them, one for each member of a small cluster, on
//! loopback addresses; and everything that can go wrong with them.
//!
//! Each member has an install directory of its own, which stands for its /usr/local/pf on the wire.

mod answer;
mod certificate;
pub mod lab;
mod server;

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::program;

pub use certificate::Certificate;
pub use server::{Fault, Request, StandIn};

/// The user of all members.
pub const USER: &str = "packet";

/// Their password: nothing that the program says may hold it.
pub const PASSWORD: &str = "fence-4711-Sesame";

/// Three members with one configuration, each with its web services.
pub struct Cluster {
    directory: tempfile::TempDir,
    /// The members, in order.
    pub members: Vec<Arc<StandIn>>,
    port: u16,
}

impl Cluster {
    /// All in order and in sync, with PacketFence 14.
    ///
    /// # Panics
    /// If this machine has no loopback addresses, or openssl is missing.
    pub fn new() -> Cluster {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let (addresses, listeners) = listeners();
        let port = listeners[0].local_addr().expect("a bound socket").port();
        let members = listeners.into_iter().zip(1..).map(|(listener, number)| {
            let root = directory.path().join(format!("pf{number}/pf"));
            let member = StandIn::start(host(number), root, listener, Certificate::shared());
            lay_out(&member, &addresses, port);
            member
        });
        let members: Vec<Arc<StandIn>> = members.collect();
        for member in &members {
            let others = members.iter().filter(|other| other.address != member.address);
            member.know(others.map(|other| (other.host.clone(), other.address)).collect(), port);
        }
        Cluster { directory, members, port }
    }

    /// Runs the program as a member, in a directory of its own; fails if it gives the password away.
    ///
    /// # Panics
    /// If it can't be started, or says the password.
    pub fn run(&self, member: usize, arguments: &[&str]) -> Answer {
        self.run_with(member, arguments, &[])
    }

    /// The same with environment variables.
    ///
    /// # Panics
    /// As [`run`](Cluster::run).
    pub fn run_with(&self, member: usize, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
        let member = &self.members[member];
        let root = member.root.to_string_lossy().into_owned();
        let directory = member.root.parent().unwrap_or(&member.root);
        let mut full = arguments.to_vec();
        full.extend(["--root", &root, "--host", &member.host]);
        let output = program::run(directory, &full, b"", variables);
        Answer::of(&output)
    }

    /// The port of all.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file beside the members' directories.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("a writable directory");
        path
    }

    /// Gives every member the version.
    pub fn set_versions(&self, versions: [&str; 3]) {
        self.members.iter().zip(versions).for_each(|(member, version)| member.write(VERSION_FILE, version.as_bytes()));
    }

    /// What the members' version files say.
    pub fn versions(&self) -> Vec<String> {
        self.members.iter().map(|member| String::from_utf8_lossy(&member.read(VERSION_FILE)).into_owned()).collect()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.members.iter().for_each(|member| drop(member.take_requests()));
    }
}

impl Default for Cluster {
    fn default() -> Cluster {
        Cluster::new()
    }
}

/// Where a member of PacketFence 12 and later keeps its version.
pub const VERSION_FILE: &str = "var/conf/config_version";

/// What the program said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its exit status.
    pub status: Option<i32>,
    /// Its answer.
    pub out: String,
    /// What else it said.
    pub err: String,
}

impl Answer {
    /// What a run of the program left.
    ///
    /// # Panics
    /// If it says the password.
    pub fn of(output: &Output) -> Answer {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let answer = Answer { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
        assert!(!answer.out.contains(PASSWORD) && !answer.err.contains(PASSWORD), "the password: {answer:?}");
        answer
    }
}

fn host(number: u8) -> String {
    format!("pf{number}.example.com")
}

/// One port on three loopback addresses that nobody else has: the network is of this process and this call.
fn listeners() -> (Vec<Ipv4Addr>, Vec<TcpListener>) {
    static CALLS: AtomicU8 = AtomicU8::new(0);

    let [process, _, _, _] = std::process::id().to_le_bytes();
    loop {
        let network = CALLS.fetch_add(1, Ordering::Relaxed);
        let addresses: Vec<Ipv4Addr> = (1..=3).map(|n| Ipv4Addr::new(127, process.max(1), network, n)).collect();
        let Ok(first) = TcpListener::bind(SocketAddrV4::new(addresses[0], 0)) else { continue };
        let port = first.local_addr().expect("a bound socket").port();
        let others = addresses[1..].iter().map(|address| TcpListener::bind(SocketAddrV4::new(*address, port)));
        if let Ok(others) = others.collect::<Result<Vec<_>, _>>() {
            return (addresses, std::iter::once(first).chain(others).collect());
        }
    }
}

fn lay_out(member: &StandIn, addresses: &[Ipv4Addr], port: u16) {
    let mut cluster_conf = "[CLUSTER]\nmanagement_ip=127.0.0.1\n".to_owned();
    for (address, number) in addresses.iter().zip(1..) {
        cluster_conf += &format!("[{}]\nmanagement_ip={address}\n", host(number));
    }
    let pf_conf = format!(
        "[webservices]\nuser={USER}\npass={PASSWORD}\nport={port}\n[active_active]\nconflict_resolution_threshold=1s\n"
    );
    member.write("conf/cluster.conf", cluster_conf.as_bytes());
    member.write("conf/pf.conf", pf_conf.as_bytes());
    member.write("conf/pf-release", b"PacketFence 14.0.0\n");
    member.write("conf/switches.conf", b"[default]\ndescription=Switches\n");
    member.write("conf/ssl/server.crt", Certificate::shared().pem());
    member.write("conf/ssl/server.key", b"-----BEGIN PRIVATE KEY-----\nnot the real one\n");
    member.write(VERSION_FILE, b"1510000000.12345");
}

/// The number, mode and time of change of a file: another one after every writing.
///
/// # Panics
/// If it is not there.
pub fn identity(path: &Path) -> (u64, u32, i64, i64) {
    let meta = std::fs::metadata(path).expect("a file");
    (meta.ino(), meta.mode(), meta.mtime(), meta.mtime_nsec())
}
