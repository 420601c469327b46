//! What an election can decide.

use serde::Serialize;

use crate::cluster::Hostname;
use crate::galera::{Position, Silence, Uuid};

/// What to do with the databases of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// One member alone: it runs without Galera, and is marked for it if there are others.
    Standalone {
        /// The member.
        member: Hostname,
    },
    /// There is a primary component: the others join it.
    Join {
        /// A member of the primary component, the first in order.
        primary: Hostname,
        /// Who starts now, without a gvwstate.dat.
        joiners: Vec<Hostname>,
        /// Whose data would be lost by joining: moved aside first, on the operator's word.
        discard: Vec<Hostname>,
    },
    /// The members of the last view start normally and at once: Galera brings the view back by itself.
    Reform {
        /// The members of the view.
        members: Vec<Hostname>,
        /// Who must stop before, for it would keep the view from forming.
        stop_first: Vec<Hostname>,
        /// Who starts when there is a primary component.
        joiners: Vec<Hostname>,
    },
    /// The member starts a new primary component (`--wsrep-new-cluster`) with what it holds.
    Bootstrap {
        /// The member.
        member: Hostname,
        /// The component gets a new cluster UUID (grastate.dat is moved away, and no position is given): it is not proved that
        /// nobody else is more advanced. All others then receive a full state transfer (SST).
        new_uuid: bool,
        /// Who must stop before.
        stop_first: Vec<Hostname>,
        /// Who must move its last primary view away before: it could be restored without this member.
        supersede_first: Vec<Hostname>,
        /// Who starts when there is a primary component.
        joiners: Vec<Hostname>,
        /// Whose data would be lost by joining: moved aside first, on the operator's word.
        discard: Vec<Hostname>,
        /// What it holds.
        position: Position,
        /// What is taken for granted.
        assumes: Vec<Assumption>,
    },
    /// The running member makes its component primary (`pc.bootstrap=YES`). Verify afterwards: Galera can ignore it and
    /// still report success.
    Promote {
        /// The member.
        member: Hostname,
        /// Who must stop before.
        stop_first: Vec<Hostname>,
        /// Who must move its last primary view away before: it could be restored without this member.
        supersede_first: Vec<Hostname>,
        /// Who starts when there is a primary component.
        joiners: Vec<Hostname>,
        /// Whose data would be lost by joining: moved aside first, on the operator's word.
        discard: Vec<Hostname>,
        /// What it holds.
        position: Position,
        /// What is taken for granted.
        assumes: Vec<Assumption>,
    },
    /// Nobody has data: the first creation of the cluster.
    Fresh {
        /// Who begins.
        member: Hostname,
        /// Who must stop before.
        stop_first: Vec<Hostname>,
        /// Who starts when there is a primary component.
        joiners: Vec<Hostname>,
    },
    /// Data that belong to no history, or went on alone beside theirs, become the first state of a new one (guide 3.4), on
    /// the operator's word. The start must make a new UUID: grastate.dat is moved aside, and no recovered position is given.
    Seed {
        /// Who holds them.
        member: Hostname,
        /// Who must stop before.
        stop_first: Vec<Hostname>,
        /// Who starts when there is a primary component.
        joiners: Vec<Hostname>,
        /// Whose data would be lost by joining: moved aside first, on the operator's word.
        discard: Vec<Hostname>,
    },
    /// Nothing yet.
    Wait {
        /// What for, the most useful first.
        #[serde(rename = "for")]
        awaited: Vec<Awaited>,
    },
    /// Nothing, until a person has decided.
    Refuse {
        /// Why.
        problem: Problem,
    },
}

impl Action {
    /// The member that this decision would make the first of a primary component, and `None` where it makes none. For a
    /// view that forms again it is nobody in particular.
    pub fn starts(&self) -> Option<&Hostname> {
        match self {
            Action::Bootstrap { member, .. }
            | Action::Promote { member, .. }
            | Action::Fresh { member, .. }
            | Action::Seed { member, .. }
            | Action::Standalone { member } => Some(member),
            Action::Join { .. } | Action::Reform { .. } | Action::Wait { .. } | Action::Refuse { .. } => None,
        }
    }

    /// The members that this decision starts as a primary component.
    pub(crate) fn starters(&self) -> &[Hostname] {
        match self {
            Action::Reform { members, .. } => members,
            other => other.starts().map(std::slice::from_ref).unwrap_or_default(),
        }
    }

    /// Who joins only if its data may go, and a person has to say so.
    pub fn discard(&self) -> &[Hostname] {
        match self {
            Action::Join { discard, .. }
            | Action::Bootstrap { discard, .. }
            | Action::Promote { discard, .. }
            | Action::Seed { discard, .. } => discard,
            Action::Fresh { .. }
            | Action::Standalone { .. }
            | Action::Reform { .. }
            | Action::Wait { .. }
            | Action::Refuse { .. } => &[],
        }
    }
}

/// A member that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Awaited {
    /// The member.
    pub member: Hostname,
    /// What is missing.
    pub need: Need,
}

/// What is missing of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// Anything: it may be alive.
    Evidence {
        /// Why nothing is known.
        silence: Silence,
    },
    /// Its files: it answered without them.
    Files,
    /// The recovered position: it stopped without writing one down.
    Recovery,
    /// The recovered position: looking for it failed.
    RecoveryThatWorks {
        /// Why it failed.
        why: Box<str>,
    },
    /// Its position: a process is there that does not answer yet.
    Answer,
    /// That its database responds, or ends: it may be serving clients.
    Response,
    /// That the new component which it starts is there, or its process ends.
    NewComponent,
    /// The end of the state transfer that it takes part in.
    TransferEnd,
    /// That it comes into service: it is primary, but receives its state, or is about to.
    Service,
    /// The network between it and the others.
    Network,
    /// A second look, [`super::SPLIT_CONFIRMED_AFTER`] later: two members are primary and don't list each other.
    SecondLook,
    /// The end of its maintenance: it holds more than everybody else.
    MaintenanceEnd,
}

/// What nobody but a person can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// There is nobody to decide about: no member is enabled.
    NoMembers,
    /// Members read different members from cluster.conf.
    MembersDiffer {
        /// One of them.
        one: Hostname,
        /// Another one.
        other: Hostname,
    },
    /// One member counts another one out, and it is not so on all sides.
    OneSidedDisable {
        /// Who counts it out.
        by: Hostname,
        /// Who is counted out.
        out: Hostname,
        /// Who counts it in: itself, or a third one.
        against: Hostname,
    },
    /// Two primary components.
    SplitBrain {
        /// A member of one.
        one: Hostname,
        /// A member of the other.
        other: Hostname,
    },
    /// A primary member whose history has no name: it was started without its recovered position.
    ZeroUuid {
        /// The member.
        member: Hostname,
    },
    /// Members have run without Galera.
    StandaloneHistory {
        /// Who.
        members: Vec<Hostname>,
    },
    /// The members hold states of more than one history.
    DivergentHistories {
        /// The histories, with who holds each.
        histories: Vec<History>,
    },
    /// Two views, each held by all of its members, or one and a member that says it left last.
    TwoLastViews {
        /// Who holds the one.
        one: Vec<Hostname>,
        /// Who holds the other.
        other: Vec<Hostname>,
    },
    /// Several members say that they left last.
    SeveralSafeToBootstrap {
        /// Who.
        members: Vec<Hostname>,
    },
    /// A member that has held more than anybody now holds is empty: is its disk mounted?
    Regression {
        /// The member.
        member: Hostname,
        /// What it held; `None` if only that it held something is known.
        recorded: Option<Position>,
    },
    /// Somebody has data, but nobody's can be trusted.
    NoCandidate {
        /// Who has what.
        members: Vec<Untrusted>,
    },
    /// No enabled member has data to start from, but these have data: they are disabled, or given up.
    NobodyLeft {
        /// Which.
        members: Vec<Hostname>,
    },
    /// The data of a member can't be trusted, and may hold more than everybody else's.
    UnsafeHoldsMore {
        /// The member.
        member: Hostname,
        /// What is wrong with it.
        defect: Defect,
        /// What it seems to hold.
        position: Position,
        /// The best that can be trusted.
        best: Position,
    },
    /// Members are more advanced than a fork that they missed, and nobody who went on from there can be started.
    Diverged {
        /// Which members.
        members: Vec<Hostname>,
        /// Where a component was started without them.
        fork: Position,
    },
    /// A disabled member holds more than everybody else.
    DisabledHoldsMore {
        /// The member.
        member: Hostname,
        /// What it holds.
        position: Position,
        /// The best of the enabled ones.
        best: Position,
    },
    /// The operator's word names a member that can't do it.
    Unfit {
        /// The member.
        member: Hostname,
        /// Why not.
        why: Unfit,
    },
}

/// A history, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// Its UUID.
    pub uuid: Uuid,
    /// Who holds a state of it.
    pub members: Vec<Hostname>,
}

/// A member whose data can't be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Untrusted {
    /// The member.
    pub member: Hostname,
    /// What is wrong with its data; `None`: they belong to no history.
    pub defect: Option<Defect>,
    /// What they seem to be.
    pub position: Option<Position>,
}

/// Why the data of a member can't be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Defect {
    /// grastate.dat has the zero UUID beside data: a crash in a DDL statement, or an inconsistency.
    ZeroUuid,
    /// A state transfer to it began and did not end.
    TransferBroken,
    /// A state transfer to it was not on disk as a whole when the power went.
    TransferUnsynced,
    /// A state transfer to it runs.
    TransferRuns,
    /// grastate.dat can't be understood: it may have said that the data are bad.
    GrastateTorn,
    /// There is no grastate.dat beside data of a history.
    GrastateMissing,
    /// grastate.dat and the recovered position are not of one history.
    Contradiction,
    /// The server found that its data differ from the others'.
    Inconsistent,
    /// A component was started without it, and went on.
    Superseded,
}

/// Why a member can't do what the operator's word asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unfit {
    /// It is no member that is counted in.
    NotEnabled,
    /// It holds no data: it is an arbitrator.
    Arbitrator,
    /// Its data can't be trusted.
    Unsafe(Defect),
    /// It is empty, and others may have data.
    Empty,
    /// It is to give up its data, by the same word.
    Discarded,
    /// Its data belong to a history already: it is no seed.
    HasHistory,
}

/// What a decision takes for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Assumption {
    /// Nobody has forced a new cluster on these members, of which nothing is known.
    NotForced {
        /// Which.
        members: Vec<Hostname>,
    },
    /// These members are lost, as the operator says.
    Lost {
        /// Which.
        members: Vec<Hostname>,
        /// What is lost with them.
        risk: Risk,
    },
    /// These members are disabled and not known: what they hold is left behind.
    LeftBehind {
        /// Which.
        members: Vec<Hostname>,
    },
    /// The operator forces it, whatever else is there.
    Forced {
        /// Members of which nothing is known.
        unknown: Vec<Hostname>,
    },
}

/// What may be lost with members that are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing: they left before.
    None,
    /// Transactions that were under way when the cluster went down.
    Bounded,
    /// Anything: they may have gone on alone.
    Unbounded,
}

/// Why a view counts as the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// Every enabled member has given evidence.
    EverybodyAnswered,
    /// The position reaches the floor that was written down for the view: nobody who left before holds more.
    Floor {
        /// The floor.
        floor: i64,
    },
}
