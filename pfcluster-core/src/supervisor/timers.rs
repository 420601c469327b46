//! Time: every wait of the supervisor, named, with why it is there. Nothing else in the supervisor counts time.
//!
//! | what waits | for how long | what happens then |
//! |---|---|---|
//! | the next probe of the own database | [`PROBE_COMING_UP`], [`PROBE_STEADY`], [`PROBE_AFTER_FAILURE`] | it is probed ([`Wake::Look`]) |
//! | the next announcement | [`ANNOUNCE_OUT_OF_SERVICE`], [`ANNOUNCE_IN_SERVICE`] | the peers get what is known here ([`Wake::Tell`]) |
//! | the next query of databases | [`QUERY`] | those whose supervisors are silent are queried ([`Wake::Ask`]) |
//! | evidence of a peer | [`FRESH`] | it counts no more ([`Wake::Expiry`]) |
//! | the last questions before a local action | [`CONFIRM`] | it is not taken now ([`Wake::Patience`]) |
//! | a command that failed, or has to show first | [`Backoff`]: 1 s, 2 s, ... [`LONGEST_RETRY`] | it may be tried again ([`Wake::Retry`]) |
//! | a process that is in the way, a promotion beside others that run | [`DEBOUNCE_STOP`], [`DEBOUNCE_PROMOTE`] | if that is still wanted, it is done ([`Wake::Hold`]) |
//! | a decision that has changed | [`DEBOUNCE_LOG`] | if it is still the same, it is logged ([`Wake::Hold`]) |
//! | two primary components | [`SPLIT_CONFIRMED_AFTER`] | it is a split brain ([`Wake::SecondLook`]) |
//! | members that restore their last view | [`RESTORE`] | the most advanced is started instead ([`Wake::Reform`]) |
//! | an override | [`super::LONGEST_WORD`] | it counts no more ([`Wake::Word`]) |
//! | a component to join that lists members which are gone | [`DOUBT_COMPONENT`] | it is joined all the same |
//! | the own process, beside the mark of a transfer that no member gives, or without a position | [`RESTORE`] | it is ended |
//! | gvwstate.dat that differs from the status | [`VIEW_FILE_STALE`] | it is reported, and its record dropped |
//! | a member in service with us, without a supervisor's message | [`UNSUPERVISED`] | it has no supervisor any more |
//! | an answer out of turn to a peer | [`ANSWER`] | it gets one again |
//! | entering a component | [`ENTERS`] | forks of the others are not taken over any more |
//! | what was seen in service, or a sync that failed | [`RECORD`] | it is persisted, synced again |
//!
//! Those without a [`Wake`] are looked at whenever something comes in, at the latest the result of the next probe. How long the host
//! may take to end a process is with that command (`commands.rs`).
//!
//! To add a wait: its duration here, its moment in [`Timers`], its line in the table above and, if a probe would be too late for it, a
//! [`Wake`] in [`Supervisor::poll_timeout`].

use std::ops::Add;
use std::time::Duration;

use super::Supervisor;
use super::machine::Shutdown;
use super::peers::Peer;
use crate::cluster::Hostname;
use crate::galera::bootstrap::SPLIT_CONFIRMED_AFTER;

/// A moment, in milliseconds since any beginning that the caller likes. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment so long before this one, but not before the beginning.
    pub(super) fn before(self, duration: Duration) -> Tick {
        Tick(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Add<Duration> for Tick {
    type Output = Tick;

    fn add(self, duration: Duration) -> Tick {
        Tick(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Why the supervisor wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wake {
    /// What is wanted must hold for a while before it is done, and has by then.
    Hold,
    /// To look at the own database again.
    Look,
    /// To tell the peers what it has seen.
    Tell,
    /// To ask the databases of silent peers.
    Ask,
    /// Evidence of a peer becomes too old.
    Expiry,
    /// A question that was asked before acting has had its time.
    Patience,
    /// A start that failed may be tried again.
    Retry,
    /// Two primary components have been seen for long enough.
    SecondLook,
    /// A view that should have formed again has had its time.
    Reform,
    /// An override expires.
    Word,
}

/// How often the own database is probed while it comes up.
pub(super) const PROBE_COMING_UP: Duration = Duration::from_millis(150);
/// While it serves, or there is none.
pub(super) const PROBE_STEADY: Duration = Duration::from_secs(1);
/// After a recovery of its position failed.
pub(super) const PROBE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often is announced what is known here while there is no service.
const ANNOUNCE_OUT_OF_SERVICE: Duration = Duration::from_millis(400);
/// While there is.
const ANNOUNCE_IN_SERVICE: Duration = Duration::from_secs(1);
/// How long evidence counts.
pub(super) const FRESH: Duration = Duration::from_secs(5);
/// How often the databases of silent peers are queried.
const QUERY: Duration = Duration::from_secs(3);
/// How long the last questions before a local action may take.
pub(super) const CONFIRM: Duration = Duration::from_secs(5);
/// How often what was seen in service is persisted.
pub(super) const RECORD: Duration = Duration::from_secs(10);
/// How long it must be wanted that a process ends that waits without service: it may be about to get it. While a view forms,
/// its members' files change one after the other; measured, that and a merge after a cut take up to 8 s.
pub(super) const DEBOUNCE_STOP: Duration = Duration::from_secs(15);
/// How long it must be wanted that a component is made primary in which others run: it may be about to become so by itself.
pub(super) const DEBOUNCE_PROMOTE: Duration = Duration::from_secs(5);
/// A decision that is another one before this is over is not logged.
pub(super) const DEBOUNCE_LOG: Duration = Duration::from_millis(300);
/// How long a joiner waits for the component to notice that it has left, or that its other members have: Galera's
/// `evs.inactive_timeout` and a second.
pub(super) const DOUBT_COMPONENT: Duration = Duration::from_secs(16);
/// How long the status may differ from gvwstate.dat before the file counts as stale (a full disk).
pub(super) const VIEW_FILE_STALE: Duration = Duration::from_secs(10);
/// How long a member may be in service with us while its supervisor is silent before it counts as having none.
pub(super) const UNSUPERVISED: Duration = Duration::from_secs(15);
/// For how long after it came into service a member takes over the forks that those in service with it show: each of their
/// supervisors is heard by then.
pub(super) const ENTERS: Duration = Duration::from_secs(60);
/// How long the restoring of a view may take. Measured: 2.2 to 6.0 s.
pub(super) const RESTORE: Duration = Duration::from_secs(60);
/// The shortest time between two answers to a peer that does not know this run yet.
pub(super) const ANSWER: Duration = Duration::from_millis(20);
/// The longest time between two tries of a start that fails.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// The supervisor's own moments. Those of a probe, a peer and an override are with these (`local.rs`, `peers.rs`, `overrides.rs`).
#[derive(Clone, Debug)]
pub(super) struct Timers {
    /// The next announcement to all peers.
    pub(super) announce: Tick,
    /// The next query of the databases whose supervisors are silent.
    pub(super) query: Tick,
    /// The position in service is persisted again.
    pub(super) record: Tick,
    /// Syncing failed, and is tried again then.
    pub(super) sync: Tick,
    /// What failed may be tried again.
    pub(super) retry: Backoff,
    /// The last decision became another one then; `None` once that is logged.
    pub(super) decision_changed: Option<Tick>,
    /// Two primary components have been seen since then.
    pub(super) split: Option<Tick>,
    /// The component to join has not shown yet which members have left it since then.
    pub(super) component_doubtful: Option<Tick>,
    /// The own process has waited beside the mark of a state transfer that no member can be giving since then.
    pub(super) transfer_stuck: Option<Tick>,
    /// gvwstate.dat has differed from the views that the database is in since then.
    pub(super) view_file_stale: Option<Tick>,
    /// The database has been in service since then.
    pub(super) in_service: Option<Tick>,
    /// The database has been in its component since then, from when it was in service first; `None` before that.
    pub(super) entered: Option<Tick>,
    /// This member was started then to restore its last view with the others.
    pub(super) restoring: Option<Tick>,
}

impl Timers {
    pub(super) fn new(now: Tick) -> Timers {
        Timers {
            announce: now,
            query: now + QUERY,
            record: now,
            sync: now,
            retry: Backoff::default(),
            decision_changed: None,
            split: None,
            component_doubtful: None,
            transfer_stuck: None,
            view_file_stale: None,
            in_service: None,
            entered: None,
            restoring: None,
        }
    }
}

/// When something that failed may be tried again.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    not_before: Tick,
}

impl Backoff {
    /// Returns how many seconds to wait.
    pub(super) fn failed(&mut self, now: Tick) -> u64 {
        let seconds = 1u64 << self.failures.min(6);
        self.failures += 1;
        let seconds = seconds.min(LONGEST_RETRY.as_secs());
        self.not_before = now + Duration::from_secs(seconds);
        seconds
    }

    /// What was done may take this long to show.
    pub(super) fn wait(&mut self, until: Tick) {
        self.not_before = self.not_before.max(until);
    }

    /// When it may be tried again; `None` if it may be now.
    pub(super) fn ends(&self, now: Tick) -> Option<Tick> {
        (self.not_before > now).then_some(self.not_before)
    }
}

impl Supervisor {
    /// When to wake it at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Tick, Wake)> {
        if self.shutdown == Shutdown::Complete {
            return None;
        }
        let after =
            |since: Option<Tick>, wait: Duration| since.map(|since| since + wait).filter(|when| *when > self.now);
        let evidence = self.peers.values().filter_map(Peer::expiry).filter(|when| *when >= self.now);
        let timers = [
            (self.debounce(self.wanted, self.decision.as_ref()), Wake::Hold),
            (after(self.timers.decision_changed, DEBOUNCE_LOG), Wake::Hold),
            (self.local.next_probe(), Wake::Look),
            (Some(self.timers.announce), Wake::Tell),
            (self.query.is_none().then_some(self.timers.query), Wake::Ask),
            (evidence.min().map(|when| Tick(when.0 + 1)), Wake::Expiry),
            (self.confirmation_ends(), Wake::Patience),
            (self.timers.retry.ends(self.now), Wake::Retry),
            (after(self.timers.split, SPLIT_CONFIRMED_AFTER), Wake::SecondLook),
            (after(self.timers.restoring, RESTORE), Wake::Reform),
            (self.overrides.next_expiry(self.now), Wake::Word),
        ];
        let timers = timers.into_iter().filter_map(|(when, why)| Some((when?.max(self.now), why)));
        timers.min()
    }

    /// What repeats and is due is done: a probe, a query, an announcement.
    pub(super) fn repeat_due(&mut self) {
        if self.shutdown == Shutdown::Complete {
            return;
        }
        if self.local.next_probe().is_some_and(|when| when <= self.now) {
            self.probe();
        }
        if self.timers.query <= self.now && self.query.is_none() {
            let is_silent = |(_, peer): &(&Hostname, &Peer)| peer.evidence(self.now).is_none();
            let silent: Vec<Hostname> = self.peers.iter().filter(is_silent).map(|(host, _)| host.clone()).collect();
            self.timers.query = self.now + QUERY;
            self.query_peers(silent);
        }
        if self.timers.announce <= self.now {
            self.announce();
            let wait = if self.is_in_service() { ANNOUNCE_IN_SERVICE } else { ANNOUNCE_OUT_OF_SERVICE };
            self.timers.announce = self.now + wait;
        }
    }
}
