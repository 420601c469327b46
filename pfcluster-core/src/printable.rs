//! Foreign text made safe for a terminal, a log or a message.

/// `bytes` as text in which nothing can act on a terminal: control characters, bytes that are no UTF-8, and the invisible
/// characters that reorder or hide text are shown as `\n`, `\x1b`, `\u{202e}` and the like.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push_printable(&mut out, c));
        chunk.invalid().iter().for_each(|byte| push_hex(&mut out, u32::from(*byte)));
    }
    out
}

/// [`printable`] text for a message: a name or value as the user wrote it, cut where nobody reads on.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const MOST: usize = 120;
    match bytes.get(..MOST) {
        Some(start) if bytes.len() > MOST => printable(start) + "...",
        _ => printable(bytes),
    }
}

/// One character of [`printable`].
fn push_printable(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_control() => push_hex(out, u32::from(c)),
        c if is_invisible(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// A byte as `\x1b`.
fn push_hex(out: &mut String, byte: u32) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}

/// Characters that nobody sees for what they are: zero-width and direction-changing ones (Unicode's default-ignorable
/// formatting), and blanks that are none for PacketFence, or, when it decodes UTF-8 (12 and later), unexpectedly are.
pub fn is_invisible(c: char) -> bool {
    if matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}') {
        return true;
    }
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(printable(b"a\x1b[31mb\xFF\n"), "a\\x1b[31mb\\xff\\n");
        assert_eq!(printable("é \u{202e}x\u{9b}".as_bytes()), "é \\u{202e}x\\x9b");
    }
}
