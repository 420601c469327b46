//! HAProxy itself reads and runs what is generated for it. Needs root, `haproxy`, `ip` and `openssl`.
//!
//! What is started runs in a network namespace of its own, with the addresses of the guide on its loopback interface; the
//! servers behind HAProxy are threads of this test, which runs itself again inside the namespace.

#[path = "../core/haproxy_support.rs"]
mod haproxy_support;
#[path = "haproxy/namespace.rs"]
mod namespace;
#[path = "haproxy/servers.rs"]
mod servers;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use haproxy_support::{ALL, EXAMPLES, Files, What, example, generate, version};
use namespace::in_namespace;
use pfcluster_core::generate::{DaemonVersion, Dashboard, GenerateError, Rendered, Request, Template};
use servers::{Reply, get, greeting_of, start_database, start_tls, start_web, tls_get};

/// An install directory with a certificate.
struct Install {
    directory: tempfile::TempDir,
}

impl Install {
    fn new() -> Install {
        let directory = tempfile::Builder::new().prefix("pf").tempdir().expect("a scratch directory");
        for folder in ["conf/ssl", "var/run", "var/conf"] {
            std::fs::create_dir_all(directory.path().join(folder)).expect("a writable directory");
        }
        let (key, certificate) = (directory.path().join("key.pem"), directory.path().join("certificate.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=portal.example.com"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("`openssl` must be installed: these tests need a throwaway certificate");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let both = [certificate, key].map(|file| std::fs::read_to_string(file).expect("just written")).concat();
        std::fs::write(directory.path().join("conf/ssl/server.pem"), both).expect("a writable directory");
        Install { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn generate(
        &self,
        what: What,
        files: &Files,
        host: &str,
        text: &str,
        choose: impl FnOnce(&mut Request<'_>),
    ) -> Result<Rendered, GenerateError> {
        generate(what, files, host, version(text), |request| {
            request.options.install_dir = self.path().display().to_string();
            request.options.haproxy = installed();
            choose(request);
        })
    }

    /// Writes the files; the first one's path.
    fn write(&self, rendered: &Rendered) -> PathBuf {
        for file in &rendered.files {
            std::fs::write(self.path().join(file.path), &file.text).expect("a writable directory");
        }
        self.path().join(rendered.files[0].path)
    }

    /// Exit status 0, and nothing to complain about.
    fn check(&self, rendered: &Rendered, what: &str) {
        let said = self.complaints(rendered, what);
        assert!(said.is_empty(), "{what}: {said:?}\n{}", rendered.files[0].text);
    }

    /// Exit status 0; the lines that complain.
    fn complaints(&self, rendered: &Rendered, what: &str) -> Vec<String> {
        let file = self.write(rendered);
        let output = haproxy().arg("-c").arg("-f").arg(&file).output().expect("haproxy runs");
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{what}: {said}\n{}", rendered.files[0].text);
        let complains = |line: &&str| ["[WARNING]", "[ALERT]"].iter().any(|word| line.contains(word));
        said.lines().filter(complains).map(str::to_owned).collect()
    }
}

fn haproxy() -> Command {
    Command::new("haproxy")
}

/// The installed HAProxy's version.
fn installed() -> DaemonVersion {
    let output = haproxy().arg("-v").output().expect("`haproxy` must be installed: these tests ask the real one");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let number = number.unwrap_or_else(|| panic!("no version in {text}"));
    number.split('-').next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{number} is no version"))
}

fn dashboard(user: &str, password: &str) -> Dashboard {
    Dashboard { user: user.to_owned(), password: password.to_owned() }
}

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

/// HAProxy, running until it is dropped.
struct Running {
    child: Child,
}

impl Running {
    fn start(file: &Path) -> Running {
        let mut command = haproxy();
        command.arg("-db").arg("-f").arg(file).stdin(Stdio::null());
        Running { child: command.spawn().expect("haproxy starts") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the answer is right.
fn wait_for<T: std::fmt::Debug>(
    seconds: u64,
    what: &str,
    mut ask: impl FnMut() -> T,
    is_right: impl Fn(&T) -> bool,
) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let answer = ask();
        if is_right(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: still {answer:?} after {seconds} s");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn clients_reach_the_first_live_database() {
    in_namespace("clients_reach_the_first_live_database", || {
        let install = Install::new();
        let rendered = install.generate(What::Db, &example("guide"), "pf1.example.com", "14.0", |request| {
            request.options.dashboard = Some(dashboard("ops", "a'b#\"c\\$HOME"));
        });
        let file = install.write(&rendered.expect("the guide"));
        let last = start_database("192.168.1.7:3306", "pf3");
        let middle = start_database("192.168.1.6:3306", "pf2");
        let _first = start_database("192.168.1.5:3306", "pf1");
        let _haproxy = Running::start(&file);
        for address in ["192.168.1.10:3306", "127.0.0.1:3306", "100.64.0.1:3306"] {
            wait_for(10, address, || greeting_of(address), |answer| answer.as_deref() == Some("pf3"));
        }
        // A client that is connected is sent away when its server dies, long before its own timeout of six minutes.
        let client = servers::connected("192.168.1.10:3306");
        last.hang();
        wait_for(15, "after pf3", || greeting_of("192.168.1.10:3306"), |answer| answer.as_deref() == Some("pf2"));
        assert!(servers::is_closed(client, Duration::from_secs(5)), "the old connection stays");
        drop(middle);
        wait_for(15, "after pf2", || greeting_of("127.0.0.1:3306"), |answer| answer.as_deref() == Some("pf1"));
        last.recover();
        wait_for(30, "pf3 again", || greeting_of("127.0.0.1:3306"), |answer| answer.as_deref() == Some("pf3"));

        let stats = |header: &str| get("192.168.1.5:1026", "192.168.1.5", "/stats", header).status;
        assert_eq!(stats(""), 401);
        assert_eq!(stats(&servers::basic("admin", "packetfence")), 401);
        assert_eq!(stats(&servers::basic("ops", "a'b#\"c\\$HOME")), 200);
    });
}

#[test]
fn a_database_outside_of_the_primary_component_is_not_asked() {
    in_namespace("a_database_outside_of_the_primary_component_is_not_asked", || {
        let install = Install::new();
        let guide = example("guide");
        let pf_conf = guide.pf_conf.replace("[active_active]", "[active_active]\nprobe_mysql_from_haproxy_db=enabled");
        let files = Files { pf_conf, ..guide };
        let rendered = install.generate(What::Db, &files, "pf1.example.com", "14.0", |_| {}).expect("the guide");
        let file = install.write(&rendered);
        let _databases = ["192.168.1.7:3306", "192.168.1.6:3306", "192.168.1.5:3306"].map(|at| start_database(at, at));
        let probe = |address: &str, status: u16| {
            start_web(address, move |request| {
                if request.line.starts_with("OPTIONS / ") { Reply::status(status) } else { Reply::status(404) }
            })
        };
        let _probes = (probe("192.168.1.7:3307", 503), probe("192.168.1.6:3307", 200), probe("192.168.1.5:3307", 200));
        let _haproxy = Running::start(&file);
        let right = |answer: &Option<String>| answer.as_deref() == Some("192.168.1.6:3306");
        wait_for(15, "the first that is primary", || greeting_of("127.0.0.1:3306"), right);
        // It stays so while the others are checked again and again.
        let end = Instant::now() + Duration::from_secs(7);
        while Instant::now() < end {
            assert!(right(&greeting_of("127.0.0.1:3306")));
            std::thread::sleep(Duration::from_millis(100));
        }
    });
}

#[test]
fn the_portal_is_told_from_other_hosts() {
    in_namespace("the_portal_is_told_from_other_hosts", || {
        let install = Install::new();
        let mut files = example("guide");
        files.pf_conf +=
            "\n[general]\nhostname=portal\ndomain=example.com\n[captive_portal]\nother_domain_names=*.wifi-x.example\n";
        let rendered = install.generate(What::Portal, &files, "pf1.example.com", "8.3", |request| {
            request.options.dashboard = Some(dashboard("ops", "other"));
        });
        let file = install.write(&rendered.expect("the guide"));
        let named = |name: &'static str| {
            move |request: &servers::Asked| {
                let (host, proto) = (request.header("host"), request.header("x-forwarded-proto"));
                let is_bad = request.line.contains("/bad");
                if is_bad { Reply::status(501) } else { Reply::text(format!("{name} host={host} proto={proto}")) }
            }
        };
        let _members = ["192.168.2.5:80", "192.168.2.6:80", "192.168.2.7:80"].map(|at| start_web(at, named("member")));
        let _proxy = start_web("127.0.0.1:8888", named("proxy"));
        let _static = start_web("127.0.0.1:8889", named("static"));
        let _haproxy = Running::start(&file);
        let ask = |host: &str, path: &str| get("192.168.2.10:80", host, path, "").body;
        wait_for(10, "the portal", || ask("192.168.2.10", "/"), |body| body.starts_with("member"));
        for host in
            ["portal.example.com", "PORTAL.example.com:80", "portal.example.com.", "192.168.2.7", "x.wifi-x.example"]
        {
            assert!(ask(host, "/captive-portal").starts_with("member"), "{host}");
        }
        for host in [
            "www.example.org",
            "portalxexample.com",
            "x.wifi-x.example.org",
            "wifixx.example",
            "evil.portal.example.com",
            "",
        ] {
            let expected = if host.is_empty() { "member host=portal.example.com" } else { "proxy" };
            assert!(ask(host, "/").starts_with(expected), "{host}: {}", ask(host, "/"));
        }
        assert!(ask("www.example.org", "/a?b=c").contains("host=www.example.org proto=http"));
        assert!(ask("www.example.org", "/.well-known/acme-challenge/x").starts_with("static"));
        assert!(ask("portal.example.com", "/rfc7710").starts_with("proxy"));
        assert!(ask("www.example.org", "/profile.xml").starts_with("member"));
        let forged = get("192.168.2.10:80", "portal.example.com", "/", "X-Forwarded-Proto: https\r\n").body;
        assert!(forged.ends_with("proto=http"), "{forged}");
        let over_tls = tls_get("192.168.2.10:443", "portal.example.com", "/");
        assert!(over_tls.contains("member host=portal.example.com proto=https"), "{over_tls}");

        let stats = |header: &str| get("192.168.1.5:1025", "192.168.1.5", "/stats", header).status;
        assert_eq!((stats(""), stats(&servers::basic("ops", "other"))), (401, 200));

        // 48 requests in ten seconds, and answers 501: from then on refused, until the client is passed through.
        let bad = || get("192.168.2.10:80", "portal.example.com", "/bad", "").status;
        let answers: Vec<u16> = (0..80).map(|_| bad()).collect();
        assert!(answers.contains(&501) && answers.last() == Some(&429), "{answers:?}");
        assert_eq!(get("192.168.2.10:80", "portal.example.com", "/", "").status, 429);
        assert!(ask("www.example.org", "/").starts_with("proxy"));
        assert!(ask("portal.example.com", "/").starts_with("member"));
    });
}

#[test]
fn portals_in_containers_check_their_members() {
    in_namespace("portals_in_containers_check_their_members", || {
        let install = Install::new();
        let mut files = example("guide");
        files.pf_conf += "\n[general]\nhostname=portal\ndomain=example.com\n";
        let rendered = install.generate(What::Portal, &files, "pf1.example.com", "14.0", |_| {}).expect("the guide");
        let file = install.write(&rendered);
        let member = |address: &'static str, works: bool| {
            start_web(address, move |request| {
                let is_check =
                    request.line == "GET /captive-portal HTTP/1.0" && request.header("host") == "portal.example.com";
                match (works, is_check) {
                    (true, _) => Reply::text(address.to_owned()),
                    (false, _) => Reply::status(500),
                }
            })
        };
        let _members =
            (member("192.168.2.5:8080", false), member("192.168.2.6:8080", true), member("192.168.2.7:8080", false));
        let _pki = start_web("100.64.0.1:22225", |_| Reply::text("pki".to_owned()));
        let _haproxy = Running::start(&file);
        let ask = |path: &str| get("192.168.2.10:80", "portal.example.com", path, "").body;
        wait_for(
            40,
            "the member that works",
            || (0..3).map(|_| ask("/")).collect::<Vec<_>>(),
            |all| all.iter().all(|body| body == "192.168.2.6:8080"),
        );
        assert_eq!(ask("/scep/template"), "pki");
    });
}

#[test]
fn the_administration_interface_finds_its_servers() {
    in_namespace("the_administration_interface_finds_its_servers", || {
        let install = Install::new();
        let rendered =
            install.generate(What::Admin, &example("guide"), "pf2.example.com", "14.0", |_| {}).expect("the guide");
        let file = install.write(&rendered);
        let certificate = install.path().join("conf/ssl/server.pem");
        let second = start_tls("192.168.1.6:9999", &certificate, "pf2");
        let _third = start_tls("192.168.1.7:9999", &certificate, "pf3");
        let _static = start_web("100.64.0.1:8891", |request| Reply::text(format!("static {}", request.line)));
        let _preview = start_web("100.64.0.1:8890", |request| {
            Reply::text(format!("preview {} {}", request.line, request.header("host")))
        });
        let _netdata = start_web("192.168.1.5:19999", |request| Reply::text(format!("netdata {}", request.line)));
        let _haproxy = Running::start(&file);
        let ask = |path: &str, header: &str| servers::tls_ask("192.168.1.10:1443", "pf.example.com", path, header);
        wait_for(15, "the API", || ask("/api/v1/who", ""), |body| body.contains("pf2"));
        assert!(ask("/api/v1/who", "X-PacketFence-Server: 192.168.1.7\r\n").contains("pf3"));
        // Not there, and not a member: no other server may answer.
        for server in ["192.168.1.5", "10.9.9.9", "static", "192.168.1.7-api", "api"] {
            let answer = ask("/api/v1/who", &format!("X-PacketFence-Server: {server}\r\n"));
            assert!(answer.starts_with("HTTP/1.1 503"), "{server}: {answer}");
        }
        assert!(ask("/admin/x?y=z", "").contains("static GET /admin/x?y=z"));
        assert!(ask("/", "").to_lowercase().contains("location: /admin"));
        assert!(ask("/netdata/192.168.1.5/api/v1/info?x=1", "").contains("netdata GET /api/v1/info?x=1"));
        assert!(ask("/netdata/10.9.9.9/x", "").starts_with("HTTP/1.1 503"));
        let preview = ask("/portal_preview/captive-portal?PORTAL=default", "");
        assert!(preview.contains("preview GET /captive-portal?PORTAL=default HTTP/1.1 192.168.2.6"), "{preview}");
        drop(second);
        wait_for(20, "the next API", || ask("/api/v1/who", ""), |body| body.contains("pf3"));
    });
}
