//! What instructions are counted of: each path by its name, for any number of members.

use std::hint::black_box;

use pfcluster_core::check::{Context, check};
use pfcluster_core::cluster::Cluster;
use pfcluster_core::conflict;
use pfcluster_core::document::Document;
use pfcluster_core::galera::{Policy, select_bootstrap};
use pfcluster_core::generate::{self, Request};
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::quorum::{ViewChange, what_if};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

use crate::supervisors::{self, Databases, hears_a_peer, tells_all};
use crate::{MEMBERS, cluster_conf, decisions, pf_conf};

/// Something that is done once, for a number of members.
pub struct Path {
    /// Its name.
    pub name: &'static str,
    /// How what it reads or writes grows: with this power of the number of members.
    pub power: u32,
    /// The numbers of members.
    pub members: &'static [u32],
    prepare: fn(u32) -> Box<dyn FnOnce()>,
}

impl Path {
    /// The work, with all that it needs.
    pub fn prepare(&self, members: u32) -> Box<dyn FnOnce()> {
        (self.prepare)(members)
    }
}

/// How many members of a zone all files are generated for.
pub const VRRP_MEMBERS: [u32; 4] = [3, 10, 30, 100];

/// All paths.
pub const PATHS: [Path; 11] = [
    Path { name: "document", power: 1, members: &MEMBERS, prepare: document },
    Path { name: "cluster", power: 1, members: &MEMBERS, prepare: cluster },
    Path { name: "check", power: 1, members: &MEMBERS, prepare: findings },
    Path { name: "haproxy-mariadb", power: 1, members: &MEMBERS, prepare: without_keepalived },
    Path { name: "generate", power: 1, members: &VRRP_MEMBERS, prepare: everything },
    Path { name: "bootstrap-after-power-cut", power: 2, members: &decisions::MEMBERS, prepare: after_a_power_cut },
    Path { name: "bootstrap-after-clean-stops", power: 1, members: &decisions::MEMBERS, prepare: after_clean_stops },
    Path { name: "conflict", power: 1, members: &decisions::MEMBERS, prepare: conflict },
    Path { name: "what-if", power: 1, members: &decisions::MEMBERS, prepare: one_crashes },
    Path { name: "supervisor-hears", power: 1, members: &supervisors::MEMBERS, prepare: hears },
    Path { name: "supervisor-tells", power: 2, members: &supervisors::MEMBERS, prepare: tells },
];

/// What the work needs is not freed with it. The process counts one path, and ends.
fn for_ever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn parsed(members: u32) -> &'static Document<'static> {
    let text: &'static str = cluster_conf(members).leak();
    for_ever(Document::parse(Source::ClusterConf, text.as_bytes()).value)
}

fn modelled(members: u32) -> (&'static Cluster, &'static PfConf) {
    let text = pf_conf();
    let pf_conf = Document::parse(Source::PfConf, text.as_bytes()).value;
    let cluster = Cluster::from_document(parsed(members)).value;
    (for_ever(cluster), for_ever(PfConf::new(&pf_conf, None, PfVersion::NEWEST)))
}

fn document(members: u32) -> Box<dyn FnOnce()> {
    let text: &str = cluster_conf(members).leak();
    Box::new(|| _ = black_box(Document::parse(Source::ClusterConf, black_box(text.as_bytes()))))
}

fn cluster(members: u32) -> Box<dyn FnOnce()> {
    let document = parsed(members);
    Box::new(|| _ = black_box(Cluster::from_document(black_box(document))))
}

fn findings(members: u32) -> Box<dyn FnOnce()> {
    let (cluster, pf_conf) = modelled(members);
    let mut context = Context::new(cluster);
    context.pf_conf = Some(pf_conf);
    let context = for_ever(context);
    Box::new(|| _ = black_box(check(black_box(context))))
}

/// The first of so many members, of the guide's shape.
///
/// # Panics
/// Without members.
pub fn request(members: u32) -> &'static Request<'static> {
    let (cluster, pf_conf) = modelled(members);
    let me = &cluster.members().next().expect("a member").host;
    for_ever(Request::new(cluster, pf_conf, me, PfVersion::NEWEST))
}

/// The files of HAProxy and MariaDB: for any number of members, unlike keepalived's, of which VRRP's priorities allow 100.
///
/// # Panics
/// If one can't be made.
pub fn haproxy_and_mariadb(request: &Request<'_>) {
    for part in [generate::haproxy_db, generate::haproxy_portal, generate::haproxy_admin, generate::mariadb] {
        black_box(part(black_box(request)).expect("the guide's settings"));
    }
}

fn without_keepalived(members: u32) -> Box<dyn FnOnce()> {
    let request = request(members);
    Box::new(|| haproxy_and_mariadb(request))
}

fn everything(members: u32) -> Box<dyn FnOnce()> {
    let request = request(members);
    Box::new(|| _ = black_box(generate::all(black_box(request)).expect("the guide's settings")))
}

fn after_a_power_cut(members: u32) -> Box<dyn FnOnce()> {
    let seen = for_ever(decisions::power_cut(members));
    Box::new(|| _ = black_box(select_bootstrap(black_box(seen), &Policy::default())))
}

fn after_clean_stops(members: u32) -> Box<dyn FnOnce()> {
    let seen = for_ever(decisions::clean_stops(members));
    Box::new(|| _ = black_box(select_bootstrap(black_box(seen), &Policy::default())))
}

fn conflict(members: u32) -> Box<dyn FnOnce()> {
    let (replies, me) = (for_ever(decisions::replies(members)), for_ever(decisions::host(1)));
    Box::new(|| _ = black_box(conflict::resolve(black_box(replies), me, None, conflict::Policy::Guide)))
}

fn one_crashes(members: u32) -> Box<dyn FnOnce()> {
    let voters = for_ever(decisions::voters(members));
    let change = for_ever([ViewChange { down: vec![decisions::host(1)], ..ViewChange::default() }]);
    Box::new(|| _ = black_box(what_if(black_box(voters), change)))
}

fn hears(members: u32) -> Box<dyn FnOnce()> {
    let step = Box::leak(Box::new(hears_a_peer(members, Databases::InService)));
    Box::new(|| _ = black_box(black_box(step).take()))
}

fn tells(members: u32) -> Box<dyn FnOnce()> {
    let step = Box::leak(Box::new(tells_all(members, Databases::InService)));
    Box::new(|| _ = black_box(black_box(step).take()))
}
