//! A person makes one primary by hand while all are apart.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Result, wait_all_synced};

use super::{all, recorded, supervised, three, write_some};
use crate::common::{measured, seconds};

/// pf3 was cut off first, and is behind; then it is made primary by hand, and goes on for longer than the others had. After healing,
/// and a restart, pf1 must not be in one cluster with it while it has other rows.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_is_promoted_by_hand_while_all_are_apart() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    write_some(&lab, pf1, 20)?;
    lab.partition(&[&["pf1", "pf2"], &["pf3"]])?;
    pf3.wait_status("wsrep_cluster_status", "non-Primary")?;
    wait_all_synced(&[pf1, pf2])?;
    write_some(&lab, pf1, 20)?;
    recorded(&[pf1, pf2])?;
    lab.partition(&[&["pf1"], &["pf2"], &["pf3"]])?;
    pf1.wait_status("wsrep_cluster_status", "non-Primary")?;
    pf3.query("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'")?;
    pf3.wait_synced(1)?;
    write_some(&lab, pf3, 60)?;
    recorded(&[pf3])?;
    pf2.cut()?;
    lab.heal()?;
    seconds(20);
    measured("pf1 after healing", pf1.database_state());
    measured("pf3 after healing", pf3.database_state());
    pf1.stop_supervisor()?;
    pf1.supervise()?;
    let decided = || pf1.is_synced(2) || ["join", "refuse"].contains(&&*pf1.decision());
    wait_until("it is decided", DEADLINE, decided, || pf1.log("supervisor"))?;
    seconds(15);
    let status = pf1.supervisor_status().unwrap_or_default();
    measured("pf1's decision", &status["decision"]["action"]);
    if pf1.is_synced(2) {
        let verdict = lab.verdict()?;
        measured("ledger", &verdict);
        assert!(verdict.is_alike(), "pf1 joined with rows of its own\n{verdict}");
    }
    let told = pf1.exec(&["pfcluster", "mariadb", "status"])?;
    measured("pf1 tells", &told);
    let _ = all(&lab);
    Ok(())
}
