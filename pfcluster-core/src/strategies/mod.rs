//! For tests: the laws of the election as checks, and true histories of small clusters.

pub mod laws;
pub mod worlds;
