//! What the whole cluster says: its status, its configurations.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Class, documents};
use crate::document::{Document, part};

documents! {
    /// The whole cluster (`pfcluster status`).
    ClusterStatus("verdict", "reasons", "remedy") {
        /// Who asked.
        asked_by,
        /// When, in seconds since 1970.
        asked_at,
        /// `healthy`, `degraded`, `read_only`, `blocked`, `down`, `split` or `unknown`.
        verdict,
        /// What is known of each member of cluster.conf, in order.
        members: MemberStatus,
        /// The virtual addresses, and who holds them.
        virtual_addresses,
        /// Why the verdict is so.
        reasons: Reason,
        /// What a person can do next, in order.
        remedy,
        /// What could not be found out on this machine: `message`, `help`.
        notes,
    }
    /// What is known of one member (`pfcluster status`). What nobody knows is `None`.
    MemberStatus("host", "database") {
        /// Its name.
        host,
        /// Its management address.
        address,
        /// Whether it answered in some way. If not, it need not be down.
        answers,
        /// Whether the member that asks counts it in.
        enabled,
        /// Whether it shares the database that this is about.
        in_database,
        /// Whether it is in maintenance.
        maintenance,
        /// Its database: `state`, `why`, `connections`, `galera`.
        database,
        /// The version of its configuration.
        config_version,
        /// What its supervisor does, in a few words.
        supervisor,
        /// Its last backup of the database: `file`, `time`; both are `None` if there is none.
        last_backup,
        ;
        /// What could not be found out on this machine: `message`, `help`. (Of all members: `ClusterStatus.notes`.)
        #[getter]
        fn notes(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            match &slf.as_super().get().hidden {
                serde_json::Value::Null => Ok(PyTuple::empty(slf.py()).into_any().unbind()),
                notes => part(slf.py(), notes, Class::Detail),
            }
        }
    }
    /// What all enabled members say of the version of their configuration (`pfcluster conflict --versions`).
    ConfigVersions("local", "members") {
        /// The member that asked.
        local,
        /// When, in seconds since 1970.
        now,
        /// The members in order, with their `config_version`; `None` where one gave none.
        members,
        ;
        /// Why others are silent: `member`, `why`.
        #[getter]
        fn silent(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden, Class::Detail)
        }
    }
    /// What became of the configuration between members, or would become of it (`pfcluster sync`).
    Sync("direction", "members") {
        /// `push`: from here to members; `pull`: from a member to here.
        direction,
        /// Nothing was changed.
        dry_run,
        /// The version that members have now; `None` if none was to change.
        config_version,
        /// What became of each file of each member: `member`, `address`, `files`, `version_state`, `message`.
        members,
        ;
        /// Whether everything arrived; with `dry_run`: whether nothing differs.
        #[getter]
        fn complete(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden["complete"], Class::Detail)
        }
        /// The directory where a pull keeps what it has replaced; `None` if it has replaced nothing.
        #[getter]
        fn backup(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden["backup"], Class::Detail)
        }
    }
}
