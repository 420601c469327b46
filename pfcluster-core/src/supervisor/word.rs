//! Overrides: what an operator gives up, for one decision; where each was given, and for which member it counts.

use std::collections::BTreeSet;
use std::fmt;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The member to whose supervisor it was given.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Tells it from the same override given again.
    pub id: u64,
    /// What is allowed.
    pub saying: Saying,
    /// Where it was given.
    pub origin: Origin,
    /// How long it is still valid.
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
pub(super) struct Words {
    me: Hostname,
    held: Vec<Held>,
    /// Overrides that are used up: a member that still sends one does not know it yet.
    served: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
struct Held {
    id: u64,
    saying: Saying,
    origin: Origin,
    until: Tick,
}

impl Held {
    fn spoken(&self, now: Tick) -> Spoken {
        let (saying, origin) = (self.saying.clone(), self.origin.clone());
        Spoken { id: self.id, saying, origin, left: self.until.since(now) }
    }
}

impl Words {
    pub(super) fn new(me: Hostname) -> Words {
        Words { me, held: Vec::new(), served: BTreeSet::new() }
    }

    /// An operator gives an override here.
    pub(super) fn say(&mut self, id: u64, saying: Saying, user: Option<u32>, now: Tick) -> Origin {
        let origin = Origin { member: self.me.clone(), user };
        // One that names no member allows nothing, and could not be sent.
        if saying != Saying::AssumeLost(Vec::new()) {
            self.held.retain(|held| held.origin.member != self.me || held.saying != saying);
            self.held.push(Held { id, saying, until: now + LONGEST, origin: origin.clone() });
        }
        origin
    }

    /// What a peer sends replaces what it has sent before. A peer sends only what was given to it. Returns what is new.
    pub(super) fn hear(&mut self, from: &Hostname, words: &[Spoken], now: Tick) -> Vec<Spoken> {
        let is_from = |held: &Held| held.origin.member == *from;
        let known: Vec<u64> = self.held.iter().filter(|held| is_from(held)).map(|held| held.id).collect();
        self.held.retain(|held| !is_from(held));
        let valid = words.iter().filter(|word| !self.served.contains(&word.id));
        let valid = valid.map(|word| Held {
            id: word.id,
            saying: word.saying.clone(),
            origin: Origin { member: from.clone(), user: word.origin.user },
            until: now + word.left.min(LONGEST),
        });
        let first = self.held.len();
        self.held.extend(valid);
        self.held[first..].iter().filter(|held| !known.contains(&held.id)).map(|held| held.spoken(now)).collect()
    }

    /// What was given here, to be sent.
    pub(super) fn said(&self, now: Tick) -> Vec<Spoken> {
        self.holding(now).filter(|word| word.origin.member == self.me).collect()
    }

    /// All that are valid now, wherever they were given.
    pub(super) fn holding(&self, now: Tick) -> impl Iterator<Item = Spoken> {
        self.held.iter().filter(move |held| held.until > now).map(move |held| held.spoken(now))
    }

    /// Forgets what is over: its time, or its purpose. Returns those whose purpose is reached.
    pub(super) fn end(&mut self, now: Tick, is_served: impl Fn(&Saying) -> bool) -> Vec<Spoken> {
        let (over, held) = std::mem::take(&mut self.held).into_iter().partition(|held| is_served(&held.saying));
        self.held = held;
        self.held.retain(|held| held.until > now);
        let over: Vec<Held> = over;
        over.into_iter().filter(|held| self.served.insert(held.id)).map(|held| held.spoken(now)).collect()
    }

    /// When the next one ends.
    pub(super) fn next_end(&self, now: Tick) -> Option<Tick> {
        self.held.iter().map(|held| held.until).filter(|until| *until > now).min()
    }

    /// What counts for a start of this member: what was given to it, and what each member was given about itself. For no member:
    /// the latter alone.
    pub(super) fn counting(&self, starter: Option<&Hostname>, now: Tick) -> Vec<Spoken> {
        let counts = |word: &Spoken| word.is_about_its_origin() || starter == Some(&word.origin.member);
        self.holding(now).filter(counts).collect()
    }

    /// The members that were given something about others.
    pub(super) fn origins(&self, now: Tick) -> BTreeSet<Hostname> {
        self.holding(now).filter(|word| !word.is_about_its_origin()).map(|word| word.origin.member).collect()
    }

    /// Where else each of these has to be given: on the member that it is about; if it names none, on the one that would start
    /// with all of them (`starter`). Those that were given there are left out.
    pub(super) fn needed_elsewhere(&self, starter: Option<&Hostname>, now: Tick) -> Vec<(Spoken, Hostname)> {
        let all: Vec<Spoken> = self.holding(now).collect();
        let is_given = |saying: &Saying, member: &Hostname| {
            all.iter().any(|word| word.saying == *saying && word.origin.member == *member)
        };
        let needed = |word: &Spoken| {
            let member = word.saying.about().or(starter)?;
            (!is_given(&word.saying, member)).then(|| (word.clone(), member.clone()))
        };
        all.iter().filter_map(needed).collect()
    }
}

/// What overrides come to.
pub(super) fn policy(words: impl IntoIterator<Item = Spoken>) -> Policy {
    let mut policy = Policy { carried_out_by: CarriedOutBy::Supervisors, ..Policy::default() };
    for word in words {
        match word.saying {
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
            Saying::Seed(host) => policy.seed = Some(first(policy.seed.take(), host)),
            Saying::Standalone => policy.standalone = true,
            Saying::Force(host) => policy.force = Some(first(policy.force.take(), host)),
        }
    }
    policy
}

/// Where two operators contradict each other, all members take the same one's override.
fn first(given: Option<Hostname>, host: Hostname) -> Hostname {
    match given {
        Some(given) => given.min(host),
        None => host,
    }
}
