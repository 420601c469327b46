//! PacketFence clustering as pure logic: texts of configuration files in, the cluster and everything wrong with it out.
//!
//! ```
//! use pfcluster_core::installation::{Installation, Situation, Texts};
//! use pfcluster_core::version::PfVersion;
//!
//! let cluster_conf = b"\
//! [CLUSTER]
//! management_ip = 192.168.1.10
//! [pf1.example.com]
//! management_ip = 192.168.1.5
//! [pf2.example.com] # the second server
//! management_ip = 192.168.1.5
//! [pf3.example.com]
//! management_ip = 192.168.1.7
//! ";
//! let texts = Texts { cluster_conf, ..Texts::default() };
//! let installation = Installation::read(texts, &Situation::of_version(PfVersion::NEWEST));
//!
//! // Every fault, with its place; none hides the rest of the file.
//! let index = installation.documents[0].line_index();
//! let found: Vec<String> = installation
//!     .diagnostics
//!     .iter()
//!     .map(|d| format!("line {}: {} {}", index.position(d.span.start).line, d.rule.code, d.rule.name))
//!     .collect();
//! assert_eq!(found, ["line 5: PFC102 malformed-section", "line 6: PFC012 duplicate-address"]);
//!
//! // The cluster, in the order that priorities follow from.
//! let hosts: Vec<&str> = installation.cluster.members().map(|member| member.host.as_str()).collect();
//! assert_eq!(hosts, ["pf1.example.com", "pf2.example.com", "pf3.example.com"]);
//! ```
//!
//! # In scope
//!
//! - [`document`]: INI files as PacketFence's reader takes them, with the place of everything, and edits that change only
//!   the lines that are meant.
//! - [`cluster`]: zones, members, interfaces, virtual addresses; what each member makes of them.
//! - [`pf_conf`]: pf.conf over its defaults, cluster.conf over it, and what each interface is for.
//! - [`check`]: the rules. [`diagnostic`]: what they find.
//! - [`installation`]: all of that in one call.
//! - [`galera`]: what a database's files, logs and status say; [`galera::bootstrap`]: which member may bring it back after an
//!   outage, and why.
//! - [`quorum`]: who is primary after members go down or the network splits. [`conflict`]: whose configuration wins.
//!   [`decision`]: what all of these answer with.
//! - [`status`]: whether the cluster is well, from what was seen of each member, and what to do if not.
//! - [`supervisor`]: the state machine that brings a member's database back after an outage, and keeps it in one cluster.
//! - [`sync`]: which files members synchronise, what they are asked for it, and what the answers mean.
//! - [`generate`]: keepalived, HAProxy and MariaDB configuration for one member, with every deviation from PacketFence's.
//! - [`command_line`]: what people paste, so that it does nothing on a wrong host.
//!
//! # Beside it
//!
//! Crates of their own, as pure as this one: `pfcluster-guide` (runbooks, what a server must have, maintenance), `pfcluster-sim` (a
//! simulated cluster), `pfcluster-testing` (generators and laws for property tests).
//!
//! # Not in scope
//!
//! Reading or writing files, clocks, environment, network, processes, logging: all of it belongs to the caller. The same
//! input gives the same answer, always.
//!
//! # Limits
//!
//! A file is at most 4 GiB less one byte long ([`span::Span::MAX`]). No input makes the crate panic, and its time grows
//! with the length of the file, not faster (but for sorting names). Of malformed lines in a row the first hundred are
//! reported one by one, the rest together.

pub mod check;
pub mod cluster;
pub mod command_line;
pub mod conflict;
pub mod decision;
pub mod diagnostic;
pub mod document;
mod fnv;
pub mod form;
pub mod galera;
pub mod generate;
pub mod installation;
pub mod pf_conf;
pub mod printable;
pub mod quorum;
pub mod rule;
pub mod secret;
pub mod span;
pub mod status;
pub mod supervisor;
pub mod sync;
pub mod version;
