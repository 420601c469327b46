//! Galera: what its files, logs and status say, and which member may bring the database back.

pub mod bootstrap;
mod evidence;
mod grastate;
mod gvwstate;
mod members;
mod position;
mod recovered;
mod status;

pub use bootstrap::{CarriedOutBy, Policy, Seen, select_bootstrap};
pub use evidence::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, LocalState, Observation, Process, Records, Recovered,
    Running, Silence, StartFailures, ViewRecord,
};
pub use grastate::{Grastate, GrastateError};
pub use gvwstate::{Gvwstate, GvwstateError, ViewId};
pub use members::members_hash;
pub use position::{Position, Seqno, Uuid, UuidError};
pub use recovered::{RecoveryError, recovered_position};
pub use status::{StatusError, WsrepStatus};
