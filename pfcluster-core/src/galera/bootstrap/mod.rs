//! Bootstrap selection.

mod action;
mod elect;
mod facts;
mod highest;
mod last;
mod reason;
mod remedy;
mod start;
mod text;
mod why;
mod witness;
mod word;

use std::collections::BTreeSet;
use std::time::Duration;

pub use action::{Action, Assumption, Awaited, Defect, History, Need, Problem, Proof, Risk, Unfit, Untrusted};
pub use reason::{FlagIgnored, Hindrance, NotChosen, Reason, SplitSign, TieBreak, Word};

use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::Observation;

/// How long two members must have been primary without listing each other before that is a split brain: Galera's
/// `evs.inactive_timeout` and a second.
pub const SPLIT_CONFIRMED_AFTER: Duration = Duration::from_secs(16);

/// A member of the cluster, and what is known of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its host name.
    pub host: Hostname,
    /// True if the one who asks counts it in (`bin/cluster/node`).
    pub enabled: bool,
    /// What is known.
    pub observation: Observation,
}

/// What the operator has said, and what was seen before. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// These members are lost: do without what they hold. Counts only if it names everybody who is missing.
    pub assume_lost: BTreeSet<Hostname>,
    /// The data of these members are given up.
    pub discard: BTreeSet<Hostname>,
    /// The data of this member, which belong to no history, begin a new one (guide 3.4).
    pub seed: Option<Hostname>,
    /// The member that ran without Galera has the data to keep.
    pub standalone: bool,
    /// `--force-new-cluster` on this member (guide 3.4, 5.2).
    pub force: Option<Hostname>,
    /// Two primary components were seen in evidence that was taken [`SPLIT_CONFIRMED_AFTER`] before this one, too.
    pub split_confirmed: bool,
}

/// Decides which member may bring the database back, and how.
///
/// `seen` has every member of the database once, in the order of cluster.conf: the first is the management member. The
/// same evidence gives the same answer, whoever asks.
pub fn select_bootstrap(seen: &[Seen], policy: &Policy) -> Decision<Action, Reason> {
    let mut facts: Vec<facts::Facts<'_>> =
        seen.iter().map(|seen| facts::Facts::of(seen, policy.discard.contains(&seen.host))).collect();
    facts::mark_left_out(&mut facts);
    let election = elect::Election::new(&facts, policy);
    let answer = election.decide();
    let mut reasons = answer.reasons;
    if let Some(source) = &answer.source {
        reasons.extend(source.losers(&facts, &answer.action));
        reasons.extend(election.warnings(source));
    }
    let remedy = remedy::of(&answer.action, &election);
    Decision { action: answer.action, reasons, remedy }
}
