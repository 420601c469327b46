//! The core, by laws and oracles: properties, small worlds as a whole, searches through the model of Galera. `cargo test -p
//! pfcluster-tests --test core -- quorum::` runs those of one module. The cases of tests/testdata are the target `testdata`.

/// The cases of tests/testdata/bootstrap as a whole.
mod bootstrap_cases;
/// The election over every small state of the world.
mod bootstrap_enumeration;
/// The same laws over random evidence and random histories.
mod bootstrap_properties;
/// Whose configuration wins: all small worlds, laws, schemas.
mod conflict;
/// Reading and editing: any text, nothing lost.
mod document_properties;
/// Rehearsals: what the days are like.
mod drill;
/// Galera's files and logs: nothing panics, nothing that was cut says something else.
mod galera_files;
/// Galera itself, as a model: what was measured holds in it.
mod galera_model;
/// Every short history of the model keeps the elections' promises.
mod galera_search;
/// Known histories on the model.
mod galera_stories;
/// The HAProxy files: snapshots, laws, hostile values.
mod generate_haproxy;
/// The keepalived file: snapshots, laws, hostile values.
mod generate_keepalived;
/// The MariaDB file: snapshots, laws, hostile values.
mod generate_mariadb;
/// The sources: what is above uses what is below, and no circle joins folders.
mod layers;
/// Who has quorum: all small worlds against an oracle, laws, schema.
mod quorum;
/// Runbooks: reviewed texts, laws, and every command against lists of what there is.
mod runbook;
/// How the cluster is: laws over everything that can be seen of members.
mod status;
/// The supervisors: what travels between them, what they write down.
mod supervisor;
/// The glossary, in all that people read.
mod words;
