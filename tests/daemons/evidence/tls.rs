//! The real server over TLS, as other members ask it: proved by a certificate authority, or not asked at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Database, Galera};

const PASSWORD: &str = "s3cret";

/// As pf3 asks, whose own database is stopped.
const PF3: [&str; 5] =
    ["--host=pf3.example.com", "--socket=/nonexistent", "--datadir=nowhere", "--timeout=4", "--format=json"];

/// An authority, and a certificate of it for the first member's address alone.
struct Certificates(PathBuf);

impl Certificates {
    fn new(folder: PathBuf) -> Certificates {
        fs::create_dir(&folder).expect("a scratch folder");
        let certificates = Certificates(folder);
        fs::write(certificates.0.join("names"), "subjectAltName=IP:192.168.1.5\n").expect("a scratch file");
        for step in [
            "req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 9 -keyout ca.key -out ca.crt",
            "req -newkey rsa:2048 -nodes -subj /CN=pf1 -keyout server.key -out server.csr",
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile names -out server.crt",
        ] {
            let output = Command::new("openssl").args(step.split(' ')).current_dir(&certificates.0).output();
            let output = output.expect("openssl is installed: tests/install");
            assert!(output.status.success(), "openssl {step}: {output:?}");
        }
        let given = Command::new("chown").arg("mysql").arg(certificates.0.join("server.key")).status();
        assert!(given.expect("chown").success());
        certificates
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn authority(&self) -> String {
        format!("--database-ca={}", self.path("ca.crt"))
    }

    /// What the server needs of them.
    fn options(&self) -> [String; 3] {
        [("ca", "ca.crt"), ("cert", "server.crt"), ("key", "server.key")]
            .map(|(option, name)| format!("--ssl-{option}={}", self.path(name)))
    }
}

fn pf_conf(folder: &Path) {
    let text =
        format!("[active_active]\ngalera_replication_username=monitor\ngalera_replication_password={PASSWORD}\n");
    fs::write(folder.join("pf/conf/pf.conf"), text).expect("a scratch file");
}

/// What is known of two members' databases.
fn asked(database: &Database, arguments: &[&str]) -> [(Value, String); 2] {
    let output = database.program(&[&["status", "--backups=nowhere"], &PF3[..], arguments].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(PASSWORD), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    [0, 1].map(|number| {
        let database = &document["members"][number]["database"];
        (database["state"].clone(), database["why"].as_str().unwrap_or_default().to_owned())
    })
}

#[test]
fn with_an_authority_there_is_no_plain_text() {
    let mut database = Database::new(Galera::Off);
    let certificates = Certificates::new(database.folder().join("tls"));
    let others = Certificates::new(database.folder().join("others"));
    pf_conf(database.folder());
    let [ca, cert, key] = certificates.options();
    database.start(&[&ca, &cert, &key]);
    database.wait_for("threads_connected", "1");
    assert_eq!(database.query("SELECT @@have_ssl"), "YES", "{}", database.log());
    // No privilege at all, and no login without TLS.
    database.query(&format!("CREATE USER monitor@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"));
    // The same server, at an address for which it has no certificate.
    database.add_address("192.168.1.6");
    let forwarded = database.listen("192.168.1.6", "TCP:192.168.1.5:3306");

    let [(state, why), _] = asked(&database, &[]);
    assert!(state == json!("refused") && why.contains("1045"), "without TLS: {state} {why}");
    let [(state, why), (other, elsewhere)] = asked(&database, &[&certificates.authority()]);
    assert_eq!(state, json!("without_galera"), "with TLS it says all that is asked: {why}");
    assert!(other == json!("silent") && elsewhere.contains("not valid for"), "{other} {elsewhere}");
    let [(state, why), _] = asked(&database, &[&others.authority()]);
    assert!(state == json!("silent") && why.contains("certificate"), "another authority: {state} {why}");
    let output = database.program(&[&["doctor", "--all", &certificates.authority()], &PF3[..]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let members = document["members"].as_array().expect("a list");
    let first = members.iter().find(|member| member["host"] == "pf1.example.com").expect("the first member");
    let known = first["checks"].as_array().expect("a list").iter().filter(|check| check["verdict"] == "pass").count();
    assert!(known > 0, "its variables are read over TLS: {first:#}");

    drop(forwarded);
    database.stop();
    database.start(&["--skip-ssl"]);
    database.wait_for("threads_connected", "1");
    database.query("ALTER USER monitor@'%' REQUIRE NONE");
    let [(state, why), _] = asked(&database, &[]);
    assert_eq!(state, json!("without_galera"), "no TLS is asked for: {why}");
    let [(state, why), _] = asked(&database, &[&certificates.authority()]);
    assert!(state == json!("silent") && why.contains("no TLS"), "there is no way back: {state} {why}");
}

/// What can't be used as an authority is said at once, whatever it is.
#[test]
fn an_authority_that_is_none() {
    let database = Database::new(Galera::Off);
    pf_conf(database.folder());
    let certificates = Certificates::new(database.folder().join("tls"));
    for (name, says) in [("server.key", "no certificate"), ("names", "no certificate"), ("nowhere", "cannot read")] {
        let ca = format!("--database-ca={}", certificates.path(name));
        for command in ["status", "doctor"] {
            let all: &[&str] = if command == "doctor" { &["--all"] } else { &["--backups=nowhere"] };
            let output = database.program(&[&[command], all, &PF3, &[&ca]].concat());
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.code() == Some(2) && text.contains(says), "{command} {name}: {text}");
            assert!(!text.contains("PRIVATE KEY"), "{text}");
        }
    }
}
