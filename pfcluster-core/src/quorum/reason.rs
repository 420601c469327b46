//! Why a group of members is primary, or is not.

use std::fmt;

use serde::Serialize;

use super::{State, Tally};
use crate::cluster::Hostname;
use crate::decision::and;

/// Why. As text: one English sentence without a final period. Members stand in order of cluster.conf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Nothing happened yet.
    AllTogether {
        /// How many members there are.
        count: usize,
    },
    /// The sum is large enough.
    Quorum {
        /// The members of the primary component that stayed in this group.
        members: Vec<Hostname>,
        /// The sum.
        tally: Tally,
    },
    /// The sum is too small.
    NoQuorum {
        /// The group.
        members: Vec<Hostname>,
        /// The sum.
        tally: Tally,
    },
    /// What happened is no view change for the primary component.
    Unchanged {
        /// The primary component.
        members: Vec<Hostname>,
    },
    /// Members come to the primary component.
    Joins {
        /// Those that come.
        members: Vec<Hostname>,
    },
    /// Nobody was primary, and all members of the last primary view see each other again.
    Reforms {
        /// The members of that view.
        members: Vec<Hostname>,
    },
    /// None of the group was primary, and nobody in it sees the primary component.
    Outside {
        /// The group.
        members: Vec<Hostname>,
    },
    /// Nobody is primary, and nobody becomes it by itself.
    NotWhole {
        /// The members of the last primary view that are up.
        apart: Vec<Hostname>,
        /// Those that crashed.
        crashed: Vec<Hostname>,
        /// Those that left gracefully. Started again they are new members for Galera, which the view does not know.
        left: Vec<Hostname>,
    },
    /// Nobody is up.
    NobodyUp,
    /// The sums are of members instead of weights.
    WeightUnknown {
        /// The members of the primary component before whose weight is unknown.
        members: Vec<Hostname>,
    },
    /// The guide (4.1, 4.2) counts otherwise.
    GuideDiffers {
        /// The group.
        members: Vec<Hostname>,
        /// How many members the guide compares it with.
        enabled: usize,
        /// What Galera makes of it.
        state: State,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::AllTogether { count: 1 } => f.write_str("the only member is up"),
            Reason::AllTogether { count } => write!(f, "all {count} members are up and see each other"),
            Reason::Quorum { members, tally } => write!(f, "{} {} quorum: {tally}", few(members), keep(members)),
            Reason::NoQuorum { members, tally } => {
                write!(f, "{} {} quorum: {tally}", few(members), lose(members))
            }
            Reason::Unchanged { members } => {
                write!(f, "the primary component is unchanged: {}", few(members))
            }
            Reason::Joins { members } => {
                let see = if members.len() == 1 { "sees" } else { "see" };
                let join = if members.len() == 1 { "joins" } else { "join" };
                write!(f, "{} {see} the primary component and {join} it", few(members))
            }
            Reason::Reforms { members } => write!(
                f,
                "all members of the last primary component see each other again, and restore it: {}",
                few(members)
            ),
            Reason::Outside { members } => {
                let (was, do_not) = if members.len() == 1 { ("was", "does not") } else { ("were", "do not") };
                write!(f, "{} {was} not primary, and {do_not} see the primary component", few(members))
            }
            Reason::NotWhole { apart, crashed, left } => not_whole(apart, crashed, left, f),
            Reason::NobodyUp => f.write_str("no member is up"),
            Reason::WeightUnknown { members } => {
                write!(f, "all members count 1, as the weight of {} is unknown", few(members))
            }
            Reason::GuideDiffers { members, enabled, state } => guide_differs(members, *enabled, *state, f),
        }
    }
}

fn not_whole(apart: &[Hostname], crashed: &[Hostname], left: &[Hostname], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(
        "the primary component is restored automatically only when all its last members see each other again; ",
    )?;
    let are = if crashed.len() == 1 { "is" } else { "are" };
    let new = if left.len() == 1 { "a new member" } else { "new members" };
    match (crashed, left) {
        ([], []) => write!(f, "{} do not", few(apart)),
        (crashed, []) => write!(f, "{} {are} down", few(crashed)),
        ([], left) => write!(f, "{} left gracefully, and would join as {new}", few(left)),
        (crashed, left) => {
            write!(f, "{} {are} down; {} left gracefully, and would join as {new}", few(crashed), few(left))
        }
    }
}

fn guide_differs(members: &[Hostname], enabled: usize, state: State, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let here = members.len();
    let who = few(members);
    let (are, have) = if here == 1 { ("is", "has") } else { ("are", "have") };
    match state {
        State::Primary => write!(
            f,
            "the guide (4.1, 4.2) says that {who} {are} read-only here, as {here} of {enabled} is no majority; in fact {who} \
             {are} primary: Galera compares with the last primary component"
        ),
        State::ReadOnly | State::Down => write!(
            f,
            "the guide (4.1) says that {who} {have} quorum here, as {here} of {enabled} is a majority; in fact {who} {have} \
             none: Galera compares with the last primary component"
        ),
    }
}

fn keep(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "keeps" } else { "keep" }
}

fn lose(members: &[Hostname]) -> &'static str {
    if members.len() == 1 { "loses" } else { "lose" }
}

/// Names as a sentence bears them: of many only the first.
fn few(members: &[Hostname]) -> String {
    const MOST: usize = 7;
    match members.get(..MOST - 1) {
        Some(first) if members.len() > MOST => {
            let names: Vec<&str> = first.iter().map(Hostname::as_str).collect();
            format!("{} and {} others", names.join(", "), members.len() - first.len())
        }
        _ => and(members),
    }
}
