//! haproxy-portal: the captive portal on the virtual addresses, spread over the members.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::features::Feature;
use super::super::scene::Scene;
use super::super::{Access, Deviation, GenerateError, GeneratedFile, Rendered, Request};
use super::quote::{GATEWAY, Origin, Service};
use super::{Daemon, Draft, lua, names, refuse_duplicates};
use crate::cluster::{InterfaceName, parse_address};
use crate::pf_conf::InterfaceKind;
use crate::span::{Place, Source};

const LUA: &str = "var/conf/passthrough.lua";

/// `var/conf/haproxy-portal.conf` and `var/conf/passthrough.lua`: the captive portal on the virtual addresses of the
/// internal and portal interfaces.
///
/// # Errors
/// [`GenerateError`] if there is no such member, address or version, or a setting has no form in HAProxy's grammar.
pub fn haproxy_portal(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let scene = Scene::new(request)?;
    let mut draft = Draft::new(&scene, Daemon::Portal)?;
    let names = names::of_portal(&draft)?;
    let networks = networks(&draft)?;
    if networks.is_empty() {
        draft.notice(
            "no interface of this server is of type `internal` or `portal`: nothing listens for the portal",
            "if there is to be none, disable `services.haproxy-portal`",
        );
    }
    let vip = networks.first().map_or(scene.management_vip()?, |network| network.vip);
    let fallback = names.first().cloned().unwrap_or_else(|| vip.to_string());
    let services = services(&draft)?;
    let http = http(&mut draft, &networks, &fallback)?;

    let mut hosts: Vec<String> = Vec::new();
    for network in &networks {
        hosts.push(network.vip.to_string());
        hosts.extend(network.members.iter().map(ToString::to_string));
        hosts.extend(network.ipv6.map(|ip| ip.to_string()));
    }
    hosts.extend(names);
    let mut seen = std::collections::BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    let script = lua::Portal { hosts: &hosts, name: &fallback, has_pki: services.pki.is_some() }.script();
    let script = GeneratedFile { path: LUA, text: draft.header("--") + &script, access: Access::Public };
    draft.deviate(Deviation {
        original: "the portal is also called what authentication sources (`activation_domain`) and tenants call it",
        here: "only what pf.conf, cluster.conf and networks.conf call it",
        why: "other files and the database are not read: list such names in `captive_portal.other_domain_names`",
    });

    let mut tags = draft.common_tags()?;
    tags.push(("backend_pki", services.pki.as_ref().map(ToString::to_string).unwrap_or_default()));
    tags.push(("backend_portal", services.portal.to_string()));
    tags.push(("backend_proxy", services.proxy.to_string()));
    tags.push(("backend_static", services.files.to_string()));
    tags.push(("http", http.clone()));
    tags.push(("http_admin", String::new()));
    if let Some(text) = draft.filled_template(&tags)? {
        return Ok(draft.done(&text, true, vec![script]));
    }

    let global = draft.global(true, Some(LUA));
    // A container has other addresses than its host, whose port is forwarded to it.
    let address = if draft.has(Feature::Containers) { "*".to_owned() } else { scene.management_ip()?.to_string() };
    let dashboard = draft.dashboard(&address)?;
    let backends = static_backends(&mut draft, &services);
    let has_secret = draft.has_own_password();
    let text = [global, super::DEFAULTS.to_owned(), dashboard, backends, http].join("\n");
    Ok(draft.done(&text, has_secret, vec![script]))
}

/// An interface with a portal.
struct Network {
    name: InterfaceName,
    vip: Ipv4Addr,
    ipv6: Option<Ipv6Addr>,
    members: Vec<Ipv4Addr>,
    own: Option<Ipv4Addr>,
}

fn networks(draft: &Draft<'_>) -> Result<Vec<Network>, GenerateError> {
    let scene = draft.scene;
    let roles = &scene.roles;
    let portals = roles.portal.iter().map(|name| name.device());
    let mut candidates: Vec<InterfaceName> = Vec::new();
    for name in roles.listen.iter().chain(&roles.dhcp_listener).copied().chain(portals) {
        if !candidates.contains(&name) {
            candidates.push(name);
        }
    }
    let mut networks = Vec::new();
    for name in candidates {
        let Some(interface) = scene.interface(name) else { continue };
        if !(interface.is(InterfaceKind::Internal) || interface.is(InterfaceKind::Portal)) {
            continue;
        }
        let members: Vec<Ipv4Addr> = scene.member_ips(name).into_iter().map(|(_, ip)| ip).collect();
        refuse_duplicates(&format!("interface {name}"), "ip", &members)?;
        let own = interface.ip();
        networks.push(Network { name, vip: scene.vip(name)?, ipv6: ipv6(draft, name)?, members, own });
        // One pair of frontends listens on all addresses of the container.
        if draft.has(Feature::Containers) {
            break;
        }
    }
    refuse_duplicates("CLUSTER interface", "ip", &networks.iter().map(|network| network.vip).collect::<Vec<_>>())?;
    let ipv6: Vec<Ipv6Addr> = networks.iter().filter_map(|network| network.ipv6).collect();
    refuse_duplicates("CLUSTER interface", "ipv6_address", &ipv6)?;
    Ok(networks)
}

/// The virtual IPv6 address of an interface, else its own.
fn ipv6(draft: &Draft<'_>, name: InterfaceName) -> Result<Option<Ipv6Addr>, GenerateError> {
    const KEY: &str = "ipv6_address";
    let scene = draft.scene;
    let of_cluster = scene.vips.interface(name).map_or(&[][..], |interface| &interface.settings);
    let of_cluster = of_cluster.iter().find(|setting| &*setting.key == KEY);
    let of_cluster = of_cluster.map(|setting| {
        (
            &*setting.value.value,
            Some(Place { source: Source::ClusterConf, span: setting.value.span }),
            "CLUSTER interface",
        )
    });
    let own = scene.interface(name).and_then(|interface| interface.get(KEY));
    let own = own.map(|value| (&*value.text, value.place, "interface"));
    let Some((text, place, section)) = of_cluster.or(own).filter(|(text, ..)| !text.is_empty()) else {
        return Ok(None);
    };
    let is_usable = |ip: &Ipv6Addr| !(ip.is_unspecified() || ip.is_multicast() || ip.segments()[0] & 0xffc0 == 0xfe80);
    let address = text.parse().ok().filter(is_usable);
    let section = format!("{section} {name}");
    let origin = Origin { section: &section, key: KEY, place };
    let help = "write an address such as 2001:db8::10, without prefix length";
    address.map(Some).ok_or_else(|| origin.unusable("is no IPv6 address that a portal can listen on", help))
}

/// Where PacketFence's own web services listen.
struct Services {
    proxy: Service,
    files: Service,
    portal: Service,
    pki: Option<Service>,
}

fn services(draft: &Draft<'_>) -> Result<Services, GenerateError> {
    if !draft.has(Feature::Containers) {
        let service = |port| Service::new(Ipv4Addr::LOCALHOST, port);
        return Ok(Services { proxy: service(8888), files: service(8889), portal: service(80), pki: None });
    }
    let service = |key, port| service_url(draft, key, Service::new(GATEWAY, port));
    Ok(Services {
        proxy: service("httpd_dispatcher", 8888)?,
        files: service("httpd_dispatcher_static", 8889)?,
        portal: service("httpd_portal", 8080)?,
        pki: Some(service("pfpki", 22225)?),
    })
}

/// A service of `[services_url]`, which 12.0 and later have, else `default`.
pub(super) fn service_url(draft: &Draft<'_>, key: &'static str, default: Service) -> Result<Service, GenerateError> {
    const SECTION: &str = "services_url";
    if !draft.has(Feature::Containers) {
        return Ok(default);
    }
    let setting = draft.scene.request.pf_conf.get(SECTION, key).filter(|setting| !setting.value.trim().is_empty());
    setting.map_or(Ok(default), |setting| {
        Service::from_url(
            setting.value.trim_matches([' ', '\t', '\r']),
            Origin { section: SECTION, key, place: setting.place },
        )
    })
}

fn static_backends(draft: &mut Draft<'_>, services: &Services) -> String {
    draft.deviate(if draft.has(Feature::Containers) {
        Deviation {
            original: "names of containers in `server` lines",
            here: "the address for `containers-gateway.internal`; other names may be unknown when HAProxy starts",
            why: "HAProxy does not start when it can't resolve one name",
        }
    } else {
        Deviation {
            original: "`option http_proxy` in the backends proxy and static, with the address in the URI",
            here: "a `server` line",
            why: "HAProxy 2.5 and later have no such option; the request that arrives is the same",
        }
    });
    let backends =
        [("proxy", Some(&services.proxy)), ("static", Some(&services.files)), ("pki", services.pki.as_ref())];
    let backend = |(name, service): (&str, Option<&Service>)| {
        let server = service?.server();
        Some(format!("backend {name}\n    option httpclose\n    option forwardfor\n{server}"))
    };
    backends.into_iter().filter_map(backend).collect::<Vec<_>>().join("\n")
}

/// The frontends and backends of the interfaces.
fn http(draft: &mut Draft<'_>, networks: &[Network], name: &str) -> Result<String, GenerateError> {
    let threshold = rate_limit(draft)?;
    let mut sections = Vec::new();
    for (number, network) in networks.iter().enumerate() {
        let containers = draft.has(Feature::Containers);
        let listen = |ip: String| if containers { "*".to_owned() } else { ip };
        let mut listeners = vec![(network.vip.to_string(), listen(network.vip.to_string()), "", "ip")];
        if number + 1 == networks.len() {
            listeners.extend(detection_address(draft, networks)?.map(|ip| (ip.to_string(), ip.to_string(), "", "ip")));
        }
        if let Some(ipv6) = network.ipv6 {
            let (address, only) = if containers { ("[::]".to_owned(), " v6only") } else { (format!("[{ipv6}]"), "") };
            listeners.push((ipv6.to_string(), address, only, "ipv6"));
        }
        for (name, address, options, key) in &listeners {
            for scheme in ["http", "https"] {
                let listener =
                    Listener { scheme, name, address, options, key, network, is_limited: threshold.is_some() };
                sections.push(frontend(draft, &listener));
            }
        }
        let names: Vec<&str> = listeners.iter().map(|(name, ..)| name.as_str()).collect();
        sections.push(backend(draft, network, name, threshold, &names));
    }
    draft.deviate(Deviation {
        original: "adds X-Forwarded-Proto to what the client sent",
        here: "replaces it",
        why: "a client could claim to have used TLS",
    });
    Ok(sections.join("\n"))
}

/// The address that devices find by DNS, which keepalived puts on the loopback interface (10.0 to 11.x; later the
/// containers listen everywhere).
fn detection_address(draft: &Draft<'_>, networks: &[Network]) -> Result<Option<Ipv4Addr>, GenerateError> {
    if draft.has(Feature::Containers) || !draft.has(Feature::PortalDetection) {
        return Ok(None);
    }
    let (section, key) = ("captive_portal", "ip_address");
    let Some(setting) = draft.scene.request.pf_conf.get(section, key) else { return Ok(None) };
    let origin = Origin { section, key, place: setting.place };
    let address = parse_address(setting.value.trim_matches([' ', '\t', '\r']));
    let address = address.map_err(|_| origin.unusable("is no IPv4 address", "PacketFence's own is 66.70.255.147"))?;
    Ok(Some(address).filter(|ip| networks.iter().all(|network| network.vip != *ip)))
}

/// Requests of one client in ten seconds above which answers 501 count as abuse.
fn rate_limit(draft: &Draft<'_>) -> Result<Option<u64>, GenerateError> {
    let section = "captive_portal";
    if !draft.scene.is_enabled(section, "rate_limiting") {
        return Ok(None);
    }
    draft.scene.number(section, "rate_limiting_threshold", 1..=1_000_000).map(Some)
}

struct Listener<'l> {
    scheme: &'l str,
    name: &'l str,
    address: &'l str,
    options: &'l str,
    /// What the table of clients has for keys.
    key: &'l str,
    network: &'l Network,
    is_limited: bool,
}

fn frontend(draft: &mut Draft<'_>, listener: &Listener<'_>) -> String {
    let Listener { scheme, name, address, options, key, network, is_limited } = listener;
    let bind = match *scheme {
        "http" => format!("{address}:80{options}"),
        _ => format!("{address}:443{options} ssl crt {}", draft.file("conf/ssl/server.pem")),
    };
    let mut out = format!(
        "frontend portal-{scheme}-{name}\n    bind {bind}\n    capture request header Host len 40\n    \
         stick-table type {key} size 1m expire 10s store gpc0,http_req_rate(10s)\n    \
         tcp-request connection track-sc1 src\n    http-request set-header X-Forwarded-Proto {scheme}\n    \
         http-request lua.change_host\n    http-request set-header Host %[var(req.host)] if {{ var(req.host) -m found }}\n    \
         http-request lua.select\n"
    );
    if *is_limited {
        // Who is passed through has left the portal, and is forgiven.
        out += "    http-request allow if { var(req.action) -m found } { src_clr_gpc0 ge 0 }\n    \
                http-request deny deny_status 429 if { src_get_gpc0 gt 0 }\n";
        draft.deviate(Deviation {
            original: "a client above the limit gets status 403 with the page rate-limiting.http; IPv6 clients have no limit",
            here: "429, HAProxy's own page; the limit holds for all",
            why: "429 says what happened, and HAProxy does not start when a page is missing",
        });
    }
    let mut backends = vec!["proxy", "static"];
    if draft.has(Feature::Containers) {
        backends.push("pki");
    }
    for backend in backends {
        out += &format!("    use_backend {backend} if {{ var(req.action) -m str {backend} }}\n");
    }
    out + &format!("    default_backend {}-backend\n", network.vip)
}

fn backend(draft: &mut Draft<'_>, network: &Network, name: &str, threshold: Option<u64>, listeners: &[&str]) -> String {
    let containers = draft.has(Feature::Containers);
    let mut out =
        format!("backend {}-backend\n    balance source\n    option httpclose\n    option forwardfor\n", network.vip);
    if draft.has(Feature::PortalHttpCheck) {
        let agent = "HAPROXY-load-balancing-check";
        out += &if draft.reads(2, 2) {
            draft.deviate(Deviation {
                original: "headers of the health check hidden in the version of `option httpchk`",
                here: "`http-check send`",
                why: "HAProxy 2.7 and later refuse the former",
            });
            format!(
                "    option httpchk\n    http-check send meth GET uri /captive-portal ver HTTP/1.0 hdr User-Agent {agent} hdr Host {name}\n"
            )
        } else {
            format!("    option httpchk GET /captive-portal HTTP/1.0\\r\\nUser-agent:\\ {agent}\\r\\nHost:\\ {name}\n")
        };
        out += "    default-server inter 5s fall 3 rise 2\n";
    }
    if let Some(threshold) = threshold {
        let status = if draft.reads(2, 2) { " deny_status 429" } else { "" };
        for table in listeners.iter().flat_map(|name| [format!("portal-http-{name}"), format!("portal-https-{name}")]) {
            out += &format!(
                "    http-response deny{status} if {{ status 501 }} {{ src_http_req_rate({table}) ge {threshold} }} \
                 {{ src_inc_gpc0({table}) ge 0 }}\n"
            );
        }
    }
    let (port, times) = match (containers, draft.has(Feature::PortalHttpCheck)) {
        (true, _) => (8080, " inter 10s fastinter 2s"),
        (false, true) => (80, " inter 10s fastinter 2s"),
        (false, false) => (80, ""),
    };
    for ip in portal_members(draft, network) {
        // From 12.0 on the port is part of the name.
        let server = if containers { format!("{ip}:{port}") } else { ip.to_string() };
        out += &format!("    server {server} {ip}:{port} check{times}\n");
    }
    draft.deviate(super::IN_ORDER);
    out
}

/// The members that serve the portal of a network.
fn portal_members(draft: &mut Draft<'_>, network: &Network) -> Vec<Ipv4Addr> {
    let others_only = draft.has(Feature::PortalOnManagement) && {
        let setting = draft.scene.request.pf_conf.text("active_active", "portal_on_management");
        crate::cluster::toggle(setting) == Some(false)
    };
    let others: Vec<Ipv4Addr> = network.members.iter().copied().filter(|ip| Some(*ip) != network.own).collect();
    match others_only {
        true if others.is_empty() => {
            draft.deviate(Deviation {
                original: "with `portal_on_management` disabled and no other member, the portal has no server",
                here: "this member serves it then",
                why: "a portal on the wrong member is better than none",
            });
            draft.notice(
                format!(
                    "`portal_on_management` is disabled, but no other member serves the portal on {}",
                    network.name
                ),
                "enable it, or enable another member",
            );
            network.members.clone()
        }
        true => others,
        false => network.members.clone(),
    }
}
