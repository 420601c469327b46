//! Laws of the scheduled check, over random days.

use std::time::Duration;

use pfcluster_core::conflict::{Action, ConflictMonitor, History, Outcome, Policy, Poll};
use pfcluster_tests::property_config;
use proptest::prelude::*;

use super::{Says, decide};

fn monitor_steps() -> impl Strategy<Value = Vec<(u64, bool, u8)>> {
    let step = prop_oneof![4 => Just(60_u64), 2 => 0_u64..200, 1 => 100_u64..2_000];
    prop::collection::vec((step, prop::bool::weighted(0.9), 0..6_u8), 1..60)
}

proptest! {
    #![proptest_config(property_config())]

    /// The scheduled check over random days: the address moves, checks come late, members fail.
    #[test]
    fn the_monitor_never_resolves_too_early(
        steps in monitor_steps(), interval in 30..200_u64, threshold in 0..400_u64, jump in 0..60_usize,
    ) {
        let seconds = Duration::from_secs;
        let mut monitor = ConflictMonitor::new(seconds(interval), seconds(threshold));
        let conflict = decide(&[Says::Version(1), Says::Version(2), Says::Version(2)], 0, Policy::Guide).action;
        let mut now = 5_000;
        // What an observer wrote down: the checks that this member made, and whether they saw a conflict.
        let mut checks: Vec<(u64, bool)> = Vec::new();
        for (at, (step, holds_vip, found)) in steps.into_iter().enumerate() {
            now = if at == jump { now - 4_000.min(now) } else { now + step };
            let found = match found {
                0 => Action::InSync,
                1 => Action::NothingToCompare,
                _ => conflict.clone(),
            };
            let is_conflict = found == conflict;
            let (before, polled) = (monitor.clone(), monitor.poll(seconds(now), holds_vip));
            let outcome = monitor.observe(seconds(now), holds_vip, &found);
            if !holds_vip {
                prop_assert_eq!((polled, outcome), (Poll::NotHolder, Outcome::NotHolder));
                prop_assert_eq!(&before, &monitor);
                continue;
            }
            let last = checks.last().copied();
            let is_due = last.is_none_or(|(time, _)| time > now || now - time >= interval);
            prop_assert_eq!(polled == Poll::Check, is_due);
            let usable = last.is_some_and(|(time, _)| time <= now && now - time <= 2 * interval);
            if !usable {
                checks.clear();
            }
            let healthy = checks.iter().rev().find(|(_, conflict)| !conflict).map(|(time, _)| *time);
            match healthy {
                None => prop_assert_eq!(outcome, Outcome::Recorded),
                Some(_) if !is_conflict => prop_assert_eq!(outcome, Outcome::Healthy),
                Some(healthy) => {
                    let elapsed = now - healthy;
                    // Seen by an earlier check since then, and for longer than the threshold.
                    let was_seen = last.is_some_and(|(time, conflict)| conflict && time > healthy);
                    let expected = if was_seen && elapsed > threshold {
                        Outcome::Resolve { elapsed: seconds(elapsed) }
                    } else {
                        Outcome::Grace { elapsed: seconds(elapsed) }
                    };
                    prop_assert_eq!(outcome, expected);
                }
            }
            // A check that only records counts as a healthy one.
            checks.push((now, is_conflict && healthy.is_some()));
        }
    }

    /// Whatever was kept, of whatever sense: it does not panic, and resolves only what the history allows.
    #[test]
    fn any_history_is_survived(
        checked in prop::option::of(any::<u64>()), healthy in prop::option::of(any::<u64>()), now in any::<u64>(),
        interval in any::<u64>(), threshold in any::<u64>(),
    ) {
        let seconds = Duration::from_secs;
        let mut monitor = ConflictMonitor::new(seconds(interval), seconds(threshold));
        monitor.history = History { checked: checked.map(seconds), healthy: healthy.map(seconds) };
        let _ = monitor.poll(seconds(now), true);
        let conflict = decide(&[Says::Version(1), Says::Version(2)], 0, Policy::Guide).action;
        if let Outcome::Resolve { elapsed } = monitor.observe(seconds(now), true, &conflict) {
            prop_assert!(healthy < checked && checked <= Some(now));
            prop_assert!(elapsed > seconds(threshold));
        }
    }
}
