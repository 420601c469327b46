//! Decisions as sentences: without a final period, for people.

use std::fmt;

use super::SPLIT_CONFIRMED_AFTER;
use super::action::{Action, Assumption, Awaited, Defect, Need, Problem, Risk, Unfit};
use crate::cluster::Hostname;
use crate::decision::and;
use crate::galera::Silence;

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Standalone { member } => write!(f, "run {member} alone, without Galera"),
            Action::Join { primary, joiners, discard } => {
                write!(f, "{primary} is in service")?;
                followers(f, &[], joiners, discard)
            }
            Action::Reform { members, stop_first, joiners } => {
                write!(f, "start {} at once: their last view forms again", and(members))?;
                followers(f, stop_first, joiners, &[])
            }
            Action::Bootstrap { member, new_uuid, stop_first, supersede_first, joiners, discard, position, .. } => {
                write!(f, "bootstrap {member} at {position}")?;
                if *new_uuid {
                    f.write_str(" with a new cluster UUID")?;
                }
                supersede(f, supersede_first)?;
                followers(f, stop_first, joiners, discard)
            }
            Action::Promote { member, stop_first, supersede_first, joiners, discard, position, .. } => {
                write!(f, "promote {member}, which runs, at {position}")?;
                supersede(f, supersede_first)?;
                followers(f, stop_first, joiners, discard)
            }
            Action::Fresh { member, stop_first, joiners } => {
                write!(f, "begin a new, empty database on {member}")?;
                followers(f, stop_first, joiners, &[])
            }
            Action::Seed { member, stop_first, joiners, discard } => {
                write!(f, "begin a new history with the data of {member}")?;
                followers(f, stop_first, joiners, discard)
            }
            Action::Wait { awaited } => {
                f.write_str("wait for ")?;
                for (at, one) in awaited.iter().enumerate() {
                    write!(f, "{}{one}", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Action::Refuse { problem } => write!(f, "refuse: {problem}"),
        }
    }
}

/// Whose last view must not be restored any more.
fn supersede(f: &mut fmt::Formatter<'_>, members: &[Hostname]) -> fmt::Result {
    if members.is_empty() {
        return Ok(());
    }
    write!(f, "; set the last view of {} aside first", and(members))
}

/// What happens before and after a start.
fn followers(
    f: &mut fmt::Formatter<'_>,
    stop_first: &[Hostname],
    joiners: &[Hostname],
    discard: &[Hostname],
) -> fmt::Result {
    if !stop_first.is_empty() {
        write!(f, "; stop {} first", and(stop_first))?;
    }
    if !joiners.is_empty() {
        write!(f, "; join {}", and(joiners))?;
    }
    if !discard.is_empty() {
        let (joins, their) = if discard.len() == 1 { ("joins", "its") } else { ("join", "their") };
        write!(f, "; {} {joins} only on an override, without {their} own data", and(discard))?;
    }
    Ok(())
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.member, self.need)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Evidence { silence } => silence.fmt(f),
            Need::Files => f.write_str("it answered without its files"),
            Need::Recovery => f.write_str("its position is not recovered yet"),
            Need::RecoveryThatWorks { why } => write!(f, "recovering its position failed: {why}"),
            Need::Answer => f.write_str("its database process does not answer yet, and its position is not known"),
            Need::Response => f.write_str("its database is not responding, and may be serving clients"),
            Need::NewComponent => f.write_str("it was started as the first of a component, or without Galera"),
            Need::TransferEnd => f.write_str("a state transfer runs"),
            Need::Service => f.write_str("it is primary, and not in service yet"),
            Need::Network => f.write_str("it runs and does not see all the others"),
            Need::SecondLook => {
                write!(f, "primary apart from another: look again in {} s", SPLIT_CONFIRMED_AFTER.as_secs())
            }
            Need::MaintenanceEnd => f.write_str("it is in maintenance"),
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Silence::NotAsked => f.write_str("not asked"),
            Silence::NoAnswer => f.write_str("no answer"),
            Silence::Refused => f.write_str("it refused to answer"),
            Silence::Garbled(why) => write!(f, "its answer can't be read: {why}"),
            Silence::NotCounted(why) => write!(f, "its evidence does not count: {why}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoMembers => f.write_str("no member is enabled"),
            Problem::MembersDiffer { one, other } => {
                write!(f, "{one} and {other} don't have the same members in cluster.conf")
            }
            Problem::OneSidedDisable { by, out, against } if against == out => {
                write!(f, "{by} counts {out} out, but {out} counts {by} in")
            }
            Problem::OneSidedDisable { by, out, against } => {
                write!(f, "{by} counts {out} out, but {against} counts {out} in")
            }
            Problem::SplitBrain { one, other } => {
                write!(f, "split brain: {one} and {other} are primary apart from each other")
            }
            Problem::ZeroUuid { member } => {
                write!(f, "{member} is primary with the zero UUID: it was started without its recovered position")
            }
            Problem::StandaloneHistory { members } => write!(f, "{} ran without Galera", and(members)),
            Problem::DivergentHistories { histories } => {
                match histories.len() {
                    1 => f.write_str("there is a history already: ")?,
                    several => write!(f, "there are {several} histories: ")?,
                }
                for (at, history) in histories.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "; " };
                    write!(f, "{comma}{} on {}", history.uuid, and(&history.members))?;
                }
                Ok(())
            }
            Problem::TwoLastViews { one, other } => write!(
                f,
                "{} on one side and {} on the other can each prove to have left last: they were in service apart",
                and(one),
                and(other)
            ),
            Problem::SeveralSafeToBootstrap { members } => write!(
                f,
                "{} each say that they left last (safe_to_bootstrap is 1): each was in service alone",
                and(members)
            ),
            Problem::Regression { member, recorded: Some(recorded) } => {
                write!(f, "{member} is empty, but held {recorded}: is its disk mounted?")
            }
            Problem::Regression { member, recorded: None } => {
                write!(f, "{member} is empty, but was in service before: is its disk mounted?")
            }
            Problem::NoCandidate { members } => {
                f.write_str("nobody's data can be trusted: ")?;
                for (at, one) in members.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "; " };
                    match one.defect {
                        Some(defect) => write!(f, "{comma}{}: {defect}", one.member)?,
                        None => write!(f, "{comma}{}: its data belong to no history", one.member)?,
                    }
                }
                Ok(())
            }
            Problem::UnsafeHoldsMore { member, defect, position, best } => write!(
                f,
                "{member} may hold {} more than everybody else ({position}), but {defect}",
                count(position.seqno().get() - best.seqno().get(), "transaction")
            ),
            Problem::Diverged { members, fork } => write!(
                f,
                "a component was started at {fork} without {}, which are more advanced; no member that went on from there can \
                 be started",
                and(members)
            ),
            Problem::NobodyLeft { members } => {
                write!(f, "no enabled member has data to start from; {}, disabled or given up, may have", and(members))
            }
            Problem::DisabledHoldsMore { member, position, best } => write!(
                f,
                "{member} is disabled and holds {} more than all enabled members ({position})",
                count(position.seqno().get() - best.seqno().get(), "transaction")
            ),
            Problem::Unfit { member, why } => write!(f, "{member} can't begin: {why}"),
        }
    }
}

fn count(number: i64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Defect::ZeroUuid => "its grastate.dat has the zero UUID: it crashed in a DDL statement or was inconsistent",
            Defect::TransferBroken => "a state transfer to it began and did not end",
            Defect::TransferUnsynced => "the power went before a state transfer to it was on disk",
            Defect::TransferRuns => "a state transfer to it runs",
            Defect::GrastateTorn => "its grastate.dat is torn and may have said that the data are bad",
            Defect::GrastateMissing => "it has no grastate.dat beside its data",
            Defect::Contradiction => "its grastate.dat and its data are not of one history",
            Defect::Inconsistent => "it found that its data differ from the others'",
            Defect::Superseded => "a component was started without it",
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::NotEnabled => f.write_str("it is no enabled member"),
            Unfit::Arbitrator => f.write_str("it is an arbitrator and holds no data"),
            Unfit::Unsafe(defect) => defect.fmt(f),
            Unfit::Empty => f.write_str("it is empty, and others may have data"),
            Unfit::Discarded => f.write_str("its data are given up by the same word"),
            Unfit::HasHistory => f.write_str("its data belong to a history: bootstrap it, don't seed it"),
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assumption::NotForced { members } => {
                write!(f, "nobody has forced a new cluster on {}, of which nothing is known", and(members))
            }
            Assumption::Lost { members, risk } => {
                let what = match risk {
                    Risk::None => "nothing is lost with them, unless a new cluster was forced there",
                    Risk::Bounded => "what was under way in the outage may be lost with them",
                    Risk::Unbounded => "they may have gone on alone, and all of that is lost with them",
                };
                write!(f, "{} will not come back: {what}", and(members))
            }
            Assumption::LeftBehind { members } => {
                write!(f, "what {} holds is left behind: disabled, and not known", and(members))
            }
            Assumption::Forced { unknown } if unknown.is_empty() => {
                f.write_str("you want this member's data, whatever the others hold")
            }
            Assumption::Forced { unknown } => {
                write!(f, "you want this member's data, whatever the others hold; nothing is known of {}", and(unknown))
            }
        }
    }
}
