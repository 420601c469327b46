//! Who has quorum.
