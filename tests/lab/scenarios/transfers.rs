//! A member is filled from another, and the power goes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Options, Result, Start, wait_all_synced};

use crate::common::{formed_with, guide, measured, on_disk, seconds};

/// What is in the folder of a member that is being filled.
fn folder(host: &Host) -> String {
    let entries = std::fs::read_dir(host.datadir()).into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}

/// pf3 begins with nothing, and loses power as soon as `is_moment`; what is left is told, then it starts again.
fn interrupted(lab: &Lab, when: &str, is_moment: &dyn Fn(&Host) -> bool) -> Result {
    let pf3 = lab.host("pf3")?;
    pf3.stop_database()?;
    pf3.erase_database()?;
    pf3.start_database(Start::Normal)?;
    let began = Instant::now();
    wait_until(when, DEADLINE, || is_moment(pf3), || format!("{}\n{}", folder(pf3), pf3.log("mariadb")))?;
    measured(when, format!("{:.1?} after the start", began.elapsed()));
    pf3.cut()?;
    measured(when, on_disk(pf3));
    measured("markers", pf3.marker_files().join(" "));
    measured("folder", folder(pf3));
    pf3.boot()?;
    let recovered = pf3.recover()?;
    measured("recovered", recovered.position.as_deref().unwrap_or("nothing"));
    if recovered.position.is_none() {
        let told = recovered.text.lines().filter(|line| line.contains("ERROR"));
        told.for_each(|line| measured("instead", line));
    }
    measured("after the recovery", on_disk(pf3));
    let restarted = Instant::now();
    pf3.start_database(Start::Normal).unwrap_or_else(|error| measured("the next start", error));
    let over = || pf3.is_synced(3) || !pf3.database_runs();
    wait_until("the next start", DEADLINE, over, || pf3.log("mariadb"))?;
    measured("the next start", format!("{} after {:.1?}", pf3.database_state(), restarted.elapsed()));
    if !pf3.is_synced(3) {
        pf3.erase_database()?;
        pf3.start_database(Start::Normal)?;
    }
    wait_all_synced(&lab.hosts.iter().collect::<Vec<_>>()).map(drop)
}

fn filled(options: &Options) -> Result<Lab> {
    let lab = formed_with(options)?;
    lab.hosts[0].long_query(
        "USE lab; CREATE TABLE lab.big (id INT PRIMARY KEY, filler VARCHAR(400) NOT NULL);
         INSERT INTO lab.big SELECT seq, REPEAT('x', 400) FROM seq_1_to_100000",
    )?;
    Ok(lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_transfer_by_mariabackup() -> Result {
    let lab = filled(&guide())?;
    interrupted(&lab, "sst_in_progress is there", &|host| host.state_file("sst_in_progress").exists())?;
    interrupted(&lab, "files are there", &|host| {
        host.state_file("lab/big.ibd").exists() || host.state_file(".sst/lab/big.ibd").exists()
    })?;
    interrupted(&lab, "a second after grastate.dat", &|host| {
        let is_there = host.grastate().is_some();
        if is_there {
            seconds(1);
        }
        is_there
    })
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_transfer_by_rsync() -> Result {
    let lab = filled(&Options { database_arguments: vec!["--wsrep_sst_method=rsync".to_owned()], ..guide() })?;
    interrupted(&lab, "files are there", &|host| host.state_file("lab/big.ibd").exists())
}

/// How long an uninterrupted one takes, by both methods; the second is chosen on the command line.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn an_empty_member_is_filled() -> Result {
    for method in ["mariabackup", "rsync"] {
        let options = Options { database_arguments: vec![format!("--wsrep_sst_method={method}")], ..guide() };
        let lab = formed_with(&options)?;
        let writers = lab.write_on_all(Duration::from_millis(20));
        let pf3 = lab.host("pf3")?;
        pf3.stop_database()?;
        pf3.erase_database()?;
        pf3.start_database(Start::Normal)?;
        measured(method, format!("{:.1?}", wait_all_synced(&lab.hosts.iter().collect::<Vec<_>>())?));
        drop(writers);
        crate::common::nothing_lost(&lab)?;
    }
    Ok(())
}
