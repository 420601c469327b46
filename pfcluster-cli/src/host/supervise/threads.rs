//! The threads beside the one that drives the state machine: they hear the peers, look, and act, and tell it what came of that.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::supervisor::{Input, Keys, MOST_BYTES, PublicKey, Step, is_authentic};
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use super::database::{Database, how_it_ended};
use super::look::Looker;
use super::{Doing, Happening, PORT, of_shared_key};
use crate::host::evidence::Note;
use crate::host::files::plain;
use crate::host::{HostError, Root, key, signing};

/// What is heard: datagrams of members, made with the cluster's key. All others end here, before anything is decided anew.
pub(super) struct Ears {
    /// The own management address; without one, all.
    pub(super) address: Option<Ipv4Addr>,
    /// The other members' addresses.
    pub(super) peers: Vec<Ipv4Addr>,
    pub(super) keys: Arc<RwLock<Keys>>,
    /// How many were taken and not yet read.
    pub(super) waiting: Arc<AtomicUsize>,
}

/// More datagrams than these wait for nobody: what is dropped is sent again.
const MOST_WAITING: usize = 256;
/// How often the supervisor hears of a datagram of a member's address that was not made with the key, so that it can tell.
const FORGED: Duration = Duration::from_secs(1);
/// How often it is looked whether the file of the keys has changed.
const KEY_FILE: Duration = Duration::from_secs(2);
/// How often people hear of strangers.
const STRANGERS: Duration = Duration::from_secs(60);

impl Ears {
    /// The socket on which the peers are heard.
    pub(super) fn open(self, sender: &Sender<Happening>) -> Result<UdpSocket, HostError> {
        let fail = |error: &io::Error| HostError::Run {
            program: format!("UDP port {PORT}").into(),
            reason: plain(error),
            help: "is another supervisor there? `pfcluster mariadb status`, `ss -ulpn`".to_owned(),
        };
        let socket = bind(self.address.unwrap_or(Ipv4Addr::UNSPECIFIED)).map_err(|error| fail(&error))?;
        let own = socket.try_clone().map_err(|error| fail(&error))?;
        let sender = sender.clone();
        thread::spawn(move || self.hear(&own, &sender));
        Ok(socket)
    }

    /// Until nobody listens any more.
    fn hear(&self, socket: &UdpSocket, sender: &Sender<Happening>) {
        // One byte more than a message can have tells that a datagram is too long.
        let mut buffer = [0; MOST_BYTES + 1];
        let (mut forged, mut strangers) = (Seldom::new(FORGED), Seldom::new(STRANGERS));
        let mut dropped = 0_u64;
        loop {
            let (bytes, from) = match socket.recv_from(&mut buffer) {
                Ok((length, SocketAddr::V4(from))) => (&buffer[..length], *from.ip()),
                Ok(_) => continue,
                // A peer that does not listen; what else goes wrong goes wrong again.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(_) => {
                    thread::sleep(Duration::from_millis(100));
                    continue;
                }
            };
            let happening = if !self.peers.contains(&from) {
                dropped += 1;
                if !strangers.is_time() {
                    continue;
                }
                Happening::Noted(of_strangers(dropped, from))
            } else if !self.is_authentic(bytes) && !forged.is_time()
                || self.waiting.load(Ordering::Relaxed) >= MOST_WAITING
            {
                continue;
            } else {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                Happening::Received(bytes.to_vec())
            };
            if sender.send(happening).is_err() {
                return;
            }
        }
    }

    fn is_authentic(&self, bytes: &[u8]) -> bool {
        is_authentic(bytes, &self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The network may come later than this program: the address need not be there yet.
fn bind(address: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_ip_freebind(&socket, true)?;
    net::bind(&socket, &SocketAddrV4::new(address, PORT))?;
    Ok(socket.into())
}

fn of_strangers(dropped: u64, from: Ipv4Addr) -> Note {
    let what = if dropped == 1 { "a datagram was".to_owned() } else { format!("{dropped} datagrams were") };
    Note {
        message: format!("{what} dropped that came from no other member's management address, the last from {from}"),
        help: format!("if {from} is not a member, find out what sends to UDP port {PORT}; else check cluster.conf"),
    }
}

/// Something that is done now and then, however often there is reason for it.
struct Seldom {
    pause: Duration,
    last: Option<Instant>,
}

impl Seldom {
    fn new(pause: Duration) -> Seldom {
        Seldom { pause, last: None }
    }

    fn is_time(&mut self) -> bool {
        if self.last.is_some_and(|last| last.elapsed() < self.pause) {
            return false;
        }
        self.last = Some(Instant::now());
        true
    }
}

/// Reads the shared keys and the own one again when their file changes, or when it is told to. A file that can't be used changes
/// nothing.
pub(super) fn watch_keys(
    root: Root,
    state: PathBuf,
    keys: Arc<RwLock<Keys>>,
    hangups: Receiver<()>,
    sender: &Sender<Happening>,
) {
    let sender = sender.clone();
    let stamps = move |root: &Root, state: &PathBuf| (key::stamp(root), signing::stamp(state));
    // What has changed since they were read first is not missed.
    let mut seen = None;
    thread::spawn(move || {
        loop {
            let is_told = match hangups.recv_timeout(KEY_FILE) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = stamps(&root, &state);
            if !is_told && seen == Some(now) {
                continue;
            }
            seen = Some(now);
            let failed = |error: HostError| {
                let message = format!("{error}; the keys that were read before stay in use");
                Happening::Noted(Note { message, help: error.help().to_owned() })
            };
            let taken = key::take_in(&root);
            let was_shared = taken.as_ref().is_ok_and(|(_, was_shared)| *was_shared);
            let shared = taken.map_or_else(failed, |(read, _)| {
                // First who hears, then who sends.
                keys.write().unwrap_or_else(PoisonError::into_inner).clone_from(&read);
                Happening::Input(Input::KeysRead { keys: read })
            });
            let shared = was_shared.then(|| Happening::Noted(of_shared_key(&root))).into_iter().chain([shared]);
            let own = signing::read(&state).map_or_else(
                |error| Some(failed(error)),
                |read| read.map(|key| Happening::Input(Input::SigningKeyRead { key })),
            );
            for happening in shared.chain(own) {
                if sender.send(happening).is_err() {
                    return;
                }
            }
        }
    });
}

/// Writes the pinned keys down, each time that they change, and again until it is done.
pub(super) fn pin_in_turn(state: PathBuf, sender: &Sender<Happening>) -> Sender<BTreeMap<Hostname, PublicKey>> {
    let (pins, queue) = mpsc::channel();
    let sender = sender.clone();
    thread::spawn(move || {
        let mut unwritten: Option<BTreeMap<Hostname, PublicKey>> = None;
        let mut is_told = false;
        loop {
            let next = if unwritten.is_some() {
                queue.recv_timeout(KEY_FILE)
            } else {
                queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let pinned = match (next, unwritten.take()) {
                (Ok(pinned), _) | (Err(RecvTimeoutError::Timeout), Some(pinned)) => pinned,
                (Err(RecvTimeoutError::Timeout), None) => continue,
                (Err(RecvTimeoutError::Disconnected), _) => return,
            };
            let Err(error) = signing::write_pinned(&state, &pinned) else {
                is_told = false;
                continue;
            };
            unwritten = Some(pinned);
            let note = Note {
                message: format!("{error}; until it is written, a restart of this supervisor forgets a pinned key"),
                help: error.help().to_owned(),
            };
            if !std::mem::replace(&mut is_told, true) && sender.send(Happening::Noted(note)).is_err() {
                return;
            }
        }
    });
    pins
}

pub(super) fn look_in_turn(looker: Looker, sender: &Sender<Happening>) -> Sender<(u64, bool)> {
    let (questions, queue) = mpsc::channel::<(u64, bool)>();
    let sender = sender.clone();
    thread::spawn(move || {
        for (number, recover) in queue {
            let (look, notes) = looker.look(recover);
            if sender.send(Happening::Looked(number, Box::new(look), notes)).is_err() {
                return;
            }
        }
    });
    questions
}

pub(super) fn act_in_turn(database: Database, sender: &Sender<Happening>) -> Sender<Doing> {
    let (doings, queue) = mpsc::channel::<Doing>();
    let sender = sender.clone();
    thread::spawn(move || {
        for doing in queue {
            let input = match doing {
                Doing::Act(steps) => {
                    let result = database.carry_out(&steps, |child| watch(child, &sender));
                    Input::Acted { result: result.map_err(Into::into) }
                }
                // A large transfer takes its time, and nothing else must wait for it.
                Doing::Sync => {
                    let (database, sender) = (database.clone(), sender.clone());
                    thread::spawn(move || {
                        let result = database.sync_data().map_err(Into::into);
                        sender.send(Happening::Input(Input::Synced { result }))
                    });
                    continue;
                }
                Doing::Record(records) => match database.carry_out(&[Step::Record(*records)], drop) {
                    Ok(()) => continue,
                    Err(why) => Input::NotRecorded { why: why.into() },
                },
            };
            if sender.send(Happening::Input(input)).is_err() {
                return;
            }
        }
    });
    doings
}

/// Tells when the server's process ends.
fn watch(mut child: Child, sender: &Sender<Happening>) {
    let sender = sender.clone();
    thread::spawn(move || {
        let why = child.wait().map_or_else(|error| plain(&error), how_it_ended);
        sender.send(Happening::Input(Input::Ended { why: why.into() }))
    });
}
