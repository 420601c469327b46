//! When a conflict is resolved: the scheduled check.

use std::time::Duration;

use super::Action;

/// The scheduled check (guide 7.5) as a state machine without a clock: the caller passes the time in, reads the versions,
/// and does what comes out.
///
/// ```
/// use std::time::Duration;
/// use pfcluster_core::conflict::{Action, ConflictMonitor, Outcome, Poll};
///
/// let at = Duration::from_secs;
/// let mut monitor = ConflictMonitor::new(at(60), at(300));
/// assert_eq!(monitor.poll(at(10), true), Poll::Check);
/// // The caller asks all members and has `resolve` compare them.
/// assert_eq!(monitor.observe(at(10), true, &Action::InSync), Outcome::Recorded);
/// assert_eq!(monitor.poll(at(20), true), Poll::Wait { until: at(70) });
/// ```
///
/// # The rules
///
/// 1. An interval of 0 turns the check off.
/// 2. Only the member that holds the virtual management address checks. The others do nothing.
/// 3. It checks once in every interval.
/// 4. The first check only records, whatever it finds, and counts as a healthy one. So does a check whose predecessor is
///    older than two intervals (the address was elsewhere, or this program did not run), one at a time before its
///    predecessor's (the clock is not what it was, as after a restart of the machine), and one after a record that makes
///    no sense.
/// 5. A check that finds no conflict is healthy. A silent member is no conflict: members that fail and come back get the
///    whole time of grace from their return, not what is left of it. Nothing to compare is no conflict either, for
///    the same reason: waiting too long costs minutes, overwriting too early costs a configuration.
/// 6. A conflict is resolved once the last healthy check is *longer* ago than the threshold, and never by the check that
///    sees the conflict first: with an interval above the threshold, a change that is just being pushed would look like
///    a conflict and be reverted.
/// 7. It is resolved again in every check that still finds it, each time by what the members say then.
///
/// PacketFence compares the time of day with the threshold, so it resolves a conflict as soon as it sees it; and it takes
/// a member that is down for a second version, so even with that mended there would be no grace for one that returns.
///
/// Times count from any start that does not change: the machine's start, say. Not the time of day, which jumps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConflictMonitor {
    /// Time between two checks. 0 is never.
    pub interval: Duration,
    /// How long ago the last healthy check must be: `conflict_resolution_threshold`.
    pub threshold: Duration,
    /// What it remembers.
    pub history: History,
}

/// What a [`ConflictMonitor`] remembers, for a program that keeps it over its own restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the last check was.
    pub checked: Option<Duration>,
    /// When the last healthy check was. Never after `checked`.
    pub healthy: Option<Duration>,
}

/// What there is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Poll {
    /// Nothing, ever: the interval is 0.
    Off,
    /// Nothing: another member holds the virtual management address.
    NotHolder,
    /// Nothing before this time.
    Wait {
        /// When the next check is due.
        until: Duration,
    },
    /// Ask all members for their versions, [`resolve`](super::resolve()), and pass the action to
    /// [`observe`](ConflictMonitor::observe).
    Check,
}

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing: the interval is 0.
    Off,
    /// Nothing: another member holds the virtual management address.
    NotHolder,
    /// Nothing: there is no check to compare this one with.
    Recorded,
    /// Nothing: no conflict.
    Healthy,
    /// Nothing yet: there is a conflict.
    Grace {
        /// Since the last healthy check.
        elapsed: Duration,
    },
    /// Do what the action says, now.
    Resolve {
        /// Since the last healthy check.
        elapsed: Duration,
    },
}

impl ConflictMonitor {
    /// PacketFence's default for the time between two checks: one minute.
    pub const INTERVAL: Duration = Duration::from_secs(60);
    /// PacketFence's default for `conflict_resolution_threshold`: five minutes.
    pub const THRESHOLD: Duration = Duration::from_secs(300);

    /// One that remembers nothing.
    pub fn new(interval: Duration, threshold: Duration) -> ConflictMonitor {
        ConflictMonitor { interval, threshold, history: History::default() }
    }

    /// What there is to do at `now`. `holds_vip`: this member has the virtual management address.
    pub fn poll(&self, now: Duration, holds_vip: bool) -> Poll {
        if self.interval.is_zero() {
            return Poll::Off;
        }
        if !holds_vip {
            return Poll::NotHolder;
        }
        match self.history.checked {
            Some(checked) if now >= checked && now.saturating_sub(checked) < self.interval => {
                Poll::Wait { until: checked.saturating_add(self.interval) }
            }
            _ => Poll::Check,
        }
    }

    /// Takes what a check at `now` found. A check that is not due counts like any other.
    pub fn observe(&mut self, now: Duration, holds_vip: bool, found: &Action) -> Outcome {
        if self.interval.is_zero() {
            return Outcome::Off;
        }
        if !holds_vip {
            return Outcome::NotHolder;
        }
        let before = self.recent(now);
        self.history.checked = Some(now);
        let is_conflict = matches!(found, Action::Push { .. });
        match before {
            Some((checked, healthy)) if is_conflict => {
                let elapsed = now.saturating_sub(healthy);
                if elapsed > self.threshold && checked > healthy {
                    Outcome::Resolve { elapsed }
                } else {
                    Outcome::Grace { elapsed }
                }
            }
            _ => {
                self.history.healthy = Some(now);
                if before.is_some() { Outcome::Healthy } else { Outcome::Recorded }
            }
        }
    }

    /// The last check and the last healthy one, if they can be relied on.
    fn recent(&self, now: Duration) -> Option<(Duration, Duration)> {
        let (checked, healthy) = (self.history.checked?, self.history.healthy?);
        let is_recent = checked <= now && now.saturating_sub(checked) <= self.interval.saturating_mul(2);
        (is_recent && healthy <= checked).then_some((checked, healthy))
    }
}

impl Default for ConflictMonitor {
    fn default() -> ConflictMonitor {
        ConflictMonitor::new(Self::INTERVAL, Self::THRESHOLD)
    }
}
