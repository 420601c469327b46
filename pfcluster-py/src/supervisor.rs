//! `pfcluster.Supervisor`: the state machine of pfcluster-core, with inputs and outputs as documents.

mod output;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pfcluster_cli::documents::backup::BackupDocument;
use pfcluster_cli::documents::evidence::{self, members_by_name, read_records};
use pfcluster_cli::report::supervisor as report;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::form::kind_of;
use pfcluster_core::galera::{Evidence, Process, Records};
use pfcluster_core::supervisor::{
    self as core, Config, Key, Keys, Look, PublicKey, Saying, SigningKey, SigningKeyError, Tick,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::output::output_document;
use crate::classes::{Class, Input};
use crate::cluster::{Cluster, not_a_member};
use crate::document::{Document, attribute, parsed};
use crate::error::{guarded, input};
use crate::galera::{Electorate, json_text, not_evidence, one_evidence};
use crate::input::{bytes, host, list, number, parse, word};

/// Moments, in milliseconds: far enough from the end of numbers to be added to.
const MOMENTS: RangeInclusive<u64> = 0..=1 << 62;
/// In seconds: more than any probe takes.
const LONGEST_AGE: f64 = 1e9;

/// The MariaDB supervisor of one member, as a state machine without any I/O. It decides as `select_bootstrap` does, and acts
/// on proof, never on a timer: timers only repeat questions.
///
/// How to drive it:
///
/// 1. Make it, once per run, with the records that were written down before, and a random `run` that no other run has had.
/// 2. Take `poll_output()` until it is `None`. Carry the outputs out in order.
/// 3. Wait for whatever comes first: an answer to an output, a datagram, an operator, the end of the database's process, or the
///    moment of `poll_timeout()`.
/// 4. Give it to `handle_input(now, ...)` (`Input("woken")` for the moment). Then 2 again.
///
/// Each `look`, `ask`, `act` and `sync` is answered once, in any order, whenever the answer is there; none of them may keep datagrams
/// waiting. `now` is in milliseconds since any beginning; it never goes back, and where it does it counts as standing still.
///
/// `members` is the cluster, or host names in the order of cluster.conf: the same on all members. `key` is the secret that they
/// share: 32 bytes, or the text of conf/pfcluster.key; it is never shown. `boot` is the machine's boot
/// (`/proc/sys/kernel/random/boot_id`): it tells whether a state transfer (SST) was synced to disk before a power failure. One that
/// is `passive` decides and tells, but does nothing.
///
/// `signing_key` is the member's own key, with which it signs what it sends: 64 hexadecimal digits; it is never shown. `pinned` has
/// the public keys of other members, as `Output("pin")` had them: those are heard only with their signature.
#[pyclass(frozen, module = "pfcluster")]
#[derive(Debug)]
pub(crate) struct Supervisor {
    me: Hostname,
    members: Vec<Hostname>,
    cluster: Option<Py<Cluster>>,
    machine: Mutex<core::Supervisor>,
}

#[pymethods]
impl Supervisor {
    #[new]
    #[pyo3(signature = (me, members, key, run, *, boot=None, records=None, now=None, passive=false, signing_key=None, pinned=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        me: &Bound<'_, PyAny>,
        members: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        run: &Bound<'_, PyAny>,
        boot: Option<&Bound<'_, PyAny>>,
        records: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
        passive: bool,
        signing_key: Option<&Bound<'_, PyAny>>,
        pinned: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Supervisor> {
        guarded(|| {
            let me = host(me, "me")?;
            let electorate = Electorate::of(members, Some(me.clone()))?;
            electorate.known(&me)?;
            let run = number(run, "run", 0..=u64::MAX)?;
            let mut config = Config::new(me.clone(), electorate.hosts.clone(), self::keys(key)?, run);
            if let Some(cluster) = electorate.cluster {
                config.cluster_members = cluster.model().members().map(|member| member.host.clone()).collect();
                config.members_hash = cluster.model().members_hash();
            }
            if let Some(boot) = boot {
                config.boot = parse(boot, "boot", "hand over /proc/sys/kernel/random/boot_id, without its line end")?;
            }
            config.records = records.map_or_else(|| Ok(Records::default()), self::records)?;
            config.is_passive = passive;
            config.signing = signing_key.map(self::signing_key).transpose()?;
            config.pinned = pinned.map(self::pinned).transpose()?.unwrap_or_default();
            let now = now.map_or(Ok(0), |now| number(now, "now", MOMENTS))?;
            let cluster =
                electorate.cluster.and(members.cast::<Cluster>().ok()).map(|cluster| cluster.clone().unbind());
            let machine = Mutex::new(core::Supervisor::new(config, Tick(now)));
            Ok(Supervisor { me, members: electorate.hosts, cluster, machine })
        })
    }

    /// Something happens, at `now` (milliseconds).
    fn handle_input(&self, now: &Bound<'_, PyAny>, input: &Bound<'_, Input>) -> PyResult<()> {
        guarded(|| {
            let now = number(now, "now", MOMENTS)?;
            let input = self.input(input)?;
            self.machine().handle_input(Tick(now), input);
            Ok(())
        })
    }

    /// The key is another one, or has a next one beside it, at `now` (milliseconds): conf/pfcluster.key, or 32 bytes.
    fn read_keys(&self, now: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let now = number(now, "now", MOMENTS)?;
            let keys = keys(key)?;
            self.machine().handle_input(Tick(now), core::Input::KeysRead { keys });
            Ok(())
        })
    }

    /// The member's own key is another one, at `now` (milliseconds).
    fn read_signing_key(&self, now: &Bound<'_, PyAny>, signing_key: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let now = number(now, "now", MOMENTS)?;
            let key = self::signing_key(signing_key)?;
            self.machine().handle_input(Tick(now), core::Input::SigningKeyRead { key });
            Ok(())
        })
    }

    /// An operator accepts the key with this id that is shown in the name of a member (`refused_keys` in its status), in place of
    /// the pinned one, at `now` (milliseconds).
    fn accept_key(&self, now: &Bound<'_, PyAny>, member: &Bound<'_, PyAny>, id: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let (now, member) = (Tick(number(now, "now", MOMENTS)?), host(member, "member")?);
            self.known(&member)?;
            let mut machine = self.machine();
            let id = word(id, "id")?.parse().ok();
            let key = id.and_then(|id| machine.status(now).refused_key(&member, id));
            let key =
                key.ok_or_else(|| input(format!("{member} shows no key with this id"), "see its `refused_keys`"))?;
            machine.handle_input(now, core::Input::PublicKeyAccepted { member, key });
            Ok(())
        })
    }

    /// An operator has the key forgotten that is pinned for a host, at `now` (milliseconds): of one that is not in cluster.conf any more.
    fn forget_key(&self, now: &Bound<'_, PyAny>, host: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let (now, host) = (Tick(number(now, "now", MOMENTS)?), self::host(host, "host")?);
            self.machine().handle_input(now, core::Input::PublicKeyForgotten { host });
            Ok(())
        })
    }

    /// The next thing to be done; `None` if there is nothing more now.
    fn poll_output(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        guarded(|| {
            let output = self.machine().poll_output();
            let Some(output) = output else { return Ok(None) };
            Class::Output.wrap(py, Document::new(output_document(py, &output)?)).map(Some)
        })
    }

    /// When to wake it at the latest (milliseconds), and what for; `None` after its end.
    fn poll_timeout(&self) -> PyResult<Option<(u64, String)>> {
        guarded(|| {
            let timeout = self.machine().poll_timeout();
            Ok(timeout.map(|(when, why)| (when.0, kind_of(&why))))
        })
    }

    /// What it knows and does at `now` (milliseconds).
    fn status(&self, py: Python<'_>, now: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            let status = self.machine().status(Tick(number(now, "now", MOMENTS)?));
            let mut text = Vec::new();
            report::text(&status, false, &mut text)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            Class::SupervisorStatus.wrap(py, Document::answer(&report::document(&status), text)?)
        })
    }

    fn __repr__(&self) -> String {
        format!("<Supervisor of {}>", self.me)
    }
}

impl Supervisor {
    /// The machine. A panic in it was told already.
    fn machine(&self) -> MutexGuard<'_, core::Supervisor> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn input(&self, input: &Bound<'_, Input>) -> PyResult<core::Input> {
        Ok(match told(&input.as_super().get().value)? {
            Told::Looked { number, evidence, data, view_number, receive_queue, age, vips, last_backup } => {
                let (host, evidence) = self.evidence(&evidence)?;
                if host != self.me {
                    return Err(self::input(format!("this is evidence of {host}"), format!("look at {}", self.me)));
                }
                let backup = last_backup.map(BackupDocument::read).transpose();
                let backup = backup
                    .map_err(|error| self::input(format!("last_backup: {error}"), "see `help(pfcluster.Input)`"))?;
                let look = Look {
                    evidence,
                    data,
                    view_number,
                    receive_queue,
                    age: Duration::try_from_secs_f64(age)
                        .map_err(|error| self::input(format!("age: {error}"), "give the age in seconds"))?,
                    vips,
                    backup: backup.map(Into::into).unwrap_or_default(),
                };
                core::Input::Looked { number, look: Box::new(look) }
            }
            Told::Asked { number, answers } => {
                let answer = |answer: &Value| match self.evidence(answer)? {
                    (host, Evidence { process: Process::Running(running), .. }) => Ok((host, running)),
                    (host, _) => {
                        Err(self::input(format!("{host} says nothing in `running`"), "leave out who did not answer"))
                    }
                };
                core::Input::Asked { number, answers: answers.iter().map(answer).collect::<PyResult<_>>()? }
            }
            Told::Acted { error } => core::Input::Acted { result: error.map_or(Ok(()), |error| Err(error.into())) },
            Told::Synced { error } => core::Input::Synced { result: error.map_or(Ok(()), |error| Err(error.into())) },
            Told::NotRecorded { why } => core::Input::NotRecorded { why: why.into() },
            Told::Received { bytes } => core::Input::Received { bytes: unhex(input.py(), &bytes)?.as_bytes().to_vec() },
            Told::Ended { why } => core::Input::Ended { why: why.into() },
            Told::Said { id, saying, user } => core::Input::Said { id, saying: self.saying(saying)?, user },
            Told::End {} => core::Input::End,
            Told::Woken {} => core::Input::Woken,
        })
    }

    fn evidence(&self, document: &Value) -> PyResult<(Hostname, Evidence)> {
        let text = document.to_string();
        let by_name = |name: &str| self.members.iter().find(|host| host.as_str() == name).cloned();
        let read = match &self.cluster {
            Some(cluster) => evidence::read(text.as_bytes(), members_by_name(cluster.get().model())),
            None => evidence::read(text.as_bytes(), by_name),
        };
        let member = read.map_err(|error| not_evidence(&error))?.pop();
        let member = member.ok_or_else(|| input("this is evidence of nobody", "hand over that of one member"))?;
        self.known(&member.host)?;
        Ok((member.host, member.evidence))
    }

    fn known(&self, host: &Hostname) -> PyResult<()> {
        if self.members.contains(host) {
            Ok(())
        } else {
            Err(not_a_member(host, &self.members.iter().collect::<Vec<_>>()))
        }
    }

    fn saying(&self, word: Word) -> PyResult<Saying> {
        let member = |name: String| {
            let host = name.parse::<Hostname>();
            let host =
                host.map_err(|error| input(format!("saying: `{}`: {error}", name.escape_debug()), "name a member"))?;
            self.known(&host).map(|()| host)
        };
        Ok(match word {
            Word::AssumeLost { members } => {
                Saying::AssumeLost(members.into_iter().map(member).collect::<PyResult<_>>()?)
            }
            Word::Discard { member: name } => Saying::Discard(member(name)?),
            Word::Trust { member: name } => Saying::Trust(member(name)?),
            Word::End { member: name } => Saying::End(member(name)?),
            Word::Seed { member: name } => Saying::Seed(member(name)?),
            Word::Standalone {} => Saying::Standalone,
            Word::Force { member: name } => Saying::Force(member(name)?),
        })
    }
}

// Inputs --------------------------------------------------------------------------------------------------------------

/// The document of an input.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Told {
    Looked {
        number: u64,
        evidence: Value,
        data: u64,
        #[serde(default)]
        view_number: Option<u64>,
        #[serde(default)]
        receive_queue: Option<u64>,
        #[serde(default)]
        age: f64,
        #[serde(default)]
        vips: Option<Vec<Ipv4Addr>>,
        #[serde(default)]
        last_backup: Option<BackupDocument>,
    },
    Asked {
        number: u64,
        answers: Vec<Value>,
    },
    Acted {
        #[serde(default)]
        error: Option<String>,
    },
    Synced {
        #[serde(default)]
        error: Option<String>,
    },
    NotRecorded {
        why: String,
    },
    Received {
        bytes: String,
    },
    Ended {
        why: String,
    },
    Said {
        id: u64,
        saying: Word,
        #[serde(default)]
        user: Option<u32>,
    },
    End {},
    Woken {},
}

/// What an operator says.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Word {
    AssumeLost { members: Vec<String> },
    Discard { member: String },
    Trust { member: String },
    End { member: String },
    Seed { member: String },
    Standalone {},
    Force { member: String },
}

fn told(document: &Value) -> PyResult<Told> {
    Told::deserialize(document).map_err(|error| input(error.to_string(), "see `help(pfcluster.Input)`"))
}

/// What `Input(kind, ...)` makes: what is left out is what it means.
pub(crate) fn input_document(kind: &Bound<'_, PyAny>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Document> {
    guarded(|| {
        let mut document = Map::from_iter([("kind".to_owned(), word(kind, "kind")?.into())]);
        for (name, value) in fields.into_iter().flatten() {
            let name = word(&name, "name")?;
            if name == "kind" {
                return Err(input("`kind` is there twice", "give it once, as the first argument"));
            }
            let value = match name.as_str() {
                "evidence" => one_evidence(&value)?.value,
                "answers" => {
                    let answer = |answer| Ok(one_evidence(answer)?.value);
                    list(&value, "answers")?.iter().map(answer).collect::<PyResult<_>>()?
                }
                "vips" if !value.is_none() => {
                    list(&value, "vips")?.iter().map(|vip| plain(vip, "vips")).collect::<PyResult<_>>()?
                }
                "last_backup" if !value.is_none() => {
                    parsed(&String::from_utf8_lossy(&json_text(&value, "last_backup")?))?
                }
                "saying" => parsed(&String::from_utf8_lossy(&json_text(&value, "saying")?))?,
                "age" => seconds(&value, "age")?.into(),
                "bytes" => hex(value.cast::<PyBytes>().map_err(PyErr::from)?)?.into(),
                _ => plain(&value, &name)?,
            };
            document.insert(name, value);
        }
        Ok(Document::new(json!(told(&document.into())?)))
    })
}

/// A text, a number, a bool, or nothing.
fn plain(source: &Bound<'_, PyAny>, name: &str) -> PyResult<Value> {
    if source.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(is_so) = source.cast::<PyBool>() {
        return Ok(is_so.is_true().into());
    }
    if source.is_instance_of::<PyInt>() {
        return Ok(number(source, name, 0..=u64::MAX)?.into());
    }
    if source.is_instance_of::<PyString>() { Ok(word(source, name)?.into()) } else { Err(not_plain(source, name)?) }
}

/// Seconds: a number, whole or not.
fn seconds(source: &Bound<'_, PyAny>, name: &str) -> PyResult<f64> {
    if source.is_instance_of::<PyBool>() || !(source.is_instance_of::<PyInt>() || source.is_instance_of::<PyFloat>()) {
        return Err(PyTypeError::new_err(format!("{name} is float, not {}", source.get_type().name()?)));
    }
    let seconds = source.extract::<f64>().ok().filter(|seconds| (0.0..=LONGEST_AGE).contains(seconds));
    seconds.ok_or_else(|| input(format!("{name} is out of range"), "give the seconds since it was so"))
}

fn not_plain(source: &Bound<'_, PyAny>, name: &str) -> PyResult<PyErr> {
    let kind = source.get_type().name()?;
    Ok(PyTypeError::new_err(format!("{name} is str or int, not {kind}")))
}

fn keys(source: &Bound<'_, PyAny>) -> PyResult<Keys> {
    let text = bytes(source, "key")?;
    if let (Ok(_), Ok(raw)) = (source.cast::<PyBytes>(), <[u8; 32]>::try_from(&text[..])) {
        return Ok(Key::new(raw).into());
    }
    let text = String::from_utf8_lossy(&text);
    text.parse().map_err(|error| input(format!("key: {error}"), "hand over conf/pfcluster.key, or its 32 bytes"))
}

fn signing_key(source: &Bound<'_, PyAny>) -> PyResult<SigningKey> {
    let key = word(source, "signing_key")?.parse();
    key.map_err(|error: SigningKeyError| input(format!("signing_key: {error}"), "hand over 64 hexadecimal digits"))
}

fn public_key(source: &Bound<'_, PyAny>, name: &str) -> PyResult<PublicKey> {
    let key = word(source, name)?.parse();
    key.map_err(|error: SigningKeyError| input(format!("{name}: {error}"), "hand over what `Output(\"pin\")` had"))
}

fn pinned(source: &Bound<'_, PyAny>) -> PyResult<BTreeMap<Hostname, PublicKey>> {
    let members = source.cast::<PyDict>().map_err(PyErr::from)?;
    members.iter().map(|(member, key)| Ok((host(&member, "pinned")?, public_key(&key, "pinned")?))).collect()
}

fn records(source: &Bound<'_, PyAny>) -> PyResult<Records> {
    let help = "hand over what `Output(\"record\")` had in `records`";
    read_records(&json_text(source, "records")?).map_err(|error| input(format!("records: {error}"), help))
}

// Datagrams -----------------------------------------------------------------------------------------------------------

/// The datagram of an input or an output.
pub(crate) fn datagram(py: Python<'_>, document: &Document) -> PyResult<Py<PyAny>> {
    match document.value.get("bytes") {
        Some(Value::String(text)) => Ok(unhex(py, text)?.into_any().unbind()),
        _ => attribute(py, document, "bytes"),
    }
}

fn hex(bytes: &Bound<'_, PyBytes>) -> PyResult<String> {
    bytes.call_method0("hex")?.extract()
}

fn unhex<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.get_type::<PyBytes>().call_method1("fromhex", (text,));
    let bytes = bytes.map_err(|_| input("a datagram is no hexadecimal text", "make it again"))?;
    Ok(bytes.cast_into::<PyBytes>()?)
}
