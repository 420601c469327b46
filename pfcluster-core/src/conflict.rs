//! Whose configuration wins.
