//! Attacks that have worked once: a hostile server on a database's port, the local users pf and mysql, whoever sends datagrams or
//! makes the files that are read. Each is carried out on the built program; `PFCLUSTER_PROGRAM` names another build of it.
//!
//! They run as root, with users, links and network namespaces of their own.

mod arguments;
mod databases;
mod links;
mod network;
mod posed;
mod recovery;
mod text;
mod world;
