//! mariadb.conf: reviewed snapshots, random clusters, hostile values.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test generate_mariadb` writes what the program says now into
//! testdata/generate: read the difference before you commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::generate::{Access, GenerateError, Rendered, Request, Template, mariadb};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

// The three examples ------------------------------------------------------------------------------------------------

/// Example, the member whose files are shown, the versions.
const EXAMPLES: [(&str, &str, [&str; 3]); 3] = [
    ("guide", "pf2.example.com", ["8", "12", "14"]),
    ("five-members", "nac1.corp.example", ["8", "12", "14"]),
    ("two-zones", "pf1-dc2.example.com", ["8.2", "12", "14"]),
];

#[test]
fn the_examples_are_as_reviewed() {
    for (example, me, versions) in EXAMPLES {
        for version in versions {
            let rendered = Files::example(example).generate(me, version, |_| {}).expect("an example that works");
            compare(&format!("mariadb-{example}-{version}.conf"), text(&rendered, "var/conf/mariadb.conf"));
            compare(&format!("mariadb-{example}-{version}.explain"), &explained(&rendered));
        }
    }
}

#[test]
fn the_init_file_is_as_reviewed() {
    let rendered = Files::example("guide").generate("pf2.example.com", "14", |_| {}).expect("an example that works");
    compare("mariadb-guide-14.sql", text(&rendered, "var/conf/mariadb.sql"));
}

#[test]
fn the_hook_is_as_reviewed() {
    let hooked = |request: &mut Request<'_>| request.options.readonly_hook = true;
    let rendered = Files::example("guide").generate("pf2.example.com", "14", hooked).expect("an example that works");
    compare("mariadb-guide-14-hook.conf", text(&rendered, "var/conf/mariadb.conf"));
    compare("mariadb-guide-14-hook.db-update", text(&rendered, "var/run/db-update"));
    compare("mariadb-guide-14-hook.explain", &explained(&rendered));
}

#[test]
fn a_member_on_its_own_is_as_reviewed() {
    let files = Files::example("guide");
    let alone = |request: &mut Request<'_>| {
        request.disabled = ["pf1.example.com", "pf3.example.com"].iter().map(|host| hostname(host)).collect();
    };
    for version in ["8", "14"] {
        let rendered = files.generate("pf2.example.com", version, alone).expect("a member that works");
        compare(&format!("mariadb-guide-{version}-alone.conf"), text(&rendered, "var/conf/mariadb.conf"));
        compare(&format!("mariadb-guide-{version}-alone.explain"), &explained(&rendered));
    }
}

#[test]
fn a_zone_that_follows_is_as_reviewed() {
    let mut files = Files::example("two-zones");
    files.cluster_conf =
        files.cluster_conf.replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\nmasterdb=DC1\n");
    files.pf_conf += "[database_advanced]\nmasterslave=ON\n";
    for (what, me) in [("master", "pf2-dc1.example.com"), ("slave", "pf1-dc2.example.com")] {
        let rendered = files.generate(me, "14", |_| {}).expect("a member that works");
        compare(&format!("mariadb-two-zones-14-{what}.conf"), text(&rendered, "var/conf/mariadb.conf"));
    }
}

/// What `--explain` is made of.
fn explained(rendered: &Rendered) -> String {
    let mut out = String::new();
    for deviation in &rendered.deviations {
        out +=
            &format!("original: {}\nhere:     {}\nwhy:      {}\n\n", deviation.original, deviation.here, deviation.why);
    }
    for notice in &rendered.notices {
        out += &format!("notice: {}\nhelp:   {}\n\n", notice.message, notice.help);
    }
    out
}

fn compare(name: &str, actual: &str) {
    let path = pfcluster_tests::testdata().join("generate").join(name);
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, actual).expect("a writable test file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{name} differs: REWRITE=1 writes it anew");
}

// What is asked ------------------------------------------------------------------------------------------------------

/// The user's files.
#[derive(Clone, Debug)]
struct Files {
    cluster_conf: String,
    pf_conf: String,
}

impl Files {
    fn example(name: &str) -> Files {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/examples").join(name);
        let read = |file| std::fs::read_to_string(folder.join(file)).expect("a file of the example");
        Files { cluster_conf: read("cluster.conf"), pf_conf: read("pf.conf") }
    }

    fn generate(&self, me: &str, version: &str, choose: impl Fn(&mut Request<'_>)) -> Result<Rendered, GenerateError> {
        let version: PfVersion = version.parse().expect("a version");
        let cluster_conf = Document::parse(Source::ClusterConf, self.cluster_conf.as_bytes()).value;
        let cluster = Cluster::from_document(&cluster_conf).value;
        let pf_conf = Document::parse(Source::PfConf, self.pf_conf.as_bytes()).value;
        let pf_conf = PfConf::new(&pf_conf, None, version);
        let me = hostname(me);
        let mut request = Request::new(&cluster, &pf_conf, &me, version);
        choose(&mut request);
        let rendered = mariadb(&request);
        assert_eq!(rendered, mariadb(&request), "the same request gives the same bytes");
        rendered
    }
}

fn hostname(name: &str) -> Hostname {
    name.parse().expect("a host name")
}

fn text<'a>(rendered: &'a Rendered, path: &str) -> &'a str {
    let file = rendered.files.iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("{path} is generated")).text
}

// A reader of MariaDB's option files --------------------------------------------------------------------------------

/// Section, then key, then value; a key without a value has `None`.
type Options = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// Reads as the server does (`mysys/my_default.c`), but takes nothing that it would take in silence: a line that is too
/// long, a key or section that is there twice, an inclusion, something outside a section.
fn read_options(text: &str) -> Result<Options, String> {
    let mut options = Options::new();
    let mut section = None;
    for line in text.lines() {
        if line.len() > 4_095 {
            return Err("a line that the server cuts".to_owned());
        }
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end().strip_suffix(']').ok_or(format!("an open section: {line}"))?;
            if options.insert(name.to_owned(), BTreeMap::new()).is_some() {
                return Err(format!("[{name}] twice"));
            }
            section = Some(name.to_owned());
            continue;
        }
        if line.starts_with('!') {
            return Err(format!("an inclusion: {line}"));
        }
        let line = without_comment(line).trim_end();
        let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
        let section = section.as_ref().ok_or(format!("outside all sections: {line}"))?;
        let value = value.map(|value| unquoted(value.trim()));
        let keys = options.get_mut(section).ok_or("no section")?;
        let key = key.trim().replace('-', "_");
        if keys.insert(key, value).is_some() {
            return Err(format!("twice: {line}"));
        }
    }
    Ok(options)
}

/// A `#` outside quotes ends the line.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    line
}

fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut out = String::new();
    let mut chars = inner.unwrap_or(value).chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' || chars.peek().is_none() {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('s') => out.push(' '),
            Some(c @ ('"' | '\'' | '\\')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => {}
        }
    }
    out
}

#[test]
fn the_reader_reads_as_the_server_does() {
    let text = "# a\n[x]\n a = b # c\nd=\"e # f\" # g\nh='i\"j'\nk=\"l\\\"m\\\\n\\x\"\nno-value\n";
    let options = read_options(text).expect("options");
    let keys: Vec<_> = options["x"].iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    let expected = [("a", Some("b")), ("d", Some("e # f")), ("h", Some("i\"j")), ("k", Some("l\"m\\n\\x"))];
    assert_eq!(keys, [&expected[..], &[("no_value", None)]].concat());
}

// Random clusters ----------------------------------------------------------------------------------------------------

const VERSIONS: [&str; 14] =
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

/// The same cases in each run, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` ask for others or for more.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { cases: config.cases.max(512), failure_persistence: None, rng_seed, ..config }
}

proptest! {
    #![proptest_config(config())]

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

    /// Whatever stands in a setting: it is carried as it is, or refused by name; the file's structure never changes.
    #[test]
    fn hostile_values_change_nothing_else(
        key in prop::sample::select(KEYS.as_slice()),
        value in prop_oneof![
            "[\\PC]{0,12}",
            "[ -~\\n\\t\\r\\x00\\x1b]{0,20}",
            "[\"'#;!\\[\\]\\\\{}%$` a\\n]{1,8}",
            Just("x".repeat(5_000)),
            Just("\\".repeat(1_500)),
        ],
        version in prop::sample::select(VERSIONS.as_slice()),
        hook in any::<bool>(),
    ) {
        let usual = options_with(None, version, hook).expect("the usual settings");
        match options_with(Some((key, &value)), version, hook) {
            Ok(options) => same_structure(key, &value, &usual, &options)?,
            Err(GenerateError::Unusable { section, key: named, reason, help, .. }) => {
                prop_assert_eq!(named.as_str(), key.1);
                prop_assert_eq!(section.as_str(), key.0);
                let is_long = value.len() > 6;
                prop_assert!(!is_long || !(reason + &help).contains(&value), "the message has the value");
            }
            Err(GenerateError::Missing { what, .. }) => prop_assert!(what.contains(key.1), "{} misses {}", what, key.1),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

// Hostile values -----------------------------------------------------------------------------------------------------

/// Every setting of pf.conf that is inserted.
const KEYS: [(&str, &str); 15] = [
    ("active_active", "galera_replication_username"),
    ("active_active", "galera_replication_password"),
    ("database_advanced", "key_buffer_size"),
    ("database_advanced", "innodb_buffer_pool_size"),
    ("database_advanced", "query_cache_size"),
    ("database_advanced", "max_connections"),
    ("database_advanced", "table_cache"),
    ("database_advanced", "thread_cache_size"),
    ("database_advanced", "max_allowed_packet"),
    ("database_advanced", "performance_schema"),
    ("database_advanced", "max_connect_errors"),
    ("database_advanced", "net_read_timeout"),
    ("database_advanced", "net_write_timeout"),
    ("database_advanced", "masterslave"),
    ("database_advanced", "other_members"),
];

/// The options of the guide's pf2, with one setting changed. A line break in a value is what a here-document gives.
fn options_with(
    setting: Option<((&str, &str), &str)>,
    version: &str,
    hook: bool,
) -> Result<(Options, Options), GenerateError> {
    let mut files = Files::example("guide");
    if let Some(((section, key), value)) = setting {
        let kept: Vec<&str> = files.pf_conf.lines().filter(|line| !line.starts_with(key)).collect();
        files.pf_conf = kept.join("\n") + "\n";
        files.pf_conf += &format!("[{section}]\n{key}=<<END_OF_IT\n{value}\nEND_OF_IT\n");
    }
    let rendered = files.generate("pf2.example.com", version, |request| request.options.readonly_hook = hook)?;
    let options = read_options(text(&rendered, "var/conf/mariadb.conf")).expect("a file that the server reads");
    let hooked = if hook { client_options(text(&rendered, "var/run/db-update")) } else { Options::new() };
    Ok((options, hooked))
}

/// What the hook's here-document holds.
fn client_options(script: &str) -> Options {
    assert_eq!(script.matches("<<'OPTIONS'\n").count(), 1);
    let (_, rest) = script.split_once("<<'OPTIONS'\n").expect("a here-document");
    let (text, _) = rest.split_once("\nOPTIONS\n").expect("its end");
    read_options(&format!("{text}\n")).expect("options that the client reads")
}

fn same_structure(
    (_, key): (&str, &str),
    value: &str,
    (usual, usual_hook): &(Options, Options),
    (options, hook): &(Options, Options),
) -> Result<(), TestCaseError> {
    let names = |options: &Options| -> Vec<(String, Vec<String>)> {
        let keys = |keys: &BTreeMap<String, _>| keys.keys().cloned().collect();
        options.iter().map(|(section, options)| (section.clone(), keys(options))).collect()
    };
    // ON adds options of its own.
    if key != "masterslave" {
        prop_assert_eq!(names(usual), names(options));
    }
    prop_assert_eq!(names(usual_hook), names(hook));
    let differs = |section: &str, key: &str| usual[section].get(key) != options[section].get(key);
    let changed: Vec<&String> = usual["mysqld"].keys().filter(|key| differs("mysqld", key)).collect();
    let changed_galera: Vec<&String> = usual["galera"].keys().filter(|key| differs("galera", key)).collect();
    prop_assert!(changed.len() + changed_galera.len() <= 1, "{:?} {:?}", changed, changed_galera);
    if key == "galera_replication_password" {
        prop_assert_eq!(options["galera"]["wsrep_sst_auth"].clone(), Some(format!("pfcluster:{value}")));
        if let Some(client) = hook.get("client") {
            prop_assert_eq!(client["password"].clone(), Some(value.to_owned()));
        }
    }
    Ok(())
}

#[test]
fn a_few_values_that_must_be_refused() {
    let refused = [
        ("active_active", "galera_replication_password", "two words"),
        ("active_active", "galera_replication_password", "a\n[mysqld]\nplugin-load=evil.so"),
        ("active_active", "galera_replication_password", "a\0b"),
        ("active_active", "galera_replication_username", "a:b"),
        ("active_active", "galera_replication_username", "a' --ledir='/tmp"),
        ("database_advanced", "max_connections", "100\nplugin-load=evil.so"),
        ("database_advanced", "max_connections", "-1"),
        ("database_advanced", "innodb_buffer_pool_size", "500M"),
        ("database_advanced", "net_read_timeout", "0"),
        ("database_advanced", "performance_schema", "maybe"),
        ("database_advanced", "other_members", "192.168.1.8;evil"),
    ];
    for (section, key, value) in refused {
        match options_with(Some(((section, key), value)), "14", true) {
            Err(GenerateError::Unusable { section: at, key: named, place, .. }) => {
                assert_eq!((at.as_str(), named.as_str()), (section, key));
                assert!(place.is_some(), "{key} stands in pf.conf");
            }
            other => panic!("{key}={value:?}: {other:?}"),
        }
    }
}

#[test]
fn a_password_of_everything_that_can_be_carried_is_carried() {
    let password = "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\\n\\\"é";
    let (options, hook) = options_with(Some((KEYS[1], password)), "14", true).expect("a password that can be carried");
    assert_eq!(options["galera"]["wsrep_sst_auth"].as_deref(), Some(&*format!("pfcluster:{password}")));
    assert_eq!(hook["client"]["password"].as_deref(), Some(password));
    // xtrabackup's script hands it to a shell.
    assert!(matches!(options_with(Some((KEYS[1], password)), "8", true), Err(GenerateError::Unusable { .. })));
}

#[test]
fn options_are_checked_like_settings() {
    for path in ["usr/local/pf", "/usr/local/p f", "/usr/local/pf;reboot", "/usr/local/pf\n!include /tmp/x", "!"] {
        let moved = |request: &mut Request<'_>| request.options.install_dir = path.to_owned();
        let result = Files::example("guide").generate("pf2.example.com", "14", moved);
        assert!(matches!(result, Err(GenerateError::Unusable { .. })), "{path:?}");
        let other = |request: &mut Request<'_>| request.options.galera_provider = path.to_owned();
        let result = Files::example("guide").generate("pf2.example.com", "14", other);
        assert!(matches!(result, Err(GenerateError::Unusable { .. })), "{path:?}");
    }
}

// What is missing, and the user's own form ---------------------------------------------------------------------------

#[test]
fn without_a_replication_user_no_member_can_join() {
    for key in ["galera_replication_username", "galera_replication_password"] {
        let mut files = Files::example("guide");
        files.pf_conf = files.pf_conf.replace(key, "unused");
        match files.generate("pf2.example.com", "14", |_| {}) {
            Err(GenerateError::Missing { what, .. }) => assert!(what.contains(key), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_template_of_the_users_is_filled_in() {
    let files = Files::example("guide");
    let generate = |text: &str| {
        let template = Template { path: "conf/mariadb/mariadb.conf".to_owned(), text: text.to_owned() };
        files.generate("pf2.example.com", "14", move |request| request.options.templates = vec![template.clone()])
    };
    let rendered = generate("[mysqld]\n%%mysqld%%\nmax_statement_time=60\n[galera]\n%%galera%%\n").expect("known tags");
    let options = read_options(text(&rendered, "var/conf/mariadb.conf")).expect("options");
    let built_in = files.generate("pf2.example.com", "14", |_| {}).expect("the built-in form");
    let mut expected = read_options(text(&built_in, "var/conf/mariadb.conf")).expect("options");
    expected.retain(|section, _| section == "mysqld" || section == "galera");
    expected.get_mut("mysqld").expect("a section").insert("max_statement_time".to_owned(), Some("60".to_owned()));
    assert_eq!(options, expected);
    match generate("[mysqld]\nport=3306\n%%oops%%\n") {
        Err(GenerateError::Template { path, line, reason, .. }) => {
            assert_eq!((path.as_str(), line), ("conf/mariadb/mariadb.conf", 3));
            assert!(reason.contains("%%oops%%"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}
