//! Source lines as reports show them: without secrets, without control characters, not wider than a screen.

use pfcluster_core::document::Document;
use pfcluster_core::printable::printable;
use pfcluster_core::secret::{MASK, secret_in_line};
use pfcluster_core::span::{LineIndex, Source, Span};

use super::Located;

/// A file's text with what is needed to show parts of it.
#[derive(Debug)]
pub struct SourceText<'s> {
    source: Source,
    name: String,
    index: LineIndex<'s>,
    /// Secrets of several lines; `None` if no lines are shown.
    secrets: Option<Vec<Span>>,
}

/// A source line made fit to be shown, and the part of it that is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The line.
    pub line: String,
    /// The part, as byte offsets in `line`.
    pub marked: std::ops::Range<usize>,
}

impl<'s> SourceText<'s> {
    pub(super) fn new(document: &Document<'s>, name: String) -> SourceText<'s> {
        SourceText { secrets: Some(document.secret_texts()), ..SourceText::of_places(document, name) }
    }

    pub(super) fn of_places(document: &Document<'s>, name: String) -> SourceText<'s> {
        SourceText { source: document.source(), name, index: document.line_index(), secrets: None }
    }

    pub(super) fn empty(source: Source) -> SourceText<'static> {
        SourceText { source, name: source.path().to_owned(), index: LineIndex::new(b""), secrets: None }
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn place(&self, span: Span) -> Located {
        let start = self.index.position(span.start);
        let end = self.index.position(span.end);
        let secrets = self.secrets.as_ref().filter(|_| span != Span::default());
        let excerpt = secrets.map(|secrets| self.excerpt(start.line, span, secrets));
        Located { file: self.name.clone(), start, end, excerpt }
    }

    fn excerpt(&self, line_number: usize, span: Span, secrets: &[Span]) -> Excerpt {
        let line = self.index.line(line_number);
        let text = line.value;
        let within = |offset: u32| (offset.saturating_sub(line.span.start) as usize).min(text.len());
        let marked = within(span.start)..within(span.end);
        let is_secret = secrets.iter().any(|secret| secret.start < line.span.end && line.span.start < secret.end);
        let secret = if is_secret { Some(0..text.len()) } else { secret_in_line(text).map(Span::range) };
        show(text, &marked, secret)
    }
}

/// Bytes shown before and after the part that is meant.
const MARGIN: usize = 100;
/// Most bytes of the part itself.
const WIDEST: usize = 160;

/// The line in pieces; each is shown by itself, so that offsets can be carried over.
fn show(text: &[u8], marked: &std::ops::Range<usize>, secret: Option<std::ops::Range<usize>>) -> Excerpt {
    let secret = secret.unwrap_or(text.len()..text.len());
    let is_masked = !secret.is_empty();
    // Inside the secret, only its borders can be named.
    let clamp = |at: usize, border: usize| if secret.contains(&at) && at != secret.start { border } else { at };
    let start = clamp(marked.start, secret.start);
    // A secret is shown as its mask, however long it is.
    let widest = if is_masked { WIDEST.max(secret.end.saturating_sub(start)) } else { WIDEST };
    let end = clamp(marked.end, secret.end).clamp(start, start + widest);
    let first = start.saturating_sub(MARGIN);
    let last = (end + MARGIN).min(text.len());
    let mut line = String::from(if first > 0 { "..." } else { "" });
    let mut shown = Excerpt::default();
    let mut cuts = vec![first, start, end, last];
    cuts.extend([secret.start, secret.end].into_iter().filter(|cut| is_masked && (first..=last).contains(cut)));
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        if from == start {
            shown.marked.start = line.len();
        }
        if is_masked && secret.start <= from && to <= secret.end {
            if from == secret.start && to > from {
                line.push_str(MASK);
            }
        } else {
            line.push_str(&printable(&text[from..to]));
        }
        if to <= end {
            shown.marked.end = line.len();
        }
    }
    shown.marked.end = shown.marked.end.max(shown.marked.start);
    if last < text.len() && !(is_masked && last >= secret.start) {
        line.push_str("...");
    }
    shown.line = line;
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, marked: std::ops::Range<usize>) -> String {
        let excerpt = show(text.as_bytes(), &marked, secret_in_line(text.as_bytes()).map(Span::range));
        let (before, rest) = excerpt.line.split_at(excerpt.marked.start);
        let (marked, after) = rest.split_at(excerpt.marked.end - excerpt.marked.start);
        format!("{before}<{marked}>{after}")
    }

    #[test]
    fn the_meant_part_is_marked() {
        assert_eq!(shown("ip=1.2.3.4", 3..10), "ip=<1.2.3.4>");
        assert_eq!(shown("ip=\x1b[0m", 3..7), "ip=<\\x1b[0m>");
        assert_eq!(shown("", 0..0), "<>");
        assert_eq!(shown("x", 1..1), "x<>");
    }

    #[test]
    fn secrets_are_masked_whatever_is_meant() {
        assert_eq!(shown("password = hunter2", 0..8), "<password> = ********");
        assert_eq!(shown("password = hunter2", 11..18), "password = <********>");
        assert_eq!(shown("password = hunter2", 13..15), "password = <********>");
        assert_eq!(shown("password = hunter2", 0..18), "<password = ********>");
        assert_eq!(shown("password hunter2", 0..16), "<password ********>");
    }

    #[test]
    fn long_lines_are_cut_around_the_meant_part() {
        let long = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let text = shown(&long, 5000..5001);
        assert_eq!(text, format!("...{}<X>{}...", "a".repeat(100), "b".repeat(100)));
        assert!(shown(&long, 0..long.len()).len() < 300);
        let secret = format!("password = {}", "s".repeat(5000));
        assert_eq!(shown(&secret, 11..5011), "password = <********>");
        assert_eq!(shown(&secret, 0..8), "<password> = ********");
    }

    /// Every part of every such line: nothing of the secret is shown, and what is marked is a part of what is shown.
    #[test]
    fn no_part_of_a_line_gives_its_secret_away() {
        let lines = [
            "password = hunter2",
            "# Pass: hunter2 # hunter2",
            "  galera_replication_password=hunter2",
            "passwordhunter2",
            "\u{e9}\u{202e}secret hunter2\u{e9}",
            "    stats auth admin:hunter2",
        ];
        for line in lines {
            for start in 0..=line.len() {
                for end in start..=line.len() {
                    let excerpt =
                        show(line.as_bytes(), &(start..end), secret_in_line(line.as_bytes()).map(Span::range));
                    assert!(!excerpt.line.contains("unter"), "{line} {start}..{end}: {}", excerpt.line);
                    assert!(excerpt.line.get(excerpt.marked.clone()).is_some(), "{line} {start}..{end}: {excerpt:?}");
                }
            }
        }
    }
}
