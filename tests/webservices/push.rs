//! A push: what goes over the wire, in which order, and what it leaves.

use pfcluster_tests::schema::assert_fits;
use pfcluster_tests::webservices::{Cluster, Fault, Request};
use serde_json::Value;

/// Every byte, so that nobody on the way can have taken them for a text.
fn all_bytes() -> Vec<u8> {
    (0..=255).cycle().take(1000).collect()
}

fn methods(requests: &[Request]) -> Vec<String> {
    requests.iter().map(Request::method).collect()
}

#[test]
fn all_files_arrive_and_the_version_comes_last() {
    let cluster = Cluster::new();
    let [pf1, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    pf1.write("conf/switches.conf", b"[10.0.0.1]\ndescription=new\n");
    pf1.write("conf/local_secret", &all_bytes());
    pf1.write("raddb/modules/mschap", b"mschap {}\n");
    pf1.write(
        "conf/cluster-files.txt",
        b"  /usr/local/pf/raddb/modules/mschap \r\n\r\n# more\n/usr/local/pf/conf/cluster-files.txt",
    );
    let answer = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    for member in [pf2, pf3] {
        for name in ["conf/switches.conf", "conf/local_secret", "raddb/modules/mschap", "conf/cluster-files.txt"] {
            assert_eq!(member.read(name), pf1.read(name), "{} {name}", member.host);
        }
        let asked = methods(&member.take_requests());
        assert_eq!(asked.first().map(String::as_str), Some("get_config_version"));
        assert_eq!(asked.last().map(String::as_str), Some("set_config_version"));
        assert_eq!(asked.iter().filter(|method| *method == "set_config_version").count(), 1, "{asked:?}");
        assert!(answer.out.contains(&format!("{} ({}): ", member.host, member.address)), "{}", answer.out);
    }
    let versions = cluster.versions();
    assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
    assert!(versions[0].as_str() > "1510000000.12345", "{versions:?}");
    assert!(answer.out.contains(&format!("version {} set", versions[0])), "{}", answer.out);
}

/// Byte for byte what PacketFence's own client sends.
#[test]
fn requests_are_packetfences() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    assert_eq!(cluster.run(0, &["sync", "--as-master"]).status, Some(0));
    let requests = cluster.members[1].take_requests();
    let of = |method: &str, path: &str| {
        let is_it = |request: &&Request| request.method() == method && request.body.contains(path);
        requests.iter().find(is_it).unwrap_or_else(|| panic!("{method} {path}"))
    };
    let expected = [
        ("get_config_version", "", "[]".to_owned()),
        ("expire", "config::Pf", r#"["namespace","config::Pf","light",1]"#.to_owned()),
        (
            "notify_configfile_changed",
            "pf.conf",
            r#"["conf_file","/usr/local/pf/conf/pf.conf","server","pf1.example.com"]"#.to_owned(),
        ),
        (
            "distant_download_configfile",
            "server.crt",
            format!(r#"["conf_file","/usr/local/pf/conf/ssl/server.crt","from","{}"]"#, pf1.address),
        ),
        ("set_config_version", "", format!(r#"["version","{}"]"#, cluster.versions()[0])),
    ];
    for (method, path, params) in expected {
        let request = of(method, path);
        assert_eq!(request.body, format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}"#));
        assert!(request.head.starts_with("POST / HTTP/1.1\r\n"), "{}", request.head);
        assert_eq!(request.header("Content-Type"), Some("application/json-rpc"));
        assert_eq!(request.header("Request"), Some(method));
        assert_eq!(request.header("Authorization"), Some("Basic cGFja2V0OmZlbmNlLTQ3MTEtU2VzYW1l"));
        assert_eq!(request.header("Host"), Some(&*format!("{}:{}", cluster.members[1].address, cluster.port())));
    }
    // A store is marked stale before its file is fetched, here all of them anew.
    let order: Vec<&str> = requests.iter().map(|request| &*request.body).collect();
    let place = |text: &str| order.iter().position(|body| body.contains(text));
    assert!(place("config::Switch\"") < place("switches.conf"));
    let own = pf1.take_requests();
    assert!(own.iter().any(|request| request.body.contains(r#"["namespace","config::Pf","light",0]"#)));
}

#[test]
fn one_file_or_store_changes_no_version() {
    let cluster = Cluster::new();
    let [pf1, pf2, pf3] = &cluster.members[..] else { panic!("three members") };
    let before = cluster.versions();
    pf1.write("conf/switches.conf", b"[10.0.0.1]\n");
    pf1.write("raddb/new", b"new\n");
    let one = cluster.run(0, &["sync", "--as-master", "--file", "/usr/local/pf/raddb/new"]);
    assert_eq!(one.status, Some(0), "{one:?}");
    let store = cluster.run(0, &["sync", "--as-master", "--storage", "pf::ConfigStore::Switch"]);
    assert_eq!(store.status, Some(0), "{store:?}");
    for member in [pf2, pf3] {
        assert_eq!(
            (member.read("raddb/new"), member.read("conf/switches.conf")),
            (b"new\n".into(), b"[10.0.0.1]\n".into())
        );
        assert_eq!(member.count("set_config_version"), 0);
        assert_eq!(member.count("distant_download_configfile"), 1);
        assert_eq!(member.count("notify_configfile_changed"), 1);
    }
    assert_eq!(cluster.versions(), before);
    for (arguments, message) in [
        (["--file", "/usr/local/pf/raddb/missing"], "/usr/local/pf/raddb/missing is not there"),
        (["--storage", "pf::ConfigStore::Nope"], "has no store `pf::ConfigStore::Nope`"),
    ] {
        let answer = cluster.run(0, &[&["sync", "--as-master"][..], &arguments].concat());
        assert_eq!(answer.status, Some(2), "{answer:?}");
        assert!(answer.err.contains(message) && answer.err.contains("\nhint: "), "{}", answer.err);
    }
}

#[test]
fn fingerbanks_large_database_only_when_it_is_asked_for() {
    const DATABASE: &str = "../fingerbank/db/fingerbank_Upstream.db";

    let cluster = Cluster::new();
    cluster.members[0].write(DATABASE, &all_bytes());
    assert_eq!(cluster.run(0, &["sync", "--as-master"]).status, Some(0));
    assert!(!cluster.members[1].root.join(DATABASE).exists());
    assert_eq!(cluster.run(0, &["sync", "--as-master", "--with-fingerbank-db"]).status, Some(0));
    assert_eq!(cluster.members[2].read(DATABASE), all_bytes());
}

#[test]
fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let cluster = Cluster::new();
    let [pf1, pf2, _] = &cluster.members[..] else { panic!("three members") };
    let same = cluster.run(0, &["sync", "--as-master", "--dry-run"]);
    assert_eq!(same.status, Some(0), "{same:?}");
    pf1.write("conf/switches.conf", b"[10.0.0.1]\ncliPwd=hunter2\ndescription=new\n");
    pf1.write("conf/ssl/server.key", b"-----BEGIN PRIVATE KEY-----\nhunter2\n");
    pf1.write("conf/ssl.conf", b"[portal]\nkey=<<EOT\nhunter2\nhunter2\nEOT\n");
    pf2.write("conf/pf.conf", &[&pf1.read("conf/pf.conf")[..], b"[database]\npass=hunter2\n"].concat());
    cluster.forget();
    let before = cluster.versions();
    let answer = cluster.run(0, &["sync", "--as-master", "--dry-run"]);
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(!answer.out.contains("hunter2"), "{}", answer.out);
    for line in [
        "+description=new",
        "+cliPwd=********",
        "-pass=********",
        "--- /dev/null\n+++ /usr/local/pf/conf/ssl.conf",
        "--- /usr/local/pf/conf/ssl/server.key: 45 bytes, sha256 ",
    ] {
        assert!(answer.out.contains(line), "{line}: {}", answer.out);
    }
    for member in &cluster.members[1..] {
        let asked = methods(&member.take_requests());
        assert!(
            asked.iter().all(|method| ["get_config_version", "download_configfile"].contains(&&**method)),
            "{asked:?}"
        );
    }
    assert_eq!(cluster.versions(), before);
    assert!(!pf1.root.join("var/pfcluster").exists(), "nothing is written here either");
}

#[test]
fn json_is_complete() {
    let cluster = Cluster::new();
    cluster.members[0].write("conf/switches.conf", b"[10.0.0.1]\n");
    let json = |arguments: &[&str]| {
        let answer = cluster.run(0, &[arguments, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        document
    };
    let dry = json(&["sync", "--as-master", "--dry-run"]);
    assert_fits("sync.json", &dry);
    assert_eq!((dry["dry_run"].as_bool(), dry["config_version"].is_null()), (Some(true), true));
    let pushed = json(&["sync", "--as-master"]);
    assert_fits("sync.json", &pushed);
    assert_eq!(pushed["members"][1]["version_state"], "set");
    assert_eq!(pushed["config_version"].as_str(), Some(&*cluster.versions()[2]));
    let from = cluster.members[1].address.to_string();
    assert_fits("sync.json", &json(&["sync", "--from", &from]));
    assert_fits("error.json", &json(&["sync", "--from", "127.0.0.1"]));
}

#[test]
fn who_may_not_push() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    pf1.write("var/run/pf1.example.com-cluster-disabled", b"");
    let disabled = cluster.run(0, &["sync", "--as-master"]);
    assert_eq!(disabled.status, Some(2));
    assert!(disabled.err.contains("is disabled on itself"), "{}", disabled.err);
    let pf2 = &cluster.members[1];
    for host in ["pf1", "pf3"] {
        pf2.write(&format!("var/run/{host}.example.com-cluster-disabled"), b"");
    }
    let alone = cluster.run(1, &["sync", "--as-master"]);
    assert_eq!(alone.status, Some(2));
    assert!(alone.err.contains("there is no enabled member beside pf2.example.com"), "{}", alone.err);
    for arguments in
        [&["sync"][..], &["sync", "--as-master", "--from", "127.0.0.1"], &["sync", "--file", "/usr/local/pf/x"]]
    {
        assert_eq!(cluster.run(2, arguments).status, Some(2), "{arguments:?}");
    }
}

/// Before 12 the version was elsewhere.
#[test]
fn the_version_is_where_packetfence_has_it() {
    let cluster = Cluster::new();
    let pf1 = &cluster.members[0];
    pf1.write("var/config_version", b"1510000000.5");
    let answer = cluster.run(0, &["sync", "--as-master", "--pf-version", "8.0"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    let own = String::from_utf8(pf1.read("var/config_version")).expect("a text");
    assert_eq!(cluster.versions(), ["1510000000.12345", &own, &own]);
}

/// Half of an old and half of a new configuration is neither: somebody saved a change here while the others fetched.
#[test]
fn a_change_during_the_push_leaves_all_versions_alone() {
    let cluster = Cluster::new();
    for arguments in [&["sync", "--as-master"][..], &["conflict", "resolve", "--yes"]] {
        cluster.set_versions(["1500000000", "1500000000", "1400000000"]);
        cluster.members[0].fail_later("download_configfile", "switches.conf", Fault::Changes("1700000000.1"), 0);
        let answer = cluster.run(0, arguments);
        assert_eq!(answer.status, Some(1), "{answer:?}");
        let why = "version not set: the configuration of the member that pushes was changed meanwhile";
        assert!(answer.out.contains(why), "{}", answer.out);
        assert_eq!(cluster.versions(), ["1700000000.1", "1500000000", "1400000000"]);
        cluster.members[0].mend();
    }
    assert_eq!(cluster.run(0, &["sync", "--as-master"]).status, Some(0));
}
