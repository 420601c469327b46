//! `[mysqld]`: what the server has with and without Galera.

use super::super::features::Feature;
use super::super::scene::{Scene, unusable};
use super::super::{Deviation, GenerateError, Rendered};
use super::option_file::OptionFile;
use super::{DATADIR, Part, SOCKET, is_followed, on_or_off, path, server_id};
use crate::span::Source;

const SECTION: &str = "database_advanced";

/// Settings in megabytes: the least, and the most that MariaDB takes without a warning.
const MEGABYTES: [(&str, u64, u64); 4] = [
    ("key_buffer_size", 0, 4_194_304),
    ("innodb_buffer_pool_size", 5, 16_777_216),
    ("query_cache_size", 0, 4_095),
    ("max_allowed_packet", 1, 1_024),
];

pub(super) fn write(
    scene: &Scene<'_>,
    part: &Part<'_>,
    file: &mut OptionFile,
    rendered: &mut Rendered,
) -> Result<(), GenerateError> {
    let version = scene.request.version;
    let has = |feature: Feature| feature.is_in(version);
    let address = scene.management_ip()?;

    file.section("mysqld").set("bind-address", address).set("port", 3306).set("socket", SOCKET);
    file.flag("skip-external-locking");
    if has(Feature::SkipNameResolve) {
        file.flag("skip-name-resolve");
    }
    buffers_and_limits(scene, file)?;
    innodb(file);
    if has(Feature::Utf8mb4) {
        file.set("character-set-server", "utf8mb4").set("collation-server", "utf8mb4_bin");
        file.set("init-connect", "\"SET NAMES utf8mb4\"");
    }
    if has(Feature::SqlMode) {
        file.set("sql_mode", "NO_ENGINE_SUBSTITUTION,NO_AUTO_CREATE_USER");
    }
    if has(Feature::LogWarnings) {
        file.set("log_warnings", 1);
    }
    if has(Feature::InitFile) {
        let install_dir = &scene.request.options.install_dir;
        file.set("init_file", path("install_dir", format!("{install_dir}/var/conf/mariadb.sql"))?);
    }
    replication(scene, part, file, rendered)?;

    rendered.deviations.push(THREAD_CONCURRENCY);
    rendered.deviations.push(TABLE_CACHE);
    if !has(Feature::NoAdditionalMemPool) {
        rendered.deviations.push(ADDITIONAL_MEM_POOL);
    }
    Ok(())
}

fn buffers_and_limits(scene: &Scene<'_>, file: &mut OptionFile) -> Result<(), GenerateError> {
    let version = scene.request.version;
    for (key, least, most) in MEGABYTES {
        file.set(key, format!("{}M", scene.number(SECTION, key, least..=most)?));
    }
    // Below or above, the server would take the nearest and say so.
    file.set("thread_cache_size", scene.number(SECTION, "thread_cache_size", 0..=16_384)?);
    file.set("max_connections", scene.number(SECTION, "max_connections", 10..=100_000)?);
    file.set("table_open_cache", table_open_cache(scene)?);
    file.set("sort_buffer_size", "2M").set("read_buffer_size", "2M");
    file.set("read_rnd_buffer_size", "8M").set("myisam_sort_buffer_size", "64M");
    if Feature::PerformanceSchema.is_in(version) {
        let performance_schema = if on_or_off(scene, "performance_schema")? { "ON" } else { "OFF" };
        file.set("performance_schema", performance_schema);
        file.set("max_connect_errors", scene.number(SECTION, "max_connect_errors", 1..=4_294_967_295)?);
    }
    if Feature::DatabaseTimeouts.is_in(version) {
        for key in ["net_read_timeout", "net_write_timeout"] {
            file.set(key, timeout(scene, key)?);
        }
    }
    Ok(())
}

/// `table_cache` and `table_open_cache` are one variable. The user's own value counts, else PacketFence's 512.
fn table_open_cache(scene: &Scene<'_>) -> Result<u64, GenerateError> {
    let setting = scene.setting(SECTION, "table_cache")?;
    let is_chosen = setting.place.is_some_and(|place| place.source == Source::PfConf);
    if is_chosen { scene.number(SECTION, "table_cache", 10..=1_048_576) } else { Ok(512) }
}

fn timeout(scene: &Scene<'_>, key: &str) -> Result<u64, GenerateError> {
    const YEAR: u64 = 31_536_000;
    let seconds = scene.seconds(SECTION, key)?;
    if (1..=YEAR).contains(&seconds) {
        return Ok(seconds);
    }
    let reason = format!("is not between 1 and {YEAR} seconds");
    Err(unusable(SECTION, scene.setting(SECTION, key)?, reason, "PacketFence's own is 360s".to_owned()))
}

fn innodb(file: &mut OptionFile) {
    file.set("innodb_data_home_dir", DATADIR).set("innodb_log_group_home_dir", DATADIR);
    file.set("innodb_log_buffer_size", "8M").set("innodb_flush_log_at_trx_commit", 2);
    file.set("innodb_lock_wait_timeout", 50).set("innodb_autoinc_lock_mode", 2).flag("innodb_file_per_table");
}

/// Who this server is to others, and the log that they read.
fn replication(
    scene: &Scene<'_>,
    part: &Part<'_>,
    file: &mut OptionFile,
    rendered: &mut Rendered,
) -> Result<(), GenerateError> {
    let id = server_id(scene.management_ip()?);
    let days = if Feature::ShortBinlog.is_in(scene.request.version) { 1 } else { 2 };
    let has_log = match part {
        Part::Alone => return Ok(()),
        Part::Galera(_) => is_followed(scene)?,
        Part::Follows => true,
    };
    file.set("server-id", id).set("binlog-format", "ROW");
    if has_log {
        // Transactions of its own, outside Galera or its master, count in a domain of their own.
        file.set("gtid_domain_id", id).set("log_bin", "mariadb-bin").set("log_slave_updates", "ON");
        file.set("max_binlog_size", 13_107_200).set("expire_logs_days", days);
    }
    if let Part::Follows = part {
        file.set("read_only", "ON");
        rendered.deviations.push(FOLLOWER_LOG);
    } else {
        rendered.deviations.push(SERVER_ID);
    }
    if !has_log {
        rendered.deviations.push(NO_LOG);
    }
    Ok(())
}

const SERVER_ID: Deviation = Deviation {
    original: "server-id is the member's place among the enabled ones of its zone",
    here: "server-id is the management address as a number, as PacketFence has it for slaves",
    why: "a place changes when a member is disabled, and two zones or two views of the cluster give two servers the same",
};

const FOLLOWER_LOG: Deviation = Deviation {
    original: "a slave's binary log is never purged, and in mixed format",
    here: "format, size and days of the binary log are those of the other members",
    why: "it would fill the disk",
};

const NO_LOG: Deviation = Deviation {
    original: "max_binlog_size and expire_logs_days are set, whether there is a binary log or not",
    here: "they are set with the binary log",
    why: "without it they have no effect, and the server warns",
};

const THREAD_CONCURRENCY: Deviation = Deviation {
    original: "thread_concurrency is set",
    here: "it is left out",
    why: "it never had an effect on Linux; newer servers warn",
};

const TABLE_CACHE: Deviation = Deviation {
    original: "table_cache and table_open_cache are both set",
    here: "table_open_cache is set: to `table_cache` of pf.conf if that is there, else to 512",
    why: "they are two names of one variable: the later line hides the other, and with it the user's setting",
};

const ADDITIONAL_MEM_POOL: Deviation = Deviation {
    original: "innodb_additional_mem_pool_size is set",
    here: "it is left out",
    why: "no effect since MariaDB 10.0; newer servers do not start with it",
};
