//! Where something stands in a file: byte offsets while we work, line and column only when a person reads.

use memchr::{memchr, memchr_iter};

/// The files that the core reads. Positions of one file say nothing about another, so every diagnostic names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// `conf/cluster.conf`: who the members are.
    ClusterConf,
    /// `conf/pf.conf`: the settings that all members share.
    PfConf,
    /// `conf/pf.conf.defaults`: what `pf.conf` leaves out.
    PfConfDefaults,
    /// `conf/pfconfig.conf`: where the configuration service keeps its cache.
    PfconfigConf,
    /// `conf/networks.conf`: the networks that the internal interfaces serve.
    NetworksConf,
}

impl Source {
    /// The file's path below PacketFence's install directory.
    pub fn path(self) -> &'static str {
        match self {
            Source::ClusterConf => "conf/cluster.conf",
            Source::PfConf => "conf/pf.conf",
            Source::PfConfDefaults => "conf/pf.conf.defaults",
            Source::PfconfigConf => "conf/pfconfig.conf",
            Source::NetworksConf => "conf/networks.conf",
        }
    }
}

/// A stretch of bytes, from `start` up to but without `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The longest file that spans can address, in bytes (4 GiB less one).
    pub const MAX: usize = u32::MAX as usize;

    /// The span of `start..end`. Callers have checked once that the file is at most [`Span::MAX`] long.
    pub(crate) fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end && end <= Span::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "Document::parse refuses files longer than Span::MAX")]
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes of `text` that this span covers; empty if it lies outside.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.range()).unwrap_or_default()
    }

    /// As a range of indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// True if it covers nothing: a place between two bytes.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A span together with the file that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub source: Source,
    /// The bytes of that file.
    pub span: Span,
}

/// A value together with the place in the file that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, read from `span`.
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

/// Which bytes end a line in a file.
///
/// PacketFence's reader takes the first line end that it meets for the line end of the whole file; besides LF and CRLF
/// it knows a lone CR and a NAK (0x15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnd {
    /// LF, with or without a CR before it.
    #[default]
    Lf,
    /// A lone CR ended the first line. CR, LF and CRLF all end lines.
    Cr,
    /// A NAK (0x15) ended the first line. NAK and LF end lines.
    Nak,
}

impl LineEnd {
    /// What ends the first line of `text`.
    pub fn detect(text: &[u8]) -> LineEnd {
        let first_line = memchr(b'\n', text).map_or(text, |lf| &text[..lf]);
        let marker = first_line.iter().position(|&byte| byte == b'\r' || byte == 0x15);
        match marker {
            Some(at) if first_line[at] == 0x15 => LineEnd::Nak,
            // A CR as the last byte before the LF is half of a CRLF.
            Some(at) if at + 1 < first_line.len() || first_line.len() == text.len() => LineEnd::Cr,
            _ => LineEnd::Lf,
        }
    }

    /// The end of the line that begins at `start`, its line end included.
    pub fn next_line(self, text: &[u8], start: usize) -> usize {
        let rest = &text[start..];
        let end = match self {
            LineEnd::Lf => memchr(b'\n', rest),
            LineEnd::Cr => memchr::memchr2(b'\n', b'\r', rest)
                .map(|at| at + usize::from(rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n'))),
            LineEnd::Nak => memchr::memchr2(b'\n', 0x15, rest),
        };
        end.map_or(text.len(), |at| start + at + 1)
    }
}

/// A line and a column as a person counts them, both from 1. A column counts characters; a byte that is no UTF-8 is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Turns byte offsets of one file into lines and columns.
#[derive(Clone, Debug)]
pub struct LineIndex<'s> {
    text: &'s [u8],
    line_starts: Vec<u32>,
}

impl<'s> LineIndex<'s> {
    /// Reads `text` once, line by line.
    pub fn new(text: &'s [u8]) -> Self {
        let text = &text[..text.len().min(Span::MAX)];
        let line_end = LineEnd::detect(text);
        let mut line_starts = vec![0];
        let mut push = |start: usize| line_starts.push(Span::new(start, start).start);
        if line_end == LineEnd::Lf {
            memchr_iter(b'\n', text).for_each(|lf| push(lf + 1));
        } else {
            let mut start = 0;
            while start < text.len() {
                start = line_end.next_line(text, start);
                push(start);
            }
        }
        LineIndex { text, line_starts }
    }

    /// The place of byte `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let before = Span { start: self.line_starts[line - 1], end: offset }.of(self.text);
        Position { line, column: 1 + count_characters(before) }
    }

    /// The bytes of a line (from 1) without its line end, and the offset at which it begins.
    pub fn line(&self, line: usize) -> Spanned<&'s [u8]> {
        let start = self.line_starts[line - 1] as usize;
        let end = self.line_starts.get(line).map_or(self.text.len(), |&next| next as usize);
        let text = without_line_end(&self.text[start..end]);
        Spanned::new(text, Span::new(start, start + text.len()))
    }
}

/// A line without what ends it: one CRLF, LF, CR or NAK. (The last line of a file may end with any of them.)
pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    match line {
        [rest @ .., b'\r', b'\n'] | [rest @ .., b'\n' | b'\r' | 0x15] => rest,
        _ => line,
    }
}

fn count_characters(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_invalid_bytes() {
        let text = b"a\n\xC3\xA9=\xFFx\n";
        let index = LineIndex::new(text);
        assert_eq!(index.position(0), Position { line: 1, column: 1 });
        assert_eq!(index.position(4), Position { line: 2, column: 2 });
        assert_eq!(index.position(6), Position { line: 2, column: 4 });
        assert_eq!(index.line(2).value, b"\xC3\xA9=\xFFx");
    }

    #[test]
    fn the_first_line_end_decides() {
        assert_eq!(LineEnd::detect(b"a\r\nb\rc"), LineEnd::Lf);
        assert_eq!(LineEnd::detect(b"a\rb\nc"), LineEnd::Cr);
        assert_eq!(LineEnd::detect(b"a\r"), LineEnd::Cr);
        assert_eq!(LineEnd::detect(b"a\x15b\n"), LineEnd::Nak);
        assert_eq!(LineEnd::detect(b"a\nb\rc\x15"), LineEnd::Lf);
        assert_eq!(LineEnd::detect(b"a"), LineEnd::Lf);
    }
}
