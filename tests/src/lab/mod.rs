//! The lab: a cluster of real hosts on this machine, and everything that can happen to it.
//!
//! Each host is a network, process and mount namespace with a pid 1 of its own. It has the addresses of its cluster.conf,
//! PacketFence's ROOT at /usr/local/pf, the database at /var/lib/mysql, and runs the real MariaDB with Galera, keepalived
//! and HAProxy from the files that `pfcluster generate all --install` writes there. Nothing leaves the machine.
//!
//! ```no_run
//! use pfcluster_tests::lab::{Lab, Options, Start};
//! # fn main() -> pfcluster_tests::lab::Result {
//! let lab = Lab::new(&Options::default())?;
//! lab.form_cluster()?;
//! lab.host("pf3")?.cut()?;
//! lab.host("pf1")?.wait_synced(2)?;
//! lab.host("pf3")?.boot()?;
//! lab.host("pf3")?.start_database(Start::Normal)?;
//! # Ok(())
//! # }
//! ```
//!
//! What is on a host's disk is what was synced: [`Host::cut`] loses the rest. [`Host::crash_database`] is the death of
//! processes only: what they had handed to the kernel is there afterwards.

pub mod command;
pub mod database;
mod disk;
mod error;
mod host;
pub mod load;
mod lock;
pub mod network;
pub mod plan;
mod state;
mod supervisor;
mod volume;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use database::{Recovered, Start};
pub use error::{LabError, Result};
pub use host::{DEADLINE, Host};
pub use load::{Job, To, Verdict, Writer};
pub use state::Grastate;

use lock::{BASE, Lock, PREFIX};
use network::Network;
use plan::{HostPlan, Plan};

/// What kind of lab.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster: an example of the repository.
    pub example: String,
    /// PacketFence's version.
    pub version: String,
    /// Seconds between VRRP advertisements. PacketFence's 5 would make each test of a VIP wait for 15 s and more.
    pub advert_int: u8,
    /// In addition to what is generated, on mariadbd's command line.
    pub database_arguments: Vec<String>,
    /// Hosts whose database is on a disk of its own, with its size in megabytes.
    pub small_disks: Vec<(String, u32)>,
    /// The pfcluster that generates.
    pub program: PathBuf,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            example: "guide".to_owned(),
            version: "14".to_owned(),
            advert_int: 1,
            database_arguments: Vec::new(),
            small_disks: Vec::new(),
            program: PathBuf::new(),
        }
    }
}

/// A cluster of hosts. All of it goes with this value, or with this process, unless it is to stay.
#[derive(Debug)]
pub struct Lab {
    name: String,
    /// Everything that it keeps.
    pub folder: PathBuf,
    /// Hosts, addresses, networks.
    pub plan: Plan,
    /// In the order of cluster.conf.
    pub hosts: Vec<Host>,
    /// The switch.
    pub network: Network,
    /// Held while the lab is there. `None`: another process holds it, and the lab stays when this one ends.
    lock: Option<Lock>,
}

impl Lab {
    /// Hosts that are on, with generated files and a database that is not started. It goes when it is dropped.
    ///
    /// # Errors
    /// If something is missing on this machine, or it is not root.
    pub fn new(options: &Options) -> Result<Lab> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let lock = Lock::wait(Duration::from_secs(900))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut lab = Lab::assemble(&options.example, &format!("{PREFIX}-{}-{number}", std::process::id()), true)?;
        lab.lock = Some(lock);
        lab.build(options)?;
        Ok(lab)
    }

    /// A lab that stays until [`Lab::remove`].
    ///
    /// # Errors
    /// As [`Lab::new`]; and if there is one.
    pub fn to_stay(options: &Options) -> Result<Lab> {
        let keeper = Lock::now()?.hand_over()?;
        let lab = Lab::assemble(&options.example, &format!("{PREFIX}-{}", keeper.pid), false)?;
        lock::remember(&lab.name, &options.example, &keeper)?;
        match lab.build(options) {
            Ok(()) => Ok(lab),
            Err(error) => {
                lab.remove()?;
                Err(error)
            }
        }
    }

    /// The lab that stays.
    ///
    /// # Errors
    /// If there is none.
    pub fn open() -> Result<Lab> {
        let (name, example) = lock::remembered().ok_or_else(|| LabError("no lab is up: `lab up`".to_owned()))?;
        Lab::assemble(&example, &name, false)
    }

    /// Takes a lab away that was to stay.
    ///
    /// # Errors
    /// If something of it can't be removed.
    pub fn remove(self) -> Result {
        self.take_down();
        lock::forget();
        Ok(())
    }

    fn assemble(example: &str, name: &str, tied: bool) -> Result<Lab> {
        let plan = Plan::of_example(example)?;
        let folder = Path::new(BASE).join(name);
        let network = Network::new(name, &folder);
        let host = |host: &HostPlan| Host::new(host, &plan, &network, folder.join(&host.name), tied);
        let hosts = plan.hosts.iter().map(host).collect();
        Ok(Lab { name: name.to_owned(), folder, hosts, network, plan, lock: None })
    }

    fn build(&self, options: &Options) -> Result {
        lock::check_machine()?;
        lock::clear_leftovers();
        fs::create_dir_all(self.ledgers())?;
        self.network.create(&self.plan)?;
        volume::share(&self.folder)?;
        for host in &self.hosts {
            disk::lay_out(host, &self.plan, options)?;
        }
        disk::certificate(&self.hosts)?;
        options.small_disks.iter().try_for_each(|(name, _)| self.host(name).map(drop))?;
        let advert_int = options.advert_int.to_string();
        for host in &self.hosts {
            host.boot()?;
            host.exec(&["pfcluster", "generate", "all", "--install", "--advert-int", &advert_int])?;
        }
        let Some(first) = self.hosts.first() else { return Ok(()) };
        let template = disk::template(Path::new(BASE), first)?;
        for host in &self.hosts {
            host.restore_template(&template)?;
            if host.plan.number > 0 {
                let text = fs::read_to_string(host.state_file("grastate.dat"))?;
                host.overwrite("grastate.dat", &text.replace("safe_to_bootstrap: 1", "safe_to_bootstrap: 0"))?;
            }
            host.disks().try_for_each(|disk| disk.sync())?;
        }
        Ok(())
    }

    /// A host by its name.
    ///
    /// # Errors
    /// If there is none.
    pub fn host(&self, name: &str) -> Result<&Host> {
        let plan = self.plan.host(name)?;
        Ok(&self.hosts[plan.number])
    }

    /// Starts all databases for the first time; how long until all have service. The first host founds the cluster.
    ///
    /// # Errors
    /// If one does not get service.
    pub fn form_cluster(&self) -> Result<Duration> {
        let all: Vec<&Host> = self.hosts.iter().collect();
        let began = Instant::now();
        if let Some((first, others)) = all.split_first() {
            first.start_database(Start::NewCluster)?;
            start_together(others, Start::Normal)?;
        }
        wait_all_synced(&all)?;
        Ok(began.elapsed())
    }

    /// Cuts the power of hosts, as close to the same moment as this machine can.
    ///
    /// # Errors
    /// If one does not die.
    pub fn cut_together(&self, hosts: &[&Host]) -> Result {
        hosts.iter().for_each(|host| self.network.silence(&host.plan));
        together(hosts, Host::cut)
    }

    /// Hosts of different groups do not hear each other; hosts of no group hear everybody.
    ///
    /// # Errors
    /// If there is no such host.
    pub fn partition(&self, groups: &[&[&str]]) -> Result {
        let group = |names: &&[&str]| names.iter().map(|name| self.plan.host(name)).collect::<Result<Vec<_>>>();
        self.network.partition(&self.plan, &groups.iter().map(group).collect::<Result<Vec<_>>>()?)
    }

    /// Everything gets through again.
    ///
    /// # Errors
    /// If nft refuses.
    pub fn heal(&self) -> Result {
        self.network.heal(&self.plan)
    }

    /// Where the ledgers are.
    pub fn ledgers(&self) -> PathBuf {
        self.folder.join("ledgers")
    }

    /// What was acknowledged until now counts no longer. No writer may be there.
    ///
    /// # Errors
    /// If a ledger can't be removed.
    pub fn forget_ledgers(&self) -> Result {
        fs::read_dir(self.ledgers())?.flatten().try_for_each(|entry| Ok(fs::remove_file(entry.path())?))
    }

    /// A writer on each host, into its own database.
    pub fn write_on_all(&self, pause: Duration) -> Vec<Writer> {
        self.hosts.iter().map(|host| Job::new(host, To::Socket, &self.ledgers(), pause).start()).collect()
    }

    /// What the ledgers and all members that answer say. One that is synced since a moment ago may still have rows to apply,
    /// whatever `wsrep_sync_wait` says: members that differ are asked once more.
    ///
    /// # Errors
    /// If one does not answer after all.
    pub fn verdict(&self) -> Result<Verdict> {
        let members: Vec<&Host> = self.hosts.iter().filter(|host| host.is_on() && host.connect().is_ok()).collect();
        let first = Verdict::find(&self.ledgers(), &members)?;
        if first.is_alike() {
            return Ok(first);
        }
        std::thread::sleep(Duration::from_secs(5));
        let second = Verdict::find(&self.ledgers(), &members)?;
        println!("asked twice; first: {first}");
        Ok(second)
    }

    fn take_down(&self) {
        lock::remove(&self.name);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.lock.is_none() {
            return;
        }
        // A test that failed: what its databases said last may tell why.
        if std::thread::panicking() {
            for (host, name) in self.hosts.iter().flat_map(|host| [(host, "mariadb"), (host, "supervisor")]) {
                eprintln!("--- {} {name}\n{}", host.name(), host.log(name));
            }
        }
        // All that they said, for somebody who looks closer.
        if let Some(keep) = std::env::var_os("PFCLUSTER_LAB_KEEP") {
            let _ = fs::create_dir_all(&keep);
            for host in &self.hosts {
                let to = Path::new(&keep).join(host.name()).display().to_string();
                let _ = command::run("cp", &["-a", &host.folder.join("log").display().to_string(), &to]);
            }
        }
        let hosts: Vec<&Host> = self.hosts.iter().collect();
        let _ = together(&hosts, Host::switch_off);
        self.take_down();
    }
}

/// The same on several hosts at once.
///
/// # Errors
/// The first that one of them answers.
pub fn together(hosts: &[&Host], what: impl Fn(&Host) -> Result + Sync) -> Result {
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(|| what(host))).collect();
        let results = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(LabError("a thread of the lab has panicked".to_owned())))
        });
        results.collect::<Vec<Result>>().into_iter().collect()
    })
}

/// Starts databases at the same moment.
///
/// # Errors
/// If one can't be started.
pub fn start_together(hosts: &[&Host], start: Start) -> Result {
    together(hosts, |host| host.start_database(start))
}

/// Waits until all of these, and nobody else, are in one cluster and have service; how long it took.
///
/// # Errors
/// If one does not get there.
pub fn wait_all_synced(hosts: &[&Host]) -> Result<Duration> {
    let began = Instant::now();
    hosts.iter().try_for_each(|host| host.wait_synced(hosts.len()).map(drop))?;
    Ok(began.elapsed())
}
