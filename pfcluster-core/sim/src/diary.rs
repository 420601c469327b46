//! What is written down of a day for people: who did what when, and how each member was.

use std::collections::BTreeSet;

use serde::Serialize;

use super::galera::{Place, Process, Set, State};
use super::network::Plane;
use super::plan::Kind;
use super::vrrp::Router;
use super::world::{Event, World};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;
use pfcluster_core::quorum::State as Works;
use pfcluster_core::supervisor::{Event as Told, Saying};

/// How a member's database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The host is off.
    Off,
    /// The host is up, the database is not.
    Stopped,
    /// A process reads its files, or waits for others before it takes clients.
    Starting,
    /// It receives state from another member.
    Receiving,
    /// It takes clients, and is not in the primary component.
    NonPrimary,
    /// It is in the primary component, and waits for a member that is gone: nothing is committed.
    Stalled,
    /// In service.
    Primary,
    /// It runs without Galera.
    Alone,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 8] = [
        Condition::Off,
        Condition::Stopped,
        Condition::Starting,
        Condition::Receiving,
        Condition::NonPrimary,
        Condition::Stalled,
        Condition::Primary,
        Condition::Alone,
    ];

    /// True if clients can write.
    pub fn takes_writes(self) -> bool {
        matches!(self, Condition::Primary | Condition::Alone)
    }

    /// What PacketFence can do with it.
    fn works(self) -> Works {
        match self {
            Condition::Primary | Condition::Alone => Works::Primary,
            Condition::NonPrimary | Condition::Stalled => Works::ReadOnly,
            Condition::Off | Condition::Stopped | Condition::Starting | Condition::Receiving => Works::Down,
        }
    }
}

/// A member at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemberThen {
    /// Its own database.
    pub database: Condition,
    /// What PacketFence can do there, with whichever database it reaches ([`pfcluster_core::quorum::Feature::on`]).
    pub works: Works,
}

/// All members, from this moment to that of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Milliseconds from the day's beginning.
    pub at: u64,
    /// The members, in order.
    pub members: Vec<MemberThen>,
    /// Who holds each of the virtual addresses: several, where they do not hear each other.
    pub holders: Vec<Set>,
}

/// Something that happens to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The power of these goes at one moment.
    PowerGoes(Set),
    /// These are switched on, or their power comes back.
    SwitchedOn(Set),
    /// PacketFence, the database and the host are shut down.
    ShutDown(Place),
    /// The network falls apart into these parts.
    Partitioned(Vec<Set>),
    /// The network is whole again.
    Healed,
    /// A fault of a random day.
    Fault(Kind, Place),
    /// Everything is mended, and all hosts are started.
    Restored,
    /// Somebody makes a member's component primary by hand (`pc.bootstrap=YES`).
    Promoted(Place),
    /// PacketFence's own services are stopped on these; the database is not.
    ServicesStop(Set),
    /// They are started.
    ServicesStart(Set),
    /// This member and the others count each other out (guide 8.4.4), and its database is started again.
    Detached(Place),
    /// All count each other in again (guide 8.4.7).
    Attached,
    /// The database is stopped on purpose.
    DatabaseStops(Place),
    /// An operator says this to a member's supervisor.
    Said(Place, Saying),
}

impl Happening {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Happening::PowerGoes(_) => "power_goes",
            Happening::SwitchedOn(_) => "switched_on",
            Happening::ShutDown(_) => "shut_down",
            Happening::Partitioned(_) => "partitioned",
            Happening::Healed => "healed",
            Happening::Fault(..) => "fault",
            Happening::Restored => "restored",
            Happening::Promoted(_) => "promoted",
            Happening::ServicesStop(_) => "services_stop",
            Happening::ServicesStart(_) => "services_start",
            Happening::Detached(_) => "detached",
            Happening::Attached => "attached",
            Happening::DatabaseStops(_) => "database_stops",
            Happening::Said(..) => "said",
        }
    }

    /// Whom it happens to; nobody: the cluster as a whole.
    pub fn members(&self) -> Set {
        match self {
            Happening::PowerGoes(who)
            | Happening::SwitchedOn(who)
            | Happening::ServicesStop(who)
            | Happening::ServicesStart(who) => *who,
            Happening::ShutDown(place)
            | Happening::Fault(_, place)
            | Happening::Promoted(place)
            | Happening::Detached(place)
            | Happening::DatabaseStops(place)
            | Happening::Said(place, _) => Set::of(*place),
            Happening::Partitioned(_) | Happening::Healed | Happening::Restored | Happening::Attached => Set::NOBODY,
        }
    }

    /// One English sentence without a final period, for members of these names.
    pub fn text(&self, hosts: &[Hostname]) -> String {
        let names = |set: Set| and(&set.iter().map(|place| hosts[place].clone()).collect::<Vec<_>>());
        let are = |set: &Set| if set.len() == 1 { "is" } else { "are" };
        match self {
            Happening::PowerGoes(who) => format!("power cut on {}", names(*who)),
            Happening::SwitchedOn(who) => format!("{} {} switched on", names(*who), are(who)),
            Happening::ShutDown(place) => format!("{} is shut down", hosts[*place]),
            Happening::Partitioned(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| names(*part)).collect();
                format!("the network is partitioned: {}", parts.join(" | "))
            }
            Happening::Healed => "the network is restored".to_owned(),
            Happening::Fault(Kind::PowerCutOfAll, _) => "power cut on all members".to_owned(),
            Happening::Fault(kind, place) => format!("{kind} ({})", hosts[*place]),
            Happening::Restored => "power and network are restored everywhere".to_owned(),
            Happening::Promoted(place) => {
                format!("an administrator makes {} primary by hand (pc.bootstrap=YES)", hosts[*place])
            }
            Happening::ServicesStop(who) => format!("PacketFence's services are stopped on {}", names(*who)),
            Happening::ServicesStart(who) => format!("PacketFence's services are started on {}", names(*who)),
            Happening::Detached(place) => {
                format!("{} and the others disable each other, and its database is started again", hosts[*place])
            }
            Happening::Attached => "all enable each other again, and all databases may start".to_owned(),
            Happening::DatabaseStops(place) => format!("the database of {} is stopped", hosts[*place]),
            Happening::Said(place, saying) => {
                format!("an administrator runs on {}: {}", hosts[*place], saying.command())
            }
        }
    }
}

/// One entry of the diary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something happens.
    Happens(Happening),
    /// A member's supervisor tells this.
    Told(Place, Told),
}

/// When something was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds from the day's beginning.
    pub at: u64,
    /// What.
    pub entry: Entry,
}

/// The diary of a day.
#[derive(Clone, Debug)]
pub(super) struct Diary {
    began: u64,
    /// Where PacketFence's own services are stopped.
    pub(super) idle: Set,
    /// Hosts that stay on while their databases are stopped.
    pub(super) stays_on: Set,
    routers: Vec<Router>,
    /// The commits that were on no disk when the power went.
    pub(super) at_risk: BTreeSet<usize>,
    /// There were two primary components.
    pub(super) two_primaries: bool,
    pub(super) pages: Vec<Page>,
    pub(super) moments: Vec<Moment>,
}

/// How often the members are looked at, in milliseconds.
const OFTEN: u64 = 250;

impl Diary {
    pub(super) fn new(now: u64, addresses: &[Vec<(Place, u64)>]) -> Diary {
        let routers = addresses.iter().map(|candidates| Router::new(candidates, now)).collect();
        Diary {
            began: now,
            idle: Set::NOBODY,
            stays_on: Set::NOBODY,
            at_risk: BTreeSet::new(),
            two_primaries: false,
            routers,
            pages: Vec::new(),
            moments: Vec::new(),
        }
    }

    /// When anything was written last, in the world's time.
    pub(super) fn last(&self) -> u64 {
        let page = self.pages.last().map_or(0, |page| page.at);
        self.began + self.moments.last().map_or(0, |moment| moment.at).max(page)
    }

    /// The world's time as the diary's.
    pub(super) fn time(&self, now: u64) -> u64 {
        now - self.began
    }
}

impl World {
    /// From now on a diary is kept.
    pub(super) fn begin_diary(&mut self, addresses: &[Vec<(Place, u64)>]) {
        self.diary = Some(Diary::new(self.now, addresses));
        self.after(0, Event::Observe);
    }

    pub(super) fn note(&mut self, entry: Entry) {
        let now = self.now;
        if let Some(diary) = &mut self.diary {
            let at = diary.time(now);
            diary.moments.push(Moment { at, entry });
        }
    }

    pub(super) fn observe(&mut self) {
        let Some(mut diary) = self.diary.take() else { return };
        self.after(OFTEN, Event::Observe);
        let conditions: Vec<Condition> =
            self.everybody().iter().map(|place| self.condition(place, diary.stays_on)).collect();
        let works = |place: Place| self.works(place, &conditions, diary.idle);
        let members =
            self.everybody().iter().map(|place| MemberThen { database: conditions[place], works: works(place) });
        let members: Vec<MemberThen> = members.collect();
        let gone: Set = self.everybody().iter().filter(|&place| !self.is_on(place, diary.stays_on)).collect();
        let rests = |&place: &Place| diary.idle.contains(place) || self.galera.members[place].maintenance;
        let well: Set = self.everybody().without(gone).iter().filter(|place| !rests(place)).collect();
        let connects = |from, to| self.network.connects(from, to, Plane::Management, self.now);
        diary.routers.iter_mut().for_each(|router| router.tick(self.now, well, gone, connects));
        diary.two_primaries |= self.galera.primaries().len() > 1;
        let holders: Vec<Set> = diary.routers.iter().map(Router::holders).collect();
        let is_new = diary.pages.last().is_none_or(|page| page.members != members || page.holders != holders);
        if is_new {
            diary.pages.push(Page { at: diary.time(self.now), members, holders });
        }
        self.diary = Some(diary);
    }

    /// The host has power.
    fn is_on(&self, place: Place, stays_on: Set) -> bool {
        let host = &self.hosts[place];
        let is_off = host.is_off && !stays_on.contains(place);
        self.now >= host.dark_until && (!is_off || host.supervisor.is_some() || self.has_process(place))
    }

    fn condition(&self, place: Place, stays_on: Set) -> Condition {
        if !self.is_on(place, stays_on) {
            return Condition::Off;
        }
        if self.hosts[place].launch.is_some() {
            return Condition::Starting;
        }
        match &self.galera.members[place].process {
            Process::Stopped => Condition::Stopped,
            Process::Alone => Condition::Alone,
            Process::Running(run) if matches!(run.state, State::Joining(..)) => Condition::Receiving,
            Process::Running(run) if run.primary => {
                let moves = self.now >= self.hosts[place].frozen_until;
                if moves && self.galera.takes_writes(place) { Condition::Primary } else { Condition::Stalled }
            }
            Process::Running(run) if run.open => Condition::NonPrimary,
            Process::Running(_) => Condition::Starting,
        }
    }

    /// HAProxy leads PacketFence to the best database that it reaches and counts in.
    fn works(&self, place: Place, conditions: &[Condition], idle: Set) -> Works {
        if conditions[place] == Condition::Off || idle.contains(place) {
            return Works::Down;
        }
        let counted = self.everybody().without(self.galera.members[place].disabled).with(place);
        let reached = counted.iter().filter(|&other| self.network.connects(place, other, Plane::Management, self.now));
        let reached: Vec<Works> = reached.map(|other| conditions[other].works()).collect();
        let best = [Works::Primary, Works::ReadOnly].into_iter().find(|works| reached.contains(works));
        best.unwrap_or(Works::Down)
    }
}
