//! JSON documents. Field names and their meaning are public interface; schemas/ describes them.

use pfcluster_core::document::Document;
use pfcluster_core::generate::{Deviation, GeneratedFile, Notice, Rendered};
use pfcluster_core::rule::Rule;
use pfcluster_core::secret::{MASK, is_secret_key};
use serde::Serialize;

use super::{Finding, Located, Summary};
use crate::host::install::State;

pub use crate::documents::{Versioned, error, text, versioned};

/// The version that every document carries.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct CheckDocument<'a> {
    version: u32,
    files: &'a [String],
    diagnostics: Vec<DiagnosticDocument<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct DiagnosticDocument<'a> {
    code: &'a str,
    name: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: PlaceDocument<'a>,
    help: &'a str,
    related: Vec<RelatedDocument<'a>>,
}

#[derive(Serialize)]
struct PlaceDocument<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct RelatedDocument<'a> {
    #[serde(flatten)]
    place: PlaceDocument<'a>,
    message: &'a str,
}

/// The answer of `check`.
pub fn check<'a>(files: &'a [String], findings: &'a [Finding]) -> impl Serialize + use<'a> {
    CheckDocument {
        version: VERSION,
        files,
        diagnostics: findings.iter().map(diagnostic).collect(),
        summary: Summary::of(findings),
    }
}

fn diagnostic(finding: &Finding) -> DiagnosticDocument<'_> {
    DiagnosticDocument {
        code: finding.rule.code,
        name: finding.rule.name,
        severity: finding.rule.severity.name(),
        message: &finding.message,
        place: place(&finding.place),
        help: &finding.help,
        related: finding.related.iter().map(|(at, message)| RelatedDocument { place: place(at), message }).collect(),
    }
}

fn place(at: &Located) -> PlaceDocument<'_> {
    PlaceDocument {
        file: &at.file,
        line: at.start.line,
        column: at.start.column,
        end_line: at.end.line,
        end_column: at.end.column,
    }
}

/// The answer of `check --rules` and `check --explain`.
pub fn rules(rules: &[&Rule]) -> impl Serialize {
    #[derive(Serialize)]
    struct Rules<'r> {
        rules: Vec<RuleDocument<'r>>,
    }
    #[derive(Serialize)]
    struct RuleDocument<'r> {
        code: &'r str,
        name: &'r str,
        severity: &'r str,
        explanation: String,
    }
    let rules = rules.iter().map(|rule| RuleDocument {
        code: rule.code,
        name: rule.name,
        severity: rule.severity.name(),
        explanation: super::explanation(rule),
    });
    Versioned::new(Rules { rules: rules.collect() })
}

/// The answer of `show --raw`: sections, keys and values exactly as PacketFence's reader yields them.
pub fn raw(document: &Document<'_>) -> impl Serialize {
    #[derive(Serialize)]
    struct Sections {
        sections: Vec<Section>,
    }
    #[derive(Serialize)]
    struct Section {
        name: String,
        line: usize,
        entries: Vec<Entry>,
    }
    #[derive(Serialize)]
    struct Entry {
        key: String,
        line: usize,
        values: Vec<String>,
    }
    let index = document.line_index();
    let line = |span: pfcluster_core::span::Span| index.position(span.start).line;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let sections = document.sections().map(|section| {
        let entries = section.entries().map(|entry| {
            let shown = |value: &[u8]| if is_secret_key(entry.key()) { MASK.to_owned() } else { lossy(value) };
            let values = entry.values().iter().map(|value| shown(value)).collect();
            Entry { key: lossy(entry.key()), line: line(entry.key_span()), values }
        });
        Section { name: lossy(section.name()), line: line(section.name_span()), entries: entries.collect() }
    });
    Versioned::new(Sections { sections: sections.collect() })
}

/// The answer of `generate --check` and `generate --explain`; a state is `None` if nothing was compared.
pub fn generate<'r>(states: &'r [(&GeneratedFile, Option<State>)], rendered: &'r Rendered) -> impl Serialize + use<'r> {
    #[derive(Serialize)]
    struct Document<'r> {
        files: Vec<File<'r>>,
        deviations: &'r [Deviation],
        notices: &'r [Notice],
    }
    #[derive(Serialize)]
    struct File<'r> {
        path: &'static str,
        state: Option<&'r State>,
    }
    let files = states.iter().map(|(file, state)| File { path: file.path, state: state.as_ref() });
    Versioned::new(Document { files: files.collect(), deviations: &rendered.deviations, notices: &rendered.notices })
}
