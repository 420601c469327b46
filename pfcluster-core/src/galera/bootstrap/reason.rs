//! Why an election decided as it did, and why each of the others lost.

use serde::Serialize;

use super::action::{Defect, Need, Proof};
use crate::cluster::Hostname;
use crate::galera::{Position, ViewId};

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A member is primary, and in service.
    InService {
        /// The member.
        member: Hostname,
        /// Where it is.
        position: Position,
    },
    /// Only one member is enabled.
    OnlyMember {
        /// The member.
        member: Hostname,
        /// The others, which are disabled: its history and theirs part here.
        disabled: Vec<Hostname>,
    },
    /// How many of the enabled members have given evidence.
    Answered {
        /// So many.
        known: usize,
        /// Of these.
        enabled: usize,
    },
    /// The last primary view, each of whose members holds it and none of whose members is in service.
    LastView {
        /// The view.
        view: ViewId,
        /// Its members.
        members: Vec<Hostname>,
        /// Why nobody went on after it, or left before it with more.
        proof: Proof,
    },
    /// It was alone in its last primary view: it left last (guide 4.2).
    LeftLast {
        /// The member.
        member: Hostname,
        /// The position that proves it.
        position: Position,
        /// The floor that was written down for that view, where the stop was not clean.
        floor: Option<i64>,
    },
    /// Nobody holds more.
    HighestPosition {
        /// The member.
        member: Hostname,
        /// What it holds.
        position: Position,
    },
    /// Others hold the same.
    Tie {
        /// The member.
        member: Hostname,
        /// The others.
        with: Vec<Hostname>,
        /// What told them apart.
        by: TieBreak,
    },
    /// Nobody has any data, and nobody remembers having had some.
    NobodyHasData,
    /// The operator's word.
    OperatorsWord {
        /// What was said.
        word: Word,
        /// Of whom.
        members: Vec<Hostname>,
    },
    /// The operator's word was not needed: the member has given evidence.
    NotLost {
        /// The member.
        member: Hostname,
    },
    /// `safe_to_bootstrap: 1` was not trusted.
    FlagIgnored {
        /// Whose.
        member: Hostname,
        /// Why.
        why: FlagIgnored,
    },
    /// Who can prove to have left last is not started, for now.
    HeldBack {
        /// Who.
        members: Vec<Hostname>,
        /// Why.
        by: Hindrance,
    },
    /// A view that some of its members hold, and others don't, or are not known to.
    ViewIncomplete {
        /// The view.
        view: ViewId,
        /// Who holds it.
        holders: Vec<Hostname>,
        /// How many of its members they are: a copied data directory counts once.
        present: usize,
        /// How many members it has.
        size: usize,
    },
    /// A view that all of its members hold, but of which it is not proven that nobody left before it with more.
    ViewUnproven {
        /// The view.
        view: ViewId,
        /// Its members.
        holders: Vec<Hostname>,
    },
    /// More was seen in service than is there now: the end was lost, as a power cut can do
    /// (`innodb_flush_log_at_trx_commit`).
    TailLost {
        /// Who wrote it down.
        member: Hostname,
        /// The first sequence number that is missing.
        from: i64,
        /// The last one that was seen.
        to: i64,
    },
    /// A member sees a server that cluster.conf does not have.
    SeesStranger {
        /// The member.
        member: Hostname,
        /// The server's address.
        address: Box<str>,
    },
    /// Two members are primary and don't list each other.
    TwoPrimaries {
        /// The one.
        one: Hostname,
        /// The other.
        other: Hostname,
        /// What of it tells.
        sign: SplitSign,
    },
    /// Why a member was not chosen.
    NotChosen {
        /// The member.
        member: Hostname,
        /// Why.
        why: NotChosen,
    },
}

/// What tells members apart that hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TieBreak {
    /// The others are in maintenance.
    Maintenance,
    /// The others don't run.
    Running,
    /// It comes first in cluster.conf.
    Order,
}

/// What the operator said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Word {
    /// These members are lost.
    AssumeLost,
    /// The data of these members are given up.
    Discard,
    /// The data of this member begin a new history.
    Seed,
    /// The member that ran alone has the data to keep.
    Standalone,
    /// This member starts a new cluster.
    Force,
}

/// What keeps those who can prove to have left last from starting while others are not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hindrance {
    /// No majority of the enabled members has given evidence: the others may have been forced to go on.
    Minority,
    /// One of them is in maintenance.
    Maintenance {
        /// Which.
        member: Hostname,
    },
    /// One of them is disabled.
    Disabled {
        /// Which.
        member: Hostname,
    },
    /// A member runs: it was in service apart from them.
    Runs {
        /// Which.
        member: Hostname,
    },
    /// A member holds more.
    HoldsMore {
        /// Which.
        member: Hostname,
    },
    /// A member has seen more in service.
    SawMore {
        /// Which.
        member: Hostname,
    },
}

/// Why a member's `safe_to_bootstrap: 1` was not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlagIgnored {
    /// The position was not written down at a clean stop, and no floor of that view was recorded: what it lost, an
    /// earlier leaver may have.
    NoCleanStop,
    /// The position is below the floor that was recorded for that view: the crash cost it commits.
    BelowFloor,
    /// The data can't be trusted.
    Unsafe,
    /// History went on without it: another member remembers a start that it did not take part in.
    Superseded,
}

/// What of two primary members tells that they are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitSign {
    /// Their histories differ.
    Histories,
    /// Neither lists the other.
    Membership,
    /// Only one lists the other.
    OneSided,
}

/// Why a member was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotChosen {
    /// It holds less.
    Behind {
        /// By so many sequence numbers.
        by: i64,
    },
    /// It holds the same, but lost the tie.
    LostTie,
    /// It is not in the last view.
    NotInLastView,
    /// It is empty.
    Empty,
    /// Its data belong to no history.
    NoHistory,
    /// Its data can't be trusted.
    Unsafe {
        /// Why.
        defect: Defect,
        /// What it seems to hold.
        position: Option<Position>,
    },
    /// It is of another history.
    OtherHistory {
        /// What it holds.
        position: Position,
    },
    /// It was not there when history went on, and holds what was then cut off.
    Diverged {
        /// The last sequence number that was common.
        fork: i64,
        /// What it holds.
        position: Position,
    },
    /// It went on with others once, and it is not known whether those in service were there.
    PerhapsDiverged {
        /// The last sequence number that was common.
        fork: i64,
        /// What it holds.
        position: Position,
    },
    /// It ran without Galera: what it holds is not what its position says.
    Standalone,
    /// It holds more; its data would be lost.
    Above {
        /// By so many sequence numbers.
        by: i64,
    },
    /// It is in maintenance.
    Maintenance,
    /// It is disabled.
    Disabled,
    /// It holds no data.
    Arbitrator,
    /// It is not known what it holds.
    Unknown {
        /// What is missing.
        need: Need,
    },
    /// The operator gives it up.
    GivenUp,
    /// It runs already, without service: it joins by itself.
    Running,
}
