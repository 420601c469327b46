//! The local action: what a decision asks of this member, and nothing else of it. How the host carries it out: `commands.rs`.

use crate::cluster::Hostname;
use crate::galera::bootstrap::{Action, Policy};
use crate::galera::{ClusterStatus, Evidence, LocalState, Process};

/// What a decision asks of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// It ends its process, which waits without service and would be in the way.
    Stop,
    /// It ends its process whatever that does, on the operator's override.
    End,
    /// It moves its last primary view away: a component is about to be started that could not prove itself otherwise.
    Supersede,
    /// It starts with its last view, to restore that with the others.
    Reform,
    /// It starts to join the component in service.
    Join,
    /// It moves its data aside, on an override that was given to it, and joins without them.
    JoinWithoutData,
    /// It bootstraps a primary component from what it holds.
    Bootstrap,
    /// It makes its component primary.
    Promote,
    /// It creates the first database of the cluster: no member has data.
    Fresh,
    /// It starts a new cluster UUID with data that belong to none, on an override.
    Seed,
    /// It runs without Galera.
    Alone,
}

impl Part {
    /// It makes a primary component: no member may be in service.
    pub fn begins(self) -> bool {
        !matches!(self, Part::Stop | Part::End | Part::Supersede | Part::Join | Part::JoinWithoutData)
    }

    /// It starts a process.
    pub fn starts(self) -> bool {
        !matches!(self, Part::Stop | Part::End | Part::Supersede | Part::Promote)
    }
}

/// What the decision asks of `me`; `policy` has the overrides that were given to `me` about itself. It starts nothing while another
/// must stop, or give up a proof of having left last, first.
pub(super) fn local_action(action: &Action, me: &Hostname, own: &Evidence, policy: &Policy) -> Option<Part> {
    let stopped = own.process == Process::Stopped;
    let discards_me = policy.discard.contains(me);
    if is_ended_on_override(own, me, policy) {
        return Some(Part::End);
    }
    let (stop_first, supersede_first, begins) = match action {
        Action::Join { joiners, discard, .. } => {
            return if joiners.contains(me) && stopped {
                Some(Part::Join)
            } else if discard.contains(me) && !stopped {
                // Galera looks at numbers only: it would let it in with rows of its own, unnoticed. One that serves
                // without Galera is ended on an override only.
                Some(Part::Stop).filter(|_| !is_never_ended(own) || discards_me && own.runs_alone())
            } else if discard.contains(me) && discards_me {
                Some(Part::JoinWithoutData)
            } else {
                None
            };
        }
        Action::Standalone { member } => return (member == me && stopped).then_some(Part::Alone),
        Action::Reform { members, stop_first, .. } => {
            (stop_first, &[][..], (members.contains(me) && stopped).then_some(Part::Reform))
        }
        Action::Bootstrap { member, stop_first, supersede_first, .. } => {
            (stop_first, &supersede_first[..], (member == me && stopped).then_some(Part::Bootstrap))
        }
        Action::Promote { member, stop_first, supersede_first, .. } => {
            (stop_first, &supersede_first[..], (member == me).then_some(Part::Promote))
        }
        Action::Fresh { member, stop_first, .. } => {
            (stop_first, &[][..], (member == me && stopped).then_some(Part::Fresh))
        }
        Action::Seed { member, stop_first, .. } => {
            (stop_first, &[][..], (member == me && stopped).then_some(Part::Seed))
        }
        Action::Wait { .. } | Action::Refuse { .. } => return None,
    };
    if stop_first.contains(me) {
        // What it wrote without Galera gets a new cluster UUID, as the operator says: it has to start anew for that.
        let is_seeded = matches!(action, Action::Seed { member, .. } if member == me);
        let may_stop = !is_never_ended(own) || (is_seeded || discards_me) && own.runs_alone();
        return (!stopped && may_stop).then_some(Part::Stop);
    }
    if supersede_first.contains(me) {
        return (stopped && stop_first.is_empty()).then_some(Part::Supersede);
    }
    begins.filter(|_| stop_first.is_empty() && supersede_first.is_empty())
}

/// It does not respond, and an operator has allowed here that it is ended. It may be serving, so nothing else ends it.
fn is_ended_on_override(own: &Evidence, me: &Hostname, policy: &Policy) -> bool {
    policy.end.contains(me) && own.process == Process::NotResponding
}

/// A database that serves, may be serving, or takes part in a state transfer is never ended without an override.
pub(super) fn is_never_ended(own: &Evidence) -> bool {
    match &own.process {
        Process::Running(running) => {
            running.status == ClusterStatus::Primary
                || matches!(running.state, LocalState::Joining | LocalState::Donor)
                || own.runs_alone()
        }
        Process::Starting => own.files.as_ref().is_none_or(|files| files.sst_marker),
        Process::Bootstrapping | Process::NotResponding => true,
        Process::Stopped => false,
    }
}
