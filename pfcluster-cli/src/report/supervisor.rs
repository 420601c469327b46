//! What a supervisor tells: its log, and its answer to `pfcluster mariadb status`.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::Observation;
use pfcluster_core::supervisor::{Event, KeyId, KeyIds, Origin, OverrideStatus, PeerStatus, Saying, Status};
use serde_json::{Map, Value, json};

use super::backup::BackupDocument;
use super::bootstrap::{self, Shown};
use super::evidence::{EvidenceDocument, records_value};
use super::json::text as pretty;
use crate::host::evidence::{Note, Taken};

/// One line of the log, for people.
pub fn line(event: &Event) -> String {
    event.to_string()
}

/// The same for programs, as schemas/supervise-log.json says.
pub fn json_line(event: &Event, now: Timestamp) -> String {
    let mut line = Map::from_iter([("time".to_owned(), now.to_string().into())]);
    line.extend(event_document(event));
    Value::from(line).to_string()
}

/// A line of the log without its time.
pub fn event_document(event: &Event) -> Map<String, Value> {
    let mut document = Map::from_iter([("event".to_owned(), event.kind().into())]);
    let mut add = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    match event {
        Event::Decided { action, reasons, remedy } => {
            add("action", bootstrap::with_text(json!(action), action));
            add("reasons", reasons.iter().map(|reason| bootstrap::with_text(json!(reason), reason)).collect());
            add("remedy", remedy.iter().map(ToString::to_string).collect());
        }
        Event::Acts { part, overrides } => {
            add("part", json!(part));
            add("overrides", overrides.iter().map(|given| override_value(&given.saying, &given.origin)).collect());
        }
        Event::WouldAct { part } | Event::CalledOff { part } => add("part", json!(part)),
        Event::Said { saying, origin } | Event::Served { saying, origin } => {
            add("override", override_value(saying, origin));
        }
        Event::Needed { saying, origin } => {
            add("override", override_value(saying, origin));
            add("command", saying.command().into());
        }
        Event::Failed { part, why, again } => {
            add("part", json!(part));
            add("why", json!(why));
            add("again", json!(again));
        }
        Event::Ended { why } | Event::NotRecorded { why } | Event::NotSynced { why } => add("why", json!(why)),
        Event::Heard { from } => add("member", json!(from)),
        Event::KeysRead { keys } => {
            add("key", json!(keys.current));
            add("next_key", json!(keys.next));
        }
        Event::KeyAccepted { next } => add("next_key", json!(next)),
        Event::SigningKeyRead { key } => add("signing_key", json!(key)),
        Event::Pinned { member, key, before } => {
            add("member", json!(member));
            add("signing_key", json!(key));
            add("before", json!(before));
        }
        Event::Dropped { error, count } => {
            add("error", error.to_string().into());
            add("count", json!(count));
        }
        _ => {}
    }
    add("text", event.to_string().into());
    document
}

/// That it was told to end, as a line of the log.
pub fn json_ending(text: &str, now: Timestamp) -> String {
    json!({ "time": now.to_string(), "event": "ending", "text": text }).to_string()
}

/// A note, as a line of the log.
pub fn json_note(note: &Note, now: Timestamp) -> String {
    json!({ "time": now.to_string(), "event": "note", "text": note.message, "help": note.help }).to_string()
}

/// The evidence of all members that is known, gathered at this moment, as `bootstrap --evidence` reads it.
pub fn evidence(status: &Status, now: &Taken) -> String {
    let members: Vec<EvidenceDocument> = status.members.iter().filter_map(|member| document(member, now)).collect();
    pretty(&json!({ "version": 1, "members": members })) + "\n"
}

fn document(member: &PeerStatus, now: &Taken) -> Option<EvidenceDocument> {
    let Observation::Known(evidence) = &member.seen.observation else { return None };
    let taken = now.earlier(member.age?.as_secs());
    Some(EvidenceDocument::new(member.seen.host.clone(), taken, evidence, Vec::new()))
}

fn shown(status: &Status) -> Vec<Shown<'_>> {
    let age = |member: &PeerStatus| member.age.and_then(|age| i64::try_from(age.as_secs()).ok());
    status.members.iter().map(|member| Shown { seen: &member.seen, age: age(member) }).collect()
}

/// As schemas/mariadb-status.json says.
pub fn json(status: &Status) -> String {
    let shown = shown(status);
    let members = status.members.iter().zip(&shown).map(|(member, shown)| {
        let mut document = bootstrap::member(shown);
        document["supervisor"] = member.has_supervisor.into();
        let held = |(vip, held): &(Ipv4Addr, Duration)| json!({ "address": vip, "held_for": held.as_secs() });
        document["virtual_addresses"] =
            member.held.as_ref().map(|vips| vips.iter().map(held).collect::<Vec<Value>>()).into();
        document["last_backup"] = json!(BackupDocument::new(&member.backup));
        document["keys"] = json!(member.keys);
        document["signing_key"] = json!(member.signing_key);
        document["refused_key"] = json!(member.refused_key.map(|key| key.fingerprint()));
        document
    });
    pretty(&json!({
        "version": 1,
        "host": status.me,
        "part": status.part,
        "decision": status.decision.as_ref().map(bootstrap::decision_value),
        "members": members.collect::<Vec<Value>>(),
        "records": records_value(&status.records),
        "words": status.words.iter().map(word).collect::<Vec<Value>>(),
        "keys": status.keys,
        "retry_in": status.retry_in.map(|left| left.as_secs()),
        "dropped": status.dropped.iter().map(|(why, count)| json!({ "why": why.to_string(), "count": count })).collect::<Vec<Value>>(),
    })) + "\n"
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
    let has_key = |member: &PeerStatus| member.signing_key.is_some() || member.refused_key.is_some();
    if !status.members.iter().any(has_key) {
        return Ok(());
    }
    for PeerStatus { seen, signing_key, refused_key, .. } in &status.members {
        let host = &seen.host;
        match signing_key {
            Some(key) => writeln!(out, "signing key of {host}: {key}")?,
            None => writeln!(out, "signing key of {host}: none, its messages are not signed")?,
        }
        if let Some(refused) = refused_key.map(|key| key.fingerprint()) {
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

fn override_value(saying: &Saying, origin: &Origin) -> Value {
    json!({ "text": saying.to_string(), "given_on": origin.member, "user": origin.user })
}

fn word(word: &OverrideStatus) -> Value {
    let mut document = override_value(&word.given.saying, &word.given.origin);
    document["left"] = word.given.left.as_secs().into();
    document["needed_on"] = json!(word.needed_on);
    document["command"] = json!(word.needed_on.as_ref().map(|_| word.given.saying.command()));
    document
}

/// For people.
///
/// # Errors
/// If it can't be written.
pub fn text(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(status);
    match &status.decision {
        Some(decision) => bootstrap::text(decision, &shown, out)?,
        None => writeln!(out, "It has not seen its own database yet")?,
    }
    let silent: Vec<String> = status
        .members
        .iter()
        .filter(|member| !member.has_supervisor)
        .map(|member| member.seen.host.to_string())
        .collect();
    writeln!(out)?;
    if !silent.is_empty() {
        writeln!(out, "no supervisor heard: {}", silent.join(", "))?;
    }
    match status.part {
        Some(part) => writeln!(out, "now: {part}")?,
        None => writeln!(out, "now: watches")?,
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
    for (why, count) in &status.dropped {
        writeln!(out, "datagrams dropped: {count}: {why}")?;
    }
    Ok(())
}
