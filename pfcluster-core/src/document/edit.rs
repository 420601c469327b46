//! Changes to a file that people also edit: only the lines that are meant change; comments, order, blank lines and line
//! ends stay. Each function returns the new text; parse it again for the next change.

use std::collections::BTreeSet;

use super::{Document, Entry, LineKind, Lines, Section, Unwritable, writable};
use crate::printable::quoted;
use crate::span::{LineEnd, Span, without_line_end};

/// Why a file was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The section is not in the file.
    #[error("there is no section `[{0}]`")]
    NoSuchSection(String),
    /// The key is not in the section.
    #[error("there is no key `{0}`")]
    NoSuchKey(String),
    /// A section of that name is already there.
    #[error("section `[{0}]` is already there")]
    SectionExists(String),
    /// Something that the dialect has no form for.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

/// A section to be written: its name, its keys and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSection {
    /// Name without brackets.
    pub name: String,
    /// Keys and values, in order.
    pub entries: Vec<(String, String)>,
}

impl Document<'_> {
    /// The text with `key` of `section` set to `value`. A new key goes below the section's others; a repeated key or a
    /// here-document becomes one line.
    ///
    /// # Errors
    /// [`EditError`] if there is no such section, or the key or value can't be written.
    pub fn with_value(&self, section: &str, key: &str, value: &str) -> Result<Vec<u8>, EditError> {
        writable::entry(key, value)?;
        let section = self.existing(section)?;
        let mut splices = Splices::new(self);
        let Some(entry) = section.get(key.as_bytes()) else {
            let separator = section.entries().next().map_or(&b"="[..], |entry| self.separator(entry));
            let text = [key.as_bytes(), separator, value.as_bytes()].concat();
            splices.insert_line(self.section_end(section), &text);
            return Ok(splices.apply());
        };
        let mut rows = self.rows(entry);
        if let Some(first) = rows.next() {
            if first.is_here_document {
                let line = Span { start: first.key.start, end: first.end };
                let separator: &[u8] = b"=";
                splices.replace(line, &[key.as_bytes(), separator, value.as_bytes(), self.line_end_bytes()].concat());
            } else {
                splices.replace(first.value, value.as_bytes());
            }
        }
        rows.for_each(|row| splices.replace(self.lines_of(row.key, row.end), b""));
        Ok(splices.apply())
    }

    /// The text without `key` in `section`.
    ///
    /// # Errors
    /// [`EditError`] if it is not there.
    pub fn without_key(&self, section: &str, key: &str) -> Result<Vec<u8>, EditError> {
        let entry = self.existing(section)?.get(key.as_bytes());
        let entry = entry.ok_or_else(|| EditError::NoSuchKey(quoted(key.as_bytes())))?;
        let mut splices = Splices::new(self);
        self.rows(entry).for_each(|row| splices.replace(self.lines_of(row.key, row.end), b""));
        Ok(splices.apply())
    }

    /// The text without these sections: their headers, their keys, and the blank lines right after those. Comments stay.
    ///
    /// # Errors
    /// [`EditError`] if one of them is not there.
    pub fn without_sections(&self, names: &[&str]) -> Result<Vec<u8>, EditError> {
        let mut splices = Splices::new(self);
        for name in names {
            for at in self.block_chain(self.existing(name)?.block) {
                let block = &self.blocks[at as usize];
                splices.replace(self.with_blank_lines(block.header), b"");
                for row in &self.entries[block.first_entry as usize..block.end_entry as usize] {
                    splices.replace(self.with_blank_lines(self.lines_of(row.key, row.end)), b"");
                }
            }
        }
        Ok(self.with_same_line_end(splices.apply()))
    }

    /// The text with new sections below the section `after`, or at the end of the file.
    ///
    /// # Errors
    /// [`EditError`] if `after` is not there, a new one already is, or something can't be written.
    pub fn with_sections(&self, after: Option<&str>, sections: &[NewSection]) -> Result<Vec<u8>, EditError> {
        let anchor = after.map(|name| self.existing(name)).transpose()?;
        let line_end = self.line_end_bytes();
        let mut text = Vec::new();
        let mut new_names = BTreeSet::new();
        for section in sections {
            writable::section(&section.name)?;
            if self.section(section.name.as_bytes()).is_some() || !new_names.insert(&section.name) {
                return Err(EditError::SectionExists(section.name.clone()));
            }
            if !self.blocks.is_empty() || !text.is_empty() {
                text.extend_from_slice(line_end);
            }
            text.extend_from_slice(format!("[{}]", section.name).as_bytes());
            text.extend_from_slice(line_end);
            for (key, value) in &section.entries {
                writable::entry(key, value)?;
                text.extend_from_slice(format!("{key}={value}").as_bytes());
                text.extend_from_slice(line_end);
            }
        }
        // insert_line ends the last line itself.
        let Some(length) = text.len().checked_sub(line_end.len()) else { return Ok(self.text.to_vec()) };
        text.truncate(length);
        let end = anchor.map_or(self.text.len(), |section| self.section_end(section));
        let mut splices = Splices::new(self);
        splices.insert_line(end, &text);
        Ok(splices.apply())
    }

    fn existing(&self, name: &str) -> Result<Section<'_, '_>, EditError> {
        self.section(name.as_bytes()).ok_or_else(|| EditError::NoSuchSection(quoted(name.as_bytes())))
    }

    fn rows(&self, entry: Entry<'_, '_>) -> impl Iterator<Item = &super::EntryRow> {
        let next = |&at: &u32| Some(self.entries[at as usize].next).filter(|&next| next != super::NONE);
        std::iter::successors(Some(entry.entry), next).map(|at| &self.entries[at as usize])
    }

    /// Whole lines, from the one in which `from` stands.
    fn lines_of(&self, from: Span, end: u32) -> Span {
        let before = &self.text[..from.start as usize];
        let is_end = |&byte: &u8| match self.line_end {
            LineEnd::Lf => byte == b'\n',
            LineEnd::Cr => byte == b'\n' || byte == b'\r',
            LineEnd::Nak => byte == b'\n' || byte == 0x15,
        };
        let start = before.iter().rposition(is_end).map_or(0, |at| at + 1);
        Span::new(start.max(super::scan::byte_order_mark(self.text)), end as usize)
    }

    fn with_blank_lines(&self, lines: Span) -> Span {
        let following = Lines::new(self.text, self.line_end, lines.end as usize);
        let blank = following.take_while(|line| line.kind == LineKind::Blank).last();
        Span { start: lines.start, end: blank.map_or(lines.end, |line| line.span.end) }
    }

    /// What stands between key and value of an entry, so that a new line looks like its neighbours.
    fn separator(&self, entry: Entry<'_, '_>) -> &[u8] {
        let row = entry.row();
        let between = Span { start: row.key.end, end: row.value.start }.of(self.text);
        if row.is_here_document || row.value.is_empty() { b"=" } else { between }
    }

    /// The end of a section's last line that means something, in its last block.
    fn section_end(&self, section: Section<'_, '_>) -> usize {
        let last = self.block_chain(section.block).last().unwrap_or(section.block);
        let block = &self.blocks[last as usize];
        let entries = &self.entries[block.first_entry as usize..block.end_entry as usize];
        entries.last().map_or(block.header.end, |row| row.end) as usize
    }

    /// The line end for new lines.
    fn line_end_bytes(&self) -> &[u8] {
        let first = first_line_end(self.text);
        if first.is_empty() { b"\n" } else { first }
    }

    /// `changed`, with a blank first line if its own ends otherwise than the file's first line did. The reader takes that
    /// end for the end of all lines.
    fn with_same_line_end(&self, mut changed: Vec<u8>) -> Vec<u8> {
        let line_end = first_line_end(self.text);
        let start = super::scan::byte_order_mark(&changed);
        if changed.len() > start && first_line_end(&changed) != line_end {
            changed.splice(start..start, line_end.iter().copied());
        }
        changed
    }
}

fn first_line_end(text: &[u8]) -> &[u8] {
    let line = &text[..LineEnd::detect(text).next_line(text, 0)];
    &line[without_line_end(line).len()..]
}

/// Replacements in a text, none overlapping another.
struct Splices<'d, 's> {
    document: &'d Document<'s>,
    list: Vec<(Span, Vec<u8>)>,
}

impl<'d, 's> Splices<'d, 's> {
    fn new(document: &'d Document<'s>) -> Self {
        Splices { document, list: Vec::new() }
    }

    fn replace(&mut self, span: Span, with: &[u8]) {
        self.list.push((span, with.to_vec()));
    }

    /// Inserts whole lines at `at`, the end of a line, even if that line has no line end.
    fn insert_line(&mut self, at: usize, lines: &[u8]) {
        let line_end = self.document.line_end_bytes();
        let before = &self.document.text[..at];
        if before.is_empty() || before.ends_with(b"\n") || before.ends_with(line_end) {
            self.replace(Span::new(at, at), &[lines, line_end].concat());
        } else {
            // A CR or a NAK at the very end of the file counts as a line end there, but would not with lines below it.
            let content = without_line_end(before).len();
            self.replace(Span::new(content, at), &[line_end, lines].concat());
        }
    }

    fn apply(mut self) -> Vec<u8> {
        self.list.sort_by_key(|(span, _)| *span);
        let text = self.document.text;
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (span, with) in &self.list {
            out.extend_from_slice(&text[copied..(span.start as usize).max(copied)]);
            out.extend_from_slice(with);
            copied = copied.max(span.end as usize);
        }
        out.extend_from_slice(&text[copied..]);
        out
    }
}
