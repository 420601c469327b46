//! A member is filled from another, and the power goes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Options, Result, Start, wait_all_synced};

use crate::common::{formed_with, guide, measured, on_disk};

/// What is in the folder of a member that is being filled.
fn folder(host: &Host) -> String {
    let entries = std::fs::read_dir(host.datadir()).into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}

/// What pf3 has when it asks to be filled.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    /// Its data, of which grastate.dat says that it is of no cluster: as after an inconsistency.
    OldData,
}

/// pf3 has to be filled, and loses power as soon as `is_moment`; what is left is told, then it starts again.
fn interrupted(lab: &Lab, before: Before, when: &str, is_moment: &dyn Fn(&Host) -> bool) -> Result {
    let pf3 = lab.host("pf3")?;
    pf3.stop_database()?;
    match before {
        Before::Nothing => pf3.erase_database()?,
        Before::OldData => {
            let zero = "00000000-0000-0000-0000-000000000000";
            let text =
                format!("# GALERA saved state\nversion: 2.1\nuuid:    {zero}\nseqno:   -1\nsafe_to_bootstrap: 0\n");
            pf3.overwrite("grastate.dat", &text)?;
            // An earlier transfer's, by which a new one is recognized.
            let _ = std::fs::remove_file(pf3.state_file("xtrabackup_galera_info"));
        }
    }
    let when = &format!("{before:?}, {when}");
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
    let began = |host: &Host| host.state_file("sst_in_progress").exists();
    let received = |host: &Host| host.state_file(".sst/lab/big.ibd").exists();
    let moved = |host: &Host| host.state_file("xtrabackup_galera_info").exists() && !host.state_file(".sst").exists();
    for before in [Before::Nothing, Before::OldData] {
        interrupted(&lab, before, "it has begun", &began)?;
        interrupted(&lab, before, "files arrive", &received)?;
        interrupted(&lab, before, "they are in their places", &moved)?;
    }
    Ok(())
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_transfer_by_rsync() -> Result {
    let lab = filled(&Options { database_arguments: vec!["--wsrep_sst_method=rsync".to_owned()], ..guide() })?;
    let began = |host: &Host| host.state_file("rsync_sst.conf").exists() || host.state_file("sst_in_progress").exists();
    interrupted(&lab, Before::Nothing, "it has begun", &began)?;
    interrupted(&lab, Before::OldData, "it has begun", &began)?;
    interrupted(&lab, Before::Nothing, "files arrive", &|host| host.state_file("lab/big.ibd").exists())
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
