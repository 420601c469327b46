//! The world: hosts, the network between them, one cluster of databases, and a clock that jumps from one event to the next.

use std::collections::{BTreeMap, BTreeSet};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Evidence, Running};
use pfcluster_core::supervisor::{Input, Look};

use super::breach::{Breach, Kind as BreachKind};
use super::diary::Diary;
use super::galera::{Cluster, Place, Set};
use super::host::Host;
use super::ledger::Ledger;
use super::mind::Policy;
use super::names::Names;
use super::network::Network;
use super::phase::Coverage;
use super::plan::{Fault, Plan};
use super::random::Random;
use super::word::Words;

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A supervisor's own moment.
    Wake(Place),
    /// Something for the supervisor's run of this number.
    Input(Place, u64, Input),
    /// A datagram arrives.
    Datagram(Place, Vec<u8>),
    /// A look ends: with what was seen at its beginning, or with what is there now.
    Look { place: Place, run: u64, number: u64, recover: bool, seen: Option<(Box<Look>, u64)> },
    /// A question to databases ends.
    Asked { place: Place, run: u64, number: u64, answers: Vec<(Hostname, Running)> },
    /// A step that the supervisor's run of this number wants is done.
    Step(Place, u64),
    /// The supervisor is started.
    Boot(Place),
    /// The database's process of this number has read its files.
    Launched(Place, u64),
    /// It has waited 30 s for a primary component.
    GivesUp(Place, u64),
    /// The group notices what has changed.
    Notice,
    /// A state transfer to the process of this number ends.
    Transferred(Place, u64),
    /// A member applies what it has received.
    Applied(Place),
    /// What was written reaches the disks.
    Flush,
    /// A client commits.
    Commit,
    /// The network or a freeze has changed by the passing of time.
    Reconnect,
    /// A fault.
    Fault(Fault),
    /// A fault has waited long enough for its moment.
    Overdue(Fault),
    /// Something that was begun ends by itself, or an operator ends it.
    Ends(Place, super::fault::Begun),
    /// The power of a host goes, with all that is not on its disk.
    PowerGoes(Place),
    /// SIGTERM reaches the process of this number, which did not hear it before.
    Terminates(Place, u64),
    /// What a transfer brought is on the disk by now, if the machine is in the boot of this number still.
    Synced(Place, u64),
    /// The host is back in the group.
    BlinkEnds(Place),
    /// Somebody who keeps a diary looks at the members.
    Observe,
}

/// A simulated world.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) plan: Plan,
    pub(super) now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
    pub(super) random: Random,
    pub(super) names: Names,
    /// The databases.
    pub galera: Cluster,
    pub(super) hosts: Vec<Host>,
    pub(super) network: Network,
    pub(super) ledger: Ledger,
    pub(super) words: Words,
    /// Which fault met which phase.
    pub coverage: Coverage,
    /// Faults that wait for a moment.
    pub(super) armed: Vec<Fault>,
    /// The moment of the next [`Event::Notice`].
    pub(super) notice_at: Option<u64>,
    /// What people can read; `None` if nobody will.
    pub story: Option<Vec<String>>,
    /// What is written down of a rehearsal.
    pub(super) diary: Option<Diary>,
    pub(super) is_split: bool,
    /// When everything was mended, on the last bad day.
    pub(super) mended: Option<u64>,
    /// How many acts the supervisors have begun.
    pub(super) acts: u64,
    /// Faults may still strike today.
    pub(super) is_bad: bool,
    /// The first broken promise.
    pub breach: Option<Breach>,
    /// The kinds of promises that were broken.
    pub breaches: BTreeSet<BreachKind>,
    /// How long it took to be in service again after each bad day, in milliseconds.
    pub returns: Vec<u64>,
    /// How often an operator had to decide.
    pub decisions: u64,
    /// How often words led nowhere until one came.
    pub in_vain: u64,
}

/// More events than ever happen at one moment.
const STORM: u32 = 5_000;

impl World {
    /// The world of a plan: all members in service.
    pub fn new(plan: &Plan, tells: bool) -> World {
        World::named(plan, Names::plain(plan.members), tells)
    }

    /// The same, with members of these names.
    pub(super) fn named(plan: &Plan, names: Names, tells: bool) -> World {
        let mut galera = Cluster::in_service(plan.members);
        galera.window = plan.window;
        galera.cache = plan.cache;
        galera.slow_transfers = true;
        galera.timed = true;
        galera.as_measured = plan.as_measured;
        // One in five has Galera 3.
        galera.views_take_seqnos = !plan.as_measured || plan.seed % 5 != 4;
        let mut random = Random::new(plan.seed ^ 0x5eed);
        let hosts = (0..plan.members).map(|_| Host::new(random.bits())).collect();
        let mut world = World {
            now: 0,
            queue: BTreeMap::new(),
            events: 0,
            random,
            names,
            galera,
            hosts,
            network: Network::new(plan.members),
            ledger: Ledger::default(),
            words: Words::default(),
            coverage: Coverage::default(),
            armed: Vec::new(),
            notice_at: None,
            story: tells.then(Vec::new),
            diary: None,
            is_split: false,
            mended: None,
            acts: 0,
            is_bad: false,
            breach: None,
            breaches: BTreeSet::new(),
            returns: Vec::new(),
            decisions: 0,
            in_vain: 0,
            plan: plan.clone(),
        };
        for place in 0..plan.members {
            world.hosts[place].started_at = world.position_of(place);
            let when = world.random.between(0, 500);
            world.after(when, Event::Boot(place));
        }
        world.after(100, Event::Commit);
        world.after(500, Event::Flush);
        world
    }

    /// The simulated time, in milliseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn at(&mut self, when: u64, event: Event) {
        self.events += 1;
        self.queue.insert((when.max(self.now), self.events), event);
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.at(self.now + delay, event);
    }

    /// A moment between these delays from now.
    pub(super) fn soon(&mut self, low: u64, high: u64, event: Event) {
        let delay = self.random.between(low, high);
        self.after(delay, event);
    }

    pub(super) fn tell(&mut self, who: Option<Place>, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let who = who.map_or_else(|| "-".to_owned(), |place| self.names.of(place).to_string());
            let now = self.now;
            story.push(format!("{:>6}.{:03}  {who:<4} {}", now / 1000, now % 1000, what()));
        }
    }

    pub(super) fn breaks(&mut self, kind: BreachKind, what: String) {
        let is_new = self.breaches.insert(kind);
        if self.breach.is_some() || self.plan.policy != Policy::Ours && !is_new {
            return;
        }
        self.tell(None, || format!("BROKEN: {what}"));
        // By the rules of others it goes on, to see what comes of it.
        if self.plan.policy != Policy::Ours && !matches!(kind, BreachKind::NoService | BreachKind::Storm) {
            return;
        }
        if self.story.is_some() {
            for place in self.everybody().iter() {
                let records = format!("it has written down: {:?}", self.hosts[place].records);
                self.tell(Some(place), || records);
            }
        }
        self.breach = Some(Breach { kind, what });
    }

    pub(super) fn name(&self, place: Place) -> Hostname {
        self.names.of(place)
    }

    /// What a member tells of its database, in the names of this world.
    pub(super) fn evidence(&self, place: Place) -> Evidence {
        self.galera.evidence_as(place, &|other| self.name(other))
    }

    pub(super) fn everybody(&self) -> Set {
        self.galera.everybody()
    }

    /// Lets the world go on until then, or until a promise is broken.
    pub fn run_until(&mut self, end: u64) {
        let mut at_once = 0;
        while self.breach.is_none() {
            let Some((&(when, _), _)) = self.queue.first_key_value() else { break };
            if when > end {
                break;
            }
            let Some((_, event)) = self.queue.pop_first() else { break };
            at_once = if when == self.now { at_once + 1 } else { 0 };
            if at_once > STORM {
                self.breaks(
                    BreachKind::Storm,
                    format!("more than {STORM} events at one moment, this among them: {event:?}"),
                );
            }
            self.now = when;
            self.happens(event);
        }
        self.now = self.now.max(end);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Wake(place) => self.wakes(place),
            Event::Input(place, run, input) => self.feed(place, Some(run), input),
            Event::Datagram(place, bytes) => self.feed(place, None, Input::Received { bytes }),
            Event::Look { place, run, number, recover, seen } => self.looked(place, run, number, recover, seen),
            Event::Asked { place, run, number, answers } => {
                self.feed(place, Some(run), Input::Asked { number, answers });
            }
            Event::Step(place, run) => self.step_done(place, run),
            Event::Boot(place) => self.boot(place),
            Event::Launched(place, process) => self.launched(place, process),
            Event::GivesUp(place, process) => self.gives_up(place, process),
            Event::Notice => self.notices(),
            Event::Transferred(place, process) => self.transferred(place, process),
            Event::Applied(place) => self.galera.apply(place),
            Event::Flush => self.flush(),
            Event::Commit => self.commit(),
            Event::Reconnect => self.reconnect(),
            Event::Fault(fault) => self.strikes(fault),
            Event::Overdue(fault) => self.overdue(fault),
            Event::Ends(place, begun) => self.ends(place, begun),
            Event::Terminates(place, process) => self.terminates(place, process),
            Event::Synced(place, boot) => self.is_synced_by_now(place, boot),
            Event::BlinkEnds(place) => self.blink_ends(place),
            Event::PowerGoes(place) => self.power_goes_losing(place),
            Event::Observe => self.observe(),
        }
    }
}
