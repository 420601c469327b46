//! Findings for people: the source line, the place in it, what is wrong and what to do.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
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
    let mut group = level.primary_title(&finding.message).id(finding.rule.code).elements(place(&finding.place, None));
    for (related, message) in &finding.related {
        group = group.elements(place(related, Some(message)));
    }
    group.element(Level::HELP.message(&finding.help))
}

/// The source line with the place in it; the file's name alone if it is about the whole file.
fn place<'a>(at: &'a Located, label: Option<&'a String>) -> [Element<'a>; 1] {
    let Some(excerpt) = &at.excerpt else { return [Origin::path(&at.file).into()] };
    let kind = if label.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
    let annotation = kind.span(excerpt.marked.clone()).label(label.map(String::as_str));
    let line = Snippet::source(&excerpt.line).line_start(at.start.line).path(&at.file);
    [line.annotation(annotation).into()]
}

/// A rule's manual page.
pub(crate) fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {} ({})\n\n{}", rule.code, rule.name, rule.severity.name(), explanation(rule))
}
