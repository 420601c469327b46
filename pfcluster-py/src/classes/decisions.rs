//! What is decided: actions, reasons, what becomes of a cluster.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Class, documents};
use crate::document::{Document, attribute, part};

documents! {
    /// What to do: `kind` tells what, the other attributes are those of the JSON document.
    Action("kind") {
        /// A stable word for it.
        kind,
        ;
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// Why: `kind` tells what, `text` says it, the other attributes are those of the JSON document.
    Reason("kind") {
        /// A stable word for it.
        kind,
        /// One English sentence without a final period.
        text,
        ;
        fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
            attribute(slf.py(), slf.as_super().get(), name)
        }
    }
    /// An answer about the state of the world. Waiting and refusing are actions like others: they too have reasons.
    Decision("action", "reasons", "remedy") {
        /// What to do.
        action: Action,
        /// Why, the most telling first.
        reasons: Reason,
        /// What a person can do next, in order.
        remedy,
    }
    /// What happens at once to a healthy cluster: who crashes, who shuts the database down, how the network splits.
    ViewChange("down", "left", "split") {
        /// These crash, or lose their power or their network for good.
        down,
        /// These shut their database down gracefully.
        left,
        /// The network splits into these groups; `None` leaves it as it was.
        split,
        ;
        #[new]
        #[pyo3(signature = (*, down=None, left=None, split=None))]
        fn new(
            down: Option<&Bound<'_, PyAny>>,
            left: Option<&Bound<'_, PyAny>>,
            split: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<PyClassInitializer<Self>> {
            let document = crate::quorum::change_document(down, left, split)?;
            Ok(PyClassInitializer::from(document).add_subclass(ViewChange))
        }
    }
    /// What becomes of a healthy cluster.
    WhatIf("primary", "steps") {
        /// All members, in order.
        members,
        /// Whether some members are primary at the end: whether there is a database that can be written.
        primary,
        /// How things stand after each change; as they are, if there is none.
        steps: Step,
        /// What still works on a member that is `primary`, `read_only` or `down` (guide 4.1).
        features,
        ;
        /// How it ends: `primary` with the members that are, else `no_primary`.
        #[getter]
        fn action(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            Class::Action.wrap(slf.py(), Document::new(crate::quorum::ending(&slf.as_super().get().value)))
        }
        /// Why it ends so.
        #[getter]
        fn reasons(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), crate::quorum::last(&slf.as_super().get().value, "reasons"), Class::Reason)
        }
        /// What brings a primary component back, in order. Empty if there is one.
        #[getter]
        fn remedy(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), crate::quorum::last(&slf.as_super().get().value, "remedy"), Class::Detail)
        }
    }
    /// The cluster after a change.
    Step("change", "groups", "down") {
        /// What has happened; `None` if nothing has.
        change: ViewChange,
        /// Who sees whom: members, `state`, `tally`, `alive_quorum`.
        groups,
        /// Who is down, and how each went.
        down,
        /// Why it is so.
        reasons: Reason,
        /// What the primary component survives; `None` if there is none.
        tolerance,
        /// What brings a primary component back, in order.
        remedy,
    }
}
