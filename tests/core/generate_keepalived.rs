//! keepalived.conf: reviewed snapshots, random clusters, hostile values. The real daemon is in daemons/keepalived.rs.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pfcluster_core::document::Document;
use pfcluster_core::generate::{
    Access, DaemonVersion, GenerateError, Options, Rendered, Request, Template, keepalived,
};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_tests::{program::examples, testdata};
use proptest::prelude::*;

/// The texts of one installation.
#[derive(Clone, Debug, Default)]
struct Files {
    cluster: String,
    pf: String,
    networks: String,
}

impl Files {
    fn example(name: &str) -> Files {
        let read = |file: &str| std::fs::read_to_string(examples().join(name).join(file)).expect("an example");
        Files { cluster: read("cluster.conf"), pf: read("pf.conf"), networks: String::new() }
    }

    /// With lines added to pf.conf; what is set twice must not be in the example.
    fn with(mut self, lines: &str) -> Files {
        self.pf = format!("{}\n{lines}\n", self.pf);
        self
    }

    fn without(mut self, line: &str) -> Files {
        self.pf = self.pf.replace(line, "");
        self
    }

    fn keepalived(
        &self,
        me: &str,
        version: &str,
        choose: impl FnOnce(&mut Request<'_>),
    ) -> Result<Rendered, GenerateError> {
        let version: PfVersion = version.parse().expect("a version");
        let texts =
            Texts { cluster_conf: self.cluster.as_bytes(), pf_conf: Some(self.pf.as_bytes()), ..Texts::default() };
        let installation = Installation::read(texts, &Situation::of_version(version));
        let networks = Document::parse(Source::NetworksConf, self.networks.as_bytes()).value;
        let me = me.parse().expect("a host name");
        let pf_conf = installation.pf_conf.as_ref().expect("a pf.conf");
        let mut request = Request::new(&installation.cluster, pf_conf, &me, version);
        request.networks_conf = Some(&networks);
        choose(&mut request);
        keepalived(&request)
    }
}

fn text(rendered: &Rendered) -> &str {
    let [file] = &rendered.files[..] else { panic!("one file: {rendered:?}") };
    assert_eq!((file.path, file.access), ("var/conf/keepalived.conf", Access::Secret));
    &file.text
}

fn messages(rendered: &Rendered) -> String {
    rendered.notices.iter().fold(String::new(), |out, notice| out + &notice.message + "\n")
}

// ---- an independent reader of keepalived's grammar

/// A line, and what stands in its braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    words: Vec<String>,
    inside: Vec<Node>,
}

/// Reads a file: `#` and `!` outside of quotes begin a comment, blanks end words, `{` at the end of a line opens a block.
fn read(text: &str) -> Result<Vec<Node>, String> {
    let mut open = vec![Node::default()];
    for (number, line) in text.split('\n').enumerate() {
        let fail = |what: &str| format!("line {}: {what}: {line:?}", number + 1);
        if line.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(fail("not printable"));
        }
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        for c in line.chars() {
            match c {
                '"' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                '\\' => return Err(fail("a backslash")),
                '#' | '!' if !quoted => break,
                ' ' if !quoted => words.extend(word.take()),
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        if quoted {
            return Err(fail("an open quote"));
        }
        match words.last().map(String::as_str) {
            None => {}
            Some("}") if words.len() == 1 && open.len() > 1 => {
                let block = open.pop().expect("more than one");
                open.last_mut().expect("one is left").inside.push(block);
            }
            Some("{") => {
                words.pop();
                open.push(Node { words, inside: Vec::new() });
            }
            Some(_) if words.iter().any(|word| word.contains(['{', '}'])) => return Err(fail("a brace")),
            Some(_) => open.last_mut().expect("the root").inside.push(Node { words, inside: Vec::new() }),
        }
    }
    match <[Node; 1]>::try_from(open) {
        Ok([root]) => Ok(root.inside),
        Err(_) => Err("an open block".to_owned()),
    }
}

impl Node {
    fn all<'n>(nodes: &'n [Node], name: &str) -> Vec<&'n Node> {
        nodes.iter().filter(|node| node.words[0] == name).collect()
    }

    fn block(&self, name: &str) -> Option<Vec<String>> {
        let blocks = Node::all(&self.inside, name);
        assert!(blocks.len() <= 1, "{name} twice in {self:?}");
        blocks.first().map(|block| block.inside.iter().map(|node| node.words.join(" ")).collect())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let lines = Node::all(&self.inside, name);
        assert!(lines.len() <= 1, "{name} twice in {self:?}");
        lines.first().map(|line| line.words.get(1).map_or("", String::as_str))
    }
}

// ---- snapshots

#[test]
fn snapshots() {
    let cases: [(&str, &str, &[&str]); 3] = [
        ("guide", "pf2.example.com", &["8", "12", "14"]),
        ("five-members", "nac1.corp.example", &["8", "12", "14"]),
        ("two-zones", "pf1-dc2.example.com", &["8.2", "12", "14"]),
    ];
    for (example, me, versions) in cases {
        for version in versions {
            let rendered = Files::example(example).keepalived(me, version, |_| ()).expect("an example works");
            snapshot(&format!("{example}-{version}"), &rendered);
        }
    }
}

/// The variants: unicast, a template of PacketFence's form, networks, services that are off.
#[test]
fn snapshots_of_options() {
    let unicast = Files::example("guide").with("[active_active]\nvrrp_unicast=enabled\ncentralize_vips=enabled");
    let rendered = unicast.keepalived("pf2.example.com", "14", |request| request.options.advert_int = 1);
    snapshot("guide-14-unicast", &rendered.expect("unicast works"));

    let template = "# ours\nglobal_defs {\n   notification_email {\n     %%emailaddr%%\n   }\n   router_id %%router_id%%\n}\n\
                    vrrp_script haproxy_portal {\n  script \"/bin/true\"\n}\n%%VRRP%%\n# %%static_routes%%\n";
    let routed = Files { networks: NETWORKS.to_owned(), ..Files::example("guide") };
    let routed = routed.with("[alerting]\nemailaddr=a@example.com, b@example.com\n[network]\nstaticroutes=<<END\n10.0.0.0/8 via 192.168.1.1 dev eth0\ndefault via 192.168.1.1\nEND");
    let rendered = routed.keepalived("pf2.example.com", "14", |request| {
        request.options.templates = vec![Template { path: "conf/keepalived.conf".into(), text: template.into() }];
    });
    snapshot("guide-14-template", &rendered.expect("a template works"));
    snapshot("guide-14-networks", &routed.keepalived("pf2.example.com", "14", |_| ()).expect("networks work"));

    let off = Files::example("guide").with("[services]\nhaproxy-portal=disabled");
    let old = |request: &mut Request<'_>| request.options.keepalived = DaemonVersion::new(1, 2);
    snapshot("guide-8-off-old", &off.keepalived("pf1.example.com", "8", old).expect("works"));
}

const NETWORKS: &str = "[192.168.2.0]\nnetmask=255.255.255.0\ngateway=192.168.2.10\ndhcpd=enabled\n\
    [172.16.5.0]\nnetmask=255.255.252.0\nnext_hop=192.168.2.254\n[172.17.0.0]\nnetmask=255.255.0.0\nnext_hop=10.99.0.1\n";

fn snapshot(name: &str, rendered: &Rendered) {
    let mut explain = String::new();
    for deviation in &rendered.deviations {
        explain += &format!("original: {}\nhere: {}\nwhy: {}\n\n", deviation.original, deviation.here, deviation.why);
    }
    for notice in &rendered.notices {
        explain += &format!("notice: {}\nhelp: {}\n\n", notice.message, notice.help);
    }
    for (suffix, actual) in [("conf", text(rendered)), ("explain", &explain)] {
        let path = testdata().join(format!("generate/keepalived-{name}.{suffix}"));
        if std::env::var_os("REWRITE").is_some() {
            std::fs::write(&path, actual).expect("a writable test file");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(expected, actual, "{}: REWRITE=1 writes it anew", path.display());
    }
    read(text(rendered)).expect("it parses");
}

// ---- what it says about itself

#[test]
fn what_cannot_be_generated_says_why() {
    let guide = || Files::example("guide");
    let error = |files: Files, me: &str, version: &str| {
        let error = files.keepalived(me, version, |_| ()).expect_err("it can't be generated");
        assert!(!error.help().is_empty());
        error.to_string()
    };
    assert_eq!(error(guide(), "pf9", "14"), "pf9 is no member of the cluster");
    let no_vip =
        Files { cluster: guide().cluster.replace("[CLUSTER interface eth1.2]\nip=192.168.2.10\n", ""), ..guide() };
    assert_eq!(error(no_vip, "pf2.example.com", "14"), "`ip of [CLUSTER interface eth1.2]` is missing");
    let twice = Files { cluster: guide().cluster.replace("=192.168.2.7", "=192.168.2.5"), ..guide() };
    let twice = twice.with("[active_active]\nvrrp_unicast=y");
    let expected = "`ip` of `[pf3.example.com interface eth1.2]` is the address of another member as well";
    assert_eq!(error(twice, "pf2.example.com", "14"), expected);
    let split = "[192.168.2.0]\nnetmask=255.255.255.0\ngateway=192.168.2.10\ndhcpd=enabled\nsplit_network=enabled\n";
    let split = Files { networks: split.to_owned(), ..guide() };
    assert!(split.keepalived("pf2.example.com", "9.2", |_| ()).is_ok());
    let expected = "`split_network` of `[192.168.2.0]` needs an address for each role";
    assert!(error(split, "pf2.example.com", "10").starts_with(expected));

    let disabled = guide().keepalived("pf2.example.com", "14", |request| {
        request.disabled = BTreeSet::from([request.me.clone()]);
    });
    assert!(matches!(disabled, Err(GenerateError::Disabled(_))));
    let advert = guide().keepalived("pf2.example.com", "14", |request| request.options.advert_int = 0);
    assert!(matches!(advert, Err(GenerateError::Unusable { key, .. }) if key == "advert_int"));
    let template = |text: &str| {
        let templates = vec![Template { path: "conf/keepalived.conf".into(), text: text.into() }];
        guide().keepalived("pf2.example.com", "14", |request| request.options.templates = templates)
    };
    let unknown = template("%%vrrp%%\n%%management_ip_frontend%%\n").expect_err("there is no such tag").to_string();
    assert_eq!(unknown, "conf/keepalived.conf, line 2: there is no tag %%management_ip_frontend%%");
    assert!(messages(&template("global_defs {\n}\n").expect("legal")).contains("no %%vrrp%%"));
}

#[test]
fn a_zone_has_its_own_routes() {
    let two_zones = Files::example("two-zones");
    let overlay = "\n[DC2 CLUSTER network 172.16.5.0]\nnext_hop=192.168.22.254\n[DC2 CLUSTER network 172.19.0.0]\nnext_hop=192.168.22.253\nnetmask=255.255.0.0\n";
    let files = Files {
        cluster: two_zones.cluster.clone() + overlay,
        networks: NETWORKS.replace("192.168.2.254", "192.168.11.254"),
        ..two_zones
    };
    let routes = |me: &str, version: &str| {
        let rendered = files.keepalived(me, version, |_| ()).expect("routes");
        let tree = read(text(&rendered)).expect("it parses");
        let blocks = Node::all(&tree, "static_routes");
        blocks.iter().flat_map(|block| &block.inside).map(|node| node.words.join(" ")).collect::<Vec<_>>()
    };
    let expected = ["172.16.4.0/22 via 192.168.22.254 dev ens224", "172.19.0.0/16 via 192.168.22.253 dev ens224"];
    assert_eq!(routes("pf1-dc2.example.com", "14"), expected);
    assert_eq!(routes("pf2-dc1.example.com", "14"), ["172.16.4.0/22 via 192.168.11.254 dev ens224"]);
    assert_eq!(routes("pf1-dc2.example.com", "9.2"), [""; 0]);
}

#[test]
fn the_key_is_refused_where_keepalived_would_read_another_one() {
    let with = |key: &str| {
        Files::example("guide").without("password=kTq7vRw2").with(&format!("[active_active]\npassword={key}"))
    };
    let made = |key: &str| with(key).keepalived("pf2.example.com", "14", |_| ());
    for bad in [
        "ab#cd",
        "!abc",
        "ab!",
        "my pass",
        "\"quoted\"",
        "a'b",
        "a\\b",
        "a{b",
        "}",
        "",
        "   ",
        "gl\u{fc}ck",
        "a\u{7}",
        "longlonglong#",
    ] {
        match made(bad) {
            Err(error @ GenerateError::Unusable { .. }) => {
                let said = format!("{error} {}", error.help());
                assert!(said.contains("`password` of `[active_active]`") && said.contains("all members"), "{said}");
                assert!(bad.trim().len() < 3 || !said.contains(bad), "{said}");
            }
            other => panic!("{bad:?}: {other:?}"),
        }
    }
    assert!(text(&made("p$s~@w<>").expect("a key")).contains("auth_pass \"p$s~@w<>\"\n"));
    assert!(text(&made("secret  ").expect("a key")).contains("auth_pass \"secret\"\n"));
    let long = made("abcdefghijk").expect("a long key");
    assert!(text(&long).contains("auth_pass \"abcdefgh\"\n") && messages(&long).contains("more than 8 characters"));
    assert!(messages(&made("1234").expect("the default")).contains("default, 1234"));
    let old = with("abcd")
        .keepalived("pf2.example.com", "14", |request| request.options.keepalived = DaemonVersion::new(1, 3));
    assert!(text(&old.expect("a key")).contains("auth_pass abcd\n"));
}

// ---- hostile values

const HOSTILE: [&str; 22] = [
    "}",
    "{",
    "x\n}\nvrrp_script x {",
    "\"",
    "a\"b",
    "'",
    "\\",
    "#",
    "a # b",
    "!",
    ";",
    "x\0y",
    "\u{1b}[2J",
    "\u{fc}",
    "\u{202e}x",
    "include /etc/passwd",
    "$A=1",
    "~SEQ(A,1,9)",
    "@x y",
    "a b",
    "%%vrrp%%",
    "-1",
];

fn hostile_settings() -> Vec<(&'static str, &'static str)> {
    vec![
        ("active_active", "password"),
        ("active_active", "virtual_router_id"),
        ("active_active", "vrrp_unicast"),
        ("active_active", "centralize_vips"),
        ("alerting", "emailaddr"),
        ("alerting", "fromaddr"),
        ("alerting", "smtpserver"),
        ("captive_portal", "ip_address"),
        ("network", "staticroutes"),
        ("services", "haproxy-portal"),
        ("172.16.5.0", "next_hop"),
        ("172.16.5.0", "netmask"),
    ]
}

/// A value is either refused, with its section, key and place, or the file keeps its structure.
fn try_hostile(section: &str, key: &str, value: &str) {
    let mut files = Files::example("guide").without("password=kTq7vRw2").without("virtual_router_id=50");
    files.networks = NETWORKS.replace("[172.17.0.0]", "[172.17.0.0]\ndhcpd=disabled");
    let line = format!("[{section}]\n{key}=<<END_OF_IT\n{value}\nEND_OF_IT\n");
    if section.starts_with('1') {
        files.networks =
            files.networks.replace("[172.16.5.0]", "[172.16.5.0]\nx=y").replace("next_hop=192.168.2.254", "");
        files.networks = files.networks.replacen(
            "netmask=255.255.252.0\n",
            if key == "netmask" { "next_hop=192.168.2.254\n" } else { "netmask=255.255.252.0\n" },
            1,
        );
        files.networks += &line;
    } else {
        files = files.with(&line);
    }
    match files.keepalived("pf2.example.com", "14", |_| ()) {
        Err(GenerateError::Unusable { section: named, key: named_key, place, .. }) => {
            assert_eq!((named.as_str(), named_key.as_str()), (section, key));
            assert!(place.is_some());
        }
        Err(error) => panic!("{section}.{key}={value:?}: {error}"),
        Ok(rendered) => {
            let tree = read(text(&rendered)).unwrap_or_else(|error| panic!("{section}.{key}={value:?}: {error}"));
            let heads: Vec<&str> = tree.iter().map(|node| node.words[0].as_str()).collect();
            assert!(heads.starts_with(&["global_defs", "vrrp_script"]), "{heads:?}");
            assert_eq!(Node::all(&tree, "vrrp_instance").len(), 3);
            assert!(Node::all(&tree, "vrrp_script").len() <= 2 && heads.len() <= 8, "{heads:?}");
            for instance in Node::all(&tree, "vrrp_instance") {
                let notify = "/usr/bin/env /usr/local/pf/bin/cluster/pfupdate --mode=";
                for event in ["notify_master", "notify_backup", "notify_fault"] {
                    assert!(instance.value(event).is_some_and(|script| script.starts_with(notify)));
                }
                assert!((11..=15).contains(&instance.inside.len()), "{instance:?}");
            }
        }
    }
}

#[test]
fn no_setting_becomes_a_directive() {
    for (section, key) in hostile_settings() {
        for value in HOSTILE {
            try_hostile(section, key, value);
            try_hostile(section, key, &format!("pf@localhost,{value}"));
        }
        try_hostile(section, key, &"x".repeat(100_000));
    }
}

#[test]
fn nor_does_the_install_directory() {
    for bad in ["", "pf", "/a b", "/a\"", "/a\n}", "/a}", "/a#", "/\u{fc}"] {
        let made = Files::example("guide")
            .keepalived("pf2.example.com", "14", |request| request.options.install_dir = bad.into());
        assert!(matches!(made, Err(GenerateError::Unusable { key, .. }) if key == "install_dir"), "{bad:?}");
    }
}

// ---- random clusters

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
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

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

    #[test]
    fn random_values_keep_the_structure(value in "\\PC{0,40}|[ -~\\n\\t]{0,40}", at in any::<prop::sample::Index>()) {
        let settings = hostile_settings();
        let (section, key) = settings[at.index(settings.len())];
        if !value.contains("END_OF_IT") {
            try_hostile(section, key, &value);
        }
    }
}
