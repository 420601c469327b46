//! The rules in order, those named in the documentation of [`super`]; the first that applies decides. Rules 1 to 4, 7 and 11 are
//! here, 5 in `overrides.rs`, 6 and 10 in `most_advanced.rs`, 8 and 9 in `last_to_leave.rs`, 12 in `plan.rs`.

use super::Policy;
use super::action::{Action, Awaited, Need, Problem, Unfit};
use super::facts::{Facts, Holds};
use super::last_to_leave::{Flag, HeldView, flag, held_views};
use super::most_advanced::{regression, untrusted};
use super::plan::Source;
use super::reason::{Reason, SplitSign};
use crate::cluster::Hostname;
use crate::galera::{ClusterStatus, LocalState, Running};

/// An answer of a rule.
pub(super) struct Answer<'a> {
    pub(super) action: Action,
    pub(super) reasons: Vec<Reason>,
    /// What the others are compared with when it is said why they lost.
    pub(super) source: Option<Source<'a>>,
    /// Who may be more advanced than what is started.
    pub(super) unproved: Vec<Hostname>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(action: Action, reasons: Vec<Reason>) -> Answer<'a> {
        Answer { action, reasons, source: None, unproved: Vec::new() }
    }

    pub(super) fn refuse(problem: Problem) -> Answer<'a> {
        Answer::new(Action::Refuse { problem }, Vec::new())
    }

    pub(super) fn wait(awaited: Vec<Awaited>) -> Answer<'a> {
        Answer::new(Action::Wait { awaited }, Vec::new())
    }

    pub(super) fn because(mut self, reasons: impl IntoIterator<Item = Reason>) -> Answer<'a> {
        self.reasons.extend(reasons);
        self
    }
}

/// What the rules look at.
pub(super) struct Election<'a> {
    pub(super) facts: &'a [Facts<'a>],
    pub(super) policy: &'a Policy,
    pub(super) views: Vec<HeldView<'a>>,
    pub(super) flags: Vec<Flag>,
}

impl<'a> Election<'a> {
    pub(super) fn new(facts: &'a [Facts<'a>], policy: &'a Policy) -> Election<'a> {
        let flags = facts.iter().map(flag).collect();
        Election { facts, policy, views: held_views(facts), flags }
    }

    pub(super) fn decide(&self) -> Answer<'a> {
        self.members_differ()
            .or_else(|| self.in_service())
            .or_else(|| self.only_member())
            .or_else(|| self.transfer_runs())
            .or_else(|| self.may_be_serving())
            .or_else(|| self.force_or_seed())
            .or_else(|| self.ran_without_galera())
            .or_else(|| self.different_cluster_uuids())
            .or_else(|| self.network_cut())
            .or_else(|| self.last_view())
            .or_else(|| self.left_last())
            .or_else(|| self.missing_members())
            .unwrap_or_else(|| self.most_advanced())
    }

    pub(super) fn enabled(&self) -> impl Iterator<Item = &'a Facts<'a>> {
        self.facts.iter().filter(|one| one.enabled)
    }

    /// Enabled members of which something would have to be known before everybody has answered.
    pub(super) fn missing(&self) -> impl Iterator<Item = (usize, &'a Facts<'a>)> {
        // Giving up what somebody holds says nothing of whether it is in service.
        let is_missing = |one: &&Facts<'_>| one.enabled && !one.is_known() && (!one.given_up || one.evidence.is_none());
        self.facts.iter().enumerate().filter(move |(_, one)| is_missing(one))
    }

    pub(super) fn answered(&self) -> (usize, usize) {
        (self.enabled().filter(|one| one.is_known()).count(), self.enabled().count())
    }

    pub(super) fn majority(&self) -> bool {
        let (known, enabled) = self.answered();
        known * 2 > enabled
    }

    pub(super) fn answered_reason(&self) -> Reason {
        let (known, enabled) = self.answered();
        Reason::Answered { known, enabled }
    }

    /// Rule 1.
    pub(super) fn members_differ(&self) -> Option<Answer<'a>> {
        if self.enabled().next().is_none() {
            return Some(Answer::refuse(Problem::NoMembers));
        }
        let hash = |one: &Facts<'a>| Some((one.host, one.evidence?.members_hash.as_ref()?));
        let mut hashes = self.facts.iter().filter_map(hash);
        if let Some((one, first)) = hashes.next()
            && let Some((other, _)) = hashes.find(|(_, hash)| *hash != first)
        {
            return Some(Answer::refuse(Problem::MembersDiffer { one: one.clone(), other: other.clone() }));
        }
        let all_enabled = self.facts.iter().all(|one| one.enabled);
        self.facts.iter().find_map(|by| self.one_sided(by, all_enabled))
    }

    /// What `by` counts out must be what we count out, if we count `by` in; and one that we count out must count us out.
    pub(super) fn one_sided(&self, by: &Facts<'_>, all_enabled: bool) -> Option<Answer<'a>> {
        let disabled = &by.evidence?.disabled;
        let refuse = |by: &Hostname, out: &Hostname, against: &Hostname| {
            let (by, out, against) = (by.clone(), out.clone(), against.clone());
            Some(Answer::refuse(Problem::OneSidedDisable { by, out, against }))
        };
        let mut others = self.facts.iter().filter(|other| other.host != by.host);
        if disabled.contains(by.host) {
            // `bin/cluster/node` accepts one's own name: such a member takes another one's identity.
            return refuse(by.host, by.host, others.next().map_or(by.host, |other| other.host));
        }
        if !by.enabled {
            let us = others.find(|other| other.enabled && !disabled.contains(other.host))?;
            return refuse(us.host, by.host, by.host);
        }
        // Mostly nobody counts anybody out.
        if disabled.is_empty() && all_enabled {
            return None;
        }
        let other = others.find(|other| disabled.contains(other.host) == other.enabled)?;
        let someone = self.enabled().find(|one| one.host != by.host && one.host != other.host);
        let us = someone.map_or(other.host, |one| one.host);
        if other.enabled { refuse(by.host, other.host, us) } else { refuse(us, other.host, by.host) }
    }

    /// Rule 2.
    pub(super) fn in_service(&self) -> Option<Answer<'a>> {
        let primaries: Vec<(&Facts<'a>, &Running)> =
            self.enabled().filter_map(|one| Some((one, one.primary()?))).collect();
        let (first, _) = primaries.first()?;
        if let Some((one, _)) = primaries.iter().find(|(_, running)| running.uuid.is_zero()) {
            return Some(Answer::refuse(Problem::ZeroUuid { member: one.host.clone() }));
        }
        if let Some(answer) = self.two_primaries(&primaries) {
            return Some(answer);
        }
        let serves =
            |running: &Running| matches!(running.state, LocalState::Synced | LocalState::Donor | LocalState::Joined);
        // Of several that serve, some may not have applied yet what they have received.
        let serving = primaries.iter().filter(|(_, running)| serves(running));
        let Some(position) = serving.filter_map(|(one, _)| one.safe()).max_by_key(|position| position.seqno()) else {
            // Primary, but still receiving state or about to: somebody has the state, so nobody else may begin.
            let awaited = primaries.iter().map(|(one, _)| awaited(one, Need::Service)).collect();
            return Some(Answer::wait(awaited));
        };
        let source = Source::component(primaries.iter().map(|(one, _)| *one).collect(), position);
        let (primary, joiners) = (first.host.clone(), source.joiners(self.facts));
        let action = Action::Join { primary, joiners, discard: source.discards(self.facts) };
        let in_service = primaries.iter().filter_map(|(one, _)| one.safe().map(|position| (one, position)));
        let reasons =
            in_service.map(|(one, position)| Reason::InService { member: one.host.clone(), position }).collect();
        Some(Answer { action, reasons, source: Some(source), unproved: Vec::new() })
    }

    /// Two primary components? Membership is the only sign: after a forced split both sides showed the same uuid and the
    /// same position with different data.
    pub(super) fn two_primaries(&self, primaries: &[(&Facts<'a>, &Running)]) -> Option<Answer<'a>> {
        let (_, first) = primaries.first()?;
        let is_like_first = |running: &Running| running.uuid == first.uuid && running.sees == first.sees;
        let all_listed = primaries.iter().all(|(one, _)| first.sees.contains(one.host));
        if all_listed && primaries.iter().all(|(_, running)| is_like_first(running)) {
            return None;
        }
        let pairs =
            primaries.iter().enumerate().flat_map(|(at, one)| primaries[at + 1..].iter().map(move |b| (one, b)));
        let mut signs = pairs.filter_map(|((one, a), (other, b))| {
            let listed = (a.sees.contains(other.host), b.sees.contains(one.host));
            let sign = match listed {
                _ if a.uuid != b.uuid => SplitSign::Histories,
                (true, true) => return None,
                (false, false) => SplitSign::Membership,
                _ => SplitSign::OneSided,
            };
            Some((sign, one.host.clone(), other.host.clone()))
        });
        let (mut sign, mut one, mut other) = signs.next()?;
        if sign == SplitSign::OneSided
            && let Some(worse) = signs.find(|(sign, ..)| *sign != SplitSign::OneSided)
        {
            (sign, one, other) = worse;
        }
        if self.policy.split_confirmed && sign == SplitSign::OneSided {
            // Still so after the group has had its time: one component, seen through an address that is not mapped.
            return None;
        }
        let reason = Reason::TwoPrimaries { one: one.clone(), other: other.clone(), sign };
        let answer = if self.policy.split_confirmed {
            Answer::refuse(Problem::SplitBrain { one, other })
        } else {
            let again = |member| Awaited { member, need: Need::SecondLook };
            Answer::wait(vec![again(one), again(other)])
        };
        Some(answer.because([reason]))
    }

    /// Rule 3.
    pub(super) fn only_member(&self) -> Option<Answer<'a>> {
        let mut enabled = self.enabled();
        let one = enabled.next().filter(|_| enabled.next().is_none())?;
        if one.transfers() || self.policy.seed.is_some() {
            return None;
        }
        let disabled = self.facts.iter().filter(|one| !one.enabled).map(|one| one.host.clone()).collect();
        if let Some(awaited) = need_of(one) {
            return Some(Answer::wait(vec![awaited]));
        }
        match &one.holds {
            Holds::Nothing => Some(Answer::refuse(Problem::Unfit { member: one.host.clone(), why: Unfit::Arbitrator })),
            Holds::Unsafe(..) => {
                Some(Answer::refuse(Problem::NoCandidate { members: untrusted(one).into_iter().collect() }))
            }
            _ if one.maintenance() => Some(Answer::wait(vec![awaited(one, Need::MaintenanceEnd)])),
            Holds::Empty if one.remembers() => {
                Some(regression(one, one.records().and_then(|records| records.last_recorded)))
            }
            Holds::Empty | Holds::NoHistory | Holds::Safe(_) | Holds::Unknown(_) => {
                let member = one.host.clone();
                let reason = Reason::OnlyMember { member: member.clone(), disabled };
                Some(Answer::new(Action::Standalone { member }, vec![reason]))
            }
        }
    }

    /// Rule 4.
    pub(super) fn transfer_runs(&self) -> Option<Answer<'a>> {
        let awaited: Vec<Awaited> =
            self.facts.iter().filter(|one| one.transfers()).map(|one| awaited(one, Need::TransferEnd)).collect();
        if awaited.is_empty() { None } else { Some(Answer::wait(awaited)) }
    }

    /// Rule 4, too.
    pub(super) fn may_be_serving(&self) -> Option<Answer<'a>> {
        let awaited: Vec<Awaited> = self.enabled().filter(|one| one.may_be_serving()).filter_map(need_of).collect();
        if awaited.is_empty() { None } else { Some(Answer::wait(awaited).because([self.answered_reason()])) }
    }

    /// Rule 7.
    pub(super) fn network_cut(&self) -> Option<Answer<'a>> {
        let data: Vec<&Facts<'_>> = self.enabled().filter(|one| !one.arbitrator()).collect();
        let running: Vec<&Running> = data
            .iter()
            .filter_map(|one| one.running().filter(|running| running.status == ClusterStatus::NonPrimary))
            .collect();
        if running.len() < data.len() {
            return None;
        }
        let sees_all = |running: &Running, like: &Running| std::ptr::eq(running, like) || running.sees == like.sees;
        let first = running.first()?;
        let first_sees_all = data.iter().all(|one| first.sees.contains(one.host));
        let is_connected = |running: &Running| {
            first_sees_all && sees_all(running, first) || data.iter().all(|one| running.sees.contains(one.host))
        };
        let cut = |(_, running): &(&&Facts<'_>, &&Running)| !is_connected(running);
        let cut: Vec<Awaited> =
            data.iter().zip(&running).filter(cut).map(|(one, _)| awaited(one, Need::Network)).collect();
        if cut.is_empty() { None } else { Some(Answer::wait(cut).because([self.answered_reason()])) }
    }

    /// Rule 11.
    pub(super) fn missing_members(&self) -> Option<Answer<'a>> {
        let mut missing: Vec<(usize, &Facts<'_>)> = self.missing().filter(|(_, one)| !self.is_lost(one)).collect();
        if missing.is_empty() {
            return None;
        }
        // Those of a view that others hold as their last come first: the last to run must be able to talk to each other.
        let own_view = |one: &Facts<'_>| one.files().and_then(|files| files.gvwstate.read()).map(|own| own.view);
        let is_useful =
            |one: &Facts<'_>| own_view(one).is_some_and(|own| self.views.iter().any(|view| view.id() == own));
        missing.sort_by_key(|(at, one)| (!is_useful(one), *at));
        let awaited = missing.iter().filter_map(|(_, one)| need_of(one)).collect();
        let answer = Answer::wait(awaited).because([self.answered_reason()]);
        Some(answer.because(self.not_yet()).because(self.ignored_flags()))
    }

    pub(super) fn is_lost(&self, one: &Facts<'_>) -> bool {
        self.policy.assume_lost.contains(one.host)
    }

    pub(super) fn hosts(&self, places: &[usize]) -> Vec<Hostname> {
        places.iter().map(|&at| self.facts[at].host.clone()).collect()
    }
}

/// A member of which something has to be known first.
pub(super) fn need_of(one: &Facts<'_>) -> Option<Awaited> {
    one.need().map(|need| awaited(one, need))
}

pub(super) fn awaited(one: &Facts<'_>, need: Need) -> Awaited {
    Awaited { member: one.host.clone(), need }
}
