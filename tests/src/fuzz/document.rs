//! cluster.conf and pf.conf: read, checked, changed, shown. Before that, every value of a key that is a secret becomes one that
//! nothing else has: it must be nowhere in what people see.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::Ipv4Addr;

use pfcluster_cli::report::{Sources, diff, json};
use pfcluster_core::cluster::{Cluster, Hostname, add_member, remove_member};
use pfcluster_core::document::{Document, Entry, LineKind, Lines, NewSection, from_ini};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::secret::is_secret_key;
use pfcluster_core::span::{LineEnd, Source, Span};
use pfcluster_core::version::PfVersion;

/// No input has it.
const SECRET: &str = "Zq9vXw7kPlantedSecret";

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    if bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let files = super::files(bytes);
    let cluster_conf = with_secrets(files[0]);
    let pf_conf = files.get(1).map(|text| with_secrets(text));
    for version in [PfVersion::new(8, 0), PfVersion::NEWEST] {
        check(&cluster_conf, pf_conf.as_deref(), version);
    }
    change(&cluster_conf);
    if let Some(pf_conf) = &pf_conf {
        change(pf_conf);
    }
}

/// The text with [`SECRET`] in the place of each value that is one.
fn with_secrets(text: &[u8]) -> Cow<'_, [u8]> {
    let document = Document::parse(Source::PfConf, text).value;
    let mut secrets = document.secret_texts();
    secrets.retain(|secret| !secret.is_empty());
    let is_in_one = |at: u32, secrets: &[Span]| secrets.iter().any(|secret| secret.start <= at && at < secret.end);
    let several_lines = secrets.clone();
    let mut lines = Lines::new(text, LineEnd::detect(text), 0);
    while let Some(line) = lines.next() {
        let LineKind::Entry { key, value } = line.kind else { continue };
        if let Some(mark) = value.of(text).strip_prefix(b"<<") {
            // What stands in a here-document are no keys.
            let mut ahead = lines.clone();
            if std::iter::from_fn(|| ahead.next_raw()).any(|(_, line)| line.of(text) == mark) {
                lines = ahead;
            }
        } else if is_secret_key(key.of(text)) && !value.is_empty() && !is_in_one(value.start, &several_lines) {
            secrets.push(value);
        }
    }
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_unstable_by_key(|secret| secret.start);
    let mut out = Vec::new();
    let mut copied = 0;
    for secret in secrets {
        out.extend_from_slice(&text[copied..secret.start as usize]);
        out.extend_from_slice(SECRET.as_bytes());
        if several_lines.contains(&secret) {
            out.push(b'\n');
        }
        copied = secret.end as usize;
    }
    out.extend_from_slice(&text[copied..]);
    Cow::Owned(out)
}

/// What people see of a file.
fn assert_without_secrets(shown: &str) {
    assert!(!shown.contains(SECRET), "{shown}");
}

fn check(cluster_conf: &[u8], pf_conf: Option<&[u8]>, version: PfVersion) {
    let mut situation = Situation::of_version(version);
    situation.me = "pf1.example.com".parse().ok();
    situation.environment = BTreeMap::from([("A".to_owned(), "a".to_owned())]);
    let texts = Texts { cluster_conf, pf_conf, ..Texts::default() };
    let installation = Installation::read(texts, &situation);
    let sources = Sources::new(&installation.documents, |source| source.path().to_owned());
    let findings = sources.locate(&installation.diagnostics);
    for finding in &findings {
        for text in [&finding.message, &finding.help] {
            super::assert_printable(text);
        }
        let places = std::iter::once(&finding.place).chain(finding.related.iter().map(|(place, _)| place));
        for excerpt in places.filter_map(|place| place.excerpt.as_ref()) {
            super::assert_one_line(&excerpt.line);
            assert_without_secrets(&excerpt.line);
            assert!(excerpt.line.get(excerpt.marked.clone()).is_some(), "{excerpt:?}");
        }
    }
    assert_without_secrets(&json::text(&json::check(&[], &findings)));
    for document in &installation.documents {
        assert_without_secrets(&json::text(&json::raw(document)));
    }
}

/// Each change, with the first section that has a name in UTF-8.
fn change(text: &[u8]) {
    let parsed = Document::parse(Source::ClusterConf, text);
    let (document, is_clean) = (parsed.value, parsed.diagnostics.is_empty());
    let name = |name: &[u8]| std::str::from_utf8(name).map(str::to_owned).ok();
    let section = document.sections().find_map(|section| name(section.name()));
    let section = section.as_deref().unwrap_or("A");
    let key = document.section(section.as_bytes()).and_then(|section| name(section.entries().next()?.key()));
    let key = key.as_deref().unwrap_or("k");
    for (key, value) in [(key, "192.168.1.7"), ("new key", "a # b")] {
        if let Some(changed) = shown(text, document.with_value(section, key, value)).filter(|_| is_clean) {
            let again = Document::parse(Source::ClusterConf, &changed).value;
            let read = again.section(section.as_bytes()).and_then(|section| section.get(key.as_bytes()));
            assert_eq!(read.and_then(Entry::single).as_deref(), Some(value.as_bytes()));
        }
    }
    if let Some(changed) = shown(text, document.without_key(section, key)) {
        let again = Document::parse(Source::ClusterConf, &changed).value;
        let read = again.section(section.as_bytes()).and_then(|section| section.get(key.as_bytes()));
        assert!(read.is_none() || !is_clean, "{key} is still there");
    }
    if let Some(changed) = shown(text, document.without_sections(&[section])) {
        let again = Document::parse(Source::ClusterConf, &changed).value;
        assert!(again.section(section.as_bytes()).is_none() || !is_clean, "[{section}] is still there");
    }
    let new = NewSection { name: "new.example.com".to_owned(), entries: vec![("k".to_owned(), "v".to_owned())] };
    shown(text, document.with_sections(Some(section), &[new]));
    let cluster = Cluster::from_document(&document).value;
    if let Some(member) = cluster.members().next() {
        shown(text, remove_member(&document, &member.host));
    }
    let host: Hostname = "pf9.example.com".parse().expect("a host name");
    shown(text, add_member(&document, None, &host, Ipv4Addr::new(192, 168, 1, 99), &[]));
    if let Ok(ini) = document.to_ini() {
        match from_ini(&ini) {
            Ok(written) => {
                let again = Document::parse(Source::ClusterConf, &written).value.to_ini().expect("UTF-8 again");
                assert_eq!(again.sections().collect::<Vec<_>>(), ini.sections().collect::<Vec<_>>());
            }
            Err(error) => super::assert_one_line(&error.to_string()),
        }
    }
}

/// What became of a change, with its difference as people see it.
fn shown(before: &[u8], changed: Result<Vec<u8>, impl Display>) -> Option<Vec<u8>> {
    match changed {
        Ok(changed) => {
            let mut difference = Vec::new();
            diff::texts("cluster.conf", Some(before), &changed, &mut difference).expect("memory");
            let difference = String::from_utf8(difference).expect("text");
            assert_without_secrets(&difference);
            super::assert_printable(&difference.replace('\t', " "));
            Some(changed)
        }
        Err(error) => {
            super::assert_one_line(&error.to_string());
            None
        }
    }
}
