//! Findings for people: the source line, the place in it, what is wrong and what to do.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use pfcluster_core::rule::{Rule, Severity};

use super::{Finding, Located, Summary, explanation};

/// The findings and how many there are; nothing if there are none.
pub(crate) fn findings(findings: &[Finding], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    for finding in findings {
        writeln!(out, "{}\n", renderer.render(&[group(finding)]))?;
    }
    if !findings.is_empty() {
        writeln!(out, "{}", Summary::of(findings))?;
    }
    Ok(())
}

fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.rule.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(&finding.message).id(finding.rule.code);
    let mut group = title.element(snippet(&finding.place, AnnotationKind::Primary, None));
    for (place, message) in &finding.related {
        group = group.element(snippet(place, AnnotationKind::Context, Some(message)));
    }
    group.element(Level::HELP.message(&finding.help))
}

fn snippet<'a>(
    place: &'a Located,
    kind: AnnotationKind,
    label: Option<&'a String>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let marked = place.excerpt.marked.clone();
    let annotation = kind.span(marked).label(label.map(String::as_str));
    Snippet::source(&place.excerpt.line).line_start(place.start.line).path(&place.file).annotation(annotation)
}

/// A rule's manual page.
pub(crate) fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {} ({})\n\n{}", rule.code, rule.name, rule.severity.name(), explanation(rule))
}
