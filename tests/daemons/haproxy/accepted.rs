//! HAProxy accepts, without a warning, what is generated for every example, version, option and odd value.

use pfcluster_core::generate::{DaemonVersion, GenerateError, Request, Template};
use pfcluster_tests::snapshot::EXAMPLES;

use crate::haproxy_support::{ALL, Files, What, example, version};
use crate::install::{Install, dashboard, haproxy};

const VERSIONS: [&str; 16] = [
    "8.0", "8.1", "8.2", "8.3", "9.0", "9.2", "10.0", "10.3", "11.0", "11.1", "11.2", "12.0", "12.2", "13.0", "14.0",
    "14.1",
];

#[test]
fn every_example_and_version_is_accepted() {
    let install = Install::new();
    for (name, host, _) in EXAMPLES {
        for text in VERSIONS.iter().filter(|text| name != "two-zones" || version(text) >= version("8.2")) {
            for what in ALL {
                match install.generate(what, &example(name), host, text, |_| {}) {
                    Err(GenerateError::NotInVersion { .. }) => {
                        assert!(what == What::Admin && version(text) < version("10"));
                    }
                    rendered => {
                        let rendered = rendered.unwrap_or_else(|error| panic!("{name} {text} {what:?}: {error}"));
                        install.check(&rendered, &format!("{name} {text} {what:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_written_for_other_haproxies_is_accepted_where_it_can_be() {
    let install = Install::new();
    // 2.2 to the newest: nothing that 2.6 warns of. (What older ones demand, 2.6 warns of.)
    for haproxy in [DaemonVersion::new(2, 2), DaemonVersion::new(2, 8), DaemonVersion::new(3, 2), DaemonVersion::NEWEST]
    {
        for what in ALL {
            for text in ["10", "14"] {
                let choose = |request: &mut Request<'_>| request.options.haproxy = haproxy;
                let rendered =
                    install.generate(what, &example("guide"), "pf2.example.com", text, choose).expect("the guide");
                install.check(&rendered, &format!("{haproxy:?} {text} {what:?}"));
            }
        }
    }
}

#[test]
fn every_option_is_accepted() {
    let install = Install::new();
    let guide = example("guide");
    let after = |key: &str, more: &str| Files {
        pf_conf: guide.pf_conf.replace(key, &format!("{key}\n{more}")),
        ..guide.clone()
    };
    let with = |more: &str| Files { pf_conf: format!("{}\n{more}", guide.pf_conf), ..guide.clone() };
    let zones = example("two-zones");
    let slave = zones.cluster_conf.replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\nmasterdb=DC1\n");
    let choices = [
        after("[active_active]", "probe_mysql_from_haproxy_db=enabled"),
        after("[active_active]", "portal_on_management=disabled"),
        after("ip=192.168.2.5", "ipv6_address=2001:db8::10"),
        with("[captive_portal]\nrate_limiting=disabled"),
        with("[captive_portal]\nrate_limiting_threshold=1000000"),
        with("[database_advanced]\nnet_write_timeout=23D"),
        with(
            "[general]\nhostname=portal\ndomain=example.com\n[captive_portal]\nother_domain_names=*.a-b.example, c.example",
        ),
        with("[services]\nhttpd_admin=enabled"),
        with("[services_url]\nhttpd_dispatcher=http://localhost:81\npfpki=http://10.1.1.1\nnetdata=http://localhost"),
        after("type=internal", "enforcement=inlinel2"),
        Files { pf_conf: guide.pf_conf.replace("type=internal", "type=other"), ..guide.clone() },
    ];
    for files in &choices {
        for text in ["8.0", "9.2", "10.1", "11.2", "12.0", "14.0"] {
            for what in ALL.into_iter().filter(|what| *what != What::Admin || version(text) >= version("10")) {
                let rendered = install.generate(what, files, "pf3.example.com", text, |_| {}).expect("a good cluster");
                install.check(&rendered, &format!("{text} {what:?} {}", files.pf_conf));
            }
        }
    }
    for host in ["pf1-dc2.example.com", "pf1-dc1.example.com"] {
        let files = Files { cluster_conf: slave.clone(), ..zones.clone() };
        let rendered = install.generate(What::Db, &files, host, "14.0", |_| {}).expect("a good cluster");
        install.check(&rendered, host);
    }
    for password in
        ["a'b", "a\"b", "a\\b", "a#b", "$HOME", "${HOME}", "%[src]", "a:b:c", "{};!", "\u{fc}nicode", "\\'\\\\'"]
    {
        for what in ALL {
            let choose = |request: &mut Request<'_>| request.options.dashboard = Some(dashboard("ops", password));
            let rendered = install.generate(what, &guide, "pf1.example.com", "14.0", choose).expect("a good password");
            install.check(&rendered, password);
        }
    }
}

/// One name that the DNS does not know takes its own backend down, and HAProxy says so; the portal is there.
#[test]
fn an_unknown_name_stops_nothing() {
    let install = Install::new();
    let mut files = example("guide");
    files.pf_conf += "\n[services_url]\nhttpd_dispatcher=http://no-such-name.invalid:81\n";
    let rendered = install.generate(What::Portal, &files, "pf3.example.com", "14.0", |_| {}).expect("the guide");
    let said = install.complaints(&rendered, "an unknown name");
    assert!(said.len() == 1 && said[0].contains("'server proxy/service' : could not resolve address"), "{said:?}");
}

#[test]
fn odd_install_directories_are_accepted() {
    for name in ["a b", "it's", "x#y", "$HOME", "b\\n", "\"q\""] {
        let install = Install::new();
        let odd = install.path().join(name);
        std::fs::create_dir(&odd).expect("a writable directory");
        for folder in ["conf", "var"] {
            std::fs::rename(install.path().join(folder), odd.join(folder)).expect("a writable directory");
        }
        for what in ALL {
            let choose = |request: &mut Request<'_>| request.options.install_dir = odd.display().to_string();
            let rendered =
                install.generate(what, &example("guide"), "pf1.example.com", "14.0", choose).expect("a good path");
            for file in &rendered.files {
                std::fs::write(odd.join(file.path), &file.text).expect("a writable directory");
            }
            let output =
                haproxy().arg("-c").arg("-f").arg(odd.join(rendered.files[0].path)).output().expect("haproxy runs");
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The templates that PacketFence's own users have, cut down to what matters.
#[test]
fn a_filled_template_is_accepted() {
    let install = Install::new();
    let head = "global\n  user haproxy\n  group haproxy\n  log /dev/log local0\n  stats socket %%var_dir%%/run/t.stats level admin\n";
    let defaults =
        "defaults\n  log global\n  mode http\n  timeout connect 5000\n  timeout client 50000\n  timeout server 50000\n";
    let db = format!(
        "{head}{defaults}%%management_ip_frontend%%\nbackend mysql\n  mode tcp\n%%mysql_probe%%\n%%mysql_backend%%\n"
    );
    let tls = format!("{head}  tune.ssl.default-dh-param 2048\n");
    let proxies = "backend proxy\n  server s %%backend_proxy%%\nbackend static\n  server s %%backend_static%%\nbackend pki\n  server s %%backend_pki%%\n";
    let portal = format!("{tls}  lua-load %%conf_dir%%/passthrough.lua\n{defaults}{proxies}\n%%http%%\n");
    let files = "backend static\n  server s %%backend_static%%\n";
    let admin = format!("{tls}  lua-load %%conf_dir%%/passthrough_admin.lua\n{defaults}{files}\n%%http_admin%%\n");
    for (what, text) in [(What::Db, db), (What::Portal, portal), (What::Admin, admin)] {
        let choose = |request: &mut Request<'_>| {
            let path = format!("conf/{}.conf", what.name());
            request.options.templates.push(Template { path, text });
        };
        let rendered =
            install.generate(what, &example("guide"), "pf2.example.com", "14.0", choose).expect("known tags");
        install.check(&rendered, what.name());
    }
}
