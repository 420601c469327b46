//! Which texts keepalived's parser takes as they are: `#` and `!` begin a comment anywhere, braces and blanks end a word,
//! quotes and backslashes are read differently by different versions, `include` is a directive in every block.

use super::super::GenerateError;

/// True if every version of keepalived reads `text` as one word, with and without quotes around it.
pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '!' | '{' | '}' | '"' | '\'' | '\\');
    !text.is_empty() && text.chars().all(is_plain)
}

/// True if `text` is a mail address, or a local user, that can stand on a line of its own.
pub(super) fn is_mail_address(text: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '=' | '@' | '/' | '&');
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(is_plain)
        && (text.contains('@') || !text.starts_with("include"))
}

/// True if `text` is the name or address of a server.
pub(super) fn is_server(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':') && text.chars().all(is_plain)
}

/// True if `text` is an absolute path that a script can be called by, without quotes or blanks.
pub(super) fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@');
    text.starts_with('/') && text.chars().all(is_plain)
}

/// The error for what the user chose on the command line.
pub(super) fn unusable_option(option: &str, reason: &str, help: &str) -> GenerateError {
    GenerateError::Unusable {
        section: "options".to_owned(),
        key: option.to_owned(),
        place: None,
        reason: reason.to_owned(),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_keepalived_reads_otherwise_is_a_word() {
        assert!(is_word("kTq7vRw2") && is_word("a$b~c@d%e") && is_word("<=>|;,`"));
        for text in
            ["", "a b", "a#b", "!ab", "a{", "}", "a\"b", "a'b", "a\\b", "a\nb", "a\tb", "a\0", "\u{1b}[m", "gl\u{fc}ck"]
        {
            assert!(!is_word(text), "{text:?}");
        }
    }

    #[test]
    fn mail_addresses_servers_paths() {
        assert!(is_mail_address("pf@localhost") && is_mail_address("root") && is_mail_address("a.b+c@x.example"));
        for text in ["", "@x", "$A=1", "include", "include/etc", "a b@x", "a}@x", "a#@x", "~SEQ@x", "a\n}"] {
            assert!(!is_mail_address(text), "{text:?}");
        }
        assert!(is_server("localhost") && is_server("192.168.1.1") && is_server("2001:db8::1"));
        assert!(!is_server("mail 25") && !is_server("") && !is_server("-x") && !is_server("a#b"));
        assert!(
            is_path("/usr/local/pf") && !is_path("usr") && !is_path("/a b") && !is_path("/a\"b") && !is_path("/$x")
        );
    }
}
