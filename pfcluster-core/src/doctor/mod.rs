//! Whether a server is ready for its cluster: the guide's prerequisites, one check each.
//!
//! [`CHECKS`] lists them all. Their ids are public interface: runbooks and scripts name them.

mod list;

pub use list::CHECKS;

/// One prerequisite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Stable name, such as `nonlocal-bind`: never reused, never renamed.
    pub id: &'static str,
    /// What must be so, in a few words.
    pub about: &'static str,
    /// The section of the Clustering Guide that asks for it, or that shows what happens without it.
    pub guide: &'static str,
}

/// The check of this id.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}
