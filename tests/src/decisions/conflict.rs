//! Whose configuration wins: the commands of tests/testdata/conflict.
//!
//! `resolve me=pf1 [policy=majority] [now=SECONDS]`: a line for each enabled member, `pf1 1510000000.12345`, `pf2 silent`, or
//! what its version file holds in quotes with `\n`, `\t` and `\\`: `pf3 "0\n"`.
//!
//! `compare`: two versions on each line.
//!
//! `monitor [interval=SECONDS] [threshold=SECONDS] [checked=SECONDS] [healthy=SECONDS]`: a line for each check, its time and
//! what it found (`sync`, `sync-but-silent`, `nothing`, `conflict`), and `elsewhere` if another member holds the virtual
//! address. `poll` as finding only asks what there is to do.

use std::str::FromStr;
use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{
    Action, ConfigVersion, ConflictMonitor, Outcome, Policy, Poll, Reason, Reply, VersionError, resolve,
};
use pfcluster_core::decision::Decision;

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    match case.command.as_str() {
        "resolve" => Some(resolved(case)),
        "compare" => Some(compared(case)),
        "monitor" => Some(monitored(case)),
        _ => None,
    }
}

fn resolved(case: &Case) -> Result<String, String> {
    let replies: Vec<(Hostname, Reply)> = case.input.lines().map(reply).collect::<Result<_, _>>()?;
    let me: Hostname = parsed(case.value("me").ok_or("`resolve` needs me=HOST")?)?;
    let now: Option<ConfigVersion> = case.value("now").map(parsed).transpose()?;
    let policy = match case.value("policy") {
        None | Some("guide") => Policy::Guide,
        Some("majority") => Policy::Majority,
        Some(other) => return Err(format!("there is no policy `{other}`")),
    };
    Ok(match resolve(&replies, &me, now.as_ref(), policy) {
        Ok(decision) => answer(&decision),
        Err(refused) => format!("refused: {refused}\n"),
    })
}

fn answer(decision: &Decision<Action, Reason>) -> String {
    let mut out = match &decision.action {
        Action::InSync => "in sync\n".to_owned(),
        Action::NothingToCompare => "nothing to compare\n".to_owned(),
        Action::Push { member, version, overwrites } => {
            let lost = overwrites.iter().map(|(host, version)| format!("  over {host} {version}\n"));
            format!("{member} pushes {version}\n") + &lost.collect::<String>()
        }
    };
    for reason in &decision.reasons {
        out += &format!("  {} {reason}\n", if reason.is_warning() { "warning" } else { "because" });
    }
    decision.remedy.iter().for_each(|step| out += &format!("  remedy {step}\n"));
    out
}

fn reply(line: &str) -> Result<(Hostname, Reply), String> {
    let (host, said) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no member and what it says"))?;
    let reply = if said == "silent" { Reply::Unreachable } else { Reply::of_text(&text(said)) };
    Ok((parsed(host)?, reply))
}

/// A version as it stands there, or in quotes with `\n`, `\t` and `\\`.
fn text(said: &str) -> String {
    match said.strip_prefix('"').and_then(|said| said.strip_suffix('"')) {
        Some(said) => said.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\"),
        None => said.to_owned(),
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

fn compared(case: &Case) -> Result<String, String> {
    let lines = case.input.lines().map(|line| {
        let (one, other) = line.split_once(" and ").ok_or_else(|| format!("`{line}` is not `VERSION and VERSION`"))?;
        let version =
            |said| text(said).parse().map_err(|error: VersionError| format!("{said} is unreadable: {error}\n"));
        let (first, second): (ConfigVersion, ConfigVersion) = match (version(one), version(other)) {
            (Ok(first), Ok(second)) => (first, second),
            (Err(error), _) | (_, Err(error)) => return Ok(error),
        };
        let seconds = |later: &ConfigVersion, earlier| {
            later.seconds_since(earlier).map_or_else(|| "not later".to_owned(), |seconds| format!("{seconds} s later"))
        };
        let order = match first.cmp(&second) {
            std::cmp::Ordering::Less => format!("{second} is more recent, {}", seconds(&second, &first)),
            std::cmp::Ordering::Equal => format!("{first} is the same as {second}"),
            std::cmp::Ordering::Greater => format!("{first} is more recent, {}", seconds(&first, &second)),
        };
        Ok(order + "\n")
    });
    lines.collect()
}

fn monitored(case: &Case) -> Result<String, String> {
    let seconds = |key| case.value(key).map(|text| parsed(text).map(Duration::from_secs)).transpose();
    let interval = seconds("interval")?.unwrap_or(ConflictMonitor::INTERVAL);
    let mut monitor = ConflictMonitor::new(interval, seconds("threshold")?.unwrap_or(ConflictMonitor::THRESHOLD));
    (monitor.history.checked, monitor.history.healthy) = (seconds("checked")?, seconds("healthy")?);
    let mut out = String::new();
    for line in case.input.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (time, found) = match &words[..] {
            [time, found] | [time, found, "elsewhere"] => (parsed(time).map(Duration::from_secs)?, *found),
            _ => return Err(format!("`{line}` is no check")),
        };
        let holds_vip = words.len() == 2;
        let said = if found == "poll" {
            match monitor.poll(time, holds_vip) {
                Poll::Wait { until } => format!("wait until {}", until.as_secs()),
                other => format!("{other:?}").to_lowercase(),
            }
        } else {
            match monitor.observe(time, holds_vip, &finding(found)?) {
                Outcome::Grace { elapsed } => format!("grace, {} s since healthy", elapsed.as_secs()),
                Outcome::Resolve { elapsed } => format!("resolve, {} s since healthy", elapsed.as_secs()),
                other => format!("{other:?}").to_lowercase(),
            }
        };
        out += &format!("{line}: {said}\n");
    }
    Ok(out)
}

/// What three members say in each case.
fn finding(word: &str) -> Result<Action, String> {
    let says = match word {
        "sync" => ["pf1 7", "pf2 7", "pf3 7"],
        "sync-but-silent" => ["pf1 7", "pf2 7", "pf3 silent"],
        "nothing" => ["pf1 7", "pf2 silent", "pf3 silent"],
        "conflict" => ["pf1 7", "pf2 8", "pf3 8"],
        other => return Err(format!("there is no finding `{other}`")),
    };
    let replies: Vec<(Hostname, Reply)> = says.into_iter().map(reply).collect::<Result<_, _>>()?;
    let decision = resolve(&replies, &parsed("pf1")?, None, Policy::Guide).map_err(|error| error.to_string())?;
    Ok(decision.action)
}
