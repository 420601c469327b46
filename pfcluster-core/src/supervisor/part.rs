//! One member's part in a decision, and the steps that carry it out.

use std::time::Duration;

use super::own::{Look, start_position};
use super::records::{learn_forks, write_fork};
use crate::cluster::Hostname;
use crate::galera::bootstrap::{Action, Seen, safe_position};
use crate::galera::{ClusterStatus, Evidence, Found, LocalState, Observation, Position, Process, Records, Running};

/// What a decision asks of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// It ends its process, which waits without service and would be in the way.
    Stop,
    /// It starts with its view, to form that again with the others.
    Reform,
    /// It starts to join the component in service.
    Join,
    /// It moves its data aside, on the operator's word, and joins without them.
    JoinWithoutData,
    /// It begins a primary component with what it holds.
    Bootstrap,
    /// It makes its component primary.
    Promote,
    /// It begins the first history there is.
    Fresh,
    /// It begins a new history with data that belong to none, on the operator's word.
    Seed,
    /// It runs without Galera.
    Alone,
}

impl Part {
    /// It makes a primary component: nobody may be in service.
    pub fn begins(self) -> bool {
        !matches!(self, Part::Stop | Part::Join | Part::JoinWithoutData)
    }

    /// It starts a process.
    pub fn starts(self) -> bool {
        !matches!(self, Part::Stop | Part::Promote)
    }
}

/// One step of the host. In order; after one that fails the rest must not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Write this down, durably, in place of what was written before.
    Record(Records),
    /// Move gvwstate.dat aside: with an old view a joiner could come up as a cluster of its own.
    SetViewAside,
    /// Move grastate.dat aside: a new history begins.
    SetStateAside,
    /// Move the whole data directory aside and make an empty one.
    SetDataAside,
    /// Write `safe_to_bootstrap: 1` into grastate.dat, if that is there.
    AllowBootstrap,
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
        /// Gracefully, but not longer than this: it serves nobody. `None`: however long it takes.
        kill_after: Option<Duration>,
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

/// How long a server that waits without service may take to end. Measured: 0.2 to 10 s.
const KILL: Duration = Duration::from_secs(20);

/// What the decision asks of `me`. It begins nothing while somebody must stop first.
pub(super) fn part(action: &Action, me: &Hostname, look: &Look, discards_me: bool) -> Option<Part> {
    let own = &look.evidence;
    let stopped = own.process == Process::Stopped;
    let (stop_first, begins) = match action {
        Action::Join { joiners, discard, .. } => {
            return if joiners.contains(me) && stopped {
                Some(Part::Join)
            } else if discard.contains(me) && !stopped {
                // Galera looks at numbers only: it would let it in with rows of its own, and nobody would notice. One that serves
                // without Galera is ended on the word only.
                Some(Part::Stop).filter(|_| !is_serving(own) || discards_me && own.runs_alone())
            } else if discard.contains(me) && discards_me {
                Some(Part::JoinWithoutData)
            } else {
                None
            };
        }
        Action::Standalone { member } => return (member == me && stopped).then_some(Part::Alone),
        Action::Reform { members, stop_first, .. } => {
            (stop_first, (members.contains(me) && stopped).then_some(Part::Reform))
        }
        Action::Bootstrap { member, stop_first, .. } => {
            (stop_first, (member == me && stopped).then_some(Part::Bootstrap))
        }
        Action::Promote { member, stop_first, .. } => (stop_first, (member == me).then_some(Part::Promote)),
        Action::Fresh { member, stop_first, .. } => (stop_first, (member == me && stopped).then_some(Part::Fresh)),
        Action::Seed { member, stop_first, .. } => (stop_first, (member == me && stopped).then_some(Part::Seed)),
        Action::Wait { .. } | Action::Refuse { .. } => return None,
    };
    if stop_first.contains(me) {
        // What it wrote without Galera begins a new history, as the operator says: it has to start anew for that.
        let may_stop = !is_serving(own) || matches!(action, Action::Seed { .. }) && own.runs_alone();
        return (!stopped && may_stop && !is_beginning(look)).then_some(Part::Stop);
    }
    begins.filter(|_| stop_first.is_empty())
}

/// A database that serves, or takes part in a state transfer, is never ended.
fn is_serving(own: &Evidence) -> bool {
    match &own.process {
        Process::Running(running) => {
            running.status == ClusterStatus::Primary
                || matches!(running.state, LocalState::Joining | LocalState::Donor)
                || own.runs_alone()
        }
        Process::Starting => own.files.as_ref().is_none_or(|files| files.sst_marker),
        Process::Stopped => false,
    }
}

/// It was started to begin a component, and is about to; or it does so already, and does not say.
fn is_beginning(look: &Look) -> bool {
    look.begins && look.evidence.process == Process::Starting
}

/// The steps of a part.
pub(super) fn steps(
    part: Part,
    action: &Action,
    me: &Hostname,
    own: &Evidence,
    records: &Records,
    seen: &[Seen],
) -> Vec<Step> {
    let position = start_position(own);
    let start = |how| Step::Start { how, position };
    let recorded = |at: Option<Position>, present: &[Hostname]| {
        let mut records = records.clone();
        if let Some(at) = at {
            learn_forks(&mut records, at, me, seen.iter().filter_map(known));
            write_fork(&mut records, at, present.to_vec());
        }
        Step::Record(records)
    };
    match part {
        Part::Stop => vec![Step::Stop { kill_after: Some(KILL) }],
        Part::Reform => {
            let Action::Reform { members, .. } = action else { return Vec::new() };
            let of_view = seen.iter().filter(|seen| members.contains(&seen.host));
            let best = of_view.filter_map(safe_position).max_by_key(|position| position.seqno());
            vec![recorded(best, members), start(Start::Normal)]
        }
        Part::Join => {
            let has_view = own.files.as_ref().is_none_or(|files| files.gvwstate != Found::Absent);
            let aside = has_view.then_some(Step::SetViewAside);
            let record = joins(own, me, records, seen).map(Step::Record);
            aside.into_iter().chain(record).chain([start(Start::Normal)]).collect()
        }
        Part::JoinWithoutData => {
            let start = Step::Start { how: Start::Normal, position: None };
            vec![Step::SetDataAside, Step::Record(Records::default()), start]
        }
        Part::Bootstrap => {
            let at = seen.iter().find(|seen| seen.host == *me).and_then(safe_position);
            vec![recorded(at, std::slice::from_ref(me)), Step::AllowBootstrap, start(Start::NewCluster)]
        }
        Part::Promote => {
            let at = seen.iter().find(|seen| seen.host == *me).and_then(safe_position);
            vec![recorded(at, &component(me, own)), Step::Promote]
        }
        Part::Fresh => vec![Step::AllowBootstrap, Step::Start { how: Start::NewCluster, position: None }],
        Part::Seed => {
            let start = Step::Start { how: Start::NewCluster, position: None };
            vec![Step::SetStateAside, Step::SetViewAside, Step::Record(Records::default()), start]
        }
        Part::Alone => {
            let others = seen.len() > 1;
            let alone = Records { ran_standalone: records.ran_standalone || others, ..records.clone() };
            vec![Step::Record(alone), Step::Start { how: Start::Alone, position: None }]
        }
    }
}

/// By joining it goes along with the forks that those in service remember. It writes that down before: once it serves, they may
/// be gone at any moment. What it holds until then is common to all, or it would not join with it. (One without data writes
/// nothing down: an empty directory beside records looks like a disk that is not mounted.)
fn joins(own: &Evidence, me: &Hostname, records: &Records, seen: &[Seen]) -> Option<Records> {
    let position = start_position(own)?;
    let serves = |evidence: &&Evidence| {
        matches!(&evidence.process, Process::Running(running)
        if running.status == ClusterStatus::Primary && running.uuid == position.uuid())
    };
    let mut joined = records.clone();
    learn_forks(&mut joined, position, me, seen.iter().filter_map(known).filter(serves));
    (joined != *records).then_some(joined)
}

fn known(seen: &Seen) -> Option<&Evidence> {
    match &seen.observation {
        Observation::Known(evidence) => Some(evidence),
        Observation::Unknown(_) => None,
    }
}

/// Who comes along when `me` is promoted.
fn component(me: &Hostname, own: &Evidence) -> Vec<Hostname> {
    let sees = match &own.process {
        Process::Running(Running { sees, .. }) => sees.as_slice(),
        Process::Starting | Process::Stopped => &[],
    };
    let mut present = sees.to_vec();
    if !present.contains(me) {
        present.push(me.clone());
    }
    present
}
