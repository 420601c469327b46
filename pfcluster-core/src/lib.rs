//! PacketFence clustering as pure logic.

pub mod diagnostic;
pub mod document;
pub mod printable;
pub mod rule;
pub mod secret;
pub mod span;
