//! State files that lie, are torn, or are of another time.

use pfcluster_tests::lab::command::{run, wait_until};
use pfcluster_tests::lab::{DEADLINE, Host, Result, wait_all_synced};

use super::{all, come_back, recorded, recover, stays_down, supervised, three, under_load};
use crate::common::{measured, nothing_lost, on_disk};

/// galera #354, #355. Started by hand, an empty gvwstate.dat on one of three keeps all from service.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn state_files_are_torn() -> Result {
    let lab = supervised()?;
    let pf3 = lab.host("pf3")?;
    for (file, bytes) in [("gvwstate.dat", 0), ("grastate.dat", 40)] {
        let writers = under_load(&lab);
        lab.cut_together(&all(&lab))?;
        drop(writers);
        pf3.tear(file, bytes)?;
        let what = format!("{bytes} bytes of pf3's {file}");
        come_back(&all(&lab))?;
        let took = wait_until(
            &what,
            DEADLINE,
            || all(&lab).iter().all(|host| host.is_synced(3)) || refuses(pf3),
            || format!("{}\n{}", pf3.database_state(), pf3.log("supervisor")),
        )?;
        if refuses(pf3) {
            // Its data may hold what nobody else has: a person decides, and nothing was touched.
            measured(&what, "refused: it may hold more than the others");
            pf3.exec(&["pfcluster", "mariadb", "allow", "discard", "pf3", "--yes"])?;
        }
        wait_all_synced(&all(&lab))?;
        measured(&what, format!("{took:.1?}"));
        recorded(&all(&lab))?;
        let verdict = lab.verdict()?;
        measured("ledger", &verdict);
    }
    Ok(())
}

fn refuses(host: &Host) -> bool {
    host.decision() == "refuse"
}

/// grastate.dat of another cluster: nobody knows which history is to go on, so a person decides.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_state_file_is_of_another_cluster() -> Result {
    let lab = supervised()?;
    let [_, _, pf3] = three(&lab)?;
    lab.cut_together(&all(&lab))?;
    let foreign = "# GALERA saved state\nversion: 2.1\nuuid:    11111111-2222-11f1-9999-0123456789ab\nseqno:   99999999\n\
                   safe_to_bootstrap: 1\n";
    pf3.overwrite("grastate.dat", foreign)?;
    come_back(&all(&lab))?;
    for host in all(&lab) {
        let status = host.wait_decision("refuse")?;
        assert_eq!(status["decision"]["action"]["problem"]["kind"], "divergent_histories", "{status:#}");
    }
    stays_down(&all(&lab), 3);
    pf3.exec(&["pfcluster", "mariadb", "allow", "discard", "pf3", "--yes"])?;
    wait_all_synced(&all(&lab)).map(drop)
}

/// A member is put back to last week, with a clean grastate.dat: it is behind, and joins.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_member_is_restored_from_an_old_backup() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let backup = lab.folder.join("backup");
    let path = |host: &Host| host.datadir().display().to_string();
    pf3.stop_supervisor()?;
    run("cp", &["-a", &path(pf3), &backup.display().to_string()])?;
    recover(&all(&lab), "pf3 is back")?;
    let writers = under_load(&lab);
    lab.cut_together(&all(&lab))?;
    drop(writers);
    pf3.erase_database()?;
    run("cp", &["-a", &format!("{}/.", backup.display()), &path(pf3)])?;
    measured("restored", on_disk(pf3));
    recover(&[pf1, pf2, pf3], "with a member from an old backup")?;
    nothing_lost(&lab)
}

/// A member is being filled, and the power of all goes.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_transfer() -> Result {
    let lab = supervised()?;
    let pf3 = lab.host("pf3")?;
    pf3.stop_supervisor()?;
    pf3.erase_database()?;
    pf3.exec(&["rm", "-f", "/usr/local/pf/var/pfcluster/records.json"])?;
    let writers = under_load(&lab);
    pf3.supervise()?;
    wait_until("it is being filled", DEADLINE, || !pf3.marker_files().is_empty(), || pf3.log("supervisor"))?;
    lab.cut_together(&all(&lab))?;
    drop(writers);
    measured("after the power cut", on_disk(pf3));
    measured("markers", pf3.marker_files().join(" "));
    recover(&all(&lab), "a transfer was interrupted")?;
    nothing_lost(&lab)
}
