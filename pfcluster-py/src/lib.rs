//! The Python module `pfcluster._native`: thin over pfcluster-core and the library of pfcluster-cli, no logic of its own.
//! python/pfcluster is what users see of it.

mod classes;
mod cluster;
mod conflict;
mod diagnostics;
mod document;
mod error;
mod files;
mod galera;
mod generate;
mod host;
mod ini_text;
mod input;
mod quorum;
mod supervisor;

use pyo3::prelude::*;

/// pfcluster's core, for Python.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::classes::{
        Action, Addresses, ClusterStatus, ConfigVersions, Decision, Diagnostic, Diagnostics, Evidence, Generated,
        GeneratedFile, Grastate, Gvwstate, Input, Interface, Member, MemberStatus, Output, Position, Reason, Rule,
        Section, Step, SupervisorStatus, Sync, View, ViewChange, WhatIf, Zone,
    };
    #[pymodule_export]
    use super::cluster::Cluster;
    #[pymodule_export]
    use super::conflict::resolve_conflict;
    #[pymodule_export]
    use super::diagnostics::{rule, rules};
    #[pymodule_export]
    use super::document::{_restore, Detail, Document};
    #[pymodule_export]
    use super::error::_panic;
    #[pymodule_export]
    use super::files::{_restore_cluster, load, parse};
    #[pymodule_export]
    use super::galera::{grastate, gvwstate, recovered_position, select_bootstrap};
    #[pymodule_export]
    use super::generate::generate;
    #[pymodule_export]
    use super::host::_work;
    #[pymodule_export]
    use super::host::database::{evidence, member_status, status};
    #[pymodule_export]
    use super::host::services::{config_versions, pull, push};
    #[pymodule_export]
    use super::quorum::{alive_quorum, quorum, what_if};
    #[pymodule_export]
    use super::supervisor::Supervisor;

    /// Adds what is known when the module is loaded.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::error::keep_panics_quiet();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("NEWEST_PACKETFENCE", pfcluster_core::version::PfVersion::NEWEST.to_string())
    }
}
