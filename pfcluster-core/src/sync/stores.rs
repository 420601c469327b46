//! PacketFence's configuration stores and the other files that it synchronises, by version.

use super::{Place, SyncPath};
use crate::version::PfVersion;

/// A store: a file of the configuration, with the name of its cached form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store {
    /// The Perl class, without `pf::ConfigStore::`.
    pub class: &'static str,
    /// The cached form that must be marked stale; `None` if the store has none, and is only pulled.
    pub namespace: Option<&'static str>,
    /// The file.
    pub path: SyncPath,
}

/// fingerbank's database of all known devices: large, and only synchronised when asked for.
pub const UPSTREAM_DATABASE: &str = "/usr/local/fingerbank/db/fingerbank_Upstream.db";

const V9: PfVersion = PfVersion::new(9, 0);
const V10: PfVersion = PfVersion::new(10, 0);
const V10_2: PfVersion = PfVersion::new(10, 2);
const V12_1: PfVersion = PfVersion::new(12, 1);
const ALWAYS: PfVersion = PfVersion::new(0, 0);
const STILL: PfVersion = PfVersion::new(255, 0);

/// The stores of a version, in the order of their files' names.
///
/// Where a store came between 9 and 14 it counts from 9 on: a file that is not there is not synchronised.
pub fn stores(version: PfVersion) -> Vec<Store> {
    let is_there = |row: &&Row| row.0 <= version && version < row.1;
    STORES.iter().filter(is_there).map(Row::store).collect()
}

/// The store of a Perl class, `pf::ConfigStore::Pf` or `Pf`; `None` if the version has no such store.
pub fn store_of(class: &str, version: PfVersion) -> Option<Store> {
    let class = class.strip_prefix("pf::ConfigStore::").unwrap_or(class);
    stores(version).into_iter().find(|store| store.class == class)
}

/// The files beside the stores, in PacketFence's order.
pub fn fixed_files(version: PfVersion) -> Vec<SyncPath> {
    let is_there = |row: &&(PfVersion, Place, &str)| row.0 <= version;
    FIXED.iter().filter(is_there).map(|&(_, place, relative)| SyncPath::known(place, relative)).collect()
}

/// First version, first version without it, class, namespace below `config::`, file below conf.
struct Row(PfVersion, PfVersion, &'static str, Option<&'static str>, &'static str);

impl Row {
    fn store(&self) -> Store {
        let path = match self.2 {
            "FingerbankSettings" => SyncPath::known(Place::Fingerbank, self.4),
            _ => SyncPath::known(Place::Install, self.4),
        };
        Store { class: self.2, namespace: self.3, path }
    }
}

static STORES: &[Row] = &[
    Row(ALWAYS, STILL, "AdminRoles", Some("config::AdminRoles"), "conf/adminroles.conf"),
    Row(ALWAYS, V9, "ApacheFilters", Some("config::ApacheFilters"), "conf/apache_filters.conf"),
    Row(ALWAYS, STILL, "Source", Some("config::Authentication"), "conf/authentication.conf"),
    Row(ALWAYS, STILL, "BillingTiers", Some("config::BillingTiers"), "conf/billing_tiers.conf"),
    Row(V9, STILL, "Cloud", Some("config::Cloud"), "conf/cloud.conf"),
    Row(ALWAYS, STILL, "Cluster", Some("config::Cluster"), "conf/cluster.conf"),
    Row(V9, STILL, "Connector", Some("config::Connector"), "conf/connectors.conf"),
    Row(ALWAYS, V9, "DeviceRegistration", Some("config::DeviceRegistration"), "conf/device_registration.conf"),
    Row(ALWAYS, STILL, "DhcpFilters", Some("config::DhcpFilters"), "conf/dhcp_filters.conf"),
    Row(ALWAYS, STILL, "DNS_Filters", Some("config::DNS_Filters"), "conf/dns_filters.conf"),
    Row(ALWAYS, STILL, "Domain", Some("config::Domain"), "conf/domain.conf"),
    Row(V9, STILL, "EventLogger", Some("config::EventLoggers"), "conf/event_loggers.conf"),
    Row(V9, STILL, "FingerbankSettings", Some("config::FingerbankSettings"), "conf/fingerbank.conf"),
    Row(ALWAYS, STILL, "Firewall_SSO", Some("config::Firewall_SSO"), "conf/firewall_sso.conf"),
    Row(ALWAYS, STILL, "FloatingDevice", Some("config::FloatingDevices"), "conf/floating_network_device.conf"),
    Row(V9, STILL, "Kafka", Some("config::Kafka"), "conf/kafka.conf"),
    Row(V9, STILL, "Mfa", Some("config::Mfa"), "conf/mfa.conf"),
    Row(V9, STILL, "NetworkBehaviorPolicy", None, "conf/network_behavior_policies.conf"),
    Row(ALWAYS, STILL, "Network", Some("config::Network"), "conf/networks.conf"),
    Row(ALWAYS, STILL, "Pf", Some("config::Pf"), "conf/pf.conf"),
    Row(V10_2, STILL, "Cron", Some("config::Cron"), "conf/pfcron.conf"),
    Row(ALWAYS, STILL, "Pfdetect", Some("config::Pfdetect"), "conf/pfdetect.conf"),
    Row(ALWAYS, V10_2, "Pfmon", Some("config::Pfmon"), "conf/pfmon.conf"),
    Row(ALWAYS, STILL, "PKI_Provider", Some("config::PKI_Provider"), "conf/pki_provider.conf"),
    Row(ALWAYS, STILL, "PortalModule", Some("config::PortalModules"), "conf/portal_modules.conf"),
    Row(ALWAYS, STILL, "Profile", Some("config::Profiles"), "conf/profiles.conf"),
    Row(ALWAYS, STILL, "Provisioning", Some("config::Provisioning"), "conf/provisioning.conf"),
    Row(V9, STILL, "ProvisioningFilters", Some("config::ProvisioningFilters"), "conf/provisioning_filters.conf"),
    Row(ALWAYS, STILL, "RadiusFilters", Some("config::RadiusFilters"), "conf/radius_filters.conf"),
    Row(V9, STILL, "Radiusd::EAPProfile", Some("config::EAP"), "conf/radiusd/eap_profiles.conf"),
    Row(V9, STILL, "Radiusd::FastProfile", Some("config::Fast"), "conf/radiusd/fast.conf"),
    Row(V9, STILL, "Radiusd::OCSPProfile", Some("config::Ocsp"), "conf/radiusd/ocsp.conf"),
    Row(V9, STILL, "Radiusd::TLSProfile", Some("config::TLS"), "conf/radiusd/tls.conf"),
    Row(ALWAYS, STILL, "Realm", Some("config::Realm"), "conf/realm.conf"),
    Row(ALWAYS, STILL, "Report", Some("config::Report"), "conf/report.conf"),
    Row(ALWAYS, STILL, "Roles", Some("config::Roles"), "conf/roles.conf"),
    Row(ALWAYS, STILL, "Scan", Some("config::Scan"), "conf/scan.conf"),
    Row(V9, STILL, "SecurityEvents", Some("config::SecurityEvents"), "conf/security_events.conf"),
    Row(V9, STILL, "SelfService", Some("config::SelfService"), "conf/self_service.conf"),
    Row(V9, STILL, "SSLCertificate", Some("config::Ssl"), "conf/ssl.conf"),
    Row(ALWAYS, STILL, "Survey", Some("config::Survey"), "conf/survey.conf"),
    Row(ALWAYS, STILL, "SwitchFilters", Some("config::SwitchFilters"), "conf/switch_filters.conf"),
    Row(ALWAYS, STILL, "Switch", Some("config::Switch"), "conf/switches.conf"),
    Row(ALWAYS, STILL, "Syslog", Some("config::Syslog"), "conf/syslog.conf"),
    Row(V9, STILL, "TemplateSwitch", Some("config::TemplateSwitches"), "conf/template_switches.conf"),
    Row(ALWAYS, V9, "TrafficShaping", Some("config::TrafficShaping"), "conf/traffic_shaping.conf"),
    Row(ALWAYS, V9, "Violations", Some("config::Violations"), "conf/violations.conf"),
    Row(ALWAYS, STILL, "VlanFilters", Some("config::VlanFilters"), "conf/vlan_filters.conf"),
    Row(ALWAYS, V9, "WMI", Some("config::Wmi"), "conf/wmi.conf"),
];

static FIXED: &[(PfVersion, Place, &str)] = &[
    (ALWAYS, Place::Install, "conf/ssl/server.crt"),
    (ALWAYS, Place::Install, "conf/ssl/server.key"),
    (ALWAYS, Place::Install, "conf/ssl/server.pem"),
    (ALWAYS, Place::Install, "raddb/certs/server.key"),
    (ALWAYS, Place::Install, "raddb/certs/server.crt"),
    (ALWAYS, Place::Install, "raddb/certs/ca.pem"),
    (ALWAYS, Place::Install, "conf/local_secret"),
    (PfVersion::new(8, 0), Place::Install, "conf/unified_api_system_pass"),
    (V10, Place::Install, "conf/network_behavior_policies.conf"),
    (ALWAYS, Place::Install, "conf/pfconfig.conf"),
    (ALWAYS, Place::Install, "conf/iptables.conf"),
    (V12_1, Place::Install, "conf/iptables-input.conf.inc"),
    (V12_1, Place::Install, "conf/iptables-input-management.conf.inc"),
    (V12_1, Place::Install, "conf/ip6tables.conf"),
    (V12_1, Place::Install, "conf/ip6tables-input-management.conf.inc"),
    (ALWAYS, Place::Fingerbank, "conf/fingerbank.conf"),
    (ALWAYS, Place::Fingerbank, "db/fingerbank_Local.db"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of the tables is a path as any other has to be.
    #[test]
    fn known_paths_keep_the_rules() {
        let all = STORES.iter().map(|row| row.store().path);
        let fixed = FIXED.iter().map(|&(_, place, relative)| SyncPath::known(place, relative));
        for path in all.chain(fixed) {
            assert_eq!(path.as_str().parse(), Ok(path.clone()), "{path}");
        }
        assert!(UPSTREAM_DATABASE.parse::<SyncPath>().is_ok());
    }
}
