//! A member on a scratch folder, and the users who would attack it.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pfcluster_tests::program::{examples, program};
use rustix::process::{Pid, Signal, kill_process};

/// Users that this machine does not have: PacketFence's, and one who has nothing to do with it.
pub(crate) const PF: u32 = 64_250;
pub(crate) const STRANGER: u32 = 64_251;

/// The password that nobody may get.
pub(crate) const PASSWORD: &str = "aMuchMoreSecurePassword";

/// A line that only root may read.
pub(crate) const SECRET: &str = "root:the-secret-of-root:19000\n";

pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) output: Output,
    /// The most memory that it had, in megabytes.
    pub(crate) memory: u64,
    /// It had to be ended.
    pub(crate) is_endless: bool,
}

impl Ran {
    /// All that it said.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&[&self.output.stdout[..], &self.output.stderr].concat()).into_owned()
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }
}

impl World {
    /// The guide's first member, in a folder into which everybody may look. PacketFence's tree belongs to its user.
    pub(crate) fn new() -> World {
        assert!(rustix::process::geteuid().is_root(), "these tests run as root");
        let world = World { folder: tempfile::tempdir().expect("a scratch folder") };
        mode(world.folder.path(), 0o755);
        for name in ["pf", "pf/conf", "pf/var", "pf/var/run", "pf/var/conf", "root", "away"] {
            fs::create_dir(world.path(name)).expect("a scratch folder");
        }
        for name in ["cluster.conf", "pf.conf"] {
            fs::copy(examples().join("guide").join(name), world.path("pf/conf").join(name)).expect("an example");
        }
        for name in
            ["pf", "pf/conf", "pf/var", "pf/var/run", "pf/var/conf", "pf/conf/cluster.conf", "pf/conf/pf.conf", "away"]
        {
            give(&world.path(name), PF);
        }
        world.write("root/secret", SECRET);
        mode(&world.path("root/secret"), 0o600);
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a scratch file");
    }

    /// As pf would in its own tree: `name` is a link to `target` now, and what was there is at `name.before`.
    pub(crate) fn turn(&self, name: &str, target: &str) {
        let before = self.path(&format!("{name}.before"));
        if self.path(name).symlink_metadata().is_ok() {
            fs::rename(self.path(name), before).expect("our own tree");
        }
        std::os::unix::fs::symlink(self.path(target), self.path(name)).expect("a link");
    }

    /// A key that only root may read.
    pub(crate) fn with_key(&self) {
        self.write("pf/conf/pfcluster.key", &"5ec2e7a1".repeat(8));
        mode(&self.path("pf/conf/pfcluster.key"), 0o600);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of("pf1.example.com", arguments)
    }

    fn command_of(&self, member: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        let places = [
            format!("--root={}", self.text("pf")),
            format!("--run-directory={}", self.text("run")),
            format!("--state-directory={}", self.text("state")),
            format!("--datadir={}", self.text("data")),
            format!("--socket={}", self.text("no-socket")),
            format!("--host={member}"),
        ];
        command.args(arguments).args(places).env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", self.path("tmp"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program as root, at most for 20 seconds.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        watch(&mut self.command(arguments), Duration::from_secs(20))
    }

    /// A supervisor, which ends with the value.
    pub(crate) fn supervisor(&self) -> Supervisor {
        self.supervisor_of("pf1.example.com", &[])
    }

    /// This member's, with more arguments.
    pub(crate) fn supervisor_of(&self, member: &str, arguments: &[&str]) -> Supervisor {
        self.with_key();
        let log = fs::File::create(self.path("supervisor.log")).expect("a scratch file");
        let mut command = self.command_of(member, &[&["mariadb", "supervise", "--log=text"], arguments].concat());
        command.stdout(log.try_clone().expect("an open file")).stderr(log);
        Supervisor { child: command.spawn().expect("the program starts"), log: self.path("supervisor.log") }
    }
}

pub(crate) struct Supervisor {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Supervisor {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Waits until its log has this text.
    pub(crate) fn says(&self, text: &str) -> bool {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if self.log().contains(text) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, or ends it.
pub(crate) fn watch(command: &mut Command, limit: Duration) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (mut out, mut err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
    let readers = [
        std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = out.read_to_end(&mut all);
            all
        }),
        std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = err.read_to_end(&mut all);
            all
        }),
    ];
    let status_file = format!("/proc/{}/status", child.id());
    let (end, mut memory, mut is_endless) = (Instant::now() + limit, 0, false);
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break status;
        }
        let text = fs::read_to_string(&status_file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kilobytes: u64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0);
        memory = memory.max(kilobytes / 1024);
        if Instant::now() > end || memory > 1500 {
            is_endless = true;
            let pid = Pid::from_raw(child.id().cast_signed()).expect("a pid");
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let [stdout, stderr] = readers.map(|reader| reader.join().expect("a reader"));
    Ran { output: Output { status, stdout, stderr }, memory, is_endless }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("our own file");
}

pub(crate) fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).expect("root may");
}

/// A script of another user, which runs until it is dropped.
pub(crate) struct Attacker(Child);

impl Attacker {
    pub(crate) fn new(user: u32, perl: &str, arguments: &[&str]) -> Attacker {
        let mut command = Command::new("perl");
        command.args(["-e", perl, "--"]).args(arguments).uid(user).gid(user).current_dir("/").stdin(Stdio::null());
        Attacker(command.spawn().expect("perl"))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const INSIDE: &str = "PFCLUSTER_INSIDE_NAMESPACE";

/// Runs `body` in a network namespace, where mounts are its own, with the guide's addresses: this program starts itself again there, for this test. The
/// namespace goes with the last of its processes.
pub(crate) fn in_namespace(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_none() {
        // Cargo may wait for other builds, which is not this test's time.
        let built = program();
        let this = std::env::current_exe().expect("a test has a path");
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--"]).arg(this).args([
            "--exact",
            test,
            "--nocapture",
            "--test-threads",
            "1",
        ]);
        let ran = watch(command.env(INSIDE, "1").env("PFCLUSTER_PROGRAM", built), Duration::from_secs(90));
        // A name that fits no test would pass without having run.
        assert!(ran.code() == Some(0) && ran.text().contains("1 passed"), "{}", ran.text());
        return;
    }
    let ip = |arguments: &[&str]| {
        let status = Command::new("ip").args(arguments).status().expect("`ip` must be installed");
        assert!(status.success(), "{arguments:?}");
    };
    ip(&["link", "set", "lo", "up"]);
    for last in [5, 6, 7, 99] {
        ip(&["address", "add", &format!("192.168.1.{last}/32"), "dev", "lo"]);
    }
    body();
}
