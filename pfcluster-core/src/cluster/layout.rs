//! How cluster.conf is laid out: one zone or several, and which section belongs to which.

use std::collections::BTreeSet;

use super::fault;
use super::lower::{CLUSTER, GENERAL, Lowering, is_bare, joined};
use super::name::{ZoneName, toggle};
use super::{Layout, Zone, ZoneDatabase};
use crate::document::{Entry, Section, is_blank};
use crate::printable::quoted;

/// A section with its zone taken off: what remains of the name reads as in a single-zone file.
pub(super) struct ZoneSection<'d, 's> {
    pub(super) zone: usize,
    pub(super) name: Name<'s>,
    pub(super) section: Section<'d, 's>,
}

/// The name of a section, split as PacketFence does: at the first space.
#[derive(Clone, Copy)]
pub(super) enum Name<'s> {
    /// One word: `CLUSTER`, or a host.
    Owner(&'s str),
    /// `pf1.example.com interface eth0`: whose it is, and which part.
    Part(&'s str, &'s str),
    /// A blank other than a space after the first word: used for nothing.
    Odd,
}

impl<'s> Name<'s> {
    pub(super) fn new(name: &'s str) -> Name<'s> {
        match name.bytes().position(is_blank) {
            None => Name::Owner(name),
            Some(at) if at > 0 && name.as_bytes()[at] == b' ' => Name::Part(&name[..at], &name[at + 1..]),
            Some(_) => Name::Odd,
        }
    }
}

impl<'d, 's: 'd> Lowering<'d, 's> {
    /// `[general]`: the layout of the file.
    pub(super) fn general(&mut self) {
        let Some(general) = self.document.section(GENERAL.as_bytes()) else { return };
        for entry in general.entries() {
            match entry.key() {
                b"multi_zone" if self.toggle(entry) == Some(true) => self.cluster.layout = Layout::MultiZone,
                b"zone_dbs_only" => self.cluster.zone_dbs_only = self.toggle(entry) == Some(true),
                b"multi_zone" => {}
                _ => self.unknown_key(entry, GENERAL),
            }
        }
        if self.cluster.layout == Layout::SingleZone {
            let message = "`[general]` is taken for a member named \"general\" in a single-zone file".to_owned();
            self.report(
                &fault::GENERAL_IS_A_MEMBER,
                general.name_span(),
                message,
                "remove the section, or comment it out",
            );
        }
    }

    fn toggle(&mut self, entry: Entry<'d, 's>) -> Option<bool> {
        let text = joined(entry);
        let on = toggle(&text);
        if on.is_none() && !text.is_empty() && !self.trailing_comment(entry, &text) {
            let message = format!("`{}` is neither on nor off", quoted(text.as_bytes()));
            self.report(&fault::ODD_TOGGLE, entry.value_span(), message, "write `enabled` or `disabled`");
        }
        on
    }

    /// The sections with their zones, and the zones themselves, in order of the file.
    pub(super) fn divide_into_zones(&mut self) -> Vec<ZoneSection<'d, 's>> {
        let named =
            self.document.sections().filter_map(|section| Some((std::str::from_utf8(section.name()).ok()?, section)));
        let named = named.filter(|(name, _)| !name.is_empty() && *name != GENERAL);
        if self.cluster.layout == Layout::SingleZone {
            if let Ok(name) = ZoneName::DEFAULT.parse() {
                self.add_zone(name);
            }
            return named.map(|(name, section)| ZoneSection { zone: 0, name: Name::new(name), section }).collect();
        }
        let named: Vec<(&'s str, Section<'d, 's>)> = named.collect();
        let invalid = self.find_zones(&named);
        let mut sections = Vec::with_capacity(named.len());
        for (full_name, section) in named {
            let split = full_name.split_once(' ');
            let zone = split.and_then(|(zone, _)| Some(*self.zone_numbers.get(&zone.parse::<ZoneName>().ok()?)?));
            match (split, zone) {
                (Some((_, name)), Some(zone)) => sections.push(ZoneSection { zone, name: Name::new(name), section }),
                // Reported once, with the zone's name.
                (Some((zone, _)), None) if invalid.contains(zone) => {}
                _ => {
                    let message = format!("`[{}]` belongs to no zone", quoted(full_name.as_bytes()));
                    let help = "begin the name with the zone: `[ZONE CLUSTER]`, `[ZONE pf1.example.com]`";
                    self.report(&fault::SECTION_OUTSIDE_ZONES, section.name_span(), message, help);
                }
            }
        }
        sections
    }

    /// A zone is the first word of `[ZONE CLUSTER]` and of `[ZONE HOST]`. Returns the words that are no zone's name, but
    /// meant as one.
    fn find_zones(&mut self, named: &[(&'s str, Section<'d, 's>)]) -> BTreeSet<&'s str> {
        let mut invalid = BTreeSet::new();
        for (full_name, section) in named {
            let Some((zone, name)) = full_name.split_once(' ').filter(|(_, name)| is_bare(name)) else { continue };
            match zone.parse::<ZoneName>() {
                Ok(zone) if !self.zone_numbers.contains_key(&zone) => {
                    let misspelt = name.eq_ignore_ascii_case(CLUSTER);
                    if !misspelt && self.document.section(format!("{zone} {CLUSTER}").as_bytes()).is_none() {
                        let message = format!("zone {zone} has no `[{zone} {CLUSTER}]`");
                        let help = "add that section with `management_ip`";
                        self.report(&fault::ZONE_WITHOUT_CLUSTER_SECTION, section.name_span(), message, help);
                    }
                    self.add_zone(zone);
                }
                Err(error) if name.eq_ignore_ascii_case(CLUSTER) => {
                    invalid.insert(zone);
                    let message = format!("`{}` is no name for a zone: {error}", quoted(zone.as_bytes()));
                    self.report(
                        &fault::INVALID_ZONE_NAME,
                        section.name_span(),
                        message,
                        "rename it in all sections of the zone",
                    );
                }
                _ => {}
            }
        }
        invalid
    }

    /// `[DC1 CLUSTER]` without `multi_zone`. Nothing more is said about the other sections of that zone.
    pub(super) fn zone_in_single_zone_file(&mut self, zone: usize, word: &'s str, section: Section<'d, 's>) {
        if self.cluster.layout == Layout::MultiZone || self.document.section(word.as_bytes()).is_some() {
            return;
        }
        let clustering_is_off = self.document.section(CLUSTER.as_bytes()).is_none();
        let (rule, so) = if clustering_is_off {
            (&fault::NO_CLUSTER_SECTION, ": clustering is off")
        } else {
            (&fault::UNUSED_SECTION, "")
        };
        let message = format!("`[{}]` is a zone's, but `multi_zone` is not enabled{so}", quoted(section.name()));
        self.report(rule, section.name_span(), message, "write `multi_zone=enabled` into `[general]`");
        self.rejected.insert((zone, word));
    }

    fn add_zone(&mut self, name: ZoneName) {
        self.zone_numbers.insert(name.clone(), self.cluster.zones.len());
        let (networks, members) = (Vec::new(), Vec::new());
        self.cluster.zones.push(Zone { name, vips: None, networks, database: ZoneDatabase::default(), members });
    }
}
