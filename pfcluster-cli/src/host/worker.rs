//! The worker: a process of its own without privileges, which asks one database, or one member's web services, and reads what
//! that sends.
//!
//! Whatever listens there may send what it likes, on this machine too: the worker reads it within limits of memory, time and
//! length, and hands on one JSON document for each question. If it ends, or has to be ended, that answer is lost, and nothing
//! else. Root only makes connections (this machine's server knows its users by the process that connects),
//! and reads the documents.

mod client;

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::{DumpableBehavior, Gid, Resource, Rlimit, Signal, Uid, getrlimit, setrlimit};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use serde::{Deserialize, Serialize};

use self::client::Client;
pub(super) use self::client::authorities;
use super::files::plain;
use super::machine;
use super::webservices::{Request, Response};

/// The only argument of a program that works. What it is to do, and the password, come over its standard output, a socket.
const ARGUMENT: &str = "--ask-a-database";

/// Who the worker is, if root starts it: the first of these users that this machine has.
const USERS: [&str; 2] = ["pfcluster", "nobody"];

/// What a worker may take of memory beside what it has when it starts, in bytes.
const MOST_MEMORY: u64 = 128 << 20;
/// How often a long answer may be in its memory: as it came, as it was read, as it is handed on, and room to grow.
const COPIES: u64 = 6;
/// What it may have of open files: its three, two more of the same, the connection twice, and room.
const MOST_FILES: u64 = 16;
/// The longest request: certificates and a question.
const LONGEST_REQUEST: usize = 1 << 17;
/// The longest answer of a database. A server's status has some ten kilobytes.
const LONGEST_ANSWER: usize = 1 << 18;
/// How long a worker that has nothing to do may take to end by itself.
const LEAVE: Duration = Duration::from_millis(100);

/// What a worker says first: only this version understands what it is asked.
const GREETING: &str = concat!("pfcluster ", env!("CARGO_PKG_VERSION"));

/// How a worker is started: programs to try, in order.
static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();

/// A program that works when it is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its path.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// A `pfcluster`. Whether it is of this version is seen when it starts.
    pub fn at(path: PathBuf) -> Program {
        Program { path, arguments: vec![ARGUMENT.into()] }
    }

    /// The `pfcluster` that is installed; `None` if there is none.
    pub fn installed() -> Option<Program> {
        machine::program("pfcluster").map(Program::at)
    }
}

/// What a statement answers: a text for each column of each row, or `None` for NULL. They are the server's own: not for people.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// What came of statements.
pub(super) type Reply = Result<Vec<Rows>, Failure>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Failure {
    /// No server listens.
    Closed,
    /// The server reports an error.
    Refused {
        /// MariaDB's number for it.
        code: u16,
        /// What it says.
        message: String,
    },
    /// The session has ended, or makes no sense.
    Lost(String),
    /// It does not answer, or not so that more could be asked.
    Silent(String),
    /// The time is over.
    Late,
}

/// Where the database is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// At the other end of the worker's standard input.
    Connected,
    /// At an address, port 3306.
    At {
        /// The address.
        address: Ipv4Addr,
        /// The certificate authority (PEM) that has to vouch for it. With one there is no way around TLS.
        ca: Option<String>,
    },
}

/// What a worker needs to know of a database.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) place: Place,
    pub(super) user: String,
    pub(super) password: Option<String>,
}

/// What a worker is for: questions to a database, or one call of web services.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Job<L = Login, R = Request> {
    Database(L),
    Call(R),
}

#[derive(Serialize, Deserialize)]
struct Question {
    statements: Vec<String>,
    limit: Duration,
}

/// The first thing that a program does which asks databases: if it was started as a worker it works, and this is its exit
/// status. From then on it starts itself again for each worker.
pub fn run_as_worker() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none() {
        return Some(work());
    }
    // What the program was started with may be a secret's descriptor: no worker, nor any other program that is started, gets it.
    close_fds::set_fds_cloexec(3, &[]);
    // Itself, also where its file has been replaced by then.
    start_with(vec![Program::at("/proc/self/exe".into())]);
    None
}

/// Says how workers are started, for a program that can't start itself. What is said first counts.
pub fn start_with(programs: Vec<Program>) {
    let _ = PROGRAMS.set(programs);
}

/// Works until there is no more to do: what a [`Program`] does.
pub fn work() -> ExitCode {
    // There is no place for a message: its standard output is the socket.
    if answer_questions().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn answer_questions() -> io::Result<()> {
    confine()?;
    let channel = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    write_line(&channel, &GREETING)?;
    let mut requests = BufReader::new(channel.try_clone()?);
    match read_line::<Job>(&mut requests)? {
        None => Ok(()),
        Some(Job::Database(login)) => {
            limit_memory(MOST_MEMORY)?;
            answer_of_database(&login, &channel, &mut requests)
        }
        Some(Job::Call(request)) => {
            limit_memory(MOST_MEMORY + COPIES * request.longest())?;
            write_line(&channel, &request.carry_out())
        }
    }
}

fn answer_of_database(login: &Login, channel: &UnixStream, requests: &mut BufReader<UnixStream>) -> io::Result<()> {
    let mut client = None;
    while let Some(question) = read_line::<Question>(requests)? {
        let reply = understood(|| answer(login, &mut client, &question));
        write_line(channel, &reply)?;
        if reply.is_err() {
            // What it would take a leave for is not known.
            return Ok(());
        }
    }
    if let Some(client) = client {
        client.quit();
    }
    Ok(())
}

fn answer(login: &Login, client: &mut Option<Client>, question: &Question) -> Reply {
    let Login { place, user, password } = login;
    let client = match client {
        Some(client) => {
            client.limit(question.limit)?;
            client
        }
        None => client.insert(match place {
            Place::Connected => {
                let connection = io::stdin().as_fd().try_clone_to_owned();
                let connection = connection.map_err(|error| Failure::Silent(plain(&error)))?;
                Client::log_in(UnixStream::from(connection), user, password.as_deref(), question.limit)?
            }
            Place::At { address, ca } => {
                Client::log_in_at(*address, ca.as_deref(), user, password.as_deref(), question.limit)?
            }
        }),
    };
    question.statements.iter().map(|statement| client.ask(statement)).collect()
}

/// `mysql_common` panics at some of what a server can send, a greeting with a challenge of 128 bytes among it: that is an answer which
/// can't be understood, and the last one.
fn understood<T>(ask: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| Err(client::not_understood()))
}

/// What a worker makes of the server at the other end, in this process, and as it is read by the one that waits for it.
#[cfg(feature = "fuzz")]
pub(super) fn answer_here(
    connection: UnixStream,
    (user, password): (&str, Option<&str>),
    statements: &[&str],
    limit: Duration,
) -> serde_json::Result<Reply> {
    let reply: Reply = understood(|| {
        let mut client = Client::log_in(connection, user, password, limit)?;
        statements.iter().map(|statement| client.ask(statement)).collect()
    });
    serde_json::from_slice(&serde_json::to_vec(&reply)?)
}

fn read_line<T: for<'a> Deserialize<'a>>(from: &mut BufReader<UnixStream>) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(LONGEST_REQUEST as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&line)?)) }
}

/// One that does not listen any more is an error, and no signal.
fn write_line(to: &UnixStream, document: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(document)?;
    line.push(b'\n');
    let mut rest = &line[..];
    while !rest.is_empty() {
        match send(to, rest, SendFlags::NOSIGNAL) {
            Ok(length) => rest = &rest[length..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Nothing that it is sent makes it more than it is.
fn confine() -> io::Result<()> {
    leave_root()?;
    // It holds a password: no other process looks into it, and it leaves none in a core dump.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    // It does not outlive who asks.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    for (resource, most) in
        [(Resource::Nofile, MOST_FILES), (Resource::Core, 0), (Resource::Fsize, 0), (Resource::Nproc, 0)]
    {
        limit(resource, most)?;
    }
    Ok(())
}

fn limit_memory(most: u64) -> io::Result<()> {
    limit(Resource::As, own_memory()? + most)
}

/// For ever. It may have less already.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// Where only root may read the program (an interpreter below /root) it starts as root, and is without privileges from here on.
fn leave_root() -> io::Result<()> {
    let Some((user, group)) = user().filter(|_| rustix::process::geteuid().is_root()) else { return Ok(()) };
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads > 1 {
        // The others would keep them.
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    let left = set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user));
    match left {
        // A container whose only user is root. It has its limits all the same.
        Err(Errno::INVAL) => Ok(()),
        left => Ok(left?),
    }
}

/// The number of the user, and of its group, that a worker is.
fn user() -> Option<(u32, u32)> {
    USERS.iter().find_map(|name| machine::user_ids(name))
}

/// The address space of this process, in bytes: an interpreter has more of it than a program.
fn own_memory() -> io::Result<u64> {
    #[expect(clippy::disallowed_methods, reason = "the kernel's")]
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.strip_suffix(" kB")?.trim().parse().ok());
    let size: u64 = size.ok_or(io::ErrorKind::InvalidData)?;
    Ok(size << 10)
}

/// Asks a database once. The answer is there within `limit`, or there is none.
pub(super) fn ask_once(login: &Login, statements: &[&str], limit: Duration) -> Reply {
    let deadline = Instant::now() + limit.mul_f32(MOST_OF);
    let reply = Worker::start(login, None, deadline).and_then(|mut worker| worker.ask(statements, deadline));
    reply.map_err(|failure| failure.within(limit))
}

impl Failure {
    /// With the time that there was, for people.
    pub(super) fn within(self, limit: Duration) -> Failure {
        match self {
            Failure::Late => Failure::Silent(format!("no answer within {} s", limit.as_secs_f32())),
            failure => failure,
        }
    }
}

/// Calls a member's web services. The answer is there within `limit`, or there is none: why, if that is not for lack of time.
pub(super) fn call(request: &Request, limit: Duration) -> Result<Response, Option<String>> {
    let deadline = Instant::now() + limit.mul_f32(MOST_OF);
    let called = Worker::begin(&Job::<Login, _>::Call(request), None, deadline).and_then(|mut worker| {
        // Numbers may become longer, and each byte of a text an escape.
        let longest = usize::try_from(2 * request.longest()).unwrap_or(usize::MAX);
        let line = worker.hear(deadline, longest)?;
        serde_json::from_slice(&line).map_err(|_| Failure::Lost(worker.why_it_ended()))
    });
    called.map_err(|failure| match failure {
        Failure::Silent(why) | Failure::Lost(why) => Some(why),
        Failure::Closed | Failure::Refused { .. } | Failure::Late => None,
    })
}

/// Who waits for an answer until its deadline should still hear why there is none.
pub(super) const MOST_OF: f32 = 0.95;

/// A worker, with its session once it was asked something. It ends with the value.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    channel: UnixStream,
    /// It has answered, and waits for the next question.
    is_idle: bool,
}

impl Worker {
    /// A worker for a database: for the one at the other end of `connection`, if there is one.
    pub(super) fn start(login: &Login, connection: Option<&UnixStream>, deadline: Instant) -> Result<Worker, Failure> {
        Worker::begin(&Job::<_, Request>::Database(login), connection, deadline)
    }

    fn begin(job: &impl Serialize, connection: Option<&UnixStream>, deadline: Instant) -> Result<Worker, Failure> {
        let mut reasons = Vec::new();
        let user = user().filter(|_| rustix::process::geteuid().is_root());
        for program in PROGRAMS.get().into_iter().flatten() {
            for user in user.map(Some).into_iter().chain([None]) {
                let started = Worker::spawn(program, connection, user).map_err(|error| plain(&error));
                match started.and_then(|mut worker| worker.greet(deadline).map(|()| worker)) {
                    Ok(mut worker) => {
                        worker.say(job)?;
                        return Ok(worker);
                    }
                    Err(_) if left(deadline).is_zero() => return Err(Failure::Late),
                    Err(why) => reasons.push(format!("{}: {why}", program.path.display())),
                }
            }
        }
        reasons.dedup();
        let reasons = if reasons.is_empty() { "this program starts none".to_owned() } else { reasons.join(", ") };
        Err(Failure::Silent(format!("there is no process of its own to ask it ({reasons}): install {GREETING}")))
    }

    fn spawn(program: &Program, connection: Option<&UnixStream>, user: Option<(u32, u32)>) -> io::Result<Worker> {
        let (channel, end) = UnixStream::pair()?;
        let input = connection.map(UnixStream::try_clone).transpose()?;
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).env_clear().current_dir("/");
        command.stdin(input.map_or_else(Stdio::null, |connection| OwnedFd::from(connection).into()));
        command.stdout(OwnedFd::from(end)).stderr(Stdio::null());
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        Ok(Worker { child: command.spawn()?, channel, is_idle: false })
    }

    /// Another program, or another version of this one, is not told a password.
    fn greet(&mut self, deadline: Instant) -> Result<(), String> {
        let line = self.hear(deadline, LONGEST_ANSWER).map_err(|failure| match failure {
            Failure::Late => "it does not start in time".to_owned(),
            _ => "it does not start as a worker".to_owned(),
        })?;
        match serde_json::from_slice::<String>(&line) {
            Ok(greeting) if greeting == GREETING => Ok(()),
            _ => Err(format!("it is not {GREETING}")),
        }
    }

    /// The answers to these statements, in one session with those of before.
    pub(super) fn ask(&mut self, statements: &[&str], deadline: Instant) -> Reply {
        let statements = statements.iter().map(|&statement| statement.to_owned()).collect();
        self.is_idle = false;
        self.say(&Question { statements, limit: left(deadline) })?;
        let line = self.hear(deadline, LONGEST_ANSWER)?;
        self.is_idle = true;
        serde_json::from_slice(&line).unwrap_or_else(|_| Err(Failure::Lost(self.why_it_ended())))
    }

    fn say(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        // Both lines fit into the socket: no worker can hold this up.
        write_line(&self.channel, document).map_err(|_| Failure::Lost(self.why_it_ended()))
    }

    /// The next line.
    fn hear(&mut self, deadline: Instant, longest: usize) -> Result<Vec<u8>, Failure> {
        let mut line = Vec::new();
        let mut buffer = [0; 1 << 14];
        loop {
            let wait = left(deadline);
            if wait.is_zero() {
                return Err(Failure::Late);
            }
            let wait = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.channel, PollFlags::IN)], Some(&wait)) {
                Ok(0) | Err(Errno::INTR) => continue,
                polled => polled.map_err(|error| Failure::Lost(plain(&error.into())))?,
            };
            match (&self.channel).read(&mut buffer) {
                Ok(0) | Err(_) => return Err(Failure::Lost(self.why_it_ended())),
                Ok(length) => line.extend_from_slice(&buffer[..length]),
            }
            // It says one line to each that it hears.
            if line.last() == Some(&b'\n') {
                return Ok(line);
            }
            if line.len() > longest {
                return Err(too_long());
            }
        }
    }

    /// Of one that has said nothing that could be understood.
    fn why_it_ended(&mut self) -> String {
        // One that has only closed its socket would be waited for without end; of one that has ended, this changes nothing.
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) if status.signal().is_some() => {
                "what it sends is more than can be taken: the process that asked it was ended".to_owned()
            }
            _ => "what it sends can't be understood: the process that asked it gave up".to_owned(),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.is_idle && self.channel.shutdown(std::net::Shutdown::Write).is_ok() {
            // It takes leave of the server.
            let wait = Timespec { tv_sec: 0, tv_nsec: LEAVE.subsec_nanos().into() };
            let _ = poll(&mut [PollFd::new(&self.channel, PollFlags::IN)], Some(&wait));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn too_long() -> Failure {
    Failure::Silent(format!("its answer is longer than {} KiB", LONGEST_ANSWER >> 10))
}
