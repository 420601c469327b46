//! mariadb.conf: the database of one member, with Galera if other members share it.
//!
//! PacketFence starts `mysqld_safe --defaults-file=var/conf/mariadb.conf`, so no other option file counts.

mod galera;
mod hook;
mod option_file;
mod server;

use std::net::Ipv4Addr;

use self::option_file::{OptionFile, path};
use super::features::Feature;
use super::scene::{Scene, unusable};
use super::template::fill;
use super::{Access, Deviation, GenerateError, GeneratedFile, Notice, Rendered, Request};
use crate::cluster::{Member, toggle};

/// PacketFence's data directory, as `mariadb-install-db` makes it.
const DATADIR: &str = "/var/lib/mysql";
const SOCKET: &str = "/var/lib/mysql/mysql.sock";
/// The user's own form of the file.
const TEMPLATE: &str = "conf/mariadb/mariadb.conf";

/// `var/conf/mariadb.conf`; from 11.0 on also `var/conf/mariadb.sql`, which the server runs when it starts; with
/// [`Options::readonly_hook`](super::Options::readonly_hook) `var/run/db-update`.
///
/// The user's own `conf/mariadb/mariadb.conf` may use `%%mysqld%%`, `%%galera%%`, `%%mysqld_safe%%`, `%%mariabackup%%`
/// (what this would write into the sections), `%%hostname%%`, `%%management_ip%%` and `%%server_id%%`.
///
/// # Errors
/// [`GenerateError::Unusable`] for a setting that MariaDB's option file, or a program that reads it, would misread;
/// [`GenerateError::Missing`] if Galera is on and there is no replication user, or a member has no address.
pub fn mariadb(request: &Request<'_>) -> Result<Rendered, GenerateError> {
    let scene = Scene::new(request)?;
    let mut rendered = Rendered::default();
    let part = Part::of(&scene, &mut rendered);

    let mut file = OptionFile::default();
    server::write(&scene, &part, &mut file, &mut rendered)?;
    let hook = match &part {
        Part::Galera(members) => galera::write(&scene, members, &mut file, &mut rendered)?,
        Part::Follows | Part::Alone => None,
    };
    file.section("mysqld_safe").flag("syslog");
    if Feature::MariabackupSection.is_in(request.version) {
        file.section("mariabackup").set("socket", SOCKET);
    }
    let text = text_of(&scene, &file)?;
    rendered.files.push(GeneratedFile { path: "var/conf/mariadb.conf", text, access: Access::Database });

    if Feature::InitFile.is_in(request.version) {
        rendered.files.push(init_file(&scene));
        rendered.deviations.push(INIT_FILE);
    }
    rendered.files.extend(hook);
    rendered.deviations.push(TEMPLATE_FORM);
    rendered.deviations.push(MODE);
    Ok(rendered)
}

/// How a member's database takes part.
enum Part<'a> {
    /// It shares one Galera database with these, itself among them, in PacketFence's order.
    Galera(Vec<&'a Member>),
    /// It follows another zone's (`masterslavemode=SLAVE`).
    Follows,
    /// It is on its own.
    Alone,
}

impl<'a> Part<'a> {
    fn of(scene: &Scene<'a>, rendered: &mut Rendered) -> Part<'a> {
        let (view, version) = (scene.view, scene.request.version);
        let me = &view.me().host;
        let mode = &view.zone().database;
        if mode.masterslavemode.is_some() && !mode.is_slave() && Feature::SlaveZones.is_in(version) {
            rendered.deviations.push(ODD_SLAVE_MODE);
        }
        if mode.is_slave() && Feature::SlaveZones.is_in(version) {
            return Part::Follows;
        }
        let members = view.database_order();
        let is_shared = members.len() > 1 && members.iter().any(|member| member.host == *me);
        if is_shared && scene.is_enabled("active_active", "galera_replication") {
            return Part::Galera(members);
        }
        let (message, help) = if is_shared {
            ("`galera_replication` is off, so each member has a database of its own", "switch it on in pf.conf")
        } else {
            ("no other enabled member shares the database, so it runs without Galera", "enable the other members first")
        };
        let help = format!("if that is not meant: {help}; otherwise nothing");
        rendered.notices.push(Notice { message: message.to_owned(), help });
        let others = scene.request.pf_conf.text("database_advanced", "other_members");
        if !others.trim().is_empty() && Feature::MasterSlave.is_in(version) {
            rendered.notices.push(Notice {
                message: "`other_members` of `[database_advanced]` is not used without Galera".to_owned(),
                help: "nothing: PacketFence writes no `[galera]` for it either".to_owned(),
            });
        }
        if scene.request.options.readonly_hook {
            rendered.notices.push(Notice {
                message: "the read-only hook is left out: without Galera nothing calls it".to_owned(),
                help: "nothing, or see above".to_owned(),
            });
        }
        Part::Alone
    }
}

/// An identity that no other server of the whole cluster has, whoever works it out and whatever is disabled.
fn server_id(address: Ipv4Addr) -> u32 {
    address.to_bits()
}

/// Another database follows this one: a zone of cluster.conf, or `[database_advanced] masterslave` says so (9.2 and later).
fn is_followed(scene: &Scene<'_>) -> Result<bool, GenerateError> {
    if !Feature::MasterSlave.is_in(scene.request.version) {
        return Ok(false);
    }
    let is_followed = on_or_off(scene, "masterslave")?;
    Ok(is_followed || scene.request.cluster.zones().iter().any(|zone| zone.database.is_slave()))
}

/// A setting of `[database_advanced]` that is ON or OFF.
fn on_or_off(scene: &Scene<'_>, key: &str) -> Result<bool, GenerateError> {
    const SECTION: &str = "database_advanced";
    let Some(setting) = scene.request.pf_conf.get(SECTION, key) else { return Ok(false) };
    match setting.value.trim() {
        text if text.eq_ignore_ascii_case("on") => Ok(true),
        text if text.is_empty() || text.eq_ignore_ascii_case("off") => Ok(false),
        text => toggle(text).ok_or_else(|| {
            unusable(SECTION, setting, "is neither ON nor OFF".to_owned(), "write ON or OFF".to_owned())
        }),
    }
}

fn text_of(scene: &Scene<'_>, file: &OptionFile) -> Result<String, GenerateError> {
    let host = scene.view.me().host.as_str();
    let header = |what: &str| {
        format!(
            "# Written by pfcluster for {host}: edits are lost.\n# {what}, then run `pfcluster generate mariadb`.\n\n"
        )
    };
    let Some(template) = scene.template(TEMPLATE) else {
        let change = format!("Change pf.conf or cluster.conf, or write {TEMPLATE}, a form of your own");
        return Ok(header(&change) + &file.text());
    };
    let address = scene.management_ip()?;
    let (ip, id) = (address.to_string(), server_id(address).to_string());
    let tags = [
        ("mysqld", file.lines("mysqld")),
        ("galera", file.lines("galera")),
        ("mysqld_safe", file.lines("mysqld_safe")),
        ("mariabackup", file.lines("mariabackup")),
        ("hostname", host),
        ("management_ip", &ip),
        ("server_id", &id),
    ];
    Ok(header(&format!("Change {TEMPLATE}, pf.conf or cluster.conf")) + &fill(TEMPLATE, template, &tags)?)
}

fn init_file(scene: &Scene<'_>) -> GeneratedFile {
    let host = &scene.view.me().host;
    let text = format!(
        "-- Written by pfcluster for {host}, because mariadb.conf names it and there was none.\n\
         -- The database runs this when it starts, with all privileges, before anybody can connect.\n\
         -- It is empty on purpose: what would be written here again at each start of each member belongs into the\n\
         -- database, once. pfcluster leaves PacketFence's own, or yours, as it is.\n"
    );
    GeneratedFile { path: "var/conf/mariadb.sql", text, access: Access::Placeholder }
}

const ODD_SLAVE_MODE: Deviation = Deviation {
    original: "any `masterslavemode`, even `MASTER`, makes the zone's database a slave",
    here: "only `SLAVE` does",
    why: "HAProxy and the list of databases take it so; half a slave is written to and has no server to replicate from",
};

const INIT_FILE: Deviation = Deviation {
    original: "mariadb.sql drops and creates the event loggers' function and triggers at each start of each member",
    here: "a mariadb.sql that exists stays as it is; where there is none, it holds a comment",
    why: "such statements are replicated: a member that restarts locks tables on all, and fails if the plugin is missing",
};

const TEMPLATE_FORM: Deviation = Deviation {
    original: "conf/mariadb/mariadb.conf.tt is filled in (Template Toolkit)",
    here: "that file is not read; conf/mariadb/mariadb.conf with %%mysqld%% and %%galera%% is, if it is there",
    why: "the shipped form differs by version only, which is built in; unknown tags are an error here, not empty text",
};

const MODE: Deviation = Deviation {
    original: "mariadb.conf is readable by everybody (0644)",
    here: "root:mysql 0640",
    why: "it holds the replication user's password",
};
