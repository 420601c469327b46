//! What both tests of the HAProxy files need: the three files, and a short way to generate them for an example.

use pfcluster_core::document::Document;
use pfcluster_core::generate::{GenerateError, Rendered, Request, haproxy_admin, haproxy_db, haproxy_portal};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

/// The three files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Db,
    Portal,
    Admin,
}

pub(crate) const ALL: [What; 3] = [What::Db, What::Portal, What::Admin];

impl What {
    pub(crate) fn name(self) -> &'static str {
        match self {
            What::Db => "haproxy-db",
            What::Portal => "haproxy-portal",
            What::Admin => "haproxy-admin",
        }
    }
}

/// The files of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) cluster_conf: String,
    pub(crate) pf_conf: String,
    pub(crate) networks: String,
}

pub(crate) fn example(name: &str) -> Files {
    let read = |file: &str| {
        let path = pfcluster_tests::program::examples().join(name).join(file);
        std::fs::read_to_string(path).expect("the examples are part of the repository")
    };
    Files { cluster_conf: read("cluster.conf"), pf_conf: read("pf.conf"), networks: String::new() }
}

pub(crate) fn version(text: &str) -> PfVersion {
    text.parse().expect("a version")
}

pub(crate) fn generate(
    what: What,
    files: &Files,
    host: &str,
    version: PfVersion,
    choose: impl FnOnce(&mut Request<'_>),
) -> Result<Rendered, GenerateError> {
    let (cluster_conf, pf_conf) = (files.cluster_conf.as_bytes(), Some(files.pf_conf.as_bytes()));
    let texts = Texts { cluster_conf, pf_conf, ..Texts::default() };
    let installation = Installation::read(texts, &Situation::of_version(version));
    let pf_conf = installation.pf_conf.as_ref().expect("pf.conf is there");
    let me = host.parse().expect("a host name");
    let networks = Document::parse(Source::NetworksConf, files.networks.as_bytes()).value;
    let mut request = Request::new(&installation.cluster, pf_conf, &me, version);
    request.networks_conf = Some(&networks);
    choose(&mut request);
    match what {
        What::Db => haproxy_db(&request),
        What::Portal => haproxy_portal(&request),
        What::Admin => haproxy_admin(&request),
    }
}
