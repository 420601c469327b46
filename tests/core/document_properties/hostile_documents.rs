//! Files of some megabytes that were made to take for ever. They need only be read to the end: one step that is not
//! linear, and this does not end within the patience of whoever runs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pfcluster_core::document::{Document, NewSection};
use pfcluster_core::span::{LineIndex, Source};

/// A text of many lines, each made from its number.
fn lines(count: usize, mut line: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::from("[A]\n");
    for number in 0..count {
        line(&mut text, number);
        text.push('\n');
    }
    text
}

/// Writing to a `String` cannot fail.
macro_rules! push {
    ($text:expr, $($format:tt)+) => { write!($text, $($format)+).expect("a String takes everything") };
}

/// Reads the text, with everything that one does with it, and gives the number of sections, keys, values and findings.
fn read(text: &[u8]) -> [usize; 4] {
    let mut document = Document::parse(Source::PfConf, text);
    let environment = BTreeMap::from([("A".to_owned(), "a".to_owned())]);
    document.diagnostics.extend(document.value.expand(&environment));
    let index = LineIndex::new(text);
    assert!(document.diagnostics.iter().all(|found| index.position(found.span.start).line > 0));
    let sections: Vec<_> = document.value.sections().collect();
    assert!(sections.iter().all(|section| document.value.section(section.name()).is_some()));
    let entries: Vec<_> = sections.iter().flat_map(|section| section.entries()).collect();
    let values = entries.iter().map(|entry| entry.values().len()).sum();
    [sections.len(), entries.len(), values, document.diagnostics.len()]
}

#[test]
fn many_keys() {
    let distinct = lines(200_000, |text, number| push!(text, "key{number}={number}"));
    assert_eq!(read(distinct.as_bytes()), [1, 200_000, 200_000, 0]);
    let alike = lines(200_000, |text, number| push!(text, "k={number}"));
    assert_eq!(read(alike.as_bytes()), [1, 1, 200_000, 199_999]);
}

#[test]
fn many_sections() {
    let distinct = lines(200_000, |text, number| push!(text, "[s{number}]"));
    assert_eq!(read(distinct.as_bytes()), [200_001, 0, 0, 0]);
    let alike = lines(100_000, |text, number| push!(text, "[A]\nk{number}=v"));
    assert_eq!(read(alike.as_bytes()), [1, 100_000, 100_000, 100_000]);
    let with_a_key_alike = lines(100_000, |text, _| push!(text, "[A]\nk=v"));
    assert_eq!(read(with_a_key_alike.as_bytes()), [1, 1, 100_000, 199_999]);
}

#[test]
fn long_lines_of_signs() {
    for sign in ["[", "]", "=", "<", " ", "#", "\\", "\0", "\u{e9}", "\r", "\u{15}"] {
        let signs = sign.repeat(1_000_000);
        let _ = read(signs.as_bytes());
        let _ = read(format!("[A]\nk={signs}\n{signs}\n[{signs}\n").as_bytes());
    }
}

#[test]
fn many_faulty_lines() {
    // A hundred, and one for the rest of the row.
    assert_eq!(read(lines(200_000, |text, _| text.push_str("junk")).as_bytes())[3], 101);
    assert_eq!(read(lines(200_000, |text, _| text.push_str("junk\n# c")).as_bytes())[3], 200_000);
    assert_eq!(read(lines(200_000, |text, _| text.push_str("[A] x")).as_bytes()), [1, 0, 0, 400_000]);
    assert_eq!(read(lines(200_000, |text, _| text.push_str("[]")).as_bytes()), [2, 0, 0, 399_999]);
    assert_eq!(read(lines(200_000, |text, number| push!(text, "k{number}=\u{200b}")).as_bytes())[3], 200_000);
}

#[test]
fn here_documents() {
    let without_end = lines(100_000, |text, _| text.push_str("k=<<E"));
    assert_eq!(read(without_end.as_bytes()), [1, 1, 100_000, 199_999]);
    let each_with_its_own_mark = lines(100_000, |text, number| push!(text, "k{number}=<<E{number}"));
    assert_eq!(read(each_with_its_own_mark.as_bytes()), [1, 100_000, 100_000, 100_000]);
    let good_ones_between = lines(50_000, |text, number| push!(text, "a{number}=<<E\nb\nE\nk{number}=<<F{number}"));
    assert_eq!(read(good_ones_between.as_bytes()), [1, 100_000, 100_000, 50_000]);
    let mark_only_above = lines(100_000, |text, number| push!(text, "E{number}=\nk{number}=<<E{number}="));
    assert_eq!(read(mark_only_above.as_bytes())[3], 100_000);
}

#[test]
fn template_tags() {
    let one_line = format!("[A]\nk={}\n", "[%".repeat(500_000));
    assert_eq!(read(one_line.as_bytes()), [1, 1, 1, 1]);
    let _ = read("[%".repeat(500_000).as_bytes());
    let _ = read(format!("[A]\nk={}\n", "[% ENV.A %]".repeat(3_000)).as_bytes());
    let in_each_value = lines(100_000, |text, number| push!(text, "k{number}=[% ENV.A %]"));
    assert_eq!(read(in_each_value.as_bytes()), [1, 100_000, 100_000, 100_000]);
    let in_each_comment = lines(100_000, |text, _| text.push_str("# [% ENV.A %]"));
    assert_eq!(read(in_each_comment.as_bytes())[3], 100_000);
}

#[test]
fn edits() {
    let text = lines(50_000, |text, number| push!(text, "[s{number}]\nk=1\n\nk=2\n# c"));
    let document = Document::parse(Source::ClusterConf, text.as_bytes()).value;
    let names: Vec<String> = (0..50_000).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let without = document.without_sections(&names).expect("all of them are there");
    assert_eq!(without, lines(50_000, |text, _| text.push_str("# c")).into_bytes());
    let entries = (0..20).map(|number| (format!("k{number}"), "v".to_owned())).collect();
    let section = |name: usize| NewSection { name: format!("new{name}"), entries: Vec::clone(&entries) };
    let sections: Vec<NewSection> = (0..20_000).map(section).collect();
    let with = document.with_sections(Some("A"), &sections).expect("none of them is there");
    assert_eq!(Document::parse(Source::ClusterConf, &with).value.sections().count(), 70_001);
}
