//! The rules, one function each, in order. The first that answers decides.

use super::Policy;
use super::action::{Action, Assumption, Awaited, Defect, Need, Problem, Unfit};
use super::facts::{Facts, Holds};
use super::highest::{regression, untrusted};
use super::reason::{Reason, SplitSign};
use super::start::Source;
use super::witness::{Flag, HeldView, flag, held_views, stopped_cleanly_and_last};
use crate::cluster::Hostname;
use crate::galera::{ClusterStatus, LocalState, Position, Running};

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
            .or_else(|| self.alone())
            .or_else(|| self.transfer())
            .or_else(|| self.may_be_serving())
            .or_else(|| self.operators_word())
            .or_else(|| self.standalone_history())
            .or_else(|| self.divergent_histories())
            .or_else(|| self.network_cut())
            .or_else(|| self.last_view())
            .or_else(|| self.left_last())
            .or_else(|| self.unknown())
            .unwrap_or_else(|| self.highest())
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
    pub(super) fn alone(&self) -> Option<Answer<'a>> {
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
    pub(super) fn transfer(&self) -> Option<Answer<'a>> {
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

    /// A new primary component from one member: promoted where it runs, bootstrapped where it does not. `proved`: nobody of whom
    /// nothing is known is more advanced.
    pub(super) fn start(
        &self,
        one: &'a Facts<'a>,
        position: Position,
        proved: bool,
        mut assumes: Vec<Assumption>,
    ) -> Answer<'a> {
        let unbounded: Vec<Hostname> = self
            .facts
            .iter()
            .filter(|other| other.place != one.place && may_be_above(other, position, proved))
            .map(|other| other.host.clone())
            .collect();
        let new_uuid = !unbounded.is_empty();
        // A running component keeps its UUID.
        let promoted = one.running().filter(|running| running.status == ClusterStatus::NonPrimary && !new_uuid);
        let source = Source::member(one, position, promoted);
        let left_behind: Vec<Hostname> =
            self.facts.iter().filter(|one| !one.enabled && !one.is_known()).map(|one| one.host.clone()).collect();
        if !left_behind.is_empty() {
            assumes.push(Assumption::LeftBehind { members: left_behind });
        }
        let (member, stop_first) = (one.host.clone(), source.stop_first(self.facts));
        let supersede_first = self.supersede_first(one);
        let (joiners, discard) = (source.joiners(self.facts), source.discards(self.facts));
        let action = match promoted {
            Some(_) => Action::Promote { member, stop_first, supersede_first, joiners, discard, position, assumes },
            None => {
                Action::Bootstrap { member, new_uuid, stop_first, supersede_first, joiners, discard, position, assumes }
            }
        };
        Answer { action, reasons: Vec::new(), source: Some(source), unproved: unbounded }
    }

    /// Who holds a last primary view, or a proof of having left last, that could bring a component back without the member that
    /// is started: two components would go on from there.
    fn supersede_first(&self, one: &Facts<'_>) -> Vec<Hostname> {
        let could_be_restored = |view: &&HeldView<'_>| {
            // One whose holders are all unsafe is never restored. `best` leaves out who diverged, but a word may bring those back.
            let has_rows = !view.complete || view.holders.iter().any(|&at| self.facts[at].safe().is_some());
            view.may_be_completed && has_rows && !view.holders.contains(&one.place)
        };
        let mut places: Vec<usize> =
            self.views.iter().filter(could_be_restored).flat_map(|view| view.holders.clone()).collect();
        let left_last = |at: &usize| *at != one.place && stopped_cleanly_and_last(&self.facts[*at]).is_ok();
        places.extend((0..self.facts.len()).filter(left_last));
        places.retain(|&at| self.facts[at].enabled && !self.facts[at].given_up);
        places.sort_unstable();
        places.dedup();
        self.hosts(&places)
    }

    /// What a start from this source does not bring back, and who else is seen.
    pub(super) fn warnings(&self, source: &Source<'_>) -> Vec<Reason> {
        let lost = source.position().into_iter().flat_map(|best| {
            self.recorded_above(best).map(move |(member, recorded)| Reason::TailLost {
                member: member.clone(),
                from: best.seqno().get() + 1,
                to: recorded.seqno().get(),
            })
        });
        let strangers = self.enabled().flat_map(|one| {
            let others = one.running().map_or(&[][..], |running| &running.sees_others);
            others.iter().map(|address| Reason::SeesStranger { member: one.host.clone(), address: address.clone() })
        });
        lost.chain(strangers).collect()
    }

    pub(super) fn is_lost(&self, one: &Facts<'_>) -> bool {
        self.policy.assume_lost.contains(one.host)
    }

    pub(super) fn hosts(&self, places: &[usize]) -> Vec<Hostname> {
        places.iter().map(|&at| self.facts[at].host.clone()).collect()
    }
}

/// Not proved to hold no more than this: with the same UUID, Galera would let it in by its number.
pub(super) fn may_be_above(one: &Facts<'_>, position: Position, proved: bool) -> bool {
    match &one.holds {
        Holds::Safe(own) if one.has_diverged() => own.uuid() == position.uuid(),
        Holds::Safe(own)
        | Holds::Unsafe(Defect::TransferUnsynced | Defect::Contradiction | Defect::Superseded, Some(own)) => {
            own.is_above(position) || one.ran_standalone() && own.uuid() == position.uuid()
        }
        Holds::Unknown(_) => !proved,
        // Galera transfers everything to a member without a state.
        Holds::Nothing | Holds::Empty | Holds::NoHistory | Holds::Unsafe(..) => false,
    }
}

/// A member of which something has to be known first.
pub(super) fn need_of(one: &Facts<'_>) -> Option<Awaited> {
    one.need().map(|need| awaited(one, need))
}

pub(super) fn awaited(one: &Facts<'_>, need: Need) -> Awaited {
    Awaited { member: one.host.clone(), need }
}
