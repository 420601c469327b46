//! Random clusters: every address, priority and script is where PacketFence's rules put it, worked out once more here.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pfcluster_core::generate::{DaemonVersion, Options, Rendered};
use pfcluster_core::version::PfVersion;
use proptest::prelude::*;

use super::reader::{Node, read};
use super::{Files, text};

#[derive(Clone, Debug)]
struct Random {
    members: usize,
    me: usize,
    disabled: Vec<bool>,
    /// Types of the interfaces; eth0 is the management interface.
    types: Vec<&'static str>,
    version: &'static str,
    unicast: bool,
    centralize: bool,
    vrid: u8,
    key: String,
    advert_int: u8,
    keepalived: DaemonVersion,
}

fn random() -> impl Strategy<Value = Random> {
    let types = prop::sample::select(vec![
        "internal",
        "portal",
        "radius",
        "dhcp-listener",
        "portal,radius",
        "internal, portal",
        "other",
    ]);
    let version =
        prop::sample::select(vec!["7.0", "8.0", "8.2", "9.2", "10.0", "10.2", "11.0", "11.2", "12.0", "13.0", "14.1"]);
    let keepalived = prop::sample::select(vec![(1, 2), (1, 3), (2, 2), (u16::MAX, 0)]);
    let shape = (
        1..=7_usize,
        any::<prop::sample::Index>(),
        prop::collection::vec(any::<bool>(), 7),
        prop::collection::vec(types, 0..4),
    );
    let settings = (
        version,
        any::<bool>(),
        any::<bool>(),
        1..=255_u8,
        "[a-zA-Z0-9$%&()*+,./:;<=>?@^_`|~-]{1,12}",
        1..=255_u8,
        keepalived,
    );
    (shape, settings).prop_map(|((members, me, mut disabled, types), settings)| {
        let (version, unicast, centralize, vrid, key, advert_int, keepalived) = settings;
        let me = me.index(members);
        disabled[me] = false;
        let keepalived = DaemonVersion::new(keepalived.0, keepalived.1);
        Random { members, me, disabled, types, version, unicast, centralize, vrid, key, advert_int, keepalived }
    })
}

impl Random {
    fn interfaces(&self) -> Vec<&'static str> {
        std::iter::once("management").chain(self.types.iter().copied()).collect()
    }

    fn ip(interface: usize, host: usize) -> String {
        format!("10.{interface}.0.{}", host + 1)
    }

    const VIP: usize = 99;

    fn files(&self) -> Files {
        let section = |name: &str, host: usize| {
            let head = format!("[{name}]\nmanagement_ip={}\n", Random::ip(0, host));
            let interfaces = 0..self.interfaces().len();
            interfaces.fold(head, |out, at| out + &format!("[{name} interface eth{at}]\nip={}\n", Random::ip(at, host)))
        };
        let cluster =
            (0..self.members).fold(section("CLUSTER", Random::VIP), |out, at| out + &section(&format!("pf{at}"), at));
        let unicast = if self.unicast { "enabled" } else { "disabled" };
        let centralize = if self.centralize { "enabled" } else { "disabled" };
        let head = format!(
            "[active_active]\npassword={}\nvirtual_router_id={}\nvrrp_unicast={unicast}\ncentralize_vips={centralize}\n",
            self.key, self.vrid
        );
        let pf = self.interfaces().iter().enumerate().fold(head, |out, (at, kind)| {
            out + &format!("[interface eth{at}]\nip={}\nmask=255.255.255.0\ntype={kind}\n", Random::ip(at, 0))
        });
        Files { cluster, pf, networks: String::new() }
    }

    fn render(&self) -> Rendered {
        let made = self.files().keepalived(&format!("pf{}", self.me), self.version, |request| {
            let disabled = (0..self.members).filter(|&at| self.disabled[at]);
            request.disabled = disabled.map(|at| format!("pf{at}").parse().expect("a host name")).collect();
            request.options = Options::default();
            (request.options.advert_int, request.options.keepalived) = (self.advert_int, self.keepalived);
        });
        made.unwrap_or_else(|error| panic!("{error}"))
    }

    fn since(&self, major: u8, minor: u8) -> bool {
        self.version.parse::<PfVersion>().expect("a version") >= PfVersion::new(major, minor)
    }

    /// The interfaces with a virtual address, in PacketFence's order, worked out from its rule once more.
    fn order(&self) -> Vec<usize> {
        let interfaces = self.interfaces();
        let of = |word: &'static str| {
            (0..interfaces.len()).filter({
                let interfaces = interfaces.clone();
                move |&at| interfaces[at].split(", ").flat_map(|words| words.split(',')).any(|other| other == word)
            })
        };
        let listen: Vec<usize> = (0..interfaces.len())
            .filter(|&at| interfaces[at].contains("internal") || interfaces[at].contains("portal") && self.since(11, 0))
            .collect();
        let listeners =
            (0..interfaces.len()).filter(|&at| at == 0 || interfaces[at] == "dhcp-listener" && self.since(8, 0));
        let mut order = Vec::new();
        for at in listen.into_iter().chain(listeners).chain(of("portal")).chain(of("radius")) {
            if !order.contains(&at) {
                order.push(at);
            }
        }
        order
    }

    /// Reference 4.2: the table of priorities.
    fn priority(&self, interface: usize) -> i64 {
        let enabled: Vec<usize> = (0..self.members).filter(|&at| !self.disabled[at]).collect();
        let index = enabled.iter().position(|&at| at == self.me).expect("I am enabled");
        let kind = self.interfaces()[interface];
        let by_index = !self.since(10, 0)
            || kind == "management"
            || kind.contains("radius") && self.since(10, 2)
            || self.centralize && self.since(11, 2);
        let spread: [&[i64]; 7] = [
            &[101],
            &[100, 99],
            &[99, 100, 98],
            &[98, 101, 100, 97],
            &[97, 102, 101, 100, 96],
            &[96, 103, 102, 101, 100, 95],
            &[95, 104, 103, 102, 101, 100, 94],
        ];
        if by_index { 100 - i64::try_from(index).expect("small") } else { spread[enabled.len() - 1][index] }
    }
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn every_address_appears_exactly_where_it_should(random in random()) {
        let rendered = random.render();
        prop_assert_eq!(&rendered, &random.render());
        let tree = read(text(&rendered)).map_err(TestCaseError::fail)?;
        let instances = Node::all(&tree, "vrrp_instance");
        let order = random.order();
        prop_assert_eq!(instances.len(), order.len());
        let mut tracked = BTreeSet::new();
        for (instance, &interface) in instances.iter().zip(&order) {
            let own = Random::ip(interface, random.me);
            let vip = Random::ip(interface, Random::VIP);
            let device = format!("eth{interface}");
            let word = |name: &str| instance.value(name).map(str::to_owned);
            prop_assert_eq!(&instance.words, &["vrrp_instance".to_owned(), own.clone()]);
            prop_assert_eq!(instance.value("interface"), Some(device.as_str()));
            prop_assert_eq!(instance.value("state"), Some("BACKUP"));
            prop_assert_eq!(instance.block("virtual_ipaddress"), Some(vec![format!("{vip}/32 dev {device}")]));
            prop_assert_eq!(word("virtual_router_id"), Some(random.vrid.to_string()));
            prop_assert_eq!(word("advert_int"), Some(random.advert_int.to_string()));
            prop_assert_eq!(word("priority"), Some(random.priority(interface).to_string()));
            let others = (0..random.members).filter(|&at| at != random.me && !random.disabled[at]);
            let others: Vec<String> = others.map(|at| Random::ip(interface, at)).collect();
            let is_unicast = random.unicast && !others.is_empty();
            prop_assert_eq!(instance.block("unicast_peer"), is_unicast.then_some(others));
            prop_assert_eq!(instance.value("unicast_src_ip"), is_unicast.then_some(own.as_str()));
            let key = random.key.get(..8).unwrap_or(&random.key);
            prop_assert_eq!(instance.block("authentication"), Some(vec!["auth_type PASS".to_owned(), format!("auth_pass {key}")]));
            let to = if random.since(13, 0) { format!(" --vip={vip}") } else { String::new() };
            let env = if random.keepalived >= DaemonVersion::new(1, 3) { "/usr/bin/env " } else { "" };
            let script = format!("{env}/usr/local/pf/bin/cluster/pfupdate --mode=slave{to}");
            prop_assert_eq!(instance.value("notify_backup"), Some(script.as_str()));
            prop_assert_eq!(instance.value("notify_fault"), Some(script.as_str()));
            prop_assert_eq!(word("notify_master"), Some(script.replace("slave", "master")));
            let scripts = instance.block("track_script").unwrap_or_default();
            prop_assert!(!scripts.is_empty());
            tracked.extend(scripts);
        }
        let defined: Vec<String> = Node::all(&tree, "vrrp_script").iter().map(|node| node.words[1].clone()).collect();
        prop_assert_eq!(defined.iter().cloned().collect::<BTreeSet<_>>(), tracked);
        prop_assert_eq!(defined.len(), defined.iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(Node::all(&tree, "static_ipaddress").len(), usize::from(random.since(10, 0)));
        prop_assert_eq!(Node::all(&tree, "global_defs").len(), 1);
        // No address that is nobody's.
        for word in text(&rendered).split(|c: char| !c.is_ascii_digit() && c != '.') {
            if let Ok(ip) = word.parse::<Ipv4Addr>() && ip.octets()[0] == 10 {
                let host = usize::from(ip.octets()[3]) - 1;
                prop_assert!(host == Random::VIP || host < random.members && !random.disabled[host], "{}", ip);
            }
        }
    }
}
