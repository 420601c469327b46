//! The day for programs.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::form::WithText;
use pfcluster_core::galera::bootstrap::{Action, Reason};
use pfcluster_core::supervisor::Event;
use pfcluster_sim::drill::{Commits, Day, Scenario};
use pfcluster_sim::galera::Set;
use pfcluster_sim::{Entry, MemberThen, Policy};
use serde::Serialize;

use super::{Address, End, Report};
use crate::report::json::versioned;

impl Report<'_> {
    /// As schemas/drill.json says.
    pub(crate) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'r> {
            scenario: &'r Scenario,
            title: String,
            seed: u64,
            flush_log_at_trx_commit: u8,
            members: &'r [Hostname],
            virtual_addresses: &'r [Address],
            day: DayDocument<'r>,
            beside: Vec<DayDocument<'r>>,
        }
        versioned(Document {
            scenario: self.scenario,
            title: self.title(),
            seed: self.setting.seed,
            flush_log_at_trx_commit: self.setting.flush.value(),
            members: &self.setting.hosts,
            virtual_addresses: self.addresses,
            day: DayDocument::new(self.day),
            beside: self.beside.iter().map(DayDocument::new).collect(),
        })
    }
}

#[derive(Serialize)]
struct DayDocument<'d> {
    rules_of: Policy,
    end: End,
    length: u64,
    returned: Option<u64>,
    awaited: Vec<&'d Hostname>,
    without_service: u64,
    commits: Commits,
    split: bool,
    breach: Option<&'d str>,
    moments: Vec<MomentDocument<'d>>,
    pages: Vec<PageDocument<'d>>,
    standing: Vec<StandingDocument<'d>>,
}

#[derive(Serialize)]
struct MomentDocument<'d> {
    at: u64,
    #[serde(flatten)]
    entry: EntryDocument<'d>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EntryDocument<'d> {
    Happens { happens: &'static str, members: Vec<&'d Hostname>, text: String },
    Told { member: &'d Hostname, told: WithText<&'d Event> },
}

#[derive(Serialize)]
struct PageDocument<'d> {
    at: u64,
    members: &'d [MemberThen],
    holders: Vec<Vec<&'d Hostname>>,
}

#[derive(Serialize)]
struct StandingDocument<'d> {
    host: &'d Hostname,
    #[serde(flatten)]
    decision: &'d Decision<Action, Reason>,
}

impl<'d> DayDocument<'d> {
    fn new(day: &'d Day) -> DayDocument<'d> {
        let names = |set: Set| set.iter().map(|place| &day.hosts[place]).collect::<Vec<&Hostname>>();
        let entry = |entry: &'d Entry| match entry {
            Entry::Happens(happening) => EntryDocument::Happens {
                happens: happening.kind(),
                members: names(happening.members()),
                text: happening.text(&day.hosts),
            },
            Entry::Told(place, event) => EntryDocument::Told { member: &day.hosts[*place], told: WithText(event) },
        };
        let moments = day.moments.iter().map(|moment| MomentDocument { at: moment.at, entry: entry(&moment.entry) });
        let pages = day.pages.iter().map(|page| PageDocument {
            at: page.at,
            members: &page.members,
            holders: page.holders.iter().map(|set| names(*set)).collect(),
        });
        let standing = day.standing.iter().map(|(host, decision)| StandingDocument { host, decision });
        DayDocument {
            rules_of: day.policy,
            end: End::of(day),
            length: day.length,
            returned: day.returned,
            awaited: names(day.awaited),
            without_service: day.without_service(),
            commits: day.commits,
            split: day.is_split(),
            breach: day.breach.as_ref().map(|breach| &*breach.what),
            moments: moments.collect(),
            pages: pages.collect(),
            standing: standing.collect(),
        }
    }
}
