//! pf.conf over its defaults: the settings that all members share, as far as clustering reads them.

mod defaults;
mod overlay;

use std::collections::BTreeMap;

use crate::document::{Document, Entry, Section};
use crate::span::{Place, Source, Span};
use crate::version::PfVersion;

pub use overlay::{HostInterface, InterfaceKind, Roles, Value, interfaces_of, roles};

/// pf.conf with what it leaves out.
#[derive(Clone, Debug, Default)]
pub struct PfConf {
    /// In order: the defaults' sections, then the others.
    sections: Vec<ConfSection>,
    numbers: BTreeMap<Box<str>, usize>,
}

#[derive(Clone, Debug)]
struct ConfSection {
    name: Box<str>,
    /// Where pf.conf itself names it.
    in_pf_conf: Option<Span>,
    settings: Vec<ConfSetting>,
}

/// A setting of pf.conf or of its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfSetting {
    /// The key.
    pub key: Box<str>,
    /// The value. pf.conf keeps the blanks after it; repeated keys are joined with a line break.
    pub value: Box<str>,
    /// Where it stands; `None` for PacketFence's own default.
    pub place: Option<Place>,
}

impl PfConf {
    /// Lays pf.conf over its defaults: those of `defaults` (pf.conf.defaults), else the ones that PacketFence `version`
    /// ships for the keys that clustering reads.
    ///
    /// A comment `# KEY is deleted` or `# [SECTION] is deleted` of pf.conf, which PacketFence's writer leaves, takes
    /// away what was set before it.
    pub fn new(pf_conf: &Document<'_>, defaults: Option<&Document<'_>>, version: PfVersion) -> PfConf {
        let mut conf = PfConf::default();
        match defaults {
            Some(defaults) => defaults.sections().for_each(|section| conf.read(section, defaults.source())),
            None => conf.built_in(version),
        }
        pf_conf.sections().for_each(|section| conf.read(section, pf_conf.source()));
        for (section, what) in pf_conf.deletions() {
            conf.delete(pf_conf.text(), section.map(Section::name), what);
        }
        conf
    }

    fn built_in(&mut self, version: PfVersion) {
        for (section, key, value) in defaults::of(version) {
            let settings = &mut self.section_mut(section).settings;
            settings.push(ConfSetting { key: key.into(), value: value.into(), place: None });
        }
    }

    fn section_mut(&mut self, name: &str) -> &mut ConfSection {
        let number = *self.numbers.entry(name.into()).or_insert_with(|| {
            self.sections.push(ConfSection { name: name.into(), in_pf_conf: None, settings: Vec::new() });
            self.sections.len() - 1
        });
        &mut self.sections[number]
    }

    fn read(&mut self, section: Section<'_, '_>, source: Source) {
        let target = self.section_mut(&String::from_utf8_lossy(section.name()));
        if source == Source::PfConf {
            target.in_pf_conf = Some(section.name_span());
        }
        // What was there comes from another file: keys of one file are distinct.
        let before = target.settings.len();
        for entry in section.entries() {
            let setting = conf_setting(entry, source);
            match target.settings[..before].iter_mut().find(|old| old.key == setting.key) {
                Some(old) => *old = setting,
                None => target.settings.push(setting),
            }
        }
    }

    /// Takes away what stood before the comment at `what`.
    fn delete(&mut self, text: &[u8], section: Option<&[u8]>, what: Span) {
        let stood_before = |place: Option<Place>| match place {
            Some(Place { source: Source::PfConf, span }) => span.start < what.start,
            _ => true,
        };
        let name = what.of(text);
        let (section, key) = match (name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")), section) {
            (Some(section), _) => (section, None),
            (None, Some(section)) => (section, Some(name)),
            (None, None) => return,
        };
        let Some(&number) = self.numbers.get(&*String::from_utf8_lossy(section)) else { return };
        let section = &mut self.sections[number];
        section.settings.retain(|setting| {
            let is_meant = key.is_none_or(|key| *setting.key == *String::from_utf8_lossy(key));
            !(is_meant && stood_before(setting.place))
        });
        if key.is_none() {
            section.in_pf_conf = section.in_pf_conf.filter(|span| span.start > what.start);
        }
    }

    /// A setting, or its default; `None` if neither is there.
    pub fn get(&self, section: &str, key: &str) -> Option<&ConfSetting> {
        let section = &self.sections[*self.numbers.get(section)?];
        section.settings.iter().find(|setting| &*setting.key == key)
    }

    /// The text of a setting, empty if it is not there.
    pub fn text(&self, section: &str, key: &str) -> &str {
        self.get(section, key).map_or("", |setting| &setting.value)
    }

    /// True if a switch is on. Anything that is no word for "on" is off.
    pub fn is_enabled(&self, section: &str, key: &str) -> bool {
        crate::cluster::toggle(self.text(section, key)) == Some(true)
    }

    /// Where pf.conf names a section.
    pub fn section_place(&self, section: &str) -> Option<Place> {
        let span = self.sections[*self.numbers.get(section)?].in_pf_conf?;
        Some(Place { source: Source::PfConf, span })
    }

    /// The names of the sections, in order: those of the defaults first.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|section| &*section.name)
    }

    /// The settings of a section, in order.
    pub fn settings(&self, section: &str) -> &[ConfSetting] {
        self.numbers.get(section).map_or(&[], |&number| &self.sections[number].settings)
    }
}

/// A duration in seconds as pf.conf writes it: digits, or digits and a unit out of `s m h D W M Y`, blanks around it.
pub fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| !c.is_ascii_digit()).len());
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "D" => 86_400,
        "W" => 7 * 86_400,
        "M" => 30 * 86_400,
        "Y" => 365 * 86_400,
        _ => return None,
    };
    let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number?.checked_mul(factor)
}

fn conf_setting(entry: Entry<'_, '_>, source: Source) -> ConfSetting {
    let value = entry.single().unwrap_or_else(|| entry.values().join(&b'\n').into());
    ConfSetting {
        key: String::from_utf8_lossy(entry.key()).into(),
        value: String::from_utf8_lossy(&value).into(),
        place: Some(Place { source, span: entry.value_span() }),
    }
}
