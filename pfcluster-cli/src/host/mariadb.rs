//! Databases: where this machine's is, and what it and those of others answer.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use mysql::{Conn, DriverError, OptsBuilder, Value};
use pfcluster_core::galera::{ClusterStatus, StatusError, WsrepStatus};
use pfcluster_core::pf_conf::PfConf;

use super::{HostError, files, option_file};

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
    /// The user that PacketFence's own checks ask with, else the one of its services; `None` if pf.conf has neither.
    pub fn of_members(pf_conf: &PfConf) -> Option<Account> {
        let users = [
            ("active_active", "galera_replication_username", "galera_replication_password"),
            ("database", "user", "pass"),
        ];
        users.into_iter().find_map(|(section, user, password)| {
            let user = pf_conf.text(section, user);
            let password = || Some(pf_conf.text(section, password).to_owned());
            (!user.is_empty()).then(|| Account { user: user.to_owned(), password: password() })
        })
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
            let text = files::read(path)?;
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
}

/// What came of asking a server.
#[derive(Debug)]
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
#[derive(Debug)]
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
        Answer::Status(said) if !is_same(&said.datadir, &settings.datadir) => Answer::Another(said.datadir),
        Answer::Silence(why) => Answer::Silence(format!("{}: {why}", socket.display())),
        answer => answer,
    }
}

/// Asks another machine's server. Each step of it ends within `limit`: connecting, logging in, each answer.
pub(super) fn ask_peer(address: Ipv4Addr, account: &Account, limit: Duration) -> Answer {
    let options = OptsBuilder::new()
        .ip_or_hostname(Some(address.to_string()))
        .tcp_port(PORT)
        .tcp_connect_timeout(Some(limit))
        // A server would be asked for its socket's name, to be reached there.
        .prefer_socket(false);
    answer(ask_server(options, account, limit))
}

/// True if this machine's server says that it is in a primary component, or takes connections and does not say.
pub(super) fn may_be_primary(settings: &Settings, limit: Duration) -> bool {
    match ask(settings, limit) {
        Answer::Status(said) => match WsrepStatus::from_rows(said.rows()) {
            Ok(status) => status.status == ClusterStatus::Primary,
            Err(error) => error != StatusError::NotGalera,
        },
        Answer::Refused(_) | Answer::Full => true,
        Answer::Silence(_) | Answer::Another(_) | Answer::Nobody => false,
    }
}

/// Makes the component of this machine's server primary. Galera can ignore it and still report success.
pub(super) fn promote(settings: &Settings, limit: Duration) -> Result<(), String> {
    let account = settings.account.clone().unwrap_or_else(|| Account { user: own_name(), password: None });
    let mut last = "the database has no socket".to_owned();
    for socket in &settings.sockets {
        let options = login(OptsBuilder::new().socket(Some(socket.to_string_lossy())), &account, limit);
        let done = Conn::new(options)
            .and_then(|mut connection| connection.query_drop("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'"));
        match done {
            Ok(()) => return Ok(()),
            Err(error) => last = format!("{}: {error}", socket.display()),
        }
    }
    Err(last)
}

fn answer(asked: Result<Said, mysql::Error>) -> Answer {
    match asked {
        Ok(said) => Answer::Status(said),
        Err(mysql::Error::MySqlError(error)) if error.code == TOO_MANY_CONNECTIONS => Answer::Full,
        Err(mysql::Error::MySqlError(error)) => Answer::Refused(format!("{} ({})", error.message, error.code)),
        Err(mysql::Error::DriverError(DriverError::CouldNotConnect(Some((_, why, kind))))) => match kind {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => Answer::Nobody,
            _ => Answer::Silence(why.split(" (os error").next().unwrap_or_default().to_lowercase()),
        },
        Err(error) => Answer::Silence(error.to_string()),
    }
}

fn ask_server(options: OptsBuilder, account: &Account, limit: Duration) -> Result<Said, mysql::Error> {
    let mut connection = Conn::new(login(options, account, limit))?;
    let settings: Option<(Value, Value)> = connection.query_first("SELECT @@datadir, @@max_connections")?;
    let (datadir, max_connections) = settings.map(|(datadir, max)| (text(datadir), text(max))).unwrap_or_default();
    let wanted = "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'wsrep%' OR Variable_name = 'Threads_connected'";
    let rows: Vec<(Value, Value)> = connection.query(wanted)?;
    let rows = rows.into_iter().map(|(name, value)| (text(name), text(value))).collect();
    Ok(Said { datadir: datadir.into(), max_connections: max_connections.parse().ok(), rows })
}

fn login(options: OptsBuilder, account: &Account, limit: Duration) -> OptsBuilder {
    options
        .user(Some(&account.user))
        .pass(account.password.clone())
        .read_timeout(Some(limit))
        .write_timeout(Some(limit))
        // What the client would ask for first otherwise.
        .max_allowed_packet(Some(1 << 20))
}

/// Whatever the server sends: reading it as another type can panic.
fn text(value: Value) -> String {
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
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from);
    let directories: Vec<PathBuf> = std::env::split_paths(&path).chain(usual).collect();
    let named = |name: &str| directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file());
    named("mariadbd").or_else(|| named("mysqld"))
}

/// `--NAME=PATH`.
pub(super) fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(path);
    option
}
