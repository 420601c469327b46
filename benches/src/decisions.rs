//! What is decided about: members after an outage, versions of the configuration, voters.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::Reply;
use pfcluster_core::galera::{
    Evidence, Files, Found, Grastate, Gvwstate, Observation, Position, Process, Recovered, Seen, Uuid, ViewId,
};
use pfcluster_core::quorum::Voter;

/// How many members the decisions go through.
pub const MEMBERS: [u32; 6] = [3, 5, 10, 30, 300, 1_000];

const HISTORY: Uuid = Uuid::from_u128(7);

/// The name of a member.
///
/// # Panics
/// Never: all these names are host names.
pub fn host(number: u32) -> Hostname {
    format!("pf{number}.example.com").parse().expect("a host name")
}

/// Evidence of a member whose database is stopped.
pub fn stopped(files: Files) -> Evidence {
    Evidence {
        process: Process::Stopped,
        files: Some(files),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: Some("0123456789abcdef".into()),
    }
}

/// The files that a power cut leaves on one of so many members, all of one view, each of which has come more or less far.
pub fn files_after_a_power_cut(number: u32, members: u32) -> Files {
    let view = ViewId { uuid: Uuid::from_u128(1), seq: 5 };
    let nodes = (1..=members).map(|number| Uuid::from_u128(number.into())).collect();
    let my_uuid = Uuid::from_u128(number.into());
    Files {
        grastate: Found::Read(Grastate { uuid: HISTORY, seqno: -1, safe_to_bootstrap: Some(false) }),
        gvwstate: Found::Read(Gvwstate { my_uuid, view, bootstrap: false, members: nodes }),
        recovered: Position::new(HISTORY, i64::from(1000 + number % 17)).map_or(Recovered::NotRun, Recovered::At),
        ..Files::default()
    }
}

/// The files that clean stops leave, one after the other: the last one may begin.
fn files_after_clean_stops(number: u32, members: u32) -> Files {
    let (seqno, safe_to_bootstrap) = (1000 + i64::from(number), Some(number == members));
    Files { grastate: Found::Read(Grastate { uuid: HISTORY, seqno, safe_to_bootstrap }), ..Files::default() }
}

fn seen(members: u32, files: impl Fn(u32, u32) -> Files) -> Vec<Seen> {
    let one = |number| Seen {
        host: host(number),
        enabled: true,
        observation: Observation::Known(Box::new(stopped(files(number, members)))),
    };
    (1..=members).map(one).collect()
}

/// A power cut: the evidence of each member names all of them.
pub fn power_cut(members: u32) -> Vec<Seen> {
    seen(members, files_after_a_power_cut)
}

/// Clean stops: each loser is told why.
pub fn clean_stops(members: u32) -> Vec<Seen> {
    seen(members, files_after_clean_stops)
}

/// Three versions of the configuration among the members.
pub fn replies(members: u32) -> Vec<(Hostname, Reply)> {
    let reply = |number: u32| Reply::of_text(&format!("15100000{:02}.12345", number % 3));
    (1..=members).map(|number| (host(number), reply(number))).collect()
}

/// The members as voters.
pub fn voters(members: u32) -> Vec<Voter> {
    (1..=members).map(|number| Voter::new(host(number))).collect()
}
