//! The lines of an INI file, classified exactly as PacketFence's reader does (`Config::IniFiles`, its defaults).
//!
//! One pass over the bytes. The spans of the lines tile the file: nothing is skipped, nothing counted twice.

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

/// `span` without blanks on both sides.
pub fn trim(text: &[u8], span: Span) -> Span {
    let span = trim_start(text, span);
    let blanks = span.of(text).iter().rev().take_while(|&&byte| is_blank(byte)).count();
    Span::new(span.start as usize, span.end as usize - blanks)
}

fn trim_start(text: &[u8], span: Span) -> Span {
    let blanks = span.of(text).iter().take_while(|&&byte| is_blank(byte)).count();
    Span::new(span.start as usize + blanks, span.end as usize)
}
