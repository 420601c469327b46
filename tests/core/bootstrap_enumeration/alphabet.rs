//! The letters: what the evidence of one member can be.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::Seen;
use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Found, Grastate, Gvwstate, LocalState, Observation, Position, Process, Recovered,
    Running, Silence, Uuid, ViewId,
};

pub(crate) const OURS: Uuid = Uuid::from_u128(0xA << 120);
pub(crate) const OTHER: Uuid = Uuid::from_u128(0xB << 120);
pub(crate) const LOW: i64 = 10;
pub(crate) const MIDDLE: i64 = 20;
pub(crate) const HIGH: i64 = 30;

/// What a member's process does, if something is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Unknown,
    Stopped,
    Starting,
    /// Started as the first of a component, without an answer yet.
    Bootstrapping,
    /// It may be serving clients, and does not respond.
    Mute,
    Runs {
        status: ClusterStatus,
        state: LocalState,
        uuid: Uuid,
        at: i64,
        sees_all: bool,
    },
}

/// grastate.dat and the recovered position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// A clean stop, as recovery shows.
    Clean(Uuid, i64, Option<bool>),
    /// A stop that looks clean, and nobody has recovered the position.
    Unconfirmed(Uuid, i64, Option<bool>),
    /// A crash, and what was recovered.
    Crashed(Uuid, i64, Option<bool>),
    /// A crash, and nobody has recovered the position.
    NotRecovered(bool),
    RecoveryFailed(bool),
    /// A position was written down (a pause, a stop that did not reach the disk), and another one, perhaps of another UUID, was
    /// found.
    Both(i64, Uuid, i64, bool),
    /// The history is written down, and the data are of none.
    Contradicted,
    /// The zero UUID, and what was recovered.
    Zero(Option<i64>, Option<bool>),
    /// A torn grastate.dat, and what was recovered.
    Torn(Option<i64>),
    /// No grastate.dat, and what was recovered.
    Missing(Option<i64>),
    MissingNotRecovered,
    Empty,
}

/// gvwstate.dat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Absent,
    Torn,
    /// Of all members.
    All,
    /// Of all members, with another name but the same number.
    OtherOfAll,
    /// With the next member, the last one's next being the first.
    WithNext,
    /// With the member before.
    WithPrevious,
    Alone,
    /// Of all members, written by a node that has started again since.
    OfAnotherLife,
}

/// What is known of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that may be so")]
pub(crate) struct Letter {
    pub(crate) life: Life,
    pub(crate) data: Data,
    pub(crate) view: View,
    pub(crate) marker: bool,
    /// A state transfer was not on disk when the power went.
    pub(crate) unsynced: bool,
    pub(crate) maintenance: bool,
    /// It answered from afar: without its files.
    pub(crate) no_files: bool,
}

impl Letter {
    pub(crate) const UNKNOWN: Letter = Letter::new(Life::Unknown, Data::Empty, View::Absent);

    pub(crate) const fn new(life: Life, data: Data, view: View) -> Letter {
        Letter { life, data, view, marker: false, unsynced: false, maintenance: false, no_files: false }
    }
}

pub(crate) fn host(at: usize) -> Hostname {
    format!("pf{}", at + 1).parse().expect("a host name")
}

fn node(at: usize) -> Uuid {
    Uuid::from_u128((at as u128 + 1) << 96)
}

/// A member's evidence. `disabled` are the members that are counted out, by themselves and by all others.
pub(crate) fn seen(at: usize, letter: Letter, disabled: &[bool]) -> Seen {
    let enabled = !disabled[at];
    let observation = match letter.life {
        Life::Unknown => Observation::Unknown(Silence::NoAnswer),
        _ => Observation::Known(Box::new(evidence(at, letter, disabled))),
    };
    Seen { host: host(at), enabled, observation }
}

fn evidence(at: usize, letter: Letter, disabled: &[bool]) -> Evidence {
    let size = disabled.len();
    let others = (0..size).filter(|other| *other != at);
    let process = match letter.life {
        Life::Unknown | Life::Stopped => Process::Stopped,
        Life::Starting => Process::Starting,
        Life::Bootstrapping => Process::Bootstrapping,
        Life::Mute => Process::NotResponding,
        Life::Runs { status, state, uuid, at: seqno, sees_all } => Process::Running(Running {
            uuid,
            status,
            state,
            size: 1,
            last_committed: seqno,
            sees: (0..size).filter(|other| sees_all || *other == at).map(host).collect(),
            sees_others: Vec::new(),
        }),
    };
    Evidence {
        process,
        files: (!letter.no_files).then(|| files(at, letter, size)),
        maintenance: letter.maintenance,
        arbitrator: false,
        disabled: others.filter(|other| disabled[at] || disabled[*other]).map(host).collect(),
        members_hash: None,
    }
}

fn files(at: usize, letter: Letter, size: usize) -> Files {
    let grastate = |uuid, seqno, safe_to_bootstrap| Found::Read(Grastate { uuid, seqno, safe_to_bootstrap });
    let at_place = |uuid, seqno| Recovered::At(Position::new(uuid, seqno).expect("a position"));
    let ours = |place: Option<i64>| place.map_or(Recovered::NoHistory, |seqno| at_place(OURS, seqno));
    let torn = || Found::Torn("it ends in the middle of a line".into());
    let (grastate, recovered) = match letter.data {
        Data::Clean(uuid, seqno, flag) => (grastate(uuid, seqno, flag), at_place(uuid, seqno)),
        Data::Unconfirmed(uuid, seqno, flag) => (grastate(uuid, seqno, flag), Recovered::NotRun),
        Data::Crashed(uuid, seqno, flag) => (grastate(uuid, -1, flag), at_place(uuid, seqno)),
        Data::NotRecovered(flag) => (grastate(OURS, -1, Some(flag)), Recovered::NotRun),
        Data::RecoveryFailed(flag) => (grastate(OURS, -1, Some(flag)), Recovered::Failed("no space left".into())),
        Data::Both(written, uuid, found, flag) => (grastate(OURS, written, Some(flag)), at_place(uuid, found)),
        Data::Contradicted => (grastate(OURS, -1, Some(true)), Recovered::NoHistory),
        Data::Zero(place, flag) => (grastate(Uuid::ZERO, -1, flag), ours(place)),
        Data::Torn(place) => (torn(), ours(place)),
        Data::Missing(place) => (Found::Absent, ours(place)),
        Data::MissingNotRecovered | Data::Empty => (Found::Absent, Recovered::NotRun),
    };
    let datadir_empty = letter.data == Data::Empty;
    let gvwstate = match letter.view {
        View::Absent => Found::Absent,
        View::Torn => Found::Torn("no `#vwend`".into()),
        view => Found::Read(gvwstate(at, view, size)),
    };
    let (sst_marker, unsynced_transfer) = (letter.marker, letter.unsynced);
    Files { grastate, gvwstate, recovered, sst_marker, unsynced_transfer, datadir_empty, ..Files::default() }
}

fn gvwstate(at: usize, view: View, size: usize) -> Gvwstate {
    let (next, previous) = ((at + 1) % size, (at + size - 1) % size);
    let (seq, mut members) = match view {
        View::WithNext => (6, vec![at, next]),
        View::WithPrevious => (6, vec![previous, at]),
        View::Alone => (7, vec![at]),
        _ => (5, (0..size).collect()),
    };
    let namer = if view == View::OtherOfAll { size - 1 } else { members[0] };
    members.sort_unstable();
    members.dedup();
    let own = if view == View::OfAnotherLife { Uuid::from_u128(0xFF << 96 | at as u128) } else { node(at) };
    let members = members.into_iter().map(node).collect();
    Gvwstate { my_uuid: own, view: ViewId { uuid: node(namer), seq }, bootstrap: false, members }
}

/// The letters, without those that say the same as an earlier one.
pub(crate) fn distinct(letters: impl IntoIterator<Item = Letter>, size: usize) -> Vec<Letter> {
    let mut kept: Vec<(Letter, Seen)> = Vec::new();
    for letter in letters {
        // The first and the last member tell apart what a view of neighbours is.
        let seen = seen(0, letter, &vec![false; size]);
        if !kept.iter().any(|(_, other)| *other == seen) {
            kept.push((letter, seen));
        }
    }
    kept.into_iter().map(|(letter, _)| letter).collect()
}

const FLAGS: [Option<bool>; 3] = [Some(false), Some(true), None];
const PLACES: [i64; 3] = [LOW, MIDDLE, HIGH];
const VIEWS: [View; 8] = [
    View::Absent,
    View::Torn,
    View::All,
    View::OtherOfAll,
    View::WithNext,
    View::WithPrevious,
    View::Alone,
    View::OfAnotherLife,
];

/// Everything that the files of a member that is not running can say.
fn all_data() -> Vec<Data> {
    let mut all = vec![Data::Empty, Data::Contradicted, Data::MissingNotRecovered];
    for flag in FLAGS {
        for place in PLACES {
            all.extend([Data::Clean(OURS, place, flag), Data::Crashed(OURS, place, flag)]);
            all.push(Data::Zero(Some(place), flag));
        }
        all.extend([Data::Clean(OTHER, MIDDLE, flag), Data::Crashed(OTHER, MIDDLE, flag)]);
        all.push(Data::Zero(None, flag));
    }
    for flag in [false, true] {
        all.extend([Data::NotRecovered(flag), Data::RecoveryFailed(flag)]);
    }
    for place in [Some(LOW), Some(MIDDLE), Some(HIGH), None] {
        all.extend([Data::Torn(place), Data::Missing(place)]);
    }
    for flag in [false, true] {
        all.extend([
            Data::Both(LOW, OURS, HIGH, flag),
            Data::Both(HIGH, OURS, LOW, flag),
            Data::Both(LOW, OTHER, LOW, flag),
        ]);
        all.push(Data::Unconfirmed(OURS, HIGH, Some(flag)));
    }
    all
}

fn all_runs() -> Vec<Life> {
    use ClusterStatus::{Disconnected, NonPrimary, Primary};
    use LocalState::{Donor, Inconsistent, Initialized, Joined, Joining, Synced};
    let mut all = Vec::new();
    for (uuid, at) in [(OURS, LOW), (OURS, MIDDLE), (OURS, HIGH), (OTHER, MIDDLE), (Uuid::ZERO, -1), (Uuid::ZERO, 3)] {
        for status in [Primary, NonPrimary, Disconnected] {
            for state in [Initialized, Joining, Donor, Joined, Synced, Inconsistent] {
                let runs = |sees_all| Life::Runs { status, state, uuid, at, sees_all };
                all.extend([runs(true), runs(false)]);
            }
        }
    }
    all
}

/// The full alphabet, without what several members share.
pub(crate) fn full(size: usize) -> Vec<Letter> {
    let mut letters = vec![Letter::UNKNOWN];
    for view in VIEWS {
        letters
            .extend([Life::Mute, Life::Bootstrapping].map(|life| Letter::new(life, Data::NotRecovered(false), view)));
        for life in [Life::Stopped, Life::Starting] {
            letters.extend(all_data().into_iter().map(|data| Letter::new(life, data, view)));
        }
        // While a server runs its grastate.dat says what a crash would leave, and nobody reads it.
        letters.extend(all_runs().into_iter().map(|life| Letter::new(life, Data::NotRecovered(false), view)));
    }
    distinct(letters, size)
}

/// The letters with every combination of marker, maintenance and unread files.
pub(crate) fn modified(letters: &[Letter], size: usize) -> Vec<Letter> {
    let mut all = Vec::new();
    for &letter in letters {
        for (marker, maintenance, no_files) in [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (true, true, false),
            (false, false, true),
            (false, true, true),
        ] {
            all.push(Letter { marker, maintenance, no_files, ..letter });
        }
    }
    distinct(all, size)
}

/// The letters without some that say little: a running server with views that only the stopped use, or marked, and the
/// third number. They are in the larger run.
pub(crate) fn less(letters: Vec<Letter>) -> Vec<Letter> {
    let kept = |letter: &Letter| match letter.life {
        Life::Runs { at, .. } => {
            let views = [View::Absent, View::All, View::Alone];
            !letter.marker && views.contains(&letter.view) && at != MIDDLE && !(letter.maintenance && letter.no_files)
        }
        Life::Mute | Life::Bootstrapping => letter.view == View::All,
        Life::Starting => matches!(letter.view, View::Absent | View::All | View::Alone | View::OfAnotherLife),
        Life::Stopped | Life::Unknown => letter.view != View::WithPrevious,
    };
    letters.into_iter().filter(kept).collect()
}

/// The letters for three members: of those of [`full`] that the rules treat alike, one is left, and a property test shows
/// that they are alike.
pub(crate) fn smaller() -> Vec<Letter> {
    use ClusterStatus::{Disconnected, NonPrimary, Primary};
    use LocalState::{Inconsistent, Initialized, Joining, Synced};
    const VIEWS: [View; 5] = [View::Absent, View::All, View::WithNext, View::WithPrevious, View::Alone];
    let (no, yes) = (Some(false), Some(true));
    let mut letters = vec![Letter::UNKNOWN];
    let stopped = |data, view| Letter::new(Life::Stopped, data, view);
    for view in VIEWS {
        for flag in [no, yes] {
            letters.extend(PLACES.map(|place| stopped(Data::Crashed(OURS, place, flag), view)));
        }
        letters.push(stopped(Data::Crashed(OTHER, MIDDLE, no), view));
        letters.push(stopped(Data::Zero(Some(HIGH), yes), view));
        letters.push(stopped(Data::Zero(None, yes), view));
        letters.push(stopped(Data::Torn(Some(LOW)), view));
        letters.push(stopped(Data::NotRecovered(true), view));
        letters.push(Letter::new(Life::Starting, Data::Crashed(OURS, MIDDLE, no), view));
        letters.push(Letter::new(Life::Starting, Data::NotRecovered(false), view));
        for (at, sees_all) in [(LOW, false), (MIDDLE, false), (MIDDLE, true), (HIGH, true)] {
            let life = Life::Runs { status: NonPrimary, state: Initialized, uuid: OURS, at, sees_all };
            letters.push(Letter::new(life, Data::NotRecovered(false), view));
        }
    }
    for flag in [no, yes] {
        letters.extend(PLACES.map(|place| stopped(Data::Clean(OURS, place, flag), View::Absent)));
    }
    letters.push(stopped(Data::Clean(OTHER, MIDDLE, yes), View::Absent));
    // Not flushed, paused, not recovered.
    letters.push(stopped(Data::Both(HIGH, OURS, MIDDLE, true), View::Absent));
    letters.push(stopped(Data::Both(HIGH, OURS, MIDDLE, true), View::Alone));
    letters.push(stopped(Data::Unconfirmed(OURS, HIGH, yes), View::Absent));
    letters.push(stopped(Data::Both(LOW, OTHER, HIGH, false), View::Absent));
    letters.push(Letter::new(Life::Mute, Data::NotRecovered(false), View::All));
    letters.push(Letter::new(Life::Bootstrapping, Data::NotRecovered(false), View::All));
    letters.push(Letter { unsynced: true, ..stopped(Data::Crashed(OURS, HIGH, no), View::All) });
    letters.push(stopped(Data::Contradicted, View::Absent));
    letters.push(stopped(Data::Missing(Some(MIDDLE)), View::Absent));
    letters.push(stopped(Data::Empty, View::Absent));
    letters.push(Letter::new(Life::Starting, Data::Empty, View::Absent));
    for (uuid, at) in [(OURS, MIDDLE), (OTHER, MIDDLE), (Uuid::ZERO, -1)] {
        for sees_all in [false, true] {
            for state in [Synced, Joining] {
                let life = Life::Runs { status: Primary, state, uuid, at, sees_all };
                letters.push(Letter::new(life, Data::NotRecovered(false), View::All));
            }
        }
    }
    let runs = |status, state, uuid, at| Life::Runs { status, state, uuid, at, sees_all: false };
    for life in [
        runs(NonPrimary, Joining, OURS, MIDDLE),
        runs(NonPrimary, Initialized, OTHER, MIDDLE),
        runs(Disconnected, Inconsistent, OURS, -1),
        runs(Disconnected, Initialized, OURS, HIGH),
    ] {
        letters.push(Letter::new(life, Data::NotRecovered(false), View::Absent));
    }
    distinct(letters, 3)
}

/// The letters for four and five members: one for each thing that the rules tell apart.
pub(crate) fn smallest(size: usize) -> Vec<Letter> {
    let (no, yes) = (Some(false), Some(true));
    let stopped = |data, view| Letter::new(Life::Stopped, data, view);
    let waits = |at| Life::Runs {
        status: ClusterStatus::NonPrimary,
        state: LocalState::Initialized,
        uuid: OURS,
        at,
        sees_all: false,
    };
    let primary = Life::Runs {
        status: ClusterStatus::Primary,
        state: LocalState::Synced,
        uuid: OURS,
        at: MIDDLE,
        sees_all: false,
    };
    let letters = vec![
        Letter::UNKNOWN,
        stopped(Data::Clean(OURS, LOW, no), View::Absent),
        stopped(Data::Clean(OURS, HIGH, yes), View::Absent),
        stopped(Data::Crashed(OURS, MIDDLE, no), View::All),
        stopped(Data::Crashed(OURS, MIDDLE, no), View::WithNext),
        stopped(Data::Crashed(OURS, HIGH, no), View::WithPrevious),
        Letter::new(waits(HIGH), Data::NotRecovered(false), View::WithNext),
        stopped(Data::Zero(Some(MIDDLE), yes), View::Absent),
        Letter::new(primary, Data::NotRecovered(false), View::All),
        stopped(Data::Crashed(OURS, LOW, yes), View::Alone),
        stopped(Data::Crashed(OURS, HIGH, yes), View::Alone),
        stopped(Data::Crashed(OTHER, MIDDLE, no), View::All),
        stopped(Data::NotRecovered(false), View::All),
        stopped(Data::Empty, View::Absent),
        Letter { maintenance: true, ..stopped(Data::Crashed(OURS, HIGH, no), View::All) },
        Letter { maintenance: true, ..stopped(Data::Clean(OURS, HIGH, no), View::Absent) },
        Letter::new(Life::Starting, Data::Crashed(OURS, MIDDLE, no), View::WithNext),
        Letter { marker: true, ..Letter::new(Life::Starting, Data::Zero(None, no), View::Absent) },
        Letter { marker: true, ..stopped(Data::Zero(None, no), View::WithNext) },
        Letter::new(waits(MIDDLE), Data::NotRecovered(false), View::All),
        stopped(Data::Both(HIGH, OURS, MIDDLE, true), View::Absent),
        Letter::new(Life::Mute, Data::NotRecovered(false), View::All),
    ];
    distinct(letters, size)
}
