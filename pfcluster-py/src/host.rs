//! `pfcluster.host`: what this machine and its cluster know, and what they do. Whoever waits here holds no lock, can be
//! interrupted, and has a deadline.

pub(crate) mod database;
mod installed;
pub(crate) mod services;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Once;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use pfcluster_cli::host::mariadb::Overrides;
use pfcluster_cli::host::worker::{self, Program};
use pfcluster_cli::host::{Root, machine};
use pfcluster_core::cluster::Hostname;
use pyo3::prelude::*;

use crate::error::{guarded, input};
use crate::input::{host as hostname, path};

/// How often a signal is looked for.
const STEP: Duration = Duration::from_millis(50);

/// What `work` answers, which ends by itself at its deadline. It runs in a thread of its own: meanwhile other threads of
/// Python go on, and an interrupted caller leaves it behind.
fn waiting<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    say_how_workers_start(py);
    let (sender, mut receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    loop {
        // What waits without the lock must own what it waits for.
        let (answer, back) = py.detach(move || (receiver.recv_timeout(STEP), receiver));
        receiver = back;
        match answer {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return guarded(|| panic!("the thread that asked has panicked")),
        }
    }
}

/// Databases are asked by processes of their own: the `pfcluster` that is installed, if it is of this version, else an interpreter
/// that loads nothing but this module.
fn say_how_workers_start(py: Python<'_>) {
    static SAID: Once = Once::new();
    SAID.call_once(|| worker::start_with(Program::installed().into_iter().chain(interpreter(py)).collect()));
}

/// `None` where Python is part of another program, and does not know an interpreter.
fn interpreter(py: Python<'_>) -> Option<Program> {
    const WORK: &str = "import sys\n\
        from importlib.util import module_from_spec, spec_from_file_location\n\
        native = module_from_spec(spec := spec_from_file_location('_native', sys.argv[1]))\n\
        spec.loader.exec_module(native)\n\
        sys.exit(native._work())";
    let path: PathBuf = py.import("sys").and_then(|sys| sys.getattr("executable")?.extract()).ok()?;
    let module = py.import("pfcluster._native").and_then(|module| module.getattr("__file__")?.extract());
    let module: OsString = module.ok()?;
    let is_known = path.is_absolute();
    // Nothing of the surroundings counts: no variables, no site.
    let arguments = ["-I", "-S", "-c", WORK].map(OsString::from).into_iter().chain([module]).collect();
    is_known.then_some(Program { path, arguments })
}

/// What an interpreter does that was started as a worker: not for others. Its exit status.
#[pyfunction]
pub(crate) fn _work() -> u8 {
    u8::from(worker::work() != ExitCode::SUCCESS)
}

/// A time to wait, as Python has it.
fn seconds(timeout: f64) -> PyResult<Duration> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.001..=3600.0;
    let in_range = RANGE.contains(&timeout);
    let help = "give seconds from 0.001 to 3600";
    if in_range { Ok(Duration::from_secs_f64(timeout)) } else { Err(input("the timeout is out of range", help)) }
}

fn optional_path(source: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<PathBuf>> {
    source.map(|source| path(source, name)).transpose()
}

/// PacketFence's install directory.
fn root(source: Option<&Bound<'_, PyAny>>) -> PyResult<Root> {
    Ok(Root::new(&optional_path(source, "root")?.unwrap_or_else(|| "/usr/local/pf".into())))
}

/// This member.
fn me(host: Option<&Bound<'_, PyAny>>) -> PyResult<Hostname> {
    match host {
        Some(host) => hostname(host, "host"),
        None => machine::hostname()
            .parse()
            .map_err(|error| input(format!("this machine's name is no host name: {error}"), "name a member as `host`")),
    }
}

/// What is said of this member's database.
fn overrides(
    datadir: Option<&Bound<'_, PyAny>>,
    socket: Option<&Bound<'_, PyAny>>,
    client_file: Option<&Bound<'_, PyAny>>,
    database_ca: Option<&Bound<'_, PyAny>>,
) -> PyResult<Overrides> {
    Ok(Overrides {
        datadir: optional_path(datadir, "datadir")?,
        socket: optional_path(socket, "socket")?,
        client_file: optional_path(client_file, "mysql_defaults_file")?,
        database_ca: optional_path(database_ca, "database_ca")?,
    })
}

fn since_1970() -> Option<String> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(time.as_secs().to_string())
}
