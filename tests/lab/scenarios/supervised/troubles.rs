//! Trouble at one member that is no outage: a full disk, a login that fails; and state transfer by other means.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Options, Result, together, wait_all_synced};

use super::{all, come_back, recorded, recover, supervised, supervised_with, three, under_load};
use crate::common::{guide, measured, nothing_lost, seconds};
use crate::disks::BIG;

/// The disk of one is full to the last byte: Galera finds that it can't follow and leaves; the others go on. What it has may go
/// when a person says so, and there is room.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_disk_is_full() -> Result {
    let lab = supervised_with(&Options { small_disks: vec![("pf3".to_owned(), 1000)], ..guide() })?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    pf3.fill_disk()?;
    // Row by row it would take long to need a new page.
    let result = pf1.long_query(&format!("USE lab; {BIG}"));
    measured("a big table is written on pf1", format!("{:?}", result.map(|_| "done")));
    wait_until("pf3 can't follow", DEADLINE, || !pf3.is_synced(3), || pf3.database_state())?;
    measured("the others go on", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    pf3.wait_decision("join")?;
    let told = pf3.exec(&["pfcluster", "mariadb", "status"])?;
    measured("pf3's supervisor", &told);
    assert!(told.contains("pfcluster mariadb allow discard pf3"), "{told}");
    let discard = &["pfcluster", "mariadb", "allow", "discard", "pf3", "--yes"];
    pf3.free_disk()?;
    pf3.exec(discard)?;
    measured("with room again, and a word", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    drop(writers);
    nothing_lost(&lab)
}

/// Supervisors that the databases do not let in see no service. They end nothing because of that, and say what is missing; the
/// databases come back from an outage all the same, and nobody becomes primary beside them.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn logins_fail() -> Result {
    let lab = supervised()?;
    for host in all(&lab) {
        std::fs::write(host.folder.join("etc/wrong.cnf"), "[client]\nuser=gone\npassword=wr0ng\n")?;
    }
    let without_login = |host: &Host| host.supervise_with("--mysql-defaults-file=/run/lab/wrong.cnf");
    let writers = under_load(&lab);
    for host in all(&lab) {
        host.kill_supervisor()?;
        without_login(host)?;
        let says = || host.log("supervisor").contains("does not let this user in");
        wait_until("it says so", DEADLINE, says, || host.log("supervisor"))?;
    }
    // For longer than a view that does not form, or a process that waits in vain, is given.
    for _ in 0..100 {
        seconds(1);
        for host in all(&lab) {
            assert!(host.is_synced(3), "{}", host.log("supervisor"));
        }
    }
    for host in all(&lab) {
        assert_eq!(host.decision(), "wait");
    }
    lab.cut_together(&all(&lab))?;
    drop(writers);
    together(&all(&lab), Host::boot)?;
    together(&all(&lab), without_login)?;
    measured("power cut of all, without login", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    assert!(all(&lab).iter().all(|host| !host.log("supervisor").contains("wr0ng")), "a secret is in a log");
    nothing_lost(&lab)
}

/// State transfer by rsync: another marker, other leftovers.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_member_is_filled_by_rsync() -> Result {
    let options = Options { database_arguments: vec!["--wsrep_sst_method=rsync".to_owned()], ..guide() };
    let lab = supervised_with(&options)?;
    let pf3 = lab.host("pf3")?;
    pf3.stop_supervisor()?;
    pf3.erase_database()?;
    let writers = under_load(&lab);
    pf3.supervise()?;
    measured("an empty member is filled", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    recorded(&all(&lab))?;
    pf3.stop_supervisor()?;
    pf3.erase_database()?;
    pf3.supervise()?;
    wait_until("it is being filled again", DEADLINE, || !pf3.marker_files().is_empty(), || pf3.log("supervisor"))?;
    lab.cut_together(&all(&lab))?;
    drop(writers);
    measured("markers", pf3.marker_files().join(" "));
    recover(&all(&lab), "a transfer by rsync was interrupted")?;
    nothing_lost(&lab)
}
