//! How a database comes up.

use super::{Cluster, Data, File, Grastate, HistoryId, Place, Process, Rows, Run, Set, State};

/// Why a start was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It runs already, or has no power.
    NotNow,
    /// `safe_to_bootstrap` is 0: "It may not be safe to bootstrap the cluster from this node".
    NotSafeToBootstrap,
}

impl Cluster {
    /// A normal start, with or without the recovered position handed over (`--wsrep_start_position`).
    ///
    /// # Errors
    /// [`Refused::NotNow`].
    pub fn start(&mut self, place: Place, recovered: bool) -> Result<(), Refused> {
        self.start_as(place, recovered, false)
    }

    /// The same; `elected`: an election wants it.
    ///
    /// # Errors
    /// [`Refused::NotNow`].
    pub fn start_as(&mut self, place: Place, recovered: bool, elected: bool) -> Result<(), Refused> {
        self.may_start(place)?;
        let knows = self.knows_position(place, recovered);
        self.take_written_number(place);
        self.name_node(place);
        let disk = &mut self.members[place].disk;
        let view = disk.gvwstate.read().copied();
        let flag = self.flag(place);
        self.write_running(place, flag);
        self.members[place].process = Process::Running(Run { elected, ..Run::starting(view, knows) });
        self.settle(Set::NOBODY);
        Ok(())
    }

    /// `--wsrep-new-cluster`: it goes on alone with what it has, and ignores gvwstate.dat.
    ///
    /// # Errors
    /// [`Refused::NotSafeToBootstrap`] if grastate.dat forbids it; [`Refused::NotNow`].
    pub fn bootstrap(&mut self, place: Place, recovered: bool) -> Result<(), Refused> {
        self.bootstrap_as(place, recovered, false)
    }

    /// The same; `elected`: an election wants it.
    ///
    /// # Errors
    /// [`Refused::NotSafeToBootstrap`] if grastate.dat forbids it; [`Refused::NotNow`].
    pub fn bootstrap_as(&mut self, place: Place, recovered: bool, elected: bool) -> Result<(), Refused> {
        self.may_start(place)?;
        if !self.flag(place) {
            return Err(Refused::NotSafeToBootstrap);
        }
        let knows = self.knows_position(place, recovered);
        self.take_written_number(place);
        self.name_node(place);
        let (data, made) = match std::mem::take(&mut self.members[place].disk.data) {
            Data::NoHistory(rows) => (Data::Rows(Rows { history: self.new_history(), ..rows }), true),
            Data::Empty => (Data::Rows(Rows { history: self.new_history(), ..Rows::default() }), true),
            // Without grastate.dat there is no state: a new UUID, whatever InnoDB remembers (measured).
            Data::Rows(mut rows) if self.members[place].disk.grastate == File::Absent => {
                rows.log.append(&mut rows.alone);
                (Data::Rows(Rows { history: self.new_history(), ..rows }), true)
            }
            data @ (Data::Rows(_) | Data::Partial) => (data, false),
        };
        self.members[place].disk.data = data;
        self.write_running(place, true);
        self.members[place].process = Process::Running(Run::starting(None, knows || made));
        let is_nil = self.as_measured && self.members[place].disk.gvwstate == File::Torn;
        self.begin(Set::of(place), elected);
        if is_nil {
            self.name_nil(place);
        }
        self.settle(Set::NOBODY);
        Ok(())
    }

    /// `SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'`: without a primary component, everybody in the group goes
    /// on as one; within one it is ignored. It reports success either way; true if it did something.
    pub fn promote(&mut self, place: Place) -> bool {
        self.promote_as(place, false)
    }

    /// The same; `elected`: an election wants it.
    pub fn promote_as(&mut self, place: Place, elected: bool) -> bool {
        self.notice();
        let can = self.run(place).is_some_and(|run| run.open && !run.primary && run.state != State::Inconsistent);
        if can {
            self.begin(self.group(place), elected);
            self.settle(Set::NOBODY);
        }
        can
    }

    /// Who is in one group with this member, itself among them: in its component if that is primary, else all that run
    /// in its part of the network without one.
    pub fn group(&self, place: Place) -> Set {
        let Some(own) = self.run(place) else { return Set::NOBODY };
        let is_with = |&other: &Place| {
            let Some(run) = self.run(other) else { return false };
            let is_apart = own.state == State::Inconsistent || run.state == State::Inconsistent;
            if is_apart {
                return place == other;
            }
            self.reaches(place, other) && run.primary == own.primary && (!own.primary || run.view == own.view)
        };
        (0..self.members.len()).filter(is_with).collect()
    }

    /// A start without Galera.
    pub fn start_alone(&mut self, place: Place) {
        if self.may_start(place).is_ok() {
            let disk = &mut self.members[place].disk;
            disk.records.ran_standalone = true;
            if disk.data == Data::Empty {
                disk.data = Data::NoHistory(Rows::default());
            }
            self.members[place].process = Process::Alone;
        }
    }

    /// By hand: `safe_to_bootstrap: 1` is written into grastate.dat.
    pub fn set_flag(&mut self, place: Place) {
        let disk = &mut self.members[place].disk;
        let grastate = disk.grastate.read().copied();
        let grastate = grastate.unwrap_or(Grastate { history: HistoryId::ZERO, seqno: -1, flag: true });
        disk.grastate = File::Whole(Grastate { flag: true, ..grastate });
    }

    /// The data directory is moved aside, and with it Galera's files. The supervisor's records stay, without what was
    /// written about the data that are gone.
    pub fn discard(&mut self, place: Place) {
        let disk = &mut self.members[place].disk;
        let records = super::Records::default();
        *disk = super::Disk { records, ..super::Disk::default() };
    }

    /// Which node the process is that begins now.
    fn name_node(&mut self, place: Place) {
        let member = &mut self.members[place];
        match member.disk.gvwstate.read() {
            Some(view) => member.node = view.nodes[place],
            None if self.timed => member.node = member.node.wrapping_add(1),
            None => {}
        }
    }

    fn may_start(&self, place: Place) -> Result<(), Refused> {
        let member = &self.members[place];
        if member.powered && member.process == Process::Stopped { Ok(()) } else { Err(Refused::NotNow) }
    }

    /// Galera takes a position that it is handed only where grastate.dat names the same history and no number.
    fn knows_position(&self, place: Place, recovered: bool) -> bool {
        let disk = &self.members[place].disk;
        let (Some(grastate), Some(rows)) = (disk.grastate.read(), disk.data.rows()) else { return false };
        let same = grastate.history == rows.history && rows.history != HistoryId::ZERO;
        same && !disk.marker && (recovered || grastate.seqno >= 0)
    }

    /// `safe_to_bootstrap`; where the file or the line is missing, Galera reads a 1.
    fn flag(&self, place: Place) -> bool {
        self.members[place].disk.grastate.read().is_none_or(|grastate| grastate.flag)
    }

    pub(super) fn write_running(&mut self, place: Place, flag: bool) {
        let disk = &mut self.members[place].disk;
        let history = disk.grastate.read().map_or(HistoryId::ZERO, |grastate| grastate.history);
        disk.grastate = File::Whole(Grastate { history, seqno: -1, flag });
    }
}
