//! JSON documents. Field names and their meaning are public interface; schemas/ describes them.

use pfcluster_core::document::Document;
use pfcluster_core::generate::{GeneratedFile, Rendered};
use pfcluster_core::rule::Rule;
use pfcluster_core::secret::{MASK, is_secret_key};
use serde::Serialize;
use serde_json::Value;

use super::{Finding, Located, Summary};
use crate::host::install::State;

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
pub fn rules(rules: &[&Rule]) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            let explanation = super::explanation(rule);
            serde_json::json!({
                "code": rule.code,
                "name": rule.name,
                "severity": rule.severity.name(),
                "explanation": explanation,
            })
        })
        .collect();
    text(&serde_json::json!({ "version": VERSION, "rules": rules }))
}

/// The answer of `show --raw`: sections, keys and values exactly as PacketFence's reader yields them.
pub fn raw(document: &Document<'_>) -> String {
    let index = document.line_index();
    let line = |span: pfcluster_core::span::Span| index.position(span.start).line;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let sections: Vec<Value> = document
        .sections()
        .map(|section| {
            let entries: Vec<Value> = section
                .entries()
                .map(|entry| {
                    let shown = |value: &[u8]| if is_secret_key(entry.key()) { MASK.to_owned() } else { lossy(value) };
                    let values: Vec<String> = entry.values().iter().map(|value| shown(value)).collect();
                    serde_json::json!({ "key": lossy(entry.key()), "line": line(entry.key_span()), "values": values })
                })
                .collect();
            let name = lossy(section.name());
            serde_json::json!({ "name": name, "line": line(section.name_span()), "entries": entries })
        })
        .collect();
    text(&serde_json::json!({ "version": VERSION, "sections": sections }))
}

/// The answer of `generate --check` and `generate --explain`; a state is `None` if nothing was compared.
pub fn generate(states: &[(&GeneratedFile, Option<State>)], rendered: &Rendered) -> String {
    let files: Vec<Value> = states
        .iter()
        .map(|(file, state)| {
            let state = state.as_ref().map(|state| match state {
                State::Missing => "missing",
                State::Same => "same",
                State::Differs(_) => "differs",
            });
            serde_json::json!({ "path": file.path, "state": state })
        })
        .collect();
    let deviations = rendered.deviations.iter();
    let deviations: Vec<Value> = deviations
        .map(|one| serde_json::json!({ "original": one.original, "here": one.here, "why": one.why }))
        .collect();
    let notices = rendered.notices.iter();
    let notices: Vec<Value> =
        notices.map(|notice| serde_json::json!({ "message": notice.message, "help": notice.help })).collect();
    text(&serde_json::json!({ "version": VERSION, "files": files, "deviations": deviations, "notices": notices }))
}

/// The answer of a command that could not do its work.
pub fn error(kind: &str, message: &str, help: &str) -> String {
    text(&serde_json::json!({
        "version": VERSION,
        "error": { "kind": kind, "message": message, "help": help },
    }))
}

/// Nothing that is written here can fail to be JSON: keys are strings, numbers are finite.
pub fn text(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
