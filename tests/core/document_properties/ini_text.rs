//! INI files as people write them, well and badly, for the properties and for the comparison with PacketFence's reader.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A text that shows itself as one reads it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl std::ops::Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A line or a few, without line ends.
type Piece = Vec<Vec<u8>>;

const NAMES: &[&str] = &[
    "CLUSTER",
    "CLUSTER interface eth0",
    "pf1.example.com",
    "pf1.example.com interface eth0",
    "pf2.example.com",
    "pf2.example.com interface eth1.2",
    "DC1 CLUSTER",
    "general",
    "A",
    "a",
];
const STRANGE_NAMES: &[&[u8]] = &[
    b"[A]",
    b"x [y]",
    b"A][B",
    b"A=B",
    b"0",
    b"#A",
    b"A;B",
    b"]",
    b"[",
    b"pf1.example.com  interface\teth0",
    b"\xC3\xA9t\xC3\xA9",
    b"\xE9t\xE9",
    b"\xC2\xA0A\xC2\xA0",
    b"a\0b",
    b"A\rB",
];
const KEYS: &[&str] = &["ip", "management_ip", "mask", "type", "multi_zone", "k", "k2", "j", "J"];
const STRANGE_KEYS: &[&[u8]] = &[
    b"x y",
    b"some \t key",
    b"k#1",
    b"k;1",
    b"[B",
    b"[B]",
    b"a:b",
    b"export k",
    b"!k",
    b"0",
    b"a\\nb",
    b"\"k\"",
    b"cl\xC3\xA9",
    b"\xE9",
    b"\xC2\xA0k",
    b"\0k",
    b"<<",
];
const VALUES: &[&str] = &[
    "",
    "192.168.1.5",
    "192.168.1.10",
    "255.255.255.0",
    "enabled",
    "1",
    "internal,management",
    "00:11:22:33:44:55",
    "v   \t",
    "v # note",
    "v;x",
    "a=b=c",
    "=x",
];
const STRANGE_VALUES: &[&[u8]] = &[
    b"\"v\"",
    b"\"a b\" c",
    b"it's",
    b"'x",
    b"C:\\new\\tab",
    b"a\\",
    b"<",
    b"< <EOT",
    b"v <<EOT",
    b"[B]",
    b"%(x)s ${HOME}",
    b"[% ENV.NAME %]",
    b"\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC",
    b"\xE9t\xE9",
    b"\xC2\xA0v\xC2\xA0",
    b"v\xA0",
    b"v\x85",
    b"v\x0C",
    b"a\xC2\x85b\xE2\x80\xA8c",
    b"a\0b",
    b"a\rb",
    b"a\x15b",
    b"v\r",
    b"v\x15",
    b"v\xE2\x80\x8B",
];
const COMMENTS: &[&[u8]] = &[
    b"#",
    b";",
    b"# a comment",
    b"; c",
    b"#k=v",
    b"# [A]",
    b"# k is deleted",
    b"# [A] is deleted",
    b"# password hunter2",
    b"# \xC3\xA9",
    b"# \xE9",
    b"# a\rb",
    b"#\x15",
];
const MARKS: &[&[u8]] =
    &[b"EOT", b"EOT", b"EOT", b"E", b"", b"E T", b"EOT ", b"\"EOT\"", b"[A]", b"k=v", b"# c", b"\xE9"];
const HERE_LINES: &[&[u8]] = &[
    b"line1",
    b"  line 2  ",
    b"[B]",
    b"x=y",
    b"# c",
    b"k=<<EOT",
    b"<<EOT",
    b" EOT",
    b"EOTX",
    b"192.168.1.1",
    b"\xE9",
    b"[% ENV.NAME %]",
    b"a\rb",
    b"\t",
];
const FAULTS: &[&[u8]] = &[
    b"junk",
    b"  b",
    b"management_ip 192.168.1.5",
    b"k: v",
    b"[A] # note",
    b"[A] junk",
    b"[A] ; c",
    b"[A",
    b"[",
    b"]",
    b"A]",
    b"[]",
    b"[ \t]",
    b"=v",
    b"  = v",
    b"=",
    b"==",
    b"\\",
    b"\"",
    b"\0",
    b"\xC2\xA0",
    b"\xE9",
    b"\xEF\xBB\xBF",
    b"<<EOT",
    b"EOT",
    b"k=<<EOT ",
    b"k=<<NOWHERE",
    b"k = << EOT",
    b"k=<<",
];

fn blanks() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![
        7 => Just(&b""[..]),
        5 => select(&["  ", " ", " ", "\t", "\t ", "\x0B\x0C"][..]).prop_map(str::as_bytes),
    ]
}

/// Mostly `common`, at times `strange`, at times letters and signs at random, at times something long.
fn word(common: &'static [&'static str], strange: &'static [&'static [u8]]) -> BoxedStrategy<Vec<u8>> {
    let random = select(&b"ab\\\"'.:[]#;<%\0\x7F\xC3\xA9\xE9"[..]);
    prop_oneof![
        60 => select(common).prop_map(|text| text.as_bytes().to_vec()),
        20 => select(strange).prop_map(<[u8]>::to_vec),
        5 => vec(random, 1..8).prop_filter("a here-document", |bytes| !bytes.starts_with(b"<<")),
        1 => select(&[100_usize, 1_000, 5_000][..]).prop_map(|length| vec![b'x'; length]),
    ]
    .boxed()
}

fn spaced(parts: [Vec<u8>; 3], blanks: [&[u8]; 4]) -> Vec<u8> {
    let [a, b, c] = parts;
    [blanks[0], &a, blanks[1], &b, blanks[2], &c, blanks[3]].concat()
}

fn header() -> impl Strategy<Value = Piece> {
    (word(NAMES, STRANGE_NAMES), [blanks(), blanks(), blanks(), blanks()])
        .prop_map(|(name, blanks)| vec![spaced([b"[".to_vec(), name, b"]".to_vec()], blanks)])
}

fn entry() -> impl Strategy<Value = Piece> {
    (word(KEYS, STRANGE_KEYS), word(VALUES, STRANGE_VALUES), [blanks(), blanks(), blanks(), blanks()])
        .prop_map(|(key, value, blanks)| vec![spaced([key, b"=".to_vec(), value], blanks)])
}

fn comment() -> impl Strategy<Value = Piece> {
    (blanks(), select(COMMENTS)).prop_map(|(blanks, text)| vec![[blanks, text].concat()])
}

fn here_document() -> impl Strategy<Value = Piece> {
    (word(KEYS, STRANGE_KEYS), blanks(), select(MARKS), vec(select(HERE_LINES), 0..4)).prop_map(
        |(key, blanks, mark, body)| {
            let mut lines = vec![[&key[..], b"=", blanks, b"<<", mark].concat()];
            lines.extend(body.into_iter().filter(|line| *line != mark).map(<[u8]>::to_vec));
            lines.push(mark.to_vec());
            lines
        },
    )
}

/// What PacketFence's reader accepts below a section header.
fn good_piece() -> BoxedStrategy<Piece> {
    prop_oneof![
        4 => header(),
        10 => entry(),
        2 => comment(),
        2 => blanks().prop_map(|blanks| vec![blanks.to_vec()]),
        1 => here_document(),
    ]
    .boxed()
}

fn any_piece() -> BoxedStrategy<Piece> {
    let signs = vec(select(&b"[]=#; \t<abE\\\"\r\x15\0"[..]), 0..10);
    prop_oneof![
        10 => good_piece(),
        2 => select(FAULTS).prop_map(|line| vec![line.to_vec()]),
        1 => signs.prop_map(|line| vec![line]),
    ]
    .boxed()
}

/// The line ends of a file; they repeat if it has more lines.
fn line_ends() -> BoxedStrategy<Vec<&'static [u8]>> {
    let any = select(&["\n", "\n", "\r\n", "\r\n", "\r", "\x15"][..]).prop_map(str::as_bytes);
    prop_oneof![
        80 => Just(vec![&b"\n"[..]]),
        12 => Just(vec![&b"\r\n"[..]]),
        2 => Just(vec![&b"\r"[..]]),
        1 => Just(vec![&b"\x15"[..]]),
        2 => Just(vec![&b"\n"[..], b"\r\n"]),
        2 => vec(any, 2..6),
    ]
    .boxed()
}

/// What ends the last line, if not what would end it elsewhere: nothing, or half a CRLF.
fn last_line_end() -> BoxedStrategy<Option<&'static [u8]>> {
    prop_oneof![
        44 => Just(None),
        4 => Just(Some(&b""[..])),
        1 => Just(Some(&b"\r"[..])),
        1 => Just(Some(&b"\x15"[..])),
    ]
    .boxed()
}

fn text(pieces: &[Piece], line_ends: &[&[u8]], last_line_end: Option<&[u8]>) -> Vec<u8> {
    let mut line_ends = line_ends.iter().cycle().copied();
    let mut text = Vec::new();
    let mut lines = pieces.iter().flatten().peekable();
    while let Some(line) = lines.next() {
        let line_end = line_ends.next().unwrap_or(b"\n");
        let is_last = lines.peek().is_none();
        text.extend([line, last_line_end.filter(|_| is_last).unwrap_or(line_end)].concat());
    }
    text
}

/// A file that PacketFence's reader accepts, but for a line end in the wrong place.
pub(crate) fn good_file() -> BoxedStrategy<Text> {
    good().prop_map(Text).boxed()
}

fn good() -> BoxedStrategy<Vec<u8>> {
    let top = vec(prop_oneof![comment(), Just(vec![Vec::new()])], 0..2);
    (top, header(), vec(good_piece(), 0..16), line_ends(), last_line_end())
        .prop_map(|(top, header, rest, line_ends, last_line_end)| {
            text(&[top, vec![header], rest].concat(), &line_ends, last_line_end)
        })
        .boxed()
}

fn bad_file() -> BoxedStrategy<Vec<u8>> {
    let byte_order_mark = prop::bool::weighted(0.03);
    let top = prop::option::weighted(0.9, header());
    (byte_order_mark, top, vec(any_piece(), 0..16), line_ends(), last_line_end())
        .prop_map(|(byte_order_mark, top, rest, line_ends, last_line_end)| {
            let mut bytes = if byte_order_mark { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
            bytes.extend(text(&[Vec::from_iter(top), rest].concat(), &line_ends, last_line_end));
            bytes
        })
        .boxed()
}

/// Signs that mean something, in any order.
fn soup() -> BoxedStrategy<Vec<u8>> {
    vec(select(&b"[[[]]]===##;; \t\tabEE<<\n\n\n\n\n\n\n\n\\\"\r\x15\0\xC3\xA9\xEF"[..]), 0..80).boxed()
}

/// A good file in which bytes were lost, changed or doubled.
fn damaged_file() -> BoxedStrategy<Vec<u8>> {
    let damage = (any::<Index>(), 0..4_u8, select(&b"\n[]=#<\0\xFF"[..]));
    (good(), vec(damage, 1..4))
        .prop_map(|(mut text, damages)| {
            for (at, kind, byte) in damages {
                let at = at.index(text.len() + 1);
                match kind {
                    0 => text.truncate(at),
                    1 => text.insert(at, byte),
                    2 => drop(text.drain(at..(at + 5).min(text.len()))),
                    _ => text.extend_from_within(at..),
                }
            }
            text
        })
        .boxed()
}

/// Any of these, weighted to what people write.
pub(crate) fn file() -> BoxedStrategy<Text> {
    prop_oneof![42 => good(), 45 => bad_file(), 8 => damaged_file(), 5 => soup()].prop_map(Text).boxed()
}
