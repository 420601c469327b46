//! Deciding: which member may bring the database back, whose configuration wins, who has quorum.
//!
//! `cargo bench -p pfcluster-benches --bench decisions`

use divan::{Bencher, black_box};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{self, Reply};
use pfcluster_core::galera::{
    Evidence, Files, Found, Grastate, Gvwstate, Observation, Policy, Position, Process, Recovered, Seen, Uuid, ViewId,
    select_bootstrap,
};
use pfcluster_core::quorum::{ViewChange, Voter, what_if};

const MEMBERS: [u32; 6] = [3, 5, 10, 30, 300, 1000];

fn main() {
    divan::main();
}

fn host(number: u32) -> Hostname {
    format!("pf{number}.example.com").parse().expect("a host name")
}

/// A power cut: all members hold one view, and have come more or less far.
fn power_cut(members: u32) -> Vec<Seen> {
    let (history, view) = (Uuid::from_u128(7), ViewId { uuid: Uuid::from_u128(1), seq: 5 });
    let nodes: Vec<Uuid> = (1..=members).map(|number| Uuid::from_u128(number.into())).collect();
    let evidence = |number: u32| Evidence {
        process: Process::Stopped,
        files: Some(Files {
            grastate: Found::Read(Grastate { uuid: history, seqno: -1, safe_to_bootstrap: Some(false) }),
            gvwstate: Found::Read(Gvwstate {
                my_uuid: Uuid::from_u128(number.into()),
                view,
                bootstrap: false,
                members: nodes.clone(),
            }),
            recovered: Position::new(history, i64::from(1000 + number % 17)).map_or(Recovered::NotRun, Recovered::At),
            ..Files::default()
        }),
        maintenance: false,
        arbitrator: false,
        disabled: Vec::new(),
        members_hash: Some("0123456789abcdef".into()),
    };
    let seen = |number| Seen {
        host: host(number),
        enabled: true,
        observation: Observation::Known(Box::new(evidence(number))),
    };
    (1..=members).map(seen).collect()
}

/// The same after clean stops, so that each loser is told why.
fn clean_stops(members: u32) -> Vec<Seen> {
    let mut seen = power_cut(members);
    for (number, one) in (0..).zip(&mut seen) {
        if let Observation::Known(evidence) = &mut one.observation
            && let Some(files) = &mut evidence.files
        {
            files.gvwstate = Found::Absent;
            files.grastate = Found::Read(Grastate {
                uuid: Uuid::from_u128(7),
                seqno: 1000 + number,
                safe_to_bootstrap: Some(number + 1 == i64::from(members)),
            });
        }
    }
    seen
}

#[divan::bench(args = MEMBERS)]
fn select_bootstrap_after_a_power_cut(bencher: Bencher<'_, '_>, members: u32) {
    bencher.with_inputs(|| power_cut(members)).bench_refs(|seen| select_bootstrap(black_box(seen), &Policy::default()));
}

#[divan::bench(args = MEMBERS)]
fn select_bootstrap_after_clean_stops(bencher: Bencher<'_, '_>, members: u32) {
    bencher
        .with_inputs(|| clean_stops(members))
        .bench_refs(|seen| select_bootstrap(black_box(seen), &Policy::default()));
}

/// Three versions among the members.
#[divan::bench(args = MEMBERS)]
fn resolve_conflict(bencher: Bencher<'_, '_>, members: u32) {
    let reply = |number: u32| Reply::of_text(&format!("15100000{:02}.12345", number % 3));
    let replies: Vec<(Hostname, Reply)> = (1..=members).map(|number| (host(number), reply(number))).collect();
    bencher.bench(|| conflict::resolve(black_box(&replies), &host(1), None, conflict::Policy::Guide));
}

/// One member crashes; what may fail next is answered with it.
#[divan::bench(args = MEMBERS)]
fn what_if_one_crashes(bencher: Bencher<'_, '_>, members: u32) {
    let voters: Vec<Voter> = (1..=members).map(|number| Voter::new(host(number))).collect();
    let change = [ViewChange { down: vec![host(1)], ..ViewChange::default() }];
    bencher.bench(|| what_if(black_box(&voters), &change));
}
