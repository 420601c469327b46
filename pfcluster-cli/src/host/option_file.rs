//! MariaDB's option files, as far as a value of one is needed: mariadb.conf and the file of `--mysql-defaults-file`.

/// The value of an option in one of the groups; the last one counts. `None` if it is not there, or has no value.
pub(super) fn value(text: &[u8], groups: &[&str], option: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut in_group = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            in_group = groups.contains(&group.trim());
        } else if in_group && !line.starts_with(['#', ';', '!']) {
            let line = without_comment(line);
            let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
            // `-` and `_` are the same in names.
            if name.trim().replace('_', "-") == option {
                found = value.map(|value| unquoted(value.trim()));
            }
        }
    }
    found
}

/// A comment begins at any `#` outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = quote.is_some() && c == '\\' && !is_escaped;
    }
    line
}

/// Without the quotes around it, and with what MariaDB makes of `\`.
fn unquoted(value: &str) -> String {
    let inside = ['\'', '"'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut out = String::with_capacity(value.len());
    let mut chars = inside.unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                let plain = match next {
                    'b' => '\u{8}',
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    's' => ' ',
                    '\\' | '"' | '\'' => next,
                    _ => {
                        out.push('\\');
                        continue;
                    }
                };
                out.push(plain);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &[&str] = &["mysqld", "galera"];

    #[test]
    fn values_are_found() {
        let text = b"socket=/no\n[mysqld]\nskip-networking\n datadir = /a # x\n[client]\ndatadir=/b\n[galera]\n\
                     wsrep_on=ON\n!include x\n;datadir=/c\n";
        assert_eq!(value(text, GROUPS, "datadir").as_deref(), Some("/a"));
        assert_eq!(value(text, GROUPS, "wsrep-on").as_deref(), Some("ON"));
        assert_eq!(value(text, GROUPS, "skip-networking"), None);
        assert_eq!(value(text, GROUPS, "socket"), None);
        assert_eq!(value(b"[mysqld]\ndatadir=/a\n[mysqld]\ndatadir=/b\n", GROUPS, "datadir").as_deref(), Some("/b"));
    }

    #[test]
    fn quotes_and_escapes() {
        let read = |line: &str| value(format!("[mysqld]\npassword={line}\n").as_bytes(), GROUPS, "password");
        assert_eq!(read("'a#b' # c").as_deref(), Some("a#b"));
        assert_eq!(read("\"a\\\"#b\"").as_deref(), Some("a\"#b"));
        assert_eq!(read(r"a\\b\sc\x").as_deref(), Some(r"a\b c\x"));
        assert_eq!(read("'").as_deref(), Some("'"));
        assert_eq!(read("").as_deref(), Some(""));
    }
}
