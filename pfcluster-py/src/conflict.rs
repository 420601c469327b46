//! Whose configuration wins.

use pfcluster_cli::report::conflict::{self as report, Versions, VersionsFile};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{ConfigVersion, Policy, ResolveError, resolve};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};

use crate::classes::Class;
use crate::document::Document;
use crate::error::{NotAMemberError, guarded, input};
use crate::galera::json_text;
use crate::input::{Pair, host, pairs, parse, word};

/// What each member says, in order; who decides, and its time, if the file says so.
type Said = (Vec<(Hostname, Option<String>)>, Option<Hostname>, Option<ConfigVersion>);

/// Compares the versions of all enabled members (guide 7.5), in the order of cluster.conf.
#[pyfunction]
#[pyo3(signature = (versions, *, host=None, now=None, policy=None))]
pub(crate) fn resolve_conflict(
    py: Python<'_>,
    versions: &Bound<'_, PyAny>,
    host: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let policy = match policy.map(|policy| word(policy, "policy")).transpose()?.as_deref() {
            None | Some("guide") => Policy::Guide,
            Some("majority") => Policy::Majority,
            Some(_) => return Err(input("there is no such policy", "give \"guide\" or \"majority\"")),
        };
        let (members, local, time) = said(versions)?;
        let me = host.map(|source| self::host(source, "host")).transpose()?.or(local);
        let help = "name the member that decides as `host`";
        let me = me.ok_or_else(|| input("it is not said which member decides", help))?;
        let versions = Versions::new(me, now.map(time_of_day).transpose()?.or(time), members);
        let decision = resolve(&versions.replies, &versions.me, versions.now.as_ref(), policy);
        let decision = decision.map_err(|error| match error {
            ResolveError::NotAMember(_) => NotAMemberError::new_err((error.to_string(), help)),
            _ => input(error.to_string(), "name each member once"),
        })?;
        let mut text = Vec::new();
        report::text(&decision, &versions, &mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Class::Decision.wrap(py, Document::answer(&report::document(&decision), text)?)
    })
}

/// A file of `pfcluster conflict --versions`, a mapping of hosts to versions, or a list of pairs.
fn said(versions: &Bound<'_, PyAny>) -> PyResult<Said> {
    let is_document = versions.cast::<Document>().is_ok();
    if is_document || versions.is_instance_of::<PyString>() || versions.is_instance_of::<PyBytes>() {
        let file = VersionsFile::read(&json_text(versions, "versions")?);
        let file =
            file.map_err(|error| input(format!("versions: {error}"), "see `pfcluster conflict --help` for the form"))?;
        let (local, now) = (file.local.clone(), file.now.clone());
        return Ok((file.into_members(), local, now));
    }
    let member = |(name, version): Pair<'_>| {
        let version = if version.is_none() { None } else { Some(word(&version, "versions")?) };
        Ok((host(&name, "versions")?, version))
    };
    Ok((pairs(versions, "versions")?.into_iter().map(member).collect::<PyResult<_>>()?, None, None))
}

/// Seconds since 1970, as a number or as a version has them.
fn time_of_day(now: &Bound<'_, PyAny>) -> PyResult<ConfigVersion> {
    let help = "give seconds since 1970";
    if now.is_instance_of::<PyInt>() { parse(now.str()?.as_any(), "now", help) } else { parse(now, "now", help) }
}
