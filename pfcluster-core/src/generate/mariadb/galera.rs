//! `[galera]`: the database that the members share.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::super::features::Feature;
use super::super::scene::{Scene, unusable};
use super::super::{Deviation, GenerateError, GeneratedFile, Notice, Rendered};
use super::option_file::{OptionFile, path, quoted};
use super::{hook, is_followed, server_id};
use crate::cluster::{Member, parse_address};
use crate::pf_conf::ConfSetting;

const SECTION: &str = "active_active";
/// MariaDB's limit for a user name.
const LONGEST_USER: usize = 128;

/// Writes `[galera]`, and the hook if the user wants it.
pub(super) fn write(
    scene: &Scene<'_>,
    members: &[&Member],
    file: &mut OptionFile,
    rendered: &mut Rendered,
) -> Result<Option<GeneratedFile>, GenerateError> {
    let options = &scene.request.options;
    let version = scene.request.version;
    let address = scene.management_ip()?;
    let addresses = cluster_addresses(scene, members)?;
    let account = Account::of(scene)?;

    file.section("galera").set("wsrep_on", "ON");
    file.set("wsrep_provider", path("galera_provider", options.galera_provider.clone())?);
    file.set("default_storage_engine", "InnoDB").set("wsrep_cluster_name", "pfcluster");
    let list: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
    file.set("wsrep_cluster_address", format!("gcomm://{}", list.join(",")));
    file.set("wsrep_node_name", &scene.view.me().host).set("wsrep_node_address", address);
    if Feature::IncomingAddress.is_in(version) {
        file.set("wsrep_node_incoming_address", address);
    }
    let method = if Feature::Mariabackup.is_in(version) { "mariabackup" } else { "xtrabackup" };
    file.set("wsrep_sst_method", method).set("wsrep_sst_auth", &account.auth);
    file.set("wsrep_dirty_reads", "ON").set("wsrep_slave_threads", 1);
    if is_followed(scene)? {
        file.set("wsrep_gtid_mode", "ON").set("wsrep_gtid_domain_id", shared_domain(scene));
    }
    if options.readonly_hook {
        file.set("wsrep_notify_cmd", path("install_dir", format!("{}/{}", options.install_dir, hook::PATH))?);
    }

    tell(scene, rendered)?;
    let hook = options.readonly_hook.then(|| hook::file(scene, addresses.len(), &account, rendered)).transpose()?;
    Ok(hook)
}

/// `other_members`, then the members, each address once.
fn cluster_addresses(scene: &Scene<'_>, members: &[&Member]) -> Result<Vec<Ipv4Addr>, GenerateError> {
    let mut addresses = other_members(scene)?;
    for member in members {
        let address = member.addresses.management_ip.ok_or_else(|| GenerateError::Missing {
            what: format!("`management_ip` of {}", member.host),
            help: "`pfcluster check` shows what is wrong with cluster.conf".to_owned(),
        })?;
        addresses.push(address.value);
    }
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
    Ok(addresses)
}

/// `[database_advanced] other_members`: databases outside cluster.conf.
fn other_members(scene: &Scene<'_>) -> Result<Vec<Ipv4Addr>, GenerateError> {
    const SECTION: &str = "database_advanced";
    let setting = scene.request.pf_conf.get(SECTION, "other_members");
    let Some(setting) = setting.filter(|_| Feature::MasterSlave.is_in(scene.request.version)) else {
        return Ok(Vec::new());
    };
    let words = setting.value.split(',').map(str::trim).filter(|word| !word.is_empty());
    let address = |word| {
        parse_address(word).map_err(|_| {
            let reason = "is no list of addresses with commas between".to_owned();
            unusable(SECTION, setting, reason, "write it like 192.168.1.5,192.168.1.6".to_owned())
        })
    };
    words.map(address).collect()
}

/// The replication user.
pub(super) struct Account {
    /// `user:password`, quoted.
    auth: String,
    /// Each quoted.
    pub(super) user: String,
    pub(super) password: String,
}

impl Account {
    fn of(scene: &Scene<'_>) -> Result<Account, GenerateError> {
        let user = Account::part(scene, "galera_replication_username")?;
        let password = Account::part(scene, "galera_replication_password")?;
        let refused = |setting: &ConfSetting, reason: &str| {
            let help = "use letters and digits, on all members, and change it in the database too".to_owned();
            unusable(SECTION, setting, reason.to_owned(), help)
        };
        // The transfer scripts put the name between single quotes and hand it to a shell.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+');
        if user.value.len() > LONGEST_USER || !user.value.chars().all(is_plain) {
            return Err(refused(user, "is no name of letters, digits and `_ - . @ +` that Galera's scripts carry"));
        }
        // That of xtrabackup puts the password into a shell command without quotes.
        let is_safe = |c: char| is_plain(c) || matches!(c, ':' | ',' | '/' | '=' | '%' | '^');
        if !Feature::Mariabackup.is_in(scene.request.version) && !password.value.chars().all(is_safe) {
            return Err(refused(password, "holds a character that xtrabackup's script would hand to a shell"));
        }
        let both = format!("{}:{}", user.value, password.value);
        let written = |value: &str| quoted(value).map_err(|reason| refused(password, reason));
        Ok(Account { auth: written(&both)?, user: written(&user.value)?, password: written(&password.value)? })
    }

    fn part<'a>(scene: &Scene<'a>, key: &str) -> Result<&'a ConfSetting, GenerateError> {
        let setting = scene.request.pf_conf.get(SECTION, key).filter(|setting| !setting.value.is_empty());
        setting.ok_or_else(|| GenerateError::Missing {
            what: format!("`{key}` of `[{SECTION}]`"),
            help: "set it in pf.conf: without it no member can fetch the database from another (guide 3.4.1)"
                .to_owned(),
        })
    }
}

/// The GTID domain of what goes through Galera: the same on all members, and none of theirs. A virtual address is that.
fn shared_domain(scene: &Scene<'_>) -> u32 {
    let cluster = scene.request.cluster;
    let own = cluster.zone_dbs_only().then(|| scene.view.zone());
    let masters = cluster.zones().iter().filter(|zone| !zone.database.is_slave());
    let mut zones = own.into_iter().chain(masters);
    let vip = zones.find_map(|zone| zone.vips.as_ref()?.management_ip);
    vip.map_or(1, |vip| server_id(vip.value))
}

/// What differs, and what the user should know.
fn tell(scene: &Scene<'_>, rendered: &mut Rendered) -> Result<(), GenerateError> {
    let version = scene.request.version;
    rendered.deviations.push(AUTH);
    rendered.deviations.push(TWICE);
    if Feature::MasterSlave.is_in(version) {
        rendered.deviations.push(if is_followed(scene)? { SHARED_DOMAIN } else { NO_BINLOG });
    }
    if !Feature::NoNotifyCommand.is_in(version) && !scene.request.options.readonly_hook {
        rendered.deviations.push(NO_HOOK);
    }
    if !Feature::Mariabackup.is_in(version) {
        rendered.notices.push(Notice {
            message: format!(
                "PacketFence {version} transfers the database with xtrabackup, which Debian 12 does not have"
            ),
            help:
                "with MariaDB 10.3 or later no member can join: upgrade PacketFence to 10.3 or later on all members, \
                   or write `wsrep_sst_method=mariabackup` into conf/mariadb/mariadb.conf on all"
                    .to_owned(),
        });
    }
    rendered.notices.push(Notice {
        message: "a power cut of all members at once can lose the last second of what was written \
                  (innodb_flush_log_at_trx_commit=2, as PacketFence has it)"
            .to_owned(),
        help: "if that is too much, and the disks are fast: write `innodb_flush_log_at_trx_commit=1` after %%mysqld%% \
               into conf/mariadb/mariadb.conf"
            .to_owned(),
    });
    Ok(())
}

const AUTH: Deviation = Deviation {
    original: "the replication user's name and password stand between double quotes as they are",
    here: "they are escaped; what the programs that read them would misread is an error",
    why: "a quote or backslash changed the password, and a blank became an option of mysqld_safe",
};

const TWICE: Deviation = Deviation {
    original: "wsrep_on and innodb_autoinc_lock_mode are set twice, wsrep_provider_options is set to nothing",
    here: "each is set once, the empty one not at all",
    why: "it means the same",
};

const SHARED_DOMAIN: Deviation = Deviation {
    original: "wsrep_gtid_domain_id differs on every member",
    here: "it is the virtual management address as a number, on all members",
    why: "one transaction must have one GTID in the whole cluster, or a slave that changes its master loses its place",
};

const NO_BINLOG: Deviation = Deviation {
    original: "the binary log and GTID settings are on even with `masterslave = OFF`",
    here: "they are on if it is ON, or if a zone of cluster.conf follows this database",
    why: "`OFF` was taken for true by mistake; the log doubles what each commit writes",
};

const NO_HOOK: Deviation = Deviation {
    original: "Galera calls db-update at each change (7.0 to 7.2)",
    here: "only with `--readonly-hook`",
    why: "Galera waited for it at each change; later versions of PacketFence do without",
};
