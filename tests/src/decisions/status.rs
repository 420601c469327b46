//! How the cluster is: the command of tests/testdata/status.
//!
//! ```text
//! cluster-status
//! pf1  primary sees=pf1,pf2 at=1204 connections=12/1000
//! pf2  closed
//! pf3  silent disabled
//! vip eth0 192.168.1.10 held=pf1@1510000000 unknown=pf2,pf3
//! ```
//!
//! A member is `primary`, `non-primary` or `disconnected`, with what it says (below, with what it is without), or
//! `without-galera`, `full`, `closed`, `stopped`, `silent`, `refused`, `garbled`, `not-asked`; further words are `disabled`,
//! `elsewhere` (another database), `maintenance`, `configuration=VERSION`.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::Reply;
use pfcluster_core::decision::Decision;
use pfcluster_core::form::kind_of;
use pfcluster_core::galera::{ClusterStatus, LocalState, Running, Uuid};
use pfcluster_core::status::{Connections, Database, Galera, Holder, Reason, Seen, Server, Verdict, Vip, assess};

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "cluster-status").then(|| decide(&case.input).map(|decision| text(&decision)))
}

/// What is thought of a cluster.
///
/// # Errors
/// A sentence about a line that makes no sense.
pub fn decide(input: &str) -> Result<Decision<Verdict, Reason>, String> {
    let (members, vips) = seen(input)?;
    Ok(assess(&members, &vips))
}

/// What was seen of a cluster.
pub(super) fn seen(input: &str) -> Result<(Vec<Seen>, Vec<Vip>), String> {
    let (mut members, mut vips) = (Vec::new(), Vec::new());
    for line in input.lines().filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix("vip ") {
            Some(line) => vips.push(vip(line)?),
            None => members.push(member(line)?),
        }
    }
    Ok((members, vips))
}

/// The verdict, why, and what to do.
fn text(decision: &Decision<Verdict, Reason>) -> String {
    let mut out = format!("{}\n", kind_of(&decision.action));
    decision.reasons.iter().for_each(|reason| out += &format!("  because {reason} ({})\n", kind_of(reason)));
    decision.remedy.iter().for_each(|step| out += &format!("  to do: {step}\n"));
    out
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error| format!("`{word}`: {error}"))
}

fn hosts(names: &str) -> Result<Vec<Hostname>, String> {
    names.split(',').filter(|name| !name.is_empty()).map(parsed).collect()
}

fn member(line: &str) -> Result<Seen, String> {
    let words = Words(line.split_whitespace().collect());
    let [host, state, ..] = words.0[..] else { return Err(format!("`{line}` is no member")) };
    Ok(Seen {
        host: parsed(host)?,
        enabled: !words.has("disabled"),
        in_database: !words.has("elsewhere"),
        maintenance: words.has("maintenance").then_some(true),
        database: words.database(host, state)?,
        configuration: words.value("configuration").map(Reply::of_text),
    })
}

struct Words<'w>(Vec<&'w str>);

impl<'w> Words<'w> {
    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn value(&self, key: &str) -> Option<&'w str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn database(&self, host: &str, state: &str) -> Result<Database, String> {
        let why = || Box::from("for a reason");
        let running = |galera| -> Result<Database, String> {
            Ok(Database::Running(Box::new(Server { galera, connections: self.connections()? })))
        };
        Ok(match state {
            "primary" => running(Some(self.galera(host, ClusterStatus::Primary, LocalState::Synced)?))?,
            "non-primary" => running(Some(self.galera(host, ClusterStatus::NonPrimary, LocalState::Initialized)?))?,
            "disconnected" => {
                running(Some(self.galera(host, ClusterStatus::Disconnected, LocalState::Initialized)?))?
            }
            "without-galera" => running(None)?,
            "full" => Database::Full,
            "closed" => Database::Closed,
            "stopped" => Database::Stopped,
            "silent" => Database::Silent(why()),
            "refused" => Database::Refused(why()),
            "garbled" => Database::Garbled(why()),
            "not-asked" => Database::NotAsked(why()),
            other => return Err(format!("`{other}` is no state")),
        })
    }

    fn connections(&self) -> Result<Option<Connections>, String> {
        let (used, max) = match self.value("connections") {
            Some(text) => text.split_once('/').ok_or("connections=USED/MAX")?,
            None => return Ok(None),
        };
        Ok(Some(Connections { used: parsed(used)?, max: parsed(max)? }))
    }

    /// Without more words: history `A`, it sees itself, its component has as many members as it sees.
    fn galera(&self, host: &str, status: ClusterStatus, state: LocalState) -> Result<Galera, String> {
        let sees = hosts(self.value("sees").unwrap_or(host))?;
        let sees_others: Vec<Box<str>> =
            self.value("others").unwrap_or_default().split(',').filter(|one| !one.is_empty()).map(Into::into).collect();
        let uuid = match self.value("uuid") {
            None => Uuid::from_u128(0xA),
            Some("zero") => Uuid::ZERO,
            Some(letter) => Uuid::from_u128(u128::from_str_radix(letter, 16).map_err(|error| error.to_string())?),
        };
        let count = u32::try_from(sees.len() + sees_others.len()).map_err(|error| error.to_string())?;
        let size = self.value("size").map_or(Ok(count), parsed)?;
        let state = match self.value("state") {
            None => state,
            Some("joining") => LocalState::Joining,
            Some("donor") => LocalState::Donor,
            Some("joined") => LocalState::Joined,
            Some("inconsistent") => LocalState::Inconsistent,
            Some(other) => return Err(format!("`{other}` is no local state")),
        };
        let last_committed = self.value("at").map_or(Ok(1200), parsed)?;
        Ok(Galera {
            running: Running { uuid, status, state, size, last_committed, sees, sees_others },
            ready: Some(!self.has("not-ready")),
            flow_control_paused: self.value("paused").map(parsed).transpose()?,
            weight: self.value("weight").map(parsed).transpose()?,
        })
    }
}

fn vip(line: &str) -> Result<Vip, String> {
    let words = Words(line.split_whitespace().collect());
    let [interface, address, ..] = words.0[..] else { return Err(format!("`{line}` is no virtual address")) };
    let holder = |text: &str| {
        let (host, since) = text.split_once('@').map_or((text, None), |(host, since)| (host, Some(since)));
        Ok::<_, String>(Holder { host: parsed(host)?, since: since.map(parsed).transpose()? })
    };
    let held = words.value("held").unwrap_or_default();
    Ok(Vip {
        interface: parsed(interface)?,
        address: parsed(address)?,
        holders: held.split(',').filter(|text| !text.is_empty()).map(holder).collect::<Result<_, _>>()?,
        unknown: hosts(words.value("unknown").unwrap_or_default())?,
    })
}
