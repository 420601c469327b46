//! What answers are in Python: the CLI's JSON documents, and their parts, as frozen objects.
//!
//! Every class of this kind is a [`Document`] with getters for the fields that it always has. Equality, hash, print, pickle
//! and copy follow from the document, and are written once.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;

use crate::error::{guarded, input};

/// One of pfcluster's JSON documents, or a part of one, as a frozen object.
#[pyclass(frozen, subclass, module = "pfcluster")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Document {
    /// What the command line prints with `--format json`, or a part of it.
    pub(crate) value: Value,
    /// What it prints otherwise.
    pub(crate) text: Option<String>,
    /// What the document leaves out: the texts of generated files, in which there are secrets.
    pub(crate) hidden: Value,
}

impl Document {
    /// A part of a document, or one without a form for people.
    pub(crate) fn new(value: Value) -> Document {
        Document { value, text: None, hidden: Value::Null }
    }

    /// An answer, as JSON and for people.
    pub(crate) fn answer(json: &str, text: String) -> PyResult<Document> {
        Ok(Document { text: Some(text), ..Document::new(parsed(json)?) })
    }
}

/// A document that pfcluster itself has written.
pub(crate) fn parsed(json: &str) -> PyResult<Value> {
    serde_json::from_str(json).map_err(|error| input(format!("no document: {error}"), "hand over what `to_json` gave"))
}

#[pymethods]
impl Document {
    /// The document as plain dicts, lists, strings and numbers.
    fn to_dict(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        plain(py, &self.value)
    }

    /// The document as the command line prints it with `--format json`.
    fn to_json(&self) -> String {
        pfcluster_cli::report::json::text(&self.value)
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> bool {
        let is_same_class = slf.get_type().is(other.get_type());
        is_same_class && other.cast::<Document>().is_ok_and(|other| slf.get() == other.get())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        let Value::Object(fields) = &slf.get().value else { return Ok(name.to_string()) };
        let mut shown = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            // A getter knows the class of what it gives.
            let value = match slf.getattr_opt(key.as_str())? {
                Some(value) => value,
                None => part(slf.py(), value, Class::Detail)?.into_bound(slf.py()),
            };
            shown.push(format!("{key}={}", value.repr()?));
        }
        Ok(format!("{name}({})", shown.join(", ")))
    }

    fn __str__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let document = slf.get();
        match document.text.as_deref().or_else(|| document.value.get("text")?.as_str()) {
            Some(text) => Ok(text.to_owned()),
            None => Document::__repr__(slf),
        }
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Kept)> {
        let restore = slf.py().import("pfcluster._native")?.getattr("_restore")?;
        let document = slf.get();
        let name = slf.get_type().name()?.to_string();
        Ok((restore, (name, document.value.to_string(), document.text.clone(), document.hidden.to_string())))
    }
}

/// Class, document, text, and what the document leaves out.
type Kept = (String, String, Option<String>, String);

/// Makes an object again from what was pickled.
#[pyfunction]
pub(crate) fn _restore(
    py: Python<'_>,
    name: &str,
    json: &str,
    text: Option<String>,
    hidden: &str,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let class = Class::ALL.iter().find(|(known, _)| *known == name);
        let (_, class) =
            class.ok_or_else(|| input(format!("there is no `{}`", name.escape_debug()), "pickle it again"))?;
        class.wrap(py, Document { value: parsed(json)?, text, hidden: parsed(hidden)? })
    })
}

/// A field of a document as Python has it: objects become instances of `class`, lists tuples.
pub(crate) fn part(py: Python<'_>, value: &Value, class: Class) -> PyResult<Py<PyAny>> {
    match value {
        Value::Object(_) => class.wrap(py, Document::new(value.clone())),
        Value::Array(items) => {
            let items = items.iter().map(|item| part(py, item, class)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyTuple::new(py, items)?.into_any().unbind())
        }
        _ => plain(py, value),
    }
}

/// A value as Python's own types.
fn plain(py: Python<'_>, value: &Value) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::Null => py.None(),
        Value::Bool(is_so) => is_so.into_pyobject(py)?.to_owned().into_any().unbind(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any().unbind(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any().unbind(),
            (None, None) => number.as_f64().into_pyobject(py)?.into_any().unbind(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any().unbind(),
        Value::Array(items) => {
            let items = items.iter().map(|item| plain(py, item)).collect::<PyResult<Vec<_>>>()?;
            items.into_pyobject(py)?.into_any().unbind()
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            fields.iter().try_for_each(|(key, value)| dict.set_item(key, plain(py, value)?))?;
            dict.into_any().unbind()
        }
    })
}

/// A field that an object has by its class. A document that was tampered with may lack it.
pub(crate) fn field(py: Python<'_>, document: &Document, name: &str, class: Class) -> PyResult<Py<PyAny>> {
    part(py, document.value.get(name.trim_start_matches("r#")).unwrap_or(&Value::Null), class)
}

/// Declares the classes: each with its doc comment, `match` arguments, fields (`name: Class` if they hold objects), and
/// what else it can do.
macro_rules! documents {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($($positional:literal),*) {
            $( $(#[doc = $field_doc:literal])+ $field:ident $(: $class:ident)?, )*
            $(; $($more:tt)+)?
        }
    )+) => {
        /// The classes of documents.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Class { Detail, $($name),+ }

        impl Class {
            /// All of them, by name.
            const ALL: &[(&str, Class)] = &[("Detail", Class::Detail), $((stringify!($name), Class::$name)),+];

            /// A document as an instance of this class.
            pub(crate) fn wrap(self, py: Python<'_>, document: Document) -> PyResult<Py<PyAny>> {
                match self {
                    Class::Detail => {
                        let detail = PyClassInitializer::from(document).add_subclass(Detail);
                        Ok(Bound::new(py, detail)?.into_any().unbind())
                    }
                    $(Class::$name => {
                        let object = PyClassInitializer::from(document).add_subclass($name);
                        Ok(Bound::new(py, object)?.into_any().unbind())
                    })+
                }
            }
        }

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
    (@class) => { $crate::document::Class::Detail };
    (@class $class:ident) => { $crate::document::Class::$class };
    (@count) => { 0 };
    (@count $first:literal $($rest:literal)*) => { 1 + documents!(@count $($rest)*) };
}

/// Something with a `kind`: an action, a reason, or a part of one. Its other attributes are the fields of the JSON document;
/// a field that is a word of Python has `_` behind its name (`for_`).
#[pyclass(frozen, extends = Document, module = "pfcluster")]
#[derive(Debug)]
pub(crate) struct Detail;

#[pymethods]
impl Detail {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    fn match_args() -> (&'static str,) {
        ("kind",)
    }

    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        attribute(slf.py(), slf.as_super().get(), name)
    }
}

/// A field by its name.
fn attribute(py: Python<'_>, document: &Document, name: &str) -> PyResult<Py<PyAny>> {
    let key = name.strip_suffix('_').filter(|key| !key.ends_with('_')).unwrap_or(name);
    if let Some(value) = document.value.get(name).or_else(|| document.value.get(key)) {
        return part(py, value, Class::Detail);
    }
    let fields = document.value.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str));
    let fields = fields.collect::<Vec<_>>().join(", ");
    Err(PyAttributeError::new_err(format!("there is no field `{}`, only {fields}", name.escape_debug())))
}

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
    /// Everything that is wrong with the files, in order of file and place. Empty if nothing is.
    Diagnostics("diagnostics") {
        /// The files that were read.
        files,
        /// The findings.
        diagnostics: Diagnostic,
        /// How many there are: `errors`, `warnings`, `infos`.
        summary,
        ;
        fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
            Diagnostics::diagnostics(slf)?.bind(slf.py()).len()
        }
        fn __getitem__(slf: &Bound<'_, Self>, index: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
            Ok(Diagnostics::diagnostics(slf)?.bind(slf.py()).get_item(index)?.unbind())
        }
        fn __iter__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            Ok(Diagnostics::diagnostics(slf)?.bind(slf.py()).try_iter()?.into_any().unbind())
        }
        /// Raises `InvalidConfigurationError` with the errors, if there are some. Warnings raise nothing.
        fn raise_for_errors(slf: &Bound<'_, Self>) -> PyResult<()> {
            crate::diagnostics::raise_for_errors(slf.py(), slf.as_super().get())
        }
    }
    /// One finding in one file.
    Diagnostic("code", "line", "column") {
        /// The rule's stable code, such as `PFC012`.
        code,
        /// The rule's stable name, such as `duplicate-address`.
        name,
        /// `error`, `warning` or `info`.
        severity,
        /// What is wrong, in one sentence. Never holds a secret.
        message,
        /// What to do about it.
        help,
        /// The file.
        file,
        /// The line, from 1.
        line,
        /// The column in characters, from 1.
        column,
        /// The line of the end.
        end_line,
        /// The column after the last character.
        end_column,
        /// Other places that belong to it: file, line, column, message.
        related,
    }
    /// What can be wrong, with its manual page.
    Rule("code", "name") {
        /// Stable code, such as `PFC012`.
        code,
        /// Stable name, such as `duplicate-address`.
        name,
        /// `error`, `warning` or `info`.
        severity,
        /// What, why, an example, what to do.
        explanation,
    }
    /// Servers that share virtual addresses. A single-zone cluster has one, named `DEFAULT`.
    Zone("name") {
        /// Its name.
        name,
        /// The zone whose database this one follows.
        slave_of,
        /// The virtual addresses.
        vips: Addresses,
        /// The members, in order.
        members: Member,
        /// Networks of networks.conf that the zone writes over.
        networks,
    }
    /// A server of cluster.conf.
    Member("host", "management_ip") {
        /// Its host name.
        host,
        /// Whether it is counted in.
        enabled,
        /// Its place among the enabled members of its zone, from 0.
        index,
        /// Its place in the order in which HAProxy prefers the databases, from 1.
        database_order,
        /// Its VRRP priorities, `management` and `registration`: the highest holds the address.
        vrrp_priority,
        /// Its address for management.
        management_ip,
        /// Its interfaces, in order of the file.
        interfaces: Interface,
    }
    /// The virtual addresses of a zone.
    Addresses("management_ip") {
        /// The address for management.
        management_ip,
        /// The interfaces.
        interfaces: Interface,
    }
    /// An interface with its address.
    Interface("name", "ip") {
        /// Its name.
        name,
        /// What it is for: pf.conf's `type`, or cluster.conf's.
        r#type,
        /// Its address.
        ip,
    }
    /// A section of cluster.conf, as PacketFence reads it. Secrets are masked.
    Section("name", "entries") {
        /// Its name.
        name,
        /// Its line, from 1.
        line,
        /// Its keys: `key`, `line`, `values`.
        entries,
    }
    /// The cluster as one member sees it.
    View("host", "index") {
        /// The member that looks.
        host,
        /// Its place among the enabled members of its zone, from 0; `None` if it is disabled itself.
        index,
        /// Its zone.
        zone,
        /// Enabled members of its zone.
        zone_members,
        /// Enabled members of all zones: those that share one configuration.
        configuration_members,
        /// Enabled members that share its database.
        database_members,
        /// The databases in the order in which HAProxy prefers them.
        database_order,
        /// Its VRRP priorities for virtual addresses: `management`, `radius`, `registration`.
        vrrp_priority,
    }
    /// What was generated for a member.
    Generated("files") {
        /// Where the files differ from PacketFence's own, and why: `original`, `here`, `why`.
        deviations,
        /// What the user should know: `message`, `help`.
        notices,
        ;
        /// The files. Their texts hold secrets, so the JSON document is without them.
        #[getter]
        fn files(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            part(slf.py(), &slf.as_super().get().hidden, Class::GeneratedFile)
        }
    }
    /// A generated file.
    GeneratedFile("path", "text") {
        /// Path below the install directory, `var/conf/keepalived.conf`.
        path,
        /// Contents.
        text,
        /// Who may read it: `public`, `placeholder`, `secret`, `database`, `database_script`.
        access,
        ;
        /// Without the text: what is printed in passing must hold no secret.
        fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
            let (path, access) = (GeneratedFile::path(slf)?, GeneratedFile::access(slf)?);
            Ok(format!("GeneratedFile(path={}, access={})", path.bind(slf.py()).repr()?, access.bind(slf.py()).repr()?))
        }
        fn __str__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            GeneratedFile::path(slf)
        }
    }
    /// What one member knows of its database (`pfcluster evidence`).
    Evidence("host") {
        /// The member.
        host,
        /// When it was taken, in seconds since 1970 as its own clock had it.
        taken_at,
        /// It is in maintenance.
        maintenance,
        /// It runs Galera's arbitrator.
        arbitrator,
        /// The members that it counts out.
        disabled,
        /// Tells whether it reads the same members from cluster.conf as others do.
        members_hash,
        /// What the running server says; `None` if none answers.
        running,
        /// A process is there that does not answer.
        starting,
        /// What its files say; `None` if they could not be read.
        files,
        /// What a person should know: `message`, `help`.
        notes,
        ;
        /// Reads what `pfcluster evidence` printed: JSON as text or bytes, or a dict.
        #[new]
        fn new(source: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
            Ok(PyClassInitializer::from(crate::galera::one_evidence(source)?).add_subclass(Evidence))
        }
    }
    /// What grastate.dat says.
    Grastate("uuid", "seqno") {
        /// The history.
        uuid,
        /// -1 while the server runs and after a crash; the last sequence number after a clean stop.
        seqno,
        /// `None` if the line is missing (old versions).
        safe_to_bootstrap,
    }
    /// What gvwstate.dat says.
    Gvwstate("view_uuid", "view_seq") {
        /// This node.
        my_uuid,
        /// The node that named the view.
        view_uuid,
        /// The number of the view.
        view_seq,
        /// Whether the view began with a bootstrap.
        bootstrap,
        /// The nodes in the view.
        members,
    }
    /// A place in a history.
    Position("uuid", "seqno") {
        /// The history.
        uuid,
        /// The number of the last transaction.
        seqno,
    }
}
