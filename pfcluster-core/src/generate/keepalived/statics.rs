//! Addresses and routes that every member has, whoever holds the virtual addresses (10.0 and later).

use super::super::GenerateError;
use super::super::features::Feature;
use super::super::scene::{Scene, unusable};
use super::blocks::Blocks;
use super::{Said, has, routes};
use crate::cluster::parse_address;

/// What the members have beside the virtual addresses.
#[derive(Default)]
pub(super) struct Statics {
    /// Lines of `static_ipaddress`.
    pub(super) addresses: Vec<String>,
    /// Lines of `static_routes`.
    pub(super) routes: Vec<String>,
}

impl Statics {
    pub(super) fn new(scene: &Scene<'_>, said: &mut Said) -> Result<Statics, GenerateError> {
        let mut statics = Statics::default();
        if !has(scene, Feature::StaticAddresses) {
            return Ok(statics);
        }
        statics.addresses.push(portal_address(scene)?);
        if has(scene, Feature::StaticRoutesSetting) {
            statics.routes.extend(own_routes(scene)?);
        }
        routes::of_networks(scene, &mut statics, said)?;
        Ok(statics)
    }

    pub(super) fn write_addresses(&self, out: &mut Blocks) {
        write("static_ipaddress", &self.addresses, out);
    }

    pub(super) fn write_routes(&self, out: &mut Blocks) {
        write("static_routes", &self.routes, out);
    }
}

fn write(head: &str, lines: &[String], out: &mut Blocks) {
    if !lines.is_empty() {
        out.block(head, |out| lines.iter().for_each(|line| out.line(line)));
    }
}

/// The address that portal and passthroughs are reached at from inside the server.
fn portal_address(scene: &Scene<'_>) -> Result<String, GenerateError> {
    let setting = scene.setting("captive_portal", "ip_address")?;
    let address = parse_address(setting.value.trim_matches([' ', '\t', '\r']));
    match address {
        Ok(address) => Ok(format!("{address}/32 dev lo scope link")),
        Err(error) => {
            let reason = format!("is no IPv4 address: {error}");
            Err(unusable("captive_portal", setting, reason, "write one address".to_owned()))
        }
    }
}

/// `network.staticroutes`: one route per line, in the words of `ip route`.
fn own_routes(scene: &Scene<'_>) -> Result<Vec<String>, GenerateError> {
    let Some(setting) = scene.request.pf_conf.get("network", "staticroutes") else { return Ok(Vec::new()) };
    let lines = setting.value.split(['\n', ',']).map(|line| line.trim_matches([' ', '\t', '\r']));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if let Some(number) = lines.iter().position(|line| !is_route(line)) {
        let reason = format!("is no list of routes: number {} is none", number + 1);
        let help = "write routes such as `10.0.0.0/8 via 192.168.1.1 dev eth0`".to_owned();
        return Err(unusable("network", setting, reason, help));
    }
    Ok(lines.into_iter().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// True if the line begins as a route does and has nothing in it that ends a line or a block.
fn is_route(line: &str) -> bool {
    const FIRST: [&str; 9] =
        ["default", "to", "src", "unicast", "local", "blackhole", "unreachable", "prohibit", "throw"];
    let first = line.split_ascii_whitespace().next().unwrap_or_default();
    let is_destination = first.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') && first.contains(['.', ':']);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '/' | '_' | '-' | '@' | ' ' | '\t');
    (is_destination || FIRST.contains(&first)) && line.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_route;

    #[test]
    fn a_route_is_no_directive() {
        for line in [
            "10.0.0.0/8 via 192.168.1.1 dev eth0",
            "default via 10.0.0.1",
            "fd00::/8 dev eth1.2",
            "blackhole 10.9.0.0/16",
        ] {
            assert!(is_route(line), "{line}");
        }
        for line in
            ["include /etc/x", "}", "10.0.0.0/8 }", "10.0.0.0/8 # x", "$A=1", "vrrp_instance x {", "10.0.0.0/8 \"", ""]
        {
            assert!(!is_route(line), "{line}");
        }
    }
}
