//! This member's evidence: its database is asked, its files are read, nothing is guessed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::{
    Evidence, Files, Found, Grastate, Gvwstate, Process, Recovered, Running, StatusError, Uuid, WsrepStatus,
};
use pfcluster_guide::maintenance::FLAG_FILE;

use super::datadir::{self, is_empty};
use super::directory::Directory;
use super::mariadb::{Answer, Settings, ask};
use super::processes::{Presence, Server, has_engine_open, is_recovering, presence, server};
use super::recovery::recover;
use super::{HostError, Root, files, key, machine, marks, records};

pub use crate::documents::evidence::{Note, Taken};

impl Taken {
    /// Now, by this machine's clock, in a gathering of its own.
    pub fn now() -> Taken {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let token = key::random().ok().map(|bytes| Uuid::from_u128(u128::from_be_bytes(bytes)));
        Taken { at: at.map(|time| time.as_secs().to_string()), boot_id: machine::boot_id(), gathering: token }
    }
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'q> {
    /// PacketFence's install directory.
    pub root: &'q Root,
    /// The cluster, to tell whose an address is.
    pub cluster: &'q Cluster,
    /// The database.
    pub settings: &'q Settings,
    /// How long the database may take to answer.
    pub limit: Duration,
    /// What is done about the position of a stopped database.
    pub recovery: Recovery,
}

/// What is done about the position of a stopped database. grastate.dat may have a number: a crash during a backup leaves one, and
/// a clean stop writes it before `InnoDB`'s log is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: it is missing.
    Leave,
    /// Nothing: who asks knows it.
    Known,
    /// `mariadbd --wsrep-recover`, which may take this long.
    Within(Duration),
    /// The same; a tc.log that keeps it from working, and holds nothing, is moved away.
    WithFirstAid(Duration),
}

/// Evidence, and what is missing in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Gathered {
    /// The evidence.
    pub evidence: Evidence,
    /// What a person should know.
    pub notes: Vec<Note>,
    /// Nothing is missing: the election needs no more of this member.
    pub complete: bool,
    /// What a running server with Galera says.
    pub status: Option<WsrepStatus>,
    /// How long ago it was found out what the process does.
    pub age: Duration,
}

/// Gathers the evidence. `progress` is called while a recovery runs, with the time since its start; `resolve` finds the
/// member that has a name or an address.
///
/// # Errors
/// [`HostError`] if there is no data directory.
pub fn gather(
    question: &Question<'_>,
    resolve: impl Fn(&str) -> Option<Hostname>,
    progress: &mut dyn FnMut(Duration),
) -> Result<Gathered, HostError> {
    let settings = question.settings;
    datadir::exists(&settings.datadir)?;
    let mut gathering = Gathering { settings, notes: Vec::new(), complete: true, status: None };
    let (mut process, standalone) = gathering.process(question.limit, resolve);
    let mut as_of = Instant::now();
    let server = if process == Process::Starting { server(settings) } else { None };
    let mut files = gathering.files();
    if let Some(files) = &mut files {
        // It holds what it was started with, until it is in a component.
        let position = server.as_ref().and_then(Server::start_position).filter(|_| !files.sst_marker);
        files.recovered = position.map_or(Recovered::NotRun, Recovered::At);
        files.records = records::read(question.root).unwrap_or_else(|error| gathering.error(&error));
        let joined = files.records.joined_in_boot;
        files.unsynced_transfer = joined.is_some_and(|joined| machine::boot_id() != Some(joined));
    }
    if process == Process::Stopped
        && let Some(files) = &mut files
    {
        gathering.recovered(files, question.recovery, progress);
        // Meanwhile somebody may have started it.
        process = gathering.without_answer();
        as_of = Instant::now();
    }
    if let Some(files) = &mut files {
        files.records.ran_standalone |= standalone;
    }
    let disabled = question.root.disabled_members();
    let evidence = Evidence {
        process,
        files,
        maintenance: gathering.maintenance(&question.root.file(FLAG_FILE)),
        arbitrator: false,
        disabled: disabled.map_or_else(|error| gathering.error(&error), |hosts| hosts.into_iter().collect()),
        members_hash: Some(question.cluster.members_hash()),
    };
    let Gathering { notes, complete, status, .. } = gathering;
    Ok(Gathered { evidence, notes, complete, status, age: as_of.elapsed() })
}

struct Gathering<'g> {
    settings: &'g Settings,
    notes: Vec<Note>,
    complete: bool,
    status: Option<WsrepStatus>,
}

const AS_ROOT: &str = "run it as root";
const SEE_LOG: &str = "see the database's log; start packetfence-mariadb only when the cause is known";

impl Gathering<'_> {
    fn note(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.notes.push(Note { message: message.into(), help: help.into() });
    }

    /// Something is missing.
    fn missing(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.complete = false;
        self.note(message, help);
    }

    fn error<T: Default>(&mut self, error: &HostError) -> T {
        self.missing(error.to_string(), error.help());
        T::default()
    }

    /// What the database does; and true if it runs without Galera.
    fn process(&mut self, limit: Duration, resolve: impl Fn(&str) -> Option<Hostname>) -> (Process, bool) {
        match ask(self.settings, limit) {
            Answer::Status(said) => match WsrepStatus::from_rows(said.rows()) {
                Ok(status) => {
                    let running = status.running(resolve);
                    self.status = Some(status);
                    return (Process::Running(running), false);
                }
                Err(StatusError::NotGalera) => {
                    self.note(
                        "the database runs without Galera: what is written now is on this member only",
                        "if it should be in the cluster, generate mariadb.conf anew and restart packetfence-mariadb",
                    );
                    return (Process::Running(Running::WITHOUT_GALERA), true);
                }
                Err(error) => {
                    let message = format!("the database's status can't be understood: {error}");
                    self.missing(message, "wait a moment and ask again");
                }
            },
            Answer::Refused(why) => {
                let message = format!("the database does not let this user in: {why}");
                self.missing(message, "run it as root, or name a user and password with `--mysql-defaults-file FILE`");
            }
            Answer::Full => {
                let message = "the database takes no more connections (ERROR 1040): max_connections is reached";
                self.missing(message, "stop who holds too many connections, and ask again");
            }
            Answer::Silence(why) => {
                let message =
                    format!("the database takes connections and does not answer, so it may be serving clients: {why}");
                self.missing(message, "see its log, or raise `--timeout`");
            }
            Answer::Another(datadir) => {
                let message = format!("the server on the socket has another data directory, {}", datadir.display());
                self.note(message, "name the right one with `--datadir DIR` or `--socket FILE`");
                return (self.without_answer(), false);
            }
            Answer::NoServer => return (self.without_answer(), false),
        }
        (Process::NotResponding, false)
    }

    /// What can be seen of a database that does not answer. Unknown is not absent.
    fn without_answer(&mut self) -> Process {
        match presence(self.settings) {
            Presence::None => Process::Stopped,
            Presence::There if server(self.settings).is_some_and(|server| server.begins()) => {
                let message =
                    "a database process is there that was started as the first of a component, or without Galera";
                self.missing(message, "see its log, and ask again");
                Process::Bootstrapping
            }
            // Also one of another container, of which nothing but its locks is seen.
            Presence::There if has_engine_open(self.settings) && !is_recovering(self.settings) => {
                let message = "a database process is there that takes no connections and has been in a component: it comes up, \
                               or ends";
                self.missing(message, "see its log, and ask again");
                Process::NotResponding
            }
            Presence::There => {
                let message = "a database process is there, but does not answer: it recovers, transfers state, or waits \
                               for the others";
                self.missing(message, "see its log, and ask again");
                Process::Starting
            }
            Presence::Unknown(why) => {
                let message = format!("it is not known whether a database process runs ({why}), so one is assumed");
                self.missing(message, AS_ROOT);
                Process::Starting
            }
        }
    }

    /// `None` if one of them can't be read.
    fn files(&mut self) -> Option<Files> {
        let directory = &self.settings.datadir;
        if let Some(place) = datadir::unmounted(directory) {
            let message = format!("{} is in /etc/fstab, but not mounted", place.display());
            self.missing(message, format!("mount {}", place.display()));
            return None;
        }
        let mut read = read_files(self.settings);
        if read.as_ref().is_ok_and(|files| torn(&files.grastate).or(torn(&files.gvwstate)).is_some()) {
            // A server may just have been writing it.
            std::thread::sleep(WRITTEN_BY_THEN);
            read = read_files(self.settings);
        }
        match read {
            Ok(files) => {
                let torn = [torn(&files.grastate), torn(&files.gvwstate)];
                for why in torn.into_iter().flatten() {
                    self.missing(why, "keep a copy of the file; `--recover` finds the data's position without it");
                }
                Some(files)
            }
            Err((path, error)) => {
                self.missing(format!("cannot read {}: {}", path.display(), files::plain(&error)), AS_ROOT);
                None
            }
        }
    }

    /// Finds the position of a stopped database, also where grastate.dat has a number.
    fn recovered(&mut self, files: &mut Files, recovery: Recovery, progress: &mut dyn FnMut(Duration)) {
        // What is not there has no position.
        if !has_engine_files(self.settings) {
            if files.sst_marker {
                files.recovered = Recovered::NoHistory;
            }
            return;
        }
        let (limit, helps) = match recovery {
            Recovery::Within(limit) => (limit, false),
            Recovery::WithFirstAid(limit) => (limit, true),
            Recovery::Leave if !files.datadir_empty => {
                return self.missing("the data's position is not known", "run `pfcluster evidence`");
            }
            Recovery::Leave | Recovery::Known => return,
        };
        files.recovered = recover(self.settings, limit, progress);
        let Recovered::Failed(why) = &files.recovered else { return };
        let tc_log = self.settings.datadir.join("tc.log");
        if !is_wrecked_tc_log(&tc_log) {
            return self.missing(&**why, SEE_LOG);
        }
        let aside = self.settings.datadir.join("tc.log.aside");
        if !helps {
            let command = format!("it holds nothing: `mv {} {}`, then ask again", tc_log.display(), aside.display());
            return self.missing(format!("{why}; tc.log is wrecked, as a power cut can do"), command);
        }
        let moved = Directory::at(&self.settings.datadir).and_then(|data| data.rename("tc.log", "tc.log.aside"));
        match moved {
            Ok(()) => {
                let message =
                    format!("tc.log was wrecked, as a power cut can do, and was moved to {}", aside.display());
                self.note(message, "nothing: the server makes a new one");
                files.recovered = recover(self.settings, limit, progress);
                if let Recovered::Failed(why) = &files.recovered {
                    self.missing(&**why, SEE_LOG);
                }
            }
            Err(error) => self.missing(format!("cannot move {}: {}", tc_log.display(), files::plain(&error)), AS_ROOT),
        }
    }

    /// A flag that can't be seen is taken for set: nothing is started then.
    fn maintenance(&mut self, path: &Path) -> bool {
        marks::is_set(path).unwrap_or_else(|error| {
            self.missing(format!("cannot read {}: {}", path.display(), files::plain(&error)), AS_ROOT);
            true
        })
    }
}

/// Galera's files are of a few hundred bytes.
const WRITTEN_BY_THEN: Duration = Duration::from_millis(50);

fn torn<T>(found: &Found<T>) -> Option<String> {
    match found {
        Found::Torn(why) => Some(why.to_string()),
        Found::Absent | Found::Read(_) => None,
    }
}

/// The files of the data directory. An error comes with the path it is about.
fn read_files(settings: &Settings) -> Result<Files, (PathBuf, io::Error)> {
    let datadir = &*settings.datadir;
    let grastate = state_file(datadir, "grastate.dat", Grastate::parse)?;
    let gvwstate = state_file(datadir, "gvwstate.dat", Gvwstate::parse)?;
    let marker = datadir.join("sst_in_progress");
    let is_marked = marker.try_exists().map_err(|error| (marker, error))?;
    let has_uuid = matches!(&grastate, Found::Read(grastate) if !grastate.uuid.is_zero());
    let sst_marker =
        is_marked || !has_uuid && is_left_by_transfer(settings).map_err(|error| (datadir.to_owned(), error))?;
    let is_in_history = match &grastate {
        Found::Read(grastate) => !grastate.uuid.is_zero(),
        Found::Torn(_) => true,
        Found::Absent => datadir.join("galera.cache").exists(),
    } || gvwstate != Found::Absent;
    let is_empty = is_empty(datadir).map_err(|error| (datadir.to_owned(), error))?;
    let datadir_empty = is_empty && !is_in_history;
    Ok(Files { grastate, gvwstate, sst_marker, datadir_empty, ..Files::default() })
}

/// A transfer that failed has emptied the directory and put nothing whole in its place; its script takes its mark away on every
/// exit (measured), so that only what lies beside shows that one was there.
fn is_left_by_transfer(settings: &Settings) -> io::Result<bool> {
    if has_engine_files(settings) {
        return Ok(false);
    }
    for entry in std::fs::read_dir(&settings.datadir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if matches!(&*name, ".sst" | "galera.cache" | "wsrep_sst.pid") || name.ends_with("galera_info") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `InnoDB`'s files of any kind, at any place that is configured: one that lies where nobody looks must not make the most advanced
/// data look empty.
fn has_engine_files(settings: &Settings) -> bool {
    let log = settings.option("innodb-log-group-home-dir").ok().flatten().map(PathBuf::from);
    let named = settings.option("innodb-data-file-path").ok().flatten().unwrap_or_default();
    let named: Vec<&str> =
        named.split(';').filter_map(|part| part.split(':').next()).filter(|name| !name.is_empty()).collect();
    let is_engine = |name: &str| {
        name.starts_with("ibdata")
            || name.starts_with("ib_logfile")
            || name.starts_with("undo")
            || named.contains(&name)
    };
    let has = |directory: &Path| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|name| is_engine(&name.to_string_lossy()))
    };
    let places = [Some(settings.datadir.clone()), Some(settings.tablespace.clone()), log];
    places.into_iter().flatten().any(|place| has(&settings.datadir.join(place)))
}

/// MariaDB's coordinator log (PacketFence's cluster has no binary log) is empty, all NULs, or without its magic: nothing in it can be
/// read, and the server neither recovers nor starts with it (measured).
fn is_wrecked_tc_log(path: &Path) -> bool {
    const MAGIC: [u8; 4] = [254, 0x23, 0x05, 0x74];
    let is_file = path.symlink_metadata().is_ok_and(|data| data.is_file());
    is_file && files::first_bytes(path, 4).is_ok_and(|start| start != MAGIC)
}

/// A file that Galera keeps, which is much smaller than this.
const STATE_FILE_LIMIT: u64 = 1 << 16;

fn state_file<T, E: std::fmt::Display>(
    datadir: &Path,
    name: &str,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Found<T>, (PathBuf, io::Error)> {
    let path = datadir.join(name);
    // A link to nowhere is no missing file.
    match path.symlink_metadata().and_then(|_| path.metadata()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => return Ok(Found::Absent),
        Ok(data) if !data.is_file() => return Ok(Found::Torn(format!("{name} is no plain file").into())),
        Ok(data) if data.len() > STATE_FILE_LIMIT => {
            return Ok(Found::Torn(format!("{name} has {} bytes: it is no such file", data.len()).into()));
        }
        Err(error) => return Err((path, error)),
        Ok(_) => {}
    }
    match files::first_bytes(&path, STATE_FILE_LIMIT) {
        // Gone in between: gvwstate.dat comes and goes with the views.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Absent),
        Err(error) => Err((path, error)),
        Ok(text) => Ok(parse(&text).map_or_else(|error| Found::Torn(error.to_string().into()), Found::Read)),
    }
}
