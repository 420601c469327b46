//! What events do to a world.

use super::{Event, Life, Stored, World};

impl World {
    /// Every event that can happen now. `crashes` says who of those who crash at once loses how much.
    pub fn events(&self, losses: &[i64]) -> Vec<Event> {
        let all = 0..self.nodes.len();
        let mut events = vec![Event::Commit { slow: None }, Event::Heal];
        for at in all.clone() {
            events.extend([
                Event::Commit { slow: Some(at) },
                Event::Leave(at),
                Event::Join(at),
                Event::Receive(at),
                Event::Received(at),
                Event::StartInVain(at),
                Event::TearView(at),
                Event::TearState(at),
                Event::Supervise(at),
                Event::Look(at),
                Event::Pause(at),
                Event::LoseLog(at, 1),
                Event::Mute(at),
            ]);
        }
        for chosen in 1..1_usize << self.nodes.len() {
            let members: Vec<usize> = all.clone().filter(|at| chosen >> at & 1 == 1).collect();
            let mut lost: Vec<Vec<(usize, i64)>> = vec![Vec::new()];
            for &at in &members {
                let with = |sofar: &Vec<(usize, i64)>, loss: i64| [&sofar[..], &[(at, loss)]].concat();
                lost = lost.iter().flat_map(|sofar| losses.iter().map(move |&loss| with(sofar, loss))).collect();
            }
            events.extend(lost.into_iter().map(|lost| Event::Crash { lost }));
            events.push(Event::Cut(members));
        }
        events
    }

    /// The world after an event; `None` if it can't happen now.
    pub fn after(&self, event: &Event) -> Option<World> {
        let mut world = self.clone();
        let happened = match event {
            Event::Commit { slow } => world.commit(*slow),
            Event::Crash { lost } => world.crash(lost),
            Event::Leave(at) => world.leave(*at),
            Event::Cut(members) => world.cut(members),
            Event::Heal => world.heal(),
            Event::Join(at) => world.join(*at),
            Event::Receive(at) => world.receive(*at),
            Event::Received(at) => world.received(*at),
            Event::StartInVain(at) => world.start_in_vain(*at),
            Event::TearView(at) => world.tear_view(*at),
            Event::TearState(at) => world.tear_state(*at),
            Event::Supervise(at) => world.supervise(*at),
            Event::Look(at) => world.look(*at),
            Event::Pause(at) => world.pause(*at),
            Event::LoseLog(at, lost) => world.lose_log(*at, *lost),
            Event::Mute(at) => world.mute(*at),
        };
        happened?;
        Some(world)
    }

    fn commit(&mut self, slow: Option<usize>) -> Option<()> {
        let serving: Vec<usize> = self.serving().collect();
        let apply: Vec<usize> = serving.iter().copied().filter(|&at| Some(at) != slow).collect();
        // Whoever acknowledges it has applied it.
        if apply.is_empty() || slow.is_some_and(|slow| !serving.contains(&slow)) {
            return None;
        }
        self.top += 1;
        for at in apply {
            let node = &mut self.nodes[at];
            node.applied = Some(self.top);
            if node.supervised {
                node.recorded = node.recorded.max(Some(self.top));
            }
        }
        Some(())
    }

    fn crash(&mut self, lost: &[(usize, i64)]) -> Option<()> {
        for &(at, loss) in lost {
            let node = &mut self.nodes[at];
            // A start that was in vain has written nothing that could be lost, and an arbitrator holds nothing.
            if node.life == Life::Down || loss > 0 && (node.arbitrator || node.life == Life::Starts) {
                return None;
            }
            node.life = Life::Down;
            node.mute = false;
            node.applied = node.applied.map(|applied| applied - loss);
            if node.unsynced && loss > 0 && node.supervised {
                // The power went, and files are missing. That a transfer came in this boot is known from its supervisor.
                node.partial = node.applied.take();
            }
            node.unsynced = false;
        }
        self.go_on(0);
        Some(())
    }

    fn leave(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        match node.life {
            Life::Serves | Life::Waits => {}
            Life::Receives | Life::Starts | Life::Down => return None,
        }
        node.life = Life::Down;
        (node.mute, node.unflushed, node.unsynced) = (false, true, false);
        node.written = node.applied.unwrap_or(-1);
        node.view = Stored::Absent;
        self.go_on(1);
        Some(())
    }

    /// The primary component without those who are gone, if it still has the quorum.
    fn go_on(&mut self, gracefully: usize) {
        let is_there = |&at: &usize| matches!(self.nodes[at].life, Life::Serves | Life::Receives);
        let before = self.component.len();
        let left: Vec<usize> = self.component.iter().copied().filter(is_there).collect();
        if left.len() == before {
            return;
        }
        if 2 * left.len() + gracefully > before && !left.is_empty() {
            self.new_view(&left);
        } else {
            self.component.clear();
            left.into_iter().for_each(|at| self.lose_service(at));
        }
    }

    fn lose_service(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.life = if node.life == Life::Serves { Life::Waits } else { Life::Down };
    }

    fn cut(&mut self, members: &[usize]) -> Option<()> {
        let inside: Vec<usize> = members.iter().copied().filter(|at| self.component.contains(at)).collect();
        let outside: Vec<usize> = self.component.iter().copied().filter(|at| !members.contains(at)).collect();
        if inside.len() != members.len() || outside.is_empty() {
            return None;
        }
        let group = self.nodes.iter().map(|node| node.group).max()? + 1;
        members.iter().for_each(|&at| self.nodes[at].group = group);
        let size = self.component.len();
        self.component.clear();
        for side in [inside, outside] {
            if 2 * side.len() > size {
                self.new_view(&side);
            } else {
                side.into_iter().for_each(|at| self.lose_service(at));
            }
        }
        Some(())
    }

    fn heal(&mut self) -> Option<()> {
        if self.nodes.iter().all(|node| node.group == 0) {
            return None;
        }
        self.nodes.iter_mut().for_each(|node| node.group = 0);
        let waiting: Vec<usize> = (0..self.nodes.len()).filter(|&at| self.nodes[at].life == Life::Waits).collect();
        if self.component.is_empty() {
            self.come_back();
        } else {
            for at in waiting {
                let _ = self.join(at);
            }
        }
        Some(())
    }

    /// Galera's own recovery: all members of the last view are there again, and nobody else waits.
    pub(super) fn come_back(&mut self) {
        let waits = |world: &World, at: usize| matches!(world.nodes[at].life, Life::Waits | Life::Starts);
        let waiting: Vec<usize> = (0..self.nodes.len()).filter(|&at| waits(self, at)).collect();
        let one_group = waiting.iter().all(|&at| self.nodes[at].group == self.nodes[waiting[0]].group);
        let is_view = |world: &World, at: usize, members: &[usize]| match &world.nodes[at].view {
            Stored::View(view) => view.members == members,
            Stored::Absent | Stored::Torn => world.nodes[at].arbitrator,
        };
        let whole = waiting.iter().all(|&at| is_view(self, at, &waiting));
        let views = waiting.iter().filter_map(|&at| match &self.nodes[at].view {
            Stored::View(view) => Some(view.number),
            Stored::Absent | Stored::Torn => None,
        });
        let mut views: Vec<u32> = views.collect();
        views.dedup();
        if views.len() != 1 || !one_group || !whole {
            return;
        }
        self.serve(&waiting);
    }

    /// These members become the primary component; whoever is behind catches up.
    pub(super) fn serve(&mut self, members: &[usize]) {
        let Some(top) = members.iter().filter_map(|&at| self.nodes[at].applied).max() else { return };
        self.top = top;
        for &at in members {
            let node = &mut self.nodes[at];
            node.life = if node.applied.is_some() || node.arbitrator { Life::Serves } else { Life::Receives };
            (node.torn, node.zero, node.marker) =
                (false, !node.arbitrator && node.applied.is_none(), !node.arbitrator && node.applied.is_none());
        }
        self.new_view(members);
    }

    fn can_join(&self, at: usize) -> bool {
        let starts = matches!(self.nodes[at].life, Life::Down | Life::Waits | Life::Starts);
        let reaches = self.serving().next().is_some_and(|peer| self.nodes[peer].group == self.nodes[at].group);
        starts && (reaches || self.nodes[at].life == Life::Down && self.serving().next().is_some())
    }

    pub(super) fn join(&mut self, at: usize) -> Option<()> {
        let node = &self.nodes[at];
        // By hand, Galera would take grastate.dat at its word.
        let is_true = node.written < 0 || Some(node.written) == node.applied;
        let catches_up = node.arbitrator || !node.zero && !node.torn && is_true && node.applied? <= self.top;
        if !self.can_join(at) || !catches_up {
            return None;
        }
        self.enter(at, Life::Serves);
        Some(())
    }

    fn receive(&mut self, at: usize) -> Option<()> {
        if !self.can_join(at) || self.nodes[at].arbitrator || self.nodes[at].applied.is_some_and(|own| own > self.top) {
            return None;
        }
        let node = &mut self.nodes[at];
        (node.applied, node.zero, node.marker, node.partial) = (None, true, true, None);
        self.enter(at, Life::Receives);
        Some(())
    }

    fn enter(&mut self, at: usize, life: Life) {
        let peer = self.serving().next();
        (self.nodes[at].life, self.nodes[at].group) = (life, peer.map_or(0, |peer| self.nodes[peer].group));
        let mut members = self.component.clone();
        members.push(at);
        members.sort_unstable();
        self.new_view(&members);
    }

    fn received(&mut self, at: usize) -> Option<()> {
        if self.nodes[at].life != Life::Receives {
            return None;
        }
        let top = self.top;
        let node = &mut self.nodes[at];
        (node.life, node.applied, node.zero, node.marker) = (Life::Serves, Some(top), false, false);
        (node.unsynced, node.partial) = (true, None);
        self.record(at);
        Some(())
    }

    fn start_in_vain(&mut self, at: usize) -> Option<()> {
        if self.nodes[at].life != Life::Down || self.serving().next().is_some() {
            return None;
        }
        let node = &mut self.nodes[at];
        if node.arbitrator {
            node.life = Life::Waits;
            self.come_back();
            return self.component.is_empty().then_some(());
        }
        if node.zero || node.torn || node.applied.is_none() || node.written >= 0 && Some(node.written) != node.applied {
            return None;
        }
        node.unflushed = false;
        // Without a view it gives up after half a minute; with one it waits for the others of it.
        node.written = -1;
        if let Stored::View(_) = node.view {
            node.life = Life::Starts;
            node.renamed = true;
            // Supervisors start the members of a view only where it is decided, and others without their views.
            self.come_back();
            return self.component.is_empty().then_some(());
        }
        Some(())
    }

    fn tear_view(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        let is_there = node.life == Life::Down && matches!(node.view, Stored::View(_));
        node.view = Stored::Torn;
        is_there.then_some(())
    }

    fn tear_state(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        let is_there = node.life == Life::Down && node.written < 0 && !node.torn && node.applied.is_some();
        node.torn = true;
        is_there.then_some(())
    }

    fn supervise(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        if node.arbitrator || node.life == Life::Down {
            return None;
        }
        node.supervised = !node.supervised;
        self.record(at);
        Some(())
    }

    /// What recovery shows of a clean stop is persisted.
    fn look(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        let stopped = node.life == Life::Down && node.view == Stored::Absent && !node.zero && !node.torn;
        let applied = node.applied.filter(|applied| stopped && node.supervised && node.written == *applied)?;
        if node.clean.is_some_and(|(seqno, _)| seqno == applied) {
            return None;
        }
        node.clean = Some((applied, node.flag));
        node.unflushed = false;
        Some(())
    }

    fn pause(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        let serves = node.life == Life::Serves && !node.arbitrator;
        node.written = node.applied.filter(|applied| serves && *applied != node.written)?;
        Some(())
    }

    fn lose_log(&mut self, at: usize, lost: i64) -> Option<()> {
        let node = &mut self.nodes[at];
        let may_lose = node.life == Life::Down && node.unflushed && !node.arbitrator;
        node.applied = Some(node.applied.filter(|_| may_lose)? - lost);
        node.unflushed = false;
        Some(())
    }

    fn mute(&mut self, at: usize) -> Option<()> {
        let node = &mut self.nodes[at];
        node.mute = !node.mute;
        (matches!(node.life, Life::Serves | Life::Waits) && !node.arbitrator).then_some(())
    }
}
