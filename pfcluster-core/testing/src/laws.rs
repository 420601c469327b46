//! What must hold of every decision of an election, as checks of one decision against the evidence that it came from.
//!
//! They read the evidence themselves and share no code with the election, so that the two can disagree.

mod held;
mod lists;
mod starts;
mod waits;
mod witnesses;

use std::fmt;

use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Policy, Reason, Seen};

pub use held::{Held, held};

/// A decision that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// What breaks it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}

impl std::error::Error for Violation {}

/// A decision beside what it was made from.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The evidence.
    pub seen: &'a [Seen],
    /// What the operator had said.
    pub policy: &'a Policy,
    /// The decision.
    pub decision: &'a Decision<Action, Reason>,
}

/// A law: its name, and the check that says what breaks it.
pub type Law = (&'static str, fn(Judged<'_>) -> Result<(), String>);

/// Every law that a decision must obey whatever the evidence is, a contradictory one included.
pub const LAWS: [Law; 18] = [
    ("nobody joins one of two primary components", starts::one_of_two),
    ("a network that is cut is waited for", waits::through_a_cut),
    ("what is taken for granted is said", starts::unsaid),
    ("nobody acts while members differ about who is one", lists::differing),
    ("nothing starts beside a primary component", starts::beside_a_primary),
    ("nothing starts during a state transfer", starts::during_a_transfer),
    ("nothing starts across two histories", starts::across_histories),
    ("nothing starts from no position", starts::from_no_position),
    ("only fit members start", starts::unfit),
    ("no known position is left behind", starts::left_behind),
    ("what a start loses is said first", starts::untold_loss),
    ("a start without everybody needs a witness", witnesses::without_a_witness),
    ("who keeps the UUID is proved to be the most advanced", starts::keeps_uuid_in_doubt),
    ("a start leaves no other proof behind", starts::leaves_a_proof),
    ("only who loses nothing joins", lists::losing_joiners),
    ("who waits without service stops first", lists::lingering_processes),
    ("nobody is listed twice", lists::repetitions),
    ("waiting and refusing help", waits::unhelpful),
];

/// Checks a decision against every law of [`LAWS`].
///
/// # Errors
/// The first law that it breaks.
pub fn check(seen: &[Seen], policy: &Policy, decision: &Decision<Action, Reason>) -> Result<(), Violation> {
    let judged = Judged { seen, policy, decision };
    LAWS.iter().try_for_each(|(law, check)| check(judged).map_err(|what| Violation { law, what }))
}

/// Checks that a decision does not wait or refuse where the database can be brought back: everybody enabled has
/// answered, with one history, and whoever holds most can be started.
///
/// Evidence can lie in more ways than can be told, so `honest` says whether it is known to come from a true history. If
/// it is not, evidence that no true history leaves behind is passed over.
///
/// # Errors
/// The law, if the decision breaks it.
pub fn check_alive(
    seen: &[Seen],
    policy: &Policy,
    decision: &Decision<Action, Reason>,
    honest: bool,
) -> Result<(), Violation> {
    let law = "what can be brought back is brought back";
    waits::needless(Judged { seen, policy, decision }, honest).map_err(|what| Violation { law, what })
}
