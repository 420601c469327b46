//! haproxy-admin: the administration interface, and the API of the other members.

use std::net::Ipv4Addr;

use super::super::features::Feature;
use super::super::scene::Scene;
use super::super::{Access, Deviation, GenerateError, GeneratedFile, Rendered, Request};
use super::portal::service_url;
use super::quote::{GATEWAY, Service};
use super::{Daemon, Draft, lua, management_ip, refuse_duplicates};
use crate::cluster::parse_address;

const LUA: &str = "var/conf/passthrough_admin.lua";

/// `var/conf/haproxy-admin.conf` and `var/conf/passthrough_admin.lua` (10.0 and later): the administration interface on
/// port 1443.
///
/// # Errors
/// [`GenerateError`] if there is no such member, address or version, or a setting has no form in HAProxy's grammar.
pub fn haproxy_admin(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let scene = Scene::new(request)?;
    let mut draft = Draft::new(&scene, Daemon::Admin)?;
    let vip = scene.management_vip()?;
    let me = scene.view.me();
    // The current server first: it answers itself as long as it can.
    let mut members = vec![management_ip(me)?];
    for other in scene.view.configuration_members().filter(|member| member.host != me.host) {
        members.push(management_ip(other)?);
    }
    refuse_duplicates("cluster.conf", "management_ip", &members)?;
    let local = if draft.has(Feature::Containers) { GATEWAY } else { Ipv4Addr::LOCALHOST };
    let files = service_url(&draft, "httpd_admin_dispatcher_static", Service::new(local, 8891))?;
    let netdata = netdata(&draft, &members, local)?;
    let sections = [
        frontend(&mut draft, vip),
        api(&mut draft, &members),
        old_interface(&draft, vip, &members),
        netdata.iter().map(|(name, service)| netdata_backend(name, service)).collect::<Vec<_>>().join("\n"),
        preview(&draft, vip, local),
    ];
    let http_admin = sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n");

    let addresses: Vec<String> = members.iter().map(ToString::to_string).collect();
    let asked: Vec<String> = netdata.into_iter().map(|(name, _)| name).collect();
    let script = lua::Admin { servers: &addresses, netdata: &asked, vip: &vip.to_string() }.script();
    let script = GeneratedFile { path: LUA, text: draft.header("--") + &script, access: Access::Public };

    let mut tags = draft.common_tags()?;
    tags.push(("backend_static", files.to_string()));
    tags.push(("http_admin", http_admin.clone()));
    if let Some(text) = draft.filled_template(&tags)? {
        return Ok(draft.done(&text, true, vec![script]));
    }

    let global = draft.global(true, Some(LUA));
    let address = if draft.has(Feature::Containers) { "*".to_owned() } else { scene.management_ip()?.to_string() };
    let dashboard = draft.dashboard(&address)?;
    let of_files = format!("backend static\n    option httpclose\n    option forwardfor\n{}", files.server());
    let has_secret = draft.has_own_password();
    let text = [global, super::DEFAULTS.to_owned(), dashboard, http_admin, of_files].join("\n");
    Ok(draft.done(&text, has_secret, vec![script]))
}

/// True if the interface of before 10.0 still runs: its service ended with 11.0.
fn has_old_interface(draft: &Draft<'_>) -> bool {
    !draft.has(Feature::AdminOnly) && draft.scene.is_enabled("services", "httpd_admin")
}

fn frontend(draft: &mut Draft<'_>, vip: Ipv4Addr) -> String {
    draft.deviate(Deviation {
        original: "`default_backend` twice, and with `services.httpd_admin` a backend twice",
        here: "once each",
        why: "HAProxy does not start with two backends of one name",
    });
    draft.deviate(Deviation {
        original: "a request for a server that is not known or disabled is answered by the static files",
        here: "status 503",
        why: "that is what a server that does not answer gives; the interface shows it as such",
    });
    let certificate = draft.file("conf/ssl/server.pem");
    let (address, backend) = if has_old_interface(draft) {
        // httpd.admin listens on the member's own address.
        (vip.to_string(), format!("{vip}-admin"))
    } else {
        ("*".to_owned(), "static".to_owned())
    };
    let start = if draft.has(Feature::AdminOnly) { "/admin" } else { "/admin/alt" };
    format!(
        "frontend admin-https-{vip}\n    bind {address}:1443 ssl crt {certificate}\n    \
         capture request header Host len 40\n    http-request set-header X-Forwarded-Proto https\n    \
         http-request lua.change_host\n    http-request set-header Host %[var(req.host)] if {{ var(req.host) -m found }}\n    \
         http-request redirect location {start} if {{ path / }}\n    http-request lua.admin\n    \
         http-request deny deny_status 503 if {{ var(req.action) -m str none }}\n    \
         http-response set-header X-Frame-Options SAMEORIGIN\n    \
         use_backend %[var(req.action)] if {{ var(req.action) -m found }}\n    default_backend {backend}\n"
    )
}

/// The API: of whichever member answers, this one first, and of each member.
fn api(draft: &mut Draft<'_>, members: &[Ipv4Addr]) -> String {
    let mut errors = String::new();
    if draft.reads(2, 2) {
        for (status, text) in [(502, "Bad Gateway"), (503, "Service Unavailable")] {
            errors += &format!(
                "    http-error status {status} content-type application/json string '{{\"status\":{status},\"message\":\"{text}\"}}'\n"
            );
        }
    }
    draft.deviate(Deviation {
        original: "pages 502.json.http and 503.json.http for errors of the API",
        here: "the same in the file itself (HAProxy 2.2 and later)",
        why: "HAProxy does not start when a page is missing",
    });
    if !draft.has(Feature::Containers) {
        draft.deviate(super::IN_ORDER);
    }
    // Members have certificates of their own making for each other, with names that nobody asks for: they can't be verified.
    let server = |ip: &Ipv4Addr| format!("    server {ip} {ip}:9999 weight 1 maxconn 100");
    let head = |name: &str| {
        format!("backend {name}\n    balance source\n    option httpclose\n    option forwardfor\n{errors}")
    };
    let mut out = head("api");
    for (number, ip) in members.iter().enumerate() {
        let backup = if number == 0 { "" } else { " backup" };
        out += &format!("{} check{backup} ssl verify none\n", server(ip));
    }
    for ip in members {
        out += &format!("\n{}{} ssl verify none\n", head(&format!("{ip}-api")), server(ip));
    }
    out
}

fn old_interface(draft: &Draft<'_>, vip: Ipv4Addr, members: &[Ipv4Addr]) -> String {
    if !has_old_interface(draft) {
        return String::new();
    }
    let servers = members.iter().map(|ip| format!("    server {ip} {ip}:1443 check\n"));
    let head = format!("backend {vip}-admin\n    balance source\n    option httpclose\n    option forwardfor\n");
    head + &servers.collect::<String>()
}

/// Who can be asked for netdata, with the place where it is.
fn netdata(draft: &Draft<'_>, members: &[Ipv4Addr], local: Ipv4Addr) -> Result<Vec<(String, Service)>, GenerateError> {
    const PORT: u16 = 19999;
    let own = service_url(draft, "netdata", Service::new(local, PORT))?;
    let of_members = members.iter().map(|&ip| (ip.to_string(), Service::new(ip, PORT)));
    Ok([("127.0.0.1".to_owned(), own)].into_iter().chain(of_members).collect())
}

fn netdata_backend(name: &str, service: &Service) -> String {
    format!(
        "backend {name}-netdata\n    option httpclose\n    option forwardfor\n    http-request set-header Host {}\n    \
         http-request set-path %[var(req.path)]\n{}",
        service.host,
        service.server()
    )
}

/// The preview of the portal.
fn preview(draft: &Draft<'_>, vip: Ipv4Addr, local: Ipv4Addr) -> String {
    let scene = draft.scene;
    let own = scene.roles.internal.iter().chain(&scene.roles.portal).next();
    let own = own.and_then(|&name| scene.interface(name)?.ip());
    let detection = parse_address(scene.request.pf_conf.text("captive_portal", "ip_address").trim()).ok();
    let host = own.or(detection).unwrap_or(vip);
    let server = Service::new(local, 8890).server();
    format!(
        "backend {vip}-portal\n    option httpclose\n    option forwardfor\n    http-request set-header Host {host}\n    \
         http-request set-header X-Forwarded-For-Packetfence 127.0.0.1\n    http-request set-path %[var(req.path)]\n{server}"
    )
}
