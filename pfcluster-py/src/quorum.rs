//! Who has quorum, what if members go down.

use pfcluster_cli::report::quorum::Report;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::form::kind_of;
use pfcluster_core::quorum::{self as core, ChangeError, ViewChange, Voter, Weight};
use pyo3::prelude::*;
use pyo3::types::PyString;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::classes::{self, Class};
use crate::cluster::Cluster;
use crate::document::Document;
use crate::error::{NotAMemberError, guarded, input};
use crate::input::{host, hosts, list, number, pair};

/// What becomes of a healthy cluster in one change; as it is, without one.
#[pyfunction]
#[pyo3(signature = (members, *, down=None, left=None, split=None))]
pub(crate) fn quorum(
    py: Python<'_>,
    members: &Bound<'_, PyAny>,
    down: Option<&Bound<'_, PyAny>>,
    left: Option<&Bound<'_, PyAny>>,
    split: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let change = change(down, left, split)?;
        let changes = if change.is_empty() { Vec::new() } else { vec![change] };
        answer(py, &voters(members)?, &changes)
    })
}

/// What becomes of a healthy cluster if all these changes happen, one after the other.
#[pyfunction]
pub(crate) fn what_if(py: Python<'_>, members: &Bound<'_, PyAny>, changes: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let changes = list(changes, "changes")?;
        let changes = changes.iter().map(|item| {
            let change = item.cast::<classes::ViewChange>()?.as_super().get();
            ViewChange::deserialize(&change.value).map_err(|error| input(error.to_string(), "make the change again"))
        });
        answer(py, &voters(members)?, &changes.collect::<PyResult<Vec<_>>>()?)
    })
}

/// Whether `alive` of `enabled` members are an alive quorum (guide 8.1): `majority`, `half` or `minority`.
#[pyfunction]
pub(crate) fn alive_quorum(alive: &Bound<'_, PyAny>, enabled: &Bound<'_, PyAny>) -> PyResult<String> {
    let (alive, enabled) = (number(alive, "alive", 0..=usize::MAX)?, number(enabled, "enabled", 0..=usize::MAX)?);
    Ok(kind_of(&core::alive_quorum(alive, enabled)))
}

fn answer(py: Python<'_>, voters: &[Voter], changes: &[ViewChange]) -> PyResult<Py<PyAny>> {
    let answer = core::what_if(voters, changes).map_err(|error| {
        let message = if changes.len() == 1 { error.error.to_string() } else { error.to_string() };
        match &error.error {
            ChangeError::Unknown(_) => NotAMemberError::new_err((message, "name one of the members")),
            ChangeError::Missing(_) => input(message, "put every member that stays up into a group of `split`"),
            _ => input(message, "name each member once, and nobody who is down already"),
        }
    })?;
    let report = Report { voters, changes, answer: &answer };
    let mut text = Vec::new();
    report.text(&mut text)?;
    Class::WhatIf.wrap(py, Document::answer(&report.document(), String::from_utf8_lossy(&text).into_owned())?)
}

/// A cluster's enabled members that share its database; or names, `(name, weight)` where the weight is not 1, with `None` for
/// one that is unknown.
fn voters(members: &Bound<'_, PyAny>) -> PyResult<Vec<Voter>> {
    if let Ok(cluster) = members.cast::<Cluster>() {
        let cluster = cluster.get();
        let hosts = cluster.database_hosts(None)?;
        let enabled = hosts.into_iter().filter(|host| !cluster.files.disabled.contains(host));
        return Ok(enabled.map(Voter::new).collect());
    }
    let voter = |item: &Bound<'_, PyAny>| {
        if item.is_instance_of::<PyString>() {
            return Ok(Voter::new(host(item, "members")?));
        }
        let (name, weight) = pair(item, "members")?;
        let weight = if weight.is_none() { None } else { Some(number::<u8>(&weight, "weight", 0..=255)?) };
        Ok(Voter { host: host(&name, "members")?, weight: weight.map(Weight::new) })
    };
    list(members, "members")?.iter().map(voter).collect()
}

fn change(
    down: Option<&Bound<'_, PyAny>>,
    left: Option<&Bound<'_, PyAny>>,
    split: Option<&Bound<'_, PyAny>>,
) -> PyResult<ViewChange> {
    let groups = |split: &Bound<'_, PyAny>| -> PyResult<Vec<Vec<Hostname>>> {
        list(split, "split")?.iter().map(|group| hosts(Some(group), "split")).collect()
    };
    Ok(ViewChange { down: hosts(down, "down")?, left: hosts(left, "left")?, split: split.map(groups).transpose()? })
}

/// A change as the answer's document has it.
pub(crate) fn change_document(
    down: Option<&Bound<'_, PyAny>>,
    left: Option<&Bound<'_, PyAny>>,
    split: Option<&Bound<'_, PyAny>>,
) -> PyResult<Document> {
    Document::of(&change(down, left, split)?)
}

/// A field of the last step.
pub(crate) fn last<'d>(document: &'d Value, name: &str) -> &'d Value {
    let last = document["steps"].as_array().and_then(|steps| steps.last());
    last.map_or(&Value::Null, |step| &step[name])
}

/// How it ends.
pub(crate) fn ending(document: &Value) -> Value {
    let groups = last(document, "groups").as_array();
    match groups.into_iter().flatten().find(|group| group["state"] == "primary") {
        Some(primary) => json!({ "kind": "primary", "members": primary["members"] }),
        None => json!({ "kind": "no_primary" }),
    }
}
