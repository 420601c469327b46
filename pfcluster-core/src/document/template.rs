//! Template tags in values: since version 12 PacketFence runs every INI file through Template Toolkit, whose one
//! variable is the environment.
//!
//! Understood are the two forms that PacketFence's own files use: `[% ENV.NAME %]` and
//! `[% ENV.env_or_default("NAME", "DEFAULT") %]`. The values come from the caller, never from our own environment.

use std::collections::BTreeMap;

use memchr::memmem;

use super::fault::{EXPANDED_TAG, UNKNOWN_TAG};
use super::{Document, index};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::Span;

impl Document<'_> {
    /// Expands the template tags in all values, as PacketFence 12 and later do. `environment` is what PacketFence's
    /// services see. A tag that is not understood, or names nothing known, stays and is reported.
    pub fn expand(&mut self, environment: &BTreeMap<String, String>) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let mut expanded = Vec::new();
        let mut after = 0;
        for tag_start in memmem::find_iter(self.text, b"[%") {
            let offset = Span::new(tag_start, tag_start).start;
            if offset < after {
                continue;
            }
            let at = self.entries.partition_point(|entry| entry.value.end <= offset);
            match self.entries.get(at) {
                Some(entry) if entry.value.start <= offset => {
                    after = entry.value.end;
                    if let Some(value) = self.expand_value(entry.value, environment, &mut diagnostics) {
                        expanded.push((index(at), value.into_boxed_slice()));
                    }
                }
                _ => {
                    let line_end = self.line_end.next_line(self.text, tag_start);
                    after = Span::new(line_end, line_end).end;
                    diagnostics.push(unknown_tag(self, Span::new(tag_start, tag_start + 2)));
                }
            }
        }
        self.expanded = expanded;
        self.has_templates = true;
        diagnostics.sort();
        diagnostics
    }

    fn expand_value(
        &self,
        value: Span,
        environment: &BTreeMap<String, String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut copied = value.start as usize;
        let end = value.end as usize;
        let mut first: Option<Span> = None;
        let mut origins: Vec<String> = Vec::new();
        while let Some(open) = memmem::find(&self.text[copied..end], b"[%").map(|at| copied + at) {
            let close = memmem::find(&self.text[open..end], b"%]").map(|at| open + at + 2);
            let tag = Span::new(open, close.unwrap_or(end));
            let known = std::str::from_utf8(tag.of(self.text)).ok().and_then(Tag::parse);
            let Some((tag_name, text, origin)) = known.as_ref().and_then(|tag| tag.value(environment)) else {
                diagnostics.push(unknown_tag(self, tag));
                return None;
            };
            first.get_or_insert(tag);
            if origins.len() < MOST_NAMED {
                origins.push(format!("{tag_name} ({origin})"));
            }
            out.extend_from_slice(&self.text[copied..open]);
            out.extend_from_slice(text.as_bytes());
            copied = tag.end as usize;
        }
        out.extend_from_slice(&self.text[copied..end]);
        let message = format!("the value comes from the environment: {}", origins.join(", "));
        let help = "check that all members and all their services have the same environment";
        diagnostics.push(Diagnostic::new(&EXPANDED_TAG, self.source, first.unwrap_or(value), message, help));
        Some(out)
    }

    /// The bytes of an entry's value, a here-document's lines with their line ends.
    pub(super) fn expanded_value(&self, entry: u32) -> &[u8] {
        match self.expanded.binary_search_by_key(&entry, |(at, _)| *at) {
            Ok(at) => &self.expanded[at].1,
            Err(_) => self.entries[entry as usize].value.of(self.text),
        }
    }
}

/// Variables that a finding names; a value with more is no value that a person wrote.
const MOST_NAMED: usize = 8;

fn unknown_tag(document: &Document<'_>, span: Span) -> Diagnostic {
    Diagnostic::new(
        &UNKNOWN_TAG,
        document.source,
        span,
        "template tag that is not expanded here",
        "write the value itself, or one of `[% ENV.NAME %]` and `[% ENV.env_or_default(\"NAME\", \"DEFAULT\") %]` with NAME set",
    )
}

/// A template tag that we understand.
struct Tag<'t> {
    name: &'t str,
    default: Option<&'t str>,
}

impl<'t> Tag<'t> {
    fn parse(tag: &'t str) -> Option<Tag<'t>> {
        let inner = tag.strip_prefix("[%")?.strip_suffix("%]")?;
        let inner = inner.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim();
        let rest = inner.strip_prefix("ENV.")?;
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let Some(arguments) = rest.strip_prefix("env_or_default") else {
            return is_name(rest).then_some(Tag { name: rest, default: None });
        };
        let (name, arguments) = quoted(arguments.trim_start().strip_prefix('(')?)?;
        let arguments = arguments.trim_start();
        let (default, arguments) = quoted(arguments.strip_prefix(',').unwrap_or(arguments))?;
        (is_name(name) && arguments.trim() == ")").then_some(Tag { name, default: Some(default) })
    }

    /// Name, value and where it came from. The helper takes the default for a variable that is unset, empty, or still
    /// holds its own unexpanded name (`${NAME}`), as container environments do.
    fn value(&self, environment: &'t BTreeMap<String, String>) -> Option<(&'t str, &'t str, &'static str)> {
        let set = environment.get(self.name).map(String::as_str);
        let usable = set.filter(|text| {
            let unexpanded = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) == Some(self.name);
            self.default.is_none() || !text.is_empty() && !unexpanded
        });
        match (usable, self.default) {
            (Some(text), _) => Some((self.name, text, "set")),
            (None, Some(default)) => Some((self.name, default, "not set, so its default holds")),
            (None, None) => None,
        }
    }
}

/// The text of a quoted argument, and what follows it. No escapes: PacketFence's own files have none.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|&c| c == '"' || c == '\'')?;
    text[1..].split_once(quote)
}
