//! How far somebody has come: what was seen, held against each step's checks.
//!
//! A check is *done*, *not yet*, or *can't be told* from here. What only other machines see, and what a person has to look
//! at, is said and not counted: a step that has nothing else can't be told, and holds up nothing. A step is done if all of its
//! checks that count are.
//!
//! Steps follow each other, and what one has stopped a later one starts again. So:
//!
//! 1. If a later step is done whose landmark holds, a step is done, whatever its own checks say by now.
//! 2. If an earlier step is not done yet, a step is not either, though its checks may hold already.

use std::collections::BTreeMap;

use serde::Serialize;

use super::check::{Check, Expected, Fact};
use super::{Runbook, Step};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::Reply;
use pfcluster_core::decision::and;
use pfcluster_core::galera::{ClusterStatus, LocalState};
use pfcluster_core::status::{Database, Seen, Vip};

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Observed<'o> {
    /// The machine that looks; `None` if it is no member.
    pub me: Option<Hostname>,
    /// All members of cluster.conf, as `status` saw them.
    pub members: &'o [Seen],
    /// The virtual addresses.
    pub vips: &'o [Vip],
    /// What the machine knows of itself: each fact of [`Runbook::facts`].
    pub facts: BTreeMap<Fact, Found>,
}

/// What came of looking at a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its value; empty for nothing.
    Value(String),
    /// It could not be seen, for this reason.
    Unknown(String),
}

/// A verdict with three states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds.
    Done,
    /// It can't be told.
    CannotTell,
    /// It does not hold.
    NotYet,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub standing: Standing,
    /// What was seen, or why it can't be told; empty where the check says it all.
    pub why: String,
    /// It can't be told from this machine, whatever is done here, so it does not count beside others.
    pub is_elsewhere: bool,
}

impl Checked {
    fn done() -> Checked {
        Checked { standing: Standing::Done, why: String::new(), is_elsewhere: false }
    }

    fn not_yet(why: impl Into<String>) -> Checked {
        Checked { standing: Standing::NotYet, why: why.into(), is_elsewhere: false }
    }

    fn unknown(why: impl Into<String>) -> Checked {
        Checked { standing: Standing::CannotTell, why: why.into(), is_elsewhere: false }
    }

    fn elsewhere(why: impl Into<String>) -> Checked {
        Checked { standing: Standing::CannotTell, why: why.into(), is_elsewhere: true }
    }
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepStanding {
    /// The verdict.
    pub standing: Standing,
    /// The other step (from 0) that decides: a later one that shows that this one is done, or an earlier one that is not.
    pub by: Option<usize>,
    /// Its checks, in order.
    pub checks: Vec<Checked>,
}

/// How far somebody has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The steps, in order.
    pub steps: Vec<StepStanding>,
    /// The first step (from 0) that is not known to be done; `None` if all that can be told are.
    pub next: Option<usize>,
}

impl StepStanding {
    /// Something of it can be told from here.
    fn counts(&self) -> bool {
        self.checks.iter().any(|check| !check.is_elsewhere)
    }
}

impl Progress {
    /// The verdict of the whole: the worst of the steps of which something can be told.
    pub fn standing(&self) -> Standing {
        let counted = self.steps.iter().filter(|step| step.counts());
        counted.map(|step| step.standing).max().unwrap_or(Standing::CannotTell)
    }
}

impl Runbook {
    /// What the machine has to look at by itself.
    pub fn facts(&self, me: &Hostname) -> Vec<Fact> {
        let checks = self.steps.iter().flat_map(|step| &step.verify).map(|verify| &verify.check);
        let mut facts: Vec<Fact> = checks
            .filter_map(|check| match check {
                Check::Here { hosts, fact, .. } if hosts.contains(me) => Some(fact.clone()),
                _ => None,
            })
            .collect();
        facts.sort();
        facts.dedup();
        facts
    }

    /// How far somebody has come.
    pub fn progress(&self, observed: &Observed<'_>) -> Progress {
        let mut steps: Vec<StepStanding> = self.steps.iter().map(|step| standing(step, observed)).collect();
        let is_shown = |(step, standing): (&Step, &StepStanding)| {
            let mut checks = step.verify.iter().zip(&standing.checks);
            let has_landmark = checks.any(|(verify, check)| verify.is_landmark && check.standing == Standing::Done);
            standing.standing == Standing::Done && has_landmark
        };
        let reached = self.steps.iter().zip(&steps).rposition(is_shown);
        if let Some(reached) = reached {
            for step in steps[..reached].iter_mut().filter(|step| step.standing != Standing::Done) {
                (step.standing, step.by) = (Standing::Done, Some(reached));
            }
        }
        if let Some(missing) = steps.iter().position(|step| step.standing == Standing::NotYet) {
            for step in &mut steps[missing + 1..] {
                (step.standing, step.by) = (Standing::NotYet, Some(missing));
            }
        }
        let mut progress = Progress { steps, next: None };
        if progress.standing() != Standing::Done {
            progress.next = progress.steps.iter().position(|step| step.standing != Standing::Done);
        }
        progress
    }
}

fn standing(step: &Step, observed: &Observed<'_>) -> StepStanding {
    let checks: Vec<Checked> = step.verify.iter().map(|verify| judge(&verify.check, observed)).collect();
    let counted = checks.iter().filter(|check| !check.is_elsewhere).map(|check| check.standing);
    StepStanding { standing: counted.max().unwrap_or(Standing::CannotTell), by: None, checks }
}

fn judge(check: &Check, observed: &Observed<'_>) -> Checked {
    match check {
        Check::Together { members, only } => together(members, *only, observed),
        Check::Serves { member } => serves(member, observed),
        Check::NobodyServes { members } => all(members, observed, |database| match database {
            Database::Running(server) if server.galera.as_ref().is_none_or(is_primary) => Err("serves"),
            Database::Running(_) | Database::Stopped | Database::Closed => Ok(()),
            _ => Err(""),
        }),
        Check::Stopped { members } => stopped(members, observed),
        Check::FreeConnections { members } => all(members, observed, |database| match database {
            Database::Full => Err("has none left"),
            Database::Running(server) => match server.connections {
                Some(connections) if connections.is_near() => Err("is near"),
                Some(_) => Ok(()),
                None => Err(""),
            },
            _ => Err(""),
        }),
        Check::SameConfiguration { members } => same_configuration(members, observed),
        Check::VirtualAddresses => virtual_addresses(observed),
        Check::Here { hosts, fact, expected } => here(hosts, fact, expected, observed),
        Check::Look { .. } => Checked::elsewhere("look yourself"),
    }
}

fn seen<'o>(member: &Hostname, observed: &'o Observed<'_>) -> Option<&'o Seen> {
    observed.members.iter().find(|seen| seen.host == *member)
}

fn is_primary(galera: &pfcluster_core::status::Galera) -> bool {
    galera.running.status == ClusterStatus::Primary
}

/// Each member's database is right, wrong for this reason, or (an empty reason) can't be told.
fn all(
    members: &[Hostname],
    observed: &Observed<'_>,
    is_right: impl Fn(&Database) -> Result<(), &'static str>,
) -> Checked {
    let mut unknown = Vec::new();
    for member in members {
        let Some(seen) = seen(member, observed) else {
            unknown.push(format!("{member} was not asked"));
            continue;
        };
        match is_right(&seen.database) {
            Ok(()) => {}
            Err("") => unknown.push(without_answer(seen)),
            Err(wrong) => return Checked::not_yet(format!("{member} {wrong}")),
        }
    }
    if unknown.is_empty() { Checked::done() } else { Checked::unknown(unknown.join("; ")) }
}

fn without_answer(seen: &Seen) -> String {
    let host = &seen.host;
    match (&seen.database, seen.database.why()) {
        (_, Some(why)) => format!("{host}: {why}"),
        (Database::Closed, _) => format!("nothing listens on {host}: only that member can tell whether it runs"),
        (Database::Full, _) => format!("{host} takes no more connections"),
        (other, None) => format!("{host}: {}", other.kind().replace('_', " ")),
    }
}

/// Whether a process is left, where nothing answers any more, only the machine itself can tell.
fn stopped(members: &[Hostname], observed: &Observed<'_>) -> Checked {
    let mut silent = Vec::new();
    for member in members {
        match seen(member, observed).map(|seen| &seen.database) {
            Some(Database::Stopped) => {}
            Some(Database::Running(_) | Database::Full | Database::Refused(_)) => {
                return Checked::not_yet(format!("{member} runs"));
            }
            _ => silent.push(member.clone()),
        }
    }
    match &silent[..] {
        [] => Checked::done(),
        silent if observed.me.as_ref().is_some_and(|me| silent.contains(me)) => {
            Checked::unknown("whether a database runs here is not known")
        }
        silent => Checked::elsewhere(format!("only {} can tell: run it there", and(silent))),
    }
}

fn together(members: &[Hostname], only: bool, observed: &Observed<'_>) -> Checked {
    let mut unknown = Vec::new();
    let mut history = None;
    for member in members {
        let Some(seen) = seen(member, observed) else {
            unknown.push(format!("{member} was not asked"));
            continue;
        };
        let galera = match &seen.database {
            Database::Running(server) => server.galera.as_ref(),
            Database::Stopped => return Checked::not_yet(format!("{member} is stopped")),
            Database::Closed => {
                return Checked::not_yet(format!(
                    "nothing listens on {member}: it is stopped, starts, or receives data"
                ));
            }
            _ => {
                unknown.push(without_answer(seen));
                continue;
            }
        };
        let Some(galera) = galera else { return Checked::not_yet(format!("{member} runs without Galera")) };
        if !is_primary(galera) {
            return Checked::not_yet(format!("{member} is not primary"));
        }
        if galera.running.state != LocalState::Synced || galera.ready == Some(false) {
            return Checked::not_yet(format!("{member} is not synced"));
        }
        if let Some(other) = members.iter().find(|other| *other != member && !galera.running.sees.contains(other)) {
            return Checked::not_yet(format!("{member} does not see {other}"));
        }
        if only && let Some(other) = galera.running.sees.iter().find(|other| !members.contains(other)) {
            return Checked::not_yet(format!("{member} sees {other}"));
        }
        if *history.get_or_insert(galera.running.uuid) != galera.running.uuid {
            return Checked::not_yet(format!("{member} has another history"));
        }
    }
    if unknown.is_empty() { Checked::done() } else { Checked::unknown(unknown.join("; ")) }
}

fn serves(member: &Hostname, observed: &Observed<'_>) -> Checked {
    match seen(member, observed) {
        None => Checked::unknown(format!("{member} was not asked")),
        Some(seen) => match &seen.database {
            Database::Running(server) if server.galera.as_ref().is_none_or(is_primary) => Checked::done(),
            Database::Running(_) => Checked::not_yet(format!("{member} is not primary")),
            Database::Stopped => Checked::not_yet(format!("{member} is stopped")),
            Database::Closed => Checked::not_yet(format!("nothing listens on {member}")),
            _ => Checked::unknown(without_answer(seen)),
        },
    }
}

fn same_configuration(members: &[Hostname], observed: &Observed<'_>) -> Checked {
    let mut first = None;
    let mut silent = Vec::new();
    for member in members {
        match seen(member, observed).and_then(|seen| seen.configuration.as_ref()).and_then(Reply::version) {
            None => silent.push(member.clone()),
            Some(version) => {
                let (one, other) = *first.get_or_insert((member, version));
                if other != version {
                    return Checked::not_yet(format!("{one} has {other}, {member} has {version}"));
                }
            }
        }
    }
    if silent.is_empty() {
        Checked::done()
    } else {
        Checked::unknown(format!("the version of {} is not known", and(&silent)))
    }
}

fn virtual_addresses(observed: &Observed<'_>) -> Checked {
    if observed.vips.is_empty() {
        return Checked::unknown("the virtual addresses were not looked at");
    }
    let mut unknown = Vec::new();
    for vip in observed.vips {
        match &vip.holders[..] {
            [] if vip.unknown.is_empty() => return Checked::not_yet(format!("no member holds {}", vip.address)),
            [] => unknown.push(format!("who holds {} only {} can tell", vip.address, and(&vip.unknown))),
            [_] => {}
            [one, other, ..] => {
                return Checked::not_yet(format!("{} and {} hold {}", one.host, other.host, vip.address));
            }
        }
    }
    let is_mine = |me: &Hostname| observed.vips.iter().any(|vip| vip.unknown.contains(me));
    match &unknown[..] {
        [] => Checked::done(),
        unknown if observed.me.as_ref().is_some_and(is_mine) => Checked::unknown(unknown.join("; ")),
        unknown => Checked::elsewhere(unknown.join("; ")),
    }
}

fn here(hosts: &[Hostname], fact: &Fact, expected: &Expected, observed: &Observed<'_>) -> Checked {
    let Some(me) = observed.me.as_ref().filter(|me| hosts.contains(me)) else {
        return Checked::elsewhere(format!("only {} can tell: run it there", and(hosts)));
    };
    let others: Vec<Hostname> = hosts.iter().filter(|host| *host != me).cloned().collect();
    match observed.facts.get(fact) {
        None => Checked::unknown("not checked"),
        Some(Found::Unknown(why)) => Checked::unknown(why.clone()),
        // Of several members one makes it.
        Some(Found::Value(value)) if *fact == Fact::BackupAge && value.is_empty() && !others.is_empty() => {
            Checked::elsewhere("no backup of the database is here: another member has made it")
        }
        Some(Found::Value(value)) if expected.fits(value) => {
            let why = if others.is_empty() { String::new() } else { format!("here; see {} as well", and(&others)) };
            Checked { why, ..Checked::done() }
        }
        Some(Found::Value(value)) => Checked::not_yet(match &**value {
            "" => "it is not there".to_owned(),
            "yes" => "it is".to_owned(),
            "no" => "it is not".to_owned(),
            value => format!("it is {value}"),
        }),
    }
}

impl Expected {
    fn fits(&self, value: &str) -> bool {
        match self {
            Expected::Is(expected) => expected == value,
            Expected::IsNot(unwanted) => !value.is_empty() && *unwanted != value,
            Expected::AtMost(most) => value.parse::<u64>().is_ok_and(|number| number <= *most),
        }
    }
}
