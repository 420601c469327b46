//! The classes of what is answered: their fields are those of the command line's JSON documents, in pfcluster-cli/schemas.

mod cluster;
mod configuration;
mod database;
mod decisions;

use pyo3::prelude::*;

use crate::document::{Detail, Document};

pub(crate) use cluster::{ClusterStatus, ConfigVersions, MemberStatus, Sync};
pub(crate) use configuration::{
    Addresses, Diagnostic, Diagnostics, Generated, GeneratedFile, Interface, Member, Rule, Section, View, Zone,
};
pub(crate) use database::{Evidence, Grastate, Gvwstate, Input, Output, Position, SupervisorStatus};
pub(crate) use decisions::{Action, Decision, Reason, Step, ViewChange, WhatIf};

/// Makes [`Class`] of the names of the classes.
macro_rules! classes {
    ($($name:ident),+) => {
        /// The classes of documents.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Class { $($name),+ }

        impl Class {
            /// All of them, by name.
            pub(crate) const ALL: &[(&str, Class)] = &[$((stringify!($name), Class::$name)),+];

            /// A document as an instance of this class.
            pub(crate) fn wrap(self, py: Python<'_>, document: Document) -> PyResult<Py<PyAny>> {
                match self {
                    $(Class::$name => {
                        let object = PyClassInitializer::from(document).add_subclass($name);
                        Ok(Bound::new(py, object)?.into_any().unbind())
                    })+
                }
            }
        }
    };
}

classes! {
    Detail, Action, Reason, Decision, ViewChange, WhatIf, Step, Diagnostics, Diagnostic, Rule, Zone, Member, Addresses, Interface, Section, View, Generated, GeneratedFile, Evidence, Grastate, Gvwstate, Position, Input, Output, SupervisorStatus, ClusterStatus, MemberStatus, ConfigVersions, Sync
}

/// Declares classes: each with its doc comment, `match` arguments, fields (`name: Class` if they hold objects), and what else
/// it can do.
macro_rules! documents {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($($positional:literal),*) {
            $( $(#[doc = $field_doc:literal])+ $field:ident $(: $class:ident)?, )*
            $(; $($more:tt)+)?
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[pyclass(frozen, extends = Document, module = "pfcluster")]
            #[derive(Debug)]
            pub(crate) struct $name;

            #[pymethods]
            impl $name {
                #[classattr]
                #[pyo3(name = "__match_args__")]
                fn match_args(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                    PyTuple::new(py, [$($positional),*] as [&str; documents!(@count $($positional)*)])
                }

                $(
                    $(#[doc = $field_doc])+
                    #[getter]
                    fn $field(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
                        let class = documents!(@class $($class)?);
                        $crate::document::field(slf.py(), slf.as_super().get(), stringify!($field), class)
                    }
                )*

                $($($more)+)?
            }
        )+
    };
    (@class) => { $crate::classes::Class::Detail };
    (@class $class:ident) => { $crate::classes::Class::$class };
    (@count) => { 0 };
    (@count $first:literal $($rest:literal)*) => { 1 + documents!(@count $($rest)*) };
}
use documents;
