//! What a supervisor is about when something happens to it, and how often each fault met each of these moments.

use std::collections::BTreeMap;
use std::fmt;

use super::plan::{DRAWS_NEW, Kind};

/// What a supervisor is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has just begun, and has not looked yet.
    Begins,
    /// It watches a database without service.
    Waits,
    /// It watches a database in service.
    Serves,
    /// It is about to act, and looks once more.
    Confirms,
    /// The host carries out what it decided.
    Acts,
    /// It ends.
    Ends,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 6] = [Phase::Begins, Phase::Waits, Phase::Serves, Phase::Confirms, Phase::Acts, Phase::Ends];
}

/// How often each kind of fault met each phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<(Kind, Phase), u64>);

impl Coverage {
    pub(super) fn count(&mut self, kind: Kind, phase: Phase) {
        *self.0.entry((kind, phase)).or_default() += 1;
    }

    /// What another world has seen.
    pub fn add(&mut self, other: &Coverage) {
        other.0.iter().for_each(|(pair, count)| *self.0.entry(*pair).or_default() += count);
    }

    /// The pairs that never met.
    pub fn missing(&self) -> Vec<(Kind, Phase)> {
        let new: &[Kind] = if DRAWS_NEW { &Kind::NEW } else { &[] };
        let pairs =
            Kind::ALL.into_iter().chain(new.iter().copied()).flat_map(|kind| Phase::ALL.map(|phase| (kind, phase)));
        pairs.filter(|pair| !self.0.contains_key(pair)).collect()
    }

    /// How many faults there were in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20}", "")?;
        Phase::ALL.iter().try_for_each(|phase| write!(f, "{:>9}", format!("{phase:?}").to_lowercase()))?;
        writeln!(f)?;
        let is_met = |kind: &Kind| self.0.keys().any(|(met, _)| met == kind);
        for kind in Kind::ALL.into_iter().chain(Kind::NEW.into_iter().filter(is_met)) {
            write!(f, "{:<20}", kind.to_string())?;
            for phase in Phase::ALL {
                write!(f, "{:>9}", self.0.get(&(kind, phase)).copied().unwrap_or_default())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
