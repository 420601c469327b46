//! The supervisor at work: everything around [`pfcluster_core::supervisor`] that touches the machine.
//!
//! One thread drives the state machine and never waits for anything but its inputs. Looking, asking and acting have threads of
//! their own. The database outlives this program, whatever becomes of that: the next run finds it and goes on.

pub mod control;
mod database;
mod look;
mod rivals;
mod threads;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::ClusterStatus;
use pfcluster_core::supervisor::{
    Config, Event, Input, Key, Keys, Output, PublicKey, Saying, Status, Step, Supervisor, Tick,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use self::control::{Request, Word};
use self::database::Database;
use self::look::{Asker, Looker};
use self::threads::{Ears, act_in_turn, look_in_turn, pin_in_turn, watch_keys};
use super::backup::Watch;
use super::directory::Directory;
use super::evidence::Note;
use super::files::plain;
use super::install::failed;
use super::mariadb::{Account, Settings};
use super::{HostError, Root, key, marks, records, signing};

/// The port on which supervisors hear each other.
pub const PORT: u16 = 4254;

/// Where the socket and the lock are.
pub const RUN_DIRECTORY: &str = "/run/pfcluster";

/// That `--force-new-cluster` has had its effect, relative to the install directory.
const FORCE_USED: &str = "var/pfcluster/force-used";

/// What a supervisor needs to know.
#[derive(Debug)]
pub struct Setup {
    /// PacketFence's install directory.
    pub root: Root,
    /// The cluster.
    pub cluster: Cluster,
    /// The own member.
    pub me: Hostname,
    /// The members of the database, in order, those that are disabled among them.
    pub members: Vec<Hostname>,
    /// The own database.
    pub settings: Settings,
    /// Who asks the others' databases.
    pub account: Option<Account>,
    /// More arguments for mariadbd.
    pub arguments: Vec<String>,
    /// Where this machine's backups are.
    pub backups: PathBuf,
    /// Where the socket and the lock are.
    pub run_directory: PathBuf,
    /// Where the own key and the pinned ones are.
    pub state_directory: PathBuf,
    /// `--force-new-cluster`.
    pub force: bool,
}

/// Who tells the people.
pub trait Voice {
    /// Something has happened.
    fn event(&mut self, event: &Event);
    /// Something could not be found out, or should be known.
    fn note(&mut self, note: &Note);
    /// What the supervisor knows and does, for people or for programs.
    fn status(&self, status: &Status, json: bool) -> String;
    /// The evidence that it has, as one document.
    fn evidence(&self, status: &Status) -> String;
    /// It listens to peers and to its socket.
    fn ready(&mut self);
    /// It was told to end.
    fn ending(&mut self);
}

/// What reaches the thread that drives the state machine.
enum Happening {
    Input(Input),
    Received(Vec<u8>),
    Noted(Note),
    Looked(u64, Box<pfcluster_core::supervisor::Look>, Vec<Note>),
    /// With the number of the user who asks.
    Asked(Request, u32, Sender<String>),
    End,
}

/// Supervises until it is told to end by SIGTERM or SIGINT, and the database has ended with it. SIGHUP reads the keys again.
///
/// # Errors
/// [`HostError`] if it can't begin: somebody else supervises, a port is taken, there is no key.
pub fn supervise(setup: Setup, voice: &mut dyn Voice) -> Result<(), HostError> {
    let (keys, was_shared) = own_keys(&setup, key::take_in)?;
    if was_shared {
        voice.note(&of_shared_key(&setup.root));
    }
    // It holds the database's passwords and the key: a core dump must not.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _lock = lock(&Directory::private(&setup.run_directory, "--run-directory")?)?;
    if let Some(rival) = rivals::rival() {
        return Err(HostError::Run {
            program: rival.what.into(),
            reason: "it also starts, ends or wipes this database".to_owned(),
            help: rival.help.to_owned(),
        });
    }
    let mut config = config(&setup, keys, false)?;
    if config.signing.is_none() && setup.members.len() > 1 {
        let signing = signing::create(&setup.state_directory, false)?;
        voice.note(&Note {
            message: format!(
                "this member's signing key is new: {} ({})",
                signing.public().fingerprint(),
                signing::path(&setup.state_directory).display()
            ),
            help: format!(
                "only if the other members know another one of it: accept this one on each of them (`pfcluster key accept {}`)",
                setup.me
            ),
        });
        config.signing = Some(signing);
    }
    let (root, force) = (setup.root.clone(), setup.force);
    if setup.account.is_none() && setup.members.len() > 1 {
        voice.note(&Note {
            message: "no account asks the other members' databases: without their supervisors they are unknown"
                .to_owned(),
            help: "make one, as `pfcluster doctor monitoring-account` says".to_owned(),
        });
    }
    let mut running = Running::begin(setup, config)?;
    // Only now that nothing can keep it from beginning: a force that is used up has been heard.
    if force && use_force(&root)? {
        running.say(Saying::Force(running.me.clone()), None);
    } else if force {
        voice.note(&Note {
            message: "`--force-new-cluster` was heard by an earlier start, and counts once".to_owned(),
            help:
                "leave it out (`systemctl unset-environment MARIADB_ARGS`); a start without it makes the next one count"
                    .to_owned(),
        });
    }
    running.listen_to_signals()?;
    running.listen_to_people()?;
    voice.ready();
    running.drive(voice, |_, _| false);
    Ok(())
}

/// Looks, hears the peers, and decides, but does nothing. Ends when all members have been heard, or at the limit.
///
/// # Errors
/// As [`supervise`]: where a supervisor runs, that one has to be asked.
pub fn rehearse(setup: Setup, limit: Duration, voice: &mut dyn Voice) -> Result<Status, HostError> {
    let (keys, _) = own_keys(&setup, |root| Ok((key::read(root)?, false)))?;
    let config = config(&setup, keys, true)?;
    let force = setup.force;
    let mut running = Running::begin(setup, config)?;
    if force {
        running.say(Saying::Force(running.me.clone()), None);
    }
    let began = Instant::now();
    running.drive(voice, |supervisor, now| {
        let status = supervisor.status(now);
        let is_known = |member: &pfcluster_core::supervisor::PeerStatus| member.has_supervisor && member.age.is_some();
        status.decision.is_some() && status.members.iter().all(is_known) || began.elapsed() >= limit
    });
    let now = running.now();
    Ok(running.supervisor.status(now))
}

/// A cluster of one has no member to share a secret with.
fn own_keys(setup: &Setup, read: impl Fn(&Root) -> Result<(Keys, bool), HostError>) -> Result<(Keys, bool), HostError> {
    if setup.members.len() > 1 { read(&setup.root) } else { Ok((Key::new([0; 32]).into(), false)) }
}

/// Its group could read the file of the shared key until now.
fn of_shared_key(root: &Root) -> Note {
    Note {
        message: format!("{}: its group could read it; from now on only its owner can", key::path(root).display()),
        help: "if the database's user, or another one, is in that group: change the key, and copy the file to the members as root \
               (`pfcluster key rotate`)"
            .to_owned(),
    }
}

fn config(setup: &Setup, keys: Keys, is_passive: bool) -> Result<Config, HostError> {
    let run = key::random().map_err(|reason| HostError::Run {
        program: "getrandom".into(),
        reason,
        help: "check that the kernel gives random numbers".to_owned(),
    })?;
    let mut config = Config::new(setup.me.clone(), setup.members.clone(), keys, u64::from_be_bytes(run));
    config.cluster_members = setup.cluster.members().map(|member| member.host.clone()).collect();
    config.members_hash = setup.cluster.members_hash();
    config.boot = super::machine::boot_id().unwrap_or_default();
    config.records = records::read(&setup.root)?;
    if setup.members.len() > 1 {
        config.signing = signing::read(&setup.state_directory)?;
        config.pinned = signing::pinned(&setup.state_directory, &config.cluster_members)?;
    }
    config.is_passive = is_passive;
    Ok(config)
}

/// One supervisor on a machine: two would act on each other's doing.
fn lock(run: &Directory) -> Result<File, HostError> {
    const NAME: &str = "supervise.lock";

    let path = run.path().join(NAME);
    let file = run.lock_file(NAME)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(HostError::Run {
            program: "pfcluster mariadb supervise".into(),
            reason: "another one supervises this database already".to_owned(),
            help: "see what it does with `pfcluster mariadb status`".to_owned(),
        }),
        Err(error) => Err(failed(&path)(error.into())),
    }
}

/// A force counts once: not again when a unit that has it in its environment starts again. A start without it makes the next
/// one count. False if it was used.
fn use_force(root: &Root) -> Result<bool, HostError> {
    let mark = root.file(FORCE_USED);
    let is_used = marks::is_set(&mark).map_err(failed(&mark))?;
    if !is_used {
        marks::set_own(root, FORCE_USED)?;
    }
    Ok(!is_used)
}

/// A supervisor with its threads.
struct Running {
    me: Hostname,
    supervisor: Supervisor,
    began: Instant,
    happenings: Receiver<Happening>,
    sender: Sender<Happening>,
    looks: Sender<(u64, bool)>,
    acts: Sender<Doing>,
    pins: Sender<BTreeMap<Hostname, PublicKey>>,
    asker: Asker,
    addresses: BTreeMap<Hostname, Ipv4Addr>,
    /// What the others' databases said last.
    said: Vec<(Hostname, pfcluster_core::galera::Running)>,
    /// How many datagrams were taken and not yet read.
    waiting: Arc<AtomicUsize>,
    socket: Option<UdpSocket>,
    cluster: Cluster,
    run_directory: PathBuf,
    state_directory: PathBuf,
    notes: Vec<Note>,
    /// Told each time that the keys are to be read again.
    hangups: Sender<()>,
}

/// What the acting thread does, one after the other.
enum Doing {
    Act(Vec<Step>),
    Record(Box<pfcluster_core::galera::Records>),
    Sync,
}

impl Running {
    fn begin(setup: Setup, config: Config) -> Result<Running, HostError> {
        if !setup.force && !config.is_passive {
            marks::clear(&setup.root, FORCE_USED)?;
        }
        let (sender, happenings) = mpsc::channel();
        let address =
            |host: &Hostname| Some((host.clone(), setup.cluster.member(host.as_str())?.addresses.management_ip?.value));
        let addresses: BTreeMap<Hostname, Ipv4Addr> = setup.members.iter().filter_map(address).collect();
        let waiting = Arc::new(AtomicUsize::new(0));
        let keys = Arc::new(RwLock::new(config.keys.clone()));
        let ears = Ears {
            address: addresses.get(&setup.me).copied(),
            peers: addresses.iter().filter(|(host, _)| **host != setup.me).map(|(_, address)| *address).collect(),
            keys: Arc::clone(&keys),
            waiting: Arc::clone(&waiting),
        };
        let socket = if setup.members.len() > 1 { Some(ears.open(&sender)?) } else { None };
        let looker = Looker {
            root: setup.root.clone(),
            cluster: setup.cluster.clone(),
            settings: setup.settings.clone(),
            backups: Watch::begin(setup.backups),
            is_passive: config.is_passive,
        };
        let asker = Asker { cluster: setup.cluster.clone(), addresses: addresses.clone(), account: setup.account };
        let (hangups, told) = mpsc::channel();
        if setup.members.len() > 1 {
            watch_keys(setup.root.clone(), setup.state_directory.clone(), keys, told, &sender);
        }
        let database = Database { root: setup.root, settings: setup.settings, arguments: setup.arguments };
        Ok(Running {
            me: setup.me,
            supervisor: Supervisor::new(config, Tick(0)),
            began: Instant::now(),
            happenings,
            looks: look_in_turn(looker, &sender),
            acts: act_in_turn(database, &sender),
            pins: pin_in_turn(setup.state_directory.clone(), &sender),
            sender,
            asker,
            addresses,
            said: Vec::new(),
            waiting,
            socket,
            cluster: setup.cluster,
            run_directory: setup.run_directory,
            state_directory: setup.state_directory,
            notes: Vec::new(),
            hangups,
        })
    }

    fn now(&self) -> Tick {
        Tick(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn say(&mut self, saying: Saying, user: Option<u32>) {
        let id = key::random().map_or(0, u64::from_be_bytes);
        let now = self.now();
        self.supervisor.handle_input(now, Input::Said { id, saying, user });
    }

    fn listen_to_signals(&self) -> Result<(), HostError> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(|error| HostError::Run {
            program: "sigaction".into(),
            reason: plain(&error),
            help: "try again".to_owned(),
        })?;
        let (sender, hangups) = (self.sender.clone(), self.hangups.clone());
        thread::spawn(move || {
            for signal in signals.forever() {
                // A cluster of one has no keys to read.
                if signal == SIGHUP {
                    let _ = hangups.send(());
                } else if sender.send(Happening::End).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    fn listen_to_people(&self) -> Result<(), HostError> {
        let sender = self.sender.clone();
        control::listen(&self.run_directory, move |request, user| {
            let (reply, answer) = mpsc::channel();
            sender.send(Happening::Asked(request, user, reply)).ok()?;
            answer.recv().ok()
        })
    }

    /// Until the state machine is over, or `is_enough` says so.
    fn drive(&mut self, voice: &mut dyn Voice, is_enough: impl Fn(&Supervisor, Tick) -> bool) {
        loop {
            while let Some(output) = self.supervisor.poll_output() {
                if matches!(output, Output::End) {
                    return;
                }
                self.carry_out(output, voice);
            }
            let now = self.now();
            if is_enough(&self.supervisor, now) {
                return;
            }
            let wait = self.supervisor.poll_timeout().map_or(Duration::from_secs(1), |(when, _)| when.since(now));
            let happening = match self.happenings.recv_timeout(wait) {
                Ok(happening) => happening,
                Err(RecvTimeoutError::Timeout) => Happening::Input(Input::Woken),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.happened(happening, voice);
        }
    }

    fn happened(&mut self, happening: Happening, voice: &mut dyn Voice) {
        let now = self.now();
        let input = match happening {
            Happening::Input(input) => {
                if let Input::Asked { answers, .. } = &input {
                    self.said.clone_from(answers);
                }
                input
            }
            Happening::Received(bytes) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Input::Received { bytes }
            }
            Happening::Noted(note) => {
                voice.note(&note);
                return;
            }
            Happening::Looked(number, look, notes) => {
                notes.iter().filter(|note| !self.notes.contains(note)).for_each(|note| voice.note(note));
                self.notes = notes;
                Input::Looked { number, look }
            }
            Happening::Asked(request, user, reply) => {
                let answer = self.answer(request, user, voice);
                // Whoever asked may have gone.
                let _ = reply.send(answer);
                return;
            }
            Happening::End => {
                voice.ending();
                Input::End
            }
        };
        self.supervisor.handle_input(now, input);
    }

    fn answer(&mut self, request: Request, user: u32, voice: &dyn Voice) -> String {
        let now = self.now();
        match request {
            Request::Status { json } => voice.status(&self.supervisor.status(now), json),
            Request::Evidence => voice.evidence(&self.supervisor.status(now)),
            Request::Allow { word } => match self.saying(word) {
                Ok(saying) => {
                    self.say(saying, Some(user));
                    String::new()
                }
                Err(message) => crate::documents::error("usage", &message, "name members of the database"),
            },
            Request::Forget { host } => {
                let Ok(host) = host.parse::<Hostname>() else {
                    return crate::documents::error("usage", "this is not a host name", "give its whole name");
                };
                match signing::forget(&self.state_directory, &host) {
                    Ok(()) => {
                        self.supervisor.handle_input(now, Input::PublicKeyForgotten { host });
                        String::new()
                    }
                    Err(error) => crate::documents::error(error.kind(), &error.to_string(), error.help()),
                }
            }
            Request::Accept { member, key } => match self.refused_key(&member, &key) {
                Some((member, key)) => match signing::pin(&self.state_directory, &member, key) {
                    Ok(()) => {
                        self.supervisor.handle_input(now, Input::PublicKeyAccepted { member, key });
                        String::new()
                    }
                    Err(error) => crate::documents::error(error.kind(), &error.to_string(), error.help()),
                },
                None => crate::documents::error(
                    "usage",
                    &format!("no key with this id is shown now in the name of `{}`", member.escape_debug()),
                    "see `pfcluster mariadb status`",
                ),
            },
        }
    }

    /// The key with this id that is shown in the name of a member, and refused.
    fn refused_key(&self, name: &str, id: &str) -> Option<(Hostname, PublicKey)> {
        let member = self.cluster.member(name)?.host.clone();
        let key = self.supervisor.status(self.now()).refused_key(&member, id.parse().ok()?)?;
        Some((member, key))
    }

    fn saying(&self, word: Word) -> Result<Saying, String> {
        let member = |name: &String| {
            let member = self.cluster.member(name).filter(|member| self.addresses.contains_key(&member.host));
            member.map(|member| member.host.clone()).ok_or_else(|| format!("`{}` is not a member", name.escape_debug()))
        };
        Ok(match word {
            Word::AssumeLost { members } => Saying::AssumeLost(members.iter().map(member).collect::<Result<_, _>>()?),
            Word::Discard { member: name } => Saying::Discard(member(&name)?),
            Word::Seed { member: name } => Saying::Seed(member(&name)?),
            Word::Trust { member: name } => Saying::Trust(member(&name)?),
            Word::End { member: name } => Saying::End(member(&name)?),
            Word::Standalone => Saying::Standalone,
        })
    }

    fn carry_out(&mut self, output: Output, voice: &mut dyn Voice) {
        // A thread that is gone would answer nothing: its sender is kept as long as this value.
        match output {
            Output::Look { number, recover } => drop(self.looks.send((number, recover))),
            Output::Ask { number, hosts } => {
                let (asker, sender) = (self.asker.clone(), self.sender.clone());
                thread::spawn(move || {
                    let answers = asker.ask(&hosts);
                    sender.send(Happening::Input(Input::Asked { number, answers }))
                });
            }
            Output::Send { to, bytes } => {
                if let (Some(socket), Some(address)) = (&self.socket, self.addresses.get(&to)) {
                    // A network that is down loses it, as any network may.
                    let _ = socket.send_to(&bytes, (*address, PORT));
                }
            }
            Output::Act { steps, .. } => drop(self.acts.send(Doing::Act(steps))),
            Output::Record(records) => drop(self.acts.send(Doing::Record(Box::new(records)))),
            Output::Pin(pinned) => drop(self.pins.send(pinned)),
            Output::Sync => drop(self.acts.send(Doing::Sync)),
            Output::Tell(event) => {
                voice.event(&event);
                if let Event::CalledOff { .. } = event {
                    self.who_contradicts().iter().for_each(|note| voice.note(note));
                }
            }
            Output::End => {}
        }
    }

    /// The databases that say that they are in a primary component: such an answer calls off what was to be done.
    fn who_contradicts(&self) -> Vec<Note> {
        let primary = self.said.iter().filter(|(_, running)| running.status == ClusterStatus::Primary);
        let note = |(host, _): &(Hostname, _)| {
            let address = self.addresses.get(host).map(ToString::to_string).unwrap_or_default();
            Note {
                message: format!("the database at {address}:3306 ({host}) said that it is in a primary component"),
                help: format!("nothing proves who answers there: check on {host} that this is its database"),
            }
        };
        primary.map(note).collect()
    }
}
