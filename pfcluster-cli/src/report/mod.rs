//! Answers in every form: one file for each. Findings are located here, once for all forms.

pub mod bootstrap;
pub mod conflict;
pub mod diff;
pub mod doctor;
#[cfg(feature = "cli")]
pub(crate) mod drill;
#[cfg(feature = "cli")]
pub(crate) mod github;
pub mod json;
#[cfg(feature = "cli")]
pub(crate) mod maintenance;
#[cfg(feature = "cli")]
pub(crate) mod nagios;
pub mod quorum;
pub mod runbook;
mod source;
pub mod status;
pub mod supervisor;
pub mod sync;
pub mod table;
#[cfg(feature = "cli")]
pub(crate) mod text;

use pfcluster_core::diagnostic::{Diagnostic, Diagnostics};
use pfcluster_core::document::Document;
use pfcluster_core::rule::{Rule, Severity};
use pfcluster_core::span::{Position, Source, Span};
use serde::{Deserialize, Serialize};

pub use source::{Excerpt, SourceText};

/// A finding with its place as a person counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub place: Located,
    /// Other places that belong to it, with what is there.
    pub related: Vec<(Located, String)>,
}

impl Finding {
    /// Two findings with one key say the same of the same place.
    #[cfg(feature = "cli")]
    pub(crate) fn key(&self) -> (String, Position, &'static str, String) {
        (self.place.file.clone(), self.place.start, self.rule.code, self.message.clone())
    }
}

/// A place in a file as a person counts, from 1; `end` is exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The file, as the user named it, else relative to the install directory.
    pub file: String,
    /// First character.
    pub start: Position,
    /// After the last character.
    pub end: Position,
    /// The source line, without secrets; `None` if the finding is about the file as a whole, or no lines are shown.
    pub excerpt: Option<Excerpt>,
}

/// The files of one installation, as far as findings are shown in them.
#[derive(Debug)]
pub struct Sources<'s> {
    texts: Vec<SourceText<'s>>,
}

impl<'s> Sources<'s> {
    /// The texts of `documents`; `name` gives each the name that reports show.
    pub fn new(documents: &[Document<'s>], name: impl Fn(Source) -> String) -> Sources<'s> {
        let texts = documents.iter().map(|document| SourceText::new(document, name(document.source())));
        Sources { texts: texts.collect() }
    }

    /// The same for reports that show places, and no lines of the files.
    pub fn of_places(documents: &[Document<'s>], name: impl Fn(Source) -> String) -> Sources<'s> {
        let texts = documents.iter().map(|document| SourceText::of_places(document, name(document.source())));
        Sources { texts: texts.collect() }
    }

    /// Findings with their places.
    pub fn locate(&self, diagnostics: &Diagnostics) -> Vec<Finding> {
        diagnostics.iter().map(|diagnostic| self.finding(diagnostic)).collect()
    }

    /// The names of the files that are the user's to mend.
    pub fn user_files(&self) -> impl Iterator<Item = String> {
        let own = self.texts.iter().filter(|text| text.source() != Source::PfConfDefaults);
        own.map(|text| text.name().to_owned())
    }

    fn finding(&self, diagnostic: &Diagnostic) -> Finding {
        let related = diagnostic.related.iter();
        Finding {
            rule: diagnostic.rule,
            message: diagnostic.message.to_string(),
            help: diagnostic.help.to_string(),
            place: self.place(diagnostic.source, diagnostic.span),
            related: related.map(|other| (self.place(other.source, other.span), other.message.to_string())).collect(),
        }
    }

    fn place(&self, source: Source, span: Span) -> Located {
        match self.texts.iter().find(|text| text.source() == source) {
            Some(text) => text.place(span),
            // A finding about a file that was not given: its name says enough.
            None => SourceText::empty(source).place(Span::default()),
        }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Infos.
    pub infos: usize,
}

impl Summary {
    /// Counts.
    pub fn of(findings: &[Finding]) -> Summary {
        let count = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count();
        Summary { errors: count(Severity::Error), warnings: count(Severity::Warning), infos: count(Severity::Info) }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted = [(self.errors, "error"), (self.warnings, "warning"), (self.infos, "info")];
        let parts = counted.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" })).collect();
        if parts.is_empty() { f.write_str("no findings") } else { f.write_str(&parts.join(", ")) }
    }
}

/// A rule's explanation as text.
pub(crate) fn explanation(rule: &Rule) -> String {
    // A doc comment's lines begin with a blank.
    let lines = rule.explanation.iter().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// A generated text for a person's eyes: control characters shown, and on each line the secret masked.
pub(crate) fn masked(text: &str) -> String {
    use pfcluster_core::printable::printable;
    use pfcluster_core::secret::{MASK, secret_in_line};

    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        // Tabs are layout here.
        let shown =
            |part: &str| part.split('\t').map(|piece| printable(piece.as_bytes())).collect::<Vec<_>>().join("\t");
        match secret_in_line(content.as_bytes()) {
            Some(secret) => out += &(shown(&content[..secret.start as usize]) + MASK),
            None => out += &shown(content),
        }
        if content.len() < line.len() {
            out.push('\n');
        }
    }
    out
}
