//! The answer of `quorum`, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::quorum::{
    Absence, Feature, Group, Outcome, Reason, State, Tally, Tolerance, ViewChange, Voter, WhatIf, alive_quorum,
};
use serde_json::{Map, Value, json};

use super::json::text as pretty;

/// A question with its answer.
#[derive(Debug)]
pub struct Report<'a> {
    /// All members, in order.
    pub voters: &'a [Voter],
    /// What happens.
    pub changes: &'a [ViewChange],
    /// What becomes of them.
    pub answer: &'a WhatIf,
}

impl Report<'_> {
    /// What is shown: the cluster after each change, or as it is if there is none.
    fn steps(&self) -> Vec<(Option<&ViewChange>, &Outcome)> {
        if self.changes.is_empty() {
            return vec![(None, &self.answer.before)];
        }
        self.changes.iter().map(Some).zip(&self.answer.after).collect()
    }

    /// As schemas/quorum.json says.
    pub fn json(&self) -> String {
        let steps = self.steps().into_iter().map(|(change, outcome)| {
            json!({
                "change": change.map(change_document),
                "groups": outcome.groups.iter().map(|group| self.group_document(group)).collect::<Vec<_>>(),
                "down": outcome.absent.iter().map(|absent| {
                    json!({ "host": absent.host, "absence": absent.absence.kind() })
                }).collect::<Vec<_>>(),
                "reasons": outcome.reasons.iter().map(reason_document).collect::<Vec<_>>(),
                "tolerance": outcome.tolerance.as_ref().map(tolerance_document),
                "remedy": outcome.remedy.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        let features = State::ALL.into_iter().map(|state| (state.kind().to_owned(), features_document(state)));
        pretty(&json!({
            "version": 1,
            "members": self.voters.iter().map(|voter| voter.host.as_str()).collect::<Vec<_>>(),
            "primary": self.answer.last().primary().is_some(),
            "steps": steps.collect::<Vec<_>>(),
            "features": features.collect::<Map<_, _>>(),
        }))
    }

    fn group_document(&self, group: &Group) -> Value {
        json!({
            "members": group.members,
            "state": group.state.kind(),
            "tally": group.tally.map(tally_document),
            "alive_quorum": alive_quorum(group.members.len(), self.voters.len()).kind(),
        })
    }

    /// Each step with its reasons; then how it ends, what works, what may fail or what is to be done.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (number, (change, outcome)) in self.steps().into_iter().enumerate() {
            match change {
                Some(change) => writeln!(out, "{}: {}", number + 1, sentence(change))?,
                None => writeln!(out, "All members are up:")?,
            }
            self.members(outcome, out)?;
            outcome.reasons.iter().try_for_each(|reason| writeln!(out, "because {reason}"))?;
            writeln!(out)?;
        }
        let summed = self.answer.after.iter().flat_map(|outcome| &outcome.groups).any(|group| group.tally.is_some());
        if summed {
            writeln!(
                out,
                "The sums: a member that stays counts twice, one that left gracefully once. Quorum is more than all that \
                 were primary before.\n"
            )?;
        }
        self.end(self.answer.last(), out)
    }

    fn members(&self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        let groups = outcome.groups.iter().enumerate();
        let places: BTreeMap<&Hostname, (usize, State)> =
            groups.flat_map(|(at, group)| group.members.iter().map(move |host| (host, (at, group.state)))).collect();
        let absences: BTreeMap<&Hostname, Absence> =
            outcome.absent.iter().map(|absent| (&absent.host, absent.absence)).collect();
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["member", "group", "database"]);
        for voter in self.voters {
            let (group, state) = match places.get(&voter.host) {
                Some((at, State::Primary)) => ((at + 1).to_string(), "primary"),
                Some((at, _)) => ((at + 1).to_string(), "read-only"),
                None if absences.get(&voter.host) == Some(&Absence::Left) => ("-".to_owned(), "down, left gracefully"),
                None => ("-".to_owned(), "down"),
            };
            table.add_row([voter.host.to_string(), group, state.to_owned()]);
        }
        table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
    }

    fn end(&self, last: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        match last.primary() {
            Some(primary) => {
                let count = primary.members.len();
                let are = if count == 1 { "is" } else { "are" };
                writeln!(out, "{count} of {} members {are} primary: everything works there.", self.voters.len())?;
            }
            None if last.groups.is_empty() => writeln!(out, "Nobody is up: there is no database.")?,
            None => writeln!(out, "Nobody is primary: nothing can be written to the database.")?,
        }
        if last.groups.iter().any(|group| group.state == State::ReadOnly) {
            writeln!(out, "\nWhat works on a read-only member:")?;
            features(State::ReadOnly, out)?;
        }
        if let Some(tolerance) = &last.tolerance {
            writeln!(out, "\nWhat may fail next:")?;
            next(tolerance, out)?;
        }
        if !last.remedy.is_empty() {
            writeln!(out, "\nWhat to do:")?;
        }
        let mut steps = last.remedy.iter().enumerate();
        steps.try_for_each(|(number, step)| writeln!(out, "  {}. {step}", number + 1))
    }
}

/// What happens, as a sentence.
fn sentence(change: &ViewChange) -> String {
    let names = |hosts: &[Hostname]| hosts.iter().map(Hostname::as_str).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    if !change.down.is_empty() {
        parts.push(format!("{} {} down", names(&change.down), if change.down.len() == 1 { "goes" } else { "go" }));
    }
    if !change.left.is_empty() {
        let leave = if change.left.len() == 1 { "leaves" } else { "leave" };
        parts.push(format!("{} {leave} gracefully", names(&change.left)));
    }
    match change.split.as_deref() {
        None => {}
        Some([_]) => parts.push("the network is whole".to_owned()),
        Some(_) => parts.push("the network splits".to_owned()),
    }
    parts.join("; ")
}

fn features(state: State, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for feature in Feature::ALL {
        let provision = feature.on(state);
        let availability = provision.availability.kind().replace('_', " ");
        table.add_row([feature.title(), &availability, provision.text]);
    }
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}

fn next(tolerance: &Tolerance, out: &mut dyn Write) -> io::Result<()> {
    let count = |count: usize| match count {
        0 => "no member".to_owned(),
        1 => "1 member".to_owned(),
        more => format!("{more} members"),
    };
    let lost = match (tolerance.any_fatal, &tolerance.fatal) {
        (Some(any), _) => format!("any {any}"),
        (None, Some(sets)) => {
            let names = |set: &Vec<Hostname>| set.iter().map(Hostname::as_str).collect::<Vec<_>>().join(" + ");
            sets.iter().map(names).collect::<Vec<_>>().join(", ")
        }
        (None, None) => "too many sets of members to list".to_owned(),
    };
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.add_row(["crash at once", &count(tolerance.crash_at_once), &format!("quorum is lost with {lost}")]);
    table.add_row(["crash one after the other", &count(tolerance.crash_in_turn), "each after the rest has settled"]);
    table.add_row(["leave gracefully", &count(tolerance.leave), "one after the other"]);
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}

/// A change, as schemas/quorum.json has it.
pub fn change_document(change: &ViewChange) -> Value {
    json!({ "down": change.down, "left": change.left, "split": change.split })
}

fn tally_document(tally: Tally) -> Value {
    json!({ "stayed": tally.stayed, "left": tally.left, "before": tally.before })
}

fn tolerance_document(tolerance: &Tolerance) -> Value {
    json!({
        "crash_at_once": tolerance.crash_at_once,
        "crash_in_turn": tolerance.crash_in_turn,
        "leave": tolerance.leave,
        "any_fatal": tolerance.any_fatal,
        "fatal": tolerance.fatal,
    })
}

fn features_document(state: State) -> Value {
    let features = Feature::ALL.into_iter().map(|feature| {
        let provision = feature.on(state);
        json!({ "feature": feature.kind(), "availability": provision.availability.kind(), "text": provision.text })
    });
    features.collect()
}

fn reason_document(reason: &Reason) -> Value {
    let fields = match reason {
        Reason::AllTogether { count } => json!({ "count": count }),
        Reason::Quorum { members, tally } | Reason::NoQuorum { members, tally } => {
            json!({ "members": members, "tally": tally_document(*tally) })
        }
        Reason::Unchanged { members }
        | Reason::Joins { members }
        | Reason::Reforms { members }
        | Reason::Outside { members }
        | Reason::WeightUnknown { members } => json!({ "members": members }),
        Reason::NotWhole { apart, crashed, left } => json!({ "apart": apart, "crashed": crashed, "left": left }),
        Reason::GuideDiffers { members, enabled, state } => {
            json!({ "members": members, "enabled": enabled, "state": state.kind() })
        }
        // A reason that is new in the core still has its sentence.
        _ => json!({}),
    };
    let mut document = Map::from_iter([("kind".to_owned(), reason.kind().into())]);
    if let Value::Object(fields) = fields {
        document.extend(fields);
    }
    document.insert("text".to_owned(), reason.to_string().into());
    document.into()
}
