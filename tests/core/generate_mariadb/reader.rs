//! A reader of MariaDB's option files, so that the tests ask what the server would read and not how it is written.

use std::collections::BTreeMap;

/// Section, then key, then value; a key without a value has `None`.
pub(crate) type Options = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// Reads as the server does (`mysys/my_default.c`), but takes nothing that it would take in silence: a line that is too
/// long, a key or section that is there twice, an inclusion, something outside a section.
pub(crate) fn read_options(text: &str) -> Result<Options, String> {
    let mut options = Options::new();
    let mut section = None;
    for line in text.lines() {
        if line.len() > 4_095 {
            return Err("a line that the server cuts".to_owned());
        }
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end().strip_suffix(']').ok_or(format!("an open section: {line}"))?;
            if options.insert(name.to_owned(), BTreeMap::new()).is_some() {
                return Err(format!("[{name}] twice"));
            }
            section = Some(name.to_owned());
            continue;
        }
        if line.starts_with('!') {
            return Err(format!("an inclusion: {line}"));
        }
        let line = without_comment(line).trim_end();
        let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
        let section = section.as_ref().ok_or(format!("outside all sections: {line}"))?;
        let value = value.map(|value| unquoted(value.trim()));
        let keys = options.get_mut(section).ok_or("no section")?;
        let key = key.trim().replace('-', "_");
        if keys.insert(key, value).is_some() {
            return Err(format!("twice: {line}"));
        }
    }
    Ok(options)
}

/// A `#` outside quotes ends the line.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    line
}

fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut out = String::new();
    let mut chars = inner.unwrap_or(value).chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' || chars.peek().is_none() {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('s') => out.push(' '),
            Some(c @ ('"' | '\'' | '\\')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => {}
        }
    }
    out
}

#[test]
fn the_reader_reads_as_the_server_does() {
    let text = "# a\n[x]\n a = b # c\nd=\"e # f\" # g\nh='i\"j'\nk=\"l\\\"m\\\\n\\x\"\nno-value\n";
    let options = read_options(text).expect("options");
    let keys: Vec<_> = options["x"].iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    let expected = [("a", Some("b")), ("d", Some("e # f")), ("h", Some("i\"j")), ("k", Some("l\"m\\n\\x"))];
    assert_eq!(keys, [&expected[..], &[("no_value", None)]].concat());
}
