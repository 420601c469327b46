//! A reader of HAProxy's grammar of our own, and the laws that hold for every file, so that the tests ask what a file means
//! and not how it is written.

use std::collections::BTreeSet;

/// A section: `frontend NAME` with its lines, as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) lines: Vec<Vec<String>>,
}

impl Section {
    /// The lines that begin with these words, without them.
    pub(crate) fn all(&self, start: &[&str]) -> Vec<Vec<String>> {
        let begins = |line: &&Vec<String>| line.len() >= start.len() && line.iter().zip(start).all(|(a, b)| a == b);
        self.lines.iter().filter(begins).map(|line| line[start.len()..].to_vec()).collect()
    }
}

/// Reads a configuration of HAProxy's: words, quotes as in a shell, comments.
pub(crate) fn read(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let words = words(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let Some(first) = words.first() else { continue };
        if ["global", "defaults", "listen", "frontend", "backend"].contains(&first.as_str()) && !line.starts_with(' ') {
            let name = words.get(1).cloned().unwrap_or_default();
            sections.push(Section { kind: first.clone(), name, lines: Vec::new() });
        } else {
            let section = sections.last_mut().ok_or_else(|| format!("line {}: outside of a section", number + 1))?;
            section.lines.push(words);
        }
    }
    Ok(sections)
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '#' => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a quote is open".to_owned()),
                    }
                }
            }
            '"' => return Err("weak quotes are not written".to_owned()),
            '\\' => match chars.next() {
                Some('r') => word.get_or_insert_default().push('\r'),
                Some('n') => word.get_or_insert_default().push('\n'),
                Some(c @ (' ' | '\'' | '\\' | '#')) => word.get_or_insert_default().push(c),
                other => return Err(format!("`\\` before {other:?}")),
            },
            c if c.is_control() => return Err(format!("{c:?}")),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// What holds for every file: the grammar, unique names, targets that exist, nothing that any HAProxy refuses.
pub(crate) fn laws(text: &str) -> Vec<Section> {
    let sections = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let named: Vec<&str> =
        sections.iter().map(|section| section.name.as_str()).filter(|name| !name.is_empty()).collect();
    assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len(), "a name twice: {named:?}");
    let backends: Vec<&str> = sections.iter().filter(|s| s.kind == "backend").map(|s| s.name.as_str()).collect();
    for section in &sections {
        let targets = section.all(&["default_backend"]).into_iter().chain(section.all(&["use_backend"]));
        for target in targets.map(|line| line[0].clone()).filter(|target| !target.starts_with("%[")) {
            assert!(backends.contains(&target.as_str()), "no backend {target}");
        }
        if section.kind == "frontend" {
            assert_eq!(section.all(&["default_backend"]).len(), 1, "{}", section.name);
        }
        let servers: Vec<String> = section.all(&["server"]).into_iter().map(|line| line[0].clone()).collect();
        assert_eq!(servers.iter().collect::<BTreeSet<_>>().len(), servers.len(), "a server twice in {}", section.name);
        for line in &section.lines {
            let refused = ["reqadd", "rspadd", "bind-process", "nbproc", "external-check", "errorfile", "block"];
            assert!(!refused.contains(&line[0].as_str()), "{line:?}");
            assert!(!(line[0] == "stats" && line.contains(&"process".to_owned())), "{line:?}");
            assert_ne!(line.iter().take(2).collect::<Vec<_>>(), ["option", "http_proxy"]);
        }
    }
    sections
}

pub(crate) fn section<'s>(sections: &'s [Section], kind: &str, name: &str) -> &'s Section {
    sections.iter().find(|s| s.kind == kind && s.name == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

pub(crate) fn binds(sections: &[Section]) -> Vec<String> {
    sections.iter().flat_map(|section| section.all(&["bind"])).map(|line| line[0].clone()).collect()
}
