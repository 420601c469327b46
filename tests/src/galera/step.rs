//! All that can happen next, within bounds.

use std::fmt;

use super::supervisor::part;
use super::{Cluster, Part, Place, Set, State, Tear, plain};
use pfcluster_core::galera::Policy;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A client commits here; the other members of the component have applied it (`false`) or only received it.
    Commit(Place, bool),
    /// Everybody applies what was received.
    Apply,
    /// Everybody in service writes down how far it has come.
    Record,
    /// A process dies.
    Crash(Place),
    /// All processes but this one die at the same moment.
    CrashOthers(Place),
    /// The power of one member goes, with so many events.
    CutPower(Place, u8, Tear),
    /// The power of all members goes; those in the set lose what is not flushed.
    CutAllPower(Set),
    /// The power of one member is back.
    RestorePower(Place),
    /// A clean stop.
    Leave(Place),
    /// A member is cut off from the others.
    Isolate(Place),
    /// The network is whole.
    Heal,
    /// A state transfer ends.
    FinishTransfer(Place),
    /// A process without a view gives up.
    GiveUp(Place),
    /// A member decides with what these tell, and does its part at once.
    Supervise(Place, Set),
    /// A member decides, and is slow to act.
    Plan(Place, Set),
    /// It acts on what it decided then.
    CarryOut,
    /// The operator forces a new cluster here.
    Force(Place, Set),
}

/// How much may happen in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bounds {
    /// Crashes, power cuts and clean stops.
    pub faults: u8,
    /// Commits.
    pub commits: u8,
    /// Of these, how many are late on the other members.
    pub late: u8,
    /// How often a member is cut off.
    pub cuts: u8,
    /// How often a member is slow to act on what it decided.
    pub plans: u8,
    /// How often the operator forces a new cluster.
    pub forces: u8,
    /// How often positions are written down.
    pub records: u8,
    /// How often a power cut harms a file.
    pub tears: u8,
}

/// A cluster, what is still allowed to happen to it, and a decision that was taken and not yet carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    /// The cluster.
    pub cluster: Cluster,
    /// What may still happen.
    pub left: Bounds,
    /// Whose decision, with whose evidence, and which part. It is void as soon as that member is not any more what it was.
    pub plan: Option<(Place, Set, Part)>,
}

impl World {
    /// What can happen next.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for place in 0..self.cluster.members.len() {
            self.steps_of(place, &mut steps);
        }
        let runs = |place| self.cluster.run(place);
        let everybody = self.cluster.everybody();
        if everybody.iter().any(|place| runs(place).is_some_and(|run| run.queue > 0)) {
            steps.push(Step::Apply);
        }
        if self.left.records > 0 && everybody.iter().any(|place| self.cluster.is_synced(place)) {
            steps.push(Step::Record);
        }
        if self.left.faults > 0 && everybody.iter().filter(|&place| runs(place).is_some()).count() > 1 {
            let may_lose = |&place: &Place| self.cluster.rows(place).is_some_and(|rows| rows.unflushed > 0);
            let may_lose: Set = everybody.iter().filter(|place| runs(*place).is_some()).filter(may_lose).collect();
            steps.extend(may_lose.subsets().map(Step::CutAllPower));
        }
        if self.cluster.members.iter().any(|member| member.side != 0) {
            steps.push(Step::Heal);
        }
        if self.plan.is_some() {
            steps.push(Step::CarryOut);
        }
        steps
    }

    fn steps_of(&self, place: Place, steps: &mut Vec<Step>) {
        let (cluster, left) = (&self.cluster, &self.left);
        let member = &cluster.members[place];
        if !member.powered {
            steps.push(Step::RestorePower(place));
            return;
        }
        let is_first =
            || (0..place).all(|other| cluster.run(other).map(|run| run.view) != cluster.run(place).map(|run| run.view));
        if left.commits > 0 && cluster.is_synced(place) {
            if is_first() {
                steps.push(Step::Commit(place, false));
            }
            if left.late > 0 && cluster.group(place).len() > 1 {
                steps.push(Step::Commit(place, true));
            }
        }
        if left.faults > 0 {
            self.faults_of(place, steps);
        }
        if left.cuts > 0 && member.side == 0 {
            steps.push(Step::Isolate(place));
        }
        if let Some(run) = cluster.run(place) {
            if matches!(run.state, State::Joining(..)) {
                steps.push(Step::FinishTransfer(place));
            }
            if !run.primary && !run.open && run.view.is_none() {
                steps.push(Step::GiveUp(place));
            }
        }
        let reached: Set =
            cluster.everybody().iter().filter(|&other| other != place && cluster.reaches(place, other)).collect();
        if !cluster.is_primary(place) {
            steps.extend(reached.subsets().map(|asked| Step::Supervise(place, asked)));
            if left.plans > 0 && self.plan.is_none() {
                steps.extend(reached.subsets().map(|asked| Step::Plan(place, asked)));
            }
            if left.forces > 0 {
                steps.push(Step::Force(place, reached));
            }
        }
    }

    fn faults_of(&self, place: Place, steps: &mut Vec<Step>) {
        if self.cluster.run(place).is_none() {
            return;
        }
        let unflushed = self.cluster.rows(place).map_or(0, |rows| rows.unflushed);
        steps.extend([Step::Crash(place), Step::Leave(place), Step::CutPower(place, 0, Tear::Nothing)]);
        let others = self.cluster.everybody().without(Set::of(place));
        if others.iter().filter(|&other| self.cluster.run(other).is_some()).count() > 1 {
            steps.push(Step::CrashOthers(place));
        }
        if unflushed > 0 {
            steps.push(Step::CutPower(place, unflushed, Tear::Nothing));
        }
        if self.left.tears > 0 {
            let tears = [Tear::Grastate, Tear::Gvwstate, Tear::GvwstateLost];
            steps.extend(tears.map(|tear| Step::CutPower(place, 0, tear)));
        }
    }

    /// The world after a step; `None` if it changes nothing.
    pub fn after(&self, step: Step) -> Option<World> {
        let mut next = self.clone();
        let (cluster, left) = (&mut next.cluster, &mut next.left);
        let everybody = cluster.everybody();
        match step {
            Step::Commit(place, late) => {
                cluster.commit(place, if late { everybody } else { Set::NOBODY });
                left.commits -= 1;
                left.late -= u8::from(late);
            }
            Step::Apply => everybody.iter().for_each(|place| cluster.apply(place)),
            Step::Record => {
                cluster.record_positions();
                left.records -= 1;
            }
            Step::Crash(place) => cluster.crash(place),
            Step::CrashOthers(place) => cluster.crash_of(everybody.without(Set::of(place))),
            Step::CutPower(place, lost, tear) => {
                cluster.cut_power(place, lost, tear);
                left.tears -= u8::from(tear != Tear::Nothing);
            }
            Step::CutAllPower(losing) => {
                cluster.cut_power_of(everybody, |place| if losing.contains(place) { u8::MAX } else { 0 });
            }
            Step::RestorePower(place) => cluster.restore_power(place),
            Step::Leave(place) => cluster.leave(place),
            Step::Isolate(place) => {
                let free = (1..=u8::MAX).find(|&side| cluster.members.iter().all(|member| member.side != side))?;
                cluster.members[place].side = free;
                cluster.settle(Set::NOBODY);
                left.cuts -= 1;
            }
            Step::Heal => cluster.heal(),
            Step::FinishTransfer(place) => {
                cluster.finish_transfer(place);
                cluster.settle(Set::NOBODY);
            }
            Step::GiveUp(place) => {
                cluster.give_up(place);
            }
            Step::Supervise(place, asked) => {
                if cluster.supervise(place, asked) == Part::Nothing {
                    return None;
                }
            }
            Step::Plan(place, asked) => {
                let part = part(&cluster.elect(place, asked, &Policy::default()).action, place);
                if part == Part::Nothing {
                    return None;
                }
                next.plan = Some((place, asked, part));
                left.plans -= 1;
            }
            Step::CarryOut => {
                let (place, asked, part) = next.plan.take()?;
                cluster.carry_out(place, asked, part);
            }
            Step::Force(place, asked) => {
                if !cluster.force(place, asked) {
                    return None;
                }
                left.forces -= 1;
            }
        }
        if matches!(
            step,
            Step::Crash(_) | Step::CrashOthers(_) | Step::CutPower(..) | Step::CutAllPower(_) | Step::Leave(_)
        ) {
            left.faults -= 1;
        }
        if let Some((place, ..)) = self.plan
            && next.cluster.members[place] != self.cluster.members[place]
        {
            next.plan = None;
        }
        next.cluster.check();
        next.cluster = plain(next.cluster);
        (next != *self).then_some(next)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pf = |place: &Place| format!("pf{}", place + 1);
        match self {
            Step::Commit(place, false) => write!(f, "a client commits on {}", pf(place)),
            Step::Commit(place, true) => {
                write!(f, "a client commits on {}; the others have only received it", pf(place))
            }
            Step::Apply => f.write_str("everybody applies what was received"),
            Step::Record => f.write_str("positions are written down"),
            Step::Crash(place) => write!(f, "{} crashes", pf(place)),
            Step::CrashOthers(place) => write!(f, "all but {} crash at once", pf(place)),
            Step::CutPower(place, lost, tear) => {
                write!(f, "power cut of {}: {lost} events lost, file harmed: {tear:?}", pf(place))
            }
            Step::CutAllPower(losing) => write!(f, "power cut of all; events lost on {losing}"),
            Step::RestorePower(place) => write!(f, "the power of {} is back", pf(place)),
            Step::Leave(place) => write!(f, "{} stops cleanly", pf(place)),
            Step::Isolate(place) => write!(f, "{} is cut off", pf(place)),
            Step::Heal => f.write_str("the network is whole again"),
            Step::FinishTransfer(place) => write!(f, "the state transfer to {} ends", pf(place)),
            Step::GiveUp(place) => write!(f, "{} gives up waiting for a primary", pf(place)),
            Step::Supervise(place, asked) => write!(f, "{} hears {asked}, decides and acts", pf(place)),
            Step::Plan(place, asked) => write!(f, "{} hears {asked} and decides", pf(place)),
            Step::CarryOut => f.write_str("it acts on what it decided"),
            Step::Force(place, asked) => {
                write!(f, "the operator forces a new cluster on {}, which hears {asked}", pf(place))
            }
        }
    }
}
