//! The content of a message as it travels: members by their places in cluster.conf, numbers in as few bytes as they need.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::key::{KeyId, KeyIds};
use super::local::{Backup, LastBackup};
use super::message::Names;
use super::overrides::{Origin, Saying, Spoken};
use crate::cluster::Hostname;
use crate::galera::{
    self, CleanStop, ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Position, Process,
    Records, Recovered, Running, Seqno, StartFailures, Uuid, ViewId, ViewRecord,
};
use crate::printable::printable;

#[derive(Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) run: u64,
    pub(super) number: u64,
    pub(super) nonce: u64,
    pub(super) echo: Option<u64>,
    pub(super) content: Content,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Content {
    /// Of whoever wrote this. Places mean something only if the reader has the same.
    members_hash: String,
    evidence: Option<Sent>,
    /// Milliseconds.
    age: u32,
    words: Vec<WordSent>,
    /// Virtual addresses, and seconds.
    held: Option<Vec<([u8; 4], u32)>>,
    backup: BackupSent,
    keys: Option<([u8; 4], Option<[u8; 4]>)>,
}

#[derive(Serialize, Deserialize)]
struct Sent {
    process: ProcessSent,
    files: Option<FilesSent>,
    maintenance: bool,
    arbitrator: bool,
    disabled: Places,
}

#[derive(Serialize, Deserialize)]
enum ProcessSent {
    Stopped,
    Starting,
    Bootstrapping,
    NotResponding,
    Running {
        uuid: Bytes,
        status: u8,
        state: u8,
        size: u32,
        last_committed: i64,
        sees: Places,
        sees_others: Vec<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another file")]
struct FilesSent {
    grastate: FoundSent<(Bytes, i64, Option<bool>)>,
    gvwstate: FoundSent<(Bytes, Bytes, u32, bool, Vec<Bytes>)>,
    recovered: RecoveredSent,
    sst_marker: bool,
    unsynced_transfer: bool,
    datadir_empty: bool,
    last_recorded: Option<(Bytes, i64)>,
    view: Option<(Bytes, u32, Bytes, i64, Option<u32>)>,
    clean: Option<(Bytes, i64, bool)>,
    forks: Vec<(u64, Bytes, i64)>,
    ran_standalone: bool,
    supervised: Places,
    start_failures: (u8, String),
}

#[derive(Serialize, Deserialize)]
enum FoundSent<T> {
    Absent,
    Torn(String),
    Read(T),
}

#[derive(Serialize, Deserialize)]
enum RecoveredSent {
    NotRun,
    Failed(String),
    NoHistory,
    At(Bytes, i64),
}

/// Its file, and seconds since 1970.
#[derive(Serialize, Deserialize)]
enum BackupSent {
    Unknown,
    Never,
    Made(String, u64),
}

#[derive(Serialize, Deserialize)]
struct WordSent {
    id: u64,
    seconds: u16,
    /// The user of the sender's machine who gave it.
    user: Option<u32>,
    saying: u8,
    hosts: Places,
}

/// A UUID. As a number in base 128 it would be longer.
type Bytes = [u8; 16];

/// Members: bit n is the n-th of cluster.conf.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Places(u64);

impl Places {
    /// `None` if one of them comes too late in cluster.conf. Who is not there is left out.
    fn new<'h>(hosts: impl IntoIterator<Item = &'h Hostname>, names: &Names) -> Option<Places> {
        let mut bits = 0u64;
        for host in hosts {
            if let Some(place) = names.hosts.iter().position(|other| other == host) {
                bits |= 1u64.checked_shl(u32::try_from(place).ok()?)?;
            }
        }
        Some(Places(bits))
    }

    /// In the order of cluster.conf; `None` if there are not so many.
    fn hosts(self, names: &Names) -> Option<Vec<Hostname>> {
        let highest = usize::try_from(u64::BITS - self.0.leading_zeros()).ok()?;
        let is_in = |(place, host): (usize, &Hostname)| (self.0 >> place & 1 == 1).then(|| host.clone());
        (highest <= names.hosts.len()).then(|| names.hosts.iter().take(64).enumerate().filter_map(is_in).collect())
    }
}

/// What a person wrote or a program said is cut here: a message has little room.
const LONGEST_TEXT: usize = 60;
/// How many strangers are named.
const MOST_STRANGERS: usize = 4;

fn cut(text: &str) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST_TEXT).last();
    text[..end.unwrap_or(0)].to_owned()
}

/// A text of another member: nothing in it acts on a terminal or a log.
fn heard(text: &str) -> Box<str> {
    printable(cut(text).as_bytes()).into()
}

fn bytes(uuid: Uuid) -> Bytes {
    uuid.as_u128().to_be_bytes()
}

fn uuid(bytes: Bytes) -> Uuid {
    Uuid::from_u128(u128::from_be_bytes(bytes))
}

impl Content {
    /// `None` if there are more members than places.
    pub(super) fn new(content: &super::Content, names: &Names) -> Option<Content> {
        let word = |word: &Spoken| {
            let (saying, hosts) = saying_sent(&word.saying);
            let seconds = u16::try_from(word.left.as_secs()).unwrap_or(u16::MAX);
            let user = word.origin.user;
            Some(WordSent { id: word.id, seconds, user, saying, hosts: Places::new(hosts, names)? })
        };
        Some(Content {
            members_hash: names.hash.to_string(),
            evidence: match &content.evidence {
                Some(evidence) => Some(Sent::new(evidence, names)?),
                None => None,
            },
            age: u32::try_from(content.age.as_millis()).unwrap_or(u32::MAX),
            words: content.words.iter().map(word).collect::<Option<_>>()?,
            held: content.held.as_ref().map(|held| held.iter().map(held_sent).collect()),
            backup: BackupSent::new(&content.backup),
            keys: content.keys.map(|ids| (ids.current.bytes(), ids.next.map(KeyId::bytes))),
        })
    }

    /// `None` if it makes no sense. Of a sender that has other members only that is known.
    pub(super) fn read(self, from: &Hostname, names: &Names) -> Option<super::Content> {
        let key_ids = |(current, next): ([u8; 4], Option<[u8; 4]>)| KeyIds {
            current: KeyId::new(current),
            next: next.map(KeyId::new),
        };
        let keys = self.keys.map(key_ids);
        if *self.members_hash != *names.hash {
            let evidence = Evidence {
                process: Process::Starting,
                files: None,
                maintenance: false,
                arbitrator: false,
                disabled: Vec::new(),
                members_hash: Some(heard(&self.members_hash)),
            };
            return Some(super::Content { evidence: Some(evidence), keys, ..super::Content::default() });
        }
        let word = |word: WordSent| {
            let saying = saying_read(word.saying, word.hosts.hosts(names)?)?;
            let origin = Origin { member: from.clone(), user: word.user };
            Some(Spoken { id: word.id, saying, origin, left: Duration::from_secs(word.seconds.into()) })
        };
        Some(super::Content {
            evidence: match self.evidence {
                Some(told) => Some(told.read(names)?),
                None => None,
            },
            age: Duration::from_millis(self.age.into()),
            words: self.words.into_iter().map(word).collect::<Option<_>>()?,
            held: self.held.map(|held| held.into_iter().map(held_read).collect()),
            backup: self.backup.read(),
            keys,
        })
    }
}

impl Sent {
    fn new(evidence: &Evidence, names: &Names) -> Option<Sent> {
        Some(Sent {
            process: match &evidence.process {
                Process::Stopped => ProcessSent::Stopped,
                Process::Starting => ProcessSent::Starting,
                Process::Bootstrapping => ProcessSent::Bootstrapping,
                Process::NotResponding => ProcessSent::NotResponding,
                Process::Running(running) => ProcessSent::Running {
                    uuid: bytes(running.uuid),
                    status: running.status as u8,
                    state: running.state as u8,
                    size: running.size,
                    last_committed: running.last_committed,
                    sees: Places::new(&running.sees, names)?,
                    sees_others: running.sees_others.iter().take(MOST_STRANGERS).map(|other| cut(other)).collect(),
                },
            },
            files: match &evidence.files {
                Some(files) => Some(FilesSent::new(files, names)?),
                None => None,
            },
            maintenance: evidence.maintenance,
            arbitrator: evidence.arbitrator,
            disabled: Places::new(&evidence.disabled, names)?,
        })
    }

    fn read(self, names: &Names) -> Option<Evidence> {
        Some(Evidence {
            process: match self.process {
                ProcessSent::Stopped => Process::Stopped,
                ProcessSent::Starting => Process::Starting,
                ProcessSent::Bootstrapping => Process::Bootstrapping,
                ProcessSent::NotResponding => Process::NotResponding,
                ProcessSent::Running { uuid: history, status, state, size, last_committed, sees, sees_others } => {
                    Process::Running(Running {
                        uuid: uuid(history),
                        status: status_read(status)?,
                        state: state_read(state)?,
                        size,
                        last_committed: Some(last_committed).filter(|seqno| *seqno >= -1)?,
                        sees: sees.hosts(names)?,
                        sees_others: sees_others.iter().map(|other| heard(other)).collect(),
                    })
                }
            },
            files: match self.files {
                Some(files) => Some(files.read(names)?),
                None => None,
            },
            maintenance: self.maintenance,
            arbitrator: self.arbitrator,
            disabled: self.disabled.hosts(names)?,
            members_hash: Some(names.hash.clone()),
        })
    }
}

impl FilesSent {
    fn new(files: &Files, names: &Names) -> Option<FilesSent> {
        let records = &files.records;
        let at = |position: Position| (bytes(position.uuid()), position.seqno().get());
        Some(FilesSent {
            grastate: found(&files.grastate, |grastate| {
                (bytes(grastate.uuid), grastate.seqno, grastate.safe_to_bootstrap)
            }),
            gvwstate: found(&files.gvwstate, |own| {
                let members = own.members.iter().copied().map(bytes).collect();
                (bytes(own.my_uuid), bytes(own.view.uuid), own.view.seq, own.bootstrap, members)
            }),
            recovered: match &files.recovered {
                Recovered::NotRun => RecoveredSent::NotRun,
                Recovered::Failed(why) => RecoveredSent::Failed(cut(why)),
                Recovered::NoHistory => RecoveredSent::NoHistory,
                Recovered::At(position) => RecoveredSent::At(bytes(position.uuid()), position.seqno().get()),
            },
            sst_marker: files.sst_marker,
            unsynced_transfer: files.unsynced_transfer,
            datadir_empty: files.datadir_empty,
            last_recorded: records.last_recorded.map(at),
            clean: records.clean.map(|clean| (at(clean.position).0, at(clean.position).1, clean.last)),
            view: records.view.map(|record| {
                let ViewRecord { view, uuid, floor, size } = record;
                (bytes(view.uuid), view.seq, bytes(uuid), floor.get(), size)
            }),
            forks: records.forks.iter().map(|fork| (fork.id, at(fork.at).0, at(fork.at).1)).collect(),
            ran_standalone: records.ran_standalone,
            supervised: Places::new(&records.supervised, names)?,
            start_failures: (records.start_failures.count, cut(&records.start_failures.why)),
        })
    }

    fn read(self, names: &Names) -> Option<Files> {
        let fork =
            |(id, history, seqno): (u64, Bytes, i64)| Some(Fork { id, at: Position::new(uuid(history), seqno)? });
        let (count, why) = self.start_failures;
        Some(Files {
            grastate: read(self.grastate, |(history, seqno, safe_to_bootstrap)| {
                (seqno >= -1).then(|| Grastate { uuid: uuid(history), seqno, safe_to_bootstrap })
            })?,
            gvwstate: read(self.gvwstate, |(my_uuid, view, seq, bootstrap, members)| {
                let members: Vec<Uuid> = members.into_iter().map(uuid).collect();
                let is_set = !members.is_empty() && members.is_sorted_by(|one, other| one < other);
                let view = ViewId { uuid: uuid(view), seq };
                is_set.then(|| Gvwstate { my_uuid: uuid(my_uuid), view, bootstrap, members })
            })?,
            recovered: match self.recovered {
                RecoveredSent::NotRun => Recovered::NotRun,
                RecoveredSent::Failed(why) => Recovered::Failed(heard(&why)),
                RecoveredSent::NoHistory => Recovered::NoHistory,
                RecoveredSent::At(history, seqno) => Recovered::At(Position::new(uuid(history), seqno)?),
            },
            sst_marker: self.sst_marker,
            unsynced_transfer: self.unsynced_transfer,
            datadir_empty: self.datadir_empty,
            records: Records {
                last_recorded: match self.last_recorded {
                    Some((history, seqno)) => Some(Position::new(uuid(history), seqno)?),
                    None => None,
                },
                view: match self.view {
                    Some((view, seq, history, floor, size)) => {
                        let view = ViewId { uuid: uuid(view), seq };
                        Some(ViewRecord { view, uuid: uuid(history), floor: Seqno::new(floor)?, size })
                    }
                    None => None,
                },
                clean: match self.clean {
                    Some((history, seqno, last)) => {
                        Some(CleanStop { position: Position::new(uuid(history), seqno)?, last })
                    }
                    None => None,
                },
                forks: self.forks.into_iter().map(fork).collect::<Option<_>>()?,
                ran_standalone: self.ran_standalone,
                supervised: self.supervised.hosts(names)?,
                start_failures: StartFailures { count, why: heard(&why) },
                joined_in_boot: None,
            },
        })
    }
}

impl BackupSent {
    fn new(last: &LastBackup) -> BackupSent {
        match last {
            LastBackup::Unknown => BackupSent::Unknown,
            LastBackup::Never => BackupSent::Never,
            LastBackup::Made(Backup { file, time }) => BackupSent::Made(file.clone(), *time),
        }
    }

    fn read(self) -> LastBackup {
        match self {
            BackupSent::Unknown => LastBackup::Unknown,
            BackupSent::Never => LastBackup::Never,
            BackupSent::Made(file, time) => LastBackup::Made(Backup { file: printable(file.as_bytes()), time }),
        }
    }
}

fn found<T, U>(found: &Found<T>, told: impl Fn(&T) -> U) -> FoundSent<U> {
    match found {
        Found::Absent => FoundSent::Absent,
        Found::Torn(why) => FoundSent::Torn(cut(why)),
        Found::Read(value) => FoundSent::Read(told(value)),
    }
}

fn read<T, U>(told: FoundSent<T>, value: impl Fn(T) -> Option<U>) -> Option<Found<U>> {
    Some(match told {
        FoundSent::Absent => Found::Absent,
        FoundSent::Torn(why) => Found::Torn(heard(&why)),
        FoundSent::Read(read) => Found::Read(value(read)?),
    })
}

fn held_sent((vip, held): &(Ipv4Addr, Duration)) -> ([u8; 4], u32) {
    (vip.octets(), u32::try_from(held.as_secs()).unwrap_or(u32::MAX))
}

fn held_read((vip, seconds): ([u8; 4], u32)) -> (Ipv4Addr, Duration) {
    (Ipv4Addr::from(vip), Duration::from_secs(seconds.into()))
}

fn status_read(number: u8) -> Option<ClusterStatus> {
    [ClusterStatus::Primary, ClusterStatus::NonPrimary, ClusterStatus::Disconnected].get(usize::from(number)).copied()
}

fn state_read(number: u8) -> Option<LocalState> {
    use galera::LocalState::{Donor, Inconsistent, Initialized, Joined, Joining, Synced};
    [Initialized, Joining, Donor, Joined, Synced, Inconsistent].get(usize::from(number)).copied()
}

fn saying_sent(saying: &Saying) -> (u8, &[Hostname]) {
    match saying {
        Saying::AssumeLost(hosts) => (0, hosts),
        Saying::Discard(host) => (1, std::slice::from_ref(host)),
        Saying::Seed(host) => (2, std::slice::from_ref(host)),
        Saying::Standalone => (3, &[]),
        Saying::Force(host) => (4, std::slice::from_ref(host)),
        Saying::Trust(host) => (5, std::slice::from_ref(host)),
        Saying::End(host) => (6, std::slice::from_ref(host)),
    }
}

fn saying_read(number: u8, hosts: Vec<Hostname>) -> Option<Saying> {
    let one = || <[Hostname; 1]>::try_from(hosts.clone()).ok().map(|[host]| host);
    Some(match number {
        0 if !hosts.is_empty() => Saying::AssumeLost(hosts),
        1 => Saying::Discard(one()?),
        2 => Saying::Seed(one()?),
        3 => Saying::Standalone,
        4 => Saying::Force(one()?),
        5 => Saying::Trust(one()?),
        6 => Saying::End(one()?),
        _ => return None,
    })
}
