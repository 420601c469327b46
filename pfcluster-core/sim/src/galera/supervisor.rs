//! The supervisors: what they write down, and how each carries out its own part of a decision.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Policy, Reason};
use pfcluster_core::galera::select_bootstrap;

use super::evidence::place;
use super::{At, Cluster, Data, File, Fork, Place, Set, ViewRecord};

/// One member's part in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// None.
    Nothing,
    /// It stops its process, which would be in the way.
    Stop,
    /// It starts with its view, to bring that back.
    Reform,
    /// It joins the component in service.
    Join,
    /// It sets its last view aside, which could be restored beside a start.
    Supersede,
    /// It starts a new component from what it holds.
    Bootstrap,
    /// The same, with a new cluster UUID.
    BootstrapAnew,
    /// It makes its component primary.
    Promote,
    /// It begins with nothing, or with what belongs to no history.
    Begin,
    /// It runs without Galera.
    Alone,
}

impl Cluster {
    /// What the viewer decides if these answer it.
    pub fn elect(&self, viewer: Place, asked: Set, policy: &Policy) -> Decision<Action, Reason> {
        select_bootstrap(&self.seen_by(viewer, asked), policy)
    }

    /// The viewer decides, and carries its part out. Returns that part.
    pub fn supervise(&mut self, viewer: Place, asked: Set) -> Part {
        let part = part(&self.elect(viewer, asked, &Policy::default()).action, viewer);
        self.carry_out(viewer, asked, part);
        part
    }

    /// A member carries out its part. Right before it begins something it looks once more for a primary component.
    pub fn carry_out(&mut self, own: Place, asked: Set, part: Part) {
        let begins = matches!(part, Part::Reform | Part::Bootstrap | Part::BootstrapAnew | Part::Promote | Part::Begin);
        let somebody_serves = (0..self.members.len()).any(|other| self.reaches(own, other) && self.is_primary(other));
        if begins && somebody_serves || !self.members[own].powered {
            return;
        }
        self.record_clean(own);
        if matches!(part, Part::Reform | Part::Join | Part::Bootstrap) && self.is_stopped(own) {
            self.clear_seqno(own);
        }
        // A start that is refused leaves everything as it is.
        let _ = match part {
            Part::Stop => {
                self.leave(own);
                Ok(())
            }
            Part::Reform => self.start_as(own, true, true),
            Part::Join if self.is_stopped(own) => {
                self.check_join(own);
                let serving =
                    asked.iter().filter(|&other| self.reaches(own, other) && self.is_primary(other)).collect();
                self.learn_forks_of(own, serving);
                self.members[own].disk.gvwstate = File::Absent;
                self.start_as(own, true, false)
            }
            Part::Supersede => {
                let at = self.at(own);
                let disk = &mut self.members[own].disk;
                disk.gvwstate = File::Absent;
                if let File::Whole(grastate) = &mut disk.grastate {
                    grastate.flag = false;
                }
                (disk.records.view, disk.records.clean) = (None, at.map(|at| (at, false)));
                Ok(())
            }
            Part::Bootstrap => {
                if self.is_stopped(own) {
                    let at = self.at(own);
                    let last =
                        self.members[own].disk.records.clean.is_some_and(|(clean, last)| Some(clean) == at && last);
                    self.members[own].disk.records.clean = at.map(|at| (at, last));
                    self.set_flag(own);
                }
                self.bootstrap_as(own, true, true)
            }
            Part::BootstrapAnew => {
                if let Some(at) = self.at(own).filter(|_| self.is_stopped(own)) {
                    let forks = std::mem::take(&mut self.members[own].disk.records.forks);
                    self.leave_history(own);
                    self.next_event += 1;
                    let records = &mut self.members[own].disk.records;
                    records.forks = forks;
                    records.forks.push(Fork { id: self.next_event, at });
                }
                self.bootstrap_as(own, false, true)
            }
            Part::Begin => {
                if self.is_stopped(own) {
                    self.leave_history(own);
                }
                self.bootstrap_as(own, false, true)
            }
            Part::Promote => {
                self.promote_as(own, true);
                Ok(())
            }
            Part::Alone => {
                self.start_alone(own);
                Ok(())
            }
            Part::Nothing | Part::Join => Ok(()),
        };
    }

    /// What a member holds is to begin a new history: without grastate.dat and without a position Galera makes a new UUID.
    /// With the old UUID, members that have not what was written without Galera could join incrementally.
    pub fn leave_history(&mut self, own: Place) {
        let disk = &mut self.members[own].disk;
        disk.grastate = File::Absent;
        disk.records = super::Records::default();
        disk.data = match std::mem::take(&mut disk.data) {
            Data::Rows(mut rows) => {
                rows.log.append(&mut rows.alone);
                Data::NoHistory(rows)
            }
            data => data,
        };
    }

    /// The operator forces a new cluster on this member, which knows what these tell. What others hold and it does not is
    /// given up. False if the answer is not to start it.
    pub fn force(&mut self, own: Place, asked: Set) -> bool {
        let policy = Policy { force: Some(super::evidence::host(own)), ..Policy::default() };
        let part = part(&self.elect(own, asked, &policy).action, own);
        if matches!(part, Part::Stop | Part::Supersede) {
            self.carry_out(own, asked, part);
            return false;
        }
        if !matches!(part, Part::Bootstrap | Part::BootstrapAnew | Part::Promote | Part::Begin) {
            return false;
        }
        self.forces += 1;
        let lost = |event: &&super::Event| !self.rows(own).is_some_and(|rows| rows.has(**event));
        let lost: Vec<super::Event> = self.acknowledged.iter().filter(lost).copied().collect();
        self.given_up.extend(lost);
        self.carry_out(own, asked, part);
        true
    }

    /// Everybody in service writes down how far it has come (every 10 s).
    pub fn record_positions(&mut self) {
        for own in 0..self.members.len() {
            let Some(at) = self.at(own).filter(|_| self.is_synced(own)) else { continue };
            let last = &mut self.members[own].disk.records.last_recorded;
            let is_newer = |last: At| last.history != at.history || last.seqno < at.seqno;
            if last.is_none_or(is_newer) {
                *last = Some(at);
            }
        }
    }

    /// A member writes the view down once it is synced in it and has applied all that came before it, the change of view
    /// itself included: what it has applied by then, nobody who left before can exceed.
    pub(super) fn record_view(&mut self, own: Place) {
        let Some(run) = self.run(own).copied().filter(|_| self.is_synced(own)) else { return };
        let (Some(view), Some(at)) = (run.view, self.at(own)) else { return };
        let hasty = self.hasty_floors;
        let record = &mut self.members[own].disk.records.view;
        if (hasty || at.seqno >= run.view_seqno) && record.is_none_or(|record| record.view != view) {
            *record = Some(ViewRecord { view, at });
        }
    }

    /// A stopped server is looked at: recovery shows whether its stop was clean, which is persisted before any start.
    fn record_clean(&mut self, own: Place) {
        let at = self.at(own).filter(|_| self.is_stopped(own));
        let disk = &mut self.members[own].disk;
        let (Some(at), File::Whole(grastate), File::Absent) = (at, &disk.grastate, &disk.gvwstate) else { return };
        let is_clean = grastate.history == at.history && grastate.seqno == at.seqno;
        if is_clean && disk.records.clean.is_none_or(|(clean, _)| clean != at) {
            disk.records.clean = Some((at, grastate.flag));
        }
    }

    /// grastate.dat says something else than `InnoDB`: Galera would go on from there.
    fn clear_seqno(&mut self, own: Place) {
        let at = self.at(own);
        if let File::Whole(grastate) = &mut self.members[own].disk.grastate
            && at.is_none_or(|at| at.history == grastate.history && at.seqno != grastate.seqno)
        {
            grastate.seqno = -1;
        }
    }

    /// Whoever comes into service remembers the forks that those in service remember.
    pub(super) fn learn_forks(&mut self, own: Place) {
        let others = self.group(own).iter().filter(|&other| self.is_synced(other)).collect();
        self.learn_forks_of(own, others);
    }

    fn learn_forks_of(&mut self, own: Place, others: Set) {
        let forks = |other: Place| self.members[other].disk.records.forks.clone();
        let all: Vec<Fork> = others.iter().flat_map(forks).collect();
        let known = &mut self.members[own].disk.records.forks;
        for fork in all {
            if !known.contains(&fork) {
                known.push(fork);
            }
        }
    }

    /// True if the member's rows can be relied on: grastate.dat can be read, no transfer has broken off, no abort
    /// has made them doubtful.
    pub fn is_trusted(&self, own: Place) -> bool {
        let disk = &self.members[own].disk;
        let doubtful = disk.grastate.read().is_none_or(|grastate| grastate.history == super::HistoryId::ZERO);
        matches!(disk.data, Data::Rows(_)) && !disk.marker && !doubtful
    }
}

/// What a decision asks of one member. It begins nothing while somebody must stop first.
pub fn part(action: &Action, own: Place) -> Part {
    let is_in = |hosts: &[Hostname]| hosts.iter().any(|host| place(host) == own);
    let (stop_first, supersede_first, begins) = match action {
        Action::Join { joiners, .. } => return if is_in(joiners) { Part::Join } else { Part::Nothing },
        Action::Standalone { member } => return if place(member) == own { Part::Alone } else { Part::Nothing },
        Action::Reform { members, stop_first, .. } => (stop_first, &[][..], is_in(members).then_some(Part::Reform)),
        Action::Bootstrap { member, stop_first, supersede_first, new_uuid, .. } => {
            let part = if *new_uuid { Part::BootstrapAnew } else { Part::Bootstrap };
            (stop_first, &supersede_first[..], (place(member) == own).then_some(part))
        }
        Action::Promote { member, stop_first, supersede_first, .. } => {
            (stop_first, &supersede_first[..], (place(member) == own).then_some(Part::Promote))
        }
        Action::Fresh { member, stop_first, .. } | Action::Seed { member, stop_first, .. } => {
            (stop_first, &[][..], (place(member) == own).then_some(Part::Begin))
        }
        _ => return Part::Nothing,
    };
    match begins {
        _ if is_in(stop_first) => Part::Stop,
        _ if !stop_first.is_empty() => Part::Nothing,
        _ if is_in(supersede_first) => Part::Supersede,
        Some(part) if supersede_first.is_empty() => part,
        _ => Part::Nothing,
    }
}
