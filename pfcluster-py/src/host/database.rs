//! What databases say: this member's evidence, one member, the whole cluster.

use std::path::PathBuf;
use std::time::Duration;

use pfcluster_cli::documents::evidence::{EvidenceDocument, members_by_name};
use pfcluster_cli::host::evidence::{Gathered, Note, Question, Recovery, Taken, gather};
use pfcluster_cli::host::mariadb::{Account, Overrides, Settings};
use pfcluster_cli::host::status as everybody;
use pfcluster_cli::host::{Root, backup, machine, supervise};
use pfcluster_cli::report::status::{MemberDocument, Report};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::installation::Installation;
use pyo3::prelude::*;
use serde_json::json as document_of;

use super::installed::{Failure, Installed, not_among};
use super::services::peers;
use super::{me, optional_path, seconds, waiting};
use crate::classes::Class;
use crate::document::Document;
use crate::error::guarded;
use crate::input::host as hostname;

/// This member's evidence for the election, as `pfcluster evidence` prints it. The position of a stopped database is recovered
/// only with `recover_timeout`, which is in seconds; without, it is unconfirmed.
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
        let (root, me) = (super::root(root)?, me(host)?);
        let (limit, recover) = (seconds(timeout)?, recover_timeout.map(seconds).transpose()?);
        let overrides = super::overrides(datadir, socket, mysql_defaults_file, None)?;
        let asked = me.clone();
        let gathered = waiting(py, move || own_evidence(&root, asked, &overrides, limit, recover))??;
        let document = EvidenceDocument::new(me, Taken::now(), &gathered.evidence, gathered.notes);
        Class::Evidence.wrap(py, Document::of(&document)?)
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
#[pyo3(signature = (*, root=None, host=None, datadir=None, socket=None, mysql_defaults_file=None, database_ca=None,
    backups=None, run_directory=None, timeout=5.0))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn status(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    mysql_defaults_file: Option<&Bound<'_, PyAny>>,
    database_ca: Option<&Bound<'_, PyAny>>,
    backups: Option<&Bound<'_, PyAny>>,
    run_directory: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let run = optional_path(run_directory, "run_directory")?;
        let asking = Asking {
            run_directory: run.unwrap_or_else(|| supervise::RUN_DIRECTORY.into()),
            ..Asking::of(
                root,
                host,
                super::overrides(datadir, socket, mysql_defaults_file, database_ca)?,
                backups,
                timeout,
            )?
        };
        let report = waiting(py, move || whole_cluster(&asking))??;
        let mut text = Vec::new();
        report.text(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Class::ClusterStatus.wrap(py, Document::answer(&report.document(), text)?)
    })
}

/// What a question about databases is asked with.
struct Asking {
    root: Root,
    me: Hostname,
    overrides: Overrides,
    backups: PathBuf,
    run_directory: PathBuf,
    limit: Duration,
}

impl Asking {
    /// Without a supervisor.
    fn of(
        root: Option<&Bound<'_, PyAny>>,
        host: Option<&Bound<'_, PyAny>>,
        overrides: Overrides,
        backups: Option<&Bound<'_, PyAny>>,
        timeout: f64,
    ) -> PyResult<Asking> {
        Ok(Asking {
            root: super::root(root)?,
            me: me(host)?,
            overrides,
            backups: optional_path(backups, "backups")?.unwrap_or_else(|| backup::DIRECTORY.into()),
            run_directory: PathBuf::new(),
            limit: seconds(timeout)?,
        })
    }

    fn ask<T>(
        &self,
        ask: impl FnOnce(&everybody::Question<'_>, &Installation<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Vec<Note>), Failure> {
        let installed = Installed::read(&self.root, self.me.clone())?;
        let installation = installed.installation();
        let mut notes = Vec::new();
        let settings = everybody::own_settings(&self.root, &self.overrides, &mut notes)?;
        let account =
            Account::for_peers(&self.root, settings.as_ref(), installation.pf_conf.as_ref(), &self.overrides)?;
        let question = everybody::Question {
            root: &self.root,
            version: installed.situation.version,
            cluster: &installation.cluster,
            me: &self.me,
            disabled: &installed.situation.disabled,
            in_database: &installed.in_database(&installation.cluster)?,
            settings: settings.as_ref(),
            account: account.as_ref(),
            backups: &self.backups,
            run_directory: &self.run_directory,
            limit: self.limit,
        };
        Ok((ask(&question, &installation)?, notes))
    }
}

fn whole_cluster(asking: &Asking) -> Result<Report, Failure> {
    let ask = |question: &everybody::Question<'_>, installation: &Installation<'_>| {
        let others = question.cluster.members().filter(|member| member.host != *question.me);
        let (peers, note) = match peers(question.root, installation, question.version, &[], others) {
            Ok(peers) => (peers.unwrap_or_default(), None),
            // It is not all that is asked.
            Err(error) => (Vec::new(), Some(Note { message: error.to_string(), help: error.help().to_owned() })),
        };
        let mut answers = everybody::gather(question, peers, &members_by_name(question.cluster));
        answers.notes.splice(0..0, note);
        Ok(answers)
    };
    let (mut answers, notes) = asking.ask(ask)?;
    answers.notes.splice(0..0, notes);
    Ok(Report { me: asking.me.clone(), now: machine::since_1970(), decision: answers.assessed(), answers })
}

/// What one member's database says, asked at its management address as those of the others are; this machine's own is asked
/// at its socket. As in `status().members`; what only web services and supervisors know is `None`.
#[pyfunction]
#[pyo3(signature = (member, *, root=None, host=None, datadir=None, socket=None, mysql_defaults_file=None, database_ca=None,
    backups=None, timeout=5.0))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn member_status(
    py: Python<'_>,
    member: &Bound<'_, PyAny>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    mysql_defaults_file: Option<&Bound<'_, PyAny>>,
    database_ca: Option<&Bound<'_, PyAny>>,
    backups: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let member = hostname(member, "member")?;
        let overrides = super::overrides(datadir, socket, mysql_defaults_file, database_ca)?;
        let asking = Asking::of(root, host, overrides, backups, timeout)?;
        let (status, notes) = waiting(py, move || one_member(&asking, &member))??;
        Class::MemberStatus
            .wrap(py, Document { hidden: document_of!(notes), ..Document::of(&MemberDocument::new(&status))? })
    })
}

fn one_member(asking: &Asking, member: &Hostname) -> Result<(everybody::MemberStatus, Vec<Note>), Failure> {
    let ask = |question: &everybody::Question<'_>, _: &Installation<'_>| {
        let known = question.cluster.member(member.as_str());
        let known = known.ok_or_else(|| not_among(member, question.cluster))?;
        Ok(everybody::of_member(question, known, &members_by_name(question.cluster)))
    };
    let ((status, found), mut notes) = asking.ask(ask)?;
    notes.extend(found);
    Ok((status, notes))
}
