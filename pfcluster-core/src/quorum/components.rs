//! The members through a sequence of view changes: who sees whom, who is primary.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{ChangeError, ViewChange};
use super::outcome::{Absence, Absent, Group, Outcome, State};
use super::reason::Reason;
use super::tally::{Tally, Weights};
use super::tolerance::Tolerance;
use super::{Voter, Weight, alive_quorum};
use crate::cluster::Hostname;
use crate::decision::{Step, and};

/// The answer of [`what_if`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WhatIf {
    /// All members are up and see each other.
    pub before: Outcome,
    /// After each of the changes.
    pub after: Vec<Outcome>,
}

impl WhatIf {
    /// How it ends.
    pub fn last(&self) -> &Outcome {
        self.after.last().unwrap_or(&self.before)
    }
}

/// A change that can't happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("change {number}: {error}")]
#[non_exhaustive]
pub struct WhatIfError {
    /// Which one, from 1.
    pub number: usize,
    /// Why.
    pub error: ChangeError,
}

/// What becomes of a healthy cluster of these members if all these changes happen, one after the other.
///
/// The members stand in order of cluster.conf; they are the enabled ones that share one database, and the arbitrator if
/// there is one. A name that stands twice counts once.
///
/// # Errors
/// [`WhatIfError`] if a change names somebody who is not there, or not everybody whom it should.
pub fn what_if(voters: &[Voter], changes: &[ViewChange]) -> Result<WhatIf, WhatIfError> {
    let mut components = Components::new(voters);
    let before = components.healthy();
    let apply = |(at, change)| components.apply(change).map_err(|error| WhatIfError { number: at + 1, error });
    let after = changes.iter().enumerate().map(apply).collect::<Result<_, _>>()?;
    Ok(WhatIf { before, after })
}

/// Members are numbers here: their places in cluster.conf.
struct Components {
    voters: Vec<Voter>,
    places: BTreeMap<Hostname, usize>,
    absent: BTreeMap<usize, Absence>,
    groups: Vec<Vec<usize>>,
    /// The members of the last primary view, in order.
    last: Vec<usize>,
    /// The group that is primary, a place in `groups`. It holds exactly the members of `last`.
    primary: Option<usize>,
}

/// Why a group is what it is.
enum Verdict {
    /// It holds all members of the last primary view.
    Whole,
    /// Some of them, while somebody was primary.
    Part(Tally),
    /// None of them, or some while nobody was primary.
    Apart,
}

impl Components {
    fn new(voters: &[Voter]) -> Components {
        let mut seen = BTreeSet::new();
        let voters: Vec<Voter> = voters.iter().filter(|voter| seen.insert(&voter.host)).cloned().collect();
        let places = voters.iter().enumerate().map(|(at, voter)| (voter.host.clone(), at)).collect();
        let all: Vec<usize> = (0..voters.len()).collect();
        let groups: Vec<_> = Some(all.clone()).filter(|all| !all.is_empty()).into_iter().collect();
        let primary = if groups.is_empty() { None } else { Some(0) };
        Components { voters, places, absent: BTreeMap::new(), groups, last: all, primary }
    }

    fn healthy(&self) -> Outcome {
        let reason = Reason::AllTogether { count: self.voters.len() };
        self.outcome(&[None], self.primary.map(|_| reason).into_iter().collect())
    }

    fn apply(&mut self, change: &ViewChange) -> Result<Outcome, ChangeError> {
        let gone = self.gone(change)?;
        let groups = match &change.split {
            Some(split) => self.split(split, &gone)?,
            None => self.remaining(&gone),
        };
        let verdicts: Vec<Verdict> = self.verdicts(&groups, &gone);
        let was_primary = self.primary.is_some();
        let before = std::mem::replace(&mut self.groups, groups);
        self.absent.extend(gone);
        let is_primary = |verdict: &Verdict| match verdict {
            Verdict::Whole => true,
            Verdict::Part(tally) => tally.has_quorum(),
            Verdict::Apart => false,
        };
        self.primary = verdicts.iter().position(is_primary);
        let reasons = self.reasons(&verdicts, &before, was_primary);
        if let Some(primary) = self.primary {
            self.last.clone_from(&self.groups[primary]);
        }
        let tallies: Vec<Option<Tally>> = verdicts.iter().map(Verdict::tally).collect();
        Ok(self.outcome(&tallies, reasons))
    }

    /// Who goes in this change.
    fn gone(&self, change: &ViewChange) -> Result<BTreeMap<usize, Absence>, ChangeError> {
        let mut gone = BTreeMap::new();
        let crashed = change.down.iter().map(|host| (host, Absence::Crashed));
        for (host, absence) in crashed.chain(change.left.iter().map(|host| (host, Absence::Left))) {
            if gone.insert(self.up(host)?, absence).is_some() {
                return Err(ChangeError::Twice(host.clone()));
            }
        }
        Ok(gone)
    }

    /// The place of a member that is up.
    fn up(&self, host: &Hostname) -> Result<usize, ChangeError> {
        let &at = self.places.get(host).ok_or_else(|| ChangeError::Unknown(host.clone()))?;
        if self.absent.contains_key(&at) { Err(ChangeError::AlreadyDown(host.clone())) } else { Ok(at) }
    }

    /// The groups of a new split.
    fn split(&self, split: &[Vec<Hostname>], gone: &BTreeMap<usize, Absence>) -> Result<Vec<Vec<usize>>, ChangeError> {
        let mut seen = BTreeSet::new();
        let mut groups = Vec::new();
        for names in split.iter().filter(|names| !names.is_empty()) {
            let mut group = Vec::new();
            for host in names {
                let at = self.up(host)?;
                if gone.contains_key(&at) {
                    return Err(ChangeError::GoesDown(host.clone()));
                }
                if !seen.insert(at) {
                    return Err(ChangeError::Twice(host.clone()));
                }
                group.push(at);
            }
            group.sort_unstable();
            groups.push(group);
        }
        groups.sort_unstable();
        let up = self.groups.iter().flatten().filter(|at| !gone.contains_key(at));
        let mut missing: Vec<usize> = up.filter(|at| !seen.contains(at)).copied().collect();
        missing.sort_unstable();
        if missing.is_empty() { Ok(groups) } else { Err(ChangeError::Missing(self.hosts(&missing))) }
    }

    /// The groups as they were, less those who go.
    fn remaining(&self, gone: &BTreeMap<usize, Absence>) -> Vec<Vec<usize>> {
        let stays = |at: &&usize| !gone.contains_key(at);
        let mut groups: Vec<Vec<usize>> =
            self.groups.iter().map(|group| group.iter().filter(stays).copied().collect()).collect();
        groups.retain(|group| !group.is_empty());
        groups.sort_unstable();
        groups
    }

    fn verdicts(&self, groups: &[Vec<usize>], gone: &BTreeMap<usize, Absence>) -> Vec<Verdict> {
        let weight = |&at: &usize| self.voters[at].weight;
        let weights = Weights::of(self.last.iter().map(weight));
        let leavers = self.last.iter().filter(|at| gone.get(at) == Some(&Absence::Left));
        let left = weights.of_all(leavers.map(weight));
        let before = weights.of_all(self.last.iter().map(weight));
        let verdict = |group: &Vec<usize>| {
            let stayed: Vec<usize> = group.iter().filter(|&&at| self.was_in_last(at)).copied().collect();
            if stayed.len() == self.last.len() {
                return Verdict::Whole;
            }
            if stayed.is_empty() || self.primary.is_none() {
                return Verdict::Apart;
            }
            Verdict::Part(Tally { stayed: weights.of_all(stayed.iter().map(weight)), left, before })
        };
        groups.iter().map(verdict).collect()
    }

    /// True for members of the last primary view.
    fn was_in_last(&self, at: usize) -> bool {
        self.last.binary_search(&at).is_ok()
    }

    /// Why; `before` are the groups before the change, the rest of `self` is as it is now, but for `last`.
    fn reasons(&self, verdicts: &[Verdict], before: &[Vec<usize>], was_primary: bool) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (group, verdict) in self.groups.iter().zip(verdicts) {
            let members = self.hosts(group);
            let (stayed, joined): (Vec<usize>, Vec<usize>) = group.iter().partition(|&&at| self.was_in_last(at));
            let (stayed, joined) = (self.hosts(&stayed), self.hosts(&joined));
            match verdict {
                Verdict::Whole if !was_primary => reasons.push(Reason::Reforms { members: self.hosts(&self.last) }),
                Verdict::Whole if before.contains(group) => reasons.push(Reason::Unchanged { members }),
                Verdict::Part(tally) if !tally.has_quorum() => {
                    reasons.push(Reason::NoQuorum { members, tally: *tally });
                    continue;
                }
                Verdict::Part(tally) => {
                    reasons.push(Reason::Quorum { members: stayed, tally: *tally });
                }
                Verdict::Apart if was_primary => {
                    reasons.push(Reason::Outside { members });
                    continue;
                }
                // One sentence for all of them, below.
                Verdict::Apart => continue,
                Verdict::Whole => {}
            }
            if !joined.is_empty() {
                reasons.push(Reason::Joins { members: joined });
            }
        }
        let unknown = self.last.iter().filter(|&&at| self.voters[at].weight.is_none()).copied().collect::<Vec<_>>();
        if !unknown.is_empty() && verdicts.iter().any(|verdict| verdict.tally().is_some()) {
            reasons.push(Reason::WeightUnknown { members: self.hosts(&unknown) });
        }
        if self.primary.is_none() {
            reasons.push(self.why_nobody());
        }
        reasons.extend(self.guide_differs());
        reasons
    }

    /// Nobody is primary.
    fn why_nobody(&self) -> Reason {
        if self.groups.is_empty() {
            return Reason::NobodyUp;
        }
        let last_with = |absence: Option<Absence>| {
            let members = self.last.iter().copied().filter(|at| self.absent.get(at).copied() == absence);
            self.hosts(&members.collect::<Vec<_>>())
        };
        Reason::NotWhole {
            apart: last_with(None),
            crashed: last_with(Some(Absence::Crashed)),
            left: last_with(Some(Absence::Left)),
        }
    }

    /// The groups that the guide's counting takes for something else.
    fn guide_differs(&self) -> impl Iterator<Item = Reason> {
        let enabled = self.voters.len();
        self.groups.iter().enumerate().filter_map(move |(at, group)| {
            let is_primary = self.primary == Some(at);
            let guide = alive_quorum(group.len(), enabled);
            (guide.has_quorum() != is_primary).then(|| Reason::GuideDiffers {
                members: self.hosts(group),
                enabled,
                state: if is_primary { State::Primary } else { State::ReadOnly },
            })
        })
    }

    fn outcome(&self, tallies: &[Option<Tally>], reasons: Vec<Reason>) -> Outcome {
        let state = |at| if self.primary == Some(at) { State::Primary } else { State::ReadOnly };
        let groups = self.groups.iter().zip(tallies).enumerate();
        let groups = groups.map(|(at, (group, &tally))| Group {
            members: self.hosts(group),
            state: state(at),
            tally,
            alive_quorum: alive_quorum(group.len(), self.voters.len()),
        });
        let absent = self.absent.iter();
        let weights = |group: &[usize]| -> Vec<(Hostname, Option<Weight>)> {
            group.iter().map(|&at| (self.voters[at].host.clone(), self.voters[at].weight)).collect()
        };
        Outcome {
            groups: groups.collect(),
            absent: absent.map(|(&at, &absence)| Absent { host: self.voters[at].host.clone(), absence }).collect(),
            reasons,
            tolerance: self.primary.map(|at| Tolerance::of(&weights(&self.groups[at]))),
            remedy: if self.primary.is_some() { Vec::new() } else { self.remedy() },
        }
    }

    /// What brings a primary component back.
    fn remedy(&self) -> Vec<Step> {
        let went = |how| move |at: &&usize| self.absent.get(at) == Some(&how);
        let crashed: Vec<usize> = self.last.iter().filter(went(Absence::Crashed)).copied().collect();
        let has_left = self.last.iter().any(|at| went(Absence::Left)(&at));
        let parts = self.groups.iter().filter(|group| group.iter().any(|&at| self.was_in_last(at))).count();
        let mut steps = Vec::new();
        if parts > 1 {
            let up: Vec<usize> = self.last.iter().filter(|at| !self.absent.contains_key(at)).copied().collect();
            steps.push(Step::advice(format!("restore the network between {}", and(&self.hosts(&up)))));
        }
        if !crashed.is_empty() && !has_left {
            steps.push(Step::advice(format!(
                "start {} again, before any other member that is down, and leave `gvwstate.dat` where it is",
                and(&self.hosts(&crashed))
            )));
        }
        if !crashed.is_empty() || has_left {
            steps.push(Step::run_anywhere("pfcluster bootstrap"));
        }
        steps
    }

    fn hosts(&self, members: &[usize]) -> Vec<Hostname> {
        members.iter().map(|&at| self.voters[at].host.clone()).collect()
    }
}

impl Verdict {
    fn tally(&self) -> Option<Tally> {
        match self {
            Verdict::Part(tally) => Some(*tally),
            Verdict::Whole | Verdict::Apart => None,
        }
    }
}
