//! What Python hands over, as the core's types; what makes no sense there is said with what would.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::version::PfVersion;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyMapping, PyString};

use crate::error::input;

/// A text of a file: `bytes` as they are, `str` as UTF-8. Surrogates stand for the bytes that Python's `surrogateescape`
/// made them of.
pub(crate) fn bytes(source: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = source.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    let Ok(text) = source.cast::<PyString>() else {
        let kind = source.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{name} is str or bytes, not {kind}")));
    };
    if let Ok(text) = text.to_cow() {
        return Ok(text.into_owned().into_bytes());
    }
    let encoded = text.call_method1("encode", ("utf-8", "surrogateescape"));
    let encoded = encoded.map_err(|_| {
        let message = format!("{name} holds a surrogate that stands for no byte");
        input(message, "hand over bytes, or text that was decoded with `errors=\"surrogateescape\"`")
    })?;
    Ok(encoded.cast::<PyBytes>()?.as_bytes().to_vec())
}

/// A text for Python: bytes that are no UTF-8 become surrogates, as `surrogateescape` has it.
pub(crate) fn text<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    PyBytes::new(py, bytes).call_method1("decode", ("utf-8", "surrogateescape"))
}

/// A short text: a name, a word. Never a bare `UnicodeEncodeError`.
pub(crate) fn word(source: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let Ok(text) = source.cast::<PyString>() else {
        let kind = source.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{name} is str, not {kind}")));
    };
    let text = text
        .to_cow()
        .map_err(|_| input(format!("{name} holds a surrogate, which is no character"), "write it in UTF-8"))?;
    Ok(text.into_owned())
}

/// A text that is read by its own rules.
pub(crate) fn parse<T: FromStr<Err: Display>>(source: &Bound<'_, PyAny>, name: &str, help: &str) -> PyResult<T> {
    let text = word(source, name)?;
    text.parse().map_err(|error| input(format!("{name}: `{}`: {error}", shortened(&text)), help))
}

/// A text in a message: control characters shown, and cut where nobody reads on.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// A host name.
pub(crate) fn host(source: &Bound<'_, PyAny>, name: &str) -> PyResult<Hostname> {
    parse(source, name, "name a host as cluster.conf does")
}

/// Host names. A single text is refused: its letters would be the hosts.
pub(crate) fn hosts<C: FromIterator<Hostname>>(source: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<C> {
    let Some(source) = source else { return Ok(C::from_iter([])) };
    list(source, name)?.iter().map(|item| host(item, name)).collect()
}

/// The items of any collection but a text or a mapping.
pub(crate) fn list<'py>(source: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let is_other =
        source.is_instance_of::<PyString>() || source.is_instance_of::<PyBytes>() || source.cast::<PyMapping>().is_ok();
    match source.try_iter() {
        Ok(items) if !is_other => items.collect(),
        _ => Err(PyTypeError::new_err(format!("{name} is a list, not {}", source.get_type().name()?))),
    }
}

/// The path of a file: a text, bytes, or a path object.
pub(crate) fn path(source: &Bound<'_, PyAny>, name: &str) -> PyResult<PathBuf> {
    source.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyTypeError>(source.py()) {
            return PyTypeError::new_err(format!("{name} is no path: {error}"));
        }
        input(format!("{name} holds what no file name has"), "name a file")
    })
}

/// Two things that belong together.
pub(crate) type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// One of them.
pub(crate) fn pair<'py>(source: &Bound<'py, PyAny>, name: &str) -> PyResult<Pair<'py>> {
    // A text of two letters is no pair.
    match &list(source, name)?[..] {
        [one, other] => Ok((one.clone(), other.clone())),
        more => Err(PyTypeError::new_err(format!("{name} has pairs, not {} things", more.len()))),
    }
}

/// The items of a mapping, or of a list of pairs.
pub(crate) fn pairs<'py>(source: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Pair<'py>>> {
    let items = match source.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => source.clone(),
    };
    list(&items, name)?.iter().map(|item| pair(item, name)).collect()
}

/// The same as texts.
pub(crate) fn texts<C: FromIterator<(String, String)>>(source: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<C> {
    let Some(source) = source else { return Ok(C::from_iter([])) };
    let both = |(key, value): Pair<'_>| Ok((word(&key, name)?, word(&value, name)?));
    pairs(source, name)?.into_iter().map(both).collect()
}

/// A whole number in a range. `True` is none.
pub(crate) fn number<T>(source: &Bound<'_, PyAny>, name: &str, range: RangeInclusive<T>) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py> + PartialOrd + Display,
{
    if source.is_instance_of::<PyBool>() || !source.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("{name} is int, not {}", source.get_type().name()?)));
    }
    let help = || format!("give a number from {} to {}", range.start(), range.end());
    let number = source.extract::<T>().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| input(format!("{name} is out of range"), help()))
}

/// A version of PacketFence; the newest if none is given.
pub(crate) fn pf_version(source: Option<&Bound<'_, PyAny>>) -> PyResult<PfVersion> {
    source.map_or(Ok(PfVersion::NEWEST), |source| parse(source, "pf_version", "write it like \"14.1\""))
}
