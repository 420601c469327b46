//! The worker: this program once more, in a process of its own, which asks one database of another machine and is gone.
//!
//! Whatever listens there may send what it likes: the worker reads it without privileges and within limits of memory, time and
//! length, and hands on one JSON document. If it ends, or has to be ended, the answer is lost, and nothing else.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddrV4;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::files::plain;
use super::machine;
use super::mariadb::{Account, Answer, clock_here, status_here, variables_here};

/// The only argument of a worker. The request comes to its standard input: nobody else sees the password.
const ARGUMENT: &str = "--ask-a-database";

/// Who the worker is, if root starts it: the first of these users that this machine has.
const USERS: [&str; 2] = ["pfcluster", "nobody"];

/// What a worker may have of memory, in bytes.
const MOST_MEMORY: u64 = 128 << 20;
/// What it may have of open files: its three, the connection, and room.
const MOST_FILES: u64 = 16;
/// The longest request, which fits into a pipe: writing it waits for nobody.
const LONGEST_REQUEST: usize = 1 << 15;
/// The longest answer. A server's status has some ten kilobytes.
const LONGEST_ANSWER: usize = 1 << 18;

/// True in a program that [`run_as_worker`] has seen: only that can start itself as a worker.
static CAN_START_ITSELF: OnceLock<()> = OnceLock::new();

/// What a database is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// Its status.
    Status,
    /// Its variables of these names.
    Variables(Vec<String>),
    /// Its clock.
    Clock,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) server: SocketAddrV4,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) limit: Duration,
    pub(super) question: Question,
}

/// What came of a question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// To [`Question::Status`].
    Status(Answer),
    /// To [`Question::Variables`].
    Variables(Result<Vec<(String, String)>, String>),
    /// To [`Question::Clock`].
    Clock(Result<i64, String>),
}

impl Request {
    /// In this process.
    pub(super) fn carry_out(self) -> Reply {
        let Request { server, user, password, limit, question } = self;
        let account = Account { user, password };
        match question {
            Question::Status => Reply::Status(status_here(server, &account, limit)),
            Question::Variables(names) => Reply::Variables(variables_here(server, &account, &names, limit)),
            Question::Clock => Reply::Clock(clock_here(server, &account, limit)),
        }
    }
}

/// The first thing that a program does which asks other machines' databases: if it was started as a worker it works, and this
/// is its exit status. A program that does not call this (another one that has this library) asks in its own process.
pub fn run_as_worker() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != ARGUMENT) || arguments.next().is_some() {
        // Twice is once.
        let _ = CAN_START_ITSELF.set(());
        return None;
    }
    Some(match work() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads what it would say.
        Err(_) => ExitCode::FAILURE,
    })
}

fn work() -> io::Result<()> {
    confine()?;
    let mut request = Vec::new();
    io::stdin().take(LONGEST_REQUEST as u64).read_to_end(&mut request)?;
    let request: Request = serde_json::from_slice(&request)?;
    let answer = serde_json::to_vec(&request.carry_out())?;
    io::stdout().write_all(&answer)
}

/// Nothing that it is sent makes it more than it is.
fn confine() -> io::Result<()> {
    // It holds a password: nobody looks into it, and it leaves none in a core dump.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    // It does not outlive who asks.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let limits = [
        (Resource::As, MOST_MEMORY),
        (Resource::Nofile, MOST_FILES),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
    ];
    for (resource, most) in limits {
        // It may have less already.
        let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Asks the database at an address and port. The answer is there within `limit`, or there is none.
pub(super) fn ask(
    server: SocketAddrV4,
    account: &Account,
    question: Question,
    limit: Duration,
) -> Result<Reply, String> {
    let Account { user, password } = account.clone();
    let request = Request { server, user, password, limit, question };
    if CAN_START_ITSELF.get().is_none() {
        return Ok(request.carry_out());
    }
    // Who waits for the answer should still hear why there is none, and leave no process behind.
    let deadline = Instant::now() + limit.mul_f32(0.95);
    let failed = |error: &io::Error| format!("no process of its own to ask it: {}", plain(error));
    let mut worker = Worker::start().map_err(|error| failed(&error))?;
    worker.hand_over(&request).map_err(|error| failed(&error))?;
    let answer = worker.hear(deadline).map_err(|error| failed(&error))?;
    match answer {
        Heard::All(bytes) => serde_json::from_slice(&bytes).map_err(|_| worker.why_it_ended()),
        Heard::TooMuch => Err(format!("its answer is longer than {} KiB", LONGEST_ANSWER >> 10)),
        Heard::TooLate => Err(format!("no answer within {} s", limit.as_secs_f32())),
    }
}

/// A worker at work. It ends with the value.
struct Worker(Child);

enum Heard {
    All(Vec<u8>),
    TooMuch,
    TooLate,
}

impl Worker {
    fn start() -> io::Result<Worker> {
        let command = || {
            // Itself, also where its file has been replaced by then.
            let mut command = Command::new("/proc/self/exe");
            command.arg(ARGUMENT).env_clear().current_dir("/");
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            command
        };
        let user = USERS.iter().find_map(|name| machine::user_ids(name));
        if rustix::process::geteuid().is_root()
            && let Some((user, group)) = user
        {
            match command().uid(user).gid(group).spawn() {
                // A container whose only user is root. It has its limits all the same.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                started => return started.map(Worker),
            }
        }
        command().spawn().map(Worker)
    }

    fn hand_over(&mut self, request: &Request) -> io::Result<()> {
        let bytes = serde_json::to_vec(request)?;
        if bytes.len() > LONGEST_REQUEST {
            return Err(io::Error::other("the user's name or password is too long"));
        }
        let mut input = self.0.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        match input.write_all(&bytes) {
            // Why it is gone is known when it is waited for.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    fn hear(&mut self, deadline: Instant) -> io::Result<Heard> {
        let mut output: ChildStdout = self.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Heard::TooLate);
            }
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&output, PollFlags::IN)], Some(&left)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                polled => polled?,
            };
            match output.read(&mut buffer)? {
                0 => return Ok(Heard::All(heard)),
                length => heard.extend_from_slice(&buffer[..length]),
            }
            if heard.len() > LONGEST_ANSWER {
                return Ok(Heard::TooMuch);
            }
        }
    }

    /// Of one that has said nothing that could be understood.
    fn why_it_ended(&mut self) -> String {
        match self.0.wait() {
            Ok(status) if status.signal().is_some() => {
                "what it sends is more than can be taken: the process that asked it was ended".to_owned()
            }
            _ => "what it sends can't be understood: the process that asked it gave up".to_owned(),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended by itself is only waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
