//! Searches through the model of Galera ([`pfcluster_sim::galera`]): every history within bounds.

mod same;
pub mod search;
mod step;

pub use pfcluster_sim::galera::*;
pub use same::plain;
pub use step::{Bounds, Step, World};
