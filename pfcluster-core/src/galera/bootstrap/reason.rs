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
        /// The position at which it stopped cleanly.
        position: Position,
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
    /// Of those that hold the same, this one could not be started, several times in a row.
    CannotStart {
        /// The member.
        member: Hostname,
        /// How often.
        failures: u8,
        /// Why it failed last.
        why: Box<str>,
    },
    /// The component gets a new cluster UUID: it is not proved that these members are not more advanced. With the old UUID,
    /// Galera would let them in by an incremental transfer (IST), and rows would differ unnoticed.
    NewUuid {
        /// Who may be more advanced.
        members: Vec<Hostname>,
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
    /// The others could not be started.
    CanStart,
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
    /// The recovered position of these members is trusted, although grastate.dat has the zero UUID.
    Trust,
}

impl Word {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Word::AssumeLost => "assume-lost",
            Word::Discard => "discard",
            Word::Seed => "seed",
            Word::Standalone => "standalone",
            Word::Force => "force",
            Word::Trust => "trust",
        }
    }
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
    /// A member that did not respond has no supervisor that was ever heard: whatever starts its database there follows other rules.
    Unsupervised {
        /// Which.
        member: Hostname,
    },
}

/// Why a member's `safe_to_bootstrap: 1` was not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlagIgnored {
    /// It did not stop cleanly: what it lost, or what others committed after the flag was written, an earlier leaver may have.
    NoCleanStop,
    /// grastate.dat has a position, but `InnoDB` holds another one: the power went before its log was on disk.
    LogNotWritten,
    /// It was written after the stop: by a supervisor for a start that came to nothing, or by hand.
    WrittenLater,
    /// The data cannot be trusted.
    Unsafe,
    /// A component was started without it.
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
    /// A component was started without it at the fork, and it is more advanced than that was.
    Diverged {
        /// The sequence number of the fork.
        fork: i64,
        /// Its position.
        position: Position,
    },
    /// Its cluster UUID ended at a fork, and has a successor.
    Succeeded {
        /// Its position.
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
