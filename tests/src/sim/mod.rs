//! The simulated world ([`pfcluster_sim`]) as a test: many seeds, the rules of others beside ours, and stories that expect
//! something.

mod compare;
mod expect;
mod survey;

pub use compare::{Score, compare};
pub use expect::Expect;
pub use pfcluster_sim::{BOUND, Breach, Broken, Coverage, Fate, Fault, Kind, Phase, Plan, Policy, Random, World};
pub use survey::{STEPS, Survey, survey, survey_of};
