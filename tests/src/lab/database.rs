//! A host's database: started in every way that an administrator or a unit starts it, asked, stopped, killed, paused.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder};

use super::command::{said, wait_until};
use super::error::{LabError, Result};
use super::host::{DEADLINE, Host};

/// The generated file.
pub const DEFAULTS: &str = "--defaults-file=/usr/local/pf/var/conf/mariadb.conf";

/// How the database is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As MariaDB's unit does it: the position is recovered, then it starts there.
    Normal,
    /// The same, as the first of a new cluster (`galera_new_cluster`).
    NewCluster,
    /// Without the recovered position.
    WithoutPosition,
}

/// What `--wsrep-recover` said.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// UUID:SEQNO, if it said one.
    pub position: Option<String>,
    /// Everything.
    pub text: String,
}

impl Recovered {
    /// The number behind the UUID.
    pub fn seqno(&self) -> Option<i64> {
        self.position.as_ref()?.rsplit_once(':')?.1.parse().ok()
    }
}

impl Host {
    /// The database's folder, seen from the machine.
    pub fn datadir(&self) -> PathBuf {
        self.folder.join("lib/mysql")
    }

    /// The socket, seen from the machine.
    pub fn socket(&self) -> String {
        self.datadir().join("mysql.sock").display().to_string()
    }

    /// Starts the database; does not wait until it has service.
    ///
    /// # Errors
    /// If the position can't be recovered.
    pub fn start_database(&self, start: Start) -> Result {
        let variable = match start {
            Start::Normal => "LAB=1",
            Start::NewCluster => "_WSREP_NEW_CLUSTER=--wsrep-new-cluster",
            Start::WithoutPosition => "NO_POSITION=1",
        };
        self.exec(&["env", variable, "systemctl", "start", "packetfence-mariadb"]).map(drop)
    }

    /// Stops it gracefully, however long that takes.
    ///
    /// # Errors
    /// If it does not stop within two minutes.
    pub fn stop_database(&self) -> Result {
        self.systemctl("stop", "mariadb").map(drop)
    }

    /// Ends all processes of the database at once; the host goes on.
    ///
    /// # Errors
    /// If the host is off.
    pub fn crash_database(&self) -> Result {
        self.signal_database("KILL")?;
        wait_until("the database is dead", DEADLINE, || !self.database_runs(), String::new).map(drop)
    }

    /// Pauses (`STOP`) or resumes (`CONT`) all processes of the database, its transfers included.
    ///
    /// # Errors
    /// If the host is off.
    pub fn signal_database(&self, signal: &str) -> Result {
        // Exit status 1: there was none.
        self.output(&["pkill", &format!("-{signal}"), "-u", "mysql"]).map(drop)
    }

    /// True if the server's process is there.
    pub fn database_runs(&self) -> bool {
        self.is_on() && self.output(&["pgrep", "-x", "mariadbd"]).is_ok_and(|found| found.status.success())
    }

    /// A connection through the socket.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn connect(&self) -> std::result::Result<Conn, mysql::Error> {
        Conn::new(options().socket(Some(self.socket())))
    }

    /// Runs statements; the rows of the last, values separated by tabs.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, sql: &str) -> Result<Vec<String>> {
        self.query_in(self.connect()?, sql)
    }

    /// [`Host::query`], for statements that take their time.
    ///
    /// # Errors
    /// What the server says.
    pub fn long_query(&self, sql: &str) -> Result<Vec<String>> {
        self.query_in(Conn::new(options().socket(Some(self.socket())).read_timeout(Some(DEADLINE)))?, sql)
    }

    fn query_in(&self, mut connection: Conn, sql: &str) -> Result<Vec<String>> {
        let mut rows = Vec::new();
        for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let found: Vec<mysql::Row> = connection
                .query(statement)
                .map_err(|error| LabError::about(&format!("{statement} on {}", self.name()), error))?;
            rows = found.into_iter().map(shown).collect();
        }
        Ok(rows)
    }

    /// All that Galera tells of itself; empty if it does not answer.
    pub fn galera(&self) -> BTreeMap<String, String> {
        let rows = self.query("SHOW GLOBAL STATUS LIKE 'wsrep_%'").unwrap_or_default();
        let pairs = rows.iter().filter_map(|row| row.split_once('\t'));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// One value of Galera's; empty if it does not answer.
    pub fn status(&self, name: &str) -> String {
        self.galera().remove(name).unwrap_or_default()
    }

    /// Status, state and size in a few words.
    pub fn database_state(&self) -> String {
        if !self.is_on() {
            return "off".to_owned();
        }
        if !self.database_runs() {
            return "no database".to_owned();
        }
        let galera = self.galera();
        let value = |name: &str| galera.get(name).map_or("?", String::as_str);
        if galera.is_empty() {
            return "database does not answer".to_owned();
        }
        format!(
            "{}, {}, size {}, last committed {}",
            value("wsrep_cluster_status"),
            value("wsrep_local_state_comment"),
            value("wsrep_cluster_size"),
            value("wsrep_last_committed")
        )
    }

    /// True if it has service in a cluster of `size`.
    pub fn is_synced(&self, size: usize) -> bool {
        let galera = self.galera();
        let has = |name: &str, value: &str| galera.get(name).is_some_and(|found| found == value);
        has("wsrep_cluster_status", "Primary")
            && has("wsrep_local_state_comment", "Synced")
            && has("wsrep_ready", "ON")
            && has("wsrep_cluster_size", &size.to_string())
    }

    /// Waits for [`Host::is_synced`]; how long it took.
    ///
    /// # Errors
    /// If it does not come; with the end of the log.
    pub fn wait_synced(&self, size: usize) -> Result<Duration> {
        let what = format!("{} is in a cluster of {size}", self.name());
        let tell = || format!("it is {}\n{}\n{}", self.database_state(), self.log("mariadb"), self.log("supervisor"));
        wait_until(&what, DEADLINE, || self.is_synced(size), tell)
    }

    /// Waits for a value of Galera's; how long it took.
    ///
    /// # Errors
    /// If it does not come; with the end of the log.
    pub fn wait_status(&self, name: &str, value: &str) -> Result<Duration> {
        let what = format!("{name} is {value} on {}", self.name());
        let tell = || format!("it is {}\n{}", self.status(name), self.log("mariadb"));
        wait_until(&what, DEADLINE, || self.status(name) == value, tell)
    }

    /// Where the database would start. It must not run.
    ///
    /// # Errors
    /// If the host is off.
    pub fn recover(&self) -> Result<Recovered> {
        let words = ["mariadbd", DEFAULTS, "--user=mysql", "--wsrep-recover", "--disable-log-error"];
        let text = said(&self.output(&words)?);
        let mut lines = text.lines().filter_map(|line| line.split_once("Recovered position:"));
        let position = lines.next_back().map(|(_, position)| position.trim().to_owned());
        Ok(Recovered { position, text })
    }
}

/// How the lab connects: never for long.
pub(crate) fn options() -> OptsBuilder {
    let limit = Some(Duration::from_secs(10));
    let options = OptsBuilder::new().user(Some("lab")).pass(Some("lab")).prefer_socket(false);
    options.read_timeout(limit).write_timeout(limit).tcp_connect_timeout(Some(Duration::from_secs(3)))
}

/// [`options`], through an address.
pub(crate) fn options_to(address: Ipv4Addr, port: u16) -> OptsBuilder {
    options().ip_or_hostname(Some(address.to_string())).tcp_port(port)
}

fn shown(row: mysql::Row) -> String {
    let values = row.unwrap().into_iter().map(|value| match value {
        mysql::Value::NULL => "NULL".to_owned(),
        mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true),
    });
    values.collect::<Vec<_>>().join("\t")
}
