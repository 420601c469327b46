//! The guide's three servers on one switch, with keepalived running, and services that a test starts and stops.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::namespace::Namespace;
use crate::{Example, assert_clean};

/// The guide's three servers on one switch, with keepalived from our files.
pub(crate) struct Lab {
    version: &'static str,
    directory: tempfile::TempDir,
    members: BTreeMap<&'static str, Member>,
    _switch: Namespace,
}

struct Member {
    namespace: Namespace,
    /// Holds a file for each unit that is active.
    units: PathBuf,
    configuration: PathBuf,
    keepalived: Option<Child>,
}

const SERVERS: [&str; 3] = ["pf1", "pf2", "pf3"];
pub(crate) const MANAGEMENT: &str = "192.168.1.10";
pub(crate) const REGISTRATION: &str = "192.168.2.10";
/// Instead of 30 s, so that the test can wait for it.
pub(crate) const PREEMPT_DELAY: u64 = 6;

impl Lab {
    pub(crate) fn new(version: &'static str, more: &str) -> Lab {
        let example = Example::new("guide");
        let switch = Namespace::new();
        for bridge in ["br0", "br1", "br2"] {
            switch.ip(&["link", "add", bridge, "type", "bridge"]);
            switch.ip(&["link", "set", bridge, "up"]);
        }
        let directory = tempfile::tempdir().expect("a scratch directory");
        // PacketFence's tree is not root's: notify scripts must run all the same.
        let pfupdate = directory.path().join("pf/bin/cluster/pfupdate");
        write_script(&pfupdate, &format!("echo \"$PFCK_MEMBER $*\" >> {}/notified", directory.path().display()));
        for path in pfupdate.ancestors().take(4) {
            chown(path, Some(65_534), Some(65_534)).expect("root");
        }
        let members = SERVERS.into_iter().map(|server| {
            let host = format!("{server}.example.com");
            let namespace = Namespace::new();
            for (number, (interface, ip)) in example.interfaces(&host).into_iter().enumerate() {
                let port = format!("{server}-{number}");
                namespace.wire(&interface, &format!("{ip}/24"), &switch, &port);
                switch.ip(&["link", "set", &port, "master", &format!("br{number}")]);
            }
            let text = example.keepalived(&host, version, more, |request| {
                request.options.advert_int = 1;
                request.options.install_dir = directory.path().join("pf").to_string_lossy().into_owned();
            });
            assert_clean(&namespace, &text, server);
            let text = text.replace("preempt_delay 30", &format!("preempt_delay {PREEMPT_DELAY}"));
            let units = directory.path().join(server);
            fs::create_dir(&units).expect("a writable directory");
            let configuration = units.join("keepalived.conf");
            fs::write(&configuration, text).expect("a writable directory");
            write_script(&units.join("systemctl"), &format!("exec test -e \"{}/$3\"", units.display()));
            (server, Member { namespace, units, configuration, keepalived: None })
        });
        let members = members.collect();
        let lab = Lab { version, directory, members, _switch: switch };
        for server in SERVERS {
            for unit in ["radiusd-load_balancer", "haproxy-db", "haproxy-portal"] {
                lab.start(server, unit);
            }
        }
        lab
    }

    pub(crate) fn start(&self, server: &str, unit: &str) {
        fs::write(self.members[server].units.join(format!("packetfence-{unit}")), "").expect("a writable directory");
    }

    pub(crate) fn stop(&self, server: &str, unit: &str) {
        fs::remove_file(self.members[server].units.join(format!("packetfence-{unit}"))).expect("it was active");
    }

    pub(crate) fn boot(&mut self, server: &'static str) {
        let member = self.members.get_mut(server).expect("a server");
        let units = member.units.display();
        let script = format!(
            "mount --bind {units}/systemctl /bin/systemctl && exec keepalived -n -l -D -P -f {} -p {units}/pid -r {units}/vrrp",
            member.configuration.display()
        );
        let log = fs::File::create(member.units.join("log")).expect("a writable directory");
        // Ends with the test, even if that is killed.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "ip", "netns", "exec", &member.namespace.0])
            .args(["unshare", "--mount", "sh", "-c", &script])
            .env("PFCK_MEMBER", server)
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file"))
            .stdout(log)
            .spawn();
        member.keepalived = Some(child.expect("setpriv runs"));
    }

    /// Who has an address.
    pub(crate) fn holders(&self, vip: &str) -> Vec<&'static str> {
        self.members.iter().filter(|(_, member)| member.namespace.has(vip)).map(|(server, _)| *server).collect()
    }

    /// Waits until `server` alone has an address; says how long it took.
    pub(crate) fn wait_for(&self, server: &str, vip: &str, most: Duration) -> Duration {
        self.wait_until(&format!("with {server}"), vip, most, |holders| holders == [server])
    }

    /// Waits until one of the others alone has an address. (Which one is a race of 4 ms for each step of priority; the
    /// better one takes it over after its `preempt_delay`.)
    pub(crate) fn wait_for_another(&self, server: &str, vip: &str, most: Duration) -> Duration {
        self.wait_until(&format!("with another than {server}"), vip, most, |holders| {
            holders.len() == 1 && holders != [server]
        })
    }

    fn wait_until(&self, what: &str, vip: &str, most: Duration, is_so: impl Fn(&[&str]) -> bool) -> Duration {
        let start = Instant::now();
        loop {
            let holders = self.holders(vip);
            if is_so(&holders) {
                return start.elapsed();
            }
            if start.elapsed() > most {
                let logs = self.members.iter().map(|(name, member)| {
                    format!("\n{name}:\n{}", fs::read_to_string(member.units.join("log")).unwrap_or_default())
                });
                let logs: String = logs.collect();
                panic!("{}: {vip} is with {holders:?}, not {what}, after {most:?}{logs}", self.version);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn notified(&self) -> String {
        fs::read_to_string(self.directory.path().join("notified")).unwrap_or_default()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for member in self.members.values_mut() {
            let Some(mut child) = member.keepalived.take() else { continue };
            // `setpriv`, `ip`, `unshare` and `sh` became keepalived: it ends its own child and gives its addresses up.
            let _ = Command::new("kill").arg(child.id().to_string()).output();
            let _ = child.wait();
        }
    }
}

fn write_script(path: &Path, body: &str) {
    fs::create_dir_all(path.parent().expect("below a directory")).expect("a writable directory");
    fs::write(path, format!("#!/bin/sh\n{body}\n")).expect("a writable directory");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file");
}
