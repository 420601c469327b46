//! Random clusters: every server, address and name is where the rules put it, and nowhere else.

use std::collections::BTreeSet;

use pfcluster_core::generate::{DaemonVersion, GenerateError, Rendered};
use pfcluster_core::version::PfVersion;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::haproxy_support::{Files, What, generate, version};
use super::reader::{binds, laws, section};

/// A cluster for the laws.
#[derive(Clone, Debug)]
struct Random {
    members: usize,
    me: usize,
    /// Name, type.
    interfaces: Vec<(&'static str, &'static str)>,
    disabled: BTreeSet<usize>,
    version: PfVersion,
    haproxy: DaemonVersion,
    portal_on_management: bool,
}

const NAMES: [&str; 4] = ["eth0", "eth1", "eth1.2", "bond0.33"];
const TYPES: [&str; 6] = ["internal", "portal", "internal,portal", "radius", "portal,radius", "dhcp-listener"];
const VERSIONS: [&str; 12] = ["8", "8.1", "8.3", "9.0", "9.2", "10", "11", "11.2", "12", "13", "14", "14.1"];
const HAPROXIES: [(u16, u16); 7] = [(1, 8), (2, 0), (2, 2), (2, 6), (2, 7), (3, 0), (u16::MAX, 0)];

fn random() -> impl Strategy<Value = Random> {
    let interfaces = vec(select(&TYPES[..]), 0..4);
    let versions = (select(&VERSIONS[..]), select(&HAPROXIES[..]));
    (1_usize..8, 0_usize..7, interfaces, btree_set(0_usize..7, 0..4), versions, any::<bool>()).prop_map(
        |(members, me, types, disabled, (text, (major, minor)), portal_on_management)| {
            let me = me % members;
            let mut interfaces = vec![(NAMES[0], "management,high-availability")];
            interfaces.extend(NAMES[1..].iter().copied().zip(types));
            let disabled = disabled.into_iter().filter(|number| *number != me && *number < members).collect();
            let haproxy = DaemonVersion::new(major, minor);
            Random { members, me, interfaces, disabled, version: version(text), haproxy, portal_on_management }
        },
    )
}

impl Random {
    fn ip(interface: usize, last: usize) -> String {
        format!("10.{interface}.0.{last}")
    }

    fn member(number: usize) -> String {
        format!("pf{number}.example.com")
    }

    /// Enabled members' addresses on an interface.
    fn enabled(&self, interface: usize) -> Vec<String> {
        let enabled = (0..self.members).filter(|number| !self.disabled.contains(number));
        enabled.map(|number| Random::ip(interface, number + 1)).collect()
    }

    fn files(&self) -> Files {
        let mut cluster_conf = String::new();
        let owners = std::iter::once(("CLUSTER".to_owned(), 100));
        for (name, last) in owners.chain((0..self.members).map(|number| (Random::member(number), number + 1))) {
            cluster_conf += &format!("[{name}]\nmanagement_ip={}\n", Random::ip(0, last));
            for (number, (interface, _)) in self.interfaces.iter().enumerate() {
                cluster_conf += &format!("[{name} interface {interface}]\nip={}\n", Random::ip(number, last));
            }
        }
        let mut pf_conf = String::new();
        for (number, (interface, kind)) in self.interfaces.iter().enumerate() {
            let ip = Random::ip(number, 1);
            pf_conf += &format!("[interface {interface}]\nip={ip}\nmask=255.255.255.0\ntype={kind}\n");
        }
        let toggle = if self.portal_on_management { "enabled" } else { "disabled" };
        pf_conf += &format!("[active_active]\nportal_on_management={toggle}\n");
        Files { cluster_conf, pf_conf, ..Files::default() }
    }

    fn generate(&self, what: What) -> Result<Rendered, GenerateError> {
        generate(what, &self.files(), &Random::member(self.me), self.version, |request| {
            request.options.haproxy = self.haproxy;
            request.disabled = self.disabled.iter().map(|n| Random::member(*n).parse().expect("a name")).collect();
        })
    }
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn databases_are_in_order(random in random()) {
        let rendered = random.generate(What::Db).expect("a good cluster");
        prop_assert_eq!(&random.generate(What::Db).expect("the same"), &rendered);
        let sections = laws(&rendered.files[0].text);
        let servers = section(&sections, "backend", "mysql").all(&["server"]);
        let expected: Vec<String> = random.enabled(0).into_iter().rev().map(|ip| format!("{ip}:3306")).collect();
        prop_assert_eq!(servers.iter().map(|line| line[1].clone()).collect::<Vec<_>>(), expected);
        for (number, line) in servers.iter().enumerate() {
            prop_assert_eq!(&line[0], &format!("MySQL{number}"));
            prop_assert_eq!(line.contains(&"backup".to_owned()), number > 0);
            prop_assert!(line.windows(2).any(|words| words == ["on-marked-down", "shutdown-sessions"]));
        }
        let mut expected = vec![format!("{}:1026", Random::ip(0, random.me + 1)), "127.0.0.1:3306".to_owned()];
        if random.version >= version("8.1") { expected.push("10.0.0.100:3306".to_owned()); }
        if random.version >= version("12") { expected.push("100.64.0.1:3306".to_owned()); }
        prop_assert_eq!(binds(&sections).into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect());
    }

    #[test]
    fn portals_are_on_their_addresses(random in random()) {
        let rendered = random.generate(What::Portal).expect("a good cluster");
        prop_assert_eq!(&random.generate(What::Portal).expect("the same"), &rendered);
        let sections = laws(&rendered.files[0].text);
        let containers = random.version >= version("12");
        let is_portal = |(_, (_, kind)): &(usize, &(&str, &str))| kind.contains("internal") || kind.contains("portal");
        let mut portals: Vec<usize> = random.interfaces.iter().enumerate().filter(is_portal).map(|(n, _)| n).collect();
        if containers { portals.truncate(1); }
        let backends: BTreeSet<&str> = sections.iter().filter(|s| s.name.ends_with("-backend")).map(|s| s.name.as_str()).collect();
        let expected: Vec<String> = portals.iter().map(|n| format!("{}-backend", Random::ip(*n, 100))).collect();
        prop_assert_eq!(backends, expected.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let mut expected_binds = BTreeSet::from([
            if containers { "*:1025".to_owned() } else { format!("{}:1025", Random::ip(0, random.me + 1)) },
        ]);
        for &number in &portals {
            let vip = Random::ip(number, 100);
            let own = Random::ip(number, random.me + 1);
            let mut members = random.enabled(number);
            if !random.portal_on_management && random.version >= version("9") && members.len() > 1 {
                members.retain(|ip| *ip != own);
            }
            let port = if containers { 8080 } else { 80 };
            let servers = section(&sections, "backend", &format!("{vip}-backend")).all(&["server"]);
            let servers: Vec<String> = servers.into_iter().map(|line| line[1].clone()).collect();
            prop_assert_eq!(servers, members.iter().map(|ip| format!("{ip}:{port}")).collect::<Vec<_>>());
            for (scheme, port) in [("http", 80), ("https", 443)] {
                let address = if containers { "*".to_owned() } else { vip.clone() };
                expected_binds.insert(format!("{address}:{port}"));
                let frontend = section(&sections, "frontend", &format!("portal-{scheme}-{vip}"));
                prop_assert_eq!(frontend.all(&["default_backend"]), vec![vec![format!("{vip}-backend")]]);
                prop_assert_eq!(frontend.all(&["bind"])[0].contains(&"ssl".to_owned()), scheme == "https");
            }
        }
        if !portals.is_empty() && random.version >= version("10") && !containers {
            let ip = if random.version < version("11") { "192.0.2.1" } else { "66.70.255.147" };
            expected_binds.extend([format!("{ip}:80"), format!("{ip}:443")]);
        }
        prop_assert_eq!(binds(&sections).len(), expected_binds.len());
        prop_assert_eq!(binds(&sections).into_iter().collect::<BTreeSet<_>>(), expected_binds);
        let lua = &rendered.files[1].text;
        for &number in &portals {
            for ip in random.enabled(number).into_iter().chain([Random::ip(number, 100)]) {
                prop_assert_eq!(lua.matches(&format!("[\"{ip}\"] = true")).count(), 1);
            }
        }
    }

    #[test]
    fn the_api_of_this_member_comes_first(random in random()) {
        let rendered = match random.generate(What::Admin) {
            Err(GenerateError::NotInVersion { .. }) => {
                prop_assert!(random.version < version("10"));
                return Ok(());
            }
            other => other.expect("a good cluster"),
        };
        prop_assert_eq!(&random.generate(What::Admin).expect("the same"), &rendered);
        let sections = laws(&rendered.files[0].text);
        let own = Random::ip(0, random.me + 1);
        let others = random.enabled(0).into_iter().filter(|ip| *ip != own);
        let expected: Vec<String> = std::iter::once(own.clone()).chain(others).collect();
        let servers = section(&sections, "backend", "api").all(&["server"]);
        prop_assert_eq!(servers.iter().map(|line| line[0].clone()).collect::<Vec<_>>(), expected.clone());
        for (number, line) in servers.iter().enumerate() {
            prop_assert_eq!(&line[1], &format!("{}:9999", line[0]));
            prop_assert_eq!(line.contains(&"backup".to_owned()), number > 0);
        }
        for ip in &expected {
            prop_assert_eq!(section(&sections, "backend", &format!("{ip}-api")).all(&["server"]).len(), 1);
            prop_assert_eq!(section(&sections, "backend", &format!("{ip}-netdata")).all(&["server"]).len(), 1);
            prop_assert_eq!(rendered.files[1].text.matches(&format!("[\"{ip}\"] = true")).count(), 2);
        }
        let number_of = |end: &str| sections.iter().filter(|s| s.name.ends_with(end)).count();
        prop_assert_eq!((number_of("-api"), number_of("-netdata")), (expected.len(), expected.len() + 1));
        prop_assert!(binds(&sections).contains(&"*:1443".to_owned()));
    }
}
