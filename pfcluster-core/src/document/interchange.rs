//! `ini::Ini` (crate rust-ini) as the form in which other programs hand over and take an INI file.
//!
//! rust-ini's own reader and writer speak another dialect; here only names, keys and values cross over. Comments,
//! blank lines and line ends do not: to change a file that people also edit, see [`Document::with_value`].

use ini::{EscapePolicy, Ini, LineSeparator, Properties, WriteOption};

use super::{Document, Unwritable, writable};
use crate::printable::quoted;
use crate::span::Span;

/// Why a document has no `ini::Ini` form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes at {}..{} are not UTF-8, which `ini::Ini` needs", .at.start, .at.end)]
pub struct ToIniError {
    /// The name, key or value.
    pub at: Span,
}

/// Why an `ini::Ini` can't be written so that PacketFence reads the same back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromIniError {
    /// A key outside of all sections, which PacketFence refuses.
    #[error("key `{0}` is outside of all sections")]
    OutsideSection(String),
    /// Something that the dialect has no form for.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

impl Document<'_> {
    /// The same sections, keys and values. A key with several values is there several times, one without a value
    /// (an empty here-document) not at all: `ini::Ini` has no form for it.
    ///
    /// # Errors
    /// [`ToIniError`] if something that matters is not UTF-8.
    pub fn to_ini(&self) -> Result<Ini, ToIniError> {
        let text = |bytes: &[u8], at: Span| String::from_utf8(bytes.to_vec()).map_err(|_| ToIniError { at });
        let mut ini = Ini::new();
        for section in self.sections() {
            let mut properties = Properties::new();
            for entry in section.entries() {
                let key = text(entry.key(), entry.key_span())?;
                for value in entry.values() {
                    properties.append(key.clone(), text(&value, entry.value_span())?);
                }
            }
            ini.entry(Some(text(section.name(), section.name_span())?)).or_insert(properties);
        }
        Ok(ini)
    }
}

/// A new file with the sections, keys and values of `ini`, as PacketFence reads them. A value with line breaks becomes
/// a repeated key, which PacketFence joins again.
///
/// # Errors
/// [`FromIniError`] for what PacketFence's dialect has no form for. Nothing is changed silently.
pub fn from_ini(ini: &Ini) -> Result<Vec<u8>, FromIniError> {
    let mut checked = Ini::new();
    for (name, properties) in ini {
        let Some(name) = name else {
            match properties.iter().next() {
                Some((key, _)) => return Err(FromIniError::OutsideSection(quoted(key.as_bytes()))),
                None => continue,
            }
        };
        writable::section(name)?;
        let target = checked.entry(Some(name.to_owned())).or_insert(Properties::new());
        for (key, value) in properties {
            for line in value.split('\n') {
                writable::entry(key, line)?;
                target.append(key, line);
            }
        }
    }
    let option = WriteOption {
        escape_policy: EscapePolicy::Nothing,
        line_separator: LineSeparator::CR,
        ..WriteOption::default()
    };
    let mut out = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = checked.write_to_opt(&mut out, option);
    Ok(out)
}
