//! What happens to a cluster of real hosts, and what Galera makes of it: the facts that the decisions rest on, measured
//! again in each run. What was measured is printed (`--nocapture`); no time is asserted.
//!
//! Those that are ignored run with `tests/lab/lab matrix`.

#[path = "scenarios/common.rs"]
mod common;
#[path = "scenarios/disks.rs"]
mod disks;
#[path = "scenarios/election.rs"]
mod election;
#[path = "scenarios/networks.rs"]
mod networks;
#[path = "scenarios/power.rs"]
mod power;
#[path = "scenarios/runbooks/mod.rs"]
mod runbooks;
#[path = "scenarios/steering.rs"]
mod steering;
#[path = "scenarios/supervised/mod.rs"]
mod supervised;
#[path = "scenarios/transfers.rs"]
mod transfers;
