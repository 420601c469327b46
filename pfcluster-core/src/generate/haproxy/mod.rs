//! HAProxy, one process each in front of the databases, the portal and the administration interface.
//!
//! What one version of HAProxy refuses and another demands is decided here and where `Draft::reads` is asked; whatever all
//! versions from 1.8 on take is written without asking.

mod admin;
mod db;
mod lua;
mod names;
mod portal;
mod quote;
mod user_template;

use std::collections::BTreeSet;

use super::features::Feature;
use super::scene::Scene;
use super::{Access, Deviation, GenerateError, GeneratedFile, Notice, Rendered};
use crate::cluster::Member;
use quote::{Origin, word};

pub use admin::haproxy_admin;
pub use db::haproxy_db;
pub use portal::haproxy_portal;

/// A process of HAProxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Daemon {
    Db,
    Portal,
    Admin,
}

impl Daemon {
    fn name(self) -> &'static str {
        match self {
            Daemon::Db => "haproxy-db",
            Daemon::Portal => "haproxy-portal",
            Daemon::Admin => "haproxy-admin",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Daemon::Db => "var/conf/haproxy-db.conf",
            Daemon::Portal => "var/conf/haproxy-portal.conf",
            Daemon::Admin => "var/conf/haproxy-admin.conf",
        }
    }

    /// The user's own template.
    fn template(self) -> &'static str {
        match self {
            Daemon::Db => "conf/haproxy-db.conf",
            Daemon::Portal => "conf/haproxy-portal.conf",
            Daemon::Admin => "conf/haproxy-admin.conf",
        }
    }

    fn since(self) -> Feature {
        match self {
            Daemon::Db | Daemon::Portal => Feature::HaproxyDbAndPortal,
            Daemon::Admin => Feature::HaproxyAdmin,
        }
    }

    /// The port of the dashboard (guide 7.4).
    fn dashboard_port(self) -> u16 {
        match self {
            Daemon::Portal => 1025,
            Daemon::Db => 1026,
            Daemon::Admin => 1027,
        }
    }
}

/// The defaults of the HTTP proxies.
const DEFAULTS: &str = "defaults
    log global
    mode http
    option httplog
    option dontlognull
    timeout connect 5000
    timeout client 50000
    timeout server 50000
";

const IN_ORDER: Deviation = Deviation {
    original: "members in random order",
    here: "in the order of cluster.conf",
    why: "members agree on which server a client belongs to, and a new file differs only where something changed",
};

/// A file in the making, with what is to be said about it.
struct Draft<'a> {
    scene: &'a Scene<'a>,
    daemon: Daemon,
    rendered: Rendered,
}

impl<'a> Draft<'a> {
    fn new(scene: &'a Scene<'a>, daemon: Daemon) -> Result<Draft<'a>, GenerateError> {
        let version = scene.request.version;
        if !daemon.since().is_in(version) {
            return Err(GenerateError::NotInVersion { what: daemon.name(), version });
        }
        check_install_dir(&scene.request.options.install_dir)?;
        Ok(Draft { scene, daemon, rendered: Rendered::default() })
    }

    fn has(&self, feature: Feature) -> bool {
        feature.is_in(self.scene.request.version)
    }

    /// True if the HAProxy that will read the file is at least of this version.
    fn reads(&self, major: u16, minor: u16) -> bool {
        self.scene.request.options.haproxy >= super::DaemonVersion::new(major, minor)
    }

    /// A path below the install directory, as one word.
    fn file(&self, path: &str) -> String {
        word(&format!("{}/{path}", self.scene.request.options.install_dir))
    }

    fn deviate(&mut self, deviation: Deviation) {
        self.rendered.deviations.push(deviation);
    }

    fn notice(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.rendered.notices.push(Notice { message: message.into(), help: help.into() });
    }

    /// The first lines of a file, in comments that begin with `mark`.
    fn header(&self, mark: &str) -> String {
        let me = &self.scene.view.me().host;
        let template = self.daemon.template();
        format!(
            "{mark} Written by pfcluster for {me}. Edits are lost: change conf/cluster.conf, conf/pf.conf or the template\n\
             {mark} {template} instead, and run `pfcluster generate` again.\n\n"
        )
    }

    /// The section `global`.
    fn global(&mut self, tls: bool, lua: Option<&str>) -> String {
        let name = self.daemon.name();
        let (pid, stats) = (self.file(&format!("var/run/{name}.pid")), self.file(&format!("var/run/{name}.stats")));
        let mut out = format!(
            "global\n    user haproxy\n    group haproxy\n    daemon\n    pidfile {pid}\n    log /dev/log local0 notice\n    \
             stats socket {stats} level admin\n    maxconn 4000\n"
        );
        if tls {
            out +=
                "    tune.ssl.default-dh-param 2048\n    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n";
            out += "    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:\
                    ECDHE-RSA-CHACHA20-POLY1305\n";
            self.deviate(Deviation {
                original: "offers TLS 1.0 and 1.1, and ciphers down to 3DES",
                here: "TLS 1.2 and later, with forward secrecy",
                why: "older versions are withdrawn (RFC 8996), and OpenSSL 3 refuses them by default",
            });
        }
        if let Some(lua) = lua {
            out += &format!("    lua-load {}\n", self.file(lua));
        }
        if self.daemon == Daemon::Db && !self.has(Feature::StatisticsInRun) {
            self.deviate(Deviation {
                original: "the statistics socket is /tmp/proxystats; 8.0 logs to port 514 of the virtual address",
                here: "var/run/haproxy-db.stats and /dev/log, as later versions have it",
                why: "anybody may put a file at a known place in /tmp, and the virtual address may be another server's",
            });
        }
        self.deviate(Deviation {
            original: "`external-check` in the section global, and `process 1` on the statistics socket",
            here: "neither",
            why: "no check runs a program, so HAProxy need not be allowed to; HAProxy 2.7 and later refuse `process`",
        });
        out
    }

    /// The dashboard.
    fn dashboard(&mut self, address: &str) -> Result<String, GenerateError> {
        let port = self.daemon.dashboard_port();
        let who = self.dashboard_auth()?;
        if self.scene.request.options.dashboard.is_none() {
            self.notice(
                format!("the dashboard of {} on port {port} opens with admin and packetfence", self.daemon.name()),
                "choose another password: `--dashboard-password-file FILE`",
            );
        }
        Ok(format!(
            "listen stats\n    bind {address}:{port}\n    mode http\n    option httplog\n    timeout connect 10s\n    \
             timeout client 1m\n    timeout server 1m\n    stats enable\n    stats uri /stats\n    \
             stats realm HAProxy\\ Statistics\n    stats auth {who}\n"
        ))
    }

    /// `USER:PASSWORD` as one word.
    fn dashboard_auth(&self) -> Result<String, GenerateError> {
        let Some(dashboard) = &self.scene.request.options.dashboard else { return Ok("admin:packetfence".to_owned()) };
        for (key, text) in [("user", &dashboard.user), ("password", &dashboard.password)] {
            let origin = Origin { section: "HAProxy dashboard", key, place: None };
            let help = "choose another: 1 to 128 visible characters; no blanks, and no colon in the user's name";
            if text.is_empty() || text.len() > 128 {
                return Err(origin.unusable("is empty or longer than 128 bytes", help));
            }
            if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(origin.unusable("holds a blank or a control character", help));
            }
            if key == "user" && text.contains(':') {
                return Err(origin.unusable("holds a colon, which ends the name in HTTP", help));
            }
        }
        Ok(word(&format!("{}:{}", dashboard.user, dashboard.password)))
    }

    /// The tags that every template of the user's may name.
    fn common_tags(&self) -> Result<Vec<(&'static str, String)>, GenerateError> {
        let vip = self.scene.management_vip()?.to_string();
        Ok(vec![
            ("active_active_ip", vip.clone()),
            ("bin_dir", self.file("bin")),
            ("bind-process", String::new()),
            ("captiveportal_templates_path", self.file("html/captive-portal/templates")),
            ("conf_dir", self.file("var/conf")),
            ("cpu", String::new()),
            ("dashboard_auth", self.dashboard_auth()?),
            ("install_dir", word(&self.scene.request.options.install_dir)),
            ("management_ip", self.scene.management_ip()?.to_string()),
            ("mgmt_active_ip", vip),
            // Debian's. PacketFence has another path on Red Hat; only templates of 8.0 name it.
            ("os_path", "/etc/haproxy/errors/".to_owned()),
            ("template", self.file(self.daemon.template())),
            ("var_dir", self.file("var")),
        ])
    }

    /// The finished file, and others beside it.
    fn done(mut self, text: &str, has_secret: bool, others: Vec<GeneratedFile>) -> Rendered {
        let access = if has_secret { Access::Secret } else { Access::Public };
        let text = self.header("#") + text;
        self.rendered.files.push(GeneratedFile { path: self.daemon.path(), text, access });
        self.rendered.files.extend(others);
        self.rendered.deviations.sort_unstable();
        self.rendered.deviations.dedup();
        self.rendered
    }

    fn has_own_password(&self) -> bool {
        self.scene.request.options.dashboard.is_some()
    }
}

/// HAProxy's own names begin with the address: the same one twice would be two proxies or servers of one name.
fn refuse_duplicates<T: Ord + std::fmt::Display>(
    section: &str,
    key: &str,
    addresses: &[T],
) -> Result<(), GenerateError> {
    let mut seen = BTreeSet::new();
    let twice = addresses.iter().find(|address| !seen.insert(*address));
    twice.map_or(Ok(()), |address| {
        let origin = Origin { section, key, place: None };
        Err(origin.unusable(format!("is {address} twice"), "`pfcluster check` shows where"))
    })
}

/// The management address of a member.
fn management_ip(member: &Member) -> Result<std::net::Ipv4Addr, GenerateError> {
    member.addresses.management_ip.map(|ip| ip.value).ok_or_else(|| GenerateError::Missing {
        what: format!("`management_ip` of {}", member.host),
        help: "`pfcluster check` shows what is wrong with cluster.conf".to_owned(),
    })
}

fn check_install_dir(path: &str) -> Result<(), GenerateError> {
    let origin = Origin { section: "options", key: "install_dir", place: None };
    // The name of a socket has at most 107 bytes, and HAProxy appends its process number while it starts.
    if !path.starts_with('/') || path.len() > 60 || path.chars().any(char::is_control) {
        let reason = "is no absolute path of at most 60 bytes without control characters";
        return Err(origin.unusable(reason, "PacketFence lives in /usr/local/pf"));
    }
    Ok(())
}
