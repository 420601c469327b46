//! The real keepalived on generated files: its own test in a network namespace that has the interfaces, and real members
//! on a real wire.
//!
//! Needs root, keepalived, iproute2 and util-linux; /bin/systemctl is replaced, in the members' own view of the file
//! system, by a script that asks whether a file is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pfcluster_core::generate::{Request, Template, keepalived};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::version::PfVersion;
use pfcluster_tests::program::examples;

/// Namespaces of this test begin with it; then the process and a number.
const PREFIX: &str = "pfck";

// ---- namespaces

/// A network namespace that goes with the test, however it ends.
struct Namespace(String);

impl Namespace {
    fn new() -> Namespace {
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

    fn ip(&self, arguments: &[&str]) -> String {
        run("ip", &[&["-n", &self.0][..], arguments].concat())
    }

    /// An interface with an address, at the end of a wire whose other end is `peer` in `other`.
    fn wire(&self, interface: &str, address: &str, other: &Namespace, peer: &str) {
        self.ip(&["link", "add", interface, "type", "veth", "peer", "name", peer, "netns", &other.0]);
        self.ip(&["addr", "add", address, "dev", interface]);
        self.ip(&["link", "set", interface, "up"]);
        other.ip(&["link", "set", peer, "up"]);
    }

    fn has(&self, address: &str) -> bool {
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
    for line in run("ip", &["netns", "list"]).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            drop(Namespace(name.to_owned()));
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {} (root is needed)", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

// ---- files

struct Example {
    cluster_conf: String,
    pf_conf: String,
}

impl Example {
    fn new(name: &str) -> Example {
        let read = |file: &str| fs::read_to_string(examples().join(name).join(file)).expect("an example");
        Example { cluster_conf: read("cluster.conf"), pf_conf: read("pf.conf") }
    }

    fn with<T>(&self, me: &str, version: &str, more: &str, use_it: impl FnOnce(&mut Request<'_>) -> T) -> T {
        let version: PfVersion = version.parse().expect("a version");
        let pf_conf = format!("{}\n{more}", self.pf_conf);
        let (cluster_conf, pf_conf) = (self.cluster_conf.as_bytes(), Some(pf_conf.as_bytes()));
        let texts = Texts { cluster_conf, pf_conf, ..Texts::default() };
        let installation = Installation::read(texts, &Situation::of_version(version));
        let me = me.parse().expect("a host name");
        let pf_conf = installation.pf_conf.as_ref().expect("a pf.conf");
        use_it(&mut Request::new(&installation.cluster, pf_conf, &me, version))
    }

    fn keepalived(&self, me: &str, version: &str, more: &str, choose: impl FnOnce(&mut Request<'_>)) -> String {
        self.with(me, version, more, |request| {
            choose(request);
            keepalived(request).unwrap_or_else(|error| panic!("{error}")).files.remove(0).text
        })
    }

    /// Interface and address, for each of a member.
    fn interfaces(&self, me: &str) -> Vec<(String, String)> {
        self.with(me, "14", "", |request| {
            let member = request.cluster.member(me).expect("a member");
            let ip =
                |interface: &pfcluster_core::cluster::Interface| interface.ip.expect("an address").value.to_string();
            member.addresses.interfaces.iter().map(|interface| (interface.name.to_string(), ip(interface))).collect()
        })
    }
}

/// keepalived's own test of a file: no word and no other status than 0.
fn assert_clean(namespace: &Namespace, text: &str, what: &str) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = directory.path().join("keepalived.conf");
    fs::write(&file, text).expect("a writable directory");
    let file = file.to_string_lossy();
    let output = Command::new("ip").args(["netns", "exec", &namespace.0, "keepalived", "-t", "-f", &file]).output();
    let output = output.expect("ip runs");
    assert!(
        output.status.success() && said(&output).is_empty(),
        "{what}: {}: {}\n{text}",
        output.status,
        said(&output)
    );
}

/// A namespace with a member's interfaces, their wires' other ends at hand.
fn host(example: &Example, me: &str) -> Namespace {
    let namespace = Namespace::new();
    for (number, (interface, ip)) in example.interfaces(me).into_iter().enumerate() {
        namespace.wire(&interface, &format!("{ip}/24"), &namespace, &format!("peer{number}"));
    }
    namespace
}

const MEMBERS: [(&str, &[&str], &str); 3] = [
    ("guide", &["pf1.example.com", "pf2.example.com", "pf3.example.com"], "8"),
    ("five-members", &["nac1.corp.example", "nac5.corp.example"], "8"),
    ("two-zones", &["pf1-dc1.example.com", "pf1-dc2.example.com"], "8.2"),
];

#[test]
fn keepalived_accepts_every_example_version_and_option() {
    for (name, members, oldest) in MEMBERS {
        let example = Example::new(name);
        for me in members {
            let namespace = host(&example, me);
            for version in [oldest, "9.2", "10.0", "11.2", "12", "13", "14"] {
                let options =
                    ["", "vrrp_unicast=enabled", "centralize_vips=enabled", "vrrp_unicast=y\ncentralize_vips=y"];
                for option in options {
                    let more = format!("[active_active]\n{option}\n");
                    for advert_int in [1, 5] {
                        let text =
                            example.keepalived(me, version, &more, |request| request.options.advert_int = advert_int);
                        assert_clean(&namespace, &text, &format!("{me} {version} {option} {advert_int}"));
                    }
                }
                let alone = example.keepalived(me, version, "[active_active]\nvrrp_unicast=enabled\n", |request| {
                    let all = request.cluster.members().map(|member| member.host.clone());
                    request.disabled = all.filter(|host| host != request.me).collect();
                });
                assert_clean(&namespace, &alone, &format!("{me} {version} alone"));
                let off = "[services]\nhaproxy-portal=disabled\nhaproxy-db=disabled\nradiusd=disabled\n[alerting]\nemailaddr=\n";
                assert_clean(&namespace, &example.keepalived(me, version, off, |_| ()), &format!("{me} {version} off"));
            }
        }
    }
}

/// Version 7 has one HAProxy; it has no multi-zone clusters.
#[test]
fn keepalived_accepts_version_7() {
    let example = Example::new("guide");
    let me = "pf2.example.com";
    let namespace = host(&example, me);
    assert_clean(&namespace, &example.keepalived(me, "7", "", |_| ()), "7");
}

#[test]
fn keepalived_reads_odd_values_as_they_are_meant() {
    let example = Example::new("guide");
    let me = "pf2.example.com";
    let namespace = host(&example, me);
    let more = "[alerting]\nemailaddr= a@example.com , b+c@example.com,root\nfromaddr=pf-2@example.com\nsmtpserver=127.0.0.1\n\
                [network]\nstaticroutes=<<END\n10.9.0.0/16 via 192.168.1.1 dev eth0\ndefault via 192.168.1.1 dev eth0\nEND\n";
    assert_clean(&namespace, &example.keepalived(me, "14", more, |_| ()), "mail and routes");
    for key in ["a$b~c@d%", "<=>|;,`^", "a", "longerthan8", "&*()_+-/", ":?[].a"] {
        let example =
            Example { pf_conf: example.pf_conf.replace("kTq7vRw2", key), cluster_conf: example.cluster_conf.clone() };
        assert_clean(&namespace, &example.keepalived(me, "14", "", |_| ()), key);
    }
    let template = "global_defs {\n notification_email {\n %%emailaddr%%\n }\n notification_email_from %%fromaddr%%\n \
                    smtp_server %%smtpserver%%\n router_id %%router_id%%\n enable_script_security\n script_user root\n}\n\
                    vrrp_script haproxy {\n script \"/bin/true\"\n}\n%%vrrp%%\n";
    for version in ["8", "12", "14"] {
        let text = example.keepalived(me, version, "", |request| {
            request.options.templates = vec![Template { path: "conf/keepalived.conf".into(), text: template.into() }];
        });
        assert_clean(&namespace, &text, "template");
    }
}

// ---- members that really run

/// The guide's three servers on one switch, with keepalived from our files.
struct Lab {
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
const MANAGEMENT: &str = "192.168.1.10";
const REGISTRATION: &str = "192.168.2.10";
/// Instead of 30 s, so that the test can wait for it.
const PREEMPT_DELAY: u64 = 6;

impl Lab {
    fn new(version: &'static str, more: &str) -> Lab {
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

    fn start(&self, server: &str, unit: &str) {
        fs::write(self.members[server].units.join(format!("packetfence-{unit}")), "").expect("a writable directory");
    }

    fn stop(&self, server: &str, unit: &str) {
        fs::remove_file(self.members[server].units.join(format!("packetfence-{unit}"))).expect("it was active");
    }

    fn boot(&mut self, server: &'static str) {
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
    fn holders(&self, vip: &str) -> Vec<&'static str> {
        self.members.iter().filter(|(_, member)| member.namespace.has(vip)).map(|(server, _)| *server).collect()
    }

    /// Waits until `server` alone has an address; says how long it took.
    fn wait_for(&self, server: &str, vip: &str, most: Duration) -> Duration {
        self.wait_until(&format!("with {server}"), vip, most, |holders| holders == [server])
    }

    /// Waits until one of the others alone has an address. (Which one is a race of 4 ms for each step of priority; the
    /// better one takes it over after its `preempt_delay`.)
    fn wait_for_another(&self, server: &str, vip: &str, most: Duration) -> Duration {
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

    fn notified(&self) -> String {
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

/// Registration addresses prefer pf2 from version 10 on; else everything prefers pf1.
fn fails_over(version: &'static str, more: &str, registration: [&'static str; 2], management_unit: &str) {
    let mut lab = Lab::new(version, more);
    let seconds = Duration::from_secs;
    // The least preferred member is up first and holds everything.
    lab.boot("pf3");
    for vip in [MANAGEMENT, REGISTRATION] {
        lab.wait_for("pf3", vip, seconds(15));
    }
    // Better ones come: they wait for preempt_delay, then take over.
    lab.boot("pf1");
    lab.boot("pf2");
    let waited = lab.wait_for("pf1", MANAGEMENT, seconds(PREEMPT_DELAY + 14));
    assert!(waited > seconds(PREEMPT_DELAY - 1), "{version}: preempt_delay has no effect: {waited:?}");
    lab.wait_for(registration[0], REGISTRATION, seconds(15));
    // The portal's HAProxy of the holder dies: its addresses go, in the end to the next; the management address stays.
    lab.stop(registration[0], "haproxy-portal");
    lab.wait_for_another(registration[0], REGISTRATION, seconds(12));
    lab.wait_for(registration[1], REGISTRATION, seconds(PREEMPT_DELAY + 14));
    assert_eq!(lab.holders(MANAGEMENT), ["pf1"], "{version}");
    // What serves on the management address dies.
    lab.stop("pf1", management_unit);
    lab.wait_for_another("pf1", MANAGEMENT, seconds(12));
    lab.wait_for("pf2", MANAGEMENT, seconds(PREEMPT_DELAY + 14));
    // It is back: so is the address.
    lab.start("pf1", management_unit);
    lab.wait_for("pf1", MANAGEMENT, seconds(PREEMPT_DELAY + 14));
    // pfupdate ran although it is not root's file.
    let to = if version == "14" { format!(" --vip={MANAGEMENT}") } else { String::new() };
    for event in
        [format!("pf1 --mode=master{to}\n"), format!("pf1 --mode=slave{to}\n"), format!("pf2 --mode=master{to}\n")]
    {
        assert!(lab.notified().contains(&event), "{version}: no {event} in\n{}", lab.notified());
    }
}

#[test]
fn the_addresses_follow_the_services_14() {
    fails_over("14", "", ["pf2", "pf1"], "radiusd-load_balancer");
}

#[test]
fn the_addresses_follow_the_services_14_unicast() {
    fails_over(
        "14",
        "[active_active]\nvrrp_unicast=enabled\ncentralize_vips=enabled\n",
        ["pf1", "pf2"],
        "radiusd-load_balancer",
    );
}

#[test]
fn the_addresses_follow_the_services_8() {
    fails_over("8", "", ["pf1", "pf2"], "haproxy-db");
}

/// A member whose service never ran takes no address, although nobody else is there.
#[test]
fn a_member_without_its_service_takes_no_address() {
    let mut lab = Lab::new("12", "");
    lab.stop("pf1", "radiusd-load_balancer");
    lab.boot("pf1");
    lab.wait_for("pf1", REGISTRATION, Duration::from_secs(15));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.holders(MANAGEMENT), [""; 0]);
}
