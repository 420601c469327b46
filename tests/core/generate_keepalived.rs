//! keepalived.conf: reviewed snapshots, and what is said. Random clusters and hostile values are in the modules, the real
//! daemon is in daemons/keepalived.rs.

mod hostile;
mod reader;
mod worlds;

use std::collections::BTreeSet;

use pfcluster_core::document::Document;
use pfcluster_core::generate::{Access, DaemonVersion, GenerateError, Rendered, Request, Template, keepalived};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_tests::program::examples;
use pfcluster_tests::snapshot::{EXAMPLES, explained, reviewed};
use reader::{Node, read};

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

// ---- snapshots

#[test]
fn snapshots() {
    for (example, me, versions) in EXAMPLES {
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
    for (suffix, actual) in [("conf", text(rendered)), ("explain", &explained(rendered))] {
        let file = format!("keepalived-{name}.{suffix}");
        assert_eq!(reviewed(&file, actual), actual, "{file}: REWRITE=1 writes it anew");
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
    assert_eq!(error(guide(), "pf9", "14"), "pf9 is not a member of the cluster");
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
