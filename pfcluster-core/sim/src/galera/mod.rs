//! A model of Galera: what members of a cluster do and what it leaves on their disks, as measured on the real thing.
//!
//! A [`Cluster`] is a value: each fault and each command is a method that changes it at once and as a whole, the same way
//! each time. Nothing here reads a clock, draws lots or touches the disk; what may turn out one way or another (how much
//! a power cut costs, whether a transfer can be incremental) is an argument. So the same model serves tests that tell one
//! story, a search through all stories of some length, and a simulated world.
//!
//! What it leaves out: time (a view forms at once; timeouts are the caller's calls), arbitrators, flow control,
//! certification conflicts, addresses, node names across restarts, `pc.ignore_sb`.

mod cluster;
mod disk;
pub mod evidence;
mod fault;
mod group;
pub mod measured;
mod promise;
mod set;
mod start;
pub mod supervisor;
mod text;
mod transfer;

pub use cluster::{Begun, Cluster, Member, Process, Run, State};
pub use disk::{At, Data, Disk, Event, File, Fork, Grastate, Harm, HistoryId, Records, Rows, View, ViewRecord};
pub use fault::Tear;
pub use measured::{Stage, Unsynced};
pub use promise::Broken;
pub use set::{Place, Set};
pub use start::Refused;
pub use supervisor::Part;
