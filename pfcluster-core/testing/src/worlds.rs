//! True histories of a small cluster, and the evidence that they leave behind.
//!
//! A [`World`] is what is really there: who serves, who is down, how far the data of each have come, and what its files
//! and its supervisor's records say. [`Event`]s change it by Galera's rules (quorum, views, files) with equal weights.
//! Nobody sees a world: [`World::seen`] gives what an observer learns of it, all of it or a part.
//!
//! There is one history, for nobody forces anything here: all data are beginnings of one sequence of transactions, so a
//! sequence number tells what a member holds.

mod actions;
mod events;
mod evidence;
mod histories;
mod truth;

use pfcluster_core::galera::Uuid;

pub use evidence::Sight;
pub use histories::{sights, worlds};

/// The history of every world.
pub const HISTORY: Uuid = Uuid::from_u128(0xA << 120);

/// How far the history has come when a world begins.
pub const BEGIN: i64 = 10;

/// What is really there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    /// The members, in the order of cluster.conf.
    pub nodes: Vec<Node>,
    /// Who is in the primary component.
    pub component: Vec<usize>,
    /// The last transaction that was acknowledged to a client, if there is a primary component.
    pub top: i64,
    /// How many views there have been: each has a name of its own.
    pub views: u32,
}

/// What a member's process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// It is in the primary component and has the state.
    Serves,
    /// It is in the primary component and receives the state; its own is gone.
    Receives,
    /// It runs without service.
    Waits,
    /// It was started, holds a view and waits for the others of it.
    Starts,
    /// It is down.
    Down,
}

/// A member as it is.
#[expect(clippy::struct_excessive_bools, reason = "each says whether something is there, and all can be together")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// It is an arbitrator.
    pub arbitrator: bool,
    /// Its supervisor writes down what it sees.
    pub supervised: bool,
    /// What its process does.
    pub life: Life,
    /// With whom it talks: those of the same number.
    pub group: u8,
    /// How far its data have come; `None` if a transfer took their place.
    pub applied: Option<i64>,
    /// The sequence number in grastate.dat.
    pub written: i64,
    /// grastate.dat has the zero UUID.
    pub zero: bool,
    /// `safe_to_bootstrap`.
    pub flag: bool,
    /// grastate.dat is torn.
    pub torn: bool,
    /// gvwstate.dat.
    pub view: Stored,
    /// A state transfer to it has not ended.
    pub marker: bool,
    /// It takes connections and does not answer.
    pub mute: bool,
    /// It stopped cleanly, and the end of `InnoDB`'s log is not on disk yet.
    pub unflushed: bool,
    /// It has received its state, which is not on disk yet.
    pub unsynced: bool,
    /// The power went before its state was on disk: what recovery finds there, some of it missing.
    pub partial: Option<i64>,
    /// It has another node UUID since it was started again with the view in gvwstate.dat.
    pub renamed: bool,
    /// Recorded: the last view it was synced in, with its floor and its size.
    pub record: Option<(View, i64, u32)>,
    /// Recorded: the highest sequence number seen in service.
    pub recorded: Option<i64>,
    /// Recorded: the last stop was clean, at this sequence number, and whether it was alone then.
    pub clean: Option<(i64, bool)>,
}

/// A primary view: its number among all views, and who is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View {
    /// Its number.
    pub number: u32,
    /// Who is in it.
    pub members: Vec<usize>,
}

/// gvwstate.dat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stored {
    /// It is not there.
    Absent,
    /// It is torn.
    Torn,
    /// It has this view.
    View(View),
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A transaction is acknowledged. One member may have received it without having applied it.
    Commit {
        /// The slow member.
        slow: Option<usize>,
    },
    /// These members go down at once, each with the loss of so many of its last transactions.
    Crash {
        /// Which, and how many transactions each loses.
        lost: Vec<(usize, i64)>,
    },
    /// A member stops cleanly.
    Leave(usize),
    /// The network parts these members from all others.
    Cut(Vec<usize>),
    /// The network is whole again.
    Heal,
    /// A member starts, finds the primary component and catches up.
    Join(usize),
    /// A member starts and finds the primary component, and a transfer of the whole state to it begins.
    Receive(usize),
    /// The transfer to a member ends.
    Received(usize),
    /// A member starts and finds no primary component.
    StartInVain(usize),
    /// A power cut tore the view file of a member.
    TearView(usize),
    /// A power cut tore the state file of a member.
    TearState(usize),
    /// A member's supervisor stops writing down, or begins again.
    Supervise(usize),
    /// A member's supervisor looks at its stopped database.
    Look(usize),
    /// The provider of a member is paused (a backup, a donor): grastate.dat gets its sequence number.
    Pause(usize),
    /// The power of a member that has just stopped cleanly goes: so many of its last transactions with it.
    LoseLog(usize, i64),
    /// A member's database stops answering, or answers again.
    Mute(usize),
}

impl World {
    /// `size` members in service.
    pub fn new(size: usize) -> World {
        let node = Node {
            arbitrator: false,
            supervised: true,
            life: Life::Serves,
            group: 0,
            applied: Some(BEGIN),
            written: -1,
            zero: false,
            flag: false,
            torn: false,
            view: Stored::Absent,
            marker: false,
            mute: false,
            unflushed: false,
            unsynced: false,
            partial: None,
            renamed: false,
            record: None,
            recorded: None,
            clean: None,
        };
        let mut world = World { nodes: vec![node; size], component: (0..size).collect(), top: BEGIN, views: 0 };
        world.new_view(&(0..size).collect::<Vec<_>>());
        world
    }

    /// The same, the last of them an arbitrator.
    pub fn with_arbitrator(size: usize) -> World {
        let mut world = World::new(size);
        if let Some(last) = world.nodes.last_mut() {
            *last = Node {
                arbitrator: true,
                supervised: false,
                applied: None,
                record: None,
                recorded: None,
                view: Stored::Absent,
                ..last.clone()
            };
        }
        world
    }

    /// The same without supervisors: nothing is recorded.
    #[must_use]
    pub fn without_records(mut self) -> World {
        for node in &mut self.nodes {
            (node.supervised, node.record, node.recorded) = (false, None, None);
        }
        self
    }

    /// The furthest state on any member's disk.
    pub fn furthest(&self) -> Option<i64> {
        self.nodes.iter().filter_map(|node| node.applied).max()
    }

    /// A primary view of these members.
    fn new_view(&mut self, members: &[usize]) {
        let has_state = |world: &World, at: usize| world.nodes[at].life == Life::Serves && !world.nodes[at].arbitrator;
        self.views += 1;
        self.component = members.to_vec();
        if !members.iter().any(|&at| has_state(self, at)) {
            self.component.clear();
        }
        // Each view change takes a number of the sequence.
        self.top += 1;
        let view = View { number: self.views, members: members.to_vec() };
        for &at in members {
            let (top, alone) = (self.top, members.len() == 1);
            let lost_donor = self.component.is_empty();
            let node = &mut self.nodes[at];
            (node.renamed, node.torn) = (false, false);
            if node.arbitrator {
                if lost_donor {
                    node.life = Life::Waits;
                }
                continue;
            }
            node.view = Stored::View(view.clone());
            node.flag = alone;
            node.written = -1;
            if node.life == Life::Serves {
                node.applied = Some(top);
                node.clean = None;
                self.record(at);
            } else if lost_donor {
                // Whoever was receiving state gives up when there is nobody left to give it.
                node.life = Life::Down;
            }
        }
    }

    /// What a supervisor writes down of a member in service.
    fn record(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if let (true, Life::Serves, Some(applied), Stored::View(view)) =
            (node.supervised, node.life, node.applied, &node.view)
        {
            let size = u32::try_from(view.members.len()).unwrap_or(u32::MAX);
            node.record = Some((view.clone(), applied, size));
            node.recorded = node.recorded.max(Some(applied));
        }
    }

    /// The members of the primary component that have the state.
    fn serving(&self) -> impl Iterator<Item = usize> {
        self.component.iter().copied().filter(|&at| self.nodes[at].life == Life::Serves && !self.nodes[at].arbitrator)
    }
}
