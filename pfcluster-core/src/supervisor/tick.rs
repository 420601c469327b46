//! The supervisor's time, and the named moments that it waits for.

use std::ops::Add;
use std::time::Duration;

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
    /// An operator's word ends.
    Word,
}

/// How often the own database is looked at while it comes up.
pub(super) const LOOK_STARTING: Duration = Duration::from_millis(150);
/// While it serves, or there is none.
pub(super) const LOOK_STEADY: Duration = Duration::from_secs(1);
/// After a recovery of its position failed.
pub(super) const LOOK_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often the peers are told while there is no service.
pub(super) const TELL_OUT_OF_SERVICE: Duration = Duration::from_millis(400);
/// While there is.
pub(super) const TELL_IN_SERVICE: Duration = Duration::from_secs(1);
/// How long evidence counts.
pub(super) const FRESH: Duration = Duration::from_secs(5);
/// How often the databases of silent peers are asked.
pub(super) const ASK: Duration = Duration::from_secs(3);
/// How long the last questions before an act may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How often what was seen in service is written down.
pub(super) const RECORD: Duration = Duration::from_secs(10);
/// How long it must be wanted that a process ends that waits without service: it may be about to get it. While a view forms,
/// its members' files change one after the other; measured, that and a merge after a cut take up to 8 s.
pub(super) const HOLD_STOP: Duration = Duration::from_secs(15);
/// How long it must be wanted that a component is made primary in which others run: it may be about to become so by itself.
pub(super) const HOLD_PROMOTE: Duration = Duration::from_secs(5);
/// A decision that is another one before this is over is not told.
pub(super) const HOLD_TELL: Duration = Duration::from_millis(300);

/// How long a joiner waits for the component to notice that it has left, or that its other members have: Galera's
/// `evs.inactive_timeout` and a second.
pub(super) const HOLD_JOIN: Duration = Duration::from_secs(16);
/// How long the status may differ from gvwstate.dat before the file counts as frozen (a full disk).
pub(super) const FROZEN: Duration = Duration::from_secs(10);
/// How long a member may be in service with us while its supervisor is silent before it counts as having none.
pub(super) const UNSUPERVISED: Duration = Duration::from_secs(15);
/// How long a view may take to form again. Measured: 2.2 to 6.0 s.
pub(super) const REFORM: Duration = Duration::from_secs(60);
/// The shortest time between two answers to a peer that does not know this run yet.
pub(super) const ANSWER: Duration = Duration::from_millis(20);
/// The longest time between two tries of a start that fails.
pub(super) const LONGEST_RETRY: Duration = Duration::from_secs(60);
