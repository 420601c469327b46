//! What is wrong with the user's files: all of it, each with a place and a way out.

use std::borrow::Cow;

use crate::rule::{Rule, Severity};
use crate::span::{Source, Span};

/// One finding in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The rule that was broken.
    pub rule: &'static Rule,
    /// The file.
    pub source: Source,
    /// The bytes of that file that the finding is about.
    pub span: Span,
    /// What is wrong, in one sentence without a final period. Never holds a secret, nor raw control characters.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub help: Cow<'static, str>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}

/// Another place that belongs to a [`Diagnostic`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// The file.
    pub source: Source,
    /// The bytes of that file.
    pub span: Span,
    /// What is there.
    pub message: Cow<'static, str>,
}

impl Diagnostic {
    pub(crate) fn new(
        rule: &'static Rule,
        source: Source,
        span: Span,
        message: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Diagnostic { rule, source, span, message: message.into(), help: help.into(), related: Vec::new() }
    }

    pub(crate) fn related(mut self, source: Source, span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        self.related.push(Related { source, span, message: message.into() });
        self
    }

    /// How bad it is: the rule's severity.
    pub fn severity(&self) -> Severity {
        self.rule.severity
    }
}

/// Findings of one or more files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// No findings.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Diagnostics) {
        self.list.extend(other.list);
    }

    /// In order of file, place and rule, as reports show them.
    pub fn sort(&mut self) {
        self.list.sort_by(|a, b| {
            (a.source, a.span, a.rule.code, &a.message).cmp(&(b.source, b.span, b.rule.code, &b.message))
        });
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity() == severity).count()
    }

    /// The findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// True if there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The number of findings.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What could be read, together with everything that was wrong on the way. A fault never hides the rest of the file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Checked<T> {
    /// All that could be understood.
    pub value: T,
    /// All that could not.
    pub diagnostics: Diagnostics,
}
