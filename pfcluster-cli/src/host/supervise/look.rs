//! Looking: at this machine's database, and at the others' over the network. Each in a thread of its own, so that nothing keeps
//! datagrams waiting.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::{Evidence, Process, Running, WsrepStatus};
use pfcluster_core::supervisor::Look;

use crate::documents::evidence::members_by_name;
use crate::host::backup::Watch;
use crate::host::evidence::{Note, Question, Recovery, gather};
use crate::host::mariadb::{Account, Answer, Settings, ask_peer};
use crate::host::{Root, machine};

/// How long the own database may take to answer.
const OWN: Duration = Duration::from_secs(3);
/// How long the others' may take.
const PEERS: Duration = Duration::from_secs(1);
/// How long a recovery may take: a large redo log is read at some hundred megabytes a second.
const RECOVERY: Duration = Duration::from_secs(3600);

/// What looks at this machine's database.
#[derive(Clone, Debug)]
pub(super) struct Looker {
    pub(super) root: Root,
    pub(super) cluster: Cluster,
    pub(super) settings: Settings,
    pub(super) backups: Watch,
    /// It changes nothing but what a recovery changes.
    pub(super) is_passive: bool,
}

impl Looker {
    /// What there is, and what a person should know about it.
    pub(super) fn look(&self, recover: bool) -> (Look, Vec<Note>) {
        let question = Question {
            root: &self.root,
            cluster: &self.cluster,
            settings: &self.settings,
            limit: OWN,
            recovery: match recover {
                false => Recovery::Known,
                true if self.is_passive => Recovery::Within(RECOVERY),
                true => Recovery::WithFirstAid(RECOVERY),
            },
        };
        match gather(&question, members_by_name(&self.cluster), &mut |_| ()) {
            Ok(gathered) => {
                let status = gathered.status.as_ref();
                let look = Look {
                    data: self.data(),
                    view_number: status.and_then(|status| status.conf_id),
                    receive_queue: status.and_then(|status| status.receive_queue),
                    age: gathered.age,
                    vips: self.vips(),
                    backup: self.backups.last(),
                    evidence: gathered.evidence,
                };
                (look, gathered.notes)
            }
            Err(error) => {
                let evidence = Evidence {
                    // Whatever may be there.
                    process: Process::Starting,
                    files: None,
                    maintenance: false,
                    arbitrator: false,
                    disabled: Vec::new(),
                    members_hash: Some(self.cluster.members_hash()),
                };
                let note = Note { message: error.to_string(), help: error.help().to_owned() };
                let look = Look {
                    evidence,
                    data: 0,
                    view_number: None,
                    receive_queue: None,
                    age: Duration::ZERO,
                    vips: self.vips(),
                    backup: self.backups.last(),
                };
                (look, vec![note])
            }
        }
    }

    /// The virtual addresses that this machine holds.
    fn vips(&self) -> Option<Vec<Ipv4Addr>> {
        let own = machine::own_addresses()?;
        let interfaces = self.cluster.zones().iter().flat_map(|zone| &zone.vips).flat_map(|vips| &vips.interfaces);
        Some(interfaces.filter_map(|interface| interface.ip.map(|ip| ip.value)).filter(|ip| own.contains(ip)).collect())
    }

    /// Changes whenever a server has changed the data.
    fn data(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let files = [
            self.settings.tablespace.join("ibdata1"),
            self.settings.datadir.join("ib_logfile0"),
            self.settings.datadir.join("aria_log_control"),
            self.settings.datadir.join("grastate.dat"),
        ];
        for path in files {
            let stamp = fs::metadata(path).map(|data| (data.ino(), data.size(), data.mtime(), data.mtime_nsec()));
            stamp.ok().hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// What asks the others' databases.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) cluster: Cluster,
    pub(super) addresses: BTreeMap<Hostname, Ipv4Addr>,
    pub(super) account: Option<Account>,
}

impl Asker {
    /// What the databases of these members say. Who does not answer in time is left out.
    pub(super) fn ask(&self, hosts: &[Hostname]) -> Vec<(Hostname, Running)> {
        let Some(account) = &self.account else { return Vec::new() };
        let deadline = Instant::now() + PEERS;
        let (sender, receiver) = mpsc::channel();
        for host in hosts {
            let Some(&address) = self.addresses.get(host) else { continue };
            let (sender, account, host) = (sender.clone(), account.clone(), host.clone());
            // Nobody listens any more to an answer that comes too late. One that can't be asked does not answer.
            let _ = thread::Builder::new().spawn(move || sender.send((host, ask_peer(address, &account, PEERS))));
        }
        drop(sender);
        let resolve = members_by_name(&self.cluster);
        let mut answers = Vec::new();
        while let Ok((host, answer)) = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if let Answer::Status(said) = answer
                && let Ok(status) = WsrepStatus::from_rows(said.rows())
            {
                answers.push((host, status.running(&resolve)));
            }
        }
        answers
    }
}
