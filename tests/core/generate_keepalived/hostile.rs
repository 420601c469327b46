//! Hostile values in every setting that is inserted: refused by name, or the file keeps its structure.

use pfcluster_core::generate::GenerateError;
use proptest::prelude::*;

use super::reader::{Node, read};
use super::{Files, NETWORKS, text};

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

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn random_values_keep_the_structure(value in "\\PC{0,40}|[ -~\\n\\t]{0,40}", at in any::<prop::sample::Index>()) {
        let settings = hostile_settings();
        let (section, key) = settings[at.index(settings.len())];
        if !value.contains("END_OF_IT") {
            try_hostile(section, key, &value);
        }
    }
}
