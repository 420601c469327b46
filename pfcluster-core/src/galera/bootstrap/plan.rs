//! What follows from a start: with which cluster UUID, who must stop before, which proofs it supersedes, who joins, whose data
//! would be lost by joining, and why each of them was not the one to start from (rule 12).

use super::action::{Action, Assumption, Defect};
use super::facts::{Facts, Holds};
use super::last_to_leave::{HeldView, stopped_cleanly_and_last};
use super::reason::{NotChosen, Reason};
use super::rules::{Answer, Election};
use crate::cluster::Hostname;
use crate::galera::{ClusterStatus, Fork, Position, Process, Running, Uuid};

/// Where the new state comes from.
pub(super) struct Source<'f> {
    /// In order.
    members: Vec<&'f Facts<'f>>,
    state: State,
    /// It is in service already: who runs without service merges by itself.
    in_service: bool,
    /// Its members start normally: processes that do so already go on.
    reforms: bool,
    /// It runs and is promoted: who is in its component comes along.
    promoted: Option<&'f Running>,
}

/// What the state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A place in a history.
    At(Position),
    /// The beginning of a new history.
    New,
}

/// What becomes of a member that is not the source.
#[derive(PartialEq)]
enum Fate {
    /// It joins.
    Joins,
    /// It would lose data by joining.
    Loses,
    /// It is left alone.
    Stays,
}

impl<'f> Source<'f> {
    pub(super) fn component(members: Vec<&'f Facts<'f>>, position: Position) -> Source<'f> {
        Source { members, state: State::At(position), in_service: true, reforms: false, promoted: None }
    }

    pub(super) fn view(members: Vec<&'f Facts<'f>>, position: Position) -> Source<'f> {
        Source { members, state: State::At(position), in_service: false, reforms: true, promoted: None }
    }

    pub(super) fn member(one: &'f Facts<'f>, position: Position, promoted: Option<&'f Running>) -> Source<'f> {
        Source { members: vec![one], state: State::At(position), in_service: false, reforms: false, promoted }
    }

    /// Data without history, or none at all.
    pub(super) fn new_history(one: &'f Facts<'f>) -> Source<'f> {
        Source { members: vec![one], state: State::New, in_service: false, reforms: false, promoted: None }
    }

    pub(super) fn position(&self) -> Option<Position> {
        match self.state {
            State::At(position) => Some(position),
            State::New => None,
        }
    }

    fn has(&self, one: &Facts<'_>) -> bool {
        self.members.binary_search_by_key(&one.place, |member| member.place).is_ok()
    }

    /// Whoever waits without service outside of the source: any such process keeps a view from forming again, and none
    /// may become primary by itself meanwhile.
    pub(super) fn stop_first(&self, facts: &[Facts<'_>]) -> Vec<Hostname> {
        let stays = |one: &Facts<'_>| {
            if self.has(one) { self.reforms || self.promoted.is_some() } else { self.comes_along(one) }
        };
        let must_stop = |one: &&Facts<'_>| one.enabled && !one.arbitrator() && one.lingers() && !stays(one);
        facts.iter().filter(must_stop).map(|one| one.host.clone()).collect()
    }

    pub(super) fn joiners(&self, facts: &[Facts<'_>]) -> Vec<Hostname> {
        facts.iter().filter(|one| matches!(self.fate(one), Fate::Joins)).map(|one| one.host.clone()).collect()
    }

    pub(super) fn discards(&self, facts: &[Facts<'_>]) -> Vec<Hostname> {
        facts.iter().filter(|one| matches!(self.fate(one), Fate::Loses)).map(|one| one.host.clone()).collect()
    }

    fn fate(&self, one: &Facts<'_>) -> Fate {
        if !one.enabled
            || self.has(one)
            || !one.is_known() && !one.given_up
            || one.primary().is_some()
            || one.maintenance()
            || one.transfers()
        {
            return Fate::Stays;
        }
        let loses = match &one.holds {
            Holds::Nothing => return Fate::Stays,
            Holds::Empty => false,
            _ if one.given_up => true,
            Holds::Unknown(_) | Holds::Unsafe(Defect::TransferRuns, _) => return Fate::Stays,
            Holds::Unsafe(Defect::TransferBroken, None) => !is_only_a_broken_copy(one),
            Holds::Unsafe(Defect::TransferBroken, Some(position)) => {
                !is_only_a_broken_copy(one) || !self.includes(one, *position)
            }
            // Galera transfers everything to a member without a state, and it has nothing that the source lacks.
            Holds::Unsafe(
                Defect::GrastateTorn | Defect::GrastateMissing | Defect::ZeroUuid | Defect::TransferUnsynced,
                Some(position),
            )
            | Holds::Safe(position) => !self.includes(one, *position),
            // What it confirmed to clients is with others.
            Holds::Unsafe(Defect::TransferUnsynced, None) => false,
            Holds::NoHistory | Holds::Unsafe(..) => true,
        };
        match one.evidence.map(|evidence| &evidence.process) {
            _ if loses => Fate::Loses,
            Some(Process::Stopped) => Fate::Joins,
            // What is stopped first starts again afterwards; what runs beside a component in service finds it by itself.
            Some(_) if !self.in_service && !self.comes_along(one) => Fate::Joins,
            _ => Fate::Stays,
        }
    }

    /// The source has all that a member holds at this position: it is of the same UUID and not above, or of one that ended at a
    /// fork which the source went on from, and not above that.
    fn includes(&self, one: &Facts<'_>, position: Position) -> bool {
        let State::At(source) = self.state else { return false };
        let fork = self.missed_fork(one, position.uuid());
        let fits = match fork {
            Some(fork) => !position.is_above(fork),
            None => position.uuid() == source.uuid() && !position.is_above(source),
        };
        fits && !one.ran_standalone()
    }

    /// It is in the component of the member that is promoted, as both say.
    fn comes_along(&self, one: &Facts<'_>) -> bool {
        let (Some(promoted), Some(running)) = (self.promoted, one.running()) else { return false };
        let sees_source = self.members.iter().all(|member| running.sees.contains(member.host));
        running.status == ClusterStatus::NonPrimary && sees_source && promoted.sees.contains(one.host)
    }

    /// The earliest fork of this UUID that one of the two, the source and the member, went on from and the other did not; else the
    /// last one that both remember, if the source has had another UUID since.
    fn missed_fork(&self, one: &Facts<'_>, uuid: Uuid) -> Option<Position> {
        let remembers = |fork: &Fork| self.members.iter().any(|member| member.remembers_fork(fork));
        let is_own_uuid = Some(uuid) == self.position().map(Position::uuid);
        let of_source = || self.members.iter().flat_map(|member| member.forks()).filter(|fork| fork.at.uuid() == uuid);
        let of_member = one.forks().iter().filter(|fork| is_own_uuid && fork.at.uuid() == uuid && !remembers(fork));
        let missed = of_source().filter(|fork| !one.remembers_fork(fork)).chain(of_member);
        let earliest = missed.map(|fork| fork.at).min_by_key(|at| at.seqno());
        let left = of_source().filter(|_| !is_own_uuid).map(|fork| fork.at);
        earliest.or_else(|| left.max_by_key(|at| at.seqno()))
    }

    /// Why each of the others was not the one to start from.
    pub(super) fn losers(&self, facts: &[Facts<'_>], action: &Action) -> Vec<Reason> {
        let joins = |one: &Facts<'_>| matches!(action, Action::Join { .. }) && matches!(self.fate(one), Fate::Joins);
        let others = facts.iter().filter(|one| !self.has(one) && one.primary().is_none() && !joins(one));
        others.map(|one| Reason::NotChosen { member: one.host.clone(), why: self.not_chosen(one) }).collect()
    }

    fn not_chosen(&self, one: &Facts<'_>) -> NotChosen {
        if !one.enabled {
            return self.not_chosen_disabled(one);
        }
        if one.given_up {
            return NotChosen::GivenUp;
        }
        if let Some(need) = one.need() {
            return NotChosen::Unknown { need };
        }
        match &one.holds {
            Holds::Nothing => NotChosen::Arbitrator,
            Holds::Empty => NotChosen::Empty,
            Holds::NoHistory => NotChosen::NoHistory,
            Holds::Unknown(need) => NotChosen::Unknown { need: need.clone() },
            Holds::Unsafe(defect, position) => NotChosen::Unsafe { defect: *defect, position: *position },
            Holds::Safe(_) if one.ran_standalone() => NotChosen::Standalone,
            Holds::Safe(position) => self.not_chosen_at(one, *position),
        }
    }

    /// A disabled member is no candidate. What a start loses of it is told all the same.
    fn not_chosen_disabled(&self, one: &Facts<'_>) -> NotChosen {
        let Holds::Safe(position) = one.holds else { return NotChosen::Disabled };
        if self.in_service {
            return NotChosen::Disabled;
        }
        if one.ran_standalone() {
            return NotChosen::Standalone;
        }
        match self.not_chosen_at(one, position) {
            own @ (NotChosen::Above { .. } | NotChosen::Diverged { .. } | NotChosen::OtherHistory { .. }) => own,
            _ => NotChosen::Disabled,
        }
    }

    fn not_chosen_at(&self, one: &Facts<'_>, position: Position) -> NotChosen {
        let State::At(source) = self.state else { return NotChosen::OtherHistory { position } };
        match self.missed_fork(one, position.uuid()) {
            Some(fork) if position.is_above(fork) => {
                return NotChosen::Diverged { fork: fork.seqno().get(), position };
            }
            Some(_) if position.uuid() != source.uuid() => return NotChosen::Succeeded { position },
            _ => {}
        }
        if position.uuid() != source.uuid() {
            return NotChosen::OtherHistory { position };
        }
        let by = source.seqno().get() - position.seqno().get();
        match by {
            _ if by < 0 => NotChosen::Above { by: -by },
            _ if by > 0 && !self.in_service => NotChosen::Behind { by },
            _ if one.maintenance() => NotChosen::Maintenance,
            _ if self.in_service => NotChosen::Running,
            _ if self.reforms => NotChosen::NotInLastView,
            _ => NotChosen::LostTie,
        }
    }
}

impl<'a> Election<'a> {
    /// A new primary component from one member: promoted where it runs, bootstrapped where it does not. `proved`: no member of
    /// which nothing is known is more advanced.
    pub(super) fn start_component(
        &self,
        one: &'a Facts<'a>,
        position: Position,
        proved: bool,
        mut assumes: Vec<Assumption>,
    ) -> Answer<'a> {
        let unbounded: Vec<Hostname> = self
            .facts
            .iter()
            .filter(|other| other.place != one.place && requires_new_uuid(other, position, proved))
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
            // One whose holders are all unsafe is never restored. `best` leaves out who diverged, but an override may bring those back.
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
}

/// With this member a component at `position` needs a new cluster UUID: it is not proved that the member is not more advanced, and with
/// the same UUID Galera would let it in by its seqno. `proved`: no member of which nothing is known is more advanced.
pub(super) fn requires_new_uuid(one: &Facts<'_>, position: Position, proved: bool) -> bool {
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

/// A transfer had taken the place of whatever was there before: nothing of the member's own is left to lose.
fn is_only_a_broken_copy(one: &Facts<'_>) -> bool {
    let grastate = one.files().and_then(|files| files.grastate.read());
    grastate.is_none_or(|grastate| grastate.uuid.is_zero())
}
