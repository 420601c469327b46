//! The HAProxy files: snapshots, what one choice changes, and what is said. Laws over random clusters and hostile values are
//! in the modules.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test core -- generate_haproxy` writes the snapshots anew.

mod haproxy_support;
mod hostile;
mod reader;
mod worlds;

use haproxy_support::{ALL, Files, What, example, generate, version};
use pfcluster_core::generate::{Access, DaemonVersion, Dashboard, GenerateError, Rendered, Template};
use pfcluster_core::span::Source;
use pfcluster_tests::snapshot::{EXAMPLES, explained, reviewed};
use reader::read;

fn compare(name: &str, actual: &str, wrong: &mut Vec<String>) {
    if reviewed(name, actual) != actual {
        wrong.push(format!("{name} is now:\n{actual}"));
    }
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
                    compare(&format!("{}-{name}-{text}.{extension}", what.name()), &file.text, &mut wrong);
                }
                if name == "guide" {
                    let file = format!("{}-{name}-{text}.explained", what.name());
                    compare(&file, &explained(&rendered), &mut wrong);
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
    compare("haproxy-options.txt", &out, &mut wrong);
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
