//! The answer of `drill`: a day that was rehearsed, for people, for programs, and as a page to look at.

mod html;
mod json;
mod svg;
mod text;

use std::net::Ipv4Addr;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Step;
use pfcluster_core::quorum::{Feature, State as Works};
use pfcluster_core::supervisor::Event;
use pfcluster_sim::drill::{Day, Flush, Scenario, Setting};
use pfcluster_sim::galera::Set;
use pfcluster_sim::{Condition, Entry, Policy};
use serde::Serialize;

use super::bootstrap::led;

pub(crate) use html::GENERATOR;

/// A virtual address of the setting, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Address {
    pub(crate) zone: String,
    pub(crate) interface: String,
    #[serde(rename = "address")]
    pub(crate) ip: Ipv4Addr,
}

/// A rehearsal.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) setting: &'a Setting,
    pub(crate) addresses: &'a [Address],
    pub(crate) day: &'a Day,
    /// The same day by the rules of others.
    pub(crate) beside: &'a [Day],
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// Service came back by itself, and nothing was lost.
    Fine,
    /// Service came back, and something was lost.
    Lost,
    /// It did not come back by itself.
    NeedsAdministrator,
}

impl End {
    fn of(day: &Day) -> End {
        match day.returned {
            _ if day.is_fine() => End::Fine,
            Some(_) => End::Lost,
            None => End::NeedsAdministrator,
        }
    }

    fn sentence(self, scenario: &Scenario) -> String {
        let with =
            if *scenario == Scenario::Upgrade { "with the steps of the guide" } else { "without an administrator" };
        match self {
            End::Fine => format!("service came back {with}, and nothing was lost"),
            End::Lost => format!("service came back {with}, but something was lost"),
            End::NeedsAdministrator => "an administrator is needed".to_owned(),
        }
    }
}

/// Something that happened or was told, as one entry of the list: what several supervisors told alike is one.
struct Line {
    at: u64,
    /// Who told it; nobody: it happened.
    by: Vec<Hostname>,
    what: String,
    /// The reasons of a decision, each a line.
    because: Vec<String>,
}

/// Within this time supervisors that decide alike do so together, in milliseconds.
const TOGETHER: u64 = 2_000;

impl Report<'_> {
    /// The scenario as a sentence.
    fn title(&self) -> String {
        let names = |hosts: &[Hostname]| hosts.iter().map(Hostname::as_str).collect::<Vec<_>>().join(", ");
        match self.scenario {
            Scenario::PowerCut => "all members lose power, and get it back at different times".to_owned(),
            Scenario::GracefulShutdown { order } => {
                format!("all are shut down one after the other ({}), and switched on together", names(order))
            }
            Scenario::Lose { hosts } => format!("power cut on {}, which stays off", names(hosts)),
            Scenario::Partition { groups } => {
                let groups: Vec<String> = groups.iter().map(|group| names(group)).collect();
                format!("the network is partitioned for one minute: {}", groups.join(" | "))
            }
            Scenario::Upgrade => {
                "an upgrade as in the guide's 8.4: the last member first, alone; then the others".to_owned()
            }
            Scenario::SplitBrain => {
                "a member is cut off and made primary by hand; then the network is restored".to_owned()
            }
            Scenario::Random => "hosts and networks fail at random; then power and network are restored".to_owned(),
        }
    }

    fn lines(day: &Day) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for moment in &day.moments {
            let at = moment.at;
            match &moment.entry {
                Entry::Happens(happening) => {
                    let what = happening.text(&day.hosts);
                    lines.push(Line { at, by: Vec::new(), what, because: Vec::new() });
                }
                Entry::Told(place, event) => {
                    let by = day.hosts[*place].clone();
                    let (what, because) = told(event);
                    // What they tell before something happens is not about that.
                    let is_recent = |line: &&mut Line| !line.by.is_empty() && line.at + TOGETHER >= at;
                    let is_same = |line: &&mut Line| !line.by.contains(&by) && line.what == what;
                    match lines.iter_mut().rev().take_while(is_recent).find(is_same) {
                        Some(line) => line.by.push(by),
                        None => lines.push(Line { at, by: vec![by], what, because }),
                    }
                }
            }
        }
        lines.iter_mut().for_each(|line| line.by.sort_by_key(|by| day.hosts.iter().position(|host| host == by)));
        lines
    }

    /// The virtual addresses that the same members hold in the same order: the first's number, and all their names.
    fn groups(&self) -> Vec<(usize, Vec<&Address>)> {
        let mut groups: Vec<(usize, Vec<&Address>)> = Vec::new();
        for (number, address) in self.addresses.iter().enumerate() {
            let candidates = &self.setting.addresses[number];
            match groups.iter_mut().find(|(first, _)| self.setting.addresses[*first] == *candidates) {
                Some((_, group)) => group.push(address),
                None => groups.push((number, vec![address])),
            }
        }
        groups
    }

    /// What to do where service did not return: members that say the same are named together.
    fn remedies(day: &Day) -> Vec<(Vec<&Hostname>, String, Vec<String>)> {
        let mut remedies: Vec<(Vec<&Hostname>, String, Vec<String>)> = Vec::new();
        for (host, decision) in &day.standing {
            let action = decision.action.to_string();
            let steps: Vec<String> = decision.remedy.iter().map(Step::to_string).collect();
            match remedies.iter_mut().find(|(_, other, others)| *other == action && *others == steps) {
                Some((hosts, ..)) => hosts.push(host),
                None => remedies.push((vec![host], action, steps)),
            }
        }
        remedies
    }

    /// What to do where there is nothing to repair.
    fn nothing(&self) -> &'static str {
        if *self.scenario == Scenario::Upgrade { "no action beyond the steps above" } else { "no action" }
    }

    /// How long it took, without service, what became of the commits: a name and a sentence each.
    fn facts(&self, day: &Day) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            (
                "service restored",
                match day.returned {
                    Some(after) => format!("{} after the last event", seconds(after)),
                    None => "not by itself".to_owned(),
                },
            ),
            ("write outage", seconds(day.without_service())),
        ];
        let commits = &day.commits;
        let mut commit = |sentence: String| facts.push(("commits", sentence));
        let told = count(commits.acknowledged, "was acknowledged", "were acknowledged");
        commit(format!("{told}, {} of them lost in the end", commits.gone()));
        let flush = self.setting.flush.value();
        if commits.at_risk > 0 {
            let sentence = count(commits.at_risk, "was on no disk", "were on no disk");
            commit(format!("{sentence} when the power went: at risk by innodb_flush_log_at_trx_commit={flush}"));
        }
        if commits.unflushed > 0 {
            let sentence = count(commits.unflushed, "is lost", "are lost");
            commit(format!("{sentence}, as no disk had it: the price of innodb_flush_log_at_trx_commit={flush}"));
        }
        if commits.galera > 0 {
            let sentence = count(commits.galera, "is lost", "are lost");
            commit(format!("{sentence}, as Galera continued without it by itself"));
        }
        if commits.given_up > 0 {
            commit(format!(
                "{} by the operator (an override, or by hand)",
                count(commits.given_up, "was discarded", "were discarded")
            ));
        }
        let who = if day.policy == Policy::Ours { "a pfcluster decision (more than 0 is a bug)" } else { "a decision" };
        commit(format!("lost by {who}: {}", commits.lost));
        facts
    }

    /// What is left on a member without quorum, if any member was so.
    fn read_only(day: &Day) -> Vec<(&'static str, String, &'static str)> {
        let is_so = day.pages.iter().any(|page| page.members.iter().any(|member| member.works == Works::ReadOnly));
        let features = Feature::ALL.into_iter().filter(|_| is_so);
        let row = |feature: Feature| {
            let provision = feature.on(Works::ReadOnly);
            (feature.title(), provision.availability.title().to_owned(), provision.text)
        };
        features.map(row).collect()
    }
}

/// The sentence of the log; of a decision, its reasons apart.
fn told(event: &Event) -> (String, Vec<String>) {
    match event {
        Event::Decided { action, reasons, .. } => {
            (action.to_string(), reasons.iter().map(|reason| led(reason, action)).collect())
        }
        other => (other.to_string(), Vec::new()),
    }
}

fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

fn seconds(milliseconds: u64) -> String {
    format!("{} s", time(milliseconds))
}

/// Seconds with one digit, rounded down.
fn time(milliseconds: u64) -> String {
    format!("{}.{}", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

/// What a member's database is, in two words.
fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Off => "off",
        Condition::Stopped => "stopped",
        Condition::Starting => "starting",
        Condition::Receiving => "receives data",
        Condition::NonPrimary => "no quorum",
        Condition::Stalled => "stalled",
        Condition::Primary => "in service",
        Condition::Alone => "alone",
    }
}

/// What works on a member, in one character.
fn mark(works: Works) -> char {
    match works {
        Works::Primary => '+',
        Works::ReadOnly => '~',
        Works::Down => '-',
    }
}

/// The first parts of the names, if they tell the members apart.
fn short(hosts: &[Hostname]) -> Vec<String> {
    let firsts: Vec<String> =
        hosts.iter().map(|host| host.as_str().split('.').next().unwrap_or_default().to_owned()).collect();
    let is_unique = |name: &String| firsts.iter().filter(|other| *other == name).count() == 1;
    if firsts.iter().all(is_unique) { firsts } else { hosts.iter().map(ToString::to_string).collect() }
}

/// Who holds an address.
fn holders(set: Set, names: &[String]) -> String {
    let names: Vec<&str> = set.iter().map(|place| names[place].as_str()).collect();
    if names.is_empty() { "no member".to_owned() } else { names.join(" and ") }
}

/// How the setting is said where a day is described.
fn setting(report: &Report<'_>) -> String {
    let flush = report.setting.flush;
    let whose = if flush == Flush::EachSecond { ", as PacketFence sets it" } else { "" };
    format!("seed {}, innodb_flush_log_at_trx_commit={}{whose}", report.setting.seed, flush.value())
}
