//! The supervisors bring the database back by themselves.

mod files;
mod missing;
mod network;
mod operator;
mod power;
mod speed;
mod status;
mod troubles;

use std::time::{Duration, Instant};

use pfcluster_tests::lab::{Host, Lab, Options, Result, Writer, together, wait_all_synced};

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

/// For so long nobody gets service.
fn stays_down(hosts: &[&Host], how_long: u64) {
    for _ in 0..how_long * 2 {
        std::thread::sleep(Duration::from_millis(500));
        for host in hosts {
            assert_ne!(host.status("wsrep_cluster_status"), "Primary", "{}\n{}", host.name(), host.log("supervisor"));
        }
    }
}
