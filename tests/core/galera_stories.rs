//! See tests/src/galera.
