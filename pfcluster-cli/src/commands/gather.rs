//! What `check` and `show` read: the files of an installation, or single cluster.conf files.

use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use pfcluster_core::installation::{Situation, Texts};
use pfcluster_core::span::Source;

use super::{Global, is_given};
use crate::host::{HostError, Root, files};
use crate::output::{CommandError, Printer};

/// Texts that were read, with the names that reports show.
pub(super) struct Gathered {
    cluster_conf: (String, Vec<u8>),
    pf_conf: Option<(String, Vec<u8>)>,
    pf_conf_defaults: Option<Vec<u8>>,
    pfconfig_conf: Option<Vec<u8>>,
    pub(super) situation: Situation,
}

impl Gathered {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            cluster_conf: &self.cluster_conf.1,
            pf_conf: self.pf_conf.as_ref().map(|(_, text)| &**text),
            pf_conf_defaults: self.pf_conf_defaults.as_deref(),
            pfconfig_conf: self.pfconfig_conf.as_deref(),
        }
    }

    /// The name that reports show.
    pub(super) fn name(&self, source: Source) -> String {
        match (source, &self.pf_conf) {
            (Source::ClusterConf, _) => self.cluster_conf.0.clone(),
            (Source::PfConf, Some((name, _))) => name.clone(),
            _ => source.path().to_owned(),
        }
    }
}

/// The installation at ROOT. `file` stands in for its cluster.conf; then pf.conf and the host count only if they are
/// asked for on the command line.
pub(super) fn gather(
    global: &Global,
    matches: &ArgMatches,
    file: Option<&Path>,
    printer: &mut Printer<'_>,
) -> Result<Gathered, CommandError> {
    let root = global.root();
    let whole = file.is_none() || is_given(matches, "root");
    let cluster_conf = match file {
        Some(path) => (path.display().to_string(), read_input(path, printer)?),
        None => (Source::ClusterConf.path().to_owned(), root.read_required(Source::ClusterConf)?),
    };
    let mut situation = Situation::of_version(if whole { global.version(&root)? } else { global.version_of_file() });
    if whole || is_given(matches, "host") {
        situation.me = Some(global.host()?);
    }
    let mut gathered = Gathered { cluster_conf, pf_conf: None, pf_conf_defaults: None, pfconfig_conf: None, situation };
    gathered.pf_conf = pf_conf(global, &root, whole, printer)?;
    if whole {
        gathered.situation.disabled = root.disabled_members()?;
        gathered.pf_conf_defaults = root.read_source(Source::PfConfDefaults)?;
        gathered.pfconfig_conf = root.read_source(Source::PfconfigConf)?;
    }
    Ok(gathered)
}

fn pf_conf(
    global: &Global,
    root: &Root,
    whole: bool,
    printer: &mut Printer<'_>,
) -> Result<Option<(String, Vec<u8>)>, CommandError> {
    if let Some(path) = &global.pf_conf {
        return Ok(Some((path.display().to_string(), files::read(path)?)));
    }
    if !whole {
        return Ok(None);
    }
    let text = root.read_source(Source::PfConf)?;
    if text.is_none() {
        let path = root.path(Source::PfConf);
        writeln!(printer.err, "note: there is no {}: nothing is checked that needs it", path.display())?;
    }
    Ok(text.map(|text| (Source::PfConf.path().to_owned(), text)))
}

/// A file that the command line names; `-` is standard input.
pub(super) fn read_input(path: &Path, printer: &mut Printer<'_>) -> Result<Vec<u8>, CommandError> {
    if path == Path::new("-") { read_stdin(printer) } else { Ok(files::read(path)?) }
}

fn read_stdin(printer: &mut Printer<'_>) -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    printer.stdin.read_to_end(&mut text).map_err(|error: io::Error| HostError::Read {
        path: PathBuf::from("-"),
        reason: error.to_string(),
        help: "check that the program that writes the input stays until its end".to_owned(),
    })?;
    Ok(text)
}
