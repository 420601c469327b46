//! A simulated world: real supervisors, driven as in production, over the model of Galera ([`galera`]), on hosts that fail in
//! every way, with a network that does what networks do. One seed decides everything.

mod act;
mod breach;
mod database;
mod day;
mod diary;
pub mod drill;
mod fault;
pub mod galera;
mod host;
mod ledger;
mod measured;
mod mind;
mod names;
mod network;
mod others;
mod phase;
mod plan;
mod random;
mod script;
mod shrink;
mod story;
mod vrrp;
mod word;
mod world;

pub use breach::{Breach, Kind as Broken};
pub use day::BOUND;
pub use diary::{Condition, Entry, Happening, MemberThen, Moment, Page};
pub use ledger::Fate;
pub use mind::Policy;
pub use phase::{Coverage, Phase};
pub use plan::{DRAWS_NEW, Fault, Kind, Plan};
pub use random::Random;
pub use world::World;
