//! What `pfcluster doctor` looks at on this machine, and what the other members' databases say.
//!
//! All files are looked for below one directory, so that another machine's can stand in for this one's.

mod database;
mod kernel;
mod links;
mod others;
mod permissions;
mod programs;
mod sockets;
mod units;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use pfcluster_core::cluster::Hostname;
use pfcluster_guide::doctor::{Facts, Known};
use pfcluster_guide::maintenance::FLAG_FILE;

pub use others::{Others, ask_others};

use super::mariadb::Settings;
use super::{Root, files, marks};

/// Where the machine is: its files, and the programs that are asked.
#[derive(Clone, Debug)]
pub struct Machine {
    directory: PathBuf,
    programs: Option<PathBuf>,
}

impl Machine {
    /// The machine whose `/` is `directory`. Its programs are on the search path, or in `programs`.
    pub fn new(directory: &Path, programs: Option<&Path>) -> Machine {
        Machine { directory: directory.to_owned(), programs: programs.map(Path::to_owned) }
    }

    /// Where a file of the machine is; `path` is absolute.
    fn file(&self, path: &str) -> PathBuf {
        self.directory.join(path.trim_start_matches('/'))
    }

    /// As the machine itself names what is at `path`.
    fn name(&self, path: &Path) -> Box<str> {
        let inside = path.strip_prefix(&self.directory).map(|inside| Path::new("/").join(inside));
        inside.unwrap_or_else(|_| path.to_owned()).to_string_lossy().into()
    }

    /// The text of a file; `None` if there is none.
    fn text(&self, path: &str) -> Known<Option<String>> {
        let bytes = files::read_if_there(&self.file(path)).map_err(|error| Box::<str>::from(error.to_string()))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'q> {
    /// The machine.
    pub machine: &'q Machine,
    /// PacketFence's install directory.
    pub root: &'q Root,
    /// The members that it counts out.
    pub disabled: &'q BTreeSet<Hostname>,
    /// Its database; why it is not known where that is.
    pub settings: Known<&'q Settings>,
    /// The replication user's name, empty if there is none.
    pub replication_user: &'q str,
    /// Where the supervisor's socket is.
    pub run_directory: &'q Path,
    /// How long all of it may take.
    pub limit: Duration,
}

/// Looks at this machine. Changes nothing, and ends within the limit. What is found out elsewhere is not known yet: the
/// members' clocks, and how the daemons' files compare with what would be generated.
pub fn look(question: &Question<'_>) -> Facts {
    let deadline = Instant::now() + question.limit;
    // What does not answer takes no time from the others.
    thread::scope(|scope| {
        let database = scope.spawn(|| database::look(question, deadline));
        let links = scope.spawn(|| links::all(question.machine, deadline));
        let mut facts = files_and_units(question, deadline);
        facts.links = joined(links);
        let database = joined(database);
        facts.settings = database.settings;
        facts.status = database.status;
        facts.connections = database.connections;
        facts.accounts = database.accounts;
        facts
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn files_and_units(question: &Question<'_>, deadline: Instant) -> Facts {
    let (machine, root) = (question.machine, question.root);
    let mut facts = Facts::unknown("it was not asked for");
    facts.disabled = Ok(question.disabled.clone());
    facts.maintenance = marks::is_set(&root.file(FLAG_FILE)).map_err(|error| files::plain(&error).into());
    facts.host_name = host_name(machine);
    facts.family = programs::family(machine);
    facts.nonlocal_bind = kernel::setting(machine, "net.ipv4.ip_nonlocal_bind");
    facts.disable_ipv6 = kernel::setting(machine, "net.ipv6.conf.all.disable_ipv6");
    facts.default_target = units::default_target(machine, deadline);
    facts.units = units::states(machine, deadline);
    facts.mariadb_arguments = units::mariadb_arguments(machine, deadline);
    facts.scripts = permissions::scripts(root);
    facts.programs = Ok(programs::installed(machine));
    facts.library = programs::library(machine, &question.settings);
    facts.listeners = sockets::listeners(machine);
    facts.supervisor = permissions::supervisor(machine, root, question.run_directory, &facts.units);
    facts.secret_files = permissions::secret_files(root);
    facts.datadir = question.settings.clone().and_then(|settings| permissions::datadir(&settings.datadir, deadline));
    facts
}

/// The readers of the kernel's tables and of sysctl's files, on any text.
#[cfg(feature = "fuzz")]
pub(super) fn read_kernel_text(text: &str) {
    sockets::read(text);
    let _ = kernel::value(text, "net.ipv4.ip_nonlocal_bind");
}

fn host_name(machine: &Machine) -> Known<Box<str>> {
    let name = machine.text("/proc/sys/kernel/hostname")?;
    name.map(|name| name.trim().into()).ok_or_else(|| "the kernel does not show it".into())
}
