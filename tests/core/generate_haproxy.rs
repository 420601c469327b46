//! The HAProxy files: snapshots, laws over random clusters, hostile values.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test generate_haproxy` writes the snapshots anew.

mod haproxy_support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use haproxy_support::{ALL, EXAMPLES, Files, Section, What, example, generate, read, version};
use pfcluster_core::generate::{Access, DaemonVersion, Dashboard, GenerateError, Rendered, Template};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

fn snapshot(name: &str, actual: &str, wrong: &mut Vec<String>) {
    let path: PathBuf = pfcluster_tests::testdata().join("generate").join(name);
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, actual).expect("a writable folder");
    }
    if std::fs::read_to_string(&path).unwrap_or_default() != actual {
        wrong.push(format!("{name} is now:\n{actual}"));
    }
}

fn explained(rendered: &Rendered) -> String {
    let mut out = String::new();
    for deviation in &rendered.deviations {
        out += &format!("original: {}\nhere: {}\nwhy: {}\n\n", deviation.original, deviation.here, deviation.why);
    }
    for notice in &rendered.notices {
        out += &format!("notice: {}\nhelp: {}\n\n", notice.message, notice.help);
    }
    out
}

#[test]
fn snapshots() {
    let mut wrong = Vec::new();
    for (name, host, versions) in EXAMPLES {
        for text in versions {
            for what in ALL {
                let rendered = match generate(what, &example(name), host, version(text), |_| {}) {
                    Err(GenerateError::NotInVersion { .. }) if what == What::Admin => continue,
                    other => other.unwrap_or_else(|error| panic!("{name} {text} {what:?}: {error}")),
                };
                for file in &rendered.files {
                    let extension = file.path.rsplit('.').next().unwrap_or_default();
                    snapshot(&format!("{}-{name}-{text}.{extension}", what.name()), &file.text, &mut wrong);
                }
                if name == "guide" {
                    let file = format!("{}-{name}-{text}.explained", what.name());
                    snapshot(&file, &explained(&rendered), &mut wrong);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_networks_are_names_of_the_portal() {
    let mut files = example("guide");
    files.cluster_conf += "\n[CLUSTER network 192.168.2.0]\nportal_fqdn=zone.example.com\n";
    let run = |networks: &str| {
        let files = Files { networks: networks.to_owned(), ..files.clone() };
        generate(What::Portal, &files, "pf1.example.com", version("14"), |_| {})
    };
    let lua = run("[192.168.2.0]\nportal_fqdn=Net.example.com\n").expect("good names").files[1].text.clone();
    for name in ["net.example.com", "zone.example.com"] {
        assert!(lua.contains(&format!("[\"{name}\"] = true")), "{lua}");
    }
    match run("[192.168.2.0]\nportal_fqdn=a\"]=os.exit()--\n").expect_err("no name") {
        GenerateError::Unusable { section, key, place, .. } => {
            assert_eq!((section.as_str(), key.as_str()), ("192.168.2.0", "portal_fqdn"));
            assert_eq!(place.map(|place| place.source), Some(Source::NetworksConf));
        }
        other => panic!("{other}"),
    }
}

/// What one choice changes, as the lines that differ: `-` without it, `+` with it.
#[test]
fn options() {
    let guide = example("guide");
    let with = |pf_conf: &str| Files { pf_conf: guide.pf_conf.clone() + "\n" + pf_conf, ..guide.clone() };
    let probe = guide.pf_conf.replace("[active_active]", "[active_active]\nprobe_mysql_from_haproxy_db=enabled");
    let off = guide.pf_conf.replace("[active_active]", "[active_active]\nportal_on_management=disabled");
    let v6 = guide.pf_conf.replace("ip=192.168.2.5", "ip=192.168.2.5\nipv6_address=2001:db8::10");
    let names = "[general]\nhostname=nac\ndomain=Example.COM\n[captive_portal]\nother_domain_names=guest.example.com,*.wifi-x.example\n";
    let only = |pf_conf| Files { pf_conf, ..guide.clone() };
    let slave = example("two-zones");
    let slave = Files {
        cluster_conf: slave
            .cluster_conf
            .replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\nmasterdb=DC1\n"),
        ..slave
    };
    let old = DaemonVersion::new(1, 8);
    let mut out = String::new();
    let mut show = |title: &str, what, files: &Files, text: &str, haproxy| {
        let base = if files.cluster_conf == guide.cluster_conf { guide.clone() } else { example("two-zones") };
        let host = if base.cluster_conf == guide.cluster_conf { "pf2.example.com" } else { "pf1-dc2.example.com" };
        let all = |rendered: &Rendered| rendered.files.iter().fold(String::new(), |out, file| out + &file.text);
        let before = generate(what, &base, host, version(text), |_| {}).expect("the example");
        let after = generate(what, files, host, version(text), |request| request.options.haproxy = haproxy);
        let after = after.expect("the example with a choice");
        out += &format!("# {title} ({}, {text})\n{}\n", what.name(), difference(&all(&before), &all(&after)));
    };
    let newest = DaemonVersion::NEWEST;
    show("the probe", What::Db, &only(probe), "14", newest);
    show("a zone that follows another", What::Db, &slave, "14", newest);
    show("HAProxy 1.8", What::Portal, &guide, "14", old);
    show("HAProxy 1.8", What::Admin, &guide, "14", old);
    show("HAProxy 1.8", What::Db, &guide, "14", old);
    show("portal_on_management=disabled", What::Portal, &only(off), "14", newest);
    show("IPv6", What::Portal, &only(v6.clone()), "9", newest);
    show("IPv6", What::Portal, &only(v6), "14", newest);
    show("names", What::Portal, &with(names), "14", newest);
    show("no rate limit", What::Portal, &with("[captive_portal]\nrate_limiting=disabled\n"), "8", newest);
    show(
        "other services",
        What::Portal,
        &with("[services_url]\nhttpd_dispatcher=http://dispatcher:80\n"),
        "14",
        newest,
    );
    show("the old interface", What::Admin, &with("[services]\nhttpd_admin=enabled\n"), "10", newest);
    let mut wrong = Vec::new();
    snapshot("haproxy-options.txt", &out, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            common[i][j] = if a == b { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            out += &format!("-{}\n", old[i]);
            i += 1;
        } else {
            out += &format!("+{}\n", new[j]);
            j += 1;
        }
    }
    out
}

#[test]
fn what_is_not_there_is_said() {
    let guide = example("guide");
    let run = |what, host: &str, text: &str| generate(what, &guide, host, version(text), |_| {});
    assert!(matches!(run(What::Admin, "pf1.example.com", "9.3"), Err(GenerateError::NotInVersion { .. })));
    assert!(matches!(run(What::Db, "pf1.example.com", "7.4"), Err(GenerateError::NotInVersion { .. })));
    assert!(matches!(run(What::Db, "other", "14"), Err(GenerateError::NotAMember(_))));
    let myself = generate(What::Db, &guide, "pf1.example.com", version("14"), |request| {
        request.disabled.insert("pf1.example.com".parse().expect("a name"));
    });
    assert!(matches!(myself, Err(GenerateError::Disabled(_))));
    let without = Files {
        cluster_conf: guide.cluster_conf.replace("[CLUSTER interface eth1.2]\nip=192.168.2.10\n", ""),
        ..guide
    };
    let error =
        generate(What::Portal, &without, "pf1.example.com", version("8"), |_| {}).expect_err("no virtual address");
    assert_eq!(error.to_string(), "`ip of [CLUSTER interface eth1.2]` is missing");
}

#[test]
fn a_chosen_password_is_secret_and_ends_the_notice() {
    for what in ALL {
        let with = |dashboard: Option<Dashboard>| {
            let choose = |request: &mut pfcluster_core::generate::Request<'_>| request.options.dashboard = dashboard;
            generate(what, &example("guide"), "pf1.example.com", version("14"), choose).expect("the guide")
        };
        let is_about_it =
            |rendered: &Rendered| rendered.notices.iter().any(|notice| notice.message.contains("packetfence"));
        let default = with(None);
        assert!(is_about_it(&default));
        assert_eq!(default.files[0].access, Access::Public);
        let own = with(Some(Dashboard { user: "ops".into(), password: "it's #1".replace(' ', "_") }));
        assert!(!is_about_it(&own));
        assert_eq!(own.files[0].access, Access::Secret);
        assert!(own.files.iter().skip(1).all(|file| file.access == Access::Public));
        let sections = read(&own.files[0].text).expect("a readable file");
        let stats = sections.iter().find(|section| section.name == "stats").expect("the dashboard");
        assert_eq!(stats.all(&["stats", "auth"]), [["ops:it's_#1"]]);
    }
}

#[test]
fn templates_of_the_user() {
    let template = "global\n  stats socket %%VAR_DIR%%/run/x.stats level admin process 1\nlisten stats\n  bind %%management_ip%%:1026\n  \
                    stats auth admin:packetfence\n  stats auth %%dashboard_auth%%\n%%management_ip_frontend%%\nbackend mysql\n%%mysql_probe%%%%mysql_backend%%";
    let run = |text: &str| {
        generate(What::Db, &example("guide"), "pf2.example.com", version("14"), |request| {
            let (path, text) = ("conf/haproxy-db.conf".to_owned(), text.to_owned());
            request.options.templates.push(Template { path, text });
        })
    };
    let rendered = run(template).expect("known tags");
    let text = &rendered.files[0].text;
    assert!(text.contains("/usr/local/pf/var/run/x.stats"), "{text}");
    assert!(text.contains("bind 192.168.1.6:1026") && text.contains("bind 192.168.1.10:3306"), "{text}");
    assert!(text.contains("server MySQL2 192.168.1.5:3306 check on-marked-down shutdown-sessions backup\n"), "{text}");
    assert_eq!(rendered.files[0].access, Access::Secret);
    let notices: Vec<&str> = rendered.notices.iter().map(|notice| notice.message.as_str()).collect();
    assert!(
        notices.iter().any(|notice| notice.starts_with("conf/haproxy-db.conf, line 2: HAProxy 2.7")),
        "{notices:?}"
    );
    assert!(
        notices.iter().any(|notice| notice.starts_with("conf/haproxy-db.conf, line 5: the dashboard")),
        "{notices:?}"
    );
    match run("global\n  x %%mysql_backnd%%\n").expect_err("an unknown tag") {
        GenerateError::Template { path, line, reason, .. } => {
            assert_eq!((path.as_str(), line), ("conf/haproxy-db.conf", 2));
            assert!(reason.contains("mysql_backnd"), "{reason}");
        }
        other => panic!("{other}"),
    }
}

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

/// What holds for every file: the grammar, unique names, targets that exist, nothing that any HAProxy refuses.
fn laws(text: &str) -> Vec<Section> {
    let sections = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let named: Vec<&str> =
        sections.iter().map(|section| section.name.as_str()).filter(|name| !name.is_empty()).collect();
    assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len(), "a name twice: {named:?}");
    let backends: Vec<&str> = sections.iter().filter(|s| s.kind == "backend").map(|s| s.name.as_str()).collect();
    for section in &sections {
        let targets = section.all(&["default_backend"]).into_iter().chain(section.all(&["use_backend"]));
        for target in targets.map(|line| line[0].clone()).filter(|target| !target.starts_with("%[")) {
            assert!(backends.contains(&target.as_str()), "no backend {target}");
        }
        if section.kind == "frontend" {
            assert_eq!(section.all(&["default_backend"]).len(), 1, "{}", section.name);
        }
        let servers: Vec<String> = section.all(&["server"]).into_iter().map(|line| line[0].clone()).collect();
        assert_eq!(servers.iter().collect::<BTreeSet<_>>().len(), servers.len(), "a server twice in {}", section.name);
        for line in &section.lines {
            let refused = ["reqadd", "rspadd", "bind-process", "nbproc", "external-check", "errorfile", "block"];
            assert!(!refused.contains(&line[0].as_str()), "{line:?}");
            assert!(!(line[0] == "stats" && line.contains(&"process".to_owned())), "{line:?}");
            assert_ne!(line.iter().take(2).collect::<Vec<_>>(), ["option", "http_proxy"]);
        }
    }
    sections
}

fn section<'s>(sections: &'s [Section], kind: &str, name: &str) -> &'s Section {
    sections.iter().find(|s| s.kind == kind && s.name == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn binds(sections: &[Section]) -> Vec<String> {
    sections.iter().flat_map(|section| section.all(&["bind"])).map(|line| line[0].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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

    /// Any password is taken as it is, or refused; it never becomes a second word or line.
    #[test]
    fn passwords_stay_words(user in "\\PC{0,12}", password in any::<String>()) {
        let rendered = generate(What::Db, &example("guide"), "pf1.example.com", version("14"), |request| {
            request.options.dashboard = Some(Dashboard { user: user.clone(), password: password.clone() });
        });
        match rendered {
            Ok(rendered) => {
                let sections = laws(&rendered.files[0].text);
                prop_assert_eq!(section(&sections, "listen", "stats").all(&["stats", "auth"]), vec![vec![format!("{user}:{password}")]]);
            }
            Err(GenerateError::Unusable { reason, .. }) => prop_assert!(password.len() < 4 || !reason.contains(&password)),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Values that try to end a word, a line, a string of Lua's, or the file.
const HOSTILE: &[&str] = &[
    "a\nlua-load /tmp/x",
    "a\n\nbackend evil\n  server x 10.0.0.1:1",
    "}",
    "{",
    "a}b{",
    "\"",
    "'",
    "a\"] = true, [\"b",
    "x\" .. os.execute(\"id\") .. \"",
    "]]",
    "\\",
    "a\\",
    "\\n",
    "#",
    "a # b",
    "!",
    ";",
    "a;b",
    "\0",
    "a\0b",
    "\u{1b}[31m",
    "\r",
    "a\rb",
    "$HOME",
    "${HOME}",
    "%[src]",
    "%%",
    "%",
    "a b",
    "\u{e9}t\u{e9}.example",
    "\u{202e}evil",
    "-x",
    "*",
    "*.*",
    "**",
    "999999999999999999999999999999",
    "-1",
    "0x10",
    "1.2.3.4 ssl",
    "http://a:1 weight 0",
    "http://a:1\tbackup",
    "http://[::1]:80",
    "http://user:pw@host:80",
];

/// Of a section: kind, name, lines.
type Shape = (String, String, Vec<(String, usize)>);

/// The structure of a file: what each line begins with, and how many words it has.
fn shape(text: &str) -> Vec<Shape> {
    let lines = |section: &Section| section.lines.iter().map(|line| (line[0].clone(), line.len())).collect();
    laws(text).iter().map(|section| (section.kind.clone(), section.name.clone(), lines(section))).collect()
}

/// The script without the entries of its tables.
fn script(text: &str) -> String {
    let is_entry = |line: &&str| {
        let quoted = |text: &str| {
            let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            inside.is_some_and(|text| text.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\'))
        };
        let key = line.strip_prefix("    [").and_then(|line| line.strip_suffix("] = true,"));
        key.or(line.strip_prefix("    ").and_then(|line| line.strip_suffix(','))).is_some_and(quoted)
    };
    let name = |line: &str| line.split("\"req.host\", ").next().unwrap_or_default().to_owned() + "\n";
    text.lines().filter(|line| !is_entry(line)).map(name).collect()
}

#[test]
fn hostile_settings_are_refused_or_stay_where_they_are() {
    let guide = example("guide");
    let settings = [
        (What::Portal, "11", "general", "hostname"),
        (What::Portal, "14", "general", "domain"),
        (What::Portal, "14", "captive_portal", "other_domain_names"),
        (What::Portal, "8", "captive_portal", "rate_limiting_threshold"),
        (What::Portal, "11", "captive_portal", "ip_address"),
        (What::Portal, "14", "services_url", "httpd_dispatcher"),
        (What::Portal, "14", "services_url", "pfpki"),
        (What::Admin, "14", "services_url", "httpd_admin_dispatcher_static"),
        (What::Admin, "14", "services_url", "netdata"),
        (What::Admin, "14", "captive_portal", "ip_address"),
        (What::Db, "14", "database_advanced", "net_write_timeout"),
    ];
    let mut refused = 0;
    let long = "a".repeat(100_000);
    for (what, text, section, key) in settings {
        let with = |value: &str| {
            let mut pf_conf = guide.pf_conf.clone() + &format!("\n[{section}]\n");
            value.split('\n').for_each(|line| pf_conf += &format!("{key}={line}\n"));
            if key == "domain" {
                pf_conf += "hostname=portal\n";
            }
            let files = Files { pf_conf, ..guide.clone() };
            generate(what, &files, "pf2.example.com", version(text), |_| {})
        };
        let good = match key {
            "rate_limiting_threshold" | "net_write_timeout" => "50",
            "ip_address" => "192.0.2.7",
            _ if section == "services_url" => "http://some.host:80",
            _ => "name.example.com",
        };
        let good = with(good).unwrap_or_else(|error| panic!("{section}.{key}: {error}"));
        for value in HOSTILE.iter().copied().chain([long.as_str()]) {
            match with(value) {
                Ok(rendered) => {
                    assert_eq!(
                        shape(&rendered.files[0].text).len(),
                        shape(&good.files[0].text).len(),
                        "{key}={value:?}"
                    );
                    let same = shape(&rendered.files[0].text) == shape(&good.files[0].text);
                    // Blank: as if it were not set, which other defaults follow from.
                    assert!(same || value.trim().is_empty(), "{key}={value:?}\n{}", rendered.files[0].text);
                    if let Some(file) = rendered.files.get(1) {
                        assert_eq!(script(&file.text), script(&good.files[1].text), "{key}={value:?}");
                    }
                }
                Err(GenerateError::Unusable { section: s, key: k, place, .. }) => {
                    assert_eq!((s.as_str(), k.as_str()), (section, key), "{value:?}");
                    assert!(place.is_some(), "{section}.{key}");
                    refused += 1;
                }
                Err(other) => panic!("{section}.{key}={value:?}: {other}"),
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn hostile_addresses_and_options_are_refused() {
    let guide = example("guide");
    for value in HOSTILE.iter().filter(|value| !value.contains('\n') && !value.trim().is_empty()) {
        let pf_conf = guide.pf_conf.replace("ip=192.168.2.5", &format!("ip=192.168.2.5\nipv6_address={value}"));
        let files = Files { pf_conf, ..guide.clone() };
        match generate(What::Portal, &files, "pf2.example.com", version("14"), |_| {}) {
            Err(GenerateError::Unusable { section, key, .. }) => {
                assert_eq!((section.as_str(), key.as_str()), ("interface eth1.2", "ipv6_address"));
            }
            other => panic!("{value:?}: {other:?}"),
        }
    }
    for value in HOSTILE {
        for what in ALL {
            let rendered = generate(what, &guide, "pf2.example.com", version("14"), |request| {
                request.options.install_dir = format!("/pf{value}");
            });
            match rendered {
                Ok(rendered) => {
                    let sections = laws(&rendered.files[0].text);
                    let pid = section(&sections, "global", "").all(&["pidfile"]);
                    assert_eq!(pid, [[format!("/pf{value}/var/run/{}.pid", what.name())]]);
                }
                Err(GenerateError::Unusable { key, .. }) => {
                    assert!(key == "install_dir" && value.chars().any(char::is_control), "{value:?}");
                }
                Err(other) => panic!("{value:?}: {other}"),
            }
        }
    }
}
