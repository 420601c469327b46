//! Deciding: which member may bring the database back, whose configuration wins, who has quorum, what a supervisor does.
//!
//! `cargo bench -p pfcluster-benches --bench decisions`

use divan::{AllocProfiler, Bencher, black_box};
use pfcluster_benches::decisions::{MEMBERS, clean_stops, host, power_cut, replies, voters};
use pfcluster_benches::supervisors::{self, Databases, hears_a_peer, tells_all};
use pfcluster_core::conflict;
use pfcluster_core::galera::{Policy, select_bootstrap};
use pfcluster_core::quorum::{ViewChange, what_if};

/// Says how much memory was allocated at most.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
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

#[divan::bench(args = MEMBERS)]
fn resolve_conflict(bencher: Bencher<'_, '_>, members: u32) {
    let replies = replies(members);
    bencher.bench(|| conflict::resolve(black_box(&replies), &host(1), None, conflict::Policy::Guide));
}

/// One member crashes; what may fail next is answered with it.
#[divan::bench(args = MEMBERS)]
fn what_if_one_crashes(bencher: Bencher<'_, '_>, members: u32) {
    let voters = voters(members);
    let change = [ViewChange { down: vec![host(1)], ..ViewChange::default() }];
    bencher.bench(|| what_if(black_box(&voters), &change));
}

/// A datagram of a peer is decoded, and what it says is considered.
#[divan::bench(args = supervisors::MEMBERS)]
fn supervisor_hears_a_peer(bencher: Bencher<'_, '_>, members: u32) {
    let step = hears_a_peer(members, Databases::InService);
    bencher.with_inputs(|| step.clone()).bench_refs(|step| black_box(step).take());
}

/// The same while nobody serves: who may start is decided with it.
#[divan::bench(args = supervisors::MEMBERS)]
fn supervisor_hears_a_peer_after_a_power_cut(bencher: Bencher<'_, '_>, members: u32) {
    let step = hears_a_peer(members, Databases::PowerCut);
    bencher.with_inputs(|| step.clone()).bench_refs(|step| black_box(step).take());
}

/// All peers are told what this member knows: a datagram for each.
#[divan::bench(args = supervisors::MEMBERS)]
fn supervisor_tells_all(bencher: Bencher<'_, '_>, members: u32) {
    let step = tells_all(members, Databases::InService);
    bencher.with_inputs(|| step.clone()).bench_refs(|step| black_box(step).take());
}
