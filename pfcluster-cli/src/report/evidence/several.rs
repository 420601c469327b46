//! Evidence of several members, perhaps of several times.

use std::collections::BTreeSet;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Reason, SPLIT_CONFIRMED_AFTER};
use pfcluster_core::galera::{Observation, Policy, Seen, Silence, select_bootstrap};

use super::MemberEvidence;

/// All evidence that was given.
#[derive(Clone, Debug, Default)]
pub struct Several(pub Vec<MemberEvidence>);

impl MemberEvidence {
    /// When it was taken, in seconds since 1970.
    pub fn seconds(&self) -> Option<i64> {
        self.taken_at.as_ref()?.split('.').next()?.parse().ok()
    }
}

impl Several {
    /// The newest of a member. Of two without a time the later in the list.
    pub fn newest(&self, host: &Hostname) -> Option<&MemberEvidence> {
        self.0.iter().filter(|one| one.host == *host).max_by_key(|one| one.seconds())
    }

    fn oldest(&self, host: &Hostname) -> Option<&MemberEvidence> {
        self.0.iter().filter(|one| one.host == *host).min_by_key(|one| one.seconds())
    }

    /// The members that `me` counts out by its own evidence; `None` without any.
    pub fn disabled_by(&self, me: &Hostname) -> Option<BTreeSet<Hostname>> {
        self.newest(me).map(|own| own.evidence.disabled.iter().cloned().collect())
    }

    /// The members in order, with the newest evidence of each; one without evidence is unknown.
    pub fn seen(&self, members: &[Hostname], disabled: &BTreeSet<Hostname>) -> Vec<Seen> {
        seen(members, disabled, |host| self.newest(host))
    }

    /// True if the oldest evidence shows two primary components, too, and is old enough.
    pub fn confirms_split(&self, members: &[Hostname], disabled: &BTreeSet<Hostname>) -> bool {
        let before = seen(members, disabled, |host| self.oldest(host));
        let decision = select_bootstrap(&before, &Policy::default());
        let apart = decision.reasons.iter().find_map(|reason| match reason {
            Reason::TwoPrimaries { one, other, .. } => Some([one, other]),
            _ => None,
        });
        let seconds = |one: Option<&MemberEvidence>| one.and_then(MemberEvidence::seconds);
        let is_old = |host: &&Hostname| {
            let times = seconds(self.newest(host)).zip(seconds(self.oldest(host)));
            let apart = times.and_then(|(newest, oldest)| newest.checked_sub(oldest));
            apart.and_then(|seconds| u64::try_from(seconds).ok()) >= Some(SPLIT_CONFIRMED_AFTER.as_secs())
        };
        apart.is_some_and(|hosts| hosts.iter().all(is_old))
    }
}

fn seen<'e>(
    members: &[Hostname],
    disabled: &BTreeSet<Hostname>,
    evidence: impl Fn(&Hostname) -> Option<&'e MemberEvidence>,
) -> Vec<Seen> {
    let one = |host: &Hostname| {
        let observation = match evidence(host) {
            Some(member) => Observation::Known(Box::new(member.evidence.clone())),
            None => Observation::Unknown(Silence::NotAsked),
        };
        Seen { host: host.clone(), enabled: !disabled.contains(host), observation }
    };
    members.iter().map(one).collect()
}
