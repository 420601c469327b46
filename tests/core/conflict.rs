//! Whose configuration wins: every small world against a second, naive reading of the rules.

mod monitor;
mod schemas;
mod versions;

use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{Action, ConfigVersion, Policy, Reason, Reply, VersionError, resolve};
use pfcluster_core::decision::{Decision, Step};
use pfcluster_tests::property_config;
use proptest::prelude::*;

/// What a member of a small world says: a version from 1, silence, or junk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Version(u32),
    Silent,
    Junk,
}

const ALPHABET: [Says; 5] = [Says::Version(1), Says::Version(2), Says::Version(3), Says::Silent, Says::Junk];
const POLICIES: [Policy; 2] = [Policy::Guide, Policy::Majority];

fn host(number: usize) -> Hostname {
    format!("pf{}", number + 1).parse().expect("a host name")
}

fn version(text: &str) -> ConfigVersion {
    text.parse().expect("a version")
}

fn replies(world: &[Says]) -> Vec<(Hostname, Reply)> {
    let reply = |says: &Says| match says {
        Says::Version(number) => Reply::Version(version(&number.to_string())),
        Says::Silent => Reply::Unreachable,
        Says::Junk => Reply::Unreadable(VersionError::Zero),
    };
    world.iter().enumerate().map(|(number, says)| (host(number), reply(says))).collect()
}

fn decide(world: &[Says], me: usize, policy: Policy) -> Decision<Action, Reason> {
    resolve(&replies(world), &host(me), None, policy).expect("no caller's mistake")
}

/// Every world of two to five members, decided by every member with every policy.
fn small_worlds(mut each: impl FnMut(&[Says], usize, Policy)) {
    for size in 1..=5 {
        for mut code in 0..ALPHABET.len().pow(size) {
            let mut world = Vec::new();
            for _ in 0..size {
                world.push(ALPHABET[code % ALPHABET.len()]);
                code /= ALPHABET.len();
            }
            for me in 0..world.len() {
                POLICIES.into_iter().for_each(|policy| each(&world, me, policy));
            }
        }
    }
}

/// The rules once more, without a thought for speed or reasons: the winning version and who pushes it.
fn oracle(world: &[Says], me: usize, policy: Policy) -> Option<(u32, usize)> {
    let held: Vec<(usize, u32)> = world
        .iter()
        .enumerate()
        .filter_map(|(member, says)| if let Says::Version(number) = says { Some((member, *number)) } else { None })
        .collect();
    let count = |wanted: u32| held.iter().filter(|(_, number)| *number == wanted).count();
    let newest = held.iter().map(|(_, number)| *number).max()?;
    if held.len() < 2 || count(newest) == held.len() {
        return None;
    }
    let mut winner = newest;
    if world.len() > 2 && world.len() - held.len() <= held.len() {
        let best = (1..=newest).map(count).max()?;
        let is_enough = policy == Policy::Guide || 2 * best > world.len();
        if is_enough {
            winner = (1..=newest).rev().find(|&number| count(number) == best)?;
        }
    }
    let holders: Vec<usize> = held.iter().filter(|(_, number)| *number == winner).map(|(member, _)| *member).collect();
    Some((winner, if holders.contains(&me) { me } else { *holders.first()? }))
}

#[test]
fn every_small_world_is_decided_by_the_rules() {
    let mut conflicts = 0;
    small_worlds(|world, me, policy| {
        let decision = decide(world, me, policy);
        let told = || format!("{world:?}, pf{} decides, {policy:?}: {decision:?}", me + 1);
        let answering = world.iter().filter(|says| matches!(says, Says::Version(_))).count();
        match (oracle(world, me, policy), &decision.action) {
            (None, Action::NothingToCompare) => assert!(answering < 2, "{}", told()),
            (None, Action::InSync) => assert!(answering >= 2, "{}", told()),
            (Some((winner, pusher)), Action::Push { member, version, overwrites }) => {
                assert_eq!((version.as_str(), member), (&*winner.to_string(), &host(pusher)), "{}", told());
                assert_eq!(world[pusher], Says::Version(winner), "the one that pushes has it: {}", told());
                let others = world.iter().enumerate().filter_map(|(number, says)| match says {
                    Says::Version(other) if *other != winner => Some((host(number), other.to_string())),
                    _ => None,
                });
                let lost: Vec<(Hostname, String)> =
                    overwrites.iter().map(|(host, version)| (host.clone(), version.to_string())).collect();
                assert_eq!(lost, others.collect::<Vec<_>>(), "{}", told());
                assert!(!overwrites.is_empty(), "{}", told());
                conflicts += 1;
            }
            _ => panic!("{}", told()),
        }
    });
    assert!(conflicts > 10_000, "{conflicts}");
}

#[test]
fn every_small_world_has_its_reasons_and_its_remedy() {
    small_worlds(|world, me, policy| {
        let decision = decide(world, me, policy);
        let told = || format!("{world:?}, pf{} decides, {policy:?}: {decision:?}", me + 1);
        // Every silent member is named, and nobody else.
        let named: Vec<&Hostname> = decision
            .reasons
            .iter()
            .filter_map(|reason| if let Reason::Unverified { member, .. } = reason { Some(member) } else { None })
            .collect();
        let silent = (0..world.len()).filter(|&number| !matches!(world[number], Says::Version(_))).map(host);
        let silent: Vec<Hostname> = silent.collect();
        assert_eq!(named, silent.iter().collect::<Vec<_>>(), "{}", told());
        // Every silent member has a step.
        let steps: Vec<String> = decision.remedy.iter().map(ToString::to_string).collect();
        assert!(silent.iter().all(|host| steps.iter().any(|step| step.contains(host.as_str()))), "{}", told());
        // Every loser is named with its version, those newer than the winner as warnings.
        if let Action::Push { member, version, overwrites } = &decision.action {
            let mut lost: Vec<(Hostname, ConfigVersion)> = Vec::new();
            for reason in &decision.reasons {
                if let Reason::Overwritten { version: loser, members, newer } = reason {
                    assert_eq!((*newer, reason.is_warning()), (loser > version, loser > version), "{}", told());
                    lost.extend(members.iter().map(|host| (host.clone(), loser.clone())));
                }
            }
            lost.sort();
            assert_eq!(lost, *overwrites, "{}", told());
            let push = Step::Run { on: Some(member.clone()), command: pfcluster_core::conflict::SYNC.to_owned() };
            assert_eq!(decision.remedy.iter().filter(|step| **step == push).count(), 1, "{}", told());
            let newest = overwrites.iter().map(|(_, version)| version).max().expect("somebody loses");
            let offers_newest = steps.iter().any(|step| step.contains(&format!("newer configuration {newest}:")));
            assert_eq!(offers_newest, newest > version, "{}", told());
        } else {
            assert!(!steps.iter().any(|step| step.contains("sync --as-master")), "{}", told());
        }
        for reason in &decision.reasons {
            let text = reason.to_string();
            assert!(!text.ends_with('.') && !text.contains("  "), "{text}");
        }
    });
}

/// The guide's promises, as far as they follow from versions alone.
#[test]
fn the_guide_keeps_its_word() {
    small_worlds(|world, me, policy| {
        let Action::Push { version, .. } = decide(world, me, policy).action else { return };
        let Says::Version(newest) = *world.iter().max_by_key(|says| number(**says)).expect("members") else { return };
        let count = |wanted: u32| world.iter().filter(|says| **says == Says::Version(wanted)).count();
        let wins = |number: u32| version.as_str() == number.to_string();
        // In a two node cluster the most recent configuration is always selected.
        if world.len() == 2 {
            assert!(wins(newest), "{world:?}");
        }
        // All answer with the old version or the new one: a change on fewer than half is undone, else it stays.
        let old = (1..newest).find(|&old| count(old) > 0).unwrap_or_default();
        if world.len() > 2 && count(newest) + count(old) == world.len() {
            assert_eq!(wins(newest), 2 * count(newest) >= world.len(), "{world:?}");
        }
        // Whatever is on more than half of all members wins, by either policy.
        for number in 1..=newest {
            if world.len() > 2 && 2 * count(number) > world.len() {
                assert!(wins(number), "{world:?} {policy:?}");
            }
        }
    });
}

fn number(says: Says) -> u32 {
    if let Says::Version(number) = says { number } else { 0 }
}

/// Only who pushes, and the order of lists, depend on the order of members and on who decides.
#[test]
fn the_winner_is_the_same_for_everybody_and_in_every_order() {
    small_worlds(|world, me, policy| {
        if me > 0 || world.len() > 4 {
            return;
        }
        let winner = |action: Action| match action {
            Action::Push { version, overwrites, .. } => Some((version.to_string(), overwrites.len())),
            _ => None,
        };
        let first = winner(decide(world, 0, policy).action);
        for decides in 0..world.len() {
            assert_eq!(winner(decide(world, decides, policy).action), first, "{world:?}");
        }
        let mut turned = world.to_vec();
        for _ in 0..world.len() {
            turned.rotate_left(1);
            assert_eq!(winner(decide(&turned, 0, policy).action), first, "{world:?}");
            let mut mirrored = turned.clone();
            mirrored.reverse();
            assert_eq!(winner(decide(&mirrored, 0, policy).action), first, "{world:?}");
        }
    });
}

/// A member that falls silent takes its voice with it and gives nobody another one.
#[test]
fn silence_brings_no_version_up() {
    small_worlds(|world, me, policy| {
        let Action::Push { version: before, .. } = decide(world, me, policy).action else { return };
        for falls in (0..world.len()).filter(|&falls| world[falls] != Says::Silent) {
            let mut after = world.to_vec();
            after[falls] = Says::Silent;
            let Action::Push { version, .. } = decide(&after, me, policy).action else { continue };
            let held_before = world.iter().any(|says| number(*says).to_string() == version.as_str());
            assert!(held_before, "{world:?}");
            // A loser whose own holder falls silent does not win by it, unless the way of deciding changes to the most
            // recent: too many are silent, or a majority is gone.
            let lost_a_voice = version != before && number(world[falls]).to_string() == version.as_str();
            let answering = after.iter().filter(|says| number(**says) > 0).count();
            let by_number = policy == Policy::Guide && world.len() > 2 && after.len() - answering <= answering;
            assert!(!(lost_a_voice && by_number), "{world:?} without pf{}: {version}", falls + 1);
        }
        // No answer and no version are the same to the winner.
        let swapped = |says: &Says| if *says == Says::Junk { Says::Silent } else { *says };
        let silent: Vec<Says> = world.iter().map(swapped).collect();
        assert_eq!(decide(&silent, me, policy).action, decide(world, me, policy).action, "{world:?}");
    });
}

#[test]
fn a_callers_mistake_is_told() {
    let world = replies(&[Says::Version(1), Says::Version(2)]);
    assert!(resolve(&world, &host(7), None, Policy::Guide).is_err());
    assert!(resolve(&[], &host(0), None, Policy::Guide).is_err());
    let twice = [&world[..], &world[..1]].concat();
    assert!(resolve(&twice, &host(0), None, Policy::Guide).is_err());
}

/// A thousand members with a version each, and with one of two: nothing quadratic.
#[test]
fn a_thousand_members_take_no_time() {
    for kinds in [1_000, 2] {
        let reply = |number: usize| Reply::of_text(&format!("{}.{:060}", 1 + number % kinds, number % kinds));
        let replies: Vec<(Hostname, Reply)> = (0..1_000).map(|number| (host(number), reply(number))).collect();
        let begun = std::time::Instant::now();
        let decision = resolve(&replies, &host(500), Some(&version("1")), Policy::Guide).expect("no mistake");
        assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
        assert!(matches!(decision.action, Action::Push { .. }));
    }
}

proptest! {
    #![proptest_config(property_config())]

    /// The order of the replies changes neither winner nor losers, in worlds of any size.
    #[test]
    fn order_matters_to_nobody(world in prop::collection::vec(0..5_usize, 1..30), seed in any::<u64>()) {
        let world: Vec<Says> = world.into_iter().map(|at| ALPHABET[at]).collect();
        let mut shuffled = replies(&world);
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let swap = usize::try_from(state >> 33).expect("31 bits") % (at + 1);
            shuffled.swap(at, swap);
        }
        for policy in POLICIES {
            let sorted = |decision: Decision<Action, Reason>| match decision.action {
                Action::Push { version, mut overwrites, .. } => {
                    overwrites.sort();
                    Some((version, overwrites))
                }
                _ => None,
            };
            let there = resolve(&shuffled, &host(0), None, policy).expect("no mistake");
            prop_assert_eq!(sorted(decide(&world, 0, policy)), sorted(there));
        }
    }
}
