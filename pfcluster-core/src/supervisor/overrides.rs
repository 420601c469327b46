//! Overrides: what an operator allows, for one decision; where each was given, which count, and for which member.
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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::message::Message;
use super::timers::Tick;
use super::{Event, Supervisor, records};
use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::form::seconds;
use crate::galera::bootstrap::{Action, Policy, Reason, Seen, select_bootstrap};
use crate::galera::{CarriedOutBy, Process};

/// How long an override is valid at most.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// So many overrides of one peer are taken within [`LONGEST`]: more than an operator gives.
const MOST: usize = 16;

/// What an operator can allow ([`Policy`] has what each means).
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

impl Saying {
    /// The member whose data or process it is about, where it names one.
    pub fn about(&self) -> Option<&Hostname> {
        match self {
            Saying::Discard(host)
            | Saying::Seed(host)
            | Saying::Trust(host)
            | Saying::End(host)
            | Saying::Force(host) => Some(host),
            Saying::AssumeLost(_) | Saying::Standalone => None,
        }
    }

    /// The command that gives it, on the member where it is to take effect.
    pub fn command(&self) -> String {
        let verb = match self {
            Saying::AssumeLost(lost) => {
                lost.iter().fold("assume-lost".to_owned(), |verb, host| format!("{verb} {host}"))
            }
            Saying::Discard(host) => format!("discard {host}"),
            Saying::Seed(host) => format!("seed {host}"),
            Saying::Trust(host) => format!("trust {host}"),
            Saying::End(host) => format!("end {host}"),
            Saying::Standalone => "standalone".to_owned(),
            Saying::Force(_) => return "pfcluster mariadb supervise --force-new-cluster".to_owned(),
        };
        format!("pfcluster mariadb allow {verb}")
    }
}

/// Where an override was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The member to whose supervisor it was given.
    #[serde(rename = "given_on")]
    pub member: Hostname,
    /// The user there, by number (`SO_PEERCRED`); `None` for an option of the supervisor's own command line.
    pub user: Option<u32>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.user {
            Some(0) => write!(f, "{} by root", self.member),
            Some(user) => write!(f, "{} by the user with number {user}", self.member),
            None => write!(f, "{} with an option of its supervisor", self.member),
        }
    }
}

/// An override, where it was given, and how long it is still valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spoken {
    /// Tells it from the same override given again.
    #[serde(skip)]
    pub id: u64,
    /// What is allowed.
    #[serde(rename = "text")]
    pub saying: Saying,
    /// Where it was given.
    #[serde(flatten)]
    pub origin: Origin,
    /// How long it is still valid.
    #[serde(serialize_with = "seconds")]
    pub left: Duration,
}

impl Spoken {
    /// Given by the member whose data or process it is about.
    fn is_about_its_origin(&self) -> bool {
        self.saying.about() == Some(&self.origin.member)
    }
}

/// The overrides that a member knows.
#[derive(Clone, Debug)]
pub(super) struct Overrides {
    me: Hostname,
    valid: Vec<Given>,
    /// Overrides that are used up, by where they were given, and since when: a member that still sends one does not know it yet.
    used_up: BTreeMap<(Hostname, u64), Tick>,
    /// What was taken of each peer lately.
    taken: BTreeMap<Hostname, Taken>,
}

/// What was taken of a peer within [`LONGEST`].
#[derive(Clone, Debug, Default)]
struct Taken {
    /// The overrides, and when each came first.
    overrides: Vec<(u64, Saying, Tick)>,
    /// When it was logged that others were dropped.
    logged: Option<Tick>,
}

/// What is new of what a peer has sent.
#[derive(Debug, Default)]
pub(super) struct News {
    /// These are valid from now on.
    pub(super) taken: Vec<Spoken>,
    /// There were too many, which was not logged lately.
    pub(super) are_dropped: bool,
}

#[derive(Clone, Debug)]
struct Given {
    id: u64,
    saying: Saying,
    origin: Origin,
    until: Tick,
}

impl Given {
    fn spoken(&self, now: Tick) -> Spoken {
        let (saying, origin) = (self.saying.clone(), self.origin.clone());
        Spoken { id: self.id, saying, origin, left: self.until.since(now) }
    }
}

impl Overrides {
    pub(super) fn new(me: Hostname) -> Overrides {
        Overrides { me, valid: Vec::new(), used_up: BTreeMap::new(), taken: BTreeMap::new() }
    }

    /// An operator gives an override here.
    pub(super) fn give(&mut self, id: u64, saying: Saying, user: Option<u32>, now: Tick) -> Origin {
        let origin = Origin { member: self.me.clone(), user };
        // One that names no member allows nothing, and could not be sent.
        if saying != Saying::AssumeLost(Vec::new()) {
            self.valid.retain(|given| given.origin.member != self.me || given.saying != saying);
            self.valid.push(Given { id, saying, until: now + LONGEST, origin: origin.clone() });
        }
        origin
    }

    /// What a peer sends replaces what it has sent before. A peer sends only what was given to it.
    pub(super) fn receive(&mut self, from: &Hostname, sent: &[Spoken], now: Tick) -> News {
        let taken = self.taken.entry(from.clone()).or_default();
        taken.overrides.retain(|(.., when)| now.since(*when) <= LONGEST);
        self.valid.retain(|given| given.origin.member != *from);
        let (mut news, mut is_surplus) = (News::default(), false);
        for one in sent.iter().filter(|one| !self.used_up.contains_key(&(from.clone(), one.id))) {
            let is_known = taken.overrides.iter().any(|(id, saying, _)| *id == one.id && *saying == one.saying);
            let is_valid =
                |given: &Given| given.origin.member == *from && given.id == one.id && given.saying == one.saying;
            if !is_known && taken.overrides.len() == MOST {
                is_surplus = true;
            } else if !self.valid.iter().any(is_valid) {
                let given = Given {
                    id: one.id,
                    saying: one.saying.clone(),
                    origin: Origin { member: from.clone(), user: one.origin.user },
                    until: now + one.left.min(LONGEST),
                };
                if !is_known {
                    taken.overrides.push((one.id, one.saying.clone(), now));
                    news.taken.push(given.spoken(now));
                }
                self.valid.push(given);
            }
        }
        if is_surplus && taken.logged.is_none_or(|when| now.since(when) > LONGEST) {
            taken.logged = Some(now);
            news.are_dropped = true;
        }
        news
    }

    /// What was sent in the name of a peer does not count any more.
    pub(super) fn forget(&mut self, peer: &Hostname) {
        self.valid.retain(|given| given.origin.member != *peer);
    }

    /// What was given here, to be sent.
    pub(super) fn given_here(&self, now: Tick) -> Vec<Spoken> {
        self.valid(now).filter(|one| one.origin.member == self.me).collect()
    }

    /// All that are valid now, wherever they were given.
    pub(super) fn valid(&self, now: Tick) -> impl Iterator<Item = Spoken> {
        self.valid.iter().filter(move |given| given.until > now).map(move |given| given.spoken(now))
    }

    /// Forgets what is over: its time, or its purpose. Returns those whose purpose is reached.
    pub(super) fn use_up(&mut self, now: Tick, is_used_up: impl Fn(&Saying) -> bool) -> Vec<Spoken> {
        let (over, valid) = std::mem::take(&mut self.valid).into_iter().partition(|given| is_used_up(&given.saying));
        self.valid = valid;
        self.valid.retain(|given| given.until > now);
        self.used_up.retain(|_, when| now.since(*when) <= LONGEST);
        let over: Vec<Given> = over;
        let is_new = |given: &Given| self.used_up.insert((given.origin.member.clone(), given.id), now).is_none();
        over.into_iter().filter(is_new).map(|given| given.spoken(now)).collect()
    }

    /// When the next one expires.
    pub(super) fn next_expiry(&self, now: Tick) -> Option<Tick> {
        self.valid.iter().map(|given| given.until).filter(|until| *until > now).min()
    }

    /// What counts for a start of this member: what was given to it, and what each member was given about itself. For no member:
    /// the latter alone.
    pub(super) fn counting(&self, starter: Option<&Hostname>, now: Tick) -> Vec<Spoken> {
        let counts = |one: &Spoken| one.is_about_its_origin() || starter == Some(&one.origin.member);
        self.valid(now).filter(counts).collect()
    }

    /// The members that were given something about others.
    pub(super) fn origins(&self, now: Tick) -> BTreeSet<Hostname> {
        self.valid(now).filter(|one| !one.is_about_its_origin()).map(|one| one.origin.member).collect()
    }

    /// Where else each of these has to be given: on the member that it is about; if it names none, on the one that would start
    /// with all of them (`starter`). Those that were given there are left out.
    pub(super) fn needed_elsewhere(&self, starter: Option<&Hostname>, now: Tick) -> Vec<(Spoken, Hostname)> {
        let all: Vec<Spoken> = self.valid(now).collect();
        let is_given = |saying: &Saying, member: &Hostname| {
            all.iter().any(|one| one.saying == *saying && one.origin.member == *member)
        };
        let needed = |one: &Spoken| {
            let member = one.saying.about().or(starter)?;
            (!is_given(&one.saying, member)).then(|| (one.clone(), member.clone()))
        };
        all.iter().filter_map(needed).collect()
    }
}

/// What overrides come to.
pub(super) fn policy(overrides: impl IntoIterator<Item = Spoken>) -> Policy {
    let mut policy = Policy { carried_out_by: CarriedOutBy::Supervisors, ..Policy::default() };
    for given in overrides {
        match given.saying {
            Saying::AssumeLost(hosts) => policy.assume_lost.extend(hosts),
            Saying::Discard(host) => {
                policy.discard.insert(host);
            }
            Saying::Trust(host) => {
                policy.trust.insert(host);
            }
            Saying::End(host) => {
                policy.end.insert(host);
            }
            Saying::Seed(host) => policy.seed = Some(first_of(policy.seed.take(), host)),
            Saying::Standalone => policy.standalone = true,
            Saying::Force(host) => policy.force = Some(first_of(policy.force.take(), host)),
        }
    }
    policy
}

/// Where two operators contradict each other, all members take the same one's override.
fn first_of(given: Option<Hostname>, host: Hostname) -> Hostname {
    match given {
        Some(given) => given.min(host),
        None => host,
    }
}

impl Supervisor {
    /// The decision of all members, and which overrides would also have to be given elsewhere, and where. `observed` has what was
    /// seen before and no operator gave.
    pub(super) fn decide_with_overrides(
        &self,
        seen: &[Seen],
        observed: &Policy,
    ) -> (Decision<Action, Reason>, Vec<(Spoken, Hostname)>) {
        let with = |overrides: Vec<Spoken>| {
            let Policy { reform_failed, split_confirmed, .. } = *observed;
            select_bootstrap(seen, &Policy { reform_failed, split_confirmed, ..policy(overrides) })
        };
        let origins = self.overrides.origins(self.now);
        let counting = |starter| with(self.overrides.counting(starter, self.now));
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
            with(self.overrides.valid(self.now).collect()).action.starters().first().cloned()
        };
        let needed = self.overrides.needed_elsewhere(starter.as_ref(), self.now);
        (decision, needed)
    }

    /// Says once of each override that it has to be given here to take its effect here.
    pub(super) fn note_needed(&mut self, needed: Vec<(Spoken, Hostname)>) {
        for (given, member) in &needed {
            if *member == self.config.me && !self.needed.iter().any(|(known, _)| known.id == given.id) {
                self.log(Event::Needed { saying: given.saying.clone(), origin: given.origin.clone() });
            }
        }
        self.needed = needed;
    }

    /// An override is valid for one decision: what it has led to ends it.
    pub(super) fn use_up_overrides(&mut self, action: &Action, seen: &[Seen]) {
        for Spoken { saying, origin, .. } in self.overrides.use_up(self.now, |saying| is_used_up(saying, action, seen))
        {
            self.log(Event::Served { saying, origin });
        }
    }

    /// An operator gives an override here.
    pub(super) fn override_given(&mut self, id: u64, saying: Saying, user: Option<u32>) {
        let origin = self.overrides.give(id, saying.clone(), user, self.now);
        self.log(Event::Said { saying, origin });
        self.timers.announce = self.now;
    }

    /// What operators have given to a peer.
    pub(super) fn learn_overrides(&mut self, message: &Message) {
        let News { taken, are_dropped } = self.overrides.receive(&message.from, &message.content.words, self.now);
        for Spoken { saying, origin, .. } in taken {
            self.log(Event::Said { saying, origin });
        }
        if are_dropped {
            self.log(Event::OverridesDropped { from: message.from.clone() });
        }
    }
}

/// It has led to service, the data that it discards are gone, or the process that it ends is.
pub(super) fn is_used_up(saying: &Saying, action: &Action, seen: &[Seen]) -> bool {
    let evidence = |host: &Hostname| {
        let seen = seen.iter().find(|seen| seen.host == *host);
        seen.and_then(|seen| seen.observation.evidence())
    };
    match saying {
        Saying::Discard(host) => evidence(host).is_some_and(|evidence| {
            let is_empty = evidence.files.as_ref().is_some_and(|files| files.datadir_empty);
            is_empty || records::synced(evidence).is_some()
        }),
        Saying::End(host) => evidence(host).is_some_and(|evidence| evidence.process != Process::NotResponding),
        Saying::AssumeLost(_) | Saying::Seed(_) | Saying::Standalone | Saying::Force(_) | Saying::Trust(_) => {
            matches!(action, Action::Join { .. })
        }
    }
}
