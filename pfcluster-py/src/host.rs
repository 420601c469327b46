//! `pfcluster.host`: what this machine and its cluster know. Whoever waits here holds no lock, can be interrupted, and has a
//! deadline.

mod installed;

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use pfcluster_cli::host::evidence::{Gathered, Note, Question, Recovery, gather};
use pfcluster_cli::host::mariadb::{Account, Overrides, Settings};
use pfcluster_cli::host::status as everybody;
use pfcluster_cli::host::sync::{Local, Peer, versions};
use pfcluster_cli::host::webservices::{Credentials, Fingerprint, Trust, port};
use pfcluster_cli::host::{HostError, Root, backup, machine, supervise};
use pfcluster_cli::report::evidence::{EvidenceDocument, members_by_name};
use pfcluster_cli::report::json;
use pfcluster_cli::report::status::Report;
use pfcluster_core::cluster::{Hostname, Member};
use pfcluster_core::installation::Installation;
use pfcluster_core::version::PfVersion;
use pyo3::prelude::*;
use serde_json::{Value, json as document_of};

use self::installed::{Failure, Installed};
use crate::classes::Class;
use crate::document::{Document, parsed};
use crate::error::{guarded, input};
use crate::input::{host as hostname, list, parse, path};

/// How often a signal is looked for.
const STEP: Duration = Duration::from_millis(50);

/// What `work` answers, which ends by itself at its deadline. It runs in a thread of its own: meanwhile other threads of
/// Python go on, and an interrupted caller leaves it behind.
fn waiting<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let (sender, mut receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    loop {
        // What waits without the lock must own what it waits for.
        let (answer, back) = py.detach(move || (receiver.recv_timeout(STEP), receiver));
        receiver = back;
        match answer {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return guarded(|| panic!("the thread that asked has panicked")),
        }
    }
}

/// A time to wait, as Python has it.
fn seconds(timeout: f64) -> PyResult<Duration> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.001..=3600.0;
    let in_range = RANGE.contains(&timeout);
    let help = "give seconds from 0.001 to 3600";
    if in_range { Ok(Duration::from_secs_f64(timeout)) } else { Err(input("the timeout is out of range", help)) }
}

fn optional_path(source: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<PathBuf>> {
    source.map(|source| path(source, name)).transpose()
}

/// PacketFence's install directory.
fn root(source: Option<&Bound<'_, PyAny>>) -> PyResult<Root> {
    Ok(Root::new(&optional_path(source, "root")?.unwrap_or_else(|| "/usr/local/pf".into())))
}

/// This member.
fn me(host: Option<&Bound<'_, PyAny>>) -> PyResult<Hostname> {
    match host {
        Some(host) => hostname(host, "host"),
        None => machine::hostname()
            .parse()
            .map_err(|error| input(format!("this machine's name is no host name: {error}"), "name a member as `host`")),
    }
}

/// What is said of this member's database.
fn overrides(
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    client_file: Option<&Bound<'_, PyAny>>,
) -> PyResult<Overrides> {
    Ok(Overrides {
        datadir: optional_path(datadir, "datadir")?,
        socket: optional_path(socket, "socket")?,
        client_file: optional_path(client_file, "mysql_defaults_file")?,
    })
}

fn since_1970() -> Option<String> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(time.as_secs().to_string())
}

/// This member's evidence for the election, as `pfcluster evidence` prints it.
#[pyfunction]
#[pyo3(signature = (*, root=None, host=None, datadir=None, socket=None, mysql_defaults_file=None, timeout=5.0,
    recover_timeout=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn evidence(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    mysql_defaults_file: Option<&Bound<'_, PyAny>>,
    timeout: f64,
    recover_timeout: Option<f64>,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let (root, me) = (self::root(root)?, me(host)?);
        let (limit, recover) = (seconds(timeout)?, recover_timeout.map(seconds).transpose()?);
        let overrides = self::overrides(datadir, socket, mysql_defaults_file)?;
        let asked = me.clone();
        let gathered = waiting(py, move || own_evidence(&root, asked, &overrides, limit, recover))??;
        let document = EvidenceDocument::new(me, since_1970(), &gathered.evidence, gathered.notes);
        Class::Evidence.wrap(py, Document::new(parsed(&json::text(&document))?))
    })
}

fn own_evidence(
    root: &Root,
    me: Hostname,
    overrides: &Overrides,
    limit: Duration,
    recover: Option<Duration>,
) -> Result<Gathered, Failure> {
    let installed = Installed::read(root, me)?;
    let cluster = &installed.installation().cluster;
    installed.is_member(cluster)?;
    let settings = Settings::read(&root.file("var/conf/mariadb.conf"), overrides)?;
    let recovery = recover.map_or(Recovery::Leave, Recovery::Within);
    let question = Question { root, cluster, settings: &settings, limit, recovery };
    Ok(gather(&question, members_by_name(cluster), &mut |_| ())?)
}

/// The whole cluster, as `pfcluster status` shows it.
#[pyfunction]
#[pyo3(signature = (*, root=None, host=None, datadir=None, socket=None, mysql_defaults_file=None, backups=None,
    run_directory=None, timeout=5.0))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn status(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    mysql_defaults_file: Option<&Bound<'_, PyAny>>,
    backups: Option<&Bound<'_, PyAny>>,
    run_directory: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let (root, me, limit) = (self::root(root)?, me(host)?, seconds(timeout)?);
        let overrides = self::overrides(datadir, socket, mysql_defaults_file)?;
        let backups = optional_path(backups, "backups")?.unwrap_or_else(|| backup::DIRECTORY.into());
        let run = optional_path(run_directory, "run_directory")?.unwrap_or_else(|| supervise::RUN_DIRECTORY.into());
        let report = waiting(py, move || whole_cluster(&root, me, &overrides, (&backups, &run), limit))??;
        let mut text = Vec::new();
        report.text(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Class::ClusterStatus.wrap(py, Document::answer(&report.json(), text)?)
    })
}

fn whole_cluster(
    root: &Root,
    me: Hostname,
    overrides: &Overrides,
    (backups, run_directory): (&PathBuf, &PathBuf),
    limit: Duration,
) -> Result<Report, Failure> {
    let installed = Installed::read(root, me.clone())?;
    let installation = installed.installation();
    let mut notes = Vec::new();
    let settings = everybody::own_settings(root, overrides, &mut notes)?;
    let named = settings.as_ref().and_then(|settings| settings.account.clone());
    let account = named.or_else(|| Account::of_members(installation.pf_conf.as_ref()?));
    let others = installation.cluster.members().filter(|member| member.host != me);
    let peers = match peers(root, &installation, installed.situation.version, &[], others) {
        Ok(peers) => peers.unwrap_or_default(),
        // It is not all that is asked.
        Err(error) => {
            notes.push(Note { message: error.to_string(), help: error.help().to_owned() });
            Vec::new()
        }
    };
    let question = everybody::Question {
        root,
        version: installed.situation.version,
        cluster: &installation.cluster,
        me: &me,
        disabled: &installed.situation.disabled,
        in_database: &installed.in_database(&installation.cluster)?,
        settings: settings.as_ref(),
        account: account.as_ref(),
        backups,
        run_directory,
        limit,
    };
    let mut answers = everybody::gather(&question, peers, &members_by_name(&installation.cluster));
    answers.notes.splice(0..0, notes);
    Ok(Report::new(me, answers))
}

/// The versions of the configuration of all enabled members, asked at their web services side by side, as
/// `resolve_conflict` takes them. Who shows a certificate that is not known, neither here nor in `fingerprints`, is sent
/// nothing.
#[pyfunction]
#[pyo3(signature = (*, root=None, host=None, fingerprints=None, timeout=5.0))]
pub(crate) fn config_versions(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    fingerprints: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let (root, me, limit) = (self::root(root)?, me(host)?, seconds(timeout)?);
        let fingerprints = fingerprints.map_or(Ok(Vec::new()), |source| list(source, "fingerprints"))?;
        let fingerprint = |source: &Bound<'_, PyAny>| parse(source, "fingerprints", "write it as openssl prints it");
        let fingerprints = fingerprints.iter().map(fingerprint).collect::<PyResult<Vec<Fingerprint>>>()?;
        let asked = me.clone();
        let said = waiting(py, move || all_versions(&root, &asked, &fingerprints, limit))??;
        let member = |(host, said): &(Hostname, Result<Option<String>, String>)| document_of!({ "host": host, "config_version": said.as_ref().ok() });
        let silent = |(host, said): &(Hostname, Result<Option<String>, String>)| {
            said.as_ref().err().map(|why| document_of!({ "member": host, "why": why }))
        };
        let members: Vec<Value> = said.iter().map(member).collect();
        let document = document_of!({ "version": 1, "local": me, "now": since_1970(), "members": members });
        let hidden = said.iter().filter_map(silent).collect();
        Class::ConfigVersions.wrap(py, Document { hidden, ..Document::new(document) })
    })
}

/// What each member says, or why it says nothing. One that has no version yet says that.
type Said = Vec<(Hostname, Result<Option<String>, String>)>;

fn all_versions(root: &Root, me: &Hostname, fingerprints: &[Fingerprint], limit: Duration) -> Result<Said, Failure> {
    let installed = Installed::read(root, me.clone())?;
    let installation = installed.installation();
    let cluster = &installation.cluster;
    installed.is_member(cluster)?;
    let version = installed.situation.version;
    let view = cluster.seen_by(me, &installed.situation.disabled).map_err(|_| installed.not_a_member(cluster))?;
    let others = view.configuration_members().filter(|member| member.host != *me);
    let peers = peers(root, &installation, version, fingerprints, others)?.ok_or_else(|| Failure::Input {
        message: "the web services' user is missing: pf.conf has none".to_owned(),
        help: "set `user` and `pass` in `[webservices]` of pf.conf".to_owned(),
    })?;
    let mut said: Said = Vec::new();
    for member in view.configuration_members() {
        let answer = if member.host == *me {
            Ok(Local::open(root, version)?.version()?)
        } else {
            Err("cluster.conf has no address for it".to_owned())
        };
        said.push((member.host.clone(), answer));
    }
    for (peer, version) in peers.iter().zip(versions(&peers, limit)) {
        if let Some((_, answer)) = said.iter_mut().find(|(host, _)| host.as_str() == peer.name) {
            *answer = version.map(Some).map_err(|error| error.to_string());
        }
    }
    Ok(said)
}

/// The web services of these members; `None` if this installation has no user to ask them with.
fn peers<'m>(
    root: &Root,
    installation: &Installation<'_>,
    version: PfVersion,
    fingerprints: &[Fingerprint],
    members: impl Iterator<Item = &'m Member>,
) -> Result<Option<Vec<Peer>>, HostError> {
    let pf_conf = installation.pf_conf.as_ref();
    let credentials = pf_conf.map(|pf_conf| Credentials::of_members(root, pf_conf, version)).transpose()?.flatten();
    let Some(credentials) = credentials else { return Ok(None) };
    let mut trust = Trust::of_host(root)?;
    fingerprints.iter().for_each(|fingerprint| trust.accept(*fingerprint));
    let port = port(pf_conf)?;
    let peer = |member: &Member| {
        let address = member.addresses.management_ip?.value;
        Some(Peer::new(member.host.to_string(), address, port, &credentials, &trust))
    };
    Ok(Some(members.filter_map(peer).collect()))
}
