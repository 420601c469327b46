//! What a cluster is read from: the texts of its files, and what is known beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pfcluster_cli::host::files;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::installation::{Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::cluster::Cluster;
use crate::error::{self, guarded, input};
use crate::ini_text::IniText;
use crate::input::{bytes, host, hosts, path, pf_version, texts, word};

/// The texts, their names, and what is known beside them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Files {
    pub(crate) cluster_conf: IniText,
    pub(crate) name: String,
    pub(crate) pf_conf: Option<Vec<u8>>,
    pf_conf_name: String,
    pf_conf_defaults: Option<Vec<u8>>,
    pfconfig_conf: Option<Vec<u8>>,
    pub(crate) networks_conf: Option<Vec<u8>>,
    pub(crate) host: Option<Hostname>,
    pub(crate) disabled: BTreeSet<Hostname>,
    pub(crate) version: PfVersion,
    environment: BTreeMap<String, String>,
}

impl Files {
    pub(crate) fn texts(&self) -> Texts<'_> {
        Texts {
            cluster_conf: self.cluster_conf.bytes(),
            pf_conf: self.pf_conf.as_deref(),
            pf_conf_defaults: self.pf_conf_defaults.as_deref(),
            pfconfig_conf: self.pfconfig_conf.as_deref(),
        }
    }

    pub(crate) fn situation(&self) -> Situation {
        let (me, disabled) = (self.host.clone(), self.disabled.clone());
        Situation { me, disabled, environment: self.environment.clone(), ..Situation::of_version(self.version) }
    }

    pub(crate) fn name_of(&self, source: Source) -> String {
        match source {
            Source::ClusterConf => self.name.clone(),
            Source::PfConf => self.pf_conf_name.clone(),
            other => other.path().to_owned(),
        }
    }

    /// The same with another cluster.conf.
    pub(crate) fn with(&self, cluster_conf: IniText) -> Files {
        Files { cluster_conf, ..self.clone() }
    }

    /// Everything, for pickle.
    pub(crate) fn kept<'py>(&self, py: Python<'py>) -> Kept<'py> {
        let files = self.clone();
        (
            (PyBytes::new(py, files.cluster_conf.bytes()), files.name, files.pf_conf, files.pf_conf_name),
            (files.pf_conf_defaults, files.pfconfig_conf, files.networks_conf),
            (
                files.host.map(|host| host.to_string()),
                files.disabled.iter().map(ToString::to_string).collect(),
                files.version.to_string(),
                files.environment,
            ),
        )
    }
}

/// What [`Files::kept`] keeps.
pub(crate) type Kept<'py> = ((Bound<'py, PyBytes>, String, Text, String), (Text, Text, Text), KeptSituation);

/// The text of a file that may not be there.
type Text = Option<Vec<u8>>;

/// Host, disabled members, version, environment.
pub(crate) type KeptSituation = (Option<String>, Vec<String>, String, BTreeMap<String, String>);

/// Reads the texts of the files. Faults in them are no exceptions: `check()` reports them all.
#[pyfunction]
#[pyo3(signature = (cluster_conf, *, pf_conf=None, pf_conf_defaults=None, pfconfig_conf=None, networks_conf=None,
    host=None, disabled=None, pf_version=None, environment=None, name=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn parse(
    cluster_conf: &Bound<'_, PyAny>,
    pf_conf: Option<&Bound<'_, PyAny>>,
    pf_conf_defaults: Option<&Bound<'_, PyAny>>,
    pfconfig_conf: Option<&Bound<'_, PyAny>>,
    networks_conf: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    disabled: Option<&Bound<'_, PyAny>>,
    pf_version: Option<&Bound<'_, PyAny>>,
    environment: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> PyResult<Cluster> {
    guarded(|| {
        let optional = |source: Option<&Bound<'_, PyAny>>, name| source.map(|source| bytes(source, name)).transpose();
        Ok(Cluster::of(Files {
            cluster_conf: IniText::new(bytes(cluster_conf, "cluster_conf")?),
            name: name.map_or(Ok(Source::ClusterConf.path().to_owned()), |name| word(name, "name"))?,
            pf_conf: optional(pf_conf, "pf_conf")?,
            pf_conf_name: Source::PfConf.path().to_owned(),
            pf_conf_defaults: optional(pf_conf_defaults, "pf_conf_defaults")?,
            pfconfig_conf: optional(pfconfig_conf, "pfconfig_conf")?,
            networks_conf: optional(networks_conf, "networks_conf")?,
            host: host.map(|source| self::host(source, "host")).transpose()?,
            disabled: hosts(disabled, "disabled")?,
            version: self::pf_version(pf_version)?,
            environment: texts(environment, "environment")?,
        }))
    })
}

/// Reads files: a cluster.conf, and others that belong to it.
#[pyfunction]
#[pyo3(signature = (cluster_conf, *, pf_conf=None, networks_conf=None, host=None, disabled=None, pf_version=None))]
pub(crate) fn load(
    py: Python<'_>,
    cluster_conf: &Bound<'_, PyAny>,
    pf_conf: Option<&Bound<'_, PyAny>>,
    networks_conf: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    disabled: Option<&Bound<'_, PyAny>>,
    pf_version: Option<&Bound<'_, PyAny>>,
) -> PyResult<Cluster> {
    guarded(|| {
        let read = |path: &PathBuf| py.detach(|| files::read(path)).map_err(|error| error::host(&error));
        let name = |path: &PathBuf| path.display().to_string();
        let cluster_conf = path(cluster_conf, "cluster_conf")?;
        let pf_conf = pf_conf.map(|source| path(source, "pf_conf")).transpose()?;
        let networks_conf = networks_conf.map(|source| path(source, "networks_conf")).transpose()?;
        Ok(Cluster::of(Files {
            cluster_conf: IniText::new(read(&cluster_conf)?),
            name: name(&cluster_conf),
            pf_conf: pf_conf.as_ref().map(read).transpose()?,
            pf_conf_name: pf_conf.as_ref().map_or_else(|| Source::PfConf.path().to_owned(), name),
            pf_conf_defaults: None,
            pfconfig_conf: None,
            networks_conf: networks_conf.as_ref().map(read).transpose()?,
            host: host.map(|source| self::host(source, "host")).transpose()?,
            disabled: hosts(disabled, "disabled")?,
            version: self::pf_version(pf_version)?,
            environment: BTreeMap::new(),
        }))
    })
}

/// Makes a cluster again from what was pickled.
#[pyfunction]
pub(crate) fn _restore_cluster(
    texts: (Vec<u8>, String, Text, String),
    others: (Text, Text, Text),
    situation: KeptSituation,
) -> PyResult<Cluster> {
    guarded(|| {
        let damaged =
            |error: &dyn std::fmt::Display| input(format!("what was pickled is damaged: {error}"), "pickle it again");
        let name = |name: &String| name.parse::<Hostname>().map_err(|error| damaged(&error));
        Ok(Cluster::of(Files {
            cluster_conf: IniText::new(texts.0),
            name: texts.1,
            pf_conf: texts.2,
            pf_conf_name: texts.3,
            pf_conf_defaults: others.0,
            pfconfig_conf: others.1,
            networks_conf: others.2,
            host: situation.0.as_ref().map(name).transpose()?,
            disabled: situation.1.iter().map(name).collect::<PyResult<_>>()?,
            version: situation.2.parse().map_err(|error| damaged(&error))?,
            environment: situation.3,
        }))
    })
}
