//! Document to cluster: sections become zones, members and interfaces, texts become names and addresses.

use std::borrow::Cow;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::fault;
use super::layout::{Name, ZoneSection};
use super::name::{Hostname, InterfaceName, ZoneName, parse_address};
use super::{Addresses, Cluster, Interface, Layout, Member, NetworkOverlay, Orphan, Setting, ZoneDatabase};
use crate::diagnostic::{Checked, Diagnostic, Diagnostics};
use crate::document::{Document, Entry, Section, is_blank};
use crate::printable::quoted;
use crate::rule::Rule;
use crate::span::{Span, Spanned};

pub(super) const CLUSTER: &str = "CLUSTER";
pub(super) const GENERAL: &str = "general";

pub(super) fn lower(document: &Document<'_>) -> Checked<Cluster> {
    let mut lowering = Lowering {
        document,
        diagnostics: Diagnostics::new(),
        cluster: Cluster {
            layout: Layout::SingleZone,
            zone_dbs_only: false,
            zones: Vec::new(),
            places: BTreeMap::new(),
            orphans: Vec::new(),
        },
        zone_numbers: BTreeMap::new(),
        rejected: BTreeSet::new(),
    };
    lowering.general();
    let sections = lowering.divide_into_zones();
    sections.iter().for_each(|section| lowering.owner(section));
    let mut last = None;
    sections.iter().for_each(|section| last = lowering.part(section, last));
    lowering.whole_file();
    lowering.diagnostics.sort();
    Checked { value: lowering.cluster, diagnostics: lowering.diagnostics }
}

pub(super) struct Lowering<'d, 's> {
    pub(super) document: &'d Document<'s>,
    diagnostics: Diagnostics,
    pub(super) cluster: Cluster,
    /// The number of each zone, by name.
    pub(super) zone_numbers: BTreeMap<ZoneName, usize>,
    /// Owners that were reported and left out, with their zones: nothing more is said about their interfaces.
    pub(super) rejected: BTreeSet<(usize, &'s str)>,
}

/// Whose section it is: the virtual addresses of a zone, or a member.
type Owner = Option<usize>;

impl<'d, 's: 'd> Lowering<'d, 's> {
    pub(super) fn report(&mut self, rule: &'static Rule, span: Span, message: String, help: &'static str) {
        self.diagnostics.push(Diagnostic::new(rule, self.document.source(), span, message, help));
    }

    /// `[CLUSTER]` and `[HOST]`: names of one word.
    fn owner(&mut self, ZoneSection { zone, name, section }: &ZoneSection<'d, 's>) {
        let name = match *name {
            Name::Owner(name) => name,
            Name::Part(word, CLUSTER) => return self.zone_in_single_zone_file(*zone, word, *section),
            Name::Part(..) | Name::Odd => return,
        };
        if let Some(word) = misspelt(name) {
            self.report_misspelt(name, word, section.name_span());
            if word == GENERAL || self.cluster.zones[*zone].vips.is_some() {
                self.rejected.insert((*zone, name));
                return;
            }
        }
        if name.eq_ignore_ascii_case(CLUSTER) {
            self.virtual_addresses(*zone, *section);
        } else {
            self.member(*zone, name, *section);
        }
    }

    fn report_misspelt(&mut self, name: &str, word: &str, span: Span) {
        let message = format!("`{name}` is taken for a member; names are case-sensitive");
        let help = if word == CLUSTER { "write `CLUSTER`" } else { "write `general`" };
        self.report(&fault::MISSPELT_SECTION, span, message, help);
    }

    fn virtual_addresses(&mut self, zone: usize, section: Section<'d, 's>) {
        let mut database = ZoneDatabase::default();
        for entry in section.entries() {
            let field = match entry.key() {
                b"management_ip" => continue,
                b"masterslavemode" => &mut database.masterslavemode,
                b"masterdb" => &mut database.masterdb,
                b"db_write" => &mut database.db_write,
                b"db_read" => &mut database.db_read,
                _ => {
                    self.unknown_key(entry, CLUSTER);
                    continue;
                }
            };
            *field = Some(Spanned::new(joined(entry).into(), entry.value_span()));
        }
        let management_ip = self.management_ip(section, &quoted(section.name()));
        if self.cluster.layout == Layout::SingleZone && management_ip.is_some() {
            self.blanks_after(section);
        }
        self.cluster.zones[zone].database = database;
        let interfaces = Vec::new();
        self.cluster.zones[zone].vips = Some(Addresses { section: section.name_span(), management_ip, interfaces });
    }

    /// The test whether clustering is on sees the blanks that everything else removes.
    fn blanks_after(&mut self, section: Section<'d, 's>) {
        let Some(entry) = section.get(b"management_ip") else { return };
        if entry.single().is_some_and(|value| value.last().is_some_and(|&byte| is_blank(byte))) {
            let end = entry.raw_value_span().end;
            let blanks = Span { start: entry.value_span().end, end };
            let message = "blanks after the virtual management address turn clustering off".to_owned();
            self.report(
                &fault::BLANKS_TURN_CLUSTERING_OFF,
                blanks,
                message,
                "remove the blanks at the end of the line",
            );
        }
    }

    fn member(&mut self, zone: usize, name: &'s str, section: Section<'d, 's>) {
        let host = match name.parse::<Hostname>() {
            Ok(host) => host,
            Err(error) => {
                let message = format!("`{}` is no host name: {error}", quoted(name.as_bytes()));
                self.report(
                    &fault::INVALID_HOSTNAME,
                    section.name_span(),
                    message,
                    "write what `hostname` prints on the member",
                );
                self.rejected.insert((zone, name));
                return;
            }
        };
        if self.cluster.layout == Layout::MultiZone
            && name.parse().is_ok_and(|name| self.zone_numbers.contains_key(&name))
        {
            let message = format!("the host {host} has the name of a zone");
            self.report(&fault::HOST_NAMED_LIKE_ZONE, section.name_span(), message, "rename the zone");
        }
        let place = (zone, self.cluster.zones[zone].members.len());
        match self.cluster.places.entry(host.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(place);
            }
            Slot::Occupied(slot) => {
                // Within a zone the document has merged sections of one name, so this is another zone.
                let first = &self.cluster.zones[slot.get().0];
                let first_section = first.members[slot.get().1].addresses.section;
                let message = format!("{host} is already a member of zone {}", first.name);
                let help = "keep it in the zone that the server stands in";
                let source = self.document.source();
                let found = Diagnostic::new(&fault::HOST_IN_TWO_ZONES, source, section.name_span(), message, help);
                self.diagnostics.push(found.related(source, first_section, "it stands here first"));
                self.rejected.insert((zone, name));
                return;
            }
        }
        for entry in section.entries().filter(|entry| entry.key() != b"management_ip") {
            self.unknown_key(entry, "a member");
        }
        let management_ip = self.management_ip(section, name);
        let addresses = Addresses { section: section.name_span(), management_ip, interfaces: Vec::new() };
        self.cluster.zones[zone].members.push(Member { host, addresses });
    }

    fn management_ip(&mut self, section: Section<'d, 's>, owner: &str) -> Option<Spanned<Ipv4Addr>> {
        let entry = section.get(b"management_ip").map(|entry| (entry, joined(entry)));
        if let Some((entry, text)) = entry.filter(|(_, text)| !text.is_empty()) {
            return self.address(entry, &text);
        }
        // The shipped file: an empty [CLUSTER] and nothing else.
        if self.document.sections().nth(1).is_some() {
            let message = format!("{owner} has no `management_ip`");
            let help = "add `management_ip = ADDRESS` below this header";
            self.report(&fault::MISSING_MANAGEMENT_IP, section.name_span(), message, help);
        }
        None
    }

    fn address(&mut self, entry: Entry<'d, 's>, text: &str) -> Option<Spanned<Ipv4Addr>> {
        let span = entry.value_span();
        match parse_address(text) {
            Ok(address) => Some(Spanned::new(address, span)),
            // What cannot be expanded was reported as such.
            Err(_) if self.document.has_templates && text.contains("[%") => None,
            Err(_) if self.trailing_comment(entry, text) => None,
            Err(error) => {
                let message = format!("`{}` is no IPv4 address: {error}", quoted(text.as_bytes()));
                self.report(&fault::INVALID_ADDRESS, span, message, "write an address like 192.168.1.5");
                None
            }
        }
    }

    /// Reports text after a value that was meant as a comment.
    pub(super) fn trailing_comment(&mut self, entry: Entry<'d, 's>, text: &str) -> bool {
        let is_start = |window: &[u8]| is_blank(window[0]) && matches!(window[1], b'#' | b';');
        let found = text.as_bytes().windows(2).any(is_start) && entry.single().is_some();
        if found {
            let message = "what looks like a comment behind the value is part of the value".to_owned();
            self.report(&fault::TRAILING_COMMENT, entry.value_span(), message, "put the comment on a line of its own");
        }
        found
    }

    pub(super) fn unknown_key(&mut self, entry: Entry<'d, 's>, place: &str) {
        let message = format!("PacketFence knows no key `{}` for {place}", quoted(entry.key()));
        self.report(&fault::UNKNOWN_KEY, entry.key_span(), message, "correct or remove it");
    }

    /// `[OWNER interface NAME]` and `[CLUSTER network A.B.C.D]`. `last` is the owner of the section before, which
    /// mostly is this one's as well; returns this one's.
    fn part(
        &mut self,
        zone_section: &ZoneSection<'d, 's>,
        last: Option<(&'s str, usize, Owner)>,
    ) -> Option<(&'s str, usize, Owner)> {
        let &ZoneSection { zone, name, section } = zone_section;
        let (owner_name, part) = match name {
            Name::Owner(_) => return last,
            Name::Part(owner, part) => (owner, part),
            Name::Odd => {
                self.unused(section);
                return last;
            }
        };
        if self.rejected.contains(&(zone, owner_name)) {
            return last;
        }
        if let Some(word) = misspelt(owner_name).filter(|_| self.find_owner(zone, owner_name).is_none()) {
            self.report_misspelt(owner_name, word, section.name_span());
            return last;
        }
        let owner = match last {
            Some((name, of_zone, owner)) if name == owner_name && of_zone == zone => Some(owner),
            _ => self.next_owner(zone, owner_name, last).or_else(|| self.find_owner(zone, owner_name)),
        };
        let Some(owner) = owner else {
            // Nobody's, but what is wrong with it is said all the same.
            if let Some(("interface", name)) = part.split_once(' ') {
                self.interface(name, section);
            }
            self.cluster.orphans.push(Orphan { zone, owner: owner_name.into(), section: section.name_span() });
            return last;
        };
        match part.split_once(' ') {
            Some(("interface", name)) if !name.starts_with(' ') => {
                if let (Some(interface), Some(addresses)) = (self.interface(name, section), self.addresses(zone, owner))
                {
                    addresses.interfaces.push(interface);
                }
            }
            Some(("network", network)) if owner.is_none() => self.network(zone, network, section),
            _ => self.unused(section),
        }
        Some((owner_name, zone, owner))
    }

    /// The member after the owner of the section before: mostly it is the one.
    fn next_owner(&self, zone: usize, name: &str, last: Option<(&str, usize, Owner)>) -> Option<Owner> {
        let next = last.and_then(|(_, _, owner)| owner).map_or(0, |member| member + 1);
        let member = self.cluster.zones[zone].members.get(next)?;
        (member.host.as_str() == name).then_some(Some(next))
    }

    fn find_owner(&self, zone: usize, name: &str) -> Option<Owner> {
        if name.eq_ignore_ascii_case(CLUSTER) {
            // A misspelt `[Cluster]` stands in for a missing `[CLUSTER]`, also for what is spelt right.
            let vips = self.cluster.zones[zone].vips.as_ref()?;
            let is_meant = name == CLUSTER || vips.section.of(self.document.text()).ends_with(name.as_bytes());
            return is_meant.then_some(None);
        }
        let &(of_zone, member) = self.cluster.places.get(name)?;
        (of_zone == zone).then_some(Some(member))
    }

    fn unused(&mut self, section: Section<'d, 's>) {
        let message = format!("PacketFence makes no use of `[{}]`", quoted(section.name()));
        let help = "write `[OWNER interface NAME]` or `[CLUSTER network A.B.C.D]`, with one space between the words";
        self.report(&fault::UNUSED_SECTION, section.name_span(), message, help);
    }

    fn interface(&mut self, name: &str, section: Section<'d, 's>) -> Option<Interface> {
        let name = match name.parse::<InterfaceName>() {
            Ok(name) => name,
            Err(error) => {
                let message = format!("`{}` is no interface: {error}", quoted(name.as_bytes()));
                self.report(
                    &fault::INVALID_INTERFACE_NAME,
                    section.name_span(),
                    message,
                    "write the name as `ip link` prints it",
                );
                return None;
            }
        };
        // All keys but `ip`. Room for more would be wasted for every interface of every member.
        let settings = Vec::with_capacity(section.entries().count().saturating_sub(1));
        let mut interface =
            Interface { name, section: section.name_span(), ip: None, ip_is_unreadable: false, settings };
        for entry in section.entries() {
            let text = joined(entry);
            if entry.key() != b"ip" {
                interface.settings.push(self.setting(entry, text));
            } else if !text.is_empty() {
                interface.ip = self.address(entry, &text);
                interface.ip_is_unreadable = interface.ip.is_none();
            }
        }
        Some(interface)
    }

    fn addresses(&mut self, zone: usize, owner: Owner) -> Option<&mut Addresses> {
        let zone = &mut self.cluster.zones[zone];
        match owner {
            None => zone.vips.as_mut(),
            Some(member) => Some(&mut zone.members[member].addresses),
        }
    }

    fn network(&mut self, zone: usize, network: &str, section: Section<'d, 's>) {
        let Ok(address) = parse_address(network) else {
            let message = format!("`{}` is no address of a network", quoted(network.as_bytes()));
            self.report(&fault::INVALID_NETWORK, section.name_span(), message, "write the address as in networks.conf");
            return;
        };
        let network = Spanned::new(address, section.name_span());
        let settings = section.entries().map(|entry| self.setting(entry, joined(entry))).collect();
        self.cluster.zones[zone].networks.push(NetworkOverlay { network, settings });
    }

    fn setting(&mut self, entry: Entry<'d, 's>, text: Cow<'d, str>) -> Setting {
        self.trailing_comment(entry, &text);
        let value = Spanned::new(text.into(), entry.value_span());
        Setting { key: String::from_utf8_lossy(entry.key()).into(), value }
    }

    fn whole_file(&mut self) {
        if self.document.sections().next().is_none() {
            let help = "restore it from another member or from a backup";
            let message = "the file has no section: clustering is off".to_owned();
            self.report(&fault::EMPTY_FILE, Span::default(), message, help);
            return;
        }
        let first_member = self.cluster.members().next().map(|member| member.addresses.section);
        let zone = self.cluster.zones.first().filter(|_| self.cluster.layout == Layout::SingleZone);
        let is_faultless = self.diagnostics.is_empty() && self.cluster.orphans.is_empty();
        match (zone.map(|zone| zone.vips.is_some()), first_member) {
            (Some(false), Some(member)) => {
                let message = "there are members, but no `[CLUSTER]`: clustering is off".to_owned();
                self.report(&fault::NO_CLUSTER_SECTION, member, message, "add `[CLUSTER]` with `management_ip`");
            }
            (Some(_), None) if is_faultless && !self.cluster.is_clustered() => {
                let message = "clustering is off: there is no member and no virtual address".to_owned();
                self.report(&fault::CLUSTERING_OFF, Span::default(), message, "nothing, if this server works alone");
            }
            _ => {}
        }
    }
}

/// The word that a name differs from only in upper and lower case.
fn misspelt(name: &str) -> Option<&'static str> {
    [CLUSTER, GENERAL].into_iter().find(|word| *word != name && word.eq_ignore_ascii_case(name))
}

/// A name of one word.
pub(super) fn is_bare(name: &str) -> bool {
    !name.bytes().any(is_blank)
}

/// The value as PacketFence uses it: several values joined with a line break, blanks at the end removed.
pub(super) fn joined<'d>(entry: Entry<'d, '_>) -> Cow<'d, str> {
    let bytes = entry.single().unwrap_or_else(|| entry.values().join(&b'\n').into());
    let trimmed = bytes.len() - bytes.iter().rev().take_while(|&&byte| is_blank(byte)).count();
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(&bytes[..trimmed]),
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes[..trimmed]).into_owned().into(),
    }
}
