//! Laws of handing a file over as `ini::Ini`, and of writing one: the same comes back, or we refuse.

use pfcluster_core::document::from_ini;
use pfcluster_core::printable::printable;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Contents, codes, contents, ini_text, parse};

/// What is hard to write, as a name, a key or a value.
const HARD: &[&str] = &[
    "",
    " ",
    " a",
    "a ",
    "a b",
    "a\tb",
    "\ta",
    "a\u{b}",
    "\u{c}a",
    "=",
    "a=b",
    "=a",
    "#",
    "#a",
    ";a",
    "a#b",
    "[",
    "]",
    "[a",
    "[a]",
    "a]",
    "<<",
    "<<a",
    "a<<",
    "a\nb",
    "\n",
    "a\n",
    "a\n b",
    "a\n<<b",
    "a\rb",
    "a\r",
    "\u{15}",
    "a\u{15}b",
    "\0",
    "\\",
    "a\\nb",
    "\"a\"",
    "'",
    "\u{a0}a",
    "\u{85}",
    "\u{feff}a",
    "\u{e9}",
    "k: v",
    "[% ENV.A %]",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&["a", "b", "c"][..]).prop_map(str::to_owned), 3 => select(HARD).prop_map(str::to_owned), 1 => any::<String>()]
}

/// Flawless, but for repeated keys and sections.
fn flawless() -> impl Strategy<Value = ini_text::Text> {
    ini_text::good_file()
        .prop_filter("a flaw", |text| codes(text).iter().all(|code| ["PFC106", "PFC107"].contains(code)))
}

/// The same, with values joined as PacketFence joins them.
fn joined(contents: Contents) -> Vec<(String, Vec<(String, String)>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("only UTF-8 was written");
    let entries = |entries: Vec<(_, Vec<_>)>| {
        let join = |values: Vec<ini_text::Text>| values.iter().map(|value| text(value)).collect::<Vec<_>>().join("\n");
        entries.into_iter().map(|(key, values): (ini_text::Text, _)| (text(&key), join(values))).collect()
    };
    contents.into_iter().map(|(name, of_section)| (text(&name), entries(of_section))).collect()
}

proptest! {
    #![proptest_config(pfcluster_tests::property_config())]

    /// Nothing is written that PacketFence would read otherwise.
    #[test]
    fn what_is_written_reads_back(
        general in proptest::option::weighted(0.05, (word(), word())),
        sections in vec((word(), vec((word(), word()), 0..3)), 0..3),
    ) {
        let mut ini = parse(b"").to_ini().expect("nothing is UTF-8");
        if let Some((key, value)) = &general {
            ini.with_general_section().add(key, value);
        }
        let mut expected: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for (name, entries) in sections {
            let mut section = ini.with_section(Some(name.clone()));
            // A section is there as soon as it has a key.
            if entries.is_empty() {
                continue;
            }
            let at = expected.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
                expected.push((name, Vec::new()));
                expected.len() - 1
            });
            for (key, value) in entries {
                section.add(key.clone(), value.clone());
                match expected[at].1.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, values)) => *values = [values.as_str(), &value].join("\n"),
                    None => expected[at].1.push((key, value)),
                }
            }
        }
        let Ok(text) = from_ini(&ini) else {
            let is_plain = |text: &str| ["a", "b", "c"].contains(&text);
            let all_plain = |(name, entries): &(String, Vec<(String, String)>)| {
                is_plain(name) && entries.iter().all(|(key, value)| is_plain(key) && value.split('\n').all(is_plain))
            };
            prop_assert!(general.is_some() || !expected.iter().all(all_plain), "refused without cause");
            return Ok(());
        };
        prop_assert!(general.is_none());
        prop_assert!(!codes(&text).iter().any(|code| ["PFC101", "PFC102", "PFC103", "PFC104", "PFC105"].contains(code)));
        prop_assert_eq!(joined(contents(&parse(&text))), expected, "{}", printable(&text));
    }

    #[test]
    fn a_document_survives_the_exchange(text in flawless()) {
        let document = parse(&text);
        let mut expected = contents(&document);
        // A key with an empty here-document has no value that could cross over.
        for (_, entries) in &mut expected {
            entries.retain(|(_, values)| !values.is_empty());
        }
        // These are read, but have no form in which they are written: here-documents are not.
        let is_hard = |value: &[u8]| value.starts_with(b"<<") || value.first().is_some_and(u8::is_ascii_whitespace);
        let is_writable = expected.iter().flat_map(|(_, entries)| entries)
            .all(|(key, values)| !key.starts_with(b"[") && !values.iter().any(|value| is_hard(value)));
        match from_ini(&document.to_ini().expect("all of it is UTF-8")) {
            Ok(written) => prop_assert_eq!(contents(&parse(&written)), expected),
            Err(error) => prop_assert!(!is_writable, "{error}"),
        }
    }

    /// rust-ini's own reader, as a second oracle: on files without what the two dialects disagree about (quotes, escapes,
    /// indented comments, here-documents, `:` in keys, blanks after values) both read the same.
    #[test]
    fn rust_ini_reads_plain_files_the_same(lines in vec(plain_line(), 1..30)) {
        let text = format!("[first]\n{}\n", lines.join("\n"));
        let option = ini::ParseOption { enabled_quote: false, enabled_escape: false, ..ini::ParseOption::default() };
        let theirs = ini::Ini::load_from_str_opt(&text, option).expect("plain enough for rust-ini");
        prop_assert_eq!(ini_contents(&theirs), joined_ini(&text));
    }
}

/// Lines that mean the same in both dialects.
fn plain_line() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "\\[(CLUSTER|pf[12]\\.example\\.com)( interface (eth0|eth1\\.2))?\\]",
        6 => "(ip|mask|type|management_ip|[a-z]{1,3}) ?= ?([a-z0-9./,:=#-]([a-z0-9./,:=# -]{0,12}[a-z0-9./,])?)?",
        1 => "[#;][ a-z=\\[\\]]{0,12}",
        1 => Just(String::new()),
    ]
}

/// Section by section, key by key; values of one key together, in order.
type Plain = Vec<(String, Vec<(String, Vec<String>)>)>;

fn ini_contents(ini: &ini::Ini) -> Plain {
    let mut found: Plain = Vec::new();
    // Its keys outside of all sections are a section without a name; these files have none.
    for (section, properties) in ini.iter().filter_map(|(section, properties)| Some((section?, properties))) {
        let at = found.iter().position(|(name, _)| name == section).unwrap_or_else(|| {
            found.push((section.to_owned(), Vec::new()));
            found.len() - 1
        });
        for (key, value) in properties {
            let entries = &mut found[at].1;
            match entries.iter_mut().find(|(name, _)| name == key) {
                Some((_, values)) => values.push(value.to_owned()),
                None => entries.push((key.to_owned(), vec![value.to_owned()])),
            }
        }
    }
    found
}

fn joined_ini(text: &str) -> Plain {
    let own = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("ASCII was written");
    contents(&parse(text.as_bytes()))
        .into_iter()
        .map(|(name, entries)| {
            let entries =
                entries.into_iter().map(|(key, values)| (own(&key), values.iter().map(|value| own(value)).collect()));
            (own(&name), entries.collect())
        })
        .collect()
}
