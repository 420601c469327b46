//! Whether a database process has a data directory, also where it does not answer.
//!
//! Two signs are asked, since neither shows all: a server locks its tablespace and its Aria log for as long as it has them
//! open (seen also from other containers of this machine), and stands in its data directory from its first moment on, also
//! while it still receives them from another member.

#![expect(clippy::disallowed_methods, reason = "the kernel's files in /proc")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pfcluster_core::galera::Position;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::mariadb::Settings;

/// Whether there is a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// There is one.
    There,
    /// There is none.
    None,
    /// Not known, for this reason.
    Unknown(String),
}

/// Whether a database process has this data directory.
pub(super) fn presence(settings: &Settings) -> Presence {
    let mut unknown = None;
    let locked = [settings.tablespace.join("ibdata1"), settings.datadir.join("aria_log_control")];
    let signs = locked.iter().map(|path| lock(path)).chain([servers(&settings.datadir)]);
    for sign in signs {
        match sign {
            Presence::There => return Presence::There,
            Presence::Unknown(why) => unknown = unknown.or(Some(why)),
            Presence::None => {}
        }
    }
    unknown.map_or(Presence::None, Presence::Unknown)
}

/// A server has `InnoDB` open. With Galera it opens it only once it has been in a primary component (measured: one that waits for
/// one holds no lock).
pub(super) fn has_engine_open(settings: &Settings) -> bool {
    lock(&settings.tablespace.join("ibdata1")) == Presence::There
}

/// Whether somebody holds a lock on the file.
fn lock(path: &Path) -> Presence {
    let held = match super::files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Presence::None,
        file => file.and_then(|file| Ok(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?)),
    };
    match held {
        Ok(Some(_)) => Presence::There,
        Ok(None) => Presence::None,
        Err(error) => Presence::Unknown(format!("{}: {}", path.display(), super::files::plain(&error))),
    }
}

/// Whether a server stands in the directory.
fn servers(datadir: &Path) -> Presence {
    /// A server goes to its data directory within milliseconds.
    const ON_ITS_WAY: Duration = Duration::from_millis(300);
    const STEP: Duration = Duration::from_millis(20);

    let Ok(ours) = id(datadir) else { return Presence::Unknown(format!("{} is not readable", datadir.display())) };
    // Where /proc hides the processes of others, finding none means nothing.
    if !Path::new("/proc/1/stat").exists() {
        return Presence::Unknown("/proc does not show the processes of other users".to_owned());
    }
    let start = Instant::now();
    loop {
        let places: Vec<Place> = server_processes().filter_map(|process| Place::of(&process, ours)).collect();
        if places.contains(&Place::Here) {
            return Presence::There;
        }
        if places.contains(&Place::Nowhere) {
            if start.elapsed() < ON_ITS_WAY {
                std::thread::sleep(STEP);
                continue;
            }
            return Presence::There;
        }
        let hidden = places.into_iter().find_map(|place| match place {
            Place::Hidden(process) => Some(process),
            Place::Here | Place::Nowhere => None,
        });
        return hidden.map_or(Presence::None, |process| {
            Presence::Unknown(format!("process {process} is a database server, but its directory is not shown"))
        });
    }
}

/// A server that stands in the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its number.
    pub(super) pid: i32,
    /// The words of its command line.
    arguments: Vec<String>,
}

impl Server {
    /// `line` is its command line as the kernel has it: a zero byte ends each word.
    pub(super) fn new(pid: i32, line: &[u8]) -> Server {
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        Server { pid, arguments: words.collect() }
    }

    /// Where it was told to begin (`--wsrep_start_position`).
    pub(super) fn start_position(&self) -> Option<Position> {
        let value = self.arguments.iter().find_map(|word| option_value(word, "wsrep-start-position"))?;
        let (uuid, seqno) = value.split_once(':')?;
        // Behind a comma there may be a GTID.
        let seqno = seqno.split(',').next()?;
        Position::new(uuid.parse().ok()?, seqno.parse().ok()?)
    }

    fn recovers(&self) -> bool {
        self.arguments.iter().any(|word| is_option(word, "wsrep-recover"))
    }

    /// It was started as the first of a new component, or without Galera.
    pub(super) fn begins(&self) -> bool {
        self.arguments.iter().any(|word| is_option(word, "wsrep-new-cluster"))
            || self.arguments.iter().any(|word| option_value(word, "wsrep-on").as_deref() == Some("OFF"))
    }
}

/// In option names `-` and `_` are the same.
fn is_option(word: &str, name: &str) -> bool {
    word.strip_prefix("--").is_some_and(|word| word.replace('_', "-") == name)
}

fn option_value(word: &str, name: &str) -> Option<String> {
    let (option, value) = word.split_once('=')?;
    is_option(option, name).then(|| value.to_owned())
}

/// The server that stands in the data directory, if there is one.
pub(super) fn server(settings: &Settings) -> Option<Server> {
    let ours = id(&settings.datadir).ok()?;
    // One that only recovers a position ends by itself.
    servers_in(ours).find(|server| !server.recovers())
}

/// Somebody recovers the position of the data: that opens `InnoDB` as well, and serves nobody.
pub(super) fn is_recovering(settings: &Settings) -> bool {
    id(&settings.datadir).is_ok_and(|ours| servers_in(ours).any(|server| server.recovers()))
}

fn servers_in(ours: (u64, u64)) -> impl Iterator<Item = Server> {
    let here = server_processes().filter(move |process| Place::of(process, ours) == Some(Place::Here));
    here.filter_map(|process| {
        let line = fs::read(process.join("cmdline")).ok()?;
        Some(Server::new(process.file_name()?.to_str()?.parse().ok()?, &line))
    })
}

fn server_processes() -> impl Iterator<Item = PathBuf> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter(|process| {
        let name = fs::read(process.join("comm")).unwrap_or_default();
        matches!(name.trim_ascii_end(), b"mariadbd" | b"mysqld")
    })
}

/// Where a server stands, as far as it matters.
#[derive(PartialEq, Eq)]
enum Place {
    Here,
    /// Where it was started, and that is no data directory: it may be on its way to this one.
    Nowhere,
    /// Not shown; the process.
    Hidden(String),
}

impl Place {
    /// `None` if it stands in another data directory, or has just ended.
    fn of(process: &Path, ours: (u64, u64)) -> Option<Place> {
        let place = process.join("cwd");
        match id(&place) {
            Ok(place) if place == ours => Some(Place::Here),
            // An empty directory is one that is being filled, unless it is the starter's.
            Ok(_) if is_data_directory(&place) || !is_starters(process, &place) => None,
            Ok(_) => Some(Place::Nowhere),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(Place::Hidden(process.file_name()?.to_string_lossy().into_owned())),
        }
    }
}

/// What tells one directory from another, by whatever path.
fn id(path: &Path) -> io::Result<(u64, u64)> {
    path.metadata().map(|data| (data.dev(), data.ino()))
}

/// True if the process stands where its parent stands. `stat` has the parent's number behind name and state.
fn is_starters(process: &Path, place: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let parent = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(1));
    let parent = parent.map(|parent| Path::new("/proc").join(parent).join("cwd"));
    parent.and_then(|parent| id(&parent).ok()).is_none_or(|parent| id(place).is_ok_and(|place| place == parent))
}

fn is_data_directory(path: &Path) -> bool {
    ["ibdata1", "aria_log_control", "mysql"].iter().any(|name| path.join(name).exists())
}
