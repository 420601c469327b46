//! Random clusters: every member is where it should be, with an identity that is its own.

use std::collections::{BTreeMap, BTreeSet};

use pfcluster_core::document::Document;
use pfcluster_core::generate::{Access, GenerateError, Rendered};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use proptest::prelude::*;

use super::reader::read_options;
use super::{Files, hostname, text};

pub(crate) const VERSIONS: [&str; 14] =
    ["7.0", "7.3", "8", "8.2", "8.4", "9", "9.2", "10", "10.3", "11", "11.2", "12", "13", "14.1"];

#[derive(Clone, Debug)]
struct World {
    /// The members of each zone: name and the last two numbers of the address.
    zones: Vec<Vec<(String, (u8, u8))>>,
    slaves: Vec<bool>,
    disabled: BTreeSet<String>,
    me: String,
    version: &'static str,
    galera: bool,
    masterslave: bool,
    hook: bool,
    interfaces: usize,
    user: String,
    password: String,
}

impl World {
    fn is_multi_zone(&self) -> bool {
        self.zones.len() > 1
    }

    fn address((third, fourth): (u8, u8)) -> String {
        format!("10.1.{third}.{fourth}")
    }

    fn files(&self) -> Files {
        let mut cluster =
            if self.is_multi_zone() { "[general]\nmulti_zone=enabled\n".to_owned() } else { String::new() };
        for (number, members) in self.zones.iter().enumerate() {
            let zone = if self.is_multi_zone() { format!("Z{number} ") } else { String::new() };
            cluster += &format!("[{zone}CLUSTER]\nmanagement_ip=10.9.{number}.1\n");
            if self.is_multi_zone() && self.slaves[number] {
                cluster += "masterslavemode=SLAVE\n";
            }
            for interface in 0..self.interfaces {
                cluster += &format!("[{zone}CLUSTER interface eth{interface}]\nip=10.9.{number}.{}\n", interface + 1);
            }
            for (host, address) in members {
                cluster += &format!("[{zone}{host}]\nmanagement_ip={}\n", Self::address(*address));
                for interface in 0..self.interfaces {
                    let ip = format!("10.{}.{}.{}", interface + 1, address.0, address.1);
                    cluster += &format!("[{zone}{host} interface eth{interface}]\nip={ip}\n");
                }
            }
        }
        let mut pf_conf = "[interface eth0]\nip=10.1.0.1\nmask=255.0.0.0\ntype=management\n".to_owned();
        pf_conf += &format!(
            "[active_active]\ngalera_replication={}\ngalera_replication_username={}\ngalera_replication_password={}\n",
            if self.galera { "enabled" } else { "disabled" },
            self.user,
            self.password
        );
        if self.masterslave {
            pf_conf += "[database_advanced]\nmasterslave=ON\n";
        }
        Files { cluster_conf: cluster, pf_conf }
    }

    fn generate_for(&self, me: &str) -> Result<Rendered, GenerateError> {
        self.files().generate(me, self.version, |request| {
            request.disabled = self.disabled.iter().map(|host| hostname(host)).collect();
            request.options.readonly_hook = self.hook;
        })
    }

    fn is_slave(&self, zone: usize) -> bool {
        self.is_multi_zone() && self.slaves[zone]
    }

    /// Zone and address of a member.
    fn member(&self, host: &str) -> (usize, String) {
        let mut all = self.zones.iter().enumerate().flat_map(|(zone, members)| members.iter().map(move |m| (zone, m)));
        let (zone, (_, address)) = all.find(|(_, (name, _))| name == host).expect("a member");
        (zone, Self::address(*address))
    }

    /// The addresses that should be in `wsrep_cluster_address`.
    fn shared(&self) -> Vec<String> {
        let zones = self.zones.iter().enumerate().filter(|(zone, _)| !self.is_slave(*zone));
        let members = zones.flat_map(|(_, members)| members);
        let enabled = members.filter(|(host, _)| !self.disabled.contains(host));
        let mut addresses: Vec<String> = enabled.map(|(_, address)| Self::address(*address)).collect();
        addresses.reverse();
        addresses
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let places = proptest::collection::btree_set((0..4u8, 1..250u8), 1..8usize);
    let chances = (any::<[bool; 3]>(), any::<[bool; 7]>(), any::<[bool; 3]>());
    let choice = (any::<prop::sample::Index>(), prop::sample::select(VERSIONS.as_slice()), 1..=3usize, 1..=4usize);
    // Without characters that are refused: those are the hostile values' subject.
    (places, chances, choice, "[a-z]{1,12}", "[!-~]{1,40}").prop_map(
        |(places, (slaves, disabled, switches), (me, version, zones, interfaces), user, password)| {
            let names = places.iter().enumerate().map(|(n, place)| (format!("pf-{n}.example.com"), *place));
            let members: Vec<_> = names.collect();
            let zones = zones.min(members.len());
            let me = members[me.index(members.len())].0.clone();
            let is_disabled = |(n, (host, _)): &(usize, &(String, _))| disabled[*n] && *host != me;
            let disabled = members.iter().enumerate().filter(is_disabled).map(|(_, (host, _))| host.clone()).collect();
            // xtrabackup's script carries letters and digits.
            let early = version.parse::<PfVersion>().expect("a version") < PfVersion::new(10, 3);
            let password = if early { format!("{:x?}", password.as_bytes()[0]) } else { password };
            let mut split = vec![Vec::new(); zones];
            members.into_iter().enumerate().for_each(|(n, member)| split[n % zones].push(member));
            let [galera, masterslave, hook] = switches;
            let slaves = slaves.to_vec();
            let zones = split;
            World { zones, slaves, disabled, me, version, galera, masterslave, hook, interfaces, user, password }
        },
    )
}

/// What pf.conf's reader makes of a value: nothing here should change it on the way.
fn survives_pf_conf(world: &World) -> bool {
    let files = world.files();
    let pf_conf = Document::parse(Source::PfConf, files.pf_conf.as_bytes()).value;
    let pf_conf = PfConf::new(&pf_conf, None, PfVersion::NEWEST);
    pf_conf.text("active_active", "galera_replication_password") == world.password
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn every_member_is_where_it_should_be(world in worlds()) {
        prop_assume!(survives_pf_conf(&world));
        let rendered = world.generate_for(&world.me);
        let rendered = rendered.map_err(|error| TestCaseError::fail(format!("{error}: {}", error.help())))?;
        let options = read_options(text(&rendered, "var/conf/mariadb.conf")).map_err(TestCaseError::fail)?;
        let (zone, address) = world.member(&world.me);
        let version: PfVersion = world.version.parse().expect("a version");
        let follows = world.is_slave(zone) && version >= PfVersion::new(9, 2);
        let shared = world.shared();
        let galera = world.galera && shared.len() > 1 && !world.is_slave(zone);
        let mysqld = |key: &str| options["mysqld"].get(key).cloned().flatten();
        prop_assert_eq!(mysqld("bind_address"), Some(address.clone()));
        prop_assert_eq!(mysqld("read_only").is_some(), follows);
        prop_assert_eq!(mysqld("server_id").is_some(), follows || galera);
        prop_assert_eq!(options.contains_key("galera"), galera);
        prop_assert_eq!(rendered.files.iter().any(|file| file.path == "var/run/db-update"), galera && world.hook);
        prop_assert_eq!(rendered.files[0].access, Access::Database);
        if galera {
            let wsrep = |key: &str| options["galera"].get(key).cloned().flatten();
            prop_assert_eq!(wsrep("wsrep_cluster_address"), Some(format!("gcomm://{}", shared.join(","))));
            prop_assert_eq!(wsrep("wsrep_node_name"), Some(world.me.clone()));
            prop_assert_eq!(wsrep("wsrep_node_address"), Some(address));
            prop_assert_eq!(wsrep("wsrep_sst_auth"), Some(format!("{}:{}", world.user, world.password)));
            prop_assert_eq!(wsrep("wsrep_notify_cmd").is_some(), world.hook);
            let is_followed = world.masterslave || (0..world.zones.len()).any(|zone| world.is_slave(zone));
            let followed = is_followed && version >= PfVersion::new(9, 2);
            prop_assert_eq!(wsrep("wsrep_gtid_domain_id").is_some(), followed);
        } else {
            prop_assert!(!rendered.files[0].text.contains("wsrep"));
            prop_assert!(follows || !rendered.notices.is_empty());
        }
    }

    /// Two members never have the same identity, whatever each of them has disabled; one member keeps its own; and what
    /// goes through Galera has one domain, which is nobody's own.
    #[test]
    fn identities_are_unique_and_stable(world in worlds()) {
        prop_assume!(survives_pf_conf(&world));
        let world = World { galera: true, masterslave: true, version: "14", ..world };
        let mut ids = BTreeMap::new();
        let mut domains = BTreeSet::new();
        for seen in [world.clone(), World { disabled: BTreeSet::new(), ..world.clone() }] {
            for (host, _) in seen.zones.iter().flatten().filter(|(host, _)| !seen.disabled.contains(host)) {
                let rendered = seen.generate_for(host).map_err(|error| TestCaseError::fail(error.to_string()))?;
                let options = read_options(&rendered.files[0].text).map_err(TestCaseError::fail)?;
                let Some(Some(id)) = options["mysqld"].get("server_id") else { continue };
                prop_assert_eq!(ids.entry(host.clone()).or_insert(id.clone()), id);
                prop_assert_eq!(options["mysqld"].get("gtid_domain_id"), Some(&Some(id.clone())));
                domains.extend(options.get("galera").and_then(|galera| galera["wsrep_gtid_domain_id"].clone()));
            }
        }
        prop_assert_eq!(ids.values().collect::<BTreeSet<_>>().len(), ids.len());
        prop_assert!(domains.len() <= 1);
        prop_assert!(domains.iter().all(|domain| !ids.values().any(|id| id == domain)));
    }
}
