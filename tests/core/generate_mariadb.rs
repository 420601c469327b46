//! mariadb.conf: reviewed snapshots, what is missing, and the user's own form. Random clusters and hostile values are in the
//! modules, the real server is in daemons/mariadb.rs.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test core -- generate_mariadb` writes what the program says now into
//! testdata/generate: read the difference before you commit it.

mod hostile;
mod reader;
mod worlds;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::generate::{GenerateError, Rendered, Request, Template, mariadb};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_tests::program::examples;
use pfcluster_tests::snapshot::{EXAMPLES, reviewed};
use reader::read_options;

// The three examples ------------------------------------------------------------------------------------------------

#[test]
fn the_examples_are_as_reviewed() {
    for (example, me, versions) in EXAMPLES {
        for version in versions {
            let rendered = Files::example(example).generate(me, version, |_| {}).expect("an example that works");
            compare(&format!("mariadb-{example}-{version}.conf"), text(&rendered, "var/conf/mariadb.conf"));
            compare(&format!("mariadb-{example}-{version}.explain"), &explained(&rendered));
        }
    }
}

#[test]
fn the_init_file_is_as_reviewed() {
    let rendered = Files::example("guide").generate("pf2.example.com", "14", |_| {}).expect("an example that works");
    compare("mariadb-guide-14.sql", text(&rendered, "var/conf/mariadb.sql"));
}

#[test]
fn the_hook_is_as_reviewed() {
    let hooked = |request: &mut Request<'_>| request.options.readonly_hook = true;
    let rendered = Files::example("guide").generate("pf2.example.com", "14", hooked).expect("an example that works");
    compare("mariadb-guide-14-hook.conf", text(&rendered, "var/conf/mariadb.conf"));
    compare("mariadb-guide-14-hook.db-update", text(&rendered, "var/run/db-update"));
    compare("mariadb-guide-14-hook.explain", &explained(&rendered));
}

#[test]
fn a_member_on_its_own_is_as_reviewed() {
    let files = Files::example("guide");
    let alone = |request: &mut Request<'_>| {
        request.disabled = ["pf1.example.com", "pf3.example.com"].iter().map(|host| hostname(host)).collect();
    };
    for version in ["8", "14"] {
        let rendered = files.generate("pf2.example.com", version, alone).expect("a member that works");
        compare(&format!("mariadb-guide-{version}-alone.conf"), text(&rendered, "var/conf/mariadb.conf"));
        compare(&format!("mariadb-guide-{version}-alone.explain"), &explained(&rendered));
    }
}

#[test]
fn a_zone_that_follows_is_as_reviewed() {
    let mut files = Files::example("two-zones");
    files.cluster_conf =
        files.cluster_conf.replace("[DC2 CLUSTER]\n", "[DC2 CLUSTER]\nmasterslavemode=SLAVE\nmasterdb=DC1\n");
    files.pf_conf += "[database_advanced]\nmasterslave=ON\n";
    for (what, me) in [("master", "pf2-dc1.example.com"), ("slave", "pf1-dc2.example.com")] {
        let rendered = files.generate(me, "14", |_| {}).expect("a member that works");
        compare(&format!("mariadb-two-zones-14-{what}.conf"), text(&rendered, "var/conf/mariadb.conf"));
    }
}

/// What `--explain` is made of, in columns.
fn explained(rendered: &Rendered) -> String {
    let mut out = String::new();
    for deviation in &rendered.deviations {
        out +=
            &format!("original: {}\nhere:     {}\nwhy:      {}\n\n", deviation.original, deviation.here, deviation.why);
    }
    for notice in &rendered.notices {
        out += &format!("notice: {}\nhelp:   {}\n\n", notice.message, notice.help);
    }
    out
}

fn compare(name: &str, actual: &str) {
    assert_eq!(actual, reviewed(name, actual), "{name} differs: REWRITE=1 writes it anew");
}

// What is asked ------------------------------------------------------------------------------------------------------

/// The user's files.
#[derive(Clone, Debug)]
struct Files {
    cluster_conf: String,
    pf_conf: String,
}

impl Files {
    fn example(name: &str) -> Files {
        let folder = examples().join(name);
        let read = |file| std::fs::read_to_string(folder.join(file)).expect("a file of the example");
        Files { cluster_conf: read("cluster.conf"), pf_conf: read("pf.conf") }
    }

    fn generate(&self, me: &str, version: &str, choose: impl Fn(&mut Request<'_>)) -> Result<Rendered, GenerateError> {
        let version: PfVersion = version.parse().expect("a version");
        let cluster_conf = Document::parse(Source::ClusterConf, self.cluster_conf.as_bytes()).value;
        let cluster = Cluster::from_document(&cluster_conf).value;
        let pf_conf = Document::parse(Source::PfConf, self.pf_conf.as_bytes()).value;
        let pf_conf = PfConf::new(&pf_conf, None, version);
        let me = hostname(me);
        let mut request = Request::new(&cluster, &pf_conf, &me, version);
        choose(&mut request);
        let rendered = mariadb(&request);
        assert_eq!(rendered, mariadb(&request), "the same request gives the same bytes");
        rendered
    }
}

fn hostname(name: &str) -> Hostname {
    name.parse().expect("a host name")
}

fn text<'a>(rendered: &'a Rendered, path: &str) -> &'a str {
    let file = rendered.files.iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("{path} is generated")).text
}

// What is missing, and the user's own form ---------------------------------------------------------------------------

#[test]
fn without_a_replication_user_no_member_can_join() {
    for key in ["galera_replication_username", "galera_replication_password"] {
        let mut files = Files::example("guide");
        files.pf_conf = files.pf_conf.replace(key, "unused");
        match files.generate("pf2.example.com", "14", |_| {}) {
            Err(GenerateError::Missing { what, .. }) => assert!(what.contains(key), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_template_of_the_users_is_filled_in() {
    let files = Files::example("guide");
    let generate = |text: &str| {
        let template = Template { path: "conf/mariadb/mariadb.conf".to_owned(), text: text.to_owned() };
        files.generate("pf2.example.com", "14", move |request| request.options.templates = vec![template.clone()])
    };
    let rendered = generate("[mysqld]\n%%mysqld%%\nmax_statement_time=60\n[galera]\n%%galera%%\n").expect("known tags");
    let options = read_options(text(&rendered, "var/conf/mariadb.conf")).expect("options");
    let built_in = files.generate("pf2.example.com", "14", |_| {}).expect("the built-in form");
    let mut expected = read_options(text(&built_in, "var/conf/mariadb.conf")).expect("options");
    expected.retain(|section, _| section == "mysqld" || section == "galera");
    expected.get_mut("mysqld").expect("a section").insert("max_statement_time".to_owned(), Some("60".to_owned()));
    assert_eq!(options, expected);
    match generate("[mysqld]\nport=3306\n%%oops%%\n") {
        Err(GenerateError::Template { path, line, reason, .. }) => {
            assert_eq!((path.as_str(), line), ("conf/mariadb/mariadb.conf", 3));
            assert!(reason.contains("%%oops%%"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}
