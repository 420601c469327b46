//! The operator's words: what a person gives up, for one decision.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Tick;
use crate::cluster::Hostname;
use crate::galera::{CarriedOutBy, Policy};

/// How long a word holds at most.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What an operator can say ([`Policy`] has what each means).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    /// These members are lost.
    AssumeLost(Vec<Hostname>),
    /// The data of this member are given up: it moves them aside and joins without them.
    Discard(Hostname),
    /// The data of this member, which belong to no cluster UUID, start a new one.
    Seed(Hostname),
    /// The recovered position of this member counts, although grastate.dat does not prove it: it has the zero UUID, is torn, or
    /// is missing.
    Trust(Hostname),
    /// The database process of this member is ended, although it may be serving clients.
    End(Hostname),
    /// The member that ran without Galera has the data to keep.
    Standalone,
    /// This member is bootstrapped, whatever the others hold (`--force-new-cluster`).
    Force(Hostname),
}

/// A word, and how long it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Tells it from the same thing said again.
    pub id: u64,
    /// What was said.
    pub saying: Saying,
    /// How long it still holds.
    pub left: Duration,
}

/// The words that hold at a member.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    held: Vec<Held>,
    /// Words whose purpose is reached: whoever still passes one on does not know it yet.
    served: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
struct Held {
    id: u64,
    saying: Saying,
    until: Tick,
    /// Who passed it on; `None` for what was said here.
    by: Option<Hostname>,
}

impl Words {
    /// An operator has said something here.
    pub(super) fn say(&mut self, id: u64, saying: Saying, now: Tick) {
        // A word that names nobody says nothing, and could not be passed on.
        if saying == Saying::AssumeLost(Vec::new()) {
            return;
        }
        self.held.retain(|held| held.by.is_some() || held.saying != saying);
        self.held.push(Held { id, saying, until: now + LONGEST, by: None });
    }

    /// What a peer passes on replaces what it has passed on before.
    pub(super) fn hear(&mut self, from: &Hostname, words: &[Spoken], now: Tick) {
        self.held.retain(|held| held.by.as_ref() != Some(from));
        let fresh = words.iter().filter(|word| !self.served.contains(&word.id));
        self.held.extend(fresh.map(|word| Held {
            id: word.id,
            saying: word.saying.clone(),
            until: now + word.left.min(LONGEST),
            by: Some(from.clone()),
        }));
    }

    /// What was said here, to be passed on.
    pub(super) fn said(&self, now: Tick) -> Vec<Spoken> {
        let own = self.held.iter().filter(|held| held.by.is_none() && held.until > now);
        own.map(|held| Spoken { id: held.id, saying: held.saying.clone(), left: held.until.since(now) }).collect()
    }

    /// All that holds now, wherever it was said.
    pub(super) fn holding(&self, now: Tick) -> impl Iterator<Item = &Saying> {
        self.held.iter().filter(move |held| held.until > now).map(|held| &held.saying)
    }

    /// Forgets what is over: its time, or its purpose. Returns those whose purpose is reached.
    pub(super) fn end(&mut self, now: Tick, is_served: impl Fn(&Saying) -> bool) -> Vec<Saying> {
        let (over, held) = std::mem::take(&mut self.held).into_iter().partition(|held| is_served(&held.saying));
        self.held = held;
        self.held.retain(|held| held.until > now);
        let over: Vec<Held> = over;
        over.into_iter().filter(|held| self.served.insert(held.id)).map(|held| held.saying).collect()
    }

    /// When the next one ends.
    pub(super) fn next_end(&self, now: Tick) -> Option<Tick> {
        self.held.iter().map(|held| held.until).filter(|until| *until > now).min()
    }

    /// What they come to.
    pub(super) fn policy(&self, now: Tick) -> Policy {
        let mut policy = Policy { carried_out_by: CarriedOutBy::Supervisors, ..Policy::default() };
        for saying in self.holding(now) {
            match saying {
                Saying::AssumeLost(hosts) => policy.assume_lost.extend(hosts.iter().cloned()),
                Saying::Discard(host) => {
                    policy.discard.insert(host.clone());
                }
                Saying::Trust(host) => {
                    policy.trust.insert(host.clone());
                }
                Saying::End(host) => {
                    policy.end.insert(host.clone());
                }
                Saying::Seed(host) => policy.seed = Some(first(policy.seed.take(), host)),
                Saying::Standalone => policy.standalone = true,
                Saying::Force(host) => policy.force = Some(first(policy.force.take(), host)),
            }
        }
        policy
    }
}

/// Where two operators contradict each other, all members take the same one's word.
fn first(said: Option<Hostname>, host: &Hostname) -> Hostname {
    said.map_or_else(|| host.clone(), |said| said.min(host.clone()))
}
