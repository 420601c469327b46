//! This member's evidence: its database is asked, its files are read, nothing is guessed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Found, Grastate, Gvwstate, LocalState, Process, Recovered, Running, StatusError,
    Uuid, WsrepStatus,
};
use pfcluster_core::maintenance::FLAG_FILE;
use serde::{Deserialize, Serialize};

use super::datadir::{self, is_empty};
use super::mariadb::{Answer, Settings, ask};
use super::processes::{Presence, Server, presence, server};
use super::recovery::recover;
use super::{HostError, Root, files, marks, records};

/// Something that could not be found out, or that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
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
    /// What is done about a position that is not written down.
    pub recovery: Recovery,
}

/// What is done about the position of a stopped database that did not write one down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: it is missing.
    Leave,
    /// Nothing: who asks knows it.
    Known,
    /// `mariadbd --wsrep-recover`, which may take this long.
    Within(Duration),
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
    /// A server that does not tell its state may be in service all the same ([`pfcluster_core::supervisor::Look::begins`]).
    pub begins: bool,
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
    let mut gathering = Gathering { settings, notes: Vec::new(), complete: true, is_mute: false, status: None };
    let (mut process, standalone) = gathering.process(question.limit, resolve);
    let server = if process == Process::Starting { server(settings) } else { None };
    let mut files = gathering.files();
    if let Some(files) = &mut files {
        // It holds what it was started with, until it is in a component.
        let is_there_still = !files.sst_marker && !gathering.is_mute;
        let position = server.as_ref().and_then(Server::start_position).filter(|_| is_there_still);
        files.recovered = position.map_or(Recovered::NotRun, Recovered::At);
        files.records = records::read(question.root).unwrap_or_else(|error| gathering.error(&error));
    }
    if process == Process::Stopped
        && let Some(files) = &mut files
    {
        gathering.recovered(files, question.recovery, progress);
        // Meanwhile somebody may have started it.
        process = gathering.without_answer();
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
    let Gathering { notes, complete, is_mute, status, .. } = gathering;
    let begins = is_mute || server.is_some_and(|server| server.begins());
    Ok(Gathered { evidence, notes, complete, status, begins })
}

struct Gathering<'g> {
    settings: &'g Settings,
    notes: Vec<Note>,
    complete: bool,
    /// The server takes connections, and does not tell its state.
    is_mute: bool,
    status: Option<WsrepStatus>,
}

const AS_ROOT: &str = "run it as root";

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
                    return (Process::Running(WITHOUT_GALERA), true);
                }
                Err(error) => {
                    let message = format!("the database's status can't be understood: {error}");
                    self.missing(message, "wait a moment and ask again");
                    self.is_mute = true;
                }
            },
            Answer::Refused(why) => {
                self.is_mute = true;
                let message = format!("the database does not let this user in: {why}");
                self.missing(message, "run it as root, or name a user and password with `--mysql-defaults-file FILE`");
            }
            Answer::Full => {
                self.is_mute = true;
                let message = "the database takes no more connections (ERROR 1040): max_connections is reached";
                self.missing(message, "stop who holds too many connections, and ask again");
            }
            Answer::Silence(why) => {
                self.missing(format!("the database does not answer: {why}"), "see its log, or raise `--timeout`");
            }
            Answer::Another(datadir) => {
                let message = format!("the server on the socket has another data directory, {}", datadir.display());
                self.note(message, "name the right one with `--datadir DIR` or `--socket FILE`");
                return (self.without_answer(), false);
            }
            Answer::Nobody => return (self.without_answer(), false),
        }
        (Process::Starting, false)
    }

    /// What can be seen of a database that does not answer. Unknown is not absent.
    fn without_answer(&mut self) -> Process {
        match presence(self.settings) {
            Presence::None => Process::Stopped,
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

    /// Finds the position of a stopped database, unless grastate.dat has it.
    fn recovered(&mut self, files: &mut Files, recovery: Recovery, progress: &mut dyn FnMut(Duration)) {
        let grastate = files.grastate.read();
        let is_known = grastate.is_some_and(|grastate| !grastate.uuid.is_zero() && grastate.seqno >= 0);
        let has_data = self.settings.tablespace.join("ibdata1").exists();
        // What a broken transfer left is no state that ever was; what is not there has none.
        if is_known || files.sst_marker || !has_data {
            return;
        }
        if let Recovery::Within(limit) = recovery {
            files.recovered = recover(self.settings, limit, progress);
            if let Recovered::Failed(why) = &files.recovered {
                self.missing(&**why, "see the database's log; start packetfence-mariadb only when the cause is known");
            }
        } else if recovery == Recovery::Leave && !files.datadir_empty {
            self.missing("the data's position is not known", "run `pfcluster evidence --recover`");
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

const WITHOUT_GALERA: Running = Running {
    uuid: Uuid::ZERO,
    status: ClusterStatus::Disconnected,
    state: LocalState::Initialized,
    size: 0,
    last_committed: -1,
    sees: Vec::new(),
    sees_others: Vec::new(),
};

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
    let sst_marker = marker.try_exists().map_err(|error| (marker, error))?;
    // Before a transfer sets its mark, it empties the directory: where its script was, and no tablespace is, it had begun.
    let script = datadir.join("wsrep_sst.pid");
    let was_emptied =
        script.try_exists().map_err(|error| (script, error))? && !settings.tablespace.join("ibdata1").exists();
    let sst_marker = sst_marker || was_emptied;
    let is_in_history = match &grastate {
        Found::Read(grastate) => !grastate.uuid.is_zero(),
        Found::Torn(_) => true,
        Found::Absent => datadir.join("galera.cache").exists(),
    } || gvwstate != Found::Absent;
    let is_empty = is_empty(datadir).map_err(|error| (datadir.to_owned(), error))?;
    let datadir_empty = is_empty && !is_in_history;
    Ok(Files { grastate, gvwstate, sst_marker, datadir_empty, ..Files::default() })
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
