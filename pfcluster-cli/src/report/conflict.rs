//! The answer of `conflict`, for people and for programs.

mod versions;

use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{Action, ConfigVersion, Reason, Reply};
use pfcluster_core::decision::{Decision, Step};
use pfcluster_core::form::{all_with_text, texts};
use pfcluster_core::printable::printable;
use serde::Serialize;

use super::json::{self, Versioned};

pub use versions::{Versions, VersionsError, VersionsFile};

/// In the form that is wanted.
///
/// # Errors
/// If it can't be written.
pub fn print(
    is_json: bool,
    decision: &Decision<Action, Reason>,
    versions: &Versions,
    out: &mut dyn Write,
) -> io::Result<()> {
    if is_json { writeln!(out, "{}", json(decision)) } else { text(decision, versions, out) }
}

/// As schemas/conflict.json says.
pub fn document(decision: &Decision<Action, Reason>) -> impl Serialize {
    #[derive(Serialize)]
    struct Document<'d> {
        action: &'d Action,
        #[serde(serialize_with = "all_with_text")]
        reasons: &'d [Reason],
        #[serde(serialize_with = "texts")]
        remedy: &'d [Step],
    }
    let Decision { action, reasons, remedy } = decision;
    Versioned::new(Document { action, reasons, remedy })
}

/// The same as text.
pub fn json(decision: &Decision<Action, Reason>) -> String {
    json::text(&document(decision))
}

/// Every member, the decision, why, what to look out for, what to do.
///
/// # Errors
/// If it can't be written.
pub fn text(decision: &Decision<Action, Reason>, versions: &Versions, out: &mut dyn Write) -> io::Result<()> {
    members(decision, versions, out)?;
    writeln!(out)?;
    match &decision.action {
        Action::InSync => writeln!(out, "In sync")?,
        Action::NothingToCompare => writeln!(out, "Nothing to compare")?,
        Action::Push { member, version, overwrites } => {
            let losers: Vec<&str> = overwrites.iter().map(|(host, _)| host.as_str()).collect();
            writeln!(
                out,
                "Conflict: the configuration of {member} ({version}) wins, and overwrites that of {}",
                losers.join(", ")
            )?;
        }
    }
    for (label, warns) in [("because", false), ("warning:", true)] {
        let reasons = decision.reasons.iter().filter(|reason| reason.is_warning() == warns);
        reasons.into_iter().try_for_each(|reason| writeln!(out, "{label} {reason}"))?;
    }
    if !decision.remedy.is_empty() {
        writeln!(out, "\nWhat to do:")?;
    }
    let steps = decision.remedy.iter().enumerate();
    steps.into_iter().try_for_each(|(number, step)| writeln!(out, "  {}. {step}", number + 1))
}

fn members(decision: &Decision<Action, Reason>, versions: &Versions, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let mut header = vec!["member", "version", "written (UTC)"];
    // Ages only where the time of day is known.
    header.extend(versions.now.as_ref().map(|_| "age"));
    header.push("");
    table.set_header(header);
    for ((host, reply), text) in versions.replies.iter().zip(&versions.texts) {
        let said = text.as_ref().map_or_else(|| "-".to_owned(), |text| shown(text.trim_ascii()));
        let mut row = vec![host.to_string(), said, reply.version().and_then(date).unwrap_or_else(|| "-".to_owned())];
        row.extend(versions.now.as_ref().map(|now| reply.version().map_or_else(|| "-".to_owned(), |v| age(v, now))));
        row.push(state(host, reply, &decision.action));
        table.add_row(row);
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

fn state(host: &Hostname, reply: &Reply, action: &Action) -> String {
    let version = match reply {
        Reply::Version(version) => version,
        Reply::Unreachable => return "no answer".to_owned(),
        Reply::Unreadable(error) => return format!("no version: {error}"),
    };
    let state = match action {
        Action::InSync => "in sync",
        Action::NothingToCompare => "",
        Action::Push { member, .. } if member == host => "wins, pushes",
        Action::Push { version: winner, .. } if version == winner => "wins",
        Action::Push { version: winner, .. } if version > winner => "OVERWRITTEN although newer",
        Action::Push { .. } => "overwritten",
    };
    state.to_owned()
}

/// A member's words, not longer than a version can be.
fn shown(text: &str) -> String {
    match text.char_indices().nth(ConfigVersion::MAX) {
        Some((end, _)) => printable(&text.as_bytes()[..end]) + "...",
        None => printable(text.as_bytes()),
    }
}

/// `None` for a time that no calendar has.
fn date(version: &ConfigVersion) -> Option<String> {
    let seconds = i64::try_from(version.whole_seconds()?).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The two largest units.
fn age(version: &ConfigVersion, now: &ConfigVersion) -> String {
    let units = |seconds: u64| match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    };
    match (now.seconds_since(version), version.seconds_since(now)) {
        (Some(seconds), _) => units(seconds),
        (None, seconds) => format!("{} ahead", units(seconds.unwrap_or_default())),
    }
}
