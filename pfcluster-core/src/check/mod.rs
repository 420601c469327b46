//! The rules that look at the cluster as a whole, by theme. A rule stands in the file of its theme, with its manual.
//!
//! Faults of the file itself are found while it is read ([`crate::document`]), faults of single names and addresses
//! while they become a cluster ([`crate::cluster`]); [`rules`] lists all of them.

mod addressing;
mod galera;
mod interfaces;
mod membership;
mod secrets;
mod vrrp;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Addresses, Cluster, Hostname, Interface, InterfaceName, Netmask, Zone, ZoneName};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::pf_conf::{InterfaceKind, PfConf};
pub use crate::rule::Rule;
use crate::span::{Place, Source, Span};
use crate::version::PfVersion;

/// What is checked, and what is known beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context<'a> {
    /// cluster.conf.
    pub cluster: &'a Cluster,
    /// pf.conf, if it is known: the masks and types of the interfaces, VRRP and database settings.
    pub pf_conf: Option<&'a PfConf>,
    /// pfconfig.conf, if it is known.
    pub pfconfig_conf: Option<&'a Document<'a>>,
    /// The member that this is checked on, if it is known.
    pub me: Option<&'a Hostname>,
    /// The members that this one counts out.
    pub disabled: BTreeSet<Hostname>,
    /// PacketFence's version.
    pub version: PfVersion,
}

impl<'a> Context<'a> {
    /// A cluster.conf that stands alone, for the newest PacketFence.
    pub fn new(cluster: &'a Cluster) -> Self {
        let version = PfVersion::NEWEST;
        Context { cluster, pf_conf: None, pfconfig_conf: None, me: None, disabled: BTreeSet::new(), version }
    }

    /// True if a template tag makes the value, one that could not be expanded and was reported as such.
    fn is_template(&self, value: &str) -> bool {
        self.version >= PfVersion::new(12, 0) && value.contains("[%")
    }
}

/// Everything that is wrong with a cluster, beyond what reading it showed. In order of file and place.
pub fn check(context: &Context<'_>) -> Diagnostics {
    let mut report = Report { diagnostics: Diagnostics::new() };
    let known = pf_interfaces(context);
    addressing::check(context, &known, &mut report);
    interfaces::check(context, &known, &mut report);
    membership::check(context, &mut report);
    galera::check(context, &mut report);
    vrrp::check(context, &mut report);
    secrets::check(context, &mut report);
    report.diagnostics.sort();
    report.diagnostics
}

/// All rules, in order of their codes.
pub fn rules() -> Vec<&'static Rule> {
    let themes = [
        addressing::RULES,
        interfaces::RULES,
        membership::RULES,
        galera::RULES,
        vrrp::RULES,
        secrets::RULES,
        crate::cluster::RULES,
        crate::document::RULES,
    ];
    let mut rules = themes.concat();
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rule of this code (`PFC012`) or name (`duplicate-address`), in any case.
pub fn rule(code_or_name: &str) -> Option<&'static Rule> {
    let is_meant = |rule: &&Rule| [rule.code, rule.name].iter().any(|id| id.eq_ignore_ascii_case(code_or_name));
    rules().into_iter().find(is_meant)
}

/// What pf.conf itself says about an interface that all members have.
struct PfInterface {
    /// Where pf.conf names it; `None` if only its defaults do.
    place: Option<Place>,
    mask: Option<Netmask>,
    kinds: Vec<InterfaceKind>,
}

impl PfInterface {
    /// True if pf.conf says what it is for, and that needs no address.
    fn only_listens(&self) -> bool {
        !self.kinds.is_empty() && !self.kinds.iter().any(|kind| kind.needs_address())
    }
}

type PfInterfaces = BTreeMap<InterfaceName, PfInterface>;

fn pf_interfaces(context: &Context<'_>) -> PfInterfaces {
    let Some(pf_conf) = context.pf_conf else { return PfInterfaces::new() };
    let sections = pf_conf.section_names().filter_map(|section| {
        let name: InterfaceName = section.strip_prefix("interface ")?.parse().ok()?;
        let mask = pf_conf.text(section, "mask").trim().parse().ok();
        let kinds = kinds_in(pf_conf.text(section, "type"));
        Some((name, PfInterface { place: pf_conf.section_place(section), mask, kinds }))
    });
    sections.collect()
}

fn kinds_in(types: &str) -> Vec<InterfaceKind> {
    types.split(',').filter_map(|word| InterfaceKind::from_word(word.trim())).collect()
}

/// What an interface is for: its own `type`, else pf.conf's. Empty if nobody says.
fn kinds<'k>(interface: &Interface, known: &'k PfInterfaces) -> Cow<'k, [InterfaceKind]> {
    match (own_setting(interface, "type"), known.get(&interface.name)) {
        (Some(own), _) => kinds_in(own).into(),
        (None, Some(known)) => known.kinds.as_slice().into(),
        (None, None) => Cow::default(),
    }
}

/// Where pf.conf sets a key, or at least has its section. Its defaults are not the user's to mend.
fn place_in(pf_conf: &PfConf, section: &str, key: &str) -> Option<Place> {
    let place = pf_conf.get(section, key).and_then(|setting| setting.place);
    place.filter(|place| place.source == Source::PfConf).or_else(|| pf_conf.section_place(section))
}

/// What cluster.conf itself says about an interface.
fn own_setting<'c>(interface: &'c Interface, key: &str) -> Option<&'c str> {
    let setting = interface.settings.iter().find(|setting| &*setting.key == key);
    setting.map(|setting| &*setting.value.value)
}

/// Where the rules put what they find.
struct Report {
    diagnostics: Diagnostics,
}

impl Report {
    fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A finding in cluster.conf.
    fn cluster_conf(&mut self, rule: &'static Rule, span: Span, message: String, help: impl Into<String>) {
        self.add(Diagnostic::new(rule, Source::ClusterConf, span, message, help.into()));
    }

    /// A finding about a setting; one without a place is shown at the top of pf.conf.
    fn at(&mut self, rule: &'static Rule, place: Option<Place>, message: String, help: impl Into<String>) {
        let place = place.unwrap_or(Place { source: Source::PfConf, span: Span::default() });
        self.add(Diagnostic::new(rule, place.source, place.span, message, help.into()));
    }
}

/// Who has addresses: the members, and each zone's virtual ones.
#[derive(Clone, Copy)]
struct Owner<'c> {
    zone: &'c Zone,
    /// The member's host name; `None` for the virtual addresses.
    host: Option<&'c Hostname>,
    addresses: &'c Addresses,
}

impl Owner<'_> {
    /// As reports call it: each zone of a multi-zone file has a CLUSTER.
    fn name(&self) -> String {
        match self.host {
            Some(host) => host.to_string(),
            None if self.zone.name.as_str() == ZoneName::DEFAULT => self.section().to_owned(),
            None => format!("{} {}", self.zone.name, self.section()),
        }
    }

    /// Its section, as a single-zone file names it.
    fn section(&self) -> &str {
        self.host.map_or("CLUSTER", Hostname::as_str)
    }
}

/// The virtual addresses and then the members of a zone.
fn owners(zone: &Zone) -> impl Iterator<Item = Owner<'_>> {
    let vips = zone.vips.iter().map(move |addresses| Owner { zone, host: None, addresses });
    let members = zone.members.iter();
    vips.chain(members.map(move |member| Owner { zone, host: Some(&member.host), addresses: &member.addresses }))
}
