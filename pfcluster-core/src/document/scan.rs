//! The lines of an INI file, classified exactly as PacketFence's reader does (`Config::IniFiles`, its defaults).
//!
//! One pass over the bytes. The spans of the lines tile the file: nothing is skipped, nothing counted twice.

use std::collections::BTreeMap;

use memchr::memchr;

use crate::span::{LineEnd, Span, without_line_end};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Only blanks.
    Blank,
    /// `#` or `;` after optional blanks.
    Comment,
    /// `[name]`; the name has no blanks around it.
    Section {
        /// The name between the brackets.
        name: Span,
    },
    /// `key = value`; the value has no blanks before it, but keeps those after it.
    Entry {
        /// The key, without blanks around it.
        key: Span,
        /// The value: the rest of the line.
        value: Span,
    },
    /// None of these.
    Malformed,
}

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line with what ends it.
    pub span: Span,
    /// The line without what ends it.
    pub text: Span,
    /// What it is.
    pub kind: LineKind,
}

/// What PacketFence's reader takes for blank: ASCII only (no NBSP, no NEL).
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The lines of a text, in order.
#[derive(Clone, Debug)]
pub struct Lines<'s> {
    text: &'s [u8],
    line_end: LineEnd,
    next: usize,
}

impl<'s> Lines<'s> {
    /// The lines of `text` from offset `start`, which must be the beginning of a line.
    pub fn new(text: &'s [u8], line_end: LineEnd, start: usize) -> Self {
        Lines { text, line_end, next: start }
    }

    /// The next line, not classified: `(with line end, without)`. Here-documents take lines as they are.
    pub fn next_raw(&mut self) -> Option<(Span, Span)> {
        let start = self.next;
        if start >= self.text.len() {
            return None;
        }
        self.next = self.line_end.next_line(self.text, start);
        let content = without_line_end(&self.text[start..self.next]);
        Some((Span::new(start, self.next), Span::new(start, start + content.len())))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let (span, text) = self.next_raw()?;
        Some(Line { span, text, kind: classify(self.text, text) })
    }
}

/// Finds the ends of here-documents.
#[derive(Debug, Default)]
pub(super) struct Marks<'s> {
    /// Where the last line of each content begins. Made for the first mark that is not found, so that a file with many
    /// such marks is not searched to its end for each.
    last_lines: Option<BTreeMap<&'s [u8], u32>>,
}

impl<'s> Marks<'s> {
    /// The first of `lines` that is exactly `mark`, with its line end; `lines` go on behind it. Without such a line
    /// they stay where they are. Call it for `lines` further and further down only.
    pub(super) fn find(&mut self, lines: &mut Lines<'s>, mark: &[u8]) -> Option<Span> {
        let is_above = |&start: &u32| (start as usize) < lines.next;
        if self.last_lines.as_ref().is_some_and(|last_lines| last_lines.get(mark).is_none_or(is_above)) {
            return None;
        }
        let text = lines.text;
        let mut ahead = lines.clone();
        while let Some((with_end, content)) = ahead.next_raw() {
            if content.of(text) == mark {
                *lines = ahead;
                return Some(with_end);
            }
        }
        let mut rest = lines.clone();
        let rest = std::iter::from_fn(|| rest.next_raw());
        self.last_lines = Some(rest.map(|(_, content)| (content.of(text), content.start)).collect());
        None
    }
}

/// What the line at `line` is. The order of the tests is the dialect.
fn classify(text: &[u8], line: Span) -> LineKind {
    let content = trim(text, line);
    let bytes = content.of(text);
    match bytes {
        [] => LineKind::Blank,
        [b'#' | b';', ..] => LineKind::Comment,
        [b'[', inner @ .., b']'] if !inner.iter().all(|&byte| is_blank(byte)) => {
            let name = Span { start: content.start + 1, end: content.end - 1 };
            LineKind::Section { name: trim(text, name) }
        }
        _ => match memchr(b'=', bytes) {
            None | Some(0) => LineKind::Malformed,
            Some(equals) => {
                let equals = content.start as usize + equals;
                let key = trim(text, Span::new(content.start as usize, equals));
                LineKind::Entry { key, value: trim_start(text, Span::new(equals + 1, line.end as usize)) }
            }
        },
    }
}

/// The name that a malformed section header was meant to give: `[name] text`, `[name`. Empty for `[]`.
pub(super) fn meant_section(text: &[u8], line: Span) -> Option<Span> {
    let content = trim(text, line);
    let inner = content.of(text).strip_prefix(b"[")?;
    let length = memchr(b']', inner).unwrap_or(inner.len());
    let start = content.start as usize + 1;
    Some(trim(text, Span::new(start, start + length)))
}

/// The length of the byte order mark that `text` begins with, or 0.
pub(super) fn byte_order_mark(text: &[u8]) -> usize {
    if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
}

/// `span` without blanks on both sides.
pub(super) fn trim(text: &[u8], span: Span) -> Span {
    let span = trim_start(text, span);
    let blanks = span.of(text).iter().rev().take_while(|&&byte| is_blank(byte)).count();
    Span::new(span.start as usize, span.end as usize - blanks)
}

fn trim_start(text: &[u8], span: Span) -> Span {
    let blanks = span.of(text).iter().take_while(|&&byte| is_blank(byte)).count();
    Span::new(span.start as usize + blanks, span.end as usize)
}
