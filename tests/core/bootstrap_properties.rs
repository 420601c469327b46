//! Laws of the election over random evidence, hostile evidence included, and over random true histories.

mod alike;

use std::collections::BTreeSet;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Need, Policy, Problem, Reason, Seen, TieBreak};
use pfcluster_core::galera::{ClusterStatus, LocalState, Observation, Process, Running, Uuid, select_bootstrap};
use pfcluster_testing::clusters::host;
use pfcluster_testing::worlds::{Event, Sight, World, sights, worlds};
use pfcluster_testing::{evidence, laws};
use pfcluster_tests::property_config;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// What an answer comes down to, whatever the order of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gist {
    kind: &'static str,
    /// Who starts, stops, joins, gives up, is waited for; empty where the order decides.
    lists: Vec<BTreeSet<Hostname>>,
}

pub(crate) fn gist(decision: &Decision<Action, Reason>) -> Gist {
    let set = |hosts: &[Hostname]| -> BTreeSet<Hostname> { hosts.iter().cloned().collect() };
    let one = |host: &Hostname| set(std::slice::from_ref(host));
    let by_order = |reason: &Reason| matches!(reason, Reason::Tie { by: TieBreak::Order, .. });
    let (kind, mut lists) = match &decision.action {
        Action::Standalone { member } => ("standalone", vec![one(member)]),
        Action::Join { joiners, discard, .. } => ("join", vec![set(joiners), set(discard)]),
        Action::Reform { members, stop_first, joiners } => {
            ("reform", vec![set(members), set(stop_first), set(joiners)])
        }
        Action::Bootstrap { member, stop_first, joiners, discard, .. } => {
            ("bootstrap", vec![one(member), set(stop_first), set(joiners), set(discard)])
        }
        Action::Promote { member, stop_first, joiners, discard, .. } => {
            ("promote", vec![one(member), set(stop_first), set(joiners), set(discard)])
        }
        // The first one begins.
        Action::Fresh { .. } => ("fresh", Vec::new()),
        Action::Seed { member, stop_first, joiners, discard } => {
            ("seed", vec![one(member), set(stop_first), set(joiners), set(discard)])
        }
        // Of several pairs the first is named.
        Action::Wait { awaited } if awaited.iter().any(|one| one.need == Need::SecondLook) => ("wait", Vec::new()),
        Action::Wait { awaited } => ("wait", vec![awaited.iter().map(|one| one.member.clone()).collect()]),
        // Of several faults the first is named.
        Action::Refuse { problem: Problem::SplitBrain { .. } } => ("refuse: split", Vec::new()),
        Action::Refuse { .. } => ("refuse", Vec::new()),
        _ => ("new", Vec::new()),
    };
    if decision.reasons.iter().any(by_order) {
        lists.clear();
    }
    Gist { kind, lists }
}

pub(crate) fn starts(action: &Action) -> bool {
    action.starts().is_some() || matches!(action, Action::Reform { .. })
}

/// Checks the laws and that everything can be said.
fn judged(seen: &[Seen], policy: &Policy) -> Result<Decision<Action, Reason>, TestCaseError> {
    let decision = select_bootstrap(seen, policy);
    laws::check(seen, policy, &decision)
        .map_err(|broken| TestCaseError::fail(format!("{broken}\n{}", decision.action)))?;
    laws::check_alive(seen, policy, &decision, false).map_err(|broken| TestCaseError::fail(broken.to_string()))?;
    let mut said = decision.action.to_string();
    decision.reasons.iter().for_each(|reason| said += &reason.to_string());
    decision.remedy.iter().for_each(|step| said += &step.to_string());
    prop_assert!(!said.is_empty());
    Ok(decision)
}

/// More than for other properties: evidence has many parts.
pub(crate) fn cases(at_least: u32) -> Config {
    let config = property_config();
    Config { cases: config.cases.max(at_least), ..config }
}

proptest! {
    #![proptest_config(Config { cases: 20, ..property_config() })]

    #[test]
    fn large_clusters_are_decided_too(seen in evidence::seen(50..=120)) {
        let _ = judged(&seen, &Policy::default())?;
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn every_answer_obeys_the_laws(seen in evidence::seen(0..=5), policy in evidence::policy(5)) {
        let _ = judged(&seen, &policy)?;
        let _ = judged(&seen, &Policy::default())?;
    }

    /// An answer depends on what is known, not on the order in which it is.
    #[test]
    fn the_order_only_breaks_ties(
        (seen, shuffled) in evidence::seen(1..=5).prop_flat_map(|seen| (Just(seen.clone()), Just(seen).prop_shuffle())),
        policy in evidence::policy(5),
    ) {
        let (one, other) = (select_bootstrap(&seen, &policy), select_bootstrap(&shuffled, &policy));
        let (one, other) = (gist(&one), gist(&other));
        // Without the lists on one side, the order has decided on the other, too.
        prop_assert_eq!(one.kind, other.kind);
        if !one.lists.is_empty() && !other.lists.is_empty() {
            prop_assert_eq!(one.lists, other.lists);
        }
    }

    /// Two primary components stay two, whatever else becomes known.
    #[test]
    fn a_split_brain_is_never_started_over(
        seen in evidence::seen(2..=5),
        more in prop::collection::vec(evidence::observation(5), 5),
    ) {
        let mut seen = seen;
        for one in &mut seen {
            (one.enabled, one.observation) = (true, match &one.observation {
                Observation::Known(known) => {
                    let mut known = known.clone();
                    (known.disabled, known.members_hash) = (Vec::new(), None);
                    Observation::Known(known)
                }
                unknown @ Observation::Unknown(_) => unknown.clone(),
            });
        }
        for at in [0, 1] {
            seen[at].observation = primary(at);
        }
        let policy = Policy { split_confirmed: true, ..Policy::default() };
        let before = select_bootstrap(&seen, &policy);
        let is_refused = matches!(before.action, Action::Refuse { .. });
        prop_assert!(is_refused, "{}", before.action);
        for (one, more) in seen.iter_mut().zip(more) {
            if let Observation::Unknown(_) = one.observation {
                one.observation = more;
            }
        }
        let after = select_bootstrap(&seen, &policy);
        prop_assert!(matches!(after.action, Action::Refuse { .. }), "{}", after.action);
    }
}

fn primary(at: usize) -> Observation {
    let running = Running {
        uuid: Uuid::from_u128(0xA << 120),
        status: ClusterStatus::Primary,
        state: LocalState::Synced,
        size: 1,
        last_committed: 12,
        sees: vec![host(at)],
        sees_others: Vec::new(),
    };
    Observation::Known(Box::new(pfcluster_core::galera::Evidence {
        process: Process::Running(running),
        files: None,
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: None,
    }))
}

proptest! {
    #![proptest_config(cases(1_500))]

    /// Every part of the evidence of every true history: nothing starts beside a living component, nothing that
    /// survives is left behind, and two observers never start two.
    #[test]
    fn parts_of_one_truth_agree(
        world in worlds(2..=5, 0..14),
        views in prop::collection::vec(sights(5), 12),
    ) {
        let mut known: Vec<Action> = Vec::new();
        for sight in views.into_iter().chain([vec![Sight::Whole; 5]]) {
            let seen = world.seen(&sight);
            let decision = judged(&seen, &Policy::default())?;
            let shown = || format!("{}\n{seen:#?}", decision.action);
            world.check(&decision.action).map_err(|broken| TestCaseError::fail(format!("{broken}: {}", shown())))?;
            if !starts(&decision.action) {
                continue;
            }
            for other in &known {
                prop_assert!(world.is_same_start(other, &decision.action), "{} beside {}", other, shown());
            }
            known.push(decision.action);
        }
    }

    /// Who can be brought back is, if everything is known; and once it is done nothing is left to do.
    #[test]
    fn what_is_decided_and_done_stays_done(world in worlds(1..=5, 0..14)) {
        let whole = [Sight::Whole; 5];
        let seen = world.seen(&whole);
        let decision = judged(&seen, &Policy::default())?;
        let alive = laws::check_alive(&seen, &Policy::default(), &decision, true);
        alive.map_err(|broken| TestCaseError::fail(broken.to_string()))?;
        if let Some(after) = world.acted(&decision.action) {
            let after = joined(after);
            let decision = judged(&after.seen(&whole), &Policy::default())?;
            let nothing_left = matches!(&decision.action, Action::Join { joiners, discard, .. } if joiners.is_empty() && discard.is_empty());
            prop_assert!(nothing_left, "{}\n{:#?}", decision.action, after.seen(&whole));
        }
    }
}

/// Everybody joins who can.
fn joined(mut world: World) -> World {
    for _ in 0..2 {
        for at in 0..world.nodes.len() {
            for event in [Event::Join(at), Event::Receive(at), Event::Received(at)] {
                world = world.after(&event).unwrap_or(world);
            }
        }
    }
    world
}
