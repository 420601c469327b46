//! The answer of `sync`, for people and for programs.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::sync::SyncPath;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::diff;
use super::json::{self, Versioned};
use crate::host::sync::{FileState, MemberReport, VersionState};

/// Which way files went, or would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From here to members.
    Push,
    /// From a member to here.
    Pull,
}

/// As schemas/sync.json says.
pub fn document<'r>(
    direction: Direction,
    dry_run: bool,
    version: Option<&'r ConfigVersion>,
    reports: &'r [MemberReport],
) -> impl Serialize + use<'r> {
    #[derive(Serialize)]
    struct Document<'r> {
        direction: Direction,
        dry_run: bool,
        config_version: Option<&'r ConfigVersion>,
        members: Vec<MemberDocument<'r>>,
    }
    Versioned::new(Document {
        direction,
        dry_run,
        config_version: version,
        members: reports.iter().map(MemberDocument::new).collect(),
    })
}

/// The same as text.
pub fn json(direction: Direction, dry_run: bool, version: Option<&ConfigVersion>, reports: &[MemberReport]) -> String {
    json::text(&document(direction, dry_run, version, reports))
}

#[derive(Serialize)]
struct MemberDocument<'r> {
    member: &'r str,
    address: Ipv4Addr,
    files: Vec<FileDocument<'r>>,
    version_state: &'static str,
    message: Option<&'r str>,
}

#[derive(Serialize)]
struct FileDocument<'r> {
    path: &'r str,
    state: &'static str,
    message: Option<&'r str>,
    #[serde(flatten)]
    differs: Option<Hashes>,
}

#[derive(Serialize)]
struct Hashes {
    old_sha256: Option<String>,
    new_sha256: String,
}

impl MemberDocument<'_> {
    fn new(report: &MemberReport) -> MemberDocument<'_> {
        let (version_state, message) = match &report.version {
            VersionState::Untouched => ("untouched", None),
            VersionState::Set => ("set", None),
            VersionState::NotSet(why) => ("not_set", Some(&**why)),
        };
        let files = report.files.iter().map(|(path, state)| FileDocument::new(path, state));
        MemberDocument { member: &report.name, address: report.address, files: files.collect(), version_state, message }
    }
}

impl<'r> FileDocument<'r> {
    fn new(path: &'r SyncPath, state: &'r FileState) -> FileDocument<'r> {
        let (mut message, mut differs) = (None, None);
        match state {
            FileState::Failed(why) => message = Some(&**why),
            FileState::Differs { old, new } => {
                differs = Some(Hashes { old_sha256: old.as_ref().map(|old| hash(old)), new_sha256: hash(new) });
            }
            FileState::Done | FileState::Same | FileState::Absent | FileState::NotTried => {}
        }
        FileDocument { path: path.as_str(), state: kind(state), message, differs }
    }
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
    hex::encode(Sha256::digest(bytes))
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
