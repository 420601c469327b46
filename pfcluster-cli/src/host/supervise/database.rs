//! What is done to the database: its files set aside, its process started, made primary, ended. One thing at a time.

#![expect(
    clippy::disallowed_methods,
    reason = "the directories around the data directory are root's, and in it files are only renamed; the rest goes by `Directory`"
)]

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pfcluster_core::galera::Position;
use pfcluster_core::supervisor::{Start, Step};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::host::directory::{Directory, Fresh};
use crate::host::files::{plain, read_open};
use crate::host::mariadb::{self, Settings, option, server_program, server_user};
use crate::host::processes::{Presence, Server, presence, server};
use crate::host::{Root, records};

/// How often something that is waited for is looked at.
const POLL: Duration = Duration::from_millis(20);
/// grastate.dat is much smaller than this.
const STATE_FILE_LIMIT: u64 = 1 << 16;
/// How long a server may take to answer a statement.
const ANSWER: Duration = Duration::from_secs(10);
/// A server that has not come up by then gets SIGTERM all the same: its socket may be gone.
const COMES_UP: Duration = Duration::from_secs(60);

/// The database of this machine.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub(super) root: Root,
    pub(super) settings: Settings,
    /// In addition, on the server's command line.
    pub(super) arguments: Vec<String>,
}

impl Database {
    /// Carries the steps out, in order. `started` gets a server's process.
    pub(super) fn carry_out(&self, steps: &[Step], started: impl Fn(Child)) -> Result<(), String> {
        for step in steps {
            match step {
                Step::Record(records) => records::write(&self.root, records).map_err(|error| error.to_string())?,
                Step::SetViewAside => self.set_aside("gvwstate.dat")?,
                Step::SetStateAside => self.set_aside("grastate.dat")?,
                Step::SetDataAside => self.set_data_aside()?,
                Step::AllowBootstrap => self.rewrite_grastate(&[("safe_to_bootstrap", "1")])?,
                Step::ForbidBootstrap => self.rewrite_grastate(&[("safe_to_bootstrap", "0")])?,
                Step::ClearSeqno => self.rewrite_grastate(&[("seqno", "-1")])?,
                Step::WriteUuid(uuid) => self.rewrite_grastate(&[("uuid", &uuid.to_string()), ("seqno", "-1")])?,
                Step::Start { how, position } => started(self.start(*how, *position)?),
                // A clone has a session of its own, which ends with it.
                Step::Promote => mariadb::promote(&self.settings.clone(), ANSWER)?,
                Step::Stop { kill_after } => self.stop(*kill_after, false)?,
                Step::End { kill_after } => self.stop(Some(*kill_after), true)?,
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.settings.datadir.join(name)
    }

    /// Its files are touched only while nobody else does.
    fn must_be_stopped(&self) -> Result<(), String> {
        match presence(&self.settings) {
            Presence::None => Ok(()),
            Presence::There => Err("a database process is there".to_owned()),
            Presence::Unknown(why) => Err(format!("it is not known whether a database process runs: {why}")),
        }
    }

    fn set_aside(&self, name: &str) -> Result<(), String> {
        self.must_be_stopped()?;
        let path = self.path(name);
        match fs::rename(&path, self.path(&format!("{name}.aside"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            moved => moved.map_err(about(&path))?,
        }
        sync(&self.settings.datadir)
    }

    /// In one step the full directory goes and an empty one comes: a power cut in between leaves either.
    fn set_data_aside(&self) -> Result<(), String> {
        self.must_be_stopped()?;
        let datadir = self.settings.datadir.canonicalize().map_err(about(&self.settings.datadir))?;
        let data = datadir.metadata().map_err(about(&datadir))?;
        let name = format!("{}.aside-{}", datadir.display(), Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
        let aside = PathBuf::from(name);
        fs::create_dir(&aside).map_err(about(&aside))?;
        let exchanged = prepare_empty(&aside, &data).and_then(|()| exchange(&datadir, &aside));
        if let Err(why) = exchanged {
            let _ = fs::remove_dir(&aside);
            return Err(format!(
                "{why}; if {} is a file system of its own, move what is in it away by hand",
                datadir.display()
            ));
        }
        sync(datadir.parent().unwrap_or(Path::new("/")))
    }

    /// Values of grastate.dat are replaced, if it is there; the others stay. Galera reads this file before anything else.
    fn rewrite_grastate(&self, values: &[(&str, &str)]) -> Result<(), String> {
        self.must_be_stopped()?;
        // The directory is the database's: no link of its owner leads root elsewhere.
        let directory = Directory::open(&self.settings.datadir).map_err(|error| error.to_string())?;
        let Some(file) = directory.file("grastate.dat").map_err(|error| error.to_string())? else { return Ok(()) };
        let path = self.path("grastate.dat");
        let data = file.metadata().map_err(about(&path))?;
        let bytes = read_open(file, &path, STATE_FILE_LIMIT).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{}: it is not text", path.display()))?;
        let is_replaced = |line: &str| {
            line.split_once(':').is_some_and(|(key, _)| values.iter().any(|(other, _)| key.trim() == *other))
        };
        let lines = text.trim_end_matches([' ', '\0']).lines().filter(|line| !is_replaced(line)).map(str::to_owned);
        let new = values.iter().map(|(key, value)| format!("{key}: {value}"));
        let lines: Vec<String> = lines.chain(new).collect();
        let like = Fresh { mode: data.mode() & 0o777, owner: Some((data.uid(), data.gid())) };
        let keep = |name: &str, text: &str| {
            directory.replace(name, text.as_bytes(), like, None).map_err(|error| error.to_string())
        };
        keep("grastate.dat.aside", &text)?;
        keep("grastate.dat", &(lines.join("\n") + "\n"))
    }

    /// All that the page cache has of the data, at each place that is configured, goes to disk: after a state transfer nobody else
    /// sees to that.
    pub(super) fn sync_data(&self) -> Result<(), String> {
        let settings = &self.settings;
        let log = settings.option("innodb-log-group-home-dir").map_err(|error| error.to_string())?;
        let places = [Some(settings.datadir.clone()), Some(settings.tablespace.clone()), log.map(PathBuf::from)];
        for place in places.into_iter().flatten() {
            let path = settings.datadir.join(place);
            Directory::at(&path).and_then(|directory| directory.sync_file_system()).map_err(about(&path))?;
        }
        Ok(())
    }

    fn start(&self, how: Start, position: Option<Position>) -> Result<Child, String> {
        self.must_be_stopped()?;
        let program = server_program().ok_or("mariadbd is not installed")?;
        let settings = &self.settings;
        let owner = settings.datadir.metadata().map_err(about(&settings.datadir))?;
        let mut command = Command::new(program);
        // This one has to be the first.
        command.args(settings.defaults_file.iter().map(|path| option("defaults-file", path)));
        command.arg(option("datadir", &settings.datadir));
        if rustix::process::geteuid().is_root() {
            command.arg(format!("--user={}", server_user(owner.uid())));
        }
        command.args(&self.arguments);
        match how {
            Start::Normal => {}
            Start::NewCluster => drop(command.arg("--wsrep-new-cluster")),
            Start::Alone => drop(command.args(["--wsrep-on=OFF", "--wsrep-provider=none"])),
        }
        command.args(position.map(|position| format!("--wsrep_start_position={position}")));
        self.make_socket_directory((owner.uid(), owner.gid()))?;
        // Readiness of the unit is the supervisor's to tell: systemd would log each notice of the database, and drop it.
        command.env_remove("NOTIFY_SOCKET");
        // A signal from the terminal, and the end of this program, are not for the database.
        command.process_group(0).stdin(Stdio::null()).stdout(io::stderr());
        command.spawn().map_err(|error| format!("mariadbd does not start: {}", plain(&error)))
    }

    /// /run is empty after a boot.
    fn make_socket_directory(&self, owner: (u32, u32)) -> Result<(), String> {
        let directories = self.settings.sockets.first().and_then(|socket| socket.parent());
        let Some(directory) = directories.filter(|directory| directory.starts_with("/run") && !directory.exists())
        else {
            return Ok(());
        };
        fs::create_dir_all(directory).map_err(about(directory))?;
        chown(directory, Some(owner.0), Some(owner.1)).map_err(about(directory))
    }

    /// Ends the server that is there now. One that is there later is not meant.
    ///
    /// It gets SIGTERM once it has come up. One that comes up blocks the signal; in the moment after that MariaDB loses it (measured
    /// on 10.11: at one of three ends in that moment the thread that takes signals has ended, and the main thread waits in
    /// `init_slave` for ever). Then it accepts no connection, and hears no other SIGTERM.
    fn stop(&self, kill_after: Option<Duration>, whatever_it_does: bool) -> Result<(), String> {
        let Some(server) = self.server()? else { return Ok(()) };
        let began = Instant::now();
        let (mut is_told, mut limit) = (false, kill_after);
        // A mark that is there already was known when it was decided to end the server: it is of an earlier transfer.
        let was_marked = self.is_marked();
        while self.is_there(server.pid)? {
            let may_hear = || mariadb::has_come_up(&self.settings.clone(), ANSWER) || began.elapsed() >= COMES_UP;
            if !is_told && (whatever_it_does || may_hear()) {
                if limit.is_some() && !whatever_it_does {
                    self.must_not_serve()?;
                }
                signal_process(server.pid, Signal::TERM)?;
                is_told = true;
            }
            if limit.is_some_and(|limit| began.elapsed() >= limit) {
                if !whatever_it_does {
                    if !was_marked && self.is_marked() {
                        return Err("it receives state by now, and is not killed".to_owned());
                    }
                    self.must_not_serve()?;
                }
                signal_process(server.pid, Signal::KILL)?;
                limit = None;
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn is_there(&self, pid: i32) -> Result<bool, String> {
        match (server(&self.settings), presence(&self.settings)) {
            (Some(other), _) => Ok(other.pid == pid),
            // Its files are locked to its very end, when nothing else of it can be seen any more.
            (None, presence) => match presence {
                Presence::There => Ok(true),
                Presence::None => Ok(false),
                Presence::Unknown(why) => Err(why),
            },
        }
    }

    fn server(&self) -> Result<Option<Server>, String> {
        match (server(&self.settings), presence(&self.settings)) {
            (Some(server), _) => Ok(Some(server)),
            (None, Presence::None) => Ok(None),
            (None, Presence::There) => Err("the database's process is not among those of this machine".to_owned()),
            (None, Presence::Unknown(why)) => Err(why),
        }
    }

    /// It was about to get service when it was to end.
    fn must_not_serve(&self) -> Result<(), String> {
        if mariadb::may_be_primary(&self.settings.clone(), ANSWER) {
            return Err("it is in service by now, or does not say, and is not ended".to_owned());
        }
        Ok(())
    }

    /// A state transfer to it ends in its own time.
    fn is_marked(&self) -> bool {
        self.path("sst_in_progress").exists()
    }
}

/// By descriptor: the number may be another process's by then.
fn signal_process(pid: i32, signal: Signal) -> Result<(), String> {
    let fail = |error: rustix::io::Errno| format!("cannot end process {pid}: {}", plain(&error.into()));
    let Some(number) = Pid::from_raw(pid) else { return Ok(()) };
    match pidfd_open(number, PidfdFlags::empty()).and_then(|process| pidfd_send_signal(process, signal)) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(fail(error)),
    }
}

/// By descriptor: it may be in a directory of the database's own user.
fn prepare_empty(directory: &Path, like: &fs::Metadata) -> Result<(), String> {
    let made = Directory::itself(directory).map_err(about(directory))?;
    let ((maker, _), _) = made.owner_and_mode().map_err(about(directory))?;
    if maker != rustix::process::geteuid().as_raw() {
        return Err(format!("{} is not the directory that was just made", directory.display()));
    }
    // No set-id bits: the unit is not allowed to give them.
    made.give((like.uid(), like.gid()), like.mode() & 0o1777).map_err(about(directory))
}

fn exchange(one: &Path, other: &Path) -> Result<(), String> {
    let here = rustix::fs::CWD;
    rustix::fs::renameat_with(here, one, here, other, rustix::fs::RenameFlags::EXCHANGE)
        .map_err(|error| format!("cannot move {} aside: {}", one.display(), plain(&error.into())))
}

fn sync(directory: &Path) -> Result<(), String> {
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(about(directory))
}

fn about(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {}", path.display(), plain(&error))
}

/// How a process ended, in a few words.
pub(super) fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn an_empty_data_directory_is_like_the_full_one_without_set_id_bits() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let [full, empty] = ["full", "empty"].map(|name| scratch.path().join(name));
        [&full, &empty].into_iter().for_each(|path| fs::create_dir(path).expect("a writable directory"));
        fs::set_permissions(&full, fs::Permissions::from_mode(0o2750)).expect("our own directory");
        prepare_empty(&empty, &full.metadata().expect("a directory")).expect("our own directory");
        assert_eq!(empty.metadata().expect("a directory").mode() & 0o7777, 0o750);
    }
}
