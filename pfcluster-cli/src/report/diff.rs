//! Files beside those on disk, as a unified diff without secrets.

use std::borrow::Cow;
use std::io::{self, Write};

use pfcluster_core::document::Document;
use pfcluster_core::generate::GeneratedFile;
use pfcluster_core::secret::MASK;
use pfcluster_core::span::{LineEnd, Source, Span};
use similar::{ChangeTag, TextDiff};

use super::masked;
use crate::host::install::State;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The differences of generated files, file by file; nothing for those that are the same.
///
/// # Errors
/// If it can't be written.
pub fn files(states: &[(&GeneratedFile, State)], out: &mut dyn Write) -> io::Result<()> {
    for (file, state) in states {
        let old = match state {
            State::Same => continue,
            State::Missing => None,
            State::Differs(bytes) => Some(&**bytes),
        };
        texts(file.path, old, file.text.as_bytes(), out)?;
    }
    Ok(())
}

/// The difference between a text, if there is one, and what replaces it.
///
/// # Errors
/// If it can't be written.
pub fn texts(name: &str, old: Option<&[u8]>, new: &[u8], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "--- {}\n+++ {name}", if old.is_some() { name } else { "/dev/null" })?;
    let old = old.unwrap_or_default();
    let (old_secrets, new_secrets) = (secret_lines(old), secret_lines(new));
    let (old, new) = (lines(old), lines(new));
    // Compared as they are and masked afterwards: a changed secret shows as a changed line.
    let [old, new] = [&old, &new].map(|lines| lines.iter().map(|line| &**line).collect::<Vec<&str>>());
    let diff = TextDiff::from_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let is_secret = change.old_index().is_some_and(|line| old_secrets.contains(&line))
                || change.new_index().is_some_and(|line| new_secrets.contains(&line));
            let line = if is_secret { MASK.to_owned() } else { masked(change.value()) };
            writeln!(out, "{sign}{}", line.trim_end_matches('\n'))?;
        }
    }
    Ok(())
}

/// The lines as the reader of the file takes them, by which secrets are found: a CR alone ends one in some files only.
fn lines(text: &[u8]) -> Vec<Cow<'_, str>> {
    let line_end = LineEnd::detect(text);
    let mut lines = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = line_end.next_line(text, start);
        lines.push(String::from_utf8_lossy(&text[start..end]));
        start = end;
    }
    lines
}

/// The lines, from 0, of secrets that have several: a key between `<<EOT` and `EOT`.
fn secret_lines(text: &[u8]) -> Vec<usize> {
    let document = Document::parse(Source::PfConf, text).value;
    let index = document.line_index();
    let lines = |secret: Span| {
        let last = secret.end.saturating_sub(1).max(secret.start);
        index.position(secret.start).line - 1..index.position(last).line
    };
    document.secret_texts().into_iter().flat_map(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::texts;

    /// A CR within a line is no end of it: the lines of secrets are counted as the reader counts them.
    #[test]
    fn a_secret_of_several_lines_is_masked_below_a_stray_cr() {
        let old = b"[A]\nx=1\r2\npassword=<<E\nhunter2\nE\n";
        let new = [&old[..], b"y=1\n"].concat();
        let mut out = Vec::new();
        texts("pf.conf", Some(old), &new, &mut out).expect("memory");
        let out = String::from_utf8(out).expect("text");
        assert!(out.contains("+y=1\n") && !out.contains("hunter2"), "{out}");
    }
}
