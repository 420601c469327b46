//! Reasons as sentences: without a final period, for people.

use std::fmt;

use super::action::Proof;
use super::reason::{FlagIgnored, Hindrance, NotChosen, Reason, SplitSign, TieBreak, Word};
use crate::decision::and;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::InService { member, position } => write!(f, "{member} is primary at {position}"),
            Reason::OnlyMember { member, disabled } if disabled.is_empty() => {
                write!(f, "{member} is the only member")
            }
            Reason::OnlyMember { member, disabled } => {
                write!(f, "{member} counts everybody else out: its data and those of {} part here", and(disabled))
            }
            Reason::Answered { known, enabled } if known == enabled => {
                write!(f, "all {enabled} enabled members have given evidence")
            }
            Reason::Answered { known, enabled } => {
                let majority = if known * 2 > *enabled { "" } else { ": no majority" };
                write!(f, "{known} of {enabled} enabled members have given evidence{majority}")
            }
            Reason::LastView { view, members, proof } => {
                write!(f, "the last primary view, {view}, is held by all of its members, {}; ", and(members))?;
                match proof {
                    Proof::EverybodyAnswered => f.write_str("nobody else holds more"),
                    Proof::Floor { floor } => {
                        write!(f, "nobody who left before holds more than {floor}, which was written down for it")
                    }
                }
            }
            Reason::LeftLast { member, position } => {
                write!(f, "{member} left last: safe_to_bootstrap is 1, and it stopped cleanly at {}", position.seqno())
            }
            Reason::HighestPosition { member, position } => {
                write!(f, "nobody holds more than {member}: {position}")
            }
            Reason::Tie { member, with, by } => {
                let by = match by {
                    TieBreak::Maintenance => "is not in maintenance",
                    TieBreak::CanStart => "can be started",
                    TieBreak::Running => "runs already",
                    TieBreak::Order => "comes first in cluster.conf",
                };
                write!(f, "{member} {by}; the same is held by {}", and(with))
            }
            Reason::NobodyHasData => f.write_str("no member has data, and none remembers having had some"),
            Reason::OperatorsWord { word, members } => match word {
                Word::AssumeLost => write!(f, "you said that {} will not come back", and(members)),
                Word::Discard => write!(f, "you gave up the data of {}", and(members)),
                Word::Seed => write!(f, "you said that the data of {} begin a new history", and(members)),
                Word::Standalone => {
                    write!(f, "you said to keep the data of {}, which ran without Galera", and(members))
                }
                Word::Force => write!(f, "you forced a new cluster on {}", and(members)),
                Word::Trust => write!(f, "you trust the recovered position of {}", and(members)),
            },
            Reason::CannotStart { member, failures, why } => {
                write!(f, "warning: {member} could not be started {failures} times: {why}")
            }
            Reason::NewUuid { members } => write!(
                f,
                "warning: the component gets a new cluster UUID, as {} may be more advanced; the others receive a full state \
                 transfer (SST)",
                and(members)
            ),
            Reason::NotLost { member } => write!(f, "{member} is not lost: it has given evidence, which counts"),
            Reason::FlagIgnored { member, why } => {
                write!(f, "safe_to_bootstrap of {member} does not count: {why}")
            }
            Reason::HeldBack { members, by } => write!(f, "{} can prove to have left last, but {by}", and(members)),
            Reason::ViewIncomplete { view, holders, present, size } => {
                let holds = if *present == 1 { "holds" } else { "hold" };
                write!(f, "{present} of the {size} members of the primary view {view} {holds} it ({}", and(holders))?;
                let copies = if holders.len() > *present { ", with copies of one data directory" } else { "" };
                write!(f, "{copies}): the last to run must all be there")
            }
            Reason::ViewUnproven { view, holders } => write!(
                f,
                "the primary view {view} is held by all of its members, {}, but somebody who left before may hold more",
                and(holders)
            ),
            Reason::TailLost { member, from, to } => write!(
                f,
                "warning: {member} has seen {from} to {to} in service; nobody holds them any more, as a power cut can do"
            ),
            Reason::SeesStranger { member, address } => {
                write!(f, "warning: {member} sees {address}, which is no member of cluster.conf")
            }
            Reason::TwoPrimaries { one, other, sign } => match sign {
                SplitSign::Histories => write!(f, "{one} and {other} are primary in two histories"),
                SplitSign::Membership => write!(f, "{one} and {other} are primary, and neither lists the other"),
                SplitSign::OneSided => write!(f, "{one} and {other} are primary, but only one lists the other"),
            },
            Reason::NotChosen { member, why } => write!(f, "not {member}: {why}"),
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hindrance::Minority => {
                f.write_str("no majority has answered, and the others may have been forced to go on")
            }
            Hindrance::Maintenance { member } => write!(f, "{member} is in maintenance"),
            Hindrance::Disabled { member } => write!(f, "{member} is disabled"),
            Hindrance::Runs { member } => write!(f, "{member} runs"),
            Hindrance::HoldsMore { member } => write!(f, "{member} holds more"),
            Hindrance::SawMore { member } => write!(f, "{member} has seen more in service"),
            Hindrance::Unsupervised { member } => {
                write!(
                    f,
                    "the supervisor of {member} was never heard, so its database may have been started by other rules"
                )
            }
        }
    }
}

impl fmt::Display for FlagIgnored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FlagIgnored::NoCleanStop => "it did not stop cleanly, so an earlier leaver may hold more",
            FlagIgnored::LogNotWritten => {
                "grastate.dat and InnoDB have different positions: the power went before its log was on disk"
            }
            FlagIgnored::WrittenLater => "it was written after the stop, for a start that came to nothing or by hand",
            FlagIgnored::Unsafe => "its data can't be trusted",
            FlagIgnored::Superseded => "a component was started without it",
        })
    }
}

impl fmt::Display for NotChosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotChosen::Behind { by } => write!(f, "behind by {by}"),
            NotChosen::LostTie => f.write_str("it holds the same"),
            NotChosen::NotInLastView => f.write_str("it was not in the last view"),
            NotChosen::Empty => f.write_str("it is empty"),
            NotChosen::NoHistory => f.write_str("its data belong to no history"),
            NotChosen::Unsafe { defect, position: None } => defect.fmt(f),
            NotChosen::Unsafe { defect, position: Some(position) } => write!(f, "{defect} (recovered: {position})"),
            NotChosen::OtherHistory { position } => write!(f, "it is of another history: {position}"),
            NotChosen::Diverged { fork, position } => {
                write!(f, "it diverged at {fork}: a component was started there without it, and it is at {position}")
            }
            NotChosen::Succeeded { position } => {
                write!(f, "its cluster UUID has a successor, which has all of {position}")
            }
            NotChosen::Standalone => f.write_str("it ran without Galera: its position does not tell what it holds"),
            NotChosen::Above { by } => write!(f, "it holds {by} more, which would be lost"),
            NotChosen::Maintenance => f.write_str("it is in maintenance"),
            NotChosen::Disabled => f.write_str("it is disabled"),
            NotChosen::Arbitrator => f.write_str("it is an arbitrator and holds no data"),
            NotChosen::Unknown { need } => need.fmt(f),
            NotChosen::GivenUp => f.write_str("you gave its data up"),
            NotChosen::Running => f.write_str("it runs already and joins by itself"),
        }
    }
}
