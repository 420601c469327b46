//! Generators for the benchmarks.
