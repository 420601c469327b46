//! What a machine knows of itself, for `runbook --verify`. It only looks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pfcluster_core::cluster::{Cluster, Layout, toggle};
use pfcluster_core::document::Document;
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::secret::is_secret_key;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::maintenance::FLAG_FILE;
use pfcluster_guide::runbook::{Fact, Found};

use super::maintenance::systemctl;
use super::{Root, backup, files, machine, marks};

/// PacketFence's usual install directory, with which runbooks name its files.
const INSTALL: &str = "/usr/local/pf/";

/// Where it is looked.
#[derive(Debug)]
pub struct Place<'p> {
    /// PacketFence's install directory.
    pub root: &'p Root,
    /// PacketFence's version.
    pub version: PfVersion,
    /// The directory that everything else is below: `/`, but in rehearsals.
    pub system: &'p Path,
    /// Where `systemctl` is, if it is not to be the system's.
    pub programs: Option<&'p Path>,
    /// Where backups are.
    pub backups: &'p Path,
}

/// Looks at each fact.
pub fn look(facts: &[Fact], place: &Place<'_>) -> BTreeMap<Fact, Found> {
    let found = |fact: &Fact| place.find(fact).map_or_else(Found::Unknown, Found::Value);
    facts.iter().map(|fact| (fact.clone(), found(fact))).collect()
}

impl Place<'_> {
    /// The fact's value, or why it can't be seen.
    fn find(&self, fact: &Fact) -> Result<String, String> {
        match fact {
            Fact::Sysctl(key) => {
                let path = self.system.join("proc/sys").join(key.replace('.', "/"));
                text_if_there(&path).map(|text| text.trim().to_owned())
            }
            Fact::Unit(unit) => self.systemctl(&["is-active", unit]),
            Fact::BootTarget => self.systemctl(&["get-default"]),
            Fact::ForcedStart => {
                let environment = self.systemctl(&["show-environment"])?;
                let is_forced = |line: &str| line.starts_with("MARIADB_ARGS=") && line.contains("--force-new-cluster");
                Ok(if environment.lines().any(is_forced) { "set" } else { "not set" }.to_owned())
            }
            Fact::PfConf(section, key) => self.pf_conf(section, key),
            Fact::PfconfigConf(section, key) => {
                let text = self.file_of(Source::PfconfigConf)?;
                let document = Document::parse(Source::PfconfigConf, &text).value;
                Ok(value(&document, section, key).unwrap_or_default())
            }
            Fact::Release => {
                let version = self.root.pf_version().map_err(|error| error.to_string())?;
                Ok(version.map(|version| version.to_string()).unwrap_or_default())
            }
            Fact::ClusterCheck => self.cluster_check(),
            Fact::Member(host) => {
                let text = self.file_of(Source::ClusterConf)?;
                Ok(yes(cluster(&text).member(host.as_str()).is_some()))
            }
            Fact::MultiZone => {
                let text = self.file_of(Source::ClusterConf)?;
                Ok(yes(cluster(&text).layout() == Layout::MultiZone))
            }
            Fact::Counts(host) => {
                let disabled = self.root.disabled_members().map_err(|error| error.to_string())?;
                Ok(if disabled.contains(host) { "disabled" } else { "enabled" }.to_owned())
            }
            Fact::Maintenance => {
                let flag = self.root.file(FLAG_FILE);
                marks::is_set(&flag).map(yes).map_err(|error| format!("{}: {}", flag.display(), files::plain(&error)))
            }
            Fact::File(path) => {
                let path = self.path(path);
                let exists = path.try_exists().map(yes);
                exists.map_err(|error| format!("{}: {}", path.display(), files::plain(&error)))
            }
            Fact::BackupAge => self.backup_age(),
            // A fact that is new in the core.
            _ => Err("this version does not look at it".to_owned()),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        match path.strip_prefix(INSTALL) {
            Some(name) => self.root.file(name),
            None => self.system.join(path.trim_start_matches('/')),
        }
    }

    /// Empty if there is no such file.
    fn file_of(&self, source: Source) -> Result<Vec<u8>, String> {
        let text = self.root.read_source(source).map_err(|error| error.to_string())?;
        Ok(text.unwrap_or_default())
    }

    /// What it says, whatever its exit status: `is-active` has one of its own for units that are not.
    fn systemctl(&self, arguments: &[&str]) -> Result<String, String> {
        let program = self.programs.map_or_else(systemctl, |directory| directory.join("systemctl"));
        let output = Command::new(&program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {}", program.display(), files::plain(&error)))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if said.is_empty() && !output.status.success() {
            return Err(format!("{} {} says nothing", program.display(), arguments.join(" ")));
        }
        Ok(said)
    }

    fn pf_conf(&self, section: &str, key: &str) -> Result<String, String> {
        let (text, defaults) = (self.file_of(Source::PfConf)?, self.file_of(Source::PfConfDefaults)?);
        let parse = |source, text| Document::parse(source, text).value;
        let defaults = (!defaults.is_empty()).then(|| parse(Source::PfConfDefaults, &defaults));
        let settings = |text| PfConf::new(&parse(Source::PfConf, text), defaults.as_ref(), self.version);
        let own = settings(&text);
        let own = own.text(section, key);
        if !is_secret_key(key.as_bytes()) {
            return Ok(own.to_owned());
        }
        let standing = match own {
            "" => "not set",
            own if own == settings(b"").text(section, key) => "the default",
            _ => "set",
        };
        Ok(standing.to_owned())
    }

    /// It is on unless the file says otherwise.
    fn cluster_check(&self) -> Result<String, String> {
        let name = if self.version >= PfVersion::new(10, 2) { "pfcron" } else { "pfmon" };
        let text = self.root.read(&format!("conf/{name}.conf")).map_err(|error| error.to_string())?.unwrap_or_default();
        let document = Document::parse(Source::PfConf, &text).value;
        let status = value(&document, "cluster_check", "status");
        let is_on = status.is_none_or(|status| toggle(&status) == Some(true));
        Ok(if is_on { "enabled" } else { "disabled" }.to_owned())
    }

    fn backup_age(&self) -> Result<String, String> {
        let Some(newest) = backup::last(self.backups)? else { return Ok(String::new()) };
        let now = machine::since_1970();
        Ok((now.saturating_sub(newest.time) / 3600).to_string())
    }
}

fn text_if_there(path: &Path) -> Result<String, String> {
    let text = files::read_if_there(path).map_err(|error| error.to_string())?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default())
}

fn cluster(text: &[u8]) -> Cluster {
    Cluster::from_document(&Document::parse(Source::ClusterConf, text).value).value
}

fn value(document: &Document<'_>, section: &str, key: &str) -> Option<String> {
    let entry = document.section(section.as_bytes())?.get(key.as_bytes())?;
    Some(String::from_utf8_lossy(entry.values().last()?).trim().to_owned())
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}
