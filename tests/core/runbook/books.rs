//! Every runbook that a cluster can have.

use std::fmt;

use pfcluster_core::cluster::Cluster;
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Name, Request, Runbook, RunbookError, runbook};
use pfcluster_tests::program::examples;

/// The versions at which something changes, and their neighbours.
pub(crate) const VERSIONS: [&str; 18] = [
    "7.0", "7.4", "8.0", "8.1", "8.2", "8.3", "8.4", "9.0", "9.3", "10.0", "10.1", "10.2", "10.3", "11.0", "11.2",
    "12.0", "13.2", "14.1",
];

/// A runbook, and which of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain(Name),
    UpgradeWithQuorum,
    ElectWithout,
}

impl Kind {
    pub(crate) fn all() -> impl Iterator<Item = Kind> {
        Name::ALL.into_iter().map(Kind::Plain).chain([Kind::UpgradeWithQuorum, Kind::ElectWithout])
    }

    pub(crate) fn name(self) -> Name {
        match self {
            Kind::Plain(name) => name,
            Kind::UpgradeWithQuorum => Name::Upgrade,
            Kind::ElectWithout => Name::ElectMaster,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Plain(name) => f.write_str(name.as_str()),
            Kind::UpgradeWithQuorum => f.write_str("upgrade-keep-quorum"),
            Kind::ElectWithout => f.write_str("elect-master-without"),
        }
    }
}

/// An example of the repository.
pub(crate) fn example(name: &str) -> Cluster {
    let text = std::fs::read(examples().join(name).join("cluster.conf")).expect("an example");
    read(&text)
}

pub(crate) fn read(text: &[u8]) -> Cluster {
    Cluster::from_document(&Document::parse(Source::ClusterConf, text).value).value
}

/// A request with everything chosen that has to be: the last member, but the first where something is to be kept.
pub(crate) fn request(kind: Kind, cluster: &Cluster, version: PfVersion, supervised: bool) -> Request<'_> {
    let mut request = Request::new(cluster, version);
    request.supervised = supervised;
    let hosts: Vec<_> = cluster.members().map(|member| member.host.clone()).collect();
    let (first, last) = (hosts.first().cloned(), hosts.last().cloned());
    request.members = match kind.name() {
        Name::RemoveMember | Name::MemberMissing | Name::Maintenance => last.clone().into_iter().collect(),
        Name::Resync | Name::ElectMaster | Name::FullRecovery => first.into_iter().collect(),
        Name::SplitBrain => hosts[..hosts.len().div_ceil(2).min(hosts.len().saturating_sub(1)).max(1)].to_vec(),
        Name::AddMember => vec!["new.example.com".parse().expect("a host name")],
        _ => Vec::new(),
    };
    if kind == Kind::ElectWithout {
        request.without = last.into_iter().collect();
    }
    if kind.name() == Name::AddMember {
        let like = cluster.members().next();
        let interfaces = like.into_iter().flat_map(|member| &member.addresses.interfaces);
        request.addresses = (200..).zip(interfaces).map(|(at, one)| (one.name, [10, 9, 8, at].into())).collect();
    }
    if kind.name() == Name::RenameInterfaces {
        request.renames = [("eno16780032", "eth0"), ("ens224", "eth1")]
            .map(|(old, new)| (old.parse().expect("a name"), new.parse().expect("a name")))
            .to_vec();
    }
    request.keeps_quorum = kind == Kind::UpgradeWithQuorum;
    request.to = (kind.name() == Name::Upgrade).then_some(PfVersion::NEWEST);
    request
}

/// All that the cluster can have. What it can't have, it is too small or too old for.
pub(crate) fn books(cluster: &Cluster, version: PfVersion, supervised: bool) -> Vec<(Kind, Runbook)> {
    let mut books = Vec::new();
    for kind in Kind::all() {
        match runbook(kind.name(), &request(kind, cluster, version, supervised)) {
            Ok(book) => books.push((kind, book)),
            Err(RunbookError::TooFew { .. } | RunbookError::NobodyLeft(_)) if cluster.members().count() < 3 => {}
            Err(RunbookError::Version { .. }) if version < PfVersion::new(8, 2) => {}
            Err(RunbookError::HasZones) if kind.name() == Name::MoveToMultiZone => {}
            Err(error) => panic!("{kind} at {version}: {error}"),
        }
    }
    books
}
