//! Which values are secrets, and how a source line is shown without them.

use crate::span::Span;

/// What stands in for a secret. Its length says nothing about the secret's.
pub const MASK: &str = "********";

/// Words that mark a key, or the start of a line that holds one, as a secret.
const WORDS: [&[u8]; 10] = [
    b"pass",
    b"pwd",
    b"secret",
    b"psk",
    b"token",
    b"private",
    b"community",
    b"credential",
    b"stats auth",
    b"wsrep_sst_auth",
];

/// True if the value of `key` must never be shown (`password`, `galera_replication_password`, `pass`, ...).
pub fn is_secret_key(key: &[u8]) -> bool {
    let name = key.trim_ascii();
    secret_word_end(key).is_some() || name.eq_ignore_ascii_case(b"key") || name.to_ascii_lowercase().ends_with(b"_key")
}

/// The part of a source line that must be masked, if any, as offsets within the line.
///
/// Works on any line, well-formed or not: a password is as secret in a comment, or on a line that lacks its `=`.
pub fn secret_in_line(line: &[u8]) -> Option<Span> {
    // The name of a key may only end in a word that others merely begin with: `transaction_key`, `key_buffer_size`.
    let name_end = line.iter().position(|&byte| byte == b'=').filter(|&end| is_secret_key(&line[..end]));
    // A word may also be in the value of such a key.
    let after_word = secret_word_end(line).into_iter().chain(name_end).min()?;
    let is_separator = |byte: &u8| matches!(byte, b'=' | b':' | b' ' | b'\t');
    // A line without any separator may be a password glued to its key.
    let separator = line[after_word..].iter().position(is_separator).unwrap_or(0);
    let start = after_word + separator;
    let skip = line[start..].iter().take_while(|byte| is_separator(byte)).count();
    (start + skip < line.len()).then(|| Span::new(start + skip, line.len()))
}

fn secret_word_end(text: &[u8]) -> Option<usize> {
    let end_of = |word: &[u8]| {
        let starts = text.windows(word.len()).enumerate().filter(|(_, window)| window.eq_ignore_ascii_case(word));
        let mut ends = starts.map(|(start, _)| start + word.len());
        // Passthroughs are networks, and public.
        ends.find(|&end| !text[end..].starts_with(b"through"))
    };
    WORDS.iter().filter_map(|word| end_of(word)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> &str {
        secret_in_line(line.as_bytes()).map_or(line, |secret| &line[..secret.start as usize])
    }

    #[test]
    fn secrets_are_found_on_every_kind_of_line() {
        assert_eq!(shown("password = hunter2"), "password = ");
        assert_eq!(shown("galera_replication_password=a=b"), "galera_replication_password=");
        assert_eq!(shown("# old PASS: x y"), "# old PASS: ");
        assert_eq!(shown("password hunter2"), "password ");
        assert_eq!(shown("passhunter2"), "pass");
        assert_eq!(shown("  stats auth admin:x"), "  stats auth ");
        assert_eq!(shown("wsrep_sst_auth = \"a:b\""), "wsrep_sst_auth = ");
        assert_eq!(shown("transaction_key = x"), "transaction_key = ");
        assert_eq!(shown("key = a secret"), "key = ");
        assert_eq!(shown("transaction_key=mytokenX"), "transaction_key=");
        assert_eq!(shown("SNMPCommunityRead=x"), "SNMPCommunityRead=");
        assert_eq!(shown("cliPwd=x"), "cliPwd=");
        assert_eq!(shown("key_buffer_size = 100"), "key_buffer_size = 100");
        assert_eq!(shown("passthrough=enabled"), "passthrough=enabled");
        assert_eq!(shown("ip=192.168.1.5"), "ip=192.168.1.5");
        assert_eq!(shown("password="), "password=");
    }
}
