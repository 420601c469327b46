//! The answer of `sync`, for people and for programs.

use std::io::{self, Write};

use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::sync::SyncPath;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{diff, json::text as pretty};
use crate::host::sync::{FileState, MemberReport, VersionState};

/// Which way files went, or would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From here to members.
    Push,
    /// From a member to here.
    Pull,
}

/// As schemas/sync.json says.
pub fn json(direction: Direction, dry_run: bool, version: Option<&ConfigVersion>, reports: &[MemberReport]) -> String {
    let members: Vec<Value> = reports.iter().map(member).collect();
    pretty(&json!({
        "version": 1,
        "direction": if direction == Direction::Push { "push" } else { "pull" },
        "dry_run": dry_run,
        "config_version": version.map(ConfigVersion::as_str),
        "members": members,
    }))
}

fn member(report: &MemberReport) -> Value {
    let files: Vec<Value> = report.files.iter().map(|(path, state)| file(path, state)).collect();
    let (state, message) = match &report.version {
        VersionState::Untouched => ("untouched", None),
        VersionState::Set => ("set", None),
        VersionState::NotSet(why) => ("not_set", Some(why)),
    };
    json!({
        "member": report.name,
        "address": report.address.to_string(),
        "files": files,
        "version_state": state,
        "message": message,
    })
}

fn file(path: &SyncPath, state: &FileState) -> Value {
    let message = match state {
        FileState::Failed(why) => Some(why),
        _ => None,
    };
    let mut document = json!({ "path": path.as_str(), "state": kind(state), "message": message });
    if let FileState::Differs { old, new } = state {
        document["old_sha256"] = old.as_ref().map(|old| hash(old)).into();
        document["new_sha256"] = hash(new).into();
    }
    document
}

fn kind(state: &FileState) -> &'static str {
    match state {
        FileState::Done => "done",
        FileState::Same => "same",
        FileState::Differs { .. } => "differs",
        FileState::Absent => "absent",
        FileState::Failed(_) => "failed",
        FileState::NotTried => "not_tried",
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text: String, byte| text + &format!("{byte:02x}"))
}

/// True if everything arrived, or nothing would change.
pub fn is_complete(reports: &[MemberReport]) -> bool {
    reports.iter().all(|report| report.is_fine() && !report.differs())
}

/// A paragraph for each member: what arrived, what did not and why, what differs.
///
/// # Errors
/// If it can't be written.
pub fn text(
    direction: Direction,
    version: Option<&ConfigVersion>,
    reports: &[MemberReport],
    out: &mut dyn Write,
) -> io::Result<()> {
    for report in reports {
        writeln!(out, "{} ({}): {}", report.name, report.address, summary(direction, version, report))?;
        if let VersionState::NotSet(why) = &report.version {
            writeln!(out, "  version not set: {why}")?;
        }
        for (path, state) in &report.files {
            match state {
                FileState::Failed(why) => writeln!(out, "  failed: {path}: {why}")?,
                FileState::Done if direction == Direction::Pull => writeln!(out, "  written: {path}")?,
                FileState::Differs { old, new } => difference(path, old.as_deref(), new, out)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn summary(direction: Direction, version: Option<&ConfigVersion>, report: &MemberReport) -> String {
    let done = if direction == Direction::Push { "pushed" } else { "written" };
    let absent = if direction == Direction::Push { "not here" } else { "not there" };
    let words = [
        ("done", done),
        ("differs", "to change"),
        ("same", "the same"),
        ("absent", absent),
        ("failed", "failed"),
        ("not_tried", "not tried"),
    ];
    let counted = words
        .into_iter()
        .map(|(word, name)| (report.files.iter().filter(|(_, state)| kind(state) == word).count(), name));
    let counted = counted.filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = counted.map(|(count, name)| format!("{count} {name}")).collect();
    if let Some(first) = parts.first_mut()
        && let Some((count, rest)) = first.split_once(' ')
    {
        *first = format!("{count} {} {rest}", if count == "1" { "file" } else { "files" });
    }
    if let (VersionState::Set, Some(version)) = (&report.version, version) {
        parts.push(format!("version {version} set"));
    }
    if parts.is_empty() { "no files".to_owned() } else { parts.join(", ") }
}

fn difference(path: &SyncPath, old: Option<&[u8]>, new: &[u8], out: &mut dyn Write) -> io::Result<()> {
    if !path.is_opaque() {
        return diff::texts(path.as_str(), old, new, out);
    }
    let shown = |bytes: &[u8]| format!("{} bytes, sha256 {}", bytes.len(), hash(bytes));
    writeln!(out, "--- {path}: {}", old.map_or_else(|| "not there".to_owned(), shown))?;
    writeln!(out, "+++ {path}: {}", shown(new))
}
