//! The supervisor's socket: `/run/pfcluster/supervise.sock`, in a directory that only root may enter. One line of JSON asks, all
//! that comes back is the answer.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::HostError;
use crate::host::files::plain;
use crate::host::install::failed;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What it knows and does.
    Status {
        /// For programs, not for people.
        json: bool,
    },
    /// The evidence of all members that it has, as one document.
    Evidence,
    /// Give it the operator's word.
    Allow {
        /// What is said.
        word: Word,
    },
    /// Accept the key that is shown in the name of a member, in place of the pinned one.
    Accept {
        /// The member.
        member: String,
        /// The id of the key.
        key: String,
    },
    /// Forget the key that is pinned for a host.
    Forget {
        /// The host.
        host: String,
    },
}

/// The operator's word. Members are named as in cluster.conf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case", deny_unknown_fields)]
pub enum Word {
    /// These members are lost.
    AssumeLost {
        /// Which.
        members: Vec<String>,
    },
    /// The data of this member are given up.
    Discard {
        /// Which.
        member: String,
    },
    /// The data of this member begin a new history.
    Seed {
        /// Which.
        member: String,
    },
    /// The recovered position of this member counts, although its grastate.dat has the zero UUID, is torn or is missing.
    Trust {
        /// Which.
        member: String,
    },
    /// The database process of this member is ended, although it may be serving clients.
    End {
        /// Which.
        member: String,
    },
    /// The member that ran without Galera has the data to keep.
    Standalone,
}

/// How long a question and its answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A question is shorter than this.
const LONGEST: u64 = 1 << 16;

/// The socket in a run directory.
pub fn path(run: &Path) -> PathBuf {
    run.join("supervise.sock")
}

/// Asks the supervisor of this machine. `None`: there is none.
///
/// # Errors
/// [`HostError`] if it does not answer, or may not be asked.
pub fn ask(run: &Path, request: &Request) -> Result<Option<String>, HostError> {
    let path = path(run);
    let fail = |error: &io::Error| HostError::Read {
        path: path.clone(),
        reason: plain(error),
        help: match error.kind() {
            io::ErrorKind::PermissionDenied => "run it as root".to_owned(),
            _ => "see whether the supervisor is well: `systemctl status packetfence-mariadb`".to_owned(),
        },
    };
    let mut stream = match UnixStream::connect(&path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        stream => stream.map_err(|error| fail(&error))?,
    };
    if trusted_user(&stream).map_err(|error| fail(&error))?.is_none() {
        return Err(HostError::Read {
            path: path.clone(),
            reason: "whoever listens there is not root".to_owned(),
            help: format!("remove {}, and start the supervisor again", run.display()),
        });
    }
    let mut talk = || -> io::Result<String> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        writeln!(stream, "{}", serde_json::to_string(request)?)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    talk().map(Some).map_err(|error| fail(&error))
}

/// Listens. `answer` is called for each question, in a thread of its own, with the number of the user who asks.
///
/// # Errors
/// [`HostError::Write`] if the socket can't be made.
#[expect(clippy::disallowed_methods, reason = "the run directory is root's alone, which was seen before")]
pub(super) fn listen(
    run: &Path,
    answer: impl Fn(Request, u32) -> Option<String> + Clone + Send + 'static,
) -> Result<(), HostError> {
    let path = path(run);
    // The lock is ours: whoever made it is gone.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path)(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed(&path))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Whoever does not listen gets no answer.
            thread::spawn(move || drop(serve(&stream, &answer)));
        }
    });
    Ok(())
}

/// The number of the user at the other end, if that is root or the user that runs this.
fn trusted_user(stream: &UnixStream) -> io::Result<Option<u32>> {
    let user = rustix::net::sockopt::socket_peercred(stream)?.uid;
    Ok((user.is_root() || user == rustix::process::geteuid()).then(|| user.as_raw()))
}

fn serve(mut stream: &UnixStream, answer: &impl Fn(Request, u32) -> Option<String>) -> io::Result<()> {
    let Some(user) = trusted_user(stream)? else { return Ok(()) };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(request, user),
        Err(error) => {
            Some(crate::documents::error("usage", &format!("this is no question: {error}"), "see `pfcluster --help`"))
        }
    };
    stream.write_all(answer.unwrap_or_default().as_bytes())
}
