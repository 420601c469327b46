//! Evidence of several members, perhaps of several times and clocks: which of it counts.
//!
//! 1. Evidence that is all of one gathering counts, whatever its clock says: it is of one moment. (After a power cut, clocks are
//!    often wrong.)
//! 2. Any other counts by its age ([`AgeLimit`]): not if it is too old, from the future, or does not say when it was taken.
//! 3. Of two files of one member the newer counts, if one clock tells which that is: both are of one boot, or of one gathering. If
//!    not, and they differ, neither counts.
//!
//! A member whose evidence does not count is unknown.

use std::collections::BTreeSet;
use std::fmt;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Reason, SPLIT_CONFIRMED_AFTER};
use pfcluster_core::galera::{Observation, Policy, Seen, Silence, select_bootstrap};

use super::MemberEvidence;

/// All evidence that was given.
#[derive(Clone, Debug, Default)]
pub struct Several {
    /// In any order: of several members, of several times.
    pub all: Vec<MemberEvidence>,
    /// How old it may be; `None`: its age does not matter.
    pub age_limit: Option<AgeLimit>,
}

/// How old evidence may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimit {
    /// The present time, in seconds since 1970.
    pub now: i64,
    /// In seconds (`--max-age`).
    pub most: u32,
}

/// Clocks that are set by hand or by network time differ by less than these seconds.
const TOLERATED_FUTURE: i64 = 300;

impl AgeLimit {
    /// Why evidence of this time does not count; `None` if it does.
    fn refuses(self, seconds: Option<i64>) -> Option<String> {
        let Some(seconds) = seconds else { return Some("it does not say when it was taken".to_owned()) };
        let age = self.now.saturating_sub(seconds);
        if age > i64::from(self.most) {
            return Some(format!("it is {} old, more than `--max-age` ({self})", span(age)));
        }
        (age < -TOLERATED_FUTURE).then(|| {
            let ahead = span(age.saturating_neg());
            format!("by this machine's clock it is {ahead} in the future: correct the clocks, and take it again")
        })
    }
}

impl fmt::Display for AgeLimit {
    /// As the option is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
        let (seconds, unit) = units
            .into_iter()
            .find(|(unit, _)| self.most >= *unit && self.most.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        write!(f, "{}{unit}", self.most / seconds)
    }
}

/// Seconds as people read them.
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What comes of a member's evidence.
enum Standing<'e> {
    Missing,
    /// The newest counts.
    Counts(&'e MemberEvidence),
    /// It does not count; why.
    NotCounted(String),
}

impl MemberEvidence {
    /// True if it was taken after the other one, by one clock.
    fn is_after(&self, other: &MemberEvidence) -> bool {
        let (own, other) = (&self.taken, &other.taken);
        let one_boot = own.boot_id.is_some() && own.boot_id == other.boot_id;
        let one_gathering = own.gathering.is_some() && own.gathering == other.gathering;
        let is_after = own.seconds().zip(other.seconds()).is_some_and(|(own, other)| own > other);
        (one_boot || one_gathering) && is_after
    }
}

impl Several {
    /// The newest of a member by the times that it says, whether it counts or not.
    pub fn newest(&self, host: &Hostname) -> Option<&MemberEvidence> {
        self.all.iter().filter(|one| one.host == *host).max_by_key(|one| one.taken.seconds())
    }

    /// The oldest that is certainly older than the newest; else that one.
    fn oldest<'s>(&'s self, newest: &'s MemberEvidence) -> &'s MemberEvidence {
        let older = self.all.iter().filter(|one| one.host == newest.host && newest.is_after(one));
        older.min_by_key(|one| one.taken.seconds()).unwrap_or(newest)
    }

    /// All of it was gathered together, from several members.
    fn is_one_gathering(&self) -> bool {
        let Some(first) = self.all.first() else { return false };
        let is_same = |one: &MemberEvidence| one.taken.gathering == first.taken.gathering;
        first.taken.gathering.is_some()
            && self.all.iter().all(is_same)
            && self.all.iter().any(|one| one.host != first.host)
    }

    /// It counts as it is all of one gathering, though it is too old or from the future by its clock.
    pub fn counts_by_gathering_only(&self) -> bool {
        let refuses = |limit: AgeLimit, one: &MemberEvidence| {
            one.taken.seconds().is_some_and(|seconds| limit.refuses(Some(seconds)).is_some())
        };
        self.age_limit.is_some_and(|limit| self.is_one_gathering() && self.all.iter().any(|one| refuses(limit, one)))
    }

    fn standing(&self, host: &Hostname) -> Standing<'_> {
        let Some(newest) = self.newest(host) else { return Standing::Missing };
        // Those that may be as new: the newest is among them.
        let unordered: Vec<&MemberEvidence> =
            self.all.iter().filter(|one| one.host == *host && !newest.is_after(one)).collect();
        if let Some(other) = unordered.iter().find(|one| one.evidence != newest.evidence) {
            return Standing::NotCounted(differ(host, other, newest));
        }
        let limit = self.age_limit.filter(|_| !self.is_one_gathering());
        let refused = limit.and_then(|limit| unordered.iter().find_map(|one| limit.refuses(one.taken.seconds())));
        refused.map_or(Standing::Counts(newest), Standing::NotCounted)
    }

    /// The members that `me` counts out by its own evidence; `None` without any that counts.
    pub fn disabled_by(&self, me: &Hostname) -> Option<BTreeSet<Hostname>> {
        match self.standing(me) {
            Standing::Counts(own) => Some(own.evidence.disabled.iter().cloned().collect()),
            Standing::Missing | Standing::NotCounted(_) => None,
        }
    }

    /// The members in order, with the newest evidence of each; one without evidence that counts is unknown.
    pub fn seen(&self, members: &[Hostname], disabled: &BTreeSet<Hostname>) -> Vec<Seen> {
        self.seen_as(members, disabled, |newest| newest)
    }

    fn seen_as<'s>(
        &'s self,
        members: &[Hostname],
        disabled: &BTreeSet<Hostname>,
        which: impl Fn(&'s MemberEvidence) -> &'s MemberEvidence,
    ) -> Vec<Seen> {
        let one = |host: &Hostname| {
            let observation = match self.standing(host) {
                Standing::Counts(newest) => Observation::Known(Box::new(which(newest).evidence.clone())),
                Standing::NotCounted(why) => Observation::Unknown(Silence::NotCounted(why.into())),
                Standing::Missing => Observation::Unknown(Silence::NotAsked),
            };
            Seen { host: host.clone(), enabled: !disabled.contains(host), observation }
        };
        members.iter().map(one).collect()
    }

    /// True if the oldest evidence shows two primary components, too, and is old enough.
    pub fn confirms_split(&self, members: &[Hostname], disabled: &BTreeSet<Hostname>) -> bool {
        let before = self.seen_as(members, disabled, |newest| self.oldest(newest));
        let decision = select_bootstrap(&before, &Policy::default());
        let apart = decision.reasons.iter().find_map(|reason| match reason {
            Reason::TwoPrimaries { one, other, .. } => Some([one, other]),
            _ => None,
        });
        let is_old = |host: &&Hostname| {
            let newest = self.newest(host);
            let times = newest.and_then(|newest| newest.taken.seconds().zip(self.oldest(newest).taken.seconds()));
            let apart = times.and_then(|(newest, oldest)| newest.checked_sub(oldest));
            apart.and_then(|seconds| u64::try_from(seconds).ok()) >= Some(SPLIT_CONFIRMED_AFTER.as_secs())
        };
        apart.is_some_and(|hosts| hosts.iter().all(is_old))
    }
}

fn differ(host: &Hostname, one: &MemberEvidence, other: &MemberEvidence) -> String {
    let sources = match (&one.source, &other.source) {
        (Some(one), Some(other)) => format!(": {one} and {other}"),
        _ => String::new(),
    };
    format!("two files of {host} that differ, and no clock tells which is newer{sources}")
}
