//! What answers are in Python: the CLI's JSON documents, and their parts, as frozen objects.
//!
//! Every class of this kind is a [`Document`] with getters for the fields that it always has. Equality, hash, print, pickle
//! and copy follow from the document, and are written once.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde::Serialize;
use serde_json::Value;

use crate::classes::Class;
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

    /// What the command line would write.
    pub(crate) fn of(written: &impl Serialize) -> PyResult<Document> {
        value(written).map(Document::new)
    }

    /// An answer, as JSON and for people.
    pub(crate) fn answer(written: &impl Serialize, text: String) -> PyResult<Document> {
        Ok(Document { text: Some(text), ..Document::of(written)? })
    }
}

/// What the command line would write, as a value.
pub(crate) fn value(written: &impl Serialize) -> PyResult<Value> {
    serde_json::to_value(written).map_err(|error| input(format!("no document: {error}"), "please report it"))
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
pub(crate) fn attribute(py: Python<'_>, document: &Document, name: &str) -> PyResult<Py<PyAny>> {
    let key = name.strip_suffix('_').filter(|key| !key.ends_with('_')).unwrap_or(name);
    if let Some(value) = document.value.get(name).or_else(|| document.value.get(key)) {
        return part(py, value, Class::Detail);
    }
    let fields = document.value.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str));
    let fields = fields.collect::<Vec<_>>().join(", ");
    Err(PyAttributeError::new_err(format!("there is no field `{}`, only {fields}", name.escape_debug())))
}
