//! What the portal is called beside its addresses, as far as the files that are read say so.

use super::super::GenerateError;
use super::Draft;
use super::quote::{Origin, host};
use crate::span::{Place, Source};

/// A name of the portal in networks.conf.
const FQDN: &str = "portal_fqdn";

/// What the portal is called beside its addresses, `general.hostname` with `general.domain` first.
pub(super) fn of_portal(draft: &Draft<'_>) -> Result<Vec<String>, GenerateError> {
    let scene = draft.scene;
    let pf_conf = scene.request.pf_conf;
    let mut names = Vec::new();
    let part = |key: &'static str| {
        let setting = pf_conf.get("general", key).filter(|setting| !setting.value.trim().is_empty())?;
        let origin = Origin { section: "general", key, place: setting.place };
        Some(host(setting.value.trim_matches([' ', '\t', '\r']), origin))
    };
    if let Some(hostname) = part("hostname").transpose()? {
        let domain = part("domain").transpose()?;
        let name = domain.map_or_else(|| hostname.clone(), |domain| format!("{hostname}.{domain}"));
        // Each part may be short enough, and both together too long.
        let place = pf_conf.get("general", "hostname").and_then(|setting| setting.place);
        names.push(host(&name, Origin { section: "general", key: "hostname", place })?);
    }
    let mut add = |text: &str, origin: Origin<'_>| {
        for name in text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|name| !name.is_empty()) {
            let rest = name.strip_prefix('*').map(|rest| rest.strip_prefix('.').unwrap_or(rest));
            match rest {
                Some(rest) => host(rest, origin).map(|_| names.push(name.to_ascii_lowercase()))?,
                None => names.push(host(name, origin)?),
            }
        }
        Ok::<(), GenerateError>(())
    };
    if let Some(setting) = pf_conf.get("captive_portal", "other_domain_names") {
        add(&setting.value, Origin { section: "captive_portal", key: "other_domain_names", place: setting.place })?;
    }
    for section in scene.request.networks_conf.iter().flat_map(|networks| networks.sections()) {
        if let Some(entry) = section.get(FQDN.as_bytes()) {
            let place = Some(Place { source: Source::NetworksConf, span: entry.value_span() });
            let (name, value) = (String::from_utf8_lossy(section.name()), entry.values().join(&b'\n'));
            add(&String::from_utf8_lossy(&value), Origin { section: &name, key: FQDN, place })?;
        }
    }
    for network in &scene.view.zone().networks {
        for setting in network.settings.iter().filter(|setting| &*setting.key == FQDN) {
            let place = Some(Place { source: Source::ClusterConf, span: setting.value.span });
            let section = format!("CLUSTER network {}", network.network.value);
            add(&setting.value.value, Origin { section: &section, key: FQDN, place })?;
        }
    }
    Ok(names)
}
