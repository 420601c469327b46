//! Databases: where this machine's is, and what it and those of others answer.

use std::ffi::OsString;
use std::fmt;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pfcluster_core::galera::{ClusterStatus, StatusError, WsrepStatus};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::printable::printable;
use pfcluster_guide::doctor::MONITORING_FILE;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::worker::{self, Failure, Login, Place, Reply, Rows, Worker};
use super::{HostError, Root, files, machine, option_file};

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
    session: Session,
}

/// The session with this machine's server, from its first question on: it goes on where the server takes no more logins. A clone
/// begins one of its own.
#[derive(Debug, Default)]
struct Session(Mutex<Option<Worker>>);

impl Clone for Session {
    fn clone(&self) -> Session {
        Session::default()
    }
}

/// A user of the database.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub user: String,
    /// Its password; `None` for a login without one.
    pub password: Option<String>,
    /// The certificate authority (PEM) of other machines' databases. With one, only a server that it vouches for gets to know
    /// the user, and nothing goes over the network without TLS.
    pub ca: Option<String>,
}

impl Account {
    /// The account that asks other machines' databases: that of `--mysql-defaults-file`, else of [`MONITORING_FILE`], else the
    /// replication user. `None` if there is none of them.
    ///
    /// # Errors
    /// [`HostError`] if the file, or the certificate authority, can't be read.
    pub fn for_peers(
        root: &Root,
        settings: Option<&Settings>,
        pf_conf: Option<&PfConf>,
        overrides: &Overrides,
    ) -> Result<Option<Account>, HostError> {
        let mut ca = overrides.database_ca.clone();
        let mut account = settings.and_then(|settings| settings.account.clone());
        if account.is_none()
            && let Some(text) = root.read(MONITORING_FILE)?
        {
            let client = |option| option_file::value(&text, CLIENT_GROUPS, option);
            let user = client("user").ok_or_else(|| HostError::Content {
                path: root.file(MONITORING_FILE),
                reason: "it names no user".to_owned(),
                help: "write `user=` and `password=` below `[client]`".to_owned(),
            })?;
            account = Some(Account { user, password: client("password"), ca: None });
            ca = ca.or_else(|| client("ssl-ca").map(PathBuf::from));
        }
        let Some(account) = account.or_else(|| Account::of_members(pf_conf?)) else { return Ok(None) };
        Ok(Some(Account { ca: ca.as_deref().map(authority).transpose()?, ..account }))
    }

    /// The user that PacketFence's own checks ask with; `None` if pf.conf has none. PacketFence's own user of its database
    /// (`[database]`) may change everything in it, and is never offered to another machine: nothing proves who listens there.
    fn of_members(pf_conf: &PfConf) -> Option<Account> {
        let value = |key| pf_conf.text("active_active", key).to_owned();
        let account = Account {
            user: value("galera_replication_username"),
            password: Some(value("galera_replication_password")),
            ca: None,
        };
        Some(account).filter(|account| !account.user.is_empty())
    }

    /// The user that runs the program, for whom MariaDB's `unix_socket` needs no password.
    fn own() -> Account {
        Account { user: own_name(), password: None, ca: None }
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
    /// `--database-ca`: the certificate authority of the other machines' databases.
    pub database_ca: Option<PathBuf>,
}

/// The certificates in a file, if all of it can be used: a worker would only say so for each member.
fn authority(path: &Path) -> Result<String, HostError> {
    let text = String::from_utf8_lossy(&files::read_at_most(path, files::LONGEST_SECRET)?).into_owned();
    match worker::authorities(&text) {
        Ok(_) => Ok(text),
        Err(reason) => Err(HostError::Content {
            path: path.to_owned(),
            reason,
            help: "name the certificate (PEM) that has signed those of the members' databases".to_owned(),
        }),
    }
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
            session: Session::default(),
        };
        let mut socket = server("socket");
        if let Some(path) = &overrides.client_file {
            let text = files::read_at_most(path, files::LONGEST_SECRET)?;
            let client = |option| option_file::value(&text, CLIENT_GROUPS, option);
            let user = client("user").unwrap_or_else(own_name);
            settings.account = Some(Account { user, password: client("password"), ca: None });
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
#[derive(Debug)]
pub(super) enum Answer {
    /// What it says.
    Status(Said),
    /// The server on the socket has another data directory: this one.
    Another(PathBuf),
    /// No server listens.
    NoServer,
    /// There is a server, or may be, but this is all that was heard.
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

/// What [`Said`] is made of. They need no privilege.
pub(super) const STATUS: [&str; 2] = [
    "SELECT @@datadir, @@max_connections",
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'wsrep%' OR Variable_name = 'Threads_connected'",
];
/// The time there, in milliseconds.
pub(super) const CLOCK: &str = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)";

/// Asks this machine's server. Ends within `limit`, whatever the server does.
pub(super) fn ask(settings: &Settings, limit: Duration) -> Answer {
    match answer(ask_own(settings, &STATUS, limit)) {
        Answer::Status(said) if !is_same(&said.datadir, &settings.datadir) => {
            // For people only.
            Answer::Another(printable(said.datadir.as_os_str().as_encoded_bytes()).into())
        }
        answer => answer,
    }
}

/// Asks this machine's server in the session that there is, or in a new one, which is kept.
fn ask_own(settings: &Settings, statements: &[&str], limit: Duration) -> Reply {
    let deadline = Instant::now() + limit.mul_f32(worker::MOST_OF);
    let mut session = settings.session.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(mut worker) = session.take() {
        match worker.ask(statements, deadline) {
            Ok(rows) => {
                *session = Some(worker);
                return Ok(rows);
            }
            // It does not answer: a new session would not be answered sooner.
            Err(failure @ (Failure::Silent(_) | Failure::Late)) => return Err(failure.within(limit)),
            // The server may be another one by now, or has ended the session.
            Err(Failure::Closed | Failure::Lost(_) | Failure::Refused { .. }) => {}
        }
    }
    let mut last = Failure::Closed;
    for socket in &settings.sockets {
        let about = |why: String| format!("{}: {why}", socket.display());
        let asked = connect(socket, deadline).and_then(|connection| {
            let account = settings.account.clone().unwrap_or_else(Account::own);
            let login = Login { place: Place::Connected, user: account.user, password: account.password };
            let mut worker = Worker::start(&login, Some(&connection), deadline)?;
            let rows = worker.ask(statements, deadline)?;
            Ok((rows, worker))
        });
        last = match asked.map_err(|failure| failure.within(limit)) {
            Ok((rows, worker)) => {
                *session = Some(worker);
                return Ok(rows);
            }
            Err(Failure::Closed) => continue,
            Err(Failure::Lost(why)) => Failure::Lost(about(why)),
            Err(Failure::Silent(why)) => Failure::Silent(about(why)),
            Err(failure @ (Failure::Refused { .. } | Failure::Late)) => failure,
        };
        break;
    }
    Err(last)
}

/// Connects as this process, by which MariaDB's `unix_socket` knows the user; what comes over it only the worker reads.
fn connect(socket: &Path, deadline: Instant) -> Result<UnixStream, Failure> {
    /// How often a server is tried whose queue is full.
    const AGAIN: Duration = Duration::from_millis(10);

    let failed = |error: rustix::io::Errno| Failure::Silent(files::plain(&error.into()));
    let address = SocketAddrUnix::new(socket).map_err(failed)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let connection = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(failed)?;
    loop {
        match rustix::net::connect(&connection, &address) {
            Ok(()) => break,
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::CONNREFUSED | rustix::io::Errno::NOTDIR) => {
                return Err(Failure::Closed);
            }
            Err(rustix::io::Errno::INTR) => {}
            // A server that stands still does not even accept.
            Err(rustix::io::Errno::AGAIN) if Instant::now() < deadline => thread::sleep(AGAIN),
            Err(rustix::io::Errno::AGAIN) => {
                return Err(Failure::Silent("it accepts no connection in time".to_owned()));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    let connection = UnixStream::from(connection);
    connection.set_nonblocking(false).map_err(|error| Failure::Silent(files::plain(&error)))?;
    Ok(connection)
}

/// Asks another machine's server. Ends within `limit`, whatever the server does.
pub(super) fn ask_peer(address: Ipv4Addr, account: &Account, limit: Duration) -> Answer {
    answer(ask_at(address, account, &STATUS, limit))
}

fn ask_at(address: Ipv4Addr, account: &Account, statements: &[&str], limit: Duration) -> Reply {
    let Account { user, password, ca } = account.clone();
    let login = Login { place: Place::At { address, ca }, user, password };
    worker::ask_once(&login, statements, limit)
}

/// True if this machine's server says that it is in a primary component, or takes connections and does not say.
pub(super) fn may_be_primary(settings: &Settings, limit: Duration) -> bool {
    match ask(settings, limit) {
        Answer::Status(said) => match WsrepStatus::from_rows(said.rows()) {
            Ok(status) => status.status == ClusterStatus::Primary,
            Err(error) => error != StatusError::NotGalera,
        },
        Answer::Refused(_) | Answer::Full | Answer::Silence(_) => true,
        Answer::Another(_) | Answer::NoServer => false,
    }
}

/// This machine's server takes connections, and no longer just comes up: it answers, or has not for so long.
pub(super) fn has_come_up(settings: &Settings, limit: Duration) -> bool {
    !matches!(ask(settings, limit), Answer::Another(_) | Answer::NoServer)
}

/// Makes the component of this machine's server primary. Galera can ignore it and still report success.
pub(super) fn promote(settings: &Settings, limit: Duration) -> Result<(), String> {
    let statement = "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'";
    ask_own(settings, &[statement], limit).map(drop).map_err(why)
}

/// Names and values of variables of this machine's server; those that it does not have are left out.
pub(super) fn variables(settings: &Settings, names: &[&str], limit: Duration) -> Result<Vec<(String, String)>, String> {
    pairs(ask_own(settings, &[&of_variables(names)], limit))
}

/// The same of another machine's.
pub(super) fn peer_variables(
    address: Ipv4Addr,
    account: &Account,
    names: &[&str],
    limit: Duration,
) -> Result<Vec<(String, String)>, String> {
    pairs(ask_at(address, account, &[&of_variables(names)], limit))
}

pub(super) fn of_variables(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", names.join(", "))
}

/// The users of this machine's server that have this name, or none: name, host, and whether they may RELOAD, PROCESS, LOCK
/// TABLES, and are a REPLICATION CLIENT.
pub(super) fn accounts(settings: &Settings, user: &str, limit: Duration) -> Result<Vec<[String; 6]>, String> {
    // In hexadecimal digits no name is anything else than a name.
    let name = hex::encode(user);
    let statement = format!(
        "SELECT user, host, Reload_priv, Process_priv, Lock_tables_priv, Repl_client_priv \
         FROM mysql.user WHERE user IN ('', _utf8 x'{name}') ORDER BY user, host"
    );
    let rows = ask_own(settings, &[&statement], limit).map_err(why)?;
    Ok(rows.into_iter().flatten().map(texts).collect())
}

/// The clock of another machine, in milliseconds since 1970 (UTC).
pub(super) fn peer_clock(address: Ipv4Addr, account: &Account, limit: Duration) -> Result<i64, String> {
    clock(ask_at(address, account, &[CLOCK], limit))
}

pub(super) fn clock(reply: Reply) -> Result<i64, String> {
    let [said] = texts(first(reply.map_err(why)?));
    said.parse().map_err(|_| format!("its clock says `{said}`"))
}

pub(super) fn pairs(reply: Reply) -> Result<Vec<(String, String)>, String> {
    Ok(reply.map_err(why)?.into_iter().flatten().map(pair).collect())
}

pub(super) fn answer(reply: Reply) -> Answer {
    match reply {
        Ok(rows) => {
            let [settings, status] = two(rows);
            // The directory is compared as it is.
            let datadir = settings.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default();
            let [_, max_connections] = texts(settings.into_iter().next().unwrap_or_default());
            let rows = status.into_iter().map(pair).collect();
            Answer::Status(Said { datadir: datadir.into(), max_connections: max_connections.parse().ok(), rows })
        }
        Err(Failure::Closed) => Answer::NoServer,
        Err(Failure::Refused { code: TOO_MANY_CONNECTIONS, .. }) => Answer::Full,
        Err(failure @ Failure::Refused { .. }) => Answer::Refused(why(failure)),
        Err(failure) => Answer::Silence(why(failure)),
    }
}

/// Why there is no answer. A server may have put words into it.
fn why(failure: Failure) -> String {
    match failure {
        Failure::Closed => "no server listens".to_owned(),
        Failure::Refused { code, message } => printable(format!("{message} ({code})").as_bytes()),
        Failure::Lost(why) | Failure::Silent(why) => printable(why.as_bytes()),
        Failure::Late => "no answer in time".to_owned(),
    }
}

fn two(rows: Vec<Rows>) -> [Rows; 2] {
    let mut rows = rows.into_iter();
    [(); 2].map(|()| rows.next().unwrap_or_default())
}

fn first(rows: Vec<Rows>) -> Vec<Option<String>> {
    rows.into_iter().flatten().next().unwrap_or_default()
}

/// The first columns of a row, made printable where they enter. One that is missing is empty, as a NULL is.
fn texts<const COLUMNS: usize>(row: Vec<Option<String>>) -> [String; COLUMNS] {
    let mut values = row.into_iter();
    [(); COLUMNS].map(|()| printable(values.next().flatten().unwrap_or_default().as_bytes()))
}

fn pair(row: Vec<Option<String>>) -> (String, String) {
    let [name, value] = texts(row);
    (name, value)
}

/// True if both are one directory.
fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().map(|data| (data.dev(), data.ino())).ok();
    id(one).is_some() && id(one) == id(other)
}

fn own_name() -> String {
    machine::user_name(rustix::process::geteuid().as_raw()).unwrap_or_else(|| "root".to_owned())
}

/// The user that a server runs as which root starts: the owner of its data, but never root. The option file, which names the data and
/// the libraries that the server loads, belongs to other users.
pub(super) fn server_user(owner: u32) -> String {
    if owner == 0 { "mysql".to_owned() } else { machine::user_name(owner).unwrap_or_else(|| owner.to_string()) }
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
