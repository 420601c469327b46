//! Generated files beside those on disk, as a unified diff without secrets.

use std::io::{self, Write};

use pfcluster_core::generate::GeneratedFile;
use similar::{ChangeTag, TextDiff};

use super::masked;
use crate::host::install::State;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The differences, file by file; nothing for files that are the same.
pub(crate) fn files(states: &[(&GeneratedFile, State)], out: &mut dyn Write) -> io::Result<()> {
    for (file, state) in states {
        let old = match state {
            State::Same => continue,
            State::Missing => "",
            State::Differs(bytes) => &String::from_utf8_lossy(bytes),
        };
        let name = if *state == State::Missing { "/dev/null" } else { file.path };
        writeln!(out, "--- {name}\n+++ {}", file.path)?;
        // Compared as they are and masked afterwards: a changed secret shows as a changed line.
        let diff = TextDiff::from_lines(old, &file.text);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            writeln!(out, "{}", hunk.header())?;
            for change in hunk.iter_changes() {
                let sign = match change.tag() {
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                    ChangeTag::Equal => ' ',
                };
                writeln!(out, "{sign}{}", masked(change.value()).trim_end_matches('\n'))?;
            }
        }
    }
    Ok(())
}
