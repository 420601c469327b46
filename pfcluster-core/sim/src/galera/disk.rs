//! What is on a member's disk: the rows, Galera's files, and what the supervisor wrote down.

use super::Set;

/// The UUID of a history; 0 is Galera's zero UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HistoryId(pub u16);

impl HistoryId {
    /// The zero UUID.
    pub const ZERO: HistoryId = HistoryId(0);
}

/// Something that happened to the data and took a sequence number: a commit or a change of view. Each has a name of its
/// own, so two histories that part can be told apart where their UUIDs and numbers are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event(pub u16);

impl Event {
    /// In the place of something that took this number, and that the rows do not have.
    pub const MISSING: Event = Event(0);
}

/// The rows, as all that was ever applied to them, in order. Their sequence number is how much that is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rows {
    /// The history that `InnoDB`'s own record names.
    pub history: HistoryId,
    /// What was applied, or received and not yet applied (see [`super::Run::queue`]).
    pub log: Vec<Event>,
    /// How much of the end a power cut may cost (`innodb_flush_log_at_trx_commit` other than 1).
    pub unflushed: u8,
    /// What was written without Galera: the sequence number does not tell.
    pub alone: Vec<Event>,
}

impl Rows {
    /// How far they have come.
    ///
    /// # Panics
    /// If that is more than a model can hold: two thousand million events.
    pub fn seqno(&self) -> i32 {
        i32::try_from(self.log.len()).expect("a model's history is short")
    }

    /// True if this commit is in them.
    pub fn has(&self, event: Event) -> bool {
        self.log.contains(&event) || self.alone.contains(&event)
    }
}

/// What is in a data directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Data {
    /// Nothing.
    #[default]
    Empty,
    /// Rows that never were in a cluster.
    NoHistory(Rows),
    /// Rows of a history.
    Rows(Rows),
    /// Half of a full state transfer.
    Partial,
}

impl Data {
    /// The rows of a history.
    pub fn rows(&self) -> Option<&Rows> {
        match self {
            Data::Rows(rows) => Some(rows),
            Data::Empty | Data::NoHistory(_) | Data::Partial => None,
        }
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum File<T> {
    /// There is none.
    #[default]
    Absent,
    /// It can't be read.
    Torn,
    /// It says this.
    Whole(T),
}

impl<T> File<T> {
    /// What it says.
    pub fn read(&self) -> Option<&T> {
        match self {
            File::Whole(value) => Some(value),
            File::Absent | File::Torn => None,
        }
    }
}

/// grastate.dat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grastate {
    /// The history.
    pub history: HistoryId,
    /// -1 while it runs.
    pub seqno: i32,
    /// `safe_to_bootstrap`.
    pub flag: bool,
}

/// A primary view: its name and who is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View {
    /// Its name, never used twice.
    pub name: u16,
    /// Its members.
    pub members: Set,
    /// It was begun beside an empty gvwstate.dat: its one node has the name that all such nodes have.
    pub is_nil: bool,
    /// The nodes of the members, by their places: see [`super::Member::node`].
    pub nodes: [u8; 8],
}

/// A member's disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Disk {
    /// The rows.
    pub data: Data,
    /// grastate.dat.
    pub grastate: File<Grastate>,
    /// gvwstate.dat.
    pub gvwstate: File<View>,
    /// `sst_in_progress`.
    pub marker: bool,
    /// What a full transfer brought is in the page cache only.
    pub unsynced: bool,
    /// Neither a recovery nor a start works.
    pub harm: Option<Harm>,
    /// gvwstate.dat is not written: there is no room.
    pub view_frozen: bool,
    /// What the supervisor wrote down, outside the data directory.
    pub records: Records,
}

/// Why neither a recovery nor a start works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// tc.log is empty, or has no magic (R2): nothing is lost, and without the file all is well.
    TcLog,
    /// Files of length 0 (H6): these data were never on the disk.
    Torn,
}

/// A position that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The history.
    pub history: HistoryId,
    /// The sequence number.
    pub seqno: i32,
}

/// What the supervisor wrote down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Records {
    /// The highest position seen in service.
    pub last_recorded: Option<At>,
    /// The last view it was synced in, and where it was then.
    pub view: Option<ViewRecord>,
    /// The last stop was clean, as recovery proved, and whether the flag was set then.
    pub clean: Option<(At, bool)>,
    /// The forks that the rows come from.
    pub forks: Vec<Fork>,
    /// The database has run without Galera.
    pub ran_standalone: bool,
}

/// A view, written down while synced in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewRecord {
    /// The view.
    pub view: View,
    /// The floor: where the member was when the view was new.
    pub at: At,
}

/// A component was started there that could not prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork {
    /// Tells it from others.
    pub id: u16,
    /// What the component began with.
    pub at: At,
}
