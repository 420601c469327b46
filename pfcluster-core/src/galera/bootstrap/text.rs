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
                write!(f, "{primary} is in the primary component")?;
                followers(f, &[], joiners, discard)
            }
            Action::Reform { members, stop_first, joiners } => {
                write!(f, "start {} together: Galera then restores their last primary component", and(members))?;
                followers(f, stop_first, joiners, &[])
            }
            Action::Bootstrap { member, new_uuid, stop_first, supersede_first, joiners, discard, position, .. } => {
                write!(f, "bootstrap the cluster from {member} at {position}")?;
                if *new_uuid {
                    f.write_str(" with a new cluster UUID")?;
                }
                supersede(f, supersede_first)?;
                followers(f, stop_first, joiners, discard)
            }
            Action::Promote { member, stop_first, supersede_first, joiners, discard, position, .. } => {
                write!(f, "make the running component of {member} primary (pc.bootstrap) at {position}")?;
                supersede(f, supersede_first)?;
                followers(f, stop_first, joiners, discard)
            }
            Action::Fresh { member, stop_first, joiners } => {
                write!(f, "bootstrap a new, empty database on {member}")?;
                followers(f, stop_first, joiners, &[])
            }
            Action::Seed { member, stop_first, joiners, discard } => {
                write!(f, "start a new cluster (new UUID) from the data of {member}")?;
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
    write!(f, "; first keep {} from starting a component (gvwstate.dat, safe_to_bootstrap)", and(members))
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
        write!(f, "; then {} {}", and(joiners), if joiners.len() == 1 { "joins" } else { "join" })?;
    }
    if !discard.is_empty() {
        let (rejoins, their) = if discard.len() == 1 { ("rejoins", "its") } else { ("rejoin", "their") };
        write!(
            f,
            "; {} {rejoins} only on an override that discards {their} data (full state transfer, SST)",
            and(discard)
        )?;
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
            Need::Files => f.write_str("it reported without the files of its database"),
            Need::Recovery => f.write_str("its position is not recovered yet"),
            Need::RecoveryThatWorks { why } => write!(f, "recovering its position failed: {why}"),
            Need::Answer => f.write_str("its database process does not answer yet, and its position is not known"),
            Need::Response => f.write_str("its database is not responding, and may be serving clients"),
            Need::NewComponent => f.write_str("it was started as the first of a component, or without Galera"),
            Need::TransferEnd => f.write_str("a state transfer runs"),
            Need::Service => f.write_str("it is primary, but not synced yet"),
            Need::Network => f.write_str("it runs and does not see all the others"),
            Need::SecondLook => {
                let seconds = SPLIT_CONFIRMED_AFTER.as_secs();
                write!(
                    f,
                    "it and another member report primary: check again in {seconds} s, before calling it a split brain"
                )
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
                write!(f, "{out} is disabled on {by}, but {by} is enabled on {out}")
            }
            Problem::OneSidedDisable { by, out, against } => {
                let by = if by == out { "itself" } else { by.as_str() };
                write!(f, "{out} is disabled on {by}, but enabled on {against}")
            }
            Problem::SplitBrain { one, other } => {
                write!(f, "split brain: {one} and {other} are in two separate primary components")
            }
            Problem::ZeroUuid { member } => {
                write!(f, "{member} is primary with the zero UUID: it was started without its recovered position")
            }
            Problem::StandaloneHistory { members } => write!(f, "{} ran without Galera", and(members)),
            Problem::DivergentHistories { histories } => {
                match histories.len() {
                    1 => f.write_str("there is a cluster already, with the UUID ")?,
                    several => write!(f, "the members belong to {several} different clusters (UUIDs): ")?,
                }
                for (at, history) in histories.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "; " };
                    write!(f, "{comma}{} on {}", history.uuid, and(&history.members))?;
                }
                Ok(())
            }
            Problem::TwoLastViews { one, other } => write!(
                f,
                "split brain: {} on one side and {} on the other were each a primary component, without the other side",
                and(one),
                and(other)
            ),
            Problem::SeveralSafeToBootstrap { members } => write!(
                f,
                "split brain: safe_to_bootstrap is 1 on {}: each was a primary component alone at some time",
                and(members)
            ),
            Problem::Regression { member, recorded: Some(recorded) } => {
                write!(
                    f,
                    "the data directory of {member} is empty, but had data ({recorded}): is its file system mounted?"
                )
            }
            Problem::Regression { member, recorded: None } => {
                write!(f, "the data directory of {member} is empty, but had data before: is its file system mounted?")
            }
            Problem::NoCandidate { members } => {
                f.write_str("no member has usable data: ")?;
                for (at, one) in members.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "; " };
                    match one.defect {
                        Some(defect) => write!(f, "{comma}{}: {defect}", one.member)?,
                        None => write!(f, "{comma}{}: its data have no cluster UUID", one.member)?,
                    }
                }
                Ok(())
            }
            Problem::UnsafeHoldsMore { member, defect, position, best } => write!(
                f,
                "{member} may be {} ahead of all other members ({position}), but its data are not safe to use: {defect}",
                count(position.seqno().get() - best.seqno().get(), "transaction")
            ),
            Problem::Diverged { members, fork } => write!(
                f,
                "a new cluster was started at {fork} without {}, which {} more transactions than that; no member of the new \
                 cluster can be started",
                and(members),
                if members.len() == 1 { "has" } else { "have" }
            ),
            Problem::NobodyLeft { members } => {
                write!(
                    f,
                    "no enabled member has data to start from; there may be data on {}, disabled or discarded by an override",
                    and(members)
                )
            }
            Problem::DisabledHoldsMore { member, position, best } => write!(
                f,
                "{member} is disabled, and {} ahead of all enabled members ({position})",
                count(position.seqno().get() - best.seqno().get(), "transaction")
            ),
            Problem::Unfit { member, why } => write!(f, "cannot start from {member}: {why}"),
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
            Defect::TransferBroken => "a state transfer (SST) to it was interrupted: its data are incomplete",
            Defect::TransferUnsynced => "power was lost before a state transfer to it was on disk",
            Defect::TransferRuns => "a state transfer to it is running",
            Defect::GrastateTorn => "its grastate.dat is damaged: it may have marked the data as unsafe",
            Defect::GrastateMissing => "it has no grastate.dat beside its data",
            Defect::Contradiction => "its grastate.dat and its data have different cluster UUIDs",
            Defect::Inconsistent => "it found that its data differ from the others'",
            Defect::Superseded => "a new cluster was started without it",
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::NotEnabled => f.write_str("it is not an enabled member"),
            Unfit::Arbitrator => f.write_str("it is an arbitrator and holds no data"),
            Unfit::Unsafe(defect) => defect.fmt(f),
            Unfit::Empty => f.write_str("it is empty, and others may have data"),
            Unfit::Discarded => f.write_str("another override discards its data"),
            Unfit::HasHistory => {
                f.write_str("its data belong to a cluster already: bootstrap from it instead of seeding")
            }
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assumption::NotForced { members } => {
                write!(f, "no new cluster was forced on {}, of which nothing is known", and(members))
            }
            Assumption::Lost { members, risk } => {
                let what = match risk {
                    Risk::None => "no transaction is lost, unless a new cluster was forced there",
                    Risk::Bounded => "transactions that were under way in the outage may be lost",
                    Risk::Unbounded => "whatever was committed there after the others went down is lost",
                };
                write!(f, "{} will not come back: {what}", and(members))
            }
            Assumption::LeftBehind { members } => {
                write!(
                    f,
                    "nothing is needed of {} (disabled, and unknown): transactions that are only there are left out",
                    and(members)
                )
            }
            Assumption::Forced { unknown } if unknown.is_empty() => {
                f.write_str("you want the data of this member: transactions that only others have are lost")
            }
            Assumption::Forced { unknown } => {
                write!(
                    f,
                    "you want the data of this member: transactions that only others have are lost; nothing is known of {}",
                    and(unknown)
                )
            }
        }
    }
}
