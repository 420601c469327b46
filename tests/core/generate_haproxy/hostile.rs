//! Hostile values in every setting and option that is inserted: refused by name, or kept where they are.

use pfcluster_core::generate::{Dashboard, GenerateError};
use proptest::prelude::*;

use super::haproxy_support::{ALL, Files, What, example, generate, version};
use super::reader::{Section, laws, section};

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

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

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
