//! What operators have said and done, which excuses what would else be a broken promise.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::supervisor::{LONGEST_WORD, Saying};

/// What operators have said and done.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    said: Vec<(u64, Saying)>,
    /// Somebody has worked at a database past its supervisor.
    pub(super) forged: bool,
    /// Evidence misleads: a disk has come back with other data than it had; or a supervisor stood still while its database came into
    /// a component, which it takes for a promotion by hand if nothing tells that the component was there before.
    pub(super) misled: bool,
    /// Members were counted out, or ran alone.
    pub(super) detached: bool,
}

impl Words {
    pub(super) fn say(&mut self, saying: Saying, now: u64) {
        self.said.push((now, saying));
    }

    /// All is well again: what was said and done before excuses nothing any more.
    pub(super) fn forget(&mut self) {
        *self = Words::default();
    }

    /// Nobody has said or done anything since all was well.
    pub(super) fn is_quiet(&self) -> bool {
        self.said.is_empty() && !self.forged && !self.misled && !self.detached
    }

    /// Somebody has said or done something that may contradict the rest.
    pub(super) fn is_spoken(&self) -> bool {
        !self.said.is_empty() || self.forged || self.detached
    }

    /// Hands, or words beside members that were detached, can bring rows together that differ, and nobody can notice.
    pub(super) fn may_mix(&self, now: u64) -> bool {
        self.forged || self.detached && self.any(now)
    }

    /// The words that may still hold somewhere: a clock may go at half the pace.
    fn holding(&self, now: u64) -> impl Iterator<Item = &Saying> {
        let longest = u64::try_from(LONGEST_WORD.as_millis()).unwrap_or(u64::MAX) * 2;
        self.said.iter().filter(move |(when, _)| now.saturating_sub(*when) <= longest).map(|(_, saying)| saying)
    }

    pub(super) fn any(&self, now: u64) -> bool {
        self.holding(now).next().is_some()
    }

    /// A word says that this member begins.
    pub(super) fn holds_for(&self, host: &Hostname, now: u64) -> bool {
        self.holding(now).any(|saying| match saying {
            Saying::Force(other) | Saying::Seed(other) | Saying::Trust(other) => other == host,
            Saying::Standalone => true,
            Saying::AssumeLost(_) | Saying::Discard(_) | Saying::End(_) => false,
        })
    }

    /// A word forces this member.
    pub(super) fn forces(&self, host: &Hostname, now: u64) -> bool {
        self.holding(now).any(|saying| matches!(saying, Saying::Force(other) if other == host))
    }

    /// A word gives up what this member holds, in favour of the other.
    pub(super) fn gives_up(&self, holder: &Hostname, first: &Hostname, now: u64) -> bool {
        self.holds_for(first, now)
            || self.holding(now).any(|saying| match saying {
                Saying::AssumeLost(hosts) => hosts.contains(holder),
                Saying::Discard(host) => host == holder,
                _ => false,
            })
    }

    /// Any word can lead to a second primary component: somebody begins though others may be alive.
    pub(super) fn may_split(&self, now: u64) -> bool {
        self.forged || self.any(now)
    }
}
