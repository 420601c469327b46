//! Write load, and a ledger of what was acknowledged. A writer inserts one row after the other and notes, before and
//! after each, what it did and what it was told. Whatever happens to the databases, the ledger stays.
//!
//! ```text
//! ? ID MILLISECONDS     about to be inserted
//! + ID MILLISECONDS     acknowledged
//! - ID CODE             refused: it is not there
//! ~ ID WHY              no answer, or one that tells nothing: it may be there
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mysql::Conn;
use mysql::prelude::Queryable as _;

use super::database::{options, options_to};
use super::error::{LabError, Result};
use super::host::Host;
use super::network;

/// Through what a writer reaches a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// The host's own database.
    Socket,
    /// An address, seen from the host: a VIP, HAProxy on 127.0.0.1.
    Address(Ipv4Addr, u16),
}

impl FromStr for To {
    type Err = LabError;

    fn from_str(text: &str) -> Result<To> {
        if text == "socket" {
            return Ok(To::Socket);
        }
        let (address, port) = text.split_once(':').unwrap_or((text, "3306"));
        let wrong = || LabError(format!("`{text}` is neither `socket` nor ADDRESS[:PORT]"));
        Ok(To::Address(address.parse().map_err(|_| wrong())?, port.parse().map_err(|_| wrong())?))
    }
}

/// Everything that a writer needs to know.
#[derive(Clone, Debug)]
pub struct Job {
    host: String,
    number: usize,
    namespace: String,
    socket: String,
    to: To,
    ledger: PathBuf,
    /// Between two rows.
    pause: Duration,
}

/// A writer in the background; it ends when this is dropped.
#[derive(Debug)]
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The server has refused the row: it is not there. After every other error it may be.
const REFUSED: [u16; 9] = [1040, 1047, 1062, 1146, 1205, 1213, 1290, 1836, 1049];

impl Job {
    /// A writer on a host.
    pub fn new(host: &Host, to: To, ledgers: &Path, pause: Duration) -> Job {
        Job {
            host: host.plan.name.clone(),
            number: host.plan.number,
            namespace: host.network().namespace(&host.plan),
            socket: host.socket(),
            to,
            ledger: ledgers.join(&host.plan.name),
            pause,
        }
    }

    /// In the background of this process.
    pub fn start(self) -> Writer {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            self.write(&seen).unwrap_or_else(|error| eprintln!("the writer of {} has ended: {error}", self.host));
        });
        Writer { stop, thread: Some(thread) }
    }

    /// Writes until told to stop.
    ///
    /// # Errors
    /// If the ledger can't be written.
    pub fn write(&self, stop: &AtomicBool) -> Result {
        let earlier = fs::read_to_string(&self.ledger).unwrap_or_default();
        let mut count = earlier.lines().filter(|line| line.starts_with('?')).count();
        let mut ledger = fs::File::options().append(true).create(true).open(&self.ledger)?;
        let mut connection = None;
        while !stop.load(Ordering::Relaxed) {
            let Some(to) = connection.as_mut() else {
                connection = self.connect().ok();
                std::thread::sleep(Duration::from_millis(if connection.is_some() { 0 } else { 100 }));
                continue;
            };
            count += 1;
            let id = (self.number as u64 + 1) * 1_000_000_000 + count as u64;
            writeln!(ledger, "? {id} {}", milliseconds())?;
            match to.query_drop(format!("INSERT INTO lab.commits VALUES ({id}, '{}')", self.host)) {
                Ok(()) => writeln!(ledger, "+ {id} {}", milliseconds())?,
                Err(mysql::Error::MySqlError(error)) => {
                    let sign = if REFUSED.contains(&error.code) { '-' } else { '~' };
                    writeln!(ledger, "{sign} {id} {} {}", error.code, error.message.replace('\n', " "))?;
                    // Without service a new connection may lead to a member that has it.
                    connection = None;
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => {
                    writeln!(ledger, "~ {id} {}", error.to_string().replace('\n', " "))?;
                    connection = None;
                }
            }
            std::thread::sleep(self.pause);
        }
        Ok(())
    }

    fn connect(&self) -> Result<Conn> {
        let options = match self.to {
            To::Socket => options().socket(Some(self.socket.clone())),
            To::Address(address, port) => {
                // This thread goes into the host's network. A host that was started again has a new one.
                network::enter(&self.namespace)?;
                options_to(address, port)
            }
        };
        Ok(Conn::new(options)?)
    }
}

impl Writer {
    /// Lets it finish the row it is at.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

fn milliseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

/// What the ledgers and the members say.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Rows that were acknowledged.
    pub acknowledged: usize,
    /// Rows that were refused.
    pub refused: usize,
    /// Rows without an answer, and how many of them are there.
    pub unknown: (usize, usize),
    /// Acknowledged, and not there.
    pub missing: Vec<u64>,
    /// When the first of these was acknowledged.
    pub first_missing: Option<SystemTime>,
    /// Refused, and there.
    pub refused_but_there: Vec<u64>,
    /// For each member: its rows and what its tables add up to.
    pub members: BTreeMap<String, (u64, String)>,
    /// The longest time between two acknowledgements of a writer.
    pub longest_gap: Duration,
}

impl Verdict {
    /// Reads the ledgers, asks the members.
    ///
    /// # Errors
    /// If a member does not answer.
    pub fn find(ledgers: &Path, members: &[&Host]) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        let mut there = Vec::new();
        for (number, host) in members.iter().enumerate() {
            let tables = host.query("SELECT CONCAT('lab.', table_name) FROM information_schema.tables WHERE table_schema = 'lab' ORDER BY table_name")?;
            // On a primary member: all that was committed anywhere before now.
            host.query("SET wsrep_sync_wait = 1; SELECT 1 FROM lab.commits LIMIT 1")?;
            let sums = host.query(&format!("CHECKSUM TABLE {}", tables.join(", ")))?;
            let rows = host.query("SELECT COUNT(*) FROM lab.commits")?;
            let rows = rows.first().and_then(|row| row.parse().ok()).unwrap_or_default();
            verdict.members.insert(host.name().to_owned(), (rows, sums.join("; ").replace('\t', " ")));
            if number == 0 {
                there = host.query("SELECT id FROM lab.commits")?.iter().filter_map(|id| id.parse().ok()).collect();
                there.sort_unstable();
            }
        }
        for entry in fs::read_dir(ledgers)?.flatten() {
            if entry.path().extension().is_none() {
                verdict.read(&fs::read_to_string(entry.path())?, &there);
            }
        }
        Ok(verdict)
    }

    fn read(&mut self, ledger: &str, there: &[u64]) {
        let (mut open, mut last) = (Vec::new(), None);
        let is_there = |id: u64| there.binary_search(&id).is_ok();
        for line in ledger.lines() {
            let mut words = line.split(' ');
            let (Some(sign), Some(id)) = (words.next(), words.next().and_then(|id| id.parse().ok())) else { continue };
            if sign == "?" {
                open.push(id);
                continue;
            }
            open.retain(|other| *other != id);
            match sign {
                "+" => {
                    self.acknowledged += 1;
                    let now = words.next().and_then(|time| time.parse::<u64>().ok());
                    if !is_there(id) {
                        self.missing.push(id);
                        let when = now.map(|now| UNIX_EPOCH + Duration::from_millis(now));
                        self.first_missing = [self.first_missing, when].into_iter().flatten().min();
                    }
                    if let Some(now) = now {
                        let gap = Duration::from_millis(now.saturating_sub(last.unwrap_or(now)));
                        self.longest_gap = self.longest_gap.max(gap);
                        last = Some(now);
                    }
                }
                "-" => {
                    self.refused += 1;
                    if is_there(id) {
                        self.refused_but_there.push(id);
                    }
                }
                _ => open.push(id),
            }
        }
        self.unknown.0 += open.len();
        self.unknown.1 += open.iter().filter(|id| is_there(**id)).count();
    }

    /// True if all members hold the same.
    pub fn is_alike(&self) -> bool {
        let mut sums = self.members.values();
        sums.next().is_none_or(|first| sums.all(|other| other == first))
    }

    /// True if nothing acknowledged is missing, nothing refused is there, and all members hold the same.
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.refused_but_there.is_empty() && self.is_alike()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unknown, of_them) = self.unknown;
        write!(f, "{} acknowledged, {} missing", self.acknowledged, self.missing.len())?;
        if let (Some(first), Some(last)) = (self.missing.first(), self.missing.last()) {
            write!(f, " ({first} to {last})")?;
        }
        write!(f, "; {} refused, {} of them there", self.refused, self.refused_but_there.len())?;
        write!(f, "; {unknown} without answer, {of_them} of them there; longest gap {:?}", self.longest_gap)?;
        write!(f, "; members {}", if self.is_alike() { "alike" } else { "DIFFERENT" })?;
        self.members.iter().try_for_each(|(name, (rows, sums))| write!(f, "\n  {name}: {rows} rows; {sums}"))
    }
}
