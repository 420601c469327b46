//! `mariadbd --wsrep-recover`: the position of a database that did not stop cleanly.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pfcluster_core::galera::{Recovered, RecoveryError, recovered_position};

use super::files::plain;
use super::mariadb::{Settings, option, server_program, user_name};

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
fn lock(settings: &Settings, limit: Duration, progress: &mut dyn FnMut(Duration)) -> Result<fs::File, String> {
    let directory = fs::File::open(&settings.datadir).map_err(|error| plain(&error))?;
    let start = Instant::now();
    loop {
        match rustix::fs::flock(&directory, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(directory),
            Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < limit => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err("another recovery of this database runs".to_owned()),
            Err(error) => return Err(plain(&error.into())),
        }
        progress(start.elapsed());
        std::thread::sleep(STEP);
    }
}

fn run(settings: &Settings, limit: Duration, progress: &mut dyn FnMut(Duration)) -> Result<Recovered, String> {
    let _lock = lock(settings, limit, progress)?;
    let program = server_program().ok_or("mariadbd is not installed")?;
    // The server must be able to write into it: its log, its socket.
    let scratch = tempfile::Builder::new().prefix("pfcluster-recover-").tempdir();
    let scratch = scratch.map_err(|error| format!("no temporary directory: {}", plain(&error)))?;
    let owner = fs::metadata(settings.tablespace.join("ibdata1")).or_else(|_| fs::metadata(&settings.datadir));
    let owner = owner.map_err(|error| plain(&error))?;
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
        chown(scratch.path(), Some(owner.uid()), Some(owner.gid())).map_err(|error| plain(&error))?;
        command.arg(format!("--user={}", user_name(owner.uid()).unwrap_or_else(|| owner.uid().to_string())));
    }
    // It takes no port and no socket of anybody: one that is taken would make it give up before it looks. What else the
    // option file says stays: without its binary log a prepared transaction would end differently.
    command.args(["--wsrep-recover", "--skip-networking"]);
    let (log, output) = (scratch.path().join("recovery.err"), scratch.path().join("output"));
    command.args([option("log-error", &log), option("socket", &scratch.path().join("socket"))]);
    command.arg(option("pid-file", &scratch.path().join("pid")));
    let early = fs::File::create(&output).map_err(|error| plain(&error))?;
    let early_too = early.try_clone().map_err(|error| plain(&error))?;
    command.stdin(Stdio::null()).stdout(early).stderr(early_too);
    let child = command.spawn().map_err(|error| format!("mariadbd does not start: {}", plain(&error)))?;
    let status = wait(child, limit, progress).map_err(|error| plain(&error))?;
    let Some(status) = status else {
        return Err(format!("the recovery took longer than {} s and was ended", limit.as_secs()));
    };
    outcome(status, &log, &output)
}

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

fn outcome(status: ExitStatus, log: &Path, output: &Path) -> Result<Recovered, String> {
    // What it says before it opens its log.
    let mut text = fs::read(output).unwrap_or_default();
    text.extend(fs::read(log).unwrap_or_default());
    let position = recovered_position(&text);
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
        assert!(!Path::new(&process).exists());
        assert!(calls > 1);
    }

    #[test]
    fn a_position_counts_only_if_the_server_ended_well() {
        const LINE: &str = "WSREP: Recovered position: f9282fe9-e77f-11f1-bcf5-d30baafdcfd0:7\n";
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let (log, output) = (scratch.path().join("log"), scratch.path().join("output"));
        fs::write(&log, LINE).expect("a scratch file");
        let after = |script: &str| {
            let status = wait(child(script), Duration::from_secs(10), &mut |_| {}).expect("our own child");
            outcome(status.expect("it ends"), &log, &output)
        };
        assert!(matches!(after("true"), Ok(Recovered::At(position)) if position.seqno().get() == 7));
        assert_eq!(after("exit 3"), Err("the recovery failed with exit status 3".to_owned()));
        assert_eq!(after("kill -6 $$"), Err("the recovery was ended by signal 6".to_owned()));
        fs::write(&output, "[ERROR] unknown option\n[ERROR] Aborting\n").expect("a scratch file");
        fs::write(&log, "").expect("a scratch file");
        assert_eq!(after("exit 1"), Err("the recovery failed: unknown option".to_owned()));
        fs::write(&output, "").expect("a scratch file");
        assert_eq!(after("true"), Ok(Recovered::Failed("the log has no recovered position".into())));
    }
}
