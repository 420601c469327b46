//! Laws of changing a file that people also edit: what is meant changes, and not one byte more.

use pfcluster_core::document::{Document, EditError, LineKind, Lines, NewSection};
use pfcluster_core::span::LineEnd;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::ini_text::Text;
use super::{Contents, codes, contents, ini_text, parse, trim};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a line belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    /// A comment, a blank line, a malformed line, or a key outside of all sections.
    Nobody,
    /// The header of this section, well-formed or not.
    Header(Text),
    /// This key of this section.
    Entry(Text, Text),
}

/// All lines with their owners. The last line is given the file's line end if it has none.
fn lines(text: &[u8]) -> Vec<(Owner, Text)> {
    let line_end = line_end(text);
    let byte_order_mark = if text.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
    let mut lines = Lines::new(text, LineEnd::detect(text), byte_order_mark);
    let mut section = None;
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let mut count = 1;
        let owner = match (line.kind, &section) {
            (LineKind::Section { name }, _) => header(name.of(text), &mut section),
            (LineKind::Malformed, _) if trim(line.text.of(text)).starts_with(b"[") => {
                let inner = &trim(line.text.of(text))[1..];
                header(inner.split(|&byte| byte == b']').next().unwrap_or(inner), &mut section)
            }
            (LineKind::Entry { key, value }, section) => {
                if let Some(mark) = value.of(text).strip_prefix(b"<<") {
                    let mut ahead = lines.clone();
                    let end = std::iter::from_fn(|| ahead.next_raw()).position(|(_, line)| line.of(text) == mark);
                    count += end.map_or(0, |end| end + 1);
                }
                section.clone().map_or(Owner::Nobody, |section| Owner::Entry(section, Text(key.of(text).to_vec())))
            }
            _ => Owner::Nobody,
        };
        let following = std::iter::from_fn(|| lines.next_raw());
        for (span, content) in std::iter::once((line.span, line.text)).chain(following.take(count - 1)) {
            let is_ended = [Some(&b'\n'), line_end.last()].contains(&span.of(text).last());
            let bytes = if is_ended { span.of(text).to_vec() } else { [content.of(text), line_end].concat() };
            all.push((owner.clone(), Text(bytes)));
        }
    }
    all
}

fn header(name: &[u8], section: &mut Option<Text>) -> Owner {
    let name = Text(trim(name).to_vec());
    *section = Some(name.clone());
    Owner::Header(name)
}

/// What ends the first line.
fn line_end(text: &[u8]) -> &[u8] {
    let first = Lines::new(text, LineEnd::detect(text), 0).next();
    let end = first.map_or(&b""[..], |line| &text[line.text.end as usize..line.span.end as usize]);
    if end.is_empty() { b"\n" } else { end }
}

fn lines_without(text: &[u8], is_left_out: impl Fn(&Owner, &[u8]) -> bool) -> Vec<Text> {
    let kept = lines(text).into_iter().filter(|(owner, line)| !is_left_out(owner, line));
    kept.map(|(_, line)| line).collect()
}

fn is_blank(line: &[u8]) -> bool {
    trim(line.strip_suffix(b"\x15").unwrap_or(line)).is_empty()
}

/// A file of which PacketFence's reader sees the same lines as we do, whatever is malformed in it.
fn shrinkable() -> impl Strategy<Value = Text> {
    ini_text::file().prop_filter("a file with other lines for the reader", |text| {
        let codes = codes(text);
        let mixed = codes.contains(&"PFC109") || codes.contains(&"PFC110") && text.contains(&b'\n');
        // Below the first line these bytes mean nothing, but would if the lines above were removed.
        let byte_order_mark_below = text.windows(3).skip(1).any(|bytes| bytes == BYTE_ORDER_MARK);
        !mixed && !byte_order_mark_below
    })
}

/// Such a file to which one can add a line: it has no here-document without end, whose end that line could be.
fn growable() -> impl Strategy<Value = Text> {
    shrinkable().prop_filter("a here-document without end", |text| !codes(text).contains(&"PFC105"))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(&["k", "ip", "new", "x y"][..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = String> {
    let values = select(&["", "192.168.1.7", "v # x", "a=b", "trailing \t", "[A]", "\u{e9}"][..]);
    prop_oneof![3 => values.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A section of the document whose name is a `str`.
fn pick<'s>(document: &Document<'s>, index: Index) -> Option<&'s str> {
    let names: Vec<_> = document.sections().filter_map(|section| std::str::from_utf8(section.name()).ok()).collect();
    (!names.is_empty()).then(|| names[index.index(names.len())])
}

/// The keys of a section that are `str`.
fn keys<'s>(document: &Document<'s>, section: &str) -> Vec<&'s str> {
    let section = document.section(section.as_bytes()).expect("the section is there");
    section.entries().filter_map(|entry| std::str::from_utf8(entry.key()).ok()).collect()
}

fn named(name: &str) -> Text {
    Text(name.as_bytes().to_vec())
}

fn with_entry(mut contents: Contents, section: &str, key: &str, value: &str) -> Contents {
    let section = contents.iter_mut().find(|(name, _)| **name == *section.as_bytes()).expect("the section is there");
    let value = vec![named(value)];
    match section.1.iter_mut().find(|(other, _)| **other == *key.as_bytes()) {
        Some((_, values)) => *values = value,
        None => section.1.push((named(key), value)),
    }
    contents
}

fn as_contents(section: &NewSection) -> (Text, Vec<(Text, Vec<Text>)>) {
    let mut entries: Vec<(Text, Vec<Text>)> = Vec::new();
    for (key, value) in &section.entries {
        match entries.iter_mut().find(|(other, _)| *other == named(key)) {
            Some((_, values)) => values.push(named(value)),
            None => entries.push((named(key), vec![named(value)])),
        }
    }
    (named(&section.name), entries)
}

/// True unless a file all of whose lines end with CRLF got a line that does not.
fn keeps_crlf(before: &[u8], after: &[u8]) -> bool {
    let is_crlf = |text: &[u8]| {
        text.split_inclusive(|&byte| byte == b'\n').all(|line| !line.ends_with(b"\n") || line.ends_with(b"\r\n"))
    };
    line_end(before) != b"\r\n" || !is_crlf(before) || is_crlf(after)
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    #[test]
    fn a_value_is_set_and_nothing_else(
        text in growable(), section in any::<Index>(), old_key in any::<Index>(), use_old in any::<bool>(),
        new_key in key(), value in value(),
    ) {
        let document = parse(&text);
        let Some(section) = pick(&document, section) else { return Ok(()) };
        let keys = keys(&document, section);
        let key = if use_old && !keys.is_empty() { keys[old_key.index(keys.len())] } else { &new_key };
        match document.with_value(section, key, &value) {
            Err(error) => prop_assert!(matches!(error, EditError::Unwritable(_)), "{error}"),
            Ok(changed) => {
                let expected = with_entry(contents(&document), section, key, &value);
                prop_assert_eq!(contents(&parse(&changed)), expected);
                let owner = Owner::Entry(named(section), named(key));
                let others = |text| lines_without(text, |other, _| *other == owner);
                prop_assert_eq!(others(&changed), others(&text));
                prop_assert!(keeps_crlf(&text, &changed));
                prop_assert_eq!(lines(&changed).iter().filter(|(other, _)| *other == owner).count(), 1);
            }
        }
    }

    #[test]
    fn a_key_is_removed_and_nothing_else(text in shrinkable(), section in any::<Index>(), key in any::<Index>()) {
        let document = parse(&text);
        let Some(section) = pick(&document, section) else { return Ok(()) };
        let keys = keys(&document, section);
        if keys.is_empty() { return Ok(()) }
        let key = keys[key.index(keys.len())];
        let changed = document.without_key(section, key).expect("the key is there");
        prop_assert!(keeps_crlf(&text, &changed));
        let mut expected = contents(&document);
        expected.iter_mut().find(|(name, _)| **name == *section.as_bytes()).expect("the section is there")
            .1.retain(|(other, _)| **other != *key.as_bytes());
        prop_assert_eq!(contents(&parse(&changed)), expected);
        let owner = Owner::Entry(named(section), named(key));
        prop_assert_eq!(lines_without(&changed, |_, _| false), lines_without(&text, |other, _| *other == owner));
    }

    #[test]
    fn sections_are_removed_and_comments_stay(text in shrinkable(), which in vec(any::<Index>(), 0..4)) {
        let document = parse(&text);
        let names: Vec<&str> = which.into_iter().filter_map(|index| pick(&document, index)).collect();
        let changed = document.without_sections(&names).expect("the sections are there");
        prop_assert!(keeps_crlf(&text, &changed));
        let is_removed = |name: &[u8]| names.iter().any(|other| other.as_bytes() == name);
        let mut expected = contents(&document);
        expected.retain(|(name, _)| !is_removed(name));
        prop_assert_eq!(contents(&parse(&changed)), expected);
        let kept = lines_without(&text, |owner, line| match owner {
            Owner::Nobody => is_blank(line),
            Owner::Header(name) | Owner::Entry(name, _) => is_removed(name),
        });
        prop_assert_eq!(lines_without(&changed, |owner, line| *owner == Owner::Nobody && is_blank(line)), kept);
    }

    #[test]
    fn added_sections_can_be_removed_again(
        text in growable(), after in proptest::option::of(any::<Index>()),
        sections in vec((any::<bool>(), vec((key(), value()), 0..4)), 0..3),
    ) {
        let document = parse(&text);
        let after = after.and_then(|index| pick(&document, index));
        let sections: Vec<NewSection> = sections.into_iter().enumerate().map(|(number, (group, entries))| NewSection {
            name: if group { format!("new{number} interface eth0") } else { format!("new{number}") },
            entries,
        }).collect();
        let names: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
        let with = match document.with_sections(after, &sections) {
            Ok(with) => with,
            Err(error) => {
                prop_assert!(matches!(error, EditError::Unwritable(_)), "{error}");
                return Ok(());
            }
        };
        prop_assert!(keeps_crlf(&text, &with));
        let (added, others): (Contents, Contents) =
            contents(&parse(&with)).into_iter().partition(|(name, _)| names.iter().any(|new| new.as_bytes() == &**name));
        prop_assert_eq!(&others, &contents(&document));
        prop_assert_eq!(added, sections.iter().map(as_contents).collect::<Contents>());
        if let (Some(first), Some(after)) = (names.first(), after) {
            let with = parse(&with);
            let start = |name: &str| with.section(name.as_bytes()).map(|section| section.name_span().start);
            prop_assert!(start(after) < start(first));
        }
        let without = parse(&with).without_sections(&names).expect("they were just added");
        prop_assert_eq!(contents(&parse(&without)), contents(&document));
        let is_new = |name: &[u8]| names.iter().any(|new| new.as_bytes() == name);
        let old_lines = lines_without(&with, |owner, line| match owner {
            Owner::Nobody => is_blank(line),
            Owner::Header(name) | Owner::Entry(name, _) => is_new(name),
        });
        prop_assert_eq!(old_lines, lines_without(&text, |owner, line| *owner == Owner::Nobody && is_blank(line)));
    }
}

#[test]
fn lines_added_to_a_file_without_final_line_end_stand_alone() {
    let added = |text: &[u8]| parse(text).with_value("A", "j", "1").expect("it can be written");
    assert_eq!(added(b"[A]\nk=v"), b"[A]\nk=v\nj=1");
    assert_eq!(added(b"[A]"), b"[A]\nj=1");
    // Cut off in the middle of a CRLF: the lone CR ends the last line, but would not end one in the middle.
    assert_eq!(added(b"[A]\r\nk=v\r"), b"[A]\r\nk=v\r\nj=1");
    assert_eq!(added(b"[A]\nk=v\x15"), b"[A]\nk=v\nj=1");
}

#[test]
fn a_file_keeps_its_line_end_without_its_first_line() {
    let without = |text: &[u8]| parse(text).without_sections(&["A"]).expect("the section is there");
    assert_eq!(without(b"[A]\n[B]\nk=v\n"), b"[B]\nk=v\n");
    // A single line without any line end is none for PacketFence.
    assert_eq!(without(b"[A]\nk=v\n[B]"), b"\n[B]");
    // LF, then CRLF is good; CRLF, then LF is not.
    assert_eq!(without(b"[A]\n[B]\r\nk=v\n"), b"\n[B]\r\nk=v\n");
    assert_eq!(without(b"[A]\n# a\rb\n"), b"\n# a\rb\n");
    assert_eq!(without(b"[A]\n"), b"");
}

#[test]
fn no_section_is_added_twice() {
    let section = || NewSection { name: "B".to_owned(), entries: Vec::new() };
    let document = parse(b"[A]\n");
    let exists = Err(EditError::SectionExists("B".to_owned()));
    assert_eq!(document.with_sections(None, &[section(), section()]), exists);
    assert_eq!(parse(b"[B]\n").with_sections(None, &[section()]), exists);
    assert_eq!(document.with_sections(None, &[]), Ok(b"[A]\n".to_vec()));
    assert_eq!(document.with_sections(None, &[section()]), Ok(b"[A]\n\n[B]\n".to_vec()));
}
