//! Reasons as sentences: without a final period, for people.

use std::fmt;

use super::action::Proof;
use super::reason::{FlagIgnored, Hindrance, NotChosen, Reason, SplitSign, TieBreak, Word};
use crate::cluster::Hostname;
use crate::decision::and;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::InService { member, position } => write!(f, "{member} is primary at {position}"),
            Reason::OnlyMember { member, disabled } if disabled.is_empty() => {
                write!(f, "{member} is the only member")
            }
            Reason::OnlyMember { member, disabled } => {
                write!(
                    f,
                    "{member} has disabled all other members: from here on, its data and those of {} diverge",
                    and(disabled)
                )
            }
            Reason::Answered { known, enabled } if known == enabled => {
                write!(f, "all {enabled} enabled members have reported")
            }
            Reason::Answered { known, enabled } => {
                let have = if *known == 1 { "has" } else { "have" };
                let majority = if known * 2 > *enabled { "" } else { ": no majority" };
                write!(f, "{known} of {enabled} enabled members {have} reported{majority}")
            }
            Reason::LastView { view, members, proof } => {
                write!(f, "all members of the last primary view, {view}, have it ({}), and ", and(members))?;
                match proof {
                    Proof::EverybodyAnswered => f.write_str("no other member is more advanced"),
                    Proof::Floor { floor } => {
                        write!(f, "members that left before are not above {floor}, the lower bound recorded for it")
                    }
                }
            }
            Reason::LeftLast { member, position } => {
                write!(
                    f,
                    "{member} was the last to leave: safe_to_bootstrap is 1, and it stopped cleanly at {}",
                    position.seqno()
                )
            }
            Reason::HighestPosition { member, position } => {
                write!(f, "no member that has reported is more advanced than {member} ({position})")
            }
            Reason::Tie { member, with, by } => {
                let by = match by {
                    TieBreak::Maintenance => "is not in maintenance",
                    TieBreak::CanStart => "can be started",
                    TieBreak::Running => "is running already",
                    TieBreak::Order => "comes first in cluster.conf",
                };
                let are = if with.len() == 1 { "is" } else { "are" };
                write!(f, "{member} {by}; {} {are} at the same position", and(with))
            }
            Reason::NobodyHasData => f.write_str("no member has data, and none is known to have had any"),
            Reason::OperatorsWord { word, members } => operators_word(*word, members, f),
            Reason::CannotStart { member, failures, why } => {
                write!(f, "warning: {member} could not be started {failures} times: {why}")
            }
            Reason::NewUuid { members } => write!(
                f,
                "warning: the component gets a new cluster UUID, as {} may be more advanced; the others receive a full state \
                 transfer (SST)",
                and(members)
            ),
            Reason::NotLost { member } => write!(f, "{member} is not lost: it has reported, and that counts"),
            Reason::FlagIgnored { member, why } => {
                write!(f, "safe_to_bootstrap of {member} is ignored: {why}")
            }
            Reason::HeldBack { members, by } => {
                let (their, were) = if members.len() == 1 { ("its", "was") } else { ("their", "were") };
                write!(f, "by {their} own files, {} {were} the last to leave, but {by}", and(members))
            }
            Reason::ViewIncomplete { view, holders, present, size } => {
                let have = if *present == 1 { "has" } else { "have" };
                write!(
                    f,
                    "only {present} of the {size} members of the primary view {view} {have} it ({}",
                    and(holders)
                )?;
                let copies = if holders.len() > *present { ", with copies of one data directory" } else { "" };
                write!(f, "{copies}): all of them are needed to restore it")
            }
            Reason::ViewUnproven { view, holders } => write!(
                f,
                "all members of the primary view {view} have it ({}), but a member that left before may be more advanced",
                and(holders)
            ),
            Reason::TailLost { member, from, to } => {
                if from == to {
                    write!(f, "warning: transaction {from} is lost: {member} recorded it as committed")?;
                } else {
                    write!(f, "warning: transactions {from} to {to} are lost: {member} recorded them as committed")?;
                }
                f.write_str(", and the data that are kept end before (as after a power cut)")
            }
            Reason::SeesStranger { member, address } => {
                write!(f, "warning: {member} sees {address}, which is not a member of cluster.conf")
            }
            Reason::TwoPrimaries { one, other, sign } => write!(f, "{one} and {other} both report primary, {sign}"),
            Reason::NotChosen { member, why } => write!(f, "not {member}: {why}"),
        }
    }
}

fn operators_word(word: Word, members: &[Hostname], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let members = and(members);
    match word {
        Word::AssumeLost => write!(f, "you declared {members} permanently lost"),
        Word::Discard => write!(f, "you allowed the data of {members} to be discarded"),
        Word::Seed => write!(f, "you allowed a new cluster from the data of {members}"),
        Word::Standalone => write!(f, "you chose to keep the data of {members}, which ran without Galera"),
        Word::Force => write!(f, "you forced a new cluster on {members}"),
        Word::Trust => write!(f, "you trust the recovered position of {members}"),
    }
}

impl fmt::Display for SplitSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SplitSign::Histories => "with different cluster UUIDs",
            SplitSign::Membership => "and neither lists the other",
            SplitSign::OneSided => "but only one of them lists the other",
        })
    }
}

fn transactions(count: i64) -> String {
    if count == 1 { "1 transaction".to_owned() } else { format!("{count} transactions") }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hindrance::Minority => {
                f.write_str("no majority has reported: a new cluster may have been forced on the others")
            }
            Hindrance::Maintenance { member } => write!(f, "{member} is in maintenance"),
            Hindrance::Disabled { member } => write!(f, "{member} is disabled"),
            Hindrance::Runs { member } => write!(f, "{member} is running"),
            Hindrance::HoldsMore { member } => write!(f, "{member} is more advanced"),
            Hindrance::SawMore { member } => write!(f, "{member} has recorded a later position than theirs"),
            Hindrance::Unsupervised { member } => {
                write!(
                    f,
                    "no message from the supervisor of {member} was ever received, so its database may have been started without one"
                )
            }
        }
    }
}

impl fmt::Display for FlagIgnored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FlagIgnored::NoCleanStop => {
                "it was started again or crashed after the flag was written; only the positions count"
            }
            FlagIgnored::LogNotWritten => {
                "grastate.dat and InnoDB have different positions: power was lost before its log was on disk"
            }
            FlagIgnored::WrittenLater => "it was written after the stop, for a start that failed or by hand",
            FlagIgnored::Unsafe => "its data are not safe to use, or an override discards them",
            FlagIgnored::Superseded => "a new cluster was started without it",
        })
    }
}

impl fmt::Display for NotChosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotChosen::Behind { by } => write!(f, "{} behind", transactions(*by)),
            NotChosen::LostTie => f.write_str("it is at the same position"),
            NotChosen::NotInLastView => f.write_str("it was not in the last view"),
            NotChosen::Empty => f.write_str("it is empty"),
            NotChosen::NoHistory => f.write_str("its data have no cluster UUID"),
            NotChosen::Unsafe { defect, position: None } => defect.fmt(f),
            NotChosen::Unsafe { defect, position: Some(position) } => write!(f, "{defect} (recovered: {position})"),
            NotChosen::OtherHistory { position } => write!(f, "it belongs to another cluster (UUID): {position}"),
            NotChosen::Diverged { fork, position } => {
                write!(
                    f,
                    "it diverged at {fork}: a new cluster was started there without it, which lacks its later transactions, up to \
                     {position}"
                )
            }
            NotChosen::Succeeded { position } => {
                write!(f, "its cluster UUID has a successor, which has all of {position}")
            }
            NotChosen::Standalone => f.write_str("it ran without Galera: its position does not tell what data it has"),
            NotChosen::Above { by } => write!(f, "{} ahead, which would be lost", transactions(*by)),
            NotChosen::Maintenance => f.write_str("it is in maintenance"),
            NotChosen::Disabled => f.write_str("it is disabled"),
            NotChosen::Arbitrator => f.write_str("it is an arbitrator and holds no data"),
            NotChosen::Unknown { need } => need.fmt(f),
            NotChosen::GivenUp => f.write_str("you allowed its data to be discarded"),
            NotChosen::Running => f.write_str("it is running already, and joins by itself"),
        }
    }
}
