//! Evidence and records: every process, every file as it can be found.

use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Position, Process, Records,
    Recovered, Running, Seqno, StartFailures, Uuid, ViewId, ViewRecord,
};
use pfcluster_tests::members::{hosts, stopped};

pub(crate) const CLUSTER: Uuid = Uuid::from_u128(0xec9a_1a36_e6ed_11f1_823f_231d_dacb_0bd4);
const NODES: [Uuid; 2] = [
    Uuid::from_u128(0xce81_82e7_e6ef_11f1_8eee_fa6c_ed77_be5e),
    Uuid::from_u128(0xceba_66bf_e6ef_11f1_8414_5e24_ec3e_259c),
];
pub(crate) const VIEW: ViewId = ViewId { uuid: NODES[0], seq: 5 };

pub(crate) fn position(seqno: i64) -> Position {
    Position::new(CLUSTER, seqno).expect("a position")
}

fn seqno(seqno: i64) -> Seqno {
    Seqno::new(seqno).expect("not negative")
}

fn fork(id: u64, at: i64) -> Fork {
    Fork { id, at: position(at) }
}

fn view(size: Option<u32>) -> ViewRecord {
    ViewRecord { view: VIEW, uuid: CLUSTER, floor: seqno(1190), size }
}

/// Records, each in a file of its own.
pub(crate) fn records() -> Vec<(&'static str, Records)> {
    let none = Records::default();
    vec![
        ("nothing", none.clone()),
        ("last-recorded", Records { last_recorded: Some(position(1204)), ..none.clone() }),
        ("view", Records { view: Some(view(Some(2))), ..none.clone() }),
        ("view-without-size", Records { view: Some(view(None)), ..none.clone() }),
        ("clean", Records { clean: Some(clean(true)), ..none.clone() }),
        ("fork", Records { forks: vec![fork(1, 100)], ..none.clone() }),
        ("forks", Records { forks: vec![fork(u64::MAX, 100), fork(0, 0), fork(7, i64::MAX)], ..none.clone() }),
        ("supervised", Records { supervised: hosts(2), ..none.clone() }),
        ("start-failures", Records { start_failures: failures(), ..none.clone() }),
        ("joined", Records { joined_in_boot: Some(CLUSTER), ..none.clone() }),
        ("ran-standalone", Records { ran_standalone: true, ..none }),
        ("everything", everything()),
    ]
}

fn clean(last: bool) -> CleanStop {
    CleanStop { position: position(1204), last }
}

fn failures() -> StartFailures {
    StartFailures { count: 3, why: "exit status 1".into() }
}

fn everything() -> Records {
    Records {
        last_recorded: Some(position(i64::MAX)),
        view: Some(view(Some(2))),
        clean: Some(clean(false)),
        forks: vec![fork(1, 100), fork(2, 1190)],
        ran_standalone: true,
        supervised: hosts(3),
        start_failures: failures(),
        joined_in_boot: Some(CLUSTER),
    }
}

/// What the build 06828d3 wrote of these records: no more than that, and its forks had participants in place of an id.
pub(crate) fn records_of_06828d3(records: Records) -> Records {
    let Records { last_recorded, view, mut forks, ran_standalone, .. } = records;
    forks.iter_mut().for_each(|fork| fork.id = 0);
    Records { last_recorded, view, forks, ran_standalone, ..Records::default() }
}

fn running(status: ClusterStatus, state: LocalState) -> Evidence {
    let running = Running {
        uuid: CLUSTER,
        status,
        state,
        size: 3,
        last_committed: 1204,
        sees: hosts(2),
        sees_others: vec!["192.168.1.99".into()],
    };
    Evidence { process: Process::Running(running), ..stopped(Files::default()) }
}

fn grastate(seqno: i64, safe_to_bootstrap: Option<bool>) -> Found<Grastate> {
    Found::Read(Grastate { uuid: CLUSTER, seqno, safe_to_bootstrap })
}

fn gvwstate(bootstrap: bool) -> Found<Gvwstate> {
    Found::Read(Gvwstate { my_uuid: NODES[1], view: VIEW, bootstrap, members: NODES.to_vec() })
}

/// Evidence, each in a file of its own.
pub(crate) fn evidence() -> Vec<(&'static str, Evidence)> {
    use ClusterStatus::{Disconnected, NonPrimary, Primary};

    let with = |files: Files| stopped(files);
    let process = |process: Process, files: Files| Evidence { process, ..stopped(files) };
    let crashed = Files {
        grastate: grastate(-1, Some(false)),
        gvwstate: gvwstate(false),
        recovered: Recovered::At(position(1203)),
        records: everything(),
        ..Files::default()
    };
    let zero = Found::Read(Grastate { uuid: Uuid::ZERO, seqno: -1, safe_to_bootstrap: Some(false) });
    vec![
        (
            "stopped-cleanly",
            with(Files {
                grastate: grastate(1204, Some(true)),
                recovered: Recovered::At(position(1204)),
                ..Files::default()
            }),
        ),
        ("stopped-unconfirmed", with(Files { grastate: grastate(1204, Some(true)), ..Files::default() })),
        ("stopped-unsynced-transfer", with(Files { unsynced_transfer: true, ..crashed.clone() })),
        ("bootstrapping", process(Process::Bootstrapping, crashed.clone())),
        ("not-responding", process(Process::NotResponding, crashed.clone())),
        ("stopped-after-a-crash", with(crashed.clone())),
        ("stopped-files-unreadable", Evidence { files: None, ..with(Files::default()) }),
        (
            "stopped-not-recovered",
            with(Files { grastate: grastate(-1, None), gvwstate: gvwstate(true), ..Files::default() }),
        ),
        (
            "stopped-recovery-failed",
            with(Files { recovered: Recovered::Failed("the server did not start".into()), ..crashed.clone() }),
        ),
        ("stopped-of-no-cluster", with(Files { recovered: Recovered::NoHistory, ..Files::default() })),
        (
            "stopped-torn",
            with(Files {
                grastate: Found::Torn("line 4 has no end".into()),
                gvwstate: Found::Torn("it has no `#vwend`".into()),
                ..crashed.clone()
            }),
        ),
        ("stopped-in-a-transfer", with(Files { grastate: zero, sst_marker: true, ..Files::default() })),
        ("stopped-empty", with(Files { datadir_empty: true, ..Files::default() })),
        ("starting", process(Process::Starting, crashed.clone())),
        (
            "primary-synced",
            Evidence { members_hash: Some("9e6c7dc17ddea048".into()), ..running(Primary, LocalState::Synced) },
        ),
        ("primary-donor", running(Primary, LocalState::Donor)),
        ("primary-joined", running(Primary, LocalState::Joined)),
        ("primary-joining", running(Primary, LocalState::Joining)),
        ("primary-initialized", running(Primary, LocalState::Initialized)),
        ("non-primary", running(NonPrimary, LocalState::Initialized)),
        ("disconnected", running(Disconnected, LocalState::Initialized)),
        ("inconsistent", running(Disconnected, LocalState::Inconsistent)),
        ("primary-without-files", Evidence { files: None, ..running(Primary, LocalState::Synced) }),
        ("maintenance", Evidence { maintenance: true, ..with(crashed) }),
        ("arbitrator", Evidence { arbitrator: true, files: None, ..running(Primary, LocalState::Synced) }),
        ("disables-others", Evidence { disabled: hosts(3)[1..].to_vec(), ..with(Files::default()) }),
    ]
}
