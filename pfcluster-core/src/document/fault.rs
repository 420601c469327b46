//! What can be wrong with an INI file itself, whatever it says: rules PFC101 to PFC119.

use memchr::memchr_iter;

use super::scan::{Line, byte_order_mark, is_blank, trim};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::printable::{is_invisible, quoted};
use crate::rule::{Rule, rules};
use crate::span::{LineEnd, Source, Span, without_line_end};

rules! {
    /// A line is neither a comment, nor a `[section]`, nor `key = value`.
    ///
    /// PacketFence's reader gives up the whole file for one such line: a cluster.conf with it turns
    /// clustering off, with no more than a line in a log. pfcluster reads the rest all the same.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip 192.168.1.5
    ///
    /// What to do: write `key = value`, or put `#` before a comment. A line does not go on in the next one.
    static MALFORMED_LINE = "PFC101" "malformed-line" Error;

    /// A line begins like a section header but is none: `]` is missing, text follows it, or there is no name.
    ///
    /// PacketFence's reader gives up the whole file for it. pfcluster reads the section that was meant.
    ///
    /// Example:
    ///     [pf1.example.com] # first server
    ///
    /// What to do: leave nothing but `[name]` on the line; a comment goes on a line of its own.
    static MALFORMED_SECTION = "PFC102" "malformed-section" Error;

    /// A line begins with `=`: there is no key before it.
    ///
    /// PacketFence's reader gives up the whole file for it.
    ///
    /// Example:
    ///     = 192.168.1.5
    ///
    /// What to do: write the key before `=`.
    static MISSING_KEY = "PFC103" "missing-key" Error;

    /// A key stands before the first section.
    ///
    /// PacketFence's reader gives up the whole file there.
    ///
    /// Example:
    ///     management_ip = 192.168.1.10
    ///     [CLUSTER]
    ///
    /// What to do: move the line below the section that it belongs to.
    static OUTSIDE_SECTION = "PFC104" "key-outside-section" Error;

    /// A value begins with `<<MARK` but no later line is exactly `MARK`.
    ///
    /// `<<MARK` opens a text of several lines. Without its end PacketFence's reader gives up the whole file.
    /// The mark is all that follows `<<`, blanks at the end included.
    ///
    /// Example:
    ///     dns = <<EOT
    ///     192.168.1.1
    ///
    /// What to do: end the text with a line that holds the mark alone.
    static UNTERMINATED_HERE_DOCUMENT = "PFC105" "unterminated-here-document" Error;

    /// A key stands twice in one section.
    ///
    /// PacketFence takes neither the first nor the last, but joins both values with a line break. For an address
    /// that makes a value that is no address.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.5
    ///     management_ip = 192.168.1.6
    ///
    /// What to do: keep one.
    static DUPLICATE_KEY = "PFC106" "duplicate-key" Warning;

    /// A section stands twice.
    ///
    /// PacketFence merges the two, at the place of the first: the order of the members, and with it every
    /// priority, follows the first one. Usually a block was copied and its name not changed.
    ///
    /// Example:
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.5
    ///     [pf1.example.com]
    ///     management_ip = 192.168.1.6
    ///
    /// What to do: give the second one its own name, or merge the two by hand.
    static DUPLICATE_SECTION = "PFC107" "duplicate-section" Warning;

    /// The file begins with a byte order mark (EF BB BF), as some Windows editors write it.
    ///
    /// PacketFence's reader takes it for part of the first line, finds that line malformed and gives up the file.
    ///
    /// Example: a cluster.conf saved as "UTF-8 with BOM".
    ///
    /// What to do: save as UTF-8 without BOM, or `sed -i '1s/^\xEF\xBB\xBF//' cluster.conf`.
    static BYTE_ORDER_MARK = "PFC108" "byte-order-mark" Error;

    /// The first line ends with CRLF, a later one with LF alone.
    ///
    /// PacketFence's reader takes the first line's end for that of the whole file. Lines that end otherwise run
    /// together with the next, and mostly the whole file is given up.
    ///
    /// Example: a file from Windows to which a line was added on the server.
    ///
    /// What to do: `sed -i 's/\r$//' cluster.conf`.
    static MIXED_LINE_ENDS = "PFC109" "mixed-line-ends" Error;

    /// Lines end with a lone CR (old Mac), or a NAK (0x15).
    ///
    /// PacketFence's reader happens to accept such a file if all lines end so; most other tools see one long line.
    /// One stray CR in the first line is enough to make a normal file unreadable for PacketFence.
    ///
    /// Example: `[CLUSTER]<CR>management_ip=192.168.1.10<CR>`
    ///
    /// What to do: `tr '\r' '\n' < cluster.conf > cluster.new`, and look at the result.
    static STRANGE_LINE_END = "PFC110" "strange-line-end" Error;

    /// Bytes that are not UTF-8.
    ///
    /// PacketFence 12 and later decode the file as UTF-8; older ones pass the bytes on as they are. A name or value
    /// with such bytes is not what you see in an editor.
    ///
    /// Example: a comment in Latin-1, or a damaged file.
    ///
    /// What to do: save the file as UTF-8.
    static INVALID_UTF8 = "PFC111" "invalid-utf8" Warning;

    /// A control character or an invisible character: NUL, escape, a zero-width space, a direction mark.
    ///
    /// It is part of the name or value for PacketFence, but nobody sees it: two names that look the same differ.
    ///
    /// Example: an address pasted from a web page with a zero-width space behind it.
    ///
    /// What to do: delete the character and type it again.
    static INVISIBLE_CHARACTER = "PFC112" "invisible-character" Warning;

    /// The file is one single line without a line end.
    ///
    /// PacketFence's reader looks for a line end, finds none, and takes the file for empty, without an error.
    ///
    /// Example: `printf '[CLUSTER]' > cluster.conf`
    ///
    /// What to do: end the line.
    static NO_LINE_END = "PFC113" "no-line-end" Warning;

    /// The file is too large to be read (4 GiB and more); nothing of it was.
    ///
    /// Example: a log that was copied over cluster.conf.
    ///
    /// What to do: put the real file in its place.
    static FILE_TOO_LARGE = "PFC114" "file-too-large" Error;

    /// A value comes from the environment, by a template tag `[% ENV... %]` (PacketFence 12 and later).
    ///
    /// Every service reads the file with its own environment, on every member. Where they differ, members and
    /// services disagree about the value.
    ///
    /// Example:
    ///     host = [% ENV.env_or_default("PF_MYSQL_HOST", "localhost") %]
    ///
    /// What to do: nothing, if you meant it so.
    pub(super) static EXPANDED_TAG = "PFC115" "value-from-environment" Info;

    /// A template tag that pfcluster does not expand, so it can't tell what PacketFence reads there.
    ///
    /// PacketFence 12 and later run every INI file through Template Toolkit: between `[%` and `%]` anything is code.
    /// pfcluster expands `[% ENV.NAME %]` where NAME is known, and `[% ENV.env_or_default("NAME", "DEFAULT") %]`.
    ///
    /// Example:
    ///     management_ip = [% IF x %]192.168.1.10[% END %]
    ///
    /// What to do: write the value itself. For a literal `[%` write `[% ENV.BRL %]`.
    pub(super) static UNKNOWN_TAG = "PFC116" "template-tag-not-expanded" Warning;
}

/// `text`, or nothing of it and a finding if it is longer than `limit` bytes.
pub(super) fn within_limit<'s>(
    source: Source,
    text: &'s [u8],
    limit: usize,
    diagnostics: &mut Diagnostics,
) -> &'s [u8] {
    if text.len() <= limit {
        return text;
    }
    diagnostics.push(Diagnostic::new(
        &FILE_TOO_LARGE,
        source,
        Span::default(),
        format!("the file has {} bytes; nothing of it was read", text.len()),
        "put the real file in its place",
    ));
    &[]
}

/// Collects the faults of one file.
pub(super) struct Faults<'a> {
    source: Source,
    text: &'a [u8],
    diagnostics: &'a mut Diagnostics,
    /// Malformed lines in a row, where the last of them ends, and the span of those that are reported as one.
    in_a_row: (usize, u32, Option<Span>),
}

/// A file with more malformed lines in a row is no INI file: the rest of them is one finding.
const MOST_IN_A_ROW: usize = 100;

impl<'a> Faults<'a> {
    pub(super) fn new(source: Source, text: &'a [u8], diagnostics: &'a mut Diagnostics) -> Self {
        Faults { source, text, diagnostics, in_a_row: (0, 0, None) }
    }

    fn push(&mut self, rule: &'static Rule, span: Span, message: &'static str, help: &'static str) {
        self.diagnostics.push(Diagnostic::new(rule, self.source, span, message, help));
    }

    fn push_second(&mut self, rule: &'static Rule, span: Span, first: Span, message: String, help: &'static str) {
        let found = Diagnostic::new(rule, self.source, span, message, help);
        self.diagnostics.push(found.related(self.source, first, "it stands here first"));
    }

    fn name(&self, span: Span) -> String {
        quoted(span.of(self.text))
    }

    pub(super) fn malformed(&mut self, line: Line) {
        let content = trim(self.text, line.text);
        match content.of(self.text) {
            [b'=', ..] => self.push(&MISSING_KEY, content, "no key before `=`", "write `key = value`"),
            [b'[', inner @ ..] => {
                let (message, help) = match inner.iter().position(|&byte| byte == b']') {
                    None => ("the section header has no `]`", "write `[name]`, and nothing else on the line"),
                    Some(at) if inner[..at].iter().all(|&byte| is_blank(byte)) => {
                        ("the section header has no name", "write the name between the brackets")
                    }
                    Some(_) => {
                        ("text after the section header", "put the comment on a line of its own, beginning with `#`")
                    }
                };
                self.push(&MALFORMED_SECTION, content, message, help);
            }
            _ => self.malformed_line(line, content),
        }
    }

    fn malformed_line(&mut self, line: Line, content: Span) {
        if line.span.start != self.in_a_row.1 {
            self.end_row();
        }
        let (before, _, rest) = self.in_a_row;
        if before < MOST_IN_A_ROW {
            let message = "the line is neither a comment, nor a section, nor `key = value`";
            self.push(&MALFORMED_LINE, content, message, "write `key = value`, or put `#` before a comment");
            self.in_a_row = (before + 1, line.span.end, None);
        } else {
            let start = rest.map_or(content.start, |rest| rest.start);
            self.in_a_row = (before + 1, line.span.end, Some(Span { start, end: content.end }));
        }
    }

    fn end_row(&mut self) {
        let (lines, _, rest) = std::mem::take(&mut self.in_a_row);
        if let Some(span) = rest {
            let message = format!("{} more lines like those before", lines - MOST_IN_A_ROW);
            let help = "see whether this is the right file";
            self.diagnostics.push(Diagnostic::new(&MALFORMED_LINE, self.source, span, message, help));
        }
    }

    pub(super) fn outside_section(&mut self, key: Span) {
        self.push(
            &OUTSIDE_SECTION,
            key,
            "a key before the first section",
            "move it below the section that it belongs to",
        );
    }

    pub(super) fn unterminated_here_document(&mut self, value: Span) {
        self.push(
            &UNTERMINATED_HERE_DOCUMENT,
            trim(self.text, value),
            "the text that begins here has no end",
            "end it with a line that holds nothing but what follows `<<`",
        );
    }

    pub(super) fn duplicate_key(&mut self, span: Span, first: Span) {
        let message = format!("`{}` stands twice in this section", self.name(span));
        self.push_second(
            &DUPLICATE_KEY,
            span,
            first,
            message,
            "keep one: PacketFence joins both into one value of two lines",
        );
    }

    pub(super) fn duplicate_section(&mut self, span: Span, first: Span) {
        let message = format!("section `[{}]` stands twice", self.name(span));
        self.push_second(&DUPLICATE_SECTION, span, first, message, "give this one its own name, or merge the two");
    }

    /// Faults that are seen in the text as a whole.
    pub(super) fn whole_file(&mut self, line_end: LineEnd) {
        self.end_row();
        let bom = byte_order_mark(self.text);
        if bom > 0 {
            let help = "save the file as UTF-8 without byte order mark";
            self.push(&BYTE_ORDER_MARK, Span::new(0, bom), "the file begins with a byte order mark", help);
        }
        match line_end {
            LineEnd::Lf => self.line_ends(),
            LineEnd::Cr => self.strange_line_end(b'\r', "the first line ends with a lone CR"),
            LineEnd::Nak => self.strange_line_end(0x15, "the first line ends with a NAK (0x15)"),
        }
        self.characters(bom, line_end);
    }

    fn strange_line_end(&mut self, byte: u8, message: &'static str) {
        let at = self.text.iter().position(|&b| b == byte).unwrap_or(0);
        self.push(&STRANGE_LINE_END, Span::new(at, at + 1), message, "end all lines with LF");
    }

    fn line_ends(&mut self) {
        let mut ends = memchr_iter(b'\n', self.text);
        let Some(first) = ends.next() else {
            if !self.text.is_empty() {
                let span = trim(self.text, Span::new(0, self.text.len()));
                self.push(&NO_LINE_END, span, "the file's only line has no line end", "end the line");
            }
            return;
        };
        if !self.text[..first].ends_with(b"\r") {
            return;
        }
        if let Some(bare) = ends.find(|&at| !self.text[..at].ends_with(b"\r")) {
            let message = "this line ends with LF, but the first line with CRLF";
            self.push(&MIXED_LINE_ENDS, Span::new(bare, bare + 1), message, "end all lines with LF");
        }
    }

    /// Invalid UTF-8 and characters that nobody sees: one finding a line for each.
    fn characters(&mut self, from: usize, line_end: LineEnd) {
        // In pieces, each read to its end: that is what the compiler turns into vector instructions.
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if self.text.chunks(1 << 10).all(|piece| piece.iter().fold(true, |plain, &byte| plain & is_plain(byte))) {
            return;
        }
        let mut start = from;
        while start < self.text.len() {
            let end = line_end.next_line(self.text, start);
            self.characters_of_line(start, without_line_end(&self.text[start..end]));
            start = end;
        }
    }

    fn characters_of_line(&mut self, start: usize, line: &[u8]) {
        let mut at = start;
        let (mut invalid, mut invisible) = (None, None);
        // In a comment it means nothing, seen or not.
        let is_comment = matches!(line.trim_ascii_start(), [b'#' | b';', ..]);
        for chunk in line.utf8_chunks() {
            let is_bad = |&(_, c): &(usize, char)| c.is_control() && c != '\t' || is_invisible(c);
            let found = chunk.valid().char_indices().find(is_bad);
            invisible = invisible.or(found.map(|(offset, c)| (Span::new(at + offset, at + offset + c.len_utf8()), c)));
            at += chunk.valid().len();
            let bad = Span::new(at, at + chunk.invalid().len());
            invalid = invalid.or((!bad.is_empty()).then_some(bad));
            at += chunk.invalid().len();
        }
        if let Some(span) = invalid {
            self.push(&INVALID_UTF8, span, "the line is not valid UTF-8", "save the file as UTF-8");
        }
        if let Some((span, c)) = invisible.filter(|_| !is_comment) {
            let message = format!("the line holds an invisible character: U+{:04X}", u32::from(c));
            let help = "delete the character";
            self.diagnostics.push(Diagnostic::new(&INVISIBLE_CHARACTER, self.source, span, message, help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let mut diagnostics = Diagnostics::new();
        assert_eq!(within_limit(Source::ClusterConf, b"[A]\n", 4, &mut diagnostics), b"[A]\n");
        assert!(diagnostics.is_empty());
        assert_eq!(within_limit(Source::ClusterConf, b"[A]\nx", 4, &mut diagnostics), b"");
        assert_eq!(diagnostics.iter().map(|d| d.rule.code).collect::<Vec<_>>(), ["PFC114"]);
    }
}
