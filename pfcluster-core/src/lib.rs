//! PacketFence clustering as pure logic.

pub mod check;
pub mod cluster;
pub mod diagnostic;
pub mod document;
pub mod installation;
pub mod pf_conf;
pub mod printable;
pub mod rule;
pub mod secret;
pub mod span;
pub mod version;
