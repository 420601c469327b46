//! What can be written so that PacketFence reads the same back.

use super::is_blank;
use crate::printable::quoted;

/// A name, key or value for which PacketFence's dialect has no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A section name that is empty, has blanks around it or a line break in it.
    #[error("`{0}` can't be written as the name of a section")]
    Section(String),
    /// A key that is empty, has blanks around it, `=` or a line break in it, or begins like a comment or a section.
    #[error("`{0}` can't be written as a key")]
    Key(String),
    /// A value that begins with a blank or with `<<`, or has a line break in it.
    #[error("the value of `{0}` can't be written: it begins with a blank or with `<<`, or has a line break in it")]
    Value(String),
}

pub(super) fn section(name: &str) -> Result<(), Unwritable> {
    if is_plain(name) { Ok(()) } else { Err(Unwritable::Section(quoted(name.as_bytes()))) }
}

pub(super) fn entry(key: &str, value: &str) -> Result<(), Unwritable> {
    if !is_plain(key) || key.contains('=') || key.starts_with(['#', ';', '[']) {
        return Err(Unwritable::Key(quoted(key.as_bytes())));
    }
    let leading_blank = value.bytes().next().is_some_and(is_blank);
    if leading_blank || value.starts_with("<<") || value.contains(LINE_BREAKS) {
        return Err(Unwritable::Value(quoted(key.as_bytes())));
    }
    Ok(())
}

const LINE_BREAKS: [char; 3] = ['\n', '\r', '\u{15}'];

fn is_plain(name: &str) -> bool {
    let (Some(first), Some(last)) = (name.bytes().next(), name.bytes().last()) else { return false };
    !is_blank(first) && !is_blank(last) && !name.contains(LINE_BREAKS)
}
