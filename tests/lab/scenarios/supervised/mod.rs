//! The supervisors bring the database back by themselves.

mod damaged;
mod files;
mod missing;
mod mute;
mod network;
mod operator;
mod paused;
mod power;
mod promoted;
mod speed;
mod starts;
mod status;
mod transfers;
mod troubles;

use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Job, Lab, Options, Result, To, Writer, together, wait_all_synced};

use crate::common::{guide, measured, seconds};

/// The guide's three servers, each with its supervisor, their databases in one cluster.
fn supervised() -> Result<Lab> {
    supervised_with(&guide())
}

fn supervised_with(options: &Options) -> Result<Lab> {
    let lab = Lab::new(options)?;
    let began = Instant::now();
    together(&all(&lab), Host::supervise)?;
    wait_all_synced(&all(&lab))?;
    measured("the supervisors form the cluster", format!("{:.1?}", began.elapsed()));
    recorded(&all(&lab))?;
    Ok(lab)
}

fn all(lab: &Lab) -> Vec<&Host> {
    lab.hosts.iter().collect()
}

fn three(lab: &Lab) -> Result<[&Host; 3]> {
    Ok([lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?])
}

/// Waits until each has written down the view of all of them.
fn recorded(hosts: &[&Host]) -> Result {
    hosts.iter().try_for_each(|host| host.wait_recorded(hosts.len()))
}

/// Writes on all for a second.
fn under_load(lab: &Lab) -> Vec<Writer> {
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    writers
}

/// Switches hosts on and starts their supervisors, all at the same moment.
fn come_back(hosts: &[&Host]) -> Result {
    together(hosts, |host| if host.is_on() { Ok(()) } else { host.boot() })?;
    together(hosts, Host::supervise)
}

/// The same, and waits for service on all; how long that took from the start of the supervisors.
fn recover(hosts: &[&Host], what: &str) -> Result {
    together(hosts, |host| if host.is_on() { Ok(()) } else { host.boot() })?;
    let began = Instant::now();
    together(hosts, Host::supervise)?;
    wait_all_synced(hosts)?;
    measured(what, format!("all synced {:.1?} after the last supervisor's start", began.elapsed()));
    Ok(())
}

/// Waits until one of these serves clients; how long it took.
fn wait_service(hosts: &[&Host]) -> Result<Duration> {
    let serves = |host: &&&Host| {
        let galera = host.galera();
        let has = |name: &str, value: &str| galera.get(name).is_some_and(|found| found == value);
        has("wsrep_cluster_status", "Primary") && has("wsrep_ready", "ON")
    };
    let tell = || hosts.iter().map(|host| host.log("supervisor")).collect::<Vec<_>>().join("\n");
    wait_until("one serves clients", DEADLINE, || hosts.iter().any(|host| serves(&host)), tell)
}

/// Writers on some hosts only.
fn writers_on(lab: &Lab, hosts: &[&Host]) -> Vec<Writer> {
    let pause = Duration::from_millis(5);
    hosts.iter().map(|host| Job::new(host, To::Socket, &lab.ledgers(), pause).start()).collect()
}

/// Writes on one host until its ledger has so many more rows.
fn write_some(lab: &Lab, host: &Host, rows: usize) -> Result {
    let ledger = lab.ledgers().join(host.name());
    let count = || std::fs::read_to_string(&ledger).unwrap_or_default().matches('+').count();
    let before = count();
    let writers = writers_on(lab, &[host]);
    wait_until("rows are written", DEADLINE, || count() >= before + rows, || host.database_state())?;
    drop(writers);
    Ok(())
}

/// For so long nobody gets service.
fn stays_down(hosts: &[&Host], how_long: u64) {
    for _ in 0..how_long * 2 {
        std::thread::sleep(Duration::from_millis(500));
        for host in hosts {
            assert_ne!(host.status("wsrep_cluster_status"), "Primary", "{}\n{}", host.name(), host.log("supervisor"));
        }
    }
}
