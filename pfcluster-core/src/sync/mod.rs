//! How members synchronise their configuration: which files, what each member is asked, and what the answers mean.
//!
//! PacketFence's `bin/cluster/sync` and the web services (httpd.webservices) that it talks to, as data. The calls are
//! [JSON-RPC](Call) over HTTPS; who sends them is the caller's business.
//!
//! # The rules
//!
//! 1. On the wire a file has the name that PacketFence gives it, `/usr/local/pf/...` or `/usr/local/fingerbank/...`, wherever
//!    the reader has it. [`SyncPath`] is such a name; nothing outside these two directories is ever asked for or written.
//! 2. What is synchronised: the [stores] of the version, the [fixed files](fixed_files), and what
//!    conf/cluster-files.txt [lists](listed_files), one path on each line.
//! 3. In a [push](push_items) the members fetch each file from the one that pushes; a store's cached form is marked stale first.
//! 4. The version of the configuration goes last, and only to a member that has all files. (PacketFence sends it after the
//!    first store, so a push of which half was lost looks complete.) A push of single files changes no version: the others
//!    would look out of date, and one of them would push its old configuration back.
//! 5. In a [pull](pull_paths) the version is written last, and only if nothing failed.
//! 6. A file that the other member does not have stays as it is here, and is no failure.

mod calls;
mod list;
mod path;
mod plan;
mod stores;

pub use calls::{Answer, AnswerError, Call, content_of, is_done, is_missing_file, not_reached, version_of};
pub use list::{LIST, ListError, listed_files};
pub use path::{Place, SyncPath, SyncPathError};
pub use plan::{Item, Scope, pull_paths, push_items, version_file};
pub use stores::{Store, UPSTREAM_DATABASE, fixed_files, store_of, stores};
