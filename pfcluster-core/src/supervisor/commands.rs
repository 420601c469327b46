//! The commands to the host that carry a local action out, in order.

use std::time::Duration;

use super::local::start_position;
use super::local_action::{Part, is_never_ended};
use super::records::{forget_forks, learn_forks, write_fork};
use crate::galera::bootstrap::{Action, Seen, safe_position};
use crate::galera::{CleanStop, ClusterStatus, Evidence, Fork, Found, Observation, Position, Process, Records, Uuid};

/// One step of the host. In order; after one that fails the rest must not be done. A driver knows all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a handful exist at a time")]
pub enum Step {
    /// Write this down, durably, in place of what was written before.
    Record(Records),
    /// Move gvwstate.dat aside: with an old view a joiner could come up as a cluster of its own.
    SetViewAside,
    /// Move grastate.dat aside: the start gets a new cluster UUID, or a join a full state transfer (SST).
    SetStateAside,
    /// Move the whole data directory aside and make an empty one.
    SetDataAside,
    /// Write `safe_to_bootstrap: 1` into grastate.dat, if that is there.
    AllowBootstrap,
    /// Write `safe_to_bootstrap: 0` into grastate.dat, if that is there.
    ForbidBootstrap,
    /// Write `seqno: -1` into grastate.dat: Galera prefers its number to `--wsrep_start_position`, and `InnoDB` holds another.
    ClearSeqno,
    /// Write this cluster UUID and `seqno: -1` into grastate.dat, which has the zero UUID, or that of a start that was
    /// interrupted.
    WriteUuid(Uuid),
    /// Start the server.
    Start {
        /// With whom.
        how: Start,
        /// Where its data are (`--wsrep_start_position`), if they are anywhere.
        position: Option<Position>,
    },
    /// Make the component of the running server primary (`pc.bootstrap=YES`).
    Promote,
    /// End the server's process.
    Stop {
        /// Gracefully, but not longer than this: it serves nobody. One that has been in a primary view by then, or receives
        /// state, ends in its own time. `None`: however long it takes.
        kill_after: Option<Duration>,
    },
    /// End the server's process, gracefully but not longer than this, whatever it does.
    End {
        /// When it is killed.
        kill_after: Duration,
    },
}

/// How a server is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// To find the others.
    Normal,
    /// As the first of a component (`--wsrep-new-cluster`).
    NewCluster,
    /// Without Galera.
    Alone,
}

/// How long a server that does not serve, but did, may take to end. Measured: 0.2 to 10 s.
const KILL: Duration = Duration::from_secs(20);
/// How long one may take that never was in a primary component: until then it blocks SIGTERM, and never ends by it (measured).
const KILL_WAITING: Duration = Duration::from_secs(2);

/// How long the process may take to end without being killed; `None` if it may be serving clients.
pub(super) fn kill_after(own: &Evidence) -> Option<Duration> {
    match own.process {
        _ if is_never_ended(own) => None,
        Process::Starting => Some(KILL_WAITING),
        _ => Some(KILL),
    }
}

/// The commands of a local action. `fork` is the number of a fork that it would make, `boot` the machine's boot.
pub(super) fn commands(
    part: Part,
    action: &Action,
    own: &Evidence,
    records: &Records,
    seen: &[Seen],
    fork: u64,
    boot: Uuid,
) -> Vec<Step> {
    let position = start_position(own);
    let start = |how| Step::Start { how, position };
    let clear_seqno = differs_from_grastate(own, position).then_some(Step::ClearSeqno);
    match part {
        // One that is starting is ended only if it receives nothing, also where it stands beside a mark.
        Part::Stop if own.process == Process::Starting => vec![Step::Stop { kill_after: Some(KILL_WAITING) }],
        Part::Stop => vec![Step::Stop { kill_after: kill_after(own) }],
        Part::End => vec![Step::End { kill_after: KILL }],
        Part::Supersede => {
            let at = position.map(|position| CleanStop { position, last: false });
            vec![
                Step::Record(Records { view: None, clean: at, ..records.clone() }),
                Step::SetViewAside,
                Step::ForbidBootstrap,
            ]
        }
        Part::Reform => {
            let Action::Reform { members, .. } = action else { return Vec::new() };
            let of_view = seen.iter().filter(|seen| members.contains(&seen.host));
            let best = of_view.filter_map(safe_position).max_by_key(|position| position.seqno());
            // Who is behind receives what it lacks, perhaps everything.
            let is_behind = best.is_some_and(|best| position.is_some_and(|position| best.is_above(position)));
            let record = is_behind.then(|| Step::Record(Records { joined_in_boot: Some(boot), ..records.clone() }));
            record.into_iter().chain(clear_seqno).chain([start(Start::Normal)]).collect()
        }
        Part::Join => {
            let has_view = own.files.as_ref().is_none_or(|files| files.gvwstate != Found::Absent);
            // What may not be on disk must come anew as a whole, which Galera does only without a state.
            let unsynced = own.files.as_ref().is_some_and(|files| files.unsynced_transfer);
            // What is there stays unsynced until everything has come anew.
            let joined_in_boot = if unsynced { records.joined_in_boot } else { Some(boot) };
            let mut joined = Records { joined_in_boot, ..records.clone() };
            let in_service = || seen.iter().filter_map(known).filter(|evidence| serves(evidence));
            forget_forks(&mut joined, in_service());
            learn_forks(&mut joined, position, in_service());
            let mut steps = vec![Step::Record(joined)];
            steps.extend(has_view.then_some(Step::SetViewAside));
            steps.extend(unsynced.then_some(Step::SetStateAside));
            steps.extend(clear_seqno.filter(|_| !unsynced));
            let position = position.filter(|_| !unsynced);
            steps.push(Step::Start { how: Start::Normal, position });
            steps
        }
        Part::JoinWithoutData => {
            let start = Step::Start { how: Start::Normal, position: None };
            let joined =
                Records { joined_in_boot: Some(boot), supervised: records.supervised.clone(), ..Records::default() };
            vec![Step::SetDataAside, Step::Record(joined), start]
        }
        Part::Bootstrap => {
            let Action::Bootstrap { new_uuid, position: at, .. } = action else { return Vec::new() };
            if *new_uuid {
                let mut forked = Records { view: None, clean: None, ..records.clone() };
                write_fork(&mut forked, Fork { id: fork, at: *at });
                let start = Step::Start { how: Start::NewCluster, position: None };
                return vec![Step::Record(forked), Step::SetStateAside, Step::SetViewAside, start];
            }
            // The zero UUID, or that of a start that was interrupted.
            let other_uuid =
                own.files.as_ref().and_then(|files| files.grastate.read()).is_some_and(|own| own.uuid != at.uuid());
            // A view that cannot be read gives every node the same name.
            let view_aside = own.files.as_ref().is_some_and(|files| matches!(files.gvwstate, Found::Torn(_)));
            let mut steps = Vec::new();
            // The flag that is written now is no proof if the start comes to nothing.
            let last = records.clean.is_some_and(|clean| clean.position == *at && clean.last);
            let clean = CleanStop { position: *at, last };
            if records.clean != Some(clean) {
                steps.push(Step::Record(Records { clean: Some(clean), ..records.clone() }));
            }
            steps.extend(view_aside.then_some(Step::SetViewAside));
            steps.extend(other_uuid.then_some(Step::WriteUuid(at.uuid())));
            steps.extend(clear_seqno);
            steps.extend([Step::AllowBootstrap, Step::Start { how: Start::NewCluster, position: Some(*at) }]);
            steps
        }
        Part::Promote => vec![Step::Promote],
        Part::Fresh => vec![Step::AllowBootstrap, Step::Start { how: Start::NewCluster, position: None }],
        Part::Seed => {
            let start = Step::Start { how: Start::NewCluster, position: None };
            let fresh = Records { supervised: records.supervised.clone(), ..Records::default() };
            vec![Step::SetStateAside, Step::SetViewAside, Step::Record(fresh), start]
        }
        Part::Alone => {
            let others = seen.len() > 1;
            let alone = Records { ran_standalone: records.ran_standalone || others, ..records.clone() };
            vec![Step::Record(alone), Step::Start { how: Start::Alone, position: None }]
        }
    }
}

/// grastate.dat has a number, and `InnoDB` holds another.
fn differs_from_grastate(own: &Evidence, position: Option<Position>) -> bool {
    let grastate = own.files.as_ref().and_then(|files| files.grastate.read());
    let written = grastate.and_then(|grastate| Position::new(grastate.uuid, grastate.seqno));
    written.is_some() && written != position
}

fn serves(evidence: &Evidence) -> bool {
    matches!(&evidence.process, Process::Running(running) if running.status == ClusterStatus::Primary)
}

fn known(seen: &Seen) -> Option<&Evidence> {
    match &seen.observation {
        Observation::Known(evidence) => Some(evidence),
        Observation::Unknown(_) => None,
    }
}
