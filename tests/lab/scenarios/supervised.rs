//! The supervisor brings the database back by itself.

use std::time::{Duration, Instant};

use pfcluster_tests::lab::{Host, Lab, Result, together, wait_all_synced};

use crate::common::{boot, disks, guide, measured, nothing_lost, seconds};

/// The guide's three servers, each with its supervisor, their databases in one cluster.
pub(crate) fn supervised() -> Result<Lab> {
    let lab = Lab::new(&guide())?;
    let all: Vec<&Host> = lab.hosts.iter().collect();
    let began = Instant::now();
    together(&all, Host::supervise)?;
    wait_all_synced(&all)?;
    measured("the supervisors form the cluster", format!("{:.1?}", began.elapsed()));
    Ok(lab)
}

#[test]
fn power_cut_of_all() -> Result {
    let lab = supervised()?;
    let all: Vec<&Host> = lab.hosts.iter().collect();
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(3);
    lab.cut_together(&all)?;
    drop(writers);
    disks(&lab, "after the power cut");
    boot(&all)?;
    let began = Instant::now();
    together(&all, Host::supervise)?;
    wait_all_synced(&all)?;
    measured("from the last supervisor's start to all synced", format!("{:.1?}", began.elapsed()));
    nothing_lost(&lab)
}
