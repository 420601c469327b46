//! What PacketFence ships in pf.conf.defaults, for the keys that clustering reads.

use crate::version::PfVersion;

/// First version, first version without it, section, key, value.
type Row = (PfVersion, PfVersion, &'static str, &'static str, &'static str);

const ALWAYS: PfVersion = PfVersion::new(0, 0);
const STILL: PfVersion = PfVersion::new(255, 0);
const V8_4: PfVersion = PfVersion::new(8, 4);
const V9: PfVersion = PfVersion::new(9, 0);
const V9_2: PfVersion = PfVersion::new(9, 2);
const V10: PfVersion = PfVersion::new(10, 0);
const V11: PfVersion = PfVersion::new(11, 0);
const V11_2: PfVersion = PfVersion::new(11, 2);
const V12: PfVersion = PfVersion::new(12, 0);
const V13: PfVersion = PfVersion::new(13, 0);
const V14: PfVersion = PfVersion::new(14, 0);

/// The defaults of a version: section, key, value.
pub(super) fn of(version: PfVersion) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let is_there = move |row: &&Row| row.0 <= version && version < row.1;
    TABLE.iter().filter(is_there).map(|&(_, _, section, key, value)| (section, key, value))
}

static TABLE: &[Row] = &[
    (ALWAYS, STILL, "active_active", "password", "1234"),
    (ALWAYS, STILL, "active_active", "virtual_router_id", "50"),
    (ALWAYS, STILL, "active_active", "vrrp_unicast", "disabled"),
    (ALWAYS, STILL, "active_active", "dns_on_vip_only", "disabled"),
    (V11, STILL, "active_active", "gateway_on_vip_only", "disabled"),
    (ALWAYS, STILL, "active_active", "centralized_deauth", "enabled"),
    (V12, STILL, "active_active", "use_vip_for_deauth", "enabled"),
    (V9, STILL, "active_active", "portal_on_management", "enabled"),
    (ALWAYS, STILL, "active_active", "auth_on_management", "enabled"),
    (ALWAYS, STILL, "active_active", "conflict_resolution_threshold", "5m"),
    (ALWAYS, STILL, "active_active", "galera_replication", "enabled"),
    (ALWAYS, STILL, "active_active", "galera_replication_username", ""),
    (ALWAYS, STILL, "active_active", "galera_replication_password", ""),
    (V11_2, STILL, "active_active", "centralize_vips", "disabled"),
    (V11_2, STILL, "active_active", "probe_mysql_from_haproxy_db", "disabled"),
    (V12, STILL, "active_active", "radius_proxy_with_vip", "enabled"),
    (V14, STILL, "active_active", "firewall_sso_on_management", "disabled"),
    (ALWAYS, STILL, "database", "host", "localhost"),
    (ALWAYS, STILL, "database", "port", "3306"),
    (ALWAYS, STILL, "database", "db", "pf"),
    (ALWAYS, STILL, "database", "user", "pf"),
    (ALWAYS, STILL, "database", "pass", "packet"),
    (V12, STILL, "database", "unix_socket", "/var/lib/mysql/mysql.sock"),
    (ALWAYS, STILL, "database_advanced", "key_buffer_size", "100"),
    (ALWAYS, STILL, "database_advanced", "innodb_buffer_pool_size", "500"),
    (ALWAYS, V8_4, "database_advanced", "innodb_additional_mem_pool_size", "20"),
    (ALWAYS, STILL, "database_advanced", "query_cache_size", "0"),
    (ALWAYS, STILL, "database_advanced", "thread_concurrency", "8"),
    (ALWAYS, STILL, "database_advanced", "max_connections", "1000"),
    (ALWAYS, STILL, "database_advanced", "table_cache", "300"),
    (ALWAYS, STILL, "database_advanced", "thread_cache_size", "25"),
    (ALWAYS, STILL, "database_advanced", "max_allowed_packet", "16"),
    (V9, STILL, "database_advanced", "performance_schema", "OFF"),
    (V9, STILL, "database_advanced", "max_connect_errors", "100"),
    (V11_2, STILL, "database_advanced", "net_read_timeout", "360s"),
    (V11_2, STILL, "database_advanced", "net_write_timeout", "360s"),
    (V9_2, STILL, "database_advanced", "masterslave", "OFF"),
    (V9_2, STILL, "database_advanced", "other_members", ""),
    (V12, STILL, "database_proxysql", "status", "disabled"),
    (V12, STILL, "database_proxysql", "scheduler", "default"),
    (ALWAYS, STILL, "alerting", "emailaddr", "pf@localhost"),
    (ALWAYS, STILL, "alerting", "fromaddr", ""),
    (ALWAYS, STILL, "alerting", "smtpserver", "localhost"),
    (ALWAYS, STILL, "webservices", "user", ""),
    (ALWAYS, STILL, "webservices", "pass", ""),
    (ALWAYS, V12, "webservices", "host", "127.0.0.1"),
    (V12, STILL, "webservices", "host", "containers-gateway.internal"),
    (ALWAYS, V12, "webservices", "proto", "http"),
    (V12, STILL, "webservices", "proto", "https"),
    (ALWAYS, STILL, "webservices", "port", "9090"),
    (ALWAYS, STILL, "ports", "admin", "1443"),
    (ALWAYS, STILL, "ports", "soap", "9090"),
    (ALWAYS, STILL, "ports", "unifiedapi", "9999"),
    (ALWAYS, STILL, "captive_portal", "rate_limiting", "enabled"),
    (ALWAYS, STILL, "captive_portal", "rate_limiting_threshold", "48"),
    (ALWAYS, STILL, "captive_portal", "loadbalancers_ip", ""),
    (ALWAYS, STILL, "captive_portal", "other_domain_names", ""),
    (V10, V11, "captive_portal", "ip_address", "192.0.2.1"),
    (V11, STILL, "captive_portal", "ip_address", "66.70.255.147"),
    (ALWAYS, STILL, "services", "keepalived", "enabled"),
    (ALWAYS, STILL, "services", "haproxy-db", "enabled"),
    (ALWAYS, STILL, "services", "haproxy-portal", "enabled"),
    (V10, STILL, "services", "haproxy-admin", "enabled"),
    (V10, STILL, "services", "galera-autofix", "enabled"),
    (V11_2, STILL, "services", "mysql-probe", "enabled"),
    (V13, STILL, "advanced", "pfupdate_custom_script_path", "/usr/local/bin/pfupdate-packetfence.sh"),
];
