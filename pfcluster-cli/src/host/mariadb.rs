//! This machine's database: where it is, and what it answers.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use mysql::{Conn, DriverError, OptsBuilder, Value};

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
    user: Option<String>,
    password: Option<String>,
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
            user: None,
            password: None,
        };
        let mut socket = server("socket");
        if let Some(path) = &overrides.client_file {
            let text = files::read(path)?;
            let client = |option| option_file::value(&text, CLIENT_GROUPS, option);
            (settings.user, settings.password) = (client("user"), client("password"));
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
    /// Its `wsrep%` status.
    Status(Vec<(String, String)>),
    /// The server on the socket has another data directory: this one.
    Another(PathBuf),
    /// Nobody listens on a socket.
    Nobody,
    /// There is somebody, or may be, but this is all that was heard.
    Silence(String),
    /// The server answers, but not this user.
    Refused(String),
}

/// Asks the server. Ends within `limit`, whatever the server does.
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
    let silence = |what: &dyn std::fmt::Display| Answer::Silence(format!("{}: {what}", socket.display()));
    match ask_server(socket, settings, limit) {
        Ok((datadir, _)) if !is_same(&datadir, &settings.datadir) => Answer::Another(datadir),
        Ok((_, rows)) => Answer::Status(rows),
        Err(mysql::Error::MySqlError(error)) => Answer::Refused(format!("{} ({})", error.message, error.code)),
        Err(mysql::Error::DriverError(DriverError::CouldNotConnect(Some((_, why, kind))))) => match kind {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => Answer::Nobody,
            _ => silence(&why.split(" (os error").next().unwrap_or_default().to_lowercase()),
        },
        Err(error) => silence(&error),
    }
}

type Rows = Vec<(String, String)>;

fn ask_server(socket: &Path, settings: &Settings, limit: Duration) -> Result<(PathBuf, Rows), mysql::Error> {
    let user = settings.user.clone().unwrap_or_else(own_name);
    let options = OptsBuilder::new()
        .socket(Some(socket.to_string_lossy()))
        .user(Some(user))
        .pass(settings.password.clone())
        .read_timeout(Some(limit))
        .write_timeout(Some(limit))
        // What the client would ask for first otherwise.
        .max_allowed_packet(Some(1 << 20));
    let mut connection = Conn::new(options)?;
    let datadir: Option<Value> = connection.query_first("SELECT @@datadir")?;
    let rows: Vec<(Value, Value)> = connection.query("SHOW GLOBAL STATUS LIKE 'wsrep%'")?;
    let rows = rows.into_iter().map(|(name, value)| (text(name), text(value)));
    Ok((datadir.map(text).unwrap_or_default().into(), rows.collect()))
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
