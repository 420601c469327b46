//! PacketFence clustering as pure logic.

pub mod cluster;
pub mod diagnostic;
pub mod document;
pub mod printable;
pub mod rule;
pub mod secret;
pub mod span;
pub mod version;
