//! PacketFence's Clustering Guide as data: procedures with a cluster's own names and commands, what a server must have, and the way
//! out of service and back. As pure as `pfcluster-core`, whose decisions it takes.
//!
//! - [`runbook`]: the guide's procedures, and how far someone has come with one.
//! - [`doctor`]: whether a server meets the guide's prerequisites, and the commands that put right what does not.
//! - [`maintenance`]: the steps that take a server out of service and back, and what undoes them half way.

pub mod doctor;
pub mod maintenance;
pub mod runbook;
