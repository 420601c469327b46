//! What a supervisor tells: its log, and its answer to `pfcluster mariadb status`.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::form::WithText;
use pfcluster_core::galera::Observation;
use pfcluster_core::galera::bootstrap::{Action, Reason};
use pfcluster_core::supervisor::{
    Event, Fingerprint, KeyId, KeyIds, MessageError, OverrideStatus, Part, PeerStatus, PublicKey, Status,
};
use serde::Serialize;

use super::bootstrap::{self, Row, Shown};
use super::json::{self, Versioned, versioned};
use crate::documents::backup::BackupDocument;
use crate::documents::evidence::{EvidenceDocument, RecordsDocument};
use crate::host::evidence::{Note, Taken};

/// One line of the log, for people.
pub fn line(event: &Event) -> String {
    event.to_string()
}

/// The same for programs, as schemas/supervise-log.json says.
pub fn json_line(event: &Event, now: Timestamp) -> String {
    #[derive(Serialize)]
    struct Line<'e> {
        time: String,
        #[serde(flatten)]
        event: WithText<&'e Event>,
    }
    compact(&Line { time: now.to_string(), event: WithText(event) })
}

/// A line of the log that no event of the state machine is.
#[derive(Serialize)]
struct Beside<'l> {
    time: String,
    event: &'static str,
    text: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'l str>,
}

/// That it was told to end, as a line of the log.
pub fn json_ending(text: &str, now: Timestamp) -> String {
    compact(&Beside { time: now.to_string(), event: "ending", text, help: None })
}

/// A note, as a line of the log.
pub fn json_note(note: &Note, now: Timestamp) -> String {
    compact(&Beside { time: now.to_string(), event: "note", text: &note.message, help: Some(&note.help) })
}

/// One line.
fn compact(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

/// The evidence of all members that is known, gathered at this moment, as `bootstrap --evidence` reads it.
pub fn evidence(status: &Status, now: &Taken) -> String {
    #[derive(Serialize)]
    struct Members {
        members: Vec<EvidenceDocument>,
    }
    versioned(Members { members: status.members.iter().filter_map(|member| gathered(member, now)).collect() }) + "\n"
}

fn gathered(member: &PeerStatus, now: &Taken) -> Option<EvidenceDocument> {
    let Observation::Known(evidence) = &member.seen.observation else { return None };
    let taken = now.earlier(member.age?.as_secs());
    Some(EvidenceDocument::new(member.seen.host.clone(), taken, evidence, Vec::new()))
}

fn shown(status: &Status) -> Vec<Shown<'_>> {
    let age = |member: &PeerStatus| member.age.and_then(|age| i64::try_from(age.as_secs()).ok());
    status.members.iter().map(|member| Shown { seen: &member.seen, age: age(member) }).collect()
}

/// As schemas/mariadb-status.json says.
pub fn document(status: &Status) -> impl Serialize {
    #[derive(Serialize)]
    struct Document<'s> {
        host: &'s Hostname,
        part: Option<Part>,
        decision: Option<&'s Decision<Action, Reason>>,
        members: Vec<Member<'s>>,
        records: RecordsDocument,
        words: Vec<Word<'s>>,
        keys: Option<KeyIds>,
        pinned_others: &'s [Hostname],
        retry_in: Option<u64>,
        dropped: Vec<Dropped<'s>>,
    }
    #[derive(Serialize)]
    struct Word<'s> {
        #[serde(flatten)]
        word: &'s OverrideStatus,
        command: Option<String>,
    }
    #[derive(Serialize)]
    struct Dropped<'s> {
        why: &'s MessageError,
        count: u64,
    }
    let command = |word: &OverrideStatus| word.needed_on.as_ref().map(|_| word.given.saying.command());
    let members = status.members.iter().zip(shown(status));
    let document = Document {
        host: &status.me,
        part: status.part,
        decision: status.decision.as_ref(),
        members: members.map(|(member, shown)| Member::new(member, &shown)).collect(),
        records: RecordsDocument::new(&status.records),
        words: status.words.iter().map(|word| Word { word, command: command(word) }).collect(),
        keys: status.keys,
        pinned_others: &status.pinned_others,
        retry_in: status.retry_in.map(|left| left.as_secs()),
        dropped: status.dropped.iter().map(|(why, &count)| Dropped { why, count }).collect(),
    };
    Versioned::new(document)
}

/// The same as text.
pub fn json(status: &Status) -> String {
    json::text(&document(status)) + "\n"
}

/// A member in that document.
#[derive(Serialize)]
struct Member<'s> {
    #[serde(flatten)]
    row: Row<'s>,
    supervisor: bool,
    virtual_addresses: Option<Vec<Vip>>,
    last_backup: Option<BackupDocument>,
    keys: Option<KeyIds>,
    signing_key: Option<Fingerprint>,
    refused_keys: Vec<Fingerprint>,
}

#[derive(Serialize)]
struct Vip {
    address: Ipv4Addr,
    held_for: u64,
}

impl<'s> Member<'s> {
    fn new(member: &PeerStatus, shown: &Shown<'s>) -> Member<'s> {
        let vip = |(address, held): &(Ipv4Addr, Duration)| Vip { address: *address, held_for: held.as_secs() };
        Member {
            row: Row::of(shown),
            supervisor: member.has_supervisor,
            virtual_addresses: member.held.as_ref().map(|vips| vips.iter().map(vip).collect()),
            last_backup: BackupDocument::new(&member.backup),
            keys: member.keys,
            signing_key: member.signing_key,
            refused_keys: member.refused_keys.iter().map(PublicKey::fingerprint).collect(),
        }
    }
}

/// How far the change of the key has come.
fn rotation(status: &Status, keys: KeyIds, out: &mut dyn Write) -> io::Result<()> {
    let Some(next) = keys.next else { return Ok(()) };
    let missing: Vec<String> = not_accepting(status, next).into_iter().map(ToString::to_string).collect();
    if missing.is_empty() {
        writeln!(out, "next key: {next}, accepted by all members: `pfcluster key rotate --finish`")
    } else {
        writeln!(out, "next key: {next}, not accepted yet by {}", missing.join(", "))
    }
}

/// With which keys of their own members are heard; nothing as long as none has one.
fn signing_keys(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let has_key = |member: &PeerStatus| member.signing_key.is_some() || !member.refused_keys.is_empty();
    if !status.members.iter().any(has_key) {
        return Ok(());
    }
    for PeerStatus { seen, signing_key, refused_keys, .. } in &status.members {
        let host = &seen.host;
        match signing_key {
            Some(key) => writeln!(out, "signing key of {host}: {key}")?,
            None => writeln!(out, "signing key of {host}: none, its messages are not signed")?,
        }
        for refused in refused_keys.iter().map(PublicKey::fingerprint) {
            writeln!(out, "  refused: another key in its name, {refused}")?;
            writeln!(
                out,
                "  only if {host} was installed anew, and `pfcluster mariadb status` on {host} shows that key as its own: \
                 `pfcluster key accept {host} --id {refused}`"
            )?;
        }
    }
    Ok(())
}

fn not_accepting(status: &Status, key: KeyId) -> Vec<&Hostname> {
    let accepts = |member: &&PeerStatus| member.keys.is_some_and(|ids| ids.accepts(key));
    status.members.iter().filter(|member| !accepts(member)).map(|member| &member.seen.host).collect()
}

/// For people.
///
/// # Errors
/// If it can't be written.
pub fn text(status: &Status, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(status);
    match &status.decision {
        Some(decision) => bootstrap::text(decision, &shown, color, out)?,
        None => writeln!(out, "The supervisor has not seen its own database yet")?,
    }
    let silent: Vec<String> = status
        .members
        .iter()
        .filter(|member| !member.has_supervisor)
        .map(|member| member.seen.host.to_string())
        .collect();
    writeln!(out)?;
    if !silent.is_empty() {
        writeln!(out, "no supervisor reachable on: {}", silent.join(", "))?;
    }
    match status.part {
        Some(part) => writeln!(out, "now: {part}")?,
        None => writeln!(out, "now: monitoring")?,
    }
    if let Some(left) = status.retry_in {
        writeln!(out, "what failed may be tried again in {} s", left.as_secs())?;
    }
    for OverrideStatus { given, needed_on, .. } in &status.words {
        let (saying, origin, left) = (&given.saying, &given.origin, given.left.as_secs());
        match needed_on {
            None => writeln!(out, "override, valid for {left} s, given on {origin}: {saying}")?,
            Some(member) => {
                writeln!(out, "asked for on {origin}, valid for {left} s: {saying}")?;
                writeln!(out, "  it has no effect on {member} until it is given there: `{}`", saying.command())?;
            }
        }
    }
    if let Some(keys) = status.keys {
        writeln!(out, "key: {}", keys.current)?;
        rotation(status, keys, out)?;
    }
    signing_keys(status, out)?;
    for host in &status.pinned_others {
        writeln!(out, "signing key of {host}, which is not in cluster.conf: pinned")?;
        writeln!(
            out,
            "  if it was renamed, check that the key shown for the new name is its own; then, and if it was removed: `pfcluster key \
             forget {host}`"
        )?;
    }
    for (why, count) in &status.dropped {
        writeln!(out, "datagrams dropped: {count}: {why}")?;
    }
    Ok(())
}
