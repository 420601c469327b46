//! Who is in which component, and which component is primary.

use super::{Begun, Cluster, Event, File, Grastate, HistoryId, Place, Run, Set, State, View};

impl Cluster {
    /// The group notices what has changed: views form until nothing changes any more. `left` said goodbye just now.
    pub fn settle(&mut self, left: Set) {
        if self.timed && left.is_empty() {
            self.unnoticed = true;
        } else {
            self.settle_now(left);
        }
    }

    fn settle_now(&mut self, left: Set) {
        self.unnoticed = false;
        // A view forms before its members learn that a transfer in it has failed.
        while self.settle_once(left) || self.broken_transfers() {}
        self.donors_end();
    }

    /// With time: the group notices what has changed.
    pub fn notice(&mut self) {
        if self.unnoticed {
            self.settle_now(Set::NOBODY);
        }
    }

    fn settle_once(&mut self, left: Set) -> bool {
        let sides: std::collections::BTreeSet<u8> = self.members.iter().map(|member| member.side).collect();
        sides.into_iter().any(|side| self.settle_side(side, left))
    }

    /// Those that run with Galera in one part of the network.
    fn live(&self, side: u8) -> Set {
        let is_live = |&place: &Place| {
            self.members[place].side == side && self.run(place).is_some_and(|run| run.state != State::Inconsistent)
        };
        (0..self.members.len()).filter(is_live).collect()
    }

    fn settle_side(&mut self, side: u8, left: Set) -> bool {
        let live = self.live(side);
        let in_view = |view: View| -> Set {
            let is_in = |&place: &Place| self.run(place).is_some_and(|run| run.primary && run.view == Some(view));
            live.iter().filter(is_in).collect()
        };
        let views: Vec<(View, Set)> = self.primaries().into_iter().map(|view| (view, in_view(view))).collect();
        let here: Vec<(View, Set)> = views.into_iter().filter(|(_, stayed)| !stayed.is_empty()).collect();
        if let Some(&(_, stayed)) = here.iter().find(|(view, stayed)| !self.has_quorum(*view, *stayed, left)) {
            stayed.iter().for_each(|place| self.lose_quorum(place));
            return true;
        }
        // Two primary components that meet stay apart (measured): whoever has none merges with neither.
        let newcomers = match here[..] {
            [(_, stayed)] if stayed.iter().any(|place| self.is_synced(place)) => {
                let may_come = |&place: &Place| {
                    self.run(place).is_some_and(|run| !run.primary && !run.stuck) && self.finds(place, stayed)
                };
                live.without(stayed).iter().filter(may_come).collect()
            }
            _ => Set::NOBODY,
        };
        let changed = |&&(view, stayed): &&(View, Set)| view.members != stayed.and(newcomers);
        if let Some(&(_, stayed)) = here.iter().find(changed) {
            self.form(stayed, newcomers);
            return true;
        }
        here.is_empty() && self.bring_view_back(live)
    }

    /// `2*w(stayed) + w(left gracefully) > w(view)`.
    pub fn has_quorum(&self, view: View, stayed: Set, left: Set) -> bool {
        let weight = |set: Set| -> u32 { set.iter().map(|place| u32::from(self.members[place].weight)).sum() };
        let left = left.common(view.members).without(stayed);
        2 * weight(stayed.common(view.members)) + weight(left) > weight(view.members)
    }

    fn lose_quorum(&mut self, place: Place) {
        if let Some(run) = self.run_mut(place) {
            run.primary = false;
            run.queue = 0;
            if !matches!(run.state, State::Joining(..)) {
                run.state = State::Initialized;
            }
        }
    }

    /// With nobody primary, Galera brings the last view back when all of its members are there and nobody who knows
    /// another view is: that one blocks them (measured, fact 3).
    fn bring_view_back(&mut self, live: Set) -> bool {
        let knows = |place: Place| self.run(place).and_then(|run| run.view);
        let holders: Set = live.iter().filter(|&place| knows(place).is_some()).collect();
        let Some(view) = holders.iter().find_map(knows) else { return false };
        if view.members != holders || !holders.iter().all(|place| knows(place) == Some(view)) {
            return false;
        }
        for place in live.without(holders).iter() {
            if let Some(run) = self.run_mut(place) {
                run.stuck = true;
            }
        }
        let elected = holders.iter().any(|place| self.run(place).is_some_and(|run| run.elected));
        self.begin(holders, elected);
        true
    }

    /// A primary component begins where none was: its state is that of the member that has come furthest.
    pub(super) fn begin(&mut self, members: Set, elected: bool) {
        let knowing: Set =
            members.iter().filter(|&place| self.run(place).is_some_and(|run| run.knows_position)).collect();
        // Nobody knows where its rows are: history gets the zero UUID, and each goes on with what it has (measured).
        let first = knowing.iter().max_by_key(|&place| (self.seqno(place), std::cmp::Reverse(place)));
        if self.timed
            && let Some(first) = first.or_else(|| members.iter().next())
        {
            self.begun.push(Begun { first, members, elected });
        }
        let Some(first) = first else {
            members.iter().for_each(|place| self.forget_history(place));
            self.form(members, Set::NOBODY);
            return;
        };
        let at = self.at(first);
        let with_state: Set = knowing.iter().filter(|&place| self.at(place) == at).collect();
        if elected && !self.timed {
            self.check_start(first);
        }
        // Only equal rows go on without a transfer, but equal numbers are all that Galera sees.
        self.form(with_state, members.without(with_state));
    }

    fn forget_history(&mut self, place: Place) {
        if let Some(rows) = self.rows_mut(place) {
            rows.history = HistoryId::ZERO;
        }
    }

    /// A primary view forms: `stayed` have its state, `newcomers` may have to get it. The change of view takes a number
    /// of its own.
    pub(super) fn form(&mut self, stayed: Set, newcomers: Set) {
        self.next_view += 1;
        let mut nodes = [0; 8];
        nodes.iter_mut().zip(&self.members).for_each(|(node, member)| *node = member.node);
        let view = View { name: self.next_view, members: stayed.and(newcomers), is_nil: false, nodes };
        let event = self.new_event();
        for place in stayed.iter().collect::<Vec<_>>() {
            let is_joining = self.run(place).is_some_and(|run| matches!(run.state, State::Joining(..)));
            if !is_joining && self.views_take_seqnos {
                self.receive(place, event, false);
            }
            self.enter(place, view, !is_joining);
        }
        let source = stayed.iter().find(|&place| self.is_synced(place));
        for place in newcomers.iter().collect::<Vec<_>>() {
            self.lose_quorum(place);
            self.enter(place, view, false);
            match source {
                Some(source) => self.take_in(place, source, event),
                None => self.abort(place),
            }
        }
        view.members.iter().for_each(|place| self.record_view(place));
    }

    /// A member is in a new primary view: gvwstate.dat names it, and grastate.dat says whether it is alone there.
    fn enter(&mut self, place: Place, view: View, has_state: bool) {
        let seqno = self.rows(place).map_or(-1, super::Rows::seqno);
        let Some(run) = self.run_mut(place) else { return };
        let was: Run = *run;
        run.view = Some(view);
        run.primary = true;
        run.view_seqno = seqno;
        if has_state {
            run.open = true;
            run.state = if was.state == State::Donor { State::Donor } else { State::Synced };
        }
        let history = self.rows(place).map_or(HistoryId::ZERO, |rows| rows.history);
        let disk = &mut self.members[place].disk;
        if !disk.view_frozen {
            disk.gvwstate = File::Whole(view);
        }
        let flag = view.members.len() == 1;
        let history = match disk.grastate.read() {
            Some(grastate) if !has_state => grastate.history,
            _ => history,
        };
        let seqno = disk.grastate.read().map_or(-1, |grastate| if was.paused { grastate.seqno } else { -1 });
        disk.grastate = File::Whole(Grastate { history, seqno, flag });
        disk.records.clean = None;
    }

    /// A member that comes into a component in service. Galera compares UUIDs and numbers, never rows.
    fn take_in(&mut self, place: Place, source: Place, change: Event) {
        let Some(group) = self.rows(source).cloned() else { return };
        let knows = self.run(place).is_some_and(|run| run.knows_position);
        let own = self.rows(place).filter(|rows| knows && rows.history == group.history).map(super::Rows::seqno);
        match own {
            Some(own) if own > group.seqno() => self.abort(place),
            Some(own) if own == group.seqno() => self.comes_into_service(place),
            Some(own) if own == group.seqno() - 1 && self.views_take_seqnos => {
                self.receive(place, change, false);
                self.comes_into_service(place);
            }
            Some(own) => {
                let reaches = group.seqno() - own <= i32::from(self.cache);
                self.begin_transfer(place, source, !reaches);
            }
            None => self.begin_transfer(place, source, true),
        }
    }

    /// A member has the component's state.
    pub(super) fn comes_into_service(&mut self, place: Place) {
        let history = self.rows(place).map_or(HistoryId::ZERO, |rows| rows.history);
        let Some(run) = self.run_mut(place) else { return };
        run.open = true;
        run.knows_position = true;
        run.queue = 0;
        run.state = State::Synced;
        let alone = run.view.is_some_and(|view| view.members.len() == 1);
        self.members[place].disk.grastate = File::Whole(Grastate { history, seqno: -1, flag: alone });
        self.record_view(place);
        self.learn_forks(place);
    }
}
