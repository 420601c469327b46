//! A host's supervisor: `pfcluster mariadb supervise` in the place of MariaDB's unit.

use std::cell::RefCell;

use serde_json::Value;

use super::command::wait_until;
use super::error::{LabError, Result};
use super::host::{DEADLINE, Host};

impl Host {
    /// Starts the supervisor; does not wait for what it does.
    ///
    /// # Errors
    /// If the host is off.
    pub fn supervise(&self) -> Result {
        self.supervise_with("")
    }

    /// The same with options.
    ///
    /// # Errors
    /// If the host is off.
    pub fn supervise_with(&self, options: &str) -> Result {
        let options = format!("SUPERVISE_OPTIONS={options}");
        self.exec(&["env", &options, "systemctl", "start", "packetfence-supervisor"]).map(drop)
    }

    /// Tells the supervisor to end, and waits: the database ends with it.
    ///
    /// # Errors
    /// If it does not end within two minutes.
    pub fn stop_supervisor(&self) -> Result {
        self.systemctl("stop", "supervisor").map(drop)
    }

    /// Kills the supervisor alone. The database goes on.
    ///
    /// # Errors
    /// If it does not die.
    pub fn kill_supervisor(&self) -> Result {
        self.systemctl("kill", "supervisor")?;
        wait_until("the supervisor is dead", DEADLINE, || !self.is_active("supervisor"), String::new).map(drop)
    }

    /// What it knows, has decided, and does; `None` if it does not answer.
    pub fn supervisor_status(&self) -> Option<Value> {
        let output = self.output(&["pfcluster", "mariadb", "status", "--format", "json"]).ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    /// The kind of its last decision; empty if it does not answer.
    pub fn decision(&self) -> String {
        let kind = |status: Value| status["decision"]["action"]["kind"].as_str().map(str::to_owned);
        self.supervisor_status().and_then(kind).unwrap_or_default()
    }

    /// Waits until its supervisor has written down the view of so many members that it is in.
    ///
    /// # Errors
    /// If it does not; with its log.
    pub fn wait_recorded(&self, members: usize) -> Result {
        let view = || std::fs::read_to_string(self.state_file("gvwstate.dat")).unwrap_or_default();
        let number = |text: &str| Some(text.lines().find_map(|line| line.strip_prefix("view_id: 3 "))?.to_owned());
        let is_recorded = || {
            let record = self.supervisor_status().map(|status| status["records"]["view_record"].clone());
            let Some(record) = record.filter(|record| record["size"].as_u64() == u64::try_from(members).ok()) else {
                return false;
            };
            let name = record["view_uuid"].as_str().map(|uuid| format!("{uuid} {}", record["view_seq"]));
            name.is_some() && name == number(&view())
        };
        let tell = || format!("{:?}\n{}", self.supervisor_status(), self.log("supervisor"));
        wait_until(&format!("{} writes the view down", self.name()), DEADLINE, is_recorded, tell).map(drop)
    }

    /// Waits until its supervisor has decided this (`wait`, `refuse`, ...).
    ///
    /// # Errors
    /// If it does not; with its log.
    pub fn wait_decision(&self, kind: &str) -> Result<Value> {
        self.wait_shows(&format!("decides {kind}"), |status| status["decision"]["action"]["kind"] == kind)
    }

    /// Waits until its supervisor's status shows this. Returns that status: the next one may show something else.
    ///
    /// # Errors
    /// If it does not; with its log.
    pub fn wait_shows(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let last = RefCell::new(None);
        let shows = || {
            *last.borrow_mut() = self.supervisor_status().filter(&is_so);
            last.borrow().is_some()
        };
        let tell = || format!("{:?}\n{}", self.supervisor_status(), self.log("supervisor"));
        wait_until(&format!("{} {what}", self.name()), DEADLINE, shows, tell)?;
        last.into_inner().ok_or_else(|| LabError(format!("{} does not answer any more", self.name())))
    }
}
