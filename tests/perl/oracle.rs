//! PacketFence's own reader, Perl's `Config::IniFiles`, as the oracle of ours: thousands of files, and not one on which
//! the two differ, but for the differences that we want. Those are named in [`Difference`], and even there what we read
//! is what PacketFence reads once the line ends are mended.

#[path = "../core/document_properties/ini_text.rs"]
mod ini_text;
mod known_inputs;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use proptest::prop_oneof;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Decides which files are generated. Change it to see others.
const SEED: [u8; 32] = *b"pfcluster reads as PacketFence!!";
const GENERATED: usize = 6_000;
const MISSING: &str = "this test needs PacketFence's reader for Perl: apt-get install libconfig-inifiles-perl";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Sections with their keys with their values, in order. Bytes that are no ASCII letters or signs are escaped.
type Sections = Vec<(String, Vec<(String, Vec<String>)>)>;

/// Kinds of faults. The reader has but one message for malformed lines of both kinds.
const MALFORMED: &str = "malformed";
const MALFORMED_SECTION: &str = "malformed section";
const OUTSIDE: &str = "outside";
const UNTERMINATED: &str = "unterminated";

/// What a reader made of a text.
#[derive(Debug, PartialEq)]
enum Reading {
    Accepted(Sections),
    /// Kind and line of each fault.
    Rejected(Vec<(String, usize)>),
}

#[test]
fn reads_as_packetfence_does() {
    let cases = cases();
    let originals: Vec<&[u8]> = cases.iter().map(|(_, text)| text.as_slice()).collect();
    let theirs = in_perl(&originals);
    let different = originals.iter().filter(|text| Difference::of(text).is_some());
    let mended: Vec<Vec<u8>> = different.map(|text| mend(text)).collect();
    let mut theirs_mended = in_perl(&mended.iter().map(Vec::as_slice).collect::<Vec<_>>()).into_iter();

    let mut counts = BTreeMap::new();
    let mut failures = Vec::new();
    for (at, (name, text)) in cases.iter().enumerate() {
        let difference = Difference::of(text);
        let (ours, codes) = our_reading(text);
        let (kind, outcome) = match difference {
            None => match &theirs[at] {
                Reading::Accepted(_) => ("accepted", agree(&ours, &theirs[at])),
                Reading::Rejected(_) => ("rejected", agree(&ours, &theirs[at])),
            },
            Some(difference) => {
                let mended = theirs_mended.next().expect("an answer for each mended text");
                let reported = difference.is_reported(&theirs[at], &ours, &codes);
                (difference.name(), agree(&ours, &mended).and(reported))
            }
        };
        *counts.entry(kind).or_insert(0_usize) += 1;
        let stray = difference.is_none().then(|| Difference::ALL.iter().find(|other| codes.contains(other.code())));
        let outcome = outcome.and_then(|()| match stray.flatten() {
            // Nothing but CR (or NAK) as line ends: reported as strange, and read as PacketFence reads it.
            None | Some(Difference::StrayLf) => Ok(()),
            Some(other) => Err(format!("{} without cause", other.code())),
        });
        if let Err(why) = outcome {
            failures.push(format!(
                "{name}: {why}\n  text: {}\n  perl: {:?}\n  ours: {ours:?}",
                text.escape_ascii(),
                theirs[at]
            ));
        }
    }
    println!("{counts:?}");
    assert!(
        failures.is_empty(),
        "{} of {} files (seed {:?}) are read otherwise than by PacketFence. The first of them:\n{}",
        failures.len(),
        cases.len(),
        SEED.escape_ascii(),
        failures[..failures.len().min(5)].join("\n")
    );

    // The comparison is worth something only if it covers both outcomes, and the exemptions stay rare.
    let compared = counts["accepted"] + counts["rejected"];
    assert!(compared >= 5_000, "only {compared} files were compared");
    assert!(counts["accepted"] >= 2_000 && counts["rejected"] >= 1_500, "{counts:?}");
    assert!((cases.len() - compared) * 10 < cases.len(), "too many exemptions: {counts:?}");
    assert!(Difference::ALL.iter().all(|difference| counts.contains_key(difference.name())), "{counts:?}");
}

/// Where we differ from PacketFence's reader on purpose: it would lose the whole file or glue lines together, and we
/// read what is meant and say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// The reader takes the byte order mark for part of the first line.
    ByteOrderMark,
    /// The first line ends with CRLF, and some other with LF, which does not end a line for the reader.
    MixedLineEnds,
    /// The first line ends with a lone CR or a NAK, and LF, which does not end a line for the reader, stands somewhere.
    StrayLf,
    /// A single line without any line end: the reader reads nothing at all.
    NoLineEnd,
}

impl Difference {
    const ALL: [Difference; 4] =
        [Difference::ByteOrderMark, Difference::MixedLineEnds, Difference::StrayLf, Difference::NoLineEnd];

    fn of(text: &[u8]) -> Option<Difference> {
        if text.starts_with(BYTE_ORDER_MARK) {
            return Some(Difference::ByteOrderMark);
        }
        match first_line_end(text) {
            None => (!text.is_empty()).then_some(Difference::NoLineEnd),
            Some(b"\n") => None,
            Some(b"\r\n") => text
                .iter()
                .enumerate()
                .any(|(at, &byte)| byte == b'\n' && !text[..at].ends_with(b"\r"))
                .then_some(Difference::MixedLineEnds),
            Some(_) => text.contains(&b'\n').then_some(Difference::StrayLf),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Difference::ByteOrderMark => "byte order mark",
            Difference::MixedLineEnds => "mixed line ends",
            Difference::StrayLf => "LF after CR or NAK",
            Difference::NoLineEnd => "no line end",
        }
    }

    /// The finding with which we tell the user.
    fn code(self) -> &'static str {
        match self {
            Difference::ByteOrderMark => "PFC108",
            Difference::MixedLineEnds => "PFC109",
            Difference::StrayLf => "PFC110",
            Difference::NoLineEnd => "PFC113",
        }
    }

    fn is_reported(self, theirs: &Reading, ours: &Reading, codes: &BTreeSet<&str>) -> Result<(), String> {
        if !codes.contains(self.code()) {
            return Err(format!("{} is missing", self.code()));
        }
        let told = matches!(ours, Reading::Rejected(_))
            || ["PFC108", "PFC109", "PFC110"].iter().any(|code| codes.contains(code));
        let rejected = matches!(theirs, Reading::Rejected(_));
        if rejected && !told { Err("rejected by PacketFence, and we say nothing".to_owned()) } else { Ok(()) }
    }
}

/// The text as the user would mend it: without byte order mark, and every line with the first one's line end.
fn mend(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let line_end = match first_line_end(text) {
        None if text.is_empty() => return Vec::new(),
        None => return [text, b"\n"].concat(),
        Some(b"\n") => return text.to_vec(),
        Some(line_end) => line_end,
    };
    let mut mended = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")) {
            Some(line) => mended.extend([line, line_end].concat()),
            None => mended.extend(line),
        }
    }
    mended
}

fn first_line_end(text: &[u8]) -> Option<&[u8]> {
    let at = text.iter().position(|byte| b"\n\r\x15".contains(byte))?;
    Some(if text[at..].starts_with(b"\r\n") { &text[at..at + 2] } else { &text[at..=at] })
}

/// Do we accept with the same content, or reject for the same lines?
fn agree(ours: &Reading, theirs: &Reading) -> Result<(), String> {
    match (ours, theirs) {
        (Reading::Rejected(ours), Reading::Rejected(theirs)) => {
            // For these two the reader stops. We go on.
            let stop = theirs.last().filter(|(kind, _)| kind != MALFORMED);
            let line_of_stop = stop.map_or(usize::MAX, |(_, line)| *line);
            let ours_before: Vec<_> = ours.iter().filter(|(_, line)| *line < line_of_stop).collect();
            let same = ours_before.iter().map(|(kind, line)| match kind.as_str() {
                MALFORMED_SECTION => (MALFORMED, *line),
                kind => (kind, *line),
            });
            let theirs_before =
                theirs.iter().filter(|(_, line)| *line < line_of_stop).map(|(kind, line)| (kind.as_str(), *line));
            if !same.eq(theirs_before) {
                return Err("other faults".to_owned());
            }
            // Below a malformed section header we read on in the section that was meant; the reader is in none.
            let in_meant_section =
                |kind: &str| kind == OUTSIDE && ours_before.iter().any(|(kind, _)| kind == MALFORMED_SECTION);
            if stop.is_some_and(|stop| !ours.contains(stop) && !in_meant_section(&stop.0)) {
                return Err("the fault that stops the reader is missing".to_owned());
            }
            Ok(())
        }
        (Reading::Accepted(ours), Reading::Accepted(theirs)) if ours == theirs => Ok(()),
        (Reading::Accepted(_), Reading::Accepted(_)) => Err("other contents".to_owned()),
        _ => Err("only one of the two accepts it".to_owned()),
    }
}

/// Our reading, in the oracle's terms, and the codes of all our findings.
fn our_reading(text: &[u8]) -> (Reading, BTreeSet<&'static str>) {
    let document = Document::parse(Source::ClusterConf, text);
    let lines = document.value.line_index();
    let faults = document.diagnostics.iter().filter_map(|found| {
        let kind = match found.rule.code {
            "PFC101" | "PFC103" => MALFORMED,
            "PFC102" => MALFORMED_SECTION,
            "PFC104" => OUTSIDE,
            "PFC105" => UNTERMINATED,
            _ => return None,
        };
        Some((kind.to_owned(), lines.position(found.span.start).line))
    });
    let faults: Vec<_> = faults.collect();
    let codes = document.diagnostics.iter().map(|found| found.rule.code).collect();
    if !faults.is_empty() {
        return (Reading::Rejected(faults), codes);
    }
    let sections = document.value.sections().map(|section| {
        let entries = section.entries().map(|entry| {
            let values = entry.values().iter().map(|value| value.escape_ascii().to_string()).collect();
            (entry.key().escape_ascii().to_string(), values)
        });
        (section.name().escape_ascii().to_string(), entries.collect())
    });
    (Reading::Accepted(sections.collect()), codes)
}

/// What the Perl reader makes of each text; half of them each in two processes.
fn in_perl(texts: &[&[u8]]) -> Vec<Reading> {
    let (first, second) = texts.split_at(texts.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| one_perl(second));
        let mut readings = one_perl(first);
        readings.extend(second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        readings
    })
}

fn one_perl(texts: &[&[u8]]) -> Vec<Reading> {
    let mut input = tempfile::tempfile().expect("a temporary file");
    let lines: String = texts.iter().map(|text| hexadecimal(text) + "\n").collect();
    input.write_all(lines.as_bytes()).and_then(|()| input.rewind()).expect("the temporary file takes the texts");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/perl/iniread.pl");
    // Another perl that comes first in PATH may lack the module.
    let output = Command::new("/usr/bin/perl").arg(script).stdin(Stdio::from(input)).output();
    let output = output.unwrap_or_else(|error| panic!("/usr/bin/perl: {error}; {MISSING}"));
    assert!(output.status.success(), "{}{MISSING}", String::from_utf8_lossy(&output.stderr));
    let readings: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(reading).collect();
    assert_eq!(readings.len(), texts.len(), "one answer for each text");
    readings
}

fn reading(line: &str) -> Reading {
    let mut answer: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).expect("a JSON object");
    if let Some(sections) = answer.remove("sections") {
        let sections: Sections = serde_json::from_value(sections).expect("sections with keys with values");
        let entry =
            |(key, values): (String, Vec<String>)| (escaped(&key), values.iter().map(|value| escaped(value)).collect());
        let section = |(name, entries): (String, Vec<_>)| (escaped(&name), entries.into_iter().map(entry).collect());
        return Reading::Accepted(sections.into_iter().map(section).collect());
    }
    let errors = answer.remove("errors").expect("sections or errors");
    Reading::Rejected(serde_json::from_value(errors).expect("kinds with lines"))
}

/// Bytes in hexadecimal, as one can read and compare them.
fn escaped(hexadecimal: &str) -> String {
    let digits =
        hexadecimal.as_bytes().chunks(2).map(|digits| std::str::from_utf8(digits).expect("the Perl side writes ASCII"));
    let bytes = digits.map(|digits| u8::from_str_radix(digits, 16).expect("the Perl side writes hexadecimal"));
    bytes.collect::<Vec<_>>().escape_ascii().to_string()
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// All the texts, none twice, each with a name.
fn cases() -> Vec<(String, Vec<u8>)> {
    let known = known_inputs::KNOWN.iter().map(|(name, text)| ((*name).to_owned(), text.to_vec()));
    let long = known_inputs::long().into_iter().map(|(name, text)| (name.to_owned(), text));
    let mut cases: Vec<_> = known.chain(long).collect();
    let mut seen: BTreeSet<_> = cases.iter().map(|(_, text)| text.clone()).collect();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let strategy = prop_oneof![3 => ini_text::file(), 1 => ini_text::good_file()];
    for number in 0..GENERATED {
        let text = strategy.new_tree(&mut runner).expect("no text is refused for ever").current().0;
        if seen.insert(text.clone()) {
            cases.push((format!("generated {number}"), text));
        }
    }
    cases
}
