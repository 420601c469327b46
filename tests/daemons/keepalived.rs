//! The real keepalived on generated files: its own test in a network namespace that has the interfaces, and real members
//! on a real wire.
//!
//! Needs root, keepalived, iproute2 and util-linux; /bin/systemctl is replaced, in the members' own view of the file
//! system, by a script that asks whether a file is there.

#[path = "keepalived/lab.rs"]
mod lab;
#[path = "keepalived/namespace.rs"]
mod namespace;

use std::fs;
use std::process::Command;
use std::time::Duration;

use lab::{Lab, MANAGEMENT, PREEMPT_DELAY, REGISTRATION};
use namespace::{Namespace, said};
use pfcluster_core::generate::{Request, Template, keepalived};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::version::PfVersion;
use pfcluster_tests::program::examples;

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
