//! `pfcluster.host`: what this machine and its cluster know, and what they do. Whoever waits here holds no lock, can be
//! interrupted, and has a deadline.

pub(crate) mod database;
mod installed;
pub(crate) mod services;

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use pfcluster_cli::host::mariadb::Overrides;
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
) -> PyResult<Overrides> {
    Ok(Overrides {
        datadir: optional_path(datadir, "datadir")?,
        socket: optional_path(socket, "socket")?,
        client_file: optional_path(client_file, "mysql_defaults_file")?,
    })
}

fn since_1970() -> Option<String> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(time.as_secs().to_string())
}
