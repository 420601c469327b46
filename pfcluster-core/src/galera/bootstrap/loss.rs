//! What a decision loses: committed transactions that the database does not have after it.

use std::fmt;

use serde::Serialize;

use super::action::{Action, Assumption, Risk};
use super::reason::{NotChosen, Reason, Word};
use crate::cluster::Hostname;
use crate::decision::Decision;

/// What is lost of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// The member.
    pub member: Hostname,
    /// Which transactions.
    #[serde(flatten)]
    pub what: Lost,
    /// The override without which the decision would be another one. `None`: they were lost before, and no override is asked for.
    pub authorised_by: Option<Word>,
}

/// Which transactions are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lost {
    /// The member has them, and the database that starts has not.
    Ahead {
        /// The first sequence number.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// The member has recorded them as committed, and the data that are kept end before them, as after a power cut.
    Recorded {
        /// The first sequence number that is missing.
        from: i64,
        /// The last one that was recorded.
        to: i64,
    },
    /// What only this member has, however much that is.
    OnlyThere,
    /// Nothing is known of the member: what was under way there in the outage.
    UnderWay,
    /// Nothing is known of the member: whatever was committed there after the others went down.
    SinceOutage,
}

/// What the decision loses, in the order of its reasons. Nothing that it only leaves where it is: a member that rejoins only on an
/// override keeps its data until that is given.
pub fn losses(decision: &Decision<Action, Reason>) -> Vec<Loss> {
    let mut losses = Vec::new();
    let position = match &decision.action {
        Action::Wait { .. } | Action::Refuse { .. } => return losses,
        Action::Bootstrap { position, .. } | Action::Promote { position, .. } => Some(position.seqno().get()),
        _ => None,
    };
    let given = |word: Word| {
        decision
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::OperatorsWord { word: other, .. } if *other == word))
    };
    // The override that chose the member to start, whatever the others have.
    let chosen = [Word::Force, Word::Seed, Word::Standalone].into_iter().find(|word| given(*word));
    for reason in &decision.reasons {
        let (member, what, authorised_by) = match reason {
            Reason::TailLost { member, from, to } => (member, Lost::Recorded { from: *from, to: *to }, None),
            Reason::NotChosen { member, why: NotChosen::GivenUp } => (member, Lost::OnlyThere, Some(Word::Discard)),
            Reason::NotChosen { member, why } => match (why, chosen, position) {
                // No override, no start below a more advanced member: if none chose the start, one discards these data.
                (NotChosen::Above { by }, _, Some(at)) => {
                    (member, Lost::Ahead { from: at + 1, to: at + by }, Some(chosen.unwrap_or(Word::Discard)))
                }
                (
                    NotChosen::Above { .. }
                    | NotChosen::Diverged { .. }
                    | NotChosen::OtherHistory { .. }
                    | NotChosen::Standalone
                    | NotChosen::NoHistory,
                    Some(word),
                    _,
                ) => (member, Lost::OnlyThere, Some(word)),
                _ => continue,
            },
            _ => continue,
        };
        losses.push(Loss { member: member.clone(), what, authorised_by });
    }
    if let Action::Bootstrap { assumes, .. } | Action::Promote { assumes, .. } = &decision.action {
        losses.extend(assumes.iter().flat_map(assumed));
    }
    losses
}

/// What is lost with members of which nothing is known.
fn assumed(assumption: &Assumption) -> Vec<Loss> {
    let (members, what, word) = match assumption {
        Assumption::Lost { members, risk: Risk::Bounded } => (members, Lost::UnderWay, Word::AssumeLost),
        Assumption::Lost { members, risk: Risk::Unbounded } => (members, Lost::SinceOutage, Word::AssumeLost),
        Assumption::Forced { unknown } => (unknown, Lost::SinceOutage, Word::Force),
        Assumption::Lost { risk: Risk::None, .. } | Assumption::NotForced { .. } | Assumption::LeftBehind { .. } => {
            return Vec::new();
        }
    };
    members.iter().map(|member| Loss { member: member.clone(), what, authorised_by: Some(word) }).collect()
}

/// Without the words DATA LOSS, which a report puts before it.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = &self.member;
        match self.what {
            Lost::Ahead { from, to } if from == to => write!(f, "1 transaction (seqno {from}) of {member}")?,
            Lost::Ahead { from, to } => write!(f, "{} transactions (seqno {from} to {to}) of {member}", to - from + 1)?,
            Lost::Recorded { from, to } => {
                if from == to {
                    write!(f, "1 transaction (seqno {from})")?;
                } else {
                    write!(f, "{} transactions (seqno {from} to {to})", to - from + 1)?;
                }
                write!(f, " that {member} recorded as committed are not in the data that are kept")?;
            }
            Lost::OnlyThere => write!(f, "all transactions that only {member} has")?,
            Lost::UnderWay => {
                write!(f, "transactions of {member} that were under way in the outage, if there were any")?;
            }
            Lost::SinceOutage => {
                write!(f, "whatever was committed on {member} after the others went down, if anything was")?;
            }
        }
        match self.authorised_by {
            Some(word) => write!(f, ": authorised by the override `{}`", word.as_str()),
            None => Ok(()),
        }
    }
}
