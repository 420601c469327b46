//! The cluster as a whole.

use std::collections::BTreeSet;

use super::{At, Broken, Data, Disk, Event, File, Grastate, HistoryId, Place, Rows, Set, View};

/// A cluster: its members, the network between them, and what its clients were promised.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cluster {
    /// The members, in the order of cluster.conf.
    pub members: Vec<Member>,
    /// Commits that a client was told are safe.
    pub acknowledged: BTreeSet<Event>,
    /// Commits that the operator's word gave up.
    pub given_up: BTreeSet<Event>,
    /// How often the operator has forced a new cluster.
    pub forces: u8,
    /// How many events a power cut may cost at most.
    pub window: u8,
    /// How many events a donor's cache reaches back.
    pub cache: u16,
    /// False if state transfers are over at once: [`Cluster::finish_transfer`] ends the others.
    pub slow_transfers: bool,
    /// True for supervisors that write a view's floor down as soon as gvwstate.dat names the view, before what came in
    /// ahead of the change of view is applied: a mistake, to see what it costs.
    pub hasty_floors: bool,
    /// True if the group needs time to notice what has changed: until [`Cluster::notice`] nothing comes of it, but that
    /// nobody can commit beside a member that is gone.
    pub timed: bool,
    /// Something has changed that the group has not noticed yet.
    pub unnoticed: bool,
    /// What was measured on 2026-11-30 holds (reference/galera-holes.md, recovery-holes.md); false for the kinder Galera before:
    /// see [`super::measured`].
    pub as_measured: bool,
    /// A change of view takes a sequence number: Galera 4, as measured; Galera 3 has none for it.
    pub views_take_seqnos: bool,
    /// The next state requests of these fail.
    pub requests_fail: Set,
    /// The scripts of these fail before they have done anything.
    pub scripts_fail: Set,
    /// With time: the primary components that began where none was, until somebody takes them.
    pub begun: Vec<Begun>,
    /// Promises that were broken.
    pub broken: Vec<Broken>,
    /// The name of the last event.
    pub next_event: u16,
    /// The name of the last view.
    pub next_view: u16,
    /// The name of the next history.
    pub next_history: u16,
}

/// A primary component that began where none was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Begun {
    /// Whose state it has.
    pub first: Place,
    /// Who is in it.
    pub members: Set,
    /// An election wanted it; else Galera has done it by itself, or a hand.
    pub elected: bool,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// False after a power cut, until the power is back.
    pub powered: bool,
    /// The part of the network that it is in: members with equal numbers reach each other.
    pub side: u8,
    /// Its weight (`pc.weight`).
    pub weight: u8,
    /// Its disk.
    pub disk: Disk,
    /// Its database process.
    pub process: Process,
    /// Which node its process is, or was: a process that begins without gvwstate.dat is a new one, one that begins with it is the
    /// node that the file names, and it stays so from view to view. (Untimed, a member is one node: nothing compares them there.)
    pub node: u8,
    /// `bin/cluster/maintenance --activate`.
    pub maintenance: bool,
    /// Whom it counts out (`bin/cluster/node HOST disable`).
    pub disabled: Set,
}

/// A database process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// There is none.
    Stopped,
    /// It runs with Galera.
    Running(Run),
    /// It runs without Galera.
    Alone,
}

/// A process that runs with Galera.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as Galera has it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// The primary view it is in, or the last one it knows: from its own time or from gvwstate.dat.
    pub view: Option<View>,
    /// The sequence number of the change to that view.
    pub view_seqno: i32,
    /// True in the component that has quorum.
    pub primary: bool,
    /// `wsrep_local_state`.
    pub state: State,
    /// It has opened its socket for clients. It does so when it first is in service, not before.
    pub open: bool,
    /// It was told, or could read, where its rows are.
    pub knows_position: bool,
    /// How many events at the end of its log it has received and not yet applied: a crash costs them.
    pub queue: u8,
    /// An election started it, to bring a view back.
    pub elected: bool,
    /// It was there without a view when others brought theirs back; it finds no way in any more (measured).
    pub stuck: bool,
    /// It applies nothing: a backup or a joiner reads its files.
    pub paused: bool,
}

/// `wsrep_local_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Without a primary component.
    Initialized,
    /// Receives state from this member; `true` if in full.
    Joining(Place, bool),
    /// Gives state.
    Donor,
    /// In service.
    Synced,
    /// It found that its rows differ, and has left the group; the process stays.
    Inconsistent,
}

impl Cluster {
    /// This many members, installed and never started.
    pub fn installed(members: usize) -> Cluster {
        let member = Member {
            powered: true,
            side: 0,
            weight: 1,
            disk: Disk::default(),
            process: Process::Stopped,
            node: 0,
            maintenance: false,
            disabled: Set::NOBODY,
        };
        Cluster {
            members: vec![member; members],
            acknowledged: BTreeSet::new(),
            given_up: BTreeSet::new(),
            forces: 0,
            window: 1,
            cache: u16::MAX,
            slow_transfers: false,
            hasty_floors: false,
            timed: false,
            unnoticed: false,
            as_measured: false,
            views_take_seqnos: true,
            requests_fail: Set::NOBODY,
            scripts_fail: Set::NOBODY,
            begun: Vec::new(),
            broken: Vec::new(),
            next_event: 0,
            next_view: 0,
            next_history: 1,
        }
    }

    /// This many members in service together, with an empty history and all records written.
    pub fn in_service(members: usize) -> Cluster {
        let mut cluster = Cluster::installed(members);
        let history = cluster.new_history();
        let rows = Rows { history, ..Rows::default() };
        let grastate = Grastate { history, seqno: 0, flag: false };
        for member in &mut cluster.members {
            member.disk.data = Data::Rows(rows.clone());
            member.disk.grastate = File::Whole(grastate);
            member.process = Process::Running(Run::starting(None, true));
        }
        cluster.form(Set::first(members), Set::NOBODY);
        cluster
    }

    /// All members.
    pub fn everybody(&self) -> Set {
        Set::first(self.members.len())
    }

    /// A member's process, if it runs with Galera.
    pub fn run(&self, place: Place) -> Option<&Run> {
        match &self.members[place].process {
            Process::Running(run) => Some(run),
            Process::Stopped | Process::Alone => None,
        }
    }

    pub(super) fn run_mut(&mut self, place: Place) -> Option<&mut Run> {
        match &mut self.members[place].process {
            Process::Running(run) => Some(run),
            Process::Stopped | Process::Alone => None,
        }
    }

    /// A member's rows, if they are of a history.
    pub fn rows(&self, place: Place) -> Option<&Rows> {
        self.members[place].disk.data.rows()
    }

    pub(super) fn rows_mut(&mut self, place: Place) -> Option<&mut Rows> {
        match &mut self.members[place].disk.data {
            Data::Rows(rows) => Some(rows),
            Data::Empty | Data::NoHistory(_) | Data::Partial => None,
        }
    }

    /// `wsrep_last_committed`, or what `--wsrep-recover` would find; -1 if there is none.
    pub fn seqno(&self, place: Place) -> i32 {
        let queue = self.run(place).map_or(0, |run| i32::from(run.queue));
        self.rows(place).map_or(-1, |rows| rows.seqno() - queue)
    }

    /// Where a member's rows are.
    pub fn at(&self, place: Place) -> Option<At> {
        let history = self.rows(place)?.history;
        (history != HistoryId::ZERO).then(|| At { history, seqno: self.seqno(place) })
    }

    /// True if the member is in a primary component.
    pub fn is_primary(&self, place: Place) -> bool {
        self.run(place).is_some_and(|run| run.primary)
    }

    /// True if the member is in service with all data.
    pub fn is_synced(&self, place: Place) -> bool {
        self.run(place).is_some_and(|run| run.primary && matches!(run.state, State::Synced | State::Donor))
    }

    /// True if the member has no database process.
    pub fn is_stopped(&self, place: Place) -> bool {
        self.members[place].process == Process::Stopped
    }

    /// The primary components: one, none, or several after a split.
    pub fn primaries(&self) -> Vec<View> {
        let views = (0..self.members.len()).filter_map(|place| self.run(place).filter(|run| run.primary)?.view);
        views.collect::<BTreeSet<View>>().into_iter().collect()
    }

    /// True if both are powered and in one part of the network.
    pub fn reaches(&self, one: Place, other: Place) -> bool {
        let (one, other) = (&self.members[one], &self.members[other]);
        one.powered && other.powered && one.side == other.side
    }

    /// A client commits on this member. Its component has the commit before the client is told; those in `late` have
    /// received it, but not yet applied. False if the member gives no service.
    pub fn commit(&mut self, on: Place, late: Set) -> bool {
        if self.members[on].process == Process::Alone {
            let event = self.new_event();
            if let Data::Rows(rows) | Data::NoHistory(rows) = &mut self.members[on].disk.data {
                rows.alone.push(event);
                self.acknowledged.insert(event);
                return true;
            }
            return false;
        }
        let Some(view) = self.run(on).filter(|_| self.takes_writes(on)).and_then(|run| run.view) else { return false };
        let event = self.new_event();
        for place in view.members.iter().filter(|&place| self.is_synced(place)).collect::<Vec<_>>() {
            self.receive(place, event, late.contains(place) && place != on);
        }
        self.acknowledged.insert(event);
        true
    }

    /// True if the member is in service, and everybody of its view is still there.
    pub fn takes_writes(&self, on: Place) -> bool {
        let view = self.run(on).filter(|_| self.is_synced(on)).and_then(|run| run.view);
        view.is_some_and(|view| !self.timed || self.is_complete(view, on))
            && !self.run(on).is_some_and(|run| run.paused)
    }

    /// Everybody of the view is still there: only then a commit is certified.
    fn is_complete(&self, view: View, on: Place) -> bool {
        let is_there = |place: Place| {
            self.reaches(on, place) && self.run(place).is_some_and(|run| run.primary && run.view == Some(view))
        };
        view.members.iter().all(is_there)
    }

    /// An event reaches a member: it is applied at once, unless it is `late` or others before it still wait.
    pub(super) fn receive(&mut self, place: Place, event: Event, late: bool) {
        let window = self.window;
        let Some(run) = self.run_mut(place) else { return };
        if late || run.queue > 0 || run.paused {
            run.queue += 1;
        }
        let Some(rows) = self.rows_mut(place) else { return };
        rows.log.push(event);
        rows.unflushed = (rows.unflushed + 1).min(window);
    }

    /// A member applies all that it has received.
    pub fn apply(&mut self, place: Place) {
        if let Some(run) = self.run_mut(place).filter(|run| !run.paused) {
            run.queue = 0;
        }
        self.record_view(place);
    }

    /// A member's rows reach its disk.
    pub fn flush(&mut self, place: Place) {
        if let Some(rows) = self.rows_mut(place) {
            rows.unflushed = 0;
        }
    }

    /// The last event that happened.
    pub fn last_event(&self) -> Event {
        Event(self.next_event)
    }

    pub(super) fn new_event(&mut self) -> Event {
        self.next_event += 1;
        Event(self.next_event)
    }

    pub(super) fn new_history(&mut self) -> HistoryId {
        self.next_history += 1;
        HistoryId(self.next_history - 1)
    }
}

impl Run {
    /// A process that has just begun.
    pub(super) fn starting(view: Option<View>, knows_position: bool) -> Run {
        Run {
            view,
            view_seqno: -1,
            primary: false,
            state: State::Initialized,
            open: false,
            knows_position,
            queue: 0,
            elected: false,
            stuck: false,
            paused: false,
        }
    }
}
