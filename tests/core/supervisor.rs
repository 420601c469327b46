//! Supervisors, driven by hand: what they tell each other survives the way, what others put on the way does not; what they
//! write down obeys its laws. No clock: time is a number here.

mod backups;
mod datagrams;
mod freshness;
mod keys;
mod overrides;
mod records;
mod schemas;
mod signing;
mod vips;
