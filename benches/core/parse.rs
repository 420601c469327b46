//! From cluster.conf to the daemons' files, step by step: lines, spans, document, cluster, findings, files.
//!
//! `cargo bench -p pfcluster-benches --bench parse`

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use pfcluster_benches::paths::{VRRP_MEMBERS, haproxy_and_mariadb, request};
use pfcluster_benches::{MEMBERS, cluster_conf, guide_example, large, line_floor};
use pfcluster_core::check::{Context, check};
use pfcluster_core::cluster::Cluster;
use pfcluster_core::document::{Document, Lines};
use pfcluster_core::generate;
use pfcluster_core::span::{LineEnd, Source};

/// Says how much memory was allocated at most.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// What is read: the number of members, or a file with a name.
#[derive(Clone, Copy)]
enum Input {
    Guide,
    Members(u32),
    Large,
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Input::Guide => f.write_str("guide's example"),
            Input::Members(members) => write!(f, "{members} members"),
            Input::Large => f.write_str("9 MB, 100,004 sections"),
        }
    }
}

fn inputs() -> impl Iterator<Item = Input> {
    [Input::Guide].into_iter().chain(MEMBERS.map(Input::Members)).chain([Input::Large])
}

fn bench<T>(bencher: Bencher<'_, '_>, input: Input, read: impl Fn(&[u8]) -> T + Sync) {
    let text = match input {
        Input::Guide => guide_example(),
        Input::Members(members) => cluster_conf(members),
        Input::Large => large(),
    };
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(text.as_bytes()));
}

#[divan::bench(args = inputs(), max_time = 1)]
fn a_line_floor(bencher: Bencher<'_, '_>, input: Input) {
    bench(bencher, input, line_floor);
}

#[divan::bench(args = inputs(), max_time = 1)]
fn b_scan(bencher: Bencher<'_, '_>, input: Input) {
    bench(bencher, input, |text| {
        Lines::new(text, LineEnd::detect(text), 0).for_each(|line| _ = divan::black_box(line));
    });
}

#[divan::bench(args = inputs(), max_time = 1)]
fn c_document(bencher: Bencher<'_, '_>, input: Input) {
    bench(bencher, input, |text| Document::parse(Source::ClusterConf, text).value.sections().count());
}

#[divan::bench(args = inputs(), max_time = 1)]
fn d_document_and_cluster(bencher: Bencher<'_, '_>, input: Input) {
    bench(bencher, input, |text| Cluster::from_document(&Document::parse(Source::ClusterConf, text).value));
}

#[divan::bench(args = inputs(), max_time = 1)]
fn e_document_cluster_and_check(bencher: Bencher<'_, '_>, input: Input) {
    bench(bencher, input, |text| {
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, text).value).value;
        check(&Context::new(&cluster))
    });
}

#[divan::bench(args = MEMBERS, max_time = 1)]
fn f_haproxy_and_mariadb(bencher: Bencher<'_, '_>, members: u32) {
    let request = request(members);
    bencher.bench(|| haproxy_and_mariadb(request));
}

#[divan::bench(args = VRRP_MEMBERS)]
fn g_all_files(bencher: Bencher<'_, '_>, members: u32) {
    let request = request(members);
    bencher.bench(|| generate::all(request));
}
