//! Databases: where this machine's is, and what it and those of others answer.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use mysql::{Conn, DriverError, OptsBuilder, Value};
use pfcluster_core::galera::{ClusterStatus, StatusError, WsrepStatus};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::printable::printable;
use serde::{Deserialize, Serialize};

use super::worker::{self, Reply};
use super::{HostError, files, machine, option_file};

/// Where a database is, and how it is asked.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The data directory.
    pub datadir: PathBuf,
    /// Where the tablespace ibdata1 is; mostly the data directory.
    pub tablespace: PathBuf,
    /// The server's option file, if PacketFence has made one.
    pub defaults_file: Option<PathBuf>,
    /// True if `datadir` is not the one of the option file.
    pub is_elsewhere: bool,
    /// The sockets to try, in order.
    pub sockets: Vec<PathBuf>,
    /// Who asks; `None` for the user that runs the program.
    pub account: Option<Account>,
}

/// A user of the database.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub user: String,
    /// Its password; `None` for a login without one.
    pub password: Option<String>,
}

impl Account {
    /// The user that PacketFence's own checks ask with; `None` if pf.conf has none. PacketFence's own user of its database
    /// (`[database]`) may change everything in it, and is never offered to another machine: nothing proves who listens there.
    pub fn of_members(pf_conf: &PfConf) -> Option<Account> {
        let value = |key| pf_conf.text("active_active", key).to_owned();
        let account = Account {
            user: value("galera_replication_username"),
            password: Some(value("galera_replication_password")),
        };
        Some(account).filter(|account| !account.user.is_empty())
    }
}

/// Without the password.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What the command line may say of it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--datadir`.
    pub datadir: Option<PathBuf>,
    /// `--socket`.
    pub socket: Option<PathBuf>,
    /// `--mysql-defaults-file`: an option file of the client with user and password.
    pub client_file: Option<PathBuf>,
}

/// The groups of an option file that the server reads.
const SERVER_GROUPS: &[&str] = &["mysqld", "server", "mariadb", "mariadbd", "galera"];
/// The groups that a client reads.
const CLIENT_GROUPS: &[&str] = &["client", "client-server", "client-mariadb", "mysql", "mariadb-client"];

impl Settings {
    /// What the option file that PacketFence generated says, overridden by the command line.
    ///
    /// # Errors
    /// [`HostError`] if one of the files can't be read.
    pub fn read(defaults_file: &Path, overrides: &Overrides) -> Result<Settings, HostError> {
        let text = files::read_if_there(defaults_file)?;
        let server = |option: &str| option_file::value(text.as_deref()?, SERVER_GROUPS, option).map(PathBuf::from);
        let usual = server("datadir").unwrap_or_else(|| "/var/lib/mysql".into());
        // The server is started from another directory than ours.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let datadir = overrides.datadir.as_deref().map_or_else(|| usual.clone(), absolute);
        let is_elsewhere = datadir != usual && !is_same(&datadir, &usual);
        let tablespace = server("innodb-data-home-dir").filter(|path| !is_elsewhere && path.is_absolute());
        let mut settings = Settings {
            tablespace: tablespace.unwrap_or_else(|| datadir.clone()),
            datadir,
            defaults_file: text.is_some().then(|| absolute(defaults_file)),
            is_elsewhere,
            sockets: Vec::new(),
            account: None,
        };
        let mut socket = server("socket");
        if let Some(path) = &overrides.client_file {
            let text = files::read_at_most(path, files::LONGEST_SECRET)?;
            let client = |option| option_file::value(&text, CLIENT_GROUPS, option);
            let user = client("user").unwrap_or_else(own_name);
            settings.account = Some(Account { user, password: client("password") });
            socket = client("socket").map(PathBuf::from).or(socket);
        }
        let usual = || vec!["/run/mysqld/mysqld.sock".into(), "/var/lib/mysql/mysql.sock".into()];
        // In an option file a name is relative to the data directory.
        let configured = socket.map(|socket| settings.datadir.join(socket));
        let socket = overrides.socket.as_deref().map(absolute).or(configured);
        settings.sockets = socket.map_or_else(usual, |socket| vec![socket]);
        Ok(settings)
    }

    /// What the option file says of an option of the server's; `None` if there is no such file, or it says nothing of it.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be read any more.
    pub(super) fn option(&self, name: &str) -> Result<Option<String>, HostError> {
        let text = self.defaults_file.as_deref().map(files::read).transpose()?;
        Ok(text.and_then(|text| option_file::value(&text, SERVER_GROUPS, name)))
    }
}

/// What came of asking a server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// What it says.
    Status(Said),
    /// The server on the socket has another data directory: this one.
    Another(PathBuf),
    /// Nobody listens.
    Nobody,
    /// There is somebody, or may be, but this is all that was heard.
    Silence(String),
    /// The server answers, but not this user.
    Refused(String),
    /// The server answers, but takes no more connections.
    Full,
}

/// What a server says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    datadir: PathBuf,
    /// `max_connections`.
    pub(super) max_connections: Option<u32>,
    /// Names and values of its status: `wsrep%` and `Threads_connected`.
    rows: Vec<(String, String)>,
}

impl Said {
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|(name, value)| (&**name, &**value))
    }

    /// `Threads_connected`.
    pub(super) fn connections(&self) -> Option<u32> {
        self.rows().find(|(name, _)| name.eq_ignore_ascii_case("Threads_connected"))?.1.parse().ok()
    }
}

/// `ER_CON_COUNT_ERROR`.
const TOO_MANY_CONNECTIONS: u16 = 1040;

/// Where PacketFence's databases listen, for clients.
const PORT: u16 = 3306;

/// Asks this machine's server. Ends within `limit`, whatever the server does.
pub(super) fn ask(settings: &Settings, limit: Duration) -> Answer {
    let deadline = Instant::now() + limit;
    for socket in &settings.sockets {
        // A server that stands still does not even accept; only another thread can be left behind then.
        let (sender, receiver) = mpsc::channel();
        let (asked, own) = (socket.clone(), settings.clone());
        let wait = deadline.saturating_duration_since(Instant::now());
        std::thread::spawn(move || sender.send(ask_socket(&asked, &own, wait)));
        match receiver.recv_timeout(wait) {
            Ok(Answer::Nobody) => {}
            Ok(answer) => return answer,
            Err(_) => {
                let seconds = limit.as_secs();
                return Answer::Silence(format!("{} did not answer within {seconds} s", socket.display()));
            }
        }
    }
    Answer::Nobody
}

fn ask_socket(socket: &Path, settings: &Settings, limit: Duration) -> Answer {
    let options = OptsBuilder::new().socket(Some(socket.to_string_lossy()));
    let account = settings.account.clone().unwrap_or_else(|| Account { user: own_name(), password: None });
    match answer(ask_server(options, &account, limit)) {
        Answer::Status(said) if !is_same(&said.datadir, &settings.datadir) => {
            // For people only.
            Answer::Another(printable(said.datadir.as_os_str().as_encoded_bytes()).into())
        }
        Answer::Silence(why) => Answer::Silence(format!("{}: {why}", socket.display())),
        answer => answer,
    }
}

/// Asks another machine's server, in a process of its own that ends within `limit`.
pub(super) fn ask_peer(address: Ipv4Addr, account: &Account, limit: Duration) -> Answer {
    match worker::ask(SocketAddrV4::new(address, PORT), account, worker::Question::Status, limit) {
        Ok(Reply::Status(answer)) => answer,
        Ok(_) => Answer::Silence(ANOTHER_ANSWER.to_owned()),
        Err(why) => Answer::Silence(why),
    }
}

/// Of a worker that answers something else than it was asked.
const ANOTHER_ANSWER: &str = "what it sends can't be understood";

/// The same in this process. Each step of it ends within `limit`: connecting, logging in, each answer.
pub(super) fn status_here(server: SocketAddrV4, account: &Account, limit: Duration) -> Answer {
    answer(ask_server(at(server, limit), account, limit))
}

/// True if this machine's server says that it is in a primary component, or takes connections and does not say.
pub(super) fn may_be_primary(settings: &Settings, limit: Duration) -> bool {
    match ask(settings, limit) {
        Answer::Status(said) => match WsrepStatus::from_rows(said.rows()) {
            Ok(status) => status.status == ClusterStatus::Primary,
            Err(error) => error != StatusError::NotGalera,
        },
        Answer::Refused(_) | Answer::Full | Answer::Silence(_) => true,
        Answer::Another(_) | Answer::Nobody => false,
    }
}

/// This machine's server takes connections, and no longer just comes up: it answers, or has not for so long.
pub(super) fn has_come_up(settings: &Settings, limit: Duration) -> bool {
    !matches!(ask(settings, limit), Answer::Another(_) | Answer::Nobody)
}

/// Makes the component of this machine's server primary. Galera can ignore it and still report success.
pub(super) fn promote(settings: &Settings, limit: Duration) -> Result<(), String> {
    connect(settings, limit, |connection| connection.query_drop("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'"))
}

/// Names and values of variables of this machine's server; those that it does not have are left out.
pub(super) fn variables(settings: &Settings, names: &[&str], limit: Duration) -> Result<Vec<(String, String)>, String> {
    connect(settings, limit, |connection| read_variables(connection, names))
}

/// The same of another machine's.
pub(super) fn peer_variables(
    address: Ipv4Addr,
    account: &Account,
    names: &[&str],
    limit: Duration,
) -> Result<Vec<(String, String)>, String> {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    match worker::ask(SocketAddrV4::new(address, PORT), account, worker::Question::Variables(names), limit)? {
        Reply::Variables(rows) => rows,
        _ => Err(ANOTHER_ANSWER.to_owned()),
    }
}

/// The same in this process.
pub(super) fn variables_here(
    server: SocketAddrV4,
    account: &Account,
    names: &[String],
    limit: Duration,
) -> Result<Vec<(String, String)>, String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let asked = talk(login(at(server, limit), account, limit), |connection| read_variables(connection, &names));
    asked.map_err(|error| error_text(&error))
}

/// The users of this machine's server that have this name, or none: name, host, and whether they may RELOAD, PROCESS, LOCK
/// TABLES, and are a REPLICATION CLIENT.
pub(super) fn accounts(settings: &Settings, user: &str, limit: Duration) -> Result<Vec<[String; 6]>, String> {
    const WANTED: &str = "SELECT user, host, Reload_priv, Process_priv, Lock_tables_priv, Repl_client_priv \
                          FROM mysql.user WHERE user IN ('', ?) ORDER BY user, host";
    connect(settings, limit, |connection| {
        let rows: Vec<[Value; 6]> = connection.exec_map(
            WANTED,
            (user,),
            |(a, b, c, d, e, f): (Value, Value, Value, Value, Value, Value)| [a, b, c, d, e, f],
        )?;
        Ok(rows.into_iter().map(|row| row.map(text)).collect())
    })
}

/// The clock of another machine, in milliseconds since 1970 (UTC).
pub(super) fn peer_clock(address: Ipv4Addr, account: &Account, limit: Duration) -> Result<i64, String> {
    match worker::ask(SocketAddrV4::new(address, PORT), account, worker::Question::Clock, limit)? {
        Reply::Clock(time) => time,
        _ => Err(ANOTHER_ANSWER.to_owned()),
    }
}

/// The same in this process.
pub(super) fn clock_here(server: SocketAddrV4, account: &Account, limit: Duration) -> Result<i64, String> {
    let asked = talk(login(at(server, limit), account, limit), |connection| {
        connection.query_first::<Value, _>("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)")
    });
    let said = asked.map_err(|error| error_text(&error))?.map(text).unwrap_or_default();
    said.parse().map_err(|_| format!("its clock says `{said}`"))
}

fn read_variables(connection: &mut Conn, names: &[&str]) -> Result<Vec<(String, String)>, mysql::Error> {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let wanted = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", names.join(", "));
    let rows: Vec<(Value, Value)> = connection.query(wanted)?;
    Ok(rows.into_iter().map(|(name, value)| (text(name), text(value))).collect())
}

/// Does something on this machine's server.
fn connect<T>(
    settings: &Settings,
    limit: Duration,
    mut ask: impl FnMut(&mut Conn) -> Result<T, mysql::Error>,
) -> Result<T, String> {
    let account = settings.account.clone().unwrap_or_else(|| Account { user: own_name(), password: None });
    let mut last = "the database has no socket".to_owned();
    for socket in &settings.sockets {
        let options = login(OptsBuilder::new().socket(Some(socket.to_string_lossy())), &account, limit);
        match talk(options, &mut ask) {
            Ok(done) => return Ok(done),
            Err(error) => last = format!("{}: {}", socket.display(), error_text(&error)),
        }
    }
    Err(last)
}

/// Logs in, and asks. The client library panics at some of what a server can send, an empty packet among it: that is an answer that
/// can't be understood, and does not end the program.
fn talk<T>(options: OptsBuilder, ask: impl FnOnce(&mut Conn) -> Result<T, mysql::Error>) -> Result<T, mysql::Error> {
    let talk = || Conn::new(options).and_then(|mut connection| ask(&mut connection));
    // What it leaves half done is dropped with the connection.
    catch_unwind(AssertUnwindSafe(talk))
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::InvalidData, ANOTHER_ANSWER).into()))
}

/// The server at an address. Connecting ends within `limit`.
fn at(server: SocketAddrV4, limit: Duration) -> OptsBuilder {
    OptsBuilder::new()
        .ip_or_hostname(Some(server.ip().to_string()))
        .tcp_port(server.port())
        .tcp_connect_timeout(Some(limit))
        // A server would be asked for its socket's name, to be reached there.
        .prefer_socket(false)
}

fn answer(asked: Result<Said, mysql::Error>) -> Answer {
    match asked {
        Ok(said) => Answer::Status(said),
        Err(mysql::Error::MySqlError(error)) if error.code == TOO_MANY_CONNECTIONS => Answer::Full,
        Err(mysql::Error::MySqlError(error)) => {
            Answer::Refused(printable(format!("{} ({})", error.message, error.code).as_bytes()))
        }
        Err(mysql::Error::DriverError(DriverError::CouldNotConnect(Some((_, why, kind))))) => match kind {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => Answer::Nobody,
            _ => Answer::Silence(why.split(" (os error").next().unwrap_or_default().to_lowercase()),
        },
        Err(error) => Answer::Silence(error_text(&error)),
    }
}

/// Why nothing was heard. A server may have put words into it.
fn error_text(error: &mysql::Error) -> String {
    match error {
        // What reading a key below NO_KEYS comes to.
        mysql::Error::IoError(error) if error.kind() == io::ErrorKind::NotADirectory => {
            "it asks for the password itself, and does not get it".to_owned()
        }
        mysql::Error::IoError(error) if error.kind() == io::ErrorKind::InvalidData => ANOTHER_ANSWER.to_owned(),
        error => printable(error.to_string().as_bytes()),
    }
}

fn ask_server(options: OptsBuilder, account: &Account, limit: Duration) -> Result<Said, mysql::Error> {
    talk(login(options, account, limit), |connection| {
        let settings: Option<(Value, Value)> = connection.query_first("SELECT @@datadir, @@max_connections")?;
        let (datadir, max_connections) = settings.map(|(datadir, max)| (raw(datadir), text(max))).unwrap_or_default();
        let wanted = "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'wsrep%' OR Variable_name = 'Threads_connected'";
        let rows: Vec<(Value, Value)> = connection.query(wanted)?;
        let rows = rows.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        Ok(Said { datadir: datadir.into(), max_connections: max_connections.parse().ok(), rows })
    })
}

fn login(options: OptsBuilder, account: &Account, limit: Duration) -> OptsBuilder {
    options
        .user(Some(&account.user))
        .pass(account.password.clone())
        .server_key_path(Some(NO_KEYS.into()))
        .read_timeout(Some(limit))
        .write_timeout(Some(limit))
        // What the client would ask for first otherwise.
        .max_allowed_packet(Some(1 << 20))
}

/// Where a server's RSA key would be, for logins that send the password itself (`caching_sha2_password`, full authentication).
/// Without a place the client takes the key that the server sends, and whoever listens gets the password. In this place there
/// can be none: such a login fails.
const NO_KEYS: &str = "/dev/null/no-key";

/// Whatever the server sends, made printable where it enters.
fn text(value: Value) -> String {
    printable(raw(value).as_bytes())
}

/// Whatever the server sends: reading it as another type can panic.
fn raw(value: Value) -> String {
    match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::NULL => String::new(),
        other => other.as_sql(true),
    }
}

/// True if both are one directory.
fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().map(|data| (data.dev(), data.ino())).ok();
    id(one).is_some() && id(one) == id(other)
}

/// The name of the user that runs the program, for whom MariaDB's `unix_socket` needs no password.
fn own_name() -> String {
    user_name(rustix::process::geteuid().as_raw()).unwrap_or_else(|| "root".to_owned())
}

/// The name of a user of /etc/passwd.
#[expect(clippy::disallowed_methods, reason = "root's file")]
pub(super) fn user_name(id: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// Where the server's program is.
pub(super) fn server_program() -> Option<PathBuf> {
    machine::program("mariadbd").or_else(|| machine::program("mysqld"))
}

/// `--NAME=PATH`.
pub(super) fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(path);
    option
}
