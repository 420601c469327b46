//! The answer of `status`, for people and for programs.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::Reply;
use pfcluster_core::decision::{Decision, Step};
use pfcluster_core::form::{all_with_text, kind_of, texts};
use pfcluster_core::status::{Database, Reason, Seen, Verdict, Vip};
use pfcluster_core::supervisor::LastBackup;
use serde::Serialize;

use super::json::{self, Versioned};
use crate::documents::backup::BackupDocument;
use crate::host::evidence::Note;
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
    /// As schemas/status.json says.
    pub fn document(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Document<'r> {
            asked_by: &'r Hostname,
            asked_at: String,
            verdict: Verdict,
            members: Vec<MemberDocument<'r>>,
            virtual_addresses: &'r [Vip],
            #[serde(serialize_with = "all_with_text")]
            reasons: &'r [Reason],
            #[serde(serialize_with = "texts")]
            remedy: &'r [Step],
            notes: &'r [Note],
        }
        let Report { me, now, answers: Gathered { members, vips, notes }, decision } = self;
        Versioned::new(Document {
            asked_by: me,
            asked_at: now.to_string(),
            verdict: decision.action,
            members: members.iter().map(MemberDocument::new).collect(),
            virtual_addresses: vips,
            reasons: &decision.reasons,
            remedy: &decision.remedy,
            notes,
        })
    }

    /// The same as text.
    pub fn json(&self) -> String {
        json::text(&self.document())
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
        writeln!(out, "\nCluster: {}", kind_of(&self.decision.action).replace('_', "-"))?;
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
            "last seqno",
            "flow paused",
            "connections",
            "configuration",
            "on this server",
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
                or_dash(seen.database.connections().map(|one| format!("{}/{}", one.used, one.max))),
                configuration(seen.configuration.as_ref()),
                if seen.enabled { "enabled" } else { "disabled" }.to_owned(),
                seen.maintenance.map_or("unknown", |maintenance| if maintenance { "yes" } else { "no" }).to_owned(),
                supervisor(member.supervisor.as_deref()),
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
            Some(galera) => format!("{}, {}", database.kind().replace('_', "-"), kind_of(&galera.running.state)),
        },
        Database::Full => "no connection left".to_owned(),
        Database::Refused(_) => "login refused".to_owned(),
        Database::Closed => "nothing listens".to_owned(),
        Database::Silent(_) => "no answer".to_owned(),
        Database::Garbled(_) => "not understood".to_owned(),
        _ => database.kind().replace('_', " "),
    }
}

/// What its supervisor does, as far as that is known here.
fn supervisor(does: Option<&str>) -> String {
    match does {
        None => "no supervisor",
        Some("watches") => "monitoring",
        Some("heard") => "reachable",
        Some(part) => part,
    }
    .to_owned()
}

fn configuration(reply: Option<&Reply>) -> String {
    match reply {
        None | Some(Reply::Unreachable) => "unknown".to_owned(),
        Some(Reply::Version(version)) => version.to_string(),
        Some(Reply::Unreadable(_)) => "unreadable".to_owned(),
    }
}

fn last_backup(member: &MemberStatus) -> String {
    match &member.last_backup {
        LastBackup::Unknown => "unknown".to_owned(),
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
    table.set_header(["interface", "address", "holder", "since"]);
    for vip in vips {
        let holders: Vec<&str> = vip.holders.iter().map(|holder| holder.host.as_str()).collect();
        let (holders, since) = match &vip.holders[..] {
            [] if vip.unknown.is_empty() => ("no member".to_owned(), "-".to_owned()),
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
#[derive(Debug, Serialize)]
pub struct MemberDocument<'m> {
    #[serde(flatten)]
    seen: &'m Seen,
    address: Option<Ipv4Addr>,
    answers: bool,
    supervisor: Option<&'m str>,
    last_backup: Option<BackupDocument>,
}

impl<'m> MemberDocument<'m> {
    /// What is known of a member.
    pub fn new(member: &'m MemberStatus) -> MemberDocument<'m> {
        MemberDocument {
            seen: &member.seen,
            address: member.address,
            answers: answers(&member.seen.database),
            supervisor: member.supervisor.as_deref(),
            last_backup: BackupDocument::new(&member.last_backup),
        }
    }
}
