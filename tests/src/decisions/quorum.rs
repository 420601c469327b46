//! Who is primary, who has quorum: the commands of tests/testdata/quorum.
//!
//! ```text
//! quorum
//! members pf1 pf2 pf3=2 garbd=?
//! down pf1; left pf2
//! split pf3/garbd
//! ```
//!
//! The members are all up before. A member's weight is 1, or stands after `=`; `?` is unknown. Each further line is one
//! change; what stands in it happens at once.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::form::kind_of;
use pfcluster_core::quorum::{Feature, Group, Outcome, State, ViewChange, Voter, Weight, alive_quorum, what_if};

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    match case.command.as_str() {
        "quorum" => Some(quorum(case)),
        "alive-quorum" => Some(case.input.lines().map(alive).collect()),
        "weights" => Some(Ok(case.input.lines().map(weight_line).collect())),
        "features" => Some(features(&case.words)),
        _ => None,
    }
}

fn host(name: &str) -> Result<Hostname, String> {
    name.parse().map_err(|error| format!("{name}: {error}"))
}

fn hosts(names: &str) -> Result<Vec<Hostname>, String> {
    names.split([',', ' ']).filter(|name| !name.is_empty()).map(host).collect()
}

fn voter(text: &str) -> Result<Voter, String> {
    let (name, weight) = text.split_once('=').map_or((text, None), |(name, weight)| (name, Some(weight)));
    let mut voter = Voter::new(host(name)?);
    match weight {
        None => {}
        Some("?") => voter.weight = None,
        Some(number) => voter.weight = Some(number.parse::<Weight>().map_err(|error| error.to_string())?),
    }
    Ok(voter)
}

fn change(line: &str) -> Result<ViewChange, String> {
    let mut change = ViewChange::default();
    for part in line.split(';').map(str::trim) {
        let (word, names) = part.split_once(' ').unwrap_or((part, ""));
        match word {
            "down" => change.down.extend(hosts(names)?),
            "left" => change.left.extend(hosts(names)?),
            "split" => change.split = Some(names.split('/').map(hosts).collect::<Result<_, _>>()?),
            "nothing" => {}
            _ => return Err(format!("`{part}` is no change")),
        }
    }
    Ok(change)
}

fn quorum(case: &Case) -> Result<String, String> {
    let mut lines = case.input.lines();
    let members = lines.next().and_then(|line| line.strip_prefix("members")).ok_or("`members ...` is missing")?;
    let voters: Vec<Voter> = members.split_whitespace().map(voter).collect::<Result<_, _>>()?;
    let changes: Vec<&str> = lines.collect();
    let parsed: Vec<ViewChange> = changes.iter().map(|line| change(line)).collect::<Result<_, _>>()?;
    let answer = match what_if(&voters, &parsed) {
        Ok(answer) => answer,
        Err(error) => return Ok(format!("refused: {error} ({})\n", error.error.kind())),
    };
    let mut out = String::new();
    if changes.is_empty() {
        out += &outcome("healthy", &answer.before);
    }
    for (line, after) in changes.iter().zip(&answer.after) {
        out += &outcome(line, after);
    }
    Ok(out + &end(answer.last()))
}

fn outcome(title: &str, outcome: &Outcome) -> String {
    let mut out = format!("{title}:\n");
    for group in &outcome.groups {
        out += &format!("  {} {}\n", state(group), names(&group.members));
    }
    for absent in &outcome.absent {
        out += &format!("  down {} ({})\n", absent.host, kind_of(&absent.absence));
    }
    for reason in &outcome.reasons {
        out += &format!("  because {reason} ({})\n", kind_of(reason));
    }
    out
}

/// What may fail next, and what to do.
fn end(last: &Outcome) -> String {
    let mut out = String::new();
    if let Some(tolerance) = &last.tolerance {
        let (once, turn, leave) = (tolerance.crash_at_once, tolerance.crash_in_turn, tolerance.leave);
        out += &format!("may crash at once: {once}\nmay crash in turn: {turn}\nmay leave: {leave}\n");
        out += &match (tolerance.any_fatal, &tolerance.fatal) {
            (Some(any), _) => format!("fatal at once: any {any}\n"),
            (None, Some(sets)) => {
                let sets: Vec<String> = sets.iter().map(|set| names(set).replace(' ', "+")).collect();
                format!("fatal at once: {}\n", sets.join(" "))
            }
            (None, None) => "fatal at once: too many sets\n".to_owned(),
        };
    }
    last.remedy.iter().for_each(|step| out += &format!("to do: {step}\n"));
    out
}

fn state(group: &Group) -> &'static str {
    match group.state {
        State::Primary => "primary",
        State::ReadOnly => "read-only",
        State::Down => "down",
    }
}

fn names(hosts: &[Hostname]) -> String {
    hosts.iter().map(Hostname::as_str).collect::<Vec<_>>().join(" ")
}

/// `2 of 3`.
fn alive(line: &str) -> Result<String, String> {
    let (alive, enabled) = line.split_once(" of ").ok_or("a line is `2 of 3`")?;
    let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
    let answer = alive_quorum(number(alive)?, number(enabled)?);
    let quorum = if answer.has_quorum() { "quorum" } else { "no quorum" };
    Ok(format!("{line}: {quorum}, {}\n", kind_of(&answer)))
}

fn weight_line(line: &str) -> String {
    let answer = line.parse::<Weight>().map_or_else(|error| error.to_string(), |weight| weight.get().to_string());
    format!("`{line}`: {answer}\n")
}

/// What works on a member in this state.
fn features(words: &[String]) -> Result<String, String> {
    let state =
        State::ALL.into_iter().find(|state| words == [kind_of(state)]).ok_or("features primary|read_only|down")?;
    let line = |feature: Feature| {
        let provision = feature.on(state);
        format!(
            "{}: {}: {} ({})\n",
            feature.title(),
            kind_of(&provision.availability),
            provision.text,
            kind_of(&feature)
        )
    };
    Ok(Feature::ALL.into_iter().map(line).collect())
}
