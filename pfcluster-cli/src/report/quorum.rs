//! The answer of `quorum`, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::quorum::{
    Absence, Feature, Outcome, Provision, Reason, State, Tolerance, ViewChange, Voter, WhatIf,
};
use serde::Serialize;

use super::json::{self, Versioned};

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
    pub fn document(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Document<'r> {
            members: Vec<&'r Hostname>,
            primary: bool,
            steps: Vec<Step<'r>>,
            features: BTreeMap<State, Vec<Works>>,
        }
        #[derive(Serialize)]
        struct Step<'r> {
            change: Option<&'r ViewChange>,
            #[serde(flatten)]
            outcome: &'r Outcome,
        }
        #[derive(Serialize)]
        struct Works {
            feature: Feature,
            #[serde(flatten)]
            provision: Provision,
        }
        let works = |state| Feature::ALL.map(|feature| Works { feature, provision: feature.on(state) }).into();
        Versioned::new(Document {
            members: self.voters.iter().map(|voter| &voter.host).collect(),
            primary: self.answer.last().primary().is_some(),
            steps: self.steps().into_iter().map(|(change, outcome)| Step { change, outcome }).collect(),
            features: State::ALL.into_iter().map(|state| (state, works(state))).collect(),
        })
    }

    /// The same as text.
    pub fn json(&self) -> String {
        json::text(&self.document())
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
            outcome.reasons.iter().try_for_each(|reason| writeln!(out, "{}", led(reason)))?;
            writeln!(out)?;
        }
        let summed = self.answer.after.iter().flat_map(|outcome| &outcome.groups).any(|group| group.tally.is_some());
        if summed {
            writeln!(
                out,
                "How votes count: quorum is more than half of the votes of the last primary component, without those that left \
                 gracefully.\n"
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
            None if last.groups.is_empty() => writeln!(out, "No member is up: there is no database.")?,
            None => writeln!(out, "No member is primary: nothing can be written to the database.")?,
        }
        if last.groups.iter().any(|group| group.state == State::ReadOnly) {
            writeln!(out, "\nWhat works on a read-only member:")?;
            features(State::ReadOnly, out)?;
        }
        if let Some(tolerance) = &last.tolerance {
            writeln!(out, "\nFailures tolerated from here:")?;
            next(tolerance, out)?;
        }
        if !last.remedy.is_empty() {
            writeln!(out, "\nWhat to do:")?;
        }
        let mut steps = last.remedy.iter().enumerate();
        steps.try_for_each(|(number, step)| writeln!(out, "  {}. {step}", number + 1))
    }
}

/// A reason with the word that leads it: what differs from what one might expect is no "because".
fn led(reason: &Reason) -> String {
    let lead = match reason {
        Reason::GuideDiffers { .. } | Reason::WeightUnknown { .. } => "note:",
        _ => "because",
    };
    format!("{lead} {reason}")
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
        Some([_]) => parts.push("the network is restored".to_owned()),
        Some(_) => parts.push("the network splits".to_owned()),
    }
    parts.join("; ")
}

fn features(state: State, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for feature in Feature::ALL {
        let provision = feature.on(state);
        table.add_row([feature.title(), provision.availability.title(), provision.text]);
    }
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}

fn next(tolerance: &Tolerance, out: &mut dyn Write) -> io::Result<()> {
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
    let quorum = format!("quorum is lost with {lost}");
    let rows = [
        ("members that crash at once", tolerance.crash_at_once, &*quorum),
        ("members that crash one after another", tolerance.crash_in_turn, "each after the cluster has settled"),
        ("members that leave gracefully", tolerance.leave, "one after another"),
    ];
    for (what, count, how) in rows {
        table.add_row([what, &count.to_string(), how]);
    }
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}
