//! Laws of reading: nothing is lost, everything is where it says, and no bytes whatever bring it down.

mod document_edits;
mod hostile_documents;
mod ini_text;
mod interchange;

use std::collections::BTreeMap;

use ini_text::Text;
use pfcluster_core::document::{Document, Entry, LineKind, Lines, Section, is_blank};
use pfcluster_core::printable::{is_invisible, printable};
use pfcluster_core::secret::secret_in_line;
use pfcluster_core::span::{LineEnd, LineIndex, Source, Span, Spanned};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Sections with their keys with their values.
pub(crate) type Contents = Vec<(Text, Vec<(Text, Vec<Text>)>)>;

pub(crate) fn contents(document: &Document<'_>) -> Contents {
    let sections = document.sections().map(|section| {
        let entries = section.entries().map(|entry| {
            let values = entry.values().iter().map(|value| Text(value.to_vec())).collect();
            (Text(entry.key().to_vec()), values)
        });
        (Text(section.name().to_vec()), entries.collect())
    });
    sections.collect()
}

pub(crate) fn parse(text: &[u8]) -> Document<'_> {
    Document::parse(Source::ClusterConf, text).value
}

/// The codes of what is wrong with a text.
pub(crate) fn codes(text: &[u8]) -> Vec<&'static str> {
    Document::parse(Source::ClusterConf, text).diagnostics.iter().map(|found| found.rule.code).collect()
}

/// Without the reader's blanks around it.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let is_solid = |&byte: &u8| !is_blank(byte);
    let start = bytes.iter().position(is_solid).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_solid).map_or(start, |last| last + 1);
    &bytes[start..end]
}

fn any_bytes() -> impl Strategy<Value = Text> {
    prop_oneof![
        vec(any::<u8>(), 0..4_000),
        vec(select(&b"[]=#;<< \t\n\r\x15\0\"\\%aE\xC3\xA9\xE2\x80\x8B\xEF\xBB\xBF\xFF"[..]), 0..2_000),
        vec(prop_oneof![ini_text::file(), vec(any::<u8>(), 0..50).prop_map(Text)], 0..4)
            .prop_map(|parts| parts.iter().flat_map(|part| part.to_vec()).collect()),
    ]
    .prop_map(Text)
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn the_document_knows_every_byte(text in any_bytes()) {
        prop_assert_eq!(parse(&text).text(), &*text);
        let mut end = 0;
        for line in Lines::new(&text, LineEnd::detect(&text), 0) {
            prop_assert_eq!(line.span.start as usize, end);
            prop_assert!(line.span.start == line.text.start && line.text.end <= line.span.end);
            prop_assert!(!line.span.is_empty());
            end = line.span.end as usize;
        }
        prop_assert_eq!(end, text.len());
    }

    #[test]
    fn the_parts_of_a_line_stand_in_it(text in any_bytes()) {
        for line in Lines::new(&text, LineEnd::detect(&text), 0) {
            let bytes = line.text.of(&text);
            let trimmed = |span: Span| trim(span.of(&text)) == span.of(&text);
            match line.kind {
                LineKind::Blank => prop_assert!(trim(bytes).is_empty()),
                LineKind::Comment => prop_assert!(matches!(trim(bytes).first(), Some(b'#' | b';'))),
                LineKind::Section { name } => {
                    prop_assert!(trimmed(name) && !name.is_empty());
                    prop_assert!(line.text.start < name.start && name.end < line.text.end);
                }
                LineKind::Entry { key, value } => {
                    prop_assert!(trimmed(key) && !key.is_empty() && !key.of(&text).contains(&b'='));
                    prop_assert!(line.text.start <= key.start && key.end < value.start && value.end == line.text.end);
                }
                LineKind::Malformed => prop_assert!(!trim(bytes).is_empty()),
            }
        }
    }

    #[test]
    fn spans_point_at_what_they_name(text in any_bytes()) {
        let document = Document::parse(Source::PfConf, &text);
        let index = document.value.line_index();
        let inside = |span: Span| {
            let _ = (index.position(span.start), index.position(span.end));
            span.start <= span.end && span.end as usize <= text.len()
        };
        for section in document.value.sections() {
            prop_assert!(inside(section.name_span()));
            prop_assert_eq!(section.name_span().of(&text), section.name());
            prop_assert_eq!(document.value.section(section.name()).map(Section::name_span), Some(section.name_span()));
            for entry in section.entries() {
                prop_assert!(inside(entry.key_span()) && inside(entry.value_span()));
                prop_assert_eq!(entry.key_span().of(&text), entry.key());
                prop_assert_eq!(section.get(entry.key()).map(Entry::key_span), Some(entry.key_span()));
                let values = entry.values();
                prop_assert_eq!(entry.single(), values.first().cloned().filter(|_| values.len() == 1));
                if let [value] = &values[..] {
                    // The span of a here-document of one line holds that line's end.
                    let shown = entry.value_span().of(&text);
                    let without_nak = |bytes: &[u8]| Text(trim(bytes.strip_suffix(b"\x15").unwrap_or(bytes)).to_vec());
                    prop_assert_eq!(without_nak(shown), without_nak(trim(value)));
                }
            }
        }
        prop_assert!(document.value.secret_texts().into_iter().all(inside));
        for found in &document.diagnostics {
            prop_assert!(inside(found.span));
            prop_assert!(found.related.iter().all(|related| inside(related.span)));
            prop_assert_eq!(printable(found.message.as_bytes()), found.message.as_ref());
        }
    }

    #[test]
    fn every_offset_has_a_line_and_a_column(text in any_bytes()) {
        let index = LineIndex::new(&text);
        for (number, line) in Lines::new(&text, LineEnd::detect(&text), 0).enumerate() {
            prop_assert_eq!(index.line(number + 1), Spanned::new(line.text.of(&text), line.text));
            for offset in line.span.start..line.span.end {
                let position = index.position(offset);
                prop_assert_eq!(position.line, number + 1);
                prop_assert!((1..=(offset - line.span.start) as usize + 1).contains(&position.column));
            }
        }
        let _ = (index.position(Span::MAX.try_into().expect("it fits")), index.position(0));
    }

    #[test]
    fn what_is_shown_is_safe(text in any_bytes()) {
        let shown = printable(&text);
        prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
        for line in Lines::new(&text, LineEnd::detect(&text), 0) {
            let bytes = line.text.of(&text);
            if let Some(secret) = secret_in_line(bytes) {
                prop_assert!(secret.start < secret.end && secret.end as usize == bytes.len());
            }
        }
    }

    #[test]
    fn template_tags_bring_nothing_down(text in any_bytes(), tags in vec(select(TAGS), 0..5)) {
        let text = [&text[..], b"\n[A]\nk=", tags.concat().as_bytes(), b"\n"].concat();
        let mut document = parse(&text);
        for found in &document.expand(&environment()) {
            prop_assert!(found.span.start <= found.span.end && found.span.end as usize <= text.len());
        }
        let _ = contents(&document);
        let _ = document.expand(&BTreeMap::new());
    }

    /// PacketFence expands the tags before it reads the file.
    #[test]
    fn expanding_a_file_is_reading_the_expanded_file(text in ini_text::good_file()) {
        let expanded = replace(&text, TAGS[0].as_bytes(), b"x y");
        let mut document = parse(&text);
        let findings = document.expand(&environment());
        prop_assume!(findings.iter().all(|found| found.rule.code == "PFC115"));
        prop_assert_eq!(contents(&document), contents(&parse(&expanded)));
    }

    #[test]
    fn values_of_a_repeated_key_are_in_file_order(keys in vec(select(&["a", "b", "c"][..]), 0..60)) {
        let mut text = String::new();
        let mut expected = BTreeMap::<&str, Vec<String>>::new();
        for (number, key) in keys.iter().enumerate() {
            // Other sections between, so that the section's blocks are joined too.
            text.push_str(&format!("[A]\n{key} = {number}\n[B{number}]\n{key} = other\n"));
            expected.entry(key).or_default().push(number.to_string());
        }
        let document = parse(text.as_bytes());
        for (key, values) in expected {
            let entry = document.section(b"A").and_then(|section| section.get(key.as_bytes()));
            let read = entry.map(|entry| entry.values().iter().map(|value| printable(value)).collect());
            prop_assert_eq!(read, Some(values));
        }
    }
}

const TAGS: &[&str] = &[
    "[% ENV.NAME %]",
    "[%- ENV.NAME -%]",
    "[% ENV.env_or_default(\"NAME\", \"d\") %]",
    "[% ENV.env_or_default('OTHER' 'd') %]",
    "[% ENV.env_or_default(\"\u{e9}\", \"",
    "[% ENV.OTHER %]",
    "[%",
    "%]",
    "[[%%]]",
    " text ",
];

fn environment() -> BTreeMap<String, String> {
    BTreeMap::from([("NAME".to_owned(), "x y".to_owned())])
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        out.extend([&rest[..at], with].concat());
        rest = &rest[at + what.len()..];
    }
    [&out[..], rest].concat()
}
