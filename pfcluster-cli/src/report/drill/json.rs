//! The day for programs.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::sim::Entry;
use pfcluster_core::sim::drill::{Day, Scenario};
use pfcluster_core::sim::galera::Set;
use serde_json::{Value, json};

use super::{Address, End, Report};
use crate::report::bootstrap::decision_value;
use crate::report::json::text as pretty;
use crate::report::supervisor::event_document;

impl Report<'_> {
    /// As schemas/drill.json says.
    pub(crate) fn json(&self) -> String {
        pretty(&json!({
            "version": 1,
            "scenario": scenario(self.scenario),
            "title": self.title(),
            "seed": self.setting.seed,
            "flush_log_at_trx_commit": self.setting.flush.value(),
            "members": self.setting.hosts,
            "virtual_addresses": self.addresses.iter().map(address).collect::<Vec<_>>(),
            "day": day_document(self.day),
            "beside": self.beside.iter().map(day_document).collect::<Vec<_>>(),
        }))
    }
}

fn day_document(day: &Day) -> Value {
    let names = |set: Set| set.iter().map(|place| &day.hosts[place]).collect::<Vec<&Hostname>>();
    let moments = day.moments.iter().map(|moment| match &moment.entry {
        Entry::Happens(happening) => json!({
            "at": moment.at,
            "happens": happening.kind(),
            "members": names(happening.members()),
            "text": happening.text(&day.hosts),
        }),
        Entry::Told(place, event) => {
            json!({ "at": moment.at, "member": day.hosts[*place], "told": event_document(event) })
        }
    });
    let pages = day.pages.iter().map(|page| {
        let members = page
            .members
            .iter()
            .map(|member| json!({ "database": member.database.kind(), "works": member.works.kind() }));
        json!({
            "at": page.at,
            "members": members.collect::<Vec<_>>(),
            "holders": page.holders.iter().map(|set| names(*set)).collect::<Vec<_>>(),
        })
    });
    let commits = &day.commits;
    let standing = day.standing.iter().map(|(host, decision)| {
        let mut document = decision_value(decision);
        document["host"] = host.as_str().into();
        document
    });
    json!({
        "rules_of": day.policy.kind(),
        "end": End::of(day).kind(),
        "length": day.length,
        "returned": day.returned,
        "awaited": names(day.awaited),
        "without_service": day.without_service(),
        "commits": {
            "acknowledged": commits.acknowledged,
            "at_risk": commits.at_risk,
            "unflushed": commits.unflushed,
            "galera": commits.galera,
            "given_up": commits.given_up,
            "lost": commits.lost,
        },
        "split": day.is_split(),
        "breach": day.breach.as_ref().map(|breach| &breach.what),
        "moments": moments.collect::<Vec<_>>(),
        "pages": pages.collect::<Vec<_>>(),
        "standing": standing.collect::<Vec<_>>(),
    })
}

fn scenario(scenario: &Scenario) -> Value {
    let mut document = json!({ "kind": scenario.kind() });
    match scenario {
        Scenario::GracefulShutdown { order } => document["order"] = json!(order),
        Scenario::Lose { hosts } => document["hosts"] = json!(hosts),
        Scenario::Partition { groups } => document["groups"] = json!(groups),
        Scenario::PowerCut | Scenario::Upgrade | Scenario::SplitBrain | Scenario::Random => {}
    }
    document
}

fn address(address: &Address) -> Value {
    json!({ "zone": address.zone, "interface": address.interface, "address": address.ip })
}
