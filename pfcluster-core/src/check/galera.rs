//! The database: enough members for a quorum, and settings with which Galera can work. Rules PFC070 to PFC079.

use super::{Context, Report, place_in};
use crate::cluster::{Layout, Zone};
use crate::document::{Entry, Section};
use crate::pf_conf::PfConf;
use crate::printable::quoted;
use crate::rule::rules;
use crate::span::{Place, Span, Spanned};
use crate::version::PfVersion;

rules! {
    /// Fewer than three members share the Galera database.
    ///
    /// With two, the loss of one stops the other: half is no majority. The guide supports three and more (guide 3.1).
    ///
    /// Example: a cluster of pf1 and pf2.
    ///
    /// What to do: add a member, or switch Galera off (`galera_replication = disabled` in pf.conf) and use another
    /// database.
    static FEW_MEMBERS = "PFC070" "few-members" Warning;

    /// An even number of members shares the Galera database.
    ///
    /// A network cut in the middle leaves two halves without a majority: neither may write. One member less survives as
    /// many failures (guide 3.1: an odd number of servers).
    ///
    /// Example: four members.
    ///
    /// What to do: add or remove one.
    static EVEN_MEMBERS = "PFC071" "even-members" Warning;

    /// The database's replication user or its password is not set.
    ///
    /// A joining member fetches the whole database with it (guide 3.2, 3.4.1). Without it no member can join.
    ///
    /// Example: no `galera_replication_username` in pf.conf.
    ///
    /// What to do: set `galera_replication_username` and `galera_replication_password` in `[active_active]`.
    static REPLICATION_USER_MISSING = "PFC072" "replication-user-missing" Error;

    /// The replication user's name or password has a character that MariaDB's configuration does not carry.
    ///
    /// PacketFence writes `user:password` between double quotes, without escapes: a quote may end it early, a backslash
    /// changes what follows, a `:` in the name moves the border between the two. Blanks get lost where the password
    /// stands on a command line (guide 3.2: no spaces).
    ///
    /// Example: `galera_replication_password = my "secret"`
    ///
    /// What to do: use letters and digits, and change it in the database too (`ALTER USER`).
    static REPLICATION_PASSWORD_CHARACTERS = "PFC073" "replication-password-characters" Error;

    /// pf.conf's database host is this very server.
    ///
    /// In a cluster the database is reached through the local load balancer, which knows where it is writable:
    /// 127.0.0.1 up to version 11, 100.64.0.1 from version 12 on. `localhost` means the local socket. (PacketFence's
    /// checkup: FATAL from 11.2 on.)
    ///
    /// Example:
    ///     [database]
    ///     host = localhost
    ///
    /// What to do: set `host` to the load balancer's address.
    static DATABASE_HOST_LOCAL = "PFC075" "database-host-local" Error;

    /// pfconfig.conf's database host is this very server.
    ///
    /// As PFC075, for the cache of the configuration service: the section `[mysql]` of pfconfig.conf.
    ///
    /// Example:
    ///     [mysql]
    ///     host = localhost
    ///
    /// What to do: set `host` to the load balancer's address.
    static PFCONFIG_HOST_LOCAL = "PFC076" "pfconfig-host-local" Error;

    /// `masterslavemode` is something other than `SLAVE`.
    ///
    /// Some of PacketFence's programs take the zone for a slave whatever the value is, even `MASTER`; others only for
    /// `SLAVE`. The zone is then half a slave.
    ///
    /// Example:
    ///     [DC1 CLUSTER]
    ///     masterslavemode = MASTER
    ///
    /// What to do: write `SLAVE` for a zone that follows, and nothing for the others.
    static ODD_SLAVE_MODE = "PFC077" "odd-slave-mode" Error;

    /// A slave zone does not say which zone it follows, or names none of this cluster.
    ///
    /// Its HAProxy then knows no database that can be written to.
    ///
    /// Example:
    ///     [DC2 CLUSTER]
    ///     masterslavemode = SLAVE
    ///     masterdb = DC3
    ///
    /// What to do: set `masterdb` to the name of the zone whose database is the original.
    static UNKNOWN_MASTER_ZONE = "PFC078" "unknown-master-zone" Error;

    /// `db_write` or `db_read` names a host that is no member.
    ///
    /// PacketFence splits at commas and removes no blanks: `pf1, pf2` names `pf1` and ` pf2`.
    ///
    /// Example: `db_read = pf1.example.com, pf2.example.com`
    ///
    /// What to do: write the members' host names with commas and nothing else between.
    static UNKNOWN_DATABASE_HOST = "PFC079" "unknown-database-host" Error;
}

pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    if !context.cluster.is_clustered() {
        return;
    }
    let galera = context.pf_conf.is_none_or(|pf_conf| pf_conf.is_enabled("active_active", "galera_replication"));
    if galera {
        number_of_members(context, report);
        context.pf_conf.into_iter().for_each(|pf_conf| replication_user(context, pf_conf, report));
    }
    context.pf_conf.into_iter().for_each(|pf_conf| database_host(context, pf_conf, report));
    pfconfig_host(context, report);
    context.cluster.zones().iter().for_each(|zone| slave_zone(context, zone, report));
}

/// PFC070 and PFC071, for each group of members that share a database.
fn number_of_members(context: &Context<'_>, report: &mut Report) {
    let cluster = context.cluster;
    let masters: Vec<&Zone> = cluster.zones().iter().filter(|zone| !zone.database.is_slave()).collect();
    let each_its_own = cluster.zone_dbs_only() && context.version >= PfVersion::new(12, 0);
    let groups: Vec<&[&Zone]> = if each_its_own { masters.chunks(1).collect() } else { vec![masters.as_slice()] };
    for group in groups {
        let members = group.iter().map(|zone| zone.members.len()).sum::<usize>();
        let Some(last) = group.iter().rev().find_map(|zone| zone.members.last()) else { continue };
        let of_zone = match group {
            [zone] if cluster.layout() == Layout::MultiZone => format!(" of zone {}", zone.name),
            _ => String::new(),
        };
        let span = last.addresses.section;
        if members < 3 {
            let message = format!(
                "only {members} member{}{of_zone} for the Galera database",
                if members == 1 { "" } else { "s" }
            );
            report.cluster_conf(&FEW_MEMBERS, span, message, "use at least three (guide 3.1)");
        } else if members % 2 == 0 {
            let message = format!("{members} members{of_zone} for the Galera database: an even number");
            let help = format!(
                "use {} or {}: {members} survive no more failures than {}",
                members - 1,
                members + 1,
                members - 1
            );
            report.cluster_conf(&EVEN_MEMBERS, span, message, help);
        }
    }
}

/// PFC072 and PFC073.
fn replication_user(context: &Context<'_>, pf_conf: &PfConf, report: &mut Report) {
    let section = "active_active";
    for key in ["galera_replication_username", "galera_replication_password"] {
        let place = place_in(pf_conf, section, key);
        let text = pf_conf.text(section, key);
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\');
        let is_bad = text.contains(bad) || (key.ends_with("username") && text.contains(':'));
        if text.trim().is_empty() {
            let message = format!("`{key}` is not set");
            report.at(&REPLICATION_USER_MISSING, place, message, format!("set `{key}` in `[{section}]` of pf.conf"));
        } else if is_bad && !context.is_template(text) {
            let message = format!("`{key}` has a character that MariaDB's configuration does not carry");
            report.at(&REPLICATION_PASSWORD_CHARACTERS, place, message, "use letters and digits only");
        }
    }
}

/// The load balancer's address, by version.
fn load_balancer(version: PfVersion) -> &'static str {
    if version >= PfVersion::new(12, 0) { "100.64.0.1" } else { "127.0.0.1" }
}

fn is_local(host: &str, version: PfVersion) -> bool {
    matches!(host, "" | "localhost") || (host == "127.0.0.1" && version >= PfVersion::new(12, 0))
}

fn not_the_load_balancer(host: &str) -> String {
    match host {
        "" => "the database host is not set: it must be the local load balancer".to_owned(),
        host => format!("the database host is `{host}`, not the local load balancer"),
    }
}

/// PFC075.
fn database_host(context: &Context<'_>, pf_conf: &PfConf, report: &mut Report) {
    let host = pf_conf.text("database", "host").trim();
    if is_local(host, context.version) {
        let place = place_in(pf_conf, "database", "host");
        let help = format!("set `host = {}` in `[database]` of pf.conf", load_balancer(context.version));
        report.at(&DATABASE_HOST_LOCAL, place, not_the_load_balancer(host), help);
    }
}

/// PFC076.
fn pfconfig_host(context: &Context<'_>, report: &mut Report) {
    let Some(document) = context.pfconfig_conf else { return };
    let section = document.section(b"mysql");
    let entry = section.and_then(|section| section.get(b"host"));
    let value = entry.and_then(|entry| Some(String::from_utf8_lossy(&entry.single()?).trim().to_owned()));
    let host = value.unwrap_or_default();
    if is_local(&host, context.version) {
        let span = entry.map(Entry::value_span).or(section.map(Section::name_span));
        let place = Place { source: document.source(), span: span.unwrap_or_default() };
        let help = format!("set `host = {}` in `[mysql]` of pfconfig.conf", load_balancer(context.version));
        report.at(&PFCONFIG_HOST_LOCAL, Some(place), not_the_load_balancer(&host), help);
    }
}

/// PFC077 to PFC079.
fn slave_zone(context: &Context<'_>, zone: &Zone, report: &mut Report) {
    let database = &zone.database;
    if let Some(mode) = database.masterslavemode.as_ref().filter(|_| !database.is_slave()) {
        let message = format!("`masterslavemode` is `{}`, which is half a slave", quoted(mode.value.as_bytes()));
        report.cluster_conf(&ODD_SLAVE_MODE, mode.span, message, "write `SLAVE`, or remove the line");
    }
    if database.is_slave() {
        let master = database.masterdb.as_ref().map_or("", |master| &*master.value);
        let is_known =
            context.cluster.zones().iter().any(|other| other.name.as_str() == master && other.name != zone.name);
        if !is_known {
            let own = zone.vips.as_ref().map_or(Span::default(), |vips| vips.section);
            let span = database.masterdb.as_ref().map_or(own, |master| master.span);
            let message = match master {
                "" => format!("zone {} is a slave, but does not say of which zone", zone.name),
                other => format!("`{}` is no other zone of this cluster", quoted(other.as_bytes())),
            };
            report.cluster_conf(&UNKNOWN_MASTER_ZONE, span, message, "set `masterdb` to the zone that it follows");
        }
    }
    for hosts in [&database.db_write, &database.db_read].into_iter().flatten() {
        database_hosts(context, hosts, report);
    }
}

fn database_hosts(context: &Context<'_>, hosts: &Spanned<Box<str>>, report: &mut Report) {
    for host in hosts.value.split(',').filter(|host| !host.is_empty() && context.cluster.member(host).is_none()) {
        let message = format!("`{}` is not a member of the cluster", quoted(host.as_bytes()));
        let help = "write the members' host names, with commas and no blanks between";
        report.cluster_conf(&UNKNOWN_DATABASE_HOST, hosts.span, message, help);
    }
}
