//! One member of the machine room: its server is started, asked, stopped, and its log is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use pfcluster_tests::netns;
use rustix::process::{Pid, Signal, kill_process};

use crate::lab::{Lab, wait_or, wait_until};

/// A member of the lab.
pub(crate) struct Member<'a> {
    pub(crate) _lab: &'a Lab,
    pub(crate) namespace: String,
    /// Its install directory.
    pub(crate) folder: PathBuf,
    pub(crate) datadir: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) server: Option<Child>,
}

impl Member<'_> {
    pub(crate) fn defaults_file(&self) -> String {
        format!("--defaults-file={}", self.folder.join("var/conf/mariadb.conf").display())
    }

    fn error_log(&self) -> PathBuf {
        self.folder.join("error.log")
    }

    /// Starts the server with the generated file and overrides for scratch paths only.
    pub(crate) fn start(&mut self, more: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "mariadbd", &self.defaults_file(), "--user=mysql"]);
        command.arg(format!("--datadir={}", self.datadir.display()));
        command.arg(format!("--pid-file={}", self.datadir.join("pid").display())).args(more);
        let log = fs::File::options().append(true).create(true).open(self.error_log()).expect("a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.server = Some(command.spawn().expect("mariadbd starts"));
    }

    /// Stops the server gracefully.
    pub(crate) fn stop(&mut self) {
        let mut server = self.server.take().expect("a running server");
        let pid = Pid::from_raw(server.id().cast_signed()).expect("a pid");
        kill_process(pid, Signal::TERM).expect("our own child");
        wait_until("the server stops", 30, || server.try_wait().expect("our own child").is_some());
    }

    fn ask(&self, sql: &str) -> Output {
        let socket = format!("--socket={}", self.socket.display());
        let arguments = ["--no-defaults", "--user=root", &socket, "--batch", "--skip-column-names", "--execute", sql];
        Command::new("mariadb").args(arguments).output().expect("the client")
    }

    pub(crate) fn query(&self, sql: &str) -> String {
        let output = self.ask(sql);
        assert!(output.status.success(), "{sql}: {output:?}\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn status(&self, name: &str) -> String {
        let output = self.ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }

    pub(crate) fn wait_for(&self, name: &str, value: &str) {
        let what = format!("{name} is {value} on {}", self.namespace);
        wait_or(&what, 60, || self.status(name) == value, || format!("it is {}\n{}", self.status(name), self.log()));
    }

    pub(crate) fn wait_for_read_only(&self, on: bool) {
        let wanted = if on { "1" } else { "0" };
        let read = || String::from_utf8_lossy(&self.ask("SELECT @@GLOBAL.read_only").stdout).trim().to_owned();
        wait_or(&format!("read_only is {wanted} on {}", self.namespace), 30, || read() == wanted, || self.log());
    }

    /// As the guide has it (3.2), with what MariaDB 10.11 asks for in addition.
    pub(crate) fn create_replication_user(&self, password: &str) {
        let password = password.replace('\\', "\\\\").replace('\'', "\\'");
        self.query(&format!(
            "CREATE USER pfcluster@localhost IDENTIFIED BY '{password}'; \
             GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER, READ_ONLY ADMIN ON *.* TO pfcluster@localhost"
        ));
    }

    /// Calls the hook as the server does: as mysql.
    pub(crate) fn call_hook(&self, arguments: &[&str]) -> Output {
        let hook = self.folder.join("var/run/db-update").display().to_string();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "setpriv", "--reuid=mysql", "--regid=mysql", "--clear-groups"]);
        command.arg(hook).args(arguments).output().expect("setpriv")
    }

    /// Pids of the namespace whose command line has the word.
    pub(crate) fn processes_of(&self, word: &str) -> Vec<u32> {
        let has_word = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| holds(&line, word));
        let mut pids = netns::pids(&self.namespace);
        pids.retain(|pid| has_word(pid) && Some(*pid) != self.server.as_ref().map(Child::id));
        pids
    }

    fn log(&self) -> String {
        fs::read_to_string(self.error_log()).unwrap_or_default()
    }

    /// The errors and warnings of the log that are not about this being a new or a changing cluster.
    pub(crate) fn complaints(&self) -> Vec<String> {
        const FOREIGN: [&str; 10] = [
            // A new database, or one that is being filled.
            "Could not open state file for reading",
            "No persistent state found",
            "Could not open saved primary component",
            // mariadb-install-db's, for the machine's own name.
            "'proxies_priv' entry",
            // Members come and go.
            "last inactive check more than",
            "evs::proto",
            "Failed to report last committed",
            "Quorum: No node with complete state",
            "No re-merged primary component found",
            "access file(",
        ];
        let log = self.log();
        let is_complaint = |line: &&str| line.contains("[ERROR]") || line.to_lowercase().contains("[warning]");
        let is_ours = |line: &&str| !FOREIGN.iter().any(|known| line.contains(known));
        log.lines().filter(is_complaint).filter(is_ours).map(str::to_owned).collect()
    }

    /// `mariadbd --help --verbose` shows each value of the file, and no warning.
    pub(crate) fn shows_its_values(&self) {
        let output = Command::new("mariadbd")
            .args([&*self.defaults_file(), "--user=mysql", &format!("--datadir={}", self.datadir.display())])
            .args(["--help", "--verbose"])
            .output()
            .expect("mariadbd");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, table) = help.split_once("\n--------").expect("a table of values");
        let shown: BTreeMap<String, &str> = table
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, value)| (name.replace('-', "_"), value.trim()))
            .collect();
        let text = fs::read_to_string(self.folder.join("var/conf/mariadb.conf")).expect("our file");
        let server = text.split("\n[mysqld_safe]").next().unwrap_or_default();
        let lines = server.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        let mut compared = 0;
        for line in lines {
            let (name, value) = line.split_once('=').unwrap_or((line, "TRUE"));
            // A password is not shown, and this one is only about the shell.
            let name = name.replace('-', "_");
            if matches!(name.as_str(), "wsrep_sst_auth" | "skip_external_locking" | "skip_name_resolve") {
                continue;
            }
            let shown = shown.get(&name).unwrap_or_else(|| panic!("{name} is no option of this server"));
            assert_eq!(normal(shown), normal(value), "{name}");
            compared += 1;
        }
        assert!(compared > 20, "{compared} values compared");
    }
}

/// A value as a number of bytes, a switch, or its text.
fn normal(value: &str) -> String {
    let value = value.trim_matches('"');
    if let Some(number) = value.strip_suffix('M').and_then(|number| number.parse::<u64>().ok()) {
        return (number * 1024 * 1024).to_string();
    }
    match value.to_uppercase().as_str() {
        "ON" | "TRUE" => "1".to_owned(),
        "OFF" | "FALSE" => "0".to_owned(),
        other => other.split(',').collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(","),
    }
}

/// Everybody's command lines that hold a text.
pub(crate) fn command_lines_with(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| holds(line, text)).map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

fn holds(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|window| window == text.as_bytes())
}
