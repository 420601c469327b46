//! An INI file as PacketFence reads it: sections and keys in order, each with its place in the file.
//!
//! The dialect is that of Perl's `Config::IniFiles` with its default options. A file that PacketFence would throw away
//! as a whole (one malformed line is enough) is still read here, with a finding for each fault.

mod edit;
mod fault;
mod interchange;
mod scan;
mod template;
mod writable;

use std::borrow::Cow;

use crate::diagnostic::{Checked, Diagnostics};
use crate::span::{LineEnd, LineIndex, Source, Span};

pub use edit::{EditError, NewSection};
pub(crate) use fault::RULES;
pub use interchange::{FromIniError, ToIniError, from_ini};
pub use scan::{Line, LineKind, Lines, is_blank};
pub use writable::Unwritable;

/// A parsed file that still knows every byte of its text: `document.text()` is what was read.
#[derive(Clone, Debug)]
pub struct Document<'s> {
    source: Source,
    text: &'s [u8],
    line_end: LineEnd,
    blocks: Vec<Block>,
    entries: Vec<EntryRow>,
    /// Indices of the first blocks of each name, sorted by name.
    by_name: Vec<u32>,
    deletions: Vec<Deletion>,
    /// Values in which template tags were expanded, by index of the entry.
    expanded: Vec<(u32, Box<[u8]>)>,
    /// Template tags mean something here: [`Document::expand`] has expanded or reported them.
    pub(crate) has_templates: bool,
}

/// No further block or entry of the same name.
const NONE: u32 = u32::MAX;

/// A stretch of the file from one section header to the next. Blocks of one name form one section.
#[derive(Clone, Debug)]
struct Block {
    name: Span,
    /// The header line.
    header: Span,
    first_entry: u32,
    end_entry: u32,
    next: u32,
    is_first: bool,
}

#[derive(Clone, Debug)]
struct EntryRow {
    key: Span,
    /// One line: the value. A here-document: its lines, with their line ends.
    value: Span,
    /// The end of the entry's last line, its line end included.
    end: u32,
    /// The next entry of the same key in the same section.
    next: u32,
    is_first: bool,
    is_here_document: bool,
}

/// A comment that PacketFence's writer leaves where a default was removed: `# port is deleted`, `# [alerting] is deleted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// The block it stands in; `None` before the first section.
    block: Option<u32>,
    /// What is deleted: a key, or a section's name in brackets.
    pub(crate) what: Span,
}

impl<'s> Document<'s> {
    /// Reads `text`, the contents of `source`. Never stops at a fault.
    ///
    /// Works in time linear in the length of the text (but for sorting the names of sections).
    pub fn parse(source: Source, text: &'s [u8]) -> Checked<Document<'s>> {
        let mut diagnostics = Diagnostics::new();
        let text = fault::within_limit(source, text, Span::MAX, &mut diagnostics);
        // About what a section and a key take. Growing both lists in turns would copy them again and again.
        let usual = text.len() / 40;
        let mut document = Document {
            source,
            text,
            line_end: LineEnd::detect(text),
            blocks: Vec::with_capacity(usual),
            entries: Vec::with_capacity(usual),
            by_name: Vec::new(),
            deletions: Vec::new(),
            expanded: Vec::new(),
            has_templates: false,
        };
        let mut faults = fault::Faults::new(source, text, &mut diagnostics);
        document.read(&mut faults);
        document.join_sections(&mut faults);
        document.join_keys(&mut faults);
        faults.whole_file(document.line_end);
        diagnostics.sort();
        Checked { value: document, diagnostics }
    }

    fn read(&mut self, faults: &mut fault::Faults<'_>) {
        let mut lines = Lines::new(self.text, self.line_end, scan::byte_order_mark(self.text));
        let mut marks = scan::Marks::default();
        while let Some(line) = lines.next() {
            match line.kind {
                LineKind::Blank => {}
                LineKind::Comment => self.note_deletion(line.text),
                LineKind::Malformed => {
                    faults.malformed(line);
                    // What follows belongs to the section that was meant, not to the one before.
                    if let Some(name) = scan::meant_section(self.text, line.text) {
                        self.begin_block(name, line.span);
                    }
                }
                LineKind::Section { name } => self.begin_block(name, line.span),
                LineKind::Entry { key, value } => {
                    let entry = self.entry(&mut lines, &mut marks, line, key, value, faults);
                    if let Some(block) = self.blocks.last_mut() {
                        self.entries.push(entry);
                        block.end_entry += 1;
                    } else {
                        faults.outside_section(key);
                    }
                }
            }
        }
    }

    fn begin_block(&mut self, name: Span, header: Span) {
        let at = index(self.entries.len());
        self.blocks.push(Block { name, header, first_entry: at, end_entry: at, next: NONE, is_first: true });
    }

    /// The entry that begins on `line`; takes the lines of a here-document from `lines`.
    fn entry(
        &self,
        lines: &mut Lines<'s>,
        marks: &mut scan::Marks<'s>,
        line: Line,
        key: Span,
        value: Span,
        faults: &mut fault::Faults<'_>,
    ) -> EntryRow {
        let plain = EntryRow { key, value, end: line.span.end, next: NONE, is_first: true, is_here_document: false };
        let Some(mark) = value.of(self.text).strip_prefix(b"<<") else { return plain };
        let Some(end) = marks.find(lines, mark) else {
            faults.unterminated_here_document(value);
            return plain;
        };
        let body = Span { start: line.span.end, end: end.start };
        EntryRow { value: body, end: end.end, is_here_document: true, ..plain }
    }

    fn note_deletion(&mut self, comment: Span) {
        let Some(rest) = comment.of(self.text).strip_prefix(b"# ") else { return };
        let Some(what) = rest.strip_suffix(b" is deleted") else { return };
        let start = comment.start as usize + 2;
        let block = self.blocks.len().checked_sub(1).map(index);
        self.deletions.push(Deletion { block, what: Span::new(start, start + what.len()) });
    }

    /// Links the blocks of one name; the first one's place is the section's place.
    fn join_sections(&mut self, faults: &mut fault::Faults<'_>) {
        let mut order: Vec<u32> = (0..index(self.blocks.len())).collect();
        let name = |block: u32| self.blocks[block as usize].name.of(self.text);
        // Stable: blocks of one name stay in file order. Runs that are in order already, as members mostly are, are cheap.
        order.sort_by(|&a, &b| name(a).cmp(name(b)));
        let mut first = NONE;
        for pair in 0..order.len() {
            let this = order[pair];
            let before = pair.checked_sub(1).map(|at| order[at]);
            match before {
                Some(before) if self.name_of(before) == self.name_of(this) => {
                    self.blocks[before as usize].next = this;
                    self.blocks[this as usize].is_first = false;
                    faults.duplicate_section(self.blocks[this as usize].name, self.blocks[first as usize].name);
                }
                _ => {
                    first = this;
                    self.by_name.push(this);
                }
            }
        }
    }

    /// Links the entries of one key within each section.
    fn join_keys(&mut self, faults: &mut fault::Faults<'_>) {
        let mut members: Vec<u32> = Vec::new();
        for block in 0..self.blocks.len() {
            if !self.blocks[block].is_first {
                continue;
            }
            members.clear();
            members.extend(self.entry_indices(index(block)));
            // Stable: entries of one key stay in file order. Short sections are the rule, and nearly free.
            members.sort_by(|&a, &b| self.key_of(a).cmp(self.key_of(b)));
            let mut first = NONE;
            for pair in 0..members.len() {
                let this = members[pair];
                let before = pair.checked_sub(1).map(|at| members[at]);
                match before {
                    Some(before) if self.key_of(before) == self.key_of(this) => {
                        self.entries[before as usize].next = this;
                        self.entries[this as usize].is_first = false;
                        faults.duplicate_key(self.entries[this as usize].key, self.entries[first as usize].key);
                    }
                    _ => first = this,
                }
            }
        }
    }

    fn name_of(&self, block: u32) -> &'s [u8] {
        self.blocks[block as usize].name.of(self.text)
    }

    fn key_of(&self, entry: u32) -> &'s [u8] {
        self.entries[entry as usize].key.of(self.text)
    }

    /// The blocks of the section that begins with `block`.
    fn block_chain(&self, block: u32) -> impl Iterator<Item = u32> {
        let next = |&at: &u32| Some(self.blocks[at as usize].next).filter(|&next| next != NONE);
        std::iter::successors(Some(block), next)
    }

    fn entry_indices(&self, block: u32) -> impl Iterator<Item = u32> {
        self.block_chain(block).flat_map(|at| {
            let block = &self.blocks[at as usize];
            block.first_entry..block.end_entry
        })
    }

    /// The file it was read from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The text, byte for byte.
    pub fn text(&self) -> &'s [u8] {
        self.text
    }

    /// For lines and columns of the text.
    pub fn line_index(&self) -> LineIndex<'s> {
        LineIndex::new(self.text)
    }

    /// The sections in order of first appearance; blocks of one name are one section.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_, 's>> {
        let firsts = self.blocks.iter().enumerate().filter(|(_, block)| block.is_first);
        firsts.map(|(at, _)| Section { document: self, block: index(at) })
    }

    /// The section of this exact name.
    pub fn section(&self, name: &[u8]) -> Option<Section<'_, 's>> {
        let at = self.by_name.binary_search_by(|&block| self.name_of(block).cmp(name)).ok()?;
        Some(Section { document: self, block: self.by_name[at] })
    }

    /// Stretches of the text that hold a secret over several lines: here-documents of secret keys. (Secrets on a single
    /// line are found on the line: [`crate::secret::secret_in_line`].)
    pub fn secret_texts(&self) -> Vec<Span> {
        let secret = |row: &&EntryRow| crate::secret::is_secret_key(row.key.of(self.text));
        let mut texts = Vec::new();
        for (at, row) in self.entries.iter().enumerate().filter(|(_, row)| secret(row)) {
            if row.is_here_document {
                texts.push(row.value);
            } else if row.value.of(self.text).starts_with(b"<<") {
                // Its end is missing: what follows was meant as the secret, up to where the file makes sense again.
                let next_entry = self.entries.get(at + 1).map(|next| next.key.start);
                let next_block = self.blocks.partition_point(|block| block.header.start < row.end);
                let next_block = self.blocks.get(next_block).map(|block| block.header.start);
                let end = next_entry.into_iter().chain(next_block).min();
                texts.push(Span { start: row.end, end: end.unwrap_or(Span::new(0, self.text.len()).end) });
            }
        }
        texts
    }

    pub(crate) fn deletions(&self) -> impl Iterator<Item = (Option<Section<'_, 's>>, Span)> {
        self.deletions.iter().map(|deletion| {
            let section = deletion.block.and_then(|block| self.section(self.name_of(block)));
            (section, deletion.what)
        })
    }
}

/// A section: all blocks of one name.
#[derive(Clone, Copy, Debug)]
pub struct Section<'d, 's> {
    document: &'d Document<'s>,
    block: u32,
}

impl<'d, 's: 'd> Section<'d, 's> {
    /// The name, without the brackets and the blanks around it.
    pub fn name(self) -> &'s [u8] {
        self.document.name_of(self.block)
    }

    /// Where the name stands (its first appearance).
    pub fn name_span(self) -> Span {
        self.document.blocks[self.block as usize].name
    }

    /// The keys, in order of first appearance.
    pub fn entries(self) -> impl Iterator<Item = Entry<'d, 's>> {
        let document = self.document;
        let firsts = document.entry_indices(self.block).filter(|&at| document.entries[at as usize].is_first);
        firsts.map(move |entry| Entry { document, entry })
    }

    /// The entry of this exact key.
    pub fn get(self, key: &[u8]) -> Option<Entry<'d, 's>> {
        self.entries().find(|entry| entry.key() == key)
    }
}

/// A key with its values: several if it was repeated or is a here-document.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d, 's> {
    document: &'d Document<'s>,
    entry: u32,
}

impl<'d, 's: 'd> Entry<'d, 's> {
    fn row(self) -> &'d EntryRow {
        &self.document.entries[self.entry as usize]
    }

    /// The key, without blanks around it.
    pub fn key(self) -> &'s [u8] {
        self.document.key_of(self.entry)
    }

    /// Where the key stands (its first appearance).
    pub fn key_span(self) -> Span {
        self.row().key
    }

    /// Where the value stands (its first appearance), without blanks around it.
    pub fn value_span(self) -> Span {
        scan::trim(self.document.text, self.row().value)
    }

    /// Where the whole value stands, the blanks after it included.
    pub(crate) fn raw_value_span(self) -> Span {
        self.row().value
    }

    /// The value if it is a single line, with the blanks after it, template tags expanded.
    pub fn single(self) -> Option<Cow<'d, [u8]>> {
        let row = self.row();
        if row.next == NONE && !row.is_here_document {
            return Some(Cow::Borrowed(self.document.expanded_value(self.entry)));
        }
        let mut values = self.values().into_iter();
        values.next().filter(|_| values.next().is_none())
    }

    /// All values as the reader yields them: one per repetition and per line of a here-document, not trimmed, template
    /// tags expanded.
    ///
    /// An empty here-document leaves the key without a value, and what follows under the same key is lost: the reader
    /// adds only to a value that is there.
    pub fn values(self) -> Vec<Cow<'d, [u8]>> {
        let document = self.document;
        let next = |&at: &u32| Some(document.entries[at as usize].next).filter(|&next| next != NONE);
        let mut values = Vec::new();
        for at in std::iter::successors(Some(self.entry), next) {
            let value = document.expanded_value(at);
            if document.entries[at as usize].is_here_document {
                let mut lines = Lines::new(value, document.line_end, 0);
                let lines = std::iter::from_fn(|| lines.next_raw());
                values.extend(lines.map(|(_, line)| Cow::Borrowed(line.of(value))));
            } else {
                values.push(Cow::Borrowed(value));
            }
            if values.is_empty() {
                break;
            }
        }
        values
    }
}

fn index(length: usize) -> u32 {
    // A block or an entry takes at least three bytes of a text that is at most Span::MAX long.
    u32::try_from(length).unwrap_or(NONE)
}
