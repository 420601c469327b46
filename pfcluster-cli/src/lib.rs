//! The host side of pfcluster: all I/O, thin over the core.
