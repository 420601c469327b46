//! What a database left behind, and which member may bring it back.

use std::collections::BTreeSet;

use pfcluster_cli::documents::evidence::{self, EvidenceError, Several, members_by_name};
use pfcluster_cli::report::bootstrap::{self as report, Shown};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{self, Observation, Policy, Silence, select_bootstrap as select};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::classes::Class;
use crate::cluster::{Cluster, not_a_member};
use crate::document::{Document, parsed};
use crate::error::{UnreadableStateError, guarded, input};
use crate::input::{Pair, bytes, host, hosts, list, number, pairs, word};

/// Which member may bring the database back after an outage, how, and why.
#[pyfunction]
#[pyo3(signature = (members, evidence, *, host=None, disabled=None, assume_lost=None, discard=None, trust=None,
    force=None, seed=None, standalone=false, split_confirmed=None, reform_failed=false, silent=None, now=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn select_bootstrap(
    py: Python<'_>,
    members: &Bound<'_, PyAny>,
    evidence: &Bound<'_, PyAny>,
    host: Option<&Bound<'_, PyAny>>,
    disabled: Option<&Bound<'_, PyAny>>,
    assume_lost: Option<&Bound<'_, PyAny>>,
    discard: Option<&Bound<'_, PyAny>>,
    trust: Option<&Bound<'_, PyAny>>,
    force: Option<&Bound<'_, PyAny>>,
    seed: Option<&Bound<'_, PyAny>>,
    standalone: bool,
    split_confirmed: Option<bool>,
    reform_failed: bool,
    silent: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let asks = host.map(|source| self::host(source, "host")).transpose()?;
        let electorate = Electorate::of(members, asks)?;
        let several = electorate.evidence(evidence)?;
        let known = |host: &Hostname| electorate.known(host);
        let all = |source, name| -> PyResult<BTreeSet<Hostname>> {
            let hosts: BTreeSet<Hostname> = hosts(source, name)?;
            hosts.iter().try_for_each(known)?;
            Ok(hosts)
        };
        let one = |source: Option<&Bound<'_, PyAny>>, name| -> PyResult<Option<Hostname>> {
            let host = source.map(|source| self::host(source, name)).transpose()?;
            host.iter().try_for_each(known)?;
            Ok(host)
        };
        let own = electorate.me.as_ref().and_then(|me| several.disabled_by(me));
        let disabled = match (disabled, own) {
            (Some(_), _) => hosts(disabled, "disabled")?,
            (None, own) => own.unwrap_or_else(|| electorate.disabled.clone()),
        };
        let mut members = several.seen(&electorate.hosts, &disabled);
        for (name, why) in silent.map_or(Ok(Vec::new()), silences)? {
            known(&name)?;
            let one =
                members.iter_mut().find(|one| one.host == name && matches!(one.observation, Observation::Unknown(_)));
            one.into_iter().for_each(|one| one.observation = Observation::Unknown(why.clone()));
        }
        let policy = Policy {
            assume_lost: all(assume_lost, "assume_lost")?,
            discard: all(discard, "discard")?,
            trust: all(trust, "trust")?,
            seed: one(seed, "seed")?,
            standalone,
            force: one(force, "force")?,
            split_confirmed: split_confirmed.unwrap_or_else(|| several.confirms_split(&electorate.hosts, &disabled)),
            reform_failed,
            ..Policy::default()
        };
        let decision = select(&members, &policy);
        let now = now.map(|now| number(now, "now", 0..=i64::from(u32::MAX))).transpose()?;
        let age = |host| now?.checked_sub(several.newest(host)?.taken.seconds()?);
        let shown: Vec<Shown<'_>> = members.iter().map(|seen| Shown { seen, age: age(&seen.host) }).collect();
        let mut text = Vec::new();
        report::text(&decision, &shown, false, &mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Class::Decision.wrap(py, Document::answer(&report::document(&decision, &shown), text)?)
    })
}

/// Whose election it is.
pub(crate) struct Electorate<'c> {
    pub(crate) hosts: Vec<Hostname>,
    pub(crate) cluster: Option<&'c Cluster>,
    /// Who asks.
    me: Option<Hostname>,
    disabled: BTreeSet<Hostname>,
}

impl<'c> Electorate<'c> {
    /// A cluster's members that share the database that `me` has a part in; or host names in the order of cluster.conf.
    pub(crate) fn of(members: &'c Bound<'_, PyAny>, me: Option<Hostname>) -> PyResult<Electorate<'c>> {
        let Ok(cluster) = members.cast::<Cluster>() else {
            let hosts: Vec<Hostname> = hosts(Some(members), "members")?;
            let distinct: BTreeSet<&Hostname> = hosts.iter().collect();
            if distinct.len() < hosts.len() {
                return Err(input("a member is there twice", "name each member once"));
            }
            return Ok(Electorate { hosts, cluster: None, me, disabled: BTreeSet::new() });
        };
        let cluster = cluster.get();
        let me = me.or_else(|| cluster.files.host.clone());
        let (hosts, disabled) = (cluster.database_hosts(me.as_ref())?, cluster.files.disabled.clone());
        Ok(Electorate { hosts, cluster: Some(cluster), me, disabled })
    }

    pub(crate) fn known(&self, host: &Hostname) -> PyResult<()> {
        if self.hosts.contains(host) { Ok(()) } else { Err(not_a_member(host, &self.hosts.iter().collect::<Vec<_>>())) }
    }

    /// The evidence of several members, each as an object, as JSON or as a dict.
    fn evidence(&self, source: &Bound<'_, PyAny>) -> PyResult<Several> {
        let mut several = Several::default();
        for item in list(source, "evidence")? {
            let text = json_text(&item, "evidence")?;
            let read = match self.cluster {
                Some(cluster) => evidence::read(&text, members_by_name(cluster.model())),
                None => evidence::read(&text, |name| self.hosts.iter().find(|host| host.as_str() == name).cloned()),
            };
            let read = read.map_err(|error| not_evidence(&error))?;
            read.iter().try_for_each(|one| self.known(&one.host))?;
            several.all.extend(read);
        }
        Ok(several)
    }
}

pub(crate) fn not_evidence(error: &EvidenceError) -> PyErr {
    input(format!("evidence: {error}"), "take the evidence again with `pfcluster evidence --recover`")
}

/// The text of a JSON document that is handed over as text, as a dict, or as one of our objects.
pub(crate) fn json_text(source: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<u8>> {
    if let Ok(document) = source.cast::<Document>() {
        return Ok(document.get().value.to_string().into_bytes());
    }
    if source.cast::<PyMapping>().is_ok() {
        let text = source.py().import("json")?.call_method1("dumps", (source,));
        let text = text.map_err(|error| input(format!("{name}: {error}"), "hand over what `json.loads` gave"))?;
        return bytes(&text, name);
    }
    bytes(source, name)
}

/// Reads the evidence of one member.
pub(crate) fn one_evidence(source: &Bound<'_, PyAny>) -> PyResult<Document> {
    guarded(|| {
        let text = json_text(source, "evidence")?;
        // Whose an address is only the cluster tells.
        let read = evidence::read(&text, |_| None).map_err(|error| not_evidence(&error))?;
        if read.len() != 1 {
            return Err(input("this is evidence of several members", "hand it over to `select_bootstrap` as it is"));
        }
        let text = String::from_utf8_lossy(&text);
        let mut document = parsed(&text)?;
        // What is left out means the same as what is written here.
        if let Some(member) = document.get_mut("members").and_then(|members| members.get_mut(0)) {
            document = member.take();
        }
        document["version"] = 1.into();
        Ok(Document::new(document))
    })
}

/// Why nothing is known of members: `not_asked`, `no_answer`, `refused`, or what could not be understood.
fn silences(source: &Bound<'_, PyAny>) -> PyResult<Vec<(Hostname, Silence)>> {
    let silence = |(name, why): Pair<'_>| {
        let why = match word(&why, "silent")?.as_str() {
            "not_asked" => Silence::NotAsked,
            "no_answer" => Silence::NoAnswer,
            "refused" => Silence::Refused,
            garbled => Silence::Garbled(garbled.into()),
        };
        Ok((host(&name, "silent")?, why))
    };
    pairs(source, "silent")?.into_iter().map(silence).collect()
}

/// Reads grastate.dat.
#[pyfunction]
pub(crate) fn grastate(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let grastate = galera::Grastate::parse(&bytes(text, "text")?);
        let grastate =
            grastate.map_err(|error| unreadable(&error, "`recovered_position` finds it without the file"))?;
        Class::Grastate.wrap(py, Document::of(&grastate)?)
    })
}

/// Reads gvwstate.dat.
#[pyfunction]
pub(crate) fn gvwstate(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let gvwstate = galera::Gvwstate::parse(&bytes(text, "text")?);
        let gvwstate = gvwstate.map_err(|error| unreadable(&error, "without it, the view is not known"))?;
        Class::Gvwstate.wrap(py, Document::of(&gvwstate)?)
    })
}

/// The position in the log of `mariadbd --wsrep-recover`; `None` if the data belong to no history.
#[pyfunction]
pub(crate) fn recovered_position(py: Python<'_>, log: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    guarded(|| {
        let position = galera::recovered_position(&bytes(log, "log")?);
        let position = position.map_err(|error| unreadable(&error, "run the recovery again"))?;
        let Some(position) = position else { return Ok(None) };
        Class::Position.wrap(py, Document::of(&position)?).map(Some)
    })
}

fn unreadable(error: &dyn std::fmt::Display, help: &str) -> PyErr {
    UnreadableStateError::new_err((error.to_string(), help.to_owned()))
}
