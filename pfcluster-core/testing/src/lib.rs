//! For property tests: strategies for everything that the decisions are made from, and the laws that the decisions obey.
//!
//! | module | what it has |
//! |---|---|
//! | [`clusters`] | host names; texts of cluster.conf, valid with what they describe, and spoilt |
//! | [`evidence`] | whatever can be known of a database, true or not, and what an operator can say |
//! | [`worlds`] | true histories of small clusters, and the evidence that they leave behind, all of it or a part |
//! | [`versions`] | versions of configurations |
//! | [`laws`] | what must hold of every decision of an election, as checks of the decision against its evidence |
//!
//! A program that wraps the election, changes its evidence on the way, or replaces it can hold itself to the same laws:
//!
//! ```
//! use pfcluster_core::galera::bootstrap::{Policy, select_bootstrap};
//! use pfcluster_testing::{evidence, laws};
//! use proptest::prelude::*;
//! use proptest::test_runner::TestRunner;
//!
//! let mut runner = TestRunner::deterministic();
//! let result = runner.run(&evidence::seen(1..=5), |seen| {
//!     // Your own way to a decision here.
//!     let decision = select_bootstrap(&seen, &Policy::default());
//!     laws::check(&seen, &Policy::default(), &decision).map_err(|broken| TestCaseError::fail(broken.to_string()))
//! });
//! result.unwrap();
//! ```
//!
//! What an election must not do can't be read from its evidence alone: somebody may be alive whom nobody has seen. That
//! needs the truth behind the evidence:
//!
//! ```
//! use pfcluster_core::galera::bootstrap::{Action, Policy, select_bootstrap};
//! use pfcluster_testing::worlds::{Event, Sight, World};
//!
//! let everybody = World::new(3);
//! let crashed = everybody.after(&Event::Crash { lost: vec![(0, 0), (1, 1), (2, 0)] }).unwrap();
//! // All is seen: the last view forms again.
//! let all = select_bootstrap(&crashed.seen(&[Sight::Whole; 3]), &Policy::default());
//! assert!(matches!(all.action, Action::Reform { .. }));
//! crashed.check(&all.action).unwrap();
//! // Of one member nothing is known: it may be alive.
//! let part = select_bootstrap(&crashed.seen(&[Sight::Whole, Sight::None, Sight::Whole]), &Policy::default());
//! assert!(matches!(part.action, Action::Wait { .. }));
//! ```

pub mod clusters;
pub mod evidence;
pub mod laws;
pub mod versions;
pub mod worlds;
