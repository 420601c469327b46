//! Faults strike: now, or at the moment of a supervisor that they wait for.

use pfcluster_core::supervisor::{Input, Saying, Start};

use super::diary::{Entry, Happening};
use super::galera::{Disk, File, HistoryId, Place, Set, Tear};
use super::ledger::Cause;
use super::network::{Plane, Trouble};
use super::plan::{Fault, Group, Kind};
use super::random::Random;
use super::world::{Event, World};

/// Something that an operator has begun, and ends by himself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Maintenance.
    Maintenance,
    /// Members are counted out.
    Disabling,
    /// A backup.
    Backup,
    /// gvwstate.dat is not written.
    FrozenView,
}

/// How long a fault waits for its moment, in milliseconds.
pub(super) const AMBUSH: u64 = 6_000;

const BOTH: &[Plane] = &[Plane::Management, Plane::Galera];

impl World {
    /// The moment for a fault that waits for it.
    pub(super) fn ambush(&mut self, place: Place) {
        if self.armed.is_empty() {
            return;
        }
        let phase = self.hosts[place].phase();
        let is_due = |fault: &Fault| fault.on == place && fault.moment == phase;
        if let Some(at) = self.armed.iter().position(is_due) {
            let fault = self.armed.remove(at);
            self.after(0, Event::Fault(Fault { moment: None, ..fault }));
        }
    }

    /// A fault strikes, or begins to wait for its moment.
    pub(super) fn strikes(&mut self, fault: Fault) {
        let phase = self.hosts[fault.on].phase();
        if fault.moment.is_some() && fault.moment != phase {
            self.armed.push(fault);
            self.after(AMBUSH, Event::Overdue(fault));
        } else {
            self.strikes_now(fault);
        }
    }

    /// It has waited long enough.
    pub(super) fn overdue(&mut self, fault: Fault) {
        if let Some(at) = self.armed.iter().position(|armed| *armed == fault) {
            self.armed.remove(at);
            self.strikes_now(fault);
        }
    }

    fn strikes_now(&mut self, fault: Fault) {
        let Some(phase) = self.hosts[fault.on].phase() else {
            // Nobody is there to be surprised.
            self.after(700, Event::Fault(Fault { moment: None, ..fault }));
            return;
        };
        if !self.is_bad {
            return;
        }
        self.coverage.count(fault.kind, phase);
        self.tell(Some(fault.on), || {
            format!("FAULT {} (its supervisor {})", fault.kind, format!("{phase:?}").to_lowercase())
        });
        self.note(Entry::Happens(Happening::Fault(fault.kind, fault.on)));
        self.strike(fault.on, fault.kind, &mut Random::new(fault.dice));
    }

    pub(super) fn strike(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        match kind.group() {
            Group::Network => self.strike_network(on, kind, dice),
            Group::Operators => self.strike_operator(on, kind, dice),
            Group::Hands => self.strike_hand(on, kind),
            Group::Hosts | Group::Disks => self.strike_host(on, kind, dice),
        }
    }

    fn strike_host(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        let now = self.now;
        match kind {
            Kind::CrashDatabase => self.crash_database(on),
            Kind::PowerCut => self.power_cut(on, dice),
            Kind::PowerCutOfAll => {
                let is_at_once = dice.percent(50);
                let mut order: Vec<Place> = self.everybody().iter().collect();
                for at in (1..order.len()).rev() {
                    order.swap(at, dice.below(at + 1));
                }
                if is_at_once {
                    self.note_risk(self.everybody());
                    order.into_iter().for_each(|place| self.power_cut(place, dice));
                } else {
                    // Each goes after the others have noticed.
                    for (at, place) in order.into_iter().enumerate() {
                        let when = now + 3_000 * at as u64;
                        let (kind, dice) = (Kind::PowerCut, dice.bits());
                        let fault = Fault { day: 0, at: 0, moment: None, on: place, kind, dice };
                        self.at(when, Event::Fault(fault));
                    }
                }
            }
            Kind::GracefulStop => self.end_supervisor(on),
            Kind::FreezeDatabase => {
                self.hosts[on].frozen_until = now + dice.between(500, 15_000);
                self.reconnect();
                let when = self.hosts[on].frozen_until;
                self.at(when, Event::Reconnect);
            }
            Kind::FreezeSupervisor => self.hosts[on].stands_until = now + dice.between(300, 9_000),
            Kind::CrashUnit => {
                self.kill_supervisor(on);
                self.crash_database(on);
                self.after(dice.between(500, 5_000), Event::Boot(on));
            }
            Kind::CrashSupervisor => {
                self.kill_supervisor(on);
                self.after(dice.between(100, 5_000), Event::Boot(on));
            }
            Kind::SlowDisk => self.hosts[on].slow_until = now + dice.between(1_000, 12_000),
            Kind::FullDisk => self.hosts[on].full_until = now + dice.between(1_000, 12_000),
            Kind::WrongClock => {
                let ahead = dice.one(&[0, 700, 6_000, 3_600_000]);
                let permille = dice.one(&[500, 900, 1_000, 1_100, 2_000]);
                self.hosts[on].clock.set(now, ahead, permille);
                self.tell(Some(on), || format!("its clock jumps {ahead} ms, and goes at {permille}/1000"));
                self.feed(on, None, Input::Woken);
            }
            Kind::TransferFails => {
                self.hosts[on].transfer_fails = true;
                if let Some(process) = self.hosts[on].receives {
                    self.transferred(on, process);
                }
            }
            Kind::TooManyClients => self.hosts[on].deaf_until = now + dice.between(1_000, 12_000),
            Kind::TornFile => {
                self.power_cut(on, dice);
                let which = dice.below(4);
                let disk = &mut self.galera.members[on].disk;
                match which {
                    0 => disk.grastate = File::Torn,
                    1 => disk.grastate = File::Absent,
                    2 => disk.gvwstate = File::Torn,
                    _ => disk.gvwstate = File::Absent,
                }
                self.words.misled |= which < 2;
                self.tell(Some(on), || {
                    let what = ["grastate.dat torn", "grastate.dat lost", "gvwstate.dat torn", "gvwstate.dat lost"];
                    what[which].to_owned()
                });
            }
            Kind::StaleBackup => {
                self.power_cut(on, dice);
                self.words.misled = true;
                if let Some(backup) = self.hosts[on].backup.clone() {
                    self.galera.members[on].disk = backup;
                    self.changed(Cause::Fault);
                }
            }
            Kind::EmptyDisk => {
                self.power_cut(on, dice);
                self.words.misled = true;
                self.galera.members[on].disk = Disk::default();
                self.changed(Cause::Fault);
            }
            other => self.strike_as_measured(on, other, dice),
        }
    }

    pub(super) fn crash_database(&mut self, on: Place) {
        if self.now < self.hosts[on].ills.stuck_until {
            return;
        }
        self.hosts[on].launch = None;
        if self.plan.crash_costs {
            self.note_risk(Set::of(on));
            self.galera.crash_losing(on, self.unwritten(on));
        } else {
            self.galera.crash(on);
        }
        self.changed(Cause::Fault);
        self.thaws(on);
    }

    /// How much the process has committed and may not have written: nothing where there is none. What one before it wrote is in the page
    /// cache, and goes with the power only.
    fn unwritten(&self, on: Place) -> u8 {
        let Some(rows) = self.galera.rows(on).filter(|_| !self.galera.is_stopped(on)) else { return 0 };
        let own = rows.log.len().saturating_sub(self.hosts[on].rows_at_start);
        rows.unflushed.min(u8::try_from(own).unwrap_or(u8::MAX))
    }

    fn thaws(&mut self, on: Place) {
        if self.hosts[on].frozen_until > self.now {
            self.hosts[on].frozen_until = 0;
            self.reconnect();
        }
    }

    /// The power goes, and comes back by itself after a while.
    pub(super) fn power_cut(&mut self, on: Place, dice: &mut Random) {
        let lost = if dice.percent(50) { u8::MAX } else { 0 };
        self.power_cut_of(on, lost, dice);
    }

    /// The same, with all or nothing of what was not flushed.
    pub(super) fn power_cut_of(&mut self, on: Place, lost: u8, dice: &mut Random) {
        self.note_risk(Set::of(on));
        self.kill_supervisor(on);
        let host = &mut self.hosts[on];
        host.launch = None;
        (host.stands_until, host.full_until, host.slow_until, host.deaf_until) = (0, 0, 0, 0);
        host.ills.reboots();
        host.boot += 1;
        // A boot may find another time.
        let ahead = dice.one(&[0, 0, 1_000_000]);
        host.clock.set(self.now, ahead, 1_000);
        self.galera.cut_power(on, lost, Tear::Nothing);
        self.galera.restore_power(on);
        self.loses_unsynced(on, dice);
        self.changed(Cause::Fault);
        self.thaws(on);
        let outage = dice.between(1_000, 15_000);
        self.hosts[on].dark_until = self.now + outage;
        self.after(outage, Event::Boot(on));
        self.tell(Some(on), || format!("its power is gone for {outage} ms"));
    }

    /// The supervisor is told to end; it is started again some time after it has.
    pub(super) fn end_supervisor(&mut self, on: Place) {
        if self.hosts[on].supervisor.is_some() {
            self.hosts[on].ends = true;
            self.feed(on, None, Input::End);
        }
    }

    fn strike_network(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        let everybody = self.everybody();
        let others = everybody.without(Set::of(on));
        let until = self.now + dice.between(500, 13_000);
        let other = dice.one(&others.iter().collect::<Vec<_>>());
        let mut cut = |from: Place, to: Place, planes: &[Plane]| self.network.cut(from, to, planes, until);
        match kind {
            Kind::Partition => {
                let side: Set = everybody.iter().filter(|_| dice.percent(50)).collect();
                for from in side.iter() {
                    for to in everybody.without(side).iter() {
                        cut(from, to, BOTH);
                        cut(to, from, BOTH);
                    }
                }
            }
            Kind::CutOff => others.iter().for_each(|to| {
                cut(on, to, BOTH);
                cut(to, on, BOTH);
            }),
            Kind::AllApart => everybody.iter().for_each(|from| everybody.iter().for_each(|to| cut(from, to, BOTH))),
            Kind::OneWay => cut(on, other, BOTH),
            Kind::TwoApart => {
                cut(on, other, BOTH);
                cut(other, on, BOTH);
            }
            Kind::GaleraCut => others.iter().for_each(|to| cut(on, to, &[Plane::Galera])),
            Kind::ManagementCut => others.iter().for_each(|to| {
                cut(on, to, &[Plane::Management]);
                cut(to, on, &[Plane::Management]);
            }),
            Kind::Loss | Kind::Doubling | Kind::Disorder | Kind::Delay => {
                let trouble = match kind {
                    Kind::Loss => Trouble::Loss,
                    Kind::Doubling => Trouble::Doubling,
                    Kind::Disorder => Trouble::Disorder,
                    _ => Trouble::Delay,
                };
                others.iter().for_each(|to| {
                    self.network.trouble(on, to, trouble, until);
                    self.network.trouble(to, on, trouble, until);
                });
            }
            Kind::Replay => {
                for _ in 0..8 {
                    if let Some(bytes) = self.network.old(Some(on), dice) {
                        self.after(dice.between(0, 400), Event::Datagram(on, bytes));
                    }
                }
            }
            Kind::Forgery => (0..8).for_each(|_| self.forge(on, dice)),
            Kind::Blink => {
                self.blinks(on, dice.between(50, 900));
                return;
            }
            other => unreachable!("{other} is of another group"),
        }
        self.reconnect();
        self.at(until, Event::Reconnect);
    }

    /// A datagram for somebody else, one with a bit changed, or noise.
    fn forge(&mut self, on: Place, dice: &mut Random) {
        let bytes = match (dice.below(3), self.network.old(None, dice)) {
            (0, Some(bytes)) => bytes,
            (1, Some(mut bytes)) => {
                let at = dice.below(bytes.len());
                bytes[at] ^= 1 << dice.below(8);
                bytes
            }
            _ => (0..dice.between(0, 1_300)).map(|_| dice.bits().to_le_bytes()[0]).collect(),
        };
        self.after(dice.between(0, 400), Event::Datagram(on, bytes));
    }

    fn strike_operator(&mut self, on: Place, kind: Kind, dice: &mut Random) {
        let everybody = self.everybody();
        let others: Vec<Place> = everybody.without(Set::of(on)).iter().collect();
        let other = dice.one(&others);
        match kind {
            Kind::Maintenance => {
                self.galera.members[on].maintenance = true;
                self.after(dice.between(2_000, 20_000), Event::Ends(on, Begun::Maintenance));
            }
            Kind::Disable => {
                self.words.detached = true;
                let is_agreed = dice.percent(60);
                self.galera.members[other].disabled = Set::of(on);
                if is_agreed {
                    others.iter().for_each(|&one| self.galera.members[one].disabled = Set::of(on));
                    self.galera.members[on].disabled = others.iter().copied().collect();
                }
                self.after(dice.between(2_000, 20_000), Event::Ends(on, Begun::Disabling));
            }
            Kind::Upgrade => {
                self.words.detached = true;
                others.iter().for_each(|&one| self.galera.members[one].disabled = Set::of(on));
                self.galera.members[on].disabled = others.iter().copied().collect();
                self.end_supervisor(on);
                self.after(dice.between(8_000, 20_000), Event::Ends(on, Begun::Disabling));
            }
            Kind::AssumeLost => {
                let lost = others.iter().filter(|_| dice.percent(60)).map(|&one| self.name(one)).collect();
                self.say(on, Saying::AssumeLost(lost), dice);
            }
            Kind::Discard => self.say(on, Saying::Discard(self.name(other)), dice),
            Kind::Force => self.say(on, Saying::Force(self.name(on)), dice),
            Kind::OtherWord => {
                let saying = if dice.percent(50) { Saying::Standalone } else { Saying::Seed(self.name(other)) };
                self.say(on, saying, dice);
            }
            other => unreachable!("{other} is of another group"),
        }
    }

    pub(super) fn say(&mut self, on: Place, saying: Saying, dice: &mut Random) {
        self.words.say(saying.clone(), self.now);
        self.feed(on, None, Input::Said { id: dice.bits(), saying, user: Some(0) });
    }

    pub(super) fn ends(&mut self, on: Place, begun: Begun) {
        match begun {
            Begun::Maintenance => self.galera.members[on].maintenance = false,
            Begun::Disabling => self.galera.members.iter_mut().for_each(|member| member.disabled = Set::NOBODY),
            Begun::Backup => self.galera.resume(on),
            Begun::FrozenView => self.galera.members[on].disk.view_frozen = false,
        }
        self.tell(Some(on), || format!("{begun:?} ends"));
    }

    fn strike_hand(&mut self, on: Place, kind: Kind) {
        match kind {
            Kind::StopByHand => {
                if self.has_process(on) {
                    self.stop(on);
                }
            }
            Kind::StartByHand => {
                // A joiner whose transfer broke off in a view of one: Galera makes it primary by itself, without any state. No
                // supervisor can keep a hand from that.
                let disk = &self.galera.members[on].disk;
                let is_alone = disk.gvwstate.read().is_some_and(|view| view.members.len() == 1);
                let has_no_state = disk.grastate.read().is_none_or(|own| own.history == HistoryId::ZERO);
                self.words.forged |= is_alone && has_no_state && !self.has_process(on);
                self.start_by_hand(on, Start::Normal);
            }
            Kind::BootstrapByHand => {
                self.words.forged = true;
                if !self.has_process(on) {
                    self.galera.set_flag(on);
                    self.start_by_hand(on, Start::NewCluster);
                }
            }
            Kind::PromoteByHand => {
                self.words.forged = true;
                self.galera.promote(on);
                self.changed(Cause::Hand);
            }
            Kind::PromoteAndCommit => self.promote_and_commit(on, 3),
            other => unreachable!("{other} is of another group"),
        }
    }
}
