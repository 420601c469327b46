//! Text from outside that would act on a terminal, or forge lines of a log.

use std::net::Ipv4Addr;

use pfcluster_tests::rogue::{ESCAPES, Heard, Mode, Rogue};
use serde_json::json;

use crate::world::{World, in_namespace};

const PF2: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 6);
const PF3: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 7);

fn assert_plain(what: &str, text: &str) {
    let hostile = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!(hostile, None, "{what}: {}", text.escape_debug());
    assert!(!text.lines().any(|line| line.starts_with("Oct 01")), "{what}: a forged line: {text}");
}

/// M5, from databases.
#[test]
fn what_a_database_says_is_only_text() {
    in_namespace("text::what_a_database_says_is_only_text", || {
        let world = World::new();
        let status = Rogue::new(PF2, Mode::Escapes);
        let _error = Rogue::new(PF3, Mode::EscapesInError);
        let supervisor = world.supervisor();
        for arguments in [&["status", "--backups=nowhere"][..], &["doctor", "--all"], &["bootstrap"]] {
            assert_plain(&format!("{arguments:?}"), &world.run(arguments).text());
        }
        assert!(status.hears(|heard| matches!(heard, Heard::Query(_))));
        std::thread::sleep(std::time::Duration::from_secs(3));
        for arguments in [&["mariadb", "status"][..], &["status", "--backups=nowhere"], &["bootstrap"], &["evidence"]] {
            assert_plain(&format!("{arguments:?}"), &world.run(arguments).text());
        }
        assert!(world.run(&["mariadb", "status"]).text().contains("\\x1b"), "what was said is still shown");
        assert_plain("the log", &supervisor.log());
    });
}

/// M5, from evidence files, which come from other members.
#[test]
fn what_an_evidence_file_says_is_only_text() {
    let world = World::new();
    let running = json!({
        "uuid": "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4", "cluster_status": "non_primary", "local_state": "initialized",
        "cluster_size": 2, "last_committed": 5, "members": [ESCAPES],
    });
    let torn = json!({
        "grastate": { "error": ESCAPES }, "gvwstate": { "error": ESCAPES }, "recovered": { "error": ESCAPES },
        "sst_marker": false, "datadir_empty": false,
    });
    for (host, field, value) in [("pf1", "running", running), ("pf2", "files", torn)] {
        let document = json!({
            "version": 1, "host": format!("{host}.example.com"), "members_hash": ESCAPES, field: value,
        });
        world.write("evidence.json", &document.to_string());
        let ran = world.run(&["bootstrap", "--evidence", "evidence.json"]);
        assert!(matches!(ran.code(), Some(0 | 1)), "{ran:?}");
        assert_plain(host, &ran.text());
    }
}
