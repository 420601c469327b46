//! The MariaDB supervisor of one member, as a state machine without any I/O: it probes its own database, announces what it found to
//! its peers, takes what they announce, decides by [`crate::galera::bootstrap`], has the host execute its local action, and persists
//! what will be needed after the next outage ([`crate::galera::Records`]).
//!
//! It acts on proof and never on a timer: the moment the evidence suffices. Timers only repeat questions.
//!
//! # How to drive it
//!
//! 1. [`Supervisor::new`], once per run, with the records that were persisted before and the machine's boot.
//! 2. Drain [`Supervisor::poll_output`] until it is `None`. Carry the outputs out in order.
//! 3. Wait for whatever comes first: an answer to an output, a datagram, an operator, the end of the database's process, or
//!    the moment of [`Supervisor::poll_timeout`].
//! 4. Give it to [`Supervisor::handle_input`], with the time. ([`Input::Woken`] for the moment.) Then 2 again.
//!
//! Each [`Output::Look`], [`Output::Ask`], [`Output::Act`] and [`Output::Sync`] is answered once, in any order, whenever the
//! answer is there; none of them may keep datagrams waiting. [`Output::Record`] is answered only if it fails. Time never goes
//! back; one that does counts as standing still.
//!
//! ```
//! use pfcluster_core::supervisor::{Config, Input, Key, Output, Supervisor, Tick};
//!
//! let hosts: Vec<pfcluster_core::cluster::Hostname> = ["pf1", "pf2", "pf3"].iter().map(|name| name.parse().unwrap()).collect();
//! let config = Config::new(hosts[0].clone(), hosts, Key::new([7; 32]), 42);
//! let mut supervisor = Supervisor::new(config, Tick(0));
//! let mut told = Vec::new();
//! while let Some(output) = supervisor.poll_output() {
//!     match output {
//!         // Read grastate.dat, ask the server; then answer with `Input::Looked`. Later also run `--wsrep-recover`.
//!         Output::Look { recover, .. } => assert!(!recover),
//!         // To the member's management address. It is not known yet what to tell, but that somebody is here.
//!         Output::Send { to, .. } => told.push(to.to_string()),
//!         other => panic!("{other:?} is too early"),
//!     }
//! }
//! assert_eq!(told, ["pf2", "pf3"]);
//! let (when, why) = supervisor.poll_timeout().unwrap();
//! supervisor.handle_input(when, Input::Woken);
//! # let _ = why;
//! ```
//!
//! # What it goes by
//!
//! - The position of a stopped database is what recovery finds in `InnoDB`, after every stop; grastate.dat's seqno never
//!   decides. Only the first probe of a run leaves it out: what is persisted is announced at once.
//! - A stop is proved clean if gvwstate.dat is gone and the recovered position is grastate.dat's. That is persisted, with
//!   `safe_to_bootstrap` as Galera wrote it, until the database is primary again: a start that fails writes `seqno: -1` over
//!   it, and a flag that this supervisor writes for a start proves nothing.
//! - What a probe says of the process has an age, and is not announced once that is too old.
//! - Before a join the machine's boot is persisted ([`Step::Record`]), until the data are synced to disk ([`Output::Sync`]).
//!   After another boot without that sync the data may be incomplete: they are never started from, and such a member takes
//!   everything anew.
//! - A start on which other members may be more advanced gets a new cluster UUID and persists a fork (an id, and where): Galera
//!   then lets no member of the old UUID in by its seqno. Who joins persists the forks of those in service, until a minute after its
//!   database came into service. A component that was made primary by hand is persisted as a fork, too.
//!
//! # What it promises
//!
//! - A member bootstraps, promotes or restores a primary component only with its own evidence taken anew, and every database
//!   asked once more, right before; any reply "primary" cancels it. One local action at a time.
//! - It starts a member normally only to restore its last view, or while a primary component is in sight; a joiner never with a
//!   gvwstate.dat in place.
//! - Before a component is bootstrapped or promoted, the others that hold a last view, or have proved to have left last, give
//!   that proof up ([`Part::Supersede`]): nothing can be restored beside it.
//! - It ends a database only if that waits without service and is in the way, or waits for a minute beside the mark of a state
//!   transfer while all members are known and none is in a primary component; never one that serves, may be serving (it does
//!   not respond, or was started with `--wsrep-new-cluster` and does not answer yet), or takes part in a state transfer. An
//!   operator can have one that does not respond ended ([`Saying::End`]). (Told to end itself, it ends its database with it.)
//! - It moves data aside only by an override that was given to itself, and deletes nothing. Of the small state files,
//!   gvwstate.dat and grastate.dat, a start moves aside what would mislead Galera.
//! - An override that was given to another member allows nothing here (`overrides.rs` has the rules).
//! - What was decided together is decided by each: the same evidence and the same overrides give the same answer.
//!
//! # What attackers can do
//!
//! | | is | can | cannot |
//! |---|---|---|---|
//! | N | on the management network, without a key | answer in the place of a database that is down ("primary" calls a start off; the log names the address); drop or delay datagrams | make a datagram that is looked at, or replay one; anything to data or processes |
//! | K | holder of the shared key | what N can; show a key of his own in a member's name, which is refused and shown; speak for a member whose key is not pinned (below) | speak for a member whose key is pinned, with evidence or overrides; compute the challenges of a member that has a key of its own |
//! | C | root on one member | on that member everything; towards the others speak for that member alone (below), and what K can | speak for a member whose key is pinned; make an override on another member |
//! | P | the user pf of a member | read the shared key, so what K can; put another shared key into the file: that member is then alone until it is brought back; rename members in cluster.conf, whose keys are then seen for the first time (told as long as the old name is pinned); have the server load code as the user mysql (mariadb.conf is its file). Where PacketFence's sudoers lets it run `tee`, `chroot` or `pfcmd` as root, it is root | read the member's own key, change the pinned ones, make an override: these files and the socket are root's |
//! | M | the user mysql of a member | change that member's data, and so its evidence, which its supervisor signs as it finds it; take its ports while they are free; in the group pf, read or replace the shared key in the seconds after PacketFence's synchronisation brought it (0660), so what K can, towards this member with a key of its own choice | read the member's own key, make an override |
//!
//! **A member whose key is not pinned** has none yet, or was not seen with it. In its name K can, with false evidence, keep the cluster
//! from starting, have a process that waits without service ended, gvwstate.dat moved aside and a proof of having left last given up,
//! and have a member start although this one is ahead of it ("pf2 stopped at 50"): its later transactions are lost, and without a
//! fork its rows may mix with others. What an override that was given elsewhere allows, K can claim: `overrides.rs` says how little
//! that is. K can also be first to show a key in its name: that is pinned then, K goes on speaking for the member, and the member
//! itself is refused, which the log, the status and `doctor` show, until its key is accepted. So pin while the shared key is fresh,
//! and compare the ids.
//!
//! **A member that is in C's hands** can say of its own database what it likes: that it is ahead, so that the others wait for it
//! until an operator assumes it lost; that a component was bootstrapped without some member: a member that comes into service beside
//! it records such forks during a minute, eight in all with its own, and logs each; a later bootstrap can be refused for them, or
//! pass over the last transactions of an honest member that has not recorded them; that it
//! stopped at 50, so that its own later transactions are passed over; that it is primary, so that the others join it and take its
//! data by a state transfer, as from any donor. With overrides that are given there it starts its own database without what the
//! others have, and they move to that; no other member loses a data directory, or a process that serves, by it. More overrides than an
//! operator gives are dropped. A signature says who speaks, never that it is true.
//!
//! What was copied of the shared key is worth nothing after it is changed (`key.rs`), what was copied of a member's own key after
//! another one is accepted in its place (`signing.rs`): the first is a step of the runbook `remove-member`.

mod commands;
mod event;
mod guards;
mod io;
mod key;
mod local;
mod local_action;
mod machine;
mod message;
mod overrides;
mod peers;
mod records;
mod signing;
mod status;
mod timers;
mod wire;

use std::collections::{BTreeMap, VecDeque};

pub use commands::{Start, Step};
pub use event::Event;
pub use io::{Config, Input, Output};
pub use key::{Key, KeyError, KeyId, KeyIds, Keys};
pub use local::{Backup, LastBackup, Look};
pub use local_action::Part;
pub use message::{Content, MOST_BYTES, Message, MessageError, TooLarge, is_authentic};
pub use overrides::{LONGEST as LONGEST_WORD, Origin, Saying, Spoken};
pub use signing::{Fingerprint, PublicKey, SigningKey, SigningKeyError};
pub use status::{OverrideStatus, PeerStatus, Status};
pub use timers::{Tick, Wake};

use local::Local;
use machine::{Shutdown, UnderWay};
use message::Names;
use overrides::Overrides;
use peers::Peer;
use timers::Timers;

use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::bootstrap::{Action, Reason};
use crate::galera::{Records, ViewId};

/// The supervisor of one member.
#[derive(Clone, Debug)]
pub struct Supervisor {
    config: Config,
    names: Names,
    now: Tick,
    timers: Timers,
    outputs: VecDeque<Output>,
    logged: Logged,
    // What is known.
    local: Local,
    peers: BTreeMap<Hostname, Peer>,
    overrides: Overrides,
    /// Overrides that would also have to be given elsewhere, and where.
    needed: Vec<(Spoken, Hostname)>,
    records: Records,
    /// What is to be persisted was persisted, as far as is known.
    is_recorded: bool,
    /// The disks are being synced.
    is_syncing: bool,
    /// The view of gvwstate.dat, and the configuration id that was seen last before the file named it.
    view_before: Option<(ViewId, Option<u64>)>,
    /// The last view could not be restored.
    restore_failed: bool,
    // What is done.
    decision: Option<Decision<Action, Reason>>,
    /// The local action that is wanted, and since when.
    wanted: Option<(Part, Tick)>,
    under_way: Option<UnderWay>,
    shutdown: Shutdown,
    /// The local action that started the database, until that is in service or has ended.
    started: Option<Part>,
    // What is sent.
    nonces: u64,
    queries: u64,
    /// The query of the peers' databases that is under way, and since when.
    query: Option<(u64, Tick)>,
    dropped: BTreeMap<MessageError, u64>,
}

/// What was logged last, so that nothing is logged twice.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that was logged")]
struct Logged {
    action: Option<Action>,
    part: Option<Part>,
    too_large: bool,
    lacks_witness: bool,
    has_diverged: bool,
    in_service: bool,
    accepted: Option<KeyId>,
}

impl Supervisor {
    /// A supervisor that begins now.
    pub fn new(config: Config, now: Tick) -> Supervisor {
        let peers = config.members.iter().filter(|host| **host != config.me);
        let mut supervisor = Supervisor {
            names: Names::new(config.cluster_members.clone(), config.members_hash.clone()),
            now,
            timers: Timers::new(now),
            outputs: VecDeque::new(),
            logged: Logged::default(),
            local: Local::default(),
            peers: peers.map(|host| (host.clone(), Peer::default())).collect(),
            overrides: Overrides::new(config.me.clone()),
            needed: Vec::new(),
            records: config.records.clone(),
            is_recorded: true,
            is_syncing: false,
            view_before: None,
            restore_failed: false,
            decision: None,
            wanted: None,
            under_way: None,
            shutdown: Shutdown::NotRequested,
            started: None,
            nonces: 0,
            queries: 0,
            query: None,
            dropped: BTreeMap::new(),
            config,
        };
        supervisor.repeat_due();
        supervisor
    }

    /// Something happens.
    pub fn handle_input(&mut self, now: Tick, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Looked { number, look } => self.probed(number, *look),
            Input::Asked { number, answers } => self.replied(number, &answers),
            Input::Acted { result } => self.executed(result),
            Input::NotRecorded { why } => self.not_recorded(why),
            Input::Synced { result } => self.transfer_synced(result),
            Input::Received { bytes } => self.received(&bytes),
            Input::Ended { why } => self.process_ended(why),
            Input::Said { id, saying, user } => self.override_given(id, saying, user),
            Input::KeysRead { keys } => self.keys_read(keys),
            Input::SigningKeyRead { key } => self.signing_key_read(key),
            Input::PublicKeyAccepted { member, key } => self.accept(&member, key),
            Input::PublicKeyForgotten { host } => self.forget_key(&host),
            Input::End => self.request_shutdown(),
            Input::Woken => {}
        }
        self.consider();
        self.log_accepted();
        self.repeat_due();
    }

    /// The next thing to be done; `None` if there is nothing more now.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn log(&mut self, event: Event) {
        self.outputs.push_back(Output::Tell(event));
    }
}
