//! What must hold of decisions made from parts of one truth.

use super::{Stored, World, evidence::host};
use crate::laws::Violation;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::Action;

impl World {
    /// Checks a decision that was made from a part of the evidence of this world.
    ///
    /// # Errors
    /// If it starts somebody beside a living primary component, or from less than what is on a disk of any member, seen
    /// or not; or if it calls data diverged: nobody has forced anything here.
    pub fn check(&self, action: &Action) -> Result<(), Violation> {
        let broken = |law, what| Err(Violation { law, what });
        if let Action::Join { joiners, discard, .. } = action {
            let at_stake = |at: usize| self.nodes[at].applied.is_some();
            if self.places(discard).into_iter().any(at_stake) {
                return broken("nobody has diverged", format!("{discard:?} would lose data"));
            }
            let above = |at: usize| self.nodes[at].applied > Some(self.top);
            if self.places(joiners).into_iter().any(above) {
                return broken("no joiner is above the primary component", format!("{joiners:?}"));
            }
            return Ok(());
        }
        let Some(source) = self.source(action) else { return Ok(()) };
        if let Action::Reform { members, .. } = action
            && !self.would_form(&self.places(members))
        {
            return broken("a view that is to form again can", format!("{members:?} are not all of it"));
        }
        if !self.component.is_empty() {
            return broken("nothing starts beside a living component", format!("{:?} is primary", self.component));
        }
        if self.furthest() > Some(source) {
            let furthest = self.furthest();
            return broken(
                "no surviving commit is left behind",
                format!("{source} is the start, {furthest:?} is there"),
            );
        }
        Ok(())
    }

    /// Galera forms a view again when all its members are there, and nobody else; also those that were started in vain
    /// before, and have another incarnation since (measured).
    fn would_form(&self, members: &[usize]) -> bool {
        let view_of = |at: usize| match &self.nodes[at].view {
            Stored::View(view) => Some(view),
            _ => None,
        };
        let Some(view) = members.first().and_then(|&at| view_of(at)) else { return false };
        members.iter().all(|&at| view_of(at) == Some(view))
            && view.members.iter().all(|&at| members.contains(&at) || self.nodes[at].arbitrator)
    }

    /// True if two starts, decided from two parts of the evidence of this world, are the same one. A bootstrap or a
    /// promotion of a member is the same as that of a view in which nobody is above it.
    pub fn is_same_start(&self, one: &Action, other: &Action) -> bool {
        let (mine, yours) = (self.places(started(one)), self.places(started(other)));
        let covers = |all: &[usize], single: &[usize], of: &Action| {
            single.iter().all(|at| all.contains(at) && self.nodes[*at].applied == self.source(of))
        };
        match (one, other) {
            (Action::Reform { .. }, Action::Reform { .. }) => mine == yours,
            (Action::Reform { .. }, _) => covers(&mine, &yours, one),
            (_, Action::Reform { .. }) => covers(&yours, &mine, other),
            _ => mine == yours,
        }
    }

    /// How far a start goes; `None` if nothing starts.
    pub fn source(&self, action: &Action) -> Option<i64> {
        self.places(started(action)).into_iter().filter_map(|at| self.nodes[at].applied).max()
    }

    pub(super) fn places(&self, hosts: &[Hostname]) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&at| hosts.contains(&host(at))).collect()
    }
}

fn started(action: &Action) -> &[Hostname] {
    match action {
        Action::Reform { members, .. } => members,
        action => action.starts().map_or(&[], std::slice::from_ref),
    }
}
