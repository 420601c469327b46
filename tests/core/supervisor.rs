//! Supervisors, driven by hand: what they tell each other survives the way, what others put on the way does not; what they
//! write down obeys its laws. No clock: time is a number here.

#[path = "supervisor/backups.rs"]
mod backups;
#[path = "supervisor/datagrams.rs"]
mod datagrams;
#[path = "supervisor/freshness.rs"]
mod freshness;
#[path = "supervisor/keys.rs"]
mod keys;
#[path = "supervisor/overrides.rs"]
mod overrides;
#[path = "supervisor/records.rs"]
mod records;
#[path = "supervisor/schemas.rs"]
mod schemas;
#[path = "supervisor/signing.rs"]
mod signing;
#[path = "supervisor/vips.rs"]
mod vips;
