//! `pfcluster sync` and `pfcluster conflict` between three members' web services.

mod conflict;
mod faults;
mod files;
mod pull;
mod push;
mod status;
mod trust;
mod watch;
