//! What is wrong with the files.

use pfcluster_cli::report::{Sources, Summary, json};
use pfcluster_core::check;
use pfcluster_core::installation::Installation;
use pfcluster_core::rule::Severity;
use pfcluster_core::span::Source;
use pyo3::prelude::*;
use serde::Deserialize as _;
use serde_json::Value;

use crate::classes::Class;
use crate::document::{Document, part, value};
use crate::error::{InvalidConfigurationError, guarded, input};

/// The answer of `pfcluster check`.
pub(crate) fn document(installation: &Installation<'_>, name: impl Fn(Source) -> String) -> PyResult<Document> {
    let sources = Sources::of_places(&installation.documents, name);
    let findings = sources.locate(&installation.diagnostics);
    let files: Vec<String> = sources.user_files().collect();
    Document::of(&json::check(&files, &findings))
}

/// A line for each finding, and one for what to do.
pub(crate) fn lines(document: &Value) -> String {
    let all = document["diagnostics"].as_array();
    let lines = all.into_iter().flatten().map(|finding| {
        let word = |name: &str| finding[name].as_str().unwrap_or_default();
        let (line, column) = (&finding["line"], &finding["column"]);
        let [file, severity, code] = ["file", "severity", "code"].map(word);
        format!("{file}:{line}:{column}: {severity}[{code}]: {}\n  help: {}", word("message"), word("help"))
    });
    let summary = Summary::deserialize(&document["summary"]).unwrap_or_default();
    let lines: Vec<String> = lines.chain([summary.to_string()]).collect();
    lines.join("\n")
}

/// The errors of a document of findings, as objects.
pub(crate) fn errors(py: Python<'_>, document: &Value) -> PyResult<Py<PyAny>> {
    let all = document.get("diagnostics").and_then(Value::as_array);
    let is_error = |one: &&Value| one.get("severity").and_then(Value::as_str) == Some(Severity::Error.name());
    let errors = all.into_iter().flatten().filter(is_error).cloned();
    part(py, &Value::Array(errors.collect()), Class::Diagnostic)
}

pub(crate) fn raise_for_errors(py: Python<'_>, document: &Document) -> PyResult<()> {
    let errors = errors(py, &document.value)?;
    let message = match errors.bind(py).len()? {
        0 => return Ok(()),
        1 => "the configuration has an error".to_owned(),
        count => format!("the configuration has {count} errors"),
    };
    let help = lines(&document.value);
    Err(InvalidConfigurationError::new_err((message, help, errors)))
}

/// All rules, in order of their codes.
#[pyfunction]
pub(crate) fn rules(py: Python<'_>) -> PyResult<Py<PyAny>> {
    guarded(|| part(py, &value(&json::rules(&check::rules()))?["rules"], Class::Rule))
}

/// The rule of this code (`PFC012`) or name (`duplicate-address`), with its manual page.
#[pyfunction]
pub(crate) fn rule(py: Python<'_>, code_or_name: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let asked = crate::input::word(code_or_name, "code_or_name")?;
        let found = check::rule(&asked);
        let rule = found.ok_or_else(|| {
            input(format!("there is no rule `{}`", asked.escape_debug()), "`pfcluster.rules()` lists all")
        })?;
        part(py, &value(&json::rules(&[rule]))?["rules"][0], Class::Rule)
    })
}
