//! What becomes of a world when somebody carries out an answer.

use super::{Departure, Life, Stored, World};
use crate::galera::bootstrap::Action;

impl World {
    /// The world after a start that an election decided; `None` if it starts nobody.
    pub fn acted(&self, action: &Action) -> Option<World> {
        let mut world = self.clone();
        let (members, stop_first) = match action {
            Action::Bootstrap { member, stop_first, .. } | Action::Promote { member, stop_first, .. } => {
                (std::slice::from_ref(member), stop_first)
            }
            Action::Reform { members, stop_first, .. } => (&members[..], stop_first),
            _ => return None,
        };
        for at in self.places(stop_first) {
            world.stop(at);
        }
        let mut members = self.places(members);
        if let (Action::Promote { .. }, &[first]) = (action, &members[..]) {
            let group = world.nodes[first].group;
            let comes = |at: &usize| world.nodes[*at].life == Life::Waits && world.nodes[*at].group == group;
            members = (0..world.nodes.len()).filter(comes).collect();
        }
        let reforms = matches!(action, Action::Reform { .. });
        let arbitrators =
            (0..world.nodes.len()).filter(|&at| world.nodes[at].arbitrator && world.nodes[at].life == Life::Waits);
        let with: Vec<usize> = arbitrators.filter(|at| reforms && !members.contains(at)).collect();
        members.extend(with);
        members.sort_unstable();
        let at = members.iter().filter_map(|&at| world.nodes[at].applied).max()?;
        let group = world.nodes.iter().map(|node| node.group).max()? + 1;
        if members.iter().any(|&at| world.nodes[at].life == Life::Down) {
            members.iter().for_each(|&at| world.nodes[at].group = group);
        }
        // Whoever starts somebody writes it down first.
        for &at in members.iter().filter(|&&at| !self.nodes[at].arbitrator) {
            world.nodes[at].supervised = true;
        }
        world.serve(&members);
        let fork = Departure { at, present: members.clone(), known: true };
        for &at in &members {
            let node = &mut world.nodes[at];
            if node.supervised {
                node.forks.push(fork.clone());
            }
        }
        Some(world)
    }

    /// A process without service is stopped: one that runs stops cleanly, one that starts has nothing to write.
    fn stop(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.life == Life::Waits && !node.arbitrator {
            node.written = node.applied.unwrap_or(-1);
            node.view = Stored::Absent;
        }
        node.life = Life::Down;
    }

    /// A member that joins is told of the forks, and is added to the lists of those who write down.
    pub(super) fn tell_forks(&mut self, component: &[usize], joiner: usize) {
        let records = |world: &World, at: usize| world.nodes[at].supervised && world.nodes[at].life != Life::Down;
        for &at in component {
            if records(self, at) {
                for fork in &mut self.nodes[at].forks {
                    fork.present.push(joiner);
                    fork.present.sort_unstable();
                    fork.present.dedup();
                }
            }
        }
        let mut told: Vec<Departure> = component
            .iter()
            .filter(|&&at| at != joiner && records(self, at))
            .flat_map(|&at| self.nodes[at].forks.clone())
            .collect();
        told.sort();
        told.dedup();
        if records(self, joiner) {
            self.nodes[joiner].forks = told;
        }
    }
}
