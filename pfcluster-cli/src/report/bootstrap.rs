//! The answer of `bootstrap`, for people and for programs.

use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::form::WithText;
use pfcluster_core::galera::bootstrap::{Action, Loss, Reason, Seen, losses};
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Found, Grastate, LocalState, Observation, Position, Process, Recovered, Running,
    Uuid,
};
use serde::Serialize;

use super::json::{self, Versioned};

/// A member's evidence, with what is said of it beside.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The member, and what is known of it.
    pub seen: &'a Seen,
    /// How old the evidence is, in seconds.
    pub age: Option<i64>,
}

/// As schemas/bootstrap.json says.
pub fn document<'d>(decision: &'d Decision<Action, Reason>, members: &[Shown<'d>]) -> impl Serialize + use<'d> {
    #[derive(Serialize)]
    struct Document<'d> {
        members: Vec<Row<'d>>,
        losses: Vec<WithText<Loss>>,
        #[serde(flatten)]
        decision: &'d Decision<Action, Reason>,
    }
    let losses = losses(decision).into_iter().map(WithText).collect();
    Versioned::new(Document { members: members.iter().map(Row::of).collect(), losses, decision })
}

/// The same as text.
pub fn json(decision: &Decision<Action, Reason>, members: &[Shown<'_>]) -> String {
    json::text(&document(decision, members))
}

/// What is lost, the evidence, the decision, why, who was not chosen and why, what is taken for granted, what to do.
///
/// # Errors
/// If it can't be written.
pub fn text(
    decision: &Decision<Action, Reason>,
    members: &[Shown<'_>],
    color: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    data_loss(decision, color, out)?;
    table(members, out)?;
    writeln!(out, "\nDecision: {}", decision.action)?;
    // What is lost stands before everything else.
    for reason in decision.reasons.iter().filter(|reason| !matches!(reason, Reason::TailLost { .. })) {
        writeln!(out, "  {}", led(reason, &decision.action))?;
    }
    if let Action::Bootstrap { assumes, .. } | Action::Promote { assumes, .. } = &decision.action {
        assumes.iter().try_for_each(|assumption| writeln!(out, "  assumes that {assumption}"))?;
    }
    if !decision.remedy.is_empty() {
        writeln!(out, "\nWhat to do:")?;
    }
    decision.remedy.iter().try_for_each(|step| writeln!(out, "  {step}"))
}

/// What is lost, a line each.
///
/// # Errors
/// If it can't be written.
pub fn data_loss(decision: &Decision<Action, Reason>, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let (red, plain) = if color { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    let losses = losses(decision);
    losses.iter().try_for_each(|loss| writeln!(out, "{red}DATA LOSS{plain}: {loss}"))?;
    if losses.is_empty() { Ok(()) } else { writeln!(out) }
}

/// A reason with the word that leads it: what speaks against a start is no "because" of it.
pub fn led(reason: &Reason, action: &Action) -> String {
    let text = reason.to_string();
    let starts = !matches!(action, Action::Wait { .. } | Action::Refuse { .. });
    let lead = match reason {
        Reason::NotChosen { .. } => "",
        _ if text.starts_with("warning: ") => "",
        Reason::Answered { known, enabled } if starts && known * 2 <= *enabled => "warning: ",
        Reason::HeldBack { .. } | Reason::FlagIgnored { .. } | Reason::NotLost { .. } if starts => "note: ",
        _ => "because ",
    };
    format!("{lead}{text}")
}

fn table(members: &[Shown<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["member", "database", "uuid", "seqno", "safe", "last view", "age", ""]);
    for shown in members {
        let row = Row::of(shown);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.add_row([
            row.host.to_string(),
            row.state.to_owned(),
            or_dash(row.uuid.map(|uuid| uuid.to_string())),
            or_dash(row.seqno.map(|seqno| seqno.to_string())),
            or_dash(row.safe_to_bootstrap.map(|flag| u8::from(flag).to_string())),
            or_dash(row.view),
            or_dash(row.age.map(age)),
            row.notes.join(", "),
        ]);
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Seconds as people read them.
fn age(seconds: i64) -> String {
    match seconds {
        ..0 => "in the future".to_owned(),
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => "days".to_owned(),
    }
}

/// What is said of a member: a row of the table, and an object of the document.
#[derive(Serialize)]
pub(super) struct Row<'s> {
    host: &'s Hostname,
    enabled: bool,
    /// How it ended, or what it does.
    state: &'static str,
    uuid: Option<Uuid>,
    seqno: Option<i64>,
    safe_to_bootstrap: Option<bool>,
    view: Option<String>,
    age: Option<i64>,
    notes: Vec<String>,
}

impl<'s> Row<'s> {
    pub(super) fn of(shown: &Shown<'s>) -> Row<'s> {
        let mut row = Row {
            host: &shown.seen.host,
            enabled: shown.seen.enabled,
            state: "unknown",
            uuid: None,
            seqno: None,
            safe_to_bootstrap: None,
            view: None,
            age: shown.age,
            notes: Vec::new(),
        };
        match &shown.seen.observation {
            Observation::Unknown(silence) => row.notes.push(silence.to_string()),
            Observation::Known(evidence) => row.known(evidence),
        }
        if !shown.seen.enabled {
            row.notes.push("disabled".to_owned());
        }
        row
    }

    fn known(&mut self, evidence: &Evidence) {
        if let Some(files) = &evidence.files {
            self.files(files);
        }
        self.state = match &evidence.process {
            _ if evidence.arbitrator => "arbitrator",
            Process::Running(running) => self.running(running),
            Process::Starting => "starting",
            Process::Bootstrapping => "bootstrapping",
            Process::NotResponding => "not responding",
            Process::Stopped => Row::stopped(evidence.files.as_ref()),
        };
        for (is_so, note) in [(evidence.maintenance, "in maintenance"), (evidence.arbitrator, "garbd")] {
            if is_so {
                self.notes.push(note.to_owned());
            }
        }
        if !evidence.disabled.is_empty() {
            let hosts: Vec<&str> = evidence.disabled.iter().map(Hostname::as_str).collect();
            self.notes.push(format!("disables {}", hosts.join(" ")));
        }
    }

    fn running(&mut self, running: &Running) -> &'static str {
        self.uuid = Some(running.uuid);
        self.seqno = Some(running.last_committed);
        if !running.sees.is_empty() {
            let seen: Vec<&str> = running.sees.iter().map(Hostname::as_str).collect();
            self.notes.push(format!("sees {}", seen.join(" ")));
        }
        match (running.status, running.state) {
            (ClusterStatus::Primary, LocalState::Synced) => "primary",
            (ClusterStatus::Primary, LocalState::Donor) => "primary (donor)",
            (ClusterStatus::Primary, LocalState::Joined | LocalState::Joining) => "primary (joining)",
            (ClusterStatus::Primary, LocalState::Initialized) => "primary (starting)",
            (_, LocalState::Inconsistent) => "inconsistent",
            (ClusterStatus::NonPrimary, _) => "non-primary",
            (ClusterStatus::Disconnected, _) => "disconnected",
        }
    }

    fn stopped(files: Option<&Files>) -> &'static str {
        match files {
            None => "stopped (no files)",
            Some(files) if files.datadir_empty => "empty",
            Some(files) => match &files.grastate {
                Found::Read(grastate) if is_clean(grastate, files) => "stopped cleanly",
                Found::Read(Grastate { seqno, .. }) if *seqno >= 0 => "stopped (unconfirmed)",
                _ => "stopped hard",
            },
        }
    }

    fn files(&mut self, files: &Files) {
        match &files.grastate {
            Found::Read(grastate) => {
                self.uuid = Some(grastate.uuid);
                self.seqno = Some(grastate.seqno);
                self.safe_to_bootstrap = grastate.safe_to_bootstrap;
                if grastate.uuid.is_zero() {
                    self.notes.push("zero UUID".to_owned());
                }
            }
            Found::Torn(why) => self.notes.push(format!("grastate.dat is damaged: {why}")),
            Found::Absent if files.datadir_empty => {}
            Found::Absent => self.notes.push("no grastate.dat".to_owned()),
        }
        match &files.gvwstate {
            Found::Read(gvwstate) => {
                let uuid = gvwstate.view.uuid.to_string();
                self.view = Some(format!("{}#{} of {}", &uuid[..8], gvwstate.view.seq, gvwstate.members.len()));
            }
            Found::Torn(why) => self.notes.push(format!("gvwstate.dat is damaged: {why}")),
            Found::Absent => {}
        }
        match &files.recovered {
            Recovered::At(position) => {
                self.uuid = Some(position.uuid());
                self.seqno = Some(position.seqno().get());
                self.notes.push("recovered".to_owned());
            }
            Recovered::NoHistory => self.notes.push("its data have no cluster UUID".to_owned()),
            Recovered::Failed(why) => self.notes.push(format!("recovery failed: {why}")),
            Recovered::NotRun => {}
        }
        let records = &files.records;
        let notes = [
            (files.sst_marker, "failed transfer"),
            (files.unsynced_transfer, "unsynced transfer"),
            (records.ran_standalone, "ran without Galera"),
        ];
        self.notes.extend(notes.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note.to_owned()));
        if records.start_failures.count > 0 {
            self.notes.push(format!("{} failed starts: {}", records.start_failures.count, records.start_failures.why));
        }
        if let Some(view) = &records.view {
            self.notes.push(format!("floor {}", view.floor));
        }
        if let Some(recorded) = records.last_recorded {
            self.notes.push(format!("saw {}", recorded.seqno()));
        }
    }
}

/// Recovery shows that `InnoDB` holds what grastate.dat says.
fn is_clean(grastate: &Grastate, files: &Files) -> bool {
    let written = Position::new(grastate.uuid, grastate.seqno);
    written.is_some_and(|written| files.recovered == Recovered::At(written))
}
