//! `pfcluster.host`: what this machine knows. Whoever waits here holds no lock, can be interrupted, and has a deadline.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use pfcluster_cli::host::evidence::{Gathered, Question, Recovery, gather};
use pfcluster_cli::host::mariadb::{Overrides, Settings};
use pfcluster_cli::host::{HostError, Root, files, machine};
use pfcluster_cli::report::evidence::{EvidenceDocument, members_by_name};
use pfcluster_cli::report::json;
use pfcluster_core::cluster::{self, Hostname};
use pfcluster_core::document::Document as IniDocument;
use pfcluster_core::span::Source;
use pyo3::prelude::*;

use crate::classes::Class;
use crate::cluster::not_a_member;
use crate::document::{Document, parsed};
use crate::error::{self, guarded, input};
use crate::input::{host as hostname, path};

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
        let path = |source: Option<&Bound<'_, PyAny>>, name| source.map(|source| self::path(source, name)).transpose();
        let root = Root::new(&path(root, "root")?.unwrap_or_else(|| "/usr/local/pf".into()));
        let host = match host {
            Some(host) => hostname(host, "host")?,
            None => machine::hostname().parse().map_err(|error| {
                input(format!("this machine's name is no host name: {error}"), "name a member as `host`")
            })?,
        };
        let (limit, recover) = (seconds(timeout)?, recover_timeout.map(seconds).transpose()?);
        let overrides = Overrides {
            datadir: path(datadir, "datadir")?,
            socket: path(socket, "socket")?,
            client_file: path(mysql_defaults_file, "mysql_defaults_file")?,
        };
        let asked = host.clone();
        let answer = waiting(py, move || ask(&root, &asked, &overrides, limit, recover))?;
        let gathered = match answer {
            Ok(Answer::Gathered(gathered)) => gathered,
            Ok(Answer::NotAMember(members)) => return Err(not_a_member(&host, &members.iter().collect::<Vec<_>>())),
            Err(error) => return Err(error::host(&error)),
        };
        let taken_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let taken_at = taken_at.map(|time| time.as_secs().to_string());
        let document = EvidenceDocument::new(host, taken_at, &gathered.evidence, gathered.notes);
        Class::Evidence.wrap(py, Document::new(parsed(&json::text(&document))?))
    })
}

enum Answer {
    Gathered(Box<Gathered>),
    NotAMember(Vec<Hostname>),
}

fn ask(
    root: &Root,
    host: &Hostname,
    overrides: &Overrides,
    limit: Duration,
    recover: Option<Duration>,
) -> Result<Answer, HostError> {
    let text = files::read(&root.path(Source::ClusterConf))?;
    let cluster = cluster::Cluster::from_document(&IniDocument::parse(Source::ClusterConf, &text).value).value;
    if cluster.member(host.as_str()).is_none() {
        return Ok(Answer::NotAMember(cluster.members().map(|member| member.host.clone()).collect()));
    }
    let settings = Settings::read(&root.file("var/conf/mariadb.conf"), overrides)?;
    let recovery = recover.map_or(Recovery::Leave, Recovery::Within);
    let question = Question { root, cluster: &cluster, settings: &settings, limit, recovery };
    Ok(Answer::Gathered(Box::new(gather(&question, members_by_name(&cluster), &mut |_| ())?)))
}
