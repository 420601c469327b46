//! Hostile values in every setting and option that is inserted: carried as they are, or refused by name.

use std::collections::BTreeMap;

use pfcluster_core::generate::{GenerateError, Request};
use proptest::prelude::*;

use super::reader::{Options, read_options};
use super::worlds::VERSIONS;
use super::{Files, text};

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

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

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
