//! State transfers that fail, and the power cut after one that did not.

use std::time::Duration;

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Options, Result, wait_all_synced};

use super::{all, recorded, recover, supervised, supervised_with, three, under_load, write_some};
use crate::common::{guide, measured, nothing_lost, on_disk, seconds};
use crate::disks::BIG;

/// pf3 has nothing, and asks.
fn empty(lab: &Lab) -> Result<&Host> {
    let pf3 = lab.host("pf3")?;
    write_some(lab, lab.host("pf1")?, 50)?;
    pf3.stop_supervisor()?;
    pf3.erase_database()?;
    Ok(pf3)
}

/// The transfer is under way.
fn wait_transfer(host: &Host) -> Result {
    let is_received = || host.state_file("sst_in_progress").exists() || host.state_file(".sst").exists();
    wait_until("a transfer begins", DEADLINE, is_received, || host.log("supervisor")).map(drop)
}

/// It has failed, and what is left of it is told.
fn wait_failed(host: &Host) -> Result {
    wait_until("the transfer fails", DEADLINE, || !host.database_runs(), || host.log("mariadb"))?;
    measured("after it", on_disk(host));
    measured("left", host.marker_files().join(" "));
    Ok(())
}

/// The cause is gone: it joins by itself.
fn joins(lab: &Lab, cause: &str) -> Result {
    measured(&format!("{cause}, and then not"), format!("{:.1?}", wait_all_synced(&all(lab))?));
    nothing_lost(lab)
}

/// The password that donors have for it is wrong.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_password_is_wrong() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, _] = three(&lab)?;
    let auth = |text: &str| {
        [pf1, pf2].iter().try_for_each(|host| host.query(&format!("SET GLOBAL wsrep_sst_auth = '{text}'")).map(drop))
    };
    let pf3 = empty(&lab)?;
    auth("pfcluster:wr0ng")?;
    pf3.supervise()?;
    wait_until("its database starts", DEADLINE, || pf3.database_runs(), || pf3.log("supervisor"))?;
    wait_failed(pf3)?;
    auth("pfcluster:aMuchMoreSecurePassword")?;
    joins(&lab, "the password is wrong")
}

/// The donor's database dies in the middle, and comes back.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_donor_dies() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, _] = three(&lab)?;
    let pf3 = empty(&lab)?;
    pf3.supervise()?;
    wait_transfer(pf3)?;
    let donates = |host: &&&Host| host.status("wsrep_local_state") == "2";
    let mut donor = None;
    let found = || {
        donor = [pf1, pf2].iter().find(donates).copied();
        donor.is_some()
    };
    wait_until("one donates", DEADLINE, found, String::new)?;
    if let Some(donor) = donor {
        measured("donor", donor.name());
        donor.crash_database()?;
    }
    joins(&lab, "the donor dies")
}

/// The joiner's server dies in the middle, with its scripts.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_joiner_is_killed() -> Result {
    let lab = supervised()?;
    let pf3 = empty(&lab)?;
    pf3.supervise()?;
    wait_transfer(pf3)?;
    seconds(1);
    // The scripts end by themselves, and clear their marks away.
    pf3.exec(&["pkill", "-KILL", "-x", "mariadbd"])?;
    wait_failed(pf3)?;
    joins(&lab, "the joiner is killed")
}

/// There is no room for it.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_joiner_has_no_room() -> Result {
    let lab = supervised_with(&Options { small_disks: vec![("pf3".to_owned(), 420)], ..guide() })?;
    lab.hosts[0].long_query(&format!("USE lab; {BIG}"))?;
    let pf3 = empty(&lab)?;
    let ballast = pf3.folder.join("lib/room");
    let fill = format!("fallocate --length 250M {}", ballast.display());
    pfcluster_tests::lab::command::run("sh", &["-c", &fill])?;
    pf3.supervise()?;
    wait_transfer(pf3)?;
    wait_failed(pf3)?;
    std::fs::remove_file(ballast)?;
    joins(&lab, "there is no room")
}

/// All that a transfer has brought is in the page cache only, for half a minute and more; grastate.dat, which is synced, says that it
/// is there.
fn power_goes_after_a_transfer(wait: u64) -> Result {
    let lab = supervised()?;
    let pf3 = empty(&lab)?;
    pf3.supervise()?;
    measured("a transfer", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    recorded(&all(&lab))?;
    let writers = under_load(&lab);
    std::thread::sleep(Duration::from_secs(wait));
    lab.cut_together(&all(&lab))?;
    drop(writers);
    measured("after the power cut", on_disk(pf3));
    let files = pf3.state_file("lab");
    measured(
        "of it",
        pfcluster_tests::lab::command::run("ls", &["-l", &files.display().to_string()]).unwrap_or_default(),
    );
    recover(&all(&lab), "power cut after a transfer")?;
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_right_after_a_transfer() -> Result {
    power_goes_after_a_transfer(0)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_twenty_seconds_after_a_transfer() -> Result {
    power_goes_after_a_transfer(20)
}
