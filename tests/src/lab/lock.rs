//! One lab at a time on a machine; and what labs of killed processes have left behind.
//!
//! Everything of a lab is named `pflab-PID...` after the process that keeps it: this one, or a keeper that stays. Only
//! what is named so, and whose process is gone, is ever taken away.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::command::run;
use super::error::{LabError, Result};
use super::host::Process;
use crate::netns;

/// Where labs keep their hosts' disks, and the database that new ones begin with.
pub(crate) const BASE: &str = "/var/lib/pfcluster-lab";
/// What all names begin with.
pub(crate) const PREFIX: &str = "pflab";
const LOCK: &str = "/run/pfcluster-lab.lock";
/// Name, example and keeper of the lab that stays.
const CURRENT: &str = "/run/pfcluster-lab.current";
const KEEPER: &str = "/run/pfcluster-lab.keeper";

/// The right to have a lab. One thread of this process has it, and no other process.
#[derive(Debug)]
pub(crate) struct Lock {
    file: fs::File,
    _here: Option<MutexGuard<'static, ()>>,
}

static HERE: Mutex<()> = Mutex::new(());

impl Lock {
    /// Waits for its turn.
    pub(crate) fn wait(most: Duration) -> Result<Lock> {
        let here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        loop {
            match Lock::now() {
                Ok(lock) => return Ok(Lock { _here: Some(here), ..lock }),
                Err(error) if began.elapsed() > most => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// Now or not at all.
    pub(crate) fn now() -> Result<Lock> {
        if !rustix::process::geteuid().is_root() {
            return Err(LabError("the lab needs root: network namespaces, mounts, services".to_owned()));
        }
        let file = fs::File::options().append(true).create(true).open(LOCK)?;
        flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            LabError("another lab is up on this machine: a test's, or one that `lab down` takes away".to_owned())
        })?;
        Ok(Lock { file, _here: None })
    }

    /// Gives the lock to a process that does nothing but hold it.
    pub(crate) fn hand_over(self) -> Result<Process> {
        let mut keeper = Command::new("setsid");
        keeper.args(["sleep", "infinity"]).current_dir("/");
        // The lock goes with the open file.
        let keeper = keeper.stdin(Stdio::null()).stdout(self.file.try_clone()?).stderr(Stdio::null()).spawn()?;
        Process::now(keeper.id().cast_signed()).ok_or_else(|| LabError("the keeper of the lab does not run".to_owned()))
    }
}

/// Notes the lab that stays.
pub(crate) fn remember(name: &str, example: &str, keeper: &Process) -> Result {
    keeper.write(Path::new(KEEPER))?;
    Ok(fs::write(CURRENT, format!("{name} {example}\n"))?)
}

/// Name and example of the lab that stays, if its keeper is there.
pub(crate) fn remembered() -> Option<(String, String)> {
    Process::read(Path::new(KEEPER))?;
    let text = fs::read_to_string(CURRENT).ok()?;
    let (name, example) = text.trim().split_once(' ')?;
    Some((name.to_owned(), example.to_owned()))
}

/// Ends the keeper, and with it the lock.
pub(crate) fn forget() {
    if let Some(keeper) = Process::read(Path::new(KEEPER)) {
        keeper.kill();
    }
    let _ = fs::remove_file(CURRENT);
    let _ = fs::remove_file(KEEPER);
}

/// What labs have left whose process is gone. The lock must be held.
pub(crate) fn clear_leftovers() {
    let mut names = netns::left_over(PREFIX);
    let folders = fs::read_dir(BASE).into_iter().flatten().flatten();
    let folders = folders.filter_map(|entry| entry.file_name().into_string().ok());
    names.extend(folders.filter(|name| netns::is_left_over(name, PREFIX)));
    names.iter().for_each(|name| remove(name));
}

/// Takes a lab away, or a namespace of one: first the processes, then the networks, then the files.
pub(crate) fn remove(name: &str) {
    let listed = run("ip", &["netns", "list"]).unwrap_or_default();
    let words = listed.lines().filter_map(|line| line.split_whitespace().next());
    let mine: Vec<&str> = words.filter(|other| *other == name || other.starts_with(&format!("{name}-"))).collect();
    for namespace in mine {
        // Ended is only what is in a network of ours. Pid 1 takes the rest of its host along.
        for _ in 0..100 {
            let pids = netns::pids(namespace);
            if pids.is_empty() {
                break;
            }
            pids.iter().filter_map(|pid| Process::now(pid.cast_signed())).for_each(|process| process.kill());
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = run("ip", &["netns", "delete", namespace]);
    }
    let folder = Path::new(BASE).join(name);
    if !folder.is_dir() {
        return;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let inside = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    for mounted in inside.filter(|path| Path::new(path).starts_with(&folder)) {
        let _ = run("umount", &["--lazy", mounted]);
    }
    let _ = fs::remove_dir_all(folder);
}

/// Says what is missing before anything is made.
pub(crate) fn check_machine() -> Result {
    let programs = "ip nft unshare nsenter setsid pkill timeout mount mkfs.ext4 xfs_io openssl mariadbd mariadb mariadb-install-db \
                    mariabackup galera_recovery socat rsync keepalived haproxy";
    let script = format!("for p in {programs}; do command -v $p >/dev/null || echo $p; done");
    let missing = run("sh", &["-c", &script])?;
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = missing.lines().collect();
    Err(LabError(format!("not installed: {} (tests/install installs what the lab needs)", missing.join(", "))))
}
