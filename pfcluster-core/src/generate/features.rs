//! What PacketFence emits from which version on: the one table that the generators ask.

use crate::version::PfVersion;

/// A version, as the table writes it.
const fn v(major: u8, minor: u8) -> PfVersion {
    PfVersion::new(major, minor)
}

/// Something that PacketFence's files have from one version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// haproxy-db.conf and haproxy-portal.conf; before, one haproxy.conf.
    HaproxyDbAndPortal,
    /// haproxy-db also listens on the virtual management address.
    DatabaseOnVip,
    /// haproxy-db's statistics socket is below var/run.
    StatisticsInRun,
    /// `active_active.portal_on_management`.
    PortalOnManagement,
    /// `masterslavemode`: a zone's database follows another zone's.
    SlaveZones,
    /// haproxy-admin.conf.
    HaproxyAdmin,
    /// The portal on `captive_portal.ip_address`, too.
    PortalDetection,
    /// The old administration interface, httpd.admin, is gone.
    AdminOnly,
    /// Members of the portal are checked by HTTP.
    PortalHttpCheck,
    /// MariaDB: `net_read_timeout`, `net_write_timeout`; the latter holds for haproxy-db, too.
    DatabaseTimeouts,
    /// `active_active.probe_mysql_from_haproxy_db`.
    MysqlProbe,
    /// haproxy-portal and haproxy-admin run in containers.
    Containers,
    /// keepalived: interfaces that only listen to DHCP may have a virtual address.
    DhcpListenerVip,
    /// keepalived: addresses for RADIUS track the load balancer, the others haproxy-portal.
    TrackedByUse,
    /// keepalived: `static_ipaddress` and `static_routes`.
    StaticAddresses,
    /// keepalived: `network.staticroutes`.
    StaticRoutesSetting,
    /// keepalived: services are tracked by their systemd units.
    TrackedByUnit,
    /// keepalived: pfupdate is told the virtual address.
    NotifyVip,
    /// MariaDB: db-update is there, but Galera is not told to call it.
    NoNotifyCommand,
    /// MariaDB: `innodb_additional_mem_pool_size` is gone.
    NoAdditionalMemPool,
    /// MariaDB: `skip-name-resolve`.
    SkipNameResolve,
    /// MariaDB: `performance_schema` and `max_connect_errors`.
    PerformanceSchema,
    /// MariaDB: `log_warnings`.
    LogWarnings,
    /// MariaDB: `database_advanced.masterslave` and `other_members`.
    MasterSlave,
    /// MariaDB: `sql_mode`.
    SqlMode,
    /// MariaDB: state transfer with mariabackup; before with xtrabackup.
    Mariabackup,
    /// MariaDB: `init_file`, mariadb.sql.
    InitFile,
    /// MariaDB: `wsrep_node_incoming_address`.
    IncomingAddress,
    /// MariaDB: utf8mb4 throughout.
    Utf8mb4,
    /// MariaDB: the binary log is kept for one day; before for two.
    ShortBinlog,
    /// MariaDB: `[mariabackup]`.
    MariabackupSection,
}

/// First version with the feature.
const TABLE: &[(Feature, PfVersion)] = &[
    (Feature::HaproxyDbAndPortal, v(8, 0)),
    (Feature::DatabaseOnVip, v(8, 1)),
    (Feature::StatisticsInRun, v(8, 3)),
    (Feature::PortalOnManagement, v(9, 0)),
    (Feature::SlaveZones, v(9, 2)),
    (Feature::HaproxyAdmin, v(10, 0)),
    (Feature::PortalDetection, v(10, 0)),
    (Feature::AdminOnly, v(11, 0)),
    (Feature::PortalHttpCheck, v(11, 0)),
    (Feature::DatabaseTimeouts, v(11, 2)),
    (Feature::MysqlProbe, v(11, 2)),
    (Feature::Containers, v(12, 0)),
    (Feature::DhcpListenerVip, v(8, 0)),
    (Feature::TrackedByUse, v(10, 0)),
    (Feature::StaticAddresses, v(10, 0)),
    (Feature::StaticRoutesSetting, v(11, 0)),
    (Feature::TrackedByUnit, v(12, 0)),
    (Feature::NotifyVip, v(13, 0)),
    (Feature::NoNotifyCommand, v(7, 3)),
    (Feature::NoAdditionalMemPool, v(8, 4)),
    (Feature::SkipNameResolve, v(9, 0)),
    (Feature::PerformanceSchema, v(9, 0)),
    (Feature::LogWarnings, v(9, 0)),
    (Feature::MasterSlave, v(9, 2)),
    (Feature::SqlMode, v(10, 3)),
    (Feature::Mariabackup, v(10, 3)),
    (Feature::InitFile, v(11, 0)),
    (Feature::IncomingAddress, v(11, 0)),
    (Feature::Utf8mb4, v(12, 0)),
    (Feature::ShortBinlog, v(12, 0)),
    (Feature::MariabackupSection, v(12, 0)),
];

impl Feature {
    /// True if `version` has it.
    pub(super) fn is_in(self, version: PfVersion) -> bool {
        TABLE.iter().any(|&(feature, since)| feature == self && version >= since)
    }
}
