//! What both tests of the HAProxy files need: the examples, and a reader of HAProxy's grammar of our own.

#![allow(dead_code, reason = "each of the two tests uses a part")]

use pfcluster_core::document::Document;
use pfcluster_core::generate::{GenerateError, Rendered, Request, haproxy_admin, haproxy_db, haproxy_portal};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

/// The three files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Db,
    Portal,
    Admin,
}

pub(crate) const ALL: [What; 3] = [What::Db, What::Portal, What::Admin];

impl What {
    pub(crate) fn name(self) -> &'static str {
        match self {
            What::Db => "haproxy-db",
            What::Portal => "haproxy-portal",
            What::Admin => "haproxy-admin",
        }
    }
}

/// The examples with the member that they are generated for, and the versions.
pub(crate) const EXAMPLES: [(&str, &str, [&str; 3]); 3] = [
    ("guide", "pf2.example.com", ["8", "12", "14"]),
    ("five-members", "nac1.corp.example", ["8", "12", "14"]),
    ("two-zones", "pf1-dc2.example.com", ["8.2", "12", "14"]),
];

/// The files of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) cluster_conf: String,
    pub(crate) pf_conf: String,
    pub(crate) networks: String,
}

pub(crate) fn example(name: &str) -> Files {
    let read = |file: &str| {
        let path = pfcluster_tests::program::examples().join(name).join(file);
        std::fs::read_to_string(path).expect("the examples are part of the repository")
    };
    Files { cluster_conf: read("cluster.conf"), pf_conf: read("pf.conf"), networks: String::new() }
}

pub(crate) fn version(text: &str) -> PfVersion {
    text.parse().expect("a version")
}

pub(crate) fn generate(
    what: What,
    files: &Files,
    host: &str,
    version: PfVersion,
    choose: impl FnOnce(&mut Request<'_>),
) -> Result<Rendered, GenerateError> {
    let (cluster_conf, pf_conf) = (files.cluster_conf.as_bytes(), Some(files.pf_conf.as_bytes()));
    let texts = Texts { cluster_conf, pf_conf, ..Texts::default() };
    let installation = Installation::read(texts, &Situation::of_version(version));
    let pf_conf = installation.pf_conf.as_ref().expect("pf.conf is there");
    let me = host.parse().expect("a host name");
    let networks = Document::parse(Source::NetworksConf, files.networks.as_bytes()).value;
    let mut request = Request::new(&installation.cluster, pf_conf, &me, version);
    request.networks_conf = Some(&networks);
    choose(&mut request);
    match what {
        What::Db => haproxy_db(&request),
        What::Portal => haproxy_portal(&request),
        What::Admin => haproxy_admin(&request),
    }
}

/// A section: `frontend NAME` with its lines, as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) lines: Vec<Vec<String>>,
}

impl Section {
    /// The lines that begin with these words, without them.
    pub(crate) fn all(&self, start: &[&str]) -> Vec<Vec<String>> {
        let begins = |line: &&Vec<String>| line.len() >= start.len() && line.iter().zip(start).all(|(a, b)| a == b);
        self.lines.iter().filter(begins).map(|line| line[start.len()..].to_vec()).collect()
    }
}

/// Reads a configuration of HAProxy's: words, quotes as in a shell, comments.
pub(crate) fn read(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let words = words(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let Some(first) = words.first() else { continue };
        if ["global", "defaults", "listen", "frontend", "backend"].contains(&first.as_str()) && !line.starts_with(' ') {
            let name = words.get(1).cloned().unwrap_or_default();
            sections.push(Section { kind: first.clone(), name, lines: Vec::new() });
        } else {
            let section = sections.last_mut().ok_or_else(|| format!("line {}: outside of a section", number + 1))?;
            section.lines.push(words);
        }
    }
    Ok(sections)
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '#' => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a quote is open".to_owned()),
                    }
                }
            }
            '"' => return Err("weak quotes are not written".to_owned()),
            '\\' => match chars.next() {
                Some('r') => word.get_or_insert_default().push('\r'),
                Some('n') => word.get_or_insert_default().push('\n'),
                Some(c @ (' ' | '\'' | '\\' | '#')) => word.get_or_insert_default().push(c),
                other => return Err(format!("`\\` before {other:?}")),
            },
            c if c.is_control() => return Err(format!("{c:?}")),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
