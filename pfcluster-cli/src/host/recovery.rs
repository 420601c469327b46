//! `mariadbd --wsrep-recover`: the position of a stopped database, whatever grastate.dat says.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pfcluster_core::galera::{Recovered, RecoveryError, recovered_position};

use super::directory::Directory;
use super::files::plain;
use super::mariadb::{Settings, option, server_program, server_user};

/// How often a running recovery is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Runs the recovery. It changes what any start after a crash changes (the engine's logs), and grastate.dat not at all.
/// `progress` is called all along, with the time since the start.
pub(super) fn recover(settings: &Settings, limit: Duration, progress: &mut dyn FnMut(Duration)) -> Recovered {
    match run(settings, limit, progress) {
        Ok(recovered) => recovered,
        Err(why) => Recovered::Failed(why.into()),
    }
}

/// Two recoveries of one database would make each other fail.
fn lock(settings: &Settings, limit: Duration, progress: &mut dyn FnMut(Duration)) -> Result<Directory, String> {
    let directory = Directory::at(&settings.datadir).map_err(|error| plain(&error))?;
    let start = Instant::now();
    while !directory.try_lock().map_err(|error| plain(&error))? {
        if start.elapsed() >= limit {
            return Err("another recovery of this database runs".to_owned());
        }
        progress(start.elapsed());
        std::thread::sleep(STEP);
    }
    Ok(directory)
}

fn run(settings: &Settings, limit: Duration, progress: &mut dyn FnMut(Duration)) -> Result<Recovered, String> {
    let _lock = lock(settings, limit, progress)?;
    let program = server_program().ok_or("mariadbd is not installed")?;
    let owner = settings.tablespace.join("ibdata1").metadata().or_else(|_| settings.datadir.metadata());
    let owner = owner.map_err(|error| plain(&error))?;
    let (user, group) = (owner.uid(), owner.gid());
    // What it says before it opens its log: a file without a name, so that nobody else can put another in its place.
    let mut output = tempfile::tempfile().map_err(|error| format!("no temporary file: {}", plain(&error)))?;
    let child_output = || output.try_clone().map_err(|error| plain(&error));
    let (stdout, stderr) = (child_output()?, child_output()?);
    // The server must be able to write into it: its log, its socket. It is the server's own then: this program makes nothing in
    // it, and what it reads there it reads by descriptor.
    let scratch = tempfile::Builder::new().prefix("pfcluster-recover-").tempdir();
    let scratch = scratch.map_err(|error| format!("no temporary directory: {}", plain(&error)))?;
    let directory = Directory::itself(scratch.path()).map_err(|error| plain(&error))?;
    let ((maker, _), _) = directory.owner_and_mode().map_err(|error| plain(&error))?;
    if maker != rustix::process::geteuid().as_raw() {
        return Err(format!("{} was taken by somebody else", scratch.path().display()));
    }
    let mut command = Command::new(program);
    // This one has to be the first.
    command.args(settings.defaults_file.iter().map(|path| option("defaults-file", path)));
    command.arg(option("datadir", &settings.datadir));
    if settings.is_elsewhere {
        // The option file's are of another database.
        command.arg(option("innodb-data-home-dir", &settings.datadir));
        command.arg(option("innodb-log-group-home-dir", &settings.datadir));
    }
    if rustix::process::geteuid().is_root() {
        directory.give((user, group), 0o700).map_err(|error| plain(&error))?;
        command.arg(format!("--user={}", server_user(user)));
    }
    // It takes no port and no socket of anybody: one that is taken would make it give up before it looks. What else the
    // option file says stays: without its binary log a prepared transaction would end differently.
    command.args(["--wsrep-recover", "--skip-networking"]);
    command.args(
        [("log-error", LOG), ("socket", "socket"), ("pid-file", "pid")]
            .map(|(name, file)| option(name, &scratch.path().join(file))),
    );
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let child = command.spawn().map_err(|error| format!("mariadbd does not start: {}", plain(&error)))?;
    let status = wait(child, limit, progress).map_err(|error| plain(&error))?;
    let Some(status) = status else {
        return Err(format!("the recovery took longer than {} s and was ended", limit.as_secs()));
    };
    let mut text = first_bytes(&mut output);
    // No log, or something else in its place, says nothing.
    text.extend(directory.read(LOG).ok().flatten().unwrap_or_default());
    outcome(status, &text)
}

/// The server's log, in its scratch directory.
const LOG: &str = "recovery.err";

/// What a file has, from its start, and no more than anybody reads.
fn first_bytes(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What can't be read says nothing.
    let _ = file.rewind().and_then(|()| file.take(MOST_OUTPUT).read_to_end(&mut bytes));
    bytes
}

/// A server that starts says a few lines.
const MOST_OUTPUT: u64 = 1 << 20;

/// `None` if it had to be ended.
fn wait(mut child: Child, limit: Duration, progress: &mut dyn FnMut(Duration)) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            // Recovery is made to be interrupted: the next one begins again.
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        progress(start.elapsed());
        std::thread::sleep(STEP);
    }
}

fn outcome(status: ExitStatus, text: &[u8]) -> Result<Recovered, String> {
    let position = recovered_position(text);
    match (status.success(), position) {
        (true, position) => Ok(position.into()),
        (false, Err(error)) if error != RecoveryError::NotThere => Err(error.to_string()),
        // A server that did not end well has not said its last word.
        (false, _) => Err(match (status.code(), status.signal()) {
            (Some(code), _) => format!("the recovery failed with exit status {code}"),
            (None, signal) => format!("the recovery was ended by signal {}", signal.unwrap_or_default()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().expect("a shell")
    }

    #[test]
    fn a_recovery_that_does_not_end_is_ended() {
        let hanging = child("exec sleep 60");
        let process = format!("/proc/{}", hanging.id());
        let mut calls = 0;
        let status = wait(hanging, Duration::from_millis(100), &mut |_| calls += 1).expect("our own child");
        assert_eq!(status, None);
        assert!(!std::path::Path::new(&process).exists());
        assert!(calls > 1);
    }

    #[test]
    fn a_position_counts_only_if_the_server_ended_well() {
        const LINE: &str = "WSREP: Recovered position: f9282fe9-e77f-11f1-bcf5-d30baafdcfd0:7\n";
        let after = |script: &str, text: &str| {
            let status = wait(child(script), Duration::from_secs(10), &mut |_| {}).expect("our own child");
            outcome(status.expect("it ends"), text.as_bytes())
        };
        assert!(matches!(after("true", LINE), Ok(Recovered::At(position)) if position.seqno().get() == 7));
        assert_eq!(after("exit 3", LINE), Err("the recovery failed with exit status 3".to_owned()));
        assert_eq!(after("kill -6 $$", LINE), Err("the recovery was ended by signal 6".to_owned()));
        let aborted = "[ERROR] unknown option\n[ERROR] Aborting\n";
        assert_eq!(after("exit 1", aborted), Err("the recovery failed: unknown option".to_owned()));
        assert_eq!(after("true", ""), Ok(Recovered::Failed("the log has no recovered position".into())));
    }
}
