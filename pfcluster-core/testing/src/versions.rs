//! What members say about the versions of their configurations.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::clusters::host;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::Reply;

/// The text of a version file: few different ones, so that they often meet, in many ways to write them; and junk.
pub fn version_text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(&["1510000000", "1520000000", "1530000000"][..]).prop_map(str::to_owned),
        2 => "15[1-3]0000000\\.[0-9]{1,20}0{0,3}",
        1 => "0{0,3}15[1-3]0000000(\\.0{0,3})?[ \n]?",
        1 => select(&["999", "0", "", "-1", "1e9", "99999999999999999999999", "nan"][..]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

/// A member's reply.
pub fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![1 => Just(Reply::Unreachable), 5 => version_text().prop_map(|text| Reply::of_text(&text))]
}

/// The replies of so many members, in the order of cluster.conf.
pub fn replies(members: RangeInclusive<usize>) -> impl Strategy<Value = Vec<(Hostname, Reply)>> {
    let named = |replies: Vec<Reply>| replies.into_iter().enumerate().map(|(at, reply)| (host(at), reply)).collect();
    vec(reply(), members).prop_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pfcluster_core::conflict::{Action, Policy, resolve};

    proptest! {
        #[test]
        fn whatever_is_replied_is_decided(replies in replies(1..=6), majority in any::<bool>()) {
            let policy = if majority { Policy::Majority } else { Policy::Guide };
            let decision = resolve(&replies, &host(0), None, policy).expect("the member is in the list");
            if let Action::Push { overwrites, .. } = decision.action {
                prop_assert!(overwrites.len() < replies.len());
            }
        }
    }
}
