//! What members' web services are asked: versions, and the configuration itself.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use pfcluster_cli::host::lock::Lock;
use pfcluster_cli::host::sync as files;
use pfcluster_cli::host::sync::{
    FILE_LIMIT, Items, Local, MemberReport, Met, Peer, Sharing, SyncError, compare, name_of, versions,
};
use pfcluster_cli::host::webservices::{Credentials, Fingerprint, Patience, Pins, Trust, port};
use pfcluster_cli::host::{HostError, Root};
use pfcluster_cli::report::sync::{self as report, Direction};
use pfcluster_core::cluster::{Hostname, Member};
use pfcluster_core::conflict::ConfigVersion;
use pfcluster_core::installation::Installation;
use pfcluster_core::sync::{SyncPath, pull_paths};
use pfcluster_core::version::PfVersion;
use pyo3::prelude::*;
use serde_json::{Value, json as document_of};

use super::installed::{Failure, Installed};
use super::{me, seconds, since_1970, waiting};
use crate::classes::Class;
use crate::document::Document;
use crate::error::guarded;
use crate::input::{list, parse, word};

/// How long the question for a version may take.
const QUESTION: Duration = Duration::from_secs(5);

fn fingerprints(source: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Fingerprint>> {
    let all = source.map_or(Ok(Vec::new()), |source| list(source, "fingerprints"))?;
    all.iter().map(|one| parse(one, "fingerprints", "write it as openssl prints it")).collect()
}

/// The versions of the configuration of all enabled members, asked at their web services side by side, as
/// `resolve_conflict` takes them. Who shows a certificate that is not known, neither here nor in `fingerprints`, is sent
/// nothing.
#[pyfunction]
#[pyo3(signature = (*, root=None, host=None, fingerprints=None, timeout=5.0))]
pub(crate) fn config_versions(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    fingerprints: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let (root, me, limit) = (super::root(root)?, me(host)?, seconds(timeout)?);
        let fingerprints = self::fingerprints(fingerprints)?;
        let asked = me.clone();
        let said = waiting(py, move || all_versions(&root, &asked, &fingerprints, limit))??;
        let member = |(host, said): &(Hostname, Result<Option<String>, String>)| document_of!({ "host": host, "config_version": said.as_ref().ok() });
        let silent = |(host, said): &(Hostname, Result<Option<String>, String>)| {
            said.as_ref().err().map(|why| document_of!({ "member": host, "why": why }))
        };
        let members: Vec<Value> = said.iter().map(member).collect();
        let document = document_of!({ "version": 1, "local": me, "now": since_1970(), "members": members });
        let hidden = said.iter().filter_map(silent).collect();
        Class::ConfigVersions.wrap(py, Document { hidden, ..Document::new(document) })
    })
}

/// What each member says, or why it says nothing. One that has no version yet says that.
type Said = Vec<(Hostname, Result<Option<String>, String>)>;

fn all_versions(root: &Root, me: &Hostname, fingerprints: &[Fingerprint], limit: Duration) -> Result<Said, Failure> {
    let installed = Installed::read(root, me.clone())?;
    let installation = installed.installation();
    let cluster = &installation.cluster;
    installed.is_member(cluster)?;
    let version = installed.situation.version;
    let view = cluster.seen_by(me, &installed.situation.disabled).map_err(|_| installed.not_a_member(cluster))?;
    let others = view.configuration_members().filter(|member| member.host != *me);
    let peers = peers(root, &installation, version, fingerprints, others)?.ok_or_else(no_user)?;
    let mut said: Said = Vec::new();
    for member in view.configuration_members() {
        let answer = if member.host == *me {
            Ok(Local::open(root, version)?.version()?)
        } else {
            Err("cluster.conf has no address for it".to_owned())
        };
        said.push((member.host.clone(), answer));
    }
    for (peer, version) in peers.iter().zip(versions(&peers, limit)) {
        if let Some((_, answer)) = said.iter_mut().find(|(host, _)| host.as_str() == peer.name) {
            *answer = version.map(Some).map_err(|error| error.to_string());
        }
    }
    Ok(said)
}

/// The web services of these members; `None` if this installation has no user to ask them with.
pub(super) fn peers<'m>(
    root: &Root,
    installation: &Installation<'_>,
    version: PfVersion,
    fingerprints: &[Fingerprint],
    members: impl Iterator<Item = &'m Member>,
) -> Result<Option<Vec<Peer>>, HostError> {
    let pf_conf = installation.pf_conf.as_ref();
    let credentials = pf_conf.map(|pf_conf| Credentials::of_members(root, pf_conf, version)).transpose()?.flatten();
    let Some(credentials) = credentials else { return Ok(None) };
    let mut trust = Trust::of_host(root)?;
    fingerprints.iter().for_each(|fingerprint| trust.accept(*fingerprint));
    let port = port(pf_conf)?;
    let peer = |member: &Member| {
        let address = member.addresses.management_ip?.value;
        Some(Peer::new(member.host.to_string(), address, port, &credentials, &trust))
    };
    Ok(Some(members.filter_map(peer).collect()))
}

fn no_user() -> Failure {
    Failure::Input {
        message: "the web services' user is missing: pf.conf has none".to_owned(),
        help: "set `user` and `pass` in `[webservices]` of pf.conf".to_owned(),
    }
}

// The configuration ---------------------------------------------------------------------------------------------------

/// A push or a pull.
struct Order {
    root: Root,
    me: Hostname,
    fingerprints: Vec<Fingerprint>,
    dry_run: bool,
    patience: Patience,
}

impl Order {
    fn of(
        root: Option<&Bound<'_, PyAny>>,
        host: Option<&Bound<'_, PyAny>>,
        fingerprints: Option<&Bound<'_, PyAny>>,
        dry_run: bool,
        timeout: f64,
    ) -> PyResult<Order> {
        Ok(Order {
            root: super::root(root)?,
            me: me(host)?,
            fingerprints: self::fingerprints(fingerprints)?,
            dry_run,
            patience: Patience::for_each(FILE_LIMIT).in_all(seconds(timeout)?),
        })
    }

    /// Asks these members for their versions.
    fn meet(&self, installation: &Installation<'_>, version: PfVersion, hosts: &[&str]) -> Result<Met, Failure> {
        let members = installation.cluster.members().filter(|member| hosts.contains(&member.host.as_str()));
        let peers = peers(&self.root, installation, version, &self.fingerprints, members)?.ok_or_else(no_user)?;
        // Where no time is left nobody answers in it.
        let met = Met::ask(peers, self.patience.next_call().unwrap_or_default().min(QUESTION));
        met.all_known()?;
        Ok(met)
    }

    fn lock(&self) -> Result<Option<Lock>, Failure> {
        if self.dry_run { Ok(None) } else { Ok(Some(Lock::take(&self.root)?.ok_or(SyncError::Busy)?)) }
    }

    /// Has it done. Who interrupts the caller calls it off as well: it ends after the call that is under way.
    fn done(
        self,
        py: Python<'_>,
        direction: Direction,
        work: impl FnOnce(&Order) -> Result<Outcome, Failure> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        let (dry_run, patience) = (self.dry_run, self.patience.clone());
        let outcome = waiting(py, move || work(&self)).inspect_err(|_| patience.call_off())??;
        let Outcome { reports, version, backup } = outcome;
        let mut text = Vec::new();
        report::text(direction, version.as_ref(), &reports, &mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let document = Document::answer(&report::document(direction, dry_run, version.as_ref(), &reports), text)?;
        let hidden = document_of!({ "complete": report::is_complete(&reports), "backup": backup });
        Class::Sync.wrap(py, Document { hidden, ..document })
    }
}

/// What came of it.
struct Outcome {
    reports: Vec<MemberReport>,
    version: Option<ConfigVersion>,
    backup: Option<PathBuf>,
}

/// This member's configuration to all other enabled members, which fetch it from here (`pfcluster sync --as-master`). `file`
/// or `storage`: that only, which changes no version. With `dry_run` nothing changes anywhere: the answer says what would.
#[pyfunction]
#[pyo3(signature = (*, root=None, host=None, file=None, storage=None, with_fingerbank_db=false, dry_run=false,
    fingerprints=None, timeout=600.0))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn push(
    py: Python<'_>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    file: Option<&Bound<'_, PyAny>>,
    storage: Option<&Bound<'_, PyAny>>,
    with_fingerbank_db: bool,
    dry_run: bool,
    fingerprints: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let help = "name a file as PacketFence does: /usr/local/pf/conf/pf.conf";
        let file = file.map(|file| parse::<SyncPath>(file, "file", help)).transpose()?;
        let storage = storage.map(|storage| word(storage, "storage")).transpose()?;
        if usize::from(file.is_some()) + usize::from(storage.is_some()) + usize::from(with_fingerbank_db) > 1 {
            let message = "`file`, `storage` and `with_fingerbank_db` exclude each other";
            return Err(crate::error::input(message, "give one of them"));
        }
        let order = Order::of(root, host, fingerprints, dry_run, timeout)?;
        order.done(py, Direction::Push, move |order| {
            pushed(order, file.as_ref(), storage.as_deref(), with_fingerbank_db)
        })
    })
}

fn pushed(
    order: &Order,
    file: Option<&SyncPath>,
    storage: Option<&str>,
    with_fingerbank_db: bool,
) -> Result<Outcome, Failure> {
    let installed = Installed::read(&order.root, order.me.clone())?;
    let installation = installed.installation();
    installed.is_member(&installation.cluster)?;
    let pf = installed.situation.version;
    let sharing = Sharing::of(&installation.cluster, &order.me, &installed.situation.disabled)?;
    let scope = files::scope(file, storage, with_fingerbank_db, pf)?;
    let local = Local::open(&order.root, pf)?;
    let items = Items::of(&scope, &local, pf)?;
    let _lock = order.lock()?;
    let others = sharing.others();
    if others.is_empty() {
        return Err(SyncError::Alone(order.me.clone()).into());
    }
    let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
    let others = order.meet(&installation, pf, &names)?;
    if order.dry_run {
        let reports = compare(&sharing, &local, &items, others, &order.patience)?;
        return Ok(Outcome { reports, version: None, backup: None });
    }
    let version = if scope.has_version() { files::now() } else { None };
    let own = order.meet(&installation, pf, &[order.me.as_str()])?;
    let pushed = files::push(&sharing, &local, &items, &own, others, version.as_ref(), &order.patience)?;
    remember(&order.root, &pushed.fine)?;
    Ok(Outcome { reports: pushed.reports, version, backup: None })
}

/// The configuration of the member with this management address to this one (`pfcluster sync --from`). Nothing is written
/// before all files have arrived; what is replaced is kept. With `dry_run` nothing changes: the answer says what would.
#[pyfunction]
#[pyo3(signature = (address, *, root=None, host=None, dry_run=false, fingerprints=None, timeout=600.0))]
pub(crate) fn pull(
    py: Python<'_>,
    address: &Bound<'_, PyAny>,
    root: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    dry_run: bool,
    fingerprints: Option<&Bound<'_, PyAny>>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let address = parse::<Ipv4Addr>(address, "address", "write an IPv4 address")?;
        let order = Order::of(root, host, fingerprints, dry_run, timeout)?;
        order.done(py, Direction::Pull, move |order| pulled(order, address))
    })
}

fn pulled(order: &Order, address: Ipv4Addr) -> Result<Outcome, Failure> {
    let installed = Installed::read(&order.root, order.me.clone())?;
    let installation = installed.installation();
    let pf = installed.situation.version;
    let name = name_of(address, &installation.cluster, Some(&order.me))?;
    let local = Local::open(&order.root, pf)?;
    let paths = pull_paths(&local.listed_files()?, pf);
    let _lock = order.lock()?;
    let met = order.meet(&installation, pf, &[&name])?;
    let peer = met.peers.first().ok_or(SyncError::Stranger(address))?;
    let pulled = files::pull(peer, &paths, &local, order.dry_run, &order.patience)?;
    if pulled.report.is_fine() && !order.dry_run {
        remember(&order.root, &met.peers)?;
    }
    Ok(Outcome { reports: vec![pulled.report], version: pulled.version, backup: pulled.backup })
}

/// Remembers the certificates of members with which all went well.
fn remember(root: &Root, peers: &[Peer]) -> Result<(), HostError> {
    Pins::remember(root, peers.iter().filter_map(|peer| Some((peer.address, peer.fingerprint()?))))
}
