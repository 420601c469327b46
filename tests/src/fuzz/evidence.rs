//! Evidence in JSON, several documents: what is read, what is decided, what is said of it.

use std::collections::BTreeSet;

use pfcluster_cli::documents::evidence::{AgeLimit, EvidenceDocument, MemberEvidence, Several, read};
use pfcluster_cli::report::bootstrap::{self, Shown};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::Seen;
use pfcluster_core::galera::{Policy, select_bootstrap};
use pfcluster_testing::clusters::host;

use crate::members::hosts;

/// A moment in the life of the committed inputs, in seconds since 1970.
const NOW: i64 = 1_790_000_000;

/// Names and addresses of three members.
fn resolve(name: &str) -> Option<Hostname> {
    let place = name.strip_prefix("192.168.1.").and_then(|last| last.parse::<usize>().ok()?.checked_sub(5));
    let by_address = place.filter(|place| *place < 3).map(host);
    by_address.or_else(|| hosts(3).into_iter().find(|host| host.as_str() == name))
}

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    let mut all = Vec::new();
    for file in super::files(bytes) {
        match read(file, resolve) {
            Ok(members) => all.extend(members),
            Err(error) => super::assert_one_line(&error.to_string()),
        }
    }
    all.iter().for_each(is_written_as_it_was_read);
    let several = Several { all, age_limit: None };
    let limited = Several { age_limit: Some(AgeLimit { now: NOW, most: 3600 }), ..several.clone() };
    for several in [several, limited] {
        decide(&several);
    }
}

fn is_written_as_it_was_read(one: &MemberEvidence) {
    let document = EvidenceDocument::new(one.host.clone(), one.taken.clone(), &one.evidence, Vec::new());
    let text = serde_json::to_string(&document).expect("evidence can be written");
    let again = read(text.as_bytes(), resolve).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.iter().map(|again| &again.evidence).collect::<Vec<_>>(), [&one.evidence], "{text}");
}

fn decide(several: &Several) {
    let members = hosts(3);
    let disabled = several.disabled_by(&members[0]).unwrap_or_default();
    let seen = several.seen(&members, &disabled);
    let _ = several.counts_by_gathering_only();
    let split_confirmed = several.confirms_split(&members, &disabled);
    let one = |at: usize| BTreeSet::from([members[at].clone()]);
    let policies = [
        Policy { split_confirmed, ..Policy::default() },
        Policy { assume_lost: one(2), trust: one(0), ..Policy::default() },
        Policy { discard: one(1), standalone: true, ..Policy::default() },
        Policy { force: Some(members[0].clone()), ..Policy::default() },
        Policy { seed: Some(members[1].clone()), ..Policy::default() },
    ];
    for policy in policies {
        let decision = select_bootstrap(&seen, &policy);
        let age = |seen: &Seen| Some(NOW.saturating_sub(several.newest(&seen.host)?.taken.seconds()?));
        let shown: Vec<Shown<'_>> = seen.iter().map(|seen| Shown { seen, age: age(seen) }).collect();
        super::assert_printable_text_of_json(&bootstrap::json(&decision, &shown));
        let mut text = Vec::new();
        bootstrap::text(&decision, &shown, false, &mut text).expect("memory");
        super::assert_printable(&String::from_utf8(text).expect("text"));
        decision.reasons.iter().for_each(|reason| super::assert_one_line(&reason.to_string()));
    }
}
