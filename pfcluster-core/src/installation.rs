//! The files of one PacketFence installation, read together: texts in, the cluster and everything wrong with it out.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Context, check};
use crate::cluster::{Cluster, Hostname};
use crate::diagnostic::{Checked, Diagnostics};
use crate::document::Document;
use crate::pf_conf::PfConf;
use crate::span::Source;
use crate::version::PfVersion;

/// The texts of the files. Only cluster.conf must be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'s> {
    /// cluster.conf.
    pub cluster_conf: &'s [u8],
    /// pf.conf.
    pub pf_conf: Option<&'s [u8]>,
    /// pf.conf.defaults; without it the defaults of the version hold.
    pub pf_conf_defaults: Option<&'s [u8]>,
    /// pfconfig.conf.
    pub pfconfig_conf: Option<&'s [u8]>,
}

/// What is known beside the files.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The member that the files are read for, if it matters.
    pub me: Option<Hostname>,
    /// The members that it counts out.
    pub disabled: BTreeSet<Hostname>,
    /// PacketFence's version.
    pub version: PfVersion,
    /// The environment of PacketFence's services, for template tags (version 12 and later).
    pub environment: BTreeMap<String, String>,
}

impl Situation {
    /// PacketFence `version`, and nothing else known.
    pub fn of_version(version: PfVersion) -> Situation {
        Situation { me: None, disabled: BTreeSet::new(), version, environment: BTreeMap::new() }
    }
}

/// An installation that was read and checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Installation<'s> {
    /// The files, cluster.conf first.
    pub documents: Vec<Document<'s>>,
    /// The cluster.
    pub cluster: Cluster,
    /// pf.conf over its defaults.
    pub pf_conf: Option<PfConf>,
    /// Everything that is wrong, in order of file and place.
    pub diagnostics: Diagnostics,
}

impl<'s> Installation<'s> {
    /// Reads and checks all of it. Never stops at a fault.
    pub fn read(texts: Texts<'s>, situation: &Situation) -> Installation<'s> {
        Installation::of(Document::parse(Source::ClusterConf, texts.cluster_conf), texts, situation)
    }

    /// The same, of a cluster.conf that was parsed already.
    pub fn of(cluster_conf: Checked<Document<'s>>, texts: Texts<'s>, situation: &Situation) -> Installation<'s> {
        let mut diagnostics = Diagnostics::new();
        let cluster_conf = expanded(cluster_conf, situation, &mut diagnostics);
        let mut open = |source, text: &'s [u8]| open(source, text, situation, &mut diagnostics);
        let pf_conf = texts.pf_conf.map(|text| open(Source::PfConf, text));
        let pfconfig_conf = texts.pfconfig_conf.map(|text| open(Source::PfconfigConf, text));
        // PacketFence's own file: what is odd about it is not the user's to mend.
        let ignored = &mut Diagnostics::new();
        let defaults = texts.pf_conf_defaults.map(|text| self::open(Source::PfConfDefaults, text, situation, ignored));
        let lowered = Cluster::from_document(&cluster_conf);
        diagnostics.extend(lowered.diagnostics);
        let settings = pf_conf.as_ref().map(|pf_conf| PfConf::new(pf_conf, defaults.as_ref(), situation.version));
        diagnostics.extend(check(&Context {
            cluster: &lowered.value,
            pf_conf: settings.as_ref(),
            pfconfig_conf: pfconfig_conf.as_ref(),
            me: situation.me.as_ref(),
            disabled: situation.disabled.clone(),
            version: situation.version,
        }));
        diagnostics.sort();
        let documents = [Some(cluster_conf), pf_conf, defaults, pfconfig_conf].into_iter().flatten().collect();
        Installation { documents, cluster: lowered.value, pf_conf: settings, diagnostics }
    }
}

fn open<'s>(source: Source, text: &'s [u8], situation: &Situation, diagnostics: &mut Diagnostics) -> Document<'s> {
    expanded(Document::parse(source, text), situation, diagnostics)
}

fn expanded<'s>(parsed: Checked<Document<'s>>, situation: &Situation, diagnostics: &mut Diagnostics) -> Document<'s> {
    let mut document = parsed.value;
    diagnostics.extend(parsed.diagnostics);
    if situation.version >= PfVersion::new(12, 0) {
        diagnostics.extend(document.expand(&situation.environment));
    }
    document
}
