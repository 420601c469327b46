//! What becomes of a world when somebody carries out an answer.

use super::{Life, Stored, World};
use pfcluster_core::galera::bootstrap::Action;

impl World {
    /// The world after a start that an election decided; `None` if it starts nobody.
    pub fn acted(&self, action: &Action) -> Option<World> {
        let mut world = self.clone();
        let (members, stop_first, supersede_first) = match action {
            Action::Bootstrap { member, stop_first, supersede_first, .. }
            | Action::Promote { member, stop_first, supersede_first, .. } => {
                (std::slice::from_ref(member), stop_first, &supersede_first[..])
            }
            Action::Reform { members, stop_first, .. } => (&members[..], stop_first, &[][..]),
            _ => return None,
        };
        for at in self.places(stop_first) {
            world.stop(at);
        }
        for at in self.places(supersede_first) {
            let node = &mut world.nodes[at];
            (node.view, node.flag, node.record, node.clean) = (Stored::Absent, false, None, None);
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
        members.iter().filter_map(|&at| world.nodes[at].applied).max()?;
        let group = world.nodes.iter().map(|node| node.group).max()? + 1;
        if members.iter().any(|&at| world.nodes[at].life == Life::Down) {
            members.iter().for_each(|&at| world.nodes[at].group = group);
        }
        // Whoever starts somebody writes it down first.
        for &at in members.iter().filter(|&&at| !self.nodes[at].arbitrator) {
            world.nodes[at].supervised = true;
        }
        world.serve(&members);
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
}
