//! MariaDB's option file: sections of `key=value`, and what a value may be.
//!
//! Three programs read it: the server, `mysqld_safe` (a shell script that splits what it reads at blanks) and the
//! transfer scripts. A value has to mean the same to all of them.

use super::super::GenerateError;

/// The server reads a line of at most 4,095 bytes and takes the rest for another line.
const LONGEST_LINE: usize = 4_000;

/// An option file in the making.
#[derive(Default)]
pub(super) struct OptionFile {
    sections: Vec<(&'static str, String)>,
}

impl OptionFile {
    /// Begins a section.
    pub(super) fn section(&mut self, name: &'static str) -> &mut Self {
        self.sections.push((name, String::new()));
        self
    }

    /// `key=value`, for a value that needs no quotes.
    pub(super) fn set(&mut self, key: &str, value: impl std::fmt::Display) -> &mut Self {
        self.line(&format!("{key}={value}"))
    }

    /// `key`, without a value.
    pub(super) fn flag(&mut self, key: &str) -> &mut Self {
        self.line(key)
    }

    fn line(&mut self, line: &str) -> &mut Self {
        debug_assert!(line.len() <= LONGEST_LINE && !line.contains('\n'));
        if let Some((_, lines)) = self.sections.last_mut() {
            lines.push_str(line);
            lines.push('\n');
        }
        self
    }

    /// The lines of a section; empty if it is not there.
    pub(super) fn lines(&self, name: &str) -> &str {
        let section = self.sections.iter().find(|(other, _)| *other == name);
        section.map_or("", |(_, lines)| lines)
    }

    pub(super) fn text(&self) -> String {
        let sections = self.sections.iter().map(|(name, lines)| format!("[{name}]\n{lines}"));
        sections.collect::<Vec<_>>().join("\n")
    }
}

/// `value` between double quotes, so that it is read back as it is.
///
/// # Errors
/// Why it can't be written, as the end of a sentence that begins with the name of the setting.
pub(super) fn quoted(value: &str) -> Result<String, &'static str> {
    if value.contains(char::is_control) {
        return Err("holds a control character, which MariaDB's option file has no form for");
    }
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err("holds bytes that are no UTF-8");
    }
    if value.contains(char::is_whitespace) {
        return Err("holds a blank, at which `mysqld_safe` would cut it into options of its own");
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    if out.len() > LONGEST_LINE / 2 {
        return Err("is too long for a line of MariaDB's option file");
    }
    Ok(out)
}

/// A path that the server hands to a shell or reads from its option file: no quotes needed, none possible.
pub(super) fn path(option: &str, path: String) -> Result<String, GenerateError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+');
    if path.starts_with('/') && path.len() < 1_000 && path.bytes().all(is_plain) {
        return Ok(path);
    }
    Err(GenerateError::Unusable {
        section: "options".to_owned(),
        key: option.to_owned(),
        place: None,
        reason: "is no absolute path of letters, digits and `/ . _ - +`".to_owned(),
        help: "MariaDB hands it to a shell: use a plain path".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quoted("user:a\"b\\c#d'e"), Ok("\"user:a\\\"b\\\\c#d'e\"".to_owned()));
        assert_eq!(quoted("é"), Ok("\"é\"".to_owned()));
    }

    #[test]
    fn what_a_reader_would_split_is_refused() {
        for value in ["a b", "a\tb", "a\nb", "a\0b", "a\u{1b}b", "a\u{a0}b", "a\u{fffd}"] {
            assert!(quoted(value).is_err(), "{value:?}");
        }
        assert!(quoted(&"\\".repeat(1_000)).is_err());
        assert!(path("install_dir", "/usr/local/pf".to_owned()).is_ok());
        for text in ["usr", "/a b", "/a;b", "/a\nb", "/$(a)"] {
            assert!(path("install_dir", text.to_owned()).is_err(), "{text:?}");
        }
    }
}
