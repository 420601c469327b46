//! The answer of `status`, for people and for programs.

use std::io::{self, Write};
use std::time::SystemTime;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{ConfigVersion, Reply};
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::LocalState;
use pfcluster_core::status::{Connections, Database, Galera, Reason, Verdict, Vip, assess};
use pfcluster_core::supervisor::LastBackup;
use serde_json::{Map, Value, json};

use super::backup::BackupDocument;
use super::json::text as pretty;
use crate::host::status::{Gathered, MemberStatus};

/// The cluster, and what is thought of it.
#[derive(Debug)]
pub struct Report {
    /// Who asked.
    pub me: Hostname,
    /// When, in seconds since 1970 (UTC).
    pub now: u64,
    /// What is known of the members.
    pub answers: Gathered,
    /// The verdict, with its reasons.
    pub decision: Decision<Verdict, Reason>,
}

impl Report {
    /// What is thought of these answers, now.
    pub fn new(me: Hostname, answers: Gathered) -> Report {
        let seen: Vec<_> = answers.members.iter().map(|member| member.seen.clone()).collect();
        let decision = assess(&seen, &answers.vips);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Report { me, now, answers, decision }
    }

    /// As schemas/status.json says.
    pub fn json(&self) -> String {
        let vips = self.answers.vips.iter().map(|vip| {
            let holders = vip.holders.iter();
            let holders: Vec<Value> = holders
                .map(|holder| json!({ "host": holder.host, "since": holder.since.map(|since| since.to_string()) }))
                .collect();
            json!({
                "interface": vip.interface.as_str(),
                "address": vip.address,
                "held_by": holders,
                "unknown": vip.unknown,
            })
        });
        let decision = &self.decision;
        pretty(&json!({
            "version": 1,
            "asked_by": self.me,
            "asked_at": self.now.to_string(),
            "verdict": decision.action.kind(),
            "members": self.answers.members.iter().map(member_document).collect::<Vec<_>>(),
            "virtual_addresses": vips.collect::<Vec<_>>(),
            "reasons": decision.reasons.iter().map(reason_document).collect::<Vec<_>>(),
            "remedy": decision.remedy.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notes": self.answers.notes,
        }))
    }

    /// Members, virtual addresses, the verdict, why, what to do.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.members(out)?;
        if !self.answers.vips.is_empty() {
            writeln!(out)?;
            vips(&self.answers.vips, out)?;
        }
        writeln!(out, "\nCluster: {}", self.decision.action.kind().replace('_', "-"))?;
        self.decision.reasons.iter().try_for_each(|reason| writeln!(out, "  because {reason}"))?;
        for member in &self.answers.members {
            if let Database::Silent(why) = &member.seen.database {
                writeln!(out, "  {}: {why}", member.seen.host)?;
            }
        }
        self.answers.notes.iter().try_for_each(|note| writeln!(out, "  note: {} ({})", note.message, note.help))?;
        if !self.decision.remedy.is_empty() {
            writeln!(out, "\nWhat to do:")?;
        }
        let mut steps = self.decision.remedy.iter().enumerate();
        steps.try_for_each(|(number, step)| writeln!(out, "  {}. {step}", number + 1))
    }

    fn members(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header([
            "member",
            "database",
            "size",
            "committed",
            "paused",
            "connections",
            "configuration",
            "here",
            "maintenance",
            "supervisor",
            "last backup",
        ]);
        for member in &self.answers.members {
            let seen = &member.seen;
            let galera = seen.database.galera();
            table.add_row([
                seen.host.to_string(),
                database(&seen.database),
                or_dash(galera.map(|galera| galera.running.size)),
                or_dash(galera.map(|galera| galera.running.last_committed)),
                or_dash(galera.and_then(|galera| Some(format!("{:.2}", galera.flow_control_paused?)))),
                or_dash(connections(&seen.database).map(|one| format!("{}/{}", one.used, one.max))),
                configuration(seen.configuration.as_ref()),
                if seen.enabled { "enabled" } else { "disabled" }.to_owned(),
                seen.maintenance.map_or("?", |maintenance| if maintenance { "yes" } else { "no" }).to_owned(),
                member.supervisor.clone().unwrap_or_else(|| "no supervisor".to_owned()),
                last_backup(member),
            ]);
        }
        table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
    }
}

/// Whether the member answered in some way. If not, it need not be down.
fn answers(database: &Database) -> bool {
    !matches!(database, Database::Silent(_) | Database::NotAsked(_))
}

fn database(database: &Database) -> String {
    match database {
        Database::Running(server) => match &server.galera {
            None => "without Galera".to_owned(),
            Some(galera) => format!("{}, {}", database.kind().replace('_', "-"), state(galera)),
        },
        Database::Full => "no connection left".to_owned(),
        Database::Refused(_) => "login refused".to_owned(),
        Database::Closed => "nothing listens".to_owned(),
        Database::Silent(_) => "no answer".to_owned(),
        Database::Garbled(_) => "not understood".to_owned(),
        _ => database.kind().replace('_', " "),
    }
}

fn state(galera: &Galera) -> &'static str {
    state_word(galera.running.state)
}

fn state_word(state: LocalState) -> &'static str {
    match state {
        LocalState::Initialized => "initialized",
        LocalState::Joining => "joining",
        LocalState::Donor => "donor",
        LocalState::Joined => "joined",
        LocalState::Synced => "synced",
        LocalState::Inconsistent => "inconsistent",
    }
}

fn connections(database: &Database) -> Option<Connections> {
    match database {
        Database::Running(server) => server.connections,
        _ => None,
    }
}

fn configuration(reply: Option<&Reply>) -> String {
    match reply {
        None | Some(Reply::Unreachable) => "?".to_owned(),
        Some(Reply::Version(version)) => version.to_string(),
        Some(Reply::Unreadable(_)) => "unreadable".to_owned(),
    }
}

fn last_backup(member: &MemberStatus) -> String {
    match &member.last_backup {
        LastBackup::Unknown => "?".to_owned(),
        LastBackup::Never => "none".to_owned(),
        LastBackup::Made(backup) => time(backup.time),
    }
}

/// UTC.
fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn vips(vips: &[Vip], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["interface", "address", "held by", "since"]);
    for vip in vips {
        let holders: Vec<&str> = vip.holders.iter().map(|holder| holder.host.as_str()).collect();
        let (holders, since) = match &vip.holders[..] {
            [] if vip.unknown.is_empty() => ("nobody".to_owned(), "-".to_owned()),
            [] => {
                let unknown: Vec<&str> = vip.unknown.iter().map(Hostname::as_str).collect();
                (format!("unknown: {}", unknown.join(" or ")), "-".to_owned())
            }
            several => {
                let since = several.iter().map(|one| one.since.map_or_else(|| "unknown".to_owned(), time));
                (holders.join(", "), since.collect::<Vec<_>>().join(", "))
            }
        };
        table.add_row([vip.interface.to_string(), vip.address.to_string(), holders, since]);
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// A member, as schemas/status.json says.
pub fn member_document(member: &MemberStatus) -> Value {
    let seen = &member.seen;
    let galera = seen.database.galera();
    json!({
        "host": seen.host,
        "address": member.address,
        "answers": answers(&seen.database),
        "enabled": seen.enabled,
        "in_database": seen.in_database,
        "maintenance": seen.maintenance,
        "database": {
            "state": seen.database.kind(),
            "why": seen.database.why(),
            "connections": connections(&seen.database).map(|one| json!({ "used": one.used, "max": one.max })),
            "galera": galera.map(galera_document),
        },
        "config_version": seen.configuration.as_ref().and_then(Reply::version).map(ConfigVersion::as_str),
        "supervisor": member.supervisor,
        "last_backup": BackupDocument::new(&member.last_backup),
    })
}

fn galera_document(galera: &Galera) -> Value {
    let running = &galera.running;
    json!({
        "uuid": running.uuid.to_string(),
        "local_state": state(galera),
        "ready": galera.ready,
        "cluster_size": running.size,
        "last_committed": running.last_committed,
        "flow_control_paused": galera.flow_control_paused,
        "members": running.sees,
        "others": running.sees_others,
    })
}

/// A reason, as schemas/status.json says.
pub fn reason_document(reason: &Reason) -> Value {
    let fields = match reason {
        Reason::Serves { members, size, may_crash } => {
            json!({ "members": members, "size": size, "may_crash": may_crash })
        }
        Reason::Split { sides } => json!({ "sides": sides }),
        Reason::NotPrimary { members }
        | Reason::WithoutGalera { members }
        | Reason::ZeroUuid { members }
        | Reason::Stopped { members }
        | Reason::Closed { members }
        | Reason::Full { members }
        | Reason::Silent { members }
        | Reason::SilentButSeen { members }
        | Reason::MayServe { members }
        | Reason::Disabled { members }
        | Reason::Maintenance { members } => json!({ "members": members }),
        Reason::Histories { histories } => {
            let histories = histories.iter();
            let histories: Vec<Value> =
                histories.map(|(uuid, members)| json!({ "uuid": uuid.to_string(), "members": members })).collect();
            json!({ "histories": histories })
        }
        Reason::Refused { member, why } | Reason::Garbled { member, why } | Reason::NotAsked { member, why } => {
            json!({ "member": member, "why": why })
        }
        Reason::Inconsistent { member } | Reason::NotReady { member } => json!({ "member": member }),
        Reason::NotSynced { member, state } => json!({ "member": member, "local_state": state_word(*state) }),
        Reason::Strangers { member, addresses } => json!({ "member": member, "addresses": addresses }),
        Reason::OftenPaused { member, paused } => json!({ "member": member, "paused": paused }),
        Reason::ConnectionsNearMax { member, connections } => {
            json!({ "member": member, "used": connections.used, "max": connections.max })
        }
        Reason::Configurations { versions } => {
            let versions = versions.iter();
            let versions: Vec<Value> = versions
                .map(|(version, members)| json!({ "config_version": version.as_str(), "members": members }))
                .collect();
            json!({ "versions": versions })
        }
        Reason::VipHeldTwice { interface, address, holders } => {
            json!({ "interface": interface.as_str(), "address": address, "holders": holders })
        }
        Reason::VipWithoutHolder { interface, address } => {
            json!({ "interface": interface.as_str(), "address": address })
        }
        // A reason that is new in the core still has its sentence.
        _ => json!({}),
    };
    let mut document = Map::from_iter([("kind".to_owned(), reason.kind().into())]);
    if let Value::Object(fields) = fields {
        document.extend(fields);
    }
    document.insert("text".to_owned(), reason.to_string().into());
    document.into()
}
