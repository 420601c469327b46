//! One host: a network, a view of processes and a view of files of its own. It is switched on, cut off from power, shut
//! down, and entered.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::command::{checked, wait_until};
use super::error::{LabError, Result};
use super::network::Network;
use super::plan::{HostPlan, Plan};

/// How long anything may take before the lab gives up.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// One host of the lab.
#[derive(Debug)]
pub struct Host {
    /// Name and addresses.
    pub plan: HostPlan,
    /// Its disk: pf, lib/mysql, log, bin, etc.
    pub folder: PathBuf,
    cluster: Plan,
    network: Network,
    /// It goes off when this process ends, in whatever way.
    tied: bool,
    /// Its power supply while this process holds it: `unshare`, which waits for pid 1, and the pipe that keeps that on.
    supply: Mutex<Option<Child>>,
}

/// A process on the machine, told from a later one with the same pid by when it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    started: String,
}

impl Process {
    /// The process that now has a pid.
    pub(crate) fn now(pid: i32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold blanks. The start is the 22nd field.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        (*fields.first()? != "Z").then(|| Some(Process { pid, started: (*fields.get(19)?).to_owned() }))?
    }

    /// As it was written by [`Process::write`], if it still is there.
    pub(crate) fn read(path: &Path) -> Option<Process> {
        let text = fs::read_to_string(path).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let process = Process { pid: pid.parse().ok()?, started: started.to_owned() };
        (Process::now(process.pid)? == process).then_some(process)
    }

    pub(crate) fn write(&self, path: &Path) -> Result {
        Ok(fs::write(path, format!("{} {}\n", self.pid, self.started))?)
    }

    pub(crate) fn is_there(&self) -> bool {
        Process::now(self.pid).as_ref() == Some(self)
    }

    pub(crate) fn kill(&self) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_there()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Host {
    /// A host whose disk is in `folder`. It is off, or was switched on by an earlier process.
    pub(crate) fn new(plan: &HostPlan, cluster: &Plan, network: &Network, folder: PathBuf, tied: bool) -> Host {
        Host {
            plan: plan.clone(),
            folder,
            cluster: cluster.clone(),
            network: network.clone(),
            tied,
            supply: Mutex::new(None),
        }
    }

    /// The short name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The lab's network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Pid 1 of the host, seen from the machine.
    fn power(&self) -> Option<Process> {
        Process::read(&self.folder.join("power"))
    }

    /// True if it is switched on.
    pub fn is_on(&self) -> bool {
        self.power().is_some()
    }

    /// Switches it on: network, files, pid 1. No service is started.
    ///
    /// # Errors
    /// If it is on, or the kernel does not let us.
    pub fn boot(&self) -> Result {
        if self.is_on() {
            return Err(LabError(format!("{} is on", self.name())));
        }
        let ready = self.folder.join("ready");
        let _ = fs::remove_file(&ready);
        // What the lab has changed there meanwhile survives the next power cut.
        self.disks().try_for_each(|disk| disk.sync())?;
        self.network.attach(&self.cluster, &self.plan)?;
        let console = fs::File::options().append(true).create(true).open(self.folder.join("console"))?;
        // Not `ip netns exec`: the mount namespace that it makes would hold the disks of all hosts for as long as this one runs.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.network.namespace(&self.plan)));
        // Not in our session: an interrupt at the terminal is not for the hosts.
        command.args(["setsid", "unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--mount-proc"]);
        command.arg("--kill-child").arg("sh").arg(self.folder.join("bin/init")).arg(&self.folder);
        command.arg(&self.plan.hostname).args(if self.tied { &["cat"][..] } else { &["sleep", "infinity"] });
        command.current_dir("/").stdin(if self.tied { Stdio::piped() } else { Stdio::null() });
        let mut child = command.stdout(console.try_clone()?).stderr(console).spawn()?;
        let unshare = child.id().cast_signed();
        let up = || ready.exists() || child.try_wait().is_ok_and(|status| status.is_some());
        wait_until("the host's pid 1", DEADLINE, up, || self.console())?;
        let Some(pid1) = child_of(unshare).and_then(Process::now).filter(|_| ready.exists()) else {
            return Err(LabError(format!("{} does not boot:\n{}", self.name(), self.console())));
        };
        pid1.write(&self.folder.join("power"))?;
        *self.supply.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }

    /// Cuts its power: the wires go dead, then nothing reaches its disk any more, then every process dies at once. What was not
    /// synced is gone.
    ///
    /// # Errors
    /// If it does not die.
    pub fn cut(&self) -> Result {
        self.network.silence(&self.plan);
        if self.is_on() {
            self.disks().try_for_each(|disk| disk.lose_power())?;
        }
        self.switch_off()?;
        self.disks().try_for_each(|disk| disk.mount_again())
    }

    /// Ends every process at once; what they have handed to the kernel is on the disk.
    ///
    /// # Errors
    /// If it does not die.
    pub(crate) fn switch_off(&self) -> Result {
        self.network.silence(&self.plan);
        if let Some(pid1) = self.power() {
            pid1.kill();
            wait_until("the host dies", DEADLINE, || !pid1.is_there(), String::new)?;
        }
        if let Some(mut child) = self.supply.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // `unshare` ends after pid 1, which ends after all others of the host.
            child.wait()?;
        }
        let _ = fs::remove_file(self.folder.join("power"));
        self.network.detach(&self.plan);
        Ok(())
    }

    /// Stops all services in the right order, then switches it off.
    ///
    /// # Errors
    /// If a service does not stop.
    pub fn shutdown(&self) -> Result {
        if self.is_on() {
            for unit in ["keepalived", "haproxy-admin", "haproxy-portal", "haproxy-db", "radiusd-load_balancer"] {
                self.systemctl("stop", unit)?;
            }
            self.systemctl("stop", "mariadb")?;
        }
        self.switch_off()
    }

    /// A program to be run in the host.
    ///
    /// # Errors
    /// If the host is off.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let pid1 = self.power().ok_or_else(|| LabError(format!("{} is off", self.name())))?;
        let mut command = Command::new("nsenter");
        let target = pid1.pid.to_string();
        command.args(["--target", &target, "--net", "--pid", "--mount", "--uts", "--ipc", "--"]).args(words);
        command.current_dir("/").env_clear().env("HOME", "/root").env("LANG", "C.UTF-8");
        command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(term) = std::env::var_os("TERM") {
            command.env("TERM", term);
        }
        Ok(command)
    }

    /// Runs a program in the host; its standard output.
    ///
    /// # Errors
    /// If it fails.
    pub fn exec(&self, words: &[&str]) -> Result<String> {
        checked(&mut self.command(words)?)
    }

    /// Runs a program in the host, however it ends.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn output(&self, words: &[&str]) -> Result<Output> {
        let output = self.command(words)?.stdin(Stdio::null()).output()?;
        if output.status.signal().is_some() && !self.is_on() {
            return Err(LabError(format!("{} went off meanwhile", self.name())));
        }
        Ok(output)
    }

    /// `systemctl VERB packetfence-UNIT` in the host.
    ///
    /// # Errors
    /// If it fails.
    pub fn systemctl(&self, verb: &str, unit: &str) -> Result<String> {
        self.exec(&["timeout", "120", "systemctl", verb, &format!("packetfence-{unit}")])
    }

    /// True if the unit's process runs.
    pub fn is_active(&self, unit: &str) -> bool {
        self.systemctl("is-active", unit).is_ok()
    }

    /// Everything around the database: HAProxy and keepalived from their generated files.
    ///
    /// # Errors
    /// If one does not start.
    pub fn start_services(&self) -> Result {
        for unit in ["radiusd-load_balancer", "haproxy-db", "haproxy-portal", "haproxy-admin", "keepalived"] {
            self.systemctl("start", unit)?;
        }
        Ok(())
    }

    /// True if it holds an address now.
    pub fn has(&self, address: std::net::Ipv4Addr) -> bool {
        self.is_on() && self.network.has(&self.plan, address)
    }

    /// The end of a log: `mariadb`, `keepalived`, `haproxy-db`, ...
    pub fn log(&self, name: &str) -> String {
        tail(&self.folder.join("log").join(format!("{name}.log")), 60)
    }

    fn console(&self) -> String {
        tail(&self.folder.join("console"), 20)
    }
}

/// The last lines of a file.
fn tail(path: &Path, most: usize) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(most)..].join("\n")
}

/// The first process whose parent is `parent`.
fn child_of(parent: i32) -> Option<i32> {
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        fields.split_whitespace().nth(1).is_some_and(|field| field == parent.to_string())
    };
    let entries = fs::read_dir("/proc").ok()?.flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(is_child)
}
