//! Which overrides count, and for whom.
//!
//! The shared key proves that a datagram is of *a* member, never of which; the member's own key proves that, once it is pinned. An
//! override allows nothing to the data or the process of a member to which it was not given. What was given elsewhere is heard for
//! three reasons only: all members come to the same decision, those that are in the way stop or give their proof up, and people see
//! what was asked for, and where.
//!
//! 1. For a decision that starts a member, these overrides count: those that were given to that member, and those that each member
//!    was given about itself (that is evidence of its own data). So `discard pf2` and `assume-lost pf3` that were given on pf1 let
//!    pf1 start without what those two have; given on pf2, they don't.
//!    A peer's overrides come in its own messages, and those of a peer whose key is pinned are heard with its signature only: so
//!    `assume-lost` and `force` have the signature of the member that starts, and need no rule of their own here.
//! 2. Of several members that could start so, the first of cluster.conf does; without any, what needs no override is done.
//! 3. A member moves its data aside, ends a process that may be serving, or starts a new cluster UUID with its data only if that
//!    was given to itself: pf2's data directory stays where it is until `discard pf2` is given on pf2.
//!
//! A member that is off needs no discard: `assume-lost` on the member that starts is enough, and the start makes a fork. When the
//! other comes back, its data are compared with that fork, and it asks for its own discard if they differ.

use super::word::{Spoken, policy};
use super::{Event, Supervisor};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Policy, Reason, Seen, select_bootstrap};

impl Supervisor {
    /// What was given to this member about its own data and process, and to each other member about its.
    pub(super) fn own_policy(&self) -> Policy {
        policy(self.words.counting(None, self.now))
    }

    /// The decision of all members. `observed` has what was seen before and no operator gave.
    pub(super) fn decide(&mut self, seen: &[Seen], observed: &Policy) -> Decision<Action, Reason> {
        let with = |words: Vec<Spoken>| {
            let Policy { reform_failed, split_confirmed, .. } = *observed;
            select_bootstrap(seen, &Policy { reform_failed, split_confirmed, ..policy(words) })
        };
        let origins = self.words.origins(self.now);
        let counting = |starter| with(self.words.counting(starter, self.now));
        let started_by_override = self.config.members.iter().filter(|host| origins.contains(*host)).find_map(|host| {
            let decision = counting(Some(host));
            decision.action.starters().contains(host).then_some(decision)
        });
        let decision = started_by_override.unwrap_or_else(|| {
            let decision = counting(None);
            let here = || counting(Some(&self.config.me));
            // What is waited for, and why not, depends on what was given here; what is done does not.
            let is_idle = |decision: &Decision<Action, Reason>| decision.action.starters().is_empty();
            let shown = (origins.contains(&self.config.me) && is_idle(&decision)).then(here).filter(is_idle);
            shown.unwrap_or(decision)
        });
        let starter = if origins.is_empty() || !decision.action.starters().is_empty() {
            None
        } else {
            with(self.words.holding(self.now).collect()).action.starters().first().cloned()
        };
        self.note_needed(starter.as_ref());
        decision
    }

    /// Says once of each override that it has to be given here to take its effect here.
    fn note_needed(&mut self, starter: Option<&Hostname>) {
        let needed = self.words.needed_elsewhere(starter, self.now);
        for (word, member) in &needed {
            if *member == self.config.me && !self.needed.iter().any(|(known, _)| known.id == word.id) {
                self.tell(Event::Needed { saying: word.saying.clone(), origin: word.origin.clone() });
            }
        }
        self.needed = needed;
    }
}
