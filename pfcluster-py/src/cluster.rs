//! `pfcluster.Cluster`: the texts of one installation, and what follows from them.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use pfcluster_cli::report::json;
use pfcluster_cli::report::table::Overview;
use pfcluster_core::cluster::{self, Hostname, MemberEditError, Vip, add_member, remove_member};
use pfcluster_core::document::NewSection;
use pfcluster_core::installation::Installation;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use self_cell::self_cell;
use serde_json::{Value, json as document_of};

use crate::classes::Class;
use crate::diagnostics;
use crate::document::{Document, part, value};
use crate::error::{EditError, NotAMemberError, guarded, input};
use crate::files::{Files, Kept};
use crate::ini_text::IniText;
use crate::input::{host, hosts, parse as parsed_word, text, texts, word};

/// A cluster as its files describe it: cluster.conf, and whatever else was given. Frozen: edits make a new one.
#[pyclass(frozen, module = "pfcluster")]
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) files: Arc<Files>,
    /// What the files say, from the first question about it on.
    reading: OnceLock<Reading>,
    overview: OnceLock<Value>,
}

self_cell! {
    struct Reading {
        owner: Arc<Files>,
        #[covariant]
        dependent: Installation,
    }

    impl {Debug}
}

impl Cluster {
    pub(crate) fn of(files: Files) -> Cluster {
        Cluster { files: Arc::new(files), reading: OnceLock::new(), overview: OnceLock::new() }
    }

    pub(crate) fn installation(&self) -> &Installation<'_> {
        let read = || {
            Reading::new(Arc::clone(&self.files), |files| {
                Installation::of(files.cluster_conf.parsed().clone(), files.texts(), &files.situation())
            })
        };
        self.reading.get_or_init(read).borrow_dependent()
    }

    pub(crate) fn model(&self) -> &cluster::Cluster {
        &self.installation().cluster
    }

    /// The member of this name.
    pub(crate) fn hostname(&self, name: &Bound<'_, PyAny>, argument: &str) -> PyResult<Hostname> {
        let host = host(name, argument)?;
        if self.model().member(host.as_str()).is_some() { Ok(host) } else { Err(self.not_a_member(&host)) }
    }

    pub(crate) fn not_a_member(&self, host: &Hostname) -> PyErr {
        let members: Vec<&Hostname> = self.model().members().map(|member| &member.host).collect();
        not_a_member(host, &members)
    }

    /// The document of `pfcluster show`.
    fn overview(&self) -> PyResult<&Value> {
        if let Some(overview) = self.overview.get() {
            return Ok(overview);
        }
        let overview = value(&Overview::new(self.installation(), &self.files.situation()))?;
        Ok(self.overview.get_or_init(|| overview))
    }

    /// The same with another cluster.conf.
    fn edited(&self, text: Result<Vec<u8>, impl Into<MemberEditError>>) -> PyResult<Cluster> {
        let cluster_conf = IniText::new(text.map_err(|error| self.refused(&error.into()))?);
        Ok(Cluster::of(self.files.with(cluster_conf)))
    }

    fn refused(&self, error: &MemberEditError) -> PyErr {
        let help = match error {
            MemberEditError::NoSuchMember(host) => return self.not_a_member(host),
            MemberEditError::MemberExists(_) => "remove it first with `without_member`",
            MemberEditError::NoSuchZone(_) | MemberEditError::ZoneNeeded => "name one of `zones` as `zone`",
            MemberEditError::Edit(_) => "see `sections` for what is there",
        };
        EditError::new_err((error.to_string(), help))
    }
}

/// The exception for a host that is none of these.
pub(crate) fn not_a_member(host: &Hostname, members: &[&Hostname]) -> PyErr {
    const MOST: usize = 10;
    let most: Vec<&str> = members.iter().take(MOST).map(|host| host.as_str()).collect();
    let more = if members.len() > MOST { ", ..." } else { "" };
    let help = format!("the members are {}{more}", most.join(", "));
    NotAMemberError::new_err((format!("{host} is not a member of the cluster"), help))
}

#[pymethods]
impl Cluster {
    /// Everything that is wrong with the files.
    fn check(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            let found = diagnostics::document(self.installation(), |source| self.files.name_of(source))?;
            Class::Diagnostics.wrap(py, found)
        })
    }

    /// The text of cluster.conf. Bytes that are no UTF-8 are surrogates, as `surrogateescape` has it.
    fn to_ini<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text(py, self.files.cluster_conf.bytes())
    }

    /// The text of cluster.conf as it is in the file.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.files.cluster_conf.bytes())
    }

    /// What `pfcluster show --format json` prints, as a dict.
    fn to_dict(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            Ok(Class::Detail
                .wrap(py, Document::new(self.overview()?.clone()))?
                .bind(py)
                .call_method0("to_dict")?
                .unbind())
        })
    }

    /// What `pfcluster show --format json` prints.
    fn to_json(&self) -> PyResult<String> {
        guarded(|| Ok(json::text(self.overview()?)))
    }

    /// The zones, in order.
    #[getter]
    fn zones(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guarded(|| part(py, &self.overview()?["zones"], Class::Zone))
    }

    /// The members of all zones, in order.
    #[getter]
    fn members(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            let zones = self.overview()?["zones"].as_array().into_iter().flatten();
            let members = zones.flat_map(|zone| zone["members"].as_array().into_iter().flatten()).cloned();
            part(py, &Value::Array(members.collect()), Class::Member)
        })
    }

    /// The member of this host name, exactly.
    fn member(&self, py: Python<'_>, host: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            let host = self.hostname(host, "host")?;
            let at = self.model().members().position(|member| member.host == host);
            Ok(self.members(py)?.bind(py).get_item(at)?.unbind())
        })
    }

    /// `single_zone` or `multi_zone`.
    #[getter]
    fn layout(&self) -> PyResult<&str> {
        guarded(|| Ok(self.overview()?["layout"].as_str().unwrap_or_default()))
    }

    /// Whether PacketFence works as a cluster with these files.
    #[getter]
    fn clustered(&self) -> PyResult<bool> {
        guarded(|| Ok(self.model().is_clustered()))
    }

    /// The version of PacketFence that the files are read for.
    #[getter]
    fn pf_version(&self) -> String {
        self.files.version.to_string()
    }

    /// Sections, keys and values of cluster.conf exactly as PacketFence reads them. Secrets are masked.
    #[getter]
    fn sections(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guarded(|| {
            // cluster.conf is the first.
            let document = self.installation().documents.first().unwrap_or(self.files.cluster_conf.document());
            part(py, &value(&json::raw(document))?["sections"], Class::Section)
        })
    }

    /// The members that share the database that `host` has a part in, in order, whether they are enabled or not. Any other
    /// host may ask as well, as long as there is only one database.
    #[pyo3(signature = (host=None))]
    fn database_members(&self, host: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
        guarded(|| {
            let host = host.map(|host| self.hostname(host, "host")).transpose()?;
            Ok(self.database_hosts(host.as_ref())?.iter().map(ToString::to_string).collect())
        })
    }

    /// The cluster as one member sees it, while it counts the members in `disabled` out.
    #[pyo3(signature = (host, *, disabled=None))]
    fn seen_by(
        &self,
        py: Python<'_>,
        host: &Bound<'_, PyAny>,
        disabled: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        guarded(|| {
            let host = self.hostname(host, "host")?;
            let disabled =
                disabled.map_or(Ok(self.files.disabled.clone()), |hosts| self::hosts(Some(hosts), "disabled"))?;
            Class::View.wrap(py, Document::new(self.view(&host, &disabled)?))
        })
    }

    /// The cluster with `key` of a section set to `value`.
    fn with_value(
        &self,
        section: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Cluster> {
        guarded(|| {
            let (section, key, value) = (word(section, "section")?, word(key, "key")?, word(value, "value")?);
            self.edited(self.files.cluster_conf.document().with_value(&section, &key, &value))
        })
    }

    /// The cluster without `key` in a section.
    fn without_key(&self, section: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<Cluster> {
        guarded(|| {
            self.edited(self.files.cluster_conf.document().without_key(&word(section, "section")?, &word(key, "key")?))
        })
    }

    /// The cluster with a new section, below the section `after` or at the end of the file.
    #[pyo3(signature = (name, entries, *, after=None))]
    fn with_section(
        &self,
        name: &Bound<'_, PyAny>,
        entries: &Bound<'_, PyAny>,
        after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Cluster> {
        guarded(|| {
            let after = after.map(|after| word(after, "after")).transpose()?;
            let section = NewSection { name: word(name, "name")?, entries: texts(Some(entries), "entries")? };
            self.edited(self.files.cluster_conf.document().with_sections(after.as_deref(), &[section]))
        })
    }

    /// The cluster without a section. Comments stay.
    fn without_section(&self, name: &Bound<'_, PyAny>) -> PyResult<Cluster> {
        guarded(|| self.edited(self.files.cluster_conf.document().without_sections(&[&word(name, "name")?])))
    }

    /// The cluster with a new last member of a zone. A single-zone cluster needs no `zone`.
    #[pyo3(signature = (host, management_ip, interfaces=None, *, zone=None))]
    fn with_member(
        &self,
        host: &Bound<'_, PyAny>,
        management_ip: &Bound<'_, PyAny>,
        interfaces: Option<&Bound<'_, PyAny>>,
        zone: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Cluster> {
        guarded(|| {
            let host = self::host(host, "host")?;
            let ip = address(&word(management_ip, "management_ip")?, "management_ip")?;
            let zone = zone.map(|zone| parsed_word(zone, "zone", "name one of `zones`")).transpose()?;
            let mut addresses = Vec::new();
            for (name, ip) in texts::<Vec<_>>(interfaces, "interfaces")? {
                let help = "name an interface like eth0";
                let name = name
                    .parse()
                    .map_err(|error| input(format!("interfaces: `{}`: {error}", name.escape_debug()), help))?;
                addresses.push((name, address(&ip, "interfaces")?));
            }
            self.edited(add_member(self.files.cluster_conf.document(), zone.as_ref(), &host, ip, &addresses))
        })
    }

    /// The cluster without a member: its section and those of its interfaces are gone. Comments stay.
    fn without_member(&self, host: &Bound<'_, PyAny>) -> PyResult<Cluster> {
        guarded(|| {
            let host = self.hostname(host, "host")?;
            self.edited(remove_member(self.files.cluster_conf.document(), &host))
        })
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Cluster>().is_ok_and(|other| self.files == other.get().files)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.files.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let hosts: Vec<&str> = self.model().members().map(|member| member.host.as_str()).collect();
        format!("<Cluster {}: {}>", self.files.name.escape_debug(), hosts.join(", "))
    }

    /// The table that `pfcluster show` prints.
    fn __str__(&self) -> PyResult<String> {
        guarded(|| {
            let mut out = Vec::new();
            Overview::new(self.installation(), &self.files.situation()).print(&mut out)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        })
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Kept<'py>)> {
        Ok((py.import("pfcluster._native")?.getattr("_restore_cluster")?, self.files.kept(py)))
    }
}

impl Cluster {
    pub(crate) fn database_hosts(&self, host: Option<&Hostname>) -> PyResult<Vec<Hostname>> {
        let members = self.model().database_of(host.or(self.files.host.as_ref()));
        let members =
            members.map_err(|error| input(error.to_string(), "name a member of the zone that you mean as `host`"))?;
        Ok(members.into_iter().map(|member| member.host.clone()).collect())
    }

    fn view(&self, host: &Hostname, disabled: &BTreeSet<Hostname>) -> PyResult<Value> {
        let view = self.model().seen_by(host, disabled).map_err(|_| self.not_a_member(host))?;
        let pf_conf = self.installation().pf_conf.as_ref();
        let centralize = pf_conf.is_some_and(|pf_conf| pf_conf.is_enabled("active_active", "centralize_vips"));
        let priority = |vip| view.vrrp_priority(view.me(), vip, self.files.version, centralize);
        Ok(document_of!({
            "host": host,
            "index": view.index(),
            "zone": view.zone().name.as_str(),
            "zone_members": names(view.zone_members()),
            "configuration_members": names(view.configuration_members()),
            "database_members": names(view.database_members()),
            "database_order": names(view.database_order().into_iter()),
            "vrrp_priority": {
                "management": priority(Vip::Management),
                "radius": priority(Vip::Radius),
                "registration": priority(Vip::Registration),
            },
        }))
    }
}

fn names<'m>(members: impl Iterator<Item = &'m cluster::Member>) -> Vec<&'m str> {
    members.map(|member| member.host.as_str()).collect()
}

fn address(text: &str, name: &str) -> PyResult<std::net::Ipv4Addr> {
    let error = |error| input(format!("{name}: `{}`: {error}", text.escape_debug()), "write an IPv4 address");
    cluster::parse_address(text).map_err(error)
}
