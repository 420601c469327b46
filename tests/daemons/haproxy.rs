//! HAProxy itself reads and runs what is generated for it. Needs root, `haproxy`, `ip` and `openssl`.
//!
//! What is started runs in a network namespace of its own, with the addresses of the guide on its loopback interface; the
//! servers behind HAProxy are threads of this test, which runs itself again inside the namespace.

#[path = "haproxy/accepted.rs"]
mod accepted;
#[path = "../core/generate_haproxy/haproxy_support.rs"]
mod haproxy_support;
#[path = "haproxy/install.rs"]
mod install;
#[path = "haproxy/namespace.rs"]
mod namespace;
#[path = "haproxy/servers.rs"]
mod servers;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use haproxy_support::{Files, What, example};
use install::{Install, dashboard, haproxy};
use namespace::in_namespace;
use servers::{Reply, get, greeting_of, start_database, start_tls, start_web, tls_get};

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
